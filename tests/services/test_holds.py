"""保留は二人が解除し、判定し直して初めて支給可になる。不可は誰にも解除できない（benefit-rules C.3・D）。"""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
import sqlalchemy as sa

from benefit.domain.access import Actor
from benefit.domain.errors import RefusedByRule, WrongUse
from benefit.rules.payment_check import Severity
from benefit.rules.payment_verdicts import payment_checks
from benefit.services import holds, judgment
from benefit.store import ward
from tests.services.conftest import FIRST, JUDGED, MAKER, PROGRAMME, Office, refused_by_the_store

NUMBER = "r6-2024-0099"


def shared(office: Office) -> tuple[str, str]:
    """別の世帯の二人が同じ口座を書いた、収受済の二行にして判定する。給付管理番号を返す（CHK82）。"""
    rows = office.rows()
    adults = [row for row in rows if int(row["支給予定額"]) != 50_000]
    first, second = adults[0], next(row for row in adults if row["カナ氏名"] != adults[0]["カナ氏名"])
    account = {
        "金融機関コード": "9999", "支店コード": "001", "預金種目": "1", "口座番号": "9000777",
        "収受日": "2024-07-20", "審査完了日": "2024-07-21",
    }  # fmt: skip
    for row in (first, second):
        row.update(account, 口座名義カナ=row["カナ氏名"])
    office.judge(office.replan([{**row, "行番号": str(n)} for n, row in enumerate((first, second), 1)], number=NUMBER))
    return first["給付管理番号"], second["給付管理番号"]


def again(office: Office, out: str = "again-out") -> dict[str, dict[str, str]]:
    done = judgment.judge_again(
        office.home,
        PROGRAMME,
        NUMBER,
        out=office.root / out,
        today=JUDGED,
        bank_master=office.banks,
        clock=office.clock,
    )
    assert done is not None
    return office.verdicts(out)


def release(office: Office, number: str, *checks: str) -> None:
    for check in checks:
        asked = holds.ask(
            office.home, PROGRAMME, number, check, reason="双方に電話で確かめた", actor=MAKER, clock=office.clock
        )
        holds.approve(office.home, asked, actor=FIRST, clock=office.clock)


def held_checks(office: Office, number: str, out: str = "judged") -> list[str]:
    row = office.verdicts(out)[number]
    assert row["判定"] == "保留", row
    warnings = {"CHK68", "CHK95"}
    return [check for check in row["検査"].split(";") if check not in warnings]


def test_a_hold_is_released_by_two_people_and_paid_only_after_a_new_judgment(office: Office) -> None:
    one, other = shared(office)
    checks = held_checks(office, one)
    assert "CHK82" in checks
    release(office, one, *checks)
    assert office.verdicts()[one]["判定"] == "保留", "解除しただけでは、判定は変わらない"
    assert office.make() is None
    found = again(office)
    assert (found[one]["判定"], found[other]["判定"]) == ("支給可", "保留")
    made = office.make()
    assert made is not None
    assert made.line_count == 1


def test_the_same_person_cannot_do_both_and_a_clerk_cannot_approve(office: Office) -> None:
    one, _other = shared(office)
    how = {"reason": "確かめた", "clock": office.clock}
    asked = holds.ask(office.home, PROGRAMME, one, "CHK82", actor=FIRST, **how)
    for actor, says in ((FIRST, "申し出た人"), (MAKER, "役割")):
        with pytest.raises(RefusedByRule, match=says):
            holds.approve(office.home, asked, actor=actor, clock=office.clock)
    with office.home.ward.begin() as connection:
        row = {"release_id": asked, "asked_by": FIRST.id, "approved_by": FIRST.id, "approved_at": office.clock()}
        assert refused_by_the_store(connection, ward.hold_release_approval.insert().values(**row))
        forged = row | {"asked_by": MAKER.id}
        assert refused_by_the_store(connection, ward.hold_release_approval.insert().values(**forged))
    second = Actor("shonin2", "approver")
    del second
    assert again(office)[one]["判定"] == "保留"


def test_a_block_cannot_be_released(office: Office) -> None:
    rows = office.rows()
    rows[0]["支給予定額"] = "70000"
    office.judge(office.replan(rows, number=NUMBER))
    number = rows[0]["給付管理番号"]
    for check in ("CHK70", "CHK30", "CHK61", "CHK56"):
        with pytest.raises(RefusedByRule, match="解除できる保留ではありません"):
            holds.ask(office.home, PROGRAMME, number, check, reason="x", actor=MAKER, clock=office.clock)
    with pytest.raises(RefusedByRule, match="保留になっていません"):
        holds.ask(office.home, PROGRAMME, number, "CHK82", reason="x", actor=MAKER, clock=office.clock)
    with pytest.raises(WrongUse, match="理由"):
        holds.ask(office.home, PROGRAMME, number, "CHK82", reason=" ", actor=MAKER, clock=office.clock)


def test_no_block_can_be_asked_for_whatever_its_number(office: Office) -> None:
    """不可だけの検査は、どの番号も解除の申し出を受けない。注意だけの検査も、解除するものではない。"""
    one, _other = shared(office)
    checks = payment_checks(PROGRAMME)
    releasable = {check.number for check in checks if check.severity is Severity.HOLD}
    assert holds.releasable(PROGRAMME) == releasable
    for number in {check.number for check in checks} - releasable:
        with pytest.raises(RefusedByRule, match="解除できる保留ではありません"):
            holds.ask(office.home, PROGRAMME, one, number, reason="x", actor=MAKER, clock=office.clock)
    # 保留と不可の両方の重さを持つ番号でも、不可になっている行は受けない。
    both = {check.number for check in checks if check.severity is Severity.BLOCK} & releasable
    rows = office.rows()
    rows[0]["支給予定額"] = "70000"
    office.judge(office.replan(rows, number="r6-2024-0100", name="blocked"), out="blocked")
    for number in both:
        with pytest.raises(RefusedByRule, match="保留になっていません"):
            holds.ask(
                office.home, PROGRAMME, rows[0]["給付管理番号"], number, reason="x", actor=MAKER, clock=office.clock
            )


def test_a_release_holds_only_for_the_line_that_was_seen(office: Office) -> None:
    """口座が変われば、解除は効かない。"""
    one, other = shared(office)
    release(office, one, *held_checks(office, one))
    rows: list[dict[str, Any]] = [row for row in office.rows() if row["給付管理番号"] in (one, other)]
    for row in rows:
        row.update(
            金融機関コード="9999", 支店コード="001", 預金種目="1", 口座番号="9000778", 口座名義カナ=row["カナ氏名"],
            収受日="2024-07-20", 審査完了日="2024-07-22",
        )  # fmt: skip
    renumbered = [{**row, "行番号": str(place)} for place, row in enumerate(rows, 1)]
    office.judge(office.replan(renumbered, number="r6-2024-0100", name="other-account"), out="other")
    assert office.verdicts("other")[one]["判定"] == "保留"


def test_a_block_whose_cause_is_mended_is_judged_again(office: Office) -> None:
    """口座の店舗が表になかった行は、表を直して判定し直せば通る（J32 → J30）。"""
    rows = office.rows()
    at = next(row for row in rows if row["口座フラグ"] == "3")
    at.update(
        金融機関コード="9998", 支店コード="001", 預金種目="1", 口座番号="9000777", 口座名義カナ=at["カナ氏名"],
        収受日="2024-07-20", 審査完了日="2024-07-21",
    )  # fmt: skip
    office.judge(office.replan(rows, number=NUMBER))
    number = at["給付管理番号"]
    assert "CHK80" in office.verdicts()[number]["検査"].split(";")
    from benefit.services import bank_master

    known = {("9998", "001"), *office.banks.branches()}
    bank_master.use_rehearsal(office.home, known)
    mended = bank_master.in_use(office.home)
    done = judgment.judge_again(
        office.home, PROGRAMME, NUMBER, out=office.root / "m", today=JUDGED, bank_master=mended, clock=office.clock
    )
    assert done is not None
    assert office.verdicts("m")[number]["判定"] in {"支給可", "保留"}
    assert "CHK80" not in office.verdicts("m")[number]["検査"]


def test_judging_again_takes_only_what_is_not_yet_payable(office: Office) -> None:
    office.judge()
    payable = {number for number, row in office.verdicts().items() if row["判定"] == "支給可"}
    done = judgment.judge_again(
        office.home, PROGRAMME, "r6-2024-0001", out=office.root / "m", today=JUDGED, bank_master=office.banks,
        clock=office.clock,
    )  # fmt: skip
    if done is not None:
        assert not payable & office.verdicts("m").keys()
    with pytest.raises(WrongUse, match="ファイル番号"):
        judgment.judge_again(
            office.home, PROGRAMME, "none", out=office.root / "n", today=JUDGED, bank_master=office.banks,
            clock=office.clock,
        )  # fmt: skip
    with office.home.ward.connect() as connection:
        counted = connection.execute(
            sa.select(ward.verdict.c.entitlement_id, sa.func.count())
            .where(ward.verdict.c.verdict == "支給可")
            .group_by(ward.verdict.c.entitlement_id)
        ).all()
    assert all(count == 1 for _id, count in counted)


def test_more_lines_than_there_is_to_pay_refuses_the_file(office: Office) -> None:
    """CHK04。"""
    with office.home.ward.connect() as connection:
        total = connection.execute(sa.select(sa.func.count()).select_from(ward.valid_entitlement)).scalar_one()
    rows = office.rows()
    many = [{**rows[n % len(rows)], "行番号": str(n + 1)} for n in range(total + 1)]
    with pytest.raises(RefusedByRule, match="CHK04"):
        office.judge(office.replan(many))
    assert office.judge(office.replan(many[:total], name="exactly", number="exactly")).rows == total


def test_the_sample_is_about_one_in_a_hundred_and_not_for_the_sender_to_choose() -> None:
    from benefit.services.judgment_rows import sampled

    numbers = pl.DataFrame({"case_number": [f"{n * 7_919 % 10**10:010d}0" for n in range(20_000)]})
    one, two = ({*numbers.filter(sampled(seed * 8))["case_number"]} for seed in ("0badcafe", "12345678"))
    assert 100 < len(one) < 320
    assert len(one & two) < 30
