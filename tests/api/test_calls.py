"""受けている電話ですること: 口座の 30 秒、対応の記録、電話で受ける一歩、取消。"""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest

from benefit.domain.call import CALLERS, PAPERS, PURPOSES, QUESTIONS, requirement
from benefit.domain.case import CASE_STATES, STATE_WORDS, STEPS
from benefit.domain.deficiency import DEFECTS
from benefit.domain.errors import RefusedInput
from benefit.services import desk_lookup, desk_reveal, desk_spoken, desk_why
from benefit.services.desk_cases import need_reason
from benefit.services.desk_notes import TEMPLATES
from benefit.store import desk
from tests.api import phone
from tests.api.conftest import CROWD, Desk, audit_rows, in_days, number_of
from tests.api.phone import ACCOUNT, PROGRESS, birth_of, key, of_case, opened, written

TODAY = date(2024, 8, 1)
C20 = number_of(CASE_STATES.index("C20"))


def state_of(desk_system: Desk, number: str) -> str:
    table = desk.benefit_case
    with desk_system.home.desk.connect() as connection:
        return str(connection.execute(table.select().where(table.c.case_number == number)).mappings().one()["state"])


def reveal(
    desk_system: Desk, headers: dict[str, str], reason: str = "本人が口座を尋ねた"
) -> tuple[int, dict[str, str]]:
    answer = desk_system.client.post(
        "/api/v1/case/account", json={"reason": reason}, headers=of_case(desk_system, headers)
    )
    return answer.status_code, answer.json()


def test_the_account_is_shown_for_thirty_seconds_with_a_reason_and_leaves_a_line(desk_system: Desk) -> None:
    csrf = desk_system.login()
    phone.answer(desk_system, csrf, number_of(200), purpose=ACCOUNT)
    form = {"csrf": csrf, "operation": key()}
    empty = desk_system.client.post("/case/account", data={**form, "reason": " "})
    assert empty.status_code == 400
    assert "9123456" not in empty.text
    shown = desk_system.client.post("/case/account", data={"csrf": csrf, "operation": key(), "reason": "本人が尋ねた"})
    assert "9123456" in shown.text
    assert shown.headers["refresh"] == "30; url=/case"
    in_days(desk_system.clock, seconds=31)
    hidden = desk_system.client.get("/case/account")
    assert hidden.url.path == "/case"
    assert "9123456" not in hidden.text
    (row,) = audit_rows(desk_system.home, "account.reveal")
    assert (row["actor"], row["subject"], row["reason"]) == ("operator1", number_of(200), "本人が尋ねた")
    with desk_system.home.desk.connect() as connection:
        kept = "".join(
            str(dict(one))
            for table in (desk.audit_log, desk.operation, desk.account_reveal)
            for one in connection.execute(table.select()).mappings()
        )
    assert "9123456" not in kept


@pytest.mark.parametrize("home", ["sqlite"], indirect=True)
def test_an_account_needs_the_person_himself_with_birthday_and_address_and_has_an_hourly_limit(
    desk_system: Desk,
) -> None:
    headers = desk_system.token()
    # 番号と生年月日だけの本人（進み具合には足りる）には、出さない。
    phone.begin(desk_system, headers)
    found = desk_system.client.post("/api/v1/search", json={"case_number": number_of(200)}, headers=headers).json()
    desk_system.client.post("/api/v1/case", json={"hit": found["hits"][0]["hit"]}, headers=written(headers))
    heard = {"caller": "self", "ticked": ["name"], "birth": "1950-11-12"}
    assert desk_system.client.post("/api/v1/case/identity", json=heard, headers=of_case(desk_system, headers)).json()[
        "complete"
    ]
    assert reveal(desk_system, headers)[0] == 400
    for count in range(desk_reveal.MOST_AN_HOUR_BY_PHONE):
        opened(desk_system, headers, purpose=ACCOUNT)
        status, account = reveal(desk_system, headers)
        assert (status, account["account_number"]) == (200, "9123456"), count
    # 越えた数は、入り直しても、別の電話でも、越えたまま。一時間たてば戻る。
    headers = desk_system.token()
    opened(desk_system, headers, purpose=ACCOUNT)
    assert reveal(desk_system, headers)[0] == 400
    in_days(desk_system.clock, hours=1, seconds=1)
    headers = desk_system.token()
    opened(desk_system, headers, purpose=ACCOUNT)
    assert reveal(desk_system, headers)[0] == 200


@pytest.mark.parametrize("home", ["sqlite"], indirect=True)
def test_the_same_reveal_sent_again_after_thirty_seconds_shows_nothing(desk_system: Desk) -> None:
    headers = desk_system.token()
    opened(desk_system, headers, purpose=ACCOUNT)
    once = of_case(desk_system, headers)
    body = {"reason": "本人が尋ねた"}
    assert desk_system.client.post("/api/v1/case/account", json=body, headers=once).status_code == 200
    in_days(desk_system.clock, seconds=31)
    again = desk_system.client.post("/api/v1/case/account", json=body, headers=once)
    assert again.status_code == 404
    assert "9123456" not in again.text
    assert len(audit_rows(desk_system.home, "account.reveal")) == 1


def test_a_note_is_added_never_changed_and_says_which_call(desk_system: Desk) -> None:
    csrf = desk_system.login()
    phone.answer(desk_system, csrf, C20)
    note = {"csrf": csrf, "category": "letter", "template": "reissued", "body": "急いでいる。"}
    page = desk_system.client.post("/case/contact", data={**note, "operation": key()})
    assert TEMPLATES["reissued"] in page.text
    with desk_system.home.desk.connect() as connection:
        (first,) = connection.execute(desk.contact.select()).mappings().all()
    assert (first["call_reference"], first["written_by"], first["category"]) == ("T-1", "operator1", "letter")
    added = {**note, "template": "", "body": "住所は登録のまま。", "corrects": str(first["id"])}
    page = desk_system.client.post("/case/contact", data={**added, "operation": key()})
    assert "対応（手紙）への追記" in page.text
    # 空の記録は断り、打ったものは残る。
    empty = desk_system.client.post("/case/contact", data={**note, "template": "", "body": " ", "operation": key()})
    assert empty.status_code == 400
    wrong = desk_system.client.post("/case/contact", data={**added, "body": "もう一つ", "operation": key()})
    assert (wrong.status_code, "もう一つ" in wrong.text) == (400, True)


@pytest.mark.parametrize("home", ["sqlite"], indirect=True)
def test_a_page_of_the_last_call_writes_nothing_into_the_case_of_this_call(desk_system: Desk) -> None:
    """二つのタブ: 前の電話の画面から送ったものは、いま開いている別の人の件に入らない。"""
    csrf, client = desk_system.login(), desk_system.client
    old = phone.answer(desk_system, csrf, C20, purpose="辞退").text
    forms = old.count('action="/case/')
    (mark,) = set(re.findall(r'name="seen" value="([0-9a-f]{64})"', old))
    assert forms == old.count('name="seen"') > 3
    client.post("/call/end", data={"csrf": csrf})
    phone.search(desk_system, csrf, number_of(200), reference="T-2", purpose=PROGRESS)
    stale = {"csrf": csrf, "seen": mark}
    sent = {
        "/case/identity": {"caller": "self", "ticked": ["name"], "birth": birth_of(desk_system, number_of(200))},
        "/case/contact": {"category": "call", "body": "前の人の話"},
        "/case/step": {"key": "death_told", "reason": "聞いた", "sure": "yes"},
        "/case/account": {"reason": "尋ねられた"},
    }
    for path, form in sent.items():
        refused = client.post(path, data={**stale, "operation": key(), **form})
        assert (refused.status_code, "ほかの電話か件へ移っています" in refused.text) == (400, True), path
        assert "前の人の話" not in refused.text
    with desk_system.home.desk.connect() as connection:
        assert connection.execute(desk.contact.select()).all() == []
        checks = connection.execute(desk.identity_check.select()).mappings().all()
    assert [row["matched"] for row in checks if row["case_number"] == number_of(200)] == ["number"]
    # 検索の画面も: 前の電話の画面から探したものを、いまの電話の記録に入れない。
    searched = client.post("/search", data={**stale, "words": C20})
    assert (searched.status_code, len(audit_rows(desk_system.home, "case.search"))) == (400, 2)


@pytest.mark.parametrize("home", ["sqlite"], indirect=True)
def test_a_client_of_the_api_writes_only_into_the_case_whose_mark_it_sends(desk_system: Desk) -> None:
    """二つの電話を続けて受ける相手: 前の件の印では、いまの件に何も入らず、口座も出ない。"""
    headers, client = desk_system.token(), desk_system.client
    opened(desk_system, headers, C20, purpose=ACCOUNT)
    before = of_case(desk_system, headers)["If-Match"]
    opened(desk_system, headers, purpose=ACCOUNT)
    assert client.get("/api/v1/case", headers=headers).headers["ETag"] != before
    sent: dict[str, dict[str, Any]] = {
        "identity": {"caller": "self", "birth": birth_of(desk_system, number_of(200))},
        "contacts": {"body": "前の人の話"},
        "steps": {"key": "death_told", "reason": "聞いた"},
        "account": {"reason": "尋ねられた"},
    }
    for path, body in sent.items():
        old = {**written(headers), "If-Match": before}
        refused = client.post(f"/api/v1/case/{path}", json=body, headers=old)
        assert (refused.status_code, "ほかの電話か件へ移っています" in refused.text) == (412, True), path
        assert client.post(f"/api/v1/case/{path}", json=body, headers=written(headers)).status_code == 422, path
    with desk_system.home.desk.connect() as connection:
        assert connection.execute(desk.contact.select()).all() == []
        assert connection.execute(desk.account_reveal.select()).all() == []


@pytest.mark.parametrize("home", ["sqlite"], indirect=True)
@pytest.mark.parametrize("corrects", ["9" * 30, "-1", "²"])
def test_a_record_number_out_of_reach_is_refused_not_an_error(desk_system: Desk, corrects: str) -> None:
    csrf = desk_system.login()
    phone.answer(desk_system, csrf, C20)
    form = {"csrf": csrf, "operation": key(), "category": "call", "body": "話した", "corrects": corrects}
    assert desk_system.client.post("/case/contact", data=form).status_code == 422


def test_a_refusal_is_taken_from_the_person_and_undone_by_a_step_of_its_own(desk_system: Desk) -> None:
    headers, client = desk_system.token(), desk_system.client
    opened(desk_system, headers, C20, purpose="辞退")
    offered = [one["key"] for one in client.get("/api/v1/case", headers=headers).json()["actions"]]
    assert offered == ["refusal_received", "death_told", "reissue"]
    body = {"key": "refusal_received", "reason": "本人が電話で辞退と言った"}
    assert client.post("/api/v1/case/steps", json=body, headers=of_case(desk_system, headers)).status_code == 200
    assert state_of(desk_system, C20) == "C29"
    case = client.get("/api/v1/case", headers=headers).json()
    assert "undo" in [one["key"] for one in case["actions"]]
    undo = {"key": "undo", "reason": "聞き違い"}
    assert client.post("/api/v1/case/steps", json=undo, headers=of_case(desk_system, headers)).status_code == 200
    assert state_of(desk_system, C20) == "C20"
    undone = [step for step in client.get("/api/v1/case", headers=headers).json()["steps"] if step["undone_by"]]
    assert [(step["title"], step["undone_by"]) for step in undone] == [("辞退の受付", "コールセンター operator1")]


@pytest.mark.parametrize("home", ["sqlite"], indirect=True)
def test_a_death_heard_wrong_from_the_family_is_taken_back_by_the_one_who_heard_it(desk_system: Desk) -> None:
    csrf, client = desk_system.login(), desk_system.client
    phone.search(desk_system, csrf, C20, purpose="受給者が亡くなった")
    birth = birth_of(desk_system, C20)
    page = phone.identify(desk_system, csrf, caller="family", ticked=("name", "relation"), birth=birth).text
    assert "間違いのときは、10 分以内なら自分で取り消せます" in page
    told = {"csrf": csrf, "operation": key(), "key": "death_told", "reason": "長男から", "sure": "yes"}
    page = client.post("/case/step", data=told).text
    assert (state_of(desk_system, C20), "「受給者死亡の申出」を取り消す" in page) == ("X60", True)
    back = {"csrf": csrf, "key": "undo", "reason": "別の人の話だった"}
    assert client.post("/case/step", data={**back, "operation": key()}).status_code == 200
    assert state_of(desk_system, C20) == "C20"
    # 取り消せるのは 10 分以内。
    client.post("/case/step", data={**told, "operation": key()})
    in_days(desk_system.clock, minutes=11)
    assert client.post("/case/step", data={**back, "operation": key()}).status_code == 400
    assert state_of(desk_system, C20) == "X60"


@pytest.mark.parametrize("home", ["sqlite"], indirect=True)
def test_a_button_that_is_not_offered_cannot_be_pressed(desk_system: Desk) -> None:
    headers, client = desk_system.token(), desk_system.client
    opened(desk_system, headers, C20)
    for event in {step.event for step in STEPS} | {"undo", "x", "deficiency_found"}:
        if event in {"refusal_received", "death_told"}:
            continue
        answer = client.post(
            "/api/v1/case/steps", json={"key": event, "reason": "わけ"}, headers=of_case(desk_system, headers)
        )
        assert answer.status_code == 400, event
    # 家族の電話では、本人の意思にかかわることを受けない。
    with desk_system.home.desk.connect() as connection:
        born = (
            connection.execute(desk.benefit_case.select().where(desk.benefit_case.c.case_number == C20))
            .mappings()
            .one()
        )
    heard = {"caller": "family", "ticked": ["name", "relation", "consent"], "birth": born["birth"], "address": "1-2-3"}
    assert (
        client.post("/api/v1/case/identity", json=heard, headers=of_case(desk_system, headers)).json()["complete"]
        is True
    )
    for event in ("refusal_received", "reissue"):
        answer = client.post(
            "/api/v1/case/steps", json={"key": event, "reason": "わけ"}, headers=of_case(desk_system, headers)
        )
        assert answer.status_code == 400, event
    assert state_of(desk_system, C20) == "C20"


@pytest.mark.parametrize("home", ["sqlite"], indirect=True)
def test_a_reissue_is_asked_once_and_is_seen_on_the_case(desk_system: Desk) -> None:
    headers, client = desk_system.token(), desk_system.client
    opened(desk_system, headers, C20, purpose="届かない・なくした")
    body = {"key": "reissue", "reason": "届いていない"}
    assert client.post("/api/v1/case/steps", json=body, headers=of_case(desk_system, headers)).status_code == 200
    assert client.get("/api/v1/case", headers=headers).json()["letters"] == ["再発行"]
    assert client.post("/api/v1/case/steps", json=body, headers=of_case(desk_system, headers)).status_code == 400


def test_every_state_has_a_sentence_a_reason_and_a_way_on_and_every_defect_an_english_twin() -> None:
    days = dict.fromkeys(("due_on", "received_on", "correction_due_on", "transferred_on"))
    for state in CASE_STATES:
        case = {"state": state, **days}
        said, why = desk_spoken.spoken(case, tuple(DEFECTS), TODAY), desk_why.why(case, (), None)
        for text in (said.says, said.says_english, said.next_step, *why.lines):
            assert text, state
            assert "{" not in text, state
        assert STATE_WORDS[state].name in why.lines[0]
        # 税、所得、支援措置、ほかの給付のことは、なぜにも出ない。
        for word in ("税", "所得", "非課税", "支援措置", "DV", "施設", "世帯"):
            assert word not in "".join(why.lines), (state, word)
    both = {code: desk_spoken.spoken({"state": "C24", **days}, (code,), TODAY) for code in DEFECTS}
    assert len({one.says for one in both.values()}) == len({one.says_english for one in both.values()}) == len(DEFECTS)


@pytest.mark.parametrize(
    "body",
    [
        "口座は9123456です",
        "新しい番号は９１２３４５６",
        "記号番号10120-12345671",
        "個人番号123456789012",
        "\u200b",
        "　\u3000\u2060",
    ],
)
def test_a_note_takes_no_account_number_and_nothing_invisible(body: str) -> None:
    with pytest.raises(RefusedInput):
        need_reason(body)


@pytest.mark.parametrize(
    "body", ["電話は03-1234-5678か09012345678", "〒169-0075、2024-07-19 と 20240719", f"番号 {number_of(3)} の人", "了"]
)
def test_a_note_takes_phones_days_and_case_numbers(body: str) -> None:
    assert need_reason(f" {body}　") == body


@pytest.mark.parametrize("home", ["sqlite"], indirect=True)
def test_a_call_of_an_invisible_number_does_not_begin(desk_system: Desk) -> None:
    headers = desk_system.token()
    assert [phone.begin(desk_system, headers, reference=given).status_code for given in ("\u200b", "　")] == [400, 400]


@pytest.mark.parametrize("home", ["sqlite"], indirect=True)
def test_an_account_number_in_a_note_is_refused_and_kept_nowhere(desk_system: Desk) -> None:
    csrf = desk_system.login()
    phone.answer(desk_system, csrf, C20, purpose=ACCOUNT)
    form = {"csrf": csrf, "category": "call", "body": "口座は9876543に変えたい"}
    refused = desk_system.client.post("/case/contact", data={**form, "operation": key()})
    assert (refused.status_code, "口座番号か個人番号に見える数字" in refused.text) == (400, True)
    shown = desk_system.client.post("/case/account", data={"csrf": csrf, "operation": key(), "reason": "\u200b"})
    assert shown.status_code == 400
    with desk_system.home.desk.connect() as connection:
        assert connection.execute(desk.contact.select()).all() == []


#: 状態、過ぎた日に言わない言葉、代わりに言うこと。
PASSED = (
    ("P20", "申し出がなければ", "期限（令和6年7月31日）を過ぎました"),
    ("P22", "まで受け付けます", "取りやめの期限（令和6年7月31日）は過ぎています"),
    ("C20", "ご返送ください", "期限は令和6年7月31日でした"),
    ("C25", "お送りください", "期限は令和6年7月31日でした"),
    ("F40", "振り込む予定", "入金の結果を確認しています"),
    ("F41", "振り込む予定", "入金の結果を確認しています"),
)


@pytest.mark.parametrize(("state", "before", "after"), PASSED)
def test_a_day_that_has_passed_is_never_read_out_as_a_day_to_come(state: str, before: str, after: str) -> None:
    names = ("due_on", "received_on", "correction_due_on", "transferred_on")
    on_the_day, passed = (
        desk_spoken.spoken({"state": state, **dict.fromkeys(names, day)}, ("signature",), TODAY)
        for day in (TODAY, date(2024, 7, 31))
    )
    assert before in on_the_day.says
    assert (before in passed.says, after in passed.says, passed.next_on) == (False, True, None)
    assert passed.says_english != on_the_day.says_english
    assert "July 31, 2024" in passed.says_english


def test_whatever_the_operator_reads_out_has_an_english_twin(desk_system: Desk) -> None:
    csrf = desk_system.login()
    for words, says in ((number_of(9_999), desk_lookup.ASK_WARD), (" ".join(CROWD), desk_lookup.TOO_MANY)):
        shown = phone.search(desk_system, csrf, words).text
        assert says in shown
        assert desk_lookup.IN_ENGLISH[says] in shown
    phone.search(desk_system, csrf, C20)
    refused = phone.identify(desk_system, csrf, caller="caseworker", ticked=()).text
    assert desk_lookup.IN_ENGLISH[desk_lookup.TO_WARD] in refused


def test_no_caller_opens_a_case_with_one_answer_and_an_outsider_never() -> None:
    for purpose in PURPOSES:
        for caller in CALLERS:
            required = requirement(purpose, caller)
            if purpose == PAPERS:
                continue
            assert (
                required is not None
                or caller in {"caseworker", "other"}
                or (purpose, caller) == ("受給者が亡くなった", "self")
            )
            if required is None:
                continue
            for one in QUESTIONS:
                assert not required.met(frozenset({one})), (purpose, caller, one)
            assert required.met(frozenset(QUESTIONS))
            assert required.acts is (caller == "self")
            assert required.tells is (purpose != "受給者が亡くなった")
    assert requirement(PROGRESS, "caseworker") is None
