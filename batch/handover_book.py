"""受渡: benefit handover make|issue|receive|passphrase|use|return|erase|report|cancel|book|overdue|show|list"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from batch.context import Context, context, day
from batch.imports import ProgrammeId
from benefit.domain import handover_states as states
from benefit.domain.clock import tokyo_date
from benefit.domain.errors import RefusedByRule

if TYPE_CHECKING:
    from benefit.services.handover_book import Item

app = typer.Typer(no_args_is_help=True, help="受渡管理簿: 印刷の包みを作り、出庫から消去報告書まで書く")

Which = Annotated[str, typer.Argument(help="受渡（print_out/3。印刷の包みは 3 でもよい）")]
By = Annotated[str, typer.Option("--by", help="記録する職員の ID")]
Handler = Annotated[str, typer.Option("--handler", help="取扱者（渡した人・受け取った人）の名")]
DoneOn = Annotated[str | None, typer.Option("--on", help="した日（YYYY-MM-DD。既定は今日）")]
Paper = Annotated[str, typer.Option("--reason", help="書類の番号か理由")]
Quantity = Annotated[int | None, typer.Option("--quantity", help="媒体の数（渡した数と違えば断る）")]


@app.command()
def make(
    ctx: typer.Context,
    folders: Annotated[list[Path], typer.Argument(help="手紙の組のフォルダ（out/printer/20240624-01 など）")],
    to: Annotated[str, typer.Option("--to", help="渡す相手（再委託先）")],
    by: By,
    title: Annotated[str, typer.Option("--title", help="件名")] = "",
    encoding: Annotated[str, typer.Option(help="データの文字の符号（utf-8 か cp932）")] = "utf-8",
    report_days: Annotated[int, typer.Option(help="消去報告書の期限（使用から何日）")] = states.REPORT_DAYS,
    programme: ProgrammeId = "r6-2024",
) -> None:
    """包みを作る（出す許しのある組だけ）。合言葉は封をして置き、ここでは見せない。"""
    from letters.package import make_package

    given = _ready(ctx)
    actor = given.ward_staff(by)
    made = make_package(
        given.home,
        given.home.programme(programme),
        folders,
        counterpart=to,
        title=title,
        encoding=encoding,
        report_days=report_days,
        actor=actor,
        clock=given.clock,
    )
    again = "（前に作ったもの）" if made.already else ""
    given.say(
        f"受渡 {made.item.name}{again}: {made.item.content}、{made.item.sheet_count:,} 枚 → {made.folder}\n"
        f"データ {made.letters:,} 通 = 載せた {made.data_rows:,} + 書けない字で載せない {made.held:,}"
    )
    if made.held:
        given.say(f"載せない人の字: {made.folder}/held.csv（区に残す。渡さない）")
    given.say(f"次: 別の人が benefit handover issue {made.item.sequence} で出庫します。")


@app.command()
def issue(
    ctx: typer.Context,
    which: Which,
    by: By,
    handler: Handler,
    medium: Annotated[str, typer.Option(help="記録媒体: " + "、".join(states.MEDIA))],
    quantity: Annotated[int, typer.Option("--quantity", help="媒体の数")] = 1,
    companion: Annotated[str, typer.Option(help="一緒に運ぶ人の名（手で運ぶとき）")] = "",
    locked_bag: Annotated[bool, typer.Option("--locked-bag", help="鍵付きかばんで運ぶ")] = False,
    on: DoneOn = None,
    reason: Paper = "",
) -> None:
    """出庫する。作った人にはできない。今日の関門で止まる手紙があれば、出せない。"""
    _write(
        _ready(ctx), which, states.ISSUED, by, on,
        handler=handler, medium=medium, quantity=quantity, companion=companion, locked_bag=locked_bag, note=reason,
    )  # fmt: skip


@app.command()
def receive(
    ctx: typer.Context,
    which: Which,
    by: By,
    handler: Handler,
    quantity: Quantity = None,
    on: DoneOn = None,
    reason: Paper = "",
) -> None:
    """受領を記録する（受け取った人の名）。この後に、別の人が合言葉を渡せる。"""
    _write(_ready(ctx), which, states.RECEIVED, by, on, handler=handler, quantity=quantity, note=reason)


@app.command()
def passphrase(
    ctx: typer.Context,
    which: Which,
    by: By,
    to: Annotated[str, typer.Option("--to", help="合言葉を受け取る人の名")],
) -> None:
    """合言葉を見せる。受領の後だけ、出庫した人とは別の人だけ。見せたことは監査ログに残る。"""
    from benefit.services.handover_book_passphrase import tell

    given = _ready(ctx)
    actor = given.ward_staff(by)
    given.say(f"合言葉  {tell(given.home, which, told_to=to, actor=actor, clock=given.clock)}")
    given.say(f"{to} に読み上げたら、画面を消してください。渡したことは記録しました。")


@app.command()
def use(ctx: typer.Context, which: Which, by: By, handler: Handler, on: DoneOn = None, reason: Paper = "") -> None:
    """使用（印刷を始めた）を記録する。消去報告書の期限は、ここから数える。"""
    _write(_ready(ctx), which, states.USED, by, on, handler=handler, note=reason)


@app.command("return")
def give_back(
    ctx: typer.Context,
    which: Which,
    by: By,
    handler: Handler,
    quantity: Quantity = None,
    on: DoneOn = None,
    reason: Paper = "",
) -> None:
    """媒体の返却を記録する。"""
    _write(_ready(ctx), which, states.GIVEN_BACK, by, on, handler=handler, quantity=quantity, note=reason)


@app.command()
def erase(ctx: typer.Context, which: Which, by: By, handler: Handler, reason: Paper, on: DoneOn = None) -> None:
    """相手の電子データの消去を記録する（方法を --reason に）。"""
    _write(_ready(ctx), which, states.ERASED, by, on, handler=handler, note=reason)


@app.command()
def report(ctx: typer.Context, which: Which, by: By, handler: Handler, reason: Paper, on: DoneOn = None) -> None:
    """消去報告書の受取を記録する（書類の番号を --reason に）。これで受渡が終わる。"""
    _write(_ready(ctx), which, states.REPORTED, by, on, handler=handler, note=reason)


@app.command()
def cancel(ctx: typer.Context, which: Which, by: By, handler: Handler, reason: Paper, on: DoneOn = None) -> None:
    """出す前の包みを取り消し、出し箱から消す。"""
    _write(_ready(ctx), which, states.CANCELLED, by, on, handler=handler, note=reason)


@app.command()
def show(ctx: typer.Context, which: Which) -> None:
    """受渡一つの、歩みと、次にすること。"""
    from benefit.services.handover_book import item

    given = _ready(ctx)
    found = item(given.home, which, tokyo_date(given.clock()))
    given.say(f"{found.name} {found.title}（{found.counterpart}）")
    given.say(f"{found.content}　{found.row_count:,} 件　指紋 {found.sha256[:16]}")
    given.say(f"{found.made_on} 作成　{found.maker}")
    for event in found.events:
        note = f"　{event.note}" if event.note else ""
        given.say(
            f"{event.done_on} {event.step}　{event.handler}"
            f"（{event.medium} {event.quantity}、記録 {event.recorded_by}）{note}"
        )
    for told in found.told:
        given.say(f"{tokyo_date(told.at)} 合言葉　{told.told_to}（渡した人 {told.told_by}）")
    given.say(_waits(found) or "終わりました。")


@app.command()
def overdue(ctx: typer.Context) -> None:
    """期限を過ぎた受渡。一つでもあれば、終了コード 4。"""
    from benefit.services.handover_book import overdue as late

    given = _ready(ctx)
    found = late(given.home, tokyo_date(given.clock()))
    for each in found:
        given.say(f"{each.name} {each.title}（{each.counterpart}）: {_waits(each)}")
    if found:
        raise RefusedByRule("期限を過ぎた受渡があります", code="overdue", found=f"{len(found)} 件")
    given.say("期限を過ぎた受渡は、ありません。")


@app.command()
def book(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option(help="受渡管理簿を置くフォルダ")],
    by: By,
    reason: Paper,
) -> None:
    """受渡管理簿を、Excel と PDF にする（審議会に出す形）。"""
    from benefit.services import handover_book_sheet
    from benefit.services.files import write_atomic
    from letters.handover_book import render

    given = _ready(ctx)
    actor = given.ward_staff(by)
    rows = handover_book_sheet.taken_out(given.home, reason=reason, actor=actor, clock=given.clock)
    now = given.clock()
    write_atomic(out / "ukewatashi-kanribo.xlsx", handover_book_sheet.workbook(rows, made=now))
    write_atomic(out / "ukewatashi-kanribo.pdf", render(rows, made=now))
    given.say(f"受渡管理簿 {len(rows):,} 件 → {out}")


@app.command("list")
def listed(ctx: typer.Context) -> None:
    """受渡の全部（進捗情報や銀行のファイルも）。"""
    from benefit.services.handover_book import items

    given = _ready(ctx)
    table = Table(title="受渡管理簿", title_justify="left")
    for heading in ("作成", "受渡", "何を", "相手", "件数", "状態", "待っているもの", "作った人"):
        table.add_column(heading)
    for each in reversed(items(given.home, tokyo_date(given.clock()))):
        table.add_row(
            f"{each.made_on}",
            each.name,
            each.title,
            each.counterpart,
            f"{each.row_count:,}",
            each.told_state,
            _waits(each),
            each.maker,
        )
    given.out.print(table)


def _ready(ctx: typer.Context) -> Context:
    given = context(ctx)
    given.need("ward", "handover_event")
    return given


def _waits(found: Item) -> str:
    """何を、いつまで待っているか。"""
    if not found.waiting:
        return ""
    if found.days_late:
        return f"{found.waiting}が {found.days_late} 日遅れています（期限 {found.due_on}）"
    return f"{found.waiting}を待っています" + (f"（期限 {found.due_on}）" if found.due_on else "")


def _write(
    given: Context,
    which: str,
    step: str,
    by: str,
    on: str | None,
    *,
    handler: str,
    medium: str = "",
    quantity: int | None = None,
    companion: str = "",
    locked_bag: bool = False,
    note: str = "",
) -> None:
    """歩みを一つ書き、次にすることを言う。"""
    from benefit.services import handover_book_files
    from benefit.services.handover_book import Entry

    actor = given.ward_staff(by)
    entry = Entry(
        done_on=day(on, "--on") if on else tokyo_date(given.clock()),
        handler=handler,
        medium=medium,
        quantity=quantity,
        companion=companion,
        locked_bag=locked_bag,
        note=note,
    )
    done = handover_book_files.step(given.home, which, step, entry, actor=actor, clock=given.clock)
    given.say(f"{done.name} の{step}を記録しました。{_waits(done) or '終わりました。'}")
