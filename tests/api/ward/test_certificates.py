"""判定証明を画面から出す: 受け取る人の税額だけが載り、作った記録が先に残る（0012）。"""

from __future__ import annotations

import io
from zipfile import ZipFile

import pytest

from benefit.services import ward_why
from tests.api.world import CLERK, World

pytestmark = pytest.mark.xdist_group("ward-world")


def book(content: bytes) -> str:
    return ZipFile(io.BytesIO(content)).read("xl/sharedStrings.xml").decode()


def test_the_paper_is_a_pdf_with_no_number_in_its_name_and_is_logged(world: World) -> None:
    case = world.enter(CLERK).open_case()
    number = f"{case['payee_number']:010d}"
    world.ask(case_number=case["case_number"])
    made = world.post("/people/certificate", programme="r6-2024", reader=number, form="pdf")
    assert made.content.startswith(b"%PDF-")
    assert made.headers["content-disposition"] == 'attachment; filename="hantei-shomei.pdf"'
    assert made.headers["cache-control"] == "no-store"
    log = world.logged("certificate.make")
    assert [(row["actor"], row["subject"], row["reason"]) for row in log] == [
        (CLERK.id, number, "本人からの問合せ: 受付 12")
    ]


def test_the_workbook_holds_the_tax_of_its_reader_only(world: World) -> None:
    case = world.enter(CLERK).open_case()
    world.ask(case_number=case["case_number"])
    papers = next(one.papers for one in ward_why.explained(world.home, case["payee_number"]))
    people = papers[0].people
    assert len(people) > 1, "一人の世帯では、何も確かめられない"
    texts = {}
    for reader in ("", *(f"{number:010d}" for number in people)):
        made = world.post("/people/certificate", programme="r6-2024", reader=reader, form="xlsx")
        assert made.status_code == 200
        texts[reader] = book(made.content)
    assert "均等割 " not in texts[""]
    for number in people:
        told = texts[f"{number:010d}"]
        lines = [line for line in told.split("\n") if "均等割 " in line]
        assert lines, "本人の税額が、本人の表にない"
        assert all(f"{number:010d}" in line for line in lines), "ほかの人の税額が載った"


def test_a_reader_outside_the_household_and_a_forgotten_person_are_refused(world: World) -> None:
    case = world.enter(CLERK).open_case()
    assert world.post("/people/certificate", programme="r6-2024", reader="").status_code == 404
    world.ask(case_number=case["case_number"])
    outside = world.post("/people/certificate", programme="r6-2024", reader=f"{world.marked():010d}")
    assert outside.status_code == 400
    assert world.post("/people/certificate", programme="ない事業", reader="").status_code == 404
    assert world.logged("certificate.make") == []


def test_the_paper_of_a_ward_only_household_is_marked_to_stay_inside(world: World) -> None:
    case = world.enter(CLERK).ward_case()
    world.ask(case_number=case["case_number"])
    made = world.post("/people/certificate", programme="r6-2024", reader="", form="xlsx")
    assert "区限り" in book(made.content)
    assert "区限り" in world.get("/people/case").text
