"""権利の終わり（不支給・辞退・契約不成立）。申し出た人ではない人の承認で終わり、残っていたお金は予算へ戻る。

最後の支払が振込不能なら戻入（reverse）、取り消した支払なら予算へ（drop）、支払がなければ仕訳はない。
生きた支払（作成済・送付済・振込済）のある権利は終わらせない。先に取消・組戻し・返還をする。
"""

from __future__ import annotations

from typing import Any

import polars as pl
from sqlalchemy import Connection, select

from benefit.domain.access import Actor
from benefit.domain.clock import Clock
from benefit.domain.errors import RefusedByRule, WrongUse
from benefit.domain.transfer import ENDING_KINDS
from benefit.services import two_people
from benefit.services.home import Home
from benefit.services.returns import Case, balance, case_of, entry, is_ended, refuse_live
from benefit.store import audit, ward
from benefit.store.engine import in_turn, reading
from benefit.store.frames import fetch

#: 最後の支払の状態 → (終わるときの仕訳, お金の残っている勘定)。
CLOSING = {"F43": ("reverse", "振込不能"), "F49": ("drop", "未払")}


def ask(home: Home, case_number: str, kind: str, *, reason: str, actor: Actor, clock: Clock) -> int:
    """この権利を終わらせることを申し出る。申し出の番号を返す。"""
    if kind not in ENDING_KINDS:
        raise WrongUse("終わり方の言葉が違います", found=kind, allowed="、".join(ENDING_KINDS))
    reason = two_people.need_reason(reason)
    with home.ward.begin() as connection:
        in_turn(connection, "money")
        case = case_of(connection, case_number)
        _refuse(connection, case)
        return two_people.ask(
            connection, ward.ending, {"entitlement_id": case.entitlement["id"], "kind": kind},
            action="ending.ask", subject=case_number, reason=reason, detail={"kind": kind}, actor=actor, clock=clock,
        )  # fmt: skip


def approve(home: Home, number: int, *, actor: Actor, clock: Clock) -> tuple[str, int]:
    """終わりを承認する。(給付管理番号, 予算へ戻った額) を返す。申し出の後に払われていたら断る。"""
    ending, entitlement = ward.ending, ward.entitlement
    with home.ward.begin() as connection:
        in_turn(connection, "money")
        asked = two_people.approve(
            connection, ending, ward.ending_approval, number, what="権利の終わり", actor=actor, clock=clock
        )
        case_number: str = connection.execute(
            select(entitlement.c.case_number).where(entitlement.c.id == asked["entitlement_id"])
        ).scalar_one()
        case = case_of(connection, case_number)
        _refuse(connection, case, but=number)
        now = clock()
        rows = closing(connection, case, now)
        if rows:
            connection.execute(ward.posting.insert(), rows)
        audit.record(
            connection, ward.audit_log, at=now, actor=actor, action="ending.approve", subject=case_number,
            reason=asked["reason"], detail={"kind": asked["kind"], "ending": number},
        )  # fmt: skip
    return case_number, sum(row["amount_yen"] for row in rows)


def _refuse(connection: Connection, case: Case, *, but: int = 0) -> None:
    if is_ended(connection, case.entitlement["id"], but=but):
        raise RefusedByRule(
            f"給付管理番号 {case.entitlement['case_number']} の権利は、もう終わっています", code="ended"
        )
    refuse_live(case)


def closing(connection: Connection, case: Case, at: Any) -> list[dict[str, Any]]:
    """終わるときに立てる仕訳。残っているお金がなければ空。"""
    if case.payment is None or case.payment["state"] not in CLOSING:
        return []
    kind, account = CLOSING[case.payment["state"]]
    identity = case.entitlement["id"]
    left = balance(connection, account, entitlement_id=identity)
    return [entry(kind, identity, case.payment["id"], left, at)] if left else []


def listed(home: Home) -> pl.DataFrame:
    """終わりの申し出と承認の一覧。"""
    ending, approval, entitlement = ward.ending, ward.ending_approval, ward.entitlement
    query = (
        select(
            ending.c.id,
            entitlement.c.case_number,
            ending.c.kind,
            entitlement.c.amount_yen,
            ending.c.reason,
            ending.c.asked_by,
            approval.c.approved_by,
        )
        .join(entitlement, entitlement.c.id == ending.c.entitlement_id)
        .join(approval, approval.c.release_id == ending.c.id, isouter=True)
        .order_by(ending.c.id)
    )
    schema = {
        "番号": pl.Int64,
        "給付管理番号": pl.String,
        "終わり方": pl.String,
        "支給額": pl.Int64,
        "理由": pl.String,
        "申し出": pl.String,
        "承認": pl.String,
    }
    with reading(home.ward) as connection:
        return fetch(connection, query, schema)
