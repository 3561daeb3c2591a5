"""受給者の一件と、進んだ跡。列は seed 002「給付管理システムの記録項目」にあるものだけ。

税額、課税区分、昨年度の受給、公金受取口座と生活保護費口座の番号、支援措置は、列そのものがない。
支給予定額と給付種別は「支給不支給情報」として持つ（docs/decisions/0003）。
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
)

from benefit.domain.case import CASE_STATES
from benefit.store.base import moment, one_of
from benefit.store.desk.tables import metadata

#: 受給者の一件。
benefit_case = Table(
    "benefit_case",
    metadata,
    Column("case_number", String(11), primary_key=True),
    Column("branch", Integer, nullable=False),
    Column("benefit", String(8), nullable=False),
    Column("planned_amount_yen", BigInteger, nullable=False),
    Column("person_number", String(10), nullable=False),
    Column("household_number", String(10)),
    Column("residence_card_number", String(12)),
    Column("postal_code", String(7), nullable=False),
    Column("address", Text, nullable=False),
    Column("address2", Text),
    Column("name", Text, nullable=False),
    Column("kana_name", Text),
    Column("kana_key", Text, nullable=False),
    Column("former_name", Text),
    Column("birth", String(10), nullable=False),
    Column("relation", Text),
    Column("braille", Boolean, nullable=False),
    Column("account_flag", String(1), nullable=False),
    # 過去の給付金支給口座（口座フラグ 2 のときだけ）
    Column("past_bank_code", String(4)),
    Column("past_branch_code", String(3)),
    Column("past_account_type", String(1)),
    Column("past_account_number", String(7)),
    Column("past_holder_kana", Text),
    # 振込口座（確認書で届け出られた口座）
    Column("bank_code", String(4)),
    Column("branch_code", String(3)),
    Column("account_type", String(1)),
    Column("account_number", String(7)),
    Column("holder_kana", Text),
    Column("sent_on", Date),
    Column("due_on", Date),
    Column("received_on", Date),
    Column("reviewed_on", Date),
    Column("transferred_on", Date),
    Column("state", String(3), nullable=False),
    # いまの不備（符号を「、」で並べた名）と、補正期限（不備状況）。
    Column("deficiency", Text),
    Column("correction_due_on", Date),
    moment("changed_at"),
    one_of("state", CASE_STATES),
    one_of("account_flag", ("0", "1", "2", "3")),
    # 公金受取口座・生活保護費の口座の番号は、委託先に置かない（seed 002、benefit-rules F.2-1）。
    CheckConstraint("account_flag = '2' OR past_account_number IS NULL", name="ward_only_accounts"),
    CheckConstraint("planned_amount_yen BETWEEN 1 AND 1000000", name="amount"),
    Index("ix_benefit_case_kana_key_birth", "kana_key", "birth"),
)

#: 給付種別の名と、その事業。区の受渡が知らせる（委託先は、給付事業のファイルを持たない）。
benefit_name = Table(
    "benefit_name",
    metadata,
    Column("benefit", String(8), primary_key=True),
    Column("programme", String(40), nullable=False),
    Column("name", Text, nullable=False),
)

#: 進んだ跡。一件が残る間は消せず、区が引き上げれば一緒に消える（残るのは withdrawal の番号と時刻だけ）。
#: 誤りは逆向きの一歩で直す: `reverses` は取り消した一歩で、一歩は一度だけ取り消せる。
#: `evidence` はその一歩の根拠の行（例 received_form:12）。
case_event = Table(
    "case_event",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("case_number", ForeignKey("benefit_case.case_number", ondelete="CASCADE"), nullable=False),
    moment("at"),
    Column("actor", String(40), nullable=False),
    Column("role", String(20), nullable=False, server_default="batch"),
    Column("event", String(40), nullable=False),
    Column("from_state", String(3), nullable=False),
    Column("to_state", String(3), nullable=False),
    Column("reason", Text, nullable=False),
    Column("evidence", String(60), nullable=False, server_default=""),
    Column("reverses", ForeignKey("case_event.id", ondelete="CASCADE"), unique=True),
    Index("ix_case_event_case_number", "case_number"),
    # 引き上げた件の番号を、後の行が使わない（区は、この番号で一度だけ数える）。
    sqlite_autoincrement=True,
)
