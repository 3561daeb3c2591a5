"""収納の画面: 人が決める入金を二人で、毎日の突き合わせ、行き違いの督促を避けた数、納付状況（issue 7 の 6）。"""

from __future__ import annotations

import io
import json
from typing import Any
from zipfile import ZipFile

import polars as pl
import pytest
import sqlalchemy as sa

from benefit.services import collection_moves, restricted_queue
from benefit.store import ward
from tests.api.world import CLERK, FIRST, OTHER, World
from tests.collection.conftest import accounts

pytestmark = pytest.mark.xdist_group("ward-world")
KEY = "collection-key-1"
WHY = {"purpose": "本人からの問合せ", "reason": "受付 12"}


def event_of(world: World, why: str) -> str:
    return str(collection_moves.queue(world.home).filter(pl.col("why") == why)["event"][0])


def asked(world: World, actor: Any = CLERK, *, why: str = "不明金", kind: str = "消込", yen: int = 12_300) -> int:
    """入金の決め方を申し出る。番号を返す。"""
    world.enter(actor).post(
        "/collections/ask", operation="ask-move-1", event=event_of(world, why), kind=kind, amount=f"{yen}",
        other="" if kind == "還付" else "4", reason="番号の書き間違い",
    )  # fmt: skip
    with world.home.ward.connect() as connection:
        return int(connection.execute(sa.select(sa.func.max(ward.collection_move.c.id))).scalar_one())


def debt_people(world: World) -> dict[str, str]:
    """通知書番号 → 宛名番号。"""
    with world.home.ward.connect() as connection:
        return {row.notice_number: row.person_number for row in connection.execute(ward.receivable.select())}


def test_unmatched_money_is_decided_by_two_people(both: World) -> None:
    page = both.enter(CLERK).get("/collections").text
    assert "不明金" in page
    assert "過誤納" in page
    opened = both.post("/collections/event", event=event_of(both, "不明金"))
    assert "消込（調定に結ぶ）" in opened.text
    before = accounts(both.home)
    number = asked(both)
    assert accounts(both.home) == before, "承認の前に動いた"
    assert "承認を待つ申し出 1 件" in both.get("/collections").text
    done = both.enter(FIRST).post("/collections/approve", operation="approve-move", number=f"{number}")
    assert done.status_code == 200
    assert "不明金" not in accounts(both.home)
    assert collection_moves.queue(both.home)["why"].to_list() == ["過誤納"]


def test_the_asker_cannot_approve_on_the_page_or_by_json(world: World) -> None:
    number = asked(world, FIRST)
    before = accounts(world.home)
    page = world.post("/collections/approve", operation="own-move-1", number=f"{number}")
    assert (page.status_code, "申し出た人は、承認できません" in page.text) == (400, True)
    told = world.json(f"/api/v1/collections/moves/{number}/approval", key=KEY)
    assert (told.status_code, told.json()["detail"]) == (400, "申し出た人は、承認できません")
    assert world.enter(CLERK).json(f"/api/v1/collections/moves/{number}/approval", key=KEY).status_code == 403
    assert accounts(world.home) == before


def test_json_asks_once_and_lists_the_queue(world: World) -> None:
    event = event_of(world, "過誤納")
    given = {"event": event, "kind": "還付", "amount_yen": 3_000, "reason": "納めすぎ"}
    world.enter(CLERK)
    for _ in range(2):
        assert world.json("/api/v1/collections/moves", given, key=KEY).status_code == 200
    told = world.client.get("/api/v1/collections/queue", headers={"Authorization": f"Bearer {world.token}"}).json()
    assert {(row["why"], row["yen"], row["asked"]) for row in told} == {("不明金", 12_300, 0), ("過誤納", 3_000, 1)}
    too_much = world.json("/api/v1/collections/moves", {**given, "amount_yen": 3_001}, key="collection-key-2")
    assert too_much.status_code == 400
    assert "合いません" in too_much.json()["detail"]


def test_the_balance_names_the_day_that_does_not_agree(both: World) -> None:
    page = both.enter(CLERK).get("/collections/balance").text
    assert "合わない日が 1 あります" in page
    assert "<svg" in page
    assert "！-900" in page
    made = both.post("/collections/workbook", what="balance", reason="月次の確認")
    assert "銀行の入金" in ZipFile(io.BytesIO(made.content)).read("xl/sharedStrings.xml").decode()
    assert both.logged("collections.export")[-1]["reason"] == "月次の確認"
    assert both.post("/collections/workbook", what="balance").status_code == 400


def test_those_whose_quick_notice_came_are_not_dunned_and_the_number_is_shown(both: World) -> None:
    page = both.enter(CLERK).get("/collections/overdue").text
    # 五人のうち、二人は納め、一人は速報が届いた。
    assert "納期限を過ぎた調定</dt><dd>3 件" in page
    assert "督促する</dt><dd>2 件" in page
    assert "行き違いを避けて止めた</dt><dd>1 件" in page


@pytest.mark.parametrize("by", ["notice_number", "person_number", "kana"])
def test_what_was_paid_is_found_by_slip_person_or_name(both: World, by: str) -> None:
    number = debt_people(both)["12"]
    head = both.resident(int(number))
    words = {
        "notice_number": {"notice_number": "0012"},
        "person_number": {"person_number": number.lstrip("0")},
        "kana": {"kana_name": head["kana_name"], "birth": head["birth"]},
    }[by]
    page = both.enter(CLERK).post("/payments/search", **WHY, **words).text
    assert "納付の知らせ（速報）が届いています" in page
    assert "12,300円" in page
    log = both.logged("payment.search")[-1]
    assert log["reason"] == "本人からの問合せ: 受付 12"
    assert number in json.loads(str(log["detail"]))["people"]
    told = both.json("/api/v1/payments/search", {**WHY, **words}).json()
    assert [(one["notice_number"], one["left_yen"]) for one in told] == [("12", 0)]


def test_without_a_reason_nothing_is_searched(world: World) -> None:
    answer = world.enter(CLERK).post("/payments/search", notice_number="12")
    assert answer.status_code == 400
    assert "12,300円" not in answer.text
    assert world.logged("payment.search") == []


def test_a_ward_only_debt_is_absent_for_those_not_named(both: World) -> None:
    secret = restricted_queue.hidden(both.home)
    notice, number = next(
        (notice, number) for notice, number in debt_people(both).items() if int(number) in secret.people
    )
    both.enter(OTHER)
    for words in ({"notice_number": notice}, {"person_number": number}):
        page = both.post("/payments/search", **WHY, **words).text
        assert "該当がありません" in page
        assert both.json("/api/v1/payments/search", {**WHY, **words}).json() == []
        both.enter(OTHER)
    assert "未納" in both.enter(CLERK).post("/payments/search", **WHY, notice_number=notice).text
