"""印刷の包み: 六つの項目のほか何も出ず、区直轄の人はいず、止めるべき手紙が一通でもあれば出ない（seed 002 再委託）。"""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pypdfium2
import pytest
import pyzipper
import sqlalchemy as sa

from benefit.domain.clock import tokyo_date
from benefit.domain.errors import BenefitError, RefusedByRule, WrongUse
from benefit.domain.handover_states import CANCELLED, GIVEN_BACK, ISSUED, MADE, RECEIVED, USED
from benefit.records.bank_master import BankMaster
from benefit.records.print_data import COLUMNS, PRINTER
from benefit.services import (
    extracts,
    handover_book,
    handover_book_files,
    handover_book_passphrase,
    handover_book_print,
)
from benefit.services.handover_book import Entry
from benefit.store import ward
from benefit.store.bulk import insert_one
from letters import package
from letters.package import Packed, make_package, open_package
from letters.sheets import SHEETS_FILE, sheets_folder
from tests.services.conftest import FIRST, MAKER, PROGRAMME, SECOND, Office
from tests.support.small_ward import read, write

PARTY = "株式会社架空印刷"
SIX = ["氏名", "郵便番号", "住所", "給付管理番号", "過去の給付金支給口座", "口座フラグ"]
sqlite_only = pytest.mark.parametrize("office", ["sqlite"], indirect=True)


def runs(office: Office, place: str = "printer") -> list[Path]:
    """組のフォルダ。"""
    return sorted(path.parent for path in (office.root / "letters" / place).glob("*/manifest.json"))


def allow(office: Office) -> None:
    """どの組にも、今日に出す許しを書く（見本帳と読み返しは、別の試験が守る）。"""
    with office.home.ward.begin() as connection:
        now = office.clock()
        proof = insert_one(
            connection, ward.proof_set, digest="d" * 64, sha256="e" * 64, reason="見本", asked_by=MAKER.id, asked_at=now
        )
        connection.execute(
            ward.proof_set_approval.insert().values(
                release_id=proof, asked_by=MAKER.id, approved_by=SECOND.id, approved_at=now
            )
        )
        for number in connection.execute(sa.select(ward.lot.c.id)).scalars().all():
            insert_one(
                connection, ward.lot_release, lot_id=number, released_on=tokyo_date(now), proof_set_id=proof,
                proof_sha256="f" * 64, released_by=MAKER.id, released_at=now,
            )  # fmt: skip


def packed(office: Office, **changes: Any) -> Packed:
    given: dict[str, Any] = {"counterpart": PARTY, "actor": MAKER, "clock": office.clock}
    return make_package(office.home, PROGRAMME, runs(office), **given | changes)


def entry(office: Office, **changes: Any) -> Entry:
    given: dict[str, Any] = {"done_on": tokyo_date(office.clock.now), "handler": "甲野", "note": "第 1 号"}
    return Entry(**given | changes)


def out(office: Office, made: Packed, actor: Any = FIRST) -> None:
    """出庫。"""
    given = entry(office, medium="DVD-R", quantity=1, companion="乙山", locked_bag=True)
    handover_book_files.step(office.home, made.item.name, ISSUED, given, actor=actor, clock=office.clock)


def step(office: Office, made: Packed, what: str) -> None:
    handover_book_files.step(office.home, made.item.name, what, entry(office), actor=MAKER, clock=office.clock)


def opened(office: Office, made: Packed) -> dict[str, bytes]:
    """出庫・受領・合言葉を経て開ける。"""
    out(office, made)
    step(office, made, RECEIVED)
    told = handover_book_passphrase.tell(
        office.home, made.item.name, told_to="印刷 太郎", actor=SECOND, clock=office.clock
    )
    return open_package(made.folder / f"{made.folder.name}.zip", told)


def text_of(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    try:
        found = []
        for page in document:
            text = page.get_textpage()
            found.append(text.get_text_range() + "\f")
            text.close()
            page.close()
        return "".join(found)
    finally:
        document.close()


def entitled(office: Office) -> list[dict[str, Any]]:
    with office.home.ward.connect() as connection:
        return [dict(row) for row in connection.execute(sa.select(ward.entitlement)).mappings()]


@pytest.fixture
def ready(office: Office) -> Office:
    allow(office)
    return office


def forbidden(office: Office) -> Iterator[tuple[str, str]]:
    """包みのどこにもあってはならない値: (何か、値)。"""
    people = read(office.root / "in" / "residents.csv")
    rights = entitled(office)
    payees = {f"{row['payee_number']:010d}" for row in rights if row["route"] != "WARD"}
    names = {person["漢字氏名"] for person in people if person["住民番号"] in payees}
    for person in people:
        # 外国人の氏名は、漢字の欄もカナのことがある。
        if person["カナ氏名"] not in names:
            yield "カナ", person["カナ氏名"]
        yield "生年月日", person["生年月日"]
        yield "住民番号", person["住民番号"]
        if person["漢字氏名"] not in names:
            yield "ほかの人の名", person["漢字氏名"]
    for account in read(office.root / "in" / "accounts.csv"):
        yield "口座番号の全部", account["口座番号"]
    for right in rights:
        yield "支給額", f"{right['amount_yen']:,}"
        yield "支給額", f"{right['amount_yen']}円"
        if right["route"] == "WARD":
            yield "区直轄の番号", right["case_number"]


def test_the_opened_package_holds_the_six_items_of_the_printer_and_nothing_else(ready: Office) -> None:
    made = packed(ready)
    inside = opened(ready, made)
    pdfs = [name for name in inside if name.endswith(".pdf")]
    assert sorted(set(inside) - set(pdfs)) == ["insatsu.csv", "mokuroku.json"]
    assert pdfs
    data = inside["insatsu.csv"].decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(data, newline="")))
    assert list(rows[0]) == SIX
    letters = [row for row in entitled(ready) if row["route"] != "WARD"]
    assert {row["給付管理番号"] for row in rows} <= {row["case_number"] for row in letters}
    assert len(rows) == made.letters == sum(text_of(inside[name]).count("\f") for name in pdfs)
    # 口座は、過去の給付の口座へのお知らせにだけ、下三桁で。
    shown = [row["過去の給付金支給口座"] for row in rows if row["過去の給付金支給口座"]]
    assert shown
    assert all("****" in one and not any(part.isdigit() and len(part) > 3 for part in one.split()) for one in shown)
    with ready.home.ward.connect() as connection:
        letter = ward.letter
        query = sa.select(ward.entitlement.c.case_number, letter.c.kind, letter.c.account_flag).join(
            letter, letter.c.entitlement_id == ward.entitlement.c.id
        )
        kinds = {row.case_number: (row.kind, row.account_flag) for row in connection.execute(query)}
    assert {kinds[row["給付管理番号"]] for row in rows if row["過去の給付金支給口座"]} == {("push_notice", "2")}
    told = "".join([data, inside["mokuroku.json"].decode(), *(text_of(inside[name]) for name in pdfs), *inside])
    flat = "".join(told.split())
    hits = [what for what, value in forbidden(ready) if value.strip() and "".join(value.split()) in flat]
    assert hits == []
    # 中に誰もいないから見つからないのではない。
    assert all("".join(row["氏名"].split()) in flat for row in rows)
    # 包みのフォルダに、書きかけも合言葉もない。
    assert sorted(path.name for path in made.folder.iterdir()) == ["manifest.json", f"{made.folder.name}.zip"]


@sqlite_only
def test_the_package_is_aes_256_and_its_book_counts_what_is_inside(ready: Office, tmp_path: Path) -> None:
    made = packed(ready, encoding="cp932")
    path = made.folder / f"{made.folder.name}.zip"
    with pyzipper.AESZipFile(path) as sealed:
        # 強さ 3 が 256 ビット。名のほかは、合言葉がなければ読めない。
        assert {member.wz_aes_strength for member in sealed.infolist()} == {3}
    with pytest.raises(WrongUse):
        open_package(path, "aaaa-bbbb-cccc-dddd-eeee")
    out(ready, made)
    step(ready, made, RECEIVED)
    told = handover_book_passphrase.tell(ready.home, "1", told_to="印刷 太郎", actor=SECOND, clock=ready.clock)
    inside = open_package(path, told)
    if (seven := shutil.which("7z") or shutil.which("7zz")) is not None:
        subprocess.run([seven, "x", f"-p{told}", f"-o{tmp_path / 'seven'}", str(path)], check=True, capture_output=True)
        assert (tmp_path / "seven" / "insatsu.csv").read_bytes() == inside["insatsu.csv"]
    assert inside["insatsu.csv"].decode("cp932").splitlines()[0].split(",") == SIX
    manifest = json.loads((made.folder / "manifest.json").read_text(encoding="utf-8"))
    listing = json.loads(inside["mokuroku.json"])
    assert {key: manifest[key] for key in listing} == listing
    codes = [row for run in runs(ready) for row in read(sheets_folder(run) / SHEETS_FILE)]
    assert manifest["枚数"] == made.item.sheet_count == len(codes)
    assert manifest["検査の合計"] == sum(int(row["検"]) for row in codes) > 0
    assert sum(manifest["版ごとの枚数"].values()) == len(codes)
    assert manifest["通数"] == made.letters == manifest["データの行"] + manifest["データに載せない通"]
    assert manifest["列"] == SIX
    assert sum(lot["通数"] for lot in manifest["組"]) == made.letters
    # 使い終えれば、出し箱の写しは消える。書類は残る。
    step(ready, made, USED)
    assert not path.exists()
    assert (made.folder / "manifest.json").exists()


def test_the_same_lots_give_the_same_inside_and_are_never_packed_twice(ready: Office) -> None:
    first = packed(ready)
    again = packed(ready)
    assert again.already
    assert again.item.name == first.item.name
    step(ready, first, CANCELLED)
    assert not (first.folder / f"{first.folder.name}.zip").exists()
    second = packed(ready)
    assert second.item.name != first.item.name
    assert second.item.inside_sha256 == first.item.inside_sha256
    assert second.item.sha256 != first.item.sha256  # 塩と合言葉は毎回違う
    out(ready, second)
    with pytest.raises(RefusedByRule, match="もう包みに入っています"):
        packed(ready)
    # 開けられずに返ってきたものは、もう一度包める。
    step(ready, second, GIVEN_BACK)
    assert packed(ready).item.inside_sha256 == first.item.inside_sha256


def test_nothing_leaves_without_a_release_or_with_a_letter_that_must_not_go(office: Office) -> None:
    def refused(code: str, folders: list[Path]) -> None:
        with pytest.raises(BenefitError) as said:
            make_package(office.home, PROGRAMME, folders, counterpart=PARTY, actor=MAKER, clock=office.clock)
        assert said.value.code == code

    folders = runs(office)
    refused("not-released", folders)
    allow(office)
    refused("ward-lot", runs(office, "ward"))
    lot = next(folders[0].glob("*.pdf"))
    kept = lot.read_bytes()
    lot.write_bytes(kept + b"%")
    refused("lot-changed", folders)
    lot.write_bytes(kept)
    made = packed(office)
    with pytest.raises(RefusedByRule, match="作った人は"):
        out(office, made, MAKER)
    # 出庫の前に、一人が区直轄になった。
    person = next(row for row in entitled(office) if row["route"] != "WARD")
    marks = read(office.root / "in" / "protected.csv")
    added = dict.fromkeys(marks[0], "") | {"住民番号": f"{person['payee_number']:010d}", "区分": marks[0]["区分"]}
    write(office.root / "protected.csv", [*marks, added], list(marks[0]))
    extracts.import_file(office.home, "protected", office.root / "protected.csv", clock=office.clock, levy_year=2024)
    with pytest.raises(RefusedByRule, match="出してはならない手紙が"):
        out(office, made)
    assert handover_book.item(office.home, made.item.name, date(2024, 7, 26)).state == MADE
    step(office, made, CANCELLED)
    refused("stale-letter", folders)


@sqlite_only
def test_a_package_whose_bytes_changed_on_the_shelf_cannot_leave(ready: Office) -> None:
    made = packed(ready)
    path = made.folder / f"{made.folder.name}.zip"
    data = path.read_bytes()
    path.write_bytes(data[:-1])
    with pytest.raises(RefusedByRule, match="作った時と違います"):
        out(ready, made)
    path.write_bytes(data)
    (made.folder / "manifest.json").unlink()
    with pytest.raises(BenefitError, match=r"manifest\.json がありません"):
        out(ready, made)


_KILL = """
import os, signal, sys
from pathlib import Path
from letters import package
from benefit.services import handover_book_files as files
from tests.services.conftest import MAKER, PROGRAMME
from benefit.services.home import Home
from tests.conftest import StepClock

root = Path(sys.argv[1])
runs = sorted(path.parent for path in (root / "letters" / "printer").glob("*/manifest.json"))
for module, name in ((package.files, "register"), (files, "write_json")):
    child = os.fork()
    if child == 0:
        setattr(module, name, lambda *_args, **_named: os.kill(os.getpid(), signal.SIGKILL))
        clock = StepClock()
        clock.now = clock.now.replace(month=7, day=26, hour=3)
        package.make_package(Home.at(root / "home"), PROGRAMME, runs, counterpart="甲", actor=MAKER, clock=clock)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    print(name, *sorted(path.name for path in (root / "home" / "outbox" / "print" / "print-0001").iterdir()))
"""


@sqlite_only
def test_killed_half_way_there_is_no_half_package_and_the_same_command_ends_it(ready: Office) -> None:
    # ZIP を書いた後、台帳の前に止め、もう一度して、台帳の後、manifest の前に止める。
    ready.home.ward.dispose()
    ended = subprocess.run([sys.executable, "-c", _KILL, str(ready.root)], capture_output=True, check=False)
    assert ended.returncode == 0, ended.stderr.decode()
    assert ended.stdout.decode().splitlines() == ["register print-0001.zip", "write_json print-0001.zip"]
    # 台帳には二度目の包みだけがあり、書類のない包みは出られない。
    [found] = handover_book.items(ready.home, date(2024, 7, 26), crossing="print_out")
    folder = ready.home.outbox / "print" / "print-0001"
    with pytest.raises(BenefitError, match=r"manifest\.json がありません"):
        out(ready, Packed(found, folder, 0, 0, 0, already=True))
    made = packed(ready)
    assert (made.already, made.folder, made.item.sha256) == (True, folder, found.sha256)
    assert opened(ready, made)["mokuroku.json"]


def test_only_a_notice_to_a_past_account_shows_its_last_three_digits() -> None:
    line = {
        "name": "甲野　乙子", "addressee": None, "postal_code": "1600022", "address": "新宿区新宿一丁目", "address2": "コーポ 210",
        "case_number": "1", "account_flag": "2", "letter_kind": "push_notice", "bank_code": "9999",
        "branch_code": "101", "account_type": "1", "account_number": "9876543", "birth": "1950-01-01",
    }  # fmt: skip
    lines = pl.DataFrame(
        [
            line,
            line | {"case_number": "2", "letter_kind": "confirmation_letter"},
            line | {"case_number": "3", "account_flag": "3", "addressee": "後見　太郎"},
            line | {"case_number": "4", "account_flag": "1"},
            line | {"case_number": "5", "branch_code": "999"},
        ]
    )
    banks = BankMaster.from_rows(date(2024, 6, 3), [("9999", "カクウギンコウ", "101", "ホンテン")], source="試験")
    told = handover_book_print._project(lines, PROGRAMME, banks)
    assert told["past_account"].to_list() == [
        "カクウギンコウ ホンテン 普通 ****543", None, None, None, "登録の口座 普通 ****543",
    ]  # fmt: skip
    assert set(told.columns) == set(COLUMNS[PRINTER])
    # 氏名は、紙の窓に出る名（法定代理人へ送る手紙では、その人）。
    assert told["name"].to_list() == ["甲野　乙子", "甲野　乙子", "後見　太郎", "甲野　乙子", "甲野　乙子"]
    # 方書は、区が「住所」に含むと確かめるまで渡さない（F.2-5）。
    assert set(told["address"]) == {"新宿区新宿一丁目"}
    sent = replace(PROGRAMME, letters=replace(PROGRAMME.letters, print_address2_outside=True))
    assert set(handover_book_print._project(lines, sent, banks)["address"]) == {"新宿区新宿一丁目コーポ 210"}


@sqlite_only
def test_a_number_the_printer_may_not_have_never_gets_a_column(ready: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = package.printer_rows
    monkeypatch.setattr(package, "printer_rows", lambda *given: rows(*given).with_columns(birth=pl.lit("1950-01-01")))
    with pytest.raises(Exception, match="birth"):
        packed(ready)
    assert handover_book.items(ready.home, date(2024, 7, 26), crossing="print_out") == []
