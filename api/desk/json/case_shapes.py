"""開いている一件の JSON の形。コールセンターの形には、番地・生年月日・点字の項目そのものがない（reliability §4.4）。"""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime

from pydantic import BaseModel

from benefit.services.desk_view import CaseSeen


class StepShown(BaseModel):
    """これまでの一行。`undone_by` は、取り消した人（なければ空）。"""

    at: datetime
    title: str
    who: str
    state: str
    note: str
    undone_by: str
    contact_id: int | None


class DefectShown(BaseModel):
    """足りないものと、直し方。"""

    name: str
    fix: str


class ActionShown(BaseModel):
    """いま、この電話で受けられること。"""

    key: str
    label: str
    means: str


class OperatorCase(BaseModel):
    """コールセンターに見せる一件: 状態、日付、不備、下三桁の口座、氏名、町名。"""

    case_number: str
    branch: int
    benefit: str
    name: str
    kana_name: str
    town: str
    state: str
    state_name: str
    says: str
    says_english: str
    next_step: str
    next_on: date | None
    why: list[str]
    defects: list[DefectShown]
    account: str
    sent_on: date | None
    due_on: date | None
    received_on: date | None
    correct_by: date | None
    reviewed_on: date | None
    transferred_on: date | None
    letters: list[str]
    steps: list[StepShown]
    actions: list[ActionShown]


class StaffCase(OperatorCase):
    """窓口・審査・管理者・区に見せる一件: 上に、住民登録の項目を足したもの。"""

    birth: str
    former_name: str
    postal_code: str
    address: str
    braille: bool


class AccountShown(BaseModel):
    """口座の五項目。30 秒の間だけ。"""

    bank_code: str
    branch_code: str
    account_type: str
    account_number: str
    holder_kana: str


def shown(case: CaseSeen, actions: list[ActionShown]) -> OperatorCase | StaffCase:
    """役割の形にする（住民登録の項目が付いて来たときだけ、職員の形）。"""
    names = set(OperatorCase.model_fields) & set(CaseSeen.__dataclass_fields__)
    values = {name: getattr(case, name) for name in names} | {
        "says": case.spoken.says,
        "says_english": case.spoken.says_english,
        "next_step": case.spoken.next_step,
        "next_on": case.spoken.next_on,
        "why": list(case.why.lines),
        "defects": [DefectShown(name=name, fix=fix) for name, fix in case.why.defects],
        "letters": [letter.kind for letter in case.letters],
        "steps": [StepShown(**asdict(entry)) for entry in case.timeline],
        "actions": actions,
    }
    if case.register is None:
        return OperatorCase(**values)
    return StaffCase(**values, **asdict(case.register))
