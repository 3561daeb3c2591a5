"""benefit demo: 架空の区で、抽出データから振込の結果までの一年分を通す。

作業場所は、デモの印のある所だけを使い、やり直すときは空にする。本物の作業場所では動かない（checklist 3o8
「テストはダミーデータ」）。台帳は、設定にかかわらず作業場所の中の SQLite である。
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from batch import demo_people
from batch.context import Context, context
from batch.demo_people import MARK
from benefit.domain.errors import RefusedByRule, WrongUse

DEFAULT_RESIDENTS = 20_000


def fresh_home(path: Path) -> None:
    """デモの作業場所を空にする。印のない、中身のある作業場所は断る。"""
    if path.exists() and any(path.iterdir()):
        if not (path / MARK).exists():
            raise RefusedByRule(
                f"{path} には、デモでない作業場所があります。--home で別の場所を指定してください", code="not-a-demo"
            )
        shutil.rmtree(path)
    path.mkdir(parents=True, exist_ok=True)
    (path / MARK).write_text("架空のデータの作業場所。benefit demo が作り、やり直すときに消す。\n", encoding="utf-8")


def run(given: Context, *, residents: int, seed: int, extracts: Path | None) -> None:
    """一年を通し、最後に表と、見る所を言う。"""
    from batch.demo_year import DemoYear
    from benefit.services.home import Home

    if extracts is not None and not extracts.is_dir():
        raise WrongUse("抽出データのフォルダがありません", found=str(extracts))
    started = time.perf_counter()
    fresh_home(given.home.path)
    home = Home.at(given.home.path)
    with given.progress() as bar:
        year = DemoYear(home, bar, seed=seed)
        year.live(residents=residents, extracts=extracts)
    given.say("")
    given.out.print(_counts(year.rows))
    given.say("")
    given.out.print(_places(home.path, year.places))
    given.say(f"所要 {time.perf_counter() - started:.0f} 秒。乱数の種 {seed}。")
    given.say("")
    given.say(
        "画面を開く:  make serve   （または benefit --home " + f"{home.path} serve desk）→ http://127.0.0.1:8021/"
    )
    demo_people.say(given, home.path, year.password, demo_people.ready(home, given.clock()))
    given.say(f"調べる例:    給付管理番号 {year.example[0]}（{year.example[1]}）")


def _counts(rows: list[tuple[str, str, str]]) -> Table:
    table = Table(title="一年の数", title_justify="left")
    table.add_column("段")
    table.add_column("件数・通数", justify="right")
    table.add_column("金額（円）", justify="right")
    for row in rows:
        table.add_row(*row)
    return table


def _places(home: Path, places: list[tuple[str, Path]]) -> Table:
    table = Table(title="出たもの", title_justify="left")
    table.add_column("何")
    table.add_column("どこ", overflow="fold")
    for what, where in places:
        table.add_row(what, str(where.relative_to(home.parent) if where.is_relative_to(home.parent) else where))
    return table


def add_to(app: typer.Typer) -> None:
    """コマンドを足す。"""

    @app.command()
    def demo(
        ctx: typer.Context,
        residents: Annotated[int, typer.Option(min=200, help="架空の住民の数")] = DEFAULT_RESIDENTS,
        seed: Annotated[int, typer.Option(help="乱数の種")] = 2024,
        extracts: Annotated[Path | None, typer.Option(help="架空の区の代わりに使う、抽出データのフォルダ")] = None,
    ) -> None:
        """架空の区で一年を通し、表と見る所で終わる。"""
        run(context(ctx), residents=residents, seed=seed, extracts=extracts)
