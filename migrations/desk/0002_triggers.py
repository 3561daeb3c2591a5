"""書き足すだけの表を、台帳自身に守らせる"""

from alembic import op

from migrations.ddl import copy_sealed, grant, prepare, refuse, refuse_while_it_stands, revoke, uncopy_sealed

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

#: 一件に付いた行。一件が残っている間は消せず、一件が引き上げられれば一緒に消える。
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
    "operation",
    "login_attempt",
    "connection_refusal",
    "look_up",
    "look_up_alarm",
    "look_up_stop",
    "look_up_release",
    "break_glass",
    "break_glass_approval",
    "break_glass_closed",
    "break_glass_log",
)
NEVER_DELETED = ("call", "staff", "terminal")
#: 仕事の役割が変えてよい列（PostgreSQL の権限）。ほかの表と列は、足すことしかできない。
CHANGING = {
    "benefit_case": "UPDATE, DELETE",
    "benefit_name": "UPDATE (name)",
    "call": "UPDATE (ended_at)",
    "review_hold": "UPDATE, DELETE",
    "staff_session": "UPDATE, DELETE",
    "staff": "UPDATE (role, password_hash, password_changed_at, terms_accepted_at, totp_secret, totp_step, "
    "totp_enrolled_at, failed_count, locked_until, closed_at, opened_at, last_login_at, contract_ends_on, ended_at)",
    "terminal": "UPDATE (ended_at)",
}


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    statements = [*prepare(dialect)]
    for table in APPEND_ONLY:
        statements += refuse(dialect, table, ("UPDATE",) if table in WITH_THE_CASE else ("UPDATE", "DELETE"))
    for table in WITH_THE_CASE:
        statements += refuse_while_it_stands(dialect, table, "benefit_case", "case_number")
    for table in NEVER_DELETED:
        statements += refuse(dialect, table, ("DELETE",))
    statements += copy_sealed(dialect)
    statements += grant(dialect, "desk", CHANGING)
    for statement in statements:
        op.execute(statement)


def downgrade() -> None:
    dialect = op.get_bind().dialect.name
    names = [(t, f"{t}_refuses_update") for t in APPEND_ONLY]
    names += [(t, f"{t}_refuses_delete") for t in (*APPEND_ONLY, *NEVER_DELETED)]
    if dialect == "postgresql":
        names += [(t, f"{t}_refuses_truncate") for t in (*APPEND_ONLY, *NEVER_DELETED)]
    for statement in revoke(dialect, "desk"):
        op.execute(statement)
    for statement in uncopy_sealed(dialect):
        op.execute(statement)
    for table, name in names:
        op.execute(f"DROP TRIGGER {name} ON {table}" if dialect == "postgresql" else f"DROP TRIGGER {name}")
    if dialect == "postgresql":
        op.execute("DROP FUNCTION refuse_change()")
        op.execute("DROP FUNCTION refuse_while_benefit_case()")
