"""保留の解除の表: 申し出る人と、別の承認する人。解除は、その権利の、その検査の、その中身（口座・額）にだけ効く。"""

from sqlalchemy import (
    Column,
    ForeignKey,
    String,
    Table,
)

from benefit.store.base import approved_by_another, asked
from benefit.store.ward.metadata import metadata

#: 解除の申し出。`line_digest` は、保留になった行の中身（額と口座）の指紋。中身が変われば、解除は効かない。
hold_release = Table(
    "hold_release",
    metadata,
    *asked(
        Column("entitlement_id", ForeignKey("entitlement.id"), nullable=False),
        Column("check_id", String(8), nullable=False),
        Column("line_digest", String(64), nullable=False),
    ),
)

#: 別の人の承認。これがあって初めて、次の判定で保留にならない。
hold_release_approval = approved_by_another(metadata, "hold_release")
