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
from benefit.domain.errors import RefusedByRule, WrongUse

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from benefit.domain.access import Actor
    from benefit.services.home import Home
    from benefit.store.access import AccessTables


_YEARS = range(1900, 2200)


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
        """区の職員の本人確認。合言葉と数字を端末から、端末でなければ標準入力の二行から読む。"""
        return self.staff("ward", staff_id)

    def staff(self, store: str, staff_id: str) -> Actor:
        """職員の本人確認（`store` は ward か desk）。最初の手続きの済んでいない人は、何もできない。"""
        from benefit.services.people_login import authenticate

        password, code = self.secret(f"{staff_id} の合言葉: "), self.secret(f"{staff_id} の数字（6 桁）: ")
        entered = authenticate(*self.access(store), self.home.key, staff_id, password, code, clock=self.clock)
        if entered.stage:
            raise RefusedByRule(
                "最初の手続き（合言葉を決める、数字の登録、遵守事項）が残っています。"
                f"画面でログインするか、benefit staff enrol {staff_id} --store {store} を実行してください",
                code="first-steps",
            )
        return entered.actor

    def access(self, store: str) -> tuple[Engine, AccessTables]:
        """台帳への接続と、人と端末の表。"""
        from benefit.store import desk, ward

        self.need(store, "staff")
        return (self.home.ward, ward.access) if store == "ward" else (self.home.desk, desk.access)

    def secret(self, prompt: str) -> str:
        """画面に出さずに読む一行。"""
        return getpass(prompt) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")


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
            # 0001 年や 9999 年は打ち間違いであり、期限を数えると日付の外に出る。
            if read.year not in _YEARS:
                raise WrongUse(f"{name} の年が違います", found=text, allowed=f"{_YEARS[0]}〜{_YEARS[-1]} 年")
            return read
    raise WrongUse(f"{name} の日付が読めません", found=text, allowed="YYYY-MM-DD")
