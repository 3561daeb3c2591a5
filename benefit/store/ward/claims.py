"""申請の表: 入れたもの、決めたこと、受理した申請が使う名前。どれも書き足すだけ。

入れた人と決めた人が別であることは、決定の行が入れた人の ID を写して持ち（複合の外部キー）、CHECK が断る。
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from benefit.domain.claim import DECISIONS, KINDS
from benefit.store.base import moment, one_of
from benefit.store.ward.metadata import metadata

#: 申請一件。中身（content）には氏名・口座があり、区の台帳から出ない。
claim = Table(
    "claim",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("number", String(7), nullable=False, unique=True),
    Column("programme", String(40), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("household_number", BigInteger),
    Column("person_number", BigInteger),
    Column("received_on", Date, nullable=False),
    Column("postmarked_on", Date),
    # 期限の後に届いた申請を開き直した理由。期限内なら空。
    Column("reopened_reason", Text, nullable=False),
    Column("evidence_kind", String(20), nullable=False),
    Column("evidence_id", String(40), nullable=False),
    Column("reason", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("content_sha256", String(64), nullable=False),
    Column("entered_by", ForeignKey("staff.id"), nullable=False),
    moment("entered_at"),
    UniqueConstraint("id", "entered_by"),
    # 同じ紙を二度打たせない（木津川市の事例）。
    UniqueConstraint("programme", "kind", "person_number", "evidence_id"),
    one_of("kind", KINDS),
    CheckConstraint("evidence_id <> ''", name="has_evidence"),
    CheckConstraint("reason <> ''", name="has_a_reason"),
    CheckConstraint("postmarked_on IS NULL OR postmarked_on <= received_on", name="postmark_before_arrival"),
)

#: 決定。一件に一度だけで、入れた人は決められない。
claim_decision = Table(
    "claim_decision",
    metadata,
    Column("claim_id", Integer, primary_key=True),
    Column("entered_by", String(40), nullable=False),
    Column("decision", String(10), nullable=False),
    Column("reason", Text, nullable=False),
    # 決める人が確かめて外したもの（P5、よく似た児童の番号）。; でつなぐ。
    Column("cleared", Text, nullable=False),
    Column("decided_by", ForeignKey("staff.id"), nullable=False),
    Column("decided_on", Date, nullable=False),
    moment("decided_at"),
    ForeignKeyConstraint(["claim_id", "entered_by"], ["claim.id", "claim.entered_by"]),
    UniqueConstraint("claim_id", "decision"),
    one_of("decision", DECISIONS),
    CheckConstraint("entered_by <> decided_by", name="two_people"),
    CheckConstraint("reason <> ''", name="has_a_reason"),
)

#: 受理した申請が使う名前。同じ児童・同じ避難者の申請は、どの順に来ても一件しか受理できない。
claim_slot = Table(
    "claim_slot",
    metadata,
    Column("slot", String(80), primary_key=True),
    Column("claim_id", Integer, nullable=False),
    Column("decision", String(10), nullable=False),
    ForeignKeyConstraint(["claim_id", "decision"], ["claim_decision.claim_id", "claim_decision.decision"]),
    CheckConstraint("decision = 'accept'", name="accepted"),
)
