"""情報提供ネットワークシステムの照会と回答: benefit inquiry export / import / status"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from batch.context import context, day
from batch.imports import AllowRejects, Encoding, ProgrammeId, tell
from benefit.domain.clock import tokyo_date
from benefit.domain.errors import WrongUse

app = typer.Typer(no_args_is_help=True, help="情報提供ネットワークシステムの照会用データと回答")


class Kind(StrEnum):
    """照会の種類。"""

    tax = "tax"
    account = "account"


@app.command()
def export(
    ctx: typer.Context,
    kind: Annotated[Kind, typer.Argument(help="tax: 課税照会、account: 公金受取口座照会")],
    out: Annotated[Path, typer.Option(help="出すフォルダ")],
    today: Annotated[str | None, typer.Option(help="照会の日（YYYY-MM-DD）")] = None,
    retry: Annotated[
        bool, typer.Option("--retry", help="答えがエラー・提供不可・該当なしの人にだけ、新しい番号で尋ね直す")
    ] = False,
    unanswered_after: Annotated[
        int | None, typer.Option(min=0, help="--retry と共に: この日数を過ぎても答えのない人にも尋ね直す")
    ] = None,
    programme: ProgrammeId = "r6-2024",
) -> None:
    """照会用データを出す。区が直接扱う人と尋ねる先のない人は、区限りの別の一覧に書く。"""
    from benefit.services import inquiries

    given = context(ctx)
    given.need("ward", "inquiry")
    if unanswered_after is not None and not retry:
        raise WrongUse("--unanswered-after は --retry と共に使います", allowed="--retry --unanswered-after 日数")
    on = day(today) if today else tokyo_date(given.clock())
    with given.progress() as bar:
        bar.add_task("照会する人を選んでいます", total=None)
        done = inquiries.export(
            given.home,
            given.home.programme(programme),
            on,
            kind.value,
            out=out,
            clock=given.clock,
            retry=retry,
            unanswered_after=unanswered_after,
        )
    given.say(f"{inquiries.NAMES[kind.value]}: {done.rows:,} 件（新しい照会番号 {done.issued:,} 件） → {done.path}")
    given.say(
        f"機械では尋ねない人: 職員が手で照会 {done.by_hand:,} 人、住所地不明 {done.not_askable:,} 人"
        f"（区限り。区の外へ出さない） → {done.not_asked}"
    )


@app.command("import")
def import_(
    ctx: typer.Context,
    kind: Annotated[Kind, typer.Argument(help="tax: 課税照会、account: 公金受取口座照会")],
    file: Annotated[Path, typer.Argument(help="回答のファイル（CSV）")],
    encoding: Encoding = None,
    allow_rejects: AllowRejects = 0,
    programme: ProgrammeId = "r6-2024",
) -> None:
    """回答を取り込む。次の build から判定に使われる。"""
    from benefit.services import inquiries

    given = context(ctx)
    given.need("ward", "inquiry")
    done = inquiries.import_answers(
        given.home,
        given.home.programme(programme),
        kind.value,
        file,
        clock=given.clock,
        encoding=encoding,
        allow_rejects=allow_rejects,
    )
    tell(given, done.imported)
    if done.imported.already:
        return
    given.say(
        f"採用 {done.imported.rows_kept:,} = 初めての回答 {done.fresh:,} + 同じ回答の再着 {done.repeated:,}"
        f" + 前と違う回答 {done.differing:,}"
    )
    given.say(
        f"うち 古い照会への遅れた回答 {done.late:,}、食い違い {done.contradictory:,}、"
        f"まだ分からない回答 {done.unresolved:,}（一覧は benefit inquiry status --out フォルダ）"
    )


@app.command()
def status(
    ctx: typer.Context,
    out: Annotated[Path | None, typer.Option(help="名の一覧（CSV）を書くフォルダ。区の中で使う")] = None,
    today: Annotated[str | None, typer.Option(help="数える日（YYYY-MM-DD）")] = None,
    programme: ProgrammeId = "r6-2024",
) -> None:
    """照会の進み具合と、課税のまだ分からない人が一人ずつどうなっているか。"""
    from benefit.services import inquiry_answers, inquiry_status

    given = context(ctx)
    given.need("ward", "inquiry")
    on = day(today) if today else tokyo_date(given.clock())
    with given.progress() as bar:
        bar.add_task("照会の進み具合を数えています", total=None)
        done = inquiry_status.status(given.home, given.home.programme(programme), on, out=out)
    for one in done.rounds:
        waiting = f"、最も古いもので {one.oldest_days:,} 日" if one.oldest_days is not None else ""
        by_hand = "（職員が手で）" if one.way == "hand" else ""
        given.say(
            f"{inquiry_answers.NAMES[one.kind]} {one.attempt} 回目{by_hand}: "
            f"照会 {one.asked:,} = 回答 {one.answered:,} + 回答待ち {one.open:,}{waiting}"
        )
    if done.registered:
        given.say("公金受取口座の回答: " + "、".join(f"{name} {count:,}" for name, count in done.registered.items()))
    given.say(
        f"転入で課税の分からなかった人 {done.arrivals:,}"
        f" = 分かった人 {done.resolved:,} + まだ分からない人 {done.open_people:,}"
    )
    given.say(
        f"まだ分からない人 {done.open_people:,} = "
        + " + ".join(f"{name} {count:,}" for name, count in done.states.items())
    )
    given.say(f"食い違いのある回答: {done.conflicts:,} 件")
    if done.folder is not None:
        given.say(f"一覧 → {done.folder}、区が直接扱う人の分（区限り。区の外へ出さない） → {done.ward_only}")
