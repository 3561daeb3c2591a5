"""収受と返戻: 番号を打って Enter、一枚は一度だけ数え、窓口の人には伏せた氏名と町名だけが見える。"""

from __future__ import annotations

import pytest

from benefit.domain.access import DeskRole
from benefit.store import desk
from tests.api.conftest import Desk, audit_rows, in_days, number_of
from tests.api.papers import Person, case, headline, of, person, rows

BUNDLE = {"kind": "confirmation", "channel": "post", "received_on": "2024-06-20"}


@pytest.fixture
def counter(desk_system: Desk) -> Person:
    return person(desk_system, DeskRole.COUNTER)


def scan(who: Person, number: str, *, key: str = "", **bundle: str) -> str:
    return who.post("/intake/scan", key=key, case_number=number, **{**BUNDLE, **bundle}).text


def test_a_scan_takes_the_form_and_the_bundle_stays_for_the_next_sheet(counter: Person, desk_system: Desk) -> None:
    shown = scan(counter, of("C20"), channel="counter", box="箱-07")
    assert headline(shown) == "収受しました"
    assert case(desk_system, of("C20"))["state"] == "C22"
    assert '<option value="counter" selected>' in shown
    assert 'value="箱-07"' in shown
    assert "今日、この人が受けたもの: 1 枚" in shown
    # 番号の箱は空に戻り、そこに焦点がある（読み取り機の次の一枚が、前の番号につながらない）。
    assert 'name="case_number" inputmode="numeric" maxlength="100" autofocus' in shown
    (form,) = rows(desk_system, desk.received_form)
    assert (form["box"], form["channel"], form["received_by"]) == ("箱-07", "counter", "counter1")


def test_a_counter_person_sees_a_masked_name_and_the_town_and_it_is_logged(counter: Person, desk_system: Desk) -> None:
    shown = scan(counter, of("C20"))
    assert "試○　C○0 様" in shown
    assert "高田馬場" in shown
    for hidden in ("試験　C20", "シケン", "一丁目", "メゾン", "1950", "9123456", "100,000"):
        assert hidden not in shown, hidden
    (seen,) = audit_rows(desk_system.home, "case.glimpse")
    assert (seen["actor"], seen["subject"]) == ("counter1", of("C20"))


def test_a_paper_that_cannot_be_taken_tells_the_state_only_after_a_line_is_left(
    counter: Person, desk_system: Desk
) -> None:
    shown = scan(counter, of("F42"))
    assert "「振込済」の件に" in shown
    listed = {**BUNDLE, "numbers": f"{of('F42')}\n{of('D34')}"}
    assert "「振込済」の件に" in counter.post("/intake/list", **listed).text
    told = [(row["actor"], row["subject"], str(row["detail"])) for row in audit_rows(desk_system.home, "form.refuse")]
    assert [row[:2] for row in told] == [("counter1", of("F42")), ("counter1", "")]
    assert of("D34") in told[1][2]


@pytest.mark.parametrize("home", ["sqlite"], indirect=True)
def test_a_year_typed_wrong_is_refused_before_it_reaches_the_ledger(counter: Person, desk_system: Desk) -> None:
    """0024 年の収受日は、和暦で言えず、その件の画面を開けなくする。一年前の消印は、遅れた紙を期限の内にする。"""
    for bundle, said in (
        ({"received_on": "0024-06-20"}, "古すぎる日付です"),
        ({"received_on": "2024-06-20", "postmark_on": "2023-06-18"}, "年と月を確かめてください"),
        ({"received_on": "2024-06-20", "postmark_on": "0024-06-18"}, "古すぎる日付です"),
    ):
        assert said in scan(counter, of("C20"), **bundle)
    back = {"reason": "unknown_address", "returned_on": "0024-06-20"}
    assert "古すぎる日付です" in counter.post("/intake/returned/scan", case_number=of("C20"), **back).text
    assert rows(desk_system, desk.received_form) == rows(desk_system, desk.returned_mail) == []
    assert counter.post("/intake/undo", form_id="9" * 30, reason="取り違え").status_code == 422


@pytest.mark.parametrize("home", ["sqlite"], indirect=True)
def test_a_letter_cannot_be_marked_as_sent_tomorrow_or_in_the_year_24(desk_system: Desk) -> None:
    supervisor = person(desk_system, DeskRole.SUPERVISOR)
    for on in ("2999-01-01", "0024-06-20"):
        given = {"letters": [1], "deed": "posted", "done_on": on}
        assert "した日" in supervisor.api("POST", "/letters-due/done", **given).json()["detail"]
    big = {"letter": "9" * 30, "deed": "posted", "told_on": "2024-06-20"}
    assert supervisor.post("/letters-due/done", **big).status_code == 422


def test_pressing_enter_twice_counts_one_sheet(counter: Person, desk_system: Desk) -> None:
    first = scan(counter, of("C20"), key="enter-twice-01")
    again = scan(counter, of("C20"), key="enter-twice-01")
    assert headline(first) == headline(again) == "収受しました"
    assert len(rows(desk_system, desk.received_form)) == 1
    # 同じ札で中身が違えば、どちらも信じない。
    other = counter.post("/intake/scan", key="enter-twice-01", case_number=number_of(100), **BUNDLE)
    assert other.status_code == 409
    assert len(rows(desk_system, desk.received_form)) == 1


#: 一枚ごとの答え: 番号、束の違い、答え。
SHEETS = (
    (of("C22"), {}, "受け付けていません"),
    (number_of(9_001), {}, "番号がありません → 区で確認します"),
    ("12345678901", {}, "受け付けていません"),
    (of("C24"), {"kind": "correction"}, "収受しました"),
    (of("F44"), {"kind": "new_account"}, "収受しました"),
    (of("P20"), {"kind": "account"}, "収受しました"),
    (number_of(100), {"kind": "refusal"}, "収受しました"),
    (number_of(101), {"received_on": "2024-06-21"}, "受け付けていません"),
)
#: 期限（7 月 19 日）の次の日に届いた一枚。消印が期限の日なら受ける。
AFTER_THE_DAY = (
    (number_of(102), {"received_on": "2024-07-20"}, "期限後です"),
    (number_of(103), {"received_on": "2024-07-20", "postmark_on": "2024-07-19"}, "収受しました"),
)


def test_each_sheet_gets_its_one_answer(desk_system: Desk) -> None:
    for days, sheets in ((0, SHEETS), (31, AFTER_THE_DAY)):
        in_days(desk_system.clock, days=days)
        counter = person(desk_system, DeskRole.COUNTER)
        for number, bundle, said in sheets:
            assert headline(scan(counter, number, **bundle)) == said, (number, bundle)


def test_the_second_copy_is_linked_to_the_first(counter: Person, desk_system: Desk) -> None:
    scan(counter, of("C20"))
    assert headline(scan(counter, of("C20"))) == "二重提出です"
    first, second = rows(desk_system, desk.received_form)
    assert (second["standing"], second["first_id"]) == ("duplicate", first["id"])


def test_an_unknown_number_and_a_withdrawn_one_are_answered_alike(counter: Person, desk_system: Desk) -> None:
    known = scan(counter, number_of(9_001)).replace(number_of(9_001)[8:], "")
    with desk_system.home.desk.begin() as connection:
        connection.execute(desk.benefit_case.delete().where(desk.benefit_case.c.case_number == of("C20")))
    assert headline(scan(counter, of("C20"))) == headline(known) == "番号がありません → 区で確認します"
    assert audit_rows(desk_system.home, "case.glimpse") == []


def test_the_last_sheet_can_be_taken_back_and_is_not_counted(counter: Person, desk_system: Desk) -> None:
    shown = scan(counter, of("C20"))
    form_id = rows(desk_system, desk.received_form)[0]["id"]
    assert f'name="form_id" value="{form_id}"' in shown
    undone = counter.post("/intake/undo", form_id=form_id, reason="別の束の紙だった")
    assert headline(undone.text) == "取り消しました"
    assert "今日、この人が受けたもの: 0 枚" in undone.text
    assert case(desk_system, of("C20"))["state"] == "C20"
    assert len(rows(desk_system, desk.received_form)) == 1
    # 取り消した紙は、正しい束で受け直せる。
    assert headline(scan(counter, of("C20"))) == "収受しました"


def test_only_the_one_who_took_it_may_take_it_back_and_only_before_the_case_moved(
    counter: Person, desk_system: Desk
) -> None:
    scan(counter, of("C20"))
    form_id = rows(desk_system, desk.received_form)[0]["id"]
    other = person(desk_system, DeskRole.COUNTER, "counter2")
    assert "自分が受けた紙だけ" in other.post("/intake/undo", form_id=form_id, reason="誤り").text
    assert "理由を書いてください" in counter.post("/intake/undo", form_id=form_id, reason=" ").text
    reviewer = person(desk_system, DeskRole.REVIEWER)
    reviewer.post("/review/open", case_number=of("C20"))
    reviewer.post("/review/first", case_number=of("C20"), deed="deficient", defects="signature")
    assert "この紙の後に、件が進んでいます" in counter.post("/intake/undo", form_id=form_id, reason="誤り").text
    assert case(desk_system, of("C20"))["state"] == "C24"


def test_a_pasted_list_answers_line_by_line_and_takes_the_good_lines(counter: Person, desk_system: Desk) -> None:
    lines = [number_of(100), "", "12345", number_of(9_001), number_of(101), number_of(100), f"{of('C22')}"]
    shown = counter.post("/intake/list", numbers="\r\n".join(lines), **BUNDLE).text
    assert "一覧の結果（6 行）" in shown
    assert "2 行を受け、4 行は見てください" in shown
    assert [case(desk_system, number_of(place))["state"] for place in (100, 101)] == ["C22", "C22"]
    assert "山本" not in shown
    assert [row["standing"] for row in rows(desk_system, desk.received_form, case_number=number_of(100))] == [
        "taken",
        "duplicate",
    ]


@pytest.mark.parametrize("many", [0, 201])
def test_a_list_of_no_line_or_of_more_than_two_hundred_takes_nothing(
    counter: Person, desk_system: Desk, many: int
) -> None:
    answer = counter.post("/intake/list", numbers="\n".join([number_of(100)] * many), **BUNDLE)
    assert answer.status_code == 400
    assert "1 から 200 行" in answer.text
    assert rows(desk_system, desk.received_form) == []


def test_returned_mail_is_scanned_with_its_reason_and_asks_for_a_new_letter(counter: Person, desk_system: Desk) -> None:
    bundle = {"reason": "moved", "returned_on": "2024-06-20", "box": "返戻-1"}
    shown = counter.post("/intake/returned/scan", case_number=of("C20"), **bundle).text
    assert headline(shown) == "返戻を入れました"
    assert case(desk_system, of("C20"))["state"] == "C21"
    assert [row["kind"] for row in rows(desk_system, desk.letter_due)] == ["reissue"]
    again = counter.post("/intake/returned/scan", case_number=of("C20"), **bundle)
    assert headline(again.text) == "受け付けていません"
    listed = counter.post("/intake/returned/list", numbers=f"{of('P20')}\n{of('C20')}", **bundle).text
    assert "1 行を受け、1 行は見てください" in listed
    assert case(desk_system, of("P20"))["state"] == "P21"


def test_an_operator_cannot_take_forms(desk_system: Desk) -> None:
    operator = person(desk_system, DeskRole.OPERATOR)
    assert operator.get("/intake").status_code == 403
    assert operator.post("/intake/scan", case_number=of("C20"), **BUNDLE).status_code == 403
    assert case(desk_system, of("C20"))["state"] == "C20"
    assert "収受" not in operator.get("/").text.split("</nav>")[0]
