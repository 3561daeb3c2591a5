"""給付管理システムから毎日返ってくる進捗情報: benefit desk handback / take / tasks / refusals"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from batch.context import context, day
from batch.imports import ProgrammeId
from benefit.domain.access import BATCH
from benefit.domain.clock import tokyo_date

#: 一覧ごとに、画面に並べる数。
SHOWN = 10


def add_to(app: typer.Typer) -> None:
    """`benefit desk` に命令を足す。"""
    for command in (handback, take, tasks, refusals):
        app.command()(command)


def handback(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option(help="出すフォルダ（空であること）")],
    programme: ProgrammeId = "r6-2024",
) -> None:
    """委託先から: 件の進み、出来事、対応履歴、消した番号を、進捗情報として区へ返す。"""
    from benefit.services import desk_handback

    given = context(ctx)
    given.need("desk", "handback")
    made = desk_handback.make(given.home, given.home.programme(programme).id, out=out, actor=BATCH, clock=given.clock)
    given.say(
        f"進捗情報 連番 {made.sequence}: 件 {made.cases:,}、出来事 {made.events:,}、対応履歴 {made.contacts:,}、"
        f"消した番号 {made.withdrawn:,} 指紋 {made.sha256[:16]}… → {out}"
    )


def take(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="進捗情報のフォルダ")],
    programme: ProgrammeId = "r6-2024",
) -> None:
    """区で: 進捗情報を受け取り、区の台帳と比べる。"""
    from benefit.services import handback_book, handback_take

    given = context(ctx)
    given.need("ward", "desk_handback")
    with given.progress() as bar:
        bar.add_task("進捗情報を確かめています", total=None)
        done = handback_take.take(
            given.home, given.home.programme(programme).id, folder, actor=BATCH, clock=given.clock
        )
    if done.repeated:
        given.say("この進捗情報は、もう受け取ってあります。何も変えません。")
    for line in handback_book.equations(vars(done)):
        given.say(line)
    given.say(
        f"出来事 {done.events_read:,}（新しいもの {done.events_new:,}）、"
        f"対応履歴 {done.contacts_read:,}（新しいもの {done.contacts_new:,}）、"
        f"消した番号 {done.withdrawn_read:,}（新しいもの {done.withdrawn_new:,}）"
    )
    if done.cases_listed or done.cases_vanished:
        given.say("食い違いは benefit desk tasks で見られます。")


def tasks(
    ctx: typer.Context,
    out: Annotated[Path | None, typer.Option(help="一覧（progress.xlsx）を書くフォルダ")] = None,
    today: Annotated[str | None, typer.Option(help="日付（YYYY-MM-DD）")] = None,
    programme: ProgrammeId = "r6-2024",
) -> None:
    """区で: 届いた進捗情報から、区がすること（食い違い、辞退、返戻、送る手紙、死亡の申出、消した証し待ち）。"""
    from benefit.services import handback_book
    from benefit.services.files import write_atomic

    given = context(ctx)
    given.need("ward", "desk_handback")
    chosen = given.home.programme(programme)
    on = day(today) if today else tokyo_date(given.clock())
    if handback_book.counts(given.home, chosen) is None:
        given.say("進捗情報は、まだ届いていません。")
    for name, rows in handback_book.sheets(given.home, chosen, today=on).items():
        given.say(f"{name}: {rows.height:,} 件")
        for row in rows.head(SHOWN).iter_rows():
            given.say("  " + " ".join(str(value) for value in row if value is not None))
    if out is not None:
        made = given.clock()
        path = out / "progress.xlsx"
        write_atomic(path, handback_book.render(given.home, chosen, today=on, made=made))
        given.say(f"→ {path}")


def refusals(
    ctx: typer.Context,
    by: Annotated[str, typer.Option(help="操作する職員の ID（合言葉をたずねる）")],
    programme: ProgrammeId = "r6-2024",
) -> None:
    """区で: 委託先に届いた辞退を、権利の終わりとして申し出る（別の人が benefit ending approve で承認する）。"""
    from benefit.services.handback_propose import propose_refusals

    given = context(ctx)
    given.need("ward", "desk_handback")
    actor = given.ward_staff(by)
    done = propose_refusals(given.home, given.home.programme(programme), actor=actor, clock=given.clock)
    for case_number, number in done.asked.items():
        given.say(f"  申し出 {number}: {case_number}")
    for case_number, why in done.refused.items():
        given.say(f"  申し出られません: {case_number} {why}")
    given.say(f"辞退: 申し出 {len(done.asked):,} 件、申し出られないもの {len(done.refused):,} 件")
