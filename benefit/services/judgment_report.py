"""支給判定の報告: 判定結果、検査ごとの件数、消えた行、委託先への返事。

どれも台帳に残った判定から書くので、同じファイルをもう一度出せば、同じバイト列になる。
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
from sqlalchemy import Connection, select

from benefit.domain.programme import Programme
from benefit.records import verdicts
from benefit.rules.payment_check import FILE_CHECKS, SEVERITY_NAMES
from benefit.rules.payment_verdicts import coarse_reasons, payment_checks
from benefit.services import sheet
from benefit.services.files import sha256_of, write_atomic, write_manifest
from benefit.services.home import Home
from benefit.services.judgment_vanished import WARD_FILE
from benefit.store import ward
from benefit.store.engine import reading
from benefit.store.frames import fetch


@dataclass(frozen=True)
class Judged:
    """判定一回の結果。`vanished` は消えた行の数、`vanished_waiting` はそのうち支給可で振込を待つもの。"""

    file_number: str
    rows: int
    payable: int
    held: int
    blocked: int
    payable_yen: int
    checks: dict[str, int]
    repeated: bool
    vanished: int = 0
    vanished_waiting: int = 0


_LINES = {
    "line_number": pl.Int64,
    "case_number": pl.String,
    "verdict": pl.String,
    "checks": pl.String,
    "amount_yen": pl.Int64,
}
_VANISHED = {
    "case_number": pl.String,
    "benefit": pl.String,
    "amount_yen": pl.Int64,
    "file_number": pl.String,
    "line_number": pl.Int64,
    "verdict": pl.String,
    "checks": pl.String,
    "standing": pl.String,
}


def write_results(home: Home, programme: Programme, file_number: str, *, out: Path, repeated: bool) -> Judged:
    """区の verdicts.csv・checks.csv・vanished.csv・judgment.xlsx と、委託先への reply/（区の行ならなし）を書く。"""
    table = ward.planned_file
    with reading(home.ward) as connection:
        file = connection.execute(
            select(table.c.id, table.c.row_count, table.c.judged_at).where(
                table.c.programme == programme.id, table.c.file_number == file_number
            )
        ).one()
        rows = _lines(connection, file.id)
        gone = _gone(connection, file.id)
    counted = per_check(rows, programme, rows_read=file.row_count)
    write_atomic(out / verdicts.FILE_NAME, verdicts.render(rows))
    write_atomic(out / verdicts.CHECKS_NAME, verdicts.render_checks(counted))
    write_atomic(out / verdicts.VANISHED_NAME, verdicts.render_vanished(gone))
    book = _book(programme, file_number, rows, counted, gone, file.judged_at)
    write_atomic(out / verdicts.BOOK_NAME, book)
    # 区が直接扱う人の行の結果は、委託先へ返すものではない。渡せる形のフォルダを、そもそも作らない。
    if not file_number.startswith(WARD_FILE):
        reply = verdicts.render_reply(rows, coarse_reasons(programme))
        write_atomic(out / "reply" / verdicts.REPLY_NAME, reply)
        write_manifest(
            out / "reply",
            {
                "種類": "判定結果",
                "事業": programme.id,
                "ファイル番号": file_number,
                "件数": rows.height,
                "sha256": sha256_of(reply),
            },
        )
    said = Counter(rows["verdict"].to_list())
    hit = counted.filter((pl.col("group") == "検査") & (pl.col("rows") > 0))
    payable = rows.filter(pl.col("verdict") == "支給可")
    return Judged(
        file_number,
        rows.height,
        said["支給可"],
        said["保留"],
        said["不可"],
        int(payable["amount_yen"].sum()),
        dict(hit.select("number", "rows").iter_rows()),
        repeated,
        gone.height,
        int((gone["standing"] == "振込待ち").sum()),
    )


def _lines(connection: Connection, file_id: int) -> pl.DataFrame:
    verdict = ward.verdict
    query = (
        select(*(verdict.c[name] for name in _LINES))
        .where(verdict.c.planned_file_id == file_id)
        .order_by(verdict.c.line_number)
    )
    return fetch(connection, query, _LINES)


def _gone(connection: Connection, file_id: int) -> pl.DataFrame:
    """消えた行。給付管理番号の順。"""
    vanished, verdict, entitlement, file = ward.vanished, ward.verdict, ward.entitlement, ward.planned_file
    query = (
        select(
            entitlement.c.case_number,
            entitlement.c.benefit,
            entitlement.c.amount_yen,
            file.c.file_number,
            verdict.c.line_number,
            verdict.c.verdict,
            verdict.c.checks,
            vanished.c.standing,
        )
        .join(entitlement, entitlement.c.id == vanished.c.entitlement_id)
        .join(
            verdict,
            (verdict.c.planned_file_id == vanished.c.before_file_id)
            & (verdict.c.line_number == vanished.c.before_line),
        )
        .join(file, file.c.id == vanished.c.before_file_id)
        .where(vanished.c.planned_file_id == file_id)
        .order_by(entitlement.c.case_number)
    )
    return fetch(connection, query, _VANISHED)


def per_check(rows: pl.DataFrame, programme: Programme, *, rows_read: int) -> pl.DataFrame:
    """検査ごとの件数: group、number、severity、says、rows と、判定ごとの件数。かけた検査は、0 件でも全部が並ぶ。

    初めの二行は、読んだ行と判定した行である。判定した行は、支給可・保留・不可の和になる。
    """
    kinds = ("支給可", "保留", "不可")
    said = Counter(rows["verdict"].to_list())
    hits = (
        rows.select(number=pl.col("checks").str.split(";"), verdict="verdict")
        .explode("number")
        .filter(pl.col("number") != "")
        .group_by("number")
        .agg(pl.len().alias("rows"), *((pl.col("verdict") == kind).sum().cast(pl.Int64).alias(kind) for kind in kinds))
    )
    by_number = {row["number"]: row for row in hits.iter_rows(named=True)}
    listed: list[tuple[object, ...]] = [
        ("行", "読んだ行", "", "申し出のファイルから読んだ行", rows_read, None, None, None),
        ("行", "判定した行", "", "支給可 + 保留 + 不可", sum(said[kind] for kind in kinds), *(said[k] for k in kinds)),
    ]
    listed += [
        # 断られたファイルは、判定の行にならない。ここまで来たファイルは、どの検査も通っている。
        ("ファイル", number, "ファイルを断る", says, 0, None, None, None)
        for number, says in FILE_CHECKS.items()
    ]
    checks = payment_checks(programme)
    for number in dict.fromkeys(check.number for check in checks):
        mine = [check for check in checks if check.number == number]
        found = by_number.get(number, {})
        listed.append(
            (
                "検査",
                number,
                "・".join(dict.fromkeys(SEVERITY_NAMES[check.severity] for check in mine)),
                "／".join(check.says for check in mine),
                found.get("rows", 0),
                *(found.get(kind, 0) for kind in kinds),
            )
        )
    schema = {
        **dict.fromkeys(("group", "number", "severity", "says"), pl.String),
        **dict.fromkeys(("rows", *kinds), pl.Int64),
    }
    return pl.DataFrame(listed, schema=schema, orient="row")


def _book(
    programme: Programme,
    file_number: str,
    rows: pl.DataFrame,
    counted: pl.DataFrame,
    gone: pl.DataFrame,
    judged_at: datetime,
) -> bytes:
    """職員が見る表。一枚目は検査ごとの件数、二枚目は支給可でない行、三枚目は消えた行。"""
    read, judged = counted["rows"][0], counted.row(1, named=True)
    equation = (
        f"読んだ行 {read:,} = 判定した行 {judged['rows']:,}"
        f" = 支給可 {judged['支給可']:,} + 保留 {judged['保留']:,} + 不可 {judged['不可']:,}"
    )
    notes = [
        equation,
        f"消えた行 {gone.height:,} 件（前に申し出があり、払われていないのに、このファイルにない権利）",
    ]
    stopped = rows.filter(pl.col("verdict") != "支給可").select(*_LINES)
    stopped.columns = ["行番号", "給付管理番号", "判定", "検査", "支給予定額"]
    return sheet.render(
        {
            "検査ごとの件数": verdicts.checks_table(counted),
            "支給可でない行": stopped,
            "消えた行": verdicts.vanished_table(gone),
        },
        # 台帳の時刻は、データベースによって時差つきか、世界標準時のまま。
        made=judged_at if judged_at.tzinfo else judged_at.replace(tzinfo=UTC),
        title=f"支給判定 {programme.id} {file_number}",
        notes=notes,
    )
