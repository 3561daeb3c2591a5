"""印刷所の結果の画面: 束の数と状態、名ざした番号、持ち出し。区直轄の人の番号は、名ざされた人にだけ見える。"""

from __future__ import annotations

import io
from datetime import date, timedelta
from pathlib import Path
from zipfile import ZipFile

import pytest
from playwright.sync_api import Page

from benefit.domain import print_result as words
from benefit.services.print_results import Taken
from tests.api.screen import accessible, narrow, shot
from tests.api.world import CLERK, OTHER, World, served, sign_in
from tests.services.conftest import ISSUED
from tests.support import print_lots

pytestmark = pytest.mark.xdist_group("ward-world")
PRINTED, SENT = ISSUED + timedelta(1), ISSUED + timedelta(3)
TODAY = date(2024, 8, 6)


def taken(world: World, tmp_path: Path, place: str, *, lose: int = 0, reason: str = "") -> tuple[Taken, list[str]]:
    """結果を受け取る。`lose` 枚は行がない。(結果、封入の符号)。"""
    folder = tmp_path / f"lot-{place}"
    if not folder.exists():
        print_lots.folder_of(world.home, place, folder)
    codes = print_lots.codes_of(world.home, folder)
    rows = [row for row in print_lots.clean(codes, PRINTED, SENT) if row[0] not in codes[1 : 1 + lose]]
    done = print_lots.take(
        world.home, folder, rows, tmp_path / "kekka.csv", actor=CLERK, clock=world.clock, reason=reason
    )
    return done, codes


def test_a_stopped_lot_is_shown_with_each_number_and_why(both: World, tmp_path: Path) -> None:
    done, codes = taken(both, tmp_path, "printer", lose=2)
    page = both.enter(CLERK).get("/print-results").text
    assert "止まっている束が 1 あります" in page
    page = both.get(f"/print-results/{done.result_id}").text
    assert "合わない番号が 2 あります" in page
    assert codes[1] in page
    assert codes[3] not in page
    assert words.SHEET_FAULTS[words.MISSING] in page
    assert "！合わない" in page
    made = both.post(f"/print-results/{done.result_id}/workbook", reason="印刷所への確かめ")
    shown = ZipFile(io.BytesIO(made.content)).read("xl/sharedStrings.xml").decode()
    assert codes[2] in shown
    text = both.post(f"/print-results/{done.result_id}/workbook", reason="印刷所への確かめ", form="csv").text
    assert [line.split(",")[2] for line in text.splitlines()[1:]] == [words.MISSING] * 2
    assert both.logged("print_results.export")[-1]["reason"] == "印刷所への確かめ"
    assert both.post(f"/print-results/{done.result_id}/workbook").status_code == 400
    mended, _codes = taken(both, tmp_path, "printer", reason="数え直し")
    page = both.get(f"/print-results/{mended.result_id}").text
    assert "投函済: 一枚ずつ合っています" in page
    assert "2 回目（この画面）" in page
    assert "この後に届いた結果に代わっています" in both.get(f"/print-results/{done.result_id}").text
    assert both.get("/print-results/99").status_code == 404


def test_the_numbers_of_ward_only_people_are_shown_to_the_named_only(world: World, tmp_path: Path) -> None:
    done, codes = taken(world, tmp_path, "ward", lose=1)
    path = f"/print-results/{done.result_id}"
    assert codes[1] in world.enter(CLERK).get(path).text
    page = world.enter(OTHER).get(path).text
    assert codes[1][:11] not in page
    assert "区直轄の 1 行は、名ざされた人にだけ見えます" in page
    assert codes[1] not in world.post(f"{path}/workbook", reason="確かめ", form="csv").text


@pytest.mark.browser
def test_the_two_screens_are_read_by_everybody_and_fit_a_narrow_window(
    world: World, page: Page, tmp_path: Path
) -> None:
    done, codes = taken(world, tmp_path, "printer", lose=1)
    assert len(codes) > 2
    with served(world) as site:
        sign_in(page, site, world, CLERK)
        for path, name in (("/print-results", "print-results"), (f"/print-results/{done.result_id}", "print-result")):
            page.goto(site + path)
            accessible(page)
            shot(page, tmp_path, name)
            narrow(page, tmp_path, name)
