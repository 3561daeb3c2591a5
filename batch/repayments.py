"""返還: benefit repayment ask / approve / receive / step / letters / list"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from batch.context import Context, context, day
from batch.imports import ProgrammeId
from benefit.domain.clock import tokyo_date

app = typer.Typer(no_args_is_help=True, help="返還: 払ったお金を返してもらう（請求は二人で、入金は番号ごとに一度）")
By = Annotated[str, typer.Option(help="操作する職員の ID（合言葉をたずねる）")]
Today = Annotated[str | None, typer.Option(help="今日（YYYY-MM-DD）")]
Number = Annotated[int, typer.Argument(help="返還の請求の番号")]


@app.command()
def ask(
    ctx: typer.Context,
    case_number: Annotated[str, typer.Argument(help="給付管理番号（11 桁）")],
    cause: Annotated[str, typer.Option(help="過払・二重・対象外・別人の口座・受給者の申出")],
    due: Annotated[str, typer.Option(help="納期限（YYYY-MM-DD）")],
    by: By,
    reason: Annotated[str, typer.Option(help="誤って払った訳")],
    amount: Annotated[int | None, typer.Option(help="請求する額（円。なければ、まだ請求していない全額）")] = None,
    today: Today = None,
) -> None:
    """返還の請求を申し出る。別の人が承認するまで、請求にならない。"""
    from benefit.services import repayments

    given = context(ctx)
    given.need("ward", "repayment")
    actor = given.ward_staff(by)
    number = repayments.ask(
        given.home,
        case_number,
        amount_yen=amount,
        cause=cause,
        due_on=day(due, "--due"),
        today=day(today) if today else tokyo_date(given.clock()),
        reason=reason,
        actor=actor,
        clock=given.clock,
    )
    given.say(f"返還の請求を申し出ました。次: 別の人が benefit repayment approve {number} --by ID で承認します。")


@app.command()
def approve(ctx: typer.Context, number: Number, by: By) -> None:
    """返還の請求を承認する。"""
    from benefit.services import repayments

    given = context(ctx)
    given.need("ward", "repayment")
    actor = given.ward_staff(by)
    asked = repayments.approve(given.home, number, actor=actor, clock=given.clock)
    given.say(
        f"返還の請求 {number}: {asked['amount_yen']:,} 円（{asked['cause']}）納期限 {asked['due_on']}"
        f" 納付番号 {repayments.slip_number(number)}"
    )
    given.say(f"次: benefit repayment letters {number} --out DIR で、返還請求書と納付書を作ります。")


@app.command()
def receive(
    ctx: typer.Context,
    number: Number,
    amount: Annotated[int, typer.Option(help="返ってきた額（円）")],
    on: Annotated[str, typer.Option(help="収納の日（YYYY-MM-DD）")],
    reference: Annotated[str, typer.Option(help="収納の番号（同じ番号は二度数えない）")],
    by: By,
) -> None:
    """返ってきたお金を数える。"""
    from benefit.services import repayments

    given = context(ctx)
    given.need("ward", "repayment")
    actor = given.ward_staff(by)
    done = repayments.receive(
        given.home,
        number,
        amount_yen=amount,
        received_on=day(on, "--on"),
        reference=reference,
        actor=actor,
        clock=given.clock,
    )
    if done.repeated:
        given.say("この収納の番号は、もう数えてあります。何も変えません。")
    full = "払った全額が返り、支払は返還済になりました。" if done.repaid_in_full else ""
    given.say(f"返還の請求 {number}: 入金 {done.amount_yen:,} 円、残り {done.outstanding_yen:,} 円。{full}")


@app.command()
def step(
    ctx: typer.Context,
    number: Number,
    kind: Annotated[str, typer.Option(help="請求・分納・督促・法的措置")],
    by: By,
    on: Annotated[str, typer.Option(help="した日（YYYY-MM-DD）")],
    note: Annotated[str, typer.Option(help="覚え書き")] = "",
) -> None:
    """請求のためにしたことを残す。"""
    from benefit.services import repayments

    given = context(ctx)
    given.need("ward", "repayment")
    actor = given.ward_staff(by)
    repayments.step(given.home, number, kind, done_on=day(on, "--on"), note=note, actor=actor, clock=given.clock)
    given.say(f"返還の請求 {number}: {kind} を残しました。")


@app.command()
def letters(
    ctx: typer.Context,
    number: Number,
    out: Annotated[Path, typer.Option(help="紙を置くフォルダ（区の中）")],
    by: By,
    today: Annotated[str | None, typer.Option(help="発行日（YYYY-MM-DD）")] = None,
    programme: ProgrammeId = "r6-2024",
) -> None:
    """返還請求書と納付書（PDF）を作る。"""
    from letters.repayment import make_letters

    given = context(ctx)
    given.need("ward", "repayment")
    actor = given.ward_staff(by)
    made = make_letters(
        given.home,
        given.home.programme(programme),
        [number],
        out=out,
        issued_on=day(today) if today else tokyo_date(given.clock()),
        actor=actor,
        clock=given.clock,
    )
    tell_letters(given, made, out)


def tell_letters(given: Context, made: object, out: Path) -> None:
    """作った紙の数と、止めた紙の訳を言う。"""
    from letters.repayment import Made

    assert isinstance(made, Made)
    given.say(f"返還請求書: 対象 {made.read:,} = 作った {made.printed:,} + 止めた {len(made.held):,} → {out}")
    for case_number, why in list(made.held.items())[:10]:
        given.say(f"  {case_number}: {why}")


@app.command("list")
def list_(
    ctx: typer.Context,
    today: Today = None,
    out: Annotated[Path | None, typer.Option(help="一覧（repayments.csv）を書くフォルダ")] = None,
) -> None:
    """返還の請求と、残っている額。"""
    import polars as pl

    from benefit.records import people_csv
    from benefit.services import repayments_list
    from benefit.services.files import write_atomic

    given = context(ctx)
    given.need("ward", "repayment")
    frame = repayments_list.claims(given.home, today=day(today) if today else tokyo_date(given.clock()))
    totals = frame.group_by("state").agg(pl.len().alias("n"), pl.col("outstanding_yen").sum()).sort("state")
    for state, count, left in totals.iter_rows():
        given.say(f"  {state} {repayments_list.STATE_NAMES[state]}: {count:,} 件 残り {left:,} 円")
    approved = frame.filter(pl.col("approved_by").is_not_null())
    given.say(
        f"返還の請求 {approved.height:,} 件: 請求 {approved['amount_yen'].sum():,} 円"
        f" = 入金 {approved['received_yen'].sum():,} 円 + 残り {approved['outstanding_yen'].sum():,} 円"
    )
    late = approved.filter(pl.col("days_over") > 0)
    if late.height:
        given.say(f"納期限を過ぎた請求 {late.height:,} 件（残り {late['outstanding_yen'].sum():,} 円）")
    if out is not None:
        write_atomic(out / "repayments.csv", people_csv.render(repayments_list.shown(frame)))
