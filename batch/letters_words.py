"""手紙の言葉: benefit letters words list / show / check / copy"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from batch.context import context
from benefit.domain.errors import RefusedInput

app = typer.Typer(no_args_is_help=True, help="手紙の言葉を見る・写す・確かめる")
Name = Annotated[str, typer.Argument(help="手紙の種類か common")]
Folder = Annotated[Path | None, typer.Option("--dir", help="区の写しの置き場所（既定は作業場所の words/）")]


def add_to(letters: typer.Typer) -> None:
    """benefit letters の下に置く。"""
    letters.add_typer(app, name="words")


@app.command("list")
def list_(ctx: typer.Context) -> None:
    """言葉のファイルの一覧。"""
    from letters.words_shelf import shelf

    given = context(ctx)
    table = Table(title="手紙の言葉", title_justify="left")
    for heading in ("名", "手紙", "置き場所"):
        table.add_column(heading, overflow="fold")
    for one in shelf(given.home.words):
        table.add_row(one.name, one.title, "区の words/" if one.own else "同梱")
    given.out.print(table)


@app.command()
def show(ctx: typer.Context, name: Name) -> None:
    """いま使う文面。"""
    from letters.words_shelf import text_of

    given = context(ctx)
    given.say(text_of(name, given.home.words).rstrip("\n"))


@app.command()
def copy(ctx: typer.Context, name: Name) -> None:
    """同梱の文面を作業場所の words/ に写す。写しを直すと、次の手紙から使われる。"""
    from letters.words_shelf import copy as put

    given = context(ctx)
    target = put(name, given.home.words)
    given.say(f"写しました: {target}。次: 直して、benefit letters words check で確かめ、letters preview で見ます。")


@app.command()
def check(ctx: typer.Context, folder: Folder = None) -> None:
    """区の写しを全部確かめる。間違いがあれば、ファイル・行・項目を言って断る。"""
    from letters.words_shelf import check as look

    given = context(ctx)
    where = folder or given.home.words
    if folder is not None and not folder.is_dir():
        raise RefusedInput("フォルダがありません", code="no-folder", found=str(folder))
    good, bad = look(where)
    for refused in bad[:-1]:
        given.say(f"断りました: {refused}")
    if bad:
        raise bad[-1]
    given.say(f"使えます: {'、'.join(good)}" if good else f"区の写しはありません（{where}）。同梱の言葉を使います。")
