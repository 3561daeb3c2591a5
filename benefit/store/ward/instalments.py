"""分納: 調定の残りを何回かに分けて納める約束。別の人が承認して、初めて督促が約束の期限になる。"""

from sqlalchemy import BigInteger, CheckConstraint, Column, Date, ForeignKey, Integer, Table

from benefit.store.base import approved_by_another, asked
from benefit.store.ward.metadata import metadata

#: 約束一つ。いちばん新しく承認されたものが効く。`total_yen` は申し出た時の残り。
instalment_plan = Table(
    "instalment_plan",
    metadata,
    *asked(
        Column("receivable_id", ForeignKey("receivable.id"), nullable=False, index=True),
        Column("total_yen", BigInteger, nullable=False),
        CheckConstraint("total_yen > 0", name="total"),
    ),
)
instalment_plan_approval = approved_by_another(metadata, "instalment_plan")

#: 一回分。
instalment = Table(
    "instalment",
    metadata,
    Column("plan_id", ForeignKey("instalment_plan.id"), primary_key=True),
    Column("turn", Integer, primary_key=True),
    Column("due_on", Date, nullable=False),
    Column("amount_yen", BigInteger, nullable=False),
    CheckConstraint("turn >= 1 AND amount_yen > 0", name="amounts"),
)
