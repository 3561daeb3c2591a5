"""照会の回答: 一部だけ、遅れて、二度、食い違って届く。どれも受け取り、使うものは決まりどおりに一つ（契約 §2・§4）。"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from benefit.domain.errors import RefusedInput
from benefit.services import extracts, inquiry_answers
from benefit.services.home import Home
from benefit.services.inquiry_answers import Answered, contradictions, received
from benefit.services.standing import decide_now, gather
from benefit.store import ward
from tests.services.inquiry_ward import ACCOUNT, ASKED, PROGRAMME, TAX_ANSWER, Ward
from tests.support.small_ward import read, write

LATER = ASKED + timedelta(7)
#: 回答、均等割額、所得割額_減税前、所得割額_減税後、租税条約免除 → 課税区分（契約 §2 Tax class の後半、一文ずつ）。
#: 最後は、食い違いとして職員に示すか。
ANSWERS: list[tuple[tuple[str, str, str, str, str], str, bool]] = [
    # 租税条約免除=1 → X（ほかの何より先に）
    (("非課税", "0", "0", "0", "1"), "X", False),
    (("課税", "4000", "10000", "0", "1"), "X", False),
    (("エラー", "", "", "", "1"), "X", False),
    # 課税 with 所得割額_減税前 > 0 → 2
    (("課税", "4000", "1", "0", "0"), "2", False),
    (("課税", "", "62300", "52300", "0"), "2", False),
    (("課税", "0", "62300", "52300", "0"), "2", True),
    # 減税前 = 0 → 1 if 均等割額 > 0
    (("課税", "4000", "0", "0", "0"), "1", False),
    (("課税", "1", "0", "", "0"), "1", False),
    (("課税", "4000", "0", "100", "0"), "1", True),
    # else stays Q
    (("課税", "0", "0", "0", "0"), "Q", True),
    (("課税", "", "0", "", "0"), "Q", True),
    # 減税前 blank: 減税後 > 0 → 2, otherwise stays Q
    (("課税", "4000", "", "1", "0"), "2", False),
    (("課税", "4000", "", "0", "0"), "Q", True),
    (("課税", "4000", "", "", "0"), "Q", True),
    (("課税", "", "", "", "0"), "Q", True),
    # 非課税 → 0（額に何と書いてあっても）
    (("非課税", "0", "0", "0", "0"), "0", False),
    (("非課税", "", "", "", "0"), "0", False),
    (("非課税", "4000", "62300", "52300", "0"), "0", True),
    # 未申告 → U
    (("未申告", "", "", "", "0"), "U", False),
    # every other answer stays Q
    (("該当なし", "", "", "", "0"), "Q", False),
    (("提供不可", "", "", "", "0"), "Q", False),
    (("エラー", "", "", "", "0"), "Q", False),
    (("該当なし", "4000", "0", "0", "0"), "Q", True),
]


@pytest.fixture
def town(home: Home, tmp_path: Path) -> Ward:
    return Ward(home, tmp_path)


def asked_town(town: Ward, *names: str) -> Ward:
    for place, name in enumerate(names or ("甲", "乙", "丙"), start=1):
        town.mover(name, place)
    town.load()
    town.ask()
    return town


def counted(done: Answered) -> tuple[int, int, int]:
    assert done.imported.rows_kept == done.fresh + done.repeated + done.differing
    return done.fresh, done.repeated, done.differing


def flaws(town: Ward, kind: str = "tax") -> dict[str, list[str]]:
    """名前 → 食い違い。"""
    names = {int(number): name for name, number in town.people.items()}
    found: dict[str, list[str]] = {}
    all_answers = received(town.home, kind, 2024, extracts.answer_sources(town.home))
    for row in contradictions(kind, all_answers).iter_rows(named=True):
        found.setdefault(names[row["person_number"]], []).append(row["flaw"])
    return found


def test_every_single_answer_means_what_the_contract_says(town: Ward) -> None:
    names = [f"{place:02d} {'・'.join(answer)}" for place, (answer, _, _) in enumerate(ANSWERS)]
    asked_town(town, *names)
    done = town.answer(*[(name, 1, *answer) for name, (answer, _, _) in zip(names, ANSWERS, strict=True)])
    assert town.classes() == {name: letter for name, (_, letter, _) in zip(names, ANSWERS, strict=True)}
    assert set(flaws(town)) == {name for name, (_, _, flawed) in zip(names, ANSWERS, strict=True) if flawed}
    assert counted(done) == (len(ANSWERS), 0, 0)
    assert done.contradictory == sum(flawed for _, _, flawed in ANSWERS)
    assert done.unresolved == sum(letter == "Q" for _, letter, _ in ANSWERS)


def test_answers_come_in_parts_and_the_rest_stays_unknown(town: Ward) -> None:
    asked_town(town)
    town.answer(("甲", 1, "非課税"))
    assert town.classes() == {"甲": "0", "乙": "Q", "丙": "Q"}
    town.answer(("丙", 1, "未申告"))
    assert town.classes() == {"甲": "0", "乙": "Q", "丙": "U"}


def test_the_same_file_again_changes_nothing(town: Ward) -> None:
    asked_town(town)
    town.answer(("甲", 1, "非課税"), name="一.csv")
    audited = len(town.audit("inquiry.import"))
    again = town.take(town.folder / "一.csv")
    assert again.imported.already
    assert (again.fresh, again.repeated, again.differing) == (0, 0, 0)
    assert len(town.audit("inquiry.import")) == audited == 1


def test_the_same_answer_in_another_file_is_counted_as_repeated(town: Ward) -> None:
    asked_town(town)
    town.answer(("甲", 1, "課税", "4000", "", "", "0"))
    done = town.answer(("甲", 1, "課税", "4000", "", "", "0"), ("乙", 1, "非課税"))
    assert counted(done) == (1, 1, 0)
    assert flaws(town).keys() == {"甲"}  # 一つの回答の中の食い違いだけ
    assert len(flaws(town)["甲"]) == 1


def test_two_answers_to_one_inquiry_the_later_wins_and_an_officer_is_told(town: Ward) -> None:
    asked_town(town)
    town.answer(("甲", 1, "非課税", "0", "0", "0"))
    assert town.classes()["甲"] == "0"
    done = town.answer(("甲", 1, "課税", "4000", "0", "0"))
    assert counted(done) == (0, 0, 1)
    assert (town.classes()["甲"], done.contradictory) == ("1", 1)
    assert "前と違う答え" in flaws(town)["甲"][0]
    # 前の答えに戻っても、違う答えである。
    assert counted(town.answer(("甲", 1, "非課税", "0", "0", "0"), ("乙", 1, "非課税"))) == (1, 0, 1)
    assert town.classes()["甲"] == "0"


def retried(town: Ward) -> Ward:
    asked_town(town, "甲", "乙")
    town.answer(("甲", 1, "エラー"), ("乙", 1, "提供不可"))
    town.ask(today=LATER, retry=True)
    return town


def test_a_late_answer_to_an_old_inquiry_never_overrules_the_newer_one(town: Ward) -> None:
    retried(town)
    town.answer(("甲", 2, "課税", "4000", "100", "0"))
    done = town.answer(("甲", 1, "非課税", "0", "0", "0"))
    assert done.late == 1
    assert town.classes()["甲"] == "2"
    assert any("試みによって" in flaw for flaw in flaws(town)["甲"])


def test_a_late_answer_to_an_old_inquiry_is_used_where_the_newer_one_says_nothing(town: Ward) -> None:
    retried(town)
    town.answer(("甲", 2, "該当なし"))
    assert town.classes()["甲"] == "Q"
    assert town.answer(("甲", 1, "非課税", "0", "0", "0"), ("乙", 1, "未申告")).late == 2
    assert (town.classes()["甲"], town.classes()["乙"]) == ("0", "U")
    # 新しい照会への答えが後から届けば、そちらになる。
    town.answer(("乙", 2, "非課税", "0", "0", "0"))
    assert town.classes()["乙"] == "0"


@pytest.mark.parametrize(("word", "cells", "flag"), [("有", ACCOUNT, "3"), ("無", (), "0"), ("提供停止", (), "0")])
def test_an_account_answer_replaces_or_removes(town: Ward, word: str, cells: tuple[str, ...], flag: str) -> None:
    town.add("甲", 1, tax={})
    town.load()
    town.ask("account")
    # 尋ねた後に、住民記録の側にも公金受取口座が入ってきた。回答が、それを置き換える（無・提供停止は除く）。
    account = ("9999", "002", "1", "9000002", "ﾍﾞﾂｼﾞﾝ")
    town.rows["accounts"].append(
        {"宛名番号": town.people["甲"], "口座種別": "公金受取"}
        | dict(zip(("金融機関コード", "支店コード", "預金種目", "口座番号", "口座名義カナ"), account, strict=True))
    )
    town.load("accounts")
    done = town.answer(("甲", 1, word, *cells), kind="account")
    assert counted(done) == (1, 0, 0)
    outcomes = decide_now(gather(town.home, PROGRAMME, ASKED)).outcomes.filter(pl.col("subject_kind") == "世帯")
    assert outcomes["account_flag"].to_list() == [flag]
    assert outcomes["route"].to_list() == ["PUSH" if word == "有" else "CONFIRM"]


def test_differing_account_answers_are_listed_and_the_later_is_used(town: Ward) -> None:
    town.add("甲", 1, tax={})
    town.load()
    town.ask("account")
    town.answer(("甲", 1, "有", *ACCOUNT), kind="account")
    done = town.answer(("甲", 1, "提供停止"), kind="account")
    assert counted(done) == (0, 0, 1)
    assert set(flaws(town, "account")) == {"甲"}
    outcomes = decide_now(gather(town.home, PROGRAMME, ASKED)).outcomes
    assert set(outcomes["account_flag"].drop_nulls()) == {"0"}


# --- 受け取らないもの -------------------------------------------------------------------------------------------------


def strange(town: Ward, **changes: str) -> Path:
    row = dict(zip(TAX_ANSWER, [town.numbers()["甲", 1], town.people["甲"], "非課税", "", "", "", "0"], strict=True))
    path = town.folder / "strange.csv"
    good = dict(row, 照会番号=town.numbers()["乙", 1], 住民番号=town.people["乙"])
    write(path, [good, row | changes], TAX_ANSWER)
    return path


@pytest.mark.parametrize("what", ["出していない番号", "ほかの人の番号", "口座照会の番号"])
def test_an_answer_is_taken_only_for_a_number_issued_to_that_person(town: Ward, what: str) -> None:
    town.add("口座の人", 9, tax={})
    asked_town(town)
    town.ask("account")
    changes: dict[str, dict[str, str]] = {
        "出していない番号": {"照会番号": "T000009999"},
        "ほかの人の番号": {"照会番号": town.numbers()["丙", 1]},
        "口座照会の番号": {
            "照会番号": town.numbers("account")["口座の人", 1],
            "住民番号": town.people["口座の人"],
        },
    }
    path = strange(town, **changes[what])
    with pytest.raises(RefusedInput, match="1 行が不採用"):
        town.take(path)
    assert town.classes()["乙"] == "Q"
    (row,) = read(path.with_name("strange.csv.rejects.csv"))
    assert (row["行"], row["列"], row["コード"]) == ("3", "照会番号", "not-issued")
    assert town.audit("inquiry.import") == []
    # 良い行だけを、と決めれば、その行は入る。
    done = town.take(path, allow=1)
    assert (done.imported.rows_read, done.imported.rows_kept, done.imported.rows_rejected) == (2, 1, 1)
    assert (town.classes()["乙"], town.classes()["甲"]) == ("0", "Q")


def test_answers_for_another_year_do_not_reach_this_programme(town: Ward) -> None:
    asked_town(town)
    town.answer(("甲", 1, "非課税"))
    sources = extracts.answer_sources(town.home)
    assert inquiry_answers.in_use(town.home, PROGRAMME, sources)["tax_answers"].height == 1
    next_year = replace(PROGRAMME, levy_year=2025)
    assert inquiry_answers.in_use(town.home, next_year, sources)["tax_answers"].height == 0


# --- 記録 -------------------------------------------------------------------------------------------------------------


def test_each_import_leaves_its_counts_in_the_audit_log_without_personal_data(town: Ward) -> None:
    asked_town(town)
    town.answer(("甲", 1, "課税", "4000", "62300", "52300"), ("乙", 1, "該当なし"))
    (row,) = town.audit("inquiry.import")
    told: dict[str, Any] = json.loads(row["detail"])
    assert (told["kept"], told["fresh"], told["unresolved"]) == (2, 2, 1)
    text = json.dumps(row, default=str, ensure_ascii=False)
    assert "62300" not in text
    assert not any(number in text or str(int(number)) in text for number in town.people.values())


def test_an_issued_inquiry_can_be_neither_changed_nor_deleted(town: Ward) -> None:
    import sqlalchemy as sa

    asked_town(town)
    for statement in (ward.inquiry.update().values(attempt=9), ward.inquiry.delete()):
        with pytest.raises(sa.exc.DBAPIError), town.home.ward.begin() as connection:
            connection.execute(statement)
