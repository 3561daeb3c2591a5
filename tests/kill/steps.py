"""強制終了される側: 職員が打つコマンド一つ分の仕事。子プロセスの中で動く。"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from importlib import import_module
from pathlib import Path

from benefit.domain.access import Actor
from benefit.domain.business_days import is_bank_business_day
from benefit.domain.errors import RefusedByRule
from benefit.domain.programme import Programme
from benefit.services import bank_master, bank_reports, beneficiaries, extracts, judgment, transfers
from benefit.services.home import Home
from tests.kill.points import Points
from tests.support.approval import approve_latest

# 分かれる前に、遅い部品（祝日の表、データベースの方言、文字の表）を一度だけ読んでおく。Polars の計算はしない。
is_bank_business_day(date(2024, 6, 20))
Programme.load("r6-2024")
for _part in (
    "sqlalchemy.dialects.sqlite.pysqlite",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlite3",
    "psycopg",
    "polars._utils.parquet",
    "pkgutil",
    "encodings.cp932",
    "encodings.utf_16_le",
):
    import_module(_part)

TODAY = date(2024, 6, 20)
JUDGED_ON = date(2024, 7, 26)
PAY_DATE = date(2024, 8, 2)
MAKER, FIRST, SECOND = Actor("tanto", "clerk"), Actor("shonin1", "approver"), Actor("shonin2", "approver")


class FixedClock:
    """いつも同じ時刻から一秒ずつ進む。"""

    def __init__(self, day: date) -> None:
        self.now = datetime(day.year, day.month, day.day, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


def import_extracts(home: Home, inputs: Path, out: Path) -> None:
    del out
    for kind in extracts.KINDS:
        path = inputs / "extracts" / f"{kind}.csv"
        if path.exists():
            extracts.import_file(home, kind, path, clock=FixedClock(TODAY), levy_year=2024)


def build(home: Home, inputs: Path, out: Path) -> None:
    del inputs
    beneficiaries.build(home, Programme.load("r6-2024"), TODAY, out=out, clock=FixedClock(TODAY))


def approve_build(home: Home, inputs: Path, out: Path) -> None:
    del inputs, out
    # 承認した直後に止まったときは、やり直しは「もう承認されています」と断られる。状態は同じである。
    with suppress(RefusedByRule):
        approve_latest(home, FixedClock(TODAY), FIRST)


def judge(home: Home, inputs: Path, out: Path) -> None:
    judgment.judge_folder(
        home,
        Programme.load("r6-2024"),
        inputs / "planned",
        out=out,
        today=JUDGED_ON,
        bank_master=bank_master.in_use(home),
        clock=FixedClock(JUDGED_ON),
    )


def make(home: Home, inputs: Path, out: Path) -> None:
    del inputs, out
    transfers.make(
        home,
        Programme.load("r6-2024"),
        pay_date=PAY_DATE,
        today=JUDGED_ON,
        bank_master=bank_master.in_use(home),
        actor=MAKER,
        clock=FixedClock(JUDGED_ON),
    )


def _approve(actor: Actor) -> Callable[[Home, Path, Path], None]:
    def approve(home: Home, inputs: Path, out: Path) -> None:
        del inputs, out
        # 承認した直後に止まったときは、やり直しは「もう承認しています」と断られる。状態は同じである。
        with suppress(RefusedByRule):
            transfers.approve(
                home,
                Programme.load("r6-2024"),
                1,
                bank_master=bank_master.in_use(home),
                actor=actor,
                clock=FixedClock(JUDGED_ON),
            )

    return approve


def release(home: Home, inputs: Path, out: Path) -> None:
    del inputs
    transfers.release(
        home,
        Programme.load("r6-2024"),
        1,
        out=out,
        bank_master=bank_master.in_use(home),
        actor=MAKER,
        clock=FixedClock(JUDGED_ON),
    )


def results(home: Home, inputs: Path, out: Path) -> None:
    del out
    bank_reports.take(home, "results", inputs / "kekka.txt", clock=FixedClock(PAY_DATE))


STEPS: dict[str, Callable[[Home, Path, Path], None]] = {
    "import": import_extracts,
    "build": build,
    "beneficiaries approve": approve_build,
    "judge": judge,
    "transfer make": make,
    "transfer approve (1)": _approve(FIRST),
    "transfer approve (2)": _approve(SECOND),
    "transfer release": release,
    "transfer results": results,
}


def build_with_progress_outside(home: Home, inputs: Path, out: Path) -> None:
    """わざと入れた誤り: 「済んだ」という印を、登録のトランザクションの外に置く。"""
    mark = home.path / "build.done"
    if mark.exists():
        return
    mark.write_text("済")
    build(home, inputs, out)


PLANTED = {"build": build_with_progress_outside}


def run(
    step: str,
    planted: bool,
    home: Path,
    ward_url: str | None,
    inputs: Path,
    out: Path,
    at: int | None,
    told: Path | None,
) -> None:
    """子プロセスの入口。`told` があれば名のついた瞬間を数え、`at` 番目で止まる。"""
    steps = {**STEPS, **PLANTED} if planted else STEPS
    points = Points(at, told) if told else None
    if points:
        points.install()
    made = Home.at(home, ward_url=ward_url)
    steps[step](made, inputs, out)
    made.ward.dispose()
    if points:
        points.finished()
