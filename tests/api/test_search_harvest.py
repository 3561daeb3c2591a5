"""検索で住民を集められないこと（P19・T19）。許された速さの全部で一月試す人と、隠れた人を見つけようとする人。"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from httpx2 import Response
from sqlalchemy import Engine, event

from benefit.domain.access import Actor
from benefit.domain.entitlement import case_number_for, check_digit, is_case_number
from benefit.domain.errors import RefusedInput
from benefit.domain.typed import Keys, read_keys
from benefit.services import desk_calls, look_up_limits
from benefit.services.desk_lookup import ASK_WARD, Found, search
from benefit.services.home import Home
from benefit.store import desk
from tests.api import phone
from tests.api.conftest import Desk, audit_rows, in_days, number_of
from tests.conftest import StepClock

SEED = int(os.environ.get("HARVEST_SEED", "20240603"))
#: 同じ時に生きている番号（資料の全部の給付で約五万件）。
LIVE = 50_000
#: 一人が一月に働く時間。
MONTH_HOURS = 21 * 8
SLOTS = 4_000
KEY = bytes(range(32))


@pytest.fixture(scope="module")
def issued() -> set[str]:
    """本物の作り方で作った番号。"""
    return {case_number_for(f"r6-2024/HH100K/{place:09d}", KEY) for place in range(SLOTS)}


def valid(body: int) -> str:
    text = f"{body % 10**10:010d}"
    return text + check_digit(text)


STRATEGIES: dict[str, Callable[[random.Random, list[str]], str]] = {
    "でたらめ": lambda draw, _known: valid(draw.randrange(10**10)),
    "知っている番号の隣": lambda draw, known: valid(int(draw.choice(known)[:10]) + draw.randint(-50, 50)),
    "二つの間": lambda draw, known: valid((int(draw.choice(known)[:10]) + int(draw.choice(known)[:10])) // 2),
    "差を足す": lambda draw, known: valid(2 * int(draw.choice(known)[:10]) - int(draw.choice(known)[:10])),
    "一桁違い": lambda draw, known: valid(int(draw.choice(known)[:10]) + 10 ** draw.randrange(10)),
}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_knowing_a_hundred_numbers_helps_nobody_to_the_next_one(issued: set[str], strategy: str) -> None:
    print(f"種 {SEED}")
    draw = random.Random(f"{SEED}/{strategy}")
    known = draw.sample(sorted(issued), 100)
    rest = issued - set(known)
    tries = (look_up_limits.HARD - 1) * MONTH_HOURS
    hits = sum(STRATEGIES[strategy](draw, known) in rest for _ in range(tries))
    # 四千件のうち一件でも当たれば、番号に並びがある（でたらめなら、一月に 0.004 件）。
    assert hits == 0, f"{tries} 回で {hits} 件"


def test_guessing_at_full_speed_finds_less_than_one_in_three_thousand_hours(issued: set[str]) -> None:
    bodies = 10**10
    assert all(len(number) == 11 and is_case_number(number) for number in issued)
    an_hour = look_up_limits.HARD * LIVE / bodies
    print(f"当たりの見込み: {1 / an_hour:,.0f} 操作時間に一件、一月に {an_hour * MONTH_HOURS:.4f} 件")
    assert 1 / an_hour >= 3_000
    # 番号は全体に散っている: 先頭の桁のどれにも、十分の一ずつ。
    first = [sum(number[0] == digit for number in issued) for digit in "0123456789"]
    assert min(first) > 0.7 * len(issued) / 10


def look(home: Home, keys: Keys, actor: Actor, clock: StepClock) -> Found:
    with home.desk.begin() as connection:
        call = desk_calls.current(connection, actor) or desk_calls.begin(
            connection, reference="T", purpose=phone.PROGRESS, actor=actor, at=clock()
        )
        return search(connection, keys, call=call, actor=actor, at=clock())


def test_a_month_at_full_speed_ends_in_the_first_hour(desk_system: Desk) -> None:
    """止まらずに打ち続ける人は、最初の一時間の 60 件だけ。入り直しても、日が変わっても、止まったまま。"""
    home, clock, actor = desk_system.home, desk_system.clock, Actor("operator1", "operator")
    draw = random.Random(SEED)
    done = refused = 0
    for second in range(MONTH_HOURS):
        if second < 70:
            in_days(clock, seconds=20)
        else:
            in_days(clock, hours=4)
        if second % 40 == 0:
            desk_system.token()  # 新しい合い札
        try:
            assert not look(home, Keys(case_number=valid(draw.randrange(10**10))), actor, clock).hits
            done += 1
        except look_up_limits.LookUpStopped:
            refused += 1
    assert (done, refused) == (look_up_limits.HARD, MONTH_HOURS - look_up_limits.HARD)
    with home.desk.connect() as connection:
        assert len(connection.execute(desk.access.look_up_stop.select()).all()) == 1
        assert len(connection.execute(desk.access.look_up_alarm.select()).all()) == 1
    # ほかの人は、調べられる。
    assert look(home, Keys(case_number=number_of(200)), Actor("supervisor1", "supervisor"), clock).hits


def test_the_stop_says_why_and_who_releases_it_on_the_screen_and_in_the_api(desk_system: Desk) -> None:
    csrf = desk_system.login()
    with desk_system.home.desk.begin() as connection:
        rows = [{"staff_id": "operator1", "at": desk_system.clock()} for _ in range(look_up_limits.HARD - 1)]
        connection.execute(desk.access.look_up.insert(), rows)
    last = phone.search(desk_system, csrf, number_of(200))
    assert "タ○サ○" in last.text
    page = phone.search(desk_system, csrf, number_of(3))
    assert page.status_code == 429
    for word in ("60 件", "管理者", "区の職員", "区へおつなぎします"):
        assert word in page.text
    headers = desk_system.token()
    phone.begin(desk_system, headers)
    answer = desk_system.client.post("/api/v1/search", json={"case_number": number_of(3)}, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (429, "application/problem+json")


WILD = (
    "%",
    "_",
    "*",
    "?",
    ".*",
    "％",
    "＿",
    "＊",
    "[ア-ン]",
    "' OR '1'='1",
    '" OR 1=1 --',
    "\\",
    "タカ%",
    "タカサキ　キ__",
    "^タ",
    "タカサキ　キヨシ' --",
)


@pytest.mark.parametrize("home", ["sqlite"], indirect=True)
def test_no_field_takes_a_wildcard_and_no_route_lists_people(desk_system: Desk) -> None:
    actor = Actor("supervisor1", "supervisor")
    for wild in WILD:
        for given in (
            {"words": f"{wild} 1950-11-12"},
            {"kana_name": wild, "birth": "1950-11-12"},
            {"case_number": wild},
        ):
            try:
                keys = read_keys(**given)
            except RefusedInput:  # 断られたなら、当たりようがない
                continue
            # 印を捨てた残りが、ちょうど本人の名であることはある。ほかの人は、一人も当たらない。
            in_days(desk_system.clock, hours=2)
            found = look(desk_system.home, keys, actor, desk_system.clock)
            assert {hit.case_number for hit in found.hits} <= {number_of(200)}, given
            assert not found.hits or "タカサキ　キヨシ" in given.get("kana_name", given.get("words", ""))
    for day in ("1950-11-%", "1950-__-12", "1950-11-1*", "%"):
        with pytest.raises(RefusedInput, match="生年月日"):
            read_keys(kana_name="タカサキ　キヨシ", birth=day)
    lists = [
        path
        for path, methods in desk_system.client.get("/openapi.json").json()["paths"].items()
        for method in methods.values()
        if any(word in str(method.get("parameters", "")) for word in ("page", "offset", "limit", "sort"))
        and ("case" in path or "search" in path)
    ]
    assert lists == []


@contextmanager
def statements(engine: Engine) -> Iterator[list[str]]:
    """この間に実行された文（中の値は除く）。"""
    seen: list[str] = []

    def note(_c: object, _cur: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


def seconds(ask: Callable[[str, str], Response], number: str, name: str) -> float:
    """働いた時間（待たされた時間は、隣の試験で揺れる）。"""
    begun = time.process_time()
    ask(number, name)
    return time.process_time() - begun


def test_a_hidden_person_and_nobody_get_the_same_body_length_and_statements(desk_system: Desk) -> None:
    """区だけが知る人（番号も氏名も本物）、引き上げられた人、どこにもいない番号。"""
    withdrawn, ward_only, nobody = number_of(200), valid(7_777_777_777), valid(8_888_888_888)
    with desk_system.home.desk.begin() as connection:
        gone = {"programme": "r6-2024", "load_sequence": 1, "deleted_at": desk_system.clock()}
        rows = dict.fromkeys(("row_count", "rows_added", "rows_changed", "rows_withdrawn"), 0)
        load = {"programme": "r6-2024", "sha256": "0" * 64, "sequence": 1, "loaded_at": desk_system.clock(), **rows}
        connection.execute(desk.load.insert().values(**load))
        connection.execute(desk.withdrawal.insert().values(case_number=withdrawn, **gone))
        connection.execute(desk.benefit_case.delete().where(desk.benefit_case.c.case_number == withdrawn))
    csrf = desk_system.login()
    phone.search(desk_system, csrf, number_of(9_000))
    headers = desk_system.token("supervisor1")
    phone.begin(desk_system, headers)
    desk_system.client.app.state.clock = lambda fixed=desk_system.clock(): fixed  # type: ignore[attr-defined]
    client = desk_system.client
    ways: dict[str, Callable[[str, str], Response]] = {
        "画面": lambda number, _: phone.search(desk_system, csrf, number),
        "画面の氏名": lambda _, name: phone.search(desk_system, csrf, f"{name} 1950-11-12"),
        "API": lambda number, _: client.post("/api/v1/search", json={"case_number": number}, headers=headers),
    }
    # 字の数も同じ氏名にして、長さをそのまま比べる。
    persons = {withdrawn: "タカサキ　キヨシ", ward_only: "トビタマ　ユリコ", nobody: "ナナシノ　ゴンベ"}
    for way, ask in ways.items():
        bodies, lengths, ran, spent = set(), set(), set(), []
        for number, name in persons.items():
            spent.append(min(seconds(ask, number, name) for _ in range(3)))
            with statements(desk_system.home.desk) as seen:
                answer = ask(number, name)
            assert answer.status_code == 200
            assert ASK_WARD in answer.text
            bodies.add(answer.text.replace(number, "番号").replace(name, "氏名"))
            lengths.add(len(answer.content))
            ran.add(tuple(seen))
        assert (len(bodies), len(lengths), len(ran)) == (1, 1, 1), way
        print(f"{way}: 文 {len(ran.pop())} 個、時間の比 {max(spent) / min(spent):.2f}")


def test_an_open_case_that_is_withdrawn_falls_silent_in_the_middle_of_the_call(desk_system: Desk) -> None:
    headers = desk_system.token()
    phone.opened(desk_system, headers)
    assert desk_system.client.get("/api/v1/case", headers=headers).status_code == 200
    writing = phone.of_case(desk_system, headers)
    with desk_system.home.desk.begin() as connection:
        table = desk.benefit_case
        connection.execute(table.delete().where(table.c.case_number == number_of(200)))
    for path in ("/api/v1/case", "/api/v1/case/account"):
        answer = (
            desk_system.client.get(path, headers=headers)
            if path.endswith("case")
            else desk_system.client.post(path, json={"reason": "わけ"}, headers=writing)
        )
        assert answer.status_code in {400, 404}
        assert "区で確認します" in answer.text
        assert "髙﨑" not in answer.text


def test_the_limit_is_of_the_person_and_the_hour_not_of_the_session(desk_system: Desk) -> None:
    home, clock, actor = desk_system.home, desk_system.clock, Actor("operator1", "operator")
    with home.desk.begin() as connection:
        before = clock() - timedelta(hours=1, minutes=1)
        rows = [{"staff_id": "operator1", "at": before} for _ in range(100)]
        rows += [{"staff_id": "operator1", "at": clock()} for _ in range(look_up_limits.HARD - 2)]
        connection.execute(desk.access.look_up.insert(), rows)
    for terminal in ("a", "b"):
        desk_system.token()
        look(home, Keys(case_number=valid(1)), Actor("operator1", "operator", terminal), clock)
    with pytest.raises(look_up_limits.LookUpStopped):
        look(home, Keys(case_number=valid(1)), actor, clock)


@pytest.mark.parametrize("home", ["sqlite"], indirect=True)
def test_numbers_guessed_at_the_counter_stop_like_numbers_guessed_on_the_phone(desk_system: Desk) -> None:
    """収受・返戻・審査・取消の道に番号を打っても、検索の上限を抜けられない。"""
    draw = random.Random(SEED)
    guesses = [valid(draw.randrange(10**10)) for _ in range(200)]
    headers, client = desk_system.token("counter1"), desk_system.client
    form = {"kind": "confirmation", "received_on": "2024-06-20"}
    one = client.post(
        "/api/v1/received-forms", json={**form, "case_number": guesses[0]}, headers=phone.written(headers)
    )
    assert one.status_code == 400
    many = {**form, "case_numbers": guesses}
    asked = client.post("/api/v1/received-forms/list", json=many, headers=phone.written(headers))
    assert asked.status_code == 429
    # 止まったら、あるともないとも言わない。
    for number in (guesses[3], number_of(3)):
        again = client.post(
            "/api/v1/received-forms", json={**form, "case_number": number}, headers=phone.written(headers)
        )
        assert (again.status_code, number in again.text) == (429, False)
    with desk_system.home.desk.connect() as connection:
        (stop,) = connection.execute(desk.access.look_up_stop.select()).mappings().all()
        counted = connection.execute(desk.access.look_up.select()).mappings().all()
        assert connection.execute(desk.received_form.select()).all() == []
    assert (stop["staff_id"], len(counted)) == ("counter1", look_up_limits.HARD)
    assert len(audit_rows(desk_system.home, "number.unknown")) == 2


@pytest.mark.parametrize("home", ["sqlite"], indirect=True)
def test_a_number_guessed_on_any_screen_is_counted(desk_system: Desk) -> None:
    number, client, csrf = valid(1234567890), desk_system.client, desk_system.login("supervisor1")
    papers = ("/intake/scan", "/intake/returned/scan", "/review/open", "/deficiencies/open", "/deficiencies/correction")
    for done, path in enumerate((*papers, "/supervisor/step", "/supervisor/undo"), 1):
        form = {"csrf": csrf, "operation": phone.key(), "case_number": number, "received_on": "2024-06-20"}
        client.post(path, data={**form, "returned_on": "2024-06-20", "reason": "unknown_address"})
        with desk_system.home.desk.connect() as connection:
            assert len(connection.execute(desk.access.look_up.select()).all()) == done, path
