"""T22 の一: 表と一覧と画面の雛形に、敵意のある名を十万。式は 0、生きたタグは 0、字は変わらない（reliability P22）。"""

from __future__ import annotations

import csv
import io
import logging
import os
import re
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import polars as pl
import pytest
from jinja2 import ChainableUndefined

from api import page
from api.page import _environment
from benefit.domain import unforeseen
from benefit.domain.access import BATCH
from benefit.records import payees, people_csv
from benefit.records.payees import COLUMNS as PAYEES
from benefit.records.table import Reading, rejects_csv
from benefit.services import audit_search, sheet
from benefit.services.home import Home
from benefit.store import audit, ward
from tests.conftest import StepClock
from tests.outside.hostile import SEEDS, names
from tests.outside.shape import Shape

COUNT = int(os.environ.get("T22_NAMES", "100000"))
SEED = int(os.environ.get("T22_SEED", "22"))
MADE = datetime(2024, 7, 1, tzinfo=UTC)
_NS = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
#: 表計算ソフトが式とみる初めの字。
FORMULA = tuple("=+-@\t\r\n＝＋－＠")


@pytest.fixture(scope="module")
def hostile() -> list[str]:
    print(f"T22_SEED={SEED}")
    return names(COUNT, SEED)


def unescaped(text: str) -> str:
    """xlsx の書き方（_x000D_）を、もとの字に。"""
    return re.sub(r"_x([0-9A-F]{4})_", lambda found: chr(int(found[1], 16)), text)


def strings(book: bytes) -> tuple[list[str], set[str]]:
    """表の共有の文字列を並びの順に、と、使われている部品の名。"""
    tags: set[str] = set()
    told: list[str] = []
    with zipfile.ZipFile(io.BytesIO(book)) as opened:
        for name in opened.namelist():
            if not name.startswith("xl/"):
                continue
            for _event, item in ElementTree.iterparse(opened.open(name)):
                tags.add(item.tag.removeprefix(_NS))
                if name == "xl/sharedStrings.xml" and item.tag == f"{_NS}si":
                    told.append("".join(part.text or "" for part in item.iter(f"{_NS}t")))
    return told, tags


def test_a_hundred_thousand_hostile_names_in_a_workbook_are_text_and_never_a_formula(hostile: list[str]) -> None:
    book = sheet.render({"一覧": pl.DataFrame({"氏名": hostile})}, made=MADE, title="=1+1", notes=["@SUM(1)"])
    told, tags = strings(book)
    assert not tags & {"f", "hyperlink", "hyperlinks", "externalReference", "oleObjects"}
    # 同じ字は一度だけ置かれる。改行の書き方だけが XML の決まりで変わる。
    kept = {unescaped(text).replace("\r\n", "\n").replace("\r", "\n") for text in told}
    asked = {text.replace("\r\n", "\n").replace("\r", "\n") for text in hostile if text}
    assert [text for text in asked if text not in kept and unescaped(text) not in kept] == []
    assert {"=1+1", "@SUM(1)"} <= kept


def test_a_list_people_open_never_starts_a_cell_with_a_formula_and_keeps_every_character(hostile: list[str]) -> None:
    written = people_csv.render(pl.DataFrame({"行": range(len(hostile)), "氏名": hostile}))
    read = list(csv.reader(io.StringIO(written.decode(), newline=""), strict=True))[1:]
    assert len(read) == len(hostile)
    assert [cell for _row, cell in read if cell.startswith(FORMULA)] == []
    for (_row, cell), asked in zip(read, hostile, strict=True):
        assert cell == ("'" + asked if asked.startswith(FORMULA) else asked)


def test_the_rejects_of_an_import_are_guarded_too() -> None:
    rejects = pl.DataFrame({"行": [2] * len(SEEDS), "列": "氏名", "コード": "x", "内容": SEEDS})
    data = rejects_csv(Reading(pl.DataFrame(), rejects, (), 0, "utf-8")).decode("utf-8-sig")
    read = list(csv.reader(io.StringIO(data, newline=""), strict=True))[1:]
    assert [row for row in read if row[3].startswith(FORMULA)] == []


def test_what_a_machine_reads_is_not_touched() -> None:
    # 区から給付管理システムへの受渡。' を付けると、そのまま氏名になって手紙に刷られる。
    kept = [text for text in SEEDS if text]
    columns = {name: pl.lit(0) if name in {"branch", "planned_amount_yen"} else pl.lit("x") for name in PAYEES.values()}
    numbers = [f"{place:011d}" for place in range(len(kept))]
    rows = pl.DataFrame({"name": kept, "case_number": numbers}).with_columns(
        **{name: value for name, value in columns.items() if name not in {"name", "case_number"}}
    )
    read = csv.DictReader(io.StringIO(payees.render(rows).decode(), newline=""), strict=True)
    assert [row["漢字氏名"] for row in read] == kept


def drawn(template: str, **values: Any) -> str:
    """本物の雛形を、本物の環境で組む。"""
    session = SimpleNamespace(
        csrf="c", name="試験", stage="", purpose="", call_reference="", actor=SimpleNamespace(id="x", role="clerk")
    )
    common = {"session": session, "role": "担当", "system": "試験", "nav": [], "here": "/", "at": MADE, "banner": None}
    # 画面の値が増えても、この試験は字の置かれ方だけを見る。
    environment = _environment().overlay(undefined=ChainableUndefined)
    return environment.get_template(template).render(**common, marked=False, operation=lambda: "o", **values)


def listing(values: Sequence[str]) -> list[object]:
    """区の一覧（字の場所が三つある行）の形。"""
    whole = values[: len(values) // 3 * 3]
    headings = ("給付管理番号", "給付", "いま")
    rows = [
        dict(zip(headings, whole[place : place + 3], strict=True)) | {"額（円）": 1}
        for place in range(0, len(whole), 3)
    ]
    return Shape(
        drawn("ward/dashboard_list.html", which="paid", name=values[0], rows=rows, total=1, sheet=1, last=1)
    ).told


def hits(values: Sequence[str]) -> list[object]:
    """電話の当たりの一覧（属性の中の字）と、打った字が欄に残る形。"""
    listed = [(text, SimpleNamespace(masked_kana=text, birth_year=text, town=text, benefit=text)) for text in values]
    given = dict.fromkeys(("call_reference", "words", "case_number", "kana_name", "birth"), values[0])
    shown = {"call": None, "purposes": values[:50], "listed": listed, "given": given, "field": "words"}
    return Shape(drawn("desk/search.html", error=values[0], says=values[0], **shown)).told


def test_a_hundred_thousand_hostile_names_draw_the_same_page_as_plain_names(hostile: list[str]) -> None:
    one, two = listing(["山田"] * 3), listing(["山田"] * 6)
    row = len(two) - len(one)
    first = [place for place, tag in enumerate(one) if tag == ("tr",)][1]
    count = len(hostile) // 3
    assert listing(hostile) == one[:first] + one[first : first + row] * count + one[first + row :]
    # 属性の中: 種の全部と、つないだもの。
    some = [text or "　" for text in hostile[: len(SEEDS) * 10]]
    assert hits(some) == hits(["山田"] * len(some))


def test_each_hostile_name_alone_also_draws_the_plain_page() -> None:
    # 一つの名が開けたものを、次の名が閉じてしまう、ということがないように。
    plain, typed = listing(["山田"] * 3), hits(["山田"])
    for text in SEEDS:
        assert listing([text or "　"] * 3) == plain, text
        assert hits([text or "　"]) == typed, text


def test_no_template_turns_the_escaping_off() -> None:
    for path in (Path(page.__file__).parent / "templates").rglob("*.html"):
        source = path.read_text(encoding="utf-8")
        assert not re.search(r"\|\s*safe\b|autoescape\s+false|Markup", source), path.name


def test_one_event_is_one_row_of_the_audit_log_and_one_row_of_its_workbook(sqlite_home: Home) -> None:
    clock = StepClock()
    with sqlite_home.ward.begin() as connection:
        for text in SEEDS:
            audit.record(connection, ward.audit_log, at=clock(), actor=BATCH, action="x.view", reason=text)
        assert audit.verify(connection, ward.audit_log) == (len(SEEDS), None)
    query = audit_search.Query(action="x.view")
    frame = audit_search.export(sqlite_home.ward, "ward", query, actor=BATCH, reason="月次", at=clock())
    assert sorted(frame["理由"]) == sorted(SEEDS)
    told, tags = strings(sheet.render({"監査ログ": frame}, made=MADE))
    assert "f" not in tags
    assert set(told) >= {text for text in SEEDS if text.isascii() and text.isprintable() and text}


def test_one_event_is_one_line_of_the_server_log() -> None:
    lines = unforeseen.Lines()
    for text in SEEDS:
        record = logging.LogRecord("uvicorn.error", logging.WARNING, "x", 1, f"届きました {text}", (), None)
        assert len(lines.format(record).splitlines()) == 1, text
