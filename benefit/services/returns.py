"""お金を戻す仕事（組戻し・権利の終わり・返還・取消の計画）が分け合うもの: 権利と支払のいま、台帳の残り、仕訳。"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, func, select, union_all

from benefit.domain.errors import RefusedByRule, WrongUse
from benefit.services.transfer_lines import posting_row
from benefit.store import ward


@dataclass(frozen=True)
class Case:
    """一つの支給権利と、その最後の支払（なければ null）。"""

    entitlement: RowMapping
    payment: RowMapping | None
    transfer_id: int | None

    @property
    def state(self) -> str | None:
        """最後の支払の状態。"""
        return self.payment["state"] if self.payment else None


def case_of(connection: Connection, case_number: str) -> Case:
    """給付管理番号の権利と最後の支払。なければ WrongUse。"""
    entitlement, payment, line = ward.entitlement, ward.payment, ward.transfer_line
    row = connection.execute(select(entitlement).where(entitlement.c.case_number == case_number)).mappings().first()
    if row is None:
        raise WrongUse(f"給付管理番号 {case_number} の支給権利はありません", code="no-case")
    last = (
        connection.execute(
            select(payment).where(payment.c.entitlement_id == row["id"]).order_by(payment.c.attempt.desc()).limit(1)
        )
        .mappings()
        .first()
    )
    number = (
        connection.execute(select(line.c.transfer_id).where(line.c.payment_id == last["id"])).scalar() if last else None
    )
    return Case(row, last, number)


def balance(connection: Connection, account: str, *, entitlement_id: int) -> int:
    """この権利の、この勘定の残り（借方 − 貸方）。"""
    table = ward.posting
    sides = union_all(
        select(table.c.amount_yen.label("yen")).where(
            table.c.entitlement_id == entitlement_id, table.c.debit == account
        ),
        select((-table.c.amount_yen).label("yen")).where(
            table.c.entitlement_id == entitlement_id, table.c.credit == account
        ),
    ).subquery()
    return int(connection.execute(select(func.coalesce(func.sum(sides.c.yen), 0))).scalar_one())


def entry(
    kind: str, entitlement_id: int, payment_id: int, amount_yen: int, at: Any, *, reference: str = ""
) -> dict[str, Any]:
    """仕訳一行。`reference` は、返還の請求と入金の番号。"""
    return {**posting_row(kind, entitlement_id, payment_id, amount_yen, at), "reference": reference}


def is_ended(connection: Connection, entitlement_id: int, *, but: int = 0) -> bool:
    """二人の職員が終わらせた権利か（申し出 `but` を除く）。"""
    ending, approval = ward.ending, ward.ending_approval
    query = (
        select(ending.c.id)
        .join(approval, approval.c.release_id == ending.c.id)
        .where(ending.c.entitlement_id == entitlement_id, ending.c.id != but)
    )
    return connection.execute(query).first() is not None


def refuse_live(case: Case) -> None:
    """生きた支払のある権利は終わらせない。代わりに何をするかを言う。"""
    number = case.entitlement["case_number"]
    instead = {
        "F40": f"振込 {case.transfer_id} に入っています。"
        f"先に benefit transfer cancel {case.transfer_id} で取り消します",
        "F41": f"振込 {case.transfer_id} で銀行に送っています。先に benefit recall ask {case.transfer_id} "
        f"--case {number} で組戻しを頼みます",
        "F42": f"もう振り込んであります。先に benefit repayment ask {number} で返還を請求します",
    }.get(case.state or "")
    if instead:
        raise RefusedByRule(f"給付管理番号 {number} は、{instead}", code="live-payment")
