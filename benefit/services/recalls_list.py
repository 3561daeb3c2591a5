"""組戻依頼一覧: 銀行へ渡す CSV と、印刷する表。振込の指図ではないことを、どの頁にも書く。"""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
from sqlalchemy import Connection, select

from benefit.domain.clock import tokyo_date
from benefit.domain.programme import Programme
from benefit.services import sheet
from benefit.services.files import sha256_of, write_atomic
from benefit.services.home import Home
from benefit.services.transfer_file import customer_codes
from benefit.services.transfer_lines import ACCOUNT
from benefit.store import ward
from benefit.store.engine import reading

__all__ = ["COLUMNS", "file_name", "render", "sha256_of", "waiting", "write"]

NOT_AN_ORDER = "この一覧は、送り出した振込の組戻し（資金の返却）の依頼であり、振込の指図ではありません。"
#: 一覧の列。初めの六項目は、銀行の振込不能の知らせ（seed 000）と同じ。
COLUMNS = (
    "金融機関コード",
    "店舗コード",
    "預金種目",
    "口座番号",
    "口座名義人名",
    "振込金額",
    "元振込指定日",
    "元ファイルの行",
    "顧客コード1",
    "顧客コード2",
)
#: 支払の状態 → 依頼の今。
ANSWERS = {"F41": "返事待ち", "F43": "戻った", "F42": "不成立（入金済）", "F48": "不成立（返還済）"}


def file_name(number: int) -> str:
    """CSV の名。"""
    return f"kumimodoshi-{number:04d}.csv"


def _rows(connection: Connection, number: int) -> list[dict[str, Any]]:
    payment, entitlement, line, asked = ward.payment, ward.entitlement, ward.transfer_line, ward.recall_line
    query = (
        select(
            line.c.line_number,
            ward.transfer.c.pay_date,
            payment.c.amount_yen,
            (payment.c.attempt - 1).label("attempts"),
            payment.c.failure_id,
            payment.c.failure_id,
            *(payment.c[name] for name in ACCOUNT),
            entitlement.c.case_number,
            entitlement.c.branch,
        )
        .join(payment, payment.c.id == asked.c.payment_id)
        .join(line, line.c.payment_id == payment.c.id)
        .join(ward.transfer, ward.transfer.c.id == line.c.transfer_id)
        .join(entitlement, entitlement.c.id == payment.c.entitlement_id, isouter=True)
        .where(asked.c.recall_id == number)
        .order_by(line.c.line_number)
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def _frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    records = []
    for row in rows:
        account = [row[name] for name in ACCOUNT]
        records.append(
            (*account, row["amount_yen"], row["pay_date"].isoformat(), row["line_number"], *customer_codes(row))
        )
    kinds = [pl.Int64 if name in {"振込金額", "元ファイルの行"} else pl.String for name in COLUMNS]
    return pl.DataFrame(records, schema=dict(zip(COLUMNS, kinds, strict=True)), orient="row")


def render(connection: Connection, home: Home, number: int) -> tuple[bytes, Programme]:
    """CSV のバイト列（UTF-8、BOM つき、CRLF）と、その事業。同じ依頼からは、いつも同じバイト列。"""
    query = (
        select(ward.transfer.c.programme)
        .join(ward.recall, ward.recall.c.transfer_id == ward.transfer.c.id)
        .where(ward.recall.c.id == number)
    )
    programme = home.programme(connection.execute(query).scalar_one())
    text = _frame(_rows(connection, number)).write_csv(line_terminator="\r\n")
    return b"\xef\xbb\xbf" + text.encode(), programme


def write(home: Home, number: int, out: Path) -> Path:
    """一覧（CSV と xlsx）を `out` に書く。何度でも同じものを書ける。CSV の場所を返す。"""
    recall, approval, transfer = ward.recall, ward.recall_approval, ward.transfer
    with reading(home.ward) as connection:
        head = (
            connection.execute(
                select(
                    recall.c.line_count,
                    recall.c.total_yen,
                    recall.c.largest_yen,
                    recall.c.transfer_id,
                    recall.c.asked_by,
                    approval.c.approved_by,
                    approval.c.approved_at,
                    transfer.c.pay_date,
                    transfer.c.sha256,
                )
                .join(approval, approval.c.release_id == recall.c.id)
                .join(transfer, transfer.c.id == recall.c.transfer_id)
                .where(recall.c.id == number)
            )
            .mappings()
            .one()
        )
        rows = _rows(connection, number)
        data, programme = render(connection, home, number)
    made: datetime = head["approved_at"]
    made = (made if made.tzinfo else made.replace(tzinfo=UTC)).astimezone(UTC)
    notes = (
        NOT_AN_ORDER,
        (
            f"{programme.transfer.sending_bank_name_kana} 御中　依頼人 {programme.transfer.consignor_name_kana}"
            f"（{programme.transfer.consignor_code}）"
        ),
        f"件数 {head['line_count']:,} 件　合計 {head['total_yen']:,} 円　最大の一件 {head['largest_yen']:,} 円",
        (
            f"元の振込 {head['transfer_id']}（指定日 {head['pay_date']}、ファイルの指紋 {head['sha256'][:16]}）"
            f"　依頼 {number}　{tokyo_date(made)}"
        ),
        f"申し出 {head['asked_by']}　承認 {head['approved_by']}",
    )
    write_atomic(
        out / f"kumimodoshi-{number:04d}.xlsx",
        sheet.render({"組戻依頼一覧": _frame(rows)}, made=made, title="組戻依頼一覧", notes=notes),
    )
    path = out / file_name(number)
    write_atomic(path, data)
    return path


def waiting(home: Home, *, today: date) -> pl.DataFrame:
    """頼んだ支払の一つ一つ: 依頼の番号、振込、給付管理番号、額、頼んだ日、待っている日数、いま。"""
    asked, approval, recall = ward.recall_line, ward.recall_approval, ward.recall
    payment, entitlement = ward.payment, ward.entitlement
    query = (
        select(
            recall.c.id,
            recall.c.transfer_id,
            entitlement.c.case_number,
            payment.c.amount_yen,
            approval.c.approved_at,
            payment.c.state,
        )
        .join(asked, asked.c.recall_id == recall.c.id)
        .join(approval, approval.c.release_id == recall.c.id)
        .join(payment, payment.c.id == asked.c.payment_id)
        .join(entitlement, entitlement.c.id == payment.c.entitlement_id, isouter=True)
        .order_by(recall.c.id, payment.c.id)
    )
    records = []
    with reading(home.ward) as connection:
        for row in connection.execute(query):
            at = row.approved_at if row.approved_at.tzinfo else row.approved_at.replace(tzinfo=UTC)
            days = max((today - tokyo_date(at)).days, 0)
            open_now = row.state == "F41"
            records.append(
                (
                    row.id,
                    row.transfer_id,
                    row.case_number or "",
                    row.amount_yen,
                    tokyo_date(at),
                    days if open_now else None,
                    ANSWERS.get(row.state, row.state),
                )
            )
    schema = {
        "依頼": pl.Int64,
        "振込": pl.Int64,
        "給付管理番号": pl.String,
        "金額": pl.Int64,
        "頼んだ日": pl.Date,
        "待っている日数": pl.Int64,
        "いま": pl.String,
    }
    return pl.DataFrame(records, schema=schema, orient="row")
