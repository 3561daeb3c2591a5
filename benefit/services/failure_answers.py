"""振込不能の一件にすること: 担当課への照会、受給者への通知、担当課の回答と、別の人の承認。

回答は承認されて初めて効く。再振込は振込の作成（transfers.make_resend）まで、お金は動かない。戻入は一件を終わらせる。
この給付の支払は、再振込は給付管理の新しい口座から、戻入は権利の終わり（benefit ending）から行い、帳簿はそれに従う。
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, func, select

from benefit.domain.access import Actor
from benefit.domain.clock import Clock, tokyo_date
from benefit.domain.errors import RefusedByRule, WrongUse
from benefit.domain.transfer import FAILURE_ANSWERS
from benefit.records import zengin
from benefit.records.bank_master import BankMaster
from benefit.records.transfer_result_row import Account
from benefit.services import two_people
from benefit.services.failures import item, refuse_closed, register_in
from benefit.services.home import Home
from benefit.services.transfer_lines import ACCOUNT
from benefit.services.transfer_make import post
from benefit.store import audit, ward
from benefit.store.engine import in_turn

#: 区だけが扱う権利の経路。
WARD_ROUTE = "WARD"
#: 支出命令番号の長さ（台帳の列）。
ORDER_NUMBER_MAX = 40


@dataclass(frozen=True)
class Answer:
    """担当課の回答一つ。`not_ours` は、候補の支払ではないと確かめたこと。"""

    failure_id: int
    kind: str
    reason: str
    account: Account | None = None
    review_on: date | None = None
    not_ours: bool = False


def ask(
    home: Home,
    numbers: Sequence[int],
    *,
    section: str,
    due_on: date,
    actor: Actor,
    clock: Clock,
    order_number: str = "",
) -> int:
    """担当課に照会する（もう照会していれば督促）。記した件数を返す。"""
    if not section.strip():
        raise WrongUse("担当課を書いてください")
    if len(order_number) > ORDER_NUMBER_MAX:
        raise WrongUse(f"支出命令番号は {ORDER_NUMBER_MAX} 字までです", found=f"{len(order_number)} 字")
    today = tokyo_date(clock())
    if due_on < today:
        raise WrongUse("回答期限が過ぎています", found=str(due_on), allowed=f"{today} 以後")
    with home.ward.begin() as connection:
        in_turn(connection, "money")
        book = {row["id"]: row for row in register_in(connection, today).iter_rows(named=True)}
        for number in numbers:
            row = _known(book, number)
            refuse_closed(row)
            if row["entitlement_id"] is not None:
                raise RefusedByRule(
                    f"不能 {number} はこの給付の支払です。受給者に知らせます（benefit failure notify）", code="own"
                )
            kind = "督促" if row["times_asked"] else "照会"
            _step(connection, number, kind, clock, actor, section=section.strip(), due_on=due_on, order=order_number)
    return len(numbers)


def notify(
    home: Home, *, due_on: date, actor: Actor, clock: Clock, numbers: Sequence[int] | None = None
) -> list[dict[str, Any]]:
    """この給付の受給者に、口座の再届出を求める（F43 → F44）。知らせる一件一件（給付管理番号と期限）を返す。

    `numbers` がなければ、まだ知らせていない全部。手紙そのものは、この一覧から作る。
    """
    today = tokyo_date(clock())
    if due_on < today:
        raise WrongUse("再届出の期限が過ぎています", found=str(due_on), allowed=f"{today} 以後")
    with home.ward.begin() as connection:
        in_turn(connection, "money")
        book = {row["id"]: row for row in register_in(connection, today).iter_rows(named=True)}
        chosen = [_known(book, number) for number in numbers] if numbers is not None else to_notify(book.values())
        for row in chosen:
            refuse_closed(row)
            if row["entitlement_id"] is None:
                raise RefusedByRule(f"不能 {row['id']} は、ほかの課の支払です。担当課に照会します", code="not-own")
            _step(connection, row["id"], "通知", clock, actor, due_on=due_on)
    return [{**row, "due_on": due_on} for row in chosen]


def to_notify(rows: Any) -> list[dict[str, Any]]:
    """この給付の不能で、まだ受給者に知らせていないもの。"""
    return [row for row in rows if row["entitlement_id"] is not None and row["status"] == "受付"]


def note(home: Home, number: int, text: str, *, actor: Actor, clock: Clock) -> None:
    """覚え書きを足す。"""
    if not text.strip():
        raise WrongUse("覚え書きが空です")
    with home.ward.begin() as connection:
        item(connection, number, tokyo_date(clock()))
        _step(connection, number, "覚え書き", clock, actor, text=text.strip())


def answer(home: Home, given: Sequence[Answer], *, bank_master: BankMaster, actor: Actor, clock: Clock) -> list[int]:
    """担当課の回答を記す。承認されるまで効かない。回答の番号を返す。一つでも受けられなければ、一つも記さない。"""
    today = tokyo_date(clock())
    with home.ward.begin() as connection:
        in_turn(connection, "money")
        book = {row["id"]: row for row in register_in(connection, today).iter_rows(named=True)}
        numbers = []
        for one in given:
            _check(_known(book, one.failure_id), one, today, bank_master)
            account = {name: getattr(one.account, name) for name in ACCOUNT} if one.account else {}
            reason = f"候補の支払ではない: {one.reason.strip()}" if one.not_ours else one.reason.strip()
            number = two_people.ask(
                connection,
                ward.failure_answer,
                {"failure_id": one.failure_id, "kind": one.kind, **account, "review_on": one.review_on},
                action="failure.answer",
                subject=f"{one.failure_id}",
                reason=reason,
                detail={"kind": one.kind},
                actor=actor,
                clock=clock,
            )
            numbers.append(number)
    return numbers


def _known(book: dict[int, dict[str, Any]], number: int) -> dict[str, Any]:
    if number not in book:
        raise WrongUse(f"不能 {number} は帳簿にありません", code="no-failure")
    return book[number]


def _check(row: dict[str, Any], given: Answer, today: date, bank_master: BankMaster) -> None:
    """この一件に、この回答を受けてよいか。"""
    refuse_closed(row)
    number = f"不能 {given.failure_id}"
    if given.kind not in FAILURE_ANSWERS:
        raise WrongUse("回答の言葉が違います", found=given.kind, allowed="、".join(FAILURE_ANSWERS))
    if not given.reason.strip():
        raise WrongUse(f"{number}: 回答の理由を書いてください")
    if row["entitlement_id"] is not None and not _may_answer_own(given.kind, row["route"]):
        how = "給付管理で新しい口座を受け、判定し直します" if given.kind == "再振込" else "権利の終わりで行います"
        raise RefusedByRule(f"{number} はこの給付の支払です。{given.kind}は、{how}", code="own")
    if row["candidates"] and row["payment_id"] is None and given.kind != "保留" and not given.not_ours:
        raise RefusedByRule(
            f"{number} には、この給付の支払の候補があります。benefit failure match で結ぶか、"
            "候補の支払ではないことを確かめて --not-ours を付けます",
            code="candidates",
        )
    if (given.kind == "保留") != (given.review_on is not None):
        raise WrongUse(f"{number}: 見直す日は、保留のときに書きます")
    if given.review_on is not None and given.review_on <= today:
        raise WrongUse(f"{number}: 見直す日は、今日より後の日にします", found=str(given.review_on))
    if (given.kind == "再振込") != (given.account is not None):
        raise WrongUse(f"{number}: 新しい口座は、再振込のときに五項目とも書きます")
    if given.account is not None:
        _check_account(number, given.account, row["amount_yen"], bank_master)


def _may_answer_own(kind: str, route: str | None) -> bool:
    """この給付の支払に、この回答をしてよいか。

    区だけが扱う人（避難者・相続人）には、口座を届け直す手紙も給付管理もない。二人で決めた新しい口座で、区の行を判定し直す
    （`failure_accounts`）。ほかの人は、給付管理が新しい口座を受ける。
    """
    return kind == "保留" or (kind == "再振込" and route == WARD_ROUTE)


def _check_account(number: str, account: Account, amount_yen: int, bank_master: BankMaster) -> None:
    """振込ファイルに書ける口座で、金融機関・店舗の表にあるか（CHK80 と同じ）。"""
    line = zengin.TransferLine(**{name: getattr(account, name) for name in ACCOUNT}, amount_yen=amount_yen)
    if (wrong := zengin.unwritable([line])) or not account.account_number.strip("0"):
        place = wrong[0].refusal.place if wrong else None
        raise WrongUse(f"{number}: 新しい口座が、振込の様式に書けません", found=place.field if place else "口座番号")
    if bank_master.find(account.bank_code, account.branch_code) is None:
        raise RefusedByRule(f"{number}: 新しい口座の金融機関・店舗が、いまの表にありません", code="no-branch")


def approve(home: Home, number: int, *, actor: Actor, clock: Clock) -> tuple[int, str]:
    """回答を承認する。(不能の番号, 回答)。記した人は承認できない。戻入は、預かったお金を返して一件を終わらせる。"""
    answered, payment = ward.failure_answer, ward.payment
    with home.ward.begin() as connection:
        in_turn(connection, "money")
        given = two_people.approve(
            connection, answered, ward.failure_answer_approval, number, what="回答", actor=actor, clock=clock
        )
        failure_id: int = given["failure_id"]
        newest = connection.execute(
            select(func.max(answered.c.id)).where(answered.c.failure_id == failure_id)
        ).scalar_one()
        if newest != number:
            raise RefusedByRule(f"不能 {failure_id} には、もっと新しい回答 {newest} があります", code="newer-answer")
        row = _before_approval(connection, number, failure_id, tokyo_date(clock()))
        if given["kind"] == "戻入":
            last = connection.execute(
                select(payment.c.id, payment.c.state)
                .where((payment.c.slot == row["slot"]) | (payment.c.id == row["payment_id"]))
                .order_by(payment.c.id.desc())
                .limit(1)
            ).first()
            if last is not None:
                post(connection, {"F43": "reverse", "F49": "hand_back"}[last.state], [last.id], clock())
        audit.record(
            connection,
            ward.audit_log,
            at=clock(),
            actor=actor,
            action="failure.approve",
            subject=f"{failure_id}",
            reason=given["reason"],
            detail={"kind": given["kind"], "answer": number},
        )
    return failure_id, str(given["kind"])


def _before_approval(connection: Connection, number: int, failure_id: int, today: date) -> dict[str, Any]:
    """承認する時の一件。ほかの承認された回答や、結び付けで終わっていたら断る。"""
    row = item(connection, failure_id, today)
    answered, approval = ward.failure_answer, ward.failure_answer_approval
    ended = connection.execute(
        select(answered.c.id)
        .join(approval, approval.c.release_id == answered.c.id)
        .where(answered.c.failure_id == failure_id, answered.c.kind == "戻入", answered.c.id != number)
    ).first()
    if ended is not None:
        raise RefusedByRule(f"不能 {failure_id} は、もう戻入にすると承認されています", code="closed")
    if row["entitlement_id"] is not None and not _may_answer_own(row["answer_kind"], row["route"]):
        raise RefusedByRule(f"不能 {failure_id} は、回答の後で、この給付の支払に結ばれました", code="own")
    # いま承認した戻入そのものは、終わったことに数えない。
    if not (row["status"] == "戻入済" and row["answer_id"] == number):
        refuse_closed(row)
    return row


def _step(
    connection: Connection,
    number: int,
    kind: str,
    clock: Clock,
    actor: Actor,
    *,
    section: str = "",
    due_on: date | None = None,
    order: str = "",
    text: str = "",
) -> None:
    now = clock()
    connection.execute(
        ward.failure_step.insert().values(
            failure_id=number,
            kind=kind,
            section=section,
            order_number=order,
            due_on=due_on,
            note=text,
            made_by=actor.id,
            made_at=now,
        )
    )
    audit.record(
        connection, ward.audit_log, at=now, actor=actor, action="failure.step", subject=f"{number}",
        detail={"kind": kind, "section": section, "due_on": str(due_on or "")},
    )  # fmt: skip
