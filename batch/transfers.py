"""振込: benefit transfer make / approve / release / cancel / results / failures / show"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from batch.context import Context, context, day
from batch.imports import ProgrammeId
from benefit.domain.clock import tokyo_date
from benefit.domain.errors import WrongUse

app = typer.Typer(no_args_is_help=True, help="振込ファイルを作る・承認する・送り出す・結果を入れる")
By = Annotated[str, typer.Option(help="操作する職員の ID（合言葉をたずねる）")]
Number = Annotated[int, typer.Argument(help="振込の番号")]


def describe(given: Context, transfer: object) -> None:
    """件数・合計・最大一件・指紋を、いつも一緒に言う（阿武町の事例）。"""
    from benefit.services.transfers import APPROVALS_NEEDED, Transfer

    assert isinstance(transfer, Transfer)
    state = "送り出し済" if transfer.released else f"承認 {len(transfer.approvers)} / {APPROVALS_NEEDED} 人"
    given.say(
        f"振込 {transfer.id}: {transfer.pay_date} {transfer.line_count:,} 件 {transfer.total_yen:,} 円"
        f"（最大の一件 {transfer.largest_yen:,} 円）指紋 {transfer.sha256[:16]}… {state}"
    )


@app.command()
def make(
    ctx: typer.Context,
    pay_date: Annotated[str, typer.Option(help="振込指定日（YYYY-MM-DD、銀行営業日）")],
    by: By,
    today: Annotated[str | None, typer.Option(help="作る日（YYYY-MM-DD）")] = None,
    programme: ProgrammeId = "r6-2024",
) -> None:
    """支給可の行から、全銀の総合振込ファイルを作る。"""
    from benefit.services import bank_master, transfers

    given = context(ctx)
    actor = given.ward_staff(by)
    banks, on = bank_master.in_use(given.home), day(today) if today else tokyo_date(given.clock())
    made = transfers.make(
        given.home,
        given.home.programme(programme),
        pay_date=day(pay_date, "--pay-date"),
        today=on,
        bank_master=banks,
        actor=actor,
        clock=given.clock,
    )
    if made is None:
        given.say("振り込む行はありません（支給可で、まだ振込になっていない行がない）。")
        return
    describe(given, made)
    for line in bank_master.told(banks, on):
        given.say(line)
    given.say(f"次: 別の二人が benefit transfer approve {made.id} --by ID で承認します。")


@app.command()
def approve(ctx: typer.Context, number: Number, by: By, programme: ProgrammeId = "r6-2024") -> None:
    """ファイルを読み直し、台帳と比べ、指紋を承認する。"""
    from benefit.services import bank_master, transfers

    given = context(ctx)
    actor = given.ward_staff(by)
    describe(
        given,
        transfers.approve(
            given.home,
            given.home.programme(programme),
            number,
            bank_master=bank_master.in_use(given.home),
            actor=actor,
            clock=given.clock,
        ),
    )


@app.command()
def release(
    ctx: typer.Context,
    number: Number,
    by: By,
    out: Annotated[Path, typer.Option(help="銀行に渡すファイルを置くフォルダ")],
    programme: ProgrammeId = "r6-2024",
) -> None:
    """二人が承認したファイルを送り出す。"""
    from benefit.services import bank_master, transfers

    given = context(ctx)
    actor = given.ward_staff(by)
    done = transfers.release(
        given.home,
        given.home.programme(programme),
        number,
        out=out,
        bank_master=bank_master.in_use(given.home),
        actor=actor,
        clock=given.clock,
    )
    describe(given, done)
    given.say(f"銀行に渡すファイル: {out / done.path.name}")


@app.command()
def cancel(
    ctx: typer.Context, number: Number, by: By, reason: Annotated[str, typer.Option(help="取り消す理由")]
) -> None:
    """送り出す前のファイルを取り消す。"""
    from benefit.services import transfers

    given = context(ctx)
    actor = given.ward_staff(by)
    count = transfers.cancel(given.home, number, reason=reason, actor=actor, clock=given.clock)
    given.say(f"振込 {number} を取り消しました（{count:,} 件）。番号は使い回しません。")


@app.command()
def show(ctx: typer.Context, number: Number) -> None:
    """振込ファイルの件数・合計・承認を見る。"""
    from benefit.services import transfers

    given = context(ctx)
    describe(given, transfers.show(given.home, number))


def _report(given: Context, kind: str, file: Path, transfer: int | None = None) -> None:
    from benefit.services import bank_reports

    given.need("ward", "bank_report")
    if not file.is_file():
        raise WrongUse("ファイルがありません", found=file.name)
    done = bank_reports.take(given.home, kind, file, clock=given.clock, transfer=transfer)
    if done.repeated:
        given.say("このファイルは、もう取り込んであります。何も変えません。")
    given.say(
        f"{bank_reports.NAMES[kind]}: 読込 {done.rows_read:,} = 突合 {done.matched:,} + 人が見る {done.unmatched:,}"
        f"（入金 {done.credited:,}、振込不能 {done.failed:,}、照会中 {done.inquiring:,}、"
        f"もう知らせのあった不能 {done.again:,}）"
    )
    for line in done.warnings[:10]:
        given.say(f"  注意 {line}")
    if done.others:
        given.say(f"支払に結べない不能 {done.others:,} 件を帳簿に載せました。benefit failure list と lines で見ます。")
    for line in done.to_people[:10]:
        given.say(f"  {line}")


@app.command()
def results(ctx: typer.Context, file: Annotated[Path, typer.Argument(help="銀行の結果ファイル")]) -> None:
    """銀行の結果（入金済・振込不能）を取り込む。"""
    _report(context(ctx), "results", file)


@app.command()
def failures(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="振込不能のファイル（CSV か 120 桁）")],
    of: Annotated[int | None, typer.Option(help="どの振込についての知らせか（銀行が言ったとき、振込の番号）")] = None,
) -> None:
    """振込不能の知らせを取り込む。"""
    _report(context(ctx), "failures", file, of)
