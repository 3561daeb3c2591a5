"""区が直接扱うことをやめる（解除）の表。名簿から消えただけでは、やめたことにならない（benefit-rules F.3 exit）。"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Integer,
    Table,
    Text,
    UniqueConstraint,
)

from benefit.store.base import approved_by_another, moment
from benefit.store.ward.metadata import metadata

#: 解除の申し出。
protection_release = Table(
    "protection_release",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("person_number", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("asked_by", ForeignKey("staff.id"), nullable=False),
    moment("asked_at"),
    UniqueConstraint("id", "asked_by"),
    CheckConstraint("reason <> ''", name="has_a_reason"),
)

#: 別の人の承認。これがあって初めて、解除である。
protection_release_approval = approved_by_another(metadata, "protection_release")
