"""支給判定（benefit-rules D）。検査は一行も、一項目も飛ばさない。"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa

from benefit.domain.errors import RefusedByRule
from benefit.services import extracts
from benefit.store import ward
from tests.services.conftest import Office
from tests.support.small_ward import read, write

Row = dict[str, str]


def test_an_honest_file_is_payable_line_by_line(office: Office) -> None:
    done = office.judge()
    rows = office.rows()
    assert done.rows == len(rows) == len(office.verdicts())
    assert done.payable == done.rows - done.held - done.blocked
    assert done.payable > 0


def test_the_same_file_again_gives_the_stored_verdicts(office: Office) -> None:
    office.judge()
    again = office.judge(out="again")
    assert again.repeated
    assert (office.root / "again/verdicts.csv").read_bytes() == (office.root / "judged/verdicts.csv").read_bytes()


def test_the_reply_tells_only_the_number_the_verdict_and_a_coarse_reason(office: Office) -> None:
    rows = office.rows()
    rows[0]["支給予定額"] = "70000"
    office.judge(office.replan(rows))
    reply = read(office.root / "judged/reply/reply.csv")
    assert set(reply[0]) == {"給付管理番号", "判定", "理由"}
    assert {row["理由"] for row in reply} <= {"", "不備", "区確認", "支給済", "対象外"}
    assert (reply[0]["判定"], reply[0]["理由"]) == ("不可", "区確認")


def other_name(row: Row) -> None:
    row["カナ氏名"] = "ベツジン　ハナコ"


def set_to(**values: str) -> Callable[[Row], None]:
    return lambda row: row.update(values)


#: 検査 → (一行の書き換え方, 判定)。
CHANGES: dict[str, tuple[Callable[[Row], None], str]] = {
    "CHK10": (set_to(給付管理番号="00000000000"), "不可"),
    "CHK11": (other_name, "不可"),
    "CHK11 生年月日": (set_to(生年月日="1900-01-01"), "不可"),
    "CHK11 住民番号": (set_to(住民番号="0000000001"), "不可"),
    "CHK12": (set_to(枝番="0"), "不可"),
    "CHK70": (set_to(支給予定額="70000"), "不可"),
    "CHK71": (set_to(支給予定額="12345"), "不可"),
    "CHK72": (set_to(支給予定額="1000001"), "不可"),
    "CHK80": (
        set_to(金融機関コード="0000", 支店コード="000", 預金種目="1", 口座番号="9000001", 口座名義カナ="ﾃｽﾄ", 収受日="2024-07-20",
               審査完了日="2024-07-21"), "不可",
    ),
    "CHK85": (
        set_to(金融機関コード="9999", 支店コード="001", 預金種目="1", 口座番号="9000001", 口座名義カナ="ﾃｽﾄ"), "不可",
    ),
    "CHK93": (set_to(収受日="2024-07-21", 審査完了日="2024-07-20"), "不可"),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_each_check_stops_the_line_that_breaks_it_and_no_other(office: Office, name: str) -> None:
    change, verdict = CHANGES[name]
    rows = office.rows()
    at = next(place for place, row in enumerate(rows) if row["口座フラグ"] == "3")
    change(rows[at])
    office.judge(office.replan(rows))
    found = read(office.root / "judged/verdicts.csv")
    check = name.split(maxsplit=1)[0]
    assert found[at]["判定"] == verdict
    assert check in found[at]["検査"].split(";")
    assert all(check not in row["検査"].split(";") for place, row in enumerate(found) if place != at)


def test_a_line_twice_stops_both(office: Office) -> None:
    rows = office.rows()
    rows.append({**rows[0], "行番号": str(len(rows) + 1)})
    office.judge(office.replan(rows))
    found = read(office.root / "judged/verdicts.csv")
    assert [row["判定"] for row in (found[0], found[-1])] == ["不可", "不可"]
    assert "CHK20" in found[0]["検査"]
    assert found[1]["判定"] == "支給可"


def test_a_line_paid_or_on_its_way_or_already_judged_payable_is_not_paid_again(office: Office) -> None:
    office.judge()
    # 並べ替えた、中身の指紋の違うファイル（同じ指紋なら CHK01 で断られる）。
    rows = [{**row, "行番号": str(place)} for place, row in enumerate(reversed(office.rows()), 1)]
    payable = {number for number, row in office.verdicts().items() if row["判定"] == "支給可"}
    office.judge(office.replan(rows, number="二つ目", name="second"), out="second-out")
    pending = office.verdicts("second-out")
    assert {pending[number]["判定"] for number in payable} == {"不可"}
    assert all("CHK31" in pending[number]["検査"] for number in payable)
    made = office.make()
    assert made is not None
    rows[0]["収受日"], rows[0]["審査完了日"] = "2024-07-20", "2024-07-21"
    office.judge(office.replan(rows, number="三つ目", name="third"), out="third-out")
    third = office.verdicts("third-out")
    assert all("CHK31" in third[number]["検査"] for number in payable)


def test_ward_only_rows_from_outside_are_blocked_and_the_wards_own_are_not(office: Office) -> None:
    from benefit.services import judgment
    from benefit.services.judgment_rows import ward_rows
    from tests.services.conftest import JUDGED, PROGRAMME

    own = ward_rows(office.home, PROGRAMME, JUDGED)
    assert own.height > 0
    smuggled = own.row(0, named=True)
    rows = office.rows()
    rows.append(
        {
            **rows[0],
            "行番号": str(len(rows) + 1),
            "給付管理番号": smuggled["case_number"],
            "住民番号": f"{smuggled['person_number']:010d}",
            "カナ氏名": smuggled["kana_name"],
            "生年月日": smuggled["birth"],
            "支給予定額": str(smuggled["planned_yen"]),
            "口座フラグ": smuggled["account_flag"],
        }
    )
    office.judge(office.replan(rows))
    found = office.verdicts()[smuggled["case_number"]]
    assert (found["判定"], "CHK56" in found["検査"]) == ("不可", True)
    # 区が自分で作る行は、この検査では止まらない。
    done = judgment.judge_ward_rows(
        office.home, PROGRAMME, out=office.root / "ward-out", today=JUDGED, bank_master=office.banks, clock=office.clock
    )
    assert done is not None
    assert "CHK56" not in done.checks
    # 世帯の給付がまだ支給可でない家の子だけが止まる。
    assert done.blocked == done.checks.get("CHK45", 0)


def test_the_dead_and_the_no_longer_eligible_are_stopped_by_the_newest_extract(office: Office) -> None:
    rows = office.rows()
    victim = rows[0]["住民番号"]
    folder = office.root / "in"
    residents = read(folder / "residents.csv")
    for row in residents:
        if row["住民番号"] == victim:
            row["消除日"], row["消除事由"] = "2024-07-20", "死亡"
    write(folder / "residents.csv", residents, list(residents[0]))
    extracts.import_file(office.home, "residents", folder / "residents.csv", clock=office.clock, levy_year=2024)
    office.judge()
    dead = [row for row in read(office.root / "judged/verdicts.csv") if "CHK60" in row["検査"].split(";")]
    assert {row["給付管理番号"] for row in dead} == {r["給付管理番号"] for r in rows if r["住民番号"] == victim}
    assert all(row["判定"] == "不可" for row in dead)


def test_a_push_line_before_its_deadline_is_not_ready(office: Office) -> None:
    office.judge(today=date(2024, 7, 8))
    assert all("CHK50" in row["検査"] for row in office.verdicts().values())


def test_the_day_after_the_deadline_it_is_ready(office: Office) -> None:
    office.judge(today=date(2024, 7, 9))
    assert all("CHK50" not in row["検査"] for row in office.verdicts().values())


@pytest.mark.parametrize(
    ("check", "manifest"),
    [
        ("CHK02", {"件数": 1}),
        ("CHK02", {"合計金額": 1}),
        ("CHK02", {"事業": "r7"}),
        ("CHK02", {"sha256": "0" * 64}),
        ("CHK02", {"ファイル番号": ""}),
    ],
)
def test_a_manifest_that_does_not_add_up_refuses_the_file(
    office: Office, check: str, manifest: dict[str, object]
) -> None:
    with pytest.raises(RefusedByRule, match=check):
        office.judge(office.replan(office.rows(), **manifest))
    assert not (office.root / "judged").exists()


def test_a_broken_layout_refuses_the_file(office: Office) -> None:
    rows = office.rows()
    with pytest.raises(RefusedByRule, match="CHK05"):
        office.judge(office.replan([{**row, "課税区分": "0"} for row in rows], name="extra"))
    with pytest.raises(RefusedByRule, match="CHK03"):
        office.judge(office.replan([{**row, "収受日": "7/20"} for row in rows], name="dates"))
    without = [{key: value for key, value in row.items() if key != "枝番"} for row in rows]
    with pytest.raises(RefusedByRule, match="CHK03"):
        office.judge(office.replan(without, name="missing"))


def test_a_known_number_with_other_content_and_known_content_with_another_number_are_refused(office: Office) -> None:
    office.judge()
    rows = office.rows()
    number = "r6-2024-0001"
    with pytest.raises(RefusedByRule, match="CHK01"):
        office.judge(office.replan(rows[:-1], number=number, name="less"))
    folder = office.replan(rows, number="別の番号", name="renamed")
    (folder / "planned.csv").write_bytes((office.planned / "planned.csv").read_bytes())
    with pytest.raises(RefusedByRule, match="CHK01"):
        office.judge(folder)


def test_another_programmes_number_is_named_as_such(office: Office) -> None:
    with office.home.ward.begin() as connection:
        one = dict(connection.execute(sa.select(ward.entitlement)).mappings().first() or {})
        other = {**one, "id": 9_999, "programme": "r5", "slot": "r5/HH100K/1", "case_number": "99999999990"}
        connection.execute(ward.entitlement.insert().values(**other))
    rows = office.rows()
    rows[0]["給付管理番号"] = "99999999990"
    office.judge(office.replan(rows))
    found = read(office.root / "judged/verdicts.csv")[0]
    assert (found["判定"], "CHK14" in found["検査"], "CHK10" in found["検査"]) == ("不可", True, False)


def test_a_twin_with_another_number_holds_both_lines(office: Office) -> None:
    rows = office.rows()
    adults = [row for row in rows if row["支給予定額"] != "50000"]
    one, other = adults[0], next(row for row in adults if row["住民番号"] != adults[0]["住民番号"])
    same = {"金融機関コード": "9999", "支店コード": "001", "預金種目": "1", "口座番号": "9000777", "口座名義カナ": one["カナ氏名"],
            "カナ氏名": one["カナ氏名"], "生年月日": one["生年月日"], "収受日": "2024-07-20", "審査完了日": "2024-07-21"}  # fmt: skip
    one.update(same)
    other.update(same)
    office.judge(office.replan(rows))
    hit = {number for number, row in office.verdicts().items() if "CHK23" in row["検査"].split(";")}
    assert hit == {one["給付管理番号"], other["給付管理番号"]}


def test_a_child_is_payable_only_with_its_household(office: Office) -> None:
    """CHK45: 世帯の給付が支給可でなければ、こども加算は払わない。同じファイルの世帯の行も見る。"""
    slots = {row["case_number"]: row for row in entitlements(office)}
    rows = office.rows()
    child = next(
        row
        for row in rows
        if slots[row["給付管理番号"]]["slot_kind"] == "CHILD"
        and any(one["給付管理番号"] == parent_of(slots, row) for one in rows)
    )
    parent = parent_of(slots, child)
    without = [row for row in rows if row["給付管理番号"] != parent]
    office.judge(office.replan(without), out="alone")
    assert "CHK45" in office.verdicts("alone")[child["給付管理番号"]]["検査"].split(";")
    office.judge(office.replan(rows, number="both", name="both"), out="both")
    found = office.verdicts("both")
    assert found[parent]["判定"] == "支給可"
    assert "CHK45" not in found[child["給付管理番号"]]["検査"].split(";")


def entitlements(office: Office) -> list[dict[str, Any]]:
    with office.home.ward.connect() as connection:
        return [dict(row) for row in connection.execute(sa.select(ward.entitlement)).mappings()]


def parent_of(slots: dict[str, dict[str, Any]], row: Row) -> str:
    home = slots[row["給付管理番号"]]["household_number"]
    found = [n for n, one in slots.items() if one["slot_kind"] == "HH100K" and one["household_number"] == home]
    return found[0] if found else ""


@pytest.mark.parametrize(
    ("change", "check"),
    [
        ({"減税前所得割額_区": "60000", "均等割額": "4000"}, "CHK62"),
        ({"租税条約免除": "1"}, "CHK62"),
        ({"申告区分": "未申告"}, "CHK63"),
    ],
)
def test_a_household_that_changed_is_stopped_by_the_check_that_says_why(
    office: Office, change: dict[str, str], check: str
) -> None:
    slots = {row["case_number"]: row for row in entitlements(office)}
    # 番号は作業場所ごとに違うので、権利の名の順で選ぶ。全員が非課税の世帯なら、どの変わり方も効く。
    untaxed = [one for one in office.rows() if slots[one["給付管理番号"]]["benefit"] == "R6-1"]
    row = min(untaxed, key=lambda one: slots[one["給付管理番号"]]["slot"])
    taxes = read(office.root / "in/taxes.csv")
    for one in taxes:
        if one["宛名番号"] == row["住民番号"]:
            one.update(change)
    write(office.root / "taxes-new.csv", taxes, list(taxes[0]))
    extracts.import_file(office.home, "taxes", office.root / "taxes-new.csv", clock=office.clock, levy_year=2024)
    office.judge()
    found = office.verdicts()[row["給付管理番号"]]
    assert check in found["検査"].split(";")
    assert "CHK61" not in found["検査"].split(";")
    assert found["判定"] == ("保留" if check == "CHK63" else "不可")


@pytest.mark.parametrize(("reason", "verdict"), [("職権", "保留"), ("転出", "支給可")])
def test_one_removed_by_the_office_is_held_and_one_who_moved_is_paid(office: Office, reason: str, verdict: str) -> None:
    slots = {row["case_number"]: row for row in entitlements(office)}
    residents = read(office.root / "in/residents.csv")
    staying = {row["住民番号"] for row in residents if not row["消除日"]}
    chosen = {
        row["住民番号"]
        for row in office.rows()
        if slots[row["給付管理番号"]]["slot_kind"] == "ADJ" and row["住民番号"] in staying
    }
    for one in residents:
        if one["住民番号"] in chosen:
            one.update({"消除日": "2024-07-10", "消除事由": reason})
    write(office.root / "gone.csv", residents, list(residents[0]))
    extracts.import_file(office.home, "residents", office.root / "gone.csv", clock=office.clock, levy_year=2024)
    office.judge()
    found = [
        row
        for number, row in office.verdicts().items()
        if slots[number]["slot_kind"] == "ADJ" and f"{slots[number]['payee_number']:010d}" in chosen
    ]
    assert found
    assert all("CHK68" in row["検査"].split(";") for row in found)
    only = [row for row in found if set(row["検査"].split(";")) <= {"CHK68", "CHK95"}]
    assert only
    assert {row["判定"] for row in only} == {verdict}
