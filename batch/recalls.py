"""組戻し: benefit recall ask / approve / show / list"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from batch.context import Context, context, day
from benefit.domain.clock import tokyo_date

app = typer.Typer(no_args_is_help=True, help="組戻し: 送り出した振込を返してくれるよう、銀行に頼む（二人で）")
By = Annotated[str, typer.Option(help="操作する職員の ID（合言葉をたずねる）")]
Out = Annotated[Path, typer.Option(help="銀行へ渡す一覧を置くフォルダ")]
Today = Annotated[str | None, typer.Option(help="今日（YYYY-MM-DD）")]


def _say(given: Context, found: object) -> None:
    from benefit.services.recalls import Recall

    assert isinstance(found, Recall)
    state = f"承認 {found.approved_by}" if found.approved_by else "承認待ち"
    given.say(
        f"組戻しの依頼 {found.id}: 振込 {found.transfer_id}（指定日 {found.pay_date}）"
        f" {found.line_count:,} 件 {found.total_yen:,} 円（最大の一件 {found.largest_yen:,} 円）"
        f"、頼まない支払 {found.left_out:,} 件、{state}"
    )


@app.command()
def ask(
    ctx: typer.Context,
    number: Annotated[int, typer.Argument(help="振込の番号")],
    by: By,
    reason: Annotated[str, typer.Option(help="組戻しの理由")],
    case: Annotated[list[str] | None, typer.Option(help="給付管理番号（何度でも。なければ振込の全部）")] = None,
    today: Today = None,
) -> None:
    """組戻しを申し出る。別の人が承認するまで、銀行には渡らない。"""
    from benefit.services import recalls

    given = context(ctx)
    given.need("ward", "recall")
    actor = given.ward_staff(by)
    asked = recalls.ask(given.home, number, case_numbers=case, reason=reason, actor=actor, clock=given.clock)
    _say(given, asked)
    given.say(recalls.advice(asked.pay_date, day(today) if today else tokyo_date(given.clock())))
    given.say(f"次: 別の人が benefit recall approve {asked.id} --by ID --out DIR で承認します。")


@app.command()
def approve(
    ctx: typer.Context, number: Annotated[int, typer.Argument(help="依頼の番号")], by: By, out: Out, today: Today = None
) -> None:
    """依頼を承認し、銀行へ渡す一覧（組戻依頼一覧。振込の指図ではない）を書く。"""
    from benefit.services import recalls, recalls_list

    given = context(ctx)
    given.need("ward", "recall")
    actor = given.ward_staff(by)
    done = recalls.approve(given.home, number, out=out, actor=actor, clock=given.clock)
    _say(given, done)
    given.say(f"銀行へ渡す一覧: {out / recalls_list.file_name(number)}（印刷する表は同じ名の xlsx）")
    given.say(recalls.advice(done.pay_date, day(today) if today else tokyo_date(given.clock())))
    given.say("返事は、銀行の結果（benefit transfer results）で届きます。届くまで、台帳は動きません。")


@app.command()
def show(
    ctx: typer.Context,
    number: Annotated[int, typer.Argument(help="依頼の番号")],
    out: Annotated[Path | None, typer.Option(help="承認された依頼の一覧を、もう一度書くフォルダ")] = None,
) -> None:
    """依頼の件数・合計・最大の一件を見る。"""
    from benefit.domain.errors import RefusedByRule
    from benefit.services import recalls, recalls_list

    given = context(ctx)
    given.need("ward", "recall")
    found = recalls.show(given.home, number)
    _say(given, found)
    if out is not None:
        if found.approved_by is None:
            raise RefusedByRule("承認されていない依頼の一覧は書けません", code="not-approved")
        given.say(f"銀行へ渡す一覧: {recalls_list.write(given.home, number, out)}")


@app.command("list")
def list_(
    ctx: typer.Context,
    today: Today = None,
    out: Annotated[Path | None, typer.Option(help="一覧（recalls.csv）を書くフォルダ")] = None,
) -> None:
    """頼んだ支払と、返事を待っている日数。"""
    from benefit.records import people_csv
    from benefit.services import recalls
    from benefit.services.files import write_atomic

    given = context(ctx)
    given.need("ward", "recall")
    rows = recalls.waiting(given.home, today=day(today) if today else tokyo_date(given.clock()))
    for state, count, yen in _by_state(rows):
        given.say(f"  {state}: {count:,} 件 {yen:,} 円")
    for request, transfer, number, yen, _asked, days, state in rows.head(20).iter_rows():
        wait = f"{days} 日" if days is not None else "-"
        given.say(f"  依頼 {request} 振込 {transfer} {number} {yen:,} 円 {state}（{wait}）")
    given.say(f"組戻しを頼んだ支払 {rows.height:,} 件")
    if out is not None:
        write_atomic(out / "recalls.csv", people_csv.render(rows))


def _by_state(rows: object) -> list[tuple[str, int, int]]:
    import polars as pl

    assert isinstance(rows, pl.DataFrame)
    grouped = rows.group_by("いま", maintain_order=True).agg(pl.len().alias("n"), pl.col("金額").sum())
    return [(str(state), int(count), int(yen)) for state, count, yen in grouped.iter_rows()]
