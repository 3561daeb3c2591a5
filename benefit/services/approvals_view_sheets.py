"""種類と番号から、承認の一枚を作り、承認する。どの種類も同じ道を通る。"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection

from benefit.domain.access import Actor
from benefit.domain.clock import Clock
from benefit.domain.errors import RefusedByRule, WrongUse
from benefit.services import (
    approvals_view_builds,
    approvals_view_facts,
    approvals_view_handovers,
    approvals_view_transfers,
    bank_master,
    transfers,
)
from benefit.services.approvals_view import KIND_NAMES, Sheet, Table, digest_of
from benefit.services.approvals_view_kinds import KINDS, row_of, says, yen
from benefit.services.home import Home
from benefit.store.engine import in_turn, reading

CHANGED = "見ている間に、中身が変わりました。新しい中身を見てから、もう一度承認してください"


def sheet(home: Home, kind: str, number: int) -> Sheet:
    """一枚。なければ WrongUse。"""
    if kind == "build":
        return approvals_view_builds.sheet(home, number)
    if kind == "transfer":
        return approvals_view_transfers.sheet(home, number)
    if kind == "handover":
        return approvals_view_handovers.sheet(home, number)
    if kind not in KINDS:
        raise WrongUse("承認の種類が違います", found=kind, allowed="、".join(KIND_NAMES))
    with reading(home.ward) as connection:
        return _generic(connection, home, kind, number)


def _generic(connection: Connection, home: Home, name: str, number: int) -> Sheet:
    kind, row = KINDS[name], row_of(connection, name, number)
    if row is None:
        raise WrongUse(f"{kind.name}の申し出 {number} はありません", code="no-request")
    facts, tables = approvals_view_facts.facts(connection, home, name, row)
    approved = row["approved_by"]
    return Sheet(
        kind=name,
        number=number,
        what=says(connection, name, row),
        asked_by=row["asked_by"],
        asked_at=row["asked_at"],
        reason=row["reason"],
        count=int(row.get("line_count") or 1),
        total_yen=yen(connection, name, row),
        facts=facts,
        tables=[Table(title, frame) for title, frame in tables],
        effect=kind.effect,
        until=kind.until,
        digest=digest_of([name, number, row["reason"], facts, [frame.to_dicts() for _title, frame in tables]]),
        approvers=(approved,) if approved else (),
        closed=f"{approved} が承認しました" if approved else "",
    )


def approve(home: Home, seen: Sheet, *, reason: str, actor: Actor, clock: Clock) -> None:
    """見た一枚を承認する。指紋が変わっていないことは、書くトランザクションの中で `unchanged` が確かめる。"""
    why = seen.refusal(actor)
    if why:
        raise RefusedByRule(why, code="not-yours")
    if seen.kind == "build":
        approvals_view_builds.approve(home, seen.number, digest=seen.digest, reason=reason, actor=actor, clock=clock)
    elif seen.kind == "transfer":
        master, programme = bank_master.in_use(home), home.programme(seen.programme)
        transfers.approve(home, programme, seen.number, bank_master=master, actor=actor, clock=clock)
    elif seen.kind == "handover":
        approvals_view_handovers.approve(home, seen.number, actor=actor, clock=clock)
    else:
        with reading(home.ward) as connection:
            row = row_of(connection, seen.kind, seen.number)
        assert row is not None
        KINDS[seen.kind].approve(home, row, actor, clock)


def unchanged(home: Home, kind: str, number: int, digest: str) -> Callable[[Connection], None]:
    """書く直前に、同じトランザクションで、見た指紋といまが同じかを確かめる仕事を返す。

    判定・振込・受渡は、承認の仕事そのものが指紋を確かめる（runs.approve、transfers.check_file と台帳の外部キーなど）。
    """

    def check(connection: Connection) -> None:
        if kind in KINDS:
            in_turn(connection, KINDS[kind].turn)
            if _generic(connection, home, kind, number).digest != digest:
                raise RefusedByRule(CHANGED, code="changed")

    return check
