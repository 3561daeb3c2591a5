"""区のお知らせ（L6・L7・L9・L14）を作る: 相手を選び、紙にし、登録する。

    OUT/printer/<種類>-<日>-<回>/      圧着はがき（支給・不支給の決定）。額は、外で刷ってよい決まりのときだけ
    OUT/ward/office-<種類>-<日>-<回>/  区が刷って出すふつうの封書
    OUT/ward/<種類>-<日>-<回>/         区が直接扱う人。差出人は、課も給付の名もない住所だけ
    OUT/ward/braille-<種類>-…/         点字の人（点字の BRF を添える）
    OUT/<種類>-closed.csv              作らなかった件と、その訳

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
from sqlalchemy import select

from benefit.domain.clock import Clock
from benefit.domain.errors import RefusedByRule
from benefit.domain.letter import (
    AWARD_NOTICE,
    DUNNING_LETTER,
    FAILED_TRANSFER_NOTICE,
    LETTER_KINDS,
    LETTER_NAMES,
    REFUSAL_NOTICE,
)
from benefit.domain.programme import Programme
from benefit.domain.programme_parts import OfficeTerms
from benefit.domain.wareki import wareki
from benefit.services import notices_register
from benefit.services.files import MANIFEST, write_atomic
from benefit.services.home import Home
from benefit.services.mailing_lots import LotState
from benefit.services.notices_due import NoticesDue, who_gets
from benefit.services.notices_made import base
from benefit.store import ward
from benefit.store.engine import reading
from letters import braille
from letters.content import LetterContent
from letters.contents import BRAILLE, PRINTER, WARD, Making, masked_account, neutral_sender
from letters.lots import LotReport, make_lots
from letters.mailing import making_of
from letters.sheets import sheets_folder

OFFICE = "office"
PLACES = (PRINTER, OFFICE, WARD, BRAILLE)


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
    making = making_of(home, programme, issued_on)
    reports: dict[str, LotReport] = {}
    folders: dict[str, Path] = {}
    for place in PLACES:
        rows = {row["case_number"]: row for row in due.letters.filter(pl.col("place") == place).iter_rows(named=True)}
        if not rows:
            continue
        contents = [content(kind, row, making) for row in rows.values()]
        folder = folders[place] = _new_folder(out, place, kind, issued_on)
        reports[place] = make_lots(contents, out=folder, words=home.words, sheets=sheets_folder(folder))
        printed = {number for members in reports[place].members.values() for number, _ in members}
        readers = [one for one in contents if rows[one.case_number]["braille"] and one.case_number in printed]
        if readers:
            braille.write_run(readers, {key: row["kana_name"] for key, row in rows.items()}, folder, home.words)
    if due.closed.height:
        table = due.closed.select(給付管理番号="case_number", 理由="why")
        write_atomic(out / f"{kind}-closed.csv", table.write_csv().encode())
    try:
        _refuse_changed(home, programme, due, issued_on)
        notices_register.register(
            home,
            due,
            [
                notices_register.MadeLot(place, lot.file, lot.sha256, folders[place].name, report.members[lot.file])
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
            shutil.rmtree(sheets_folder(folder), ignore_errors=True)
        raise
    return MadeNotices(
        kind,
        due.letters.height,
        sum(report.printed for report in reports.values()),
        sum(report.held_letters for report in reports.values()),
        reports[WARD].printed if WARD in reports else 0,
        due.closed.height,
        due.already,
    )


def _new_folder(out: Path, place: str, kind: str, issued_on: date) -> Path:
    """同じ日の何回目かのフォルダ。書きかけ（manifest なし）の回は、やり直す。"""
    parent = out / (PRINTER if place == PRINTER else WARD)
    head = "" if place in (PRINTER, WARD) else f"{place}-"
    number = 1
    while (parent / f"{head}{kind}-{issued_on:%Y%m%d}-{number:02d}" / MANIFEST).exists():
        number += 1
    folder = parent / f"{head}{kind}-{issued_on:%Y%m%d}-{number:02d}"
    if folder.exists():
        shutil.rmtree(folder)
    return folder


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


def rows_of(home: Home, programme: Programme, lot: LotState, members: pl.DataFrame, on: date) -> list[dict[str, Any]]:
    """組に残る手紙の、いまの行（組の中の順）。letters.remake のため。`members` は mailing_lots.letters_in。"""
    due = who_gets(home, programme, lot.kind, on, again=True).letters
    letter = ward.letter
    with reading(home.ward) as connection:
        query = select(letter.c.entitlement_id, letter.c.occasion, letter.c.due_on).where(
            letter.c.id.in_(members["letter_id"].to_list())
        )
        told = {row.entitlement_id: row for row in connection.execute(query)}
    head = lot.folder.split("-")[0]
    place = PRINTER if lot.place == PRINTER else head if head in (OFFICE, BRAILLE) else WARD
    found = {
        row["entitlement_id"]: row | {"place": place, "due_on": told[row["entitlement_id"]].due_on}
        for row in due.iter_rows(named=True)
        if row["entitlement_id"] in told and row["occasion"] == base(told[row["entitlement_id"]].occasion)
    }
    return [found[number] for number in members["id"] if number in found]


def sender(programme: Programme, kind: str, place: str) -> dict[str, Any]:
    """差出人の欄。区が直接扱う人の紙では、差出人も返送先も、課も給付の名もない住所だけにする（F.3）。"""
    office = programme.office
    if place == WARD:
        return {"sender": neutral_sender(programme), "return_to": (programme.letters.neutral_sender,)}
    if LETTER_KINDS[kind].form == "A4":
        return {"return_to": office.return_to}
    return {"return_to": card_sender(office)}


def card_sender(office: OfficeTerms) -> tuple[str, str]:
    """はがきの外の面の差出人: 住所と、区の名と課。"""
    return f"{office.return_to[0]} {office.return_to[1]}", f"{office.ward_name} {office.office_name}"


def content(kind: str, row: dict[str, Any], making: Making) -> LetterContent:
    """お知らせの相手の一行を、紙に刷る事柄にする。外で刷る紙の額と方書は、事業の切替えに従う。"""
    programme, inside = making.programme, row["place"] != PRINTER
    terms = programme.letters
    return LetterContent(
        kind=kind,
        case_number=row["case_number"],
        branch=row["branch"],
        postal_code=row["postal_code"],
        address=row["address"],
        address2=(row["address2"] or "") if inside or terms.print_address2_outside else "",
        name=row["addressee"] or row["name"],
        payee_name=row["name"] if row["addressee"] else "",
        programme_name=programme.name,
        ward_name=programme.office.ward_name,
        office_name=programme.office.office_name,
        phone=programme.office.call_centre_phone,
        issued_on=making.issued_on,
        benefit_names=(programme.benefit_names[row["benefit"]],),
        sheet_codes=(making.sheet_code(row | {"kind": kind}, 1, 1).digits,),
        **sender(programme, kind, row["place"]),
        **_own(kind, row, making, shows_amount=inside or terms.print_amount_outside),
    )


def _own(kind: str, row: dict[str, Any], making: Making, *, shows_amount: bool) -> dict[str, Any]:
    if kind == AWARD_NOTICE:
        return {
            "account_flag": row["account_flag"],
            "masked_account": masked_account(row, making.banks) if row["account_flag"] == "2" else None,
            "planned_transfer_on": row["pay_date"],
            "amount_yen": row["amount_yen"] if shows_amount else None,
            "values": {
                "decided_on": wareki(row["decided_on"]),
                # 全銀の半角カナなので、紙では全角にする（人の氏名には決してしない変換）。
                "payer_kana": unicodedata.normalize("NFKC", making.programme.transfer.consignor_name_kana),
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
