"""納税者（調整給付・不足額給付）の答えを動かしうる、事実の違い。円の違いは、答えの変わる一番小さい額を探して言う。"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benefit.second.taxpayer import income_tax_yen
from benefit.services.explain_moves import Move, lives
from benefit.services.explain_nearby import Answered, Fact, Nearby

#: 合計所得などを増やす向きに探す上限（円）。
_FAR_YEN = 10**10


class _Values:
    """納税者の行の、円の値を変えた違い。"""

    def __init__(self, near: Nearby) -> None:
        self.near = near
        self.adjusts = near.programme.adjustment is not None
        self.kind = "taxes" if self.adjusts else "shortfall"
        rows = near.ward.taxes if self.adjusts else near.ward.shortfalls
        self.row: Any = rows[near.number]
        self.line: int = self.row["line"]

    def fact(self, **values: Any) -> Fact:
        return Fact(self.kind, self.near.number, self.line, values)

    @property
    def income_tax_yen(self) -> int | None:
        if self.adjusts:
            assert self.near.programme.adjustment is not None
            return income_tax_yen(self.near.programme.adjustment, self.row)
        found: int | None = self.row["income_tax_yen"]
        return found

    def income_tax(self, yen: int) -> Fact:
        """所得税額がこの額であるという違い（調整給付では、国の算定ツールの答えとして当てる）。"""
        return self.fact(**{"estimated_income_tax_yen" if self.adjusts else "income_tax_yen": yen})

    @property
    def resident_tax_yen(self) -> int | None:
        if self.adjusts:
            return int(self.row["income_levy_ward_yen"] + self.row["income_levy_metro_yen"])
        found: int | None = self.row["resident_tax_yen"]
        return found

    def resident_tax(self, yen: int) -> Fact:
        if not self.adjusts:
            return self.fact(resident_tax_yen=yen)
        # 都の分をなるべくそのままにして、区の分から動かす。
        metro = min(self.row["income_levy_metro_yen"], yen)
        return self.fact(income_levy_ward_yen=yen - metro, income_levy_metro_yen=metro)

    def sized(self) -> list[tuple[str, int, Callable[[int], Fact]]]:
        """額で動く値: 名、いまの額、その額である違い。"""
        found: list[tuple[str, int, Callable[[int], Fact]]] = []
        if self.income_tax_yen is not None:
            found.append(("所得税額", self.income_tax_yen, self.income_tax))
        if self.resident_tax_yen is not None:
            found.append(("減税前の所得割額", self.resident_tax_yen, self.resident_tax))
        if not self.adjusts and self.row["first_decided_by"] != "なし" and self.row["first_required_yen"] is not None:
            first = self.row["first_required_yen"]
            found.append(("当初の所要額", first, lambda yen: self.fact(first_required_yen=yen)))
        return found

    def incomes(self) -> dict[str, str]:
        if self.adjusts:
            return {"total_income_yen": "合計所得金額"}
        return {
            "income_tax_total_income_yen": "令和6年分所得税の合計所得金額",
            "resident_tax_total_income_yen": "令和6年度住民税の合計所得金額",
        }

    def cap_yen(self) -> int:
        terms = self.near.programme.adjustment or self.near.programme.shortfall
        assert terms is not None
        return terms.income_cap_yen


def nearest(changed: Callable[[int], bool], limit: int) -> int | None:
    """`changed(d)` が初めて真になる d（1 ≦ d ≦ limit）。倍々に進み、真になったら二つに分けて絞る。"""
    low, high = 0, 1
    while high < limit and not changed(high):
        low, high = high, high * 2
    high = min(high, limit)
    if high < 1 or not changed(high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if changed(middle) else (middle, high)
    return high


def _sized_move(near: Nearby, name: str, now_yen: int, then_yen: int, fact: Fact) -> Move:
    less = f"{now_yen - then_yen:,} 円少ない" if then_yen < now_yen else f"{then_yen - now_yen:,} 円多い"
    says = f"{name}が {less}（{now_yen:,} 円 → {then_yen:,} 円）"
    way = "少ない" if then_yen < now_yen else "多い"
    return Move((fact,), says, f"{name}が{way}", near.number)


def margins(near: Nearby) -> list[Move]:
    """対象の人の、額が変わる・対象でなくなる一番近い違い。"""
    values, now = _Values(near), near.after()
    moves: list[Move] = []

    def differs(answer: Answered) -> bool:
        return (answer.verdict, answer.benefit, answer.amount_yen) != (now.verdict, now.benefit, now.amount_yen)

    for name, yen, make in values.sized():
        for sign, limit in ((-1, yen), (1, _FAR_YEN)):
            # 税が 0 円になる所だけは、増えた額が 0 に戻ることがある。その手前までを先に探す。
            def changed(step: int, sign: int = sign, yen: int = yen, make: Callable[[int], Fact] = make) -> bool:
                return differs(near.after([make(yen + sign * step)]))

            step = nearest(changed, limit - 1) if limit > 1 else None
            if step is None and limit >= 1 and changed(limit):
                step = limit
            if step is not None:
                moves.append(_sized_move(near, name, yen, yen + sign * step, make(yen + sign * step)))
    for column, name in values.incomes().items():
        income = values.row[column]
        if income is not None and income <= values.cap_yen():
            over = values.cap_yen() + 1
            moves.append(_sized_move(near, name, income, over, values.fact(**{column: over})))
    for column, people in _heads(values).items():
        for step in (-1, 1):
            if values.row[column] + step >= 0:
                fact = values.fact(**{column: values.row[column] + step})
                moves.append(_plain(fact, f"{people}が一人{'少ない' if step < 0 else '多い'}"))
    moves += [_plain(values.fact(**one), says) for one, says in _ending_flags(values)]
    moves.append(_plain(values.fact(died_on=near.programme.base_date), "基準日までに亡くなっている"))
    return [move for move in moves if differs(near.after(move.facts))]


def _plain(fact: Fact, says: str) -> Move:
    return Move((fact,), says, says)


def _heads(values: _Values) -> dict[str, str]:
    if values.adjusts:
        return {"dependants_under_16": "扶養親族（16歳未満）"}
    return {"n_income_tax": "所得税分の人数", "n_resident_tax": "住民税分の人数"}


def _ending_flags(values: _Values) -> list[tuple[dict[str, Any], str]]:
    if values.adjusts:
        return []
    return [
        ({"dependant": True}, "誰かの扶養親族である"),
        ({"low_income_target": True}, "低所得世帯向け給付の対象世帯の人である"),
        ({"family_worker": False}, "専従者でない"),
    ]


def taxpayer_repairs(near: Nearby) -> list[tuple[Move, ...]]:
    """対象に向かう候補の組。額の足りない人には、どの額を動かすかで分けた、いくつかの組。"""
    values = _Values(near)
    base = _fixed_repairs(values)
    flat = [fact for move in base for fact in move.facts]
    if near.after(flat).verdict == "対象":
        return [tuple(base)]
    ways: list[tuple[Move, ...]] = []
    sizes: list[tuple[int, Move]] = []
    for name, yen, make in values.sized():

        def eligible(step: int, yen: int = yen, make: Callable[[int], Fact] = make) -> bool:
            return near.after([*flat, make(yen - step)]).verdict == "対象"

        step = nearest(eligible, yen - 1) if yen > 1 else None
        if step is None and yen >= 1 and eligible(yen):
            step = yen
        if step is not None:
            sizes.append((step, _sized_move(near, name, yen, yen - step, make(yen - step))))
    ways += [(*base, move) for _step, move in sorted(sizes, key=lambda one: one[0])]
    return ways or [tuple(base)]


def _fixed_repairs(values: _Values) -> list[Move]:
    near, row = values.near, values.row
    moves: list[Move] = []
    if row["levy_kind"] not in ("住所", "住登外"):
        moves.append(_plain(values.fact(levy_kind="住所"), "住民税を区が住所地として賦課している"))
    if facts := lives(near, near.number):
        moves.append(Move(facts, "死亡の記録がない", "死亡の記録がない"))
    cap = values.cap_yen()
    for column, name in values.incomes().items():
        if row[column] is not None and row[column] > cap:
            moves.append(_sized_move(near, name, row[column], cap, values.fact(**{column: cap})))
    if values.adjusts:
        if values.resident_tax_yen == 0 and "TAXPAYER" in near.after().reasons.split(";"):
            moves.append(_sized_move(near, "減税前の所得割額", 0, 1, values.resident_tax(1)))
        return moves
    terms = near.programme.shortfall
    assert terms is not None
    if row["income_tax_yen"] is None:
        moves.append(_plain(values.fact(income_tax_yen=0), "令和6年分の所得税額が 0 円と分かる"))
    if row["first_decided_by"] != "なし" and row["first_required_yen"] is None:
        moves.append(_plain(values.fact(first_required_yen=0), "当初の所要額が 0 円と分かる"))
    reasons = near.after().reasons.split(";")
    if "TAXPAYER" in reasons:
        moves.append(_sized_move(near, "減税前の所得割額", row["resident_tax_yen"] or 0, 1, values.resident_tax(1)))
    if row["dependant"]:
        moves.append(_plain(values.fact(dependant=False), "誰の扶養親族でもない"))
    if row["low_income_target"]:
        moves.append(_plain(values.fact(low_income_target=False), "低所得世帯向け給付の対象世帯の人でない"))
    if not row["family_worker"] and "OUTSIDE" in reasons:
        over, now_yen = terms.dependant_income_yen + 1, row["income_tax_total_income_yen"]
        fact = values.fact(income_tax_total_income_yen=over)
        moves.append(_sized_move(near, "令和6年分所得税の合計所得金額", now_yen, over, fact))
    return moves
