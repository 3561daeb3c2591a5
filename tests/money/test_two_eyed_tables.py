"""T27 の続き: 二人の目が要る表は、どの仕事を通らなくても、申し出た人の承認を台帳そのものが断る（reliability P27）。

表は数え上げない。台帳にある「申し出と承認」の組を全部見つけ、どの組も同じ形の制約を持つことと、乱数の申し出と承認の並びで
約束どおりの行だけが残ることを見る。新しい表が増えても、ここを通る。
"""

from __future__ import annotations

import os
import random
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from benefit.services.home import Home
from benefit.store import ward
from benefit.store.base import approved_by_another, moment, new_metadata

SEQUENCES = int(os.environ.get("BENEFIT_T27", "5000")) // 5
STAFF = ("a", "b", "c", "d")
PAIRED = sorted(
    name for name, table in ward.metadata.tables.items() if "release_id" in table.c and "approved_by" in table.c
)
#: 申し出と承認の形が違う二つの目（表、申し出た人の列、承認した人の列）。
OTHERS = (
    ("run_approval", "built_by", "approved_by"),
    ("claim_decision", "entered_by", "decided_by"),
    ("approval", "made_by", "staff_id"),
)


def checks(table: sa.Table) -> set[str]:
    return {str(one.sqltext) for one in table.constraints if isinstance(one, sa.CheckConstraint)}


def parents(table: sa.Table, column: str) -> set[tuple[str, ...]]:
    """この列を含む外部キーが、つながる先の列の組。"""
    return {
        tuple(element.target_fullname for element in one.elements)
        for one in table.foreign_key_constraints
        if column in one.column_keys
    }


@pytest.mark.parametrize("name", PAIRED)
def test_every_pair_of_asking_and_approving_has_the_same_shape(name: str) -> None:
    """申し出一つに承認は一つ、申し出た人は申し出の行と同じ人、承認した人は別の職員。"""
    table, parent = ward.metadata.tables[name], name.removesuffix("_approval")
    assert [column.name for column in table.primary_key] == ["release_id"]
    assert (f"{parent}.id", f"{parent}.asked_by") in parents(table, "asked_by")
    assert parents(table, "approved_by") == {("staff.id",)}
    assert "approved_by <> asked_by" in checks(table)
    assert parents(ward.metadata.tables[parent], "asked_by") == {("staff.id",)}
    assert {name, parent} <= set(ward.APPEND_ONLY), "申し出も承認も、後から書き換えられない"


@pytest.mark.parametrize(("name", "one", "other"), OTHERS)
def test_the_other_two_eyed_tables_refuse_the_same_person_too(name: str, one: str, other: str) -> None:
    table = ward.metadata.tables[name]
    assert checks(table) & {f"{one} <> {other}", f"{other} <> {one}"}
    assert any(len(target) > 1 for target in parents(table, one)), "申し出た人を偽れないように、申し出の行と組でつなぐ"
    assert parents(table, other) == {("staff.id",)}
    assert name in ward.APPEND_ONLY


@pytest.mark.parametrize("name", [*PAIRED, *(name for name, _one, _other in OTHERS)])
def test_the_ledger_itself_has_what_the_declaration_says(name: str, home: Home) -> None:
    """宣言だけでなく、移行した本当の台帳に、二人の制約がある。"""
    found = {one["name"]: one["sqltext"] for one in sa.inspect(home.ward).get_check_constraints(name)}
    two = [text for text in found.values() if "<>" in text and "_by" in text]
    assert two, found


def two_tables() -> tuple[sa.MetaData, sa.Table, sa.Table]:
    """申し出の表の、いちばん小さな一つ。承認の表は、本物と同じ部品（approved_by_another）で作る。"""
    metadata = new_metadata()
    sa.Table("staff", metadata, sa.Column("id", sa.String(40), primary_key=True))
    asked = sa.Table(
        "deed",
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("asked_by", sa.ForeignKey("staff.id"), nullable=False),
        sa.UniqueConstraint("id", "asked_by"),
    )
    return metadata, asked, approved_by_another(metadata, "deed")


def play(connection: sa.Connection, asked: sa.Table, approval: sa.Table, first: int, rng: random.Random) -> None:
    """乱数の申し出と承認を一続き。台帳が受け取ったものは、約束が許すものと一致する。"""
    owners: dict[int, str] = {}
    approved: set[int] = set()
    for _step in range(rng.randrange(2, 9)):
        who = rng.choice(STAFF)
        if rng.random() < 0.3 or not owners:
            number = first + len(owners)
            connection.execute(asked.insert().values(id=number, asked_by=who))
            owners[number] = who
            continue
        number = rng.choice([*owners, first + 50])
        # 申し出た人の名を偽る、いない人が承認する、自分で承認する、二度承認する。
        said = rng.choice([owners.get(number, who), owners.get(number, who), rng.choice(STAFF)])
        by = rng.choice([who, who, who, "nobody"])
        allowed = number in owners and number not in approved and said == owners[number] and by not in {said, "nobody"}
        try:
            with connection.begin_nested():
                values: dict[str, Any] = {"release_id": number, "asked_by": said, "approved_by": by}
                connection.execute(approval.insert().values(**values, approved_at=sa.func.now()))
            taken = True
        except IntegrityError:
            taken = False
        assert taken == allowed, (owners, number, said, by, approved)
        if taken:
            approved.add(number)


def engine_with(metadata: sa.MetaData) -> sa.Engine:
    engine = sa.create_engine("sqlite://", connect_args={"isolation_level": None}, poolclass=sa.StaticPool)

    @sa.event.listens_for(engine, "connect")
    def _prepare(dbapi: Any, _record: object) -> None:
        dbapi.execute("PRAGMA foreign_keys=ON")

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    with engine.begin() as connection:
        metadata.create_all(connection)
        connection.execute(metadata.tables["staff"].insert(), [{"id": who} for who in STAFF])
    return engine


def test_a_thousand_sequences_of_asking_and_approving_keep_the_promise(rng: random.Random) -> None:
    metadata, asked, approval = two_tables()
    engine = engine_with(metadata)
    try:
        with engine.begin() as connection:
            for turn in range(SEQUENCES):
                play(connection, asked, approval, turn * 100 + 1, rng)
    finally:
        engine.dispose()


def test_without_the_constraint_the_sequences_would_find_it(rng: random.Random) -> None:
    """わざと入れた誤り: 「承認した人は、申し出た人と違う」を外す。"""
    metadata, asked, _approval = two_tables()
    metadata.remove(metadata.tables["deed_approval"])
    loose = sa.Table(
        "deed_approval",
        metadata,
        sa.Column("release_id", sa.Integer, primary_key=True),
        sa.Column("asked_by", sa.String(40), nullable=False),
        sa.Column("approved_by", sa.ForeignKey("staff.id"), nullable=False),
        moment("approved_at"),
        sa.ForeignKeyConstraint(["release_id", "asked_by"], ["deed.id", "deed.asked_by"]),
    )
    engine = engine_with(metadata)
    try:
        with engine.begin() as connection:
            found = _found(connection, asked, loose, rng)
    finally:
        engine.dispose()
    assert found


def _found(connection: sa.Connection, asked: sa.Table, approval: sa.Table, rng: random.Random) -> bool:
    for turn in range(1_000):
        try:
            play(connection, asked, approval, turn * 100 + 1, rng)
        except AssertionError:
            return True
    return False
