"""受給者が亡くなったとき: 受諾の前なら同じ世帯の人が承継し、受諾の後なら相続人が受け取る（A.7、X60・X61）。"""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from benefit.domain.errors import RefusedByRule, RefusedInput
from benefit.services import bank_master, claims_form, desk_export, gate, judgment
from benefit.services.home import Home
from benefit.services.inquiry_people import who_to_ask
from benefit.services.judgment_rows import ward_rows
from benefit.services.reissue import reissue
from benefit.services.standing import decide_now, gather
from benefit.store import ward
from letters.mailing import make_letters
from tests.conftest import StepClock
from tests.services.claim_ward import BOSS, CLERK, Office
from tests.services.inquiry_ward import PROGRAMME, TAX
from tests.services.inquiry_ward import Ward as Town
from tests.support.small_ward import read

#: お知らせの発送は TODAY（7 月 26 日）、辞退期限は 8 月 9 日。事実を見直す日。
DUE, LATER = date(2024, 8, 9), date(2024, 8, 15)
SMALL_TAX = {"均等割額": "4000", "減税前所得割額_区": "3000", "減税前所得割額_都": "2000", "合計所得金額": "1000000"}
ONE, COUPLE = "0000000001", "0000000004"
HEIR_ACCOUNT = "9999,001,1,9000055,ｶｸｳ ｼﾞﾛｳ"


@pytest.fixture
def office(home: Home, tmp_path: Path) -> Office:
    """世帯 1 は口座の分かる親子、世帯 4 は口座の分からない夫婦、世帯 6 は一人で暮らす納税者。手紙は送ってある。"""
    clock = StepClock()
    clock.now = clock.now.replace(month=7, day=26)
    made = Office(Town(home, tmp_path, clock), tmp_path)
    made.staff()
    made.family(1)
    made.family(4, child=False, name="四")
    made.town.add("納税", 6, tax=TAX | SMALL_TAX, カナ氏名="カクウ　ノウゼイ")
    made.town.rows["accounts"] += [
        {
            "宛名番号": made.person(name), "口座種別": "過去給付", "金融機関コード": "9999", "支店コード": "001",
            "預金種目": "1", "口座番号": f"900000{place}", "口座名義カナ": holder,
        }
        for place, (name, holder) in enumerate((("父", "ｶｸｳ ﾁﾁ"), ("納税", "ｶｸｳ ﾉｳｾﾞｲ")))
    ]  # fmt: skip
    made.town.load()
    made.build()
    made.approve()
    made.send_only("sent")
    return made


def dies(office: Office, name: str, on: date) -> None:
    """亡くなったことが、後の日の住民記録で届く。"""
    office.town.clock.now = datetime(LATER.year, LATER.month, LATER.day, 1, tzinfo=UTC)
    office.change("residents", name, 消除日=str(on), 消除事由="死亡")


def succeed(office: Office, person: str = "母", household: str = ONE) -> claims_form.Form:
    return claims_form.successor(household, office.person(person))


def of(office: Office, slot: str) -> dict[str, Any]:
    return office.entitlements()[f"r6-2024/{slot}"]


def seen(office: Office, slot: str, on: date = LATER) -> dict[str, Any]:
    rows = gate.stand(office.home, PROGRAMME, on).entitlements
    return rows.filter(slot=f"r6-2024/{slot}").row(0, named=True)


def heir_of(office: Office, slot: str, *, accepted_on: date = DUE, person: str = "9000000009", **given: Any) -> Any:
    outside = {"name": "架空　二郎", "kana_name": "カクウ　ジロウ", "postal": "1600001", "address": "架空県相続町1-1"}
    told = {"account_text": HEIR_ACCOUNT} | (outside if person.startswith("9") else {}) | given
    return claims_form.heir(of(office, slot)["case_number"], person, accepted_on=accepted_on, **told)


# ---- 承継


def test_the_successor_takes_the_same_slot_and_number_with_the_next_branch(office: Office) -> None:
    old = {slot: of(office, slot) for slot in (f"HH100K/{ONE}", f"CHILD/{office.person('子')}")}
    dies(office, "父", date(2024, 8, 1))
    assert office.outcomes(LATER)["世帯", ONE]["理由"] == "PAYEE"
    office.accept(succeed(office), today=LATER)
    outcomes = office.outcomes(LATER)
    row = outcomes["世帯", ONE]
    assert (row["判定"], row["支給額"], row["受給者番号"]) == ("対象", "100000", office.person("母"))
    assert outcomes["児童", office.person("子")]["受給者番号"] == office.person("母")
    # 知らせた後の権利は、黙って変わらない。出し直すまで、関門が止める。
    assert {slot: of(office, slot) for slot in old} == old
    office.approve()
    assert seen(office, f"HH100K/{ONE}")["open"] is False
    for slot, was in old.items():
        reissue(office.home, PROGRAMME, was["case_number"], reason="承継", actor=CLERK, clock=office.town.clock)
        now = of(office, slot)
        assert (now["slot"], now["case_number"], now["branch"], now["payee_number"]) == (
            was["slot"], was["case_number"], was["branch"] + 1, int(office.person("母")),
        )  # fmt: skip
        assert seen(office, slot)["open"] is True
    make_letters(office.home, PROGRAMME, out=office.root / "again", issued_on=LATER, clock=office.town.clock)
    letter = ward.letter
    with office.home.ward.connect() as connection:
        branches = connection.execute(
            sa.select(letter.c.branch)
            .where(letter.c.entitlement_id == old[f"HH100K/{ONE}"]["id"])
            .order_by(letter.c.branch)
        ).scalars()
        assert list(branches) == [1, 2]


def test_the_successor_may_not_be_a_stranger_or_dead(office: Office) -> None:
    dies(office, "父", date(2024, 8, 1))
    with pytest.raises(RefusedByRule, match="基準日の同じ世帯の、存命の人"):
        office.accept(succeed(office, "四父"), today=LATER)
    claim = office.enter(succeed(office), today=LATER)
    dies(office, "母", date(2024, 8, 3))
    with pytest.raises(RefusedByRule, match="基準日の同じ世帯の、存命の人"):
        office.decide(claim, actor=BOSS, today=LATER)


def test_a_successor_who_dies_later_no_longer_answers(office: Office) -> None:
    dies(office, "父", date(2024, 8, 1))
    office.accept(succeed(office), today=LATER)
    assert office.outcomes(LATER)["世帯", ONE]["判定"] == "対象"
    dies(office, "母", date(2024, 8, 10))
    assert office.outcomes(LATER)["世帯", ONE]["理由"] == "PAYEE"


def test_without_a_death_after_the_base_date_there_is_nothing_to_succeed(office: Office) -> None:
    """基準日までに亡くなった人は、基準日の世帯主ではない。住民税だけが死亡を知っているときも同じ。"""
    with pytest.raises(RefusedByRule, match="死亡が、住民記録にも住民税にもありません"):
        office.accept(succeed(office))
    office.change("taxes", "父", 死亡日="2024-06-03")
    with pytest.raises(RefusedByRule, match="基準日までの死亡です"):
        office.accept(succeed(office))
    office.change("taxes", "父", 死亡日="2024-06-04")
    office.accept(succeed(office))


@pytest.mark.parametrize(("died_on", "accepted"), [(DUE, False), (date(2024, 8, 10), True)])
def test_a_death_after_the_last_day_to_decline_is_the_heirs_matter(
    office: Office, died_on: date, accepted: bool
) -> None:
    """辞退期限の日に亡くなった人は、その日を過ごしていないので、受諾していない。"""
    dies(office, "父", died_on)
    if accepted:
        with pytest.raises(RefusedByRule, match="相続人の申請"):
            office.accept(succeed(office), today=LATER)
        assert office.accept(heir_of(office, f"HH100K/{ONE}"), today=LATER, evidence_kind="辞退期限の経過")
    else:
        with pytest.raises(RefusedByRule, match="相続されません"):
            office.accept(heir_of(office, f"HH100K/{ONE}"), today=LATER, evidence_kind="辞退期限の経過")
        assert office.accept(succeed(office), today=LATER).state == "受理"


# ---- 相続


def test_an_heir_is_paid_to_his_own_account_by_the_ward_alone(office: Office) -> None:
    adjustment = f"ADJ/{office.person('納税')}"
    was = of(office, adjustment)
    assert was["route"] == "PUSH"
    dies(office, "納税", date(2024, 8, 12))
    assert office.outcomes(LATER)["納税者", office.person("納税")]["理由"] == "PAYEE"
    form = heir_of(office, adjustment)
    office.accept(form, today=LATER, evidence_kind="辞退期限の経過")
    row = office.outcomes(LATER)["納税者", office.person("納税")]
    assert (row["判定"], row["受給者番号"], row["経路"], row["口座フラグ"]) == ("対象", "9000000009", "WARD", "0")
    assert row["支給額"] == str(was["amount_yen"])
    office.approve()
    reissue(office.home, PROGRAMME, was["case_number"], reason="相続", actor=CLERK, clock=office.town.clock)
    now = of(office, adjustment)
    assert (now["case_number"], now["branch"], now["payee_number"], now["route"]) == (
        was["case_number"], 2, 9_000_000_009, "WARD",
    )  # fmt: skip
    # 委託先からは居なくなり、手紙は出ず、申請書の口座への支払の行が区の中でできる。
    desk_export.export(office.home, PROGRAMME, out=office.root / "p2", today=LATER, clock=office.town.clock)
    assert was["case_number"] not in {line["給付管理番号"] for line in read(office.root / "p2" / "payees.csv")}
    rows = ward_rows(office.home, PROGRAMME, LATER)
    assert [(line["case_number"], line["account_number"]) for line in rows.iter_rows(named=True)] == [
        (was["case_number"], "9000055")
    ]
    bank_master.use_rehearsal(office.home, {("9999", "001")})
    judged = judgment.judge_ward_rows(
        office.home, PROGRAMME, out=office.root / "judged", today=LATER,
        bank_master=bank_master.in_use(office.home), clock=office.town.clock,
    )  # fmt: skip
    assert judged is not None
    assert judged.payable == 1
    assert set(judged.checks) <= {"CHK95"}


def test_nobody_asks_for_the_account_the_heir_wrote_on_the_form(office: Office) -> None:
    dies(office, "納税", date(2024, 8, 12))
    office.accept(heir_of(office, f"ADJ/{office.person('納税')}"), today=LATER, evidence_kind="辞退期限の経過")
    inputs = gather(office.home, PROGRAMME, LATER)
    asked = who_to_ask(inputs, decide_now(inputs), "account")["person_number"].to_list()
    assert 9_000_000_009 not in asked
    assert int(office.person("四父")) in asked


def test_the_heir_of_a_household_benefit_takes_the_child_supplement_with_it(office: Office) -> None:
    dies(office, "父", date(2024, 8, 12))
    office.accept(heir_of(office, f"HH100K/{ONE}"), today=LATER, evidence_kind="辞退期限の経過")
    outcomes = office.outcomes(LATER)
    for key in (("世帯", ONE), ("児童", office.person("子"))):
        row = outcomes[key]
        assert (row["判定"], row["受給者番号"], row["経路"]) == ("対象", "9000000009", "WARD")
    with pytest.raises(RefusedInput, match="世帯の給付の相続と一緒に"):
        office.enter(heir_of(office, f"CHILD/{office.person('子')}"), today=LATER, evidence_kind="辞退期限の経過")


def test_a_resident_heirs_own_benefit_keeps_its_own_account(office: Office) -> None:
    """相続人が自分でも受給者なら、自分の権利の経路と口座は変わらない。"""
    before = office.outcomes(LATER)["世帯", COUPLE]
    dies(office, "納税", date(2024, 8, 12))
    form = heir_of(office, f"ADJ/{office.person('納税')}", person=office.person("四父"))
    office.accept(form, today=LATER, evidence_kind="辞退期限の経過")
    outcomes = office.outcomes(LATER)
    assert outcomes["納税者", office.person("納税")]["受給者番号"] == office.person("四父")
    assert outcomes["世帯", COUPLE] == before


@pytest.mark.parametrize(
    ("accepted_on", "evidence", "says"),
    [
        (date(2024, 8, 12), "辞退期限の経過", "死亡より前ではありません"),
        (date(2024, 8, 8), "辞退期限の経過", "手紙（発送日・辞退期限）と合いません"),
        (date(2024, 8, 1), "確認書の収受", "手紙（発送日・辞退期限）と合いません"),
    ],
)
def test_acceptance_must_be_proved_and_precede_the_death(
    office: Office, accepted_on: date, evidence: str, says: str
) -> None:
    dies(office, "納税", date(2024, 8, 12))
    form = heir_of(office, f"ADJ/{office.person('納税')}", accepted_on=accepted_on)
    with pytest.raises(RefusedByRule, match=says):
        office.accept(form, today=LATER, evidence_kind=evidence)


@pytest.mark.parametrize(("accepted_on", "fine"), [(date(2024, 7, 25), False), (date(2024, 8, 1), True)])
def test_a_confirmation_letter_received_before_the_death_proves_it(
    office: Office, accepted_on: date, fine: bool
) -> None:
    dies(office, "四父", date(2024, 8, 5))
    form = heir_of(office, f"HH100K/{COUPLE}", accepted_on=accepted_on)
    if fine:
        office.accept(form, today=LATER, evidence_kind="確認書の収受")
        assert office.outcomes(LATER)["世帯", COUPLE]["受給者番号"] == "9000000009"
    else:
        with pytest.raises(RefusedByRule, match="手紙（発送日・辞退期限）と合いません"):
            office.accept(form, today=LATER, evidence_kind="確認書の収受")


def test_a_living_payee_has_no_heir_and_an_unknown_number_is_refused(office: Office) -> None:
    form = heir_of(office, f"ADJ/{office.person('納税')}")
    with pytest.raises(RefusedByRule, match="死亡が、住民記録にも住民税にもありません"):
        office.accept(form, evidence_kind="辞退期限の経過")
    stranger = claims_form.heir("00000000000", "9000000009", accepted_on=DUE, account_text=HEIR_ACCOUNT,
        name="架", kana_name="カ", postal="1600001", address="架空")  # fmt: skip
    with pytest.raises(RefusedInput, match="支給対象者データベースにない番号"):
        office.enter(stranger, evidence_kind="辞退期限の経過")


def test_two_heirs_of_one_entitlement_are_not_both_accepted(office: Office) -> None:
    dies(office, "納税", date(2024, 8, 12))
    slot = f"ADJ/{office.person('納税')}"
    first, second = (
        office.enter(heir_of(office, slot, person=person), today=LATER, evidence_kind="辞退期限の経過")
        for person in ("9000000009", "9000000008")
    )
    office.decide(first, today=LATER)
    with pytest.raises(RefusedByRule, match="もう受理したもの"):
        office.decide(second, actor=BOSS, today=LATER)


def test_another_reason_to_be_out_is_not_healed_by_an_heir(office: Office) -> None:
    dies(office, "父", date(2024, 8, 12))
    office.change("taxes", "母", 減税前所得割額_区="100")
    with pytest.raises(RefusedByRule, match="ほかにも、対象でないわけ"):
        office.accept(heir_of(office, f"HH100K/{ONE}"), today=LATER, evidence_kind="辞退期限の経過")
