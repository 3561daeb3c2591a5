"""外へ出る紙に、金額・子の名・方書は載らない（benefit-rules F.2-2、F.2-5）。区直轄と点字の人の紙は、区の中で刷る（F.1、F.3）。"""

from __future__ import annotations

import csv
import json
import re
import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
import sqlalchemy as sa

from benefit.domain.access import BATCH, Actor
from benefit.domain.programme import Programme
from benefit.services import bank_master, beneficiaries, extracts, people
from benefit.services.home import Home
from benefit.services.mailing import who_gets_letters
from benefit.services.mailing_lots import lots_of
from benefit.store import ward
from letters.mailing import Made, make_letters
from letters.proof import prove
from tests.conftest import StepClock
from tests.support.approval import approve_latest, receive_again
from tests.support.small_ward import branches, cut, read, write

APPROVER = Actor("shonin1", "approver")
BUILT, ISSUED = date(2024, 6, 20), date(2024, 6, 24)
OFF = Programme.load("r6-2024")
ON = Programme.load(
    "r6-2024", changes={"letters.print_amount_outside": "true", "letters.print_address2_outside": "true"}
)
YEN = re.compile(r"[0-9０-９][0-9０-９,，]*円")


@dataclass
class Sent:
    """手紙を作った区。"""

    home: Home
    out: Path
    programme: Programme
    rows: list[dict[str, Any]]
    made: Made

    def texts(self, place: str) -> dict[Path, str]:
        found = {}
        for path in sorted((self.out / place).rglob("*.pdf")):
            document = pypdfium2.PdfDocument(path)
            found[path] = "\f".join(page.get_textpage().get_text_range() for page in document)
            document.close()
        return found

    def of(self, place: str) -> list[dict[str, Any]]:
        return [row for row in self.rows if row["place"] == place]


@pytest.fixture(scope="module")
def approved(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Path:
    """小さな区: 承認まで済み、手紙はまだ。点字の人が二人いて、方書のある人もいる。"""
    root = tmp_path_factory.mktemp("outside")
    shutil.copytree(sqlite_template, root / "home")
    home, clock = Home.at(root / "home"), StepClock()
    folder = cut(root / "in")
    residents = read(folder / "residents.csv")
    for number, row in enumerate(residents):
        row["漢字方書"] = row["漢字方書"] or f"見本荘{number + 101}号室"
    write(folder / "residents.csv", residents, list(residents[0]))
    _guardians(folder / "addresses.csv", [row["住民番号"] for row in residents])
    bank_master.use_rehearsal(home, branches(folder))
    for kind in extracts.KINDS:
        if (folder / f"{kind}.csv").exists() and kind != "braille":
            extracts.import_file(home, kind, folder / f"{kind}.csv", clock=clock, levy_year=2024)
    with home.ward.begin() as connection:
        people.add(
            connection, ward.staff, ward.audit_log, staff_id=APPROVER.id, name="試験", role=APPROVER.role,
            password="x" * 15, actor=BATCH, at=clock(),
        )  # fmt: skip
    receive_again(home, folder / "residents.csv")
    beneficiaries.build(home, OFF, BUILT, out=root / "build", clock=clock)
    approve_latest(home, clock, APPROVER)
    rows = who_gets_letters(home, OFF, ISSUED).letters.filter(place="printer").to_dicts()
    # 給付管理番号の並びによらないように、子への加算のない、一番番号の若い人を選ぶ。
    parents = {row["payee_number"] for row in rows if row["child_name"]}
    alone = sorted((row for row in rows if row["payee_number"] not in parents), key=lambda row: -row["payee_number"])
    readers = {row["kind"]: f"{row['payee_number']:010d}" for row in alone}
    write(folder / "braille.csv", [{"住民番号": number} for number in readers.values()], ["住民番号"])
    extracts.import_file(home, "braille", folder / "braille.csv", clock=clock, levy_year=2024)
    home.ward.dispose()
    return root


def _guardians(path: Path, numbers: list[str]) -> None:
    """二人に一人は、法定代理人へ送る。"""
    rows = [
        {
            "宛名番号": number, "種別": "法定代理人", "漢字氏名": f"後見　{'甲乙丙丁'[place % 4]}彦", "カナ氏名": "コウケン",
            "郵便番号": "1600001", "漢字住所": "東京都新宿区代理町一丁目2番3号", "漢字方書": f"代理荘{place + 501}号室",
        }
        for place, number in enumerate(sorted(numbers)[::2])
    ]  # fmt: skip
    write(path, rows, list(rows[0]))


def send(approved: Path, root: Path, programme: Programme) -> Sent:
    shutil.copytree(approved / "home", root / "home")
    home = Home.at(root / "home")
    rows = who_gets_letters(home, programme, ISSUED).letters.to_dicts()
    made = make_letters(home, programme, out=root / "out", issued_on=ISSUED, clock=StepClock())
    home.ward.dispose()
    return Sent(home, root / "out", programme, rows, made)


@pytest.fixture(scope="module")
def off(approved: Path, tmp_path_factory: pytest.TempPathFactory) -> Sent:
    return send(approved, tmp_path_factory.mktemp("off"), OFF)


@pytest.fixture(scope="module")
def on(approved: Path, tmp_path_factory: pytest.TempPathFactory) -> Sent:
    return send(approved, tmp_path_factory.mktemp("on"), ON)


def test_with_the_switches_off_no_byte_that_leaves_tells_an_amount_a_child_or_a_room(off: Sent) -> None:
    outside = off.of("printer")
    children = {row["child_name"] for row in outside if row["child_name"]} - {row["name"] for row in outside}
    rooms = {row["address2"] for row in outside if row["address2"]}
    assert children
    assert rooms
    for path, text in off.texts("printer").items():
        flat = text.replace("\r\n", "")
        assert YEN.findall(flat) == [], path
        assert not any(each in flat for each in children | rooms), path
        document = pypdfium2.PdfDocument(path)
        told = json.dumps(document.get_metadata_dict(), ensure_ascii=False)
        document.close()
        assert not any(each in told for each in children | rooms)
        assert not YEN.findall(told)
    amounts = {f"{row['amount_yen']:,}" for row in outside} | {str(row["amount_yen"]) for row in outside}
    for path in (off.out / "printer").rglob("*"):
        if not path.is_file():
            continue
        # 生のバイトにも、UTF-8・UTF-16 のどちらの形でも現れない（題、注釈、添付、目録）。
        data = path.read_bytes()
        for text in children | rooms:
            assert text.encode() not in data
            assert text.encode("utf-16-be") not in data
        if path.suffix in {".csv", ".json"}:
            values = {str(each) for each in re.findall(r"[0-9][0-9,]*", data.decode())}
            assert not amounts & values, path
        assert not any(each in path.name for each in amounts | children)


def test_with_the_switches_on_the_amount_and_the_room_are_on_the_sheet_itself(on: Sent, off: Sent) -> None:
    flat = "".join(on.texts("printer").values()).replace("\r\n", "")
    printed = [row for row in on.of("printer") if row["case_number"] in flat]
    assert len(printed) >= on.made.read - on.made.printed_in_ward - on.made.held
    for row in printed:
        assert f"{row['amount_yen']:,}円" in flat
        assert row["address2"] in flat
    assert not list((on.out / "ward").glob("amount-*"))
    assert (on.made.amount_pages, on.made.without_address2) == (0, 0)
    assert off.made.without_address2 == len(off.of("printer"))


def test_the_ward_prints_an_amount_page_for_each_letter_whose_amount_is_its_own(off: Sent) -> None:
    """調整給付（額が一人ずつ違う）と子への加算（子の名）だけ。世帯の 10 万円は、誰でも同じなので頁を分けない。"""
    wanted = [row for row in off.of("printer") if row["benefit"] in {"R6-3", "R6-4"}]
    assert wanted
    (folder,) = (off.out / "ward").glob("amount-*")
    with (off.out / "ward" / "sheets" / f"ward-{folder.name}" / "sheets.csv").open(encoding="utf-8") as lines:
        sheets = {row["給付管理番号"]: row for row in csv.DictReader(lines)}
    assert set(sheets) == {row["case_number"] for row in wanted}
    assert {(row["枚目"], row["枚数"]) for row in sheets.values()} == {("2", "2")}
    with (off.out / "ward" / "sheets" / f"printer-{folder.name.removeprefix('amount-')}" / "sheets.csv").open(
        encoding="utf-8"
    ) as lines:
        outside = {row["給付管理番号"]: row for row in csv.DictReader(lines)}
    assert {number for number, row in outside.items() if row["枚数"] == "2"} == set(sheets)
    assert {row["枚目"] for row in outside.values()} == {"1"}
    text = "".join(off.texts(f"ward/{folder.name}").values())
    for row in wanted:
        assert f"{row['amount_yen']:,}円" in text
        assert not row["child_name"] or row["child_name"] in text
    assert not list((off.out / "printer").rglob("sheets.csv"))


@pytest.mark.parametrize("setting", ["off", "on"])
def test_every_lot_reads_back_as_the_ledger_says(setting: str, request: pytest.FixtureRequest) -> None:
    sent: Sent = request.getfixturevalue(setting)
    with sent.home.ward.connect() as connection:
        lots = list(lots_of(connection).values())
    for lot in lots:
        assert prove(sent.home, sent.programme, lot, out=sent.out).mismatches == ()
    sent.home.ward.dispose()
    assert {lot.place for lot in lots} == {"printer", "ward"}


def test_a_letter_to_a_guardian_shows_the_guardian_in_the_window_and_names_the_payee_beside_the_number(
    off: Sent,
) -> None:
    sent = [row for row in off.of("printer") if row["addressee"]]
    assert {row["kind"] for row in sent} == {"push_notice", "confirmation_letter"}
    pages = {
        number: page.replace("\r\n", "\n")
        for text in off.texts("printer").values()
        for page in text.split("\f")
        for number in re.findall(r"(?<!\d)\d{11}(?!\d)", page)
    }
    for row in off.of("printer"):
        if (page := pages.get(row["case_number"])) is None:
            continue  # 枠に入らず、止めた手紙
        assert ("受給される方" in page) is bool(row["addressee"])
        shown = [row["addressee"], row["name"]] if row["addressee"] else [row["name"]]
        assert all(f"{name}　様" in page for name in shown)


def test_the_papers_of_people_the_ward_handles_say_only_an_address_as_the_sender(off: Sent) -> None:
    texts = [text for path, text in off.texts("ward").items() if path.parent.name.startswith("2024")]
    assert texts
    for text in texts:
        # 差出人の行は、郵便番号と住所だけ。課の名は、窓からも封筒からも見えない本文にしか出ない。
        for page in text.split("\f"):
            head = page.replace("\r\n", "\n").split("支給")[0]
            assert "〒160-8484" in head
            assert "総務部総務課" not in head
    (note,) = (off.out / "ward").rglob("fuutou.txt")
    assert "「〒160-8484 東京都新宿区歌舞伎町1-4-1」とだけ" in note.read_text(encoding="utf-8")


def test_braille_readers_get_their_own_run_and_the_printer_never_learns_of_them(off: Sent) -> None:
    readers = off.of("braille")
    assert {row["kind"] for row in readers} == {"push_notice", "confirmation_letter"}
    numbers = {row["case_number"] for row in readers}
    outside = "".join(off.texts("printer").values())
    assert not any(number in outside for number in numbers)
    (folder,) = (off.out / "ward").glob("braille-*")
    with (folder / "tenji" / "tenji.csv").open(encoding="utf-8-sig") as lines:
        listed = {row["給付管理番号"]: row for row in csv.DictReader(lines)}
    assert set(listed) == numbers
    for row in listed.values():
        assert row["作れなかった理由"] == ""
        data = (folder / "tenji" / row["ファイル"]).read_bytes()
        for page in data.split(b"\f"):
            lines_ = page.split(b"\r\n")[:-1]
            assert len(lines_) <= 22
            assert max(map(len, lines_)) <= 32
    # 点字のある紙は、区の中で刷る普通の紙の隣にある。
    beside = "".join(off.texts(f"ward/{folder.name}").values())
    assert all(number in beside for number in numbers)


def test_the_ledger_keeps_where_each_lot_lies_and_what_was_printed(off: Sent) -> None:
    with off.home.ward.connect() as connection:
        letters = connection.execute(
            sa.select(sa.func.count()).select_from(ward.letter).where(ward.letter.c.lot_id.is_not(None))
        ).scalar_one()
        printed = connection.execute(sa.select(sa.func.count()).select_from(ward.letter_printed)).scalar_one()
        lots = lots_of(connection)
    off.home.ward.dispose()
    assert letters == printed == off.made.printed
    for lot in lots.values():
        assert (off.out / lot.place / lot.folder / lot.file_name).is_file()
