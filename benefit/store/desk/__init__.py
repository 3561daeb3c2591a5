"""給付管理システムの台帳: 受給者の行、審査の進み、電話の記録。税も、区直轄の人も、ここにはいない。"""

from benefit.store.access import ACCESS_APPEND_ONLY, ACCESS_NEVER_DELETED
from benefit.store.desk.tables import (
    access,
    audit_anchor,
    audit_log,
    benefit_case,
    benefit_name,
    case_event,
    foreign_anchor,
    load,
    log_report,
    log_report_signature,
    metadata,
    planned_file,
    planned_line,
    staff,
)

staff_session = access.staff_session
operation = access.operation

__all__ = [
    "access",
    "audit_anchor",
    "audit_log",
    "benefit_case",
    "benefit_name",
    "case_event",
    "foreign_anchor",
    "load",
    "log_report",
    "log_report_signature",
    "metadata",
    "operation",
    "planned_file",
    "planned_line",
    "staff",
    "staff_session",
]

APPEND_ONLY = (
    "case_event",
    "load",
    "planned_file",
    "planned_line",
    "audit_log",
    "audit_anchor",
    "foreign_anchor",
    "log_report",
    "log_report_signature",
    *ACCESS_APPEND_ONLY,
)
NEVER_DELETED = ACCESS_NEVER_DELETED
