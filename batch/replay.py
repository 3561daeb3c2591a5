"""判定の再現: benefit replay"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from batch.context import context
from batch.imports import ProgrammeId
from benefit.domain.errors import RefusedByRule


def add_to(app: typer.Typer) -> None:
    """コマンドを足す。"""

    @app.command()
    def replay(
        ctx: typer.Context,
        run: Annotated[str, typer.Argument(help="判定の番号、latest、approved、またはまとめたフォルダ")],
        out: Annotated[Path | None, typer.Option(help="作り直した outcomes.csv を書くフォルダ")] = None,
        pack: Annotated[
            Path | None, typer.Option(help="別の計算機で再現するためのフォルダを作る（区の中だけ）")
        ] = None,
        programme: ProgrammeId = "r6-2024",
    ) -> None:
        """残してある入力から判定し直し、outcomes.csv が一字も違わないことを確かめる。"""
        from benefit.services import replay as replaying
        from benefit.services import runs

        given = context(ctx)
        if Path(run).is_dir():
            with given.progress() as bar:
                bar.add_task("判定し直しています", total=None)
                done = replaying.replay_folder(Path(run), out=out)
            name = f"フォルダ {run}"
        else:
            given.need("ward", "run")
            found = runs.find(given.home, given.home.programme(programme), run)
            name = f"判定 {found.id}"
            if pack is not None:
                count = replaying.pack(given.home, found, pack)
                given.say(f"{name} の入力 {count} ファイルをまとめました → {pack}（個人情報: 区の外へ出せません）")
                return
            with given.progress() as bar:
                bar.add_task("判定し直しています", total=None)
                done = replaying.replay(given.home, found, out=out)
        for part, (recorded, now) in done.versions.items():
            given.say(f"注意: {part} の版が違います（記録 {recorded}、いま {now}）")
        if not done.same:
            raise RefusedByRule(
                f"{name} の結果が、記録と違います", code="replay", found=done.found[:12], allowed=done.expected[:12]
            )
        given.say(f"{name}: {done.rows:,} 行の outcomes.csv は、記録と一字も違いません（sha256 {done.found}）。")
