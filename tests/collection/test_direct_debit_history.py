"""口座振替の、でたらめな半年: 本物の台帳で、請求 = 振替済 + 振替不能 + 結果待ち + 取消 がいつも成り立つ。

銀行の役が、渡されたファイルだけを見て引き落とす。だから、台帳の数え方とは別に、引き落とした人と額が分かる。
"""

from __future__ import annotations

import os
import random
from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from benefit.domain.access import BATCH
from benefit.domain.errors import RefusedByRule
from benefit.services import debit_letters, debit_view, direct_debits, people
from benefit.services.debit_request_file import Request
from benefit.services.home import Home
from benefit.store import ward
from tests.collection.conftest import APPROVER, CLERK, OTHER, accounts
from tests.collection.debit_world import DebitWorld, ready
from tests.conftest import StepClock

SEED = int(os.environ.get("DEBIT_SEED", "20260711"))
PEOPLE, OWED = 24, 1_000
DAYS = (date(2026, 7, 31), date(2026, 8, 31), date(2026, 9, 30), date(2026, 10, 30), date(2026, 11, 30))


@pytest.fixture
def debit(sqlite_home: Home, clock: StepClock, tmp_path: Path) -> DebitWorld:
    with sqlite_home.ward.begin() as connection:
        for actor in (CLERK, APPROVER, OTHER):
            people.add(
                connection, ward.staff, ward.audit_log,
                staff_id=actor.id, name="試験", role=actor.role, password="x" * 15, actor=BATCH, at=clock(),
            )  # fmt: skip
    return ready(sqlite_home, clock, tmp_path / "bank")


class Bank:
    """渡されたファイルだけを見る銀行と、ほかの道の納付。"""

    def __init__(self, debit: DebitWorld, dice: random.Random) -> None:
        self.debit, self.dice = debit, dice
        self.taken: Counter[int] = Counter()
        self.elsewhere: Counter[int] = Counter()

    def pay(self, person: int) -> None:
        yen = self.dice.choice((300, OWED))
        self.debit.paid_elsewhere(person, yen, kind=self.dice.choice(("速報", "確報")))
        self.elsewhere[person] += yen

    def check(self, sent: Request) -> None:
        """渡された請求に、もう納めた人がいない。"""
        for number, yen in self.debit.rows(sent).select("customer_number", "amount_yen").iter_rows():
            person = int(number[8:])
            assert not self.taken[person], f"二度目の引き落とし: {person}"
            assert self.elsewhere[person] + yen <= OWED, f"納めた人への請求: {person}"

    def answer(self, sent: Request) -> None:
        rows = self.debit.rows(sent).select("customer_number", "amount_yen").rows()
        codes = [self.dice.choice("0011239N") for _ in rows]
        self.debit.take(self.debit.answer(sent, *codes), f"kekka-{sent.id}")
        late = [place for place, code in enumerate(codes) if code == "N"]
        final = ["1" if code == "N" else code for code in codes]
        if late and self.dice.random() < 0.7:
            self.debit.take(self.debit.answer(sent, *final, only=late), f"ato-{sent.id}")
        for (number, yen), code in zip(rows, final, strict=True):
            self.taken[int(number[8:])] += yen if code == "0" else 0


def month(debit: DebitWorld, bank: Bank, dice: random.Random, day: date) -> None:
    """一か月: 依頼の異動、納付、請求、作った後の納付、結果。"""
    for person in dice.sample(range(1, PEOPLE + 1), 4):
        change(debit, dice, person, debit.clock.now.date())
    for person in dice.sample(range(1, PEOPLE + 1), 2):
        bank.pay(person)
    made = debit.make(day).request
    if made is None:
        return
    if dice.random() < 0.5:
        bank.pay(dice.randint(1, PEOPLE))
    try:
        direct_debits.approve(debit.home, made.id, actor=APPROVER, clock=debit.clock)
        if dice.random() < 0.3:
            bank.pay(dice.randint(1, PEOPLE))
        direct_debits.release(debit.home, made.id, out=debit.out, actor=CLERK, clock=debit.clock)
    except RefusedByRule:
        direct_debits.cancel(debit.home, made.id, reason="変わった", actor=CLERK, clock=debit.clock)
        made = debit.send(day) if debit.make(day).request is None else next(iter(waiting(debit)))
    bank.check(made)
    # 渡した後の納付は、止められない。過誤納として人が返す。
    debit.clock.now = datetime.combine(day + timedelta(days=2), datetime.min.time(), debit.clock.now.tzinfo)
    bank.answer(made)
    if dice.random() < 0.3:
        debit_letters.take(debit.home, actor=CLERK, clock=debit.clock)


def waiting(debit: DebitWorld) -> list[Request]:
    """承認を待つ請求を承認し、送り出す。"""
    made = [one.request for one in debit_view.requests(debit.home) if not one.request.fate]
    for one in made:
        direct_debits.approve(debit.home, one.id, actor=APPROVER, clock=debit.clock)
        direct_debits.release(debit.home, one.id, out=debit.out, actor=CLERK, clock=debit.clock)
    return made


def change(debit: DebitWorld, dice: random.Random, person: int, on: date) -> None:
    kind = dice.choice(("変更", "変更", "停止", "開始"))
    try:
        debit.change(person, kind, on, account=f"9{dice.randint(1, 999_999):06d}")
    except RefusedByRule:
        return


def test_half_a_year_of_requests_results_payments_and_changes(debit: DebitWorld) -> None:
    print(f"DEBIT_SEED={SEED}")
    dice = random.Random(SEED)
    debit.owe(*((person, OWED) for person in range(1, PEOPLE + 1)))
    for person in range(1, PEOPLE + 1):
        debit.change(person)
    bank = Bank(debit, dice)
    for day in DAYS:
        month(debit, bank, dice, day)
        for one in debit_view.requests(debit.home):
            told = one.paid_yen + one.failed_yen + one.waiting_yen + one.cancelled_yen
            assert one.request.total_yen == told, "請求と行き先が合わない"
    with debit.home.ward.connect() as connection:
        event = ward.collection_event
        query = sa.select(sa.func.sum(event.c.amount_yen)).where(event.c.channel == "口座振替")
        counted = connection.execute(query).scalar() or 0
    assert counted == sum(bank.taken.values()) == sum(one.paid_yen for one in debit_view.requests(debit.home))
    assert bank.taken.total() > 0
    whole = accounts(debit.home)
    assert whole.get("預金", 0) + whole.get("決済待ち", 0) == sum(bank.taken.values()) + sum(bank.elsewhere.values())
