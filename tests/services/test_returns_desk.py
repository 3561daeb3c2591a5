"""委託先に見えるのは、支給なし・区確認中・振込済まで。組戻しの訳も、返還も、外へは出ない。"""

from __future__ import annotations

import polars as pl

from benefit.services import desk_export, desk_load, undo_carry, undo_plan
from benefit.store import desk
from tests.services.conftest import FIRST, MAKER, PROGRAMME, Office
from tests.services.undo_office import TERMS, TODAY, planned, scene
from tests.support.small_ward import read

SEES = {"組戻し中": "J31", "送付済": "F41", "振込不能": "F43", "入金済": "F42", "一部請求中": "F42", "返還済": "F42"}
AFTER = {"支給可": "D34", "作成済": "D34", "振込不能": "D34", "送付済": "J31", "入金済": "F42", "返還済": "F42"}


def handed(office: Office, name: str) -> dict[str, dict[str, str]]:
    desk_export.export(office.home, PROGRAMME, out=office.root / name, today=TODAY, clock=office.clock)
    loaded = desk_load.load(office.home, office.root / name, clock=office.clock)
    assert loaded.stuck == ()
    return {row["給付管理番号"]: row for row in read(office.root / name / "payees.csv")}


def test_the_desk_sees_a_neutral_state_and_no_reason(office: Office) -> None:
    found = scene(office)
    rows = handed(office, "p2")
    told = {number: row["進捗状況"] for number, row in rows.items()}
    assert {number: told[number] for number in found.state if found.state[number] in SEES} == {
        number: SEES[word] for number, word in found.state.items() if word in SEES
    }
    assert rows[found.of("組戻し中")[0]]["振込日"] == ""
    plan = planned(found)
    undo_plan.approve(office.home, plan.id, actor=FIRST, clock=office.clock)
    undo_carry.carry_out(office.home, plan.id, out=office.root / "undo", actor=MAKER, clock=office.clock)
    rows = handed(office, "p3")
    told = {number: row["進捗状況"] for number, row in rows.items()}
    assert {number: told[number] for number in found.state if found.state[number] in AFTER} == {
        number: AFTER[word] for number, word in found.state.items() if word in AFTER
    }
    assert {row["振込日"] for row in rows.values() if row["進捗状況"] == "D34"} == {""}
    data = (office.root / "p3" / "payees.csv").read_text(encoding="utf-8")
    for word in (TERMS.reason, "不支給", "返還", "組戻", "対象外"):
        assert word not in data
    with office.home.desk.connect() as connection:
        states = connection.execute(desk.benefit_case.select()).mappings().all()
    assert {row["case_number"]: row["state"] for row in states if row["state"] == "D34"}.keys() == {
        number for number, state in told.items() if state == "D34"
    }
    assert pl.Series(list(told.values())).is_in(["D34", "J31", "F42", "F41", "D33", "J32", "P20", "C20", "S10"]).all()
