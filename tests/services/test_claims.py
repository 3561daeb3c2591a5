"""申請: 入れた人は決められず、一件は一度だけ決まり、受理した申請だけが次の判定から効く。"""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from benefit.domain.access import Actor
from benefit.domain.claim import EVIDENCE, KINDS
from benefit.domain.errors import RefusedByRule, RefusedInput, WrongUse
from benefit.domain.programme import Programme
from benefit.services import claims, claims_form, claims_list, claims_stored
from benefit.services.home import Home
from benefit.services.standing import gather
from benefit.store import ward
from tests.services.claim_ward import (
    ACCOUNT,
    BOSS,
    CLERK,
    SECOND,
    TODAY,
    Office,
    small_office,
)
from tests.services.inquiry_ward import PROGRAMME
from tests.support.small_ward import read


@pytest.fixture
def office(home: Home, tmp_path: Path) -> Office:
    return small_office(home, tmp_path)


def one(office: Office, name: str = "新生児", household: str = "0000000001") -> claims_form.Form:
    return claims_form.newborn(household, office.person(name))


# ---- 二人で


def test_the_one_who_entered_cannot_decide(office: Office) -> None:
    claim = office.enter(one(office))
    with pytest.raises(RefusedByRule, match="入れた人は、決められません"):
        office.decide(claim, actor=CLERK)
    assert office.decide(claim).state == "受理"


@pytest.mark.parametrize("decision", ["accept", "refuse"])
def test_the_database_too_refuses_a_decision_by_the_one_who_entered(office: Office, decision: str) -> None:
    """画面やコマンドに誤りがあっても、台帳が断る。入れた人を偽って書くこともできない（複合の外部キー）。"""
    office.enter(one(office))
    row = {
        "claim_id": 1,
        "decision": decision,
        "reason": "試験",
        "cleared": "",
        "decided_by": CLERK.id,
        "decided_on": TODAY,
        "decided_at": office.town.clock(),
    }
    for entered_by in (CLERK.id, SECOND.id):
        with pytest.raises(sa.exc.IntegrityError), office.home.ward.begin() as connection:
            connection.execute(ward.claim_decision.insert().values(entered_by=entered_by, **row))


def test_a_claim_is_decided_once_and_nothing_of_it_is_rewritten_or_lost(office: Office) -> None:
    claim = office.decide(office.enter(one(office)))
    for decision in ("accept", "refuse"):
        with pytest.raises(RefusedByRule, match="もう決まっています（受理）"):
            office.decide(claim, decision, actor=BOSS)
    for table in (ward.claim, ward.claim_decision, ward.claim_slot):
        for statement in (table.delete(), table.update().values({next(iter(table.c)).name: 9})):
            with pytest.raises(sa.exc.DBAPIError), office.home.ward.begin() as connection:
                connection.execute(statement)


@pytest.mark.parametrize("role", ["auditor", "admin"])
def test_only_clerks_and_approvers_handle_claims(office: Office, role: str) -> None:
    with pytest.raises(RefusedByRule, match="担当か承認"):
        office.enter(one(office), actor=Actor("x", role))
    claim = office.enter(one(office))
    with pytest.raises(RefusedByRule, match="担当か承認"):
        office.decide(claim, actor=Actor("x", role))


def test_the_audit_log_has_the_number_and_the_kind_and_no_personal_data(office: Office) -> None:
    form = claims_form.evacuee(office.person("母"), companions=[office.person("子")], account_text=ACCOUNT)
    office.decide(office.enter(form), actor=BOSS)
    rows = office.town.audit("claim.enter") + office.town.audit("claim.decide")
    assert [(row["subject"], row["actor"]) for row in rows] == [("C000001", CLERK.id), ("C000001", BOSS.id)]
    written = "".join(f"{row['subject']}{row['reason']}{row['detail']}" for row in rows)
    for secret in ("9000001", "ﾊﾅｺ", office.person("母"), office.person("子"), str(int(office.person("母")))):
        assert secret not in written


# ---- 期限


@pytest.mark.parametrize(
    ("received", "postmarked", "late"),
    [
        (date(2024, 10, 31), None, False),
        (date(2024, 11, 1), None, True),
        (date(2024, 11, 5), date(2024, 10, 31), False),
        (date(2024, 11, 5), date(2024, 11, 1), True),
    ],
)
def test_the_deadline_counts_the_postmark_and_a_late_claim_needs_a_reason_and_an_approver(
    office: Office, received: date, postmarked: date | None, late: bool
) -> None:
    given: dict[str, Any] = {"received_on": received, "postmarked_on": postmarked, "today": date(2024, 11, 8)}
    if not late:
        assert office.decide(office.enter(one(office), **given), today=date(2024, 11, 8)).state == "受理"
        return
    with pytest.raises(RefusedByRule, match=r"申請期限（消印で数える）を過ぎています.*2024-10-31 まで") as refused:
        office.enter(one(office), **given)
    assert refused.value.exit_code == 4
    claim = office.enter(one(office), reopen="病院で動けなかった", **given)
    assert claim.reopened_reason == "病院で動けなかった"
    with pytest.raises(RefusedByRule, match="承認の役割の人が決めます"):
        office.decide(claim, today=date(2024, 11, 8))
    assert office.decide(claim, actor=BOSS, today=date(2024, 11, 8)).state == "受理"


def test_where_arrival_counts_the_postmark_does_not_help() -> None:
    from benefit.domain.claim import in_time

    deadline = PROGRAMME.schedule.apply_deadline
    assert in_time(date(2024, 11, 5), deadline, deadline=deadline, kind="POSTMARK")
    assert not in_time(date(2024, 11, 5), deadline, deadline=deadline, kind="ARRIVAL")
    assert in_time(deadline, None, deadline=deadline, kind="ARRIVAL")


# ---- 書類と番号


def test_the_same_paper_keyed_twice_is_refused(office: Office) -> None:
    office.enter(one(office), evidence_id="収受 12")
    with pytest.raises(RefusedByRule, match="もう C000001 にあります"):
        office.enter(one(office), evidence_id="収受 12", actor=SECOND)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_takes_only_its_own_papers(office: Office, kind: str) -> None:
    form = claims_form.Form(kind, 1, int(office.person("父")), {})
    with pytest.raises(RefusedInput, match="「証拠の書類」") as refused:
        office.enter(form, evidence_kind="口頭の申し出")
    assert all(word in str(refused.value) for word in EVIDENCE[kind])
    assert refused.value.exit_code == 3


DAMAGED = (
    lambda: claims_form.newborn("1", "0000001002"),
    lambda: claims_form.separate_child("0000000001", "9000000001"),
    lambda: claims_form.separate_child("0000000001", "0000001002", name="名", kana_name="ナ"),
    lambda: claims_form.evacuee("0000001000", companions=["0000001000"], account_text=ACCOUNT),
    lambda: claims_form.evacuee("0000001000", companions=[], account_text="9999,001,1,12345,ｶｸｳ"),
    lambda: claims_form.evacuee("0000001000", companions=[], account_text="9999,001,1,9000001,架空"),
    lambda: claims_form.guardian("0000001000", name="　", kana_name="", postal="1600000", address="x", address2=""),
    lambda: claims_form.guardian("0000001000", name="代", kana_name="", postal="160", address="x", address2=""),
)


@pytest.mark.parametrize("place", range(len(DAMAGED)))
def test_a_damaged_form_is_refused_without_showing_its_values(place: int) -> None:
    with pytest.raises(RefusedInput) as refused:
        DAMAGED[place]()
    assert refused.value.exit_code == 3
    for secret in ("0000001000", "0000001002", "9000000001", "9000001", "12345"):
        assert secret not in str(refused.value)


def test_people_the_ward_does_not_know_are_refused_at_the_desk(office: Office) -> None:
    for form, says in (
        (claims_form.newborn("0000000001", "0000009999"), "住民記録にいない"),
        (claims_form.newborn("0000000099", office.person("新生児")), "住民記録にない世帯"),
        (claims_form.evacuee("0000009999", companions=[], account_text=ACCOUNT), "住民記録にいない"),
        (claims_form.successor("0000000001", "0000009999"), "住民記録にいない"),
    ):
        with pytest.raises(RefusedInput, match=says):
            office.enter(form)


def test_a_programme_without_the_benefit_takes_no_claim_for_it(office: Office) -> None:
    receipt = claims_form.Receipt(date(2024, 7, 10), "申請書と住民票", "R", "試験")
    with pytest.raises(RefusedInput, match="こども加算がありません"):
        claims.enter(
            office.home, Programme.load("r7-shortfall"), one(office), receipt,
            today=TODAY, actor=CLERK, clock=office.town.clock,
        )  # fmt: skip


def test_an_unknown_number_is_said_plainly(office: Office) -> None:
    claim = office.enter(one(office))
    office.decide(claim, "refuse")
    with pytest.raises(WrongUse, match="この番号の申請はありません"), office.home.ward.connect() as connection:
        claims_stored.find(connection, "C999999")


# ---- 効くのは、受理した申請だけ


def test_without_an_accepted_claim_every_byte_stays(office: Office) -> None:
    def bytes_of(out: Path) -> dict[str, bytes]:
        return {name: (out / name).read_bytes() for name in ("outcomes.csv", "entitlements.csv", "differences.csv")}

    before, digest = bytes_of(office.build()), gather(office.home, PROGRAMME, TODAY).digest
    waiting = office.enter(one(office))
    office.decide(office.enter(one(office)), "refuse")
    out = office.build()
    assert bytes_of(out) == before
    assert gather(office.home, PROGRAMME, TODAY).digest == digest
    assert not (out / "claim_outcomes.csv").exists()
    office.decide(waiting)
    assert gather(office.home, PROGRAMME, TODAY).digest != digest
    after = office.build()
    assert (after / "outcomes.csv").read_bytes() == before["outcomes.csv"]
    assert (after / "claim_outcomes.csv").exists()


def test_what_the_officer_cleared_is_part_of_the_inputs(office: Office) -> None:
    """確かめて外したものは結果を変えるので、入力の指紋も変わる。"""
    claim = office.decide(office.enter(one(office)))
    from dataclasses import replace

    told = claims_stored.described(claim)
    assert claims_stored.described(replace(claim, cleared=("P5",))) != told
    assert hashlib.sha256(claim.content_sha256.encode()).hexdigest() == told["sha256"]


def test_the_list_names_every_claim_without_names_or_accounts(office: Office) -> None:
    office.enter(one(office))
    form = claims_form.evacuee(office.person("母"), companions=[], account_text=ACCOUNT)
    office.decide(office.enter(form), "refuse")
    with office.home.ward.connect() as connection:
        data = claims_list.render(claims_stored.load(connection))
    (office.root / "claims.csv").write_bytes(data)
    rows = read(office.root / "claims.csv")
    assert [(row["申請番号"], row["種類"], row["状態"], row["区限り"]) for row in rows] == [
        ("C000001", "新生児", "審査待ち", ""),
        ("C000002", "配偶者等からの暴力の避難者", "不受理", "○"),
    ]
    assert "9000001" not in data.decode()
