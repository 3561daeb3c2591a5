"""照会ファイルの様式: 契約の列、照会先の団体コード、区限りの一覧（契約 §4、formats.md §7.5）。"""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from benefit.records import network_inquiry as layout


@pytest.mark.parametrize(
    ("code", "city"),
    [
        # 政令指定都市の区の人は、市に尋ねる。一つの県に二つの市があれば、番号のすぐ前の市。
        ("01101", "01100"), ("14101", "14100"), ("14118", "14100"), ("14131", "14130"), ("14137", "14130"),
        ("14151", "14150"), ("22103", "22100"), ("22140", "22130"), ("27102", "27100"), ("27128", "27100"),
        ("27141", "27140"), ("27147", "27140"), ("40109", "40100"), ("40131", "40130"), ("43105", "43100"),
        # 市そのもの。
        ("14100", "14100"), ("14130", "14130"), ("43100", "43100"),
        # 特別区は、区そのものに尋ねる。
        ("13101", "13101"), ("13104", "13104"), ("13123", "13123"),
        # ふつうの市町村。
        ("13201", "13201"), ("20201", "20201"), ("47382", "47382"), ("01694", "01694"),
        # 尋ねる先がない: 国外、空白、都道府県、特別区部、政令指定都市のない県の区の番号、桁の違うもの。
        ("99999", None), (None, None), ("", None), ("13000", None), ("13100", None), ("31101", None),
        ("00201", None), ("48201", None), ("14800", None), ("1410", None), ("141305", None), ("２０２０１", None),
    ],
)  # fmt: skip
def test_the_city_is_asked_and_never_its_ward(code: str | None, city: str | None) -> None:
    assert layout.asked_at(code) == city
    assert layout.destinations([code]) == ({code: city} if city else {})


def test_the_designated_cities_are_the_twenty_of_2024() -> None:
    assert len(set(layout.DESIGNATED_CITIES)) == 20
    assert all(layout.asked_at(city) == city for city in layout.DESIGNATED_CITIES)


ROWS = pl.DataFrame({"person_number": [42], "inquiry_number": ["T000000001"], "destination": ["14100"]})


def test_the_tax_file_has_the_columns_of_the_contract_first() -> None:
    assert layout.render("tax", ROWS, levy_year=2024, asked_on=date(2024, 6, 24)).decode() == (
        "照会番号,住民番号,照会先団体コード,年度,特定個人情報名コード,照会依頼日\n"
        "T000000001,0000000042,14100,2024,TM00000000000002,2024-06-24\n"
    )


def test_the_account_file_names_no_municipality() -> None:
    assert layout.render("account", ROWS, levy_year=2024, asked_on=date(2024, 6, 24)).decode() == (
        "照会番号,住民番号,特定個人情報名コード,事務手続コード,照会依頼日\n"
        "T000000001,0000000042,TM00000000000089,JT01010000000001,2024-06-24\n"
    )


def test_every_row_of_those_not_asked_is_marked_for_the_ward_alone() -> None:
    rows = pl.DataFrame(
        {
            "person_number": [42, 43],
            "inquiry_number": ["HT00000001", None],
            "reason": ["わけ", "わけ"],
            "next_step": ["次", "次"],
        }
    )
    assert layout.render_not_asked(rows).decode() == (
        "住民番号,理由,次にすること,照会番号,取扱\n"
        "0000000042,わけ,次,HT00000001,区限り\n0000000043,わけ,次,,区限り\n"
    )  # fmt: skip
