"""区の台帳: 抽出データの登録、支給権利、判定、支払、振込、通知、受渡、監査。委託先からは開けない。"""

from benefit.store.ward.beneficiaries import (
    entitlement,
    extract_receipt,
    inquiry,
    run,
    run_approval,
    run_difference,
    snapshot,
    valid_entitlement,
)
from benefit.store.ward.changes import change_closed, change_found, reissue
from benefit.store.ward.claims import claim, claim_decision, claim_slot
from benefit.store.ward.holds import hold_release, hold_release_approval
from benefit.store.ward.letters import handover, letter, lot
from benefit.store.ward.metadata import audit_log, metadata, staff
from benefit.store.ward.money import (
    approval,
    bank_report,
    bank_report_line,
    payment,
    planned_file,
    posting,
    transfer,
    transfer_line,
    transfer_release,
    verdict,
)
from benefit.store.ward.protections import protection_release, protection_release_approval

__all__ = [
    "approval",
    "audit_log",
    "bank_report",
    "bank_report_line",
    "change_closed",
    "change_found",
    "claim",
    "claim_decision",
    "claim_slot",
    "entitlement",
    "extract_receipt",
    "handover",
    "hold_release",
    "hold_release_approval",
    "inquiry",
    "letter",
    "lot",
    "metadata",
    "payment",
    "planned_file",
    "posting",
    "protection_release",
    "protection_release_approval",
    "reissue",
    "run",
    "run_approval",
    "run_difference",
    "snapshot",
    "staff",
    "transfer",
    "transfer_line",
    "transfer_release",
    "valid_entitlement",
    "verdict",
]

#: 書き足すだけの表。UPDATE も DELETE も台帳が断る（reliability §4.1 Append-only）。
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
    "transfer",
    "transfer_line",
    "approval",
    "transfer_release",
    "bank_report",
    "bank_report_line",
    "posting",
    "handover",
    "lot",
    "audit_log",
)
#: 消せない表（決まった列だけ変わる）。
NEVER_DELETED = ("entitlement", "payment", "letter", "staff")
