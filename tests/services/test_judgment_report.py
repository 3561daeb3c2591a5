"""支給判定の報告: 読んだ行 = 判定した行、検査ごとの件数、消えた行（宮崎市の事例）。"""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from benefit.domain.errors import RefusedByRule
from benefit.rules.payment_check import FILE_CHECKS
from benefit.rules.payment_verdicts import payment_checks
from benefit.services import judgment
from benefit.store import ward
from tests.services.conftest import JUDGED, PROGRAMME, Office
from tests.services.test_judgment_ledger import asked, form, homes, judge, slots
from tests.support.small_ward import read

FILES = ("verdicts.csv", "checks.csv", "vanished.csv", "judgment.xlsx", "reply/reply.csv")


def gone(office: Office, number: str) -> dict[str, str]:
    """消えた行: 給付管理番号 → いまの状態。"""
    return {row["給付管理番号"]: row["いま"] for row in read(office.root / f"out-{number}" / "vanished.csv")}


def test_rows_in_are_rows_judged_and_every_check_is_listed(office: Office) -> None:
    rows = office.rows()
    # 行の順は給付管理番号の順で、家ごとに違う。どの行に当たっても、額は登録と違うものにする。
    rows[0]["支給予定額"] = str(int(rows[0]["支給予定額"]) + 7_000)
    done = office.judge(office.replan(rows))
    told = read(office.root / "judged/checks.csv")
    assert list(told[0]) == ["区分", "番号", "重さ", "内容", "件数", "支給可", "保留", "不可"]
    read_line, judged_line = told[:2]
    assert (read_line["番号"], int(read_line["件数"])) == ("読んだ行", len(rows))
    assert int(judged_line["件数"]) == sum(int(judged_line[kind]) for kind in ("支給可", "保留", "不可")) == len(rows)
    listed = {row["番号"]: int(row["件数"]) for row in told if row["区分"] == "検査"}
    assert set(listed) == {check.number for check in payment_checks(PROGRAMME)}
    assert {row["番号"] for row in told if row["区分"] == "ファイル"} == set(FILE_CHECKS)
    counted: dict[str, int] = {}
    for row in office.verdicts().values():
        for check in filter(None, row["検査"].split(";")):
            counted[check] = counted.get(check, 0) + 1
    assert {number: count for number, count in listed.items() if count} == counted == done.checks
    assert listed["CHK70"] == 1
    # 委託先の読む返事に、検査も件数もない。
    assert {path.name for path in (office.root / "judged/reply").iterdir()} == {"reply.csv", "manifest.json"}


def test_the_same_file_again_gives_the_same_report_byte_for_byte(office: Office) -> None:
    first, second, third = homes(office)[:3]
    judge(office, "A", first, second)
    judge(office, "B", third)
    before = {name: (office.root / "out-B" / name).read_bytes() for name in FILES}
    assert set(gone(office, "B")) == {first["給付管理番号"], second["給付管理番号"]}
    # 消えた行の片方が、その後に判定されても、B の報告は B を判定した時のままである。
    made = office.make()
    assert made is not None
    again = office.judge(office.root / "in-B", out="again")
    assert (again.repeated, again.vanished, again.vanished_waiting) == (True, 2, 2)
    assert {name: (office.root / "again" / name).read_bytes() for name in FILES} == before


def test_rows_planned_before_and_unpaid_and_absent_now_are_named(office: Office) -> None:
    payable, held, blocked, later = homes(office)[:4]
    known = slots(office)
    taxed = [row for row in office.rows() if known[row["給付管理番号"]]["slot_kind"] == "ADJ"]
    shared = min(taxed, key=lambda row: str(known[row["給付管理番号"]]["slot"]))
    judge(office, "A", payable, form(held, "9000777"), form(shared, "9000777"), {**blocked, "支給予定額": "60000"})
    assert gone(office, "A") == {}
    judge(office, "B", later)
    expected = {
        payable["給付管理番号"]: "振込待ち",
        held["給付管理番号"]: "保留",
        shared["給付管理番号"]: "保留",
        blocked["給付管理番号"]: "不可",
    }
    assert gone(office, "B") == expected
    # 次のファイルにも出てこなければ、消えたまま。出てきた行は、消えていない。払った行も、終わった権利も、消えていない。
    entitlement = slots(office)[blocked["給付管理番号"]]["id"]
    asked(office, ward.ending, ward.ending_approval, entitlement_id=entitlement, kind="不支給")
    assert office.make() is not None
    judge(office, "C", form(held, "9000778", reviewed="2024-07-22"))
    assert gone(office, "C") == {shared["給付管理番号"]: "保留"}
    row = next(iter(read(office.root / "out-C" / "vanished.csv")))
    assert (row["前のファイル番号"], row["前の行番号"], row["前の判定"]) == ("A", "3", "保留")
    assert "CHK82" in row["前の検査"].split(";")


def test_a_payment_that_failed_and_is_not_planned_again_is_named(office: Office) -> None:
    first, second, third = homes(office)[:3]
    judge(office, "A", first)
    made = office.make()
    assert made is not None
    judge(office, "B", second)
    assert gone(office, "B") == {}, "振込の途中の権利は、消えていない"
    with office.home.ward.begin() as connection:
        for state in ("F41", "F43"):
            connection.execute(sa.update(ward.payment).values(state=state))
    judge(office, "C", third)
    assert gone(office, "C") == {first["給付管理番号"]: "振込不能", second["給付管理番号"]: "振込待ち"}


def test_judging_again_and_the_wards_own_rows_make_nothing_vanish(office: Office) -> None:
    first, second = homes(office)[:2]
    judge(office, "A", first, {**second, "支給予定額": "60000"})
    how = {"today": JUDGED, "bank_master": office.banks, "clock": office.clock}
    again = judgment.judge_again(office.home, PROGRAMME, "A", out=office.root / "again", **how)  # type: ignore[arg-type]
    assert again is not None
    assert (again.rows, again.vanished) == (1, 0)
    own = judgment.judge_ward_rows(office.home, PROGRAMME, out=office.root / "ward", **how)  # type: ignore[arg-type]
    assert own is None or own.vanished == 0


@pytest.mark.parametrize("number", ["WARD-20240726", "r6-2024-0001+1"])
def test_the_contractor_cannot_name_its_file_as_the_wards_own(office: Office, number: str) -> None:
    with pytest.raises(RefusedByRule, match="CHK02"):
        office.judge(office.replan(office.rows(), number=number))
