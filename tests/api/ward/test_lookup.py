"""区の照会: 用件と理由が先、見せる前にログ、区直轄は名ざされた人だけ、ない番号と見てはならない人は見分けられない。"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from benefit.services import restricted_queue
from benefit.store import ward
from tests.api.world import ADMIN, AUDITOR, CLERK, FIRST, OTHER, World

pytestmark = pytest.mark.xdist_group("ward-world")
NOBODY = "該当がありません"


def text_of(html: str) -> str:
    """札と合言葉（毎回変わる）を除いた画面。"""
    return (
        re.sub(r'(name="(?:csrf|operation)" value=)"[^"]*"', r"\1", html).partition("<main")[2].partition("</main")[0]
    )


@contextmanager
def statements(world: World) -> Iterator[list[str]]:
    """この間の SQL の文（値は除く）。さわった時刻を書き直すのは時計しだいなので、数えない。"""
    seen: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.startswith("UPDATE staff_session"):
            seen.append(statement)

    sa.event.listen(world.home.ward, "before_cursor_execute", note)
    yield seen
    sa.event.remove(world.home.ward, "before_cursor_execute", note)


def test_a_clerk_finds_a_household_by_each_number_and_by_kana_and_birth(both: World) -> None:
    case = both.enter(CLERK).open_case()
    head = both.resident(case["payee_number"])
    spoken = "".join(chr(ord(c) - 0x60) if "ァ" <= c <= "ヶ" else c for c in head["kana_name"])
    for words in (
        {"case_number": case["case_number"]},
        {"case_number": f"{case['case_number'][:4]}-{case['case_number'][4:]}"},
        {"person_number": f"{case['payee_number']:010d}"},
        {"kana_name": spoken, "birth": head["birth"].replace("-", "/")},
    ):
        answer = both.ask(**words)
        assert answer.status_code == 200
        assert answer.url.path == "/people/case", words
        assert head["name"] in answer.text
        assert head["address"] in answer.text
        assert case["case_number"][:4] in answer.text
    household = both.ask(household_number=f"{head['household_number']:010d}")
    assert head["name"] in household.text


def test_the_page_says_state_why_and_what_would_change_it(world: World) -> None:
    case = world.enter(CLERK).open_case()
    page = world.ask(case_number=case["case_number"]).text
    assert "支給要件確認書を出しました。期限は" in page or "振り込みました" in page or "支給のお知らせ" in page
    assert "根拠: 契約 §2" in page
    assert "residents.csv" in page
    assert "行目〕" in page
    assert "何が違えば、結果が変わるか" in page
    assert "None" not in text_of(page)
    printed = world.get("/people/print")
    assert "区限り" in printed.text
    assert CLERK.id in printed.text
    assert [row["subject"] for row in world.logged("person.print")] == [f"{case['payee_number']:010d}"]


def test_a_failed_payment_and_the_bank_s_reason_are_told_in_one_sentence(world: World) -> None:
    world.enter(CLERK)
    with world.home.ward.connect() as connection:
        query = sa.select(ward.entitlement.c.case_number).join(
            ward.payment, ward.payment.c.entitlement_id == ward.entitlement.c.id
        )
        failed = connection.execute(query.where(ward.payment.c.state == "F43")).scalar_one()
        paid = connection.execute(query.where(ward.payment.c.state == "F42").limit(1)).scalar_one()
    assert "の振込が不能でした（" in world.ask(case_number=failed).text
    assert "円を振り込みました" in world.ask(case_number=paid).text


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"purpose": "", "reason": "受付 1"}, "用件を選んでください"),
        ({"purpose": "なんとなく", "reason": "受付 1"}, "用件を選んでください"),
        ({"purpose": "本人からの問合せ", "reason": " "}, "理由を書いてください"),
    ],
)
def test_nobody_looks_without_a_purpose_and_a_reason(world: World, given: dict[str, str], says: str) -> None:
    case = world.enter(CLERK).open_case()
    before = len(world.logged())
    answer = world.post("/people/search", case_number=case["case_number"], **given)
    assert answer.status_code == 400
    assert says in answer.text
    assert case["case_number"] in answer.text, "打ったものが消えた"
    assert world.resident(case["payee_number"])["name"] not in answer.text
    assert len(world.logged()) == before
    refused = world.json("/api/v1/people/search", {"case_number": case["case_number"], **given})
    assert refused.status_code == 400
    assert refused.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "words",
    [
        {},
        {"kana_name": "モリタ"},
        {"birth": "1981-03-11"},
        {"kana_name": "モリタ タロウ", "birth": "三月"},
        {"case_number": "1", "person_number": "2"},
    ],
)
def test_half_a_key_or_two_keys_are_refused_rather_than_answered_as_nobody(world: World, words: dict[str, str]) -> None:
    answer = world.enter(CLERK).ask(**words)
    assert answer.status_code == 400
    assert "エラー：" in answer.text


def test_the_log_row_is_there_before_the_page_and_says_who_why_and_which(both: World) -> None:
    case = both.enter(CLERK).open_case()
    both.ask(case_number=case["case_number"])
    found, seen = both.logged("person.search")[-1], both.logged("person.view")[-1]
    assert (found["actor"], found["subject"]) == (CLERK.id, case["case_number"])
    assert found["reason"] == seen["reason"] == "本人からの問合せ: 受付 12"
    assert seen["subject"] == f"{case['payee_number']:010d}"
    assert case["case_number"] in json.loads(seen["detail"])["cases"]


def test_without_the_log_no_page_comes(both: World) -> None:
    """P16: ログが書けないなら、画面も JSON も何も見せない。"""
    case = both.enter(CLERK).open_case()
    name = both.resident(case["payee_number"])["name"]
    both.ask(case_number=case["case_number"])

    def full(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if "INSERT INTO audit_log" in statement:
            raise sa.exc.OperationalError(statement, {}, Exception("disk full"))

    sa.event.listen(both.home.ward, "before_cursor_execute", full)
    why = {"purpose": "本人からの問合せ", "reason": "受付 12"}
    number = f"{case['payee_number']:010d}"
    answers = [
        both.get("/people/case"),
        both.get("/people/print"),
        both.ask(case_number=case["case_number"]),
        both.post("/people/certificate", programme="r6-2024", reader="", form="pdf"),
        both.json("/api/v1/people/search", {**why, "case_number": case["case_number"]}),
        both.json("/api/v1/people/case", {**why, "person_number": number}),
    ]
    sa.event.remove(both.home.ward, "before_cursor_execute", full)
    for answer in answers:
        assert answer.status_code == 503, answer.url
        assert name not in answer.text
        assert b"%PDF" not in answer.content


def test_a_ward_only_person_looks_like_nobody_to_those_not_named(both: World) -> None:
    """名ざされていない担当には、画面も、JSON も、問い合わせの並びも、ない番号と同じ。"""
    case = both.enter(OTHER).ward_case()
    head = both.resident(case["payee_number"])
    unused = "00000000000"
    pairs = [
        ({"case_number": case["case_number"]}, {"case_number": unused}),
        ({"person_number": f"{case['payee_number']:010d}"}, {"person_number": "0000000001"}),
        ({"household_number": f"{head['household_number']:010d}"}, {"household_number": "0000000001"}),
        (
            {"kana_name": head["kana_name"], "birth": head["birth"]},
            {"kana_name": "ダレモイナイ", "birth": "1931-02-03"},
        ),
    ]
    both.ask(case_number=unused)
    for hidden, absent in pairs:
        with statements(both) as first:
            secret = both.ask(**hidden)
        with statements(both) as second:
            nobody = both.ask(**absent)
        assert NOBODY in secret.text
        typed = [*hidden.values(), *absent.values()]
        shown = [text_of(one.text) for one in (secret, nobody)]
        for word in typed:
            shown = [one.replace(f'value="{word}"', "value") for one in shown]
        assert shown[0] == shown[1]
        assert first == second
    why = {"purpose": "本人からの問合せ", "reason": "受付 12"}
    for number in (case["payee_number"], 1):
        answer = both.json("/api/v1/people/case", {**why, "person_number": f"{number:010d}"})
        assert (answer.status_code, answer.json()["detail"]) == (404, restricted_queue.NO_SUCH)
    assert (
        both.enter(OTHER).post("/people/open", person_number=f"{case['payee_number']:010d}").url.path == "/people/case"
    )
    assert NOBODY in both.get("/people/case").text


def test_a_named_clerk_sees_the_ward_only_case_but_never_the_address_here(world: World) -> None:
    case = world.enter(CLERK).ward_case()
    head = world.resident(case["payee_number"])
    page = world.ask(case_number=case["case_number"]).text
    assert "区直轄" in page
    assert head["name"] in page
    assert head["address"] not in page
    assert head["address"] not in world.get("/people/print").text
    why = {"purpose": "審査と確認", "reason": "受付 12"}
    told = world.json("/api/v1/people/case", {**why, "person_number": f"{case['payee_number']:010d}"}).json()
    assert told["restricted"] is True
    assert told["address"] is None
    assert head["address"] not in json.dumps(told, ensure_ascii=False)


@pytest.mark.parametrize("actor", [AUDITOR, ADMIN])
def test_the_auditor_and_the_administrator_open_no_person(world: World, actor: Any) -> None:
    case = world.enter(actor).open_case()
    name = world.resident(case["payee_number"])["name"]
    why = {"purpose": "監査・検査への対応", "reason": "受付 12"}
    answers = [
        world.get("/people"),
        world.get("/people/case"),
        world.get("/people/print"),
        world.ask(case_number=case["case_number"]),
        world.post("/people/open", person_number=f"{case['payee_number']:010d}"),
        world.post("/people/certificate", programme="r6-2024"),
        world.post("/payments/search", person_number="1", **why),
        world.get("/failures"),
        world.get("/restricted"),
        world.json("/api/v1/people/search", {**why, "case_number": case["case_number"]}),
        world.json("/api/v1/people/case", {**why, "person_number": f"{case['payee_number']:010d}"}),
    ]
    for answer in answers:
        # 入口で断る。中に入ってから（移った先で）断るのでは、探せたかどうかが分かる。
        assert (answer.status_code, answer.history) == (403, []), answer.url
        assert name not in answer.text


def test_ending_the_business_forgets_the_person_and_the_reason(world: World) -> None:
    case = world.enter(CLERK).open_case()
    world.ask(case_number=case["case_number"])
    world.post("/people/close")
    answer = world.get("/people/case")
    assert world.resident(case["payee_number"])["name"] not in answer.text
    assert "受付 12" not in answer.text


def test_json_tells_the_same_as_the_page(world: World) -> None:
    case = world.enter(FIRST).open_case()
    why = {"purpose": "本人からの問合せ", "reason": "受付 12"}
    found = world.json("/api/v1/people/search", {**why, "case_number": case["case_number"]}).json()
    assert [hit["person_number"] for hit in found["hits"]] == [f"{case['payee_number']:010d}"]
    told = world.json("/api/v1/people/case", {**why, "person_number": found["hits"][0]["person_number"]}).json()
    mine = next(one for one in told["cases"] if one["case_number"] == case["case_number"])
    assert mine["amount_yen"] == case["amount_yen"]
    assert any(reason["verdict"] == "対象" and reason["changes"] for reason in told["reasons"])
    assert world.json("/api/v1/people/search", {**why, "surprise": "x"}).status_code == 422
