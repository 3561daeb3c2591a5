"""振込: 判定のとおりのバイト列ができ、なくしても台帳から戻り、取り消せば作り直せる。"""

from __future__ import annotations

from datetime import date

import pytest

from benefit.domain.errors import RefusedByRule, WrongUse
from benefit.services import transfers
from benefit.store import ward
from tests.services.conftest import FIRST, JUDGED, MAKER, Office, refused_by_the_store


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
