"""収納: benefit collection register / receive / queue / ask / approve / credit / balance / overdue"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from batch import collection_differences
from batch.context import Context, context, day
from benefit.domain.clock import tokyo_date
from benefit.domain.errors import WrongUse

app = typer.Typer(no_args_is_help=True, help="収納データを受け取り、消し込み、毎日突き合わせる")
By = Annotated[str, typer.Option(help="操作する職員の ID（合言葉をたずねる）")]
collection_differences.add_to(app)


def _ready(ctx: typer.Context) -> Context:
    given = context(ctx)
    given.need("ward", "receivable")
    return given


@app.command()
def register(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="調定のファイル（様式 standard-levies）")],
    reason: Annotated[str, typer.Option(help="額や期限を変える調定があるときの理由")] = "登録のやり直し",
) -> None:
    """調定（債権）と、納付番号・口座振替の鍵を登録する。もう登録したものは、変わった所だけが足される。"""
    from benefit.services import receivable_files

    given = _ready(ctx)
    with given.progress() as bar:
        bar.add_task("調定を登録しています", total=None)
        done = receivable_files.register(given.home, file, reason=reason, clock=given.clock)
    given.say(
        f"調定: 読込 {done.added + done.changed + done.same:,} = 新しく登録 {done.added:,}"
        f" + 変更 {done.changed:,} + 変わらない {done.same:,}"
    )


@app.command()
def receive(
    ctx: typer.Context,
    layout: Annotated[str, typer.Argument(help="様式の名（benefit layout list）")],
    file: Annotated[Path, typer.Argument(help="収納データのファイル")],
) -> None:
    """収納データを受け取り、消し込む。同じファイルも、同じ入金も、二度は数えない。"""
    from benefit.services import collection_files

    given = _ready(ctx)
    with given.progress() as bar:
        bar.add_task("収納データを消し込んでいます", total=None)
        taken = collection_files.receive(given.home, layout, file, clock=given.clock)
    done = taken.collected
    if done.repeated:
        given.say("このファイルは、もう取り込んであります。何も変えません。")
    given.say(
        f"収納 {file.name}: 読込 {done.rows_read:,} = 消込 {done.rows_posted:,} + 保留 {done.rows_held:,}"
        f" + 受け付けない {done.rows_rejected:,}（確報 {done.final_yen:,} 円）"
    )
    if taken.not_paid:
        given.say("  振替不能: " + "、".join(f"コード {code} {count:,} 件" for code, count in taken.not_paid.items()))
    if taken.cards:
        given.say("  立替金: " + "、".join(f"{what} {count:,} 件" for what, count in taken.cards.items()))
    if layout == "special-collection-statement":
        given.say("  次: benefit collection statements で、納入書と比べます。")
    if done.rows_held:
        given.say("  次: benefit collection queue で、人が決める入金を見ます。")


@app.command()
def inbox(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(help="受信フォルダ。様式の名の下位フォルダに、届いたファイルを置く")],
) -> None:
    """受信フォルダのファイルを一度ずつ受け取り、済んだものは端末のフォルダから消す（写しは作業場所に残る）。"""
    from benefit.services import collection_inbox

    given = _ready(ctx)
    for line in collection_inbox.sweep(given.home, folder, clock=given.clock):
        given.say(line)


@app.command()
def queue(
    ctx: typer.Context,
    out: Annotated[Path | None, typer.Option(help="一覧（collection-queue.xlsx）を書くフォルダ")] = None,
) -> None:
    """人が決める入金: 過誤納・不明金・要確認と、候補の調定。"""
    from benefit.services import collection_moves, sheet
    from benefit.services.files import write_atomic

    given = _ready(ctx)
    waiting = collection_moves.queue(given.home)
    for number, row in enumerate(waiting.head(20).iter_rows(named=True), 1):
        given.say(
            f"  {number}. {row['why']} {row['yen']:,} 円（{row['channel']}、{row['paid_on']}）"
            + (f" 候補の調定 {row['candidates']}: {row['because']}" if row["candidates"] else "")
        )
        given.say(f"     入金の名: {row['event']}")
    given.say(f"人が決める入金 {waiting.height:,} 件 {int(waiting['yen'].sum()):,} 円")
    if out is not None:
        table = waiting.select("why", "yen", "channel", "paid_on", "event", "candidates", "because")
        table.columns = ["理由", "額（円）", "経路", "支払日", "入金の名", "候補の調定", "候補のわけ"]
        made = sheet.render({"人が決める入金": table}, made=given.clock(), title="人が決める入金")
        write_atomic(out / "collection-queue.xlsx", made)


@app.command()
def ask(
    ctx: typer.Context,
    event: Annotated[str, typer.Argument(help="入金の名（queue に出る）")],
    kind: Annotated[str, typer.Argument(help="消込、還付、充当のどれか")],
    amount: Annotated[int, typer.Option(help="額（円）")],
    by: By,
    reason: Annotated[str, typer.Option(help="確かめたことと理由")],
    receivable: Annotated[int | None, typer.Option(help="相手の調定（消込と充当）")] = None,
) -> None:
    """人の判断を申し出る。別の人が承認するまで、何も変わらない。"""
    from benefit.services import collection_moves

    given = _ready(ctx)
    actor = given.ward_staff(by)
    number = collection_moves.ask(
        given.home, event, kind, amount, receivable_id=receivable, reason=reason, actor=actor, clock=given.clock
    )
    given.say(f"申し出ました。次: 別の人が benefit collection approve {number} --by ID で承認します。")


@app.command()
def approve(ctx: typer.Context, number: Annotated[int, typer.Argument(help="申し出の番号")], by: By) -> None:
    """申し出を承認し、消込を直す。"""
    from benefit.services import collection_moves

    given = _ready(ctx)
    written = collection_moves.approve(given.home, number, actor=given.ward_staff(by), clock=given.clock)
    given.say(f"承認しました（仕訳 {written:,} 行を書き足しました）。")


@app.command()
def credit(
    ctx: typer.Context,
    channel: Annotated[
        str, typer.Argument(help="経路（コンビニ、電子マネー、モバイルレジ、クレジット、ペイジーなど）")
    ],
    on: Annotated[str, typer.Option(help="銀行に入った日（YYYY-MM-DD）")],
    amount: Annotated[int, typer.Option(help="額（円）")],
    reference: Annotated[str, typer.Option(help="取引の番号（同じ番号は二度記録できない）")],
    by: By,
    reason: Annotated[str, typer.Option(help="見た資料")] = "通帳",
) -> None:
    """銀行の口座に入ったお金を書く。別の人が承認してから、突き合わせに入る。"""
    from benefit.domain.collection import Channel
    from benefit.services import bank_credits

    given = _ready(ctx)
    if channel not in [one.value for one in Channel]:
        raise WrongUse("経路の名が違います", found=channel, allowed="、".join(one.value for one in Channel))
    actor = given.ward_staff(by)
    number = bank_credits.ask(
        given.home, Channel(channel), day(on, "--on"), amount, reference, reason=reason, actor=actor, clock=given.clock
    )
    given.say(f"{channel} {on} {amount:,} 円を書きました（入金 {number}）。")
    given.say(f"次: 別の人が通帳と見比べて、benefit collection credit-approve {number} --by ID で承認します。")


@app.command("credit-approve")
def credit_approve(ctx: typer.Context, number: Annotated[int, typer.Argument(help="入金の番号")], by: By) -> None:
    """銀行の入金を、通帳と見比べて承認する。"""
    from benefit.services import bank_credits

    given = _ready(ctx)
    row = bank_credits.approve(given.home, number, actor=given.ward_staff(by), clock=given.clock)
    given.say(f"{row['channel']} {row['credited_on']} {row['amount_yen']:,} 円を記録しました。")


@app.command()
def balance(
    ctx: typer.Context,
    out: Annotated[Path | None, typer.Option(help="表（Excel）と図（SVG）を書くフォルダ")] = None,
) -> None:
    """毎日の突き合わせ: 銀行の入金 = 消込 + 保留。合わない日を言う。"""
    from benefit.services import collection_balance

    given = _ready(ctx)
    days = collection_balance.days(given.home)
    for row in days.iter_rows(named=True):
        mark = "" if row["difference_yen"] == 0 else f" ← 差 {row['difference_yen']:+,} 円"
        given.say(
            f"  {row['day']} {row['channel']}: 届いた {row['arrived_yen']:,} 円（{row['count']:,} 件）"
            f" = 消込 {row['posted_yen']:,} + 保留 {row['held_yen']:,}、銀行 {row['credited_yen']:,} 円"
            + (f" + 手数料 {row['fee_yen']:,} 円" if row["fee_yen"] else "")
            + mark
        )
    given.say(f"合わない日 {days.filter(days['difference_yen'] != 0).height} / {days.height}")
    if out is not None:
        collection_balance.write(days, out, made=given.clock())
        given.say(f"表と図: {out}")


@app.command()
def overdue(
    ctx: typer.Context,
    today: Annotated[str | None, typer.Option(help="見る日（YYYY-MM-DD）")] = None,
    out: Annotated[Path | None, typer.Option(help="一覧（overdue.csv）を書くフォルダ")] = None,
) -> None:
    """納期限を過ぎた調定。速報が届いたものには督促を出さない（行き違いの督促を避ける）。"""
    from benefit.services import receivables
    from benefit.services.files import write_atomic

    given = _ready(ctx)
    late = receivables.outstanding(given.home, day(today) if today else tokyo_date(given.clock()))
    due = late.filter(~late["stopped_by_notice"])
    given.say(
        f"納期限を過ぎた調定 {late.height:,} 件 = 督促する {due.height:,} 件（残り {int(due['left_yen'].sum()):,} 円）"
        f" + 速報が届いて止めた {late.height - due.height:,} 件"
    )
    if out is not None:
        table = due.select("id", "subject", "fiscal_year", "term", "notice_number", "due_on", "due_yen", "left_yen")
        table.columns = ["調定", "科目", "年度", "期別", "通知書番号", "納期限", "調定額", "残り"]
        write_atomic(out / "overdue.csv", table.write_csv(quote_style="necessary").encode())


@app.command()
def repayments(ctx: typer.Context, by: By) -> None:
    """返還の請求を調定にし、消し込まれた入金を、返還の入金として数える。何度打っても同じ。"""
    from benefit.services import collection_repayments

    given = _ready(ctx)
    done = collection_repayments.join(given.home, actor=given.ward_staff(by), clock=given.clock)
    given.say(
        f"返還: 新しい調定 {done.opened:,} 件、数えた入金 {done.received:,} 件（{done.received_yen:,} 円）、"
        f"人が見る {len(done.to_people):,} 件"
    )
    for line in done.to_people:
        given.say(f"  {line}")
