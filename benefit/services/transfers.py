"""振込: 作る、承認する、送り出す。

- 作れるのは、支給可の判定が付いた行だけ。作った時に支払（F40）が台帳に載り、slot の制約が二重を断る。
- 出したバイト列の指紋を、作った人ではない別々の二人が承認する。承認の前に、様式を共有しない第二の読み手が
  ディスクのファイルを読み直し、台帳と一行ずつ比べる（reliability P8）。
- 送り出しは、二つの承認を台帳が確かめる。お金を動かすものは、このファイル一つだけである（阿武町の事例）。
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select
from sqlalchemy.exc import IntegrityError

from benefit.domain.access import Actor
from benefit.domain.business_days import is_bank_business_day
from benefit.domain.clock import Clock, tokyo_date
from benefit.domain.errors import Place, RefusedByRule, WrongUse
from benefit.domain.programme import Programme
from benefit.domain.transfer import POSTINGS
from benefit.records import zengin, zengin_reader
from benefit.records.bank_master import BankMaster
from benefit.services.files import sha256_of, write_atomic
from benefit.services.gate import stand
from benefit.services.home import Home
from benefit.store import audit, ward
from benefit.store.engine import in_turn, reading

ACCOUNT = ("bank_code", "branch_code", "account_type", "account_number", "holder_kana")
APPROVALS_NEEDED = 2


@dataclass(frozen=True)
class Transfer:
    """振込ファイル一つの姿。`approvers` は今の指紋を承認した人。"""

    id: int
    pay_date: date
    sha256: str
    line_count: int
    total_yen: int
    largest_yen: int
    made_by: str
    approvers: tuple[str, ...]
    released: bool
    path: Path


def transfer_path(home: Home, number: int) -> Path:
    """送り出す前のファイルの置き場所（区の中）。"""
    return home.path / "transfers" / f"sogo-{number:04d}.txt"


def make(
    home: Home,
    programme: Programme,
    *,
    pay_date: date,
    today: date,
    bank_master: BankMaster,
    actor: Actor,
    clock: Clock,
) -> Transfer | None:
    """支給可でまだ支払のない行を集めて、振込ファイルを一つ作る。何もなければ None。

    `pay_date` は銀行営業日でなければならない。途中で止まっても、もう一度打てば同じファイルになる。
    """
    if not is_bank_business_day(pay_date):
        raise WrongUse(f"{pay_date} は銀行の営業日ではありません", code="business-day")
    if pay_date <= today:
        raise WrongUse("振込指定日は、今日より後の日にします", found=str(pay_date))
    _restore_files(home, programme, bank_master)
    # 判定の日と作る日は違う日でありうる。いまの事実で、亡くなった人などを外す。
    standing = stand(home, programme, today).entitlements.filter("open")
    open_now = set(standing["id"].to_list())
    with home.ward.begin() as connection:
        in_turn(connection, "money")
        lines = [line for line in pending_verdicts(connection) if line["entitlement_id"] in open_now]
        if not lines:
            return None
        number = (connection.execute(select(func.max(ward.transfer.c.id))).scalar() or 0) + 1
        data = _render(lines, programme, pay_date, bank_master)
        now = clock()
        connection.execute(
            ward.transfer.insert().values(
                id=number,
                programme=programme.id,
                pay_date=pay_date,
                sha256=sha256_of(data),
                content_key=_content_key(lines),
                line_count=len(lines),
                total_yen=sum(line["amount_yen"] for line in lines),
                largest_yen=max(line["amount_yen"] for line in lines),
                made_by=actor.id,
                made_at=now,
            )
        )
        _file_payments(connection, number, lines, now)
        audit.record(
            connection,
            ward.audit_log,
            at=now,
            actor=actor,
            action="transfer.make",
            subject=f"{number}",
            detail={"lines": len(lines), "sha256": sha256_of(data)},
        )
    write_atomic(transfer_path(home, number), data)
    return show(home, number)


def pending_verdicts(connection: Connection) -> list[dict[str, Any]]:
    """支給可で、まだ生きた支払になっていない判定の行。権利ごとに一番新しい一つ、給付管理番号の順。

    振込不能の後は、その後に判定し直した行だけが使える（古い口座の判定で、もう一度払わない）。取り消した後は、
    同じ判定の行から作り直せる。支払が生きている権利は、何度判定されていても出てこない。
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
        .where(verdict.c.verdict == "支給可")
        .order_by(entitlement.c.case_number, verdict.c.planned_file_id)
    )
    chosen: dict[int, dict[str, Any]] = {}
    for row in connection.execute(query).mappings():
        before = last.get(row["entitlement_id"])
        if before is None:
            usable = True
        elif before.state == "F43":
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


def _file_payments(connection: Connection, number: int, lines: Sequence[dict[str, Any]], now: Any) -> None:
    """支払を台帳に載せる。ここで slot の一意索引が、二重の支払を断る。"""
    start = (connection.execute(select(func.max(ward.payment.c.id))).scalar() or 0) + 1
    payments, transfer_lines, postings = [], [], []
    for offset, line in enumerate(lines):
        payment_id, attempt = start + offset, line["attempts"] + 1
        payments.append(
            {
                "id": payment_id,
                "entitlement_id": line["entitlement_id"],
                "slot": line["slot"],
                "attempt": attempt,
                "planned_file_id": line["planned_file_id"],
                "line_number": line["line_number"],
                "amount_yen": line["amount_yen"],
                "state": "F40",
                **{name: line[name] for name in ACCOUNT},
            }
        )
        transfer_lines.append({"transfer_id": number, "line_number": offset + 1, "payment_id": payment_id})
        # 取り消した後の作り直しは、未払がもう立っている。
        opening = {None: ("decide",), "F43": ("retry",), "F49": ()}[line["last_state"]]
        for kind in (*opening, "file"):
            postings.append(posting_row(kind, line["entitlement_id"], payment_id, line["amount_yen"], now))
    try:
        connection.execute(ward.payment.insert(), payments)
    except IntegrityError:
        raise RefusedByRule(
            "すでに振り込んだ、または振込の途中の権利が含まれているため、作れません。支給判定をやり直してください",
            code="paid-once",
        ) from None
    connection.execute(ward.transfer_line.insert(), transfer_lines)
    connection.execute(ward.posting.insert(), postings)


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


def _content_key(lines: Sequence[dict[str, Any]]) -> str:
    """中身の名前: どの権利の何回目に、いくら、どの口座へ。日付を変えても同じになる。"""
    parts = sorted("|".join(str(line[name]) for name in ("slot", "attempts", "amount_yen", *ACCOUNT)) for line in lines)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _header(programme: Programme, pay_date: date) -> zengin.FileHeader:
    return zengin.FileHeader(
        client_code=programme.consignor_code,
        client_name=programme.consignor_name_kana,
        transfer_on=pay_date,
        bank_code=programme.sending_bank_code,
        bank_name=programme.sending_bank_name_kana,
        branch_code=programme.sending_branch_code,
        branch_name=programme.sending_branch_name_kana,
        account_type=programme.sending_account_type,
        account_number=programme.sending_account_number,
    )


def _render(lines: Sequence[dict[str, Any]], programme: Programme, pay_date: date, bank_master: BankMaster) -> bytes:
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


def _restore_files(home: Home, programme: Programme, bank_master: BankMaster) -> None:
    """台帳にあるのにディスクにないファイルを、台帳から作り直す（登録の直後に止まったとき）。"""
    with reading(home.ward) as connection:
        for row in connection.execute(select(ward.transfer)).mappings().all():
            path = transfer_path(home, row["id"])
            if path.exists():
                continue
            data = _render(lines_of(connection, row["id"]), programme, row["pay_date"], bank_master)
            if sha256_of(data) != row["sha256"]:
                raise RefusedByRule(f"振込 {row['id']} を台帳から作り直せません（指紋が違います）", code="restore")
            write_atomic(path, data)


def show(home: Home, number: int) -> Transfer:
    """振込ファイル一つ。"""
    with reading(home.ward) as connection:
        row = connection.execute(select(ward.transfer).where(ward.transfer.c.id == number)).mappings().first()
        if row is None:
            raise WrongUse(f"振込 {number} はありません", code="no-transfer")
        approvers = connection.execute(
            select(ward.approval.c.staff_id)
            .where(ward.approval.c.transfer_id == number, ward.approval.c.sha256 == row["sha256"])
            .order_by(ward.approval.c.staff_id)
        ).scalars()
        released = connection.execute(
            select(ward.transfer_release.c.transfer_id).where(ward.transfer_release.c.transfer_id == number)
        ).first()
        return Transfer(
            row["id"],
            row["pay_date"],
            row["sha256"],
            row["line_count"],
            row["total_yen"],
            row["largest_yen"],
            row["made_by"],
            tuple(approvers),
            released is not None,
            transfer_path(home, number),
        )


def check_file(home: Home, programme: Programme, number: int, bank_master: BankMaster) -> None:
    """ディスクのファイルを第二の読み手で読み、台帳と比べる。違えば RefusedByRule。"""
    _restore_files(home, programme, bank_master)
    transfer = show(home, number)
    data = transfer.path.read_bytes()
    place = Place(file=transfer.path.name)
    if sha256_of(data) != transfer.sha256:
        raise RefusedByRule("ファイルの指紋が、作った時と違います。書き換えられています", code="digest", place=place)
    with reading(home.ward) as connection:
        lines = lines_of(connection, number)
    # 第二の読み手に渡すのは、様式に入れる前の値だけ。書いたバイト列からは何も渡さない。
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
        programme.consignor_code,
        programme.consignor_name_kana,
        f"{transfer.pay_date:%m%d}",
        programme.sending_bank_code,
        programme.sending_bank_name_kana,
        programme.sending_branch_code,
        programme.sending_branch_name_kana,
        programme.sending_account_type,
        programme.sending_account_number,
    )
    found = zengin_reader.findings(data, header, expected)
    if found:
        raise RefusedByRule(
            f"ファイルが台帳と合いません: {found[0]}（ほか {len(found) - 1} 件）", code="reread", place=place
        )


def approve(
    home: Home, programme: Programme, number: int, *, bank_master: BankMaster, actor: Actor, clock: Clock
) -> Transfer:
    """いまの指紋を承認する。作った人、同じ人の二度目、送り出した後は、断る。"""
    transfer = show(home, number)
    if transfer.released:
        raise RefusedByRule(f"振込 {number} はもう送り出されています", code="released")
    if actor.id == transfer.made_by:
        raise RefusedByRule("作った人は承認できません", code="not-the-maker")
    if actor.id in transfer.approvers:
        raise RefusedByRule("この人は、もう承認しています。別の人の承認が要ります", code="same-approver")
    if actor.role != "approver":
        raise RefusedByRule("承認は、承認の役割を持つ職員が行います", code="role")
    check_file(home, programme, number, bank_master)
    with home.ward.begin() as connection:
        connection.execute(
            ward.approval.insert().values(
                transfer_id=number,
                staff_id=actor.id,
                sha256=transfer.sha256,
                made_by=transfer.made_by,
                approved_at=clock(),
            )
        )
        audit.record(
            connection,
            ward.audit_log,
            at=clock(),
            actor=actor,
            action="transfer.approve",
            subject=f"{number}",
            detail={"sha256": transfer.sha256, "total_yen": transfer.total_yen, "lines": transfer.line_count},
        )
    return show(home, number)


def release(
    home: Home, programme: Programme, number: int, *, out: Path, bank_master: BankMaster, actor: Actor, clock: Clock
) -> Transfer:
    """二人が承認したファイルを `out` に出し、支払を「銀行送付済」にする。台帳に載ってから、ファイルが出る。"""
    transfer = show(home, number)
    if not transfer.released:
        if len(transfer.approvers) < APPROVALS_NEEDED:
            raise RefusedByRule(
                f"振込 {number} は、別々の二人の承認が要ります",
                code="two-people",
                found=f"{len(transfer.approvers)} 人",
                allowed=f"{APPROVALS_NEEDED} 人",
            )
        check_file(home, programme, number, bank_master)
        _still_open(home, programme, number, clock)
        first, second = sorted(transfer.approvers)[:2]
        with home.ward.begin() as connection:
            connection.execute(
                ward.transfer_release.insert().values(
                    transfer_id=number,
                    sha256=transfer.sha256,
                    first_approver=first,
                    second_approver=second,
                    released_by=actor.id,
                    released_at=clock(),
                )
            )
            ids = select(ward.transfer_line.c.payment_id).where(ward.transfer_line.c.transfer_id == number)
            connection.execute(ward.payment.update().where(ward.payment.c.id.in_(ids)).values(state="F41"))
            sequence = (
                connection.execute(
                    select(func.max(ward.handover.c.sequence)).where(ward.handover.c.crossing == "bank_out")
                ).scalar()
                or 0
            )
            connection.execute(
                ward.handover.insert().values(
                    crossing="bank_out",
                    counterpart=f"銀行 {programme.sending_bank_code}",
                    folder=transfer.path.name,
                    sequence=sequence + 1,
                    sha256=transfer.sha256,
                    row_count=transfer.line_count,
                    total_yen=transfer.total_yen,
                    actor=actor.id,
                    at=clock(),
                )
            )
            audit.record(
                connection,
                ward.audit_log,
                at=clock(),
                actor=actor,
                action="transfer.release",
                subject=f"{number}",
                detail={"sha256": transfer.sha256, "approvers": [first, second]},
            )
    check_file(home, programme, number, bank_master)
    write_atomic(out / transfer.path.name, transfer.path.read_bytes())
    return show(home, number)


def _still_open(home: Home, programme: Programme, number: int, clock: Clock) -> None:
    """送り出す日の事実で見直す。亡くなった人などが一人でもいれば、送り出さない。"""
    standing = stand(home, programme, tokyo_date(clock())).entitlements
    closed = standing.filter(~standing["open"])
    with reading(home.ward) as connection:
        in_file = {line["entitlement_id"]: line["case_number"] for line in lines_of(connection, number)}
    stopped = [row for row in closed.iter_rows(named=True) if row["id"] in in_file]
    if stopped:
        reasons = "、".join(f"{row['case_number']}（{row['why_closed']}）" for row in stopped[:5])
        raise RefusedByRule(
            f"作った後に払えなくなった行が {len(stopped)} 件あります: {reasons}。"
            f"benefit transfer cancel {number} で取り消し、作り直してください",
            code="gate",
        )


def cancel(home: Home, number: int, *, reason: str, actor: Actor, clock: Clock) -> int:
    """送り出す前のファイルを取り消し、支払を F49 にする。番号も中身の鍵も使い回さない。取り消した行の数を返す。"""
    transfer = show(home, number)
    if transfer.released:
        raise RefusedByRule(f"振込 {number} はもう送り出されています。組戻しが要ります", code="released")
    with home.ward.begin() as connection:
        ids = select(ward.transfer_line.c.payment_id).where(ward.transfer_line.c.transfer_id == number)
        live = [line for line in lines_of(connection, number) if line["state"] == "F40"]
        if not live:
            return 0
        connection.execute(
            ward.payment.update().where(ward.payment.c.id.in_(ids), ward.payment.c.state == "F40").values(state="F49")
        )
        connection.execute(
            ward.posting.insert(),
            [
                posting_row("unfile", line["entitlement_id"], line["payment_id"], line["amount_yen"], clock())
                for line in live
            ],
        )
        audit.record(
            connection,
            ward.audit_log,
            at=clock(),
            actor=actor,
            action="transfer.cancel",
            subject=f"{number}",
            reason=reason,
        )
        return len(live)
