"""照会: 答えが判定を変えうる人にだけ、番号を一つ付けて尋ねる。区が直接扱う人は機械に載せない（benefit-rules E）。"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path

import pytest

from benefit.domain.programme import Programme
from benefit.rules.facts import SCHEMAS, Facts, empty
from benefit.services import inquiries
from benefit.services.files import read_manifest
from benefit.services.home import Home
from benefit.services.inquiry_people import who_to_ask
from benefit.services.standing import Inputs, decide_now
from tests.services.inquiry_ward import ACCOUNT, ASKED, HEADINGS, PROGRAMME, Ward
from tests.support.small_ward import read

TAXED = {"均等割額": "4000", "減税前所得割額_区": "6000"}
LIGHT = {"均等割額": "4000"}


@pytest.fixture
def town(home: Home, tmp_path: Path) -> Ward:
    return Ward(home, tmp_path)


def not_asked(town: Ward, out: str = "asked") -> dict[str, dict[str, str]]:
    names = {number: name for name, number in town.people.items()}
    return {names[row["住民番号"]]: row for row in read(town.folder / f"{out}-ward-only" / "not_asked.csv")}


def test_only_those_are_asked_whose_answer_can_still_change_the_outcome(town: Ward) -> None:
    town.mover("一人", 1)
    town.add("課税の夫", 2, tax=TAXED)
    town.mover("その妻", 2, 続柄="妻")
    town.add("均等割の夫", 3, tax=LIGHT)
    town.mover("均等割の妻", 3, 続柄="妻")
    town.add("条約の人", 4, tax={"租税条約免除": "1"})
    town.mover("条約の人の妻", 4, 続柄="妻")
    town.mover("昨年度の世帯", 5)
    town.rows["prior"].append(
        {
            "給付名": "令和5年度",
            "世帯番号": "0000000005",
            "住民番号": town.people["昨年度の世帯"],
            "続柄": "世帯主",
            "状態": "支給済",
        }
    )
    town.mover("基準日の後の転入", 6, 住民となった日="2024-06-04")
    town.mover("前日までの転入", 7, 住民となった日="2024-01-01")
    town.mover("国外からの転入", 8, 住民となった事由="国外転入")
    town.mover("子", 1, 続柄="子", 生年月日="2010-05-05")
    town.mover("未申告の世帯の人", 9)
    town.add("未申告の人", 9, tax={"申告区分": "未申告"}, 続柄="夫")
    town.load()
    assert set(town.asked()) == {"一人", "均等割の妻", "未申告の世帯の人"}


def test_a_supporter_is_asked_when_his_class_decides_the_dependants_household(town: Ward) -> None:
    town.add("課税の妻", 1, tax=TAXED, 続柄="妻")
    supporter = town.mover("扶養者", 1)  # 自分の世帯は、もう対象外
    town.add("離れて住む学生", 2, tax={"扶養者宛名番号": supporter, "申告区分": "扶養"})
    town.mover("誰も扶養しない人", 1, 続柄="子")
    town.load()
    assert set(town.asked()) == {"扶養者"}
    # 扶養者が課税なら学生の世帯は対象外、非課税なら対象。どちらも答え一つで決まる。
    town.answer(("扶養者", 1, "課税", "4000", "100", "0", "0"))
    assert set(town.asked(today=ASKED + timedelta(1))) == set()


def test_the_municipality_of_january_first_is_asked_at_its_city(town: Ward) -> None:
    town.mover("横浜の区", 1, "14101")
    town.mover("特別区", 2, "13112")
    town.mover("市", 3, "13201")
    town.load()
    assert {name: row["照会先団体コード"] for name, row in town.asked().items()} == {
        "横浜の区": "14100",
        "特別区": "13112",
        "市": "13201",
    }


def test_who_cannot_be_asked_is_listed_with_the_reason_and_not_asked(town: Ward) -> None:
    town.mover("空白", 1, "")
    town.mover("国外", 2, "99999")
    town.mover("聞ける人", 3)
    town.load()
    done = town.ask()
    assert (done.rows, done.by_hand, done.not_askable) == (1, 0, 2)
    listed = not_asked(town)
    assert set(listed) == {"空白", "国外"}
    for row in listed.values():
        assert "住所地が分からない" in row["理由"]
        assert "証明書" in row["次にすること"]
        assert row["照会番号"] == ""
    assert set(town.numbers()) == {("聞ける人", 1)}


def protected_town(town: Ward) -> Ward:
    town.mover("甲", 1)
    town.mover("避難した人", 2)
    town.mover("その子", 2, 続柄="子", 生年月日="2005-05-05")
    town.mover("乙", 3)
    supporter = town.mover("扶養者", 4)
    town.add("扶養者の妻", 4, tax=TAXED, 続柄="妻")
    town.add("避難した学生", 5, tax={"扶養者宛名番号": supporter})
    town.mover("避難して住所地の分からない人", 6, "")
    town.protect("避難した人", "避難した学生", "避難して住所地の分からない人")
    town.load()
    return town


def test_a_protected_household_is_never_in_a_machine_inquiry(town: Ward) -> None:
    protected_town(town)
    done = town.ask()
    data = b"".join(path.read_bytes() for path in (town.folder / "asked").iterdir())
    by_hand = {"避難した人", "その子", "扶養者", "避難して住所地の分からない人"}
    for name in (*by_hand, "避難した学生"):
        assert town.people[name].encode() not in data
    assert {row["住民番号"] for row in read(done.path)} == {town.people["甲"], town.people["乙"]}
    # 番号の抜けからも、ほかに人がいることは分からない。
    assert [row["照会番号"] for row in read(done.path)] == ["T000000001", "T000000002"]
    # 持ち出すフォルダの中に、区限りのものは何もない。
    assert {path.name for path in (town.folder / "asked").iterdir()} == {"tax_inquiry.csv", "manifest.json"}
    assert not {"区限り", "手で", "ward", "by_hand"} & {
        word for word in ("区限り", "手で", "ward", "by_hand") if word.encode() in data
    }
    listed = not_asked(town)
    assert set(listed) == by_hand
    assert {row["取扱"] for row in listed.values()} == {"区限り"}
    assert all("職員が手で" in row["次にすること"] for row in listed.values())
    assert sorted(row["照会番号"] for row in listed.values()) == [f"HT{n:08d}" for n in range(1, 5)]
    assert "区限り" in read_manifest(done.not_asked.parent)["取扱"]


def test_the_answer_to_an_inquiry_made_by_hand_is_taken_like_any_other(town: Ward) -> None:
    protected_town(town)
    town.ask()
    town.answer(("避難した人", 1, "非課税", "0", "0", "0", "0"), ("その子", 1, "課税", "4000", "0", "0", "0"))
    classes = town.classes()
    assert (classes["避難した人"], classes["その子"]) == ("0", "1")


def test_a_mark_that_comes_late_takes_the_household_out_of_the_same_days_file(town: Ward) -> None:
    town.mover("甲", 1)
    town.mover("後から避難と分かった人", 2)
    town.load()
    assert set(town.asked()) == {"甲", "後から避難と分かった人"}
    town.protect("後から避難と分かった人")
    town.load("protected")
    assert set(town.asked()) == {"甲"}
    assert set(not_asked(town)) == {"後から避難と分かった人"}
    # 機械の番号で尋ね直すこともない。手の番号になる。
    town.answer(("後から避難と分かった人", 1, "エラー"))
    assert town.ask(today=ASKED + timedelta(1), retry=True).rows == 0
    assert town.numbers()["後から避難と分かった人", 2].startswith("HT")


def test_the_same_day_gives_the_same_bytes_and_another_day_only_the_new_people(town: Ward) -> None:
    town.mover("甲", 1)
    town.mover("乙", 2)
    town.load()
    first = town.ask()
    data, manifest = first.path.read_bytes(), (first.path.parent / "manifest.json").read_bytes()
    again = town.ask(out="again")
    assert (first.issued, again.issued) == (2, 0)
    assert again.path.read_bytes() == data
    assert (again.path.parent / "manifest.json").read_bytes() == manifest
    town.mover("丙", 3)
    town.load("residents")
    assert set(town.asked(today=ASKED + timedelta(1))) == {"丙"}
    assert town.ask(out="third").path.read_bytes() == data
    assert len(set(town.numbers().values())) == 3


def test_an_account_is_asked_of_payees_without_any_and_never_by_machine_for_a_ward_route(town: Ward) -> None:
    town.add("口座なし", 1, tax={})
    town.add("口座あり", 2, tax={})
    town.add("区直轄", 3, tax={})
    town.add("対象外", 4, tax={"均等割額": "4000", "減税前所得割額_区": "500000", "推計所得税額": "500000"})
    town.add("調整給付の人", 6, tax=TAXED)
    town.mover("未確定", 5)
    town.protect("区直轄")
    account = dict(zip(HEADINGS["accounts"][2:], ACCOUNT, strict=True))
    town.rows["accounts"].append({"宛名番号": town.people["口座あり"], "口座種別": "過去給付"} | account)
    town.load()
    assert set(town.asked("account")) == {"口座なし", "調整給付の人"}
    assert set(not_asked(town)) == {"区直轄"}
    assert town.numbers("account")["区直轄", 1].startswith("HK")


# --- 尋ね直す ---------------------------------------------------------------------------------------------------------

FAILED = ["エラー", "提供不可", "該当なし"]


def test_only_what_failed_is_asked_again_under_a_new_number(town: Ward) -> None:
    words = [*FAILED, "未申告", "矛盾", "非課税", "無回答"]
    for place, word in enumerate(words, start=1):
        town.mover(word, place)
    town.load()
    town.ask()
    said = [(word, 1, word) for word in [*FAILED, "未申告"]]
    town.answer(*said, ("矛盾", 1, "課税", "0", "0", "0", "0"), ("非課税", 1, "非課税"))
    town.mover("新しい人", 20)
    town.load("residents")
    later = ASKED + timedelta(7)
    again = town.asked(today=later, retry=True)
    assert set(again) == set(FAILED)
    numbers = town.numbers()
    assert {name: row["照会番号"] for name, row in again.items()} == {name: numbers[name, 2] for name in FAILED}
    assert len(set(numbers.values())) == len(numbers)
    # もう一度打っても増えず、同じファイルになる。別の日には、答えを待っている人に繰り返さない。
    assert town.ask(today=later, retry=True).issued == 0
    assert set(town.asked(today=later, retry=True)) == set(FAILED)
    assert set(town.asked(today=later + timedelta(1), retry=True)) == set()
    # 新しい人には、ふつうの照会で尋ねる。
    assert set(town.asked(today=later + timedelta(1))) == {"新しい人"}


def test_nobody_is_asked_more_than_three_times(town: Ward) -> None:
    town.mover("甲", 1)
    town.load()
    town.ask()
    day = ASKED
    for attempt in range(1, 4):
        town.answer(("甲", attempt, "エラー"))
        day += timedelta(1)
        asked = town.asked(today=day, retry=True)
        assert set(asked) == ({"甲"} if attempt < inquiries.MAX_ATTEMPTS else set())
    assert sorted(town.numbers()) == [("甲", 1), ("甲", 2), ("甲", 3)]


@pytest.mark.parametrize(("days", "again"), [(9, set()), (10, set()), (11, {"無回答"})])
def test_the_unanswered_are_asked_again_after_the_days_given(town: Ward, days: int, again: set[str]) -> None:
    town.mover("無回答", 1)
    town.mover("答えた人", 2)
    town.load()
    town.ask()
    town.answer(("答えた人", 1, "非課税"))
    later = ASKED + timedelta(days)
    assert set(town.asked(today=later, retry=True)) == set()
    assert set(town.asked(today=later, retry=True, unanswered_after=10)) == again


def test_who_is_no_longer_open_is_not_asked_again(town: Ward) -> None:
    town.mover("夫", 1)
    town.mover("妻", 1, 続柄="妻")
    town.load()
    town.ask()
    town.answer(("夫", 1, "課税", "4000", "100", "0", "0"), ("妻", 1, "エラー"))
    assert town.ask(today=ASKED + timedelta(1), retry=True).rows == 0


# --- 同時に、ほかの事業で ---------------------------------------------------------------------------------------------


def test_exports_at_the_same_moment_give_each_person_one_number(town: Ward) -> None:
    for place in range(20):
        town.mover(f"{place}", place)
    town.load()
    with ThreadPoolExecutor(4) as staff:
        done = list(staff.map(lambda place: town.ask(out=f"q{place}"), range(4)))
    assert sum(one.issued for one in done) == 20
    assert {(name, attempt) for name, attempt in town.numbers()} == {(f"{place}", 1) for place in range(20)}
    assert len({one.path.read_bytes() for one in done}) == 1


def test_a_programme_without_a_household_benefit_has_no_tax_to_ask() -> None:
    programme = Programme.load("r7-shortfall")
    facts = Facts(**{kind: empty(kind) for kind in SCHEMAS})
    inputs = Inputs(facts, {}, (), programme, ASKED)
    decisions = decide_now(inputs)
    for kind in ("tax", "account"):
        assert who_to_ask(inputs, decisions, kind).to_dicts() == []


# --- 記録 -------------------------------------------------------------------------------------------------------------


def test_each_export_leaves_one_audit_row_without_personal_data(town: Ward) -> None:
    protected_town(town)
    town.ask()
    (row,) = town.audit("inquiry.export")
    assert (row["actor"], row["subject"]) == ("batch", "tax")
    assert PROGRAMME.id in row["reason"]
    told = json.loads(row["detail"])
    assert (told["rows"], told["issued"], told["by_hand"], told["not_askable"]) == (2, 6, 4, 0)
    assert told["sha256"] == read_manifest(town.folder / "asked")["sha256"]
    text = json.dumps(row, default=str, ensure_ascii=False)
    assert not any(number in text or str(int(number)) in text for number in town.people.values())


def test_the_inquiry_says_for_which_programme_it_was_made(town: Ward) -> None:
    from benefit.store import ward

    town.mover("甲", 1)
    town.load()
    town.ask()
    with town.home.ward.connect() as connection:
        row = connection.execute(ward.inquiry.select()).mappings().one()
    assert (row["programme"], row["levy_year"], row["asked_on"]) == ("r6-2024", 2024, date(2024, 6, 24))
