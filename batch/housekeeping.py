"""世話: benefit init、handover list"""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from batch import staff
from batch.context import Context, context

handover_app = typer.Typer(no_args_is_help=True, help="受渡管理簿")


def init_both(given: Context) -> None:
    """二つの台帳を最新の形にする。"""
    from benefit.services import setup

    setup.init_ward(given.home)
    setup.init_desk(given.home)


def add_to(app: typer.Typer) -> None:
    """コマンドを足す。"""

    @app.command()
    def init(ctx: typer.Context) -> None:
        """作業場所と二つの台帳を作る（何度実行しても同じ）。"""
        given = context(ctx)
        init_both(given)
        given.say(f"作業場所 {given.home.path} と、区の台帳・給付管理システムの台帳の用意ができました。")
        staff.first_people(given)


@handover_app.command("list")
def handover_list(ctx: typer.Context) -> None:
    """受渡管理簿を見る。"""
    from sqlalchemy import select

    from benefit.store import ward
    from benefit.store.engine import reading

    given = context(ctx)
    given.need("ward", "handover")
    names = {
        "payees_out": "支給対象者（委託先へ）",
        "bank_out": "振込ファイル（銀行へ）",
        "print_out": "印刷（再委託先へ）",
        "planned_in": "支給予定情報（委託先から）",
        "progress_in": "進捗情報（委託先から）",
        "recall_out": "組戻依頼（銀行へ）",
        "failure_out": "振込不能の照会（担当課へ）",
        "undo_out": "取消の計画",
    }
    table = Table(title="受渡管理簿", title_justify="left")
    for heading in ("時刻", "何を", "相手", "連番", "件数", "金額（円）", "指紋", "取扱者"):
        table.add_column(heading)
    with reading(given.home.ward) as connection:
        for row in connection.execute(select(ward.handover).order_by(ward.handover.c.id)).mappings():
            table.add_row(
                f"{row['at']:%Y-%m-%d %H:%M}",
                names[row["crossing"]],
                row["counterpart"],
                str(row["sequence"]),
                f"{row['row_count']:,}",
                "" if row["total_yen"] is None else f"{row['total_yen']:,}",
                row["sha256"][:16],
                row["actor"],
            )
    given.out.print(table)


Which = Annotated[str, typer.Argument(help="受渡（print_out/3 のように、何を／連番）")]
Paper = Annotated[str, typer.Option("--reason", help="受領書・消去報告書の番号")]
By = Annotated[str, typer.Option("--by", help="記録する職員の ID")]


@handover_app.command("received")
def handover_received(ctx: typer.Context, which: Which, by: By, reason: Paper) -> None:
    """渡したものの受取を記録する。"""
    _mark(ctx, which, by, reason, "handover.received", "受取")


@handover_app.command("erased")
def handover_erased(ctx: typer.Context, which: Which, by: By, reason: Paper) -> None:
    """渡したものの消去の報告を記録する。"""
    _mark(ctx, which, by, reason, "handover.erased", "消去")


def _mark(ctx: typer.Context, which: str, by: str, reason: str, action: str, word: str) -> None:
    from benefit.services import handover_marks

    given = context(ctx)
    given.need("ward", "handover")
    handover_marks.mark(given.home, which, action, reason=reason, actor=given.ward_staff(by), clock=given.clock)
    given.say(f"{which} の{word}を記録しました。")
