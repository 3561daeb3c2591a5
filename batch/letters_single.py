"""一通ずつ作る手紙: benefit letters single"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from batch.context import context, day
from batch.imports import ProgrammeId
from benefit.domain.clock import tokyo_date
from benefit.domain.errors import WrongUse
from benefit.domain.letter import FIELD_NAMES, LETTER_KINDS


def add_to(letters: typer.Typer) -> None:
    """benefit letters の下に置く。"""
    letters.command()(single)


def single(
    ctx: typer.Context,
    kind: Annotated[str, typer.Argument(help="手紙の種類（L3、L4、L11、L15、L17）")],
    case_number: Annotated[str, typer.Argument(help="給付管理番号（11 桁）")],
    by: Annotated[str, typer.Option(help="職員の ID")],
    reason: Annotated[str, typer.Option(help="この手紙を送る理由")],
    out: Annotated[Path, typer.Option(help="組を置くフォルダ")],
    value: Annotated[list[str] | None, typer.Option(help="この手紙の値（「誤=新宿支店」のように、何度でも）")] = None,
    to_name: Annotated[str, typer.Option(help="相続人の氏名（L11 だけ）")] = "",
    to_postal_code: Annotated[str, typer.Option(help="相続人の郵便番号（7 桁）")] = "",
    to_address: Annotated[str, typer.Option(help="相続人の住所")] = "",
    to_address2: Annotated[str, typer.Option(help="相続人の方書")] = "",
    issued_on: Annotated[str | None, typer.Option(help="発行日（YYYY-MM-DD）")] = None,
    programme: ProgrammeId = "r6-2024",
) -> None:
    """一通を作り、登録する。宛先は台帳のもので、打ち込めるのは相続人だけである。"""
    from benefit.services.single_letters import Recipient
    from letters.single import make_single

    given = context(ctx)
    given.need("ward", "letter")
    actor = given.ward_staff(by)
    by_number = {one.number: one.id for one in LETTER_KINDS.values()}
    to = Recipient(to_name, to_postal_code.replace("-", ""), to_address, to_address2) if to_name else None
    made = make_single(
        given.home,
        given.home.programme(programme),
        by_number.get(kind.upper(), kind),
        case_number,
        _values(value or []),
        reason=reason,
        out=out,
        issued_on=day(issued_on, "--issued-on") if issued_on else tokyo_date(given.clock()),
        actor=actor,
        clock=given.clock,
        to=to,
    )
    given.say(f"{LETTER_KINDS[made.kind].name}を作りました: {made.folder}")


def _values(typed: list[str]) -> dict[str, str]:
    """「誤=新宿支店」の並びから。項目は日本語の名でも、コードの名でもよい。"""
    keys = {name: key for key, name in FIELD_NAMES.items()} | {key: key for key in FIELD_NAMES}
    values = {}
    for one in typed:
        name, equals, text = one.partition("=")
        if not equals or name not in keys or keys[name] in values:
            raise WrongUse(
                "値は「項目=文」の形で、一項目に一つです（--value）",
                found=name[:20],
                allowed="、".join(FIELD_NAMES.values()),
            )
        values[keys[name]] = text
    return values
