"""審査: 二人の別の人が、別々に入力した口座が、五項目とも同じときだけ終わる。"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa

from benefit.domain.deficiency import BAD, CHECK_ITEMS, GOOD, NOT_NEEDED
from benefit.domain.errors import RefusedByRule, RefusedInput
from benefit.services.desk_accounts import ACCOUNT_NAMES, NO_ACCOUNT, Account, account_of, differing
from benefit.services.desk_intake import Arrival, receive
from benefit.services.desk_papers import reviews_of
from benefit.services.desk_review import check, key, start
from benefit.store import desk
from tests.support.desk_world import ACCOUNT, ALL_GOOD, COUNTER, FIRST, OPERATOR, SECOND, SUPERVISOR, DeskWorld

CAME = date(2024, 7, 19)
OTHER = {
    "bank_code": "9998",
    "branch_code": "002",
    "account_type": "2",
    "account_number": "1234576",
    "holder_kana": "ｼﾝｼﾞﾕｸ ﾀﾛｳ",
}


def received(world: DeskWorld, **columns: Any) -> str:
    number = world.case(**columns)
    world.do(receive, Arrival(number, "confirmation", CAME), actor=COUNTER)
    return number


def keyed(world: DeskWorld, number: str, account: Account = ACCOUNT) -> None:
    world.do(key, number, account, ALL_GOOD, actor=FIRST)


def test_two_equal_keyings_by_two_people_finish_the_review(world: DeskWorld) -> None:
    number = received(world)
    assert world.do(key, number, ACCOUNT, ALL_GOOD, actor=FIRST).holder_agrees
    assert world.state(number) == "C23"
    done = world.do(check, number, ACCOUNT, actor=SECOND)
    row = world.row(number)
    assert (done.equal, row["state"], row["reviewed_on"]) == (True, "C27", world.clock.now.date())
    assert Account.of(row) == ACCOUNT
    last = world.events(number)[-1]
    assert (last["event"], last["actor"], last["evidence"]) == (
        "review_finished",
        SECOND.id,
        f"form_review:{done.review_id}",
    )
    (seen,) = world.read(reviews_of, number)
    assert (seen["keyed_by"], seen["checked_by"], seen["differing"]) == (FIRST.id, SECOND.id, "")
    assert not set(ACCOUNT_NAMES) & set(seen), "入力の跡の一覧に、口座は出ない"


def test_the_same_person_cannot_key_both(world: DeskWorld) -> None:
    number = received(world)
    keyed(world, number)
    before = world.shot(number)
    with pytest.raises(RefusedByRule, match="二度目を入力できません"):
        world.do(check, number, ACCOUNT, actor=FIRST)
    assert world.shot(number) == before


@pytest.mark.parametrize("name", list(ACCOUNT_NAMES))
def test_one_different_item_finishes_nothing_and_starts_again_with_two_people(world: DeskWorld, name: str) -> None:
    """どの一項目でも。二つの入力は残り、初めから二人で入力し直す。"""
    number = received(world)
    keyed(world, number)
    done = world.do(check, number, replace(ACCOUNT, **{name: OTHER[name]}), actor=SECOND)
    assert (done.differing, done.state, world.state(number)) == ((ACCOUNT_NAMES[name],), "C23", "C23")
    assert world.row(number)["account_number"] is None
    with pytest.raises(RefusedByRule, match="一度目の入力がまだ"):
        world.do(check, number, ACCOUNT, actor=FIRST)
    assert world.do(key, number, ACCOUNT, ALL_GOOD, actor=SECOND).attempt == 2
    assert world.do(check, number, ACCOUNT, actor=FIRST).equal
    assert [row["differing"] for row in world.read(reviews_of, number)] == [ACCOUNT_NAMES[name], ""]


@pytest.mark.parametrize(
    "wrong",
    [
        {"checked_by": FIRST.id},
        {"account_sha256": "0" * 64, "agreed_sha256": "0" * 64},
        {"account_sha256": "0" * 64},
        {"agreed_sha256": None},
    ],
    ids=["同じ人", "違う口座で一致", "一致と言う別の口座", "違いも一致も言わない"],
)
def test_the_store_itself_refuses_one_person_and_unequal_keyings(world: DeskWorld, wrong: dict[str, Any]) -> None:
    number = received(world)
    keyed(world, number)
    (first,) = world.read(reviews_of, number)
    row = {
        "review_id": first["id"],
        "case_number": number,
        "keyed_by": FIRST.id,
        "checked_by": SECOND.id,
        **ACCOUNT.columns,
        "account_sha256": ACCOUNT.sha256,
        "agreed_sha256": ACCOUNT.sha256,
        "differing": "",
        "checked_at": world.clock(),
    }
    with pytest.raises(sa.exc.IntegrityError), world.home.desk.begin() as connection:
        connection.execute(desk.form_review_approval.insert().values(**row | wrong))


def test_no_row_of_a_case_can_be_lost_or_rewritten_while_the_case_stands(world: DeskWorld) -> None:
    """一件が引き上げられれば、この人の行はみな一緒に消える（F.3）。残っている間は、一行も消えない。"""
    number = received(world)
    keyed(world, number)
    world.do(check, number, ACCOUNT, actor=SECOND)
    before = world.shot(number)
    for table in (desk.received_form, desk.form_review, desk.form_review_approval, desk.case_event):
        mine = table.c.case_number == number
        for statement in (table.delete().where(mine), table.update().where(mine).values(case_number=number)):
            with pytest.raises(sa.exc.DBAPIError), world.home.desk.begin() as connection:
                connection.execute(statement)
    assert world.shot(number) == before
    with world.home.desk.begin() as connection:
        connection.execute(desk.benefit_case.delete().where(desk.benefit_case.c.case_number == number))
    gone = world.shot(number)
    assert {name: rows for name, rows in gone.items() if rows and name != "audit"} == {}


def test_a_mark_left_out_or_bad_is_not_good(world: DeskWorld) -> None:
    number = received(world)
    before = world.shot(number)
    for marks, refusal in (
        ({**ALL_GOOD, "identity": BAD}, RefusedByRule),
        ({name: GOOD for name in CHECK_ITEMS if name != "pledge"}, RefusedInput),
        ({**ALL_GOOD, "pledge": "見た"}, RefusedInput),
    ):
        with pytest.raises(refusal):
            world.do(key, number, ACCOUNT, marks, actor=FIRST)
    assert world.shot(number) == before
    assert world.do(key, number, ACCOUNT, {**ALL_GOOD, "proxy": NOT_NEEDED}, actor=FIRST).attempt == 1


def test_an_account_of_another_name_needs_a_written_reason(world: DeskWorld) -> None:
    number, other = received(world), replace(ACCOUNT, holder_kana="ｼﾝｼﾞﾕｸ ﾀﾛｳ")
    before = world.shot(number)
    with pytest.raises(RefusedByRule, match="口座名義"):
        world.do(key, number, other, ALL_GOOD, actor=FIRST)
    assert world.shot(number) == before
    taken = world.do(key, number, other, ALL_GOOD, holder_reason="成年後見人の口座", actor=FIRST)
    assert not taken.holder_agrees
    assert world.read(reviews_of, number)[0]["holder_reason"] == "成年後見人の口座"


def test_a_paper_without_an_account_is_for_people_whose_account_is_known(world: DeskWorld) -> None:
    unknown, known = received(world), received(world, account_flag="1")
    with pytest.raises(RefusedByRule, match="口座がありません"):
        world.do(key, unknown, NO_ACCOUNT, ALL_GOOD, actor=FIRST)
    world.do(key, known, NO_ACCOUNT, ALL_GOOD, actor=FIRST)
    assert not world.do(check, known, ACCOUNT, actor=SECOND).equal, "口座のある入力と、ない入力は違う"
    world.do(key, known, NO_ACCOUNT, ALL_GOOD, actor=FIRST)
    assert world.do(check, known, NO_ACCOUNT, actor=SECOND).state == "C27"
    assert world.row(known)["account_number"] is None


def test_an_account_told_for_a_notice_is_keyed_twice_too(world: DeskWorld) -> None:
    """P23 → P25。振込不能のあとの口座の再届出も同じ道。"""
    for state, kind in (("P20", "account"), ("F44", "new_account")):
        number = world.case(state, account_flag="1")
        world.do(receive, Arrival(number, kind, CAME), actor=COUNTER)
        with pytest.raises(RefusedByRule, match="口座がありません"):
            world.do(key, number, NO_ACCOUNT, ALL_GOOD, actor=FIRST)
        keyed(world, number)
        with pytest.raises(RefusedByRule):
            world.do(check, number, ACCOUNT, actor=FIRST)
        assert world.do(check, number, ACCOUNT, actor=SECOND).state == "P25"
        assert Account.of(world.row(number)) == ACCOUNT


@pytest.mark.parametrize("actor", [OPERATOR, COUNTER], ids=["電話", "窓口"])
def test_only_reviewers_review(world: DeskWorld, actor: Any) -> None:
    waiting, started = received(world), received(world)
    keyed(world, started)
    before = world.shot(waiting, started)
    for deed in (
        lambda: world.do(start, waiting, actor=actor),
        lambda: world.do(key, waiting, ACCOUNT, ALL_GOOD, actor=actor),
        lambda: world.do(check, started, ACCOUNT, actor=actor),
    ):
        with pytest.raises(RefusedByRule, match="この役割ではできません"):
            deed()
    assert world.shot(waiting, started) == before


def test_a_second_first_keying_waits_for_the_second_person(world: DeskWorld) -> None:
    number = received(world)
    keyed(world, number)
    with pytest.raises(RefusedByRule, match="一度目の入力は済んでいます"):
        world.do(key, number, ACCOUNT, ALL_GOOD, actor=SUPERVISOR)
    assert world.do(check, number, ACCOUNT, actor=SUPERVISOR).equal


def test_a_yucho_symbol_and_number_become_the_transfer_account() -> None:
    """一人が通帳の記号番号を、もう一人が振込用の店番と番号を打っても、同じ口座である。"""
    written = account_of("9900", "", "", "19990-90000011", "ｼﾝｼﾞﾕｸ ﾊﾅｺ")
    assert (written.branch_code, written.account_type, written.account_number) == ("998", "1", "9000001")
    assert differing(written, account_of("9900", "998", "1", "9000001", "シンジュクハナコ")) == ()
    assert account_of("9999", "001", "1", "12345", "ｱ").account_number == "0012345"
    assert account_of("", "", "", " ", "") == NO_ACCOUNT


@pytest.mark.parametrize(
    ("place", "told"),
    [(0, "999"), (1, "1"), (2, ""), (3, "12345678"), (3, "12A4567"), (4, ""), (4, "・")],
)
def test_an_account_of_the_wrong_shape_is_refused_with_its_field(place: int, told: str) -> None:
    given = ["9999", "001", "1", "1234567", "ｼﾝｼﾞﾕｸ ﾊﾅｺ"]
    given[place] = told
    with pytest.raises(RefusedInput) as refusal:
        account_of(*given)
    assert refusal.value.place is not None
    assert refusal.value.place.field == list(ACCOUNT_NAMES.values())[place]
