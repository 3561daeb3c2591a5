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
from benefit.store import desk, ward

PRAGMAS = ("foreign_keys=ON", "journal_mode=WAL", "synchronous=FULL", "recursive_triggers=ON", "trusted_schema=OFF")


def make_engine(url: str, line: str | None = None) -> Engine:
    """URL から。`sqlite:///…` か `postgresql+psycopg://…`。

    `line`（ward・desk）を言えば、PostgreSQL では仕事の役割で動く: 表を作れず、書き足すだけの表は変えられない。
    言わないのは移行だけである。
    """
    if not url.startswith("sqlite"):
        return _postgresql(url, line)
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


def _postgresql(url: str, line: str | None) -> Engine:
    # 記録を待たずに「書けた」と言わない（reliability P10）。台帳や利用者の既定が off でも、こちらの値が勝つ。
    options = "-c synchronous_commit=on" + (f" -c role=benefit_{line}_app" if line else "")
    engine = create_engine(url, pool_pre_ping=True, hide_parameters=True, connect_args={"options": options})
    if line is None:
        return engine
    checked: list[bool] = []

    @event.listens_for(engine, "connect")
    def _check(dbapi: Any, _record: object) -> None:
        if not checked:
            try:
                _refuse_unsafe(dbapi, line)
            except BaseException:
                dbapi.close()
                raise
            checked.append(True)

    return engine


_UNSAFE = """
SELECT current_setting('fsync'), current_setting('full_page_writes'), rolsuper,
       coalesce((SELECT string_agg(name, '、' ORDER BY name) FROM unnest(%s::text[]) AS listed (name)
                 WHERE has_any_column_privilege(to_regclass('public.' || name), 'UPDATE')
                    OR has_table_privilege(to_regclass('public.' || name), 'DELETE, TRUNCATE')), '')
FROM pg_roles WHERE rolname = current_user
"""


def _refuse_unsafe(dbapi: Any, line: str) -> None:
    """守りが効いていない PostgreSQL では始めない（reliability §4.1 PG self-check）。どの設定も、これを外せない。"""
    listed = list((ward if line == "ward" else desk).APPEND_ONLY)
    with dbapi.cursor() as cursor:
        fsync, pages, super_user, open_tables = cursor.execute(_UNSAFE, (listed,)).fetchone()
    dbapi.rollback()
    for name, value in (("fsync", fsync), ("full_page_writes", pages)):
        if value != "on":
            raise WrongUse(
                "PostgreSQL の設定では、電源が落ちると書いたものが失われます。設定を直してください",
                code="unsafe-store",
                found=f"{name} = {value}",
                allowed=f"{name} = on",
            )
    if super_user or open_tables:
        raise WrongUse(
            f"台帳の役割 benefit_{line}_app が、書き足すだけの表を変えられます。"
            "表の持ち主で benefit init を実行し、余分な権限を取り消してください",
            code="unsafe-store",
            found="役割が superuser" if super_user else f"変えられる表: {open_tables}",
        )


def require_safe(url: str, line: str) -> None:
    """仕事の接続を一度開いて、守りを確かめる。"""
    engine = make_engine(url, line)
    try:
        engine.connect().close()
    finally:
        engine.dispose()


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
