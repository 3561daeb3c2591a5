"""口座振替の請求ファイル: バイト列を作る、置く、台帳の請求一つの姿、第二の読み手で確かめる。"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl
from sqlalchemy import Connection, select

from benefit.domain.debit_terms import DebitTerms
from benefit.domain.errors import Place, RefusedByRule, WrongUse
from benefit.records import debit_second_reader, direct_debit, file_writer
from benefit.records.bank_master import BankMaster
from benefit.services import debit_terms_file
from benefit.services.debit_facts import Around
from benefit.services.files import sha256_of, write_atomic
from benefit.services.home import Home
from benefit.store import debit_queries, ward
from benefit.store.engine import reading


@dataclass(frozen=True)
class Request:
    """請求一つの姿。`fate` は「送出」「取消」か、まだなら空。"""

    id: int
    debit_on: date
    sha256: str
    line_count: int
    total_yen: int
    made_by: str
    approved_by: str
    fate: str
    path: Path


def path_of(home: Home, number: int) -> Path:
    """送り出す前のファイルの置き場所（区の中）。"""
    return home.path / "direct-debits" / f"furikae-{number:04d}.txt"


def content(rows: pl.DataFrame, terms: DebitTerms, master: BankMaster, debit_on: date) -> bytes:
    """請求ファイルのバイト列。同じ行からは、いつも同じバイト列。"""
    branches = rows.select("bank_code", "branch_code").unique()
    named = pl.DataFrame(
        [
            (bank, branch, found.bank_name if found else "", found.branch_name if found else "")
            for bank, branch in branches.iter_rows()
            for found in [master.find(bank, branch)]
        ],
        schema=dict.fromkeys(("bank_code", "branch_code", "bank_name", "branch_name"), pl.String),
        orient="row",
    )
    table = rows.join(named, on=["bank_code", "branch_code"], how="left", maintain_order="left")
    header = debit_terms_file.header(terms, f"{debit_on:%m%d}")
    columns = table.select(direct_debit.REQUEST.data.names)
    return file_writer.write(direct_debit.REQUEST, [(header, columns)], file="口座振替 請求データ")


def show(home: Home, number: int) -> Request:
    """請求一つ。"""
    with reading(home.ward) as connection:
        found = listed(home, connection, number)
    if not found:
        raise WrongUse(f"口座振替の請求 {number} はありません", code="no-request")
    return found[0]


def listed(home: Home, connection: Connection, number: int | None = None) -> list[Request]:
    """請求の並び（新しい順）。"""
    asked, approval, fate = ward.debit_request, ward.debit_request_approval, ward.debit_fate
    query = (
        select(asked, approval.c.approved_by, fate.c.fate)
        .join(approval, approval.c.release_id == asked.c.id, isouter=True)
        .join(fate, fate.c.request_id == asked.c.id, isouter=True)
        .order_by(asked.c.id.desc())
    )
    if number is not None:
        query = query.where(asked.c.id == number)
    return [
        Request(
            row["id"],
            row["debit_on"],
            row["sha256"],
            row["line_count"],
            row["total_yen"],
            row["asked_by"],
            row["approved_by"] or "",
            row["fate"] or "",
            path_of(home, row["id"]),
        )
        for row in connection.execute(query).mappings()
    ]


def check_file(home: Home, terms: DebitTerms, request: Request, near: Around) -> bytes:
    """ディスクのファイルの指紋を確かめ、第二の読み手で台帳と比べる。違えば断る。確かめたバイト列を返す。"""
    with reading(home.ward) as connection:
        rows = debit_queries.lines(connection, request.id)
    if not request.path.exists():
        # 登録の直後に止まったときは、台帳から作り直せる。
        data = content(rows, terms, near.master, request.debit_on)
        if sha256_of(data) != request.sha256:
            raise RefusedByRule(
                f"請求 {request.id} を台帳から作り直せません（指紋が違います）。取り消して、作り直してください",
                code="restore",
            )
        write_atomic(request.path, data)
    data = request.path.read_bytes()
    place = Place(file=request.path.name)
    if sha256_of(data) != request.sha256:
        raise RefusedByRule("ファイルの指紋が、作った時と違います。書き換えられています", code="digest", place=place)
    _reread(data, terms, request, rows, place)
    return data


def _reread(data: bytes, terms: DebitTerms, request: Request, rows: pl.DataFrame, place: Place) -> None:
    found = debit_second_reader.read(data)
    columns = ("bank_code", "branch_code", "account_type", "account_number", "holder_kana", "amount_yen")
    wanted = tuple(
        debit_second_reader.DebitLine(*row) for row in rows.select(*columns, "new_code", "customer_number").iter_rows()
    )
    total = int(rows["amount_yen"].sum())
    expected = debit_second_reader.DebitFile(terms.client_code, f"{request.debit_on:%m%d}", wanted, rows.height, total)
    if found != expected or (request.line_count, request.total_yen) != (rows.height, total):
        raise RefusedByRule("ファイルが台帳と合いません", code="reread", place=place)
