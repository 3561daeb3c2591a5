"""世話: benefit init、staff add、handover list"""

from __future__ import annotations

import secrets
from typing import Annotated

import typer
from rich.table import Table

from batch.context import Context, context
from benefit.domain.errors import WrongUse

staff_app = typer.Typer(no_args_is_help=True, help="職員・従事者を登録する")
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


def add_staff(given: Context, store: str, staff_id: str, name: str, role: str, password: str) -> None:
    """一人を登録する。"""
    from benefit.domain.access import BATCH, DeskRole, WardRole
    from benefit.services import people
    from benefit.store import desk, ward

    roles = [r.value for r in (WardRole if store == "ward" else DeskRole)]
    if role not in roles:
        raise WrongUse("役割が違います", found=role, allowed="、".join(roles))
    engine = given.home.ward if store == "ward" else given.home.desk
    given.need(store, "staff")
    tables = ward if store == "ward" else desk
    with engine.begin() as connection:
        people.add(
            connection,
            tables.staff,
            tables.audit_log,
            staff_id=staff_id,
            name=name,
            role=role,
            password=password,
            actor=BATCH,
            at=given.clock(),
        )


@staff_app.command("add")
def staff_add(
    ctx: typer.Context,
    staff_id: Annotated[str, typer.Argument(help="ID（半角英数字）")],
    name: Annotated[str, typer.Option(help="氏名")],
    role: Annotated[
        str,
        typer.Option(
            help="役割: ward なら clerk/approver/auditor/admin、desk なら operator/reviewer/supervisor/ward_clerk"
        ),
    ],
    store: Annotated[str, typer.Option(help="ward（区）か desk（給付管理システム）")] = "ward",
) -> None:
    """登録し、最初の合言葉を一度だけ表示する。"""
    if store not in {"ward", "desk"}:
        raise WrongUse("--store は ward か desk です", found=store)
    given = context(ctx)
    password = secrets.token_urlsafe(15)
    add_staff(given, store, staff_id, name, role, password)
    given.say(f"{name}（{staff_id}）を登録しました。最初の合言葉: {password}")
    given.say("この合言葉は二度と表示されません。本人に、ID とは別の機会に渡してください。")


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
