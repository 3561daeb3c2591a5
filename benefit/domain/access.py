"""役割。誰が何をしてよいかは、この表だけが言う（reliability §4.4）。"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class WardRole(StrEnum):
    """区の職員の役割。"""

    CLERK = "clerk"
    APPROVER = "approver"
    AUDITOR = "auditor"
    ADMIN = "admin"


class DeskRole(StrEnum):
    """給付管理システムを使う人の役割（区職員も委託先もここに入る）。"""

    OPERATOR = "operator"
    COUNTER = "counter"
    REVIEWER = "reviewer"
    SUPERVISOR = "supervisor"
    WARD_CLERK = "ward_clerk"
    WARD_ADMIN = "ward_admin"
    WARD_AUDITOR = "ward_auditor"


ROLE_NAMES: dict[str, str] = {
    WardRole.CLERK: "区職員（担当）",
    WardRole.APPROVER: "区職員（承認）",
    WardRole.AUDITOR: "区職員（監査）",
    WardRole.ADMIN: "区職員（管理）",
    DeskRole.OPERATOR: "コールセンター",
    DeskRole.COUNTER: "特設窓口・収受",
    DeskRole.REVIEWER: "審査",
    DeskRole.SUPERVISOR: "管理者",
    DeskRole.WARD_CLERK: "区職員",
    DeskRole.WARD_ADMIN: "区の管理",
    DeskRole.WARD_AUDITOR: "区の監査",
}

#: 区の人の役割（給付管理システムで）。ほかは委託先の人である。
WARD_AT_DESK = frozenset({DeskRole.WARD_CLERK, DeskRole.WARD_ADMIN, DeskRole.WARD_AUDITOR})


@dataclass(frozen=True)
class Actor:
    """いま動いている人。`id` は本人確認の済んだ職員の ID、夜間処理は `batch`。`terminal` は登録された端末の名。"""

    id: str
    role: str
    terminal: str = ""


BATCH = Actor("batch", "batch")
