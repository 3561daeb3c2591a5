"""一通ずつ作る手紙: 職員が番号と値を言い、区が刷って出す一通を作り、登録する。

    OUT/ward/single-<種類>-<番号の下 4 桁>-<日>-<回>/   一通の組（manifest、封入の符号の一覧は out/ward/sheets）

申請書（L3・L4）は、まだ権利のない申請なので、手紙の台帳には載せない。どの一通も、誰がなぜ作ったかが監査ログに残る。
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from benefit.domain.access import Actor
from benefit.domain.clock import Clock
from benefit.domain.errors import RefusedByRule, RefusedInput, WrongUse
from benefit.domain.letter import (
    ADDRESS_CHANGE_NOTICE,
    BENEFITS,
    CHILD_CLAIM_FORM,
    CLAIM_FORM,
    CONDITIONS,
    FIELD_NAMES,
    HEIR_FORM,
    LETTER_KINDS,
)
from benefit.domain.programme import Programme
from benefit.services import notices_register, two_people
from benefit.services.files import MANIFEST
from benefit.services.home import Home
from benefit.services.notices_due import NoticesDue
from benefit.services.single_letters import Recipient, choose
from benefit.store import audit, ward
from letters.content import LetterContent, Value
from letters.contents import Making, conditions
from letters.holding import reasons_to_hold
from letters.lots import LotReport, make_lots
from letters.mailing import making_of
from letters.notice_run import sender
from letters.sample import benefit_of, dates_of
from letters.sheets import sheets_folder


@dataclass(frozen=True)
class MadeSingle:
    """作った一通。"""

    kind: str
    case_number: str
    folder: Path


def make_single(
    home: Home,
    programme: Programme,
    kind: str,
    case_number: str,
    values: Mapping[str, Value],
    *,
    reason: str,
    out: Path,
    issued_on: date,
    actor: Actor,
    clock: Clock,
    to: Recipient | None = None,
) -> MadeSingle:
    """一通を作って登録する。`values` は、台帳から分からない値だけ（LETTER_KINDS[kind].fields）。

    断り: 相手を選べない（single_letters.choose）、値の過不足、刷れない字、組んでいる間に事実が変わった。
    """
    two_people.need_clerk(actor)
    reason = two_people.need_reason(reason)
    row = choose(home, programme, kind, case_number, issued_on, actor=actor, to=to)
    letter = content(kind, row, values, making_of(home, programme, issued_on))
    if reasons := reasons_to_hold(letter):
        why = "、".join(f"{one.field}: {one.reason} {' '.join(one.code_points)}".strip() for one in reasons)
        raise RefusedInput("この手紙は刷れません", code="held-letter", found=why)
    folder = _new_folder(out / "ward", f"single-{kind}-{case_number[-4:]}-{issued_on:%Y%m%d}")
    report = make_lots([letter], out=folder, words=home.words, sheets=sheets_folder(folder))
    try:
        _refuse_changed(row, choose(home, programme, kind, case_number, issued_on, actor=actor, to=to))
        if LETTER_KINDS[kind].registered:
            _register(home, kind, row, report, folder, issued_on, clock)
    except RefusedByRule:
        # 登録していない紙を、渡せる形で残さない。
        shutil.rmtree(folder)
        shutil.rmtree(sheets_folder(folder), ignore_errors=True)
        raise
    with home.ward.begin() as connection:
        audit.record(
            connection,
            ward.audit_log,
            at=clock(),
            actor=actor,
            action="letters.single",
            subject=case_number,
            reason=reason,
            detail={"kind": kind, "occasion": row["occasion"], "sha256": report.lots[0].sha256},
        )
    return MadeSingle(kind, case_number, folder)


def content(kind: str, row: Mapping[str, Any], values: Mapping[str, Value], making: Making) -> LetterContent:
    """相手の一行と、職員の言った値から。台帳から分かる値（亡くなった方の名など）は、打たせない。"""
    programme, letter = making.programme, LETTER_KINDS[kind]
    known = _known(kind, row, programme)
    if typed := [name for name in values if name in known]:
        raise WrongUse(
            "台帳から分かる値は、打てません", code="known-value", found="、".join(FIELD_NAMES[name] for name in typed)
        )
    benefit = benefit_of(kind, programme) if kind in (CLAIM_FORM, CHILD_CLAIM_FORM) else row["benefit"]
    coded = dict(row) | {"kind": kind}
    return LetterContent(
        kind=kind,
        case_number=row["case_number"],
        branch=row["branch"],
        postal_code=row["postal_code"],
        address=row["address"],
        address2=row["address2"],
        name=row["addressee"] or row["payee_name"],
        programme_name=programme.name,
        ward_name=programme.office.ward_name,
        office_name=programme.office.office_name,
        phone=programme.office.call_centre_phone,
        issued_on=making.issued_on,
        due_on=row["due_on"],
        postmark=programme.schedule.deadline_kind == "POSTMARK",
        benefit_names=(programme.benefit_names[benefit],) if BENEFITS in letter.common else (),
        conditions=conditions(kind, benefit, programme) if CONDITIONS in letter.common else (),
        values={**known, **values},
        sheets=letter.sheets,
        sheet_codes=tuple(
            making.sheet_code(coded, number, letter.sheets).digits for number in range(1, letter.sheets + 1)
        ),
        **_sender(programme, kind, row["place"]),
    )


def _refuse_changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    if before != now:
        raise RefusedByRule("手紙を組んでいる間に、事実か登録が変わりました。捨てました", code="changed-meanwhile")


def _sender(programme: Programme, kind: str, place: str) -> dict[str, Any]:
    """差出人。ふつうの封書の返送先は、三行そのまま（返してもらう届がある）。"""
    found = sender(programme, kind, place)
    return found if "sender" in found else {"return_to": programme.office.return_to}


def _known(kind: str, row: Mapping[str, Any], programme: Programme) -> dict[str, Value]:
    if kind in (CLAIM_FORM, CHILD_CLAIM_FORM):
        return dates_of(kind, programme)
    if kind == HEIR_FORM:
        return {"deceased_name": row["payee_name"]}
    return {"beneficiary_name": row["payee_name"]} if kind == ADDRESS_CHANGE_NOTICE else {}


def _new_folder(parent: Path, head: str) -> Path:
    """同じ日の何回目か。書きかけ（manifest なし）の回は、やり直す。"""
    number = 1
    while (parent / f"{head}-{number:02d}" / MANIFEST).exists():
        number += 1
    folder = parent / f"{head}-{number:02d}"
    if folder.exists():
        shutil.rmtree(folder)
    return folder


def _register(
    home: Home, kind: str, row: Mapping[str, Any], report: LotReport, folder: Path, issued_on: date, clock: Clock
) -> None:
    # 期限のない手紙（お詫び、送付先変更）では、台帳の期限は発行日とする。
    frame = pl.DataFrame([{**row, "due_on": row["due_on"] or issued_on}])
    lot = report.lots[0]
    made = notices_register.MadeLot("ward", lot.file, lot.sha256, folder.name, report.members[lot.file])
    due = NoticesDue(kind, frame, pl.DataFrame(), 0)
    notices_register.register(home, due, [made], issued_on=issued_on, clock=clock)
