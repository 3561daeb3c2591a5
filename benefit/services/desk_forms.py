"""紙の束を、二人が別々に入力したファイルで収受し、審査する（画面を使わない委託先のため）。

二つのファイルは、別の人が同じ紙を見て作る。同じ番号の行を比べ、口座の五項目が同じなら審査完了、違えば審査中のまま残す。
一枚ずつの画面の仕事と同じ道（desk_intake、desk_review、desk_deficiencies）を通る。
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, select

from benefit.domain.access import Actor
from benefit.domain.clock import Clock
from benefit.domain.deficiency import CHECK_ITEMS, DEFECTS, GOOD, NOT_NEEDED
from benefit.domain.entitlement import is_case_number
from benefit.domain.errors import RefusedByRule, RefusedInput, WrongUse
from benefit.services.desk_accounts import Account, account_of
from benefit.services.desk_cases import cases_of
from benefit.services.desk_deficiencies import find
from benefit.services.desk_intake import Arrival, receive_many
from benefit.services.desk_review import Keying, check_many, key_many
from benefit.services.home import Home
from benefit.store import desk


@dataclass(frozen=True)
class ReceivedForm:
    """返送された紙一枚を、一人が入力したもの。口座は受給者が書いたもの。

    `outcome`: 完了（書類がそろっている）、不備、辞退。不備のときは `deficiency` に、不備の符号か名を「、」で並べる。
    """

    case_number: str
    received_on: date
    outcome: str
    deficiency: str = ""
    bank_code: str | None = None
    branch_code: str | None = None
    account_type: str | None = None
    account_number: str | None = None
    holder_kana: str | None = None
    # 名義が氏名と違うのに受け付けるわけ。
    holder_reason: str = ""


OUTCOMES = ("完了", "不備", "辞退")
#: 二人の入力が違った枚数の見出し。
UNEQUAL = "入力違い"
#: ファイルの「完了」は、いつも要る書類を見たという印。人によって要る書類は、画面の審査で見る。
_USUAL = ("signature", "pledge", "identity", "account", "account_paper", "holder")
CHECKS = {name: GOOD if name in _USUAL else NOT_NEEDED for name in CHECK_ITEMS}
_DEFECT_CODES = {defect.name: code for code, defect in DEFECTS.items()}


def receive_forms(
    home: Home,
    first: Sequence[ReceivedForm],
    second: Sequence[ReceivedForm],
    *,
    keyed_by: Actor,
    checked_by: Actor,
    clock: Clock,
) -> dict[str, int]:
    """二人が別々に入力した同じ束を、収受し、審査の結果まで進める。一枚でも進められなければ、一枚も進めない。

    結果の数（完了・不備・辞退・入力違い）を返す。同じ紙の二枚目は断る（木津川市: 同じ紙を二度入力）。
    不備のあとの紙は補正、振込不能のあとの紙は口座の再届出として受ける。
    """
    if keyed_by.id == checked_by.id:
        raise RefusedByRule("二つのファイルは、別の人が入力します", code="two-people")
    pairs = _paired(first, second)
    with home.desk.begin() as connection:
        return _receive(connection, pairs, keyed_by, checked_by, clock())


def _receive(
    connection: Connection,
    pairs: Sequence[tuple[ReceivedForm, ReceivedForm]],
    keyed_by: Actor,
    checked_by: Actor,
    at: datetime,
) -> dict[str, int]:
    cases = cases_of(connection, (form.case_number for form, _again in pairs))
    arrivals = [Arrival(form.case_number, _kind(form, cases), form.received_on) for form, _again in pairs]
    for taken in receive_many(connection, arrivals, actor=keyed_by, at=at, refuse=True).taken:
        if taken.standing != "taken":
            raise RefusedByRule(f"給付管理番号 {taken.case_number}: {taken.says}", code=f"form-{taken.standing}")
    counts = dict.fromkeys((*OUTCOMES, UNEQUAL), 0)
    # 結果の違う紙は、口座を比べるまでもない。審査中のまま、画面で初めから見る。
    good = [pair for pair in pairs if pair[0].outcome == pair[1].outcome == "完了"]
    key_many(
        connection,
        [Keying(form.case_number, _account(form), CHECKS, form.holder_reason) for form, _again in good],
        actor=keyed_by,
        at=at,
    )
    entries = [(form.case_number, _account(again)) for form, again in good]
    checked = check_many(connection, entries, actor=checked_by, at=at)
    counts["完了"] = sum(result.equal for result in checked)
    for form, again in pairs:
        if form.outcome == again.outcome == "不備":
            find(connection, form.case_number, _codes(form, again), actor=checked_by, at=at)
            counts["不備"] += 1
    counts["辞退"] = sum(form.outcome == again.outcome == "辞退" for form, again in pairs)
    counts[UNEQUAL] = len(pairs) - sum(counts.values())
    return counts


def _paired(first: Sequence[ReceivedForm], second: Sequence[ReceivedForm]) -> list[tuple[ReceivedForm, ReceivedForm]]:
    for forms in (first, second):
        seen: set[str] = set()
        for form in forms:
            if not is_case_number(form.case_number):
                raise RefusedInput("給付管理番号の形が違います", code="case-number", found=form.case_number)
            if form.case_number in seen:
                raise RefusedByRule(f"給付管理番号 {form.case_number} の紙が二枚あります", code="form-twice")
            seen.add(form.case_number)
            if form.outcome not in OUTCOMES:
                raise RefusedInput(
                    "結果の言葉が違います", code="outcome", found=form.outcome, allowed="、".join(OUTCOMES)
                )
            if form.outcome == "完了" and not form.account_number:
                raise RefusedInput(f"給付管理番号 {form.case_number}: 完了には口座が要ります", code="account")
    again = {form.case_number: form for form in second}
    if alone := sorted(again.keys() ^ {form.case_number for form in first}):
        raise RefusedInput(
            "片方のファイルにしかない番号があります",
            code="form-alone",
            found="、".join(alone[:5]),
            allowed="同じ束の二つのファイル",
        )
    for form in first:
        if form.received_on != again[form.case_number].received_on:
            raise RefusedInput(f"給付管理番号 {form.case_number}: 二つの収受日が違います", code="received-on")
        if (form.outcome == "辞退") != (again[form.case_number].outcome == "辞退"):
            raise RefusedInput(f"給付管理番号 {form.case_number}: 辞退かどうかが、二つで違います", code="outcome")
    return [(form, again[form.case_number]) for form in first]


def _kind(form: ReceivedForm, cases: Mapping[str, Mapping[str, Any]]) -> str:
    state = cases[form.case_number]["state"] if form.case_number in cases else ""
    if form.outcome == "辞退":
        return "refusal"
    return {"F43": "new_account", "F44": "new_account", "C24": "correction", "C25": "correction"}.get(
        state, "confirmation"
    )


def _account(form: ReceivedForm) -> Account:
    told = (form.bank_code, form.branch_code, form.account_type, form.account_number, form.holder_kana)
    try:
        return account_of(*(value or "" for value in told))
    except RefusedInput as refused:
        raise RefusedInput(f"給付管理番号 {form.case_number}: {refused}", code="account") from None


def _codes(*forms: ReceivedForm) -> list[str]:
    """二人の挙げた不備の、どちらかにあるもの。"""
    told = [word.strip() for form in forms for word in form.deficiency.split("、") if word.strip()]
    codes = [word if word in DEFECTS else _DEFECT_CODES.get(word, "") for word in told]
    if not codes or "" in codes:
        raise RefusedInput(
            f"給付管理番号 {forms[0].case_number}: 不備の言葉が違います",
            code="defect",
            allowed="、".join(_DEFECT_CODES),
        )
    return list(dict.fromkeys(codes))


def staff_actor(connection: Connection, staff_id: str) -> Actor:
    """給付管理システムの、いまいる人。いなければ WrongUse。"""
    table = desk.staff
    query = select(table.c.role).where(table.c.id == staff_id, table.c.ended_at.is_(None))
    role = connection.execute(query).scalar()
    if role is None:
        raise WrongUse("この ID の人は、給付管理システムにいません", code="staff", found=staff_id)
    return Actor(staff_id, str(role))
