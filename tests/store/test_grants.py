"""書き足すだけの表は、PostgreSQL では権限でも守られる。トリガーを外しても、仕事の接続からは書き換えられない（0016）。"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
import sqlalchemy as sa

from benefit.domain.errors import WrongUse
from benefit.services.entitlements import WATCHED
from benefit.services.home import Home
from benefit.services.setup import init_desk, init_ward
from benefit.store import desk, ward
from benefit.store.engine import make_engine, require
from benefit.store.migrate import METADATA, upgrade
from tests.conftest import Databases
from tests.support.pgserver import postgres

TABLES = {"ward": ward, "desk": desk}
DEEDS = ("UPDATE {0} SET {1} = {1}", "DELETE FROM {0}", "TRUNCATE {0} CASCADE")


@pytest.fixture(params=["ward", "desk"])
def store(request: pytest.FixtureRequest, pg: Databases) -> Iterator[tuple[str, sa.Engine, sa.Engine]]:
    """（線、仕事の接続、持ち主の接続）。"""
    line: str = request.param
    url = pg.new(line)
    engines = make_engine(url, line), make_engine(url)
    yield line, *engines
    for engine in engines:
        engine.dispose()


def says(engine: sa.Engine, statement: str) -> str:
    """断りの言葉。通れば空。"""
    with engine.connect() as connection:
        try:
            connection.exec_driver_sql(statement)
        except sa.exc.DBAPIError as refused:
            return str(refused.orig)
        finally:
            connection.rollback()
    return ""


def column(line: str, table: str) -> str:
    return next(iter(METADATA[line].tables[table].c)).name


def test_the_work_cannot_rewrite_an_append_only_table_even_without_its_triggers(
    store: tuple[str, sa.Engine, sa.Engine],
) -> None:
    line, work, owner = store
    with owner.begin() as connection:
        for table in TABLES[line].APPEND_ONLY:
            connection.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    for table in TABLES[line].APPEND_ONLY:
        for deed in DEEDS:
            assert "permission denied" in says(work, deed.format(table, column(line, table))), (table, deed)


def test_the_owner_is_refused_by_the_triggers(store: tuple[str, sa.Engine, sa.Engine]) -> None:
    line, _work, owner = store
    with owner.connect() as connection:
        for table in TABLES[line].APPEND_ONLY:
            triggers = connection.execute(
                sa.text(
                    "SELECT tgtype::int FROM pg_trigger WHERE tgrelid = to_regclass(:t) AND NOT tgisinternal"
                    " AND tgenabled = 'O' AND tgname LIKE '%_refuses_%'"
                ),
                {"t": table},
            ).scalars()
            # BEFORE（2）で、行ごとの UPDATE（16）と DELETE（8）、文ごとの TRUNCATE（32）。
            assert sorted(triggers) == [2 + 1 + 8, 2 + 1 + 16, 2 + 32], table
    for table in TABLES[line].APPEND_ONLY:
        assert "is append-only" in says(owner, f"TRUNCATE {table} CASCADE"), table


def test_the_work_can_make_and_change_no_table(store: tuple[str, sa.Engine, sa.Engine]) -> None:
    line, work, _owner = store
    for table in METADATA[line].tables:
        for statement in (
            f"ALTER TABLE {table} ADD COLUMN more int",
            f"ALTER TABLE {table} DISABLE TRIGGER USER",
            f"DROP TABLE {table} CASCADE",
            f"CREATE TRIGGER t BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        ):
            refused = says(work, statement)
            assert "must be owner" in refused or "permission denied" in refused, (table, statement)
    assert "permission denied" in says(work, "CREATE TABLE mine (a int)")
    assert "permission denied" in says(work, f"UPDATE alembic_version_{line} SET version_num = '0001'")
    assert "permission denied" in says(work, "SET session_replication_role = replica")


def test_the_work_may_change_only_the_listed_columns(store: tuple[str, sa.Engine, sa.Engine]) -> None:
    line, work, _owner = store
    changing = import_module(f"migrations.{line}.0002_triggers").CHANGING
    assert not set(changing) & set(TABLES[line].APPEND_ONLY)
    for name, table in METADATA[line].tables.items():
        assert not says(work, f"SELECT count(*) FROM {name}")
        given = changing.get(name, "")
        for each in table.c:
            allowed = "UPDATE" in given and ("(" not in given or each.name in given)
            assert (says(work, f"UPDATE {name} SET {each.name} = {each.name}") == "") is allowed, (name, each.name)
        assert (says(work, f"DELETE FROM {name}") == "") is ("DELETE" in given), name
    if line == "ward":
        assert all(name in changing["entitlement"] for name in WATCHED)


@pytest.mark.parametrize("harm", ["GRANT UPDATE ({1}) ON {0} TO benefit_ward_app", "GRANT TRUNCATE ON {0} TO PUBLIC"])
def test_a_store_whose_tables_are_open_to_the_work_does_not_start(pg: Databases, tmp_path: Path, harm: str) -> None:
    url = pg.new("ward")
    owner = make_engine(url)
    with owner.begin() as connection:
        connection.exec_driver_sql(harm.format("posting", column("ward", "posting")))
    owner.dispose()
    home = Home.at(tmp_path / "home", ward_url=url)
    with pytest.raises(WrongUse, match="変えられる表: posting"):
        require(home.ward, "run")
    with pytest.raises(WrongUse, match="書き足すだけの表を変えられます"):
        home.ward.connect()
    home.ward.dispose()


def test_the_work_does_not_run_as_the_owner_and_waits_for_its_records_to_be_on_disk(
    pg: Databases, tmp_path: Path
) -> None:
    url = pg.new("ward")
    name = sa.make_url(url).database
    pg.admin.exec_driver_sql(f"ALTER DATABASE {name} SET synchronous_commit = off")
    home = Home.at(tmp_path / "home", ward_url=url)
    with home.ward.connect() as connection:
        assert connection.execute(sa.text("SELECT current_user")).scalar() == "benefit_ward_app"
        assert connection.execute(sa.text("SHOW synchronous_commit")).scalar() == "on"
    home.ward.dispose()


@pytest.mark.parametrize("setting", ["fsync", "full_page_writes"])
def test_a_server_that_may_lose_what_it_acknowledged_is_refused(tmp_path: Path, setting: str) -> None:
    with postgres(**{setting: "off"}) as server:
        home = Home.at(tmp_path / "home", ward_url=server.url)
        with pytest.raises(WrongUse, match=f"{setting} = off"):
            init_ward(home)
        home.ward.dispose()


def _init(url: str, line: str, gate: object) -> None:
    gate.wait()  # type: ignore[attr-defined]
    engine = make_engine(url)
    upgrade(engine, line)
    engine.dispose()


def test_many_first_migrations_at_once_share_one_role(tmp_path: Path) -> None:
    """まっさらなサーバーで、いくつもの台帳が同時に役割を作ろうとしても、みな終わる。"""
    with postgres() as server:
        admin = sa.create_engine(server.url, isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            for place in range(6):
                connection.exec_driver_sql(f"CREATE DATABASE d{place}")
            context = multiprocessing.get_context("spawn")
            gate = context.Barrier(6)
            urls = [
                sa.make_url(server.url).set(database=f"d{place}").render_as_string(hide_password=False)
                for place in range(6)
            ]
            children = [
                context.Process(target=_init, args=(url, ("ward", "desk")[place % 2], gate))
                for place, url in enumerate(urls)
            ]
            for child in children:
                child.start()
            for child in children:
                child.join()
            assert [child.exitcode for child in children] == [0] * 6
        admin.dispose()
        home = Home.at(tmp_path / "home", ward_url=urls[0], desk_url=urls[1])
        init_ward(home)
        init_desk(home)
        require(home.ward, "run")
        require(home.desk, "load")
        home.ward.dispose()
        home.desk.dispose()


def test_a_login_without_rights_of_its_own_works_through_the_role(pg: Databases, tmp_path: Path) -> None:
    """本番の置き方: 移行は持ち主、仕事は別の利用者（役割の一員であるだけ）。"""
    url = pg.new("ward")
    login = f"worker_{sa.make_url(url).database}"
    pg.admin.exec_driver_sql(f"CREATE ROLE {login} LOGIN IN ROLE benefit_ward_app")
    try:
        mine = sa.make_url(url).set(username=login).render_as_string(hide_password=False)
        home = Home.at(tmp_path / "home", ward_url=mine)
        init_ward(home)  # 最新なので、何も変えずに終わる
        require(home.ward, "run")
        home.ward.dispose()
        outsider = make_engine(mine, "desk")
        with pytest.raises(WrongUse, match="台帳に接続できません"):
            require(outsider, "run")
        outsider.dispose()
    finally:
        pg.admin.exec_driver_sql(f"DROP ROLE {login}")
