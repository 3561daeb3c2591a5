"""印刷所の結果を受け取る: 渡したロットと突き合わせ、一つでも合わなければ束を止め、番号で名ざす（reliability P12）。

渡したものは、区の中だけにある sheets.csv（封入の符号の一覧、letters.sheets）が言う。その一覧は信じない:
一枚ずつ検査の数字が合い、手紙の集まりが台帳の組と同じであることを、先に確かめる。
検査の数字を見る `right` は letters.sheet_code である（台帳の層は、紙の層を知らない）。
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
from sqlalchemy import Connection, RowMapping, select

from benefit.domain import print_result as words
from benefit.domain.access import Actor
from benefit.domain.clock import Clock, tokyo_date
from benefit.domain.errors import Place, RefusedByRule, RefusedInput, WrongUse
from benefit.domain.letter import LETTER_KINDS
from benefit.records import csv_reader, print_result
from benefit.rules.print_result import EXPECTED, LETTER_DIGITS, STRANGERS, Counted, reconcile
from benefit.services.files import read_input, read_manifest, sha256_of
from benefit.services.home import Home
from benefit.services.mailing_lots import chosen_lots, letters_in
from benefit.services.print_letters import KIND_NUMBERS, day_of, known_letters
from benefit.services.two_people import need_clerk
from benefit.store import audit, ward
from benefit.store.bulk import insert_one, insert_rows
from benefit.store.engine import in_turn

#: 渡した一枚ずつの一覧（letters.lots が、ロットのフォルダの中に置く）と、その符号の列。
SHEETS_FILE, CODE_COLUMN = "sheets.csv", "封入の符号"
#: 封入の符号の検査の数字が合うか（letters.sheet_code）。
Right = Callable[[str], bool]
COUNTS = ("sent", "good", "spoiled", "remade", "posted", "pulled", "wrong")


@dataclass(frozen=True)
class LotFolder:
    """渡したロット: 組と manifest のフォルダと、その紙の一覧（sheets.csv。渡すフォルダには置かない）。"""

    folder: Path
    sheets: Path


@dataclass(frozen=True)
class Taken:
    """受け取った結果。`faults` は名ざした番号とわけ、`repeated` は同じファイルの二度目（何も変えていない）。"""

    result_id: int
    turn: int
    state: str
    counts: dict[str, int]
    faults: pl.DataFrame
    repeated: bool


def take(
    home: Home, lots: Sequence[LotFolder], file: Path, *, right: Right, reason: str = "", actor: Actor, clock: Clock
) -> Taken:
    """印刷所の結果 `file` を、渡したロット `lots` と突き合わせて残す。

    同じファイルの二度目は、何も変えない。直したファイルは、わけを書いて次の行として足す（前の行は残る）。

    Raises:
        RefusedInput: ファイルの形、sheets.csv の形・検査の数字。
        RefusedByRule: sheets.csv が台帳のロットと合わない。
        WrongUse: 直したファイルなのに、わけがない。
    """
    need_clerk(actor)
    data = read_input(file)
    rows = print_result.read(data, file=file.name)
    codes = expected_codes([lot.sheets for lot in lots], right=right)
    whole = hashlib.sha256("\n".join(codes).encode()).hexdigest()
    with home.ward.begin() as connection:
        in_turn(connection, "print_results")
        earlier = _earlier(connection, whole)
        known = next((row for row in earlier if row["sha256"] == sha256_of(data)), None)
        if known is not None:
            return _taken(connection, known)
        why = _why_again(reason) if earlier else ""
        lot_ids = _lots_of(connection, [lot.folder for lot in lots])
        _refuse_counted_elsewhere(connection, lot_ids, whole)
        expected = _of_the_lots(connection, lot_ids, codes)
        strangers = _strangers(connection, expected, rows, right)
        made_on, now = _made_on(connection, lot_ids), clock()
        counted = reconcile(expected, rows, strangers, made_on=made_on, today=tokyo_date(now))
        values: dict[str, Any] = {
            "folder": "、".join(lot.folder.name for lot in lots),
            "expected_sha256": whole,
            "turn": len(earlier) + 1,
            "file_name": file.name,
            "sha256": sha256_of(data),
            "rows_read": rows.height,
            **_counts(counted),
            "state": counted.state,
            "posted_from": counted.posted_from,
            "posted_to": counted.posted_to,
            "reason": why,
            "taken_by": actor.id,
            "taken_at": now,
        }
        result_id = insert_one(connection, ward.print_result, **values)
        _keep_lines(connection, result_id, lot_ids, counted.faults)
        audit.record(
            connection,
            ward.audit_log,
            at=now,
            actor=actor,
            action="print_result.take",
            subject=f"{result_id}",
            reason=why,
            detail={"state": counted.state, "lots": len(lot_ids), **_counts(counted)},
        )
    return Taken(result_id, len(earlier) + 1, counted.state, _counts(counted), counted.faults, repeated=False)


def _why_again(reason: str) -> str:
    if not reason.strip():
        raise WrongUse(
            "この束の結果は、もう受け取ってあります。直したファイルに代えるときは、理由を書いてください（--reason）",
            code="reason",
        )
    return reason.strip()


def expected_codes(files: Sequence[Path], *, right: Right) -> list[str]:
    """sheets.csv の、封入の符号の全部（小さい順）。形と検査の数字を一つずつ見る。"""
    codes = [code for file in files for code in _codes_of(file, right)]
    if len(set(codes)) != len(codes):
        raise RefusedInput("同じ紙が、渡した紙の一覧に二度あります", code="sheets-file", place=Place(SHEETS_FILE))
    return sorted(codes)


def _codes_of(file: Path, right: Right) -> list[str]:
    place = Place(f"{file.parent.name}/{file.name}")
    raw = csv_reader.read(read_input(file), file_name=place.file, encoding="utf-8")
    if CODE_COLUMN not in raw.header or raw.misfits:
        raise RefusedInput("渡した紙の一覧の形が違います", code="sheets-file", place=place, allowed=CODE_COLUMN)
    codes: list[str] = raw.frame[str(raw.header.index(CODE_COLUMN))].fill_null("").to_list()
    wrong = next((at for at, code in enumerate(codes, 2) if not _shaped(code) or not right(code)), None)
    if wrong is not None or not codes:
        raise RefusedInput(
            "渡した紙の一覧の、符号の形か検査の数字が違います",
            code="sheets-file",
            place=Place(place.file, wrong, CODE_COLUMN),
        )
    return codes


def _shaped(code: str) -> bool:
    return len(code) == print_result.CODE_DIGITS and code.isascii() and code.isdigit()


def _lots_of(connection: Connection, folders: Sequence[Path]) -> list[int]:
    """フォルダの manifest.json にある組の、台帳の番号。"""
    digests = [str(lot["sha256"]) for folder in folders for lot in read_manifest(folder)["組"]]
    found = list(connection.execute(select(ward.lot.c.id).where(ward.lot.c.sha256.in_(digests))).scalars())
    if len(found) != len(digests) or not found:
        raise RefusedByRule(
            "このフォルダの組は、台帳に登録されたものと違います",
            code="lot-unknown",
            found=f"{len(found)} 組",
            allowed=f"{len(digests)} 組",
        )
    return found


def _refuse_counted_elsewhere(connection: Connection, lot_ids: list[int], whole: str) -> None:
    """一つの組を、二つの束で数えない（片方が閉じても、もう片方は閉じていない、が起きる）。"""
    table, part = ward.print_result, ward.print_result_lot
    query = (
        select(table.c.folder)
        .join(part, part.c.print_result_id == table.c.id)
        .where(part.c.lot_id.in_(lot_ids), table.c.expected_sha256 != whole)
        .limit(1)
    )
    if (other := connection.execute(query).scalar()) is not None:
        raise RefusedByRule(
            f"この組は、ほかのフォルダと合わせて数えてあります（{other}）。同じフォルダの組み合わせで渡してください",
            code="counted-elsewhere",
        )


def _of_the_lots(connection: Connection, lot_ids: list[int], codes: list[str]) -> pl.DataFrame:
    """渡した一枚ずつ（`EXPECTED` の列）。一覧の手紙は、抜いたものを除いた、台帳の組の手紙とちょうど同じである。

    額の頁の組（区が刷り足す紙）には、手紙の行がない。その紙の手紙は、台帳にあって、抜かれていないもの。
    """
    chosen = chosen_lots(connection, lot_ids)
    amounts = sum(lot.letter_count for lot in chosen if lot.kind not in LETTER_KINDS)
    inside = letters_in(connection, chosen).select("letter_id").with_columns(inside=pl.lit(value=True))
    listed = pl.DataFrame({"code": codes}).with_columns(letter=pl.col("code").str.slice(0, LETTER_DIGITS))
    numbers = listed.select(case_number=pl.col("code").str.slice(0, 11)).unique()
    letters = known_letters(connection, numbers).filter(pl.col("lot_id").is_not_null() & ~pl.col("pulled"))
    letters = letters.join(inside, on="letter_id", how="left").with_columns(pl.col("inside").fill_null(value=False))
    # 同じ番号・枝番・種類の手紙が二つあれば（出来事ごとの手紙）、この組にある方。
    letters = letters.sort("inside", descending=True).unique("letter", keep="first", maintain_order=True)
    whole = listed.join(letters, on="letter", how="left").with_columns(sheets=pl.len().over("letter").cast(pl.Int64))
    pages = whole.filter(_place() > _kind_sheets())
    mine = whole.filter(_place() <= _kind_sheets())
    printed = pl.min_horizontal(pl.col("code").str.slice(LETTER_DIGITS + 1, 1).cast(pl.Int64), _kind_sheets())
    if (
        pages.height != amounts
        or whole["letter_id"].null_count()
        or not mine["inside"].all()
        or mine["letter"].n_unique() != inside.height
        or mine.filter(pl.len().over("letter") != printed).height
    ):
        raise RefusedByRule(
            "渡した紙の一覧（sheets.csv）が、台帳の組の手紙と合いません",
            code="sheets-ledger",
            found=f"一覧 {listed['letter'].n_unique()} 通 {len(codes)} 枚",
            allowed=f"{inside.height} 通（額の頁 {amounts} 枚）",
        )
    return whole.select(list(EXPECTED))


def _place() -> pl.Expr:
    """何枚目か。"""
    return pl.col("code").str.slice(LETTER_DIGITS, 1).cast(pl.Int64)


def _kind_sheets() -> pl.Expr:
    """この種類の手紙の枚数。それより後の紙は、区が刷り足す額の頁である。"""
    of_kind = {KIND_NUMBERS[kind.id]: kind.sheets for kind in LETTER_KINDS.values()}
    number = pl.col("code").str.slice(LETTER_DIGITS - 2, 2)
    return number.replace_strict(of_kind, default=1, return_dtype=pl.Int64)


def _made_on(connection: Connection, lot_ids: list[int]) -> date:
    """組を作った日（作り直した組があれば、初めの日）。"""
    made = connection.execute(select(ward.lot.c.made_at).where(ward.lot.c.id.in_(lot_ids))).scalars()
    return min(map(day_of, made))


def _strangers(connection: Connection, expected: pl.DataFrame, rows: pl.DataFrame, right: Right) -> pl.DataFrame:
    """ロットにない番号と、そのわけ。"""
    strange = rows.select("code").unique().join(expected, on="code", how="anti")["code"].to_list()
    if not strange:
        return pl.DataFrame(schema=STRANGERS)
    shaped = [code for code in strange if _shaped(code)]
    numbers = pl.DataFrame({"case_number": sorted({code[:11] for code in shaped})}, schema={"case_number": pl.String})
    ledger = {row["letter"]: row for row in known_letters(connection, numbers).iter_rows(named=True)}
    of_this = set(expected["letter"])

    def why(code: str) -> str:
        if not _shaped(code):
            return words.UNREADABLE
        if not right(code):
            return words.WRONG_CHECK
        if code[:LETTER_DIGITS] in of_this:
            return words.OTHER_FORM
        found = ledger.get(code[:LETTER_DIGITS])
        if found is None:
            return words.UNKNOWN
        if found["pulled"]:
            return words.TAKEN_OUT
        return words.VOID_BRANCH if found["void_on"] is not None else words.OTHER_LOT

    spoiled = set(rows.group_by("code").agg(pl.col("deed").unique()).filter(_only_spoiled())["code"])
    named = [(code, why(code)) for code in strange]
    # 抜いた手紙が、刷ってあって、損とだけ書いて捨てられた。これは正しい。
    kept = [(code, told) for code, told in named if told != words.TAKEN_OUT or code not in spoiled]
    return pl.DataFrame(kept, schema=STRANGERS, orient="row")


def _only_spoiled() -> pl.Expr:
    return (pl.col("deed").list.len() == 1) & (pl.col("deed").list.first() == words.SPOILED)


def _earlier(connection: Connection, whole: str) -> list[RowMapping]:
    table = ward.print_result
    query = select(table).where(table.c.expected_sha256 == whole).order_by(table.c.turn)
    return list(connection.execute(query).mappings())


def _counts(counted: Counted) -> dict[str, int]:
    return {name: int(getattr(counted, name)) for name in COUNTS}


def _taken(connection: Connection, row: RowMapping) -> Taken:
    counts = {name: row[name] for name in COUNTS}
    return Taken(row["id"], row["turn"], row["state"], counts, faults_of(connection, row["id"]), repeated=True)


def faults_of(connection: Connection, result_id: int) -> pl.DataFrame:
    """名ざした番号とわけ（`rules.print_result.FAULTS` の列）。"""
    table = ward.print_result_line
    query = (
        select(table.c.code, table.c.fault, table.c.record)
        .where(table.c.print_result_id == result_id)
        .order_by(table.c.line_number)
    )
    kinds = {"code": pl.String, "fault": pl.String, "record": pl.Int64}
    return pl.DataFrame([tuple(row) for row in connection.execute(query)], schema=kinds, orient="row")


def _keep_lines(connection: Connection, result_id: int, lot_ids: list[int], faults: pl.DataFrame) -> None:
    connection.execute(
        ward.print_result_lot.insert(), [{"print_result_id": result_id, "lot_id": lot_id} for lot_id in lot_ids]
    )
    columns = ("print_result_id", "line_number", "code", "fault", "record")
    lines = faults.with_row_index("line_number", 1).with_columns(
        pl.col("line_number").cast(pl.Int64), print_result_id=pl.lit(result_id)
    )
    insert_rows(connection, ward.print_result_line, columns, lines.select(columns).iter_rows())
