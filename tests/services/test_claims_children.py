"""申請で加わる児童: 新生児と別居児童。一人の児童の加算は、どの道から来ても一度だけ（CHK43）。"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import sqlalchemy as sa

from benefit.domain.errors import RefusedByRule, RefusedInput
from benefit.services import claims_form, gate
from benefit.services.entitlements import all_outcomes, all_slots
from benefit.services.home import Home
from benefit.services.standing import decide_now, gather
from benefit.store import ward
from letters.mailing import make_letters
from tests.conftest import StepClock
from tests.services.claim_ward import BOSS, CHILD, SECOND, TAXED, TODAY, Office
from tests.services.inquiry_ward import PROGRAMME
from tests.services.inquiry_ward import Ward as Town
from tests.support.small_ward import read

FIRST, TAXED_HOME, SINGLE = "0000000001", "0000000002", "0000000004"
OUTSIDE = "9000000001"


@pytest.fixture
def office(home: Home, tmp_path: Path) -> Office:
    """世帯 1 は非課税の親子と新生児、世帯 2 は所得割課税の親子、世帯 4 は非課税の夫婦、世帯 5 は転入した一人。"""
    clock = StepClock()
    clock.now = clock.now.replace(month=7, day=26)
    made = Office(Town(home, tmp_path, clock), tmp_path)
    made.staff()
    made.family(1)
    made.family(2, father=TAXED, name="二")
    made.family(4, child=False, name="四")
    made.town.mover("転入", 5)
    made.baby("新生児", 1)
    made.town.load()
    return made


def newborn(office: Office, name: str = "新生児", household: str = FIRST) -> claims_form.Form:
    return claims_form.newborn(household, office.person(name))


def separate(child: str, household: str = SINGLE, **outside: Any) -> claims_form.Form:
    return claims_form.separate_child(household, child, **outside)


def outsider(
    number: str = OUTSIDE, *, household: str = SINGLE, kana: str = "カクウ　ソトコ", birth: date = date(2012, 3, 4)
) -> claims_form.Form:
    return separate(number, household, name="架空　外子", kana_name=kana, birth=birth)


# ---- 新生児


def test_a_newborn_is_a_child_slot_of_its_own_paid_to_the_householder(office: Office) -> None:
    claim = office.accept(newborn(office))
    baby = office.person("新生児")
    row = office.claimed()[claim.number, baby]
    assert row == {
        "対象区分": "児童", "対象番号": baby, "給付種別": "R6-3", "判定": "対象", "理由": "", "支給額": "50000",
        "受給者番号": office.person("父"), "経路": "CONFIRM", "口座フラグ": "0", "申請番号": claim.number,
    }  # fmt: skip
    entitlement = office.entitlements()[f"r6-2024/CHILD/{baby}"]
    assert (entitlement["benefit"], entitlement["amount_yen"], entitlement["payee_number"], entitlement["branch"]) == (
        "R6-3", 50_000, int(office.person("父")), 1,
    )  # fmt: skip
    assert ("児童", baby) not in office.outcomes()
    assert office.person("新生児") in {row["対象番号"] for row in read(office.build() / "entitlements.csv")}


def test_the_newborn_goes_all_the_way_to_a_letter(office: Office) -> None:
    office.accept(newborn(office))
    office.build()
    office.approve()
    office.town.load("residents")
    slot = f"r6-2024/CHILD/{office.person('新生児')}"
    now = gate.stand(office.home, PROGRAMME, TODAY).entitlements.filter(slot=slot).row(0, named=True)
    assert (now["open"], now["valid"], now["why_closed"]) == (True, True, None)
    make_letters(office.home, PROGRAMME, out=office.root / "letters", issued_on=TODAY, clock=office.town.clock)
    with office.home.ward.connect() as connection:
        letters = connection.execute(sa.select(ward.letter.c.entitlement_id)).scalars().all()
    assert office.entitlements()[slot]["id"] in letters


@pytest.mark.parametrize(
    ("born", "since", "verdict"),
    [
        ("2024-06-03", "2024-06-03", "CHK43"),
        ("2024-06-03", "2024-06-10", "BIRTH"),
        ("2024-06-04", "2024-06-04", None),
        ("2024-10-31", "2024-10-31", None),
        ("2024-11-01", "2024-11-01", "BIRTH"),
    ],
)
def test_newborn_means_after_the_base_date_up_to_the_last_day(
    office: Office, born: str, since: str, verdict: str | None
) -> None:
    """基準日に生まれた子は新生児ではない（基準日の世帯員なら、もう数えられている）。"""
    office.change("residents", "新生児", 生年月日=born, 住民となった日=since)
    day = date(2024, 11, 5)
    claim = office.enter(newborn(office), today=day, received_on=date(2024, 10, 31))
    if verdict is None:
        office.decide(claim, today=day)
        assert office.claimed(day)[claim.number, office.person("新生児")]["判定"] == "対象"
        return
    with pytest.raises(RefusedByRule, match=verdict):
        office.decide(claim, today=day)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"世帯番号": SINGLE}, "FIRST_HOME"),
        ({"住民となった事由": "転入"}, "FIRST_HOME"),
        ({"消除日": "2024-07-01", "消除事由": "死亡"}, "CHILD_ALIVE"),
    ],
)
def test_a_newborn_registered_elsewhere_first_or_dead_is_not_added(
    office: Office, change: dict[str, str], reason: str
) -> None:
    office.change("residents", "新生児", **change)
    with pytest.raises(RefusedByRule, match=reason) as refused:
        office.accept(newborn(office))
    assert refused.value.exit_code == 4


def test_a_child_in_a_facility_is_not_added(office: Office) -> None:
    office.town.rows["protected"].append({"住民番号": office.person("新生児"), "区分": "児童施設"})
    office.town.load("protected")
    with pytest.raises(RefusedByRule, match="FACILITY"):
        office.accept(newborn(office))


def test_the_household_must_be_eligible_and_waits_while_it_is_not_decided(office: Office) -> None:
    office.baby("課税の子", 2)
    office.baby("転入の子", 5)
    office.town.load("residents")
    with pytest.raises(RefusedByRule, match="PARENT"):
        office.accept(newborn(office, "課税の子", TAXED_HOME))
    waiting = office.accept(newborn(office, "転入の子", "0000000005"))
    row = office.claimed()[waiting.number, office.person("転入の子")]
    assert (row["判定"], row["理由"], row["支給額"]) == ("未確定", "PARENT", "0")
    certificate = claims_form.certificate(
        "certificate", office.person("転入"), answer="非課税",
        per_capita_yen=None, before_cut_yen=None, after_cut_yen=None, treaty_exempt=False,
    )  # fmt: skip
    office.accept(certificate)
    assert office.claimed()[waiting.number, office.person("転入の子")]["判定"] == "対象"


# ---- 一人の児童は一度だけ


def test_the_same_child_claimed_twice_is_accepted_once(office: Office) -> None:
    first, second = office.enter(newborn(office)), office.enter(newborn(office))
    office.decide(first)
    with pytest.raises(RefusedByRule, match=r"CHK43|もう受理したものがあります") as refused:
        office.decide(second)
    assert refused.value.exit_code == 4
    assert office.decide(second, "refuse").state == "不受理"
    assert [key for key in office.claimed() if key[1] == office.person("新生児")] == [
        (first.number, office.person("新生児"))
    ]


def test_a_newborn_claimed_by_a_second_household_stays_with_the_first(office: Office) -> None:
    first = office.accept(newborn(office))
    office.build()
    second = office.enter(separate(office.person("新生児")))
    with pytest.raises(RefusedByRule, match=r"CHK43|もう受理したものがあります"):
        office.decide(second, actor=BOSS)
    slots = [slot for slot in office.entitlements() if office.person("新生児") in slot]
    assert slots == [f"r6-2024/CHILD/{office.person('新生児')}"]
    assert office.entitlements()[slots[0]]["payee_number"] == int(office.person("父"))
    assert office.claimed()[first.number, office.person("新生児")]["判定"] == "対象"


def test_two_people_deciding_at_the_same_moment_accept_one(office: Office) -> None:
    """どちらが先かは台帳（一意の制約）が決める。"""
    claims = [office.enter(newborn(office)), office.enter(newborn(office))]

    def accept(place: int) -> str:
        try:
            return office.decide(claims[place], actor=(SECOND, BOSS)[place]).state
        except RefusedByRule as refused:
            return refused.code

    with ThreadPoolExecutor(2) as pool:
        told = sorted(pool.map(accept, range(2)))
    assert told[1] == "受理"
    assert told[0] in ("slot-taken", "not-eligible")
    with office.home.ward.connect() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(ward.claim_slot)).scalar() == 1


def test_the_database_refuses_a_second_acceptance_of_one_child(office: Office) -> None:
    office.accept(newborn(office))
    second = office.enter(newborn(office))
    office.decide(second, "refuse")
    third = office.enter(newborn(office))
    row = {"claim_id": 3, "entered_by": third.entered_by, "decision": "accept", "reason": "試験", "cleared": ""}
    with office.home.ward.begin() as connection:
        connection.execute(
            ward.claim_decision.insert().values(
                decided_by=BOSS.id, decided_on=TODAY, decided_at=office.town.clock(), **row
            )
        )
    for claim_id, decision, slot in ((3, "accept", third.slots[0]), (2, "refuse", "x"), (2, "accept", "x")):
        with pytest.raises(sa.exc.IntegrityError), office.home.ward.begin() as connection:
            connection.execute(ward.claim_slot.insert().values(claim_id=claim_id, decision=decision, slot=slot))


def test_a_member_child_cannot_be_claimed_as_a_separate_one(office: Office) -> None:
    for household in (FIRST, SINGLE):
        with pytest.raises(RefusedByRule, match="CHK43"):
            office.accept(separate(office.person("子"), household))


def test_a_claimed_child_who_later_turns_up_as_a_member_keeps_one_slot(office: Office) -> None:
    """別居児童として受理した後に、住民記録の訂正で基準日の世帯員だと分かった: 判定の行が勝ち、権利は一つのまま。"""
    claim = office.accept(separate(office.person("二子")))
    office.build()
    slot = f"r6-2024/CHILD/{office.person('二子')}"
    registered = office.entitlements()[slot]
    assert registered["payee_number"] == int(office.person("四父"))
    office.change("residents", "二子", 世帯番号=FIRST)
    outcomes = office.outcomes()
    assert outcomes["児童", office.person("二子")]["判定"] == "対象"
    row = office.claimed()[claim.number, office.person("二子")]
    assert (row["判定"], row["理由"]) == ("対象外", "CHK43")
    assert office.entitlements()[slot] == registered
    office.approve()
    closed = gate.stand(office.home, PROGRAMME, TODAY).entitlements.filter(slot=slot).row(0, named=True)
    assert closed["payee_number"] == int(office.person("父"))  # 知らせる前なので、承認した判定に合う
    assert sum(slot in one for one in office.entitlements()) == 1


def test_a_slot_of_the_judgment_is_never_joined_by_a_claimed_one(office: Office) -> None:
    """規則に誤りがあって同じ slot の行が二つできても、登録へ進むのは判定の行だけ。"""
    decisions = decide_now(gather(office.home, PROGRAMME, TODAY))
    child = decisions.outcomes.filter(subject_number=int(office.person("子"))).with_columns(
        slot_kind=pl.lit("CHILD"),
        slot=pl.lit(f"r6-2024/CHILD/{office.person('子')}"),
        claim_number=pl.lit("C000001"),
        payee_number=pl.lit(1, dtype=pl.Int64),
    )
    doubled = replace(decisions, claimed=child)
    assert all_slots(doubled, PROGRAMME).equals(all_slots(decisions, PROGRAMME))
    assert all_outcomes(doubled).equals(decisions.outcomes)


# ---- 別居児童


def test_a_separately_living_child_of_the_ward_is_added_to_the_claiming_household(office: Office) -> None:
    claim = office.accept(separate(office.person("二子")))
    row = office.claimed()[claim.number, office.person("二子")]
    assert (row["判定"], row["支給額"], row["受給者番号"]) == ("対象", "50000", office.person("四父"))


def test_a_child_outside_the_ward_is_added_by_name_and_birth(office: Office) -> None:
    claim = office.accept(outsider())
    row = office.claimed()[claim.number, OUTSIDE]
    assert (row["判定"], row["対象番号"], row["受給者番号"]) == ("対象", OUTSIDE, office.person("四父"))
    assert office.entitlements()[f"r6-2024/CHILD/{OUTSIDE}"]["payee_number"] == int(office.person("四父"))


@pytest.mark.parametrize(
    ("birth", "accepted"),
    [(date(2006, 4, 1), False), (date(2006, 4, 2), True), (date(2024, 10, 31), True), (date(2024, 11, 1), False)],
)
def test_the_birth_dates_of_a_separate_child(office: Office, birth: date, accepted: bool) -> None:
    if accepted:
        claim = office.accept(outsider(birth=birth))
        assert office.claimed()[claim.number, OUTSIDE]["判定"] == "対象"
        return
    with pytest.raises(RefusedByRule, match="BIRTH"):
        office.accept(outsider(birth=birth))


def test_the_same_child_under_another_number_is_held_for_an_officer(office: Office) -> None:
    office.accept(outsider())
    again = office.enter(outsider("9000000002", household=FIRST, kana="ｶｸｳ ｿﾄｺ"))
    for actor in (SECOND, BOSS):
        with pytest.raises(RefusedByRule, match="別の番号でもう数えられています"):
            office.decide(again, actor=actor)
    with pytest.raises(RefusedByRule, match="承認の役割の人"):
        office.decide(again, clear=[OUTSIDE])
    with pytest.raises(RefusedByRule, match="別の番号"):
        office.decide(again, actor=BOSS, clear=["9000000003"])
    accepted = office.decide(again, actor=BOSS, clear=[OUTSIDE])
    assert office.claimed()[accepted.number, "9000000002"]["判定"] == "対象"


def test_a_claimed_child_like_a_counted_member_is_held_too(office: Office) -> None:
    twin = outsider(kana="カクウ　コ", birth=date(2015, 5, 5))
    with pytest.raises(RefusedByRule, match="別の番号"):
        office.accept(twin)
    claim = office.accept(twin, clear=[office.person("子")])
    assert office.claimed()[claim.number, OUTSIDE]["判定"] == "対象"


def test_a_likeness_that_appears_after_acceptance_holds_the_claim_and_not_the_member(office: Office) -> None:
    claim = office.accept(outsider())
    office.build()
    office.town.add("後から", 1, **CHILD | {"生年月日": "2012-03-04", "カナ氏名": "カクウ　ソトコ"})
    office.town.load("residents")
    assert office.outcomes()["児童", office.person("後から")]["判定"] == "対象"
    row = office.claimed()[claim.number, OUTSIDE]
    assert (row["判定"], row["理由"]) == ("未確定", "CHK43")


def test_same_kana_or_same_birth_alone_is_nobody_else(office: Office) -> None:
    office.accept(outsider())
    assert office.accept(outsider("9000000002", kana="カクウ　ベツコ")).state == "受理"
    assert office.accept(outsider("9000000003", birth=date(2012, 3, 5))).state == "受理"


def test_an_outside_number_that_is_a_resident_is_refused(office: Office) -> None:
    office.town.rows["residents"][0]["住民番号"] = OUTSIDE
    office.town.load("residents")
    with pytest.raises(RefusedInput, match="住民記録にいる人の番号です"):
        office.enter(outsider())


def test_a_protected_childs_row_stays_in_the_ward(office: Office) -> None:
    """児童の住む世帯に区が直接扱う人がいれば、申請した世帯の経路によらず、区の外へ出ない（F.3）。"""
    office.town.protect("二母")
    office.town.load("protected")
    claim = office.accept(separate(office.person("二子")))
    assert office.claimed()[claim.number, office.person("二子")]["経路"] == "WARD"
