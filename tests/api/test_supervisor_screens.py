"""管理者と区の画面: 仕事の量は図と表で同じ数、止まった検索は二つの側がそろって解け、取消はわけとともに残る。"""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from benefit.domain.access import DeskRole
from benefit.services import desk_workload, look_up_limits
from benefit.store import desk
from tests.api.conftest import Desk, audit_rows, in_days, number_of
from tests.api.papers import Person, case, of, person, rows

SCAN = {"kind": "confirmation", "channel": "post"}


@pytest.fixture
def supervisor(desk_system: Desk) -> Person:
    return person(desk_system, DeskRole.SUPERVISOR)


def stopped(system: Desk, role: DeskRole) -> int:
    """この役割の人を、一時間の上限で止める。停止の番号を返す。"""
    who, at = person(system, role), system.clock()
    with system.home.desk.begin() as connection:
        many = [{"staff_id": who.actor.id, "at": at}] * (look_up_limits.HARD - 1)
        connection.execute(desk.access.look_up.insert(), many)
        look_up_limits.count_or_stop(connection, who.actor, at)
    return int(rows(system, desk.access.look_up_stop, staff_id=who.actor.id)[-1]["id"])


def test_a_stopped_search_is_opened_by_the_two_sides_together(supervisor: Person, desk_system: Desk) -> None:
    number = stopped(desk_system, DeskRole.OPERATOR)
    assert "止まっている検索（1 人）" in supervisor.get("/supervisor").text
    one = supervisor.post("/supervisor/release", stop_id=number, reason="本人に聞いた")
    assert "この側を解きました。もう一方の側を待ちます" in one.text
    assert re.search(r"<button disabled[^>]*>管理者として解除する</button>", one.text)
    other = person(desk_system, DeskRole.SUPERVISOR, "supervisor2")
    again = other.post("/supervisor/release", stop_id=number, reason="もう一度")
    assert (again.status_code, "この側は、もう解いています" in again.text) == (400, True)
    ward = person(desk_system, DeskRole.WARD_CLERK)
    assert "区として解除する" in ward.get("/supervisor").text
    both = ward.post("/supervisor/release", stop_id=number, reason="管理者と話した")
    assert "二つの側がそろい、解けました" in both.text
    assert "止まっている人はいません" in both.text
    assert [row["actor"] for row in audit_rows(desk_system.home, "look-up.release")] == ["supervisor1", "ward_clerk1"]


def test_the_stopped_person_and_an_empty_reason_open_nothing(supervisor: Person, desk_system: Desk) -> None:
    mine = stopped(desk_system, DeskRole.SUPERVISOR)
    supervisor = person(desk_system, DeskRole.SUPERVISOR)
    assert "止まった本人は、解けません" in supervisor.get("/supervisor").text
    assert supervisor.post("/supervisor/release", stop_id=mine, reason="自分で").status_code == 400
    ward = person(desk_system, DeskRole.WARD_CLERK)
    assert ward.post("/supervisor/release", stop_id=mine, reason=" ").status_code == 400
    assert rows(desk_system, desk.access.look_up_release) == []


def test_the_figures_of_the_chart_and_the_table_are_the_deeds_of_each_person(
    supervisor: Person, desk_system: Desk
) -> None:
    counter = person(desk_system, DeskRole.COUNTER)
    for place in (100, 101):
        counter.post("/intake/scan", case_number=number_of(place), received_on="2024-06-20", **SCAN)
    # 日本の次の日（UTC ではまだ同じ日）の一枚。
    in_days(desk_system.clock, hours=14)
    counter = person(desk_system, DeskRole.COUNTER)
    counter.post("/intake/scan", case_number=number_of(102), received_on="2024-06-21", **SCAN)
    supervisor = person(desk_system, DeskRole.SUPERVISOR)
    shown = supervisor.get("/supervisor").text
    assert re.search(r"<td>2024-06-21</td><th scope=\"row\">試験 counter</th><td class=\"right\">1</td>", shown)
    assert re.search(r"<td>2024-06-20</td><th scope=\"row\">試験 counter</th><td class=\"right\">2</td>", shown)
    assert re.search(r'<th scope="row">試験 counter</th><td class="right">3</td>', shown)
    assert "試験 counter: 収受 3件" in re.search(r'<desc id="person-desc">(.*?)</desc>', shown).group(1)  # type: ignore[union-attr]
    assert "試験　" not in shown.split("<main")[1]


def test_queues_tell_how_long_the_oldest_has_waited(desk_system: Desk) -> None:
    now = desk_system.clock()
    table = desk.benefit_case
    ages = {100: 2, 101: 4, 102: 8, 103: 15, 104: 40}
    with desk_system.home.desk.begin() as connection:
        connection.execute(table.update().where(table.c.state == "C22").values(state="C20"))
        for place, days in ages.items():
            connection.execute(
                table.update()
                .where(table.c.case_number == number_of(place))
                .values(state="C22", changed_at=now - timedelta(days=days))
            )
        waiting = desk_workload.waiting(connection, now)[0]
    assert (waiting.count, waiting.oldest, waiting.by_age) == (5, 40, (1, 1, 1, 2))


def test_a_step_is_shown_before_it_is_undone_and_the_reason_is_kept(supervisor: Person, desk_system: Desk) -> None:
    counter = person(desk_system, DeskRole.COUNTER)
    counter.post("/intake/scan", case_number=of("C20"), received_on="2024-06-20", **SCAN)
    in_days(desk_system.clock, minutes=11)
    supervisor = person(desk_system, DeskRole.SUPERVISOR)
    shown = supervisor.post("/supervisor/step", case_number=of("C20")).text
    assert "最後の一歩: 確認書の収受（確認書発送済 → 受付済）" in shown
    assert supervisor.post("/supervisor/undo", case_number=of("C20"), reason="").status_code == 400
    sent = [
        supervisor.post("/supervisor/undo", key="undo-once-01", case_number=of("C20"), reason="別の人の紙だった")
        for _ in range(2)
    ]
    assert all("取り消しました（いまは「確認書発送済」）" in answer.text for answer in sent)
    assert case(desk_system, of("C20"))["state"] == "C20"
    (reversed_,) = rows(desk_system, desk.case_event, event="reversed")
    assert (reversed_["actor"], reversed_["reason"]) == ("supervisor1", "別の人の紙だった")
    nothing = supervisor.post("/supervisor/step", case_number=of("F42"))
    assert (nothing.status_code, "取り消せる一歩はありません" in nothing.text) == (400, True)


def test_letters_are_marked_and_a_deficiency_letter_sets_the_day_to_answer(
    supervisor: Person, desk_system: Desk
) -> None:
    reviewer = person(desk_system, DeskRole.REVIEWER)
    reviewer.post("/review/open", case_number=of("C22"))
    reviewer.post("/review/first", case_number=of("C22"), deed="deficient", defects="signature")
    counter = person(desk_system, DeskRole.COUNTER)
    counter.post("/intake/returned/scan", case_number=of("C20"), reason="moved", returned_on="2024-06-20")
    shown = supervisor.get("/letters-due").text
    assert "不備のお知らせ 1 通 ・ 再発行 1 通" in shown
    assert "試験　" not in shown.split("<main")[1]
    letters = [row["id"] for row in rows(desk_system, desk.letter_due)]
    sent = supervisor.post("/letters-due/done", letter=letters, deed="posted", told_on="2024-06-20", note="")
    assert "2 通を「発送」にしました" in sent.text
    assert (case(desk_system, of("C22"))["state"], str(case(desk_system, of("C22"))["correction_due_on"])) == (
        "C25",
        "2024-07-04",
    )
    assert "ありません" in sent.text
    # 終わった手紙は、もう一度は付けられない。
    again = supervisor.post("/letters-due/done", letter=letters, deed="posted", told_on="2024-06-20", note="")
    assert again.status_code == 400
    assert supervisor.post("/letters-due/done", deed="posted", told_on="2024-06-20", note="").status_code == 400


def test_reminders_are_asked_for_once_for_those_near_the_day(supervisor: Person, desk_system: Desk) -> None:
    assert "勧奨を 7 通、頼みました" in supervisor.post("/letters-due/remind").text
    assert "勧奨を 0 通、頼みました" in supervisor.post("/letters-due/remind").text


def test_only_the_supervisor_and_the_ward_see_the_work_of_people(desk_system: Desk) -> None:
    for role in (DeskRole.OPERATOR, DeskRole.COUNTER, DeskRole.REVIEWER, DeskRole.WARD_AUDITOR, DeskRole.WARD_ADMIN):
        who = person(desk_system, role)
        assert [who.get(path).status_code for path in ("/supervisor", "/letters-due")] == [403, 403], role
    ward = person(desk_system, DeskRole.WARD_CLERK)
    assert ward.get("/supervisor").status_code == 200
    assert ward.post("/supervisor/undo", case_number=of("C20"), reason="区では取り消さない").status_code == 403
