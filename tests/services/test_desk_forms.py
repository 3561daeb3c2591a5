"""紙の束: 二人が別々に入力した二つのファイルを比べる。一枚でも進められなければ、一枚も進めない。"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from batch.desk_work import FORM_COLUMNS, read_forms, read_numbers
from benefit.domain.errors import BenefitError, RefusedByRule, RefusedInput, WrongUse
from benefit.services.desk_forms import ReceivedForm, receive_forms, staff_actor
from benefit.services.desk_papers import reviews_of
from tests.support.desk_world import ACCOUNT, FIRST, SECOND, DeskWorld, new_number

CAME = date(2024, 7, 19)


def form(number: str, outcome: str = "完了", **told: Any) -> ReceivedForm:
    account = ACCOUNT.columns if outcome == "完了" else {}
    return ReceivedForm(
        number, CAME, outcome, **{"deficiency": "口座書類なし" if outcome == "不備" else "", **account, **told}
    )


def run(world: DeskWorld, first: list[ReceivedForm], second: list[ReceivedForm] | None = None) -> dict[str, int]:
    return receive_forms(
        world.home, first, first if second is None else second, keyed_by=FIRST, checked_by=SECOND, clock=world.clock
    )


def test_a_bundle_keyed_by_two_people_goes_as_far_as_each_paper_allows(world: DeskWorld) -> None:
    good, unequal, lacking, no, again, corrected = world.cases(6)
    failed = world.case("F43")
    run(world, [form(again, "不備"), form(corrected, "不備")])
    assert world.state(again) == "C24"
    first = [form(good), form(unequal), form(lacking, "不備"), form(no, "辞退"), form(failed), form(corrected)]
    second = [
        replace(each, account_number="7654321")
        if each.case_number == unequal
        else replace(each, holder_kana=each.holder_kana and "シンジュクハナコ")
        for each in reversed(first)
    ]
    assert run(world, first, second) == {"完了": 3, "不備": 1, "辞退": 1, "入力違い": 1}
    states = {
        number: row["state"] for number, row in world.rows([good, unequal, lacking, no, failed, corrected]).items()
    }
    assert states == {good: "C27", unequal: "C23", lacking: "C24", no: "C29", failed: "P25", corrected: "C27"}
    assert world.row(lacking)["deficiency"] == "口座書類なし"
    assert [row["differing"] for row in world.read(reviews_of, unequal)] == ["口座番号"]
    actors = [(event["event"], event["actor"]) for event in world.events(good)[1:]]
    assert actors == [("form_received", FIRST.id), ("review_started", FIRST.id), ("review_finished", SECOND.id)]


def test_papers_on_which_the_two_saw_different_things_wait_for_the_screen(world: DeskWorld) -> None:
    number = world.case()
    assert run(world, [form(number)], [form(number, "不備")])["入力違い"] == 1
    assert world.state(number) == "C22"


@pytest.mark.parametrize(
    "wrong",
    [
        {"outcome": "たぶん"}, {"account_number": None}, {"account_number": "12345678"}, {"deficiency": "かぜ", "outcome": "不備"},
        {"holder_kana": "ｼﾝｼﾞﾕｸ ﾀﾛｳ"}, {"case_number": "12345678901"}, {"case_number": new_number()}, {"bank_code": "99"},
    ],
    ids=["結果", "口座なし", "口座番号の桁", "不備の言葉", "名義のわけなし", "番号の形", "知らない番号", "金融機関の桁"],
)  # fmt: skip
def test_one_bad_paper_stops_the_whole_bundle(world: DeskWorld, wrong: dict[str, Any]) -> None:
    good, bad = world.cases(2)
    before = world.shot(good, bad)
    with pytest.raises(BenefitError):
        run(world, [form(good), replace(form(bad), **wrong)])
    assert world.shot(good, bad) == before


def test_the_two_files_are_of_the_same_papers_and_of_two_people(world: DeskWorld) -> None:
    one, two = world.cases(2)
    before = world.shot(one, two)
    for first, second, says in (
        ([form(one), form(one)], [form(one)], "二枚"),
        ([form(one)], [form(one), form(two)], "片方のファイル"),
        ([form(one)], [replace(form(one), received_on=date(2024, 7, 18))], "収受日"),
        ([form(one)], [form(one, "辞退")], "辞退かどうか"),
    ):
        with pytest.raises(BenefitError, match=says):
            run(world, first, second)
    with pytest.raises(RefusedByRule, match="別の人"):
        receive_forms(world.home, [form(one)], [form(one)], keyed_by=FIRST, checked_by=FIRST, clock=world.clock)
    assert world.shot(one, two) == before


def test_the_same_paper_twice_on_two_days_is_refused(world: DeskWorld) -> None:
    number = world.case()
    run(world, [form(number)])
    before = world.shot(number)
    with pytest.raises(RefusedByRule, match="二重提出"):
        run(world, [form(number)])
    assert world.shot(number) == before


def test_an_empty_bundle_does_nothing(world: DeskWorld) -> None:
    assert set(run(world, []).values()) == {0}


def test_a_name_that_is_not_of_the_desk_cannot_key(world: DeskWorld) -> None:
    assert world.read(staff_actor, FIRST.id) == FIRST
    with pytest.raises(WrongUse):
        world.read(staff_actor, "dareka")


def test_the_file_of_papers_is_read_by_its_columns(tmp_path: Path) -> None:
    path, number = tmp_path / "forms.csv", new_number()
    row = f"{number},2024-07-19,完了,,9999,001,1,1234567,ｼﾝｼﾞﾕｸ ﾊﾅｺ,"
    path.write_text(",".join(FORM_COLUMNS) + f"\n{row}\n", encoding="utf-8")
    assert read_forms(path) == [form(number)]
    for text, says in (
        ("給付管理番号\n", "見出しが違います"),
        (",".join(FORM_COLUMNS) + "\n" + row + ",多い\n", "列の数"),
        (",".join(FORM_COLUMNS) + "\n" + row.replace("2024-07-19", "きのう") + "\n", "収受日"),
    ):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(BenefitError, match=says):
            read_forms(path)
    path.write_bytes("給付管理番号".encode("cp932"))
    with pytest.raises(RefusedInput, match="UTF-8"):
        read_forms(path)


def test_the_list_of_scanned_numbers_counts_every_line(tmp_path: Path) -> None:
    path, number = tmp_path / "scan.txt", new_number()
    path.write_text(f"{number}\n\n{number}-02\r\nよごれ\n", encoding="utf-8-sig")
    numbers, strange, read = read_numbers(path)
    assert (numbers, [row.line for row in strange], read) == ([(number, None), (number, 2)], [4], 3)
