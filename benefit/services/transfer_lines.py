"""振込の行: 台帳の判定と支払から、全銀の様式に入れる値、第二の読み手に渡す期待、仕訳の一行まで。"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, exists, select

from benefit.domain.programme import Programme
from benefit.domain.transfer import POSTINGS
from benefit.records import zengin, zengin_reader
from benefit.records.bank_master import BankMaster
from benefit.store import ward

ACCOUNT = ("bank_code", "branch_code", "account_type", "account_number", "holder_kana")


def superseded() -> ColumnElement[bool]:
    """この判定（`verdict` と `planned_file`）の後に、手紙を出し直したか。古い枝番の申し出は、もう使えない（CHK12）。"""
    reissue = ward.reissue
    return exists().where(
        reissue.c.entitlement_id == ward.verdict.c.entitlement_id,
        reissue.c.made_at >= ward.planned_file.c.judged_at,
    )


def ended() -> ColumnElement[bool]:
    """この判定の権利は、二人の職員が終わらせたか（不支給・辞退・契約不成立）。終わった権利には、もう払わない。"""
    ending, approval = ward.ending, ward.ending_approval
    return exists().where(
        ending.c.entitlement_id == ward.verdict.c.entitlement_id, approval.c.release_id == ending.c.id
    )


def pending_verdicts(connection: Connection) -> list[dict[str, Any]]:
    """支給可で、まだ生きた支払になっていない判定の行。権利ごとに一番新しい一つ、給付管理番号の順。

    振込不能の後と全額が返ってきた後は、その後に判定し直した行だけが使える（古い口座の判定で、もう一度払わない）。取り消した
    後は、同じ判定の行から作り直せる。支払が生きている権利は、何度判定されていても出てこない。判定の後に出し直した権利も、
    終わった権利も出てこない。
    """
    verdict, payment, entitlement = ward.verdict, ward.payment, ward.entitlement
    last = {
        row.entitlement_id: row
        for row in connection.execute(
            select(payment.c.entitlement_id, payment.c.attempt, payment.c.state, payment.c.planned_file_id).order_by(
                payment.c.attempt
            )
        )
    }
    query = (
        select(
            verdict.c.planned_file_id,
            verdict.c.line_number,
            *(verdict.c[name] for name in ACCOUNT),
            entitlement.c.id.label("entitlement_id"),
            entitlement.c.slot,
            entitlement.c.amount_yen,
            entitlement.c.case_number,
            entitlement.c.branch,
        )
        .join(entitlement, entitlement.c.id == verdict.c.entitlement_id)
        .join(ward.planned_file, ward.planned_file.c.id == verdict.c.planned_file_id)
        .where(verdict.c.verdict == "支給可", ~superseded(), ~ended())
        .order_by(entitlement.c.case_number, verdict.c.planned_file_id)
    )
    chosen: dict[int, dict[str, Any]] = {}
    for row in connection.execute(query).mappings():
        before = last.get(row["entitlement_id"])
        if before is None:
            usable = True
        elif before.state in {"F43", "F48"}:
            usable = row["planned_file_id"] > before.planned_file_id
        else:
            usable = before.state == "F49" and row["planned_file_id"] >= before.planned_file_id
        if usable:
            chosen[row["entitlement_id"]] = {
                **row,
                "attempts": before.attempt if before else 0,
                "last_state": before.state if before else None,
            }
    return list(chosen.values())


def posting_row(kind: str, entitlement_id: int, payment_id: int, amount_yen: int, at: Any) -> dict[str, Any]:
    """仕訳一行。"""
    debit, credit = POSTINGS[kind]
    return {
        "at": at,
        "entitlement_id": entitlement_id,
        "payment_id": payment_id,
        "kind": kind,
        "debit": debit,
        "credit": credit,
        "amount_yen": amount_yen,
    }


def content_key(lines: Sequence[dict[str, Any]]) -> str:
    """中身の名前: どの権利の何回目に、いくら、どの口座へ。日付を変えても同じになる。"""
    parts = sorted("|".join(str(line[name]) for name in ("slot", "attempts", "amount_yen", *ACCOUNT)) for line in lines)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


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
    # 新規コード: 初めての振込は 1、二回目から（口座を直した再振込）は 2（formats.md §3.5-3）。
    # 顧客コードは給付管理番号と枝番と回。振込不能を番号で突き合わせるため。
    return zengin.TransferLine(
        bank_code=line["bank_code"],
        bank_name=branch.bank_name if branch else "",
        branch_code=line["branch_code"],
        branch_name=branch.branch_name if branch else "",
        account_type=line["account_type"],
        account_number=line["account_number"],
        holder_kana=line["holder_kana"],
        amount_yen=line["amount_yen"],
        new_code="1" if line["attempts"] == 0 else "2",
        customer_code1=customer_codes(line)[0],
        customer_code2=customer_codes(line)[1],
    )


def customer_codes(line: dict[str, Any]) -> tuple[str, str]:
    """顧客コード1・2: 給付管理番号の 10 桁、残りの 1 桁 + 枝番 2 桁 + 回 2 桁 + 00000。"""
    number = line["case_number"]
    return number[:10], f"{number[10:]}{line['branch']:02d}{line['attempts'] + 1:02d}00000"


def lines_of(connection: Connection, number: int) -> list[dict[str, Any]]:
    """台帳にある、このファイルの行（様式に入れる前の値）。"""
    payment, entitlement, transfer_line = ward.payment, ward.entitlement, ward.transfer_line
    query = (
        select(
            payment.c.id.label("payment_id"),
            payment.c.state,
            payment.c.amount_yen,
            payment.c.slot,
            (payment.c.attempt - 1).label("attempts"),
            payment.c.entitlement_id,
            *(payment.c[name] for name in ACCOUNT),
            entitlement.c.case_number,
            entitlement.c.branch,
        )
        .join(transfer_line, transfer_line.c.payment_id == payment.c.id)
        .join(entitlement, entitlement.c.id == payment.c.entitlement_id)
        .where(transfer_line.c.transfer_id == number)
        .order_by(transfer_line.c.line_number)
    )
    return [dict(row) for row in connection.execute(query).mappings()]


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
                "1" if line["attempts"] == 0 else "2",
                *customer_codes(line),
            )
        )
    header = zengin_reader.ExpectedHeader(
        programme.transfer.consignor_code,
        programme.transfer.consignor_name_kana,
        f"{pay_date:%m%d}",
        programme.transfer.sending_bank_code,
        programme.transfer.sending_bank_name_kana,
        programme.transfer.sending_branch_code,
        programme.transfer.sending_branch_name_kana,
        programme.transfer.sending_account_type,
        programme.transfer.sending_account_number,
    )
    return header, expected
