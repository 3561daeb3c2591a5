"""審査で開いている一件。二人が同じ一件を取らないための、15 分の札。仕事の記録ではない（記録は監査ログと審査の行）。"""

from sqlalchemy import Column, ForeignKey, Table

from benefit.store.base import moment
from benefit.store.desk.tables import metadata

#: 一件に一人、一人に一件。切れた札は、次に取る人が片づける。
review_hold = Table(
    "review_hold",
    metadata,
    Column("case_number", ForeignKey("benefit_case.case_number", ondelete="CASCADE"), primary_key=True),
    Column("staff_id", ForeignKey("staff.id"), nullable=False, unique=True),
    moment("taken_at"),
    moment("until"),
)
