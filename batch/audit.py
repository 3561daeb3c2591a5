"""監査ログ: benefit audit verify・anchor・exchange・report・sign・search"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from batch.context import Context, context, day
from benefit.domain.clock import tokyo_date
from benefit.domain.errors import WrongUse

app = typer.Typer(no_args_is_help=True, help="監査ログを確かめ、印を預け合い、週の報告に署名する")
exchange_app = typer.Typer(no_args_is_help=True, help="印を相手と預け合う")
app.add_typer(exchange_app, name="exchange")

Store = Annotated[str, typer.Option(help="ward（区）、desk（給付管理システム）、both（同じ計算機の両方）")]
OneStore = Annotated[str, typer.Option(help="ward（区）か desk（給付管理システム）")]


def _stores(given: Context, store: str) -> list[str]:
    from benefit.services.audit_verify import side

    stores = ["ward", "desk"] if store == "both" else [side(store).store]
    for one in stores:
        given.need(one, "audit_log")
    return stores


def _today(given: Context, text: str) -> date:
    return day(text) if text else tokyo_date(given.clock())


@app.command()
def verify(
    ctx: typer.Context,
    store: Store = "both",
    against: Annotated[
        list[Path] | None, typer.Option(help="外に預けた印のフォルダ（相手から届いたもの、写し）")
    ] = None,
    key: Annotated[str, typer.Option(help="印の公開鍵（鍵のない計算機で確かめるとき）")] = "",
) -> None:
    """鎖を最初から辿り、印と突き合わせ、壊れていれば最初の行を言う。"""
    from benefit.services import audit_anchors, audit_verify
    from benefit.store.engine import reading

    given = context(ctx)
    stores = _stores(given, store)
    parcels = [audit_anchors.read(folder) for folder in against or []]
    results = []
    for one in stores:
        held = [anchor for parcel in parcels for anchor in parcel.of(one)]
        if store == "both":
            held += audit_anchors.held_by_other(given.home, one)
        with reading(audit_verify.engine_of(given.home, one)) as connection:
            result = audit_verify.verify(connection, one, key=key or audit_verify.known_key(given.home, one), held=held)
        for line in result.lines():
            given.say(line)
        results.append(result)
    audit_verify.refuse_unsound(results)


@app.command()
def anchor(
    ctx: typer.Context,
    store: Store = "both",
    today: Annotated[str, typer.Option(help="締める日（YYYY-MM-DD。既定は今日）")] = "",
    out: Annotated[Path | None, typer.Option(help="日次証跡票（PDF）を書くフォルダ")] = None,
) -> None:
    """一日を締める: 行数と最後の指紋に署名して印を作る。同じ日に増えていなければ、前の印のままである。"""
    from benefit.services import audit_anchors
    from benefit.services.audit_verify import side
    from benefit.services.files import write_atomic
    from letters import evidence_sheet

    given = context(ctx)
    for one in _stores(given, store):
        made = audit_anchors.make(given.home, one, day=_today(given, today), clock=given.clock)
        found = made.anchor
        word = "作りました" if made.new else "前に作ったままです"
        given.say(f"{side(one).name}: {found.day} の印 {found.number} を{word}（{found.row_count:,} 行）。")
        given.say(f"  最後の指紋 {found.head}")
        given.say(f"  公開鍵 {found.public_key}")
        if out is not None:
            path = out / f"nichiji-shouseki-{one}-{found.number:04d}.pdf"
            write_atomic(path, evidence_sheet.render(found))
            given.say(f"  日次証跡票 {path}")


@exchange_app.command("out")
def exchange_out(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option(help="受渡フォルダを作る場所")],
    store: OneStore = "ward",
) -> None:
    """自分の印と、預かっている相手の印を出す。"""
    from benefit.services import audit_anchors

    given = context(ctx)
    (one,) = _stores(given, store)
    made = audit_anchors.give(given.home, one, out=out, clock=given.clock)
    given.say(f"{made.folder} に、自分の印 {made.anchors} 個、預かっている印 {made.held} 個を書きました。")
    given.say(f"公開鍵 {made.public_key}（初めて渡すときは、紙で知らせてください）")


@exchange_app.command("take")
def exchange_take(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(help="相手から届いたフォルダ")],
    store: OneStore = "ward",
    key: Annotated[str, typer.Option(help="相手の公開鍵（初めて受け取る時だけ。紙で知らされたもの）")] = "",
) -> None:
    """相手の印をしまい、返ってきた自分の印で自分の鎖を確かめる。"""
    from benefit.services import audit_anchors, audit_verify

    given = context(ctx)
    (one,) = _stores(given, store)
    taken = audit_anchors.take(given.home, one, folder, key=key or None, clock=given.clock)
    given.say(
        f"届いた印 {taken.added + taken.repeated} 個 = 新しい印 {taken.added} 個 + もうある印 {taken.repeated} 個"
    )
    for line in taken.verified.lines():
        given.say(line)
    audit_verify.refuse_unsound([taken.verified])


@app.command()
def report(
    ctx: typer.Context,
    store: Store = "both",
    today: Annotated[str, typer.Option(help="今日（YYYY-MM-DD）。終わった週の分を作る")] = "",
    out: Annotated[Path | None, typer.Option(help="Excel を書くフォルダ")] = None,
) -> None:
    """終わった週のログ分析報告書を作り、見つかったものを言う。"""
    from benefit.services import log_report_text, log_reports
    from benefit.services.files import write_atomic

    given = context(ctx)
    for one in _stores(given, store):
        made = log_reports.make(given.home, one, today=_today(given, today), clock=given.clock)
        if not made:
            given.say(f"{_name(one)}: 作るべき週はありません。")
        for found in made:
            given.say(
                f"{_name(one)}: 報告書 {found.id}（{found.period_from} から {found.period_to}）、検知 {found.found} 件"
            )
            for line in log_report_text.lines(found):
                given.say(f"  {line}")
            if out is not None:
                path = out / log_report_text.file_name(one, found)
                write_atomic(path, log_report_text.workbook(found))
                given.say(f"  {path}")


def _name(store: str) -> str:
    from benefit.services.audit_verify import side

    return side(store).name


@app.command()
def sign(
    ctx: typer.Context,
    number: Annotated[int, typer.Argument(help="報告書の番号")],
    staff_id: Annotated[str, typer.Option("--by", help="署名する職員の ID")],
    remarks: Annotated[str, typer.Option(help="確かめたこと（所見）")],
    digest: Annotated[str, typer.Option(help="読んだ報告書の指紋（初めの 8 字から）")],
) -> None:
    """区の報告書に署名する（作った人と管理の人は、できない）。画面でもできる。"""
    from benefit.services import log_reports

    given = context(ctx)
    given.need("ward", "log_report")
    actor = given.ward_staff(staff_id)
    with given.home.ward.begin() as connection:
        found = log_reports.find(connection, "ward", number)
        if len(digest) < 8 or not found.digest.startswith(digest):
            raise WrongUse("読んだ報告書と、指紋が違います", code="digest", allowed="指紋の初めの 8 字から")
        log_reports.sign(
            connection, "ward", number, digest=found.digest, remarks=remarks, actor=actor, at=given.clock()
        )
    given.say(f"報告書 {number} に {staff_id} が署名しました。")


@app.command()
def search(
    ctx: typer.Context,
    store: OneStore = "ward",
    actor: Annotated[str, typer.Option(help="職員の ID")] = "",
    number: Annotated[str, typer.Option(help="給付管理番号など")] = "",
    action: Annotated[str, typer.Option(help="操作（case.view など）")] = "",
    since: Annotated[str, typer.Option(help="初めの日")] = "",
    until: Annotated[str, typer.Option(help="終わりの日")] = "",
    page: Annotated[int, typer.Option(min=1, max=10**6, help="何頁目か（一頁 50 行、新しい順）")] = 1,
) -> None:
    """監査ログを引く。引いたことも、先にログに残る。"""
    from benefit.domain.access import BATCH
    from benefit.domain.clock import TOKYO
    from benefit.services import audit_search
    from benefit.services.audit_verify import engine_of

    given = context(ctx)
    (one,) = _stores(given, store)
    query = audit_search.Query(
        actor, number, action, day(since, "--since") if since else None, day(until, "--until") if until else None
    )
    found = audit_search.search(engine_of(given.home, one), one, query, page=page, actor=BATCH, at=given.clock())
    table = Table(
        title=f"{_name(one)}の監査ログ（{found.total:,} 行、{found.page} / {found.pages} 頁）", title_justify="left"
    )
    for heading in ("行", "時刻", "誰", "役割", "端末", "操作", "対象", "理由"):
        table.add_column(heading)
    for line in found.lines:
        when = f"{line.at.astimezone(TOKYO):%Y-%m-%d %H:%M:%S}"
        told = (line.actor, line.role, line.terminal, line.action_name, "、".join(line.subjects), line.reason)
        table.add_row(str(line.sequence), when, *told)
    given.out.print(table)
