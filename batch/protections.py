"""区が直接扱う人の解除: benefit protection list / release / approve"""

from __future__ import annotations

from typing import Annotated

import typer

from batch.context import context
from batch.imports import ProgrammeId
from benefit.domain.errors import WrongUse

app = typer.Typer(no_args_is_help=True, help="区が直接扱う人の解除（名簿から消えても、二人が解除するまで外へ出さない）")
By = Annotated[str, typer.Option(help="職員の ID")]


@app.command("list")
def list_(ctx: typer.Context, programme: ProgrammeId = "r6-2024") -> None:
    """今の名簿にいないのに、解除されていない人。"""
    from benefit.rules.facts import empty
    from benefit.services import extracts, protections

    given = context(ctx)
    given.need("ward", "protection_release")
    sources = extracts.current_sources(given.home, given.home.programme(programme).levy_year)
    current = extracts.load(given.home, sources["protected"]) if "protected" in sources else empty("protected")
    left = protections.vanished(given.home, current)
    for number in left["person_number"]:
        given.say(f"{number:010d}")
    given.say(f"名簿から消えたが、解除されていない人: {left.height:,} 人（外へは出ません）")


@app.command()
def release(
    ctx: typer.Context,
    person: Annotated[str, typer.Argument(help="住民番号（10 桁）")],
    by: By,
    reason: Annotated[str, typer.Option(help="解除する理由")],
) -> None:
    """解除を申し出る。別の人が承認するまで、何も変わらない。"""
    from benefit.services import protections

    given = context(ctx)
    given.need("ward", "protection_release")
    if len(person) != 10 or not (person.isascii() and person.isdigit()):
        raise WrongUse("住民番号は 10 桁の数字です", found=f"{len(person)} 文字")
    actor = given.ward_staff(by)
    number = protections.ask_release(given.home, int(person), reason=reason, actor=actor, clock=given.clock)
    given.say(f"解除を申し出ました。次: 別の人が benefit protection approve {number} --by ID で承認します。")


@app.command()
def approve(ctx: typer.Context, number: Annotated[int, typer.Argument(help="申し出の番号")], by: By) -> None:
    """解除を承認する。"""
    from benefit.services import protections

    given = context(ctx)
    given.need("ward", "protection_release")
    person = protections.approve_release(given.home, number, actor=given.ward_staff(by), clock=given.clock)
    given.say(f"{person:010d} を解除しました。次の受渡から、ほかの人と同じに扱います。")
