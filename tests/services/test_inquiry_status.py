"""照会の進み具合: 課税の分からない人は、必ずどれか一つの状態で名指され、次にすることがある。"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from benefit.services import inquiry_status
from benefit.services.files import read_manifest
from benefit.services.home import Home
from benefit.services.inquiry_status import STATES, Round, Status
from tests.services.inquiry_ward import ACCOUNT, ASKED, PROGRAMME, Ward
from tests.support.small_ward import read

TAXED = {"均等割額": "4000", "減税前所得割額_区": "6000"}
LATER = ASKED + timedelta(12)


@pytest.fixture
def town(home: Home, tmp_path: Path) -> Ward:
    return Ward(home, tmp_path)


def look(town: Ward, *, out: str | None = None, days: int = 12) -> Status:
    today = ASKED + timedelta(days)
    done = inquiry_status.status(town.home, PROGRAMME, today, out=town.folder / out if out else None)
    # どの数も、和が合う。
    assert done.arrivals == done.resolved + done.open_people
    assert done.open_people == sum(done.states.values())
    assert all(one.asked == one.answered + one.open for one in done.rounds)
    assert tuple(done.states) == STATES
    return done


def people(town: Ward, folder: str) -> dict[str, dict[str, str]]:
    names = {number: name for name, number in town.people.items()}
    return {names[row["住民番号"]]: row for row in read(town.folder / folder / "open_people.csv")}


def everyone(town: Ward) -> Ward:
    town.mover("無回答", 1)
    town.mover("該当なしの人", 2)
    town.mover("提供不可の人", 3)
    town.mover("エラーの人", 4)
    town.mover("矛盾の人", 5)
    town.mover("住所地不明", 6, "")
    town.mover("課税の人の妻", 7, 続柄="妻")
    town.add("課税の人", 7, tax=TAXED)
    town.mover("避難した人", 8)
    town.mover("非課税の人", 9)
    town.mover("未申告の人", 10)
    town.protect("避難した人")
    town.load()
    return town


def answered(town: Ward) -> Ward:
    everyone(town).ask()
    town.answer(
        ("該当なしの人", 1, "該当なし"),
        ("提供不可の人", 1, "提供不可"),
        ("エラーの人", 1, "エラー"),
        ("矛盾の人", 1, "課税", "0", "0", "0"),
        ("非課税の人", 1, "非課税"),
        ("未申告の人", 1, "未申告"),
    )
    return town


def test_before_anything_is_asked_all_are_waiting_to_be(town: Ward) -> None:
    done = look(everyone(town))
    assert done.rounds == []
    assert {name: count for name, count in done.states.items() if count} == {
        "未照会": 8,
        "照会できない": 1,
        "結果に影響しない": 1,
    }
    assert (done.arrivals, done.resolved) == (10, 0)


def test_each_unknown_person_is_in_exactly_one_state_and_named_with_what_to_do(town: Ward) -> None:
    done = look(answered(town), out="status")
    assert done.states == {
        "未照会": 0,
        "照会中": 2,
        "要再照会": 1,
        "要申請": 2,
        "矛盾": 1,
        "照会できない": 1,
        "結果に影響しない": 1,
    }
    assert (done.arrivals, done.resolved) == (10, 2)
    named = people(town, "status")
    said = {name: (row["状態"], row["理由"], row["次にすること"]) for name, row in named.items()}
    certificate = "本人に課税（非課税）証明書を求める（申請書）"
    assert said["無回答"][:2] == ("照会中", "照会中 12 日（1 回目）")
    assert said["該当なしの人"] == (
        "要申請",
        "1月1日の住所地に該当がない",
        f"前々住所地を調べる。分からなければ{certificate}",
    )
    assert said["提供不可の人"] == ("要申請", "提供できないという回答", certificate)
    assert said["エラーの人"] == ("要再照会", "回答がエラー", "benefit inquiry export tax --retry")
    assert said["矛盾の人"] == ("矛盾", "課税とあるが、区分の分かる額がない", "本人に確かめる。職員が決める")
    assert said["住所地不明"][0] == "照会できない"
    assert said["住所地不明"][2] == certificate
    assert said["課税の人の妻"][0] == "結果に影響しない"
    # 分かった人は、もう名指されない。
    assert not {"非課税の人", "未申告の人"} & set(named)


def test_the_ward_only_people_are_named_in_a_folder_of_their_own(town: Ward) -> None:
    answered(town)
    town.answer(("避難した人", 1, "非課税"))
    town.answer(("避難した人", 1, "エラー"))
    look(town, out="status")
    assert set(people(town, "status-ward-only")) == {"避難した人"}
    outside = b"".join(path.read_bytes() for path in (town.folder / "status").iterdir())
    assert town.people["避難した人"].encode() not in outside
    assert "区限り" in read_manifest(town.folder / "status-ward-only")["取扱"]
    (row,) = read(town.folder / "status-ward-only" / "conflicting_answers.csv")
    assert row["住民番号"] == town.people["避難した人"]


def test_conflicting_answers_are_listed_even_where_the_class_is_known(town: Ward) -> None:
    answered(town)
    town.answer(("非課税の人", 1, "課税", "4000", "0", "0"))
    done = look(town, out="status")
    names = {number: name for name, number in town.people.items()}
    rows = read(town.folder / "status" / "conflicting_answers.csv")
    assert {(names[row["住民番号"]], row["種類"]) for row in rows} == {
        ("矛盾の人", "課税照会"),
        ("非課税の人", "課税照会"),
    }
    assert done.conflicts == 2
    assert done.resolved == 2


def test_after_three_errors_the_person_is_asked_for_a_certificate(town: Ward) -> None:
    town.mover("甲", 1)
    town.load()
    town.ask()
    for attempt in (1, 2, 3):
        town.answer(("甲", attempt, "エラー"))
        assert look(town).states["要再照会" if attempt < 3 else "要申請"] == 1
        town.ask(today=ASKED + timedelta(attempt), retry=True)


def test_an_inquiry_made_again_is_open_again(town: Ward) -> None:
    town.mover("甲", 1)
    town.load()
    town.ask()
    town.answer(("甲", 1, "該当なし"))
    town.ask(today=ASKED + timedelta(2), retry=True)
    done = look(town, out="status")
    assert done.states["照会中"] == 1
    assert people(town, "status")["甲"]["理由"] == "照会中 10 日（2 回目）"


def test_the_rounds_count_asked_answered_and_the_oldest_wait(town: Ward) -> None:
    answered(town)
    town.ask(today=ASKED + timedelta(2), retry=True)
    town.answer(("エラーの人", 2, "非課税"))
    assert look(town).rounds == [
        Round("tax", 1, "machine", 7, 6, 1, 12),
        Round("tax", 1, "hand", 1, 0, 1, 12),
        Round("tax", 2, "machine", 3, 1, 2, 10),
    ]


def test_account_answers_are_counted_by_what_they_say(town: Ward) -> None:
    for place, name in enumerate(("甲", "乙", "丙", "丁"), start=1):
        town.add(name, place, tax={})
    town.load()
    town.ask("account")
    town.answer(("甲", 1, "有", *ACCOUNT), ("乙", 1, "無"), ("丙", 1, "提供停止"), kind="account")
    done = look(town, days=3)
    assert done.registered == {"提供停止": 1, "有": 1, "無": 1}
    assert done.rounds == [Round("account", 1, "machine", 4, 3, 1, 3)]


def test_a_person_whose_household_was_decided_by_another_answer_no_longer_matters(town: Ward) -> None:
    town.mover("夫", 1)
    town.mover("妻", 1, 続柄="妻")
    town.load()
    town.ask()
    town.answer(("夫", 1, "課税", "4000", "100", "0"))
    done = look(town)
    assert (done.states["結果に影響しない"], done.resolved) == (1, 1)


def test_nothing_is_written_without_a_folder(town: Ward) -> None:
    answered(town)
    before = sorted(town.folder.rglob("*"))
    look(town)
    assert sorted(town.folder.rglob("*")) == before
