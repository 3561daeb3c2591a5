"""途中で止まっても、同じコマンドをもう一度打てば、止まらなかったときと同じになる（issue「kill -9」、reliability P1・T01）。

取込・判定・支給判定・振込のどの瞬間にも SIGKILL を送り、もう一度走らせ、台帳の全部の表と出たファイルのバイト列を、
一度も止めなかったときと比べる。KILLS で回数を増やせる（既定は、データベースごとに 100 回）。
"""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import sqlalchemy as sa

from benefit.domain.access import BATCH
from benefit.records import transfer_results
from benefit.records.transfer_result_row import Outcome
from benefit.services import bank_master, desk_cases, desk_export, desk_load, desk_planned, people
from benefit.services.home import Home
from benefit.services.setup import init_desk
from benefit.store import ward
from letters.mailing import make_letters
from tests.conftest import Databases
from tests.kill import steps as jobs
from tests.support.approval import receive_again
from tests.support.small_ward import branches, cut

KILLS = int(os.environ.get("KILLS", "100"))
SEED = int(os.environ.get("KILL_SEED", "20240603"))
_SERVER = multiprocessing.get_context("forkserver")
# 部品は一度だけ読み込む。ここでは Polars の計算をしないので、分かれた子でも安全に使える。
_SERVER.set_forkserver_preload(["tests.kill.steps"])


@dataclass
class Line:
    """止めずに走ったときの、段ごとの前の姿と後の姿。"""

    inputs: Path
    root: Path
    databases: Databases | None
    before: dict[str, tuple[Path, str | None]] = field(default_factory=dict)
    after: dict[str, tuple[dict[str, list[tuple[object, ...]]], dict[str, bytes]]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def copy(self, name: str) -> tuple[Path, str | None]:
        """段の前の作業場所を写す。"""
        home, url = self.before[name]
        place = self.root / "work"
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(home, place / "home")
        if url is None or self.databases is None:
            return place / "home", None
        return place / "home", self.databases.new("ward", of=sa.make_url(url).database)

    def keep(self, name: str, home: Path, url: str | None) -> None:
        """段の前の姿を取っておく。"""
        kept = self.root / "before" / name.replace(" ", "-")
        shutil.copytree(home, kept)
        copied = self.databases.new("ward", of=sa.make_url(url).database) if url and self.databases else None
        self.before[name] = (kept, copied)


def start(step: str, home: Path, url: str | None, inputs: Path, out: Path, *, planted: bool = False) -> object:
    child = _SERVER.Process(target=jobs.run, args=(step, planted, home, url, inputs, out))
    child.start()
    return child


def finish(step: str, home: Path, url: str | None, inputs: Path, out: Path, *, planted: bool = False) -> None:
    child = start(step, home, url, inputs, out, planted=planted)
    child.join(120)
    assert child.exitcode == 0, f"{step} が終わりませんでした（{child.exitcode}）"


def dump(home: Path, url: str | None) -> dict[str, list[tuple[object, ...]]]:
    """台帳の全部の表（時刻と、時刻から作る鎖の指紋を除く）。

    台帳が付ける通し番号（id）は、取り消された登録の分だけ飛ぶことがある（PostgreSQL の順序）。番号そのものは結果では
    ないので、順位に直して比べる。どの行がどの行を指すかは、そのまま比べられる。
    """
    engine = Home.at(home, ward_url=url).ward
    tables: dict[str, list[tuple[object, ...]]] = {}
    with engine.connect() as connection:
        ranks = {
            table.c.id: {
                number: rank
                for rank, number in enumerate(connection.execute(sa.select(table.c.id).order_by(table.c.id)).scalars())
            }
            for table in ward.metadata.sorted_tables
            if "id" in table.c and isinstance(table.c.id.type, sa.Integer)
        }
        for table in ward.metadata.sorted_tables:
            columns = [
                column
                for column in table.columns
                if not isinstance(column.type, sa.DateTime) and column.name not in {"hash", "previous_hash"}
            ]
            meant = [
                next((ranks[key] for key in (column, *(fk.column for fk in column.foreign_keys)) if key in ranks), None)
                for column in columns
            ]
            tables[table.name] = sorted(
                (
                    tuple(rank.get(value, value) if rank else value for rank, value in zip(meant, row, strict=True))
                    for row in connection.execute(sa.select(*columns))
                ),
                key=repr,
            )
    engine.dispose()
    return tables


def files(home: Path, out: Path) -> dict[str, bytes]:
    """出たファイル。秒を含む summary.json と、書きかけの仮の名は除く。"""
    kept = (*out.rglob("*"), *(home / "transfers").glob("*"), *(home / "snapshots").glob("*"))
    return {
        path.name: path.read_bytes()
        for path in kept
        if path.is_file() and path.name != "summary.json" and path.suffix != ".part"
    }


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def line(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path
) -> Iterator[Line]:
    root = tmp_path_factory.mktemp("kill")
    databases = request.getfixturevalue("pg_server") if request.param == "postgresql" else None
    inputs = root / "inputs"
    cut(inputs / "extracts")
    shutil.copytree(sqlite_template, root / "home")
    url = databases.new("ward") if databases else None
    home = root / "home"
    made = Line(inputs, root, databases)
    bank_master.use_rehearsal(Home.at(home), branches(inputs / "extracts"))
    _staff(Home.at(home, ward_url=url))
    for step in jobs.STEPS:
        if step == "judge":
            _prepare_planned(home, url, inputs, root)
        if step == "transfer results":
            _prepare_results(root, inputs)
        made.keep(step, home, url)
        out = root / "out" / step.replace(" ", "-")
        begun = time.perf_counter()
        finish(step, home, url, inputs, out)
        made.seconds[step] = time.perf_counter() - begun
        made.after[step] = (dump(home, url), files(home, out))
    yield made
    if databases:
        databases.drop_all()


def _staff(home: Home) -> None:
    clock = jobs.FixedClock(jobs.TODAY)
    with home.ward.begin() as connection:
        for actor in (jobs.MAKER, jobs.FIRST, jobs.SECOND):
            people.add(
                connection,
                ward.staff,
                ward.audit_log,
                staff_id=actor.id,
                name="試験",
                role=actor.role,
                password="x" * 15,
                actor=BATCH,
                at=clock(),
            )
    home.ward.dispose()


def _prepare_planned(home: Path, url: str | None, inputs: Path, root: Path) -> None:
    """手紙を出し、給付管理システムへ渡し、支給予定情報を受け取る（どれも本物の仕事）。"""
    made = Home.at(home, ward_url=url)
    init_desk(made)
    programme = jobs.Programme.load("r6-2024")
    clock = jobs.FixedClock(jobs.TODAY)
    receive_again(made, inputs / "extracts" / "residents.csv")
    make_letters(made, programme, out=root / "letters", issued_on=jobs.TODAY, clock=clock)
    desk_export.export(made, programme, out=root / "payees", today=jobs.TODAY, clock=clock)
    desk_load.load(made, root / "payees", clock=clock)
    desk_cases.pass_deadlines(made, jobs.JUDGED_ON, actor=BATCH, clock=clock)
    planned = desk_planned.make(
        made, programme.id, out=inputs / "planned", today=jobs.JUDGED_ON, actor=BATCH, clock=clock
    )
    assert planned is not None
    made.ward.dispose()
    made.desk.dispose()


def _prepare_results(root: Path, inputs: Path) -> None:
    request = (root / "out" / "transfer-release" / "sogo-0001.txt").read_bytes()
    count = len(request.splitlines()) - 3
    answers = [transfer_results.Answer(Outcome.CREDITED) for _ in range(count)]
    answers[0] = transfer_results.Answer(Outcome.FAILED, "03")
    (inputs / "kekka.txt").write_bytes(transfer_results.mirror(request, answers, created_on=jobs.PAY_DATE))


def kill_and_repeat(line: Line, step: str, delay: float, *, planted: bool = False) -> bool:
    """`delay` 秒後に止め、もう一度走らせる。止めなかったときと同じなら True。"""
    home, url = line.copy(step)
    out = line.root / "work" / "out"
    child = start(step, home, url, line.inputs, out, planted=planted)
    child.join(delay)
    child.kill()
    child.join()
    finish(step, home, url, line.inputs, out, planted=planted)
    same = (dump(home, url), files(home, out)) == line.after[step]
    if line.databases is not None and url is not None:
        name = sa.make_url(url).database
        line.databases.made.remove(name)
        line.databases.admin.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    return same


@pytest.mark.kill
def test_a_killed_command_repeated_gives_what_an_unbroken_run_gives(line: Line) -> None:
    chance = random.Random(SEED)
    print(f"種 {SEED}、{KILLS} 回")
    names = list(jobs.STEPS)
    for turn in range(KILLS):
        step = names[turn % len(names)]
        delay = chance.uniform(0, line.seconds[step] * 1.1)
        assert kill_and_repeat(line, step, delay), (
            f"{step} を {delay:.4f} 秒後に止めると、結果が違う（種 {SEED}、{turn} 回目）"
        )


@pytest.mark.kill
def test_this_test_sees_progress_kept_outside_the_transaction(line: Line) -> None:
    chance = random.Random(SEED + 1)
    seen = any(
        not kill_and_repeat(line, "build", chance.uniform(0, line.seconds["build"]), planted=True) for _ in range(30)
    )
    assert seen, "印をトランザクションの外に置いた誤りを、30 回止めても見つけられない"
