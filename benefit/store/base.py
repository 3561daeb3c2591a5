"""二つの台帳の表に共通の決まり。CHECK は表の段に名前つきで書く（Alembic が列の CHECK を落とすため）。"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import (
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.schema import SchemaItem

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


def new_metadata() -> MetaData:
    """制約の名前を決めた MetaData。"""
    return MetaData(naming_convention=NAMING)


def one_of(column: str, words: Iterable[str], *, nullable: bool = False) -> CheckConstraint:
    """この列は、この言葉のどれか。"""
    listed = ", ".join(f"'{word}'" for word in words)
    test = f"{column} IN ({listed})"
    return CheckConstraint(f"{column} IS NULL OR {test}" if nullable else test, name=f"{column}_words")


def moment(name: str = "at", *, nullable: bool = False) -> Column[object]:
    """時差つきの時刻。"""
    return Column(name, DateTime(timezone=True), nullable=nullable)


def asked(*columns: SchemaItem) -> tuple[SchemaItem, ...]:
    """申し出の表の中身: 番号、`columns`（何を）、なぜ、誰が、いつ。別の人の承認（approved_by_another）を待つ。"""
    return (
        Column("id", Integer, primary_key=True),
        *columns,
        Column("reason", Text, nullable=False),
        Column("asked_by", ForeignKey("staff.id"), nullable=False),
        moment("asked_at"),
        UniqueConstraint("id", "asked_by"),
        CheckConstraint("reason <> ''", name="has_a_reason"),
    )


def approved_by_another(metadata: MetaData, parent: str) -> Table:
    """`parent`（id、asked_by を持つ申し出の表）の、別の人の承認。申し出た人の承認の行は、存在できない。"""
    return Table(
        f"{parent}_approval",
        metadata,
        Column("release_id", Integer, primary_key=True),
        Column("asked_by", String(40), nullable=False),
        Column("approved_by", ForeignKey("staff.id"), nullable=False),
        moment("approved_at"),
        ForeignKeyConstraint(["release_id", "asked_by"], [f"{parent}.id", f"{parent}.asked_by"]),
        CheckConstraint("approved_by <> asked_by", name="two_people"),
    )
