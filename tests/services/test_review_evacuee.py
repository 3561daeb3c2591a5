"""避難者の振込が不能になっても、行き止まりにならない: 二人で決めた新しい口座で、区の行を判定し直す。"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from benefit.domain.access import Actor
from benefit.domain.errors import RefusedByRule
from benefit.records import transfer_results
from benefit.records.bank_master import BankMaster
from benefit.records.transfer_result_row import Account, Outcome
from benefit.services import bank_master, bank_reports, failure_answers, failures, judgment, reissue, transfers
from benefit.services.failure_answers import Answer
from benefit.services.home import Home
from benefit.store import ward
from tests.services.claim_ward import BOSS, CLERK, TAXED, TODAY, Office
from tests.services.inquiry_ward import PROGRAMME
from tests.services.test_claims_evacuees import fled, furnished

LATER = TODAY + timedelta(days=3)
OTHER = Actor("shonin2", "approver")


def judge(office: Office, banks: BankMaster, name: str, today: date = TODAY) -> judgment.Judged | None:
    return judgment.judge_ward_rows(
        office.home, PROGRAMME, out=office.root / name, today=today, bank_master=banks, clock=office.town.clock
    )


def send(office: Office, banks: BankMaster) -> transfers.Transfer:
    clock = office.town.clock
    made = transfers.make(
        office.home, PROGRAMME, pay_date=date(2024, 8, 20), today=TODAY, bank_master=banks, actor=CLERK, clock=clock
    )
    assert made is not None
    for actor in (BOSS, OTHER):
        transfers.approve(office.home, PROGRAMME, made.id, bank_master=banks, actor=actor, clock=clock)
    return transfers.release(
        office.home, PROGRAMME, made.id, out=office.root / "bank", bank_master=banks, actor=CLERK, clock=clock
    )


def test_an_evacuee_whose_transfer_failed_is_paid_to_the_account_two_people_decided(home: Home, tmp_path: Path) -> None:
    office = furnished(home, tmp_path, father=TAXED)
    office.town.rows["residents"][1]["カナ氏名"] = "カクウ　ハナコ"
    office.town.load("residents")
    office.accept(fled(office))
    office.build()
    office.approve()
    clock = office.town.clock
    with home.ward.begin() as connection:
        told = {"id": OTHER.id, "name": "試験", "role": OTHER.role, "password_hash": "x", "created_at": clock()}
        connection.execute(ward.staff.insert().values(**told))
    bank_master.use_rehearsal(home, {("9999", "001")})
    banks = bank_master.in_use(home)
    first = judge(office, banks, "first")
    assert first is not None
    assert first.payable == 1
    sent = send(office, banks)
    request = (office.root / "bank" / sent.path.name).read_bytes()
    result = tmp_path / "kekka.txt"
    told_by_bank = [transfer_results.Answer(Outcome.FAILED, "04")]
    result.write_bytes(transfer_results.mirror(request, told_by_bank, created_on=date(2024, 8, 21)))
    bank_reports.take(home, "results", result, clock=clock)
    # 出し直しの手紙はなく、同じ申請は二度受理できない。
    row = failures.register(home, TODAY).row(0, named=True)
    with pytest.raises(RefusedByRule):
        reissue.reissue(home, PROGRAMME, row["case_number"], reason="x", actor=CLERK, clock=clock)
    assert judge(office, banks, "too-early") is None
    given = Answer(1, "再振込", "本人が新しい口座を届けた", account=Account("9999", "001", "1", "9000002", "ｶｸｳ ﾊﾅｺ"))
    clock.now += timedelta(days=2)
    [asked] = failure_answers.answer(home, [given], bank_master=banks, actor=CLERK, clock=clock)
    assert judge(office, banks, "one-person", LATER) is None
    with pytest.raises(RefusedByRule):
        failure_answers.approve(home, asked, actor=Actor(CLERK.id, "approver"), clock=clock)
    failure_answers.approve(home, asked, actor=BOSS, clock=clock)
    # ほかの課の再振込の道には、載らない。
    how = {"pay_date": date(2024, 8, 27), "today": TODAY, "bank_master": banks, "actor": CLERK, "clock": clock}
    assert transfers.make_resend(home, PROGRAMME, **how) is None  # type: ignore[arg-type]
    second = judge(office, banks, "second", LATER)
    assert second is not None
    assert (second.payable, set(second.checks) - {"CHK95"}) == (1, set())
    assert judge(office, banks, "twice", LATER) is None
    send(office, banks)
    with home.ward.connect() as connection:
        paid = connection.execute(ward.payment.select().order_by(ward.payment.c.id)).mappings().all()
    assert [(one["attempt"], one["state"], one["account_number"]) for one in paid] == [
        (1, "F43", "9000001"),
        (2, "F41", "9000002"),
    ]
