"""支給判定: benefit judge"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

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
        today: Annotated[str | None, typer.Option(help="判定の日（YYYY-MM-DD）")] = None,
        programme: ProgrammeId = "r6-2024",
    ) -> None:
        """支給予定情報を、区の台帳と突き合わせて判定する。"""
        from benefit.services import bank_master, judgment

        given = context(ctx)
        given.need("ward", "planned_file")
        if (folder is None) != ward:
            raise WrongUse("支給予定情報のフォルダか --ward の、どちらか一つを指定します")
        on = day(today) if today else tokyo_date(given.clock())
        chosen = given.home.programme(programme)
        with given.progress() as bar:
            bar.add_task("支給判定をしています", total=None)
            common = {"out": out, "today": on, "bank_master": bank_master.in_use(given.home), "clock": given.clock}
            if folder is not None:
                done = judgment.judge_folder(given.home, chosen, folder, **common)  # type: ignore[arg-type]
            else:
                found = judgment.judge_ward_rows(given.home, chosen, **common)  # type: ignore[arg-type]
                if found is None:
                    given.say("区が直接扱う人で、いま判定できる行はありません。")
                    return
                done = found
        tell(given, done, out)
