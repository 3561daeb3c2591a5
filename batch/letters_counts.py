"""印刷所の結果と返戻: benefit letters counts take / show、benefit letters returned take"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from batch.context import Context, context, day
from benefit.domain.clock import tokyo_date
from benefit.domain.errors import RefusedInput

if TYPE_CHECKING:
    import polars as pl

    from benefit.services.home import Home
    from benefit.services.print_results import LotFolder

counts_app = typer.Typer(no_args_is_help=True, help="印刷所の結果を、渡したロットと突き合わせる")
returned_app = typer.Typer(no_args_is_help=True, help="返戻の一覧を入れる")
By = Annotated[str, typer.Option(help="操作する職員の ID（合言葉をたずねる）")]
_SAID = 20


def add_to(app: typer.Typer) -> None:
    """`benefit letters` の下に置く。"""
    app.add_typer(counts_app, name="counts")
    app.add_typer(returned_app, name="returned")


def checker(home: Home) -> Callable[[str], bool]:
    """封入の符号の検査の数字が合うか。"""
    from letters import sheet_code

    key = home.key(sheet_code.KEY)

    def right(digits: str) -> bool:
        try:
            sheet_code.read(key, digits)
        except RefusedInput:
            return False
        return True

    return right


def lot_folder(folder: Path) -> LotFolder:
    """ロットのフォルダと、その紙の一覧（区の中のフォルダ。写しを同じフォルダに置いてもよい）。"""
    from benefit.services.print_results import LotFolder
    from letters.sheets import SHEETS_FILE, sheets_folder

    beside = folder / SHEETS_FILE
    return LotFolder(folder, beside if beside.exists() else sheets_folder(folder.resolve()) / SHEETS_FILE)


def _ready(ctx: typer.Context) -> Context:
    given = context(ctx)
    given.need("ward", "print_result")
    return given


@counts_app.command()
def take(
    ctx: typer.Context,
    lot: Annotated[Path, typer.Argument(help="渡したロットのフォルダ（out/printer/20240624-01 など）")],
    file: Annotated[Path, typer.Argument(help="印刷所の結果（封入の符号、区分、日付、封筒番号）")],
    by: By,
    also: Annotated[list[Path] | None, typer.Option(help="同じ結果に入っている、ほかのロットのフォルダ")] = None,
    reason: Annotated[str, typer.Option(help="前の結果を、直したファイルに代えるわけ")] = "",
    out: Annotated[Path | None, typer.Option(help="名ざした番号の一覧（CSV と Excel）を書くフォルダ")] = None,
) -> None:
    """結果を受け取る。一つでも合わなければ束は止まり、番号とわけの一覧が出る。"""
    from benefit.services import print_results
    from benefit.services.print_results_view import totals

    given = _ready(ctx)
    done = print_results.take(
        given.home, [lot_folder(one) for one in (lot, *(also or []))], file,
        right=checker(given.home), reason=reason, actor=given.ward_staff(by), clock=given.clock,
    )  # fmt: skip
    if done.repeated:
        given.say("このファイルは、もう受け取ってあります。何も変えません。")
    n = done.counts
    given.say(
        f"印刷所の結果 {done.result_id}（{done.turn} 回目）: {done.state}"
        f" — 渡した {n['sent']:,} = 良 {n['good']:,} + 損 {n['spoiled']:,}、"
        f"再作成 {n['remade']:,} + 抜き取り {n['pulled']:,}、投函 {n['posted']:,}"
    )
    if done.faults.height:
        given.say(f"合わない番号が {n['wrong']:,} あります。束を止めました。")
        for fault, says, count in totals(done.faults):
            given.say(f"  {fault} {count:,}: {says}")
        given.say("  次: 印刷所に確かめ、直したファイルを --reason を付けてもう一度。")
    if out is not None:
        _write(given, out, done.result_id, done.faults)


@counts_app.command()
def show(
    ctx: typer.Context,
    number: Annotated[int | None, typer.Argument(help="結果の番号。なければ、束の全部")] = None,
    out: Annotated[Path | None, typer.Option(help="名ざした番号の一覧（CSV と Excel）を書くフォルダ")] = None,
) -> None:
    """束ごとの結果と、まだ結果の来ない組。番号を言えば、名ざした番号とわけ。"""
    from benefit.services import print_results_view as view
    from benefit.store.engine import reading

    given = _ready(ctx)
    with reading(given.home.ward) as connection:
        if number is None:
            for row in view.results(connection):
                told = f"合わない番号 {row['wrong']:,}" if row["wrong"] else f"投函 {row['posted']:,} 枚"
                given.say(f"{row['id']}. {row['folder']}: {row['state']}（{row['sent']:,} 枚、{told}）")
            for lot in view.waiting(connection):
                unit = "枚" if lot["kind"] == "額の頁" else "通"
                given.say(
                    f"まだ: ロット {lot['id']} {lot['kind']} {lot['letters']:,} {unit}（{lot['released_on']} に出した）"
                )
            return
        row, faults = view.one(connection, number), view.faults_of(connection, number)
    given.say(f"{row['folder']}（{row['turn']} 回目）: {row['state']}" + ("" if row["now"] else "（後の結果に代えた）"))
    for code, fault, record in faults.head(_SAID).iter_rows():
        given.say(f"  {code} {fault}" + (f"（{record} 行目）" if record else "（行がない）"))
    if faults.height > _SAID:
        given.say(f"  ほか {faults.height - _SAID:,} 行。全部は --out で書きます。")
    if out is not None:
        _write(given, out, number, faults)


def _write(given: Context, out: Path, number: int, faults: pl.DataFrame) -> None:
    from benefit.services import sheet
    from benefit.services.files import write_atomic
    from benefit.services.print_results_view import table_of

    table, name = table_of(faults), f"print-result-{number}"
    write_atomic(out / f"{name}.csv", table.write_csv(line_terminator="\r\n").encode("utf-8-sig"))
    made = sheet.render({"合わない番号": table}, made=given.clock(), title=f"印刷所の結果 {number}: 合わない番号")
    write_atomic(out / f"{name}.xlsx", made)
    given.say(f"一覧: {out / name}.csv、.xlsx")


@returned_app.command("take")
def take_returned(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="読み取った番号の一覧（一行に一つ、または CSV の一列目）")],
    by: By,
    reason: Annotated[str, typer.Option(help="わけ（unknown_address、moved、not_collected、refused、other）")],
    returned_on: Annotated[str | None, typer.Option(help="戻った日（YYYY-MM-DD、既定は今日）")] = None,
) -> None:
    """戻った封筒を、送った手紙に結ぶ。入れなかった行は、わけと一緒に残る。"""
    from benefit.services import returned_letters

    given = _ready(ctx)
    on = day(returned_on, "--returned-on") if returned_on else tokyo_date(given.clock())
    done = returned_letters.take(
        given.home, file,
        reason=reason, returned_on=on, right=checker(given.home), actor=given.ward_staff(by), clock=given.clock,
    )  # fmt: skip
    if done.repeated:
        given.say("この一覧は、もう入れてあります。何も変えません。")
    given.say(f"返戻: 読込 {done.read:,} = 入れた {done.taken:,} + 断った {len(done.refused):,}")
    for at, why in done.refused[:_SAID]:
        given.say(f"  {at} 行目: {why}")
    if len(done.refused) > _SAID:
        given.say(f"  ほか {len(done.refused) - _SAID:,} 行")
    if done.refused:
        given.say("  断った行は、わけを直した後に、その行だけの新しい一覧で入れてください。")
    if done.taken:
        given.say("  次: 送り先を直してから benefit letters reissue で出し直します。")
