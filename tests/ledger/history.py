"""歴史の検査: 書き足すだけの仕訳から、slot ごとに何が起きたかを並べ直し、許された道だけを通ったかを見る。

サービスの言うことも、支払の今の状態も信じない。仕訳の並びだけから、その時々に生きていた支払を数える。
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from benefit.store import ward

#: 支払一つの、仕訳の進み方（初めから終わりまで）。返還と戻入は、終わった後に続く。
NEXT: dict[str | None, tuple[str, ...]] = {
    None: ("file",),
    "file": ("unfile", "credit", "fail"),
    "credit": ("uncredit", "claim_back"),
    "unfile": ("drop",),
    "fail": ("reverse",),
    "uncredit": ("reverse",),
    "claim_back": ("repaid", "uncredit"),
    "repaid": ("repaid",),
}
#: 最後の仕訳から分かる、支払の状態。
STATES = {
    "file": {"F40", "F41"},
    "unfile": {"F49"},
    "drop": {"F49"},
    "credit": {"F42"},
    "fail": {"F43"},
    "uncredit": {"F43"},
    "reverse": {"F43"},
    "claim_back": {"F42"},
    "repaid": {"F42", "F48"},
}
#: 未払を立てる仕訳。作る時に、file と一緒に載る（順は問わない）。
OPENINGS = {"decide", "retry", "accept"}
_CLOSES = {"unfile", "fail", "uncredit"}


@dataclass
class History:
    """見つけた違反と、slot ごとの数。"""

    wrong: list[str] = field(default_factory=list)
    paid: dict[str, int] = field(default_factory=dict)
    live: dict[str, int] = field(default_factory=dict)
    balances: dict[str, int] = field(default_factory=dict)


def read(connection: sa.Connection) -> History:
    """台帳の歴史を読み、違反を並べる。"""
    payment, posting = ward.payment, ward.posting
    payments = {row["id"]: dict(row) for row in connection.execute(payment.select()).mappings()}
    postings = [dict(row) for row in connection.execute(posting.select().order_by(posting.c.id)).mappings()]
    rights = {
        row.id: row for row in connection.execute(sa.select(ward.entitlement.c.id, ward.entitlement.c.amount_yen))
    }
    released = set(
        connection.execute(
            sa.select(ward.transfer_line.c.payment_id).join(
                ward.transfer_release, ward.transfer_release.c.transfer_id == ward.transfer_line.c.transfer_id
            )
        ).scalars()
    )
    found = History()
    _walk(payments, postings, found)
    _states(payments, postings, released, found)
    _whole(payments, rights, found)
    _balance(payments, postings, found)
    return found


def _walk(payments: dict[int, dict[str, Any]], postings: Iterable[dict[str, Any]], found: History) -> None:
    """仕訳を古い順に歩く。どの時も、slot に生きた支払は一つまで。払った回数も、戻った分を引いて一つまで。"""
    alive: dict[str, set[int]] = defaultdict(set)
    paid: dict[str, set[int]] = defaultdict(set)
    repaid: dict[int, int] = defaultdict(int)
    last: dict[int, str] = {}
    for row in postings:
        number = row["payment_id"]
        slot = payments[number]["slot"]
        if row["kind"] in OPENINGS:
            continue
        if row["kind"] not in NEXT.get(last.get(number), ()):
            found.wrong.append(f"支払 {number}: {last.get(number)} の次に {row['kind']} は来ない")
        last[number] = row["kind"]
        if row["amount_yen"] != payments[number]["amount_yen"] and row["kind"] not in {"claim_back", "repaid"}:
            found.wrong.append(f"支払 {number}: {row['kind']} の額が支払と違う")
        if row["kind"] == "file":
            alive[slot].add(number)
        elif row["kind"] in _CLOSES:
            alive[slot].discard(number)
            paid[slot].discard(number)
        elif row["kind"] == "credit":
            paid[slot].add(number)
        elif row["kind"] == "repaid":
            # 全額が返ってきたら、払っていないのと同じである。
            repaid[number] += row["amount_yen"]
            if repaid[number] >= payments[number]["amount_yen"]:
                alive[slot].discard(number)
                paid[slot].discard(number)
        if len(alive[slot]) > 1:
            found.wrong.append(f"{slot}: 生きた支払が {len(alive[slot])} つ同時にある（仕訳 {row['id']}）")
        if len(paid[slot]) > 1:
            found.wrong.append(f"{slot}: 二度払った（仕訳 {row['id']}）")
    found.live = {slot: len(one) for slot, one in alive.items() if one}
    found.paid = {slot: len(one) for slot, one in paid.items() if one}


def _states(
    payments: dict[int, dict[str, Any]], postings: Iterable[dict[str, Any]], released: set[int], found: History
) -> None:
    """支払の今の状態が、仕訳の終わりと送り出しの記録から言えるものと同じ。"""
    last = {row["payment_id"]: row["kind"] for row in postings if row["kind"] not in OPENINGS}
    for number, row in payments.items():
        allowed = STATES.get(last.get(number, ""), set())
        if row["state"] not in allowed:
            found.wrong.append(f"支払 {number}: 仕訳は {last.get(number)} で終わるのに、状態は {row['state']}")
        if (row["state"] in {"F41", "F42", "F43", "F48"}) != (number in released):
            found.wrong.append(f"支払 {number}: 状態 {row['state']} と、送り出しの記録が合わない")


def _whole(payments: dict[int, dict[str, Any]], rights: dict[int, Any], found: History) -> None:
    """回の番号は 1 から続き、額は権利の額である。"""
    attempts: dict[str, list[int]] = defaultdict(list)
    for row in payments.values():
        attempts[row["slot"]].append(row["attempt"])
        right = rights.get(row["entitlement_id"])
        if right is not None and right.amount_yen != row["amount_yen"]:
            found.wrong.append(f"支払 {row['id']}: 権利の額と違う")
    for slot, numbers in attempts.items():
        if sorted(numbers) != list(range(1, len(numbers) + 1)):
            found.wrong.append(f"{slot}: 回の番号が続いていない {sorted(numbers)}")


def _balance(payments: dict[int, dict[str, Any]], postings: Iterable[dict[str, Any]], found: History) -> None:
    """勘定の和は 0、振込中は生きて送った途中の額、支給済は払った額。"""
    totals: dict[str, int] = defaultdict(int)
    for row in postings:
        totals[row["debit"]] += row["amount_yen"]
        totals[row["credit"]] -= row["amount_yen"]
    found.balances = dict(totals)
    if sum(totals.values()):
        found.wrong.append(f"勘定の和が 0 でない: {sum(totals.values())}")
    moving = sum(row["amount_yen"] for row in payments.values() if row["state"] in {"F40", "F41"})
    if totals["振込中"] != moving:
        found.wrong.append(f"振込中 {totals['振込中']} が、途中の支払 {moving} と違う")
    credited = sum(row["amount_yen"] for row in payments.values() if row["state"] in {"F42", "F48"})
    if totals["支給済"] + totals["返還債権"] + totals["返還"] != credited:
        found.wrong.append(f"支給済・返還 {totals['支給済']} が、振込済の支払 {credited} と違う")
    for name in ("未払", "振込不能"):
        if totals[name] < 0:
            found.wrong.append(f"{name} が負になった: {totals[name]}")
