"""区のお知らせ（L6・L7・L9・L14）を作る: 相手を選び、紙にし、登録する。

    OUT/printer/…   圧着はがき（支給・不支給の決定）。額は、外で刷ってよい決まりのときだけ
    OUT/office/…    区が刷って出す封書
    OUT/ward/…      区が直接扱う人。差出人は、課も給付の名もない住所だけ
    OUT/<種類>-closed.csv   作らなかった件と、その訳

紙を作ってから、一つのトランザクションで登録する。登録する前にもう一度選び直し、変わっていれば紙を捨てる。
"""

from __future__ import annotations

import shutil
import unicodedata
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from benefit.domain.clock import Clock
from benefit.domain.errors import RefusedByRule
from benefit.domain.letter import (
    AWARD_NOTICE,
    DUNNING_LETTER,
    FAILED_TRANSFER_NOTICE,
    LETTER_NAMES,
    REFUSAL_NOTICE,
)
from benefit.domain.programme import Programme
from benefit.domain.wareki import wareki
from benefit.records.bank_master import BankMaster
from benefit.services import bank_master, notices_register
from benefit.services.files import write_atomic
from benefit.services.home import Home
from benefit.services.notices_due import NoticesDue, who_gets
from letters.content import LetterContent
from letters.lots import LotReport, make_lots
from letters.mailing import masked_account, run_number

PLACES = ("printer", "office", "ward")


@dataclass(frozen=True)
class MadeNotices:
    """作った結果。read = printed + held。closed は作らなかった件（訳は closed.csv）、already は前に作った数。"""

    kind: str
    read: int
    printed: int
    held: int
    in_ward: int
    closed: int
    already: int


def make_notices(
    home: Home, programme: Programme, kind: str, *, out: Path, issued_on: date, clock: Clock
) -> MadeNotices:
    """きょうの `kind` のお知らせを `out` に作り、登録する。もう一度頼めば、増えた分だけを作る。

    字形のない字などで止めた紙は登録しないので、直した後の次の回に、また作る。
    """
    due = once_each(who_gets(home, programme, kind, issued_on))
    banks = bank_master.in_use(home)
    reports: dict[str, LotReport] = {}
    folders: dict[str, Path] = {}
    for place in PLACES:
        rows = due.letters.filter(pl.col("place") == place)
        if rows.is_empty():
            continue
        contents = [content(kind, row, programme, issued_on, banks) for row in rows.iter_rows(named=True)]
        folders[place] = (
            out / place / f"{kind}-{issued_on:%Y%m%d}-{run_number(out / place, issued_on, prefix=f'{kind}-'):02d}"
        )
        reports[place] = make_lots(contents, out=folders[place], words=home.words)
    if due.closed.height:
        table = due.closed.select(給付管理番号="case_number", 理由="why")
        write_atomic(out / f"{kind}-closed.csv", table.write_csv().encode())
    try:
        _refuse_changed(home, programme, due, issued_on)
        notices_register.register(
            home,
            due,
            [
                notices_register.MadeLot(place, lot.file, lot.sha256, folders[place], report.members[lot.file])
                for place, report in reports.items()
                for lot in report.lots
            ],
            issued_on=issued_on,
            clock=clock,
        )
    except RefusedByRule:
        # 登録していない紙を、渡せる形で残さない。
        for folder in folders.values():
            shutil.rmtree(folder)
        raise
    return MadeNotices(
        kind,
        due.letters.height,
        sum(report.printed for report in reports.values()),
        sum(report.held_letters for report in reports.values()),
        reports["ward"].printed if "ward" in reports else 0,
        due.closed.height,
        due.already,
    )


def once_each(due: NoticesDue) -> NoticesDue:
    """一回に、一つの権利へは一通まで（二つの出来事があれば、二つ目は次の回に作る）。"""
    return replace(due, letters=due.letters.unique("entitlement_id", keep="first", maintain_order=True))


def _refuse_changed(home: Home, programme: Programme, due: NoticesDue, issued_on: date) -> None:
    now = who_gets(home, programme, due.kind, issued_on).letters
    gone = due.letters.join(now, on=due.letters.columns, how="anti", nulls_equal=True)
    if gone.height:
        raise RefusedByRule(
            f"紙を組んでいる間に、{gone.height} 件の事実か登録が変わりました。組んだ紙は捨てました。"
            "もう一度実行してください",
            code="changed-meanwhile",
        )


def sender(programme: Programme, place: str) -> dict[str, Any]:
    """差出人の欄。区が直接扱う人の紙には、課の名を書かず、返送先も中立の住所だけにする（F.3）。"""
    office = programme.office
    if place == "ward":
        return {"ward_name": office.ward_name, "office_name": "", "return_to": (programme.letters.neutral_sender,)}
    where = f"{office.return_to[0]} {office.return_to[1]}"
    return {
        "ward_name": office.ward_name,
        "office_name": office.office_name,
        "return_to": (where, f"{office.ward_name} {office.office_name}"),
    }


def content(kind: str, row: dict[str, Any], programme: Programme, issued_on: date, banks: BankMaster) -> LetterContent:
    """お知らせの相手の一行を、紙に刷る事柄にする。"""
    terms = programme.letters
    outside = row["place"] == "printer"
    shows_address2 = not outside or terms.print_address2_outside
    return LetterContent(
        kind=kind,
        case_number=row["case_number"],
        branch=row["branch"],
        postal_code=row["postal_code"],
        address=row["address"],
        address2=(row["address2"] or "") if shows_address2 else "",
        name=row["addressee"] or row["name"],
        programme_name=programme.name,
        phone=programme.office.call_centre_phone,
        issued_on=issued_on,
        benefit_names=(programme.benefit_names[row["benefit"]],),
        **sender(programme, row["place"]),
        **_own(kind, row, programme, banks, shows_amount=not outside or terms.print_amount_outside),
    )


def _own(
    kind: str, row: dict[str, Any], programme: Programme, banks: BankMaster, *, shows_amount: bool
) -> dict[str, Any]:
    if kind == AWARD_NOTICE:
        return {
            "account_flag": row["account_flag"],
            "masked_account": masked_account(row, banks) if row["account_flag"] == "2" else None,
            "planned_transfer_on": row["pay_date"],
            "amount_yen": row["amount_yen"] if shows_amount else None,
            "values": {
                "decided_on": wareki(row["decided_on"]),
                # 全銀の半角カナなので、紙では全角にする（人の氏名には決してしない変換）。
                "payer_kana": unicodedata.normalize("NFKC", programme.transfer.consignor_name_kana),
            },
        }
    if kind == REFUSAL_NOTICE:
        return {"values": {"decided_on": wareki(row["decided_on"]), "reason": row["reason"]}}
    if kind == FAILED_TRANSFER_NOTICE:
        sent = wareki(row["transferred_on"]) if row["transferred_on"] else "（日は、お電話でお答えします）"
        return {"due_on": row["due_on"], "values": {"transferred_on": sent, "reason": row["reason"]}}
    assert kind == DUNNING_LETTER, LETTER_NAMES[kind]
    return {
        "due_on": row["due_on"],
        "amount_yen": row["amount_yen"],
        "values": {
            "demand": row["demand"],
            "slip": row["slip"],
            "first_due": wareki(row["first_due"], weekday=True),
            "counted_on": wareki(row["counted_on"], weekday=True),
        },
    }
