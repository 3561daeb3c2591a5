"""出してはならない手紙を抜いて、組を作り直す。ほかの組と、その順は変わらない。

    push_notice-0001.pdf → push_notice-0001-r2.pdf   抜いた後の組（古いファイルは消す）
    out/ward/sheets/…/nuki.csv                       抜いた紙の封入の符号と訳（刷った後なら、束から探して抜く）
額の頁の組も、同じ手紙を抜いて作り直す。順は、新しい紙、manifest、登録、古い紙を消す。どこで止まっても、もう一度で続きから。
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from benefit.domain.access import Actor
from benefit.domain.clock import Clock
from benefit.domain.errors import RefusedByRule
from benefit.domain.letter import NOTICE_KINDS
from benefit.domain.programme import Programme
from benefit.services.files import MANIFEST, read_manifest, write_atomic, write_manifest
from benefit.services.gate import stand
from benefit.services.home import Home
from benefit.services.mailing import letter_rows
from benefit.services.mailing_again import with_again
from benefit.services.mailing_lots import LotState, chosen_lots, letters_in, lots_of
from benefit.services.mailing_release import AMOUNT, Remade, Stale, pull, stale_letters
from benefit.services.two_people import need_clerk
from benefit.store.engine import in_turn, reading
from letters import notice_run
from letters.contents import BRAILLE, PRINTER, WARD, Making, content
from letters.mailing import amount_page, making_of, render_amounts
from letters.printing import print_pages
from letters.render import pages_of_kind
from letters.sheets import COLUMNS, SHEETS_FILE, printed, sheets_folder, table
from letters.words import load_words

PULLED_FILE = "nuki.csv"
_PULLED = ("給付管理番号", "枝番", "種類", "封入の符号", "訳")
_AGAIN = re.compile(r"-r(\d+)$", re.ASCII)


@dataclass(frozen=True)
class RemadeLot:
    """作り直した結果。`number` は新しい組の番号（一通も残らなければ None）。`folder` は out からの、組のフォルダ。"""

    old: int
    number: int | None
    pulled: tuple[Stale, ...]
    left: int
    folder: Path


def remake(
    home: Home, programme: Programme, number: int, *, out: Path, on: date, actor: Actor, clock: Clock
) -> RemadeLot:
    """組 `number` から、`on` に出してはならない手紙を抜いて作り直す。`out` は letters make の --out。

    断り: 抜く手紙がない、作り直している間に事実が変わった（RefusedByRule）。
    """
    need_clerk(actor)
    stale = stale_letters(home, programme, [number], on)
    if not stale:
        raise RefusedByRule(f"ロット {number} に、抜く手紙はありません", code="nothing-stale")
    with reading(home.ward) as connection:
        (lot,) = chosen_lots(connection, [number])
        members = letters_in(connection, [lot])
        every = lots_of(connection)
    folder = out / lot.place / lot.folder
    pulled = {one.case_number for one in stale}
    rows, making = _rows(home, programme, lot, members, on)
    _note_pulled(out, folder, stale)
    main = _main_lot(lot, [row for row in rows if row["case_number"] not in pulled], making, folder)
    pages = _amounts(lot, every, {row["case_number"]: row for row in rows}, pulled, making, out)
    with home.ward.begin() as connection:
        in_turn(connection, "entitlements")
        chosen_lots(connection, [number])
        if stale_letters(home, programme, [number], on) != stale:
            raise RefusedByRule("作り直している間に、事実が変わりました。もう一度実行してください", code="changed")
        pull(connection, stale, [main, *pages], actor=actor, clock=clock)
    for one in (main, *pages):
        (out / one.old.place / one.old.folder / one.old.file_name).unlink(missing_ok=True)
    with reading(home.ward) as connection:
        later = lots_of(connection)[number].remade_as
    return RemadeLot(number, later, tuple(stale), main.letter_count, Path(lot.place) / lot.folder)


def _rows(
    home: Home, programme: Programme, lot: LotState, members: pl.DataFrame, on: date
) -> tuple[list[dict[str, Any]], Making]:
    """組の手紙の、いまの行（組の中の順）。出してよい手紙では、作った時の行と同じである。"""
    issued_on = members["issued_on"][0]
    if lot.kind in NOTICE_KINDS:
        return notice_run.rows_of(home, programme, lot, members, on), making_of(home, programme, issued_on)
    standing = stand(home, programme, on)
    chosen = standing.entitlements.join(members.select("id"), on="id", how="semi")
    with reading(home.ward) as connection:
        now = with_again(connection, letter_rows(standing, programme, chosen, issued_on), programme, issued_on)
    # 期限は、作った時に紙に刷り、台帳に残したもの。
    due = dict(members.select("id", "due_on").iter_rows())
    found = {row["entitlement_id"]: row | {"due_on": due[row["entitlement_id"]]} for row in now.to_dicts()}
    place = PRINTER if lot.place == PRINTER else BRAILLE if lot.folder.startswith(BRAILLE) else WARD
    rows = [found[number] | {"place": place} for number in members["id"] if number in found]
    return rows, making_of(home, programme, issued_on)


def _next_name(file_name: str) -> str:
    stem = file_name.removesuffix(".pdf")
    again = _AGAIN.search(stem)
    return f"{_AGAIN.sub('', stem)}-r{int(again.group(1)) + 1 if again else 2}.pdf"


def _main_lot(lot: LotState, rows: Sequence[dict[str, Any]], making: Making, folder: Path) -> Remade:
    """手紙の組を刷り直し、フォルダの manifest と封入の符号の一覧を直す。"""
    notice = lot.kind in NOTICE_KINDS
    letters = [notice_run.content(lot.kind, row, making) if notice else content(row, making) for row in rows]
    name, digest = _next_name(lot.file_name), ""
    entry: dict[str, Any] | None = None
    if letters:
        pdf = print_pages(letters, load_words(lot.kind, making.words), sample=(0,))
        digest = write_atomic(folder / name, pdf)
        entry = {
            "ファイル": name,
            "種類": lot.kind,
            "件数": len(letters),
            "頁数": len(letters) * pages_of_kind(lot.kind),
            "sha256": digest,
            "先頭番号": letters[0].case_number,
            "末尾番号": letters[-1].case_number,
        }
    sheets = [(code, lot.kind, name) for letter in letters for code in printed(letter)]
    _replace_sheets(sheets_folder(folder), lot.file_name, name, sheets)
    manifest = read_manifest(folder)
    manifest["組"] = _replaced(manifest["組"], lot.file_name, name, entry)
    manifest["頁数"] = sum(each["頁数"] for each in manifest["組"])
    manifest["抜いた"] = manifest["印刷"] - sum(each["件数"] for each in manifest["組"])
    write_manifest(folder, manifest)
    return Remade(lot, name, digest, len(letters))


def _replaced(listed: list[dict[str, Any]], old: str, new: str, entry: dict[str, Any] | None) -> list[dict[str, Any]]:
    """組の並びの、古い組を新しい組に。途中で止まった後のやり直しでは、もう新しい名で載っている。"""
    found = [entry if each["ファイル"] in {old, new} else each for each in listed]
    return [each for each in found if each is not None]


def _replace_sheets(folder: Path, old: str, new: str, rows: Sequence[tuple[str, str, str]]) -> None:
    path = folder / SHEETS_FILE
    with path.open(encoding="utf-8", newline="") as lines:
        kept = [
            (row[COLUMNS[-1]], row["種類"], row["ロット"])
            for row in csv.DictReader(lines)
            if row["ロット"] not in {old, new}
        ]
    write_atomic(path, table([*kept, *rows]))


def _amounts(
    lot: LotState,
    every: Mapping[int, LotState],
    rows: Mapping[str, dict[str, Any]],
    pulled: set[str],
    making: Making,
    out: Path,
) -> list[Remade]:
    """この組に合わせる額の頁のうち、抜く手紙のある組を作り直す。"""
    folder = out / WARD / f"amount-{lot.folder}"
    if lot.place != PRINTER or not (folder / MANIFEST).is_file():
        return []
    manifest = read_manifest(folder)
    with (sheets_folder(folder) / SHEETS_FILE).open(encoding="utf-8", newline="") as lines:
        listed = [(row["ロット"], row["給付管理番号"]) for row in csv.DictReader(lines)]
    current = {each.file_name: each for each in every.values() if each.folder == folder.name and not each.remade_as}
    half_done = {_next_name(each): lot for each, lot in current.items()}
    done: list[Remade] = []
    for told in list(manifest["組"]):
        name = told["ファイル"]
        numbers = [number for file, number in listed if file == name]
        if told["合わせる組"] not in {lot.file_name, _next_name(lot.file_name)}:
            continue
        told["合わせる組"] = _next_name(lot.file_name)
        if (old := current.get(name)) is None:  # 前に、登録の手前で止まった
            done.append(Remade(half_done[name], name, told["sha256"], told["頁数"]))
            continue
        if not pulled & set(numbers):
            continue
        kept = [rows[number] for number in numbers if number not in pulled]
        pages = [page for row in kept if (page := amount_page(row, making)) is not None]
        new, digest = _next_name(name), ""
        if pages:
            digest = write_atomic(folder / new, render_amounts(pages, making))
        entry = {**told, "ファイル": new, "頁数": len(pages), "sha256": digest} if pages else None
        manifest["組"] = _replaced(manifest["組"], name, new, entry)
        _replace_sheets(sheets_folder(folder), name, new, [(page.sheet_code, AMOUNT, new) for page in pages])
        done.append(Remade(old, new, digest, len(pages)))
    manifest["頁数"] = sum(each["頁数"] for each in manifest["組"])
    write_manifest(folder, manifest)
    return done


def _note_pulled(out: Path, folder: Path, stale: Sequence[Stale]) -> None:
    """抜いた紙の一覧に書き足す: 封入の符号と訳。紙がもう刷ってあれば、束から探して抜く（額の頁も）。"""
    path = sheets_folder(folder) / PULLED_FILE
    before = path.read_text(encoding="utf-8-sig") if path.is_file() else ",".join(_PULLED) + "\n"
    codes: dict[str, list[str]] = {}
    for place in (sheets_folder(folder), sheets_folder(out / WARD / f"amount-{folder.name}")):
        if (place / SHEETS_FILE).is_file():
            with (place / SHEETS_FILE).open(encoding="utf-8", newline="") as lines:
                for row in csv.DictReader(lines):
                    codes.setdefault(row["給付管理番号"] + row["枝番"], []).append(row[COLUMNS[-1]])
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    for one in stale:
        for code in codes.get(f"{one.case_number}{one.branch:02d}", []):
            if code not in before:
                writer.writerow([one.case_number, f"{one.branch:02d}", one.kind, code, one.why])
    write_atomic(path, (before + text.getvalue()).encode("utf-8-sig"))
