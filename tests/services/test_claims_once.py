"""でたらめな順の申請でも、一つの slot に権利は二つできず、一人の児童に生きた権利は二つできない。"""

from __future__ import annotations

import random
from collections import Counter
from contextlib import suppress
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from benefit.domain.errors import RefusedByRule, RefusedInput
from benefit.domain.kana import agreement_key
from benefit.services import claims_form, claims_stored, gate
from benefit.services.home import Home
from benefit.store.engine import reading
from tests.conftest import StepClock
from tests.services.claim_ward import ACCOUNT, BOSS, CHILD, CLERK, SECOND, TAXED, TODAY, Office
from tests.services.inquiry_ward import PROGRAMME
from tests.services.inquiry_ward import Ward as Town

HOMES = ("0000000001", "0000000002", "0000000003")
#: 区外の児童。はじめの二つの番号は、同じ人である。
OUTSIDE = {"9000000001": "カクウ　ソトコ", "9000000002": "ｶｸｳ ｿﾄｺ", "9000000003": "カクウ　ベツコ"}
BORN = date(2012, 3, 4)


def furnished(home: Home, root: Path) -> Office:
    clock = StepClock()
    clock.now = clock.now.replace(month=7, day=26)
    made = Office(Town(home, root, clock), root)
    made.staff()
    made.family(1)
    made.family(2, father=TAXED, name="二")
    made.family(3, child=False, name="三")
    made.baby("赤", 1)
    # 区外の児童とよく似た、まだ誰にも数えられていない児童（課税の世帯にいる）。
    made.town.add("似", 2, **CHILD | {"生年月日": str(BORN), "カナ氏名": "カクウ　ソトコ"})
    made.town.load()
    return made


def some_form(office: Office, chance: random.Random) -> claims_form.Form:
    inside = ["子", "二子", "赤", "似"]
    kind = chance.choice(["newborn", "separate", "outside", "evacuee"])
    # 半分は、要件に合う申請にする（断られてばかりでは、二つになりようがない）。
    fine = chance.random() < 0.5
    if kind == "newborn":
        child, home = ("赤", HOMES[0]) if fine else (chance.choice(inside), chance.choice(HOMES))
        return claims_form.newborn(home, office.person(child))
    if kind == "separate":
        child, home = (
            (chance.choice(["二子", "似"]), HOMES[2]) if fine else (chance.choice(inside), chance.choice(HOMES))
        )
        return claims_form.separate_child(home, office.person(child))
    if kind == "outside":
        number = chance.choice(sorted(OUTSIDE))
        return claims_form.separate_child(
            chance.choice([HOMES[0], HOMES[2]]) if fine else HOMES[1],
            number,
            name="架空",
            kana_name=OUTSIDE[number],
            birth=BORN,
        )
    name, children = chance.choice([("母", ["子", "赤"]), ("二母", ["二子", "似"])])
    taken = [office.person(child) for child in children if chance.random() < 0.7]
    return claims_form.evacuee(office.person(name), companions=taken, account_text=ACCOUNT)


def step(office: Office, chance: random.Random, *, officers: bool) -> str:
    """一手: 申請を入れる、決める、抽出データが変わる。断られてもよい（何も起きていなければならない）。"""
    with reading(office.home.ward) as connection:
        waiting = [claim for claim in claims_stored.load(connection) if not claim.decision]
    try:
        if waiting and chance.random() < 0.6:
            decision = chance.choice(["accept"] * 4 + ["refuse"])
            # 別人だと確かめる人がいる手順と、誰もいない手順（二人になれば必ず誤り）を、種で分ける。
            asked = chance.choice([0, 0, 0, 1]) if officers and decision == "accept" else 0
            clear = chance.sample(["P5", *OUTSIDE, office.person("似")], asked)
            actor = chance.choice([SECOND, BOSS])
            return office.decide(chance.choice(waiting), decision, actor=actor, clear=clear).state
        if chance.random() < 0.15:
            taxed = chance.random() < 0.5
            office.change("taxes", chance.choice(["父", "二父", "三父"]), 減税前所得割額_区="60000" if taxed else "0",
                          減税前所得割額_都="0")  # fmt: skip
            return "税"
        if chance.random() < 0.25:
            office.change("residents", chance.choice(["子", "似", "似", "二子"]), 世帯番号=chance.choice(HOMES))
            return "住民"
        return office.enter(some_form(office, chance), actor=CLERK).kind
    except (RefusedInput, RefusedByRule) as refused:
        return refused.code


def check(office: Office) -> Counter[str]:
    """作って承認し、二つないことを見る。生きた児童の権利の数を返す。"""
    office.build()
    # 入力が前と同じなら、判定はもう承認されている。
    with suppress(RefusedByRule):
        office.approve()
    entitlements = gate.stand(office.home, PROGRAMME, TODAY).entitlements
    slots = Counter(entitlements["slot"])
    assert max(slots.values()) == 1
    live = entitlements.filter(pl.col("open") & (pl.col("slot_kind") == "CHILD"))
    assert live["subject_number"].n_unique() == live.height
    with reading(office.home.ward) as connection:
        accepted = [claim for claim in claims_stored.load(connection) if claim.decision == "accept"]
    cleared = {int(word) for claim in accepted for word in claim.cleared if word != "P5"}
    names = {int(number): agreement_key(kana) for number, kana in OUTSIDE.items()}
    names[int(office.person("似"))] = agreement_key("カクウ　ソトコ")
    # 別人だと確かめた番号が絡まない限り、同じ名と生年月日の児童は一人しか生きていない。
    people = Counter(names[number] for number in live["subject_number"] if number in names)
    if not cleared:
        assert all(count == 1 for count in people.values()), people
    return Counter({"児童": live.height, "避難": entitlements.filter(slot_kind="EVACUEE").height})


@pytest.mark.parametrize("seed", range(4))
def test_no_sequence_of_claims_makes_two_of_one(sqlite_home: Home, tmp_path: Path, seed: int) -> None:
    print(f"種 {seed}")
    chance, office = random.Random(seed), furnished(sqlite_home, tmp_path)
    told: Counter[str] = Counter()
    for place in range(32):
        told[step(office, chance, officers=seed % 2 == 1)] += 1
        if place % 8 == 7:
            told += check(office)
    assert told["受理"] > 0
    assert told["児童"] > 0
