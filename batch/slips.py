"""納付書: benefit slips make / show / upload"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from batch.context import context, day
from batch.letters_notices import By, IssuedOn, Issuer, Out, Until, told
from benefit.domain.clock import tokyo_date
from benefit.domain.errors import WrongUse

app = typer.Typer(no_args_is_help=True, help="調定の残りの納付書（領収証書・原符・領収済通知書）を作る")


@app.command()
def make(
    ctx: typer.Context,
    receivable: Annotated[list[int], typer.Option(help="調定の番号（繰り返して何件でも）")],
    until: Until,
    out: Out,
    by: By,
    amount: Annotated[int | None, typer.Option(help="残りの一部だけを納めるときの額（一件のとき）")] = None,
    issued_on: IssuedOn = None,
    issuer: Issuer = "insurance",
) -> None:
    """納付書を出し、送り状つきの紙にする。額も期限も同じなら、前と同じ納付書の刷り直しになる。"""
    from letters import ledger_notices, notices

    given = context(ctx)
    given.need("ward", "payment_slip")
    made = ledger_notices.make(
        given.home,
        notices.kind_of("納付書"),
        receivable,
        payable_until=day(until, "--until"),
        out=out,
        issued_on=day(issued_on, "--issued-on") if issued_on else tokyo_date(given.clock()),
        actor=given.ward_staff(by),
        clock=given.clock,
        issuer=issuer,
        amount_yen=amount,
    )
    told(given, "納付書", made, out)


@app.command()
def show(ctx: typer.Context, receivable: Annotated[int, typer.Argument(help="調定の番号")]) -> None:
    """この調定に出した納付書。納付番号と確認番号は言わない（人を指す）。"""
    from sqlalchemy import select

    from benefit.store import slip_queries, ward
    from benefit.store.engine import reading

    given = context(ctx)
    given.need("ward", "payment_slip")
    with reading(given.home.ward) as connection:
        if connection.execute(select(ward.receivable.c.id).where(ward.receivable.c.id == receivable)).first() is None:
            raise WrongUse("その番号の調定はありません", code="no-receivable", found=str(receivable))
        slips = slip_queries.slips_of(connection, [receivable]).get(receivable, [])
    for row in slips:
        total = row["principal_yen"] + row["late_charge_yen"]
        given.say(
            f"  {row['reissue'] + 1} 枚目: {total:,} 円（延滞金 {row['late_charge_yen']:,} 円）"
            f" 有効期限 {row['payable_until']}、{row['issued_by']} が出した"
        )
    given.say(f"調定 {receivable} に出した納付書 {len(slips):,} 枚")


@app.command()
def upload(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option(help="書くファイル（様式 payeasy-upload）")],
    agent: Annotated[str, typer.Option(help="代行会社コード（6 桁）")],
    client: Annotated[str, typer.Option(help="収納機関コード（10 桁。相手が区に付けた番号）")],
    trial: Annotated[bool, typer.Option("--trial", help="テストのファイルにする（利用区分 0）")] = False,
) -> None:
    """いま払える納付書の全部を、ペイジーの調定データに書く。前に送ったものとの差は benefit layout changes が作る。"""
    from benefit.records import file_writer, payeasy
    from benefit.services import slip_upload
    from benefit.services.files import write_atomic

    given = context(ctx)
    given.need("ward", "payment_slip")
    today = tokyo_date(given.clock())
    rows = slip_upload.rows(given.home, today=today)
    header = {"made_on": f"{today:%Y%m%d}", "agent_code": agent, "biller_code": client, "usage": "0" if trial else "1"}
    write_atomic(out, file_writer.write(payeasy.UPLOAD, [(header, rows)], file=out.name))
    given.say(f"ペイジーの調定データ: 納付書 {rows.height:,} 枚 → {out}")
    given.say(f"次: benefit layout changes 前に送ったもの {out.name} --out 差のファイル")
