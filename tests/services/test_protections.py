"""区が直接扱う人は、名簿から消えても、二人が解除するまで外へ出ない（F.3 exit）。"""

from __future__ import annotations

import csv
from datetime import timedelta

import pytest
import sqlalchemy as sa

from benefit.domain.errors import RefusedByRule, WrongUse
from benefit.services import certificates, explain, extracts, inquiries, protections
from benefit.services.explain_certificate import of_household
from benefit.services.files import sha256_of
from benefit.services.standing import gather
from benefit.store import ward
from letters.mailing import make_letters
from tests.services.conftest import FIRST, JUDGED, MAKER, PROGRAMME, Office, refused_by_the_store
from tests.services.test_changes import DAY, bring, crowded, outside, standing


def marked(office: Office) -> set[int]:
    return set(protections.ever_protected(office.home)["person_number"])


def test_a_mark_that_vanishes_from_the_list_still_keeps_the_household_inside(office: Office) -> None:
    row, members = crowded(office)
    other = members["person_number"][0]
    shown = outside(office)
    mark = {"住民番号": f"{other:010d}", "区分": "DV"}
    bring(office, "protected", lambda rows: [*rows, mark])
    hidden = outside(office)
    assert row["case_number"] in shown - hidden
    # 翌日の名簿から消えた。判定は契約どおり今の名簿で決まるが、外へは出ない。
    bring(office, "protected", lambda rows: [{**mark, "住民番号": "0000000099"}, *rows])
    now = gather(office.home, PROGRAMME, DAY)
    assert other not in now.facts.protected["person_number"]
    assert other in protections.vanished(office.home, now.facts.protected)["person_number"]
    assert outside(office) == hidden
    made = make_letters(office.home, PROGRAMME, out=office.root / "l", issued_on=DAY, clock=office.clock)
    assert made.printed == made.printed_in_ward


def test_it_takes_two_people_to_let_it_out_again(office: Office) -> None:
    row, members = crowded(office)
    other = members["person_number"][0]
    mark = {"住民番号": f"{other:010d}", "区分": "DV"}
    shown = outside(office)
    bring(office, "protected", lambda rows: [*rows, mark])
    bring(office, "protected", lambda rows: [{**mark, "住民番号": "0000000099"}, *rows])
    clock = office.clock
    number = protections.ask_release(office.home, other, reason="本人の申出", actor=MAKER, clock=clock)
    assert other in marked(office), "申し出ただけでは、変わらない"
    for actor, says in ((MAKER, "役割"), (type(FIRST)(MAKER.id, "approver"), "申し出た人")):
        with pytest.raises(RefusedByRule, match=says):
            protections.approve_release(office.home, number, actor=actor, clock=clock)
    with office.home.ward.begin() as connection:
        itself = ward.protection_release_approval.insert().values(
            release_id=number, asked_by=MAKER.id, approved_by=MAKER.id, approved_at=clock()
        )
        assert refused_by_the_store(connection, itself)
    clock.now += timedelta(days=30)
    assert protections.approve_release(office.home, number, actor=FIRST, clock=clock) == other
    assert other not in marked(office)
    assert row["case_number"] in outside(office)
    assert outside(office) == shown
    with pytest.raises(RefusedByRule, match="もう承認"):
        protections.approve_release(office.home, number, actor=FIRST, clock=clock)


def test_a_mark_that_comes_back_after_the_release_counts_again(office: Office) -> None:
    person = next(iter(marked(office)))
    clock = office.clock
    clock.now += timedelta(days=60)
    number = protections.ask_release(office.home, person, reason="本人の申出", actor=MAKER, clock=clock)
    protections.approve_release(office.home, number, actor=FIRST, clock=clock)
    assert person not in marked(office)
    source = office.root / "protected-later.csv"
    source.write_text(f"住民番号,区分\n{person:010d},DV\n", encoding="utf-8")
    clock.now += timedelta(days=1)
    extracts.import_file(office.home, "protected", source, clock=clock, levy_year=2024)
    assert person in marked(office)


def test_what_is_not_protected_or_has_no_reason_is_not_released(office: Office) -> None:
    with pytest.raises(WrongUse, match="ではありません"):
        protections.ask_release(office.home, 99, reason="x", actor=MAKER, clock=office.clock)
    person = next(iter(marked(office)))
    with pytest.raises(WrongUse, match="理由"):
        protections.ask_release(office.home, person, reason=" ", actor=MAKER, clock=office.clock)
    with pytest.raises(WrongUse, match="ありません"):
        protections.approve_release(office.home, 99, actor=FIRST, clock=office.clock)
    with office.home.ward.connect() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(ward.protection_release)).scalar() == 0


def test_a_vanished_mark_is_not_in_a_machine_inquiry_either(office: Office) -> None:
    """名簿から消えた人も、機械の照会には載らない（E.1）。"""

    def asked() -> set[str]:
        out = office.root / f"i{sha256_of(str(office.clock()).encode())[:6]}"
        done = inquiries.export(office.home, PROGRAMME, JUDGED, "account", out=out, clock=office.clock)
        with done.path.open(encoding="utf-8", newline="") as file:
            return {row["住民番号"] for row in csv.DictReader(file)}

    rows = standing(office).filter((standing(office)["account_flag"] == "0") & ~standing(office)["ward_only"])
    person = rows["payee_number"][0]
    mark = {"住民番号": f"{person:010d}", "区分": "DV"}
    bring(office, "protected", lambda listed: [*listed, mark])
    bring(office, "protected", lambda listed: [{**mark, "住民番号": "0000000099"}, *listed])
    assert f"{person:010d}" not in asked()


def test_the_certificate_of_a_household_whose_mark_vanished_still_stays_inside(office: Office) -> None:
    """判定証明の紙も、解除するまで区限りである。"""
    row, members = crowded(office)
    other = members["person_number"][0]
    mark = {"住民番号": f"{other:010d}", "区分": "DV"}
    plain = of_household(certificates.now(office.home, PROGRAMME, DAY), row["household_number"])
    assert not any(one.protected for one in explain.kept_inside(office.home, plain))
    bring(office, "protected", lambda rows: [*rows, mark])
    bring(office, "protected", lambda rows: [{**mark, "住民番号": "0000000099"}, *rows])
    found = of_household(certificates.now(office.home, PROGRAMME, DAY), row["household_number"])
    assert not any(one.protected for one in found), "今の名簿にはいない"
    assert all(one.protected for one in explain.kept_inside(office.home, found))
