"""どの試験も使うもの: 時計、二つのデータベース、作業場所、見本の区。

`home` は SQLite と PostgreSQL の両方で試験を回す（同じ試験が二度走る）。PostgreSQL は作業者ごとに一つ立て、
移行済みの雛形を写して使う。サーバーがなければ失敗する。飛ばさない。
"""

from __future__ import annotations

import itertools
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from hypothesis import settings

from benefit.services import home as home_module
from benefit.services.home import Home
from benefit.services.setup import init_desk, init_ward
from benefit.store.migrate import upgrade
from tests.support.pgserver import postgres

# 混んだ機械で遅いだけの試験を、壊れたとは言わない。種は失敗のときに印字される。
# CI では毎回同じ例を引く（直した人のせいでない失敗で、直しが止まらない）。HYPOTHESIS_RANDOM=1 で、毎回違う例を引く。
settings.register_profile(
    "benefit", deadline=None, print_blob=True, derandomize=not os.environ.get("HYPOTHESIS_RANDOM")
)
settings.load_profile("benefit")

# 給付管理番号の並び（誰が振込の何番目に来るか）は、作業場所の鍵で決まる。CI では毎回同じ鍵を使う。
# BENEFIT_TEST_KEY=言葉 で別の並びに、HYPOTHESIS_RANDOM=1 で毎回違う並びになる。言葉は、試験の初めに出る。
KEY = os.environ.get("BENEFIT_TEST_KEY") or (secrets.token_hex(4) if os.environ.get("HYPOTHESIS_RANDOM") else "ku")
os.environ["BENEFIT_TEST_KEY"] = KEY  # 並んで走る作業者も、同じ言葉を使う
home_module.secrets = SimpleNamespace(token_bytes=lambda size: sha256(KEY.encode()).digest()[:size])


def pytest_report_header() -> str:
    return f"BENEFIT_TEST_KEY={KEY}"


SHARED = Path(__file__).parents[2] / "shared"
WARD_3K = SHARED / "cases" / "ward-3k"
BAD = SHARED / "cases" / "bad"


class StepClock:
    """呼ぶたびに一秒進む時計。"""

    def __init__(self, start: datetime = datetime(2024, 6, 20, 1, 0, tzinfo=UTC)) -> None:
        self.now = start

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture
def clock() -> StepClock:
    return StepClock()


class Databases:
    """移行済みの雛形から、新しいデータベースを写す。"""

    def __init__(self, admin: sa.Connection, url: sa.URL) -> None:
        self.admin, self.url, self.numbers, self.made = admin, url, itertools.count(), []

    def new(self, line: str, *, of: str | None = None) -> str:
        name = f"t{next(self.numbers)}"
        self.admin.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {of or f'template_{line}'} STRATEGY file_copy")
        self.made.append(name)
        return self.url.set(database=name).render_as_string(hide_password=False)

    def drop_all(self) -> None:
        while self.made:
            self.admin.exec_driver_sql(f"DROP DATABASE IF EXISTS {self.made.pop()} WITH (FORCE)")


@pytest.fixture(scope="session")
def pg_server() -> Iterator[Databases]:
    with postgres() as server:
        url = sa.make_url(server.url)
        engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
        with engine.connect() as admin:
            for line in ("ward", "desk"):
                admin.exec_driver_sql(f"CREATE DATABASE template_{line}")
                migrated = sa.create_engine(url.set(database=f"template_{line}"), poolclass=sa.NullPool)
                upgrade(migrated, line)
                migrated.dispose()
            yield Databases(admin, url)
        engine.dispose()


@pytest.fixture
def pg(pg_server: Databases) -> Iterator[Databases]:
    yield pg_server
    pg_server.drop_all()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """移行済みの、空の作業場所。"""
    home = Home.at(tmp_path_factory.mktemp("template") / "home")
    init_ward(home)
    init_desk(home)
    home.ward.dispose()
    home.desk.dispose()
    return home.path


@pytest.fixture(params=["sqlite", "postgresql"])
def home(request: pytest.FixtureRequest, tmp_path: Path, sqlite_template: Path) -> Iterator[Home]:
    """空の作業場所（両方のデータベースで）。"""
    shutil.copytree(sqlite_template, tmp_path / "home")
    if request.param == "sqlite":
        made = Home.at(tmp_path / "home")
    else:
        databases: Databases = request.getfixturevalue("pg")
        made = Home.at(tmp_path / "home", ward_url=databases.new("ward"), desk_url=databases.new("desk"))
    yield made
    made.ward.dispose()
    made.desk.dispose()


@pytest.fixture
def sqlite_home(tmp_path: Path, sqlite_template: Path) -> Iterator[Home]:
    """空の作業場所（SQLite だけ。データベースによらない試験のため）。"""
    shutil.copytree(sqlite_template, tmp_path / "home")
    made = Home.at(tmp_path / "home")
    yield made
    made.ward.dispose()
    made.desk.dispose()


@pytest.fixture
def import_ward(clock: StepClock) -> Callable[[Home, Path], None]:
    """フォルダの抽出データを全部取り込む。"""
    from benefit.services.extracts import KINDS, import_file

    def run(home: Home, folder: Path) -> None:
        for kind in KINDS:
            if (folder / f"{kind}.csv").exists():
                import_file(home, kind, folder / f"{kind}.csv", clock=clock, levy_year=2024)

    return run
