"""いまの様子の数は、台帳の一行一行から数えたものと同じで、日ごとに足しても同じになる。"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from benefit.records.transfer_result_row import Outcome
from benefit.services import bank_reports, dashboard, dashboard_lists
from benefit.services.home import Home
from benefit.store import ward
from benefit.store.engine import reading
from tests.api.ward.conftest import Ward, opened
from tests.conftest import Databases
from tests.services.conftest import answered

TODAY = date(2024, 8, 6)


def paid_once(made: Ward) -> None:
    """振込を一つ送り出し、一件目は不能、二件目は返事がなく、残りは入金になった区にする。"""
    sent = made.office.send()
    told = answered(made.office, sent.id, (Outcome.FAILED, "01"), (Outcome.INQUIRING, "00"))
    bank_reports.take(made.home, "results", told, clock=made.office.clock)


@pytest.fixture(scope="module")
def paid(prepared_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ward]:
    with opened(prepared_sqlite, tmp_path_factory.mktemp("paid") / "ward") as made:
        paid_once(made)
        yield made


def rows(home: Home, table: object) -> list[dict[str, object]]:
    with home.ward.connect() as connection:
        return [dict(row) for row in connection.execute(table.select()).mappings()]  # type: ignore[attr-defined]


def counted(home: Home) -> dict[str, int]:
    """一行ずつ、素の Python で数えた六つの数。"""
    valid = {row["entitlement_id"] for row in rows(home, ward.valid_entitlement)}
    payments = [row for row in rows(home, ward.payment) if row["entitlement_id"] is not None]
    verdicts = rows(home, ward.verdict)
    return {
        "targets": len(valid),
        "sent": len({row["entitlement_id"] for row in rows(home, ward.letter) if row["lot_id"] is not None}),
        "received": len({row["entitlement_id"] for row in verdicts if row["received_on"]} - {None}),
        "reviewed": len(
            {row["entitlement_id"] for row in verdicts if row["reviewed_on"] or row["verdict"] == "支給可"} - {None}
        ),
        "paid": sum(row["state"] == "F42" for row in payments),
        "failed": sum(row["state"] == "F43" for row in payments),
        "answered": sum(row["state"] in {"F42", "F43", "F48"} for row in payments),
        "paid_yen": sum(int(str(row["amount_yen"])) for row in payments if row["state"] == "F42"),
    }


def check(made: Ward) -> None:
    with reading(made.home.ward) as connection:
        benefits = dashboard.by_benefit(connection)
        days = dashboard.by_day(connection, TODAY)
    figures, expected = dashboard.figures(benefits), counted(made.home)
    assert {name: getattr(figures, name) for name in expected} == expected
    # 見本が眠っていないこと: 入金、不能、返事のないものが、どれもいる。
    assert figures.paid > 0
    assert figures.failed == 1
    assert figures.answered == figures.paid + figures.failed < len(made.office.payments())
    for name in ("targets", "sent", "received", "reviewed", "paid", "failed"):
        assert int(days[name].sum()) == getattr(figures, name), name
    # 段階は、一人が一つにいる。
    assert sum(int(benefits[name].sum()) for name in dashboard.STAGES) == figures.targets


def test_the_six_figures_are_what_the_ledger_says_line_by_line(paid: Ward) -> None:
    check(paid)


def test_the_figures_are_the_same_on_postgresql(
    prepared_pg: tuple[Path, str, str], pg: Databases, tmp_path: Path
) -> None:
    source, name, _desk = prepared_pg
    with opened(source, tmp_path / "ward", pg.new("ward", of=name)) as made:
        paid_once(made)
        check(made)


@pytest.mark.parametrize(
    ("failed", "answered_count", "says"),
    [(0, 0, "－"), (0, 9, "0.0%"), (1, 13, "7.7%"), (1, 16, "6.3%"), (9, 9, "100.0%")],
)
def test_the_rate_of_failed_transfers_is_rounded_half_up_to_one_place(
    failed: int, answered_count: int, says: str
) -> None:
    shown = dashboard.Figures(0, 0, 0, 0, 0, 0, 0, failed, answered_count)
    assert shown.failed_rate == says


def test_each_figure_opens_the_list_behind_it(paid: Ward) -> None:
    paid.login("tanto")
    front = paid.client.get("/").text
    expected = counted(paid.home)
    for which in dashboard_lists.LISTS:
        assert f'href="/list/{which}"' in front
        shown = html.unescape(paid.client.get(f"/list/{which}").text)
        assert re.search(rf"<p>{expected[which]:,} 件。", shown), which
        numbers = re.findall(r'<th scope="row">(\d{11})</th>', shown)
        assert len(set(numbers)) == len(numbers)
        assert len(numbers) + shown.count("区直轄</th>") == min(expected[which], dashboard_lists.PAGE)
    assert [row["subject"] for row in paid.audit("dashboard.list")] == list(dashboard_lists.LISTS)
    assert paid.client.get("/list/everyone").status_code == 404


def test_the_front_page_says_what_waits_and_every_picture_has_its_table(paid: Ward) -> None:
    paid.login("shonin1")
    front = paid.client.get("/").text
    assert front.count("<svg") == front.count("<details") == 4
    assert "終わっていない振込不能" in front
    # 個人の情報は、最初の画面に一つもない。
    numbers = [str(row["case_number"]) for row in rows(paid.home, ward.entitlement)]
    assert not [number for number in numbers if number in front]
    told = paid.client.get("/api/v1/dashboard", headers=paid.token("shonin1")).json()
    assert told["figures"]["paid"] == counted(paid.home)["paid"]
    assert {"name": "終わっていない振込不能", "count": 1, "says": "期限を過ぎたもの 0 件", "late": False} in told[
        "work"
    ]


def test_the_administrator_finds_the_naming_from_the_front_page(paid: Ward) -> None:
    paid.login("kanri")
    assert 'href="/restricted/members"' in paid.client.get("/").text
    assert paid.client.get("/restricted/members").status_code == 200
    paid.login("kansa")
    assert "/restricted" not in paid.client.get("/").text


@pytest.mark.parametrize("number", [0, 2**31, 10**20])
def test_a_number_the_ledger_cannot_hold_is_refused_before_it(paid: Ward, number: int) -> None:
    csrf = paid.login("tanto")
    for kind in ("transfer", "build", "handover", "hold"):
        assert paid.client.get(f"/approvals/{kind}/{number}").status_code == 422
    given = {"csrf": csrf, "digest": "0" * 64, "operation": "too-large-1", "reason": "試し"}
    for path in (f"/transfers/{number}/{deed}" for deed in ("confirm", "release", "cancel")):
        assert paid.client.post(path, data=given).status_code == 422
    assert paid.client.post(f"/handovers/{number}/release", data=given).status_code == 422
