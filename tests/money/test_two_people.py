"""T27: 乱数の承認の歴史のどれでも、作った人でない別々の二人が同じバイト列を承認したときだけ、送り出される（P27）。

一本のファイルの歴史を一つと数える。数は BENEFIT_T27 で増やせる。
"""

from __future__ import annotations

import os
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from benefit.services import transfer_file, transfers
from benefit.services.gate import Standing, stand
from benefit.services.home import Home
from tests.conftest import Databases, StepClock
from tests.money import histories
from tests.services.conftest import Office

HISTORIES = int(os.environ.get("BENEFIT_T27", "5000"))
ON_POSTGRESQL = max(1, HISTORIES // 50)
FILES = 10


@pytest.fixture(scope="module")
def memory() -> Iterator[Path]:
    """写しを置く所。あれば主記憶の上（fsync を待つ時間は、この試験の見るものではない）。"""
    place = Path(tempfile.mkdtemp(prefix="t27-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None))
    yield place
    shutil.rmtree(place)


def _office(source: Path, root: Path, ward_url: str | None = None) -> Office:
    shutil.copytree(source, root)
    clock = StepClock()
    clock.now = clock.now.replace(month=7, day=26)
    return Office(Home.at(root / "home", ward_url=ward_url), clock, root / "planned", root)


@pytest.fixture(scope="module")
def files(prepared_sqlite: Path, memory: Path) -> Office:
    """一件ずつの振込ファイルを十本作った作業場所（SQLite）。"""
    office = _office(prepared_sqlite, memory / "files")
    histories.make_files(office, FILES)
    office.home.ward.dispose()
    return office


@pytest.fixture(autouse=True)
def _facts_do_not_change(monkeypatch: pytest.MonkeyPatch) -> None:
    """事実の見直しは一度だけ計算する。この試験の間、事実は変わらない（変わったときは T14 が見る）。"""
    seen: list[Standing] = []

    def once(*given: object) -> Standing:
        if not seen:
            seen.append(stand(*given))  # type: ignore[arg-type]
        return seen[0]

    for name, module in list(sys.modules.items()):
        if name.startswith("benefit.services.transfer") and hasattr(module, "stand"):
            monkeypatch.setattr(module, "stand", once)


@pytest.fixture(autouse=True)
def _nothing_came_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """銀行から返ってきた振込は、この試験にはない。一度だけ本物で確かめ、後は尋ねない（新規コードは test_failure_resend が見る）。"""
    asked: list[object] = []
    before = transfer_file._accounts_before

    def none(*given: Any) -> dict[int, tuple[str, ...]]:
        if not asked:
            asked.append(before(*given))
            assert asked == [{}]
        return {}

    monkeypatch.setattr(transfer_file, "_accounts_before", none)


def _play(office: Office, memory: Path, rng: random.Random, count: int, new_url: object = None) -> Counter[str]:
    told: Counter[str] = Counter()
    for turn in range(-(-count // FILES)):
        with histories.copied(office, memory / f"copy-{turn}", new_url) as fresh:  # type: ignore[arg-type]
            told += histories.play(fresh, rng)
            if turn % 10 == 0:
                histories.remake(fresh)
    print(dict(told))
    return told


@pytest.mark.parametrize("half", [1, 2])
def test_half_of_the_histories_end_as_the_promise_says(
    half: int, files: Office, memory: Path, rng: random.Random
) -> None:
    told = _play(files, memory, rng, HISTORIES // 2)
    # 試験が眠っていないこと: どの手も、通った回と断られた回の両方がある。
    if HISTORIES < 5_000:
        return
    assert {f"{deed} {end}" for deed in ("approve", "release", "cancel") for end in ("した", "断られた")} == set(told)


def test_the_same_promise_on_postgresql(
    prepared_pg: tuple[Path, str, str], pg: Databases, memory: Path, rng: random.Random
) -> None:
    source, ward_name, _desk = prepared_pg
    office = _office(source, memory / "pg", pg.new("ward", of=ward_name))
    histories.make_files(office, FILES)
    office.home.ward.dispose()
    template = sa.make_url(office.home.ward_url).database
    told = _play(office, memory / "pg-copies", rng, ON_POSTGRESQL, lambda: pg.new("ward", of=template))
    assert told["release した"] + told["release 断られた"]


def _found(files: Office, memory: Path, rng: random.Random) -> bool:
    """二百の歴史のうちに、約束と違う所が見つかるか（台帳が断った場合も、見つけたうちである）。"""
    for turn in range(20):
        root = memory / f"planted-{turn}-{rng.random()}"
        try:
            with histories.copied(files, root, None) as fresh:
                histories.play(fresh, rng)
        except (AssertionError, ValueError, sa.exc.IntegrityError):
            return True
    return False


def test_approving_an_id_instead_of_the_bytes_would_be_found(
    files: Office, memory: Path, rng: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    """わざと入れた誤り: 承認を番号だけに結び、バイト列を見ない。"""

    def unread(home: Home, programme: Any, number: int, banks: Any) -> bytes:
        transfers.restore_files(home, programme, banks)
        return transfers.transfer_path(home, number).read_bytes()

    monkeypatch.setattr(transfers, "check_file", unread)
    assert _found(files, memory, rng)


def test_releasing_on_one_approval_would_be_found(
    files: Office, memory: Path, rng: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    """わざと入れた誤り: 要る承認を一つにする。"""
    monkeypatch.setattr(transfers, "APPROVALS_NEEDED", 1)
    assert _found(files, memory, rng)


def test_a_release_of_a_cancelled_file_would_be_found(
    files: Office, memory: Path, rng: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    """わざと入れた誤り: 取消を見ずに送り出す。"""
    monkeypatch.setattr(transfers, "_refuse_cancelled", lambda *_given: None)
    assert _found(files, memory, rng)
