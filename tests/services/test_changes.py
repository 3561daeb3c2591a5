"""決めた後に変わった事実: 黙って書き換えず、誰が・なぜ・何をするかが一覧になり、関門は黙って止める。"""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import sqlalchemy as sa

from benefit.domain.change import CHANGE_OF, CHANGES, STAGES
from benefit.domain.errors import RefusedByRule, WrongUse
from benefit.services import beneficiaries, changes, desk_export, extracts, gate
from benefit.services.reissue import reissue
from benefit.store import ward
from letters.mailing import make_letters
from tests.services.conftest import FIRST, MAKER, PROGRAMME, Office
from tests.support.approval import approve_latest
from tests.support.owner import as_owner
from tests.support.small_ward import read, write

DAY = date(2024, 7, 29)
Rows = list[dict[str, str]]


def bring(office: Office, kind: str, edit: Callable[[Rows], Rows]) -> None:
    """新しい抽出データが届く: いまの行を `edit` のとおりに変えたもの。"""
    source = office.root / "in" / f"{kind}.csv"
    rows = read(source)
    heading = list(rows[0])
    file = office.root / f"{kind}-new.csv"
    write(file, edit(rows), heading)
    extracts.import_file(office.home, kind, file, clock=lambda: datetime(2024, 7, 29, tzinfo=UTC), levy_year=2024)


def change(number: int, **values: str) -> Callable[[Rows], Rows]:
    key = f"{number:010d}"

    def edit(rows: Rows) -> Rows:
        column = "住民番号" if "住民番号" in rows[0] else "宛名番号"
        return [row | values if row[column] == key else row for row in rows]

    return edit


def standing(office: Office) -> pl.DataFrame:
    """登録した権利。番号は作業場所ごとに違うので、権利の名の順にする。"""
    return gate.stand(office.home, PROGRAMME, DAY).entitlements.sort("slot")


def found(office: Office) -> dict[str, dict[str, Any]]:
    rows = changes.find(office.home, PROGRAMME, DAY, clock=office.clock).open
    return {row["slot"]: row for row in rows.iter_rows(named=True)}


def one(office: Office, **wanted: Any) -> dict[str, Any]:
    """条件に合う権利の一つ目。"""
    rows = standing(office)
    for name, value in wanted.items():
        rows = rows.filter(pl.col(name) == value)
    return rows.row(0, named=True)


def registered(office: Office) -> list[tuple[Any, ...]]:
    with office.home.ward.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.select(ward.entitlement).order_by(ward.entitlement.c.id))]


def test_when_nothing_changed_only_those_without_a_known_address_are_listed(office: Office) -> None:
    """転出した人の手紙は、送付先が登録されるまで古い住所へ行く（平川市: 33 通）。だから、はじめから一覧に出る。"""
    rows = changes.find(office.home, PROGRAMME, DAY, clock=office.clock).open
    assert set(rows["code"]) <= {"MOVED"}
    gone = {int(row["住民番号"]) for row in read(office.root / "in" / "residents.csv") if "転出" in row["消除事由"]}
    assert rows.height > 0
    assert set(rows["payee_number"]) <= gone
    heading = ["宛名番号", "種別", "漢字氏名", "カナ氏名", "郵便番号", "漢字住所", "漢字方書"]
    forwarded = {
        "種別": "転出先", "漢字氏名": "試験", "カナ氏名": "シケン", "郵便番号": "1000001", "漢字住所": "東京都", "漢字方書": "",
    }  # fmt: skip
    write(office.root / "addresses.csv", [{"宛名番号": f"{n:010d}", **forwarded} for n in gone], heading)
    extracts.import_file(office.home, "addresses", office.root / "addresses.csv", clock=office.clock, levy_year=2024)
    standing_now = gate.stand(office.home, PROGRAMME, DAY)
    assert changes.changed(office.home, PROGRAMME, standing_now, DAY).is_empty()


def test_a_death_is_listed_with_what_must_be_done_and_nothing_is_rewritten(office: Office) -> None:
    before = registered(office)
    alone = lonely(office)
    bring(office, "residents", change(alone["payee_number"], 消除日="2024-07-20", 消除事由="死亡"))
    row = found(office)[alone["slot"]]
    assert (row["code"], row["why"]) == ("DIED", "死亡 2024-07-20")
    assert registered(office) == before
    told = changes.told(pl.DataFrame([row]), DAY).row(0, named=True)
    assert told["変わったこと"] == "受給者が亡くなった"
    assert told["すること"].startswith("支払を止める（関門が止めている）")
    closed = one(office, slot=alone["slot"])
    assert (closed["open"], closed["why_closed"]) == (False, "受給者が亡くなっている")


def lonely(office: Office) -> dict[str, Any]:
    """一人の世帯の世帯給付。"""
    persons = gate.stand(office.home, PROGRAMME, DAY).decisions.persons
    alone = persons.filter(pl.len().over("household_number") == 1)["household_number"]
    rows = standing(office).filter(
        (pl.col("slot_kind") == "HH100K") & pl.col("household_number").is_in(alone.implode())
    )
    # 手紙を作った権利（字形がなくて止めたものでない）。
    return rows.filter(~pl.col("ward_only") & pl.col("flag_written").is_not_null()).row(0, named=True)


def crowded(office: Office) -> tuple[dict[str, Any], pl.DataFrame]:
    """二人より多い世帯の世帯給付と、その世帯員。"""
    persons = gate.stand(office.home, PROGRAMME, DAY).decisions.persons
    many = persons.filter(pl.len().over("household_number") > 1)
    rows = standing(office).filter(
        (pl.col("slot_kind") == "HH100K") & pl.col("household_number").is_in(many["household_number"].implode())
    )
    row = rows.filter(~pl.col("ward_only")).row(0, named=True)
    return row, persons.filter(pl.col("household_number") == row["household_number"])


def test_a_dead_householder_with_others_living_asks_for_a_successor(office: Office) -> None:
    row, _members = crowded(office)
    bring(office, "residents", change(row["payee_number"], 消除日="2024-07-20", 消除事由="死亡"))
    listed = found(office)[row["slot"]]
    assert listed["code"] == "DIED_OTHERS_LIVING"
    todo = CHANGE_OF["DIED_OTHERS_LIVING"].todo[listed["stage"]]
    assert any("claim enter" in one for one in todo)


def test_a_new_protection_mark_on_any_member_withdraws_the_household(office: Office) -> None:
    row, members = crowded(office)
    other = members.filter(pl.col("person_number") != row["payee_number"])["person_number"][0]
    shown = outside(office)
    assert row["case_number"] in shown
    bring(office, "protected", lambda rows: [*rows, {"住民番号": f"{other:010d}", "区分": "DV"}])
    listed = found(office)[row["slot"]]
    assert listed["code"] == "PROTECTED"
    assert any("引き上げる" in todo for todo in CHANGE_OF["PROTECTED"].todo[listed["stage"]])
    assert row["case_number"] not in outside(office)
    assert outside(office) < shown


def test_a_mark_on_a_household_that_is_no_longer_eligible_still_withdraws_it(office: Office) -> None:
    """判定で対象外になった世帯でも、世帯の誰かが保護されたら、委託先に行を残さない。"""
    row, members = crowded(office)
    other = members.filter(pl.col("person_number") != row["payee_number"])["person_number"][0]
    bring(office, "taxes", change(row["payee_number"], 減税前所得割額_区="60000", 均等割額="4000"))
    assert found(office)[row["slot"]]["code"] == "TAX_UP"
    assert row["case_number"] in outside(office), "外れた人の行は、区の知らせで進む（不支給）"
    bring(office, "protected", lambda rows: [*rows, {"住民番号": f"{other:010d}", "区分": "児童施設"}])
    assert row["case_number"] not in outside(office)


def outside(office: Office) -> set[str]:
    out = office.root / f"again-{office.clock().timestamp()}"
    desk_export.export(office.home, PROGRAMME, out=out, today=DAY, clock=office.clock)
    with (out / "payees.csv").open(encoding="utf-8", newline="") as file:
        return {row["給付管理番号"] for row in csv.DictReader(file)}


def test_a_tax_correction_stops_the_household_but_not_the_adjustment(office: Office) -> None:
    household = lonely(office)
    bring(office, "taxes", change(household["payee_number"], 減税前所得割額_区="60000", 均等割額="4000"))
    listed = found(office)[household["slot"]]
    assert listed["code"] == "TAX_UP"
    assert "所得割を課税されている人がいない" in listed["why"]
    adjusted = standing(office).filter((pl.col("slot_kind") == "ADJ") & pl.col("flag_written").is_not_null())
    taxpayer = adjusted.filter(pl.col("payee_number") != household["payee_number"]).row(0, named=True)
    bring(office, "taxes", change(taxpayer["payee_number"], 合計所得金額="18050001"))
    listed = found(office)[taxpayer["slot"]]
    assert listed["code"] == "FROZEN"
    frozen = one(office, slot=taxpayer["slot"])
    assert frozen["open"], "額を知らせた後の調整給付は、税が変わっても止まらない（A.6）"
    assert frozen["amount_now_yen"] == frozen["amount_yen"]


def test_an_adjustment_nobody_was_told_of_is_not_frozen(office: Office, tmp_path: Path) -> None:
    """富山・犬山: 知らせる前に誤りが分かれば、作り直して承認すれば直る。"""
    del tmp_path
    rows = standing(office).filter(pl.col("slot_kind") == "ADJ")
    row = rows.row(0, named=True)
    with office.home.ward.begin() as connection:
        unprinted = {"lot_id": None, "held_reason": "字形がない"}
        as_owner(connection).execute(
            ward.letter.update().where(ward.letter.c.entitlement_id == row["id"]).values(unprinted)
        )
    bring(office, "taxes", change(row["payee_number"], 合計所得金額="18050001"))
    assert found(office)[row["slot"]]["code"] == "EXCLUDED"
    assert not one(office, slot=row["slot"])["open"]


@pytest.mark.parametrize(
    ("values", "code", "why"),
    [
        ({"消除日": "2024-07-10", "消除事由": "転出"}, "MOVED", "転出 2024-07-10"),
        ({"消除日": "2024-07-10", "消除事由": "職権"}, "REMOVED_BY_OFFICE", "職権消除 2024-07-10"),
        ({"漢字住所": "東京都新宿区西新宿二丁目8番1号"}, "MOVED", "住所が変わった"),
        ({"漢字氏名": "新姓　花子"}, "MOVED", "氏名が変わった"),
        ({"続柄": "子"}, "UNDETERMINED", "世帯主が一人いる"),
    ],
)  # fmt: skip
def test_moves_and_names_and_heads(office: Office, values: dict[str, str], code: str, why: str) -> None:
    row = lonely(office)
    bring(office, "residents", change(row["payee_number"], **values))
    listed = found(office)[row["slot"]]
    assert listed["code"] == code
    assert why in listed["why"]


def test_somebody_who_leaves_the_extract_is_named(office: Office) -> None:
    row = lonely(office)
    bring(office, "residents", lambda rows: [r for r in rows if r["住民番号"] != f"{row['payee_number']:010d}"])
    assert found(office)[row["slot"]]["code"] == "VANISHED"


def test_what_was_found_stays_until_somebody_says_what_was_done(office: Office) -> None:
    row = lonely(office)
    bring(office, "residents", change(row["payee_number"], 消除日="2024-07-20", 消除事由="死亡"))
    first = changes.find(office.home, PROGRAMME, DAY, clock=office.clock)
    again = changes.find(office.home, PROGRAMME, DAY, clock=office.clock)
    assert first.fresh > 0
    assert again.fresh == 0
    assert again.open.equals(first.open)
    number = first.open.filter(pl.col("slot") == row["slot"])["id"][0]
    with pytest.raises(WrongUse, match="何をしたか"):
        changes.close(office.home, number, did=" ", actor=MAKER, clock=office.clock)
    changes.close(office.home, number, did="不支給の通知を送った", actor=MAKER, clock=office.clock)
    with pytest.raises(RefusedByRule, match="もう済んでいます"):
        changes.close(office.home, number, did="もう一度", actor=MAKER, clock=office.clock)
    with pytest.raises(WrongUse, match="一覧にありません"):
        changes.close(office.home, 9_999, did="x", actor=MAKER, clock=office.clock)
    left = changes.find(office.home, PROGRAMME, DAY, clock=office.clock)
    assert left.open.height == first.open.height - 1
    assert left.fresh == 0


def test_every_change_says_what_to_do_at_every_stage() -> None:
    for one_change in CHANGES:
        assert set(one_change.todo) == set(STAGES), one_change.code
        assert all(one_change.todo.values())
        assert one_change.basis


def test_a_reissue_moves_the_branch_and_the_old_letter_counts_no_more(office: Office) -> None:
    row = lonely(office)
    how = {"reason": "返戻", "actor": MAKER, "clock": office.clock}
    planned = office.rows()
    assert reissue(office.home, PROGRAMME, row["case_number"], **how) == 2
    with pytest.raises(RefusedByRule, match="まだ作られていません"):
        reissue(office.home, PROGRAMME, row["case_number"], **how)
    # 古い枝番の申し出は払われず、新しい枝番には新しい手紙ができる。番号は同じ。
    office.judge(office.replan(planned))
    told = {r["給付管理番号"]: r for r in office.verdicts().values()}
    if row["case_number"] in told:
        assert told[row["case_number"]]["判定"] == "不可"
        assert "CHK12" in told[row["case_number"]]["検査"].split(";")
    made = make_letters(office.home, PROGRAMME, out=office.root / "again", issued_on=DAY, clock=office.clock)
    assert made.printed == 1
    with office.home.ward.connect() as connection:
        table = ward.letter
        letters = connection.execute(
            sa.select(table.c.branch).where(table.c.entitlement_id == row["id"]).order_by(table.c.branch)
        )
        assert letters.scalars().all() == [1, 2]


def test_what_is_paid_or_moving_or_unknown_is_not_reissued(office: Office) -> None:
    how = {"reason": "返戻", "actor": MAKER, "clock": office.clock}
    office.judge()
    payable = next(number for number, row in office.verdicts().items() if row["判定"] == "支給可")
    with pytest.raises(RefusedByRule, match="振込を待っている"):
        reissue(office.home, PROGRAMME, payable, **how)
    made = office.make()
    assert made is not None
    with pytest.raises(RefusedByRule, match="振込の途中"):
        reissue(office.home, PROGRAMME, payable, **how)
    with pytest.raises(WrongUse, match="ありません"):
        reissue(office.home, PROGRAMME, "00000000000", **how)
    with pytest.raises(WrongUse, match="理由"):
        reissue(office.home, PROGRAMME, payable, **(how | {"reason": ""}))


def test_a_reissue_takes_what_the_approved_run_says(office: Office, tmp_path: Path) -> None:
    """世帯の給付の種類が変わった（非課税 → 均等割のみ）: 作り直し、承認し、出し直して、初めて登録が変わる。"""
    rows = standing(office).filter((pl.col("benefit") == "R6-1") & ~pl.col("ward_only"))
    row = rows.row(0, named=True)
    bring(office, "taxes", change(row["payee_number"], 均等割額="4000"))
    beneficiaries.build(office.home, PROGRAMME, DAY, out=tmp_path / "b", clock=office.clock, actor=MAKER)
    assert one(office, slot=row["slot"])["benefit"] == "R6-1"
    approve_latest(office.home, office.clock, FIRST)
    assert one(office, slot=row["slot"])["benefit"] == "R6-1", "知らせた後の権利は、承認だけでは変わらない"
    reissue(office.home, PROGRAMME, row["case_number"], reason="更正", actor=MAKER, clock=office.clock)
    assert one(office, slot=row["slot"])["benefit"] == "R6-2"
