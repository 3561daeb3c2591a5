"""特別徴収の納入書（収納）と納入明細（seed 004 ③④）。二つを指定番号と月で比べ、違いを人に見せるための表。

お金の側は収納の表（collection_event）が数える。ここは内訳だけを持ち、仕訳には関わらない。
"""

from sqlalchemy import (
    BigInteger,
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

from benefit.store.base import moment
from benefit.store.ward.metadata import metadata


def _money() -> list[Column[object]]:
    return [Column(name, BigInteger, nullable=False) for name in ("tax_yen", "late_yen", "retirement_yen")]


#: 納入書の一枚の内訳。収納の記録（collection_notice）と一対一。
special_slip = Table(
    "special_slip",
    metadata,
    Column("collection_file_id", Integer, primary_key=True),
    Column("line_number", Integer, primary_key=True),
    Column("employer_number", String(15), nullable=False),
    Column("fiscal_year", Integer, nullable=False),
    Column("term", Integer, nullable=False),
    Column("paid_on", Date, nullable=False),
    Column("bank_code", String(4), nullable=False),
    *_money(),
    ForeignKeyConstraint(
        ["collection_file_id", "line_number"], ["collection_notice.collection_file_id", "collection_notice.line_number"]
    ),
    Index("ix_special_slip_employer_number", "employer_number", "paid_on"),
)

#: 届いた納入明細のファイル。読んだ行 = 数えた行 + もう届いている行。
special_statement = Table(
    "special_statement",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("file_name", Text, nullable=False),
    Column("sha256", String(64), nullable=False, unique=True),
    Column("rows_read", Integer, nullable=False),
    Column("rows_counted", Integer, nullable=False),
    Column("rows_rejected", Integer, nullable=False),
    *_money(),
    moment("received_at"),
    CheckConstraint("rows_read = rows_counted + rows_rejected", name="equation"),
)

#: 明細の一行。名（`entry`）は中身から決まるので、別のファイルで届いても二度数えない。
special_statement_line = Table(
    "special_statement_line",
    metadata,
    Column("entry", String(120), primary_key=True),
    Column("statement_id", ForeignKey("special_statement.id"), nullable=False, index=True),
    Column("line_number", Integer, nullable=False),
    Column("employer_number", String(15), nullable=False),
    Column("employer_name", Text, nullable=False),
    Column("paid_on", Date, nullable=False),
    Column("bank_code", String(4), nullable=False),
    *_money(),
    Index("ix_special_statement_line_employer_number", "employer_number", "paid_on"),
)

#: 人が片づけた違い。額が変われば指紋が変わり、また並びに出る。
special_closed = Table(
    "special_closed",
    metadata,
    Column("employer_number", String(15), primary_key=True),
    Column("month", String(7), primary_key=True),
    Column("digest", String(64), primary_key=True),
    Column("reason", Text, nullable=False),
    Column("closed_by", ForeignKey("staff.id"), nullable=False),
    moment("closed_at"),
    CheckConstraint("reason <> ''", name="has_a_reason"),
)
