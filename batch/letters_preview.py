"""手紙の下見と、同封する紙: benefit letters preview / enclosure"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from batch.context import context, day
from batch.imports import ProgrammeId
from benefit.domain.clock import tokyo_date

Out = Annotated[Path, typer.Option(help="書く PDF")]
IssuedOn = Annotated[str | None, typer.Option(help="発行日（YYYY-MM-DD）")]


class Enclosure(StrEnum):
    """同封する紙。"""

    MOUNT = "mount"
    EXAMPLE = "example"


def add_to(letters: typer.Typer) -> None:
    """benefit letters の下に置く。"""
    letters.command()(preview)
    letters.command()(enclosure)


def preview(
    ctx: typer.Context,
    kind: Annotated[str, typer.Argument(help="手紙の種類（L1 などの番号か、benefit letters words list の名）")],
    out: Out,
    case_number: Annotated[str | None, typer.Option(help="この件の宛名で組む（--by が要る）")] = None,
    by: Annotated[str | None, typer.Option(help="見る職員の ID")] = None,
    blank: Annotated[bool, typer.Option("--blank", help="窓口で渡す白紙の申請書（見本の印なし）")] = False,
    issued_on: IssuedOn = None,
    programme: ProgrammeId = "r6-2024",
) -> None:
    """一通だけを組んで見る。どの頁にも「見本」と刷る。"""
    from benefit.services.files import write_atomic
    from letters.preview import preview as compose

    given = context(ctx)
    actor = None
    if case_number is not None:
        given.need("ward", "letter")
        actor = given.ward_staff(by) if by else None
    on = day(issued_on, "--issued-on") if issued_on else tokyo_date(given.clock())
    pdf = compose(
        given.home,
        given.home.programme(programme),
        kind,
        on,
        case_number=case_number,
        actor=actor,
        clock=given.clock,
        blank=blank,
    )
    write_atomic(out, pdf)
    given.say(f"白紙の様式を書きました: {out}" if blank else f"下見を書きました（見本。印刷には使えません）: {out}")


def enclosure(
    ctx: typer.Context,
    which: Annotated[Enclosure, typer.Argument(help="mount（書類の台紙）か example（確認書の記入例）")],
    out: Out,
    issued_on: IssuedOn = None,
    programme: ProgrammeId = "r6-2024",
) -> None:
    """同封する紙を作る: 番号のない台紙、確認書の記入例。"""
    from benefit.services.files import write_atomic
    from letters import enclosures

    given = context(ctx)
    on = day(issued_on, "--issued-on") if issued_on else tokyo_date(given.clock())
    terms = given.home.programme(programme)
    make = enclosures.blank_mount if which is Enclosure.MOUNT else enclosures.example
    write_atomic(out, make(terms, on, words=given.home.words))
    given.say(f"書きました: {out}")
