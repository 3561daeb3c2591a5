"""申し出と別の人の承認で効くもの（two_people）の、種類ごとの表と承認の仕方。見せることは approvals_view_facts。"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, select

from benefit.domain.access import Actor
from benefit.domain.clock import Clock
from benefit.services import (
    collection_moves,
    endings,
    failure_answers,
    failure_matches,
    holds,
    recalls,
    reissue,
    repayments,
    undo_plan,
)
from benefit.services.home import Home
from benefit.store import ward

Row = Mapping[str, Any]
Approve = Callable[[Home, Row, Actor, Clock], object]


@dataclass(frozen=True)
class Kind:
    """一つの種類。`turn` は、書く前に並ぶ列の名（store.engine.in_turn）。"""

    name: str
    asked: Table
    approval: Table
    turn: str
    effect: str
    until: str
    approve: Approve


def _programme_of(home: Home, row: Row) -> Any:
    entitlement = ward.entitlement
    with home.ward.connect() as connection:
        name = connection.execute(
            select(entitlement.c.programme).where(entitlement.c.id == row["entitlement_id"])
        ).scalar_one()
    return home.programme(name)


KINDS: dict[str, Kind] = {
    "hold": Kind(
        "保留の解除",
        ward.hold_release,
        ward.hold_release_approval,
        "holds",
        "次の支給判定で、この検査では保留になりません。ほかの検査は、いつもどおりかかります",
        "判定し直して振込ファイルを送り出すまで。額か口座が変われば、この解除は自然に効かなくなります",
        lambda home, row, actor, clock: holds.approve(home, row["id"], actor=actor, clock=clock),
    ),
    "reissue": Kind(
        "手紙の出し直し",
        ward.reissue_request,
        ward.reissue_request_approval,
        "money",
        "枝番が一つ進み、前の支給可の判定では払えなくなります。新しい手紙を作ります",
        "取り消せません。間違えたときは、もう一度出し直します",
        lambda home, row, actor, clock: reissue.approve(
            home, _programme_of(home, row), row["id"], actor=actor, clock=clock
        ),
    ),
    "recall": Kind(
        "組戻しの依頼",
        ward.recall,
        ward.recall_approval,
        "money",
        "銀行へ渡す組戻依頼一覧ができ、受渡管理簿に載ります",
        "一覧を銀行へ渡すまで。渡した後は、銀行への連絡が要ります",
        lambda home, row, actor, clock: recalls.approve(
            home, row["id"], out=home.outbox / "recalls", actor=actor, clock=clock
        ),
    ),
    "ending": Kind(
        "権利の終わり",
        ward.ending,
        ward.ending_approval,
        "money",
        "この権利は終わり、残っていたお金は予算に戻ります",
        "取り消せません。終わった権利には、もう払えません",
        lambda home, row, actor, clock: endings.approve(home, row["id"], actor=actor, clock=clock),
    ),
    "repayment": Kind(
        "返還の請求",
        ward.repayment,
        ward.repayment_approval,
        "money",
        "この額が返還債権になり、返還請求書と納付書を作れます",
        "取り消せません",
        lambda home, row, actor, clock: repayments.approve(home, row["id"], actor=actor, clock=clock),
    ),
    "undo": Kind(
        "取消の計画",
        ward.undo_plan,
        ward.undo_plan_approval,
        "money",
        "この計画のとおりに行える（benefit undo carry-out）ようになります。承認だけでは、お金は動きません",
        "行うまで。事実が変われば、計画し直しになります",
        lambda home, row, actor, clock: undo_plan.approve(home, row["id"], actor=actor, clock=clock),
    ),
    "failure_answer": Kind(
        "振込不能の回答",
        ward.failure_answer,
        ward.failure_answer_approval,
        "money",
        "再振込なら次の振込ファイルに入り、戻入なら預かったお金を返して終わります",
        "再振込は送り出すまで。戻入は取り消せません",
        lambda home, row, actor, clock: failure_answers.approve(home, row["id"], actor=actor, clock=clock),
    ),
    "report_match": Kind(
        "銀行の行の結び付け",
        ward.report_match,
        ward.report_match_approval,
        "money",
        "銀行の行が支払に結ばれ、支払の状態が進みます",
        "取り消せません",
        lambda home, row, actor, clock: failure_matches.approve(home, row["id"], actor=actor, clock=clock),
    ),
    "collection_move": Kind(
        "消込の変更",
        ward.collection_move,
        ward.collection_move_approval,
        "collections",
        "消込を導き直します",
        "新しい申し出で、また変えられます",
        lambda home, row, actor, clock: collection_moves.approve(home, row["id"], actor=actor, clock=clock),
    ),
}


def row_of(connection: Connection, name: str, number: int) -> dict[str, Any] | None:
    """申し出の行と、承認した人（approved_by。まだなら None）。"""
    kind = KINDS[name]
    found = (
        connection.execute(
            select(kind.asked, kind.approval.c.approved_by)
            .outerjoin(kind.approval, kind.approval.c.release_id == kind.asked.c.id)
            .where(kind.asked.c.id == number)
        )
        .mappings()
        .first()
    )
    return dict(found) if found else None


def open_rows(connection: Connection, name: str) -> list[dict[str, Any]]:
    """まだ承認されていない申し出。"""
    kind = KINDS[name]
    query = (
        select(kind.asked)
        .outerjoin(kind.approval, kind.approval.c.release_id == kind.asked.c.id)
        .where(kind.approval.c.release_id.is_(None))
        .order_by(kind.asked.c.id)
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def right_of(connection: Connection, entitlement_id: int) -> Row:
    """支給権利一つ。"""
    table = ward.entitlement
    return dict(connection.execute(select(table).where(table.c.id == entitlement_id)).mappings().one())


def payment_of(connection: Connection, payment_id: int) -> Row:
    """支払一つ。"""
    table = ward.payment
    return dict(connection.execute(select(table).where(table.c.id == payment_id)).mappings().one())


def says(connection: Connection, name: str, row: Row) -> str:
    """一覧の一行: 何を。給付管理番号は一覧に出さない（開いた人の記録が残る一枚にだけ出す）。"""
    told = {
        "hold": lambda: f"{row['check_id']} の保留の解除",
        "reissue": lambda: f"枝番 {row['branch']} の手紙の出し直し",
        "recall": lambda: f"振込 {row['transfer_id']} の組戻し",
        "ending": lambda: f"権利を「{row['kind']}」で終える",
        "repayment": lambda: f"返還の請求（{row['cause']}）",
        "undo": lambda: f"取消の計画（{row['programme']}）",
        "failure_answer": lambda: f"不能 {row['failure_id']} の回答「{row['kind']}」",
        "report_match": lambda: f"銀行の行 {row['bank_report_id']}-{row['line_number']} を支払に結ぶ",
        "collection_move": lambda: f"収納の「{row['kind']}」",
    }
    return told[name]()


def yen(connection: Connection, name: str, row: Row) -> int | None:
    """動く額。"""
    if row.get("total_yen") is not None:
        return int(row["total_yen"])
    if row.get("amount_yen") is not None:
        return int(row["amount_yen"])
    if row.get("entitlement_id") is not None:
        return int(right_of(connection, row["entitlement_id"])["amount_yen"])
    if row.get("failure_id") is not None:
        table = ward.failure
        return int(connection.execute(select(table.c.amount_yen).where(table.c.id == row["failure_id"])).scalar_one())
    return int(payment_of(connection, row["payment_id"])["amount_yen"]) if row.get("payment_id") is not None else None
