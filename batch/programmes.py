"""給付事業のファイル: benefit programme list / show / check"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from batch.context import context
from benefit.domain.errors import RefusedInput
from benefit.services.files import read_input

app = typer.Typer(no_args_is_help=True, help="給付事業（日付・金額・方針）のファイルを見る・確かめる")


@app.command("list")
def list_(ctx: typer.Context) -> None:
    """使える事業の一覧。"""
    from benefit.domain.programme import Programme

    given = context(ctx)
    table = Table(title="使える給付事業", title_justify="left")
    for heading in ("事業", "名前", "基準日", "給付", "置き場所", "指紋"):
        table.add_column(heading, overflow="fold")
    for programme_id in Programme.known(given.home.programmes):
        programme = given.home.programme(programme_id)
        own = (given.home.programmes / f"{programme_id}.toml").is_file()
        table.add_row(
            programme_id,
            programme.name,
            str(programme.base_date),
            "、".join(f"{benefit.id} {benefit.name}" for benefit in programme.benefits.values()),
            "区の programmes/" if own else "同梱",
            programme.digest[:12],
        )
    given.out.print(table)


@app.command()
def show(ctx: typer.Context, programme_id: Annotated[str, typer.Argument(help="事業")]) -> None:
    """事業の全部の値と、その出典。"""
    from benefit.services.programme_view import rows

    given = context(ctx)
    programme = given.home.programme(programme_id)
    table = Table(title=f"{programme.id}  {programme.name}", title_justify="left")
    for heading in ("項目", "値", "出典"):
        table.add_column(heading, overflow="fold")
    for row in rows(programme):
        table.add_row(*row)
    given.out.print(table)
    given.say(f"指紋 {programme.digest}")


@app.command()
def check(ctx: typer.Context, file: Annotated[Path, typer.Argument(help="事業のファイル（TOML）")]) -> None:
    """置く前のファイルを確かめる。"""
    from benefit.domain.programme import Programme

    given = context(ctx)
    try:
        text = read_input(file).decode("utf-8")
    except UnicodeDecodeError:
        raise RefusedInput(f"{file.name}: UTF-8 の文字として読めません", code="programme-encoding") from None
    programme = Programme.parse(text, file=file.name)
    programme.refuse_shared(given.home.programmes)
    told = f"{programme.id}、{programme.name}、項目 {len(programme.sources)}、指紋 {programme.digest[:12]}"
    given.say(f"{file.name}: 使えます（{told}）")
    if file.name != f"{programme.id}.toml":
        given.say(f"注意: 置くときの名前は {programme.id}.toml です（{given.home.programmes} に置く）")
