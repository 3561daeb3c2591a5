"""受信フォルダを受け取る子: n 番目の瞬間に、自分を SIGKILL する。"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from benefit.services import collection_inbox
from benefit.services.home import Home
from tests.conftest import StepClock
from tests.kill.points import Points


def run(home: Path, folder: Path, at: int | None, told: Path) -> None:
    points = Points(at, told)
    points.install()
    place = Home.at(home)
    for _line in collection_inbox.sweep(place, folder, clock=StepClock(datetime(2026, 7, 10, tzinfo=UTC))):
        pass
    points.finished()
    place.ward.dispose()
