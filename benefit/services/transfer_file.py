"""振込ファイルの行: 台帳の支払から、全銀の様式に入れる値、第二の読み手に渡す期待、ディスクの置き場所まで。

行の出どころは二つ: この給付の支給権利と、ほかの課の支払の不能（再振込）。様式から見れば、どちらも同じ一行である。
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, select

from benefit.domain.errors import RefusedByRule
from benefit.domain.programme import Programme
from benefit.records import zengin, zengin_reader
from benefit.records.bank_master import BankMaster
from benefit.services.files import sha256_of, write_atomic
from benefit.services.home import Home
from benefit.services.transfer_lines import ACCOUNT
from benefit.store import ward
from benefit.store.engine import reading

#: 口座の四項目。名義だけを直した再振込は、変更分（新規コード 2）ではない（formats §3.5-3）。
WHERE = ACCOUNT[:4]
#: 顧客コード2 の末尾五桁: この給付の支払か、ほかの課の支払の再振込か。
OWN, OTHER_SECTION = "00000", "00001"


def transfer_path(home: Home, number: int) -> Path:
    """送り出す前のファイルの置き場所（区の中）。"""
    return home.path / "transfers" / f"sogo-{number:04d}.txt"


class Origin(NamedTuple):
    """顧客コードから読んだ支払の名。`own` なら給付管理番号、そうでなければ振込不能の番号と、何回目の振込か。"""

    own: bool
    number: str
    attempt: int


def customer_codes(line: Any) -> tuple[str, str]:
    """顧客コード1・2。

    この給付: 給付管理番号の 10 桁、残りの 1 桁 + 枝番 2 桁 + 回 2 桁 + 00000。
    ほかの課の再振込: 不能の番号 10 桁、回 5 桁 + 00001。
    """
    if line["failure_id"] is not None:
        return f"{line['failure_id']:010d}", f"{line['attempts'] + 1:05d}{OTHER_SECTION}"
    number = line["case_number"]
    return number[:10], f"{number[10:]}{line['branch']:02d}{line['attempts'] + 1:02d}{OWN}"


def origin_of(code1: str, code2: str) -> Origin | None:
    """顧客コードから支払の名へ。私たちの書き方でなければ None。"""
    if code2[5:] == OWN:
        return Origin(own=True, number=code1 + code2[0], attempt=int(code2[3:5]))
    if code2[5:] == OTHER_SECTION:
        return Origin(own=False, number=str(int(code1)), attempt=int(code2[:5]))
    return None


def content_key(lines: Sequence[dict[str, Any]]) -> str:
    """中身の名前: どの権利（不能）の何回目に、いくら、どの口座へ。日付を変えても同じになる。"""
    parts = sorted("|".join(str(line[name]) for name in ("slot", "attempts", "amount_yen", *ACCOUNT)) for line in lines)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def lines_of(connection: Connection, number: int) -> list[dict[str, Any]]:
    """台帳にある、このファイルの行（様式に入れる前の値）。"""
    table = ward.transfer_line
    inside = select(table.c.payment_id).where(table.c.transfer_id == number)
    return lines_where(connection, ward.payment.c.id.in_(inside))


def lines_where(connection: Connection, chosen: ColumnElement[bool]) -> list[dict[str, Any]]:
    """選んだ支払の、ファイルの行。支払の番号の順（ファイルの行の順と同じ）。"""
    payment, entitlement = ward.payment, ward.entitlement
    query = (
        select(
            payment.c.id.label("payment_id"),
            payment.c.state,
            payment.c.amount_yen,
            payment.c.slot,
            (payment.c.attempt - 1).label("attempts"),
            payment.c.entitlement_id,
            payment.c.failure_id,
            payment.c.failure_answer_id,
            *(payment.c[name] for name in ACCOUNT),
            entitlement.c.case_number,
            entitlement.c.branch,
        )
        .join(entitlement, entitlement.c.id == payment.c.entitlement_id, isouter=True)
        .where(chosen)
        .order_by(payment.c.id)
    )
    before = _accounts_before(connection, chosen)
    return [
        {**row, "new_code": _new_code(row, before.get(row["payment_id"]))}
        for row in connection.execute(query).mappings()
    ]


def _accounts_before(connection: Connection, chosen: ColumnElement[bool]) -> dict[int, tuple[str, ...]]:
    """前に振り込んで返ってきた口座（四項目）。振り込んだことのない行にはない。"""
    payment, line, failure = ward.payment, ward.bank_report_line, ward.failure
    old = payment.alias("old")
    own = (
        select(payment.c.id, *(old.c[name] for name in WHERE))
        .join(old, and_(old.c.entitlement_id == payment.c.entitlement_id, old.c.attempt < payment.c.attempt))
        .where(chosen, old.c.state.in_(["F43", "F48"]))
        .order_by(old.c.attempt)
    )
    other = (
        select(payment.c.id, *(line.c[name] for name in WHERE))
        .join(failure, failure.c.id == payment.c.failure_id)
        .join(
            line, and_(line.c.bank_report_id == failure.c.bank_report_id, line.c.line_number == failure.c.line_number)
        )
        .where(chosen)
    )
    return {row[0]: tuple(row[1:]) for query in (own, other) for row in connection.execute(query)}


def _new_code(line: Any, before: tuple[str, ...] | None) -> str:
    """新規コード: 初めての振込は 1、銀行・店・種目・番号を変えた再振込は 2、名義だけなら 0（formats §3.5-3）。"""
    if before is None:
        return "1"
    return "2" if tuple(line[name] for name in WHERE) != before else "0"


def _header(programme: Programme, pay_date: date) -> zengin.FileHeader:
    return zengin.FileHeader(
        client_code=programme.transfer.consignor_code,
        client_name=programme.transfer.consignor_name_kana,
        transfer_on=pay_date,
        bank_code=programme.transfer.sending_bank_code,
        bank_name=programme.transfer.sending_bank_name_kana,
        branch_code=programme.transfer.sending_branch_code,
        branch_name=programme.transfer.sending_branch_name_kana,
        account_type=programme.transfer.sending_account_type,
        account_number=programme.transfer.sending_account_number,
    )


def render(lines: Sequence[dict[str, Any]], programme: Programme, pay_date: date, bank_master: BankMaster) -> bytes:
    """全銀の総合振込ファイルのバイト列。同じ行からは、いつも同じバイト列。"""
    return zengin.build(_header(programme, pay_date), [_line(line, bank_master) for line in lines]).content


def _line(line: dict[str, Any], bank_master: BankMaster) -> zengin.TransferLine:
    branch = bank_master.find(line["bank_code"], line["branch_code"])
    code1, code2 = customer_codes(line)
    return zengin.TransferLine(
        bank_code=line["bank_code"],
        bank_name=branch.bank_name if branch else "",
        branch_code=line["branch_code"],
        branch_name=branch.branch_name if branch else "",
        account_type=line["account_type"],
        account_number=line["account_number"],
        holder_kana=line["holder_kana"],
        amount_yen=line["amount_yen"],
        new_code=line["new_code"],
        customer_code1=code1,
        customer_code2=code2,
    )


def expected_in_file(
    lines: Sequence[dict[str, Any]], programme: Programme, pay_date: date, bank_master: BankMaster
) -> tuple[zengin_reader.ExpectedHeader, list[zengin_reader.ExpectedLine]]:
    """第二の読み手に渡す期待。様式に入れる前の値だけで、書いたバイト列からは何も渡さない。"""
    expected = []
    for line in lines:
        branch = bank_master.find(line["bank_code"], line["branch_code"])
        expected.append(
            zengin_reader.ExpectedLine(
                line["bank_code"],
                branch.bank_name if branch else "",
                line["branch_code"],
                branch.branch_name if branch else "",
                line["account_type"],
                line["account_number"],
                line["holder_kana"],
                line["amount_yen"],
                line["new_code"],
                *customer_codes(line),
            )
        )
    terms = programme.transfer
    header = zengin_reader.ExpectedHeader(
        terms.consignor_code,
        terms.consignor_name_kana,
        f"{pay_date:%m%d}",
        terms.sending_bank_code,
        terms.sending_bank_name_kana,
        terms.sending_branch_code,
        terms.sending_branch_name_kana,
        terms.sending_account_type,
        terms.sending_account_number,
    )
    return header, expected


def restore_files(home: Home, programme: Programme, bank_master: BankMaster) -> None:
    """この事業の、まだ送り出していない振込で、ディスクにないファイルを、台帳から作り直す（登録の直後に止まったとき）。

    取り消した振込と送り出した振込は見ない。出し直しや店舗の名の変更の後では作り直せず、後の振込まで止まる。
    """
    transfer, line, payment = ward.transfer, ward.transfer_line, ward.payment
    with reading(home.ward) as connection:
        waiting = (
            select(line.c.transfer_id).join(payment, payment.c.id == line.c.payment_id).where(payment.c.state == "F40")
        )
        query = select(transfer.c.id).where(transfer.c.programme == programme.id, transfer.c.id.in_(waiting))
        numbers = connection.execute(query).scalars().all()
    for number in numbers:
        restore_file(home, programme, number, bank_master)


def restore_file(home: Home, programme: Programme, number: int, bank_master: BankMaster) -> None:
    """この振込のファイルがディスクになければ、台帳から作り直す。指紋が違えば断る。"""
    path = transfer_path(home, number)
    if path.exists():
        return
    with reading(home.ward) as connection:
        row = connection.execute(select(ward.transfer).where(ward.transfer.c.id == number)).mappings().one()
        data = render(lines_of(connection, number), programme, row["pay_date"], bank_master)
    if sha256_of(data) != row["sha256"]:
        raise RefusedByRule(
            f"振込 {number} を台帳から作り直せません（指紋が違います）。送り出していなければ、"
            f"benefit transfer cancel {number} で取り消し、作り直してください",
            code="restore",
        )
    write_atomic(path, data)
