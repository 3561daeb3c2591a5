"""試験の人: 最初の手続きが済んでいて、数字（二要素）の種が分かっている。"""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from benefit.services.home import Home
from benefit.services.people_password import Passwords
from benefit.services.people_totp import Seal, code_at, step_of
from benefit.store import desk, ward
from benefit.store.access import AccessTables
from tests.conftest import StepClock


def secret_of(staff_id: str) -> str:
    """この人の数字の種（人ごとに違う）。"""
    return base64.b32encode(hashlib.sha1(staff_id.encode()).digest()).decode()


def _store(home: Home, line: str) -> tuple[sa.Engine, AccessTables]:
    return (home.ward, ward.access) if line == "ward" else (home.desk, desk.access)


def finished(home: Home, line: str, staff_id: str, at: datetime) -> dict[str, Any]:
    """最初の手続きが済んだ人の列。"""
    return {
        "password_changed_at": at,
        "totp_secret": Seal(home.key, line).close(staff_id, secret_of(staff_id)),
        "totp_enrolled_at": at,
        "totp_step": None,
        "terms_accepted_at": at,
        "opened_at": at,
    }


def enrol(home: Home, line: str, staff_id: str, at: datetime) -> bool:
    """この人の最初の手続きを済ませる（受け取り済みの数字も忘れる）。いなければ偽。"""
    engine, tables = _store(home, line)
    with engine.begin() as connection:
        statement = tables.staff.update().where(tables.staff.c.id == staff_id)
        return connection.execute(statement.values(**finished(home, line, staff_id, at))).rowcount == 1


def code(home: Home, line: str, staff_id: str, clock: StepClock) -> str:
    """まだ使われていない数字。同じ刻みで二度目なら、時計を一刻み進める。"""
    engine, tables = _store(home, line)
    with engine.connect() as connection:
        query = sa.select(tables.staff.c.totp_step).where(tables.staff.c.id == staff_id)
        last = connection.execute(query).scalar()
    if last is not None and last >= step_of(clock.now):
        clock.now += timedelta(seconds=30 * (last + 1 - step_of(clock.now)))
    return code_at(secret_of(staff_id), step_of(clock.now))


@cache
def cheap() -> Passwords:
    """手間の軽い要約。知っている ID にも知らない ID にも同じものを使うときだけ、試験で使う。"""
    return Passwords(PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8192, parallelism=1),)))
