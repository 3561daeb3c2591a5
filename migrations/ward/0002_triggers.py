"""書き足すだけの表と、決まった進み方だけの表を、台帳自身に守らせる"""

from alembic import op

from migrations.ddl import copy_sealed, grant, only_changes, prepare, refuse, revoke, uncopy_sealed

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

APPEND_ONLY = (
    "snapshot",
    "extract_receipt",
    "run",
    "run_approval",
    "valid_entitlement",
    "run_difference",
    "change_found",
    "change_closed",
    "reissue",
    "protection_release",
    "protection_release_approval",
    "hold_release",
    "hold_release_approval",
    "claim",
    "claim_decision",
    "claim_slot",
    "inquiry",
    "planned_file",
    "verdict",
    "vanished",
    "transfer",
    "transfer_line",
    "approval",
    "transfer_release",
    "bank_report",
    "bank_report_line",
    "posting",
    "ending",
    "ending_approval",
    "failure",
    "failure_answer",
    "failure_answer_approval",
    "failure_step",
    "recall",
    "recall_approval",
    "recall_line",
    "repayment",
    "repayment_approval",
    "repayment_receipt",
    "repayment_step",
    "report_match",
    "report_match_approval",
    "undo_plan",
    "undo_plan_approval",
    "undo_plan_line",
    "bank_credit",
    "collection_event",
    "collection_file",
    "collection_move",
    "collection_move_approval",
    "collection_notice",
    "collection_posting",
    "receivable",
    "receivable_change",
    "receivable_file",
    "receivable_key",
    "bank_credit_approval",
    "card_remittance",
    "card_remittance_line",
    "debit_account",
    "debit_enrolment",
    "debit_enrolment_approval",
    "debit_fate",
    "debit_letter",
    "debit_line",
    "debit_order",
    "debit_outcome",
    "debit_request",
    "debit_request_approval",
    "debit_result",
    "debit_told",
    "instalment",
    "instalment_plan",
    "instalment_plan_approval",
    "special_closed",
    "special_slip",
    "special_statement",
    "special_statement_line",
    "reissue_request",
    "reissue_request_approval",
    "desk_given",
    "desk_handback",
    "desk_progress",
    "desk_event",
    "desk_contact",
    "desk_difference",
    "desk_withdrawal",
    "ward_reply",
    "ward_reply_check",
    "handover",
    "handover_event",
    "handover_package",
    "handover_package_lot",
    "handover_passphrase",
    "handover_request",
    "handover_request_approval",
    "lot",
    "lot_run",
    "payment_slip",
    "receivable_notice",
    "lot_release",
    "letter_printed",
    "letter_pull",
    "proof_set",
    "proof_set_approval",
    "print_result",
    "print_result_line",
    "print_result_lot",
    "returned_letter",
    "returned_list",
    "returned_refused",
    "restricted_member",
    "restricted_member_approval",
    "restricted_member_end",
    "address_view",
    "address_view_approval",
    "address_shown",
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
NEVER_DELETED = ("entitlement", "payment", "letter", "staff", "terminal")
PAYMENT_FIXED = (
    "id",
    "entitlement_id",
    "slot",
    "attempt",
    "planned_file_id",
    "line_number",
    "failure_id",
    "failure_answer_id",
    "amount_yen",
    "bank_code",
    "branch_code",
    "account_type",
    "account_number",
    "holder_kana",
)
PAYMENT_STEPS = (("F40", "F41"), ("F40", "F49"), ("F41", "F42"), ("F41", "F43"), ("F42", "F43"), ("F42", "F48"))
#: 仕事の役割が変えてよい列（PostgreSQL の権限）。ほかの表と列は、足すことしかできない。
CHANGING = {
    "payment": "UPDATE (state)",
    "entitlement": "UPDATE (branch, benefit, amount_yen, payee_number, route, account_flag)",
    "staff": "UPDATE (role, password_hash, password_changed_at, terms_accepted_at, totp_secret, totp_step, "
    "totp_enrolled_at, failed_count, locked_until, closed_at, opened_at, last_login_at, contract_ends_on, ended_at)",
    "terminal": "UPDATE (ended_at)",
    "staff_session": "UPDATE, DELETE",
}


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    statements = [*prepare(dialect)]
    for table in APPEND_ONLY:
        statements += refuse(dialect, table, ("UPDATE", "DELETE"))
    for table in NEVER_DELETED:
        statements += refuse(dialect, table, ("DELETE",))
    statements += only_changes(dialect, "payment", PAYMENT_FIXED, "state", PAYMENT_STEPS)
    statements += copy_sealed(dialect)
    statements += grant(dialect, "ward", CHANGING)
    for statement in statements:
        op.execute(statement)


def downgrade() -> None:
    dialect = op.get_bind().dialect.name
    names = [(t, f"{t}_refuses_update") for t in APPEND_ONLY]
    names += [(t, f"{t}_refuses_delete") for t in (*APPEND_ONLY, *NEVER_DELETED)]
    names += [("payment", "payment_moves_only_forward")]
    if dialect == "postgresql":
        names += [(t, f"{t}_refuses_truncate") for t in (*APPEND_ONLY, *NEVER_DELETED)]
    for statement in revoke(dialect, "ward"):
        op.execute(statement)
    for statement in uncopy_sealed(dialect):
        op.execute(statement)
    for table, name in names:
        op.execute(f"DROP TRIGGER {name} ON {table}" if dialect == "postgresql" else f"DROP TRIGGER {name}")
    if dialect == "postgresql":
        op.execute("DROP FUNCTION refuse_change()")
