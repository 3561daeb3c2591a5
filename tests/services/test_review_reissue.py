"""出し直しと、いくつもの事業: 古い手紙への返送は無効になり、止まったままの権利はなく、ほかの事業の件に触れない。"""

from __future__ import annotations

import json
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import sqlalchemy as sa

from benefit.domain.access import BATCH
from benefit.domain.errors import RefusedByRule, RefusedInput
from benefit.domain.programme import Programme
from benefit.records import desk_progress
from benefit.services import beneficiaries, desk_cases, desk_export, desk_forms, desk_load, desk_planned
from benefit.services.desk_forms import ReceivedForm
from benefit.services.reissue import approve, ask, reissue
from benefit.store import desk, ward
from letters.mailing import make_letters
from tests.services.conftest import FIRST, MAKER, PROGRAMME, SECOND, Office
from tests.services.test_changes import DAY, Rows, bring, standing
from tests.support.approval import approve_latest
from tests.support.reviewers import REVIEWERS

R6 = (resources.files("benefit") / "programmes" / "r6-2024.toml").read_text(encoding="utf-8")


def cases(office: Office) -> dict[str, dict[str, Any]]:
    with office.home.desk.connect() as connection:
        rows = connection.execute(sa.select(desk.benefit_case)).mappings()
        return {row["case_number"]: dict(row) for row in rows}


def hand_over(office: Office, name: str, programme: Programme = PROGRAMME, day: date = DAY) -> desk_load.Loaded:
    desk_export.export(office.home, programme, out=office.root / name, today=day, clock=office.clock)
    return desk_load.load(office.home, office.root / name, clock=office.clock)


def returned(office: Office, number: str) -> None:
    """確認書が返送され、審査が済んだ。"""
    bank, branch = next(iter(office.banks.branches()))
    form = ReceivedForm(
        number, date(2024, 7, 20), "完了", "", bank, branch, "1", "9000001", "ﾃｽﾄ", holder_reason="試験の口座"
    )
    first, second = REVIEWERS
    desk_forms.receive_forms(office.home, [form], [form], keyed_by=first, checked_by=second, clock=office.clock)


def test_a_form_sent_back_for_an_old_letter_does_not_count_for_the_new_one(office: Office) -> None:
    """古い枝番の確認書の口座と収受日で、新しい枝番の権利を払わない（CHK12）。"""
    number = next(number for number, case in cases(office).items() if case["state"] == "C20")
    returned(office, number)
    assert cases(office)[number]["state"] == "C27"
    reissue(office.home, PROGRAMME, number, reason="本人が出し直しを求めた", actor=MAKER, clock=office.clock)
    hand_over(office, "before-the-letter")
    case = cases(office)[number]
    assert (case["branch"], case["state"], case["sent_on"]) == (2, "S10", None)
    assert {case[name] for name in desk_load.OF_THE_FORM} == {None}
    make_letters(office.home, PROGRAMME, out=office.root / "again", issued_on=DAY, clock=office.clock)
    hand_over(office, "after-the-letter")
    case = cases(office)[number]
    assert (case["branch"], case["state"], case["sent_on"]) == (2, "C20", DAY)
    returned(office, number)
    assert cases(office)[number]["state"] == "C27"
    # 出し直していない受渡は、返送を捨てない。
    hand_over(office, "the-next-day", day=date(2024, 7, 30))
    assert cases(office)[number]["account_number"] == "9000001"


def test_after_a_reissue_an_old_verdict_does_not_keep_the_case_stuck(office: Office) -> None:
    """不可の判定の後に直して出し直した件は、委託先で、また返送を待つところから進む。"""
    rows = office.rows()
    number = next(row["給付管理番号"] for row in rows if cases(office)[row["給付管理番号"]]["account_flag"] == "2")
    for row in rows:
        if row["給付管理番号"] == number:
            row["支給予定額"] = str(int(row["支給予定額"]) + 10_000)
    office.judge(office.replan(rows))
    assert office.verdicts()[number]["判定"] == "不可"
    hand_over(office, "judged-payees")
    assert cases(office)[number]["state"] in {"J31", "J32"}
    reissue(office.home, PROGRAMME, number, reason="直した", actor=MAKER, clock=office.clock)
    make_letters(office.home, PROGRAMME, out=office.root / "again", issued_on=DAY, clock=office.clock)
    hand_over(office, "again-payees")
    assert cases(office)[number]["state"] in {"C20", "P20"}


def test_what_was_judged_payable_and_then_changed_can_be_reissued_and_the_old_verdict_pays_nothing(
    office: Office, tmp_path: Path
) -> None:
    """支給可の後に世帯主が変わった: 関門が閉じたまま永く止まらない。古い判定の口座へは、決して払わない。"""
    office.judge()
    payable = {number for number, row in office.verdicts().items() if row["判定"] == "支給可"}
    waiting = standing(office).filter(pl.col("case_number").is_in(list(payable)) & (pl.col("slot_kind") == "HH100K"))
    homes = set(waiting["household_number"].to_list())
    heads = dict(waiting.select("household_number", "payee_number").iter_rows())

    def swapped(rows: Rows) -> Rows:
        """払われるところの世帯で、世帯主と、もう一人の続柄を入れ替える。"""
        told: set[int] = set()
        for row in rows:
            home = int(row["世帯番号"])
            if home in homes and int(row["住民番号"]) != heads[home] and not row["消除日"] and home not in told:
                told.add(home)
                row["続柄"] = "世帯主"
        return [
            row | {"続柄": "その他"} if int(row["世帯番号"]) in told and int(row["住民番号"]) in heads.values() else row
            for row in rows
        ]

    bring(office, "residents", swapped)
    row = (
        standing(office)
        .filter(pl.col("id").is_in(waiting["id"].to_list()) & (pl.col("why_closed") == "受給者が変わった"))
        .row(0, named=True)
    )
    how = {"reason": "世帯主の訂正", "actor": MAKER, "clock": office.clock}
    with pytest.raises(RefusedByRule, match="振込を待っている"):
        reissue(office.home, PROGRAMME, row["case_number"], **how)
    beneficiaries.build(office.home, PROGRAMME, DAY, out=tmp_path / "b", clock=office.clock, actor=MAKER)
    approve_latest(office.home, office.clock, FIRST)
    assert reissue(office.home, PROGRAMME, row["case_number"], **how) == 2
    after = standing(office).filter(pl.col("id") == row["id"]).row(0, named=True)
    assert (after["payee_number"], after["open"]) == (row["payee_now"], True)
    assert office.make(today=DAY) is not None
    assert row["id"] not in {one["entitlement_id"] for one in office.payments()}


def test_a_wrong_account_seen_after_the_verdict_is_pulled_by_two_people(office: Office) -> None:
    """支給可の後、振込の前に、口座の間違いが分かった: 一人では動かず、二人で出し直せば、古い判定では払われない。"""
    office.judge()
    number = next(number for number, row in office.verdicts().items() if row["判定"] == "支給可")
    how = {"reason": "口座の書き間違い", "clock": office.clock}
    with pytest.raises(RefusedByRule, match="reissue-ask"):
        reissue(office.home, PROGRAMME, number, actor=MAKER, **how)
    asked = ask(office.home, PROGRAMME, number, actor=MAKER, **how)
    with pytest.raises(RefusedByRule, match="承認の役割"):
        approve(office.home, PROGRAMME, asked, actor=MAKER, clock=office.clock)
    assert approve(office.home, PROGRAMME, asked, actor=FIRST, clock=office.clock) == 2
    row = standing(office).filter(pl.col("case_number") == number).row(0, named=True)
    assert office.make() is not None
    assert row["id"] not in {one["entitlement_id"] for one in office.payments()}
    # 承認は一度だけ。振込になった権利は、申し出ることもできない。
    with pytest.raises(RefusedByRule):
        approve(office.home, PROGRAMME, asked, actor=SECOND, clock=office.clock)
    paid = next(one for one, row in office.verdicts().items() if row["判定"] == "支給可" and one != number)
    with pytest.raises(RefusedByRule, match="待っている権利ではありません"):
        ask(office.home, PROGRAMME, paid, actor=MAKER, **how)


def test_a_request_asked_before_the_transfer_does_nothing_after_it(office: Office) -> None:
    office.judge()
    number = next(number for number, row in office.verdicts().items() if row["判定"] == "支給可")
    how = {"reason": "口座の書き間違い", "clock": office.clock}
    asked = ask(office.home, PROGRAMME, number, actor=MAKER, **how)
    assert office.make() is not None
    with pytest.raises(RefusedByRule, match="振込の途中"):
        approve(office.home, PROGRAMME, asked, actor=FIRST, clock=office.clock)
    with office.home.ward.connect() as connection:
        assert connection.execute(ward.reissue_request_approval.select()).first() is None


@pytest.fixture
def two(office: Office) -> tuple[Office, Programme]:
    """もう一つの事業が、同じ作業場所で動いている。"""
    text = R6.replace('value = "r6-2024"', 'value = "town"').replace('"R6-H"', '"T-H"')
    for number in "1234":
        text = text.replace(f"[benefits.R6-{number}]", f"[benefits.T-{number}]")
    folder = office.home.programmes
    folder.mkdir()
    (folder / "town.toml").write_text(text, encoding="utf-8")
    town = office.home.programme("town")
    beneficiaries.build(office.home, town, DAY, out=office.root / "town", clock=office.clock)
    approve_latest(office.home, office.clock, FIRST, town)
    make_letters(office.home, town, out=office.root / "town-letters", issued_on=DAY, clock=office.clock)
    return office, town


def test_the_handover_of_one_programme_leaves_the_other_alone(two: tuple[Office, Programme]) -> None:
    office, town = two
    before = cases(office)
    done = hand_over(office, "town-payees", town)
    assert (done.added, done.withdrawn) == (done.rows, 0)
    after = cases(office)
    assert before == {number: after[number] for number in before}, "ほかの事業の返送・審査・口座が消えた"
    # 支給予定情報も、事業ごとに分かれる。
    later = date(2024, 8, 20)
    desk_cases.pass_deadlines(office.home, later, actor=BATCH, clock=office.clock)
    made = desk_planned.make(
        office.home, PROGRAMME.id, out=office.root / "planned-r6", today=later, actor=BATCH, clock=office.clock
    )
    assert made is None, "r6-2024 の件は、もう全部出してある"
    made = desk_planned.make(office.home, "town", out=office.root / "p2", today=later, actor=BATCH, clock=office.clock)
    assert made is not None
    states = {case["state"] for case in cases(office).values() if case["benefit"].startswith("T-")}
    assert "J30" in states


def test_a_handover_that_names_a_benefit_of_another_programme_changes_nothing(two: tuple[Office, Programme]) -> None:
    office, town = two
    hand_over(office, "mine", town)
    before = cases(office)
    folder = office.root / "mine"
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["事業"] = "other"
    manifest["連番"] += 1
    told = {**manifest, "指紋": desk_progress.fingerprint(manifest)}
    (folder / "manifest.json").write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
    with pytest.raises(RefusedInput, match="ほかの事業のもの"):
        desk_load.load(office.home, folder, clock=office.clock)
    assert cases(office) == before
