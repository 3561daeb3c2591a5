"""電話の表: 受けた電話、本人確認、口座を出したこと。どの件を、どの電話で、なぜ開いたかが、ここから辿れる。

電話の相手の氏名・電話番号を持つ列はない（seed 002 の項目にない）。言葉で残すことは対応履歴（contact）に書く。
"""

from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKey, Index, Integer, String, Table, Text

from benefit.domain.call import CALLERS, PURPOSES
from benefit.store.base import moment, one_of
from benefit.store.desk.tables import metadata

#: 受けた電話一本。番号と用件なしには、何も探せない。終わった時刻だけが後から入る。
call = Table(
    "call",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("reference", String(40), nullable=False),
    Column("purpose", String(40), nullable=False),
    Column("staff_id", ForeignKey("staff.id"), nullable=False),
    moment("started_at"),
    moment("ended_at", nullable=True),
    one_of("purpose", PURPOSES),
    CheckConstraint("reference <> ''", name="has_a_reference"),
    Index("ix_call_staff_id_started_at", "staff_id", "started_at"),
)

#: 本人確認の一回。合った問いと合わなかった問い（符号を空白で区切る）、そこまでで足りたか。打たれた言葉は残さない。
identity_check = Table(
    "identity_check",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("call_id", ForeignKey("call.id"), nullable=False),
    Column("case_number", String(11), nullable=False),
    Column("caller", String(20), nullable=False),
    Column("matched", Text, nullable=False),
    Column("missed", Text, nullable=False),
    Column("complete", Boolean, nullable=False),
    Column("staff_id", ForeignKey("staff.id"), nullable=False),
    moment(),
    one_of("caller", CALLERS),
    Index("ix_identity_check_call_id_case_number", "call_id", "case_number"),
    Index("ix_identity_check_case_number_at", "case_number", "at"),
)

#: 口座の番号を出した一回。出ているのは `at` から 30 秒の間だけ。
account_reveal = Table(
    "account_reveal",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("call_id", ForeignKey("call.id"), nullable=False),
    Column("case_number", String(11), nullable=False),
    Column("reason", Text, nullable=False),
    Column("staff_id", ForeignKey("staff.id"), nullable=False),
    moment(),
    CheckConstraint("reason <> ''", name="has_a_reason"),
    Index("ix_account_reveal_staff_id_at", "staff_id", "at"),
)
