"""避難者: その人たちだけで判定し、元の世帯の行・権利・手紙・ファイルは、申請があってもなくても一字も違わない（K11）。"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from benefit.domain.errors import RefusedByRule
from benefit.records.bank_master import BankMaster
from benefit.services import bank_master, claims_form, explain, gate, judgment
from benefit.services.home import Home
from benefit.services.judgment_rows import ward_rows
from benefit.services.mailing import who_gets_letters
from tests.conftest import Databases, StepClock
from tests.services.claim_ward import ACCOUNT, BOSS, FREE, LIGHT, SECOND, TAXED, TODAY, Office, files_of
from tests.services.inquiry_ward import PROGRAMME, TAX
from tests.services.inquiry_ward import Ward as Town

ORIGIN = "0000000001"


def furnished(home: Home, root: Path, **family: Any) -> Office:
    """世帯 1 が元の世帯（父・母・子）、世帯 2 は何の関わりもない非課税の親子。"""
    clock = StepClock()
    clock.now = clock.now.replace(month=7, day=26)
    root.mkdir(exist_ok=True)
    made = Office(Town(home, root, clock), root)
    made.staff()
    made.family(1, **family)
    made.family(2, name="二")
    made.town.rows["accounts"].append(
        {
            "宛名番号": made.person("父"), "口座種別": "過去給付", "金融機関コード": "9999", "支店コード": "001",
            "預金種目": "1", "口座番号": "9000007", "口座名義カナ": "ｶｸｳ ﾁﾁ",
        }
    )  # fmt: skip
    made.town.load()
    return made


@pytest.fixture
def office(home: Home, tmp_path: Path) -> Office:
    return furnished(home, tmp_path)


@pytest.fixture(params=["sqlite", "postgresql"])
def twins(request: pytest.FixtureRequest, tmp_path: Path, sqlite_template: Path) -> Iterator[list[Home]]:
    """同じ鍵の、二つの空の作業場所。"""
    homes = []
    for name in ("without", "with"):
        shutil.copytree(sqlite_template, tmp_path / name / "home")
        urls = {}
        if request.param == "postgresql":
            databases: Databases = request.getfixturevalue("pg")
            urls = {"ward_url": databases.new("ward"), "desk_url": databases.new("desk")}
        homes.append(Home.at(tmp_path / name / "home", **urls))
    yield homes
    for home in homes:
        home.ward.dispose()
        home.desk.dispose()


def fled(office: Office, *companions: str, person: str = "母") -> claims_form.Form:
    return claims_form.evacuee(
        office.person(person), companions=[office.person(name) for name in companions], account_text=ACCOUNT
    )


def evacuee_row(office: Office, name: str = "母") -> dict[str, str]:
    return next(row for (_n, number), row in office.claimed().items() if number == office.person(name))


def test_the_evacuee_is_an_own_household_kept_in_the_ward(office: Office) -> None:
    claim = office.accept(fled(office))
    row = office.claimed()[claim.number, office.person("母")]
    assert row == {
        "対象区分": "避難世帯", "対象番号": office.person("母"), "給付種別": "R6-1", "判定": "対象", "理由": "",
        "支給額": "100000", "受給者番号": office.person("母"), "経路": "WARD", "口座フラグ": "0",
        "申請番号": claim.number,
    }  # fmt: skip
    entitlement = office.entitlements()[f"r6-2024/EVACUEE/{office.person('母')}"]
    assert (entitlement["route"], entitlement["payee_number"], entitlement["household_number"]) == (
        "WARD", int(office.person("母")), None,
    )  # fmt: skip
    assert f"r6-2024/HH100K/{ORIGIN}" in office.entitlements()


@pytest.mark.parametrize(
    ("father", "mother", "expected"),
    [
        (TAXED, FREE, ("R6-1", "対象", "")),
        (FREE, LIGHT, ("R6-2", "対象", "")),
        (FREE, TAXED, None),
    ],
)
def test_only_the_evacuees_own_taxes_count(
    home: Home, tmp_path: Path, father: dict[str, str], mother: dict[str, str], expected: tuple[str, ...] | None
) -> None:
    office = furnished(home, tmp_path, father=father, mother=mother)
    before = office.outcomes()["世帯", ORIGIN]
    if expected is None:
        with pytest.raises(RefusedByRule, match="TAX"):
            office.accept(fled(office))
    else:
        office.accept(fled(office))
        row = evacuee_row(office)
        assert (row["給付種別"], row["判定"], row["理由"]) == expected
    assert office.outcomes()["世帯", ORIGIN] == before


def test_a_dependant_of_a_taxed_supporter_is_tested_by_the_same_rule(home: Home, tmp_path: Path) -> None:
    office = furnished(home, tmp_path, father=TAXED, mother={"申告区分": "扶養", "扶養者宛名番号": "0000001000"})
    assert office.person("父") == "0000001000"
    with pytest.raises(RefusedByRule, match="DEPENDANTS"):
        office.accept(fled(office))


def prior(office: Office, *rows: tuple[str, str]) -> None:
    office.town.rows["prior"] += [
        {"給付名": "7万円", "世帯番号": ORIGIN, "住民番号": office.person(name), "続柄": relation, "状態": "支給済"}
        for name, relation in rows
    ]
    office.town.load("prior")


def test_a_member_of_last_years_household_waits_until_an_officer_clears_the_split(office: Office) -> None:
    """元の世帯主は今も世帯員なので、P3（昨年度の世帯主がもういない）ではなく P5 になる。"""
    prior(office, ("父", "世帯主"), ("母", "妻"))
    claim = office.enter(fled(office))
    with pytest.raises(RefusedByRule, match="P5"):
        office.decide(claim, actor=BOSS)
    with pytest.raises(RefusedByRule, match="承認の役割の人"):
        office.decide(claim, actor=SECOND, clear=["P5"])
    office.decide(claim, actor=BOSS, clear=["P5"])
    assert evacuee_row(office)["判定"] == "対象"
    assert office.outcomes()["世帯", ORIGIN]["理由"] == "PRIOR"


def test_last_years_householder_cannot_be_cleared(office: Office) -> None:
    prior(office, ("母", "世帯主"), ("父", "夫"))
    claim = office.enter(fled(office))
    with pytest.raises(RefusedByRule, match="PRIOR"):
        office.decide(claim, actor=BOSS, clear=["P5"])


# ---- 同伴した児童


def test_a_companion_child_counted_at_the_origin_stays_there_and_is_listed_for_the_ward(office: Office) -> None:
    before = office.outcomes()["児童", office.person("子")]
    claim = office.accept(fled(office, "子"))
    rows = office.claimed()
    assert rows[claim.number, office.person("母")]["判定"] == "対象"
    child = rows[claim.number, office.person("子")]
    assert (child["判定"], child["理由"], child["支給額"], child["経路"]) == ("未確定", "CHK47", "0", "")
    assert office.outcomes()["児童", office.person("子")] == before
    assert office.entitlements()[f"r6-2024/CHILD/{office.person('子')}"]["payee_number"] == int(office.person("父"))


def test_a_companion_child_nobody_counted_goes_with_the_evacuee(home: Home, tmp_path: Path) -> None:
    office = furnished(home, tmp_path, father=TAXED)
    claim = office.accept(fled(office, "子"))
    child = office.claimed()[claim.number, office.person("子")]
    assert (child["判定"], child["支給額"], child["受給者番号"], child["経路"]) == (
        "対象", "50000", office.person("母"), "WARD",
    )  # fmt: skip
    slot = f"r6-2024/CHILD/{office.person('子')}"
    entitlement = office.entitlements()[slot]
    assert (entitlement["route"], entitlement["household_number"]) == ("WARD", None)
    # 後で父の税が更正され、元の世帯が対象になっても、一人の児童の権利は一つで、外へは出ない。
    office.change("taxes", "父", 減税前所得割額_区="0", 減税前所得割額_都="0", 均等割額="0")
    assert office.outcomes()["児童", office.person("子")]["判定"] == "対象"
    assert office.claimed()[claim.number, office.person("子")]["理由"] == "CHK47"
    assert [one for one in office.entitlements() if one == slot] == [slot]


def test_an_adult_companion_is_part_of_the_test_and_brings_no_child_row(home: Home, tmp_path: Path) -> None:
    office = furnished(home, tmp_path, father=TAXED)
    office.town.add("姉", 1, tax=TAX | LIGHT, 続柄="子", 生年月日="2000-01-01")
    office.town.load("residents", "taxes")
    claim = office.accept(fled(office, "姉"))
    assert {key: row["給付種別"] for key, row in office.claimed().items()} == {
        (claim.number, office.person("母")): "R6-2"
    }


def test_nobody_is_in_two_evacuee_households(office: Office) -> None:
    office.accept(fled(office, "子"))
    again = office.enter(fled(office, "母", person="子"))
    with pytest.raises(RefusedByRule, match=r"もう受理したもの|要件に合わない"):
        office.decide(again, actor=BOSS)


# ---- 元の世帯に触れず、外へ出ない


@pytest.mark.parametrize("father", [FREE, TAXED])
def test_every_outgoing_file_is_the_same_with_and_without_the_claim(
    twins: list[Home], tmp_path: Path, father: dict[str, str]
) -> None:
    sent, outcomes = [], []
    for home, name in zip(twins, ("without", "with"), strict=True):
        office = furnished(home, tmp_path / name, father=father)
        office.build()
        if name == "with":
            office.accept(fled(office, "子"))
        clock = office.town.clock
        clock.now = datetime(2024, 7, 26, 3, tzinfo=UTC)
        out = office.build()
        assert (out / "claim_outcomes.csv").exists() == (name == "with")
        outcomes.append((out / "outcomes.csv").read_bytes())
        clock.now = datetime(2024, 7, 26, 4, tzinfo=UTC)
        office.approve()
        clock.now = datetime(2024, 7, 26, 5, tzinfo=UTC)
        sent.append(files_of(office.send_only("sent")))
    assert outcomes[0] == outcomes[1]
    assert sent[0].keys() == sent[1].keys()
    assert any("payees.csv" in name for name in sent[0])
    assert any(name.endswith(".pdf") for name in sent[0])
    assert sent[0] == sent[1]


def test_what_the_origin_can_ask_for_says_nothing_of_the_evacuation(office: Office) -> None:
    """元の世帯の説明（開示の紙のもと）にも、判定の差にも、避難のことは出ない。"""
    before = explain.household(office.home, PROGRAMME, TODAY, 1)
    office.accept(fled(office, "子"))
    assert explain.household(office.home, PROGRAMME, TODAY, 1) == before


def test_the_evacuee_never_gets_a_letter_at_the_old_address(office: Office) -> None:
    office.accept(fled(office, "子"))
    office.build()
    office.approve()
    mailing = who_gets_letters(office.home, PROGRAMME, TODAY)
    mine = {
        row["case_number"]
        for slot, row in office.entitlements().items()
        if "EVACUEE" in slot or row["payee_number"] == int(office.person("母"))
    }
    assert mine
    assert not mine & set(mailing.letters["case_number"])
    assert not mine & set(mailing.closed["case_number"])


def test_the_ward_pays_the_account_of_the_claim_form(home: Home, tmp_path: Path) -> None:
    """受理した申請が受諾と審査にあたる。行は区の中だけで作られ、支給可になる。"""
    office = furnished(home, tmp_path, father=TAXED)
    office.town.rows["residents"][1]["カナ氏名"] = "カクウ　ハナコ"
    office.town.load("residents")
    office.accept(fled(office, "子"))
    office.build()
    office.approve()
    rows = ward_rows(office.home, PROGRAMME, TODAY)
    assert sorted(rows["planned_yen"].to_list()) == [50_000, 100_000]
    assert set(rows["account_number"]) == {"9000001"}
    assert set(rows["received_on"]) == {date(2024, 7, 10)}
    bank_master.use_rehearsal(office.home, {("9999", "001")})
    master: BankMaster = bank_master.in_use(office.home)
    judged = judgment.judge_ward_rows(
        office.home, PROGRAMME, out=tmp_path / "judged", today=TODAY, bank_master=master, clock=office.town.clock
    )
    assert judged is not None
    assert (judged.payable, judged.payable_yen) == (2, 150_000)
    # 百件に一件の見本（CHK95）に当たることは、ありうる。払えることは変わらない。
    assert set(judged.checks) <= {"CHK95"}
    assert ward_rows(office.home, PROGRAMME, TODAY).is_empty()


def test_the_evacuees_row_is_ward_only_at_every_gate(office: Office) -> None:
    office.accept(fled(office))
    office.build()
    office.approve()
    seen = gate.stand(office.home, PROGRAMME, TODAY).entitlements
    mine = seen.filter(slot=f"r6-2024/EVACUEE/{office.person('母')}").row(0, named=True)
    origin = seen.filter(slot=f"r6-2024/HH100K/{ORIGIN}").row(0, named=True)
    assert (mine["ward_only"], mine["open"]) == (True, True)
    assert (origin["ward_only"], origin["open"], origin["route_now"]) == (False, True, "PUSH")
