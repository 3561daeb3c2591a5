"""口座振替の歴史の性質: どんな順で請求・結果・納付・停止・変更が起きても、二度引き落とさず、速報の後は引き落とさない。

決める規則（`debit_selection.decide`）を、台帳を使わない小さな世界で回す。銀行が引き落としたお金と、ほかの道で納めた
お金は、別の素朴な数え方で数える。
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from benefit.domain.direct_debit import LEFT_OUT, LEFT_SAYS
from benefit.rules.debit_selection import FACTS, WAITING, decide, letters_due

MOST, NO_USE = 2, ("2", "3")
OWED = 1_000


@dataclass
class Debt:
    """一つの調定の、素朴な記録。"""

    settled: int = 0
    promised: int = 0
    kind: str = "開始"
    account: int = 1
    #: 請求した額・口座・コード（None は結果待ち）。
    asked: list[list[Any]] = field(default_factory=list)
    lettered: bool = False

    def facts(self) -> dict[str, Any]:
        last = self.asked[-1] if self.asked else None
        codes = [code for _yen, _account, code in self.asked]
        state = None if last is None else WAITING if last[2] is None else "振替済" if last[2] == "0" else "振替不能"
        return {
            "receivable_id": 1, "due_yen": OWED, "settled_yen": self.settled, "promised_yen": self.promised,
            "due_on": date(2026, 6, 30), "last": state, "failures": sum(code not in (None, "0") for code in codes),
            "last_code": last[2] if last else None, "same_account": bool(last and last[1] == self.account),
            "lettered": self.lettered, "instalments": False, "deceased": False, "kind": self.kind,
            "started_on": date(2026, 4, 1), "account_ok": True, "number_ok": True,
        }  # fmt: skip


def decided(*facts: dict[str, Any]) -> pl.DataFrame:
    return decide(pl.DataFrame(list(facts), schema=FACTS), requests_max=MOST, no_use_codes=NO_USE)


STEPS = st.lists(
    st.one_of(
        st.just(("請求", "")),
        st.tuples(st.just("結果"), st.sampled_from(["0", "1", "2", "9", "E"])),
        st.tuples(st.just("速報"), st.sampled_from(["300", "1000"])),
        st.tuples(st.just("確報"), st.sampled_from(["300", "1000"])),
        st.just(("停止", "")),
        st.just(("開始", "")),
        st.just(("変更", "")),
        st.just(("納付書", "")),
    ),
    max_size=14,
)


@given(STEPS)
@settings(max_examples=120)
def test_nobody_is_debited_twice_or_after_paying(steps: list[tuple[str, str]]) -> None:
    debt = Debt()
    for what, more in steps:
        row = decided(debt.facts()).row(0, named=True)
        paid_before = debt.settled + debt.promised
        match what:
            case "請求" if row["left_out"] is None:
                assert paid_before < OWED, "納めた人に請求した"
                assert row["left_yen"] == OWED - paid_before
                assert debt.kind != "停止"
                assert not debt.lettered
                assert all(code not in (None, "0") for _y, _a, code in debt.asked), "結果待ちか振替済の後に請求した"
                debt.asked.append([row["left_yen"], debt.account, None])
            case "結果" if debt.asked and debt.asked[-1][2] is None:
                debt.asked[-1][2] = more
                if more == "0":
                    debt.settled += debt.asked[-1][0]
            case "速報":
                debt.promised += int(more)
            case "確報":
                debt.settled += int(more)
            case "停止" | "開始":
                debt.kind = what
            case "変更":
                debt.account += 1
            case "納付書" if decided(debt.facts()).filter(letters_due()).height:
                assert debt.settled + debt.promised < OWED, "納めた人に納付書を送る"
                debt.lettered = True
    taken = [yen for yen, _account, code in debt.asked if code == "0"]
    assert len(taken) <= 1, "二度引き落とした"
    requested = sum(yen for yen, _account, _code in debt.asked)
    failed = sum(yen for yen, _account, code in debt.asked if code not in (None, "0"))
    waiting = sum(yen for yen, _account, code in debt.asked if code is None)
    assert requested == sum(taken) + failed + waiting


def test_every_reason_has_its_words_and_is_reached_in_order() -> None:
    """わけの一つずつに、そこで止まる事実がある。上のわけが先に言われる。"""
    debt = Debt().facts()
    worst = {
        "paid": {"settled_yen": OWED},
        "promised": {"promised_yen": OWED},
        "waiting": {"last": WAITING},
        "debited": {"last": "振替済"},
        "letter": {"lettered": True},
        "attempts": {"failures": MOST},
        "no_use": {"last": "振替不能", "last_code": "2", "same_account": True},
        "instalments": {"instalments": True},
        "deceased": {"deceased": True},
        "stopped": {"kind": "停止"},
        "before_start": {"started_on": date(2026, 7, 1)},
        "bad_account": {"account_ok": False},
        "bad_number": {"number_ok": False},
    }
    assert list(worst) == [one.code for one in LEFT_OUT] == list(LEFT_SAYS)
    assert decided(*(debt | more for more in worst.values()))["left_out"].to_list() == list(worst)
    everything = debt
    for code in reversed(worst):
        if code in ("waiting", "debited", "no_use"):
            continue
        everything = everything | worst[code]
        assert decided(everything)["left_out"].to_list() == [code]
    assert decided(debt)["left_out"].to_list() == [None]
