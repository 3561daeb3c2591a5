"""架空の区を作業者ごとに一度だけ開き、事故の前までの姿も一度だけ作って、試験ごとに写す。"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from batch.museum import opening
from batch.museum.office import Office
from batch.museum.story import Mistake


@pytest.fixture(scope="session")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("museum") / "base"
    opening.prepare(root)
    return root


@pytest.fixture(scope="session")
def standing(tmp_path_factory: pytest.TempPathFactory, opened: Path) -> Callable[[Mistake], Office]:
    """事故の前までの姿（同じ姿から始まる間違いは、分け合う）。"""
    made: dict[str, Office] = {}

    def before(mistake: Mistake) -> Office:
        key = f"{mistake.before.__module__}.{mistake.before.__qualname__}"
        if key not in made:
            office = Office(opened).copy_to(tmp_path_factory.mktemp("before") / "office")
            mistake.before(office)
            made[key] = office
        return made[key]

    return before


@pytest.fixture
def before_the_mistake(standing: Callable[[Mistake], Office], tmp_path: Path) -> Iterator[Callable[[Mistake], Office]]:
    opened_here: list[Office] = []

    def open_copy(mistake: Mistake) -> Office:
        office = standing(mistake).copy_to(tmp_path / f"office-{len(opened_here)}")
        opened_here.append(office)
        return office

    yield open_copy
    for office in opened_here:
        office.close()
