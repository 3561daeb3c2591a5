"""様式: benefit layout list / show / check / convert / changes"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from batch.context import context, day
from benefit.domain.clock import tokyo_date
from benefit.domain.errors import RefusedInput, WrongUse

app = typer.Typer(no_args_is_help=True, help="収納などのファイルの様式を見る・確かめる・変換する")
LayoutId = Annotated[str, typer.Argument(help="様式の名（benefit layout list で見られる）")]
File = Annotated[Path, typer.Argument(help="ファイル")]
#: 一度に画面に出す、悪い所の数。全部は --report に書く。
_SHOWN = 20


@app.command("list")
def list_layouts(ctx: typer.Context) -> None:
    """使える様式と変換の一覧。"""
    from benefit.records.csv_layouts import CSV_LAYOUTS
    from benefit.services import layouts

    given = context(ctx)
    found = layouts.known(given.home)
    for layout in found.values():
        marks = [
            "確かめた" if layout.verified else "",
            "自分たちの取り決め" if layout.own_convention else "",
            "読むだけ" if layout.read_only else "",
        ]
        said = "・".join(mark for mark in marks if mark) or "公開の一例"
        given.say(f"{layout.id}: {layout.title}（{layout.length} バイト、{said}）")
    for csv in CSV_LAYOUTS.values():
        given.say(f"{csv.id}: {csv.title}（CSV、{csv.standing}、読むだけ）")
    made = layouts.conversions(given.home)
    for one in made.values():
        given.say(f"変換 {one.id}: {one.title}（{one.source} → {one.target}）")
    given.say(
        f"様式 {len(found) + len(CSV_LAYOUTS)}、変換 {len(made)}。区の様式は {layouts.folder(given.home)} に置きます。"
    )


@app.command()
def show(
    ctx: typer.Context,
    layout_id: LayoutId,
    xlsx: Annotated[Path | None, typer.Option(help="仕様書を Excel の表にして書くファイル")] = None,
) -> None:
    """仕様書を、宣言から印刷する。"""
    from benefit.records import layout_sheet
    from benefit.records.csv_layouts import CSV_LAYOUTS
    from benefit.services import layouts, sheet
    from benefit.services.files import write_atomic

    given = context(ctx)
    if layout_id in CSV_LAYOUTS and xlsx is None:
        given.say(CSV_LAYOUTS[layout_id].markdown())
        return
    layout = layouts.find(given.home, layout_id)
    if xlsx is None:
        given.say(layout_sheet.markdown(layout))
        return
    tables = layout_sheet.fields(layout)
    rendered = sheet.render(tables, made=given.clock(), title=layout.title, notes=layout_sheet.notes(layout))
    write_atomic(xlsx, rendered)
    given.say(f"{layout.title}の仕様書（{sum(table.height for table in tables.values())} 行）→ {xlsx}")


@app.command()
def check(
    ctx: typer.Context,
    layout_id: LayoutId,
    file: File,
    report: Annotated[Path | None, typer.Option(help="悪い所を全部書くファイル（値を含みうる）")] = None,
) -> None:
    """ファイルを一バイトも残さず確かめ、悪い所を全部挙げる。何も取り込まない。"""
    from benefit.records import csv_layout, file_reader
    from benefit.records.csv_layouts import CSV_LAYOUTS
    from benefit.services import layouts
    from benefit.services.files import read_input, write_atomic
    from benefit.services.layouts import blocks_of

    given = context(ctx)
    reading: csv_layout.CsvReading | file_reader.Reading
    if layout_id in CSV_LAYOUTS:
        title = CSV_LAYOUTS[layout_id].title
        reading = csv_layout.read(read_input(file), CSV_LAYOUTS[layout_id], file=file.name)
    else:
        layout = layouts.find(given.home, layout_id)
        title, reader = layout.title, file_reader.Reader(layout, file.name)
        # 塊ごとに確かめて捨てる。百万件でも、記憶は件数によらない。
        for _table in reader.tables(blocks_of(file)):
            pass
        reading = reader.reading()
    for fault in reading.faults[:_SHOWN]:
        given.say(str(fault.refusal(file.name)))
    count = len(reading.faults) + reading.more_faults
    if report is not None:
        lines = [str(fault.refusal(file.name)) for fault in reading.faults]
        lines += [f"ほか {reading.more_faults:,} か所"] if reading.more_faults else []
        write_atomic(report, "".join(f"{line}\n" for line in lines).encode())
    given.say(
        f"{title}: 読んだ {reading.read:,} = 良い明細 {reading.good:,} + 断った {reading.rejected:,}"
        f" + 枠 {reading.read - reading.good - reading.rejected:,}。悪い所 {count:,}"
    )
    if count:
        raise typer.Exit(RefusedInput.exit_code)


@app.command()
def convert(
    ctx: typer.Context,
    source: Annotated[str, typer.Argument(metavar="FROM", help="元の様式の名")],
    target: Annotated[str, typer.Argument(metavar="TO", help="移し先の様式の名")],
    file: File,
    out: Annotated[Path, typer.Option(help="書くファイル")],
    using: Annotated[str, typer.Option(help="変換の名（二つ以上あるとき）")] = "",
    today: Annotated[str | None, typer.Option(help="ファイル作成日（YYYY-MM-DD）")] = None,
    agent_code: Annotated[str, typer.Option(help="見出しの送り主のコード（6 桁）")] = "000000",
    biller_code: Annotated[str, typer.Option(help="見出しの収納機関コード（10 桁）")] = "0000000000",
    usage: Annotated[str, typer.Option(help="利用区分（1 本番、0 テスト）")] = "1",
) -> None:
    """レイアウト変換: 元を全部確かめ、対応表のとおりに移し、書いた物を読み直してから置く。"""
    from benefit.services import layouts
    from benefit.services.files import write_atomic

    given = context(ctx)
    made_on = day(today) if today else tokyo_date(given.clock())
    header = {"made_on": f"{made_on:%Y%m%d}", "agent_code": agent_code, "biller_code": biller_code, "usage": usage}
    converter = layouts.converter(given.home, source, target, using=using)
    _apart(file, out)
    done = converter.convert(_content(file), given=dict(header), file=file.name)
    write_atomic(out, done.content)
    lost = f"移し先に置き場のない項目: {'、'.join(done.lost)}。" if done.lost else ""
    given.say(f"{converter.conversion.title}: {done.count:,} 件。{lost}→ {out}")


@app.command()
def changes(
    ctx: typer.Context,
    uploaded: Annotated[Path, typer.Argument(help="アップロード済みの調定データ（payeasy-upload）")],
    wanted: Annotated[Path, typer.Argument(help="今あるべき調定データ（payeasy-upload）")],
    out: Annotated[Path, typer.Option(help="書くファイル")],
) -> None:
    """アップロード済みの調定を直す、新規・変更・削除のレコードを作る。"""
    from benefit.records import file_reader, file_writer, payeasy
    from benefit.services.files import write_atomic

    given = context(ctx)
    for file in (uploaded, wanted):
        _apart(file, out)
    before, after = (file_reader.read(_content(file), payeasy.UPLOAD, file=file.name) for file in (uploaded, wanted))
    table = payeasy.changes(before.require(), after.require())
    header = {name: after.headers[0][name] for name in ("made_on", "agent_code", "biller_code", "usage")}
    write_atomic(out, file_writer.write(payeasy.UPLOAD, [(header, table)], file=out.name))
    counts = dict(table["change_kind"].value_counts().iter_rows())
    said = "、".join(
        f"{name} {counts.get(kind, 0):,} 件" for kind, name in (("1", "新規"), ("2", "変更"), ("3", "削除"))
    )
    given.say(f"調定の差: {said} → {out}")


def _content(file: Path) -> bytes:
    from benefit.services.files import read_input

    return read_input(file)


def _apart(file: Path, out: Path) -> None:
    if file.resolve() == out.resolve():
        raise WrongUse("元のファイルには書きません", found=str(out), allowed="別の名前")
