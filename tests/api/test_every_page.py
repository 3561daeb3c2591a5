"""開ける画面の全部を、本物の Chromium で開く: axe の指摘がなく、見出し（h1）は一つ、名の付いた頁、320 px で横にはみ出さない。

道は権限の表から取る。だから、新しい画面は、ここに書き足さなくても見られる。
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page

from api import access
from benefit.domain.access import DeskRole
from tests.api.conftest import Site
from tests.api.papers import person
from tests.api.screen import accessible, enter, fits
from tests.api.world import ADMIN, AUDITOR, CLERK, FIRST, World, copied, served, sign_in

pytestmark = pytest.mark.browser
#: 画面でない道（絵、表計算、紙、JSON）と、人を選んだ後でないと開かない道。
_NOT_PAGES = ("/static", "/api/", "/favicon.ico", "/openapi.json", ".xlsx", ".pdf", ".svg")
_OPENED_FIRST = {"/case", "/case/account", "/review/case", "/people/case", "/people/print"}
#: 番号の付く道の、見本。
_SAMPLES = {
    "/list/{which}": "/list/paid",
    "/approvals/{kind}/{number}": "/approvals/transfer/1",
    "/failures/{number}": "/failures/1",
}


def pages(table: access.Access, roles: list[str]) -> dict[str, str]:
    """開ける画面 → 初めに開ける役割。"""
    found = {}
    for (method, path), allowed in sorted(table.items()):
        role = next((one for one in roles if one in allowed), "")
        told = any(path.startswith(mark) or path.endswith(mark) for mark in _NOT_PAGES)
        if method == "GET" and role and not told and path not in _OPENED_FIRST:
            found[path] = role
    return found


def looked_at(page: Page, address: str, folder: Path) -> None:
    """一枚を開いて確かめる。"""
    answer = page.goto(address)
    assert answer is not None
    assert answer.status == 200, address
    assert page.locator("h1").count() == 1, address
    assert page.title().split("|")[0].strip(), address
    accessible(page)
    name = address.split("/", 3)[3].replace("/", "-") or "top"
    kept = Path(os.environ.get("SHOTS", folder))
    page.screenshot(path=kept / f"every-{name}.png", full_page=True)
    page.set_viewport_size({"width": 320, "height": 640})
    assert fits(page), f"{address}: 400% で横にはみ出す"
    page.set_viewport_size({"width": 1280, "height": 900})


@pytest.mark.xdist_group("ward-world")
def test_every_page_of_the_ward_is_readable_by_everyone(page: Page, tmp_path: Path, sqlite_template: Path) -> None:
    world = World(copied(sqlite_template, tmp_path / "world"))
    actors = {actor.role: actor for actor in (ADMIN, AUDITOR, FIRST, CLERK)}
    found = pages(access.WARD_ACCESS, ["clerk", "approver", "auditor", "admin"])
    skipped = {path for path in found if "{" in path} - set(_SAMPLES)
    print(f"区の画面 {len(found)}、番号が要るので開かない {sorted(skipped)}")
    now = ""
    with served(world) as site:
        for path, role in sorted(found.items(), key=lambda each: each[1]):
            if path in skipped:
                continue
            if role != now:
                sign_in(page, site, world, actors[role])
                now = role
            looked_at(page, f"{site}{_SAMPLES.get(path, path)}", tmp_path)
    world.close()


@pytest.mark.parametrize("home", ["sqlite"], indirect=True)
def test_every_page_of_the_desk_is_readable_by_everyone(site: Site, page: Page, tmp_path: Path) -> None:
    roles = [DeskRole.OPERATOR, DeskRole.COUNTER, DeskRole.REVIEWER, DeskRole.SUPERVISOR]
    roles += [role for role in DeskRole if role not in roles]
    found = pages(access.DESK_ACCESS, [role.value for role in roles])
    now = ""
    for path, role in sorted(found.items(), key=lambda each: each[1]):
        if "{" in path:
            continue
        if role != now:
            page.context.clear_cookies()
            enter(page, site, person(site.desk, DeskRole(role)).actor.id)
            now = role
        looked_at(page, f"{site}{path}", tmp_path)
