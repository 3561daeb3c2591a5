"""T11: 保護された人の字だけを変えて、一年を二度通す。外へ出る一バイトも、電話の画面の一字も、変わらない（reliability P13）。

比べるもの: 委託先への受渡、委託先の支給予定情報と進捗情報、印刷へ渡す手紙、給付管理システムの台帳の件と、
その画面と API の答え（保護された人の番号で調べた答えは、誰のものでもない番号の答えに等しい）。
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from api import session as sessions
from api.desk.app import create_app
from batch.world import make_ward
from benefit.domain.access import BATCH, Actor
from benefit.domain.call import PROGRESS
from benefit.services import desk_calls, desk_handback, desk_identity, desk_view
from benefit.services.home import Home
from benefit.store import desk, ward
from tests.conftest import StepClock
from tests.support.people import enrol
from tests.support.worlds import Row, live, rewrite

HIDDEN = int(os.environ.get("T11_PEOPLE", "200"))
RESIDENTS = 7 * HIDDEN // 2
SEED = int(os.environ.get("T11_SEED", "11"))
CHILD = "児童施設"


@dataclass
class Two:
    """同じ区の、保護された人の字だけが違う二つ。`hidden` は保護された人の番号。"""

    one: Home
    other: Home
    hidden: set[str]

    @property
    def both(self) -> tuple[Home, Home]:
        return self.one, self.other


def hide(folder: Path, chance: random.Random) -> set[str]:
    """この区の 200 人を、保護された人に足す。その世帯の全員の番号も要るので、番号だけを返す。"""
    people: list[str] = []
    rewrite(folder / "residents.csv", lambda row: people.append(row["住民番号"]))
    chosen = set(chance.sample(sorted(set(people)), HIDDEN))
    kinds: list[str] = []

    def known(row: Row) -> None:
        chosen.add(row["住民番号"])
        kinds.append(row["区分"])

    rewrite(folder / "protected.csv", known)
    lines = [f"{number},{chance.choice(sorted(set(kinds)))}" for number in sorted(chosen)]
    (folder / "protected.csv").write_text("住民番号,区分\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return chosen


def disguise(folder: Path, hidden: set[str], chance: random.Random) -> None:
    """保護された人の氏名・住所・口座・区分を、別のものにする。

    払えるかどうかは変えない（児童施設かどうか、名義と合うカナ）: 変えると、振込の列の長さが変わり、デモの銀行が
    不能にする行が、ほかの人に移る。それは区の外に漏れたことにはならない。
    """

    def resident(row: Row) -> None:
        if row["住民番号"] in hidden:
            mark = f"{chance.randrange(10**6):06d}"
            row["漢字氏名"] = f"隠山　{chance.choice('春夏秋冬')}子"
            row["漢字住所"], row["漢字方書"] = f"東京都新宿区北新宿{int(mark) % 4 + 1}番{int(mark) % 97 + 1}号", mark
            row["郵便番号"] = "1690074"

    def account(row: Row) -> None:
        if row["宛名番号"] in hidden:
            row["口座番号"] = f"9{chance.randrange(10**6):06d}"

    kinds = sorted({line.split(",")[1] for line in (folder / "protected.csv").read_text().split()[1:]} - {CHILD})

    def protected(row: Row) -> None:
        if row["区分"] != CHILD:
            row["区分"] = kinds[(kinds.index(row["区分"]) + 1) % len(kinds)]

    rewrite(folder / "residents.csv", resident)
    rewrite(folder / "accounts.csv", account)
    rewrite(folder / "protected.csv", protected)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    print(f"T11_SEED={SEED}")
    chance = random.Random(SEED)
    place = tmp_path_factory.mktemp("hidden")
    make_ward(place / "one", residents=RESIDENTS, seed=SEED)
    hidden = hide(place / "one", chance)
    shutil.copytree(place / "one", place / "other")
    disguise(place / "other", hidden, chance)
    one, other = Home.at(place / "home-1"), Home.at(place / "home-2")
    live(one, place / "one", seed=SEED)
    # 番号も抜取りも、鍵から決まる。鍵は同じで、保護された人の字だけが違う。
    shutil.copytree(one.path / "keys", other.path / "keys")
    live(other, place / "other", seed=SEED)
    for home in (one, other):
        desk_handback.make(home, "r6-2024", out=home.path / "demo" / "handback", actor=BATCH, clock=StepClock())
    yield Two(one, other, hidden)
    for home in (one, other):
        home.ward.dispose()
        home.desk.dispose()


def outside(home: Home) -> dict[str, bytes]:
    """委託先と印刷へ行く（と、委託先から来る）ファイルの全部。銀行へ行くものと、区で刷るものは除く。"""
    demo = home.path / "demo"
    chosen = [*demo.glob("payees-*"), *demo.glob("planned-*"), demo / "handback", demo / "letters" / "printer"]
    files = [path for folder in chosen for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(demo)): path.read_bytes() for path in files}


def ward_numbers(home: Home) -> list[str]:
    """区だけが知る件の番号。"""
    table = ward.entitlement
    with home.ward.connect() as connection:
        query = sa.select(table.c.case_number).where(table.c.route == "WARD").order_by(table.c.case_number)
        return list(connection.execute(query).scalars())


def test_the_disguise_really_reached_the_ward_and_its_own_paper(two: Two) -> None:
    # 比べて同じだったことに意味があるように: 区の中では、たしかに違っている。
    one, other = (ward_numbers(home) for home in two.both)
    assert one == other
    assert len(one) > HIDDEN / 10
    inside = [(home.path / "demo" / "letters" / "ward").rglob("*") for home in two.both]
    one_paper, other_paper = ({path.name: path.read_bytes() for path in paths if path.is_file()} for paths in inside)
    assert one_paper != other_paper


def test_every_byte_that_leaves_for_the_contractor_and_the_printer_is_equal(two: Two) -> None:
    one, other = outside(two.one), outside(two.other)
    assert {name.split("/")[0].split("-")[0] for name in one} == {"payees", "planned", "handback", "letters"}
    assert one.keys() == other.keys()
    assert [name for name in one if one[name] != other[name]] == []


def test_the_desk_knows_the_same_people_and_none_of_the_hidden(two: Two) -> None:
    seen = []
    for home in two.both:
        with home.desk.connect() as connection:
            rows = connection.execute(desk.benefit_case.select().order_by(desk.benefit_case.c.case_number))
            seen.append([tuple(row) for row in rows])
    assert seen[0] == seen[1]
    assert not two.hidden & {row[desk.benefit_case.c.keys().index("person_number")] for row in seen[0]}
    assert len(seen[0]) > HIDDEN / 10


def operator(home: Home, clock: StepClock) -> tuple[Actor, str]:
    """入っているコールセンターの人（最初の手続きは済んでいる）と、その合い札。"""
    with home.desk.connect() as connection:
        query = sa.select(desk.staff.c.id).where(desk.staff.c.role == "operator").order_by(desk.staff.c.id)
        actor = Actor(connection.execute(query).scalars().first() or "", "operator")
    assert enrol(home, "desk", actor.id, clock())
    return actor, sessions.start(home.desk, desk, actor, clock)


def test_every_case_says_the_same_on_the_telephone(two: Two) -> None:
    # 全部の件の、本人確認の済んだ電話で見える中身。
    told = []
    for home in two.both:
        clock = StepClock()
        actor, _ = operator(home, clock)
        with home.desk.connect() as connection:
            numbers = sorted(connection.execute(sa.select(desk.benefit_case.c.case_number)).scalars())
            desk_calls.begin(connection, reference="T-11", purpose=PROGRESS, actor=actor, at=clock())
            views = []
            for number in numbers:
                call = desk_calls.needed(connection, actor)
                desk_identity.open_case(
                    connection, number, proved={"number", "birth", "name"}, call=call, actor=actor, at=clock()
                )
                opened = desk_calls.needed(connection, actor)
                standing = desk_identity.standing(connection, opened)
                views.append(desk_view.look(connection, call=opened, standing=standing, actor=actor, at=clock()))
            connection.rollback()
        told.append(views)
    assert told[0] == told[1]
    assert None not in told[0]


def test_a_hidden_number_is_answered_as_a_number_that_is_nobodys(two: Two) -> None:
    answers = set()
    for home in two.both:
        clock = StepClock()
        _, token = operator(home, clock)
        headers = {"Authorization": f"Bearer {token}"}
        hidden = ward_numbers(home)[:10]
        nobody = [number[:5] + str((int(number[5]) + 1) % 10) + number[6:] for number in hidden]
        with TestClient(create_app(home.desk, keys=home.key, clock=clock), base_url="https://testserver") as client:
            call = {"reference": "T-11", "purpose": PROGRESS}
            begun = client.post("/api/v1/calls", json=call, headers={**headers, "Idempotency-Key": "T11-begin"})
            assert begun.status_code == 200, begun.text
            for number in (*hidden, *nobody):
                answer = client.post("/api/v1/search", json={"case_number": number}, headers=headers)
                answers.add((answer.status_code, answer.content, tuple(sorted(answer.headers.items()))))
    assert len(answers) == 1
