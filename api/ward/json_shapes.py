"""JSON の形: 照会、納付状況、監査。応答は、役割が見てよい項目だけでできている。"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

_PLAIN = r"^[^\x00-\x1f\x7f]*$"
Words = Annotated[str, StringConstraints(max_length=100, pattern=_PLAIN)]
PersonNumber = Annotated[str, StringConstraints(pattern=r"^[0-9]{10}$")]


class Problem(BaseModel):
    """断り（RFC 9457）。`detail` は、読めば次にすることが分かる文。"""

    type: str
    title: str
    status: int
    detail: str


class Asked(BaseModel):
    """なぜ見るか。ログに載る。"""

    model_config = ConfigDict(extra="forbid")
    purpose: Words = Field(description="用件（「本人からの問合せ」など、決まった言葉）")
    reason: Words = Field(description="理由（受付番号など）")


class PeopleSearch(Asked):
    """給付管理番号・宛名番号・世帯番号のどれか一つか、カナ氏名と生年月日の両方。"""

    case_number: Words = ""
    person_number: Words = ""
    household_number: Words = ""
    kana_name: Words = ""
    birth: Words = ""


class Hit(BaseModel):
    """当たり一人。"""

    person_number: str
    household_number: str | None
    name: str
    kana_name: str
    birth: str
    case_numbers: list[str]


class Found(BaseModel):
    """結果。当たりがない・多すぎるときは、`says` に文がある。"""

    hits: list[Hit]
    says: str


class PersonAsked(Asked):
    """一人を開く。"""

    person_number: PersonNumber


class Check(BaseModel):
    """支給判定で引っかかった検査。"""

    number: str
    weight: str
    says: str


class Step(BaseModel):
    """進んだ跡。"""

    on: date
    what: str
    who: str


class Case(BaseModel):
    """一つの権利の今。"""

    case_number: str
    branch: int
    benefit: str
    amount_yen: int
    payee_number: str
    state: str
    says: str
    next_step: str
    checks: list[Check]
    steps: list[Step]


class Reason(BaseModel):
    """なぜ、その判定か。`changes` は、何が違えば結果が変わるか。"""

    programme: str
    kind: str
    number: str
    benefit: str
    verdict: str
    result: str
    clauses: list[str]
    changes: list[str]
    files: list[str]


class Person(BaseModel):
    """一人。区直轄の人に、住所の列はない（いつも null）。"""

    person_number: str
    household_number: str | None
    name: str
    kana_name: str
    birth: str
    address: str | None
    restricted: bool
    cases: list[Case]
    reasons: list[Reason]


class PaymentSearch(Asked):
    """納付番号・納付書の番号・宛名番号のどれか一つか、カナ氏名と生年月日の両方。"""

    payment_number: Words = ""
    notice_number: Words = ""
    person_number: Words = ""
    kana_name: Words = ""
    birth: Words = ""


class Paid(BaseModel):
    """一回の入金。"""

    channel: str
    paid_on: date
    amount_yen: int
    kinds: str


class Debt(BaseModel):
    """調定一つの納付状況。"""

    id: int
    subject: str
    fiscal_year: int
    term: int
    notice_number: str
    due_on: date
    due_yen: int
    settled_yen: int
    promised_yen: int
    left_yen: int
    says: str
    payments: list[Paid]


class LogQuery(BaseModel):
    """引く条件。空は、問わない。"""

    model_config = ConfigDict(extra="forbid")
    actor: Words = ""
    number: Words = Field("", description="給付管理番号・宛名番号")
    action: Words = ""
    since: date | None = None
    until: date | None = None
    terminal: Words = ""
    page: int = Field(1, ge=1, le=1_000_000)


class LogLine(BaseModel):
    """ログの一行。"""

    sequence: int
    at: datetime
    actor: str
    role: str
    terminal: str
    action: str
    action_name: str
    subjects: list[str]
    reason: str


class LogPage(BaseModel):
    """引いた一頁（50 行）。"""

    total: int
    page: int
    pages: int
    lines: list[LogLine]


REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "入力が足りない・決まりが許さない"},
    401: {"model": Problem, "description": "ログインしていない"},
    403: {"model": Problem, "description": "役割が違う"},
    404: {"model": Problem, "description": "該当がない（見てはならない人も同じ）"},
    422: {"model": Problem, "description": "入力の形が違う"},
    503: {"model": Problem, "description": "ログが書けない"},
}
