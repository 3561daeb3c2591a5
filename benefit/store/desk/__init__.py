"""給付管理システムの台帳: 受給者の行、審査の進み、電話の記録。税も、区直轄の人も、ここにはいない。"""

from benefit.store.desk.tables import (
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
    staff_session,
)

__all__ = [
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
)
NEVER_DELETED = ("staff",)
