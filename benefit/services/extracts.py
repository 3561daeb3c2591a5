"""抽出データを取り込む: 読む、確かめる、写しを置く、登録する。

一つのファイルは、全部入るか、まったく入らないか。写し（Parquet）は指紋を名前にして置き、台帳への登録が
済んで初めて「取り込んだ」ことになる。だからどこで止まっても、同じコマンドをもう一度打てばよい（契約 §1）。
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
from sqlalchemy import Connection, func, select

from benefit.domain.access import BATCH
from benefit.domain.clock import Clock, tokyo_date
from benefit.domain.errors import Place, RefusedInput
from benefit.records import extracts as layouts
from benefit.services.files import atomic_path, read_input, sha256_of, write_atomic
from benefit.services.home import Home
from benefit.store import audit, ward
from benefit.store.engine import in_turn, reading

#: benefit import で取り込む種類。
KINDS = ("residents", "taxes", "shortfall", "prior", "accounts", "addresses", "protected", "braille")
#: 賦課年度のある種類。事業の年度のものだけを使う。
YEARLY = ("taxes", "shortfall")
#: benefit inquiry import で取り込む二種。
ANSWER_KINDS = ("tax_answers", "account_answers")
NAMES = {
    "residents": "住民記録",
    "taxes": "住民税",
    "shortfall": "不足額の算定基礎",
    "prior": "昨年度の対象世帯",
    "accounts": "口座",
    "addresses": "送付先",
    "protected": "区が直接扱う人",
    "braille": "点字利用者",
    "tax_answers": "課税照会の回答",
    "account_answers": "公金受取口座照会の回答",
}


@dataclass(frozen=True)
class Imported:
    """取込一回の結果。read = kept + rejected がいつも成り立つ。"""

    kind: str
    file_name: str
    sha256: str
    encoding: str
    rows_read: int
    rows_kept: int
    rows_rejected: int
    warnings: tuple[str, ...]
    #: 同じ内容をもう取り込んであった（何も変わらない）。
    already: bool
    #: いま使われる版がこれか。古いファイルを取り込み直しても、新しい版は替わらない。
    current: bool


def snapshot_path(home: Home, kind: str, sha256: str) -> Path:
    """写しの置き場所。"""
    return home.snapshots / f"{kind}-{sha256[:32]}.parquet"


def import_file(
    home: Home,
    kind: str,
    path: Path,
    *,
    clock: Clock,
    levy_year: int,
    encoding: str | None = None,
    allow_rejects: int = 0,
    extra_check: Callable[[Connection, layouts.Reading], layouts.Reading] | None = None,
) -> Imported:
    """一つのファイルを取り込む。

    不採用の行が `allow_rejects` を超えるとき、読めないとき、個人番号らしい列があるときは RefusedInput で、
    何も残らない（不採用の一覧 `<file>.rejects.csv` だけを、入力の隣に書く）。
    """
    data = read_input(path)
    fingerprint = sha256_of(data)
    before = _registered(home, kind, fingerprint)
    if before is not None and snapshot_path(home, kind, fingerprint).exists():
        if before.current:
            _receive_again(home, kind, fingerprint, tokyo_date(clock()))
        return before
    read = layouts.read(layouts.TABLES[kind], data, file_name=path.name, encoding=encoding, levy_year=levy_year)
    del data
    if extra_check is not None:
        with reading(home.ward) as connection:
            read = extra_check(connection, read)
    rejects = path.with_name(f"{path.name}.rejects.csv")
    if read.rows_rejected:
        rejects = _write_rejects(home, rejects, layouts.rejects_csv(read))
    else:
        with suppress(OSError):
            rejects.unlink(missing_ok=True)
    if read.rows_rejected > allow_rejects:
        raise _too_many_rejects(read, path, rejects)
    with atomic_path(snapshot_path(home, kind, fingerprint)) as beside:
        read.frame.write_parquet(beside, compression="lz4", statistics=False)
        beside.chmod(0o600)
    with home.ward.begin() as connection:
        in_turn(connection, "extracts")
        present = connection.execute(
            select(ward.snapshot.c.id).where(ward.snapshot.c.kind == kind, ward.snapshot.c.sha256 == fingerprint)
        ).first()
        if present is None:
            connection.execute(
                ward.snapshot.insert().values(
                    kind=kind,
                    sha256=fingerprint,
                    file_name=path.name,
                    levy_year=levy_year if kind in YEARLY else None,
                    encoding=read.encoding,
                    rows_read=read.rows_read,
                    rows_kept=read.rows_kept,
                    rows_rejected=read.rows_rejected,
                    imported_at=clock(),
                )
            )
            audit.record(
                connection,
                ward.audit_log,
                at=clock(),
                actor=BATCH,
                action="extract.import",
                subject=kind,
                detail={"sha256": fingerprint, "read": read.rows_read, "kept": read.rows_kept},
            )
    return Imported(
        kind,
        path.name,
        fingerprint,
        read.encoding,
        read.rows_read,
        read.rows_kept,
        read.rows_rejected,
        tuple(read.warnings),
        already=present is not None,
        current=True,
    )


def _receive_again(home: Home, kind: str, fingerprint: str, day: date) -> None:
    """同じ中身を、この日にもう一度受け取った。判定に使う事実は変わらないが、古くなっていない証しになる。"""
    with home.ward.begin() as connection:
        in_turn(connection, "extracts")
        if _received_on(connection, kind, fingerprint) < day:
            mine = {"kind": kind, "sha256": fingerprint, "received_on": day}
            connection.execute(ward.extract_receipt.insert().values(**mine))


def received_on(home: Home, source: Source) -> date:
    """この写しを最後に受け取った日（日本の日付）。"""
    with reading(home.ward) as connection:
        return _received_on(connection, source.kind, source.sha256)


def _received_on(connection: Connection, kind: str, fingerprint: str) -> date:
    table, receipt = ward.snapshot, ward.extract_receipt
    first: datetime = connection.execute(
        select(table.c.imported_at).where(table.c.kind == kind, table.c.sha256 == fingerprint)
    ).scalar_one()
    again: date | None = connection.execute(
        select(func.max(receipt.c.received_on)).where(receipt.c.kind == kind, receipt.c.sha256 == fingerprint)
    ).scalar()
    # SQLite は時差を忘れて返す。台帳の時刻は UTC である。
    day = tokyo_date(first if first.tzinfo else first.replace(tzinfo=UTC))
    return max(day, again) if again else day


def _write_rejects(home: Home, beside: Path, data: bytes) -> Path:
    """不採用の一覧を入力の隣に書く。そこに書けないとき（読取専用の共有など）は、作業場所の受け箱に書く。"""
    try:
        write_atomic(beside, data)
    except OSError:
        elsewhere = home.path / "inbox" / beside.name
        write_atomic(elsewhere, data)
        return elsewhere
    return beside


def _too_many_rejects(read: layouts.Reading, path: Path, rejects: Path) -> RefusedInput:
    """不採用が多すぎるときの断り。最初の一つの場所と、許されるものを言う。値そのものは、一覧だけに写す。"""
    listed = rejects.name if rejects.parent == path.parent else str(rejects)
    first = read.rejects.row(0, named=True)
    allowed = first["内容"].partition("許されるもの: ")[2] or None
    return RefusedInput(
        f"{read.rows_rejected} 行が不採用のため、取り込みませんでした"
        f"（読込 {read.rows_read} = 採用 {read.rows_kept} + 不採用 {read.rows_rejected}）。"
        f"ここが最初の不採用です。見つかった値と残りの行は {listed} にあります",
        code="rejects",
        place=Place(file=path.name, record=first["行"], field=first["列"]),
        allowed=allowed,
    )


def _registered(home: Home, kind: str, fingerprint: str) -> Imported | None:
    table = ward.snapshot
    with reading(home.ward) as connection:
        rows = connection.execute(select(table).where(table.c.kind == kind).order_by(table.c.id)).mappings().all()
    for row in rows:
        if row["sha256"] == fingerprint:
            return Imported(
                kind,
                row["file_name"],
                fingerprint,
                row["encoding"],
                row["rows_read"],
                row["rows_kept"],
                row["rows_rejected"],
                (),
                already=True,
                current=row["id"] == rows[-1]["id"],
            )
    return None


@dataclass(frozen=True)
class Source:
    """いま使う写し一つ: どのファイルから来たか。"""

    kind: str
    file_name: str
    sha256: str


def current_sources(home: Home, levy_year: int) -> dict[str, Source]:
    """種類ごとに、最後に取り込んだ写し。年度のあるものは `levy_year` のもの。回答は別（`answer_sources`）。"""
    table = ward.snapshot
    of_year = table.c.levy_year.is_(None) | (table.c.levy_year == levy_year)
    with reading(home.ward) as connection:
        rows = (
            connection.execute(select(table).where(table.c.kind.in_(KINDS), of_year).order_by(table.c.id))
            .mappings()
            .all()
        )
    return {row["kind"]: Source(row["kind"], row["file_name"], row["sha256"]) for row in rows}


def answer_sources(home: Home) -> list[Source]:
    """照会の回答の写しを、届いた順に全部。同じ人への回答は、後から届いたものが勝つ。"""
    table = ward.snapshot
    with reading(home.ward) as connection:
        rows = (
            connection.execute(select(table).where(table.c.kind.in_(ANSWER_KINDS)).order_by(table.c.id))
            .mappings()
            .all()
        )
    return [Source(row["kind"], row["file_name"], row["sha256"]) for row in rows]


def residents_of_run(home: Home, inputs: dict[str, Any]) -> pl.DataFrame:
    """登録された判定が使った住民記録。`inputs` はその判定の入力の記録。"""
    told = inputs["抽出データ"][NAMES["residents"]]
    return load(home, Source("residents", told["ファイル"], told["sha256"]))


def load(home: Home, source: Source) -> pl.DataFrame:
    """写しを読む。"""
    return pl.read_parquet(snapshot_path(home, source.kind, source.sha256))
