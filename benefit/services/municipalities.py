"""多くの区の判定を一度に: 区ごとに自分の作業場所を持ち、一つの区が一つの仕事になる。

仕事はほかの区の何も見ないので、どこで、どの順に動いても、一つずつ動かしたときと同じ結果になる（世帯は区をまたがない）。
一つの区の断りは、その区の結果として返り、ほかの区を止めない。
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from polars.exceptions import PanicException

from benefit.domain.clock import Clock
from benefit.domain.errors import BenefitError, Place, RefusedInput
from benefit.domain.programme import Programme
from benefit.services import beneficiaries, extracts
from benefit.services.files import write_json
from benefit.services.home import Home
from benefit.services.setup import init_ward

SUMMARY = "municipalities.json"


@dataclass(frozen=True)
class Task:
    """一つの区の仕事。`source` は抽出データのフォルダ、`place` は結果のフォルダ（作業場所は `place/home`）。"""

    name: str
    source: Path
    place: Path
    #: 給付事業の名と、区が足した事業のフォルダ。
    programme: str
    programmes: Path
    today: date
    dry_run: bool = False


@dataclass(frozen=True)
class Done:
    """一つの区の結果。断られたときは `refusal` が断りの文で、`exit_code` がその終了コード（契約 §3）。"""

    name: str
    rows: int = 0
    eligible: int = 0
    total_yen: int = 0
    outcomes_sha256: str = ""
    refusal: str = ""
    exit_code: int = 0


def tasks_of(
    folder: Path, out: Path, *, programme: str, programmes: Path, today: date, dry_run: bool = False
) -> list[Task]:
    """`folder` の中のフォルダ一つが一つの区。名の順。一つもなければ RefusedInput。"""
    place = Place(file=folder.name)
    if not folder.is_dir():
        raise RefusedInput("区のフォルダを並べたフォルダがありません", code="no-folder", place=place)
    names = sorted(one.name for one in folder.iterdir() if one.is_dir() and not one.name.startswith("."))
    if not names:
        raise RefusedInput(
            "区のフォルダが一つもありません", code="no-municipality", place=place, allowed="区ごとに一つのフォルダ"
        )
    source, target = folder.resolve(), out.resolve()
    return [Task(name, source / name, target / name, programme, programmes, today, dry_run) for name in names]


def build(task: Task, clock: Clock) -> Done:
    """一つの区を、取り込み、判定し、結果を書く。断りも、こちらの不具合も、その区の結果として返す。"""
    try:
        return _built(task, clock)
    except BenefitError as refused:
        return Done(task.name, refusal=str(refused), exit_code=refused.exit_code)
    except (Exception, PanicException) as fault:  # noqa: BLE001  # 一つの区の不具合で、ほかの区を止めない
        # 例外の文には個人の情報が入りうる。種類だけを言う。
        return Done(task.name, refusal=f"システムの不具合です（{type(fault).__name__}）", exit_code=1)


def _built(task: Task, clock: Clock) -> Done:
    home = Home.at(task.place / "home")
    init_ward(home)
    try:
        programme = Programme.load(task.programme, folder=task.programmes)
        for kind in extracts.KINDS:
            path = task.source / f"{kind}.csv"
            if path.is_file():
                extracts.import_file(home, kind, path, clock=clock, levy_year=programme.levy_year)
        built = beneficiaries.build(home, programme, task.today, out=task.place, clock=clock, dry_run=task.dry_run)
    finally:
        home.ward.dispose()
    return Done(task.name, built.rows, built.eligible, built.total_yen, built.outcomes_sha256)


def write_summary(out: Path, done: Sequence[Done]) -> None:
    """全部の区の結果を、名の順に一つのファイルに書く（終わった順にはよらない）。"""
    listed = sorted(done, key=lambda one: one.name)
    write_json(
        out / SUMMARY,
        {
            "区": {
                one.name: {"断り": one.refusal, "終了コード": one.exit_code}
                if one.refusal
                else {
                    "行数": one.rows,
                    "対象": one.eligible,
                    "支給額合計": one.total_yen,
                    "outcomes_sha256": one.outcomes_sha256,
                }
                for one in listed
            },
            "対象": sum(one.eligible for one in listed),
            "支給額合計": sum(one.total_yen for one in listed),
            "断られた区": [one.name for one in listed if one.refusal],
        },
    )


def exit_code(done: Sequence[Done]) -> int:
    """全体の終了コード: こちらの不具合 1 があれば 1、なければ一番大きいもの（決まりの断り 4、入力の断り 3）。"""
    codes = {one.exit_code for one in done}
    return 1 if 1 in codes else max(codes, default=0)
