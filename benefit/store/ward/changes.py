"""決めた後に変わった事実の表: 見つけたもの、済ませたもの。どちらも書き足すだけ。"""

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    ForeignKey,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from benefit.domain.change import CHANGE_OF, STAGES
from benefit.store.base import approved_by_another, asked, moment, one_of
from benefit.store.ward.metadata import metadata

#: 見つけた変わり方一つ。同じ権利の同じ変わり方（`why` まで同じ）は、一度だけ載る。
change_found = Table(
    "change_found",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("programme", String(40), nullable=False),
    Column("slot", String(80), nullable=False),
    Column("case_number", String(11), nullable=False),
    Column("payee_number", BigInteger, nullable=False),
    Column("code", String(20), nullable=False),
    Column("stage", String(15), nullable=False),
    Column("why", Text, nullable=False),
    Column("why_sha256", String(64), nullable=False),
    Column("found_on", Date, nullable=False),
    moment("found_at"),
    UniqueConstraint("slot", "code", "why_sha256"),
    one_of("code", CHANGE_OF),
    one_of("stage", STAGES),
)

#: 済ませたこと。誰が、何をしたか。
change_closed = Table(
    "change_closed",
    metadata,
    Column("change_id", ForeignKey("change_found.id"), primary_key=True),
    Column("did", Text, nullable=False),
    Column("closed_by", ForeignKey("staff.id"), nullable=False),
    moment("closed_at"),
)

#: 出し直し: 枝番を進めた記録。古い枝番の手紙と申し出は、無効になる。
reissue = Table(
    "reissue",
    metadata,
    Column("entitlement_id", ForeignKey("entitlement.id"), primary_key=True),
    Column("branch", Integer, primary_key=True),
    Column("payee_number", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("made_by", ForeignKey("staff.id"), nullable=False),
    moment("made_at"),
)

#: 支給可の判定の後の出し直しの申し出（口座の書き間違いが分かったときなど）。別の人が承認すると、判定は使えなくなる。
reissue_request = Table(
    "reissue_request",
    metadata,
    *asked(
        Column("entitlement_id", ForeignKey("entitlement.id"), nullable=False),
        Column("branch", Integer, nullable=False),
    ),
)
reissue_request_approval = approved_by_another(metadata, "reissue_request")
