"""コンビニの収納データ百万件を、調定百万件と消し込む: `python -m tests.bench.collection_million [件数] [URL]`。

同じ回で、同じファイルを読むだけの秒（parse）と、同じ行を台帳の鍵・調定と結ぶだけの SQL の秒（join）も測る。
最後の行に JSON: receive・parse・join・register（秒）、rows、bytes、peak_mib。台帳は SQLite（書込みの保証は切らない）。
"""

from __future__ import annotations

import json
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
from sqlalchemy import text

from benefit.records import file_reader, file_writer
from benefit.records.convenience_store import CONVENIENCE_STORE
from benefit.rules.collection_notices import barcode_key
from benefit.services import collection_files, receivables
from benefit.services.home import Home
from benefit.services.setup import init_ward
from benefit.store.temporary import with_temporary

RUNS = 3
NOW = datetime(2026, 8, 1, tzinfo=UTC)
HEADER = {"made_on": "20260711", "agent_code": "000010", "biller_code": "0000099999", "usage": "1"}
YEN = 12_300


def checked(body: pl.Expr, digits: int) -> pl.Expr:
    """検査数字を付ける（モジュラス 10、右から 3・1 の重み）。"""
    total = pl.sum_horizontal(
        body.str.slice(at, 1).cast(pl.Int64) * (3 if (digits - at) % 2 else 1) for at in range(digits)
    )
    return pl.concat_str([body, ((10 - total % 10) % 10).cast(pl.String)])


def barcodes(numbers: pl.Series, yen: pl.Expr) -> pl.Series:
    """架空の 44 桁（メーカーコード 999999）。"""
    body = pl.concat_str(
        [
            pl.lit("919999992026"),
            numbers.alias("number").cast(pl.String).str.zfill(17),
            pl.lit("02607310"),
            yen.cast(pl.String).str.zfill(6),
        ]
    )
    return pl.select(body.alias("body")).select(checked(pl.col("body"), 43).alias("barcode"))["barcode"]


def notices(count: int) -> pl.DataFrame:
    """コンビニの速報と確報を半分ずつ（合計の件数の欄は 6 桁で、一つの種類は 999,999 件まで）。店と時刻を散らす。"""
    number = pl.int_range(1, count + 1, dtype=pl.Int64, eager=True)
    return pl.DataFrame({"number": number}).select(
        data_kind=pl.when(pl.col("number") % 2 == 1).then(pl.lit("01")).otherwise(pl.lit("02")),
        paid_on=pl.lit("20260710"),
        paid_at=pl.format("{}{}", _two(pl.col("number") % 24), _two(pl.col("number") % 60)),
        barcode_kind=pl.lit("1"),
        barcode=barcodes(number, pl.lit(YEN)),
        store_code=(pl.col("number") % 9_999_999).cast(pl.String).str.zfill(7),
        customer_kind=pl.lit("00"),
        received_on=pl.lit("20260711"),
        settles_on=pl.when(pl.col("number") % 2 == 1).then(pl.lit("00000000")).otherwise(pl.lit("20260731")),
        booked_on=pl.lit("20260710"),
        chain_code=pl.lit("003711"),
    )


def _two(number: pl.Expr) -> pl.Expr:
    return number.cast(pl.String).str.zfill(2)


def levies(count: int) -> pl.DataFrame:
    """調定。通知書番号は、納付書の番号と同じ。"""
    number = pl.int_range(1, count + 1, dtype=pl.Int64, eager=True)
    return pl.DataFrame({"number": number}).select(
        subject=pl.lit("101"),
        fiscal_year=pl.lit(2026, dtype=pl.Int64),
        term=pl.lit(3, dtype=pl.Int64),
        notice_number=pl.col("number").cast(pl.String),
        person_number=pl.lit(None, dtype=pl.String),
        principal_yen=pl.lit(YEN, dtype=pl.Int64),
        late_charge_yen=pl.lit(0, dtype=pl.Int64),
        due_on=pl.lit(date(2026, 7, 31)),
    )


@contextmanager
def timed(into: list[float]) -> Iterator[None]:
    started = time.perf_counter()
    yield
    into.append(time.perf_counter() - started)


def prepare(home: Home, file: Path, count: int) -> None:
    """調定と鍵を登録し、ファイルを書く。"""
    init_ward(home)
    receivables.register(home, levies(count), reason="登録", clock=lambda: NOW)
    rows = notices(count)
    keys = pl.DataFrame({"receivable_id": pl.int_range(1, count + 1, dtype=pl.Int64, eager=True)}).with_columns(
        pay_key=rows.select(barcode_key(pl.col("barcode")).alias("key"))["key"]
    )
    receivables.add_keys(home, keys, clock=lambda: NOW)
    file.write_bytes(file_writer.write(CONVENIENCE_STORE, [(HEADER, rows.select(CONVENIENCE_STORE.data.names))]))


def bare_join(home: Home, file: Path, into: list[float]) -> None:
    """同じ行の鍵と額を台帳に渡し、鍵と調定に結び、合うものを数えるだけ。"""
    rows = file_reader.read(file.read_bytes(), CONVENIENCE_STORE).require()
    given = rows.select(
        barcode_key(pl.col("barcode")).alias("pay_key"), amount_yen=pl.col("barcode").str.slice(37, 6).cast(pl.Int64)
    )
    with timed(into), home.ward.begin() as connection:
        with_temporary(connection, "bare", given)
        found = connection.execute(
            text(
                "SELECT COUNT(*) FROM bare b JOIN receivable_key k ON k.pay_key = b.pay_key"
                " JOIN receivable r ON r.id = k.receivable_id AND r.principal_yen = b.amount_yen"
            )
        ).scalar_one()
    assert found == rows.height


def main(count: int) -> None:
    place = Path(tempfile.mkdtemp(prefix="collection-million-"))
    told: dict[str, list[float]] = {"register": [], "receive": [], "parse": [], "join": []}
    try:
        home, file = Home.at(place / "home"), place / "kakuho.txt"
        with timed(told["register"]):
            prepare(home, file, count)
        home.ward.dispose()
        for turn in range(RUNS + 1):
            copy = place / f"run{turn}"
            shutil.copytree(place / "home", copy)
            again = Home.at(copy)
            with timed(told["parse"]):
                file_reader.read(file.read_bytes(), CONVENIENCE_STORE).require()
            bare_join(again, file, told["join"])
            with timed(told["receive"]):
                taken = collection_files.receive(again, "convenience-store", file, clock=lambda: NOW).collected
            assert (taken.rows_read, taken.rows_posted, taken.final_yen) == (count, count, count // 2 * YEN)
            again.ward.dispose()
            shutil.rmtree(copy)
        with_first = {name: values[1:] for name, values in told.items() if name != "register"}
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        out = {
            **with_first,
            "register": told["register"],
            "rows": count,
            "bytes": file.stat().st_size,
            "peak_mib": peak,
        }
        sys.stdout.write(json.dumps(out) + "\n")
    finally:
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
