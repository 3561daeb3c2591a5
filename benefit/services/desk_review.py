"""審査: 二人の目と、口座の二度の入力。

一人目が書類を見て口座を入力し、別の人が見ないで（一人目の入力は画面に出ない）もう一度入力する。五項目とも同じなら審査完了。
違えば、二つの入力も、違った項目の名も残して、初めから二人で入力し直す。同じ人の二度目と、違う口座の一致は、台帳も断る。
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, FromClause, ScalarSelect, func, select

from benefit.domain.access import Actor
from benefit.domain.case import STATE_WORDS
from benefit.domain.clock import tokyo_date
from benefit.domain.deficiency import BAD, CHECK_ITEMS, CHECK_MARKS
from benefit.domain.errors import RefusedByRule, RefusedInput
from benefit.domain.written import written
from benefit.services.desk_accounts import ACCOUNT_NAMES, NO_ACCOUNT, Account, account_of, differing, holders_agree
from benefit.services.desk_cases import UNKNOWN, Move, advance, allowed, case_of, cases_of, chunks
from benefit.store import audit, desk

__all__ = [
    "ACCOUNT_NAMES",
    "FINISHING",
    "NO_ACCOUNT",
    "Account",
    "Checked",
    "Keyed",
    "Keying",
    "account_of",
    "check",
    "check_many",
    "differing",
    "entering_event",
    "key",
    "key_many",
    "start",
]

#: 審査のできる状態と、二つの入力が同じときの出来事。
FINISHING = {"C23": "review_finished", "P23": "account_verified"}
#: 受け付けたままの状態（入力すると、審査が始まる）。
WAITING = frozenset({"C22", "C26"})


@dataclass(frozen=True)
class Keying:
    """一度目の入力一件: 紙の口座、見た項目と印、名義が氏名と違うのに受け付けるわけ。"""

    case_number: str
    account: Account
    checks: Mapping[str, str]
    holder_reason: str = ""


@dataclass(frozen=True)
class Keyed:
    """一度目の入力が済んだ。`holder_agrees` が偽なら、わけを付けて受け付けた。"""

    review_id: int
    attempt: int
    holder_agrees: bool


@dataclass(frozen=True)
class Checked:
    """二度目の入力の結果。`differing` が空なら審査完了で、`state` は審査の後の状態。"""

    review_id: int
    differing: tuple[str, ...]
    state: str

    @property
    def equal(self) -> bool:
        """二つの入力は同じか。"""
        return not self.differing


def start(connection: Connection, number: str, *, actor: Actor, at: datetime) -> None:
    """受付済・補正受付済の件の審査を始める（C22・C26 → C23）。"""
    case = case_of(connection, number)
    advance(connection, [Move(number, case["state"], "review_started")], actor=actor, at=at, reason="審査")


def key(
    connection: Connection,
    number: str,
    account: Account,
    checks: Mapping[str, str],
    *,
    holder_reason: str = "",
    actor: Actor,
    at: datetime,
) -> Keyed:
    """一度目: 見た項目（CHECK_ITEMS の全部に ○・×・不要）と、紙の口座。受付済の件は、審査を始める。

    × があれば断る（不備にする）。名義が氏名と違えば、わけ（`holder_reason`）が要る。口座を書いていない紙は、
    区か過去の給付に口座のある人だけ。
    """
    return key_many(connection, [Keying(number, account, checks, holder_reason)], actor=actor, at=at)[0]


def key_many(connection: Connection, keyings: Sequence[Keying], *, actor: Actor, at: datetime) -> list[Keyed]:
    """一度目の入力（番号は重ならない）。一件でも断られれば、全部を断る。"""
    if not keyings:
        return []
    cases = _in_review(connection, [keying.case_number for keying in keyings], actor=actor, at=at)
    seen = _seen(connection, cases)
    pairs = [(keying.account.holder_kana, cases[keying.case_number]["kana_name"]) for keying in keyings]
    rows = []
    for keying, agreed in zip(keyings, holders_agree(pairs), strict=True):
        case, before = cases[keying.case_number], seen[keying.case_number]
        agrees = agreed or keying.account == NO_ACCOUNT
        _may_key(keying, case, before, agrees=agrees)
        rows.append(
            {
                "case_number": keying.case_number,
                "branch": case["branch"],
                "received_form_id": before.form_id,
                "attempt": before.attempts + 1,
                "entered": before.entered,
                "checks": json.dumps(dict(keying.checks), ensure_ascii=False, sort_keys=True),
                **keying.account.columns,
                "account_sha256": keying.account.sha256,
                "holder_agrees": agrees,
                "holder_reason": keying.holder_reason.strip(),
                "keyed_by": actor.id,
                "keyed_at": at,
            }
        )
    table = desk.form_review
    ids = connection.execute(table.insert().returning(table.c.id, sort_by_parameter_order=True), rows).scalars().all()
    _log(connection, "review.key", list(cases), actor, at, {"reviews": len(rows)})
    return [Keyed(number, row["attempt"], row["holder_agrees"]) for number, row in zip(ids, rows, strict=True)]


def check(connection: Connection, number: str, account: Account, *, actor: Actor, at: datetime) -> Checked:
    """二度目: 別の人が、一度目を見ないで入力した口座。五項目とも同じなら審査完了で、口座が件に入る。"""
    return check_many(connection, [(number, account)], actor=actor, at=at)[0]


def check_many(
    connection: Connection, entries: Sequence[tuple[str, Account]], *, actor: Actor, at: datetime
) -> list[Checked]:
    """二度目の入力（番号は重ならない）。一件でも断られれば、全部を断る。"""
    if not entries:
        return []
    cases = _known(connection, [number for number, _account in entries])
    seen = _seen(connection, cases)
    rows, moves, results = [], [], []
    for number, account in entries:
        case = cases[number]
        event = FINISHING.get(case["state"])
        if event is None:
            raise RefusedByRule(
                f"「{STATE_WORDS[case['state']].name}」の件は、審査の途中ではありません", code="transition"
            )
        then, first = allowed(actor, number, case["state"], event), seen[number].open_review
        if first is None:
            raise RefusedByRule("一度目の入力がまだありません", code="not-keyed")
        if first["keyed_by"] == actor.id:
            raise RefusedByRule("一度目を入力した人は、二度目を入力できません", code="two-people")
        kept = Account.of(first)
        different = differing(kept, account)
        rows.append(
            {
                "review_id": first["id"],
                "case_number": number,
                "keyed_by": first["keyed_by"],
                "checked_by": actor.id,
                **account.columns,
                "account_sha256": account.sha256,
                "agreed_sha256": None if different else account.sha256,
                "differing": "、".join(different),
                "checked_at": at,
            }
        )
        if not different:
            values = {**kept.columns, "reviewed_on": tokyo_date(at), "deficiency": None, "correction_due_on": None}
            moves.append(Move(number, case["state"], event, "二人の入力が一致", f"form_review:{first['id']}", values))
        results.append(Checked(first["id"], different, case["state"] if different else then))
    connection.execute(desk.form_review_approval.insert(), rows)
    unequal = sum(not result.equal for result in results)
    _log(connection, "review.check", list(cases), actor, at, {"reviews": len(rows), "unequal": unequal})
    advance(connection, moves, actor=actor, at=at, reason="審査")
    return results


def _known(connection: Connection, numbers: Sequence[str]) -> dict[str, dict[str, Any]]:
    cases = cases_of(connection, numbers)
    for number in numbers:
        if number not in cases:
            raise RefusedByRule(f"給付管理番号 {number} は{UNKNOWN}", code="unknown-case")
    return cases


def _in_review(
    connection: Connection, numbers: Sequence[str], *, actor: Actor, at: datetime
) -> dict[str, dict[str, Any]]:
    """審査の途中の件。受付済なら、審査を始める。"""
    cases = _known(connection, numbers)
    moves = []
    for number, case in cases.items():
        if case["state"] in WAITING:
            moves.append(Move(number, case["state"], "review_started"))
            case["state"] = "C23"
        event = FINISHING.get(case["state"])
        if event is None:
            raise RefusedByRule(f"「{STATE_WORDS[case['state']].name}」の件は、審査できません", code="transition")
        allowed(actor, number, case["state"], event)
    advance(connection, moves, actor=actor, at=at, reason="審査")
    return cases


def _may_key(keying: Keying, case: Mapping[str, Any], before: _Seen, *, agrees: bool) -> None:
    checks = keying.checks
    if set(checks) != set(CHECK_ITEMS) or not set(checks.values()) <= set(CHECK_MARKS):
        raise RefusedInput(
            "見た項目の全部に、○・×・不要のどれかを入れてください",
            code="checks",
            allowed="、".join(item.name for item in CHECK_ITEMS.values()),
        )
    bad = [CHECK_ITEMS[name].name for name, mark in checks.items() if mark == BAD]
    if bad:
        raise RefusedByRule("× の項目があります。不備にしてください", code="checks", found="、".join(bad))
    if keying.account == NO_ACCOUNT and (case["account_flag"] == "0" or case["state"] == "P23"):
        raise RefusedByRule("口座がありません。紙に書かれていなければ、不備にします", code="account")
    if not agrees and not written(keying.holder_reason):
        raise RefusedByRule(
            "口座名義が受給者のカナ氏名と違います。受け付けるわけ（代理など）を書くか、不備にしてください",
            code="holder-name",
        )
    if before.open_review is not None:
        raise RefusedByRule("一度目の入力は済んでいます。別の人が二度目を入力します", code="keyed")


@dataclass(frozen=True)
class _Seen:
    """一件の審査のこれまで: 入った一歩、入力の数、いまの紙、二度目を待つ一度目。"""

    entered: int
    attempts: int
    form_id: int | None
    open_review: Mapping[str, Any] | None


def entering_event(case: FromClause) -> ScalarSelect[Any]:
    """いまの審査に入った一歩の番号（跡のない件は 0）。"""
    event = desk.case_event
    return (
        select(func.coalesce(func.max(event.c.id), 0))
        .where(event.c.case_number == case.c.case_number, event.c.to_state == case.c.state)
        .correlate(case)
        .scalar_subquery()
    )


def _seen(connection: Connection, numbers: Mapping[str, Any]) -> dict[str, _Seen]:
    case, review, second, form = desk.benefit_case, desk.form_review, desk.form_review_approval, desk.received_form
    mine = (review.c.case_number == case.c.case_number) & (review.c.branch == case.c.branch)
    attempts = select(func.coalesce(func.max(review.c.attempt), 0)).where(mine).correlate(case).scalar_subquery()
    # 審査する紙: この枝番に届いた、受付・補正・期限後の最後の一通。
    paper = (
        select(func.max(form.c.id))
        .where(
            form.c.case_number == case.c.case_number,
            form.c.branch == case.c.branch,
            form.c.standing.in_(("taken", "late")),
            form.c.kind != "refusal",
        )
        .correlate(case)
        .scalar_subquery()
    )
    found: dict[str, _Seen] = {}
    for some in chunks(numbers):
        query = select(case.c.case_number, entering_event(case), attempts, paper).where(case.c.case_number.in_(some))
        states = {row[0]: (row[1], row[2], row[3]) for row in connection.execute(query)}
        waiting = (
            select(review)
            .outerjoin(second, second.c.review_id == review.c.id)
            .where(review.c.case_number.in_(some), second.c.review_id.is_(None))
        )
        # 不備や取消で審査が途切れたあとは、古い一度目の続きにしない。
        open_reviews = {
            row["case_number"]: dict(row)
            for row in connection.execute(waiting).mappings()
            if row["entered"] == states[row["case_number"]][0]
        }
        found |= {number: _Seen(*state, open_reviews.get(number)) for number, state in states.items()}
    return found


def _log(
    connection: Connection,
    action: str,
    numbers: Sequence[str],
    actor: Actor,
    at: datetime,
    detail: Mapping[str, Any],
) -> None:
    subject = numbers[0] if len(numbers) == 1 else ""
    audit.record(connection, desk.audit_log, at=at, actor=actor, action=action, subject=subject, detail=detail)
