"""支給対象者データベース: benefit beneficiaries build / explain"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from batch.context import Context, context, day
from batch.imports import ProgrammeId
from benefit.domain.clock import tokyo_date
from benefit.domain.errors import WrongUse

app = typer.Typer(no_args_is_help=True, help="支給対象者データベースを作る・説明する")


def build_one(given: Context, *, today: str, programme: str, dry_run: bool, out: Path) -> None:
    """作り、数を言う。"""
    from benefit.services import beneficiaries

    given.need("ward", "run")
    chosen = given.home.programme(programme)
    with given.progress() as bar:
        task = bar.add_task("", total=5)

        def step(name: str) -> None:
            bar.update(task, description=name, advance=1)

        built = beneficiaries.build(
            given.home, chosen, day(today), out=out, clock=given.clock, dry_run=dry_run, step=step
        )
    table = Table(title="支給対象者の判定", title_justify="left")
    for heading, justify in (("給付", "left"), ("判定", "left"), ("件数", "right"), ("金額（円）", "right")):
        table.add_column(heading, justify=justify)  # type: ignore[arg-type]
    counted = built.counts["給付種別と判定"]
    assert isinstance(counted, dict)
    for benefit, verdicts in counted.items():
        for verdict, cell in verdicts.items():
            table.add_row(chosen.benefit_names[benefit], verdict, f"{cell['件数']:,}", f"{cell['金額']:,}")
    given.out.print(table)
    given.say(f"対象 {built.eligible:,} 件 {built.total_yen:,} 円（全 {built.rows:,} 行） → {out}/outcomes.csv")
    if dry_run:
        given.say("試算です。登録はしていません。")
    elif built.repeated:
        given.say("同じ入力の判定が、もう登録されています。何も増えていません。")
    else:
        given.say(f"支給権利: 追加 {built.added:,}、前と同じ {built.same:,}、前と違う {built.differing:,}")
    if built.differing:
        given.say(f"前と違う {built.differing:,} 件は書き換えていません。{out}/differences.csv を確かめてください。")


@app.command()
def build(
    ctx: typer.Context,
    today: Annotated[str, typer.Option(help="判定の日（YYYY-MM-DD）")],
    out: Annotated[Path, typer.Option(help="結果のフォルダ")],
    programme: ProgrammeId = "r6-2024",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="試算だけして、登録しない")] = False,
) -> None:
    """全員を判定し、対象者に給付管理番号を付ける。"""
    build_one(context(ctx), today=today, programme=programme, dry_run=dry_run, out=out)


@app.command()
def explain(
    ctx: typer.Context,
    household: Annotated[str | None, typer.Option(help="世帯番号（10 桁）")] = None,
    person: Annotated[str | None, typer.Option(help="住民番号・宛名番号（10 桁）")] = None,
    today: Annotated[str | None, typer.Option(help="判定の日（なければ、最後に作った時の日）")] = None,
    programme: ProgrammeId = "r6-2024",
) -> None:
    """なぜ対象か、なぜ対象でないかを、検査ごとに、見た値と元の行で言う。"""
    from benefit.services import explain as explaining

    given = context(ctx)
    given.need("ward", "run")
    if (household is None) == (person is None):
        raise WrongUse("--household か --person の、どちらか一つを指定します")
    number = household or person or ""
    if len(number) != 10 or not (number.isascii() and number.isdigit()):
        raise WrongUse("番号は 10 桁の数字です", found=f"{len(number)} 文字")
    chosen = given.home.programme(programme)
    on = day(today) if today else explaining.last_day(given.home, chosen) or tokyo_date(given.clock())
    pages = (
        explaining.household(given.home, chosen, on, int(number))
        if household
        else explaining.person(given.home, chosen, on, int(number))
    )
    for page in pages:
        given.say(page)
