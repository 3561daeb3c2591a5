"""支給判定: benefit judge"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from batch.context import Context, context, day
from batch.imports import ProgrammeId
from benefit.domain.clock import tokyo_date
from benefit.domain.errors import WrongUse


def tell(given: Context, done: object, out: Path) -> None:
    """判定の数を言う。読んだ行と判定した行は、いつも同じ。"""
    from benefit.services.judgment import Judged

    assert isinstance(done, Judged)
    if done.repeated:
        given.say("このファイルは判定済みです。前の判定をそのまま返します。")
    given.say(
        f"支給判定 {done.file_number}: 読込 {done.rows:,} = 支給可 {done.payable:,} + 保留 {done.held:,}"
        f" + 不可 {done.blocked:,}（支給可 {done.payable_yen:,} 円） → {out}/verdicts.csv"
    )
    if done.vanished:
        waiting = f"（うち支給可で振込待ち {done.vanished_waiting:,} 件）" if done.vanished_waiting else ""
        given.say(
            f"  消えた行 {done.vanished:,} 件{waiting}: 前に申し出があり、払っていないのに、このファイルにありません"
            f" → {out}/vanished.csv"
        )
    if done.checks:
        given.say("  引っかかった検査: " + "、".join(f"{check} {count:,}" for check, count in done.checks.items()))


def add_to(app: typer.Typer) -> None:
    """コマンドを足す。"""

    @app.command()
    def judge(
        ctx: typer.Context,
        out: Annotated[Path, typer.Option(help="判定結果のフォルダ")],
        folder: Annotated[Path | None, typer.Argument(metavar="[DIR]", help="支給予定情報のフォルダ")] = None,
        ward: Annotated[bool, typer.Option("--ward", help="区が直接扱う人の行を、区の台帳から作って判定する")] = False,
        again: Annotated[
            str | None, typer.Option(help="判定済みのファイル番号。支給可でない行を、いまの事実で判定し直す")
        ] = None,
        today: Annotated[str | None, typer.Option(help="判定の日（YYYY-MM-DD）")] = None,
        programme: ProgrammeId = "r6-2024",
    ) -> None:
        """支給予定情報を、区の台帳と突き合わせて判定する。"""
        from benefit.services import bank_master, judgment

        given = context(ctx)
        given.need("ward", "planned_file")
        if sum((folder is not None, ward, again is not None)) != 1:
            raise WrongUse("支給予定情報のフォルダ、--ward、--again の、どれか一つを指定します")
        on = day(today) if today else tokyo_date(given.clock())
        chosen = given.home.programme(programme)
        with given.progress() as bar:
            bar.add_task("支給判定をしています", total=None)
            banks = bank_master.in_use(given.home)
            common: dict[str, Any] = {"out": out, "today": on, "bank_master": banks, "clock": given.clock}
            if folder is not None:
                done = judgment.judge_folder(given.home, chosen, folder, **common)
            elif again is not None:
                found = judgment.judge_again(given.home, chosen, again, **common)
                if found is None:
                    given.say("支給可でない行は残っていません。")
                    return
                done = found
            else:
                found = judgment.judge_ward_rows(given.home, chosen, **common)
                if found is None:
                    given.say("区が直接扱う人で、いま判定できる行はありません。")
                    return
                done = found
        tell(given, done, out)
        for line in bank_master.told(banks, on):
            given.say(f"  {line}")


hold_app = typer.Typer(no_args_is_help=True, help="保留の一覧と解除（二人で解除し、judge --again で判定し直す）")


@hold_app.command("list")
def list_(
    ctx: typer.Context,
    out: Annotated[Path | None, typer.Option(help="一覧（holds.csv）を書くフォルダ")] = None,
    programme: ProgrammeId = "r6-2024",
) -> None:
    """保留になっている行と、その理由。"""
    from collections import Counter

    from benefit.records import people_csv
    from benefit.rules.payment_check import Severity
    from benefit.rules.payment_verdicts import payment_checks
    from benefit.services import holds
    from benefit.services.files import write_atomic

    given = context(ctx)
    given.need("ward", "hold_release")
    chosen = given.home.programme(programme)
    rows = holds.held(given.home, chosen)
    says = {check.number: check.says for check in payment_checks(chosen) if check.severity is not Severity.WARN}
    hit: Counter[str] = Counter(check for checks in rows["checks"] for check in checks.split(";"))
    for check, count in sorted(hit.items()):
        given.say(f"  {check} {count:,} 件: {says[check]}")
    for number, file_number, checks in rows.select("case_number", "file_number", "checks").head(20).iter_rows():
        given.say(f"  {number}（{file_number}）: {checks}")
    given.say(f"保留 {rows.height:,} 件")
    if out is not None:
        listed = rows.select("case_number", "file_number", "line_number", "checks", "amount_yen")
        listed.columns = ["給付管理番号", "ファイル番号", "行番号", "検査", "支給予定額"]
        write_atomic(out / "holds.csv", people_csv.render(listed))


@hold_app.command()
def release(
    ctx: typer.Context,
    case_number: Annotated[str, typer.Argument(help="給付管理番号（11 桁）")],
    check: Annotated[str, typer.Option(help="解除する検査（例: CHK82）")],
    by: Annotated[str, typer.Option(help="申し出る職員の ID")],
    reason: Annotated[str, typer.Option(help="確かめたことと理由")],
    programme: ProgrammeId = "r6-2024",
) -> None:
    """保留の解除を申し出る。別の人が承認するまで、何も変わらない。"""
    from benefit.services import holds

    given = context(ctx)
    given.need("ward", "hold_release")
    actor = given.ward_staff(by)
    number = holds.ask(
        given.home,
        given.home.programme(programme),
        case_number,
        check,
        reason=reason,
        actor=actor,
        clock=given.clock,
    )
    given.say(f"解除を申し出ました。次: 別の人が benefit hold approve {number} --by ID で承認します。")


@hold_app.command()
def approve(
    ctx: typer.Context,
    number: Annotated[int, typer.Argument(help="申し出の番号")],
    by: Annotated[str, typer.Option(help="承認する職員の ID")],
) -> None:
    """保留の解除を承認する。判定し直す（judge --again）と、支給可になりうる。"""
    from benefit.services import holds

    given = context(ctx)
    given.need("ward", "hold_release")
    check = holds.approve(given.home, number, actor=given.ward_staff(by), clock=given.clock)
    given.say(f"{check} の保留を解除しました。次: benefit judge --again ファイル番号 --out フォルダ")
