"""区へ返す受渡の表: 出した記録、区が受け取った知らせ、引き上げた番号。個人の情報を持つ列は一つもない。"""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, String, Table

from benefit.store.base import moment
from benefit.store.desk.tables import metadata

#: 区へ出した進捗情報。連番は事業をまたいで一つ。出来事と対応履歴は、どこまで出したかを番号と数で残す。
#: 数も残すのは、番号だけでは、後から確定した小さい番号の行（PostgreSQL）を落とすからである。
handback = Table(
    "handback",
    metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("programme", String(40), nullable=False),
    # ここまでは区が受け取ったと知らせてきた受渡（なければ 0）。出来事は、その続きから出す。
    Column("base_sequence", Integer, nullable=False),
    Column("load_sequence", Integer, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("case_count", Integer, nullable=False),
    Column("last_event", Integer, nullable=False),
    Column("event_count", Integer, nullable=False),
    Column("last_contact", Integer, nullable=False),
    Column("contact_count", Integer, nullable=False),
    Column("withdrawn_count", Integer, nullable=False),
    Column("made_by", String(40), nullable=False),
    moment("made_at"),
    CheckConstraint("base_sequence < sequence", name="base"),
    Index("ix_handback_programme", "programme", "sequence"),
)

#: 区が受け取ったと知らせてきた進捗情報（支給対象者の受渡の manifest に載って届く）。
handback_receipt = Table(
    "handback_receipt",
    metadata,
    Column("sequence", ForeignKey("handback.sequence"), primary_key=True, autoincrement=False),
    moment("told_at"),
)

#: 区が引き上げた件の行を消した証し: 番号と、どの受渡で、いつ消したか。ほかは何も残さない（benefit-rules F.3）。
withdrawal = Table(
    "withdrawal",
    metadata,
    Column("case_number", String(11), primary_key=True),
    Column("load_sequence", ForeignKey("load.sequence"), primary_key=True),
    Column("programme", String(40), nullable=False),
    moment("deleted_at"),
)
