"""振込: 作る、承認する、送り出す。

- 作れるのは、支給可の判定が付いた行だけ。作った時に支払（F40）が台帳に載り、slot の制約が二重を断る。
- 出したバイト列の指紋を、作った人ではない別々の二人が承認する。承認の前に、様式を共有しない第二の読み手が
  ディスクのファイルを読み直し、台帳と一行ずつ比べる（reliability P8）。
- 送り出しは、二つの承認を台帳が確かめる。お金を動かすものは、このファイル一つだけである（阿武町の事例）。
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from sqlalchemy import Connection, func, select

from benefit.domain.access import Actor
from benefit.domain.clock import Clock
from benefit.domain.errors import Place, RefusedByRule, WrongUse
from benefit.domain.programme import Programme
from benefit.records import zengin_reader
from benefit.records.bank_master import BankMaster
from benefit.services import log_reports
from benefit.services.files import sha256_of, write_atomic
from benefit.services.gate import stand
from benefit.services.home import Home
from benefit.services.transfer_file import expected_in_file, lines_of, restore_file, restore_files, transfer_path
from benefit.services.transfer_gate import check_head
from benefit.services.transfer_lines import pending_verdicts
from benefit.services.transfer_make import post_where, register, within_budget, within_file
from benefit.services.transfer_resend import refuse_unknown_branches, resendable
from benefit.services.transfer_standing import refuse_day, still_open
from benefit.store import audit, ward
from benefit.store.engine import in_turn, reading

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
    refuse_day(pay_date, today)
    restore_files(home, programme, bank_master)
    # 判定の日と作る日は違う日でありうる。いまの事実で、亡くなった人などを外す。
    standing = stand(home, programme, today).entitlements.filter("open")
    open_now = set(standing["id"].to_list())
    with home.ward.begin() as connection:
        in_turn(connection, "money")
        lines = [line for line in pending_verdicts(connection) if line["entitlement_id"] in open_now]
        if not lines:
            return None
        lines = within_file(lines, programme)
        within_budget(connection, lines, programme)
        number, data = register(
            connection, lines, programme, pay_date=pay_date, bank_master=bank_master, actor=actor, now=clock()
        )
    write_atomic(transfer_path(home, number), data)
    return show(home, number)


def make_resend(
    home: Home,
    programme: Programme,
    *,
    pay_date: date,
    today: date,
    bank_master: BankMaster,
    actor: Actor,
    clock: Clock,
) -> Transfer | None:
    """ほかの課の不能で、再振込の回答が承認されたものを集めて、振込ファイルを一つ作る。何もなければ None。

    承認も、読み直しも、送り出しも、結果も、この給付の振込と同じ道を通る。
    `programme` は依頼人（会計管理者）の口座を言う。
    """
    refuse_day(pay_date, today)
    restore_files(home, programme, bank_master)
    with home.ward.begin() as connection:
        in_turn(connection, "money")
        lines = within_file(resendable(connection), programme)
        if not lines:
            return None
        refuse_unknown_branches(lines, bank_master)
        number, data = register(
            connection, lines, programme, pay_date=pay_date, bank_master=bank_master, actor=actor, now=clock()
        )
    write_atomic(transfer_path(home, number), data)
    return show(home, number)


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


def check_file(home: Home, programme: Programme, number: int, bank_master: BankMaster) -> bytes:
    """ディスクのファイルを第二の読み手で読み、台帳と比べる。違えば RefusedByRule。確かめたバイト列を返す。"""
    transfer = show(home, number)
    restore_file(home, programme, number, bank_master)
    data = transfer.path.read_bytes()
    place = Place(file=transfer.path.name)
    if sha256_of(data) != transfer.sha256:
        raise RefusedByRule("ファイルの指紋が、作った時と違います。書き換えられています", code="digest", place=place)
    if transfer.released:
        # 送る前に、台帳と比べてある。その後に店舗の名や枝番が変わっても、承認されたバイト列は変わらない。
        return data
    with reading(home.ward) as connection:
        check_head(connection, programme, number)
        lines = lines_of(connection, number)
    header, expected = expected_in_file(lines, programme, transfer.pay_date, bank_master)
    found = zengin_reader.findings(data, header, expected)
    if found:
        raise RefusedByRule(
            f"ファイルが台帳と合いません: {found[0]}（ほか {len(found) - 1} 件）", code="reread", place=place
        )
    return data


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
        in_turn(connection, "money")
        _refuse_cancelled(connection, number)
        _refuse_released(connection, number)
        given = select(ward.approval.c.staff_id).where(ward.approval.c.transfer_id == number)
        if actor.id in connection.execute(given).scalars().all():
            raise RefusedByRule("この人は、もう承認しています。別の人の承認が要ります", code="same-approver")
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
        still_open(home, programme, number, clock)
        log_reports.gate(home, clock())
        first, second = sorted(transfer.approvers)[:2]
        with home.ward.begin() as connection:
            in_turn(connection, "money")
            _refuse_cancelled(connection, number)
            _refuse_released(connection, number)
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
                    counterpart=f"銀行 {programme.transfer.sending_bank_code}",
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
    # 確かめたバイト列そのものを出す。もう一度ディスクから読めば、その間に書き換えられる。
    write_atomic(out / transfer.path.name, check_file(home, programme, number, bank_master))
    return show(home, number)


def _refuse_cancelled(connection: Connection, number: int) -> None:
    """取り消したファイルは、承認も送り出しもできない。"""
    if any(line["state"] == "F49" for line in lines_of(connection, number)):
        raise RefusedByRule(f"振込 {number} は取り消されています。作り直してください", code="cancelled")


def _refuse_released(connection: Connection, number: int) -> None:
    """順番を待つ間に、ほかの人が送り出していたら断る（取消の仕訳が、送った後に立たないように）。"""
    table = ward.transfer_release
    if connection.execute(select(table.c.transfer_id).where(table.c.transfer_id == number)).first():
        raise RefusedByRule(f"振込 {number} はもう送り出されています", code="released")


def cancel(home: Home, number: int, *, reason: str, actor: Actor, clock: Clock) -> int:
    """送り出す前のファイルを取り消し、支払を F49 にする。番号も中身の鍵も使い回さない。取り消した行の数を返す。"""
    transfer = show(home, number)
    if transfer.released:
        raise RefusedByRule(f"振込 {number} はもう送り出されています。組戻しが要ります", code="released")
    with home.ward.begin() as connection:
        in_turn(connection, "money")
        return cancel_lines(connection, number, reason=reason, actor=actor, clock=clock)


def cancel_lines(connection: Connection, number: int, *, reason: str, actor: Actor, clock: Clock) -> int:
    """取り消しの中身。お金の順番（in_turn "money"）を取った人が呼ぶ。取り消した行の数を返す。"""
    _refuse_released(connection, number)
    ids = select(ward.transfer_line.c.payment_id).where(ward.transfer_line.c.transfer_id == number)
    live = ward.payment.c.id.in_(ids) & (ward.payment.c.state == "F40")
    count = connection.execute(select(func.count()).select_from(ward.payment).where(live)).scalar_one()
    if not count:
        return 0
    now = clock()
    post_where(connection, "unfile", live, now)
    connection.execute(ward.payment.update().where(live).values(state="F49"))
    audit.record(
        connection, ward.audit_log, at=now, actor=actor, action="transfer.cancel", subject=f"{number}", reason=reason
    )
    return int(count)
