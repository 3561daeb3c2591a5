"""三十日分の、作った業務のログ（T32）。静かな日々と、そこに植える十六の悪いこと。"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import polars as pl

from benefit.domain.business_days import is_bank_business_day
from benefit.domain.clock import TOKYO
from benefit.services import log_frames as frames
from benefit.services.log_frames import Logs, local

FIRST = date(2024, 6, 1)
DAYS = 30
OPERATORS = [f"op-{number}" for number in range(12)]
SURNAMES = [f"{a}{b}" for a in "佐高山田中林森石小大" for b in "藤橋本村野川木島原沢"]
GIVEN = ["清", "花子", "一郎", "桜", "健", "美咲", "大輔", "陽子"]


def at(day: date, hour: float) -> datetime:
    """日本の、この日のこの時（小数の時）。"""
    return datetime.combine(day, time(), tzinfo=TOKYO) + timedelta(hours=hour)


def utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"


@dataclass
class Traffic:
    """作っている間のログ。`deed` で一行、`call` で電話一本を足す。"""

    luck: random.Random
    log: list[tuple[datetime, str, str, str, str, str, str, dict[str, Any]]] = field(default_factory=list)
    calls: list[tuple[str, str, str, str]] = field(default_factory=list)
    cases: list[tuple[str, str, str]] = field(default_factory=list)
    people: list[tuple[str, str]] = field(default_factory=list)
    paid: list[tuple[Any, ...]] = field(default_factory=list)
    changes: list[tuple[str, date]] = field(default_factory=list)
    editors: list[tuple[str, str]] = field(default_factory=list)
    runs: list[tuple[str, date, int, int]] = field(default_factory=list)
    handovers: list[tuple[str, str, str | None, str | None, bool]] = field(default_factory=list)

    def deed(
        self, moment: datetime, actor: str, action: str, subject: str = "", *, role: str = "operator",
        terminal: str | None = None, reason: str = "", **detail: Any,
    ) -> None:  # fmt: skip
        place = f"端末-{actor}" if terminal is None else terminal
        self.log.append((moment, actor, role, place, action, subject, reason, detail))

    def call(self, moment: datetime, actor: str, *, subject: str | None = None, hits: int = 1) -> None:
        """電話一本: 探して、当たれば見る。"""
        reference = f"T-{len(self.calls)}"
        self.calls.append((actor, reference, utc(moment), utc(moment + timedelta(minutes=6))))
        self.deed(moment + timedelta(minutes=1), actor, "case.search", reason="進み具合", call=reference, hits=hits)
        if hits:
            who = subject or self.luck.choice(self.cases)[0]
            self.deed(moment + timedelta(minutes=2), actor, "case.view", who, reason="進み具合", call=reference)

    def logs(self, store: str) -> Logs:
        """検知に渡す材料（期間は三十日の全部）。"""
        rows = [
            (number, utc(row[0]), *row[1:7], json.dumps(row[7]))
            for number, row in enumerate(sorted(self.log, key=lambda row: row[0]), start=1)
        ]
        until = FIRST + timedelta(days=DAYS - 1)
        log = frames.with_details(pl.DataFrame(rows, schema=frames.LOG, orient="row"))
        people = pl.DataFrame(self.people, schema=frames.PEOPLE, orient="row")
        if store == "desk":
            calls = pl.DataFrame(self.calls, schema=frames.CALLS, orient="row").sort("at")
            cases = pl.DataFrame(self.cases, schema=frames.CASES, orient="row")
            return Logs(store, FIRST, until, log, people, cases=cases, calls=local(calls, "at", "ended"))
        return Logs(
            store, FIRST, until, log, people,
            paid=local(pl.DataFrame(self.paid, schema=frames.PAID, orient="row"), "released"),
            account_changes=pl.DataFrame(self.changes, schema=frames.ACCOUNT_CHANGES, orient="row"),
            editors=pl.DataFrame(self.editors, schema=frames.EDITORS, orient="row"),
            runs=pl.DataFrame(self.runs, schema=frames.RUNS, orient="row"),
            handovers=local(
                pl.DataFrame([(*one, None, None) for one in self.handovers], schema=frames.HANDOVERS, orient="row"),
                *frames.HANDOVER_TIMES,
            ),
        )  # fmt: skip


def week(logs: Logs, since: date) -> Logs:
    """その週の報告が見る材料。"""
    until = min(since + timedelta(days=6), FIRST + timedelta(days=DAYS - 1))
    released, made = pl.col("released").dt.date(), pl.col("on")
    return replace(
        logs,
        since=since,
        until=until,
        log=logs.log.filter(pl.col("day") <= until),
        paid=logs.paid.filter(released.is_between(since, until)),
        runs=logs.runs.filter(made.is_between(since, until)),
        handovers=logs.handovers.filter(pl.col("given").dt.date() <= until),
    )


def weeks() -> list[date]:
    return [FIRST + timedelta(days=number) for number in range(0, DAYS, 7)]


def working_days() -> list[date]:
    return [day for day in (FIRST + timedelta(days=number) for number in range(DAYS)) if is_bank_business_day(day)]


def quiet_desk(seed: int) -> Traffic:
    """給付管理システムの、何もない三十日。"""
    luck = random.Random(seed)
    made = Traffic(luck)
    weights = [1 / (rank + 1) for rank in range(len(SURNAMES))]
    surnames = luck.choices(SURNAMES, weights, k=8_000 + len(OPERATORS))
    made.cases = [
        (f"{luck.randrange(10**11):011d}", f"{name}　{luck.choice(GIVEN)}{number}", f"{number:010d}")
        for number, name in enumerate(surnames[: -len(OPERATORS)])
    ]
    made.people = [
        (who, f"{name}　職員{who}") for who, name in zip(OPERATORS, surnames[-len(OPERATORS) :], strict=True)
    ]
    for day in working_days():
        for who in OPERATORS:
            made.deed(at(day, 8.8), who, "login.accepted", who)
            if luck.random() < 0.05:
                made.deed(at(day, 8.75), "nobody", "login.refused", who, role="none", terminal=f"端末-{who}")
            hour = 9.0
            while hour < 16.8:
                made.call(at(day, hour), who, hits=0 if luck.random() < 0.1 else 1)
                hour += luck.uniform(0.11, 0.24)
            if luck.random() < 0.03:
                made.deed(at(day, 17.0), who, "login.accepted", who, terminal="端末-予備")
                made.deed(at(day, 17.05), who, "contact.write", made.cases[0][0], terminal="端末-予備")
        made.deed(at(day, 18), "batch", "planned.make", f"F{day:%m%d}", role="batch", terminal="", rows=400)
        made.deed(at(day, 17.2), "kanri", "planned.make", f"G{day:%m%d}", role="supervisor", rows=400)
    return made


def quiet_ward(seed: int) -> Traffic:
    """区の台帳の、何もない三十日。"""
    luck = random.Random(seed)
    made = Traffic(luck)
    clerks, approvers = ["tanto1", "tanto2", "tanto3"], ["shonin1", "shonin2"]
    made.people = [(who, f"区　{who}") for who in (*clerks, *approvers)]
    for turn, day in enumerate(working_days()):
        for who in clerks:
            made.deed(at(day, 8.6), who, "login.accepted", who, role="clerk")
            for _ in range(luck.randrange(3, 12)):
                number = f"{luck.randrange(10**10):010d}"
                moment = at(day, luck.uniform(9, 17))
                made.deed(moment, who, "person.search", role="clerk", reason="窓口の問合せ", hits=1)
                made.deed(
                    moment + timedelta(minutes=1), who, "person.view", number, role="clerk", reason="窓口の問合せ"
                )
        made.deed(at(day, 10), "tanto1", "claim.enter", f"{turn}", role="clerk")
        made.deed(at(day, 15), "shonin1", "claim.decide", f"{turn}", role="approver")
        made.deed(at(day, 15.5), "tanto1", "failure.ask", f"{turn}", role="clerk")
        made.deed(at(day, 16), "shonin2", "failure.approve", f"{turn}", role="approver")
        made.runs.append((f"支給判定 F{turn}", day, 200, 200))
        given = at(day, 11)
        made.handovers.append((f"payees_out/{turn}", utc(given), utc(given + timedelta(days=1)), None, False))
        if turn % 5 == 0:
            back = given + timedelta(days=1)
            made.handovers.append((f"print_out/{turn}", utc(given), utc(back), utc(back + timedelta(days=9)), True))
            for line in range(60):
                pay(made, turn, day, line)
            # 二十日も前の口座変更と、一世帯に二つの給付は、あたりまえのことである。
            made.changes.append((made.paid[-1][3], day - timedelta(days=20)))
            made.paid.append((*made.paid[-1][:2], f"R/CHILD/{turn}", f"{turn:011d}", *made.paid[-1][4:]))
            made.editors.append((made.paid[-1][2], "tanto2"))
    return made


def pay(made: Traffic, turn: int, day: date, line: int, *, account: str = "", household: int | None = None) -> None:
    """振込の一行。"""
    home = household or 10_000 * turn + line + 1
    made.paid.append(
        (
            turn + 1, utc(at(day, 14)), f"R/HH100K/{home}", f"{turn:05d}{line:06d}", home, home,
            account or f"0001001{9_000_000 + home}", "shonin1", "shonin2",
        )
    )  # fmt: skip
