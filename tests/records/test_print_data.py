"""外へ渡す列は相手ごとの許しだけ。書けない字は、似た字にも「?」にもならず、名ざして止まる（F.2、P31）。"""

from __future__ import annotations

import csv
import io

import polars as pl
import pytest

from benefit.domain.errors import WrongUse
from benefit.records.print_data import COLUMNS, PRINTER, project, unwritable, write

ORDINARY = {
    "name": "甲野　乙子",
    "postal_code": "1600022",
    "address": "東京都新宿区新宿一丁目6番地の26",
    "case_number": "40718293645",
    "past_account": "カクウギンコウ ホンテン 普通 ****123",
    "account_flag": "2",
}
SIX = ["氏名", "郵便番号", "住所", "給付管理番号", "過去の給付金支給口座", "口座フラグ"]


def people(*changes: dict[str, object]) -> pl.DataFrame:
    return pl.DataFrame([ORDINARY | {"case_number": f"{10**10 + place}"} | one for place, one in enumerate(changes)])


def rows(data: bytes, encoding: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode(encoding), newline="")))


@pytest.mark.parametrize(("encoding", "written"), [("utf-8", "utf-8-sig"), ("cp932", "cp932")])
def test_the_printer_gets_exactly_six_columns(encoding: str, written: str) -> None:
    told = write(people({}, {"past_account": None, "account_flag": "0"}), PRINTER, encoding=encoding)
    first, second = rows(told.data, written)
    assert list(first) == SIX
    assert first["氏名"] == "甲野　乙子"
    assert second["過去の給付金支給口座"] == ""
    assert told.data.endswith(b"\r\n")
    assert (told.rows, told.held_rows) == (2, 0)


@pytest.mark.parametrize("extra", ["kana_name", "birth", "amount_yen", "account_number", "child_name", "氏名"])
def test_a_column_that_is_not_allowed_stops_everything(extra: str) -> None:
    with pytest.raises(WrongUse, match=extra):
        write(people({extra: "x"}), PRINTER, encoding="utf-8")


def test_an_unknown_party_a_missing_column_and_an_open_account_are_refused() -> None:
    with pytest.raises(WrongUse, match="相手"):
        project(people({}), "bank")
    with pytest.raises(WrongUse, match="足りません"):
        project(people({}).drop("address"), PRINTER)
    for wrong in ({"past_account": "9999-101-1-9876543"}, {"account_flag": "3"}, {"account_flag": "1"}):
        with pytest.raises(WrongUse, match="口座"):
            project(people(wrong), PRINTER)
    with pytest.raises(WrongUse, match="符号"):
        write(people({}), PRINTER, encoding="latin-1")
    assert set(COLUMNS) == {PRINTER}


def test_a_character_that_cannot_be_written_holds_that_line_and_is_named() -> None:
    given = people(
        {}, {"name": "𠮷野　家"}, {"name": "髙𣘺　はしご"}, {"address": "〜丁目"}, {"name": "外\ue000字"},
        {"name": "葛\U000e0100飾"}, {"name": "神\ufa19社"}, {"name": "阮 văn"},
    )  # fmt: skip
    told = write(given, PRINTER, encoding="cp932")
    assert dict(told.held.select("給付管理番号", "文字").rows()) == {
        "10000000001": "U+20BB7",
        "10000000002": "U+2363A",
        "10000000003": "U+301C",
        "10000000004": "U+E000",
        "10000000005": "U+E0100",
        "10000000007": "U+0103",
    }
    assert (told.rows, told.held_rows) == (2, 6)
    assert b"?" not in told.data
    # 書けた字は、来たままの字である（U+FA19 は「神」にならない）。
    assert [row["氏名"] for row in rows(told.data, "cp932")] == ["甲野　乙子", "神\ufa19社"]
    wide = write(given, PRINTER, encoding="utf-8")
    assert dict(wide.held.select("給付管理番号", "文字").rows()) == {"10000000004": "U+E000"}
    assert wide.rows + wide.held_rows == given.height


def test_every_character_that_passes_comes_back_the_same() -> None:
    everything = "".join(map(chr, [*range(0x20, 0xD800), *range(0xE000, 0x30000)]))
    bad = set(unwritable(everything, "cp932"))
    good = "".join(one for one in everything if one not in bad)
    assert good.encode("cp932").decode("cp932") == good
    assert len(good) > 7000
    assert not any(0xE000 <= ord(one) <= 0xF8FF for one in good)


def test_a_person_with_two_letters_is_counted_twice_and_named_once() -> None:
    given = people({"name": "𠮷野"}, {"name": "𠮷野"}, {}).with_columns(
        case_number=pl.Series(["10000000000", "10000000000", "10000000001"])
    )
    told = write(given, PRINTER, encoding="cp932")
    assert (told.rows, told.held_rows, told.held.height) == (1, 2, 1)
