"""コマンドを打つ試験の部品。"""

from __future__ import annotations

import io
import itertools
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from batch import cli
from benefit.domain.clock import system_clock
from benefit.services.home import Home
from benefit.services.people_totp import code_at, step_of
from tests.support import people

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """`benefit --home HOME …` を打つ。`typed` は標準入力に打つ合言葉。(終了コード, 出力, 断り) を返す。

    --by・--staff の人は、最初の手続きを済ませ、認証アプリを持っていることにする（数字は合言葉の次の行に打つ）。
    """
    monkeypatch.chdir(tmp_path)

    def go(*arguments: object, home: Path = tmp_path / "home", typed: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["benefit", "--home", str(home), *map(str, arguments)])
        code = _code(home, [str(each) for each in arguments])
        monkeypatch.setattr(sys, "stdin", io.StringIO(f"{typed}\n{code}\n"))
        capsys.readouterr()
        ended = 0
        try:
            cli.main()
        except SystemExit as end:
            ended = int(end.code or 0)
        told = capsys.readouterr()
        assert "Traceback" not in told.out + told.err
        return ended, told.out, told.err

    return go


def _code(home: Path, arguments: list[str]) -> str:
    named = [after for flag, after in itertools.pairwise(arguments) if flag in {"--by", "--staff"}]
    if not named or not (home / "ward.db").exists():
        return ""
    place, now = Home.at(home), system_clock()
    try:
        people.enrol(place, "ward", named[0], now)
    finally:
        place.ward.dispose()
    return code_at(people.secret_of(named[0]), step_of(now))


@pytest.fixture
def ready(run: Run, sqlite_template: Path, tmp_path: Path) -> Path:
    """台帳の用意ができた作業場所。"""
    del run
    shutil.copytree(sqlite_template, tmp_path / "home")
    return tmp_path / "home"
