"""世話: benefit init"""

from __future__ import annotations

import typer

from batch import staff
from batch.context import Context, context


def init_both(given: Context) -> None:
    """二つの台帳を最新の形にする。"""
    from benefit.services import setup

    setup.init_ward(given.home)
    setup.init_desk(given.home)


def add_to(app: typer.Typer) -> None:
    """コマンドを足す。"""

    @app.command()
    def init(ctx: typer.Context) -> None:
        """作業場所と二つの台帳を作る（何度実行しても同じ）。"""
        given = context(ctx)
        init_both(given)
        given.say(f"作業場所 {given.home.path} と、区の台帳・給付管理システムの台帳の用意ができました。")
        staff.first_people(given)
