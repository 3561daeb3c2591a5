"""人が決める入金: 候補を見て、一人が申し出て、別の人が承認する。承認されるまで、一円も動かない。"""

from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl
import pytest

from benefit.domain.collection import Channel
from benefit.domain.errors import RefusedByRule, WrongUse
from benefit.services import bank_credits, collection_balance, collection_moves
from benefit.services.home import Home
from tests.collection.conftest import APPROVER, CLERK, OTHER, accounts
from tests.collection.test_collections import key, register, take
from tests.conftest import StepClock


def waiting(home: Home) -> list[tuple[str, int, str]]:
    return collection_moves.queue(home).select("why", "yen", "candidates").rows()


def event_of(home: Home, why: str) -> str:
    return str(collection_moves.queue(home).filter(pl.col("why") == why)["event"][0])


def decide(home: Home, clock: StepClock, why: str, kind: str, yen: int, receivable_id: int | None = None) -> int:
    number = collection_moves.ask(
        home, event_of(home, why), kind, yen, receivable_id=receivable_id, reason="通帳を見た", actor=CLERK, clock=clock
    )
    collection_moves.approve(home, number, actor=APPROVER, clock=clock)
    return number


def test_a_slip_without_a_number_gets_candidates_of_the_same_term_and_amount(staffed: Home, clock: StepClock) -> None:
    """通知書番号のない済通は、科目・年度・期別と額が合うものを候補にするだけで、決めるのは人である。"""
    register(staffed, clock, ("11", 12_300), ("12", 12_300), ("13", 999))
    take(staffed, clock, ("確報", "", 12_300, ""), channel=Channel.COUNTER)
    assert waiting(staffed) == [("不明金", 12_300, "1;2")]


def test_a_person_ties_unmatched_money_to_a_receivable_and_another_approves(staffed: Home, clock: StepClock) -> None:
    register(staffed, clock, ("11", 12_300))
    take(staffed, clock, ("確報", "99", 12_300, "0915"))
    number = collection_moves.ask(
        staffed, event_of(staffed, "不明金"), "消込", 12_300,
        receivable_id=1, reason="番号の書き間違い", actor=CLERK, clock=clock,
    )  # fmt: skip
    assert accounts(staffed) == {"預金": 12_300, "不明金": -12_300}
    with pytest.raises(RefusedByRule, match="承認の役割"):
        collection_moves.approve(staffed, number, actor=CLERK, clock=clock)
    collection_moves.approve(staffed, number, actor=APPROVER, clock=clock)
    assert accounts(staffed) == {"預金": 12_300, "調定": -12_300}
    assert waiting(staffed) == []
    with pytest.raises(RefusedByRule):
        collection_moves.approve(staffed, number, actor=OTHER, clock=clock)


def test_an_overpayment_is_paid_back_or_used_for_another_receivable_but_never_more(
    staffed: Home, clock: StepClock
) -> None:
    register(staffed, clock, ("11", 1_000), ("12", 400))
    take(staffed, clock, ("確報", "11", 1_700, "0915"))
    decide(staffed, clock, "過誤納", "充当", 400, 2)
    assert accounts(staffed) == {"預金": 1_700, "調定": -1_400, "過誤納": -300, "充当": -400, "充当金": 400}
    with pytest.raises(RefusedByRule, match="合いません"):
        collection_moves.ask(
            staffed,
            event_of(staffed, "過誤納"),
            "還付",
            301,
            receivable_id=None,
            reason="還付",
            actor=CLERK,
            clock=clock,
        )
    decide(staffed, clock, "過誤納", "還付", 300)
    assert accounts(staffed) == {"預金": 1_700, "調定": -1_400, "還付": -300, "充当": -400, "充当金": 400}
    assert waiting(staffed) == []


def test_two_refunds_asked_before_either_is_approved_cannot_both_be_approved(staffed: Home, clock: StepClock) -> None:
    register(staffed, clock, ("11", 1_000))
    take(staffed, clock, ("確報", "11", 1_700, "0915"))
    asked = [
        collection_moves.ask(
            staffed,
            event_of(staffed, "過誤納"),
            "還付",
            700,
            receivable_id=None,
            reason="還付",
            actor=CLERK,
            clock=clock,
        )
        for _ in range(2)
    ]
    collection_moves.approve(staffed, asked[0], actor=APPROVER, clock=clock)
    with pytest.raises(RefusedByRule, match="過誤納はありません"):
        collection_moves.approve(staffed, asked[1], actor=APPROVER, clock=clock)


def test_a_later_payment_to_the_other_receivable_still_sees_what_was_used_there(
    staffed: Home, clock: StepClock
) -> None:
    register(staffed, clock, ("11", 1_000), ("12", 400))
    take(staffed, clock, ("確報", "11", 1_300, "0915"))
    decide(staffed, clock, "過誤納", "充当", 300, 2)
    take(staffed, clock, ("確報", "12", 400, "1000"), name="b")
    # 先に払った人の 400 円が充たり、充当の 300 円が余る。
    assert accounts(staffed) == {"預金": 1_700, "調定": -1_400, "過誤納": -300, "充当": -300, "充当金": 300}


def test_what_is_tied_by_a_use_elsewhere_is_derived_together(staffed: Home, clock: StepClock) -> None:
    """余りを別の債権に充てた入金は、元の債権のほかの入金と一緒に導く。片方だけでは、余りが余りに見えない。"""
    register(staffed, clock, ("11", 1_000), ("12", 400))
    take(staffed, clock, ("確報", "11", 1_000, "0915"), ("確報", "11", 300, "1000"))
    decide(staffed, clock, "過誤納", "充当", 300, 2)
    whole = {"預金": 1_300, "調定": -1_300, "充当": -300, "充当金": 300}
    assert accounts(staffed) == whole
    take(staffed, clock, ("速報", "12", 50, "1100"), name="b")
    assert accounts(staffed) == whole | {"決済待ち": 50, "調定": -1_350}


def test_a_cancellation_without_its_quick_notice_waits_for_a_person(staffed: Home, clock: StepClock) -> None:
    register(staffed, clock, ("11", 1_000))
    done = take(staffed, clock, ("速報取消", "11", 1_000, "0915"))
    assert (done.rows_held, done.rows_posted) == (1, 0)
    assert waiting(staffed) == [("要確認", 1_000, "")]


def test_words_and_partners_are_checked(staffed: Home, clock: StepClock) -> None:
    for kind, partner in (("消込", None), ("還付", 1), ("寄付", None)):
        with pytest.raises(WrongUse):
            collection_moves.ask(staffed, "x", kind, 1, receivable_id=partner, reason="理由", actor=CLERK, clock=clock)


def credit(home: Home, clock: StepClock, on: date, yen: int, reference: str, *, approve: bool = True) -> int:
    """通帳の一行を、一人が書き、別の人が承認する。"""
    clock.now = max(clock.now, datetime(2026, 8, 4, tzinfo=UTC))
    number = bank_credits.ask(home, Channel.CONVENIENCE, on, yen, reference, reason="通帳", actor=CLERK, clock=clock)
    if approve:
        bank_credits.approve(home, number, actor=APPROVER, clock=clock)
    return number


def test_a_credit_counts_only_after_another_person_saw_the_passbook(staffed: Home, clock: StepClock) -> None:
    """一人の書いた入金は、まだ数えない。額を書き間違えたら、承認せずに書き直し、どちらか一方だけが承認される。"""
    wrong = credit(staffed, clock, date(2026, 8, 3), 7, "N-1", approve=False)
    assert collection_balance.days(staffed).is_empty()
    with pytest.raises(RefusedByRule, match="承認を待っています"):
        credit(staffed, clock, date(2026, 8, 3), 7, "N-1", approve=False)
    right = credit(staffed, clock, date(2026, 8, 3), 70, "N-1", approve=False)
    with pytest.raises(RefusedByRule, match="承認の役割"):
        bank_credits.approve(staffed, right, actor=CLERK, clock=clock)
    bank_credits.approve(staffed, right, actor=APPROVER, clock=clock)
    with pytest.raises(RefusedByRule, match="もう記録"):
        bank_credits.approve(staffed, wrong, actor=APPROVER, clock=clock)
    assert collection_balance.days(staffed)["credited_yen"].to_list() == [70]
    with staffed.ward.connect() as connection:
        assert bank_credits.pending(connection) == []
    with pytest.raises(WrongUse, match="まだ来ていない"):
        credit(staffed, clock, date(2026, 9, 3), 70, "N-3")
    own = bank_credits.ask(
        staffed, Channel.PAYEASY, date(2026, 8, 3), 1, "N-9", reason="通帳", actor=APPROVER, clock=clock
    )
    with pytest.raises(RefusedByRule, match="申し出た人"):
        bank_credits.approve(staffed, own, actor=APPROVER, clock=clock)


def test_every_day_bank_credit_equals_posted_plus_held(staffed: Home, clock: StepClock) -> None:
    register(staffed, clock, ("11", 1_000))
    take(staffed, clock, ("確報", "11", 1_000, "0915"), ("確報", "98", 300, "0916"), ("速報", "11", 50, "0917"))
    settled = date(2026, 7, 31)
    first = credit(staffed, clock, settled, 1_300, "N-1")
    credit(staffed, clock, date(2026, 8, 3), 70, "N-2")
    assert collection_balance.days(staffed).rows() == [
        ("コンビニ", "2026-07-31", 2, 1_300, 1_000, 300, 1_300, 0, 0),
        ("コンビニ", "2026-08-03", 0, 0, 0, 0, 70, 0, 70),
    ]
    with pytest.raises(RefusedByRule, match="もう記録"):
        credit(staffed, clock, settled, 1_300, "N-1")
    with pytest.raises(RefusedByRule, match="もう"):
        bank_credits.approve(staffed, first, actor=OTHER, clock=clock)
    assert key("11") == "KEY:001-2026-01-11"
