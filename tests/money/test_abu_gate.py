"""T07: 変えた振込の願いは、一つも送り出されない。どの変え方も、理由を言って断られる（reliability P7、阿武町の事例）。

三つの関門を別々に見る。
 1. 二人目の読み手: 指紋ごとすり替えられたとしても、台帳と違うファイルを断る（大半の回）。
 2. 本当の承認と送り出し: ディスクのファイル、事業、番号、承認を変えた願い。
 3. 台帳の頭書きと上限: 台帳そのものに、決まりを超える振込が載っていても断る。
数は BENEFIT_T07 で増やせる。
"""

from __future__ import annotations

import os
import random
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from benefit.domain.errors import BenefitError, RefusedByRule
from benefit.records import zengin_reader
from benefit.records.zengin import FileHeader, TransferLine
from benefit.services import transfers
from benefit.services.transfer_file import content_key, expected_in_file, lines_of
from benefit.services.transfer_gate import check_head
from benefit.store import ward
from tests.money import requests
from tests.money.requests import CHANGES, Request
from tests.services.conftest import FIRST, MAKER, PAY, PROGRAMME, SECOND, Office, refused_by_the_store

MUTATIONS = int(os.environ.get("BENEFIT_T07", "10000"))
pytestmark = pytest.mark.parametrize("office", ["sqlite"], indirect=True)


def approved(office: Office) -> transfers.Transfer:
    """二人が承認して、送り出すばかりのファイル。"""
    office.judge()
    made = office.make()
    assert made is not None
    office.approve(made.id, FIRST)
    return office.approve(made.id, SECOND)


def ledger_lines(office: Office, number: int) -> list[dict[str, Any]]:
    with office.home.ward.connect() as connection:
        return lines_of(connection, number)


def request_of(office: Office, lines: list[dict[str, Any]]) -> tuple[Request, tuple[Any, Any]]:
    """台帳の言うとおりの願いと、二人目の読み手に渡す期待。"""
    header, expected = expected_in_file(lines, PROGRAMME, PAY, office.banks)
    bank, bank_name, branch, branch_name, kind, number = header[3:9]
    built = FileHeader(header.client_code, header.client_name, PAY, bank, branch, kind, number, bank_name, branch_name)
    told = [
        TransferLine(**{key: value for key, value in line._asdict().items() if key != "designation"})
        for line in expected
    ]
    others = [replace(line, customer_code1=f"{at:010d}") for at, line in enumerate(told, start=1)]
    return Request(built, told, others), (header, expected)


def test_no_mutated_file_passes_the_second_reader(office: Office, rng: random.Random) -> None:
    made = approved(office)
    request, expected = request_of(office, ledger_lines(office, made.id))
    assert request.render() == made.path.read_bytes(), "変えない願いは、出したファイルと同じでなければならない"
    assert zengin_reader.findings(request.render(), *expected) == []
    passed, reasons = Counter[str](), Counter[str]()
    for turn in range(MUTATIONS):
        change = CHANGES[turn % len(CHANGES)]
        found = zengin_reader.findings(change(request, rng).render(), *expected)
        passed[change.__name__] += not found
        reasons[change.__name__] += bool(found and found[0].says)
    assert +passed == {}
    assert set(reasons) == {change.__name__ for change in CHANGES}


def test_no_mutated_file_leaves_by_the_real_release(office: Office, rng: random.Random) -> None:
    """承認の後にディスクのファイルをすり替え、本当に送り出そうとする。お金は動かず、元に戻せば送り出せる。"""
    made = approved(office)
    request, _expected = request_of(office, ledger_lines(office, made.id))
    genuine = made.path.read_bytes()
    for change in CHANGES * max(1, MUTATIONS // 1000):
        made.path.write_bytes(change(request, rng).render())
        with pytest.raises(RefusedByRule, match="指紋") as caught:
            office.release(made.id)
        assert caught.value.code == "digest"
    assert not (office.root / "bank").exists()
    assert {row["state"] for row in office.payments()} == {"F40"}
    made.path.write_bytes(genuine)
    office.release(made.id)
    assert (office.root / "bank" / made.path.name).read_bytes() == genuine


def test_a_file_changed_between_the_two_approvals_is_refused(office: Office, rng: random.Random) -> None:
    office.judge()
    made = office.make()
    assert made is not None
    request, _expected = request_of(office, ledger_lines(office, made.id))
    office.approve(made.id, FIRST)
    for change in CHANGES:
        made.path.write_bytes(change(request, rng).render())
        with pytest.raises(RefusedByRule) as caught:
            office.approve(made.id, SECOND)
        assert caught.value.code == "digest", change.__name__
    assert transfers.show(office.home, made.id).approvers == (FIRST.id,)


def test_a_release_under_another_programme_or_number_is_refused(office: Office) -> None:
    made = approved(office)
    other = replace(PROGRAMME, id="r7-shortfall")
    with pytest.raises(RefusedByRule) as caught:
        transfers.release(
            office.home, other, made.id, out=office.root / "bank", bank_master=office.banks, actor=MAKER,
            clock=office.clock,
        )  # fmt: skip
    assert caught.value.code == "programme"
    with pytest.raises(BenefitError, match="ありません"):
        office.release(made.id + 1)
    assert not (office.root / "bank").exists()


@pytest.mark.parametrize("column", ["line_count", "total_yen", "largest_yen"])
def test_a_head_line_that_is_not_the_sum_of_its_lines_is_refused(office: Office, column: str) -> None:
    """承認する人が見る件数・合計・最大の一件は、いつも台帳の行から数え直したものと同じである。"""
    made = approved(office)
    honest = ledger_lines(office, made.id)
    with office.home.ward.begin() as connection:
        check_head(connection, PROGRAMME, made.id)
        # 追記だけの表なので、仕掛けを外してからでなければ書き換えられない。
        assert refused_by_the_store(connection, ward.transfer.update().values({column: 1}))
        for trigger in _triggers(connection, "transfer"):
            connection.exec_driver_sql(f"DROP TRIGGER {trigger}")
        connection.execute(ward.transfer.update().values({column: ward.transfer.c[column] + 1}))
        with pytest.raises(RefusedByRule) as caught:
            check_head(connection, PROGRAMME, made.id)
        connection.rollback()
    assert caught.value.code == "head-line"
    assert ledger_lines(office, made.id) == honest


def _triggers(connection: sa.Connection, table: str) -> list[str]:
    query = sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :table")
    return list(connection.execute(query, {"table": table}).scalars())


def test_a_redated_or_renumbered_copy_cannot_be_registered(office: Office) -> None:
    made = approved(office)
    with office.home.ward.begin() as connection:
        row = dict(connection.execute(sa.select(ward.transfer)).mappings().one())
        key = content_key(lines_of(connection, made.id))
        assert row["content_key"] == key
        copy = row | {"id": made.id + 1, "sha256": "1" * 64, "pay_date": PAY.replace(day=9)}
        assert refused_by_the_store(connection, ward.transfer.insert().values(**copy))
        same_bytes = row | {"id": made.id + 1, "content_key": "1" * 64}
        assert refused_by_the_store(connection, ward.transfer.insert().values(**same_bytes))
        # 同じ支払指図を、二つ目のファイルに入れることもできない。
        fresh = row | {"id": made.id + 1, "sha256": "1" * 64, "content_key": "1" * 64}
        assert not refused_by_the_store(connection, ward.transfer.insert().values(**fresh))
        line = connection.execute(sa.select(ward.transfer_line)).mappings().first()
        again = {**dict(line or {}), "transfer_id": made.id + 1}
        assert refused_by_the_store(connection, ward.transfer_line.insert().values(**again))
        connection.rollback()


@pytest.mark.parametrize(
    ("ceiling", "code"),
    [
        ({"line_block_yen": "largest - 1"}, "line-ceiling"),
        ({"file_total_max_yen": "total - 1"}, "file-ceiling"),
        ({"file_line_max": "count - 1"}, "file-ceiling"),
        ({"line_block_yen": "payee - 1"}, "payee-ceiling"),
        ({"line_block_yen": "payee", "file_total_max_yen": "total", "file_line_max": "count"}, None),
    ],
)
def test_each_ceiling_is_looked_at_again_at_the_release(
    office: Office, ceiling: dict[str, str], code: str | None
) -> None:
    """作った後に上限を下げても（誤って高い上限で作っても）、送り出しで止まる。境目のちょうどは通る。"""
    made = approved(office)
    people = Counter[int]()
    with office.home.ward.connect() as connection:
        payees = dict(connection.execute(sa.select(ward.entitlement.c.id, ward.entitlement.c.payee_number)).all())
    for line in ledger_lines(office, made.id):
        people[payees[line["entitlement_id"]]] += line["amount_yen"]
    known = {
        "largest": made.largest_yen,
        "total": made.total_yen,
        "count": made.line_count,
        "payee": max(people.values()),
    }
    limits = {name: known[words.split()[0]] - words.endswith("- 1") for name, words in ceiling.items()}
    if code == "payee-ceiling":
        assert limits["line_block_yen"] >= made.largest_yen, "一件の上限には触れない額でなければ、試験にならない"
    tight = replace(PROGRAMME, transfer=replace(PROGRAMME.transfer, **limits))

    def release() -> transfers.Transfer:
        return transfers.release(
            office.home, tight, made.id, out=office.root / "bank", bank_master=office.banks, actor=MAKER,
            clock=office.clock,
        )  # fmt: skip

    if code is None:
        assert release().released
        return
    with pytest.raises(RefusedByRule) as caught:
        release()
    assert caught.value.code == code
    assert {row["state"] for row in office.payments()} == {"F40"}


def test_a_ceiling_on_the_total_only_would_let_one_line_take_all(
    office: Office, rng: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    """わざと入れた誤り: 合計だけを見る関門。阿武町の形も、一人への付け替えも、素通りする。"""
    made = approved(office)
    request, expected = request_of(office, ledger_lines(office, made.id))
    total = sum(line.amount_yen for line in request.lines)

    def total_only(content: bytes, _header: Any, lines: Any, **_given: Any) -> list[str]:
        return (
            [] if int(content[-2 * 122 + 7 : -2 * 122 + 19]) <= sum(line[7] for line in lines) else ["合計が違います"]
        )

    monkeypatch.setattr(zengin_reader, "findings", total_only)
    passed = {
        change.__name__ for change in CHANGES if not zengin_reader.findings(change(request, rng).render(), *expected)
    }
    assert total == made.total_yen
    assert {"one_line_of_the_total", "everything_to_one", "another_account", "redated"} <= passed
    assert requests.one_line_of_the_total.__name__ in passed
