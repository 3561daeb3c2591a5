"""給付管理システムとの受渡: benefit desk export / load / planned（委託先の仕事は batch/desk_work.py）"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from batch.context import context, day
from batch.imports import ProgrammeId
from benefit.domain.access import BATCH
from benefit.domain.clock import tokyo_date

app = typer.Typer(no_args_is_help=True, help="給付管理システムとの受渡と、期限・収受")
Today = Annotated[str | None, typer.Option(help="日付（YYYY-MM-DD）")]


@app.command()
def export(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option(help="出すフォルダ")],
    today: Today = None,
    programme: ProgrammeId = "r6-2024",
) -> None:
    """区から: 外へ出してよい受給者だけを、受渡フォルダに出す。"""
    from benefit.services import desk_export

    given = context(ctx)
    given.need("ward", "handover")
    on = day(today) if today else tokyo_date(given.clock())
    with given.progress() as bar:
        bar.add_task("受渡を作っています", total=None)
        done = desk_export.export(given.home, given.home.programme(programme), out=out, today=on, clock=given.clock)
    same = "（前回と同じ内容）" if done.repeated else ""
    gone = f"、引上げの命令 {done.withdrawn:,} 件" if done.withdrawn else ""
    given.say(f"受渡 連番 {done.sequence}: {done.rows:,} 件{gone}{same} 指紋 {done.sha256[:16]}… → {out}")


@app.command()
def load(ctx: typer.Context, folder: Annotated[Path, typer.Argument(metavar="DIR", help="受渡フォルダ")]) -> None:
    """委託先で: 受渡フォルダを受け入れる。"""
    from benefit.services import desk_load

    given = context(ctx)
    given.need("desk", "load")
    done = desk_load.load(given.home, folder, clock=given.clock)
    if done.repeated:
        given.say("この受渡は、もう受け入れてあります。何も変えません。")
    given.say(f"受入 {done.rows:,} 件: 追加 {done.added:,}、変更 {done.changed:,}、引上げ {done.withdrawn:,}")
    if done.stuck:
        given.say(f"区の進捗と合わない {len(done.stuck):,} 件: {'、'.join(done.stuck[:5])} …区に確かめてください。")


@app.command()
def planned(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option(help="出すフォルダ")],
    today: Today = None,
    programme: ProgrammeId = "r6-2024",
) -> None:
    """委託先から: 払う用意のできた件を、支給予定情報に出す。"""
    from benefit.services import desk_planned

    given = context(ctx)
    given.need("desk", "planned_file")
    on = day(today) if today else tokyo_date(given.clock())
    made = desk_planned.make(
        given.home, given.home.programme(programme).id, out=out, today=on, actor=BATCH, clock=given.clock
    )
    if made is None:
        given.say("支給予定情報に出す件はありません。")
        return
    given.say(f"支給予定情報 {made.file_number}: {made.rows:,} 件 {made.total_yen:,} 円 → {out}")
