"""二つの判定の突き合わせ: benefit beneficiaries verify"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from batch.context import context, day
from batch.imports import ProgrammeId
from benefit.domain.errors import RefusedByRule


def add_to(app: typer.Typer) -> None:
    """コマンドを足す。"""

    @app.command()
    def verify(
        ctx: typer.Context,
        today: Annotated[str, typer.Option(help="判定の日（YYYY-MM-DD）")],
        programme: ProgrammeId = "r6-2024",
        out: Annotated[Path | None, typer.Option(help="違いの一覧を書くフォルダ")] = None,
    ) -> None:
        """全員を、もう一つの判定（一人ずつ読む、規則の部品を分け合わないもの）でも判定し、一列ずつ比べる。"""
        from benefit.services import second

        given = context(ctx)
        given.need("ward", "run")
        chosen = given.home.programme(programme)
        with given.progress() as bar:
            task = bar.add_task("二つの判定を比べています", total=None)
            done = second.verify(
                given.home,
                chosen,
                day(today),
                clock=given.clock,
                out=out,
                progress=lambda now, total: bar.update(task, completed=now, total=total),
            )
        read = "、".join(f"{kind} {rows:,}" for kind, rows in done.read.items())
        given.say(f"読んだ行: {read}")
        given.say(f"比べた行 {done.compared:,}、違い {done.differences:,}（入力の指紋 {done.input_digest[:12]}）")
        if done.differences:
            raise RefusedByRule(
                f"二つの判定が {done.differences:,} 行で違います。{done.path} を確かめてください", code="second-differs"
            )
