"""振込不能の帳簿: benefit failure list / show / lines / ask / out / answer / replies / approve / notify / match / …"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from batch.context import Context, context, day
from batch.imports import ProgrammeId
from batch.transfers import By, describe
from benefit.domain.clock import tokyo_date
from benefit.domain.errors import WrongUse

if TYPE_CHECKING:
    import polars as pl

app = typer.Typer(no_args_is_help=True, help="振込不能の帳簿（会計室）: 届いてから、再振込か戻入で終わるまで")
Number = Annotated[int, typer.Argument(help="不能の番号")]
Reason = Annotated[str, typer.Option(help="理由")]
Today = Annotated[str | None, typer.Option(help="見る日（YYYY-MM-DD）")]


def _today(given: Context, today: str | None) -> date:
    return day(today) if today else tokyo_date(given.clock())


def _table(given: Context, frame: pl.DataFrame, *, title: str = "") -> None:
    shown = Table(title=title or None, title_justify="left", show_lines=False)
    for name, kind in frame.schema.items():
        shown.add_column(name, justify="right" if kind.is_numeric() else "left", overflow="fold")
    for row in frame.iter_rows():
        shown.add_row(*(f"{value:,}" if isinstance(value, int) else str(value or "") for value in row))
    given.out.print(shown)


@app.command("list")
def listed(
    ctx: typer.Context,
    today: Today = None,
    every: Annotated[bool, typer.Option("--all", help="終わったものも")] = False,
    overdue: Annotated[bool, typer.Option(help="期限や見直す日を過ぎたものだけ")] = False,
    book: Annotated[Path | None, typer.Option(help="表計算（xlsx）に書き出す")] = None,
    chart: Annotated[Path | None, typer.Option(help="日数ごとの図（SVG）に書き出す")] = None,
) -> None:
    """帳簿を見る: 一件ごとの日数・担当課・状態と、状態ごとの合計（返った額 = 再振込 + 戻入 + 未処理）。"""
    from benefit.services import failure_book, failure_chart, failures
    from benefit.services.files import write_atomic

    given = context(ctx)
    given.need("ward", "failure")
    on = _today(given, today)
    rows = failures.register(given.home, on)
    if rows.is_empty():
        given.say("振込不能は届いていません。")
    chosen = rows.filter(rows["overdue"]) if overdue else rows if every else rows.filter(rows["open_yen"] > 0)
    names = ("id", "received_on", "section", "status", "days_open", "returned_yen", "due_on", "late")
    if not chosen.is_empty():
        shown = failure_book.shown(chosen).select(names).rename({name: failure_book.COLUMNS[name] for name in names})
        _table(given, shown, title="期限を過ぎた不能" if overdue else "振込不能")
    if not rows.is_empty():
        _table(given, failure_book.totals(rows, "status"), title="状態ごと")
    title = f"振込不能の帳簿（{on}）"
    if book is not None:
        write_atomic(book, failure_book.render(rows, made=given.clock(), title=title))
        given.say(f"書き出しました: {book}")
    if chart is not None:
        write_atomic(chart, failure_chart.render(rows, title=f"終わっていない振込不能（{on}）").encode())
        given.say(f"書き出しました: {chart}")


@app.command()
def show(ctx: typer.Context, number: Number, today: Today = None) -> None:
    """一件を見る: 状態、期限、したこと、回答。"""
    from benefit.services import failure_book, failure_history

    given = context(ctx)
    given.need("ward", "failure")
    row, history = failure_history.of(given.home, number, _today(given, today))
    for name, value in failure_book.shown(row).rename(failure_book.COLUMNS).row(0, named=True).items():
        if value not in {"", None}:
            given.say(f"{name}: {value:,}" if isinstance(value, int) else f"{name}: {value}")
    for line in history:
        given.say(f"  {line}")


@app.command()
def lines(ctx: typer.Context) -> None:
    """支払に結ばれていない銀行の行と、候補の支払を見る。"""
    from benefit.services import failure_matches

    given = context(ctx)
    given.need("ward", "failure")
    found = failure_matches.unmatched(given.home)
    for row in found:
        given.say(
            f"{row['bank_report_id']}-{row['line_number']}: {row['file_name']} {row['amount_yen']:,} 円"
            f" 口座 ****{row['account_number'][-3:]}"
        )
        for one in row["candidates"]:
            name = one["case_number"] or f"不能 {one['failure_id']} の再振込"
            given.say(
                f"    候補 支払 {one['id']}: {name} {one['attempt']} 回目 {one['state']}"
                f" 振込 {one['transfer_id']}（{one['pay_date']}）"
            )
    given.say(f"支払に結ばれていない行は {len(found):,} 件です。")


@app.command()
def ask(
    ctx: typer.Context,
    numbers: Annotated[list[int], typer.Argument(help="不能の番号（いくつでも）")],
    section: Annotated[str, typer.Option(help="担当課")],
    due: Annotated[str, typer.Option(help="回答期限（YYYY-MM-DD）")],
    by: By,
    order: Annotated[str, typer.Option(help="支出命令番号")] = "",
) -> None:
    """担当課に照会する（もう照会していれば督促）。渡すファイルは benefit failure out で作る。"""
    from benefit.services import failure_answers

    given = context(ctx)
    actor = given.ward_staff(by)
    count = failure_answers.ask(
        given.home,
        numbers,
        section=section,
        due_on=day(due, "--due"),
        actor=actor,
        clock=given.clock,
        order_number=order,
    )
    given.say(f"{section}への照会を {count:,} 件記しました（回答期限 {due}）。")


@app.command()
def out(
    ctx: typer.Context,
    by: By,
    folder: Annotated[Path, typer.Option("--out", help="担当課ごとのファイルを置くフォルダ")],
    encoding: Annotated[str, typer.Option(help="CSV の文字コード（utf-8 か cp932）")] = "utf-8",
) -> None:
    """照会中の一件を、担当課ごとのファイル（CSV と Excel）にし、受渡管理簿に記す。"""
    from benefit.services import failure_handover

    given = context(ctx)
    actor = given.ward_staff(by)
    sent = failure_handover.send(given.home, out=folder, actor=actor, clock=given.clock, encoding=encoding)
    for section, count in sent.sections.items():
        given.say(f"{section}: {count:,} 件")
    if sent.repeated:
        given.say("同じ中身は、もう渡してあります。受渡管理簿には記しません。")
    given.say(f"置いたところ: {sent.folder}")


@app.command()
def answer(
    ctx: typer.Context,
    number: Number,
    kind: Annotated[str, typer.Argument(help="再振込、戻入、保留")],
    reason: Reason,
    by: By,
    account: Annotated[
        str, typer.Option(help="再振込の口座: 金融機関コード,支店コード,預金種目,口座番号,名義カナ")
    ] = "",
    review_on: Annotated[str | None, typer.Option(help="保留を見直す日（YYYY-MM-DD）")] = None,
    not_ours: Annotated[bool, typer.Option(help="候補の支払ではないことを確かめた")] = False,
) -> None:
    """担当課の回答を記す。別の人が benefit failure approve で承認するまで、効かない。"""
    from benefit.records.transfer_result_row import Account
    from benefit.records.yucho import as_written
    from benefit.services import bank_master, failure_answers

    given = context(ctx)
    actor = given.ward_staff(by)
    parts = account.split(",") if account else []
    if parts and len(parts) != 5:
        raise WrongUse("口座は、五項目をカンマで区切って書きます", found=f"{len(parts)} 項目")
    told = failure_answers.Answer(
        failure_id=number,
        kind=kind,
        reason=reason,
        account=Account(*as_written(*parts[:4]), parts[4]) if parts else None,
        review_on=day(review_on, "--review-on") if review_on else None,
        not_ours=not_ours,
    )
    [made] = failure_answers.answer(
        given.home, [told], bank_master=bank_master.in_use(given.home), actor=actor, clock=given.clock
    )
    given.say(f"回答 {made}（{kind}）を記しました。次: 別の人が benefit failure approve {made} --by ID で承認します。")


@app.command()
def replies(ctx: typer.Context, file: Annotated[Path, typer.Argument(help="担当課の回答（CSV）")], by: By) -> None:
    """担当課が書き足したファイルから、回答をまとめて記す。"""
    from benefit.services import bank_master, failure_handover

    given = context(ctx)
    actor = given.ward_staff(by)
    numbers, warnings = failure_handover.take_replies(
        given.home, file, bank_master=bank_master.in_use(given.home), actor=actor, clock=given.clock
    )
    for line in warnings:
        given.say(f"  注意 {line}")
    given.say(f"回答を {len(numbers):,} 件記しました（番号 {numbers[0]} から {numbers[-1]}）。承認が要ります。")


@app.command()
def approve(ctx: typer.Context, number: Annotated[int, typer.Argument(help="回答の番号")], by: By) -> None:
    """回答を承認する。記した人は承認できない。"""
    from benefit.services import failure_answers

    given = context(ctx)
    actor = given.ward_staff(by)
    failure_id, kind = failure_answers.approve(given.home, number, actor=actor, clock=given.clock)
    given.say(f"不能 {failure_id} の回答（{kind}）を承認しました。")
    if kind == "再振込":
        given.say("次: benefit failure resend で振込ファイルを作ります。")


@app.command()
def notify(
    ctx: typer.Context,
    by: By,
    due: Annotated[str, typer.Option(help="口座の再届出の期限（YYYY-MM-DD）")],
    folder: Annotated[Path, typer.Option("--out", help="お知らせの一覧を置くフォルダ")],
) -> None:
    """この給付の受給者への、振込不能のお知らせの一覧（給付管理番号と期限）を作る（F43 → F44）。"""
    from benefit.services import failure_answers, failure_history

    given = context(ctx)
    actor = given.ward_staff(by)
    told = failure_answers.notify(given.home, due_on=day(due, "--due"), actor=actor, clock=given.clock)
    if not told:
        given.say("新しく知らせる不能はありません。")
        return
    path = failure_history.write_notices(folder, told)
    given.say(f"振込不能のお知らせ: {len(told):,} 件（期限 {due}）。一覧: {path}")


@app.command()
def note(ctx: typer.Context, number: Number, text: Annotated[str, typer.Argument(help="覚え書き")], by: By) -> None:
    """覚え書きを足す。"""
    from benefit.services import failure_answers

    given = context(ctx)
    actor = given.ward_staff(by)
    failure_answers.note(given.home, number, text, actor=actor, clock=given.clock)
    given.say(f"不能 {number} に記しました。")


@app.command()
def match(
    ctx: typer.Context,
    line: Annotated[str, typer.Argument(help="銀行の行（benefit failure lines の 取込-行）")],
    payment: Annotated[int, typer.Argument(help="支払の番号（候補から）")],
    reason: Reason,
    by: By,
) -> None:
    """機械が決められなかった行を、支払に結ぶことを申し出る。"""
    from benefit.services import failure_matches

    given = context(ctx)
    actor = given.ward_staff(by)
    report, _, place = line.partition("-")
    if not (report.isdecimal() and place.isdecimal()):
        raise WrongUse("銀行の行は「取込-行」で書きます", found=line, allowed="例: 3-12")
    number = failure_matches.propose(
        given.home, int(report), int(place), payment, reason=reason, actor=actor, clock=given.clock
    )
    given.say(f"結び付け {number} を申し出ました。次: 別の人が benefit failure match-approve {number} --by ID")


@app.command("match-approve")
def match_approve(ctx: typer.Context, number: Annotated[int, typer.Argument(help="結び付けの番号")], by: By) -> None:
    """結び付けを承認する。機械が結んだときと同じに、支払が一度だけ進む。"""
    from benefit.services import failure_matches

    given = context(ctx)
    actor = given.ward_staff(by)
    failure_matches.approve(given.home, number, actor=actor, clock=given.clock)
    given.say(f"結び付け {number} を承認しました。")


@app.command()
def resend(
    ctx: typer.Context,
    pay_date: Annotated[str, typer.Option(help="振込指定日（YYYY-MM-DD、銀行営業日）")],
    by: By,
    today: Today = None,
    programme: ProgrammeId = "r6-2024",
) -> None:
    """承認された再振込の回答から、振込ファイルを作る。承認と送り出しは benefit transfer approve・release。"""
    from benefit.services import bank_master, transfers

    given = context(ctx)
    actor = given.ward_staff(by)
    made = transfers.make_resend(
        given.home,
        given.home.programme(programme),
        pay_date=day(pay_date, "--pay-date"),
        today=_today(given, today),
        bank_master=bank_master.in_use(given.home),
        actor=actor,
        clock=given.clock,
    )
    if made is None:
        given.say("再振込する不能はありません（承認された再振込の回答で、まだ振込になっていないものがない）。")
        return
    describe(given, made)
    given.say(f"次: 別の二人が benefit transfer approve {made.id} --by ID で承認します。")
