"""毎日の受渡を試験で回す: 委託先が進め、返し、区が受け取り、次の支給対象者を渡す。"""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import polars as pl
import sqlalchemy as sa

from benefit.domain.access import BATCH, Actor
from benefit.domain.clock import tokyo_date
from benefit.domain.deficiency import CHECK_ITEMS
from benefit.records import desk_progress
from benefit.services import (
    desk_cases,
    desk_contacts,
    desk_export,
    desk_handback,
    desk_intake,
    desk_load,
    desk_review,
    handback_take,
    people,
)
from benefit.services import desk_returned_mail as mail
from benefit.services.desk_accounts import Account
from benefit.services.desk_intake import Arrival
from benefit.services.files import MANIFEST, sha256_of
from benefit.services.handback_view import view
from benefit.store import desk, ward
from tests.support.small_ward import read, write

COUNTER = Actor("madoguchi", "counter")
WARD_TABLES = (
    "desk_given", "desk_handback", "desk_progress", "desk_event", "desk_contact", "desk_difference", "desk_withdrawal",
    "handover", "audit_log",
)  # fmt: skip


class Exchange:
    """一つの区と一つの委託先。"""

    def __init__(self, office: Any, programme: Any = None) -> None:
        from tests.services.conftest import PROGRAMME

        self.office, self.programme = office, programme or PROGRAMME
        self.folders: list[Path] = []
        self.numbers = itertools.count(1)

    def in_states(self, *states: str) -> list[str]:
        """この状態の件を、順に一つずつ（同じ件は二度出ない）。"""
        table = desk.benefit_case
        with self.office.home.desk.connect() as connection:
            rows = connection.execute(sa.select(table.c.case_number, table.c.state).order_by(table.c.case_number)).all()
        left = [tuple(row) for row in rows]
        found = []
        for state in states:
            row = next(row for row in left if row[1] == state)
            left.remove(row)
            found.append(row[0])
        return found

    def _desk(self, deed: Any, *args: Any, **given: Any) -> Any:
        with self.office.home.desk.begin() as connection:
            return deed(connection, *args, actor=given.pop("actor", COUNTER), at=self.office.clock(), **given)

    def contact(self, number: str, body: str, *, category: str = "call") -> None:
        self._desk(desk_contacts.write, number, category, body)

    def tell(self, number: str, event: str, *, reason: str = "本人の電話", actor: Actor = COUNTER) -> None:
        self._desk(desk_cases.tell, number, event, reason=reason, actor=actor)

    def returned(self, number: str, reason: str = "moved") -> None:
        self._desk(mail.returned, mail.Return(number, reason, tokyo_date(self.office.clock())))

    def receive_and_key(self, number: str, *, holder: str, account: str) -> None:
        """確認書を収受し、二人が口座を入力する。"""
        for name in ("shinsa1", "shinsa2"):
            with self.office.home.desk.begin() as connection:
                if connection.execute(sa.select(desk.staff.c.id).where(desk.staff.c.id == name)).first() is None:
                    people.add(
                        connection, desk.staff, desk.audit_log, staff_id=name, name="試験", role="reviewer",
                        password="x" * 15, actor=BATCH, at=self.office.clock(),
                    )  # fmt: skip
        first, second = Actor("shinsa1", "reviewer"), Actor("shinsa2", "reviewer")
        told = Account("9999", "001", "1", account, holder)
        checks = dict.fromkeys(CHECK_ITEMS, "○")
        arrival = Arrival(number, "confirmation", tokyo_date(self.office.clock()), note=f"{holder}の字が薄い")
        self._desk(desk_intake.receive, arrival)
        self._desk(desk_review.key, number, told, checks, holder_reason="旧姓の口座", actor=first)
        self._desk(desk_review.check, number, told, actor=second)

    def make(self) -> Path:
        """委託先が進捗情報を作る。"""
        folder: Path = self.office.root / f"progress-{next(self.numbers)}"
        desk_handback.make(self.office.home, self.programme.id, out=folder, actor=BATCH, clock=self.office.clock)
        self.folders.append(folder)
        return folder

    def take(self, folder: Path) -> handback_take.Taken:
        return handback_take.take(self.office.home, self.programme.id, folder, actor=BATCH, clock=self.office.clock)

    def day(self) -> handback_take.Taken:
        """作って、受け取る。"""
        return self.take(self.make())

    def export(self) -> Path:
        folder: Path = self.office.root / f"payees-{next(self.numbers)}"
        today = tokyo_date(self.office.clock())
        desk_export.export(self.office.home, self.programme, out=folder, today=today, clock=self.office.clock)
        self.folders.append(folder)
        return folder

    def export_and_load(self) -> desk_load.Loaded:
        return desk_load.load(self.office.home, self.export(), clock=self.office.clock)

    def seal(self, folder: Path) -> None:
        """書き換えたファイルに、頭書きを合わせる。"""
        path = folder / MANIFEST
        manifest = json.loads(path.read_text(encoding="utf-8"))
        manifest["sha256"] = {name: sha256_of((folder / name).read_bytes()) for name in desk_progress.FILES}
        manifest["件数"] = {name: len(read(folder / name)) for name in desk_progress.FILES}
        path.write_text(json.dumps({**manifest, "指紋": desk_progress.fingerprint(manifest)}), encoding="utf-8")

    def edit(self, folder: Path, name: str, number: str, **values: str) -> None:
        """この番号の行を書き換える（値が空の辞書なら、行を抜く）。"""
        rows = read(folder / name)
        heading = list(desk_progress.FILES[name])
        kept = [row | values if row["給付管理番号"] == number else row for row in rows]
        if not values:
            kept = [row for row in rows if row["給付管理番号"] != number]
        write(folder / name, kept, heading)
        self.seal(folder)

    def seen(self) -> dict[str, dict[str, Any]]:
        """区から見た姿（最後の受渡に載っていた件）。"""
        with self.office.home.ward.connect() as connection:
            rows = view(connection, self.programme.id).filter(pl.col("present"))
        return {row["case_number"]: row for row in rows.iter_rows(named=True)}

    def desk_states(self) -> dict[str, str]:
        table = desk.benefit_case
        with self.office.home.desk.connect() as connection:
            return dict(tuple(row) for row in connection.execute(sa.select(table.c.case_number, table.c.state)))

    def ward_rows(self) -> dict[str, int]:
        with self.office.home.ward.connect() as connection:
            return {
                name: connection.execute(sa.select(sa.func.count()).select_from(getattr(ward, name))).scalar_one()
                for name in WARD_TABLES
            }

    @staticmethod
    def without_triggers(connection: sa.Connection, table: str) -> None:
        """この表の守りを外す（as_owner の後で）。"""
        for deed in ("update", "delete"):
            name = f"{table}_refuses_{deed}"
            on = f" ON {table}" if connection.dialect.name == "postgresql" else ""
            connection.exec_driver_sql(f"DROP TRIGGER {name}{on}")
