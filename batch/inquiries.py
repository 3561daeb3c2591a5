"""情報提供ネットワークシステムの照会と回答: benefit inquiry export / import"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from batch.context import context, day
from batch.imports import AllowRejects, Encoding, ProgrammeId, tell
from benefit.domain.clock import tokyo_date

app = typer.Typer(no_args_is_help=True, help="情報提供ネットワークシステムの照会用データと回答")


class Kind(StrEnum):
    """照会の種類。"""

    tax = "tax"
    account = "account"


@app.command()
def export(
    ctx: typer.Context,
    kind: Annotated[Kind, typer.Argument(help="tax: 課税照会、account: 公金受取口座照会")],
    out: Annotated[Path, typer.Option(help="出すフォルダ")],
    today: Annotated[str | None, typer.Option(help="照会の日（YYYY-MM-DD）")] = None,
    programme: ProgrammeId = "r6-2024",
) -> None:
    """照会用データを出す。"""
    from benefit.services import inquiries

    given = context(ctx)
    given.need("ward", "inquiry")
    on = day(today) if today else tokyo_date(given.clock())
    with given.progress() as bar:
        bar.add_task("照会する人を選んでいます", total=None)
        done = inquiries.export(given.home, given.home.programme(programme), on, kind.value, out=out, clock=given.clock)
    given.say(f"{inquiries.NAMES[kind.value]}: {done.rows:,} 件（新しい照会番号 {done.issued:,} 件） → {done.path}")


@app.command("import")
def import_(
    ctx: typer.Context,
    kind: Annotated[Kind, typer.Argument(help="tax: 課税照会、account: 公金受取口座照会")],
    file: Annotated[Path, typer.Argument(help="回答のファイル（CSV）")],
    encoding: Encoding = None,
    allow_rejects: AllowRejects = 0,
    programme: ProgrammeId = "r6-2024",
) -> None:
    """回答を取り込む。次の build から判定に使われる。"""
    from benefit.services import inquiries

    given = context(ctx)
    given.need("ward", "inquiry")
    done = inquiries.import_answers(
        given.home,
        given.home.programme(programme),
        kind.value,
        file,
        clock=given.clock,
        encoding=encoding,
        allow_rejects=allow_rejects,
    )
    tell(given, done)
