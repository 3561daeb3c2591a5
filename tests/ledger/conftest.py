"""台帳の試験の作業場所: 揮発の場所（/dev/shm）に置き、SQLite と PostgreSQL の両方で開く。"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benefit.services.home import Home
from tests.conftest import Databases


@pytest.fixture
def fast_root() -> Iterator[Path]:
    """速い場所。なければ、ふつうの仮の場所。"""
    where = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    root = Path(tempfile.mkdtemp(prefix="ledger-", dir=where))
    yield root
    shutil.rmtree(root, ignore_errors=True)


@pytest.fixture
def new_home(fast_root: Path, sqlite_template: Path, request: pytest.FixtureRequest) -> Iterator[Callable[[str], Home]]:
    """`sqlite` か `postgresql` の、空の作業場所を作る。"""
    made: list[Home] = []

    def new(kind: str) -> Home:
        place = fast_root / f"{kind}-{len(made)}"
        shutil.copytree(sqlite_template, place / "home")
        if kind == "sqlite":
            home = Home.at(place / "home")
        else:
            databases: Databases = request.getfixturevalue("pg")
            home = Home.at(place / "home", ward_url=databases.new("ward"))
        made.append(home)
        return home

    yield new
    for home in made:
        home.ward.dispose()
        home.desk.dispose()
