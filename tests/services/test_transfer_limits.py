"""一つのファイルの件数・合計と、給付の予算: 超える分は次のファイルになり、予算は超えられない（formats §1.3、阿武町の事例）。"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from benefit.domain.errors import RefusedByRule
from benefit.domain.programme import Programme
from benefit.domain.programme_sense import unsound
from benefit.services import transfers
from tests.services.conftest import JUDGED, MAKER, PAY, PROGRAMME, Office


@contextmanager
def limits(**told: Any) -> Iterator[Programme]:
    """振込の上限だけを変えた給付事業。"""
    yield replace(PROGRAMME, transfer=replace(PROGRAMME.transfer, **told))


def make(office: Office, programme: Programme, pay_date: date = PAY) -> transfers.Transfer | None:
    return transfers.make(
        office.home,
        programme,
        pay_date=pay_date,
        today=JUDGED,
        bank_master=office.banks,
        actor=MAKER,
        clock=office.clock,
    )


def test_more_lines_than_one_file_may_hold_go_to_the_next_file(office: Office) -> None:
    judged = office.judge()
    with limits(file_line_max=judged.payable - 1) as programme:
        first, second, third = (make(office, programme) for _ in range(3))
    assert first is not None
    assert second is not None
    assert third is None
    assert (first.line_count, second.line_count) == (judged.payable - 1, 1)
    assert first.total_yen + second.total_yen == judged.payable_yen


def test_more_yen_than_one_file_may_hold_goes_to_the_next_file(office: Office) -> None:
    judged = office.judge()
    with limits(file_total_max_yen=judged.payable_yen - 1) as programme:
        first, second = make(office, programme), make(office, programme)
    assert first is not None
    assert second is not None
    assert first.total_yen < judged.payable_yen
    assert first.total_yen + second.total_yen == judged.payable_yen


def test_one_line_larger_than_a_file_is_refused(office: Office) -> None:
    office.judge()
    with limits(file_total_max_yen=9_999) as programme, pytest.raises(RefusedByRule, match="一件で"):
        make(office, programme)
    assert office.payments() == []


def test_the_budget_is_never_exceeded_and_counts_what_was_already_sent(office: Office) -> None:
    judged = office.judge()
    with limits(budget_yen=judged.payable_yen - 1) as programme, pytest.raises(RefusedByRule, match="予算"):
        make(office, programme)
    assert office.payments() == []
    with limits(budget_yen=judged.payable_yen, file_line_max=1) as programme:
        first = make(office, programme)
        assert first is not None
    with (
        limits(budget_yen=judged.payable_yen - first.total_yen, file_line_max=judged.payable) as programme,
        pytest.raises(RefusedByRule, match="予算"),
    ):
        make(office, programme)
    with limits(budget_yen=judged.payable_yen) as programme:
        assert make(office, programme) is not None


@pytest.mark.parametrize("told", [{"file_line_max": 0}, {"file_line_max": 1_000_000}, {"budget_yen": 0}])
def test_a_limit_wider_than_the_layout_or_empty_is_not_a_programme(told: dict[str, int]) -> None:
    with limits(**told) as programme:
        assert unsound(programme) is not None
    assert unsound(PROGRAMME) is None
