"""給付管理システムとの毎日の受渡の表（区の側）: 何を渡してあるか、何が届いたか、どこが食い違うか。

どれも書き足すだけである。委託先が行を消しても、書き換えても、区に届いた事実は残る（宮崎市の事例）。
"""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    Table,
    Text,
)

from benefit.domain.case import CASE_STATES
from benefit.domain.handback import DIFFERENCES
from benefit.store.base import moment, one_of
from benefit.store.ward.metadata import metadata

#: 外へ渡した件（支給対象者の受渡の連番ごとに、前と変わったものだけ）。`given` が偽の行が、引上げの命令である。
desk_given = Table(
    "desk_given",
    metadata,
    Column("sequence", Integer, primary_key=True),
    Column("case_number", String(11), primary_key=True),
    Column("programme", String(40), nullable=False),
    Column("branch", Integer, nullable=False),
    Column("state", String(3), nullable=False),
    Column("given", Boolean, nullable=False),
    moment("at"),
    one_of("state", CASE_STATES),
    Index("ix_desk_given_case_number", "case_number", "sequence"),
    Index("ix_desk_given_programme", "programme", "sequence"),
)

#: 受け取った進捗情報。数の合わないものは、行として存在できない。
desk_handback = Table(
    "desk_handback",
    metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("programme", String(40), nullable=False),
    Column("sha256", String(64), nullable=False, unique=True),
    Column("base_sequence", Integer, nullable=False),
    Column("load_sequence", Integer, nullable=False),
    Column("cases_read", Integer, nullable=False),
    Column("cases_agreed", Integer, nullable=False),
    Column("cases_listed", Integer, nullable=False),
    # 渡してあるはずの件 = 届いた件 − 渡していない件 + 消えた行
    Column("cases_given", Integer, nullable=False),
    Column("cases_strange", Integer, nullable=False),
    Column("cases_vanished", Integer, nullable=False),
    Column("events_read", Integer, nullable=False),
    Column("events_new", Integer, nullable=False),
    Column("contacts_read", Integer, nullable=False),
    Column("contacts_new", Integer, nullable=False),
    Column("withdrawn_read", Integer, nullable=False),
    Column("withdrawn_new", Integer, nullable=False),
    Column("taken_by", String(40), nullable=False),
    moment("made_at"),
    moment("taken_at"),
    CheckConstraint("base_sequence < sequence", name="base"),
    CheckConstraint("cases_read = cases_agreed + cases_listed", name="read"),
    CheckConstraint("cases_given = cases_read - cases_strange + cases_vanished", name="given"),
    CheckConstraint("events_new <= events_read AND contacts_new <= contacts_read", name="new"),
    Index("ix_desk_handback_programme", "programme", "sequence"),
)

#: 委託先から届いた、一件の進み（前の受渡と変わったものだけ）。`present` が偽なら、その受渡に載っていなかった。
desk_progress = Table(
    "desk_progress",
    metadata,
    Column("sequence", ForeignKey("desk_handback.sequence"), primary_key=True),
    Column("case_number", ForeignKey("entitlement.case_number"), primary_key=True),
    Column("present", Boolean, nullable=False),
    Column("branch", Integer, nullable=False),
    Column("state", String(3), nullable=False),
    Column("received_on", Date),
    Column("reviewed_on", Date),
    Column("deficiencies", Text),
    Column("returned_on", Date),
    Column("returned_reason", String(40)),
    Column("refused_on", Date),
    Column("account_changed_on", Date),
    Column("deceased_told_on", Date),
    Column("letters_due", Text),
    Column("contact_count", Integer, nullable=False),
    Column("event_count", Integer, nullable=False),
    one_of("state", CASE_STATES),
    Index("ix_desk_progress_case_number", "case_number", "sequence"),
)

#: 委託先で起きた出来事。`event_id` は委託先の番号で、二度届いても一度しか数えない。
desk_event = Table(
    "desk_event",
    metadata,
    Column("event_id", Integer, primary_key=True, autoincrement=False),
    Column("sequence", ForeignKey("desk_handback.sequence"), nullable=False),
    Column("case_number", String(11), nullable=False),
    moment("at"),
    Column("event", String(40), nullable=False),
    Column("from_state", String(3), nullable=False),
    Column("to_state", String(3), nullable=False),
    Column("actor", String(40), nullable=False),
    Column("role", String(20), nullable=False),
    Column("evidence", String(60), nullable=False, server_default=""),
    Column("reverses", Integer),
    Index("ix_desk_event_case_number", "case_number"),
)

#: 対応履歴（seed 002 の記録項目）。
desk_contact = Table(
    "desk_contact",
    metadata,
    Column("contact_id", Integer, primary_key=True, autoincrement=False),
    Column("sequence", ForeignKey("desk_handback.sequence"), nullable=False),
    Column("case_number", String(11), nullable=False),
    moment("at"),
    Column("actor", String(40), nullable=False),
    Column("category", String(20), nullable=False),
    Column("body", Text, nullable=False),
    Column("corrects", Integer),
    Index("ix_desk_contact_case_number", "case_number"),
)

#: 区の台帳との食い違い。
desk_difference = Table(
    "desk_difference",
    metadata,
    Column("sequence", ForeignKey("desk_handback.sequence"), primary_key=True),
    Column("case_number", String(11), primary_key=True),
    Column("kind", String(12), primary_key=True),
    Column("ward_says", Text, nullable=False),
    Column("desk_says", Text, nullable=False),
    one_of("kind", DIFFERENCES),
)

#: 引上げた番号を消したという、委託先の証し。引上げを命じた番号にしか、行は存在できない。
#: 命じた受渡が途中でなくなれば、委託先はもっと後の受渡（load_sequence）で消す。
desk_withdrawal = Table(
    "desk_withdrawal",
    metadata,
    Column("load_sequence", Integer, primary_key=True, autoincrement=False),
    Column("case_number", String(11), primary_key=True),
    Column("asked_sequence", Integer, nullable=False),
    Column("sequence", ForeignKey("desk_handback.sequence"), nullable=False),
    moment("deleted_at"),
    ForeignKeyConstraint(["asked_sequence", "case_number"], ["desk_given.sequence", "desk_given.case_number"]),
    CheckConstraint("asked_sequence <= load_sequence", name="asked_first"),
)
