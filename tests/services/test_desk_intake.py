"""収受: 一つの番号に一通。二通目は結び、期限の後も前の枝番も、捨てずに残す。"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from threading import Barrier

import pytest
import sqlalchemy as sa

from benefit.domain.access import BATCH, Actor
from benefit.domain.errors import RefusedByRule, RefusedInput
from benefit.services.desk_intake import Arrival, read_number, receive, receive_many
from benefit.services.desk_papers import day_counts, duplicates, forms_of
from benefit.store import desk
from tests.support.desk_world import COUNTER, DUE, FIRST, OPERATOR, DeskWorld, new_number

CAME = date(2024, 7, 19)


def form(number: str, kind: str = "confirmation", on: date = CAME, **told: object) -> Arrival:
    return Arrival(number, kind, on, **told)  # type: ignore[arg-type]


def test_a_form_is_received_once_with_its_day_its_box_and_its_hand(world: DeskWorld) -> None:
    number = world.case()
    taken = world.do(receive, form(number, box="箱-7"), actor=COUNTER)
    assert (taken.standing, taken.state, world.state(number)) == ("taken", "C22", "C22")
    assert world.row(number)["received_on"] == CAME
    (row,) = world.read(forms_of, number)
    assert (row["box"], row["received_by"], row["branch"], row["standing"]) == ("箱-7", COUNTER.id, 1, "taken")
    last = world.events(number)[-1]
    assert (last["event"], last["evidence"], last["actor"], last["role"]) == (
        "form_received",
        f"received_form:{row['id']}",
        COUNTER.id,
        "counter",
    )


@pytest.mark.parametrize("kind", ["confirmation", "claim"])
def test_a_second_paper_for_the_number_is_linked_to_the_first_and_moves_nothing(world: DeskWorld, kind: str) -> None:
    """木津川市（同じ紙を二度）、門真市（確認書のあとに申請書）。二通目は数えず、二重提出に並ぶ。"""
    number = world.case()
    first = world.do(receive, form(number), actor=COUNTER)
    events = world.events(number)
    second = world.do(receive, form(number, kind, CAME + timedelta(days=1), box="箱-8"), actor=FIRST)
    assert (second.standing, second.first_id, world.state(number)) == ("duplicate", first.form_id, "C22")
    assert world.events(number) == events
    assert world.row(number)["received_on"] == CAME
    (listed,) = [row for row in world.read(duplicates) if row["case_number"] == number]
    assert (listed["box"], listed["first_id"], listed["first_received_on"]) == ("箱-8", first.form_id, CAME)


def test_two_hands_on_the_same_paper_at_once_take_it_once(world: DeskWorld) -> None:
    """同じ番号を二人が同時に打った。一人が受け付け、もう一人は二重提出になる。"""
    number, gate = world.case(), Barrier(2)

    def take(actor: Actor) -> str:
        gate.wait(30)
        with world.home.desk.begin() as connection:
            return receive(connection, form(number), actor=actor, at=world.clock()).standing

    with ThreadPoolExecutor(2) as hands:
        standings = sorted(hands.map(take, (COUNTER, FIRST)))
    assert standings == ["duplicate", "taken"]
    assert [event["event"] for event in world.events(number)] == ["loaded", "form_received"]


def test_the_store_itself_holds_one_accepted_paper(world: DeskWorld) -> None:
    number = world.case()
    world.do(receive, form(number), actor=COUNTER)
    table = desk.received_form
    columns = [column.name for column in table.c if column.name != "id"]
    copied = sa.select(*(table.c[name] for name in columns)).where(table.c.case_number == number)
    with pytest.raises(sa.exc.IntegrityError), world.home.desk.begin() as connection:
        connection.execute(table.insert().from_select(columns, copied))


def both_sides() -> Iterator[object]:
    """期限の当日と翌日。届いた日でも、消印の日でも。"""
    day = timedelta(days=1)
    yield pytest.param(DUE, None, True, id="当日に届いた")
    yield pytest.param(DUE + day, None, False, id="翌日に届いた")
    yield pytest.param(DUE + 3 * day, DUE, True, id="当日の消印")
    yield pytest.param(DUE + 3 * day, DUE + day, False, id="翌日の消印")


@pytest.mark.parametrize(("came", "postmark", "timely"), list(both_sides()))
def test_on_time_is_the_day_it_came_or_the_postmark(
    world: DeskWorld, came: date, postmark: date | None, *, timely: bool
) -> None:
    number = world.case()
    taken = world.do(receive, form(number, on=came, postmark_on=postmark), actor=COUNTER)
    expected = ("taken", "C22", came) if timely else ("late", "C28", None)
    assert (taken.standing, world.state(number), world.row(number)["received_on"]) == expected
    # 期限の後でも、消印の証拠は残る。
    assert world.read(forms_of, number)[0]["postmark_on"] == postmark


@pytest.mark.parametrize(("came", "postmark", "timely"), list(both_sides()))
def test_a_paper_that_comes_after_the_case_was_closed_still_counts_by_its_postmark(
    world: DeskWorld, came: date, postmark: date | None, *, timely: bool
) -> None:
    number = world.case("C28")
    taken = world.do(receive, form(number, on=came, postmark_on=postmark), actor=COUNTER)
    assert (taken.standing, world.state(number)) == (("taken", "C22") if timely else ("late", "C28"))


def test_a_late_correction_closes_the_case(world: DeskWorld) -> None:
    due = date(2024, 8, 9)
    timely, late = (world.case("C25", correction_due_on=due, received_on=CAME) for _ in range(2))
    assert world.do(receive, form(timely, "correction", due), actor=COUNTER).state == "C26"
    assert world.do(receive, form(late, "correction", due + timedelta(days=1)), actor=COUNTER).state == "C28"
    # 収受日は、はじめの一通の日のまま。
    assert world.row(timely)["received_on"] == CAME


def test_a_correction_may_come_before_the_letter_and_again_after_the_next_defect(world: DeskWorld) -> None:
    number = world.case("C24")
    assert world.do(receive, form(number, "correction"), actor=COUNTER).state == "C26"
    assert world.do(receive, form(number, "correction"), actor=COUNTER).standing == "duplicate"
    with world.home.desk.begin() as connection:
        connection.execute(
            desk.benefit_case.update().where(desk.benefit_case.c.case_number == number).values(state="C24")
        )
    assert world.do(receive, form(number, "correction"), actor=COUNTER).standing == "taken"
    assert [row["round"] for row in world.read(forms_of, number)] == [1, 0, 2]


@pytest.mark.parametrize(
    ("state", "kind", "then"),
    [
        ("P20", "refusal", "P22"),
        ("P20", "account", "P23"),
        ("P20", "objection", "C23"),
        ("C20", "refusal", "C29"),
        ("C20", "claim", "C22"),
        ("F43", "new_account", "P23"),
        ("F44", "new_account", "P23"),
    ],
)
def test_each_kind_of_paper_moves_the_case_its_own_way(world: DeskWorld, state: str, kind: str, then: str) -> None:
    number = world.case(state)
    assert world.do(receive, form(number, kind), actor=COUNTER).state == then
    assert world.state(number) == then


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("F42", "confirmation"), ("J30", "confirmation"), ("S10", "confirmation"), ("P20", "new_account"),
        ("F43", "account"), ("C29", "confirmation"), ("C22", "refusal"), ("X60", "confirmation"), ("P20", "confirmation"),
    ],
)  # fmt: skip
def test_a_paper_the_case_does_not_wait_for_is_refused_whole(world: DeskWorld, state: str, kind: str) -> None:
    number = world.case(state)
    before = world.shot(number)
    with pytest.raises(RefusedByRule):
        world.do(receive, form(number, kind), actor=COUNTER)
    assert world.shot(number) == before


def test_the_paper_of_an_older_letter_is_kept_but_not_taken(world: DeskWorld) -> None:
    """出し直した後に、前の枝番の紙が届いた（CHK12）。"""
    number = world.case(branch=3)
    taken = world.do(receive, form(number, branch=2), actor=COUNTER)
    assert (taken.standing, world.state(number)) == ("old_branch", "C20")
    assert world.read(forms_of, number)[0]["branch"] == 2
    with pytest.raises(RefusedInput, match="まだ出していない枝番"):
        world.do(receive, form(number, branch=4), actor=COUNTER)
    assert world.do(receive, form(number, branch=3), actor=COUNTER).standing == "taken"


def test_a_scanned_list_says_what_it_read_took_and_refused(world: DeskWorld) -> None:
    """読んだ = 入れた + 断った。断った行は、番号とわけが付く。知らない番号も、区だけの人も、同じわけ。"""
    good, twice, paid, unknown = world.case(), world.case(), world.case("F42"), new_number()
    arrivals = [form(number) for number in (good, twice, paid, unknown, twice)]
    done = world.do(receive_many, arrivals, actor=BATCH)
    assert done.read == len(done.taken) + len(done.refused) == 5
    assert [(taken.case_number, taken.standing) for taken in done.taken] == [
        (good, "taken"),
        (twice, "taken"),
        (twice, "duplicate"),
    ]
    assert [(row.line, row.case_number) for row in done.refused] == [(3, paid), (4, unknown)]
    assert "区で確認します" in done.refused[1].why


def test_only_the_people_of_the_intake_write_papers(world: DeskWorld) -> None:
    """電話の人は、紙を受けない。状態を進めない二通目も、前の枝番の紙も。"""
    number = world.case(branch=2)
    world.do(receive, form(number), actor=COUNTER)
    before = world.shot(number)
    for arrival in (form(number), form(number, branch=1)):
        with pytest.raises(RefusedByRule, match="この役割ではできません"):
            world.do(receive, arrival, actor=OPERATOR)
    assert world.shot(number) == before


@pytest.mark.parametrize(
    "wrong",
    [{"kind": "はがき"}, {"channel": "鳩"}, {"postmark_on": CAME + timedelta(days=1)}],
    ids=["種類", "届き方", "収受より後の消印"],
)
def test_a_line_with_words_outside_the_lists_is_refused(world: DeskWorld, wrong: dict[str, object]) -> None:
    number = world.case()
    before = world.shot(number)
    with pytest.raises(RefusedInput):
        world.do(receive, replace(form(number), **wrong), actor=COUNTER)  # type: ignore[arg-type]
    assert world.shot(number) == before


def test_the_days_count_is_the_hands_own(world: DeskWorld) -> None:
    since = world.clock()
    for number in world.cases(3):
        world.do(receive, form(number), actor=COUNTER)
    world.do(receive, form(number), actor=COUNTER)
    world.do(receive, form(world.case()), actor=FIRST)
    counts = world.read(day_counts, actor=COUNTER, since=since)
    assert counts == {"taken": 3, "duplicate": 1, "old_branch": 0, "late": 0}


def test_a_number_is_read_as_it_is_typed_or_scanned() -> None:
    number = new_number()
    wide = str.maketrans("0123456789", "０１２３４５６７８９")
    assert read_number(f" {number.translate(wide)} ") == (number, None)
    assert read_number(f"{number[:4]}-{number[4:8]}-{number[8:]}") == (number, None)
    assert read_number(f"{number}-02") == (number, 2)
    assert read_number(f"{number}0202111231234") == (number, 2), "封入の符号（24 桁）"
    for text in (number[:-1], number[:-1] + str((int(number[-1]) + 1) % 10), "", "番号なし"):
        with pytest.raises(RefusedInput):
            read_number(text)
