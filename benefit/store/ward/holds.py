"""保留の解除の表: 申し出る人と、別の承認する人。解除は、その権利の、その検査の、その中身（口座・額）にだけ効く。"""

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from benefit.store.base import approved_by_another, moment
from benefit.store.ward.metadata import metadata

#: 解除の申し出。`line_digest` は、保留になった行の中身（額と口座）の指紋。中身が変われば、解除は効かない。
hold_release = Table(
    "hold_release",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("entitlement_id", ForeignKey("entitlement.id"), nullable=False),
    Column("check_id", String(8), nullable=False),
    Column("line_digest", String(64), nullable=False),
    Column("reason", Text, nullable=False),
    Column("asked_by", ForeignKey("staff.id"), nullable=False),
    moment("asked_at"),
    UniqueConstraint("id", "asked_by"),
    CheckConstraint("reason <> ''", name="has_a_reason"),
)

#: 別の人の承認。これがあって初めて、次の判定で保留にならない。
hold_release_approval = approved_by_another(metadata, "hold_release")
