"""一件の仕事の記録: 収受、審査の二度の入力、不備、返戻、送るべき手紙、対応履歴。

どの表も書き足すだけ。行が消えるのは、区が引き上げた人の一件が消えるときだけである（benefit-rules F.3）。
そのとき、この人の行は台帳が一緒に消す。一件が残っている間は、だれも一行も消せない（migrations/desk/0002）。
"""

from __future__ import annotations

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
    UniqueConstraint,
    text,
)

from benefit.domain.deficiency import (
    CHANNELS,
    CONTACT_CATEGORIES,
    DEFECTS,
    FORM_KINDS,
    LETTER_DEEDS,
    LETTER_KINDS,
    RETURN_REASONS,
    STANDINGS,
)
from benefit.store.base import moment, one_of
from benefit.store.desk.tables import metadata


def _case() -> Column[str]:
    """この行の一件。一件が引き上げられれば、行も消える。"""
    return Column("case_number", ForeignKey("benefit_case.case_number", ondelete="CASCADE"), nullable=False)


def _account() -> tuple[Column[str], ...]:
    """口座の五項目。五つとも空なら、登録の口座のまま。"""
    return (
        Column("bank_code", String(4)),
        Column("branch_code", String(3)),
        Column("account_type", String(1)),
        Column("account_number", String(7)),
        Column("holder_kana", Text),
    )


_ALL_OR_NONE = (
    "(bank_code IS NULL) = (branch_code IS NULL) AND (bank_code IS NULL) = (account_type IS NULL)"
    " AND (bank_code IS NULL) = (account_number IS NULL) AND (bank_code IS NULL) = (holder_kana IS NULL)"
)

#: 収受: 届いた紙一通。受付になるのは、一件・枝番・種類・回ごとに一通だけで、後のものは初めの一通に結ぶ（二重提出）。
received_form = Table(
    "received_form",
    metadata,
    Column("id", Integer, primary_key=True),
    _case(),
    Column("branch", Integer, nullable=False),
    Column("kind", String(12), nullable=False),
    Column("channel", String(8), nullable=False),
    Column("received_on", Date, nullable=False),
    Column("postmark_on", Date),
    # 紙を入れた箱や束の名（現物を探すため）。
    Column("box", String(40), nullable=False, server_default=""),
    Column("standing", String(10), nullable=False),
    # 同じ種類を、もう一度受けられるようになった回（二度目の補正、取り消した後の収受）。
    Column("round", Integer, nullable=False),
    Column("first_id", ForeignKey("received_form.id", ondelete="CASCADE")),
    Column("note", Text, nullable=False, server_default=""),
    Column("received_by", String(40), nullable=False),
    moment(),
    one_of("kind", FORM_KINDS),
    one_of("channel", CHANNELS),
    one_of("standing", STANDINGS),
    CheckConstraint("(standing = 'duplicate') = (first_id IS NOT NULL)", name="linked_to_the_first"),
    CheckConstraint("postmark_on IS NULL OR postmark_on <= received_on", name="posted_before_it_came"),
    Index("ix_received_form_case_number", "case_number"),
    Index("ix_received_form_at", "at"),
    Index(
        "uq_received_form_taken",
        "case_number",
        "branch",
        "kind",
        "round",
        unique=True,
        sqlite_where=text("standing = 'taken'"),
        postgresql_where=text("standing = 'taken'"),
    ),
)

#: 審査の一度目: 見た項目と、紙の口座の入力。名義が氏名と合わなければ、わけが要る。
form_review = Table(
    "form_review",
    metadata,
    Column("id", Integer, primary_key=True),
    _case(),
    Column("branch", Integer, nullable=False),
    # 区が認めた申し出（appeal_accepted）には、紙がないことがある。
    Column("received_form_id", ForeignKey("received_form.id", ondelete="CASCADE")),
    Column("attempt", Integer, nullable=False),
    # この審査に入った一歩（case_event.id）。不備・取消で途切れたあとは、古い入力の続きにしない。
    Column("entered", Integer, nullable=False, server_default="0"),
    # 見た項目と ○・×・不要（JSON）。
    Column("checks", Text, nullable=False),
    *_account(),
    Column("account_sha256", String(64), nullable=False),
    Column("holder_agrees", Boolean, nullable=False),
    Column("holder_reason", Text, nullable=False, server_default=""),
    Column("keyed_by", ForeignKey("staff.id"), nullable=False),
    moment("keyed_at"),
    UniqueConstraint("case_number", "branch", "attempt"),
    UniqueConstraint("id", "keyed_by"),
    UniqueConstraint("id", "account_sha256"),
    CheckConstraint(_ALL_OR_NONE, name="whole_account"),
    CheckConstraint("holder_agrees OR holder_reason <> ''", name="has_a_reason"),
)

#: 審査の二度目: 別の人の入力。`agreed_sha256` は、二つの入力が同じときだけ書ける（同じ人の行は存在できない）。
form_review_approval = Table(
    "form_review_approval",
    metadata,
    Column("review_id", Integer, primary_key=True, autoincrement=False),
    _case(),
    Column("keyed_by", String(40), nullable=False),
    Column("checked_by", ForeignKey("staff.id"), nullable=False),
    *_account(),
    Column("account_sha256", String(64), nullable=False),
    Column("agreed_sha256", String(64)),
    # 違った項目の名（「、」で並べる）。
    Column("differing", Text, nullable=False, server_default=""),
    moment("checked_at"),
    ForeignKeyConstraint(["review_id", "keyed_by"], ["form_review.id", "form_review.keyed_by"], ondelete="CASCADE"),
    ForeignKeyConstraint(
        ["review_id", "agreed_sha256"], ["form_review.id", "form_review.account_sha256"], ondelete="CASCADE"
    ),
    CheckConstraint("checked_by <> keyed_by", name="two_people"),
    CheckConstraint("agreed_sha256 IS NULL OR agreed_sha256 = account_sha256", name="same_account"),
    CheckConstraint("(agreed_sha256 IS NULL) = (differing <> '')", name="equal_or_says_what_differs"),
    CheckConstraint(_ALL_OR_NONE, name="whole_account"),
)

#: 不備。一回の審査で見つけた不備は、同じ `round`。
deficiency = Table(
    "deficiency",
    metadata,
    Column("id", Integer, primary_key=True),
    _case(),
    Column("branch", Integer, nullable=False),
    Column("round", Integer, nullable=False),
    Column("code", String(16), nullable=False),
    Column("note", Text, nullable=False, server_default=""),
    Column("received_form_id", ForeignKey("received_form.id", ondelete="CASCADE")),
    Column("found_by", String(40), nullable=False),
    moment(),
    one_of("code", DEFECTS),
    UniqueConstraint("case_number", "branch", "round", "code"),
)

#: 返戻。
returned_mail = Table(
    "returned_mail",
    metadata,
    Column("id", Integer, primary_key=True),
    _case(),
    Column("branch", Integer, nullable=False),
    Column("round", Integer, nullable=False),
    Column("reason", String(16), nullable=False),
    Column("returned_on", Date, nullable=False),
    Column("box", String(40), nullable=False, server_default=""),
    Column("note", Text, nullable=False, server_default=""),
    Column("recorded_by", String(40), nullable=False),
    moment(),
    one_of("reason", RETURN_REASONS),
    UniqueConstraint("case_number", "branch", "round"),
)

#: 送るべき手紙。印刷・手渡し・発送・取りやめは、letter_done の行。
letter_due = Table(
    "letter_due",
    metadata,
    Column("id", Integer, primary_key=True),
    _case(),
    Column("branch", Integer, nullable=False),
    Column("kind", String(12), nullable=False),
    Column("reason", Text, nullable=False),
    Column("asked_by", String(40), nullable=False),
    moment(),
    one_of("kind", LETTER_KINDS),
    CheckConstraint("reason <> ''", name="has_a_reason"),
    Index("ix_letter_due_case_number", "case_number"),
)

letter_done = Table(
    "letter_done",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("letter_due_id", ForeignKey("letter_due.id", ondelete="CASCADE"), nullable=False),
    _case(),
    Column("deed", String(12), nullable=False),
    # 知らせた期限（補正期限）。
    Column("due_on", Date),
    Column("note", Text, nullable=False, server_default=""),
    Column("done_by", String(40), nullable=False),
    moment(),
    one_of("deed", LETTER_DEEDS),
    UniqueConstraint("letter_due_id", "deed"),
)

#: 対応履歴。書き直しは、前の行を名指す別の行（`corrects`）。
contact = Table(
    "contact",
    metadata,
    Column("id", Integer, primary_key=True),
    _case(),
    Column("category", String(12), nullable=False),
    Column("body", Text, nullable=False),
    Column("call_reference", String(40), nullable=False, server_default=""),
    Column("corrects", ForeignKey("contact.id", ondelete="CASCADE"), unique=True),
    Column("written_by", String(40), nullable=False),
    Column("role", String(20), nullable=False),
    moment(),
    one_of("category", CONTACT_CATEGORIES),
    CheckConstraint("body <> ''", name="says_something"),
    Index("ix_contact_case_number", "case_number"),
    # 引き上げた件の番号を、後の行が使わない（区は、この番号で一度だけ数える）。
    sqlite_autoincrement=True,
)
