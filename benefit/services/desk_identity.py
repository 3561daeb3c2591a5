"""本人確認: 聞いたことを打ち、台帳と合うかどうかだけを答える。足りるまで、件の中身は出ない（画面の指針 15）。

何に合い、何に合わなかったかは残る。打たれた言葉は残さない。合わない試みが一日に 5 回あった件は、その日は電話で話さない
（生年月日を当て続けて件を開くことはできない）。
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select

from benefit.domain.access import Actor
from benefit.domain.call import CALLERS, DEATH, PAPERS, QUESTIONS, TYPED, Requirement, requirement
from benefit.domain.errors import RefusedByRule, RefusedInput
from benefit.domain.typed import birth_key, read_keys, same_address
from benefit.services import desk_calls
from benefit.services.desk_calls import Call
from benefit.services.desk_lookup import TO_WARD, Found
from benefit.store import audit, desk
from benefit.store.engine import in_turn

#: 一つの件で、一日に許す合わない試み（電話をまたいで、誰の試みも合わせて数える）。
MISSES = 5
_DAY = timedelta(days=1)
#: 検索で打って当たったことは、もう聞いたことである。
PROVED_BY = {"number": frozenset({"number"}), "name": frozenset({"name", "birth"})}


@dataclass(frozen=True)
class Standing:
    """この電話の、この件の本人確認。`matched` は合った問い、`required` は要る問い（None は電話では話さない）。"""

    caller: str
    matched: frozenset[str]
    missed: frozenset[str]
    required: Requirement | None
    complete: bool

    @property
    def tells(self) -> bool:
        """件の中身を話してよいか。"""
        return self.complete and self.required is not None and self.required.tells

    @property
    def acts(self) -> bool:
        """受け取る人の意思にかかわること（辞退、再発行、口座）を、電話で受けてよいか。"""
        return self.complete and not self.still_needed and self.required is not None and self.required.acts

    @property
    def still_needed(self) -> tuple[str, ...]:
        """手続きを電話で受けるために、まだ合っていない問い。受けない相手なら空。"""
        if self.required is None or not self.required.acts:
            return ()
        return tuple(code for code in QUESTIONS if code in self.required.acts_need - self.matched)


def open_found(connection: Connection, found: Found, *, call: Call, actor: Actor, at: datetime) -> None:
    """一件だけ当たった検索のその一件を開く。"""
    number = found.hits[0].case_number
    open_case(connection, number, proved=PROVED_BY[found.by], call=call, actor=actor, at=at)


def open_case(
    connection: Connection, case_number: str, *, proved: Collection[str], call: Call, actor: Actor, at: datetime
) -> None:
    """この電話で、この件を開く。`proved` は検索で打って当たった問い。書類を見ている人は、確かめてある。"""
    desk_calls.open_case(connection, actor, case_number)
    # 開いたことは、検索のログの行がもう言っている。
    who = "family" if call.purpose == DEATH else "self"
    _write(connection, call, case_number, who, proved, (), call.purpose == PAPERS, actor, at)


def standing(connection: Connection, call: Call, caller: str = "") -> Standing:
    """ここまでの本人確認。`caller` を変えると、同じ答えを別の相手として見直す（印の付けた問いは、聞き直す）。"""
    table = desk.identity_check
    query = (
        select(table.c.caller, table.c.matched, table.c.missed)
        .where(table.c.call_id == call.id, table.c.case_number == call.case_number)
        .order_by(table.c.id)
    )
    rows = connection.execute(query).all()
    who = caller or (rows[-1].caller if rows else "self")
    required = requirement(call.purpose, who)
    # 打って照らしたことは、相手が代わっても合ったままである。印は、その相手に聞いたときだけ。
    matched = frozenset(
        code for row in rows for code in row.matched.split() if code in TYPED or code == "name" or row.caller == who
    )
    missed = frozenset(rows[-1].missed.split()) if rows else frozenset()
    return Standing(who, matched, missed - matched, required, bool(rows) and _met(required, matched))


def check(
    connection: Connection,
    *,
    call: Call,
    caller: str,
    ticked: Collection[str],
    typed: Mapping[str, str],
    actor: Actor,
    at: datetime,
) -> Standing:
    """聞いたことを照らし、残す。`ticked` は印を付けた問い、`typed` は問い → 聞いたとおりの言葉。

    Raises:
        RefusedInput: 相手か問いの言葉が違う。
        RefusedByRule: 件が開いていない、合わない試みが多すぎる。
    """
    if caller not in CALLERS:
        raise RefusedInput("電話の相手を選んでください", code="caller", allowed="、".join(CALLERS.values()))
    if not call.case_number:
        raise RefusedByRule("先に件を開いてください", code="no-case")
    table = desk.benefit_case
    case = (
        connection.execute(
            select(table.c.birth, table.c.address, table.c.case_number).where(table.c.case_number == call.case_number)
        )
        .mappings()
        .first()
    )
    # 同じ件を並んで当てる試みも、一つずつ数える。
    in_turn(connection, f"identity|{call.case_number}")
    if case is None or _misses(connection, call.case_number, at) >= MISSES:
        raise RefusedByRule(TO_WARD, code="identity-closed")
    before = standing(connection, call, caller)
    # 聞かない問いは照らさない（相手を選び直したときに残っていた言葉を、合わない試みに数えない）。
    asked = before.required.asked if before.required else ()
    given = {code: words for code, words in typed.items() if code in TYPED and code in asked and words.strip()}
    right = {code for code, words in given.items() if _agrees(dict(case), code, words)}
    marks = {code for code in ticked if code in QUESTIONS and code not in TYPED}
    missed = set(given) - right
    matched = before.matched | right | marks
    complete = _met(before.required, matched)
    _write(connection, call, call.case_number, caller, right | marks, missed, complete, actor, at)
    audit.record(
        connection,
        desk.audit_log,
        at=at,
        actor=actor,
        action="case.identity",
        subject=call.case_number,
        reason=call.purpose,
        detail={
            "call": call.reference,
            "caller": caller,
            "matched": _ordered(matched),
            "missed": _ordered(missed),
            "complete": complete,
        },
    )
    return Standing(caller, matched, frozenset(missed), before.required, complete)


def _met(required: Requirement | None, matched: frozenset[str]) -> bool:
    return required is not None and required.met(matched)


def _agrees(case: Mapping[str, Any], code: str, words: str) -> bool:
    if code == "birth":
        return birth_key(words) == str(case["birth"])
    if code == "address":
        return same_address(case["address"], words)
    return read_keys(case_number=words).case_number == str(case["case_number"])


def _misses(connection: Connection, case_number: str, at: datetime) -> int:
    table = desk.identity_check
    query = select(func.count()).where(table.c.case_number == case_number, table.c.missed != "", table.c.at > at - _DAY)
    return int(connection.execute(query).scalar_one())


def _write(
    connection: Connection,
    call: Call,
    case_number: str,
    caller: str,
    matched: Collection[str],
    missed: Collection[str],
    complete: bool,  # 表の列をそのまま渡す
    actor: Actor,
    at: datetime,
) -> None:
    connection.execute(
        desk.identity_check.insert().values(
            call_id=call.id,
            case_number=case_number,
            caller=caller,
            matched=_ordered(matched),
            missed=_ordered(missed),
            complete=complete,
            staff_id=actor.id,
            at=at,
        )
    )


def _ordered(codes: Collection[str]) -> str:
    return " ".join(code for code in QUESTIONS if code in codes)
