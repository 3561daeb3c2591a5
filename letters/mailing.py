"""手紙を作る: 相手を選び、紙にし、登録する。

外で刷るもの（out/printer）と、区の中で刷るもの（out/ward）は、はじめから別のフォルダである。外の紙には、
金額も子の名も載せない（benefit-rules F.2-2、既定で切）。
"""

from __future__ import annotations

import shutil
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from benefit.domain.clock import Clock
from benefit.domain.errors import RefusedByRule, RefusedInput
from benefit.domain.programme import Programme
from benefit.records.bank_master import BankMaster
from benefit.services import bank_master
from benefit.services.files import write_atomic
from benefit.services.home import Home
from benefit.services.mailing import MadeLot, Mailing, refuse_changed, register_lots, who_gets_letters
from letters.content import LetterContent
from letters.glyphs import missing
from letters.lots import LotReport, make_lots

PLACES = ("printer", "ward")


@dataclass(frozen=True)
class Made:
    """手紙を作った結果。read = printed + held。"""

    read: int
    printed: int
    held: int
    lots: int
    printed_in_ward: int
    closed: int
    already: int


def make_letters(
    home: Home,
    programme: Programme,
    *,
    out: Path,
    issued_on: date,
    clock: Clock,
    tick: Callable[[int, int], None] = lambda _done, _total: None,
) -> Made:
    """まだ手紙のない権利の手紙を `out` に作り、登録する。

    紙を作ってから、一つのトランザクションで登録する。途中で止まれば登録はなく、同じコマンドが続きから
    やり直して、同じバイト列を作る。
    """
    mailing = who_gets_letters(home, programme, issued_on)
    banks = bank_master.in_use(home)
    reports: dict[str, LotReport] = {}
    total = mailing.letters.height
    folders: list[Path] = []
    done = 0
    for place in PLACES:
        contents = [
            content(row, programme, issued_on, banks)
            for row in mailing.letters.filter(mailing.letters["place"] == place).iter_rows(named=True)
        ]
        if not contents:
            continue
        before = done

        def progress(count: int, _of: int, before: int = before) -> None:
            tick(before + count, total)

        folder = out / place / f"{issued_on:%Y%m%d}-{run_number(out / place, issued_on):02d}"
        folders.append(folder)
        reports[place] = make_lots(contents, out=folder, words=home.words, progress=progress)
        done += len(contents)
    if mailing.closed.height:
        write_atomic(
            out / "closed.csv", mailing.closed.select(給付管理番号="case_number", 理由="why").write_csv().encode()
        )
    try:
        refuse_changed(home, programme, mailing, issued_on)
        _register(home, mailing, reports, issued_on, clock)
    except RefusedByRule:
        # 登録していない手紙を、印刷所に渡せる形で残さない。
        for folder in folders:
            shutil.rmtree(folder)
        raise
    held = sum(report.held_letters for report in reports.values())
    return Made(
        total,
        sum(report.printed for report in reports.values()),
        held,
        sum(len(report.lots) for report in reports.values()),
        reports["ward"].printed if "ward" in reports else 0,
        mailing.closed.height,
        mailing.already,
    )


def run_number(folder: Path, issued_on: date, *, prefix: str = "") -> int:
    """同じ日の何回目か。書きかけ（manifest なし）の回は、やり直す。"""
    number = 1
    while (folder / f"{prefix}{issued_on:%Y%m%d}-{number:02d}" / "manifest.json").exists():
        number += 1
    unfinished = folder / f"{prefix}{issued_on:%Y%m%d}-{number:02d}"
    if unfinished.exists():
        shutil.rmtree(unfinished)
    return number


_ACCOUNT_TYPES = {"1": "普通", "2": "当座", "4": "貯蓄"}


def masked_account(row: dict[str, Any], banks: BankMaster) -> str:
    """過去の口座の姿: 銀行と店の名、種目、口座番号の下三桁。名が表になければ、名を書かない。"""
    branch = banks.find(row["bank_code"], row["branch_code"])
    # 銀行と店の名は全銀の半角カナなので、紙では全角にする（人の氏名には決してしない変換）。
    names = unicodedata.normalize("NFKC", f"{branch.bank_name} {branch.branch_name}") if branch else "登録の口座"
    return f"{names} {_ACCOUNT_TYPES[row['account_type']]} ****{row['account_number'][-3:]}"


def conditions(kind: str, benefit: str, programme: Programme) -> tuple[str, ...]:
    """この給付の手紙で、確かめていただく文。差出人の名を入れ、書体にない字は断る。"""
    terms = programme.conditions[programme.slot_kinds[benefit]]
    texts = terms.wrong_when if kind == "push_notice" else terms.declarations
    filled = tuple(text.replace("{ward}", programme.office.ward_name) for text in texts)
    if lacking := missing("".join(filled)):
        raise RefusedInput(
            f"{programme.id}.toml: 手紙の文（conditions）に書体にない字があります",
            code="words-glyph",
            found="、".join(lacking),
        )
    return filled


def content(row: dict[str, Any], programme: Programme, issued_on: date, banks: BankMaster) -> LetterContent:
    """手紙の相手の一行を、紙に刷る事柄にする。"""
    masked = None
    if row["kind"] == "push_notice" and row["account_flag"] == "2":
        masked = masked_account(row, banks)
    return LetterContent(
        kind=row["kind"],
        postmark=row["kind"] != "push_notice" and programme.schedule.deadline_kind == "POSTMARK",
        conditions=conditions(row["kind"], row["benefit"], programme),
        case_number=row["case_number"],
        branch=row["branch"],
        postal_code=row["postal_code"],
        address=row["address"],
        address2=row["address2"] or "",
        name=row["name"],
        programme_name=programme.name,
        ward_name=programme.office.ward_name,
        office_name=programme.office.office_name,
        phone=programme.office.call_centre_phone,
        return_to=programme.office.return_to,
        issued_on=issued_on,
        due_on=row["due_on"],
        benefit_names=(programme.benefit_names[row["benefit"]],),
        account_flag=row["account_flag"],
        masked_account=masked,
    )


def _register(home: Home, mailing: Mailing, reports: dict[str, LotReport], issued_on: date, clock: Clock) -> None:
    lots, held = [], {}
    for place, report in reports.items():
        for lot in report.lots:
            numbers = [number for number, _branch in report.members[lot.file]]
            lots.append(MadeLot(place, lot.kind, lot.file, lot.sha256, numbers))
        for one in report.held:
            held[one.case_number] = f"{one.field}: {one.reason} {' '.join(one.code_points)}".strip()
    register_lots(home, mailing, lots, held, issued_on=issued_on, clock=clock)
