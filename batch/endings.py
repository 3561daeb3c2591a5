"""権利の終わり: benefit ending ask / approve / list"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from batch.context import context

app = typer.Typer(no_args_is_help=True, help="権利の終わり（不支給・辞退・契約不成立。残ったお金は予算へ戻る。二人で）")
By = Annotated[str, typer.Option(help="操作する職員の ID（合言葉をたずねる）")]


@app.command()
def ask(
    ctx: typer.Context,
    case_number: Annotated[str, typer.Argument(help="給付管理番号（11 桁）")],
    kind: Annotated[str, typer.Option(help="不支給・辞退・契約不成立")],
    by: By,
    reason: Annotated[str, typer.Option(help="終わらせる理由")],
) -> None:
    """権利を終わらせることを申し出る。別の人が承認するまで、何も変わらない。"""
    from benefit.services import endings

    given = context(ctx)
    given.need("ward", "ending")
    actor = given.ward_staff(by)
    number = endings.ask(given.home, case_number, kind, reason=reason, actor=actor, clock=given.clock)
    given.say(
        f"権利の終わり（{kind}）を申し出ました。次: 別の人が benefit ending approve {number} --by ID で承認します。"
    )


@app.command()
def approve(ctx: typer.Context, number: Annotated[int, typer.Argument(help="申し出の番号")], by: By) -> None:
    """権利の終わりを承認する。この権利には、もう払わない。"""
    from benefit.services import endings

    given = context(ctx)
    given.need("ward", "ending")
    actor = given.ward_staff(by)
    case_number, back_yen = endings.approve(given.home, number, actor=actor, clock=given.clock)
    money = f"残っていた {back_yen:,} 円は予算へ戻しました" if back_yen else "戻すお金はありません"
    given.say(f"給付管理番号 {case_number} の権利は終わりました。{money}。")


@app.command("list")
def list_(
    ctx: typer.Context,
    out: Annotated[Path | None, typer.Option(help="一覧（endings.csv）を書くフォルダ")] = None,
) -> None:
    """終わりの申し出と承認。"""
    from benefit.records import people_csv
    from benefit.services import endings
    from benefit.services.files import write_atomic

    given = context(ctx)
    given.need("ward", "ending")
    rows = endings.listed(given.home)
    waiting = rows.filter(rows["承認"].is_null())
    for number, case_number, kind, yen, _reason, asked_by, _approved in waiting.head(20).iter_rows():
        given.say(f"  承認待ち {number}: {case_number} {kind} {yen:,} 円（申し出 {asked_by}）")
    given.say(f"権利の終わり: 承認済み {rows.height - waiting.height:,} 件、承認待ち {waiting.height:,} 件")
    if out is not None:
        write_atomic(out / "endings.csv", people_csv.render(rows))
