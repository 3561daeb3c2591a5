"""手紙: benefit letters make"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from batch.context import Context, context, day
from batch.imports import ProgrammeId
from benefit.domain.clock import tokyo_date

app = typer.Typer(no_args_is_help=True, help="確認書・支給のお知らせを、印刷のロットにする")


def make_one(given: Context, *, out: Path, issued_on: str | None, programme: str) -> None:
    """作り、数を言う。読んだ数 = 刷った数 + 止めた数。"""
    from letters.mailing import make_letters

    given.need("ward", "letter")
    on = day(issued_on, "--issued-on") if issued_on else tokyo_date(given.clock())
    with given.progress() as bar:
        task = bar.add_task("手紙を組んでいます", total=None)

        def tick(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        made = make_letters(
            given.home, given.home.programme(programme), out=out, issued_on=on, clock=given.clock, tick=tick
        )
    given.say(
        f"手紙: 対象 {made.read:,} = 印刷 {made.printed:,} + 字形がなく止めた {made.held:,}"
        f"（ロット {made.lots:,}、うち区の中で刷る手紙 {made.printed_in_ward:,} 通） → {out}"
    )
    if made.amount_pages:
        given.say(f"額の頁（区の中で刷り、同じ番号の一枚目に合わせる）: {made.amount_pages:,} 枚")
    if made.braille:
        given.say(f"点字の人の手紙: {made.braille:,} 通（区の中で刷る。点字は tenji のフォルダ）")
    if made.without_address2:
        given.say(
            f"方書を刷らない手紙: {made.without_address2:,} 通（事業の print_address2_outside が false。"
            "届かないおそれがあるので、方書を渡してよいかを決めてください）"
        )
    if made.closed:
        given.say(f"関門で止めた権利 {made.closed:,} 件: {out}/closed.csv")
    if made.already:
        given.say(f"前に作った手紙 {made.already:,} 通は、作り直していません。")


@app.command()
def make(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option(help="ロットを置くフォルダ")],
    issued_on: Annotated[str | None, typer.Option(help="発送日（YYYY-MM-DD）")] = None,
    programme: ProgrammeId = "r6-2024",
) -> None:
    """まだ手紙のない対象者の手紙を作る。"""
    make_one(context(ctx), out=out, issued_on=issued_on, programme=programme)


@app.command()
def reissue(
    ctx: typer.Context,
    case_number: Annotated[str, typer.Argument(help="給付管理番号（11 桁）")],
    by: Annotated[str, typer.Option(help="職員の ID")],
    reason: Annotated[str, typer.Option(help="出し直す理由")],
    programme: ProgrammeId = "r6-2024",
) -> None:
    """出し直す: 枝番を進め、古い手紙を無効にする。次の letters make が新しい手紙を作る。"""
    from benefit.services import reissue as again

    given = context(ctx)
    given.need("ward", "reissue")
    actor = given.ward_staff(by)
    branch = again.reissue(
        given.home, given.home.programme(programme), case_number, reason=reason, actor=actor, clock=given.clock
    )
    given.say(f"枝番 {branch} に進めました。古い枝番の手紙は無効です。次: benefit letters make")


@app.command("reissue-ask")
def reissue_ask(
    ctx: typer.Context,
    case_number: Annotated[str, typer.Argument(help="給付管理番号（11 桁）")],
    by: Annotated[str, typer.Option(help="職員の ID")],
    reason: Annotated[str, typer.Option(help="出し直す理由（口座の書き間違いなど）")],
    programme: ProgrammeId = "r6-2024",
) -> None:
    """支給可の判定の後、振込になる前の出し直しを申し出る。別の人が承認するまで、何も変わらない。"""
    from benefit.services import reissue as again

    given = context(ctx)
    given.need("ward", "reissue")
    actor = given.ward_staff(by)
    number = again.ask(
        given.home, given.home.programme(programme), case_number, reason=reason, actor=actor, clock=given.clock
    )
    given.say(f"申し出ました。次: 別の人が benefit letters reissue-approve {number} --by ID で承認します。")


@app.command("reissue-approve")
def reissue_approve(
    ctx: typer.Context,
    number: Annotated[int, typer.Argument(help="申し出の番号")],
    by: Annotated[str, typer.Option(help="承認する職員の ID")],
    programme: ProgrammeId = "r6-2024",
) -> None:
    """申し出を承認して出し直す。前の支給可の判定では、もう払われない。"""
    from benefit.services import reissue as again

    given = context(ctx)
    given.need("ward", "reissue")
    actor = given.ward_staff(by)
    branch = again.approve(given.home, given.home.programme(programme), number, actor=actor, clock=given.clock)
    given.say(f"枝番 {branch} に進めました。前の判定では払われません。次: benefit letters make")
