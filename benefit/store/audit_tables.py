"""監査の表: ログの鎖、署名した印、相手から預かった印、週次の報告、その署名。どちらの台帳にも同じ形で置く。"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.schema import SchemaItem

from benefit.store.base import moment, one_of

#: 監査ログを持つ台帳の名。印には、どちらの台帳の印かが書かれる（よその台帳の印を使い回せない）。
STORES = ("ward", "desk")


class AuditTables(NamedTuple):
    """一つの台帳の、監査の表の組。"""

    audit_log: Table
    audit_anchor: Table
    foreign_anchor: Table
    log_report: Table
    log_report_signature: Table


def audit_tables(metadata: MetaData) -> AuditTables:
    """この台帳の監査の表。署名する人は `staff` の表にいる。"""
    return AuditTables(
        _audit_log(metadata),
        _anchor(metadata, "audit_anchor", Column("number", Integer, primary_key=True, autoincrement=False)),
        _anchor(
            metadata,
            "foreign_anchor",
            Column("number", Integer, primary_key=True, autoincrement=False),
            moment("taken_at"),
            Column("taken_by", String(40), nullable=False),
        ),
        _log_report(metadata),
        _log_report_signature(metadata),
    )


def _audit_log(metadata: MetaData) -> Table:
    """監査ログ。前の行の指紋を含む鎖で、書き換えと抜取りが分かる（reliability P17）。"""
    return Table(
        "audit_log",
        metadata,
        Column("sequence", Integer, primary_key=True, autoincrement=False),
        moment("at"),
        Column("actor", String(40), nullable=False),
        Column("role", String(20), nullable=False),
        # どの端末か（登録された端末の名）。夜間処理は空。
        Column("terminal", String(40), nullable=False),
        Column("action", String(60), nullable=False),
        Column("subject", String(64), nullable=False),
        Column("reason", Text, nullable=False),
        Column("detail", Text, nullable=False),
        Column("previous_hash", String(64), nullable=False, unique=True),
        Column("hash", String(64), nullable=False, unique=True),
        Index("ix_audit_log_subject", "subject"),
        Index("ix_audit_log_actor", "actor"),
        Index("ix_audit_log_at", "at"),
    )


def _anchor(metadata: MetaData, name: str, *more: SchemaItem) -> Table:
    """印: その日までの行数と最後の指紋に、鍵で署名したもの。前の印の指紋を含むので、印も鎖になる。"""
    return Table(
        name,
        metadata,
        *more,
        Column("store", String(10), nullable=False),
        Column("day", Date, nullable=False),
        moment("at"),
        Column("row_count", Integer, nullable=False),
        Column("head", String(64), nullable=False),
        # 前の印から後の、行ごとの指紋の初めの 6 字。鎖ごと作り直されても、どの行からかが分かる。
        Column("marks", Text, nullable=False),
        # 書き足すだけの表の行数（JSON）。台帳の行が抜かれたら、印より少なくなる。
        Column("ledger", Text, nullable=False),
        Column("previous", String(64), nullable=False, unique=True),
        Column("hash", String(64), nullable=False, unique=True),
        Column("public_key", String(64), nullable=False),
        Column("signature", String(128), nullable=False),
        one_of("store", STORES),
        CheckConstraint("number >= 1 AND row_count >= 0", name="counts"),
    )


def _log_report(metadata: MetaData) -> Table:
    """ログ分析報告書（週に一つ）。中身は JSON で、指紋がつく。"""
    return Table(
        "log_report",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("period_from", Date, nullable=False, unique=True),
        Column("period_to", Date, nullable=False),
        Column("body", Text, nullable=False),
        Column("digest", String(64), nullable=False),
        Column("made_by", String(40), nullable=False),
        moment("made_at"),
        UniqueConstraint("id", "digest", "made_by"),
        CheckConstraint("period_from <= period_to", name="period"),
    )


def _log_report_signature(metadata: MetaData) -> Table:
    """報告書を読んだ別の人の署名。読んだ中身の指紋に結ばれ、作った人の署名の行は存在できない。"""
    return Table(
        "log_report_signature",
        metadata,
        Column("report_id", Integer, primary_key=True),
        Column("digest", String(64), nullable=False),
        Column("made_by", String(40), nullable=False),
        Column("signed_by", ForeignKey("staff.id"), nullable=False),
        moment("signed_at"),
        Column("remarks", Text, nullable=False),
        ForeignKeyConstraint(
            ["report_id", "digest", "made_by"], ["log_report.id", "log_report.digest", "log_report.made_by"]
        ),
        CheckConstraint("signed_by <> made_by", name="two_people"),
        CheckConstraint("remarks <> ''", name="has_remarks"),
    )
