"""給付管理システムの台帳の MetaData と、区との受渡の表（人と端末、監査の表は、二つの台帳に共通）。"""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Integer,
    String,
    Table,
    UniqueConstraint,
)

from benefit.domain.access import DeskRole
from benefit.store.access import access_tables
from benefit.store.audit_tables import audit_tables
from benefit.store.base import moment, new_metadata

metadata = new_metadata()
audit_log, audit_anchor, foreign_anchor, log_report, log_report_signature = audit_tables(metadata)
access = access_tables(metadata, "desk", [role.value for role in DeskRole], audit_log)
staff = access.staff

#: 区から受け取った受渡フォルダ。同じものは二度入らない。
load = Table(
    "load",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("programme", String(40), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("sequence", Integer, nullable=False, unique=True),
    Column("row_count", Integer, nullable=False),
    Column("rows_added", Integer, nullable=False),
    Column("rows_changed", Integer, nullable=False),
    Column("rows_withdrawn", Integer, nullable=False),
    moment("loaded_at"),
)

#: 区へ出した支給予定情報。
planned_file = Table(
    "planned_file",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("file_number", String(40), nullable=False, unique=True),
    Column("sha256", String(64), nullable=False, unique=True),
    Column("row_count", Integer, nullable=False),
    Column("total_yen", BigInteger, nullable=False),
    moment("made_at"),
)

planned_line = Table(
    "planned_line",
    metadata,
    Column("planned_file_id", ForeignKey("planned_file.id"), primary_key=True),
    Column("line_number", Integer, primary_key=True),
    Column("case_number", String(11), nullable=False),
    UniqueConstraint("planned_file_id", "case_number"),
)
