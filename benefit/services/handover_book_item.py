"""受渡一つの姿: いまの状態、書ける歩み、待っているものと期限。台帳から読んだ値だけで決まる。"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from benefit.domain.access import BATCH
from benefit.domain.clock import tokyo_date
from benefit.domain.handover_states import (
    CROSSINGS,
    ISSUED,
    MADE,
    PASSPHRASE_STATES,
    PRINT_OUT,
    RECEIPT_DAYS,
    RECEIVED,
    USED,
    is_open,
    next_steps,
)


@dataclass(frozen=True)
class Event:
    """歩み一つ。"""

    step: str
    medium: str
    quantity: int
    done_on: date
    handler: str
    companion: str
    note: str
    recorded_by: str
    at: datetime


@dataclass(frozen=True)
class Told:
    """合言葉を渡した記録。合言葉そのものは、どこにも出ない。"""

    told_by: str
    told_to: str
    at: datetime


@dataclass(frozen=True)
class Item:
    """受渡一つ。`name` は print_out/3 のように、種類と連番。"""

    id: int
    crossing: str
    sequence: int
    title: str
    counterpart: str
    content: str
    folder: str
    sha256: str
    row_count: int
    sheet_count: int | None
    made_by: str
    made_at: datetime
    today: date
    report_days: int = 0
    programme: str = ""
    inside_sha256: str = ""
    events: tuple[Event, ...] = ()
    told: tuple[Told, ...] = field(default=())

    @property
    def name(self) -> str:
        """種類と連番。"""
        return f"{self.crossing}/{self.sequence}"

    @property
    def label(self) -> str:
        """人に見せる番号（「印刷 3」）。"""
        return f"{CROSSINGS[self.crossing].short} {self.sequence}"

    @property
    def told_state(self) -> str:
        """人に見せる状態。その場で渡る受渡は、作っただけでも渡っている。"""
        return self.state if self.events else CROSSINGS[self.crossing].handed

    @property
    def maker(self) -> str:
        """作った人（夜の処理は、人ではない）。"""
        return "自動処理" if self.made_by == BATCH.id else self.made_by

    @property
    def made_on(self) -> date:
        """作った日（日本の日付）。"""
        return tokyo_date(self.made_at)

    @property
    def state(self) -> str:
        """いまの状態。"""
        return self.events[-1].step if self.events else MADE

    @property
    def next_steps(self) -> tuple[str, ...]:
        """いま書ける歩み。"""
        return next_steps(self.crossing, self.state)

    @property
    def opened(self) -> bool:
        """相手が中を開けられたか（合言葉を渡したか、使ったと記録したか）。"""
        return bool(self.told) or self.event(USED) is not None

    @property
    def open(self) -> bool:
        """まだ終わっていないか。"""
        return is_open(self.crossing, self.state, opened=self.opened)

    @property
    def can_tell(self) -> bool:
        """合言葉を渡せる状態か。"""
        return self.crossing == PRINT_OUT and self.state in PASSPHRASE_STATES

    def event(self, step: str) -> Event | None:
        """この歩み。まだなら None。"""
        return next((one for one in self.events if one.step == step), None)

    @property
    def waiting(self) -> str:
        """何を待っているか。終わっていれば空。"""
        if not self.open:
            return ""
        return {MADE: "出庫", ISSUED: "受領の記録"}.get(self.state, "消去報告書")

    @property
    def due_on(self) -> date | None:
        """待っているものの期限。消去報告書の期限は使用から数える。使用を書かなければ受領から（書かずに延ばせない）。"""
        if not self.open or self.state == MADE:
            return None
        if self.state == ISSUED:
            issued = self.event(ISSUED)
            return issued.done_on + timedelta(days=RECEIPT_DAYS) if issued else None
        start = self.event(USED) or self.event(RECEIVED) or self.events[0]
        return start.done_on + timedelta(days=self.report_days) if self.report_days else None

    @property
    def days_late(self) -> int:
        """期限を過ぎた日数。過ぎていなければ 0。"""
        return max(0, (self.today - self.due_on).days) if self.due_on else 0


@dataclass(frozen=True)
class Entry:
    """書く歩みの中身。媒体と数は出庫（初めの歩み）で決め、後は前のとおりになる（違う数を言えば断る）。"""

    done_on: date
    handler: str
    medium: str = ""
    quantity: int | None = None
    companion: str = ""
    locked_bag: bool = False
    note: str = ""
