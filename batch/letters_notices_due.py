"""お知らせ: benefit letters notices-due make / show、給付管理システムで benefit desk letters make"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from batch.context import Context, context, day
from batch.imports import ProgrammeId
from benefit.domain.access import BATCH
from benefit.domain.clock import tokyo_date
from benefit.domain.errors import WrongUse
from benefit.domain.letter import LETTER_KINDS, NOTICE_KINDS

app = typer.Typer(
    no_args_is_help=True, help="支給・不支給の決定、振込不能、返還の督促のお知らせ（一つの出来事に一度だけ）"
)
#: 手紙の番号でも、種類の名でも言える。
_BY_NUMBER = {LETTER_KINDS[kind].number: kind for kind in NOTICE_KINDS}
Kind = Annotated[
    str, typer.Option("--kind", help="、".join(f"{number} {LETTER_KINDS[k].name}" for number, k in _BY_NUMBER.items()))
]
Today = Annotated[str | None, typer.Option(help="今日（YYYY-MM-DD）。発行日になる")]


def _kind(text: str) -> str:
    found = _BY_NUMBER.get(text.upper(), text)
    if found not in NOTICE_KINDS:
        raise WrongUse("この種類のお知らせは作れません", found=text, allowed="、".join(_BY_NUMBER))
    return found


@app.command()
def make(
    ctx: typer.Context,
    kind: Kind,
    out: Annotated[Path, typer.Option(help="組を置くフォルダ")],
    today: Today = None,
    programme: ProgrammeId = "r6-2024",
) -> None:
    """きょう送るべきお知らせを作り、登録する。"""
    make_one(context(ctx), _kind(kind), out=out, today=today, programme=programme)


def make_one(given: Context, kind: str, *, out: Path, today: str | None, programme: str) -> None:
    """作り、数を言う。読んだ数 = 刷った数 + 止めた数。"""
    from letters.notice_run import make_notices

    given.need("ward", "letter")
    on = day(today) if today else tokyo_date(given.clock())
    made = make_notices(given.home, given.home.programme(programme), kind, out=out, issued_on=on, clock=given.clock)
    given.say(
        f"{LETTER_KINDS[kind].name}: 対象 {made.read:,} = 印刷 {made.printed:,} + 止めた {made.held:,}"
        f"（区が直接扱う人 {made.in_ward:,} 通） → {out}"
    )
    if made.closed:
        given.say(f"作らなかった件 {made.closed:,}: {out}/{kind}-closed.csv")
    if made.already:
        given.say(f"前に作ったお知らせ {made.already:,} 通は、作り直していません。")


@app.command()
def show(ctx: typer.Context, kind: Kind, today: Today = None, programme: ProgrammeId = "r6-2024") -> None:
    """きょう送るべきお知らせの数と、作らない件の訳を言う。何も書かない。"""
    from benefit.services.notices_due import who_gets

    given = context(ctx)
    given.need("ward", "letter")
    on = day(today) if today else tokyo_date(given.clock())
    due = who_gets(given.home, given.home.programme(programme), _kind(kind), on)
    given.say(f"{LETTER_KINDS[due.kind].name}: 送るもの {due.letters.height:,}、前に作ったもの {due.already:,}")
    for why, count in due.closed["why"].value_counts(sort=True).iter_rows():
        given.say(f"作らない {count:,} 件: {why}")


#: 委託先で刷る手紙の呼び名。
_DESK_KINDS = {"不備": "deficiency", "勧奨": "reminder"}
desk_app = typer.Typer(no_args_is_help=True, help="委託先で刷る手紙（不備のお知らせ、返送のお願い）")


@desk_app.command("make")
def make_at_desk(
    ctx: typer.Context,
    kind: Annotated[str, typer.Option(help="手紙の種類: " + "、".join(_DESK_KINDS))],
    out: Annotated[Path, typer.Option(help="組を置くフォルダ")],
    today: Today = None,
    by: Annotated[str | None, typer.Option(help="この人の名で作る（合言葉と数字を読む）。なければ夜間処理の名")] = None,
    programme: ProgrammeId = "r6-2024",
) -> None:
    """頼まれてまだ刷っていない手紙を作る。給付管理システムの台帳だけを読む。"""
    from letters.desk_run import make_desk_letters

    given = context(ctx)
    given.need("desk", "letter_due")
    if kind not in _DESK_KINDS:
        raise WrongUse("手紙の種類が違います", found=kind, allowed="、".join(_DESK_KINDS))
    on = day(today) if today else tokyo_date(given.clock())
    actor = given.staff("desk", by) if by else BATCH
    made = make_desk_letters(
        given.home,
        given.home.programme(programme),
        _DESK_KINDS[kind],
        out=out,
        issued_on=on,
        actor=actor,
        clock=given.clock,
    )
    given.say(f"{kind}の手紙: 対象 {made.read:,} = 印刷 {made.printed:,} + 止めた {made.held:,} → {made.folder or out}")
    if made.closed:
        given.say(f"刷らなかった件 {made.closed:,}: {out}")
