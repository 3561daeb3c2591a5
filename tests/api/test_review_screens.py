"""審査: 古いものから一件ずつ、別の人が見ないで打つ二度目、違いは項目ごとに、同じ人は照合できない。"""

from __future__ import annotations

import re
from typing import Any

import pytest

from benefit.domain.access import DeskRole
from benefit.store import desk
from tests.api.conftest import Desk, audit_rows, in_days
from tests.api.papers import ACCOUNT, GOOD_CHECKS, Person, case, headline, of, person, rows
from tests.api.test_log_first import refuse_inserts


@pytest.fixture
def first(desk_system: Desk) -> Person:
    return person(desk_system, DeskRole.REVIEWER)


@pytest.fixture
def second(desk_system: Desk) -> Person:
    return person(desk_system, DeskRole.REVIEWER, "reviewer2")


def holder(system: Desk, number: str) -> str:
    return str(case(system, number)["kana_name"])


def opened(who: Person, number: str) -> str:
    return who.post("/review/open", case_number=number).text


def keyed(who: Person, number: str, **changed: Any) -> Any:
    given = {**ACCOUNT, "holder_kana": holder(who.system, number), **GOOD_CHECKS, "deed": "keyed", **changed}
    return who.post("/review/first", case_number=number, **given)


def checked(who: Person, number: str, **changed: Any) -> Any:
    given = {**ACCOUNT, "holder_kana": holder(who.system, number), **changed}
    return who.post("/review/second", case_number=number, **given)


def counts(text: str) -> dict[str, int]:
    """列の件数。"""
    found = re.findall(r'<th scope="row">([^<]+)</th><td class="right"><span[^>]*>件数 </span>([0-9,]+)</td>', text)
    return {name: int(many.replace(",", "")) for name, many in found}


def test_two_people_typing_the_same_finish_the_review(first: Person, second: Person, desk_system: Desk) -> None:
    number = of("C22")
    assert "試験　C22" in opened(first, number)
    assert headline_of(keyed(first, number).text) == "一次入力が済みました"
    assert case(desk_system, number)["state"] == "C23"
    opened(second, number)
    done = checked(second, number, holder_kana=holder(desk_system, number).replace("　", " ")).text
    assert "審査完了" in done
    assert done.count("＝ 同じ") == 5
    finished = case(desk_system, number)
    assert (finished["state"], finished["account_number"]) == ("C27", "1234567")


def headline_of(text: str) -> str:
    found = re.search(r'<div class="outcome[^>]*><h[12]>(.*?)</h[12]>', text)
    return found.group(1) if found else headline(text)


def test_the_second_person_sees_nothing_of_the_first_typing(first: Person, second: Person, desk_system: Desk) -> None:
    number = of("C22")
    opened(first, number)
    keyed(first, number, account_number="7654321")
    shown = opened(second, number)
    assert "二次入力" in shown
    for hidden in ("7654321", "9999", holder(desk_system, number), "9123456"):
        assert hidden not in shown, hidden


def test_a_difference_is_shown_by_field_and_the_case_goes_back(
    first: Person, second: Person, desk_system: Desk
) -> None:
    number = of("C22")
    opened(first, number)
    keyed(first, number)
    opened(second, number)
    shown = checked(second, number, account_number="1234576").text
    assert "二人の入力が違います" in shown
    assert shown.count("≠ 違います") == 1
    assert "1234567" in shown
    assert "1234576" in shown
    assert case(desk_system, number)["state"] == "C23"
    assert counts(first.get("/review").text)["一次入力: 再照合（二人の入力が違った）"] == 1
    assert "前の二人の入力が違いました" in opened(first, number)
    keyed(first, number)
    opened(second, number)
    assert "審査完了" in checked(second, number).text


def test_the_one_who_typed_first_is_refused_with_the_reason(first: Person, desk_system: Desk) -> None:
    number = of("C22")
    opened(first, number)
    keyed(first, number)
    listed = first.get("/review").text
    assert "待っている 1 件は、あなたが一次入力した件です。別の人が照合します" in listed
    shown = opened(first, number)
    assert '<button class="main" disabled aria-describedby="why">' in shown
    assert "同じ人の二度の入力では、間違いに気づけません" in shown
    # 画面を通らずに送っても、断られる。
    refused = checked(first, number)
    assert refused.status_code == 400
    assert rows(desk_system, desk.form_review_approval) == []
    assert first.post("/review/next", kind="second").status_code == 400
    # 見ただけでは押さえない。別の人を待たせない。
    assert rows(desk_system, desk.review_hold) == []


def test_the_queue_counts_by_kind_and_gives_the_oldest_first(first: Person, desk_system: Desk) -> None:
    with desk_system.home.desk.begin() as connection:
        table = desk.benefit_case
        for state, day in (("C22", 9), ("C23", 3)):
            connection.execute(
                table.update()
                .where(table.c.case_number == of(state))
                .values(received_on=desk_system.clock().date().replace(day=day))
            )
    assert counts(first.get("/review").text) == {
        "一次入力: 新規": 2,
        "一次入力: 補正": 1,
        "一次入力: 口座の届出": 1,
        "一次入力: 再照合（二人の入力が違った）": 0,
        "二次入力（照合）": 0,
    }
    shown = first.post("/review/next", kind="new")
    assert shown.url.path == "/review/case"
    assert "試験　C23" in shown.text
    # 番号は URL に出ない。
    assert of("C23") not in str(shown.url)


def test_two_reviewers_are_never_given_the_same_case(first: Person, second: Person, desk_system: Desk) -> None:
    one = first.post("/review/next", kind="correction").text
    assert "試験　C26" in one
    assert second.post("/review/next", kind="correction").status_code == 400
    assert "ほかの人が審査しています" in opened(second, of("C26"))
    assert counts(second.get("/review").text)["一次入力: 補正"] == 0
    # 15 分たてば、ほかの人に出る。前の人の遅れた送信は断られる。
    in_days(desk_system.clock, minutes=15, seconds=1)
    second = person(desk_system, DeskRole.REVIEWER, "reviewer2")
    assert "試験　C26" in second.post("/review/next", kind="correction").text
    first = person(desk_system, DeskRole.REVIEWER)
    assert keyed(first, of("C26")).status_code == 400
    assert rows(desk_system, desk.form_review) == []


def test_a_case_put_back_is_there_for_the_next_person(first: Person, second: Person) -> None:
    first.post("/review/next", kind="account")
    first.post("/review/put-back")
    assert "試験　P23" in second.post("/review/next", kind="account").text


#: 間違った入力と、断りの言葉。
WRONG = (
    ({"account_number": "12345678"}, "7 桁までの数字"),
    ({"bank_code": "99"}, "4 桁の数字"),
    ({"holder_kana": ""}, "口座名義カナを入れてください"),
    ({"check_signature": ""}, "見た項目の全部に"),
    ({"check_signature": "×"}, "× の項目があります"),
    ({"holder_kana": "ベツ　ジン"}, "口座名義が受給者のカナ氏名と違います"),
    (
        {"bank_code": "9900", "branch_code": "", "account_type": "", "account_number": "29990-1"},
        "振込に使えない記号",
    ),
)


def test_a_wrong_form_is_refused_and_what_was_typed_stays(first: Person, desk_system: Desk) -> None:
    number = of("C22")
    opened(first, number)
    for changed, said in WRONG:
        answer = keyed(first, number, **changed)
        assert answer.status_code == 400, changed
        assert said in answer.text
        assert "エラー：" in answer.text.split("</title>")[0]
        assert f'value="{changed.get("branch_code", "001")}"' in answer.text
    assert rows(desk_system, desk.form_review) == []
    assert case(desk_system, number)["state"] == "C22"


def test_another_holder_needs_a_reason_and_the_reason_is_kept(first: Person, desk_system: Desk) -> None:
    number = of("C22")
    opened(first, number)
    assert 'id="holder_reason"' in keyed(first, number, holder_kana="ベツ　ジン").text
    keyed(first, number, holder_kana="ベツ　ジン", holder_reason="成年後見人の口座")
    (review,) = rows(desk_system, desk.form_review)
    assert (review["holder_agrees"], review["holder_reason"]) == (False, "成年後見人の口座")


def test_a_yucho_symbol_and_number_become_the_account_to_pay(first: Person, second: Person, desk_system: Desk) -> None:
    number, yucho = (
        of("C22"),
        {"bank_code": "9900", "branch_code": "", "account_type": "", "account_number": "19990-12345671"},
    )
    opened(first, number)
    keyed(first, number, **yucho)
    opened(second, number)
    assert "審査完了" in checked(second, number, **yucho).text
    finished = case(desk_system, number)
    assert (finished["branch_code"], finished["account_number"]) == ("998", "1234567")


def test_a_defect_needs_its_code_and_leads_to_a_letter_and_a_correction(
    first: Person, second: Person, desk_system: Desk
) -> None:
    number = of("C22")
    opened(first, number)
    refused = keyed(first, number, deed="deficient", check_signature="×")
    assert refused.status_code == 400
    assert "不備の符号が違います" in refused.text
    assert rows(desk_system, desk.deficiency) == []
    found = keyed(first, number, deed="deficient", check_signature="×", defects=["signature", "account_paper"])
    assert headline_of(found.text) == "不備にしました"
    listed = first.get("/deficiencies").text
    assert "署名・記名なし、口座書類なし" in listed
    assert "試験" not in listed.split("<main")[1]
    one = first.post("/deficiencies/open", case_number=number).text
    assert "署名の欄に、ご本人のお名前を書いてください。" in one
    told = first.post(
        "/deficiencies/notified", case_number=number, how="posted", told_on="2024-06-20", days="14", note=""
    )
    assert "2024-07-04" in told.text
    assert case(desk_system, number)["state"] == "C25"
    assert "あと 14 日" in told.text
    reminded = first.post("/deficiencies/remind", case_number=number, reason="補正期限が近い")
    assert "勧奨を、送るべき手紙に入れました" in reminded.text
    twice = first.post("/deficiencies/remind", case_number=number, reason="補正期限が近い")
    assert (twice.status_code, "もう頼んであります" in twice.text) == (400, True)
    assert [row["kind"] for row in rows(desk_system, desk.letter_due)] == ["deficiency", "reminder"]
    corrected = first.post("/deficiencies/correction", case_number=number, channel="post", received_on="2024-06-20")
    assert "補正" in headline_of(corrected.text) + corrected.text
    assert case(desk_system, number)["state"] == "C26"
    assert "前の不備" in opened(first, number)
    keyed(first, number)
    opened(second, number)
    assert "審査完了" in checked(second, number).text


def test_every_opened_case_and_every_comparison_is_logged(first: Person, second: Person, desk_system: Desk) -> None:
    number = of("C22")
    opened(first, number)
    keyed(first, number)
    opened(second, number)
    checked(second, number)
    views = [(row["actor"], row["subject"]) for row in audit_rows(desk_system.home, "case.view")]
    assert views == [("reviewer1", number), ("reviewer2", number)]
    (compared,) = audit_rows(desk_system.home, "review.compare")
    assert (compared["actor"], compared["subject"]) == ("reviewer2", number)
    before = len(audit_rows(desk_system.home, "case.view"))
    desk_deficient = of("C24")
    first.post("/deficiencies/open", case_number=desk_deficient)
    assert len(audit_rows(desk_system.home, "case.view")) == before + 1


def test_the_same_submission_twice_is_one_typing(first: Person, desk_system: Desk) -> None:
    number = of("C22")
    opened(first, number)
    given = {**ACCOUNT, "holder_kana": holder(desk_system, number), **GOOD_CHECKS, "deed": "keyed"}
    shown = [first.post("/review/first", key="twice-000001", case_number=number, **given) for _ in range(2)]
    assert [headline_of(answer.text) for answer in shown] == ["一次入力が済みました"] * 2
    assert len(rows(desk_system, desk.form_review)) == 1


def test_a_counter_person_cannot_review(desk_system: Desk) -> None:
    counter = person(desk_system, DeskRole.COUNTER)
    assert [counter.get(path).status_code for path in ("/review", "/review/case", "/deficiencies")] == [403] * 3
    assert counter.post("/review/open", case_number=of("C22")).status_code == 403


def test_with_the_log_broken_no_paper_screen_shows_a_name(first: Person, second: Person, desk_system: Desk) -> None:
    number = of("C22")
    opened(first, number)
    counter = person(desk_system, DeskRole.COUNTER)
    sheet = {"case_number": of("C20"), "kind": "confirmation", "channel": "post", "received_on": "2024-06-20"}
    ways = {
        "一次入力": lambda: first.get("/review/case"),
        "一次入力（API）": lambda: first.api("GET", "/reviews/current"),
        "不備の一件": lambda: second.post("/deficiencies/open", case_number=of("C24")),
        # 二度押し: 書込みは起きず、初めの結果を見るだけ。それでもログが要る。
        "収受の一枚": lambda: counter.post("/intake/scan", key="again-000001", **sheet),
        "取り消す前の一歩": lambda: person(desk_system, DeskRole.SUPERVISOR).post(
            "/supervisor/step", case_number=of("C20")
        ),
    }
    for way, read in ways.items():
        assert read().status_code == 200, way
    with desk_system.home.desk.begin() as connection:
        refuse_inserts(connection)
    for way, read in ways.items():
        answer = read()
        assert answer.status_code == 503, way
        assert "試" not in answer.text.split("<main")[-1], way
