"""収受・審査・管理者の JSON: 画面と同じ決まり、書込みには札、断りは problem details、説明は日本語。"""

from __future__ import annotations

import re
from typing import Any

import pytest

from api import access
from benefit.domain.access import DeskRole
from benefit.domain.deficiency import CHECK_ITEMS
from benefit.store import desk
from tests.api.conftest import Desk, audit_rows, number_of
from tests.api.papers import ACCOUNT, Person, case, of, person, rows

MINE = re.compile(
    r"^/api/v1/(received-forms|returned-mail|reviews|deficiencies|letters-due|workload|look-up-stops|steps)"
)
BUNDLE = {"kind": "confirmation", "received_on": "2024-06-20"}
CHECKS = dict.fromkeys(CHECK_ITEMS, "○")


@pytest.fixture
def counter(desk_system: Desk) -> Person:
    return person(desk_system, DeskRole.COUNTER)


@pytest.fixture
def first(desk_system: Desk) -> Person:
    return person(desk_system, DeskRole.REVIEWER)


def typed(system: Desk, number: str, **changed: Any) -> dict[str, Any]:
    return {"case_number": number, **ACCOUNT, "holder_kana": case(system, number)["kana_name"], **changed}


def test_a_form_is_taken_once_however_often_it_is_sent(counter: Person, desk_system: Desk) -> None:
    sent = [counter.api("POST", "/received-forms", key="same-key-1", case_number=of("C20"), **BUNDLE) for _ in range(2)]
    assert [answer.status_code for answer in sent] == [200, 200]
    assert sent[0].json() == sent[1].json()
    assert sent[0].json()["standing"] == "taken"
    assert sent[0].json()["name"] == "試○　C○0"
    assert len(rows(desk_system, desk.received_form)) == 1
    assert len(audit_rows(desk_system.home, "case.glimpse")) == 2
    assert counter.api("GET", "/received-forms/today").json() == {"count": 1, "by_kind": {"確認書": 1}}


def test_a_write_without_its_key_is_refused(counter: Person, desk_system: Desk) -> None:
    headers = {"Authorization": f"Bearer {counter.token}"}
    for path, methods in desk_system.client.app.openapi()["paths"].items():  # type: ignore[attr-defined]
        if "post" in methods and MINE.match(path):
            names = {one["name"].lower() for one in methods["post"]["parameters"]}
            assert "idempotency-key" in names, path
    answer = counter.client.post("/api/v1/received-forms", headers=headers, json={"case_number": of("C20"), **BUNDLE})
    assert answer.status_code == 422
    assert rows(desk_system, desk.received_form) == []


def test_a_list_and_returned_mail_answer_line_by_line(counter: Person, desk_system: Desk) -> None:
    listed = counter.api("POST", "/received-forms/list", case_numbers=[number_of(100), "x", number_of(9_001)], **BUNDLE)
    assert [line["standing"] for line in listed.json()["lines"]] == ["taken", "refused", "refused"]
    back = {"reason": "moved", "returned_on": "2024-06-20"}
    one = counter.api("POST", "/returned-mail", case_number=number_of(101), **back)
    assert one.json()["standing"] == "returned"
    many = counter.api("POST", "/returned-mail/list", case_numbers=[number_of(102), number_of(101)], **back)
    assert [line["standing"] for line in many.json()["lines"]] == ["returned", "refused"]
    assert case(desk_system, number_of(102))["state"] == "C21"


def test_a_refusal_is_a_problem_with_what_to_do_next(counter: Person) -> None:
    answer = counter.api("POST", "/received-forms", case_number=number_of(9_001), **BUNDLE)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(answer.json()) == {"type", "title", "status", "detail"}
    assert "区で確認します" in answer.json()["detail"]


def test_two_people_finish_a_review_and_the_same_person_never_does(first: Person, desk_system: Desk) -> None:
    number = of("C22")
    assert first.api("POST", "/reviews/open", case_number=number).json() == {"case_number": number}
    seen = first.api("GET", "/reviews/current").json()
    assert (seen["kind"], seen["name"]) == ("new", "試験　C22")
    assert first.api("POST", "/reviews/first", checks=CHECKS, **typed(desk_system, number)).status_code == 200
    # 同じ人の二度目は、押さえていても、いなくても断る。
    assert first.api("POST", "/reviews/open", case_number=number).status_code == 403
    same = first.api("POST", "/reviews/second", **typed(desk_system, number))
    assert same.status_code == 400
    assert "一度目を入力した人は、二度目を入力できません" in same.json()["detail"]
    assert rows(desk_system, desk.form_review_approval) == []
    assert case(desk_system, number)["state"] == "C23"
    second = person(desk_system, DeskRole.REVIEWER, "reviewer2")
    taken = second.api("POST", "/reviews/next", kind="second").json()
    assert taken == {"case_number": number}
    blind = second.api("GET", "/reviews/current").text
    assert case(desk_system, number)["kana_name"] not in blind
    assert ACCOUNT["account_number"] not in blind
    done = second.api("POST", "/reviews/second", **typed(desk_system, number)).json()
    assert (done["differing"], done["state"], len(done["rows"])) == ([], "C27", 5)
    assert len(audit_rows(desk_system.home, "review.compare")) == 1


def test_a_difference_is_told_by_field(first: Person, desk_system: Desk) -> None:
    number = of("C26")
    first.api("POST", "/reviews/next", kind="correction")
    first.api("POST", "/reviews/first", checks=CHECKS, **typed(desk_system, number))
    second = person(desk_system, DeskRole.REVIEWER, "reviewer2")
    done = second.api("POST", "/reviews/second", **typed(desk_system, number, branch_code="002")).json()
    assert done["differing"] == ["支店コード"]
    assert [row["name"] for row in done["rows"] if row["differs"]] == ["支店コード"]
    queue = {row["kind"]: row["count"] for row in first.api("GET", "/reviews/queue").json()["rows"]}
    assert queue["again"] == 1


def test_a_defect_without_a_code_is_refused_and_with_one_runs_to_the_correction(
    first: Person, desk_system: Desk
) -> None:
    number = of("C22")
    first.api("POST", "/reviews/open", case_number=number)
    for codes in ([], ["nothing"]):
        assert first.api("POST", "/deficiencies", case_number=number, codes=codes).status_code in {400, 422}
    assert case(desk_system, number)["state"] == "C22"
    found = first.api("POST", "/deficiencies", case_number=number, codes=["signature"])
    assert found.json() == {"round": 1, "codes": ["signature"]}
    told = first.api("POST", "/deficiencies/notified", case_number=number, how="told", told_on="2024-06-20")
    assert told.json()["correction_due_on"] == "2024-07-04"
    listed = first.api("GET", "/deficiencies").json()
    assert {"case_number": number, "days_left": 14}.items() <= next(
        row for row in listed["rows"] if row["case_number"] == number
    ).items()
    reminded = first.api("POST", "/deficiencies/remind", case_number=number, reason="補正期限が近い")
    assert reminded.json() == {"case_number": number}
    corrected = first.api("POST", "/deficiencies/correction", case_number=number, received_on="2024-06-20")
    assert corrected.json()["standing"] == "taken"
    assert case(desk_system, number)["state"] == "C26"


def test_the_supervisor_sees_the_work_and_undoes_a_step(first: Person, counter: Person, desk_system: Desk) -> None:
    counter.api("POST", "/received-forms", case_number=of("C20"), **BUNDLE)
    supervisor = person(desk_system, DeskRole.SUPERVISOR)
    told = supervisor.api("GET", "/workload").json()
    assert [(row["staff_id"], row["counts"]["収受"]) for row in told["work"]] == [("counter1", 1)]
    assert next(row["count"] for row in told["waiting"] if "新規" in row["name"]) == 2
    undone = supervisor.api("POST", "/steps/undo", case_number=of("C20"), reason="別の人の紙だった")
    assert undone.json() == {"case_number": of("C20"), "state": "C20"}
    assert supervisor.api("POST", "/letters-due/remind").json() == {"count": 6 + 1}
    due = supervisor.api("GET", "/letters-due").json()
    assert due["counts"]["勧奨"] == 7
    chosen = [row["id"] for row in due["rows"]][:3]
    marked = supervisor.api("POST", "/letters-due/done", letters=chosen, deed="posted", done_on="2024-06-20")
    assert marked.json()["letters"] == chosen
    assert supervisor.api("GET", "/letters-due").json()["counts"]["勧奨"] == 4
    for refused in (first, counter):
        assert refused.api("GET", "/workload").status_code == 403


def test_every_path_is_described_in_japanese(desk_system: Desk) -> None:
    described = desk_system.client.app.openapi()  # type: ignore[attr-defined]
    japanese = re.compile(r"[ぁ-んァ-ヶ一-龠]")
    mine = {path: methods for path, methods in described["paths"].items() if MINE.match(path)}
    assert len(mine) == len({path for _, path in access.DESK_ACCESS if MINE.match(path)})
    for path, methods in mine.items():
        for method, told in methods.items():
            assert japanese.search(told["description"]), (path, method)
            assert all(
                japanese.search(answer["description"]) for code, answer in told["responses"].items() if code != "200"
            )
            assert "403" in told["responses"]
