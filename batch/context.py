"""コマンドが分け合うもの: 作業場所、時計、表示。"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from getpass import getpass
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from benefit.domain.clock import Clock, system_clock
from benefit.domain.errors import WrongUse

if TYPE_CHECKING:
    from benefit.domain.access import Actor
    from benefit.services.home import Home


@dataclass
class Context:
    """一つのコマンドの間だけ生きる。時計はここから渡り、試験とデモは別の時計を渡す。"""

    home: Home
    clock: Clock = system_clock
    out: Console = field(default_factory=Console)
    err: Console = field(default_factory=lambda: Console(stderr=True))

    def say(self, text: str) -> None:
        """結果を一行言う。"""
        self.out.print(text, highlight=False, markup=False, soft_wrap=True)

    @contextmanager
    def progress(self) -> Iterator[Progress]:
        """進みの棒。端末でなければ静かにする。"""
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=self.err, transient=True, disable=not self.err.is_terminal) as bar:
            yield bar

    def need(self, store: str, table: str) -> None:
        """台帳（ward か desk）があることを確かめる。"""
        from benefit.store.engine import require

        require(self.home.ward if store == "ward" else self.home.desk, table)

    def ward_staff(self, staff_id: str) -> Actor:
        """区の職員の本人確認。合言葉は端末から、端末でなければ標準入力の一行から読む。"""
        from benefit.services.people import authenticate
        from benefit.store import ward

        terminal = sys.stdin.isatty()
        password = getpass(f"{staff_id} の合言葉: ") if terminal else sys.stdin.readline().rstrip("\n")
        return authenticate(self.home.ward, ward.staff, ward.audit_log, staff_id, password, self.clock)


def context(ctx: typer.Context) -> Context:
    """いまのコマンドの Context。"""
    found = ctx.find_object(Context)
    assert found is not None
    return found


def day(text: str, name: str = "--today") -> date:
    """YYYY-MM-DD の日付。違えば WrongUse。"""
    # fromisoformat は「20240620」も読むので、書き戻して同じであることまで見る。
    with suppress(ValueError):
        read = date.fromisoformat(text)
        if read.isoformat() == text:
            return read
    raise WrongUse(f"{name} の日付が読めません", found=text, allowed="YYYY-MM-DD")
