"""いま、誰かを待っている仕事: 承認、送り出し、保留、振込不能（日数ごと）、受渡と住民記録の新しさ。"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, func, select

from benefit.services import approvals_view, failures, handover_book, holds
from benefit.services.failure_chart import by_age
from benefit.services.failure_facts import day_of
from benefit.services.home import Home
from benefit.store import ward
from benefit.store.engine import reading

#: 委託先との受渡が、この日数を越えて途絶えたら言う（毎日の約束）。
STALE_DAYS = 1


@dataclass(frozen=True)
class Work:
    """仕事の一行。`late` は、遅れている（または急ぐ）もの。"""

    name: str
    count: int
    says: str
    path: str
    late: bool = False
    unit: str = ""

    @property
    def told(self) -> str:
        """数と単位。まだ何もない受渡は「－」。"""
        return "－" if self.count < 0 else f"{self.count:,}{self.unit}"


@dataclass(frozen=True)
class Open:
    """待っている仕事と、振込不能の日数ごとの数（名、件数、期限を過ぎた数）。"""

    works: list[Work]
    ages: list[tuple[str, int, int]]


def open_work(home: Home, today: date) -> Open:
    """いまの仕事。`today` は日本の日付。"""
    with reading(home.ward) as connection:
        waiting = approvals_view.waiting(connection)
        out, back = _last_exchange(connection)
        residents = _last_residents(connection)
        programmes = list(
            connection.execute(select(ward.run.c.programme).distinct().order_by(ward.run.c.programme)).scalars()
        )
        held = sum(holds.latest(connection, "保留", name).height for name in programmes)
        book = failures.register_in(connection, today)
    still = book.filter(book["open_yen"] > 0)
    approvals = [one for one in waiting if one.kind != "transfer"]
    files = [one for one in waiting if one.kind == "transfer"]
    oldest = min((day_of(one.asked_at) for one in waiting), default=today)
    works = [
        Work(
            "承認待ち",
            len(approvals),
            f"一番古いものは {(today - oldest).days} 日前" if approvals else "ありません",
            "/approvals",
            late=bool(approvals) and (today - oldest).days > 2,
        ),
        Work(
            "二人目・送り出しを待つ振込ファイル",
            len(files),
            "、".join(f"振込 {one.number}（{one.step}）" for one in files[:3]) or "ありません",
            "/transfers",
        ),
        Work("保留", held, "二人で解除し、判定し直します" if held else "ありません", "/holds"),
        Work(
            "終わっていない振込不能",
            still.height,
            f"期限を過ぎたもの {int(still['overdue'].sum()):,} 件" if still.height else "ありません",
            "/list/failed",
            late=bool(still.height and still["overdue"].any()),
        ),
        _handovers(home, today),
        _freshness("委託先への受渡", out, today),
        _freshness("委託先からの進捗情報", back, today),
        _freshness("住民記録の受取", residents, today),
    ]
    ages = [(name, count, late) for name, count, _yen, late in by_age(book).rows()] if book.height else []
    return Open(works, ages)


def _handovers(home: Home, today: date) -> Work:
    """終わっていない受渡（受領の記録、消去報告書を待っているもの）。"""
    found = [each for each in handover_book.items(home, today) if each.open]
    late = sum(each.days_late > 0 for each in found)
    says = f"期限を過ぎたもの {late:,} 件" if found else "ありません"
    return Work("終わっていない受渡", len(found), says, "/handovers/book", late=late > 0)


def _freshness(name: str, last: date | None, today: date) -> Work:
    if last is None:
        return Work(name, -1, "まだありません", "")
    days = max(0, (today - last).days)
    return Work(name, days, f"最後は {last}", "", late=days > STALE_DAYS, unit=" 日前")


def _last_exchange(connection: Connection) -> tuple[date | None, date | None]:
    handover, handback = ward.handover, ward.desk_handback
    out: datetime | None = connection.execute(
        select(func.max(handover.c.at)).where(handover.c.crossing == "payees_out")
    ).scalar()
    back: datetime | None = connection.execute(select(func.max(handback.c.taken_at))).scalar()
    return (day_of(out) if out else None), (day_of(back) if back else None)


def _last_residents(connection: Connection) -> date | None:
    snapshot, receipt = ward.snapshot, ward.extract_receipt
    first: datetime | None = connection.execute(
        select(func.max(snapshot.c.imported_at)).where(snapshot.c.kind == "residents")
    ).scalar()
    again: date | None = connection.execute(
        select(func.max(receipt.c.received_on)).where(receipt.c.kind == "residents")
    ).scalar()
    days = [day for day in ((day_of(first) if first else None), again) if day is not None]
    return max(days, default=None)
