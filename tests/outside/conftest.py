"""外の試験の土台: 目印の一年（一度だけ作る）と、給付管理システムの試験の件。"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.api.conftest import desk_system
from tests.outside.year import Year, live

__all__ = ["desk_system"]

SEED = int(os.environ.get("T23_SEED", "5"))
RESIDENTS = int(os.environ.get("T23_RESIDENTS", "180"))


@pytest.fixture(scope="session")
def year(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Year]:
    """目印を置いた区の一年。"""
    print(f"T23_SEED={SEED}")
    made = live(tmp_path_factory.mktemp("year"), residents=RESIDENTS, seed=SEED)
    yield made
    made.home.ward.dispose()
    made.home.desk.dispose()
