"""受渡管理簿の表（審議会に出す形）: 一件一行の管理簿と、歩みごとの確認記録票。Excel に式は一つもない。

列は checklist 5 の言うもの: 日時、取扱者、情報の内容、数量。件名、相手方、記録媒体、返却・消去、消去報告書を添える。
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from benefit.domain.access import Actor
from benefit.domain.clock import TOKYO, Clock, tokyo_date
from benefit.domain.handover_states import ERASED, GIVEN_BACK, ISSUED, PRINT_OUT, RECEIVED, REPORTED
from benefit.services.handover_book import Event, Item, items
from benefit.services.home import Home
from benefit.services.sheet import render
from benefit.services.two_people import need_reason
from benefit.store import audit, ward

TITLE = "受渡管理簿"
BOOK = {
    "番号": pl.String,
    "件名": pl.String,
    "相手方": pl.String,
    "内容": pl.String,
    "件数": pl.Int64,
    "記録媒体": pl.String,
    "媒体の数": pl.Int64,
    "受渡日": pl.String,
    "受渡者": pl.String,
    "受領者": pl.String,
    "返却・消去日": pl.String,
    "消去報告書": pl.String,
    "状態": pl.String,
}
STEPS = {
    "番号": pl.String,
    "日": pl.String,
    "歩み": pl.String,
    "取扱者": pl.String,
    "内容": pl.String,
    "件数": pl.Int64,
    "記録媒体": pl.String,
    "媒体の数": pl.Int64,
    "書類・理由": pl.String,
    "記録した人": pl.String,
    "記録した時刻": pl.String,
}


def taken_out(home: Home, *, reason: str, actor: Actor, clock: Clock) -> list[Item]:
    """管理簿に載せる受渡（古い順）。持ち出す理由と行数を残してから返す。"""
    why, now = need_reason(reason), clock()
    # 取消の計画は区の中の控えで、誰にも渡らない。
    found = [each for each in reversed(items(home, tokyo_date(now))) if each.crossing != "undo_out"]
    with home.ward.begin() as connection:
        audit.record(
            connection,
            ward.audit_log,
            at=now,
            actor=actor,
            action="handover.book",
            reason=why,
            detail={"rows": len(found)},
        )
    return found


def book(found: Sequence[Item]) -> pl.DataFrame:
    """一件一行。"""
    return pl.DataFrame([_line(each) for each in found], schema=BOOK, orient="row")


def steps(found: Sequence[Item]) -> pl.DataFrame:
    """一つの歩みに一行（確認記録票）。合言葉を渡したことも、一行になる。"""
    rows = [row for each in found for row in _steps(each)]
    return pl.DataFrame(rows, schema=STEPS, orient="row")


def workbook(found: Sequence[Item], *, made: datetime, notes: Sequence[str] = ()) -> bytes:
    """Excel のバイト列。"""
    sheets = {TITLE: book(found), "確認記録票": steps(found)}
    at = f"{made.astimezone(TOKYO):%Y-%m-%d %H:%M} 現在　{len(found):,} 件"
    return render(sheets, made=made, title=TITLE, notes=[at, *notes])


def _line(each: Item) -> tuple[object, ...]:
    first = each.events[0] if each.events else None
    issued, received = each.event(ISSUED), each.event(RECEIVED)
    # 作ったその場で渡る受渡（毎日の受給者など）は、作成の日が受渡の日である。
    at_once = each.crossing != PRINT_OUT
    handed_on = f"{issued.done_on}" if issued else f"{each.made_on}" if at_once else ""
    return (
        each.label,
        each.title,
        each.counterpart,
        each.content,
        each.row_count,
        first.medium if first else "",
        first.quantity if first else None,
        handed_on,
        _hands(issued) if issued else each.maker if at_once else "",
        received.handler if received else "",
        "、".join(f"{one.step} {one.done_on}" for one in each.events if one.step in {GIVEN_BACK, ERASED}),
        _report(each),
        each.told_state,
    )


def _hands(event: Event) -> str:
    return f"{event.handler}、{event.companion}" if event.companion else event.handler


def _report(each: Item) -> str:
    done = each.event(REPORTED)
    if done is not None:
        return f"{done.done_on} {done.note}"
    if each.crossing != PRINT_OUT or not each.open or each.due_on is None or each.state == ISSUED:
        return ""
    late = f"（{each.days_late} 日の遅れ）" if each.days_late else ""
    return f"未　期限 {each.due_on}{late}"


def _steps(each: Item) -> list[tuple[object, ...]]:
    made = (
        each.label, f"{each.made_on}", "作成", each.maker, each.content, each.row_count,
        "", None, each.counterpart, each.maker, _moment(each.made_at),
    )  # fmt: skip
    rows: list[tuple[datetime, tuple[object, ...]]] = [(each.made_at, made)]
    for one in each.events:
        rows.append((
            one.at,
            (
                each.label, f"{one.done_on}", one.step, _hands(one), each.content, each.row_count,
                one.medium, one.quantity, one.note, one.recorded_by, _moment(one.at),
            ),
        ))  # fmt: skip
    for told in each.told:
        rows.append((
            told.at,
            (
                each.label, f"{tokyo_date(told.at)}", "合言葉", told.told_to, "合言葉の通知", None,
                "", None, "", told.told_by, _moment(told.at),
            ),
        ))  # fmt: skip
    return [row for _at, row in sorted(rows, key=lambda pair: pair[0])]


def _moment(at: datetime) -> str:
    return f"{at.astimezone(TOKYO):%Y-%m-%d %H:%M}"
