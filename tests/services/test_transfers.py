"""振込: 二度払わない、二人の名前で動く、台帳のとおりのバイト列、結果と再振込。"""

from __future__ import annotations

import multiprocessing
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa

from benefit.domain.access import Actor
from benefit.domain.errors import RefusedByRule, WrongUse
from benefit.records import transfer_results
from benefit.records.transfer_result_row import Outcome
from benefit.records.zengin_text import convert
from benefit.services import bank_reports, desk_cases, desk_export, desk_load, desk_planned, transfers
from benefit.services.home import Home
from benefit.store import ward
from tests.services.conftest import FIRST, JUDGED, MAKER, PAY, PROGRAMME, SECOND, Office, refused_by_the_store


def results(office: Office, number: int, *outcomes: tuple[Outcome, str], rest: Outcome = Outcome.CREDITED) -> Path:
    request = (office.root / "bank" / f"sogo-{number:04d}.txt").read_bytes()
    count = len(request.splitlines()) - 3
    answers = [transfer_results.Answer(*outcome) for outcome in outcomes]
    answers += [transfer_results.Answer(rest) for _ in range(count - len(outcomes))]
    path = office.root / f"kekka-{number}.txt"
    path.write_bytes(transfer_results.mirror(request, answers, created_on=date(2024, 8, 5)))
    return path


def test_the_file_holds_exactly_the_payable_lines(office: Office) -> None:
    judged = office.judge()
    made = office.make()
    assert made is not None
    assert (made.line_count, made.total_yen) == (judged.payable, judged.payable_yen)
    assert {row["state"] for row in office.payments()} == {"F40"}
    assert office.make() is None


def test_a_weekend_or_holiday_or_past_day_is_refused(office: Office) -> None:
    office.judge()
    for day in (date(2024, 8, 3), date(2024, 8, 12), date(2024, 12, 31)):
        with pytest.raises(WrongUse, match="営業日"):
            office.make(pay_date=day)
    with pytest.raises(WrongUse, match="今日より後"):
        office.make(pay_date=JUDGED)
    assert office.payments() == []


def test_two_people_other_than_the_maker(office: Office) -> None:
    office.judge()
    made = office.make()
    assert made is not None
    for refused in (MAKER, Actor("tanto", "approver")):
        with pytest.raises(RefusedByRule, match="作った人"):
            office.approve(made.id, refused)
    with pytest.raises(RefusedByRule, match="二人の承認"):
        office.release(made.id)
    office.approve(made.id, FIRST)
    with pytest.raises(RefusedByRule, match="もう承認"):
        office.approve(made.id, FIRST)
    with pytest.raises(RefusedByRule, match="二人の承認"):
        office.release(made.id)
    office.approve(made.id, SECOND)
    assert office.release(made.id).released
    with pytest.raises(RefusedByRule, match="送り出されて"):
        office.approve(made.id, Actor("shonin3", "approver"))


def test_a_clerk_may_not_approve(office: Office) -> None:
    office.judge()
    made = office.make()
    assert made is not None
    with pytest.raises(RefusedByRule, match="承認の役割"):
        office.approve(made.id, Actor("shonin1", "clerk"))


def test_the_store_itself_refuses_a_release_without_two_people(office: Office) -> None:
    office.judge()
    made = office.make()
    assert made is not None
    office.approve(made.id, FIRST)
    release = ward.transfer_release.insert().values(
        transfer_id=made.id, sha256=made.sha256, released_by="tanto", released_at=office.clock()
    )
    by_maker = ward.approval.insert().values(
        transfer_id=made.id, staff_id="tanto", made_by="tanto", sha256=made.sha256, approved_at=office.clock()
    )
    disguised = ward.approval.insert().values(
        transfer_id=made.id, staff_id="tanto", made_by="shonin1", sha256=made.sha256, approved_at=office.clock()
    )
    other_digest = ward.approval.insert().values(
        transfer_id=made.id, staff_id="shonin2", made_by="tanto", sha256="0" * 64, approved_at=office.clock()
    )
    with office.home.ward.begin() as connection:
        assert refused_by_the_store(connection, release.values(first_approver="shonin1", second_approver="shonin2"))
        assert refused_by_the_store(connection, release.values(first_approver="shonin1", second_approver="shonin1"))
        assert refused_by_the_store(connection, by_maker)
        assert refused_by_the_store(connection, disguised)
        assert refused_by_the_store(connection, other_digest)


@pytest.mark.parametrize("at", [0, 58, 130, 200, 240, 300, -3, -130])
def test_one_changed_byte_on_disk_stops_the_approval(office: Office, at: int) -> None:
    office.judge()
    made = office.make()
    assert made is not None
    data = bytearray(made.path.read_bytes())
    data[at] ^= 1
    made.path.write_bytes(data)
    with pytest.raises(RefusedByRule, match="指紋"):
        office.approve(made.id, FIRST)


def test_a_lost_file_is_made_again_from_the_ledger_to_the_byte(office: Office) -> None:
    office.judge()
    made = office.make()
    assert made is not None
    before = made.path.read_bytes()
    made.path.unlink()
    office.approve(made.id, FIRST)
    assert made.path.read_bytes() == before


def test_the_store_refuses_a_second_live_payment_on_the_same_slot(office: Office) -> None:
    office.judge()
    office.make()
    paid = office.payments()[0]
    second = {**paid, "id": 999_999, "attempt": 2}
    with office.home.ward.begin() as connection:
        connection.execute(sa.text("DROP INDEX uq_payment_verdict_line"))
        assert refused_by_the_store(connection, ward.payment.insert().values(**second))
        # この索引がなければ入ってしまう。断ったのは、slot の一意索引である。
        connection.execute(sa.text("DROP INDEX uq_payment_live_slot"))
        assert not refused_by_the_store(connection, ward.payment.insert().values(**second))
        connection.rollback()


def test_a_payment_cannot_name_another_slot_or_another_amount(office: Office) -> None:
    office.judge()
    office.make()
    paid = office.payments()[0]
    with office.home.ward.begin() as connection:
        connection.execute(sa.text("DROP INDEX uq_payment_verdict_line"))
        for wrong in ({"slot": "r6-2024/HH100K/9999999999"}, {"amount_yen": paid["amount_yen"] + 10_000}):
            values = {**paid, "id": 999_999, "attempt": 2, "slot": "別の権利", **wrong}
            assert refused_by_the_store(connection, ward.payment.insert().values(**values))
        connection.rollback()


def test_what_is_paid_cannot_be_deleted_or_turned_back(office: Office) -> None:
    office.send()
    with office.home.ward.begin() as connection:
        assert refused_by_the_store(connection, ward.payment.delete())
        assert refused_by_the_store(connection, ward.payment.update().values(state="F40"))
        assert refused_by_the_store(connection, ward.payment.update().values(amount_yen=1))
        assert refused_by_the_store(connection, ward.payment.update().values(account_number="9999999"))
        for table in (ward.posting, ward.verdict, ward.transfer, ward.approval, ward.audit_log):
            assert refused_by_the_store(connection, table.delete()), table.name
        assert refused_by_the_store(connection, ward.posting.update().values(amount_yen=1))
        connection.rollback()


def test_a_cancelled_file_can_be_made_again_and_the_ledger_balances(office: Office) -> None:
    office.judge()
    made = office.make()
    assert made is not None
    assert transfers.cancel(office.home, made.id, reason="試験", actor=MAKER, clock=office.clock) == made.line_count
    assert office.balances().get("振込中", 0) == 0
    again = office.make()
    assert again is not None
    assert (again.id, again.line_count, again.total_yen) == (made.id + 1, made.line_count, made.total_yen)
    assert office.balances() == {"未払": 0, "予算": -made.total_yen, "振込中": made.total_yen}


def test_a_released_file_cannot_be_cancelled(office: Office) -> None:
    sent = office.send()
    with pytest.raises(RefusedByRule, match="組戻し"):
        transfers.cancel(office.home, sent.id, reason="試験", actor=MAKER, clock=office.clock)


def test_results_move_every_payment_once_and_the_money_adds_up(office: Office) -> None:
    sent = office.send()
    path = results(office, 1, (Outcome.FAILED, "03"), (Outcome.INQUIRING, "00"))
    done = bank_reports.take(office.home, "results", path, clock=office.clock)
    assert (done.rows_read, done.matched, done.failed, done.inquiring) == (sent.line_count, sent.line_count, 1, 1)
    states = [row["state"] for row in office.payments()]
    assert (states.count("F43"), states.count("F41"), states.count("F42")) == (1, 1, sent.line_count - 2)
    before = office.balances()
    assert sum(before.values()) == 0
    again = bank_reports.take(office.home, "results", path, clock=office.clock)
    assert again.repeated
    assert office.balances() == before


def six_items(office: Office, *places: int) -> Path:
    """seed 000 の六項目だけの知らせ。"""
    rows = [office.payments()[place] for place in places]
    lines = ["金融機関コード,店舗コード,預金種目,口座番号,口座名義人名,振込金額"]
    lines += [
        f"{r['bank_code']},{r['branch_code']},{r['account_type']},{r['account_number']},{convert(r['holder_kana'])[:30]},{r['amount_yen']}"
        for r in rows
    ]
    path = office.root / "funo.csv"
    path.write_bytes("\r\n".join([*lines, ""]).encode("cp932"))
    return path


def test_a_failure_with_six_items_finds_its_payment_or_goes_to_a_person(office: Office) -> None:
    office.send()
    payments = office.payments()
    keys = [
        (r["bank_code"], r["branch_code"], r["account_type"], r["account_number"], r["amount_yen"]) for r in payments
    ]
    alone = next(place for place, key in enumerate(keys) if keys.count(key) == 1)
    done = bank_reports.take(office.home, "failures", six_items(office, alone), clock=office.clock)
    assert (done.rows_read, done.matched, done.failed) == (1, 1, 1)
    assert office.payments()[alone]["state"] == "F43"
    unknown = office.root / "unknown.csv"
    unknown.write_text(
        "金融機関コード,店舗コード,預金種目,口座番号,口座名義人名,振込金額\n9999,001,1,9999999,ｶｸｳ,1\n",
        encoding="utf-8",
    )
    lost = bank_reports.take(office.home, "failures", unknown, clock=office.clock)
    assert (lost.rows_read, lost.matched, lost.unmatched, len(lost.to_people)) == (1, 0, 1, 1)


def test_a_failed_transfer_is_paid_again_only_after_a_new_judgment(office: Office) -> None:
    office.send()
    bank_reports.take(office.home, "results", results(office, 1, (Outcome.FAILED, "04")), clock=office.clock)
    failed = next(row for row in office.payments() if row["state"] == "F43")
    # 古い判定のままでは、もう一度は払わない。
    assert office.make(pay_date=date(2024, 8, 9), today=date(2024, 8, 6)) is None
    day = date(2024, 8, 20)
    desk_export.export(office.home, PROGRAMME, out=office.root / "p2", today=day, clock=office.clock)
    desk_load.load(office.home, office.root / "p2", clock=office.clock)
    with office.home.ward.connect() as connection:
        number = connection.execute(
            sa.select(ward.entitlement.c.case_number).where(ward.entitlement.c.id == failed["entitlement_id"])
        ).scalar_one()
    form = desk_cases.ReceivedForm(
        number, day, "完了", reviewed_on=day, bank_code="9999", branch_code="001", account_type="1",
        account_number="9000007", holder_kana=failed["holder_kana"],
    )  # fmt: skip
    desk_cases.receive_forms(office.home, [form], actor=MAKER, clock=office.clock)
    again = desk_planned.make(
        office.home, PROGRAMME.id, out=office.root / "planned2", today=day, actor=MAKER, clock=office.clock
    )
    assert again is not None
    assert again.rows == 1
    judged = office.judge(office.root / "planned2", out="judged2", today=day)
    assert judged.payable == 1
    made = office.make(pay_date=date(2024, 8, 28), today=day)
    assert made is not None
    assert made.line_count == 1
    second = office.payments()[-1]
    assert (second["attempt"], second["slot"], second["account_number"]) == (2, failed["slot"], "9000007")
    assert b"0000000" not in made.path.read_bytes()[122 + 43 : 122 + 50]
    assert sum(office.balances().values()) == 0


def race(home: Path, ward_url: str, gate: object, worker: int) -> None:
    from tests.conftest import StepClock

    made = Home.at(home, ward_url=ward_url)
    office = Office(made, StepClock(), home.parent / "planned", home.parent)
    office.clock.now = office.clock.now.replace(month=7, day=26)
    gate.wait()  # type: ignore[attr-defined]
    office.judge(out=f"race-{worker}")
    office.make()


@pytest.mark.parametrize("workers", [8])
def test_many_clerks_at_once_pay_nobody_twice(office: Office, workers: int) -> None:
    context = multiprocessing.get_context("spawn")
    gate = context.Barrier(workers)
    office.home.ward.dispose()
    crowd = [
        context.Process(target=race, args=(office.home.path, office.home.ward_url, gate, worker))
        for worker in range(workers)
    ]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join(120)
    assert [one.exitcode for one in crowd] == [0] * workers
    payments = office.payments()
    assert payments
    assert len({row["slot"] for row in payments}) == len(payments)
    assert PAY > JUDGED
