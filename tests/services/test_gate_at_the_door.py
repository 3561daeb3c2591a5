"""T14 門の前: 判定から発送までのどの瞬間に止めるべきことが分かっても、その手紙は出ない（reliability P14）。

架空の区の一人一人に、一つの出来事と、それが分かった瞬間（作る前、作ってから出すまで、出した後）を引く。5,000 の時間の流れで、
分かっていたのに出た手紙が 0、関わりのない人の手紙が止まったものも 0。種は GATE_SEED で変えられる。
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import sqlalchemy as sa

from benefit.domain.access import BATCH, Actor
from benefit.domain.programme import Programme
from benefit.services import beneficiaries, extracts, mailing_release, people
from benefit.services.files import sha256_of
from benefit.services.home import Home
from benefit.services.mailing import MadeLot, register_lots, who_gets_letters
from benefit.services.mailing_lots import lots_of
from benefit.store import ward
from tests.conftest import WARD_3K, StepClock
from tests.support.approval import approve_latest
from tests.support.small_ward import read, write

PROGRAMME = Programme.load("r6-2024")
MAKER, APPROVER = Actor("tanto", "clerk"), Actor("shonin1", "approver")
BUILT, MADE, LEAVES = date(2024, 6, 20), date(2024, 6, 24), date(2024, 6, 26)
SEED = int(os.environ.get("GATE_SEED", "20240624"))
WORLDS, TIMELINES = 6, 5_000
#: 人に起きる出来事と、台帳に起きる出来事。
PERSON = ("死亡", "死亡（税）", "転居", "転出", "改姓", "保護", "名義")
LEDGER = ("辞退", "死亡の申出", "区への辞退", "支払", "枝番", "終わり")
BEFORE, BETWEEN, AFTER = "作る前", "作ってから出すまで", "出した後"


@dataclass
class World:
    """一つの区: 人ごとの出来事と瞬間、権利ごとの台帳の出来事。"""

    home: Home
    folder: Path
    clock: StepClock
    of_person: dict[str, tuple[str, str]]
    left: set[str] = field(default_factory=set)
    taxed: set[str] = field(default_factory=set)
    residents: set[str] = field(default_factory=set)


@pytest.fixture(scope="module")
def approved_ward(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Path:
    """取込から承認までを済ませた、架空の区。"""
    root = tmp_path_factory.mktemp("gate")
    shutil.copytree(sqlite_template, root / "home")
    shutil.copytree(WARD_3K, root / "in", ignore=shutil.ignore_patterns("expected"))
    home, clock = Home.at(root / "home"), StepClock()
    for kind in extracts.KINDS:
        if (root / "in" / f"{kind}.csv").exists():
            extracts.import_file(home, kind, root / "in" / f"{kind}.csv", clock=clock, levy_year=2024)
    for actor in (MAKER, APPROVER):
        with home.ward.begin() as connection:
            people.add(
                connection, ward.staff, ward.audit_log, staff_id=actor.id, name="試験", role=actor.role,
                password="x" * 15, actor=BATCH, at=clock(),
            )  # fmt: skip
    beneficiaries.build(home, PROGRAMME, BUILT, out=root / "build", clock=clock)
    approve_latest(home, clock, APPROVER)
    home.ward.dispose()
    return root


def _told(folder: Path, kind: str, home: Home, clock: StepClock, rows: list[dict[str, str]]) -> None:
    write(folder / f"{kind}.csv", rows, list(rows[0]))
    extracts.import_file(home, kind, folder / f"{kind}.csv", clock=clock, levy_year=2024)


def _happen(world: World, when: str) -> None:
    """この瞬間に分かった、人の出来事を取り込む。"""
    due = {person: what for person, (what, at) in world.of_person.items() if at == when}
    on = (MADE if when == BEFORE else LEAVES).isoformat()
    residents = read(world.folder / "residents.csv")
    for row in residents:
        what = due.get(row["住民番号"])
        if what == "死亡":
            row["消除日"], row["消除事由"] = on, "死亡"
        elif what == "転居":
            row["漢字住所"] += "の7"
        elif what == "転出" and not row["消除日"]:
            row["消除日"], row["消除事由"] = on, "転出"
        elif what == "改姓":
            row["漢字氏名"] = "改姓　" + row["漢字氏名"][-1]
    world.residents = {row["住民番号"] for row in residents}
    world.left = {row["住民番号"] for row in residents if (row["消除日"], row["消除事由"]) == (on, "転出")}
    _told(world.folder, "residents", world.home, world.clock, residents)
    taxes = read(world.folder / "taxes.csv")
    for row in taxes:
        if due.get(row["宛名番号"]) == "死亡（税）":
            row["死亡日"] = on
    world.taxed = {row["宛名番号"] for row in taxes}
    _told(world.folder, "taxes", world.home, world.clock, taxes)
    accounts = read(world.folder / "accounts.csv")
    for row in accounts:
        if due.get(row["宛名番号"]) == "名義":
            row["口座名義カナ"] = "ベツノ　ヒト"
    _told(world.folder, "accounts", world.home, world.clock, accounts)
    protected = read(world.folder / "protected.csv")
    protected += [{"住民番号": person, "区分": "DV"} for person, what in due.items() if what == "保護"]
    _told(world.folder, "protected", world.home, world.clock, protected)


def _in_the_ledger(world: World, events: dict[int, str], rows: dict[int, dict[str, Any]]) -> None:
    """作ってから出すまでに、台帳に起きたこと。"""
    now = world.clock()
    chosen = {what: [number for number, each in events.items() if each == what] for what in LEDGER}
    common = {"asked_by": MAKER.id, "asked_at": now, "reason": "試験"}
    with world.home.ward.begin() as connection:
        counts = [
            c.name for c in ward.desk_handback.c if c.name.startswith(("cases", "events", "contacts", "withdrawn"))
        ]
        connection.execute(
            ward.desk_handback.insert().values(
                sequence=1, programme=PROGRAMME.id, sha256="a" * 64, base_sequence=0, load_sequence=0,
                taken_by=MAKER.id, made_at=now, taken_at=now, **dict.fromkeys(counts, 0),
            )
        )  # fmt: skip
        progress = [(number, "P22", MADE, None) for number in chosen["辞退"]]
        progress += [(number, "P20", None, MADE) for number in chosen["死亡の申出"]]
        connection.execute(
            ward.desk_progress.insert(),
            [
                {
                    "sequence": 1, "case_number": rows[number]["case_number"], "present": True,
                    "branch": rows[number]["branch"], "state": state, "refused_on": refused, "deceased_told_on": dead,
                    "contact_count": 0, "event_count": 0,
                }
                for number, state, refused, dead in progress
            ],
        )  # fmt: skip
        connection.execute(
            ward.ward_reply.insert(),
            [
                {"entitlement_id": number, "branch": rows[number]["branch"], "kind": "辞退", "received_on": MADE,
                 "digest": sha256_of(str(number).encode()), **common}
                for number in chosen["区への辞退"]
            ],
        )  # fmt: skip
        connection.execute(
            ward.planned_file.insert().values(
                id=1, programme=PROGRAMME.id, file_number="1", sha256="b" * 64, row_count=1, total_yen=1,
                judged_on=MADE, rule_version="x", judged_at=now,
            )
        )  # fmt: skip
        account = {"bank_code": "9999", "branch_code": "001", "account_type": "1", "account_number": "9000001"}
        account |= {"holder_kana": "ｼｹﾝ"}
        verdicts, payments = [], []
        for line, number in enumerate(chosen["支払"], 1):
            row = rows[number]
            verdicts.append(
                {"planned_file_id": 1, "line_number": line, "case_number": row["case_number"], "branch": row["branch"],
                 "entitlement_id": number, "amount_yen": row["amount_yen"], "verdict": "支給可", "checks": "",
                 "account_flag": "0", **account}
            )  # fmt: skip
            payments.append(
                {"entitlement_id": number, "slot": row["slot"], "attempt": 1, "planned_file_id": 1,
                 "line_number": line, "amount_yen": row["amount_yen"], "state": "F40", **account}
            )  # fmt: skip
        connection.execute(ward.verdict.insert(), verdicts)
        connection.execute(ward.payment.insert(), payments)
        table = ward.entitlement
        for number in chosen["枝番"]:
            connection.execute(table.update().where(table.c.id == number).values(branch=rows[number]["branch"] + 1))
        for number in chosen["終わり"]:
            made = connection.execute(
                ward.ending.insert().values(entitlement_id=number, kind="辞退", **common)
            ).inserted_primary_key
            connection.execute(
                ward.ending_approval.insert().values(
                    release_id=made[0], asked_by=MAKER.id, approved_by=APPROVER.id, approved_at=now
                )
            )


def _stored(home: Home) -> dict[int, dict[str, Any]]:
    with home.ward.connect() as connection:
        return {row["id"]: dict(row) for row in connection.execute(sa.select(ward.entitlement)).mappings()}


@pytest.fixture
def worlds(approved_ward: Path, tmp_path: Path) -> Iterator[Iterator[World]]:
    made: list[World] = []

    def every() -> Iterator[World]:
        for turn in range(WORLDS):
            shutil.copytree(approved_ward, tmp_path / f"w{turn}")
            root = tmp_path / f"w{turn}"
            made.append(World(Home.at(root / "home"), root / "in", StepClock(), {}))
            yield made[-1]

    yield every()
    for world in made:
        world.home.ward.dispose()


def _draw(world: World, chance: random.Random) -> None:
    """権利のある人（受給者）に、出来事と瞬間を引く。"""
    for payee in sorted({row["payee_number"] for row in _stored(world.home).values()}):
        if chance.random() < 0.5:
            world.of_person[f"{payee:010d}"] = (chance.choice(PERSON), chance.choice((BEFORE, BETWEEN, BETWEEN, AFTER)))


def _make(world: World) -> set[str]:
    """手紙を作って登録する（紙そのものは、ここでは刷らない）。作った給付管理番号。"""
    mailing = who_gets_letters(world.home, PROGRAMME, MADE)
    lots = []
    for place, name in (("printer", "printer"), ("ward", "ward"), ("braille", "ward")):
        numbers = mailing.letters.filter(pl.col("place") == place)["case_number"].to_list()
        if numbers:
            lots.append(MadeLot(name, "push_notice", f"{place}.pdf", sha256_of(place.encode()), numbers, place))
    register_lots(world.home, mailing, lots, {}, issued_on=MADE, clock=world.clock)
    return set(mailing.letters["case_number"])


def test_t14_nothing_leaves_after_a_blocking_event_is_known(worlds: Iterator[World]) -> None:
    print(f"GATE_SEED={SEED}")
    chance = random.Random(SEED)
    timelines, escaped, needless, stopped = 0, [], [], 0
    for world in worlds:
        _draw(world, chance)
        world.clock.now = datetime(MADE.year, MADE.month, MADE.day, tzinfo=UTC)
        _happen(world, BEFORE)
        rows = _stored(world.home)
        made = _make(world)
        world.clock.now = datetime(LEAVES.year, LEAVES.month, LEAVES.day, tzinfo=UTC)
        _happen(world, BETWEEN)
        in_ledger = {
            number: chance.choice(LEDGER)
            for number, row in rows.items()
            if row["case_number"] in made and chance.random() < 0.3
        }
        _in_the_ledger(world, in_ledger, rows)
        with world.home.ward.connect() as connection:
            lots = list(lots_of(connection))
        stale = dict(mailing_release.refuse_stale(world.home, PROGRAMME, lots, LEAVES))
        touched = _near(world)
        for number, row in rows.items():
            timelines += 1
            what, at = world.of_person.get(f"{row['payee_number']:010d}", ("", AFTER))
            if at == BEFORE and what in {"死亡", "死亡（税）"} and row["case_number"] in made:
                escaped.append(("作る前", what))
            if row["case_number"] not in made:
                continue
            blocked = number in in_ledger or (at == BETWEEN and _blocks(world, what, row))
            if blocked and row["case_number"] not in stale:
                escaped.append((in_ledger.get(number, what), at))
            if not blocked and row["case_number"] in stale and not touched & _people_of(row):
                needless.append((what, at, stale[row["case_number"]]))
            stopped += row["case_number"] in stale
    assert escaped == []
    assert needless == []
    assert timelines >= TIMELINES
    assert stopped > 500


def _blocks(world: World, what: str, row: dict[str, Any]) -> bool:
    """この出来事は、この人の手紙を必ず止めるか（転出はまだいた人だけ、死亡（税）は税の行のある人だけ）。"""
    payee = f"{row['payee_number']:010d}"
    if what == "名義":
        return False  # 前から口座のない人、名義の合わない人には、何も起きない
    if what == "保護":
        return bool(row["route"] != "WARD")
    if what == "転出":
        return payee in world.left
    return payee in (world.taxed if what == "死亡（税）" else world.residents)


def _near(world: World) -> set[int]:
    """作ってから出すまでに出来事のあった人と、その世帯の人と、扶養している人。巻き添えで止まってよい。"""
    happened = {int(person) for person, (_, at) in world.of_person.items() if at == BETWEEN}
    residents = read(world.folder / "residents.csv")
    homes = {row["世帯番号"] for row in residents if int(row["住民番号"]) in happened}
    near = {int(row["住民番号"]) for row in residents if row["世帯番号"] in homes} | happened
    supported = {int(row["宛名番号"]) for row in read(world.folder / "taxes.csv")
                 if row["扶養者宛名番号"].isdigit() and int(row["扶養者宛名番号"]) in near}  # fmt: skip
    return near | supported


def _people_of(row: dict[str, Any]) -> set[int]:
    return {row["payee_number"], row["subject_number"]}
