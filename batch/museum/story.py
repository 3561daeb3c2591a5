"""事故再現の形: 事例、いまする同じ間違い、それを止める守り。そして、一つの事例を演じること。"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from batch.museum import opening
from batch.museum.office import Office, Stop


@dataclass(frozen=True)
class Control:
    """守り一つ。`mechanism` が違う守りは、互いに頼らない。`signs` は、止めたことの印（検査の番号、断りの符号）。"""

    key: str
    name: str
    mechanism: str
    where: str
    signs: frozenset[str]

    def stopped(self, stop: Stop) -> bool:
        """この守りが止めたか。"""
        return bool(self.signs & set(stop.signs))


@dataclass(frozen=True)
class Beyond:
    """前の守りが働かなかったとしたら: その先で `control` が止めることを見せる。

    本番に、守りを外すスイッチはない。だから、前の守りの先に進んでしまった姿を、この使い捨ての台帳に直接書いて作る。
    """

    control: Control
    supposes: str
    show: Callable[[Office], Stop | None]


@dataclass(frozen=True)
class Mistake:
    """いまする同じ間違い。`controls` は止める順で、どの一つだけが働いていても止まる（tests/museum がそれを試す）。"""

    does: str
    before: Callable[[Office], None]
    do: Callable[[Office], list[Stop]]
    controls: tuple[Control, ...]
    beyond: tuple[Beyond, ...]


@dataclass(frozen=True)
class Case:
    """公表された事例一つ。事実は、出典にあることだけを書く。"""

    key: str
    place: str
    when: str
    size: str
    happened: str
    cause: str
    source: str
    today: str
    mistakes: tuple[Mistake, ...]


@dataclass(frozen=True)
class Scene:
    """止めた守りと、その断り。`supposes` は、その前に何が働かなかったことにしたか（最初の場面では空）。"""

    supposes: str
    control: Control
    stop: Stop | None
    said: tuple[str, ...]


@dataclass
class Played:
    """演じた間違い一つ。"""

    mistake: Mistake
    scenes: list[Scene] = field(default_factory=list)
    harm: list[str] = field(default_factory=list)
    files_out: int = 0
    lines_out: int = 0
    yen_out: int = 0
    most_times_paid: int = 0
    most_live_payments: int = 0

    @property
    def stopped(self) -> bool:
        """どの場面も、言ったとおりの守りが止め、間違った支払が一つも出ていないか。"""
        return not self.harm and all(
            scene.stop is not None and scene.control.stopped(scene.stop) for scene in self.scenes
        )


@dataclass(frozen=True)
class Replayed:
    """再現した事例一つ。"""

    case: Case
    played: tuple[Played, ...]

    @property
    def stopped(self) -> bool:
        """事故が、一つも起きなかったか。"""
        return all(one.stopped for one in self.played)


def replay(case: Case, base: Path, within: Path) -> Replayed:
    """用意した区 `base` の写しの上で、事例を演じる。場面ごとに新しい写しを使う。"""
    return Replayed(
        case, tuple(_play(mistake, base, within / f"{case.key}-{n}") for n, mistake in enumerate(case.mistakes, 1))
    )


def _play(mistake: Mistake, base: Path, within: Path) -> Played:
    one = Played(mistake)
    before = Office(base).copy_to(within / "before")
    mistake.before(before)
    office = before.copy_to(within / "scene-0")
    try:
        stops = mistake.do(office)
        one.scenes.append(_scene("", mistake.controls[0], stops[0] if stops else None, office))
        one.harm += office.harm()
        lines = office.lines_out()
        one.files_out, one.lines_out, one.yen_out = office.files_out(), len(lines), sum(yen for *_, yen in lines)
        one.most_times_paid, one.most_live_payments = office.most_times_paid(), office.most_live_payments()
    finally:
        office.close()
    for place, beyond in enumerate(mistake.beyond, 1):
        office = before.copy_to(within / f"scene-{place}")
        office.said.clear()
        try:
            one.scenes.append(_scene(beyond.supposes, beyond.control, beyond.show(office), office))
            one.harm += office.harm()
        finally:
            office.close()
    return one


def _scene(supposes: str, control: Control, stop: Stop | None, office: Office) -> Scene:
    return Scene(supposes, control, stop, tuple(office.said))


def replay_all(cases: tuple[Case, ...], tick: Callable[[str], None] = lambda _place: None) -> list[Replayed]:
    """事例を順に演じる。区は一度だけ用意し、終われば作業場所ごと消える。"""
    done = []
    with TemporaryDirectory(prefix="benefit-museum-") as folder:
        base = Path(folder) / "base"
        tick("架空の小さな区を用意する")
        opening.prepare(base)
        for case in cases:
            tick(case.place)
            done.append(replay(case, base, Path(folder)))
    return done
