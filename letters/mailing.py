"""手紙を作る: 相手を選び、紙にし、登録する。

外で刷るもの（out/printer）と、区の中で刷るもの（out/ward）は、はじめから別のフォルダである。
    out/printer/20240624-01/        印刷事業者に渡す組（金額も子の名も方書も、事業の切替えがなければ載せない）
    out/ward/20240624-01/           区が直接扱う人の組（差出人は郵便番号と住所だけ）
    out/ward/braille-20240624-01/   点字の人の組と、点字（letters/braille.py）
    out/ward/amount-20240624-01/    印刷事業者の組に合わせる、額の頁
    out/ward/sheets/…/sheets.csv    組ごとの、刷る紙の封入の符号
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from benefit.domain.clock import Clock
from benefit.domain.errors import RefusedByRule
from benefit.domain.programme import Programme
from benefit.services import bank_master
from benefit.services.files import MANIFEST, write_atomic, write_manifest
from benefit.services.home import Home
from benefit.services.mailing import MadeLot, Mailing, refuse_changed, register_lots, who_gets_letters
from letters import amounts, braille
from letters.content import LetterContent
from letters.contents import PLACES, PRINTER, WARD, Making, conditions, content, needs_amount_page
from letters.glyphs import missing
from letters.holding import NO_GLYPH, Held
from letters.lots import LotReport, make_lots
from letters.sheet_code import KEY
from letters.sheets import SHEETS_FILE, sheets_folder, table

__all__ = ["Made", "conditions", "make_letters", "making_of", "run_folders"]
#: 封筒の差出人の注意を書いたファイル（区が直接扱う人の組だけ）。
ENVELOPE_NOTE = "fuutou.txt"


@dataclass(frozen=True)
class Made:
    """手紙を作った結果。read = printed + held。"""

    read: int
    printed: int
    held: int
    lots: int
    printed_in_ward: int
    closed: int
    already: int
    amount_pages: int = 0
    braille: int = 0
    without_address2: int = 0


@dataclass(frozen=True)
class _Run:
    """一つの所の、今回の組。"""

    place: str
    folder: Path
    rows: dict[str, dict[str, Any]]
    report: LotReport


def making_of(home: Home, programme: Programme, issued_on: date) -> Making:
    """一回の手紙作りで、どの手紙にも同じもの。"""
    return Making(programme, issued_on, bank_master.in_use(home), home.words, home.key(KEY))


def make_letters(
    home: Home,
    programme: Programme,
    *,
    out: Path,
    issued_on: date,
    clock: Clock,
    tick: Callable[[int, int], None] = lambda _done, _total: None,
) -> Made:
    """まだ手紙のない権利の手紙を `out` に作り、登録する。

    紙を作ってから、一つのトランザクションで登録する。途中で止まれば登録はなく、同じコマンドが続きから
    やり直して、同じバイト列を作る。
    """
    mailing = who_gets_letters(home, programme, issued_on)
    making = making_of(home, programme, issued_on)
    total = mailing.letters.height
    runs: list[_Run] = []
    folders: list[Path] = []
    pages: list[MadeLot] = []
    done = 0
    for place in PLACES:
        chosen = mailing.letters.filter(mailing.letters["place"] == place)
        if chosen.is_empty():
            continue
        rows = {row["case_number"]: row for row in chosen.iter_rows(named=True)}

        def progress(count: int, _of: int, before: int = done) -> None:
            tick(before + count, total)

        folder = _new_folder(out, place, issued_on)
        folders += [folder, sheets_folder(folder)]
        contents = [content(row, making) for row in rows.values()]
        report = make_lots(
            contents,
            out=folder,
            words=home.words,
            sheets=sheets_folder(folder),
            also_hold=partial(_child_held, rows),
            progress=progress,
        )
        run = _Run(place, folder, rows, report)
        runs.append(run)
        done += len(rows)
        if place == WARD:
            write_atomic(folder / ENVELOPE_NOTE, _envelope_note(programme).encode())
        made, made_folders = _amount_pages(run, making)
        pages += made
        folders += made_folders
        printed = {number for members in report.members.values() for number, _ in members}
        readers = [one for one in contents if rows[one.case_number]["braille"] and one.case_number in printed]
        if readers:
            braille.write_run(readers, {key: row["kana_name"] for key, row in rows.items()}, folder, home.words)
    if mailing.closed.height:
        write_atomic(
            out / "closed.csv", mailing.closed.select(給付管理番号="case_number", 理由="why").write_csv().encode()
        )
    try:
        refuse_changed(home, programme, mailing, issued_on)
        _register(home, mailing, runs, pages, issued_on, clock)
    except RefusedByRule:
        # 登録していない手紙を、印刷所に渡せる形で残さない。
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
        raise
    return _made(mailing, runs, pages, programme)


def _child_held(rows: dict[str, dict[str, Any]], content: LetterContent) -> list[Held]:
    """額の頁に刷る子の名に、書体にない字があれば、その手紙を止める。"""
    lacking = missing(rows[content.case_number]["child_name"] or "") if content.sheets > 1 else ()
    return [Held(content.kind, content.case_number, content.branch, "子の氏名", NO_GLYPH, lacking)] if lacking else []


def _made(mailing: Mailing, runs: list[_Run], pages: list[MadeLot], programme: Programme) -> Made:
    outside = [row for run in runs if run.place == PRINTER for row in run.rows.values()]
    omitted = 0 if programme.letters.print_address2_outside else sum(bool(row["address2"]) for row in outside)
    printed = [number for run in runs for members in run.report.members.values() for number, _ in members]
    readers = {row["case_number"] for run in runs for row in run.rows.values() if row["braille"]}
    return Made(
        read=mailing.letters.height,
        printed=sum(run.report.printed for run in runs),
        held=sum(run.report.held_letters for run in runs),
        lots=sum(len(run.report.lots) for run in runs),
        printed_in_ward=sum(run.report.printed for run in runs if run.place != PRINTER),
        closed=mailing.closed.height,
        already=mailing.already,
        amount_pages=sum(made.pages for made in pages),
        braille=sum(number in readers for number in printed),
        without_address2=omitted,
    )


def _envelope_note(programme: Programme) -> str:
    return (
        "区が直接扱う人の手紙です。区の中だけで刷り、封をし、出します。\n"
        f"封筒の差出人は「{programme.letters.neutral_sender}」とだけ書きます。課の名も、給付の名も書きません。\n"
        "料金計器の広告の欄、返信用封筒の外側にも、給付の名を入れません。\n"
    )


def run_folders(out: Path, place: str) -> tuple[Path, str]:
    """この所の組を置く親のフォルダと、名の頭。"""
    return (out / PRINTER, "") if place == PRINTER else (out / WARD, "" if place == WARD else f"{place}-")


def _new_folder(out: Path, place: str, issued_on: date) -> Path:
    """同じ日の何回目かのフォルダ。書きかけ（manifest なし）の回は、やり直す。"""
    parent, head = run_folders(out, place)
    number = 1
    while (parent / f"{head}{issued_on:%Y%m%d}-{number:02d}" / MANIFEST).exists():
        number += 1
    unfinished = parent / f"{head}{issued_on:%Y%m%d}-{number:02d}"
    if unfinished.exists():
        shutil.rmtree(unfinished)
    return unfinished


def _amount_pages(run: _Run, making: Making) -> tuple[list[MadeLot], list[Path]]:
    """額の頁の組を、印刷事業者の組ごとに、同じ順で作る。要る手紙がなければ何も作らない。"""
    folder = run.folder.parent.parent / WARD / f"amount-{run.folder.name}"
    made, listed, told = [], [], []
    for file, members in run.report.members.items():
        numbers = [number for number, _ in members]
        pages = [page for number in numbers if (page := amount_page(run.rows[number], making)) is not None]
        for turn, part in enumerate(amounts.parts_of(pages), 1):
            name = f"amount-{file.removesuffix('.pdf')}-{turn:02d}.pdf"
            digest = write_atomic(folder / name, render_amounts(part, making))
            made.append(MadeLot(WARD, "amount", name, digest, (), folder.name, len(part)))
            listed += [(page.sheet_code, "amount", name) for page in part]
            told.append({"ファイル": name, "合わせる組": file, "頁数": len(part), "sha256": digest})
    if not made:
        return [], []
    write_atomic(sheets_folder(folder) / SHEETS_FILE, table(listed))
    write_manifest(folder, {"合わせるフォルダ": run.folder.name, "頁数": len(listed), "組": told})
    return made, [folder, sheets_folder(folder)]


def render_amounts(pages: Sequence[amounts.AmountPage], making: Making) -> bytes:
    """額の頁の PDF。"""
    programme = making.programme
    return amounts.render(
        pages,
        programme_name=programme.name,
        office=f"{programme.office.ward_name} {programme.office.office_name}",
        phone=programme.office.call_centre_phone,
        issued_on=making.issued_on,
    )


def amount_page(row: dict[str, Any], making: Making) -> amounts.AmountPage | None:
    """この手紙の額の頁。要らなければ None。"""
    if not needs_amount_page(making.programme, row, row["place"]):
        return None
    return amounts.AmountPage(
        row["case_number"],
        row["branch"],
        row["name"],
        making.programme.benefit_names[row["benefit"]],
        row["amount_yen"],
        row["child_name"] or "",
        making.sheet_code(row, 2, 2).digits,
    )


def _register(
    home: Home, mailing: Mailing, runs: list[_Run], pages: list[MadeLot], issued_on: date, clock: Clock
) -> None:
    lots: list[MadeLot] = []
    held: dict[str, str] = {}
    for run in runs:
        place = PRINTER if run.place == PRINTER else WARD
        for lot in run.report.lots:
            numbers = [number for number, _branch in run.report.members[lot.file]]
            lots.append(MadeLot(place, lot.kind, lot.file, lot.sha256, numbers, run.folder.name))
        for one in run.report.held:
            held[one.case_number] = f"{one.field}: {one.reason} {' '.join(one.code_points)}".strip()
    register_lots(home, mailing, [*lots, *pages], held, issued_on=issued_on, clock=clock)
