"""封筒に入れる紙と、読み上げのための写し: benefit letters insert / accessible"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from batch.context import context, day
from batch.imports import ProgrammeId
from benefit.domain.clock import tokyo_date
from benefit.domain.letter import LETTER_KINDS

Out = Annotated[Path, typer.Option(help="書く PDF")]
_BY_NUMBER = {kind.number: kind.id for kind in LETTER_KINDS.values()}


def add_to(letters: typer.Typer) -> None:
    """benefit letters の下に置く。"""
    letters.command()(insert)
    letters.command()(accessible)


def insert(
    ctx: typer.Context,
    out: Out,
    made_on: Annotated[str | None, typer.Option(help="作る日（YYYY-MM-DD）。PDF の日付になる")] = None,
    programme: ProgrammeId = "r6-2024",
) -> None:
    """多言語のご案内（七つの言葉、A4 の表と裏）。どの封筒にも同じ一枚を入れる。"""
    from benefit.services.files import write_atomic
    from letters import insert as paper

    given = context(ctx)
    on = day(made_on, "--made-on") if made_on else tokyo_date(given.clock())
    office = given.home.programme(programme).office
    write_atomic(out, paper.render(office, made_on=on, words=paper.load_words(given.home.words)))
    given.say(f"多言語のご案内を書きました: {out}。使う前に、それぞれの言葉を母語とする人が確かめます。")


def accessible(
    ctx: typer.Context,
    case_number: Annotated[str, typer.Argument(help="給付管理番号（11 桁）")],
    out: Out,
    by: Annotated[str, typer.Option(help="作る職員の ID（合言葉をたずねる）")],
    reason: Annotated[str, typer.Option(help="写しを作る訳")],
    kind: Annotated[str | None, typer.Option(help="手紙の番号（L6 など）か種類の名。なければ最後の手紙")] = None,
    today: Annotated[str | None, typer.Option(help="今日（YYYY-MM-DD）")] = None,
    programme: ProgrammeId = "r6-2024",
) -> None:
    """登録してある手紙の、画面読み上げに使える写し（PDF/UA-1）を書く。"""
    from benefit.services.files import write_atomic
    from letters.accessible import copy_of

    given = context(ctx)
    given.need("ward", "letter")
    actor = given.ward_staff(by)
    made, pdf = copy_of(
        given.home,
        given.home.programme(programme),
        case_number,
        kind=_BY_NUMBER.get(kind.upper(), kind) if kind else None,
        today=day(today) if today else tokyo_date(given.clock()),
        reason=reason,
        actor=actor,
        clock=given.clock,
    )
    write_atomic(out, pdf)
    given.say(f"{LETTER_KINDS[made].name}の写し（PDF/UA-1）を書きました: {out}")
