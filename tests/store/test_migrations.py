"""二本の移行: 空から、戻して、もう一度。移行した形は、表の宣言と同じである。"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from benefit.domain.access import BATCH
from benefit.domain.transfer import PAYMENT_TRANSITIONS
from benefit.services import people
from benefit.store import audit, desk, ward
from benefit.store.engine import make_engine
from benefit.store.migrate import METADATA, downgrade, upgrade
from tests.conftest import Databases, StepClock

TABLES = {"ward": ward, "desk": desk}


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[list[sa.Engine]]:
    if request.param == "sqlite":
        engines = [make_engine(f"sqlite:///{tmp_path / name}.db") for name in "ab"]
    else:
        databases: Databases = request.getfixturevalue("pg")
        names = ["migrate_a", "migrate_b"]
        for name in names:
            databases.admin.exec_driver_sql(f"CREATE DATABASE {name}")
            databases.made.append(name)
        engines = [
            make_engine(databases.url.set(database=name).render_as_string(hide_password=False)) for name in names
        ]
    yield engines
    for engine in engines:
        engine.dispose()


def shape(engine: sa.Engine) -> dict[str, object]:
    """表・列・制約・索引の姿（CHECK と、索引の条件まで）。"""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            rows = connection.execute(
                sa.text("SELECT name, sql FROM sqlite_master WHERE type IN ('table', 'index') AND sql IS NOT NULL")
            )
            return {
                name: sorted(
                    re.split(r",\s*(?![^(]*\))", re.sub(r"\s+", " ", text.replace('"', "")).removesuffix(")").strip())
                )
                for name, text in rows
                if not name.startswith("alembic")
            }
        found: dict[str, object] = {}
        for name, text in connection.execute(
            sa.text(
                "SELECT conrelid::regclass || '.' || conname, pg_get_constraintdef(oid) FROM pg_constraint "
                "WHERE connamespace = 'public'::regnamespace"
            )
        ):
            found[name] = text
        for name, text in connection.execute(
            sa.text("SELECT indexname, indexdef FROM pg_indexes WHERE schemaname='public'")
        ):
            found[f"index {name}"] = text
        for table, column, kind, blank in connection.execute(
            sa.text(
                "SELECT table_name, column_name, data_type || coalesce(character_maximum_length::text, ''), is_nullable "
                "FROM information_schema.columns WHERE table_schema = 'public'"
            )
        ):
            found[f"{table}.{column}"] = (kind, blank)
        return {name: value for name, value in found.items() if not name.replace("index ", "").startswith("alembic")}


@pytest.mark.parametrize("line", ["ward", "desk"])
def test_the_migrated_schema_is_the_declared_one(empty: list[sa.Engine], line: str) -> None:
    migrated, declared = empty
    upgrade(migrated, line)
    METADATA[line].create_all(declared)
    assert shape(migrated) == shape(declared)


@pytest.mark.parametrize("line", ["ward", "desk"])
def test_down_and_up_again(empty: list[sa.Engine], line: str) -> None:
    engine = empty[0]
    upgrade(engine, line)
    before = shape(engine)
    downgrade(engine, line)
    assert not [name for name in sa.inspect(engine).get_table_names() if not name.startswith("alembic")]
    upgrade(engine, line)
    assert shape(engine) == before


@pytest.mark.parametrize("line", ["ward", "desk"])
def test_an_upgrade_keeps_the_rows_it_finds(empty: list[sa.Engine], line: str) -> None:
    engine, clock = empty[0], StepClock()
    upgrade(engine, line, "0001")
    tables = TABLES[line]
    with engine.begin() as connection:
        people.add(
            connection, tables.staff, tables.audit_log, staff_id="a1", name="試験",
            role="admin" if line == "ward" else "supervisor", password="x" * 15, actor=BATCH, at=clock(),
        )  # fmt: skip
    upgrade(engine, line)
    with engine.connect() as connection:
        assert connection.execute(sa.select(tables.staff.c.name)).scalars().all() == ["試験"]
        assert audit.verify(connection, tables.audit_log) == (1, None)


@pytest.mark.parametrize("line", ["ward", "desk"])
def test_append_only_tables_refuse_change_and_loss(empty: list[sa.Engine], line: str) -> None:
    engine, clock = empty[0], StepClock()
    upgrade(engine, line)
    tables = TABLES[line]
    with engine.begin() as connection:
        audit.record(connection, tables.audit_log, at=clock(), actor=BATCH, action="試験")
    for statement in (tables.audit_log.update().values(action="書換え"), tables.audit_log.delete()):
        with pytest.raises(sa.exc.DBAPIError), engine.begin() as connection:
            connection.execute(statement)
    if engine.dialect.name == "postgresql":
        with pytest.raises(sa.exc.DBAPIError), engine.begin() as connection:
            connection.execute(sa.text("TRUNCATE audit_log"))


def test_every_table_of_the_declared_lists_has_its_trigger(empty: list[sa.Engine]) -> None:
    engine = empty[0]
    upgrade(engine, "ward")
    query = (
        "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        if engine.dialect.name == "sqlite"
        else "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
    )
    with engine.connect() as connection:
        names = set(connection.execute(sa.text(query)).scalars())
    assert {f"{table}_refuses_{deed}" for table in ward.APPEND_ONLY for deed in ("update", "delete")} <= names
    assert {f"{table}_refuses_delete" for table in ward.NEVER_DELETED} <= names
    assert "payment_moves_only_forward" in names


def test_the_frozen_steps_of_the_migration_are_those_of_the_words() -> None:
    from importlib import import_module

    frozen = import_module("migrations.ward.0002_triggers")
    assert set(frozen.PAYMENT_STEPS) == set(PAYMENT_TRANSITIONS)
    assert set(frozen.APPEND_ONLY) == set(ward.APPEND_ONLY)


@pytest.mark.parametrize("harm", ["edit", "delete", "swap", "truncate_head"])
def test_any_change_to_the_audit_log_is_found_and_named(empty: list[sa.Engine], harm: str) -> None:
    engine, clock = empty[0], StepClock()
    upgrade(engine, "desk", "0001")  # 仕掛けの前の形で、直接の書き換えを試す
    log = desk.audit_log
    for place in range(10):
        with engine.begin() as connection:
            audit.record(connection, log, at=clock(), actor=BATCH, action="見た", subject=str(place))
    with engine.begin() as connection:
        assert audit.verify(connection, log) == (10, None)
        if harm == "edit":
            connection.execute(log.update().where(log.c.sequence == 4).values(subject="別人"))
        elif harm == "delete":
            connection.execute(log.delete().where(log.c.sequence == 4))
        elif harm == "swap":
            connection.execute(log.update().where(log.c.sequence == 4).values(sequence=99))
        else:
            connection.execute(log.delete().where(log.c.sequence < 4))
        _count, broken = audit.verify(connection, log)
    assert broken is not None
    assert broken.sequence == (1 if harm == "truncate_head" else 4)
