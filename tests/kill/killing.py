"""T01 の走らせ方: 段の前の姿を写し、何度も止め、最後まで走らせ、止めなかったときと比べる。

一つの写しを何度も続けて止めてから比べるのは、止まった後をまた止めても同じになるべきだからであり、速いからでもある。
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benefit.domain.access import BATCH
from benefit.records import transfer_results
from benefit.records.transfer_result_row import Outcome
from benefit.services import bank_master, desk_cases, desk_export, desk_load, desk_planned, people
from benefit.services.home import Home
from benefit.services.setup import init_desk
from benefit.store import audit, ward
from letters.mailing import make_letters
from tests.conftest import Databases
from tests.kill import steps as jobs
from tests.kill.shape import dump, files
from tests.support.approval import receive_again
from tests.support.forked import entry_hidden
from tests.support.small_ward import branches, cut

#: 二つのデータベースの合計。KILLS で増やせる。
KILLS = int(os.environ.get("KILLS", "1000"))
SEED = int(os.environ.get("KILL_SEED", "20240603"))
#: 一つの写しを続けて止める回数。
CHAIN = 5
_SERVER = multiprocessing.get_context("forkserver")
# 部品は一度だけ読み込む。ここでは Polars の計算をしないので、分かれた子でも安全に使える。
_SERVER.set_forkserver_preload(["tests.kill.steps"])


def _child(work: Callable[..., object], given: tuple[object, ...]) -> Any:
    child = _SERVER.Process(target=work, args=given)
    with entry_hidden():
        child.start()
    return child


@dataclass
class Line:
    """止めずに走ったときの、段ごとの前の姿と後の姿、かかった秒、通った瞬間。"""

    inputs: Path
    root: Path
    databases: Databases | None
    before: dict[str, tuple[Path, str | None]] = field(default_factory=dict)
    after: dict[str, tuple[dict[str, list[tuple[object, ...]]], dict[str, bytes]]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    points: dict[str, list[str]] = field(default_factory=dict)
    kills: Counter[str] = field(default_factory=Counter)

    def keep(self, name: str, home: Path, url: str | None) -> None:
        """段の前の姿を取っておく。"""
        kept = self.root / "before" / name.replace(" ", "-")
        shutil.copytree(home, kept)
        copied = self.databases.new("ward", of=sa.make_url(url).database) if url and self.databases else None
        self.before[name] = (kept, copied)


class Copy:
    """段の前の姿の写し一つ。止め、走らせ、比べ、捨てる。"""

    def __init__(self, line: Line, step: str, *, planted: bool = False) -> None:
        self.line, self.step, self.planted = line, step, planted
        self.place = line.root / "work"
        kept, url = line.before[step]
        shutil.rmtree(self.place, ignore_errors=True)
        shutil.copytree(kept, self.place / "home")
        self.home, self.out, self.told = self.place / "home", self.place / "out", self.place / "told"
        self.url = line.databases.new("ward", of=sa.make_url(url).database) if url and line.databases else None

    def _start(self, at: int | None, *, counted: bool) -> Any:
        told = self.told if counted else None
        given = (self.step, self.planted, self.home, self.url, self.line.inputs, self.out, at, told)
        return _child(jobs.run, given)

    def _killed(self, child: Any) -> bool:
        child.join()
        killed: bool = child.exitcode == -signal.SIGKILL
        child.close()
        self.line.kills[self.step] += killed
        return killed

    def kill_at(self, at: int) -> str | None:
        """`at` 番目の瞬間で止める。止まった瞬間の名。もう済んでいて、そこを通らなければ None。"""
        self.told.unlink(missing_ok=True)
        return self.told.read_text(encoding="utf-8") if self._killed(self._start(at, counted=True)) else None

    def kill_after(self, delay: float) -> bool:
        """`delay` 秒後に止める。その前に終わっていれば偽。"""
        child = self._start(None, counted=False)
        child.join(delay)
        child.kill()
        return self._killed(child)

    def finish(self) -> None:
        """最後まで走らせる。"""
        self._settle()
        child = self._start(None, counted=True)
        child.join(300)
        code = child.exitcode
        assert code == 0, f"{self.step} が終わりませんでした（{code}）"
        child.close()

    def _settle(self) -> None:
        """止められた者の接続をサーバーが片付けるまで待つ。職員がもう一度打つまでの間である。"""
        if self.url is None or self.line.databases is None:
            return
        query = sa.text("SELECT count(*) FROM pg_stat_activity WHERE datname = :name")
        name = {"name": sa.make_url(self.url).database}
        while self.line.databases.admin.execute(query, name).scalar():
            time.sleep(0.005)

    def same(self) -> bool:
        """止めなかったときと、全部の表と、出たファイルのバイト列が同じか。"""
        return (dump(self.home, self.url), files(self.home, self.out)) == self.line.after[self.step]

    def drop(self) -> None:
        if self.line.databases is not None and self.url is not None:
            name = sa.make_url(self.url).database
            self.line.databases.made.remove(name)
            self.line.databases.admin.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")

    def settled_alike(self) -> bool:
        """最後まで走らせて比べ、捨てる。"""
        self.finish()
        alike = self.same()
        self.drop()
        return alike


def unbroken(root: Path, template: Path, databases: Databases | None) -> Line:
    """一度も止めずに、取込から銀行の結果まで走らせる。"""
    inputs = root / "inputs"
    cut(inputs / "extracts")
    shutil.copytree(template, root / "home")
    url = databases.new("ward") if databases else None
    home = root / "home"
    line = Line(inputs, root, databases)
    _warm_up()
    bank_master.use_rehearsal(Home.at(home), branches(inputs / "extracts"))
    _staff(Home.at(home, ward_url=url))
    for step in jobs.STEPS:
        if step == "judge":
            _prepare_planned(home, url, inputs, root)
        if step == "transfer results":
            _prepare_results(root, inputs)
        line.keep(step, home, url)
        whole = Copy.__new__(Copy)
        whole.line, whole.step, whole.planted = line, step, False
        whole.home, whole.url, whole.told = home, url, root / "told"
        whole.out = root / "out" / step.replace(" ", "-")
        begun = time.perf_counter()
        whole.finish()
        line.seconds[step] = time.perf_counter() - begun
        line.points[step] = json.loads(whole.told.read_text(encoding="utf-8"))
        line.after[step] = (dump(home, url), files(home, whole.out))
    return line


def _warm_up() -> None:
    """部品を読み込む時間を、初めの段の秒に数えない。"""
    child = _child(int, ())
    child.join()
    child.close()


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


def kill_at_every_point(line: Line, step: str) -> set[str]:
    """この段の、名のついた瞬間の全部で一度は止める。結果が違った瞬間を返す。

    続けて止めるとき、前に止めたせいで道が変わったら（もう済んでいる所は通らない）、その瞬間は新しい写しでやり直す。
    """
    pending = list(enumerate(line.points[step], 1))
    wrong: set[str] = set()
    while pending:
        copy, tried = Copy(line, step), list[str]()
        for at, label in pending[:CHAIN]:
            stopped = copy.kill_at(at)
            assert stopped is not None or tried, f"{step} の {at} 番目の瞬間（{label}）を通らない"
            if stopped != label and tried:
                break
            tried.append(f"{at} {stopped}")
        del pending[: len(tried)]
        if not copy.settled_alike():
            wrong |= set(tried)
    return wrong


def kill_at_random(
    line: Line, chance: random.Random, steps: list[str], kills: int, *, planted: bool = False
) -> list[str]:
    """でたらめな瞬間に、合計 `kills` 回止める。結果が違った写しの、止め方を返す。"""
    wrong: list[str] = []
    begun, turn = line.kills.total(), 0
    while (left := kills - (line.kills.total() - begun)) > 0:
        step = steps[turn % len(steps)]
        turn += 1
        assert turn < 20 * kills, "止める前に終わってばかりいる"
        copy = Copy(line, step, planted=planted)
        delays = [chance.uniform(0, line.seconds[step] * 1.1) for _ in range(min(CHAIN, left))]
        for delay in delays:
            copy.kill_after(delay)
        if not copy.settled_alike():
            wrong.append(f"{step}: {[round(delay, 4) for delay in delays]} 秒後")
    return wrong


def audit_holds(line: Line) -> bool:
    """最後に見た写しの監査ログの鎖は、切れていない。"""
    copy = Copy(line, "transfer release")
    copy.kill_after(line.seconds["transfer release"] / 2)
    copy.finish()
    home = Home.at(copy.home, ward_url=copy.url)
    with home.ward.connect() as connection:
        count, broken = audit.verify(connection, ward.audit_log)
    home.ward.dispose()
    copy.drop()
    return count > 0 and broken is None
