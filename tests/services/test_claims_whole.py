"""全部の種類の申請を受理した区でも、誰も落ちず、第二の判定と違いがなく、判定は再現でき、説明が出る。"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from benefit.services import claims_form, explain, replay, runs
from benefit.services.home import Home
from benefit.services.second import differences, second_outcomes
from benefit.services.standing import decide_now, gather
from tests.conftest import StepClock
from tests.services.claim_ward import ACCOUNT, TAXED, Office
from tests.services.inquiry_ward import PROGRAMME, TAX
from tests.services.inquiry_ward import Ward as Town
from tests.support.small_ward import read

DAY = date(2024, 8, 15)
SMALL_TAX = {"均等割額": "4000", "減税前所得割額_区": "3000", "減税前所得割額_都": "2000", "合計所得金額": "1000000"}


@pytest.fixture
def office(home: Home, tmp_path: Path) -> Office:
    """八つの種類の申請を、一つずつ受理した区。手紙は 7 月 26 日に送り、8 月に二人が亡くなった。"""
    clock = StepClock()
    clock.now = clock.now.replace(month=7, day=26)
    made = Office(Town(home, tmp_path, clock), tmp_path)
    made.staff()
    for number, name in ((1, ""), (4, "四"), (5, "五")):
        made.family(number, name=name)
    made.family(2, father=TAXED, name="二")
    made.town.mover("転入", 3)
    made.town.add("納税", 6, tax=TAX | SMALL_TAX, カナ氏名="カクウ　ノウゼイ")
    made.town.rows["accounts"].append(
        {
            "宛名番号": made.person("納税"), "口座種別": "過去給付", "金融機関コード": "9999", "支店コード": "001",
            "預金種目": "1", "口座番号": "9000001", "口座名義カナ": "ｶｸｳ ﾉｳｾﾞｲ",
        }
    )  # fmt: skip
    made.baby("新生児", 1)
    made.town.load()
    made.build()
    made.approve()
    made.send_only("sent")
    made.town.clock.now = datetime(DAY.year, DAY.month, DAY.day, 1, tzinfo=UTC)
    made.change("residents", "納税", 消除日="2024-08-12", 消除事由="死亡")
    made.change("residents", "四父", 消除日="2024-08-01", 消除事由="死亡")
    numbers = {"per_capita_yen": None, "before_cut_yen": None, "after_cut_yen": None, "treaty_exempt": False}
    case = made.entitlements()[f"r6-2024/ADJ/{made.person('納税')}"]["case_number"]
    for form, evidence in (
        (claims_form.newborn("0000000001", made.person("新生児")), "申請書と住民票"),
        (
            claims_form.separate_child(
                "0000000001", "9000000001", name="架空", kana_name="カクウ　ソト", birth=date(2012, 3, 4)
            ),
            "監護の申立書",
        ),
        (claims_form.evacuee(made.person("五母"), companions=[made.person("五子")], account_text=ACCOUNT), "保護命令"),
        (claims_form.certificate("certificate", made.person("転入"), answer="非課税", **numbers), "非課税証明書"),
        (claims_form.certificate("tax-correction", made.person("二父"), answer="非課税", **numbers), "更正の通知"),
        (claims_form.successor("0000000004", made.person("四母")), "戸籍"),
        (
            claims_form.heir(
                case, "9000000009", accepted_on=date(2024, 8, 9), account_text=ACCOUNT, name="架空　二郎",
                kana_name="カクウ　ジロウ", postal="1600001", address="架空県相続町1-1",
            ),
            "辞退期限の経過",
        ),
        (
            claims_form.guardian(
                made.person("父"), name="後見", kana_name="", postal="1600001", address="架空県", address2=""
            ),
            "委任状",
        ),
    ):  # fmt: skip
        made.accept(form, today=DAY, evidence_kind=evidence)
    return made


def test_everybody_stays_in_exactly_one_row(office: Office) -> None:
    out = office.build(DAY)
    outcomes = read(out / "outcomes.csv")
    households = [row["対象番号"] for row in outcomes if row["対象区分"] == "世帯"]
    assert sorted(households) == [f"{number:010d}" for number in range(1, 7)]
    assert sorted(row["対象番号"] for row in outcomes if row["対象区分"] == "納税者") == sorted(
        row["宛名番号"] for row in office.town.rows["taxes"]
    )
    assert {row["対象区分"] for row in outcomes} == {"世帯", "児童", "納税者"}
    claimed = read(out / "claim_outcomes.csv")
    assert [
        (row["申請番号"], row["判定"], row["理由"]) for row in sorted(claimed, key=lambda row: row["申請番号"])
    ] == [
        ("C000001", "対象", ""),
        ("C000002", "対象", ""),
        ("C000003", "未確定", "CHK47"),
        ("C000003", "対象", ""),
    ]
    verdicts = {row["対象番号"]: (row["判定"], row["受給者番号"]) for row in outcomes if row["対象区分"] == "世帯"}
    assert verdicts["0000000002"] == ("対象", office.person("二父"))
    assert verdicts["0000000003"] == ("対象", office.person("転入"))
    assert verdicts["0000000004"] == ("対象", office.person("四母"))


def test_the_second_engine_agrees_on_the_changed_facts(office: Office) -> None:
    inputs = gather(office.home, PROGRAMME, DAY)
    assert inputs.facts.payee_changes.height == 2
    assert inputs.facts.tax_corrections.height == 1
    second = second_outcomes(inputs.facts, PROGRAMME, DAY)
    assert differences(decide_now(inputs).outcomes, second).is_empty()


def test_the_run_is_replayed_with_its_claims(office: Office, tmp_path: Path) -> None:
    office.build(DAY)
    run = runs.find(office.home, PROGRAMME, "latest")
    assert replay.replay(office.home, run).same
    replay.pack(office.home, run, tmp_path / "pack")
    assert replay.replay_folder(tmp_path / "pack").same


def test_the_record_of_the_run_names_the_claims_and_nobody(office: Office) -> None:
    told = json.loads((office.build(DAY) / "summary.json").read_text(encoding="utf-8"))
    assert [row["番号"] for row in told["申請"]] == [f"C{place:06d}" for place in range(1, 9)]
    text = json.dumps(told, ensure_ascii=False)
    assert "9000000009" not in text
    assert office.person("五母") not in text


def test_every_changed_household_and_taxpayer_can_be_explained(office: Office) -> None:
    for household in range(1, 7):
        assert explain.household(office.home, PROGRAMME, DAY, household)
    for name in ("納税", "二父", "転入"):
        assert explain.person(office.home, PROGRAMME, DAY, int(office.person(name)))


def test_the_same_claims_give_the_same_bytes(office: Office) -> None:
    first, second = office.build(DAY), office.build(DAY)
    for name in ("outcomes.csv", "claim_outcomes.csv", "entitlements.csv"):
        assert (first / name).read_bytes() == (second / name).read_bytes()
    decisions = decide_now(gather(office.home, PROGRAMME, DAY))
    assert decisions.claimed.filter(pl.col("verdict") == "対象")["slot"].is_unique().all()
