"""T22 の二: 本物の画面に、敵意のある名の人。画面の形（タグと属性）は、ふつうの名の人と同じである。"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import polars as pl
import pytest

from benefit.domain.access import DeskRole
from benefit.services.home import Home
from benefit.store import desk
from tests.api.conftest import CROWD, Desk, number_of
from tests.api.papers import of, person
from tests.api.phone import PROGRESS, answer, key, search
from tests.outside.hostile import SEEDS
from tests.outside.shape import Shape
from tests.outside.year import Walker, Year, window

#: 台帳に入りうる名（NUL のない、空でない字）から、種の五つに一つと、タグと属性を閉じるもの。
NAMES = [text for place, text in enumerate(SEEDS) if text and (place % 5 == 0 or "<" in text or '"' in text)][:60]
PLAIN = "山田　太郎"


def rename(system: Desk, number: str, text: str) -> None:
    """この件の人の、字の欄の全部。"""
    table = desk.benefit_case
    changed = dict.fromkeys(("name", "kana_name", "address", "address2", "former_name", "past_holder_kana"), text)
    with system.home.desk.begin() as connection:
        connection.execute(table.update().where(table.c.case_number == number).values(changed))


@pytest.mark.parametrize("home", ["sqlite"], indirect=True)
def test_the_case_on_the_telephone(desk_system: Desk) -> None:
    number = of("C20")
    csrf = desk_system.login()
    assert answer(desk_system, csrf, number).status_code == 200
    rename(desk_system, number, PLAIN)
    plain = desk_system.client.get("/case").text
    assert PLAIN in plain
    for text in NAMES:
        rename(desk_system, number, text)
        assert Shape(desk_system.client.get("/case").text).told == Shape(plain).told, text


@pytest.mark.parametrize("home", ["sqlite"], indirect=True)
def test_the_notes_of_a_call(desk_system: Desk) -> None:
    # 打てる字（制御文字は入口で断る）だけを、本物の道で。
    kept = [text for text in NAMES if not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", text) and text.strip()]
    typed = sorted(kept, key=lambda text: "<" not in text)[:25]
    csrf = desk_system.login()
    shown = []
    # 同じ状態の二件に、同じ数の記録。
    for number, notes in ((number_of(100), [PLAIN] * len(typed)), (number_of(101), [text[:2000] for text in typed])):
        assert answer(desk_system, csrf, number).status_code == 200
        rename(desk_system, number, PLAIN)
        for note in notes:
            sent = {"csrf": csrf, "operation": key(), "category": "call", "body": note}
            assert desk_system.client.post("/case/contact", data=sent).status_code == 200
        shown.append(desk_system.client.get("/case").text)
    assert shown[1].count("&lt;script&gt;") > 0
    assert Shape(shown[0]).told == Shape(shown[1]).told


@pytest.mark.parametrize("home", ["sqlite"], indirect=True)
def test_the_hits_of_a_search(desk_system: Desk) -> None:
    csrf = desk_system.login()
    table = desk.benefit_case
    with desk_system.home.desk.begin() as connection:
        # 並ぶ当たりは五件まで。
        moved = table.update().where(table.c.case_number == number_of(105)).values(birth="1981-01-01")
        connection.execute(moved)
    plain = search(desk_system, csrf, kana_name=CROWD[0], birth=CROWD[1]).text
    assert "5 件あります" in plain
    with desk_system.home.desk.begin() as connection:
        query = table.select().where(table.c.birth == CROWD[1]).order_by(table.c.case_number)
        numbers = [row.case_number for row in connection.execute(query)]
    for place, text in enumerate(NAMES[:20]):
        rename(desk_system, numbers[place % 5], text)
        if place % 5 == 4:
            assert Shape(search(desk_system, csrf, kana_name=CROWD[0], birth=CROWD[1]).text).told == Shape(plain).told
    # 打った字が、欄に残る画面。
    typed = Shape(search(desk_system, csrf, "やまだ").text).told
    for text in NAMES:
        if len(text) <= 100 and text.isprintable():
            found = search(desk_system, csrf, text, purpose=PROGRESS)
            if found.status_code == 400:
                assert Shape(found.text).told == typed, text


@pytest.mark.parametrize("home", ["sqlite"], indirect=True)
def test_the_review_and_the_counter(desk_system: Desk) -> None:
    reviewer, counter = person(desk_system, DeskRole.REVIEWER), person(desk_system, DeskRole.COUNTER)
    number = of("C22")
    bundle = {"case_number": of("F42"), "kind": "confirmation", "channel": "post", "received_on": "2024-06-20"}
    rename(desk_system, number, PLAIN)
    reviewer.post("/review/open", case_number=number)
    plain = Shape(reviewer.get("/review/case").text).told
    scanned = Shape(counter.post("/intake/scan", **bundle).text).told
    for text in NAMES[:25]:
        rename(desk_system, number, text)
        rename(desk_system, of("F42"), text)
        assert Shape(reviewer.get("/review/case").text).told == plain, text
        assert Shape(counter.post("/intake/scan", **bundle).text).told == scanned, text


@pytest.mark.xdist_group("outside")
def test_the_people_of_the_ward(year: Year, tmp_path: Path) -> None:
    """区の照会の画面。住民記録の写しの、字の列を書き換える。"""
    shutil.copytree(year.home.path, tmp_path / "home")
    home = Home.at(tmp_path / "home")
    (snapshot,) = (home.path / "snapshots").glob("residents-*.parquet")
    frame = pl.read_parquet(snapshot)
    words = [name for name in ("name", "kana_name", "address", "address2") if name in frame.columns]
    assert words
    frame.with_columns(pl.lit(PLAIN).alias(name) for name in words).write_parquet(snapshot)
    walker = Walker(home, "ward")
    plain = window(walker).text
    assert PLAIN in plain
    for text in NAMES[:25]:
        frame.with_columns(pl.lit(text).alias(name) for name in words).write_parquet(snapshot)
        assert Shape(window(walker).text).told == Shape(plain).told, text
    home.ward.dispose()
    home.desk.dispose()
