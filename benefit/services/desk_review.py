"""審査: 二人の目と、口座の二度の入力。

一人目が書類を見て口座を入力し、別の人が見ないで（一人目の入力は画面に出ない）もう一度入力する。五項目とも同じなら審査完了。
違えば、二つの入力も、違った項目の名も残して、初めから二人で入力し直す。同じ人の二度目と、違う口座の一致は、台帳も断る。
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import astuple, dataclass, fields
from datetime import datetime
from typing import Any

import polars as pl
from sqlalchemy import Connection, FromClause, ScalarSelect, func, select

from benefit.domain.access import Actor
from benefit.domain.case import STATE_WORDS
from benefit.domain.clock import tokyo_date
from benefit.domain.deficiency import BAD, CHECK_ITEMS, CHECK_MARKS
from benefit.domain.errors import Place, RefusedByRule, RefusedInput
from benefit.domain.kana import search_key
from benefit.records.yucho import as_written
from benefit.rules.name_agreement import agrees
from benefit.services.desk_cases import Move, advance, allowed, case_of
from benefit.store import audit, desk
from benefit.store.bulk import insert_one


@dataclass(frozen=True)
class Account:
    """紙に書かれた口座の五項目（振込用に直したもの）。五つとも空なら、登録の口座のまま。"""

    bank_code: str | None = None
    branch_code: str | None = None
    account_type: str | None = None
    account_number: str | None = None
    holder_kana: str | None = None

    @property
    def sha256(self) -> str:
        """比べるための指紋。名義は、幅や小さいかなの違いを除いて比べる。"""
        told = [*astuple(self)[:4], search_key(self.holder_kana or "")]
        return hashlib.sha256(json.dumps(told, ensure_ascii=False).encode()).hexdigest()


#: 口座を書いていない紙。
NO_ACCOUNT = Account()
ACCOUNT_NAMES = {
    "bank_code": "金融機関コード",
    "branch_code": "支店コード",
    "account_type": "預金種目",
    "account_number": "口座番号",
    "holder_kana": "口座名義カナ",
}
#: 審査のできる状態と、二つの入力が同じときの出来事。
FINISHING = {"C23": "review_finished", "P23": "account_verified"}
_SHAPES = {
    "bank_code": (r"[0-9]{4}", "4 桁の数字"),
    "branch_code": (r"[0-9]{3}", "3 桁の数字"),
    "account_type": (r"[0-9]", "1 桁の数字"),
    "account_number": (r"[0-9]{7}", "7 桁までの数字"),
}


def account_of(bank_code: str, branch_code: str, account_type: str, account_number: str, holder_kana: str) -> Account:
    """打たれた口座を、振込用の五項目に。ゆうちょ銀行の「記号-番号」を直し、口座番号の前の 0 を補う。形が違えば断る。"""
    given = [value.strip() for value in (bank_code, branch_code, account_type, account_number, holder_kana)]
    if not any(given):
        return NO_ACCOUNT
    told = as_written(given[0], given[1], given[2], given[3].zfill(7) if given[3].isdecimal() else given[3])
    account = Account(*told, given[4])
    for name, (shape, allowed_shape) in _SHAPES.items():
        value = getattr(account, name)
        if not (value.isascii() and re.fullmatch(shape, value)):
            raise RefusedInput(
                "口座の形が違います",
                code="account",
                place=Place(field=ACCOUNT_NAMES[name]),
                found=f"{len(value)} 文字",
                allowed=allowed_shape,
            )
    if not search_key(account.holder_kana or ""):
        raise RefusedInput("口座名義カナを入れてください", code="account", place=Place(field="口座名義カナ"))
    return account


def differing(first: Account, second: Account) -> tuple[str, ...]:
    """二つの入力で違う項目の名。"""
    return tuple(
        ACCOUNT_NAMES[field.name]
        for field in fields(Account)
        if (search_key(getattr(first, field.name) or "") if field.name == "holder_kana" else getattr(first, field.name))
        != (
            search_key(getattr(second, field.name) or "")
            if field.name == "holder_kana"
            else getattr(second, field.name)
        )
    )


def holder_agrees(holder_kana: str | None, kana_name: str | None) -> bool:
    """口座名義は、受給者のカナ氏名と合うか（規則は benefit.rules.name_agreement）。"""
    row = pl.DataFrame({"holder": [holder_kana], "kana": [kana_name]}, schema={"holder": pl.String, "kana": pl.String})
    return bool(row.select(agrees(pl.col("holder"), pl.col("kana"))).item())


@dataclass(frozen=True)
class Keyed:
    """一度目の入力が済んだ。"""

    review_id: int
    attempt: int
    holder_agrees: bool


@dataclass(frozen=True)
class Checked:
    """二度目の入力の結果。`differing` が空なら審査完了。"""

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
    case = _in_review(connection, number, actor, at)
    _check_marks(checks)
    if account == NO_ACCOUNT and (case["account_flag"] == "0" or case["state"] == "P23"):
        raise RefusedByRule("口座がありません。紙に書かれていなければ、不備にします", code="account")
    agreed = account == NO_ACCOUNT or holder_agrees(account.holder_kana, case["kana_name"])
    if not agreed and not holder_reason.strip():
        raise RefusedByRule(
            "口座名義が受給者のカナ氏名と違います。受け付けるわけ（代理など）を書くか、不備にしてください",
            code="holder-name",
        )
    last = _last(connection, number)
    if last is not None and last["checked_by"] is None:
        raise RefusedByRule("一度目の入力は済んでいます。別の人が二度目を入力します", code="keyed")
    case_now, review = desk.benefit_case, desk.form_review
    attempt, entered = connection.execute(
        select(
            select(func.coalesce(func.max(review.c.attempt), 0) + 1)
            .where(review.c.case_number == number, review.c.branch == case["branch"])
            .scalar_subquery(),
            entering_event(case_now),
        ).where(case_now.c.case_number == number)
    ).one()
    review_id = insert_one(
        connection,
        desk.form_review,
        case_number=number,
        branch=case["branch"],
        received_form_id=_form_of(connection, case),
        attempt=attempt,
        entered=entered,
        checks=json.dumps(dict(checks), ensure_ascii=False, sort_keys=True),
        **_columns(account),
        account_sha256=account.sha256,
        holder_agrees=agreed,
        holder_reason=holder_reason.strip(),
        keyed_by=actor.id,
        keyed_at=at,
    )
    _log(connection, "review.key", number, actor, at, {"review": review_id, "attempt": attempt, "holder": agreed})
    return Keyed(review_id, attempt, agreed)


def check(connection: Connection, number: str, account: Account, *, actor: Actor, at: datetime) -> Checked:
    """二度目: 別の人が、一度目を見ないで入力した口座。五項目とも同じなら審査完了で、口座が件に入る。"""
    case = case_of(connection, number)
    event = FINISHING.get(case["state"])
    if event is None:
        raise RefusedByRule(f"「{STATE_WORDS[case['state']].name}」の件は、審査の途中ではありません", code="transition")
    then = allowed(actor, number, case["state"], event)
    last = _last(connection, number)
    if last is None or last["checked_by"] is not None:
        raise RefusedByRule("一度目の入力がまだありません", code="not-keyed")
    if last["keyed_by"] == actor.id:
        raise RefusedByRule("一度目を入力した人は、二度目を入力できません", code="two-people")
    first = Account(*(last[field.name] for field in fields(Account)))
    different = differing(first, account)
    connection.execute(
        desk.form_review_approval.insert().values(
            review_id=last["id"],
            case_number=number,
            keyed_by=last["keyed_by"],
            checked_by=actor.id,
            **_columns(account),
            account_sha256=account.sha256,
            agreed_sha256=None if different else account.sha256,
            differing="、".join(different),
            checked_at=at,
        )
    )
    _log(connection, "review.check", number, actor, at, {"review": last["id"], "differing": list(different)})
    if different:
        return Checked(last["id"], different, case["state"])
    values = {**_columns(first), "reviewed_on": tokyo_date(at), "deficiency": None, "correction_due_on": None}
    move = Move(number, case["state"], event, "二人の入力が一致", f"form_review:{last['id']}", values)
    advance(connection, [move], actor=actor, at=at, reason="審査")
    return Checked(last["id"], (), then)


def _columns(account: Account) -> dict[str, str | None]:
    return {field.name: getattr(account, field.name) for field in fields(Account)}


def _check_marks(checks: Mapping[str, str]) -> None:
    if set(checks) != set(CHECK_ITEMS) or not set(checks.values()) <= set(CHECK_MARKS):
        raise RefusedInput(
            "見た項目の全部に、○・×・不要のどれかを入れてください",
            code="checks",
            allowed="、".join(item.name for item in CHECK_ITEMS.values()),
        )
    bad = [CHECK_ITEMS[name].name for name, mark in checks.items() if mark == BAD]
    if bad:
        raise RefusedByRule("× の項目があります。不備にしてください", code="checks", found="、".join(bad))


def _in_review(connection: Connection, number: str, actor: Actor, at: datetime) -> dict[str, Any]:
    """審査の途中の件。受付済なら、審査を始める。"""
    case = case_of(connection, number)
    if case["state"] in {"C22", "C26"}:
        advance(connection, [Move(number, case["state"], "review_started")], actor=actor, at=at, reason="審査")
        return case | {"state": "C23"}
    event = FINISHING.get(case["state"])
    if event is None:
        raise RefusedByRule(f"「{STATE_WORDS[case['state']].name}」の件は、審査できません", code="transition")
    allowed(actor, number, case["state"], event)
    return case


def entering_event(case: FromClause) -> ScalarSelect[Any]:
    """いまの審査に入った一歩の番号（跡のない件は 0）。"""
    event = desk.case_event
    return (
        select(func.coalesce(func.max(event.c.id), 0))
        .where(event.c.case_number == case.c.case_number, event.c.to_state == case.c.state)
        .correlate(case)
        .scalar_subquery()
    )


def _last(connection: Connection, number: str) -> dict[str, Any] | None:
    """この審査の、最後の一度目の入力（と、二度目をした人）。なければ None。"""
    case, review, second = desk.benefit_case, desk.form_review, desk.form_review_approval
    query = (
        select(review, second.c.checked_by)
        .join(case, (case.c.case_number == review.c.case_number) & (case.c.branch == review.c.branch))
        .outerjoin(second, second.c.review_id == review.c.id)
        .where(review.c.case_number == number, review.c.entered == entering_event(case))
        .order_by(review.c.attempt.desc())
        .limit(1)
    )
    row = connection.execute(query).mappings().first()
    return None if row is None else dict(row)


def _form_of(connection: Connection, case: Mapping[str, Any]) -> int | None:
    """審査する紙: この枝番に届いた、受付・補正・期限後の最後の一通。"""
    form = desk.received_form
    found = connection.execute(
        select(func.max(form.c.id)).where(
            form.c.case_number == case["case_number"],
            form.c.branch == case["branch"],
            form.c.standing.in_(("taken", "late")),
            form.c.kind != "refusal",
        )
    ).scalar()
    return None if found is None else int(found)


def _log(
    connection: Connection, action: str, number: str, actor: Actor, at: datetime, detail: Mapping[str, Any]
) -> None:
    audit.record(connection, desk.audit_log, at=at, actor=actor, action=action, subject=number, detail=detail)


def queue(connection: Connection, *, actor: Actor, stage: str, limit: int = 50) -> list[dict[str, Any]]:
    """審査の列（古い収受の順）: case_number、branch、benefit、state、received_on、attempt。

    `stage`: waiting（まだ始めていない）、first（一度目を待つ）、second（この人でない人の一度目が済み、二度目を待つ）。
    氏名も口座も返さない（開いた時に、ログを残して見せる）。
    """
    case, review, second = desk.benefit_case, desk.form_review, desk.form_review_approval
    open_review = (
        select(review.c.case_number, review.c.branch, review.c.keyed_by, review.c.attempt, review.c.entered)
        .outerjoin(second, second.c.review_id == review.c.id)
        .where(second.c.review_id.is_(None))
        .subquery()
    )
    query = (
        select(
            case.c.case_number, case.c.branch, case.c.benefit, case.c.state, case.c.received_on, open_review.c.attempt
        )
        .outerjoin(
            open_review,
            (open_review.c.case_number == case.c.case_number)
            & (open_review.c.branch == case.c.branch)
            & (open_review.c.entered == entering_event(case)),
        )
        .order_by(case.c.received_on, case.c.case_number)
        .limit(limit)
    )
    if stage == "waiting":
        query = query.where(case.c.state.in_(("C22", "C26")))
    elif stage == "first":
        query = query.where(case.c.state.in_(tuple(FINISHING)), open_review.c.case_number.is_(None))
    elif stage == "second":
        query = query.where(case.c.state.in_(tuple(FINISHING)), open_review.c.keyed_by != actor.id)
    else:
        raise RefusedInput("列の名が違います", code="stage", found=stage, allowed="waiting、first、second")
    return [dict(row) for row in connection.execute(query).mappings()]


def reviews_of(connection: Connection, case_number: str) -> list[dict[str, Any]]:
    """一件の入力の跡（口座は返さない）: いつ・誰が一度目・二度目、違った項目。"""
    review, second = desk.form_review, desk.form_review_approval
    query = (
        select(
            review.c.id,
            review.c.attempt,
            review.c.branch,
            review.c.checks,
            review.c.holder_agrees,
            review.c.holder_reason,
            review.c.keyed_by,
            review.c.keyed_at,
            second.c.checked_by,
            second.c.checked_at,
            second.c.differing,
        )
        .outerjoin(second, second.c.review_id == review.c.id)
        .where(review.c.case_number == case_number)
        .order_by(review.c.id)
    )
    return [dict(row) for row in connection.execute(query).mappings()]
