"""端末と非常用の ID の世話: benefit terminal … / benefit break-glass …"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from batch.context import context
from batch.staff import By, Reason, Store, admin, store_of
from benefit.domain.access import BATCH

app = typer.Typer(no_args_is_help=True, help="名のある端末を登録し、終える")
break_glass_app = typer.Typer(no_args_is_help=True, help="非常用の ID を、二人で開ける")
Name = Annotated[str, typer.Argument(help="端末の名")]
Number = Annotated[int, typer.Argument(help="申し出の番号")]
Who = Annotated[str, typer.Option("--by", help="ID")]


@app.command("add")
def terminal_add(
    ctx: typer.Context,
    name: Name,
    place: Annotated[str, typer.Option(help="置き場所")],
    certificate: Annotated[Path, typer.Option(help="端末の証明書（PEM）", exists=True, dir_okay=False)],
    store: Store = "desk",
    by: By = None,
) -> None:
    """登録する。"""
    from benefit.services import terminals

    given = context(ctx)
    engine, tables = store_of(given, store)
    actor = admin(given, store, by)
    pem = certificate.read_bytes().decode("ascii", errors="replace")
    with engine.begin() as connection:
        terminals.add(connection, tables, pem=pem, name=name, place=place, actor=actor, at=given.clock())
    given.say(f"端末 {name} を登録しました。")


@app.command("end")
def terminal_end(ctx: typer.Context, name: Name, reason: Reason, store: Store = "desk", by: By = None) -> None:
    """終える（なくした、替えた）。その端末の画面はすぐに閉じる。"""
    from benefit.services import terminals

    given = context(ctx)
    engine, tables = store_of(given, store)
    actor = admin(given, store, by)
    with engine.begin() as connection:
        terminals.end(connection, tables, name, reason=reason, actor=actor, at=given.clock())
    given.say(f"端末 {name} を終えました。")


@app.command("list")
def terminal_list(ctx: typer.Context, store: Store = "desk") -> None:
    """端末の一覧。"""
    from benefit.services import terminals

    given = context(ctx)
    engine, tables = store_of(given, store)
    with engine.connect() as connection:
        rows = terminals.listed(connection, tables)
    table = Table(title="端末", title_justify="left")
    for heading in ("名", "置き場所", "証明書の指紋", "登録した人", "登録", "終了"):
        table.add_column(heading)
    for row in rows:
        ended = f"{row['ended_at']:%Y-%m-%d}" if row["ended_at"] else ""
        print_ = (row["certificate_sha256"] or "")[:16]
        table.add_row(
            row["name"], row["place"], print_, row["registered_by"], f"{row['registered_at']:%Y-%m-%d}", ended
        )
    given.out.print(table)


@break_glass_app.command("ask")
def break_glass_ask(ctx: typer.Context, reason: Reason, by: Who, store: Store = "ward") -> None:
    """開けたいと申し出る。"""
    from benefit.services import break_glass

    given = context(ctx)
    engine, tables = store_of(given, store)
    actor = given.staff(store, by)
    with engine.begin() as connection:
        number = break_glass.ask(connection, tables, reason=reason, actor=actor, at=given.clock())
    given.say(f"申し出 {number}。別の人が benefit break-glass approve {number} --store {store} で承認すると開きます。")


@break_glass_app.command("approve")
def break_glass_approve(ctx: typer.Context, number: Number, by: Who, store: Store = "ward") -> None:
    """承認し、一度きりの合言葉を表示する（申し出た人に伝える）。"""
    from benefit.services import break_glass

    given = context(ctx)
    engine, tables = store_of(given, store)
    actor = given.staff(store, by)
    with engine.begin() as connection:
        password = break_glass.approve(connection, tables, number, actor=actor, at=given.clock())
    given.say(f"ID {break_glass.SEALED_ID}  一度きりの合言葉 {password}")
    given.say("申し出た人が、自分の数字（6 桁）と合わせて使います。60 分で閉じます。したことはすべて別に残ります。")


@break_glass_app.command("close")
def break_glass_close(ctx: typer.Context, number: Number, by: Who, store: Store = "ward") -> None:
    """返す（60 分を待たずに閉じる）。"""
    from benefit.services import break_glass

    given = context(ctx)
    engine, tables = store_of(given, store)
    actor = given.staff(store, by)
    with engine.begin() as connection:
        break_glass.close(connection, tables, number, actor=actor, at=given.clock())
    given.say(f"申し出 {number} を閉じました。")


@break_glass_app.command("report")
def break_glass_report(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option(help="報告（xlsx）を書くフォルダ")],
    number: Annotated[int | None, typer.Option(help="申し出の番号（書かなければ全部）")] = None,
    store: Store = "ward",
) -> None:
    """60 分の過ぎたものを閉じ、したことの報告を書く（翌朝に印刷する）。"""
    from benefit.services import break_glass
    from benefit.services.files import write_atomic
    from benefit.store import audit

    given = context(ctx)
    engine, tables = store_of(given, store)
    now = given.clock()
    with engine.begin() as connection:
        closed = break_glass.close_expired(connection, tables, at=now)
        numbers = [number] if number else [row["id"] for row in break_glass.used(connection, tables)]
        made = [(each, *break_glass.report(connection, tables, each, at=now)) for each in numbers]
        audit.record(connection, tables.audit_log, at=now, actor=BATCH, action="break-glass.report")
    out.mkdir(parents=True, exist_ok=True)
    for each, text, book in made:
        write_atomic(out / f"break-glass-{store}-{each:04d}.xlsx", book)
        given.say(text)
    given.say(f"閉じた {len(closed)} 件、報告 {len(made)} 件を {out} に書きました。")
