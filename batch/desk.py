"""給付管理システムとの受渡: benefit desk export / load / advance / forms / planned"""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from batch.context import context, day
from batch.imports import ProgrammeId
from benefit.domain.access import BATCH
from benefit.domain.clock import tokyo_date
from benefit.domain.errors import Place, RefusedInput

if TYPE_CHECKING:
    from benefit.services.desk_cases import ReceivedForm

app = typer.Typer(no_args_is_help=True, help="給付管理システムとの受渡と、期限・収受")
Today = Annotated[str | None, typer.Option(help="日付（YYYY-MM-DD）")]
FORM_COLUMNS = (
    "給付管理番号",
    "収受日",
    "結果",
    "審査完了日",
    "不備",
    "金融機関コード",
    "支店コード",
    "預金種目",
    "口座番号",
    "口座名義カナ",
)


@app.command()
def export(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option(help="出すフォルダ")],
    today: Today = None,
    programme: ProgrammeId = "r6-2024",
) -> None:
    """区から: 外へ出してよい受給者だけを、受渡フォルダに出す。"""
    from benefit.services import desk_export

    given = context(ctx)
    given.need("ward", "handover")
    on = day(today) if today else tokyo_date(given.clock())
    with given.progress() as bar:
        bar.add_task("受渡を作っています", total=None)
        done = desk_export.export(given.home, given.home.programme(programme), out=out, today=on, clock=given.clock)
    same = "（前回と同じ内容）" if done.repeated else ""
    given.say(f"受渡 連番 {done.sequence}: {done.rows:,} 件{same} 指紋 {done.sha256[:16]}… → {out}")


@app.command()
def load(ctx: typer.Context, folder: Annotated[Path, typer.Argument(metavar="DIR", help="受渡フォルダ")]) -> None:
    """委託先で: 受渡フォルダを受け入れる。"""
    from benefit.services import desk_load

    given = context(ctx)
    given.need("desk", "load")
    done = desk_load.load(given.home, folder, clock=given.clock)
    if done.repeated:
        given.say("この受渡は、もう受け入れてあります。何も変えません。")
    given.say(f"受入 {done.rows:,} 件: 追加 {done.added:,}、変更 {done.changed:,}、引上げ {done.withdrawn:,}")
    if done.stuck:
        given.say(f"区の進捗と合わない {len(done.stuck):,} 件: {'、'.join(done.stuck[:5])} …区に確かめてください。")


@app.command()
def advance(ctx: typer.Context, today: Today = None) -> None:
    """委託先で: 期限の過ぎた件を進める。"""
    from benefit.services import desk_cases

    given = context(ctx)
    given.need("desk", "benefit_case")
    on = day(today) if today else tokyo_date(given.clock())
    done = desk_cases.pass_deadlines(given.home, on, actor=BATCH, clock=given.clock)
    given.say("、".join(f"{name} {count:,} 件" for name, count in done.items()))


@app.command()
def forms(ctx: typer.Context, file: Annotated[Path, typer.Argument(help="入力した確認書（CSV）")]) -> None:
    """委託先で: 入力した確認書を収受し、審査の結果を入れる。"""
    from benefit.services import desk_cases

    given = context(ctx)
    given.need("desk", "benefit_case")
    done = desk_cases.receive_forms(given.home, read_forms(file), actor=BATCH, clock=given.clock)
    given.say("確認書: " + "、".join(f"{name} {count:,}" for name, count in done.items()))


def read_forms(file: Path) -> list[ReceivedForm]:
    """確認書の入力ファイルを読む。UTF-8 の CSV、見出しは FORM_COLUMNS。"""
    from benefit.services.desk_cases import ReceivedForm
    from benefit.services.files import read_input

    try:
        text = read_input(file).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise RefusedInput("UTF-8 で書いてください", code="encoding", place=Place(file=file.name)) from None
    rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    if tuple(rows.fieldnames or ()) != FORM_COLUMNS:
        raise RefusedInput(
            "見出しが違います", code="header", place=Place(file=file.name), allowed="、".join(FORM_COLUMNS)
        )
    made = []
    for row in rows:
        reviewed = row["審査完了日"]
        made.append(
            ReceivedForm(
                case_number=row["給付管理番号"],
                received_on=day(row["収受日"], f"{rows.line_num} 行目の収受日"),
                outcome=row["結果"],
                reviewed_on=day(reviewed, f"{rows.line_num} 行目の審査完了日") if reviewed else None,
                deficiency=row["不備"],
                **_account(row, f"{file.name} の {rows.line_num} 行目"),
                holder_kana=row["口座名義カナ"] or None,
            )
        )
    return made


def _account(row: dict[str, str], where: str) -> dict[str, str | None]:
    """口座の四項目。ゆうちょ銀行の「記号-番号」は、振込用の店番・種目・番号に直す。"""
    from benefit.records.yucho import as_written

    try:
        told = as_written(*(row[name] or "" for name in ("金融機関コード", "支店コード", "預金種目", "口座番号")))
    except RefusedInput as refused:
        raise RefusedInput(f"{where}: {refused}", code="account") from None
    return {name: value or None for name, value in told._asdict().items()}


@app.command()
def planned(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option(help="出すフォルダ")],
    today: Today = None,
    programme: ProgrammeId = "r6-2024",
) -> None:
    """委託先から: 払う用意のできた件を、支給予定情報に出す。"""
    from benefit.services import desk_planned

    given = context(ctx)
    given.need("desk", "planned_file")
    on = day(today) if today else tokyo_date(given.clock())
    made = desk_planned.make(
        given.home, given.home.programme(programme).id, out=out, today=on, actor=BATCH, clock=given.clock
    )
    if made is None:
        given.say("支給予定情報に出す件はありません。")
        return
    given.say(f"支給予定情報 {made.file_number}: {made.rows:,} 件 {made.total_yen:,} 円 → {out}")
