"""収受: 届いた紙を、番号を打つか読み取って台帳に入れる。

一つの番号の、一つの種類の紙は、一通だけ受け付ける。後のものは初めの一通に結び、二重提出として並べる（木津川市: 同じ紙を
二度入力、門真市: 電子と紙）。出し直す前の枝番の紙も、期限の後の紙も、捨てずに行に残す。
"""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, cast

from sqlalchemy import Connection, select

from benefit.domain.access import Actor
from benefit.domain.case import STATE_WORDS, next_state
from benefit.domain.deficiency import CHANNELS, FORM_KINDS, STANDINGS
from benefit.domain.entitlement import is_case_number
from benefit.domain.errors import BenefitError, RefusedByRule, RefusedInput
from benefit.services.desk_cases import UNKNOWN, Move, advance, allowed, cases_of, chunks
from benefit.store import audit, desk

#: 紙の足の封入の符号の桁（records.print_result）。
SHEET_CODE_DIGITS = 24


@dataclass(frozen=True)
class Arrival:
    """届いた紙一通。`kind` は FORM_KINDS、`channel` は CHANNELS。`branch` は紙の枝番（読めなければ None）。"""

    case_number: str
    kind: str
    received_on: date
    channel: str = "post"
    branch: int | None = None
    postmark_on: date | None = None
    box: str = ""
    note: str = ""


@dataclass(frozen=True)
class Taken:
    """収受の一行。`standing` は STANDINGS、`state` は収受の後の状態。"""

    form_id: int
    case_number: str
    standing: str
    state: str
    first_id: int | None = None

    @property
    def says(self) -> str:
        """画面の一文。"""
        return {
            "taken": f"受け付けました（{STATE_WORDS[self.state].name}）。",
            "duplicate": "二重提出です。先に受け付けた一通に結びました。",
            "old_branch": "出し直す前の手紙です。受け付けていません（行は残しました）。",
            "late": "期限の後に届きました。消印の分かる封筒を残してください。",
        }[self.standing]


@dataclass(frozen=True)
class Refused:
    """断った一行: 何行目か、番号（読めたとおり）、わけ。"""

    line: int
    case_number: str
    why: str


@dataclass(frozen=True)
class Intake:
    """一覧の収受。読んだ行 = 入れた行 + 断った行。"""

    read: int
    taken: tuple[Taken, ...]
    refused: tuple[Refused, ...]


def read_number(text: str) -> tuple[str, int | None]:
    """打った・読み取った番号を（給付管理番号, 枝番）に。「12345678901」「１２３-４５６…」「12345678901-02」。

    封入の符号（24 桁、頭が番号と枝番）を読み取ってもよい。検査の数字は、鍵を持つ区だけが見る。
    """
    given = unicodedata.normalize("NFKC", text).strip()
    digits = "".join(sign for sign in given if sign.isdecimal())
    if len(digits) == SHEET_CODE_DIGITS:
        digits = digits[:13]
    number, branch = (digits[:11], digits[11:]) if len(digits) in {12, 13} else (digits, "")
    if not is_case_number(number):
        raise RefusedInput("給付管理番号の形が違います", code="case-number", found=f"数字 {len(digits)} 桁")
    return number, int(branch) if branch else None


def receive(connection: Connection, arrival: Arrival, *, actor: Actor, at: datetime) -> Taken:
    """一通を収受する。受けられない番号・状態・役割なら断る（何も書かない）。"""
    done = receive_many(connection, [arrival], actor=actor, at=at, refuse=True)
    return done.taken[0]


def receive_many(
    connection: Connection, arrivals: Sequence[Arrival], *, actor: Actor, at: datetime, refuse: bool = False
) -> Intake:
    """読み取った一覧を収受する。断られる行は、わけを付けて返し、ほかの行は入れる（`refuse` なら、そこで断る）。

    一覧の中に同じ番号が二度あれば、一通ずつ入れたのと同じ結果になる（二度目は二重提出）。
    """
    waiting: dict[str, _Plan] = {}
    refused: list[Refused] = []
    taken: list[Taken] = []
    numbers = {arrival.case_number for arrival in arrivals}
    cases, earlier = cases_of(connection, numbers), _earlier(connection, numbers)
    for line, arrival in enumerate(arrivals, 1):
        number = arrival.case_number
        if number in waiting:
            taken += _write(connection, list(waiting.values()), actor=actor, at=at)
            waiting = {}
            cases |= cases_of(connection, [number])
            earlier |= _earlier(connection, [number])
        try:
            waiting[number] = _plan(arrival, cases.get(number), earlier.get(number, ()), actor)
        except BenefitError as refusal:
            if refuse:
                raise
            refused.append(Refused(line, number, str(refusal)))
    taken += _write(connection, list(waiting.values()), actor=actor, at=at)
    return Intake(len(arrivals), tuple(taken), tuple(refused))


@dataclass(frozen=True)
class _Earlier:
    """前に受け付けた一通。"""

    id: int
    branch: int
    kind: str


@dataclass(frozen=True)
class _Plan:
    """書く一通と、起こる出来事（なければ None）。"""

    arrival: Arrival
    case: Mapping[str, Any]
    branch: int
    standing: str
    round: int
    event: str | None
    first_id: int | None = None


#: 消印から届くまでの、いちばん長い日数。
_LONGEST_MAIL = timedelta(days=60)
#: 一つの種類とみる紙（電子・紙の申請書と確認書は、どちらか一つ）。
_SAME = {"confirmation": "form", "claim": "form"}
#: 紙の種類が起こす出来事。初めの、進める出来事が選ばれる。
EVENTS_OF = {
    "confirmation": ("form_received", "form_in_time"),
    "claim": ("form_received", "form_in_time"),
    "refusal": ("refusal_received",),
    "account": ("account_received",),
    "correction": ("correction_received",),
    "new_account": ("account_received",),
    "objection": ("objection_received",),
}
#: 口座変更はお知らせの人、口座再届出は振込不能の人。
_ONLY_FROM = {"account": {"P20"}, "new_account": {"F43", "F44"}}


def _earlier(connection: Connection, numbers: Iterable[str]) -> dict[str, tuple[_Earlier, ...]]:
    table, found = desk.received_form, defaultdict[str, list[_Earlier]](list)
    for some in chunks(numbers):
        query = (
            select(table.c.case_number, table.c.id, table.c.branch, table.c.kind)
            .where(table.c.case_number.in_(some), table.c.standing == "taken")
            .order_by(table.c.id)
        )
        for row in connection.execute(query):
            found[row.case_number].append(_Earlier(row.id, row.branch, row.kind))
    return {number: tuple(rows) for number, rows in found.items()}


def due_of(case: Mapping[str, Any], kind: str) -> date | None:
    """この紙の期限。口座の再届出には、ここでの期限がない（区が決める）。"""
    if kind == "correction":
        return cast("date | None", case["correction_due_on"])
    return None if kind == "new_account" else cast("date | None", case["due_on"])


def in_time(case: Mapping[str, Any], arrival: Arrival) -> bool:
    """期限の内か。届いた日か、消印の日が、期限の日まで（当日を含む）。"""
    due = due_of(case, arrival.kind)
    return due is None or min(arrival.postmark_on or arrival.received_on, arrival.received_on) <= due


def _plan(arrival: Arrival, case: Mapping[str, Any] | None, earlier: Sequence[_Earlier], actor: Actor) -> _Plan:
    for name, word, words in (("種類", arrival.kind, FORM_KINDS), ("届き方", arrival.channel, CHANNELS)):
        if word not in words:
            raise RefusedInput(f"{name}の言葉が違います", code="word", found=word, allowed="、".join(words))
    if arrival.postmark_on is not None and arrival.postmark_on > arrival.received_on:
        raise RefusedInput("消印の日が、収受日より後です", code="postmark")
    if arrival.postmark_on is not None and arrival.received_on - arrival.postmark_on > _LONGEST_MAIL:
        # 年や月の打ち間違いで、期限の後の紙が期限の内になる。
        raise RefusedInput("消印の日が、収受日の 60 日より前です。年と月を確かめてください", code="postmark")
    if case is None:
        raise RefusedByRule(UNKNOWN, code="unknown-case")
    branch = case["branch"] if arrival.branch is None else arrival.branch
    if branch > case["branch"]:
        raise RefusedInput(
            "まだ出していない枝番です", code="branch", found=f"{branch}", allowed=f"{case['branch']} まで"
        )
    if branch < case["branch"]:
        _may_take(actor)
        return _Plan(arrival, case, branch, "old_branch", 0, None)
    same = [row for row in earlier if row.branch == branch and _same(row.kind) == _same(arrival.kind)]
    state = case["state"]
    events = EVENTS_OF[arrival.kind] if state in _ONLY_FROM.get(arrival.kind, {state}) else ()
    event = next((event for event in events if next_state(state, event)), None)
    timely = in_time(case, arrival)
    if event is None and same:
        _may_take(actor)
        return _Plan(arrival, case, branch, "duplicate", 0, None, first_id=same[-1].id)
    if not timely and (event is not None or state == "C28"):
        late = "received_late" if next_state(state, "received_late") else None
        _may_take(actor)
        return _Plan(arrival, case, branch, "late", 0, late)
    if event is None:
        raise RefusedByRule(
            f"「{STATE_WORDS[state].name}」の件に、{FORM_KINDS[arrival.kind]}は受けられません", code="transition"
        )
    allowed(actor, arrival.case_number, state, event)
    rounds = sum(row.branch == branch and row.kind == arrival.kind for row in earlier)
    return _Plan(arrival, case, branch, "taken", rounds + 1, event)


def _same(kind: str) -> str:
    return _SAME.get(kind, kind)


def _may_take(actor: Actor) -> None:
    """状態を進めない紙も、収受の役割の人だけが書く。"""
    allowed(actor, "", "C20", "form_received")


def _write(connection: Connection, plans: Sequence[_Plan], *, actor: Actor, at: datetime) -> list[Taken]:
    if not plans:
        return []
    table = desk.received_form
    rows = [
        {
            "case_number": plan.arrival.case_number,
            "branch": plan.branch,
            "kind": plan.arrival.kind,
            "channel": plan.arrival.channel,
            "received_on": plan.arrival.received_on,
            "postmark_on": plan.arrival.postmark_on,
            "box": plan.arrival.box,
            "standing": plan.standing,
            "round": plan.round,
            "first_id": plan.first_id,
            "note": plan.arrival.note,
            "received_by": actor.id,
            "at": at,
        }
        for plan in plans
    ]
    ids = connection.execute(table.insert().returning(table.c.id, sort_by_parameter_order=True), rows).scalars().all()
    moves, taken = [], []
    for plan, form_id in zip(plans, ids, strict=True):
        number, state = plan.arrival.case_number, plan.case["state"]
        if plan.event is not None:
            # 補正は、はじめの収受日を変えない。期限の後の紙は、収受日にならない。
            dated = plan.standing == "taken" and plan.arrival.kind != "correction"
            values = {"received_on": plan.arrival.received_on} if dated else None
            reason = f"{FORM_KINDS[plan.arrival.kind]}（{CHANNELS[plan.arrival.channel]}）"
            moves.append(Move(number, state, plan.event, reason, f"received_form:{form_id}", values))
            state = next_state(state, plan.event) or state
        taken.append(Taken(form_id, number, plan.standing, state, plan.first_id))
    advance(connection, moves, actor=actor, at=at, reason="収受")
    counts = Counter(plan.standing for plan in plans)
    audit.record(
        connection,
        desk.audit_log,
        at=at,
        actor=actor,
        action="form.receive",
        subject=plans[0].arrival.case_number if len(plans) == 1 else "",
        detail={STANDINGS[standing]: count for standing, count in counts.items()},
    )
    return taken
