"""給付管理システムから毎日返ってくる進捗情報: benefit desk handback / take"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from batch.context import context
from batch.imports import ProgrammeId
from benefit.domain.access import BATCH


def add_to(app: typer.Typer) -> None:
    """`benefit desk` に命令を足す。"""
    app.command()(handback)
    app.command()(take)


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
    from benefit.services import handback_take

    given = context(ctx)
    given.need("ward", "desk_handback")
    done = handback_take.take(given.home, given.home.programme(programme).id, folder, actor=BATCH, clock=given.clock)
    if done.repeated:
        given.say("この進捗情報は、もう受け取ってあります。何も変えません。")
    given.say(
        f"進捗情報 連番 {done.sequence}: 読んだ件 {done.cases_read:,} = 一致 {done.cases_agreed:,} + "
        f"食い違い {done.cases_listed:,}"
    )
    given.say(
        f"渡してある件 {done.cases_given:,} = 読んだ件 {done.cases_read:,} − 渡していない件 {done.cases_strange:,} + "
        f"消えた行 {done.cases_vanished:,}"
    )
    given.say(
        f"出来事 {done.events_read:,}（新しいもの {done.events_new:,}）、"
        f"対応履歴 {done.contacts_read:,}（新しいもの {done.contacts_new:,}）、"
        f"消した番号 {done.withdrawn_read:,}（新しいもの {done.withdrawn_new:,}）"
    )
