"""受渡管理簿: 決めた順にしか進まず、出庫と合言葉は別の人で、消去報告書が届くまで終わらない（checklist 5）。"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from benefit.domain.access import BATCH, Actor
from benefit.domain.clock import tokyo_date
from benefit.domain.errors import BenefitError, RefusedByRule, WrongUse
from benefit.domain.handover_states import (
    CANCELLED,
    ERASED,
    GIVEN_BACK,
    ISSUED,
    MADE,
    PRINT_OUT,
    RECEIVED,
    REPORTED,
    STEPS,
    USED,
    transitions,
)
from benefit.services import (
    handover_book,
    handover_book_files,
    handover_book_passphrase,
    handover_book_sheet,
    log_detectors,
    log_frames,
    people,
)
from benefit.services.handover_book import Entry, Item
from benefit.services.home import Home
from benefit.store import ward
from benefit.store.bulk import insert_one
from tests.conftest import StepClock
from tests.services.conftest import refused_by_the_store

MAKER, ISSUER, OTHER = Actor("tanto", "clerk"), Actor("shonin1", "approver"), Actor("shonin2", "approver")
INSIDE = "b" * 64


def staffed(home: Home, clock: StepClock) -> None:
    for actor in (MAKER, ISSUER, OTHER):
        with home.ward.begin() as connection:
            people.add(
                connection, ward.staff, ward.audit_log, staff_id=actor.id, name="試験", role=actor.role,
                password="x" * 15, actor=BATCH, at=clock(),
            )  # fmt: skip


def made(
    home: Home, clock: StepClock, crossing: str = PRINT_OUT, *, passphrase: str = "", report_days: int = 30
) -> str:
    """受渡を一つ（包みなら、封をした合言葉とともに）。"""
    with home.ward.begin() as connection:
        table = ward.handover
        query = sa.select(sa.func.max(table.c.sequence)).where(table.c.crossing == crossing)
        sequence = (connection.execute(query).scalar() or 0) + 1
        name = f"{crossing}/{sequence}"
        number = insert_one(
            connection, table, crossing=crossing, counterpart="株式会社架空印刷", folder=f"print-{sequence:04d}",
            sequence=sequence, sha256="a" * 64, row_count=1234, actor=MAKER.id, at=clock(),
        )  # fmt: skip
        if crossing == PRINT_OUT:
            insert_one(
                connection, ward.handover_package, handover_id=number, programme="r6-2024", title="確認書の印刷",
                content="支給要件確認書 1,234 通", sheet_count=2468, inside_sha256=INSIDE, manifest="{}",
                sealed=handover_book_passphrase.seal(home, name, INSIDE, passphrase or "aaaa-bbbb"), report_days=report_days,
            )  # fmt: skip
    return name


def entry(clock: StepClock, **changes: Any) -> Entry:
    given: dict[str, Any] = {"done_on": tokyo_date(clock.now), "handler": "甲野", "note": "第 1 号"}
    return Entry(**given | changes)


def carried(clock: StepClock, **changes: Any) -> Entry:
    """手で運ぶ媒体の出庫。"""
    given = {"medium": "DVD-R", "quantity": 2, "companion": "乙山", "locked_bag": True}
    return entry(clock, **given | changes)


def walk(home: Home, name: str, clock: StepClock, *path: str) -> Item:
    """順に歩む。出庫は別の人がする。"""
    for step in path:
        given = carried(clock) if step == ISSUED else entry(clock)
        actor = ISSUER if step == ISSUED else MAKER
        handover_book.record(home, name, step, given, actor=actor, clock=clock)
    return handover_book.item(home, name, tokyo_date(clock.now))


def paths(crossing: str) -> dict[str, tuple[str, ...]]:
    """作成から、どの状態へも行ける一番短い道。"""
    found: dict[str, tuple[str, ...]] = {MADE: ()}
    waiting = [MADE]
    while waiting:
        state = waiting.pop(0)
        for before, step in sorted(transitions(crossing)):
            if before == state and step not in found:
                found[step] = (*found[state], step)
                waiting.append(step)
    return found


def forged(connection: sa.Connection, found: Item, **changes: Any) -> sa.Executable:
    """次の歩みの行。`changes` で偽る。"""
    first = found.events[0] if found.events else None
    values: dict[str, Any] = {
        "handover_id": found.id, "place": len(found.events) + 1, "previous": len(found.events) or None,
        "crossing": found.crossing, "made_by": found.made_by, "state": found.state, "step": RECEIVED,
        "medium": first.medium if first else "DVD-R", "quantity": first.quantity if first else 2,
        "done_on": found.today, "handler": "甲野", "companion": "乙山", "locked_bag": True, "note": "",
        "recorded_by": ISSUER.id, "at": found.made_at,
    }  # fmt: skip
    return ward.handover_event.insert().values(**values | changes)


@contextmanager
def refuses(code: str) -> Iterator[None]:
    with pytest.raises(BenefitError) as refused:
        yield
    assert refused.value.code == code


def test_every_step_that_is_not_in_the_table_is_refused_by_the_service_and_by_the_store(
    home: Home, clock: StepClock
) -> None:
    staffed(home, clock)
    refused = 0
    for crossing in (PRINT_OUT, "payees_out"):
        reached = paths(crossing)
        assert set(reached) == {MADE, *STEPS}
        for state, path in reached.items():
            found = walk(home, made(home, clock, crossing), clock, *path)
            assert found.state == state
            for step in STEPS:
                if (state, step) in transitions(crossing):
                    continue
                given = carried(clock) if step == ISSUED and not path else entry(clock)
                with refuses("handover-step"):
                    handover_book.record(home, found.name, step, given, actor=ISSUER, clock=clock)
                # 台帳にじかに書いても: いまの状態から、または、状態を偽って。
                lies = sorted(before for before, after in transitions(crossing) if after == step)
                with home.ward.connect() as connection:
                    for lie in [state, *lies]:
                        assert refused_by_the_store(connection, forged(connection, found, state=lie, step=step))
                        refused += 1
            assert handover_book.item(home, found.name, found.today).state == state
    assert refused > 150


def test_the_store_knows_the_maker_the_pieces_and_each_step_only_once(home: Home, clock: StepClock) -> None:
    staffed(home, clock)
    fresh = walk(home, made(home, clock), clock)
    given = walk(home, made(home, clock), clock, ISSUED, RECEIVED)
    lies: list[tuple[Item, dict[str, Any]]] = [
        (fresh, {"step": ISSUED, "recorded_by": MAKER.id}),
        # 作った人を偽っても、受渡の行と合わない。
        (fresh, {"step": ISSUED, "recorded_by": MAKER.id, "made_by": OTHER.id}),
        # 包みでないことにして、出庫を飛ばす。
        (fresh, {"step": RECEIVED, "crossing": "payees_out"}),
        (fresh, {"step": ISSUED, "locked_bag": False}),
        (fresh, {"step": ISSUED, "companion": ""}),
        (fresh, {"step": ISSUED, "medium": "メール"}),
        (fresh, {"step": ISSUED, "quantity": 0}),
        (fresh, {"step": ISSUED, "handler": ""}),
        (given, {"step": USED, "quantity": 1}),
        (given, {"step": USED, "medium": "LGWAN"}),
        (given, {"step": USED, "place": 5}),
        (given, {"step": USED, "previous": None}),
        (given, {"step": USED, "previous": 1}),
    ]
    with home.ward.connect() as connection:
        for found, lie in lies:
            assert refused_by_the_store(connection, forged(connection, found, **lie)), lie
        # 偽らなければ通る（断っているのは、偽りである）。
        assert not refused_by_the_store(connection, forged(connection, fresh, step=ISSUED))
        assert not refused_by_the_store(connection, forged(connection, given, step=USED))
        connection.rollback()
        for deed in ("UPDATE handover_event SET note = '直した'", "DELETE FROM handover_event"):
            assert refused_by_the_store(connection, sa.text(deed)), deed


def test_what_the_clerk_gets_wrong_is_said_in_words(home: Home, clock: StepClock) -> None:
    staffed(home, clock)
    name = made(home, clock)
    wrong: list[tuple[str, Entry, Actor, str]] = [
        ("two-people", carried(clock), MAKER, ISSUED),
        ("two-carriers", carried(clock, companion=" "), ISSUER, ISSUED),
        ("two-carriers", carried(clock, locked_bag=False), ISSUER, ISSUED),
        ("medium", carried(clock, medium="FAX"), ISSUER, ISSUED),
        ("quantity", carried(clock, quantity=0), ISSUER, ISSUED),
        ("handler", carried(clock, handler="　"), ISSUER, ISSUED),
        ("done-on", carried(clock, done_on=date(2024, 6, 21)), ISSUER, ISSUED),
        ("done-on", carried(clock, done_on=date(2024, 6, 19)), ISSUER, ISSUED),
        ("reason", entry(clock, note=" "), ISSUER, CANCELLED),
        ("no-such", carried(clock), ISSUER, ISSUED),
        ("role", carried(clock), Actor("shonin1", "auditor"), ISSUED),
        ("role", carried(clock), Actor("shonin1", "admin"), ISSUED),
    ]
    for code, given, actor, step in wrong:
        with refuses(code):
            handover_book.record(home, "print_out/9" if code == "no-such" else name, step, given, actor=actor,
                                 clock=clock)  # fmt: skip
    # 回線で渡すものに、かばんは要らない。
    line = carried(clock, medium="LGWAN", quantity=1, companion="", locked_bag=False)
    handover_book.record(home, name, ISSUED, line, actor=ISSUER, clock=clock)
    with refuses("quantity"):
        handover_book.record(home, name, RECEIVED, entry(clock, quantity=2), actor=MAKER, clock=clock)
    assert handover_book.item(home, name, date(2024, 6, 20)).state == ISSUED


def test_the_passphrase_comes_only_after_receipt_from_another_person_and_is_nowhere_else(
    home: Home, clock: StepClock, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    staffed(home, clock)
    secret = handover_book_passphrase.new_passphrase()
    name = made(home, clock, passphrase=secret)
    reached = {state: path for state, path in paths(PRINT_OUT).items() if state not in {CANCELLED}}

    def ask(which: str, actor: Actor = OTHER, to: str = "印刷 太郎") -> str:
        return handover_book_passphrase.tell(home, which, told_to=to, actor=actor, clock=clock)

    for step in (None, ISSUED):
        if step:
            walk(home, name, clock, step)
        with refuses("not-received"):
            ask(name)
    walk(home, name, clock, RECEIVED)
    with refuses("two-people"):
        ask(name, ISSUER)
    with refuses("role"):
        ask(name, Actor(OTHER.id, "auditor"))
    with refuses("told-to"):
        ask(name, to=" ")
    assert ask(name) == secret
    assert ask(name, MAKER) == secret
    walk(home, name, clock, USED)
    assert ask(name) == secret
    for state in (GIVEN_BACK, ERASED, REPORTED):
        walk(home, name, clock, state)
        with refuses("not-received"):
            ask(name)
    with refuses("no-passphrase"):
        ask(made(home, clock, "payees_out"))
    with home.ward.connect() as connection:
        # 台帳も、受領のない受渡と、出庫した人には書かせない。
        early = walk(home, made(home, clock), clock, ISSUED)
        ready = walk(home, made(home, clock), clock, *reached[RECEIVED])
        row: dict[str, Any] = {
            "handover_id": ready.id, "received_step": RECEIVED, "issued_step": ISSUED, "issued_by": ISSUER.id,
            "told_by": OTHER.id, "told_to": "印刷", "at": clock.now,
        }  # fmt: skip
        table = ward.handover_passphrase
        for lie in (
            {"handover_id": early.id}, {"received_step": ISSUED}, {"told_by": ISSUER.id},
            {"told_by": ISSUER.id, "issued_by": MAKER.id},
        ):  # fmt: skip
            assert refused_by_the_store(connection, table.insert().values(**row | lie)), lie
        assert not refused_by_the_store(connection, table.insert().values(**row))
        connection.rollback()
        told = (
            connection.execute(sa.select(ward.audit_log).where(ward.audit_log.c.action == "handover.passphrase"))
            .mappings()
            .all()
        )
        assert [(one["actor"], one["subject"], one["reason"]) for one in told] == [
            (actor, name, "印刷 太郎") for actor in (OTHER.id, MAKER.id, OTHER.id)
        ]
        everything = "".join(
            str(tuple(row)) for one in ward.metadata.sorted_tables for row in connection.execute(one.select())
        )
    heard = capsys.readouterr()
    for place in (everything, caplog.text, heard.out, heard.err):
        assert secret not in place
        assert secret.replace("-", "") not in place


def test_a_seal_opens_only_for_its_own_package_and_key(home: Home, clock: StepClock) -> None:
    staffed(home, clock)
    one, two = made(home, clock, passphrase="aaaa"), made(home, clock, passphrase="bbbb")
    sealed = handover_book_passphrase.seal(home, one, INSIDE, "aaaa")
    for name, inside in ((two, INSIDE), (one, "c" * 64)):
        with pytest.raises(BenefitError, match="封が開きません"):
            handover_book_passphrase._unseal(home, name, inside, sealed)


def test_the_passphrase_can_be_read_aloud_and_is_never_the_same() -> None:
    many = {handover_book_passphrase.new_passphrase() for _ in range(500)}
    assert len(many) == 500
    for one in many:
        groups = one.split("-")
        assert [len(group) for group in groups] == [4] * 5
    assert not set("".join(many)) & set("01olIO")


def test_an_overdue_handover_alarms_until_the_erasure_report_closes_it(home: Home, clock: StepClock) -> None:
    staffed(home, clock)
    name, today = made(home, clock), tokyo_date(clock.now)

    def late(after: int) -> list[tuple[str, int]]:
        return [(each.waiting, each.days_late) for each in handover_book.overdue(home, today + timedelta(days=after))]

    assert late(400) == []  # 出していないものは、相手が遅れているのではない
    walk(home, name, clock, ISSUED)
    assert late(2) == []
    assert late(3) == [("受領の記録", 1)]
    walk(home, name, clock, RECEIVED)
    # 使用を書かずに、期限を延ばせない。
    assert late(30) == []
    assert late(31) == [("消去報告書", 1)]
    walk(home, name, clock, USED, GIVEN_BACK)
    assert late(31) == [("消去報告書", 1)]
    walk(home, name, clock, ERASED)
    assert late(40) == [("消去報告書", 10)]
    assert handover_book.item(home, name, today).open
    walk(home, name, clock, REPORTED)
    assert late(400) == []
    assert not handover_book.item(home, name, today).open


def test_a_package_brought_back_unopened_ends_there_but_an_opened_one_does_not(home: Home, clock: StepClock) -> None:
    staffed(home, clock)
    never_left = walk(home, made(home, clock), clock, CANCELLED)
    undelivered = walk(home, made(home, clock), clock, ISSUED, GIVEN_BACK)
    unopened = walk(home, made(home, clock), clock, ISSUED, RECEIVED, GIVEN_BACK)
    opened = made(home, clock)
    walk(home, opened, clock, ISSUED, RECEIVED)
    handover_book_passphrase.tell(home, opened, told_to="印刷 太郎", actor=OTHER, clock=clock)
    returned = walk(home, opened, clock, GIVEN_BACK)
    assert [each.open for each in (never_left, undelivered, unopened, returned)] == [False, False, False, True]
    far = tokyo_date(clock.now) + timedelta(days=31)
    assert [each.name for each in handover_book.overdue(home, far)] == [opened]


def test_every_recorded_handover_is_in_the_book_with_its_people_pieces_and_report(home: Home, clock: StepClock) -> None:
    staffed(home, clock)
    name = made(home, clock)
    walk(home, name, clock, ISSUED, RECEIVED)
    handover_book_passphrase.tell(home, name, told_to="=cmd()", actor=OTHER, clock=clock)
    walk(home, name, clock, USED, GIVEN_BACK, ERASED, REPORTED)
    made(home, clock, "payees_out")
    made(home, clock, "bank_out")
    with pytest.raises(WrongUse):
        handover_book_sheet.taken_out(home, reason=" ", actor=MAKER, clock=clock)
    found = handover_book_sheet.taken_out(home, reason="審議会", actor=MAKER, clock=clock)
    rows = handover_book_sheet.book(found).to_dicts()
    assert [row["番号"] for row in rows] == ["印刷 1", "受給者 1", "振込 1"]
    assert rows[0] | {} == {
        "番号": "印刷 1", "件名": "確認書の印刷", "相手方": "株式会社架空印刷", "内容": "支給要件確認書 1,234 通",
        "件数": 1234, "記録媒体": "DVD-R", "媒体の数": 2, "受渡日": "2024-06-20", "受渡者": "甲野、乙山",
        "受領者": "甲野", "返却・消去日": "返却 2024-06-20、消去 2024-06-20", "消去報告書": "2024-06-20 第 1 号",
        "状態": REPORTED,
    }  # fmt: skip
    steps = handover_book_sheet.steps(found)
    assert steps.filter(steps["番号"] == "印刷 1")["歩み"].to_list() == [
        MADE, ISSUED, RECEIVED, "合言葉", USED, GIVEN_BACK, ERASED, REPORTED,
    ]  # fmt: skip
    data = handover_book_sheet.workbook(found, made=clock())
    assert data == handover_book_sheet.workbook(found, made=clock.now)


def test_the_daily_handover_can_be_received_at_once_and_ends(home: Home, clock: StepClock) -> None:
    staffed(home, clock)
    name = made(home, clock, "payees_out")
    done = handover_book_files.step(home, name, RECEIVED, entry(clock), actor=OTHER, clock=clock)
    assert (done.state, done.open) == (RECEIVED, False)
    with pytest.raises(RefusedByRule):
        handover_book_files.step(home, made(home, clock), RECEIVED, entry(clock), actor=OTHER, clock=clock)


def test_the_weekly_log_report_alarms_by_the_same_book(home: Home, clock: StepClock) -> None:
    staffed(home, clock)
    made(home, clock)
    walk(home, made(home, clock), clock, CANCELLED)
    walk(home, made(home, clock), clock, ISSUED, GIVEN_BACK)
    walk(home, made(home, clock), clock, ISSUED)
    walk(home, made(home, clock, report_days=20), clock, ISSUED, RECEIVED, USED)
    day = tokyo_date(clock.now)

    def alarms(after: int) -> list[tuple[str, str]]:
        until = day + timedelta(days=after)
        with home.ward.connect() as connection:
            logs = log_frames.gather(connection, "ward", until - timedelta(days=6), until)
        return sorted((one.who, one.says) for one in log_detectors.run(logs)["L16"])

    assert alarms(2) == []
    waiting = [(f"print_out/{number}", "受取の記録が 1 日遅れています") for number in (1, 4)]
    assert alarms(3) == waiting
    assert ("print_out/5", "消去の報告が 1 日遅れています") not in alarms(20)
    assert ("print_out/5", "消去の報告が 1 日遅れています") in alarms(21)
    assert {who for who, _says in alarms(60)} == {"print_out/1", "print_out/4", "print_out/5"}
