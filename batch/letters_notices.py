"""ほかの課の通知: benefit letters notices make / overdue / sample"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from batch.context import Context, context, day
from benefit.domain.clock import tokyo_date

if TYPE_CHECKING:
    from letters.ledger_notices import LedgerRun
    from letters.notices import NoticeReport

app = typer.Typer(no_args_is_help=True, help="納入通知書・納付書・督促状・催告書（納付書つき）を、印刷のロットにする")
Kind = Annotated[str, typer.Option(help="納入通知書、納付書、督促状、催告書のどれか")]
Out = Annotated[Path, typer.Option(help="組を置くフォルダ")]
IssuedOn = Annotated[str | None, typer.Option(help="発行日（YYYY-MM-DD）")]
Issuer = Annotated[str, typer.Option(help="納付書を出す課（HOME/slip_issuers/<名>.toml）")]
Until = Annotated[str, typer.Option(help="納付書の有効期限（YYYY-MM-DD）")]
By = Annotated[str, typer.Option(help="操作する職員の ID（合言葉をたずねる）")]


def say(given: Context, name: str, report: NoticeReport, out: Path) -> None:
    """読んだ数 = 刷った数 + 止めた数。"""
    if report.already:
        given.say("前に作ったものと同じです。作り直していません。")
    given.say(
        f"{name}: 読込 {report.read:,} = 印刷 {report.printed:,} + 止めた {report.held:,}"
        f"（ロット {len(report.lots):,}） → {out}"
    )
    if report.held:
        given.say(f"  止めた通知の行・項目・理由: {out}/held.csv")
    if report.no_store:
        given.say(f"  コンビニで払えない納付書 {report.no_store:,} 枚（わけは紙に刷りました）")


@app.command()
def make(
    ctx: typer.Context,
    kind: Kind,
    data: Annotated[Path, typer.Option(help="元のデータ（CSV、CP932 か UTF-8。見本: benefit letters notices sample）")],
    out: Out,
    issued_on: IssuedOn = None,
    issuer: Issuer = "insurance",
) -> None:
    """元のデータの一行から一通。形の違う行があれば、行と項目を挙げて、一通も作らない。"""
    from benefit.records import notice_data
    from benefit.services import slip_issuers
    from benefit.services.files import read_input
    from letters import notices, sheet_code

    given = context(ctx)
    chosen = notices.kind_of(kind)
    values = slip_issuers.load(given.home, issuer)
    rows = notice_data.read(read_input(data), file=data.name)
    on = day(issued_on, "--issued-on") if issued_on else tokyo_date(given.clock())
    key = given.home.key(sheet_code.KEY)
    with given.progress() as bar:
        bar.add_task("通知を組んでいます", total=None)
        report = notices.make(
            rows, chosen, values, out=out, issued_on=on, key=key, file=data.name, words=given.home.words
        )
    say(given, kind, report, out)


@app.command()
def sample(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option(help="書くファイル（CSV）")],
    encoding: Annotated[str, typer.Option(help="utf-8 か cp932")] = "cp932",
) -> None:
    """元のデータの見本（見出しと、架空の二行）を書き、列の意味を言う。"""
    from benefit.domain.errors import WrongUse
    from benefit.records import notice_data
    from benefit.services.files import write_atomic

    given = context(ctx)
    if encoding not in ("utf-8", "cp932"):
        raise WrongUse("文字コードが違います", found=encoding[:20], allowed="utf-8、cp932")
    write_atomic(out, notice_data.sample().encode(encoding))
    given.say(notice_data.NOTICE_DATA.markdown())
    given.say(f"見本: {out}")


@app.command()
def overdue(
    ctx: typer.Context,
    kind: Kind,
    until: Until,
    out: Out,
    by: By,
    issued_on: IssuedOn = None,
    issuer: Issuer = "insurance",
) -> None:
    """納期限を過ぎた調定から作る。速報が届いた調定には出さない。督促状は一つの調定に一度だけ。"""
    from benefit.services import dunning
    from letters import ledger_notices, notices

    given = context(ctx)
    given.need("ward", "receivable_notice")
    chosen = notices.kind_of(kind)
    on = day(issued_on, "--issued-on") if issued_on else tokyo_date(given.clock())
    due = dunning.due(given.home, kind, on)
    given.say(
        f"納期限を過ぎた調定 {due.late:,} 件 = {kind} {len(due.wanted):,} 件 + 速報が届いて止めた {due.stopped:,} 件"
        f" + もう出した・まだその時でない {due.other:,} 件"
    )
    if not due.wanted:
        return
    actor, last = given.ward_staff(by), day(until, "--until")
    made = ledger_notices.make(
        given.home, chosen, due.wanted,
        payable_until=last, out=out, issued_on=on, actor=actor, clock=given.clock, issuer=issuer,
    )  # fmt: skip
    told(given, kind, made, out)
    if made.printed:
        done = dunning.sent(
            given.home, kind, made.printed, issued_on=on, folder=out.name, actor=actor, clock=given.clock
        )
        given.say(f"出したことを残しました: 新しく {done:,} 件")


def told(given: Context, name: str, made: LedgerRun, out: Path) -> None:
    """台帳から作った結果を言う。"""
    for number, why in sorted(made.excluded.items()):
        given.say(f"  調定 {number} は作りません: {why}")
    if made.report is not None:
        say(given, name, made.report, out)
