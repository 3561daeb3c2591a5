"""委託先が刷る手紙を、給付管理システムの台帳だけから作る: OUT/<種類>-<日>-<回>/。額は載せない。

封入の符号の検査は区の鍵で付けるので、委託先の紙には番号と枚数だけを刷る。
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from benefit.domain.access import Actor
from benefit.domain.clock import Clock
from benefit.domain.deficiency import DEFECTS
from benefit.domain.errors import RefusedByRule
from benefit.domain.letter import DEFICIENCY_NOTICE
from benefit.domain.programme import Programme
from benefit.domain.wareki import wareki
from benefit.services import desk_notices
from benefit.services.files import MANIFEST, write_atomic
from benefit.services.home import Home
from letters import braille
from letters.content import LetterContent
from letters.lots import make_lots
from letters.notice_run import card_sender


@dataclass(frozen=True)
class MadeAtDesk:
    """作った結果。read = printed + held。closed は刷らなかった件（訳は closed.csv）。"""

    read: int
    printed: int
    held: int
    closed: int
    folder: Path | None


def make_desk_letters(
    home: Home, programme: Programme, kind: str, *, out: Path, issued_on: date, actor: Actor, clock: Clock
) -> MadeAtDesk:
    """頼まれてまだ刷っていない `kind`（deficiency か reminder）の手紙を作り、「印刷」を書き足す。

    止めた手紙（字形のない字など）には書き足さないので、直した後の次の回に、また作る。
    """
    due = desk_notices.waiting(home, programme.id, kind, issued_on)
    if due.closed:
        lines = "".join(f"{number},{why}\n" for number, why in due.closed)
        write_atomic(out / f"{due.kind}-closed.csv", f"給付管理番号,理由\n{lines}".encode())
    if not due.letters:
        return MadeAtDesk(0, 0, 0, len(due.closed), None)
    folder = _new_folder(out, due.kind, issued_on)
    contents = [content(due.kind, row, programme, issued_on) for row in due.letters]
    report = make_lots(contents, out=folder, words=home.words)
    done = {number for members in report.members.values() for number, _branch in members}
    rows = {row["case_number"]: row for row in due.letters if row["case_number"] in done}
    readers = [one for one in contents if one.case_number in rows and rows[one.case_number]["braille"]]
    if readers:
        braille.write_run(readers, {key: row["kana_name"] for key, row in rows.items()}, folder, home.words)
    try:
        desk_notices.printed(home, [row["letter_id"] for row in rows.values()], actor=actor, clock=clock)
    except RefusedByRule:
        # 書き足していない紙を、渡せる形で残さない。
        shutil.rmtree(folder)
        raise
    return MadeAtDesk(report.read, report.printed, report.held_letters, len(due.closed), folder)


def _new_folder(out: Path, kind: str, issued_on: date) -> Path:
    number = 1
    while (out / f"{kind}-{issued_on:%Y%m%d}-{number:02d}" / MANIFEST).exists():
        number += 1
    folder = out / f"{kind}-{issued_on:%Y%m%d}-{number:02d}"
    if folder.exists():
        shutil.rmtree(folder)
    return folder


def content(kind: str, row: dict[str, Any], programme: Programme, issued_on: date) -> LetterContent:
    """頼まれた手紙の一つを、紙に刷る事柄にする。"""
    office = programme.office
    own: dict[str, Any] = {"postmark": programme.schedule.deadline_kind == "POSTMARK"}
    if kind == DEFICIENCY_NOTICE:
        own = {
            "values": {
                "received_on": wareki(row["received_on"]) if row["received_on"] else "（窓口・お電話）",
                "defects": tuple(DEFECTS[code].name for code in row["defects"]),
                "to_send": tuple(DEFECTS[code].asks for code in row["defects"]),
            }
        }
    # 勧奨はがきは印刷所に渡るので、方書は事業の切替えに従う。不備のお知らせは委託先の中で刷る。
    shows_address2 = kind == DEFICIENCY_NOTICE or programme.letters.print_address2_outside
    return LetterContent(
        kind=kind,
        case_number=row["case_number"],
        branch=row["branch"],
        postal_code=row["postal_code"],
        address=row["address"],
        address2=(row["address2"] or "") if shows_address2 else "",
        name=row["name"],
        programme_name=programme.name,
        ward_name=office.ward_name,
        office_name=office.office_name,
        phone=office.call_centre_phone,
        issued_on=issued_on,
        due_on=row["due_on"],
        benefit_names=(programme.benefit_names.get(row["benefit"], programme.name),),
        return_to=office.return_to if kind == DEFICIENCY_NOTICE else card_sender(office),
        **own,
    )
