"""給付管理システムだけの小さな世界: 役割ごとの人と、望む状態の件。時計は 2024-07-20 から一秒ずつ進む。"""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import sqlalchemy as sa

from benefit.domain.access import Actor, DeskRole
from benefit.domain.deficiency import CHECK_ITEMS, GOOD
from benefit.domain.entitlement import check_digit
from benefit.domain.kana import search_key
from benefit.services.desk_accounts import Account, account_of
from benefit.services.home import Home
from benefit.store import desk
from benefit.store.engine import reading
from tests.conftest import StepClock
from tests.support.reviewers import REVIEWERS

FIRST, SECOND = REVIEWERS
OPERATOR, COUNTER = Actor("denwa1", DeskRole.OPERATOR.value), Actor("madoguchi1", DeskRole.COUNTER.value)
SUPERVISOR, WARD_CLERK = Actor("kanrisha1", DeskRole.SUPERVISOR.value), Actor("ku1", DeskRole.WARD_CLERK.value)
EVERYONE = (FIRST, SECOND, OPERATOR, COUNTER, SUPERVISOR, WARD_CLERK)
DUE, TODAY = date(2024, 10, 31), date(2024, 7, 20)
KANA = "シンジュク　ハナコ"
ACCOUNT: Account = account_of("9999", "001", "1", "1234567", "ｼﾝｼﾞﾕｸ ﾊﾅｺ")
ALL_GOOD = dict.fromkeys(CHECK_ITEMS, GOOD)
#: 件に付いた行の表。
TABLES = (
    desk.case_event,
    desk.received_form,
    desk.form_review,
    desk.form_review_approval,
    desk.deficiency,
    desk.returned_mail,
    desk.letter_due,
    desk.letter_done,
    desk.contact,
)
_numbers = itertools.count(secrets.randbelow(10**9))


def new_number() -> str:
    """まだ使っていない給付管理番号。"""
    body = f"{1_000_000_000 + next(_numbers):010d}"
    return body + check_digit(body)


def opened(home: Home) -> DeskWorld:
    """人のいる、空の世界。"""
    clock = StepClock()
    clock.now = clock.now.replace(month=7, day=20)
    with home.desk.begin() as connection:
        # 合言葉の要約は遅い計算で、ここでは誰もログインしない。
        people = [{"id": actor.id, "name": "試験", "role": actor.role} for actor in EVERYONE]
        connection.execute(desk.staff.insert().values(password_hash="-", created_at=clock()), people)
        connection.execute(
            desk.benefit_name.insert().values(benefit="HH100K-1", programme="r6-2024", name="非課税化給付")
        )
    return DeskWorld(home, clock)


@dataclass
class DeskWorld:
    """一つの台帳と時計。"""

    home: Home
    clock: StepClock
    made: list[str] = field(default_factory=list)

    def case(self, state: str = "C20", **columns: Any) -> str:
        """この状態の件を一つ作り、番号を返す（区から受け渡された跡だけがある）。"""
        return self.cases(1, state, **columns)[0]

    def cases(self, count: int, state: str = "C20", **columns: Any) -> list[str]:
        """この状態の件を作る。"""
        numbers = [new_number() for _ in range(count)]
        values = {
            "branch": 1,
            "benefit": "HH100K-1",
            "planned_amount_yen": 100_000,
            "person_number": "0000000001",
            "postal_code": "1600022",
            "address": "東京都新宿区新宿一丁目2番3号",
            "name": "新宿　花子",
            "kana_name": KANA,
            "kana_key": search_key(KANA),
            "birth": "1955-05-06",
            "braille": False,
            "account_flag": "0",
            "sent_on": date(2024, 7, 5),
            "due_on": DUE,
            "state": state,
            "changed_at": self.clock(),
            **columns,
        }
        loaded = {"at": self.clock(), "actor": "batch", "event": "loaded", "from_state": "", "reason": "区からの受渡"}
        with self.home.desk.begin() as connection:
            connection.execute(desk.benefit_case.insert(), [{"case_number": number, **values} for number in numbers])
            connection.execute(
                desk.case_event.insert(),
                [{"case_number": number, "to_state": values["state"], **loaded} for number in numbers],
            )
        self.made += numbers
        return numbers

    def do(self, deed: Callable[..., Any], /, *given: Any, actor: Actor, **told: Any) -> Any:
        """一つの仕事を、一つのトランザクションで。"""
        with self.home.desk.begin() as connection:
            return deed(connection, *given, actor=actor, at=self.clock(), **told)

    def read(self, question: Callable[..., Any], /, *given: Any, **told: Any) -> Any:
        """読むだけ。"""
        with reading(self.home.desk) as connection:
            return question(connection, *given, **told)

    def row(self, number: str) -> dict[str, Any]:
        """件の行。"""
        return self.rows([number])[number]

    def rows(self, numbers: Sequence[str]) -> dict[str, dict[str, Any]]:
        """いくつかの件の行。"""
        table = desk.benefit_case
        with reading(self.home.desk) as connection:
            found = connection.execute(sa.select(table).where(table.c.case_number.in_(numbers))).mappings()
            return {row["case_number"]: dict(row) for row in found}

    def state(self, number: str) -> str:
        """いまの状態。"""
        return str(self.row(number)["state"])

    def events(self, *numbers: str) -> list[dict[str, Any]]:
        """進んだ跡（古い順）。"""
        event = desk.case_event
        query = sa.select(event).where(event.c.case_number.in_(numbers)).order_by(event.c.id)
        with reading(self.home.desk) as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def shot(self, *numbers: str) -> dict[str, Any]:
        """この件の、台帳にあるもの全部（断られた仕事が何も変えていないことを見るため）。"""
        found: dict[str, Any] = {}
        with reading(self.home.desk) as connection:
            for table in (desk.benefit_case, *TABLES):
                query = sa.select(table).where(table.c.case_number.in_(numbers)).order_by(*table.primary_key)
                found[table.name] = [tuple(row) for row in connection.execute(query)]
            found["audit"] = connection.execute(sa.select(sa.func.count()).select_from(desk.audit_log)).scalar_one()
        return found
