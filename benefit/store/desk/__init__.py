"""給付管理システムの台帳: 受給者の行、審査の進み、電話の記録。税も、区直轄の人も、ここにはいない。"""

from benefit.store.access import ACCESS_APPEND_ONLY, ACCESS_NEVER_DELETED
from benefit.store.desk.calls import account_reveal, call, identity_check
from benefit.store.desk.cases import benefit_case, benefit_name, case_event
from benefit.store.desk.handback import handback, handback_receipt, withdrawal
from benefit.store.desk.holds import review_hold
from benefit.store.desk.tables import (
    access,
    audit_anchor,
    audit_log,
    foreign_anchor,
    load,
    log_report,
    log_report_signature,
    metadata,
    planned_file,
    planned_line,
    staff,
)
from benefit.store.desk.workflow import (
    contact,
    deficiency,
    form_review,
    form_review_approval,
    letter_done,
    letter_due,
    received_form,
    returned_mail,
)

staff_session = access.staff_session
operation = access.operation

__all__ = [
    "access",
    "account_reveal",
    "audit_anchor",
    "audit_log",
    "benefit_case",
    "benefit_name",
    "call",
    "case_event",
    "contact",
    "deficiency",
    "foreign_anchor",
    "form_review",
    "form_review_approval",
    "handback",
    "handback_receipt",
    "identity_check",
    "letter_done",
    "letter_due",
    "load",
    "log_report",
    "log_report_signature",
    "metadata",
    "operation",
    "planned_file",
    "planned_line",
    "received_form",
    "returned_mail",
    "review_hold",
    "staff",
    "staff_session",
    "withdrawal",
]

#: 一件に付いた行。一件が引き上げられるときにだけ、一緒に消える。
WITH_THE_CASE = (
    "received_form",
    "form_review",
    "form_review_approval",
    "deficiency",
    "returned_mail",
    "letter_due",
    "letter_done",
    "contact",
    "case_event",
)
APPEND_ONLY = (
    *WITH_THE_CASE,
    "identity_check",
    "account_reveal",
    "load",
    "handback",
    "handback_receipt",
    "withdrawal",
    "planned_file",
    "planned_line",
    "audit_log",
    "audit_anchor",
    "foreign_anchor",
    "log_report",
    "log_report_signature",
    *ACCESS_APPEND_ONLY,
)
NEVER_DELETED = ("call", *ACCESS_NEVER_DELETED)
