"""支給対象者データベース: benefit beneficiaries build / runs / diff / approve / explain"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from batch.context import Context, context, day
from batch.imports import ProgrammeId
from benefit.domain.clock import tokyo_date
from benefit.domain.errors import WrongUse

if TYPE_CHECKING:
    from benefit.domain.programme import Programme
    from benefit.rules.difference import Difference

app = typer.Typer(no_args_is_help=True, help="支給対象者データベースを作る・比べる・承認する・説明する")


def build_one(
    given: Context,
    *,
    today: str,
    programme: str,
    dry_run: bool,
    out: Path,
    changes: dict[str, str] | None = None,
    by: str | None = None,
) -> None:
    """作り、数を言う。`by` を言えば、その職員が作った人になり、その人は承認できない。"""
    from benefit.domain.access import BATCH
    from benefit.services import beneficiaries

    given.need("ward", "run")
    actor = given.ward_staff(by) if by is not None else BATCH
    chosen = given.home.programme(programme, changes=changes)
    with given.progress() as bar:
        task = bar.add_task("", total=5)

        def step(name: str) -> None:
            bar.update(task, description=name, advance=1)

        built = beneficiaries.build(
            given.home, chosen, day(today), out=out, clock=given.clock, actor=actor, dry_run=dry_run, step=step
        )
    table = Table(title="支給対象者の判定", title_justify="left")
    for heading in ("給付", "判定"):
        table.add_column(heading)
    for heading in ("件数", "金額（円）"):
        table.add_column(heading, justify="right")
    counted = built.counts["給付種別と判定"]
    assert isinstance(counted, dict)
    for benefit, verdicts in counted.items():
        for verdict, cell in verdicts.items():
            table.add_row(chosen.benefit_names[benefit], verdict, f"{cell['件数']:,}", f"{cell['金額']:,}")
    given.out.print(table)
    given.say(f"対象 {built.eligible:,} 件 {built.total_yen:,} 円（全 {built.rows:,} 行） → {out}/outcomes.csv")
    if dry_run:
        tried = "、".join(f"{name}={value}" for name, value in (changes or {}).items())
        given.say(f"試算です。登録はしていません。{f'変えた値: {tried}' if tried else ''}")
    elif built.repeated:
        given.say("同じ入力の判定が、もう登録されています。何も増えていません。")
    else:
        given.say(f"支給権利: 追加 {built.added:,}、前と同じ {built.same:,}、前と違う {built.differing:,}")
    if built.noted:
        given.say(f"目を通す行 {built.noted:,} 件: {out}/attention.csv")
    if built.differing:
        given.say(f"前と違う {built.differing:,} 件は書き換えていません。{out}/differences.csv を確かめてください。")
    show_difference(given, chosen, built.difference, built.checks, out=out, title=_title(chosen, dry_run))
    if built.run_id is not None and built.repeated and _approved_already(given, chosen, built.run_id):
        return
    if built.run_id is not None:
        given.say(
            f"次: 別の人が差を見て、benefit beneficiaries approve {built.run_id} "
            f"--difference {built.difference.digest[:12]} --by ID で承認します。"
        )


def _approved_already(given: Context, programme: Programme, run_id: int) -> bool:
    """この判定はもう承認されたか。承認されていれば、そう言う（同じ判定は二度承認できない）。"""
    from benefit.services import runs

    if not runs.find(given.home, programme, str(run_id)).approved_by:
        return False
    last = runs.find(given.home, programme, "approved")
    later = f"その後に判定 {last.id} が承認されています。この内容に戻すには、--today を変えて作り直し、承認を受けます。"
    given.say(f"判定 {run_id} は、もう承認されています。{later if last.id != run_id else ''}")
    return True


def _title(programme: Programme, dry_run: bool) -> str:
    return f"{programme.name}: 最後に承認した判定と{'試算' if dry_run else '今回'}の差"


def show_difference(
    given: Context,
    programme: Programme,
    found: Difference,
    checks: list[tuple[str, str, int, int]],
    *,
    out: Path | None,
    title: str,
) -> None:
    """差を端末の表で言い、`out` があれば Excel と図も書く。"""
    from benefit.services import difference_book, difference_chart
    from benefit.services.files import write_atomic

    table = Table(title=title, title_justify="left")
    table.add_column("給付", overflow="fold")
    for heading in ("前（件）", "今（件）", "入る", "外れる", "前（円）", "今（円）"):
        table.add_column(heading, justify="right")
    names = ("before_rows", "now_rows", "entering_rows", "leaving_rows", "before_yen", "now_yen")
    for row in found.benefits.iter_rows(named=True):
        benefit = programme.benefit_names.get(row["benefit"], row["benefit"])
        table.add_row(benefit, *(f"{row[name]:,}" for name in names))
    given.out.print(table)
    moves = [(kind, rows, yen) for kind, rows, yen in found.moves.iter_rows() if rows]
    told = "、".join(f"{kind} {rows:,} 件（{yen:+,} 円）" for kind, rows, yen in moves)
    given.say(f"差の種類: {told or '差はありません'}")
    if any(before for _subject, _check, before, _now in checks):
        moved = [f"{subject} {check} {before:,}→{now:,}" for subject, check, before, now in checks if before != now]
        given.say(f"検査が外した数の動き: {'、'.join(moved) or '動きはありません'}")
    silent = [f"{subject} {check}" for subject, check, _before, now in checks if now == 0]
    if silent:
        given.say(f"警報: 誰も外さなかった検査: {'、'.join(silent)}（抽出データの不足でないか、確かめてください）")
    given.say(f"差の指紋: {found.digest[:12]}")
    if out is not None:
        book = difference_book.render(
            found, title=title, names=programme.benefit_names, checks=checks, made=given.clock()
        )
        write_atomic(out / "difference.xlsx", book)
        chart = difference_chart.render(found, title=title, names=programme.benefit_names)
        write_atomic(out / "difference.svg", chart.encode())
        given.say(f"差の表と図: {out}/difference.xlsx、{out}/difference.svg")


def _changes(given: list[str], *, dry_run: bool) -> dict[str, str]:
    if given and not dry_run:
        raise WrongUse("--set は --dry-run（試算）のときだけ使えます。値を変えるときは、事業のファイルを直してください")
    pairs = [one.partition("=") for one in given]
    if any(not (name and equals) for name, equals, _value in pairs):
        raise WrongUse("--set は 項目=値 と書きます", allowed="例: --set adjustment.income_cap_yen=20000000")
    return {name.strip(): value.strip() for name, _equals, value in pairs}


@app.command()
def build(
    ctx: typer.Context,
    today: Annotated[str, typer.Option(help="判定の日（YYYY-MM-DD）")],
    out: Annotated[Path, typer.Option(help="結果のフォルダ")],
    programme: ProgrammeId = "r6-2024",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="試算だけして、登録しない")] = False,
    changes: Annotated[
        list[str] | None, typer.Option("--set", help="試算で変える値（例: adjustment.income_cap_yen=20000000）")
    ] = None,
    by: Annotated[
        str | None, typer.Option(help="作る職員の ID（夜間の自動処理では省く）。この人は、この判定を承認できない")
    ] = None,
    municipalities: Annotated[
        Path | None, typer.Option(help="区ごとのフォルダを並べたフォルダ（区ごとに取り込み、判定する）")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="--municipalities の働き手の数")] = None,
    scheduler: Annotated[str | None, typer.Option(help="--municipalities を配る Dask の番地（tcp://…）")] = None,
) -> None:
    """全員を判定し、対象者に給付管理番号を付ける。"""
    chosen = _changes(changes or [], dry_run=dry_run)
    if municipalities is not None:
        from batch.municipalities import build_all

        if by is not None:
            raise WrongUse("--by と --municipalities は、一緒に使えません")
        if chosen:
            raise WrongUse("--set と --municipalities は、一緒に使えません")
        build_all(
            context(ctx),
            folder=municipalities,
            out=out,
            today=today,
            programme=programme,
            dry_run=dry_run,
            workers=workers,
            scheduler=scheduler,
        )
        return
    if workers is not None or scheduler is not None:
        raise WrongUse("--workers と --scheduler は、--municipalities のときだけ使います")
    build_one(context(ctx), today=today, programme=programme, dry_run=dry_run, out=out, changes=chosen, by=by)


Word = Annotated[str, typer.Argument(help="判定の番号、latest（最後）、approved（最後に承認したもの）")]


@app.command()
def runs(ctx: typer.Context, programme: ProgrammeId = "r6-2024") -> None:
    """登録された判定の一覧: 番号、日、対象、承認。"""
    from benefit.services import runs as recorded
    from benefit.services import second
    from benefit.store.engine import reading

    given = context(ctx)
    given.need("ward", "run")
    chosen = given.home.programme(programme)
    table = Table(title=f"{chosen.name} の判定", title_justify="left")
    for heading in ("番号", "判定の日", "作った人", "支給額合計（円）", "結果の指紋", "第二の判定", "承認"):
        table.add_column(heading)
    with reading(given.home.ward) as connection:
        for run in recorded.all_runs(connection, chosen.id):
            total = f"{run.counts['支給額合計']:,}"
            approved = run.approved_by or "まだ"
            seen = second.last_seen(connection, chosen, run.input_digest)
            verified = "まだ" if seen is None else f"違い {seen.differences:,}"
            table.add_row(
                str(run.id), str(run.today), run.built_by, total, run.outcomes_sha256[:12], verified, approved
            )
    given.out.print(table)


@app.command()
def diff(
    ctx: typer.Context,
    before: Word,
    now: Word,
    out: Annotated[Path | None, typer.Option(help="Excel と図を書くフォルダ")] = None,
    programme: ProgrammeId = "r6-2024",
) -> None:
    """二つの判定の差: 誰が入り、誰が外れ、金額がどう動くか。"""
    from benefit.services import runs as recorded

    given = context(ctx)
    given.need("ward", "run")
    chosen = given.home.programme(programme)
    first, second = recorded.find(given.home, chosen, before), recorded.find(given.home, chosen, now)
    compared = recorded.compare(given.home, first, second)
    title = f"{chosen.name}: 判定 {first.id}（{first.today}）と判定 {second.id}（{second.today}）の差"
    show_difference(given, chosen, compared.difference, compared.checks, out=out, title=title)


@app.command()
def approve(
    ctx: typer.Context,
    run: Word,
    by: Annotated[str, typer.Option(help="承認する職員の ID")],
    difference: Annotated[str, typer.Option(help="見た差の指紋（12 桁）")],
    reason: Annotated[str, typer.Option(help="誰も外さなかった検査があるときの、確かめたことと理由")] = "",
    programme: ProgrammeId = "r6-2024",
) -> None:
    """前に承認した判定との差を承認する。承認した判定の権利だけが、手紙・受渡・支払に進む。"""
    from benefit.services import runs as recorded
    from benefit.services import second
    from benefit.store.engine import reading

    given = context(ctx)
    given.need("ward", "run")
    chosen = given.home.programme(programme)
    actor = given.ward_staff(by)
    wanted = recorded.find(given.home, chosen, run)
    with reading(given.home.ward) as connection:
        verified = second.last_seen(connection, chosen, wanted.input_digest)
    if verified is None:
        given.say("第二の判定: まだ比べていません（benefit beneficiaries verify）。")
    else:
        given.say(f"第二の判定: {verified.compared:,} 行を比べ、違い {verified.differences:,}")
    done = recorded.approve(given.home, chosen, wanted, seen=difference, reason=reason, actor=actor, clock=given.clock)
    show_difference(given, chosen, done.difference, done.checks, out=None, title=f"承認した差（判定 {wanted.id}）")
    given.say(f"判定 {wanted.id} を承認しました。")


@app.command()
def changes(
    ctx: typer.Context,
    today: Annotated[str | None, typer.Option(help="見直す日（YYYY-MM-DD）")] = None,
    out: Annotated[Path | None, typer.Option(help="一覧（changes.csv、changes.xlsx）を書くフォルダ")] = None,
    programme: ProgrammeId = "r6-2024",
) -> None:
    """決めた後に変わった事実を見つけ、誰に・なぜ・何をするかを一覧にする。"""
    from collections import Counter

    from benefit.records import people_csv
    from benefit.services import changes as changing
    from benefit.services.files import write_atomic
    from benefit.services.sheet import render

    given = context(ctx)
    given.need("ward", "change_found")
    chosen = given.home.programme(programme)
    on = day(today) if today else tokyo_date(given.clock())
    with given.progress() as bar:
        bar.add_task("登録した権利を見直しています", total=None)
        found = changing.find(given.home, chosen, on, clock=given.clock)
    rows = changing.told(found.open, on)
    table = Table(title="変わったこと（済んでいないもの）", title_justify="left")
    table.add_column("変わったこと", overflow="fold")
    table.add_column("段階", overflow="fold")
    table.add_column("件数", justify="right", overflow="fold")
    table.add_column("すること", overflow="fold")
    counted = Counter(rows.select("変わったこと", "段階", "すること").iter_rows())
    for (change, stage, todo), count in sorted(counted.items()):
        table.add_row(change, stage, f"{count:,}", todo)
    given.out.print(table)
    given.say(
        f"権利 {found.looked:,} 件を見直し、新しく {found.fresh:,} 件見つけました（済んでいない {rows.height:,} 件）。"
    )
    if out is not None:
        write_atomic(out / "changes.csv", people_csv.render(rows))
        write_atomic(out / "changes.xlsx", render({"変わったこと": rows}, made=given.clock()))
        given.say(f"一覧: {out}/changes.csv、{out}/changes.xlsx")


@app.command()
def close(
    ctx: typer.Context,
    number: Annotated[int, typer.Argument(help="変わったことの番号")],
    by: Annotated[str, typer.Option(help="職員の ID")],
    did: Annotated[str, typer.Option(help="何をしたか")],
) -> None:
    """変わったことを、済ませたことにする。"""
    from benefit.services import changes as changing

    given = context(ctx)
    given.need("ward", "change_found")
    changing.close(given.home, number, did=did, actor=given.ward_staff(by), clock=given.clock)
    given.say(f"変わったこと {number} を済ませました。")
