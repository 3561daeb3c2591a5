"""時計は渡される。規則もサービスも、自分で今を見ない（architecture.md「どこでも守る決まり」）。"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

Clock = Callable[[], datetime]
TOKYO = ZoneInfo("Asia/Tokyo")


def system_clock() -> datetime:
    """本物の時計（UTC）。コマンドと画面の入口だけが使う。"""
    return datetime.now(UTC)


def tokyo_date(moment: datetime) -> date:
    """その時刻の、日本の日付。"""
    return moment.astimezone(TOKYO).date()
