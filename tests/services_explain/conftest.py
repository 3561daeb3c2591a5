"""説明の試験が分け合う、見本の区を取り込んだ作業場所。"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from benefit.services.extracts import KINDS, import_file
from benefit.services.home import Home
from tests.conftest import WARD_3K, StepClock


@pytest.fixture(scope="session")
def ward(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """見本の区を取り込んだ作業場所。読むだけの試験が分け合う。"""
    path = tmp_path_factory.mktemp("explain") / "home"
    shutil.copytree(sqlite_template, path)
    home = Home.at(path)
    for kind in KINDS:
        if (WARD_3K / f"{kind}.csv").exists():
            import_file(home, kind, WARD_3K / f"{kind}.csv", clock=StepClock(), levy_year=2024)
    yield home
    home.ward.dispose()
    home.desk.dispose()
