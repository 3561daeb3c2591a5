"""コマンドを打つ試験の部品。"""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from batch import cli

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """`benefit --home HOME …` を打つ。`typed` は標準入力に打つ合言葉。(終了コード, 出力, 断り) を返す。"""
    monkeypatch.chdir(tmp_path)

    def go(*arguments: object, home: Path = tmp_path / "home", typed: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["benefit", "--home", str(home), *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.StringIO(f"{typed}\n"))
        capsys.readouterr()
        code = 0
        try:
            cli.main()
        except SystemExit as end:
            code = int(end.code or 0)
        told = capsys.readouterr()
        assert "Traceback" not in told.out + told.err
        return code, told.out, told.err

    return go


@pytest.fixture
def ready(run: Run, sqlite_template: Path, tmp_path: Path) -> Path:
    """台帳の用意ができた作業場所。"""
    del run
    shutil.copytree(sqlite_template, tmp_path / "home")
    return tmp_path / "home"
