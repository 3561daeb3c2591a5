"""口座振替依頼: 開始・変更・停止を、ファイルか窓口の一件で書き、別の人が承認して、初めて効く。

前の行は消えない。いまの口座は、承認された異動のうち、適用日のいちばん新しいものである。
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
from sqlalchemy import Connection, select

from benefit.domain.access import Actor
from benefit.domain.clock import Clock
from benefit.domain.debit_terms import DebitTerms
from benefit.domain.direct_debit import DEBIT_ACCOUNT_TYPES, ENROLMENT_KINDS
from benefit.domain.errors import Place, RefusedByRule, RefusedInput, WrongUse
from benefit.records import direct_debit_accounts, file_reader
from benefit.records.bank_master import BankMaster
from benefit.records.direct_debit_accounts import KINDS
from benefit.records.faults import Fault, RefusedFile
from benefit.records.file_layout import RECORD
from benefit.records.zengin_text import convert
from benefit.services import bank_master, two_people
from benefit.services.files import read_input, sha256_of
from benefit.services.home import Home
from benefit.store import audit, debit_queries, ward
from benefit.store.bulk import insert_rows
from benefit.store.engine import in_turn, reading
from benefit.store.temporary import sendable

_NAME_BYTES = 30
#: 依頼の列（台帳の debit_account）。
COLUMNS = {
    "person_number": pl.String,
    "subject": pl.String,
    "kind": pl.String,
    "from_on": pl.Date,
    **debit_queries.ACCOUNT,
}
_ACCOUNT = tuple(debit_queries.ACCOUNT)


@dataclass(frozen=True)
class Change:
    """窓口で書く一件。停止には口座が要らない。"""

    person_number: str
    subject: str
    kind: str
    from_on: date
    bank_code: str = ""
    branch_code: str = ""
    account_type: str = ""
    account_number: str = ""
    holder_kana: str = ""


def canonical_person(number: str) -> str:
    """宛名番号。様式の幅しだいで前の 0 の数が違うので、10 桁に揃える。"""
    return number.strip().lstrip("0").zfill(10)


def person_column(name: str) -> pl.Expr:
    """`canonical_person` の列の形。"""
    return pl.col(name).str.strip_chars().str.strip_chars_start("0").str.zfill(10)


def import_file(home: Home, terms: DebitTerms, path: Path, *, reason: str, actor: Actor, clock: Clock) -> int:
    """様式 `direct-debit-accounts` のファイルを申し出る。番号を返す。悪い行が一つでもあれば、ファイルごと断る。"""
    data = read_input(path)
    sha256 = sha256_of(data)
    rows = file_reader.read(data, direct_debit_accounts.ACCOUNTS, file=path.name)
    table = rows.require()
    if any(header.get("usage") == "0" for header in rows.headers):
        raise RefusedByRule("テストのファイルです（利用区分 0）", code="test-file", place=Place(file=path.name))
    if table.is_empty():
        raise RefusedInput("異動が一件もありません", code="empty-file", place=Place(file=path.name))
    blank = pl.when(pl.col("change_kind") == "3").then(None)
    made = table.select(
        RECORD,
        person_number=person_column("person_number"),
        subject=pl.col("account_title"),
        kind=pl.col("change_kind").replace_strict(KINDS, return_dtype=pl.String),
        from_on=pl.col("from_on").str.to_date("%Y%m%d"),
        **{name: blank.otherwise(pl.col(name)) for name in _ACCOUNT},
    )
    faults = _faults(home, terms, made)
    if faults:
        raise RefusedFile(path.name, faults)
    known = ward.debit_enrolment
    with home.ward.begin() as connection:
        in_turn(connection, "collections")
        number = connection.execute(select(known.c.id).where(known.c.sha256 == sha256)).scalar()
        if number is not None:
            raise RefusedByRule(
                f"このファイルは、もう受け取ってあります（依頼 {number}）", code="twice", place=Place(file=path.name)
            )
        _refuse_out_of_order(connection, made)
        told = {"source": "ファイル", "file_name": path.name, "sha256": sha256, "row_count": made.height}
        return _ask(connection, made, told, reason=reason, actor=actor, clock=clock)


def ask(home: Home, terms: DebitTerms, change: Change, *, reason: str, actor: Actor, clock: Clock) -> int:
    """窓口の一件を申し出る。申し出の番号を返す。"""
    if change.kind not in ENROLMENT_KINDS:
        raise WrongUse("異動の言葉が違います", found=change.kind, allowed="、".join(ENROLMENT_KINDS))
    if not (change.person_number.isascii() and change.person_number.isdigit() and len(change.person_number) <= 15):
        raise WrongUse("宛名番号は数字です", found=f"{len(change.person_number)} 字")
    account: dict[str, str | None] = {name: getattr(change, name) or None for name in _ACCOUNT}
    if change.kind == "停止":
        if any(account.values()):
            raise WrongUse("停止には、口座を書きません")
    else:
        account["holder_kana"] = convert(change.holder_kana)
        if not account["holder_kana"] or len(account["holder_kana"]) > _NAME_BYTES:
            raise WrongUse("預金者名（カナ）の長さが違います", allowed=f"半角で 1 字から {_NAME_BYTES} 字")
    row = {
        RECORD: 1,
        "person_number": canonical_person(change.person_number),
        "subject": change.subject,
        "kind": change.kind,
        "from_on": change.from_on,
        **account,
    }
    made = pl.DataFrame([row], schema={RECORD: pl.Int64, **COLUMNS})
    faults = _faults(home, terms, made)
    if faults:
        raise RefusedInput(
            faults[0].says, code="account", found=faults[0].found or None, allowed=faults[0].allowed or None
        )
    with home.ward.begin() as connection:
        in_turn(connection, "collections")
        _refuse_out_of_order(connection, made)
        told = {"source": "窓口", "file_name": None, "sha256": None, "row_count": 1}
        return _ask(connection, made, told, reason=reason, actor=actor, clock=clock)


def _faults(home: Home, terms: DebitTerms, rows: pl.DataFrame) -> list[Fault]:
    """様式には合うが、口座振替に使えない行。"""
    master: BankMaster = bank_master.in_use(home)
    faults: list[Fault] = []
    for row in rows.iter_rows(named=True):
        at = row[RECORD]
        if row["subject"] not in terms.subjects:
            allowed = "、".join(terms.subjects)
            faults.append(Fault(at, "科目コード", "口座振替をする科目ではありません", row["subject"], allowed))
        if row["kind"] == "停止":
            continue
        empty = [name for name in _ACCOUNT if not row[name]]
        if empty:
            faults.append(Fault(at, "口座", "口座の項目が空白です", f"{len(empty)} 項目"))
        elif not master.has_bank(row["bank_code"]):
            faults.append(Fault(at, "金融機関コード", "金融機関の表にない銀行です", row["bank_code"]))
        elif master.find(row["bank_code"], row["branch_code"]) is None:
            where = f"{row['bank_code']}-{row['branch_code']}"
            faults.append(Fault(at, "支店コード", "金融機関の表にない支店です（統廃合された店舗を含む）", where))
        elif row["account_type"] not in DEBIT_ACCOUNT_TYPES:
            allowed = "、".join(DEBIT_ACCOUNT_TYPES)
            faults.append(Fault(at, "預金種目", "預金種目が違います", row["account_type"], allowed))
        elif len(row["account_number"]) != 7 or not row["account_number"].isdigit() or not int(row["account_number"]):
            faults.append(Fault(at, "口座番号", "口座番号は 0 でない 7 桁の数字です"))
    twice = rows.filter(pl.struct("person_number", "subject", "from_on").is_duplicated())[RECORD].to_list()
    faults += [Fault(at, "宛名番号", "同じ人・科目・適用日の異動が二つあります") for at in twice]
    return sorted(faults, key=lambda fault: fault.record)


_ORDER: dict[str, set[str | None]] = {"開始": {None, "停止"}, "変更": {"開始", "変更"}, "停止": {"開始", "変更"}}


def _refuse_out_of_order(connection: Connection, rows: pl.DataFrame) -> None:
    """始まっていないものの変更・停止、始まっているものの開始、前の適用日より前の異動を断る。

    承認されたものだけに照らし、承認の時にもう一度見る。書き間違いは、承認せずに書き直せばよい。
    """
    table, approval = ward.debit_account, ward.debit_enrolment_approval
    people = rows["person_number"].unique().to_list()
    known: dict[tuple[str, str], tuple[date, str]] = {}
    for start in range(0, len(people), 500):
        query = (
            select(table)
            .join(approval, approval.c.release_id == table.c.enrolment_id)
            .where(table.c.person_number.in_(people[start : start + 500]))
        )
        for old in connection.execute(query.order_by(table.c.from_on, table.c.enrolment_id, table.c.line_number)):
            known[(old.person_number, old.subject)] = (old.from_on, old.kind)
    faults = []
    for row in rows.sort("from_on", RECORD).iter_rows(named=True):
        key = (row["person_number"], row["subject"])
        before = known.get(key)
        if before is not None and row["from_on"] < before[0]:
            says, found = "前の異動の適用日より前です", f"{row['from_on']}"
            faults.append(Fault(row[RECORD], "適用日", says, found, f"{before[0]} から"))
            continue
        last = before[1] if before else None
        if last not in _ORDER[row["kind"]]:
            now = {None: "始まっていません", "停止": "停止しています"}.get(last, "もう始まっています")
            faults.append(Fault(row[RECORD], "異動区分", f"この人・科目の口座振替は、{now}", row["kind"]))
            continue
        known[key] = (row["from_on"], row["kind"])
    if len(faults) == 1 and rows.height == 1:
        raise RefusedByRule(
            faults[0].says, code="enrolment-order", found=faults[0].found, allowed=faults[0].allowed or None
        )
    if faults:
        raise RefusedFile("", sorted(faults, key=lambda fault: fault.record))


def _ask(
    connection: Connection, rows: pl.DataFrame, told: dict[str, Any], *, reason: str, actor: Actor, clock: Clock
) -> int:
    number = two_people.ask(
        connection,
        ward.debit_enrolment,
        told,
        action="debit.enrol",
        reason=reason,
        detail={"source": told["source"], "rows": rows.height, "sha256": told["sha256"]},
        actor=actor,
        clock=clock,
    )
    columns = ("enrolment_id", "line_number", *COLUMNS)
    numbered = rows.with_columns(enrolment_id=pl.lit(number), line_number=pl.int_range(1, rows.height + 1))
    insert_rows(connection, ward.debit_account, columns, sendable(numbered.select(columns)).iter_rows())
    return number


def approve(home: Home, number: int, *, actor: Actor, clock: Clock) -> dict[str, Any]:
    """依頼の束を承認する。書いた人は承認できない。ここから、引き落とす口座になる。"""
    account = ward.debit_account
    with home.ward.begin() as connection:
        in_turn(connection, "collections")
        query = select(account).where(account.c.enrolment_id == number).order_by(account.c.line_number)
        asked = [dict(row) for row in connection.execute(query).mappings()]
        if asked and not _approved(connection, number):
            rows = pl.DataFrame(asked, schema_overrides=COLUMNS).rename({"line_number": RECORD})
            _refuse_out_of_order(connection, rows)
        row = two_people.approve(
            connection,
            ward.debit_enrolment,
            ward.debit_enrolment_approval,
            number,
            what="口座振替依頼",
            actor=actor,
            clock=clock,
        )
        audit.record(
            connection,
            ward.audit_log,
            at=clock(),
            actor=actor,
            action="debit.enrol.approve",
            subject=f"{number}",
            reason=row["reason"],
            detail={"rows": row["row_count"], "sha256": row["sha256"]},
        )
    return row


def _approved(connection: Connection, number: int) -> bool:
    approval = ward.debit_enrolment_approval
    query = select(approval.c.release_id).where(approval.c.release_id == number)
    return connection.execute(query).first() is not None


def pending(connection: Connection) -> list[dict[str, Any]]:
    """承認を待つ依頼の束と、異動の種類ごとの数。"""
    asked, approval, account = ward.debit_enrolment, ward.debit_enrolment_approval, ward.debit_account
    query = (
        select(asked)
        .join(approval, approval.c.release_id == asked.c.id, isouter=True)
        .where(approval.c.release_id.is_(None))
        .order_by(asked.c.id)
    )
    found = []
    for row in connection.execute(query).mappings():
        kinds = dict.fromkeys(ENROLMENT_KINDS, 0)
        for line in connection.execute(select(account.c.kind).where(account.c.enrolment_id == row["id"])):
            kinds[line.kind] += 1
        found.append({**row, "kinds": kinds})
    return found


def lines(connection: Connection, number: int, most: int) -> list[dict[str, Any]]:
    """依頼の束の、初めの `most` 行（承認する人が見る）。"""
    table = ward.debit_account
    query = select(table).where(table.c.enrolment_id == number).order_by(table.c.line_number).limit(most)
    return [dict(row) for row in connection.execute(query).mappings()]


def history(home: Home, person_number: str, subject: str = "") -> list[dict[str, Any]]:
    """この人の依頼の歴史（新しい順）。承認を待つものも出る。"""
    account, asked, approval = ward.debit_account, ward.debit_enrolment, ward.debit_enrolment_approval
    query = (
        select(account, asked.c.source, asked.c.reason, asked.c.asked_by, approval.c.approved_by)
        .join(asked, asked.c.id == account.c.enrolment_id)
        .join(approval, approval.c.release_id == asked.c.id, isouter=True)
        .where(account.c.person_number == canonical_person(person_number))
        .order_by(account.c.from_on.desc(), account.c.enrolment_id.desc(), account.c.line_number.desc())
    )
    if subject:
        query = query.where(account.c.subject == subject)
    with reading(home.ward) as connection:
        return [dict(row) for row in connection.execute(query).mappings()]
