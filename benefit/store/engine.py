"""台帳への接続。SQLite は WAL・FULL・外部キー・BEGIN IMMEDIATE、PostgreSQL は SERIALIZABLE を使う所で指定する。

断りや不具合の記録に個人の情報が載らないように、SQL の値は表示しない（hide_parameters）。

SQLite の既定の接続は読んで書く処理を静かに失う（building.md §7: 1,600 回中 1,340 回）。だから
自動の BEGIN を切り、書込みの約束を最初に取る。
"""

from __future__ import annotations

import hashlib
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.exc import OperationalError

from benefit.domain.errors import WrongUse

PRAGMAS = ("foreign_keys=ON", "journal_mode=WAL", "synchronous=FULL", "recursive_triggers=ON", "trusted_schema=OFF")


def make_engine(url: str) -> Engine:
    """URL から。`sqlite:///…` か `postgresql+psycopg://…`。"""
    if not url.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True, hide_parameters=True)
    engine = create_engine(url, connect_args={"timeout": 60, "isolation_level": None}, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _prepare(dbapi: Any, _record: object) -> None:
        for pragma in PRAGMAS:
            dbapi.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        kind = connection.get_execution_options().get("sqlite_begin", "IMMEDIATE")
        connection.exec_driver_sql(f"BEGIN {kind}")

    return engine


def reading(engine: Engine) -> Connection:
    """読むだけの接続。SQLite では書き手を待たせない。"""
    return engine.connect().execution_options(sqlite_begin="DEFERRED")


def in_turn(connection: Connection, deed: str) -> None:
    """この仕事を一列に並べる（トランザクションの終わりまで）。SQLite は BEGIN IMMEDIATE がもう並べている。

    二重を断るのは一意の制約であり、これはやり直しを減らし、断りの言葉を正しくするためにある。
    """
    if connection.dialect.name == "postgresql":
        key = int.from_bytes(hashlib.blake2b(deed.encode(), digest_size=7).digest(), "big")
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})


def require(engine: Engine, table: str) -> None:
    """台帳があることを確かめる。なければ、先にすることを言う。"""
    try:
        found = inspect(engine).has_table(table)
    except OperationalError:
        # 接続先（URL）には合言葉が入りうるので、文に入れない。
        raise WrongUse(
            "台帳に接続できません。先に benefit init を実行するか、"
            "BENEFIT_WARD_URL・BENEFIT_DESK_URL を確かめてください",
            code="no-connection",
        ) from None
    if not found:
        raise WrongUse("台帳がまだありません。先に benefit init を実行してください", code="no-store")
