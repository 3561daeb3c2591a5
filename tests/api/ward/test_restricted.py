"""区直轄: 名ざされた人だけに並びが見え、住所は二人の目で 60 分だけ、見た一回ごとに行が残る（F.3、仙台の事例）。"""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
import sqlalchemy as sa
from httpx2 import Response

from benefit.domain.access import Actor
from benefit.services import restricted_queue
from benefit.store import ward
from tests.api.world import ADMIN, AUDITOR, CLERK, FIRST, NAMED, OTHER, SECOND, World

pytestmark = pytest.mark.xdist_group("ward-world")
EMPTY = "開ける件はありません"
KEY = "address-key-0001"


def asked(world: World, actor: Actor = CLERK) -> int:
    """住所を見ることを申し出る。申し出の番号を返す。"""
    world.enter(actor)
    world.post(
        "/restricted/address/ask", operation=f"ask-{world.clock().timestamp():.0f}", reason="手紙の宛先の確かめ",
        person_number=f"{world.marked():010d}",
    )  # fmt: skip
    with world.home.ward.connect() as connection:
        return int(connection.execute(sa.select(sa.func.max(ward.address_view.c.id))).scalar_one())


def shown_rows(world: World) -> int:
    with world.home.ward.connect() as connection:
        return len(connection.execute(ward.address_shown.select()).all())


def approve(world: World, number: int, actor: Actor = FIRST) -> int:
    world.enter(actor)
    return world.post("/restricted/address/approve", operation=f"approve-{number}", number=f"{number}").status_code


def test_the_queue_lists_numbers_and_states_and_no_name_or_address(both: World) -> None:
    page = both.enter(CLERK).get("/restricted").text
    wards = [case for case in both.cases() if case["route"] == "WARD"]
    assert len(wards) > 3
    for case in wards:
        head = both.resident(case["payee_number"])
        assert case["case_number"] in page
        assert head["name"] not in page
        assert head["address"] not in page
    listed = both.client.get("/api/v1/restricted/queue", headers={"Authorization": f"Bearer {both.token}"}).json()
    assert {row["case_number"] for row in listed} == {case["case_number"] for case in wards}
    assert [row["action"] for row in both.logged("restricted.queue")] == ["restricted.queue"] * 2


def test_those_not_named_see_an_empty_queue(world: World) -> None:
    asked(world)
    page = world.enter(OTHER).get("/restricted").text
    assert EMPTY in page
    assert "chip" not in page
    answer = world.client.get("/api/v1/restricted/queue", headers={"Authorization": f"Bearer {world.token}"})
    assert answer.json() == []


def test_an_address_is_seen_by_the_asker_after_another_person_approved(both: World) -> None:
    number = asked(both)
    address = both.resident(both.marked())["address"]
    alone = both.post("/restricted/address", number=f"{number}")
    assert alone.status_code == 403
    assert address not in alone.text
    assert shown_rows(both) == 0
    assert approve(both, number) == 200
    # 承認した人には見えない。申し出た人にだけ見える。
    assert address not in both.post("/restricted/address", number=f"{number}").text
    seen = both.enter(CLERK).post("/restricted/address", number=f"{number}")
    assert seen.status_code == 200
    assert address in seen.text
    assert shown_rows(both) == 1
    log = both.logged("address.view")
    assert [(row["actor"], row["subject"], row["reason"]) for row in log] == [
        (CLERK.id, f"{both.marked():010d}", "手紙の宛先の確かめ")
    ]
    assert address not in json.dumps([dict(row) for row in both.logged()], ensure_ascii=False, default=str)


def test_sixty_minutes_after_the_approval_the_address_closes(world: World) -> None:
    number = asked(world)
    approve(world, number)
    world.enter(CLERK)
    world.clock.now += timedelta(minutes=58)
    world.enter(CLERK)
    assert world.post("/restricted/address", number=f"{number}").status_code == 200
    world.clock.now += timedelta(minutes=3)
    world.enter(CLERK)
    closed = world.post("/restricted/address", number=f"{number}")
    assert closed.status_code == 403
    assert world.resident(world.marked())["address"] not in closed.text
    assert shown_rows(world) == 1


def test_the_asker_cannot_approve_on_the_page_or_by_json(world: World) -> None:
    number = asked(world, FIRST)
    refused = world.post("/restricted/address/approve", operation="own-approval", number=f"{number}")
    assert refused.status_code == 400
    assert "申し出た人は、承認できません" in refused.text
    by_json = world.json(f"/api/v1/restricted/addresses/{number}/approval", key=KEY)
    assert by_json.status_code == 400
    assert "申し出た人は、承認できません" in by_json.json()["detail"]
    assert world.json(f"/api/v1/restricted/addresses/{number}/view").status_code == 400
    with world.home.ward.connect() as connection:
        assert connection.execute(ward.address_view_approval.select()).all() == []


def test_the_store_itself_has_no_view_without_an_approval_by_another(world: World) -> None:
    number = asked(world)
    with world.home.ward.connect() as connection:
        for statement in (
            ward.address_shown.insert().values(
                release_id=number, shown_to=CLERK.id, terminal="", shown_at=world.clock()
            ),
            ward.address_view_approval.insert().values(
                release_id=number, asked_by=CLERK.id, approved_by=CLERK.id, approved_at=world.clock()
            ),
        ):
            with pytest.raises(sa.exc.IntegrityError), connection.begin_nested():
                connection.execute(statement)


def test_only_the_named_may_ask_or_approve_and_others_hear_that_there_is_nobody(world: World) -> None:
    answer = world.enter(OTHER).post(
        "/restricted/address/ask", operation="other-asks", person_number=f"{world.marked():010d}", reason="見たい"
    )
    unknown = world.post(
        "/restricted/address/ask", operation="other-asks2", person_number="0000000001", reason="見たい"
    )
    for one in (answer, unknown):
        assert one.status_code == 400
        assert restricted_queue.NO_SUCH in one.text
    number = asked(world)
    with world.home.ward.connect() as connection:
        rows = restricted_queue.members(connection)
    first = next(row["id"] for row in rows if row["staff_id"] == FIRST.id)
    world.enter(ADMIN).post("/restricted/members/end", operation="end-first", number=f"{first}", reason="異動")
    assert approve(world, number) == 400
    assert approve(world, number, SECOND) == 200


def test_naming_takes_two_people_and_nobody_names_or_approves_oneself(world: World) -> None:
    world.enter(ADMIN)
    world.post("/restricted/members/ask", operation="name-other", staff_id=OTHER.id, reason="応援")
    with world.home.ward.connect() as connection:
        number = restricted_queue.members(connection)[0]["id"]
    assert EMPTY in world.enter(OTHER).get("/restricted").text
    assert world.post("/restricted/members/approve", operation="a1", number=f"{number}").status_code == 403
    assert world.enter(ADMIN).post("/restricted/members/approve", operation="a2", number=f"{number}").status_code == 403
    world.enter(FIRST).post("/restricted/members/approve", operation="approve-name", number=f"{number}")
    assert EMPTY not in world.enter(OTHER).get("/restricted").text
    mine = world.enter(FIRST).post("/restricted/members/ask", operation="myself0", staff_id=FIRST.id, reason="自分")
    assert "自分を加える申し出はできません" in mine.text
    for wrong in (AUDITOR.id, ADMIN.id, "nobody"):
        refused = world.post("/restricted/members/ask", operation=f"wrong-{wrong}", staff_id=wrong, reason="応援")
        assert refused.status_code == 400
    assert {row["subject"] for row in world.logged("restricted.name_approved")} == {
        *(actor.id for actor in NAMED), OTHER.id
    }  # fmt: skip


def test_a_second_press_of_the_same_button_asks_once(world: World) -> None:
    world.enter(CLERK)
    given = {"person_number": f"{world.marked():010d}", "reason": "手紙の宛先の確かめ"}
    for _ in range(2):
        answer = world.json("/api/v1/restricted/addresses", given, key=KEY)
        assert answer.status_code == 200
    with world.home.ward.connect() as connection:
        assert len(connection.execute(ward.address_view.select()).all()) == 1
    other = world.json("/api/v1/restricted/addresses", {**given, "reason": "別の理由"}, key=KEY)
    assert other.status_code == 409
    assert world.json("/api/v1/restricted/addresses", given).status_code == 422


def reply(world: World, actor: Actor, operation: str, **changed: str) -> Response:
    """区直轄の人の返事を入れる。"""
    given = {
        "case_number": world.ward_case()["case_number"], "kind": "確認書", "received_on": "2024-07-20",
        "reason": "棚 3", "bank_code": "0001", "branch_code": "001", "account_type": "1", "account_number": "9000001",
        "holder_kana": "ｶｸｳ ﾊﾅｺ",
    }  # fmt: skip
    world.enter(actor)
    return world.post("/restricted/replies", operation=operation, **{**given, **changed})


def test_a_reply_counts_when_a_second_person_types_the_same_from_the_paper(both: World) -> None:
    first = reply(both, CLERK, "reply-000001")
    assert "返事 1 を入れました" in first.text
    own = reply(both, CLERK, "reply-000002", number="1")
    assert "一人目と同じ人は" in own.text
    blind = both.enter(FIRST).get("/restricted/replies").text
    assert "返事 1" in blind
    assert both.ward_case()["case_number"] not in blind
    assert "9000001" not in blind
    wrong = reply(both, FIRST, "reply-000003", number="1", account_number="9000010")
    assert "一人目と違います: 口座番号" in wrong.text
    with both.home.ward.connect() as connection:
        assert connection.execute(ward.ward_reply_check.select()).all() == []
    same = reply(both, FIRST, "reply-000004", number="1")
    assert "効きました" in same.text
    with both.home.ward.connect() as connection:
        assert [row.checked_by for row in connection.execute(ward.ward_reply_check.select())] == [FIRST.id]


def test_those_not_named_enter_no_reply_and_see_none(world: World) -> None:
    reply(world, CLERK, "reply-000001")
    refused = reply(world, OTHER, "reply-000005", number="1")
    assert refused.status_code == 400
    assert restricted_queue.NO_SUCH in refused.text
    assert "棚 3" not in world.get("/restricted/replies").text
