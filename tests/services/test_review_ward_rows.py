"""区が直接扱うことになった人は、区の中で必ず払える。区の行の結果は、委託先へ返す形にならない。知らせた調整給付は凍る。"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
from sqlalchemy import select

from benefit.services import beneficiaries, judgment
from benefit.services.reissue import reissue
from benefit.store import ward
from letters.mailing import make_letters
from tests.services.conftest import FIRST, JUDGED, MAKER, PROGRAMME, Office
from tests.services.test_changes import DAY, bring, change, one, standing
from tests.support.approval import approve_latest
from tests.support.small_ward import read


def judge_ward(office: Office, *, out: str = "ward-judged", today: date = DAY) -> judgment.Judged | None:
    return judgment.judge_ward_rows(
        office.home, PROGRAMME, out=office.root / out, today=today, bank_master=office.banks, clock=office.clock
    )


def protect(office: Office, number: int) -> None:
    marked = {"住民番号": f"{number:010d}", "区分": "DV"}
    bring(office, "protected", lambda rows: [*rows, marked])


def payable_row(office: Office) -> dict[str, object]:
    """お知らせの期限が過ぎ、申し出が届いている、世帯の給付の一つ。"""
    planned = {row["給付管理番号"] for row in office.rows() if not row["収受日"]}
    rows = standing(office).filter(
        pl.col("case_number").is_in(list(planned)) & (pl.col("slot_kind") == "HH100K") & pl.col("open")
    )
    return rows.row(0, named=True)


def test_somebody_marked_after_the_contractor_proposed_is_paid_by_the_ward(office: Office) -> None:
    """委託先の行は不可（CHK56）、区の行は支給可。徳島市の後の一人が、永く払われないことにならない。"""
    row = payable_row(office)
    protect(office, int(str(row["payee_number"])))
    office.judge()
    told = office.verdicts()[str(row["case_number"])]
    assert (told["判定"], "CHK56" in told["検査"].split(";")) == ("不可", True)
    judge_ward(office)
    mine = office.verdicts("ward-judged")
    assert mine[str(row["case_number"])]["判定"] == "支給可"
    made = office.make(today=DAY)
    assert made is not None
    assert [one["entitlement_id"] for one in office.payments()].count(row["id"]) == 1
    # もう一度判定しても、二度目の行はできない。
    again = judge_ward(office, out="twice", today=date(2024, 7, 30))
    assert again is None or str(row["case_number"]) not in office.verdicts("twice")


def test_the_wards_own_rows_make_no_reply_for_the_contractor(office: Office) -> None:
    row = payable_row(office)
    protect(office, int(str(row["payee_number"])))
    assert judge_ward(office) is not None
    made = {path.name for path in (office.root / "ward-judged").iterdir()}
    assert made == {"verdicts.csv", "checks.csv", "vanished.csv", "judgment.xlsx"}
    office.judge()
    assert (office.root / "judged" / "reply").is_dir()


def test_a_reissued_ward_row_waits_for_its_new_notice_and_is_judged_again(office: Office) -> None:
    row = payable_row(office)
    number = str(row["case_number"])
    protect(office, int(str(row["payee_number"])))
    reissue(office.home, PROGRAMME, number, reason="区が引き継ぐ", actor=MAKER, clock=office.clock)
    assert judge_ward(office) is None or number not in office.verdicts("ward-judged"), "古い枝番の期限で払わない"
    make_letters(office.home, PROGRAMME, out=office.root / "again", issued_on=DAY, clock=office.clock)
    later = date(2024, 8, 20)
    assert judge_ward(office, out="later", today=later) is not None
    assert office.verdicts("later")[number]["判定"] == "支給可"


def test_a_reissue_for_returned_mail_does_not_change_a_told_adjustment(office: Office, tmp_path: Path) -> None:
    """調整給付: 知らせた後に税が更正され、承認されても、返戻で出し直した額は知らせたままである（A.6）。"""
    row = one(office, slot_kind="ADJ", open=True, ward_only=False)
    sent = select(ward.letter.c.id).where(ward.letter.c.entitlement_id == row["id"])
    with office.home.ward.connect() as connection:
        assert connection.execute(sent).first() is not None
    source = next(
        one for one in read(office.root / "in" / "taxes.csv") if one["宛名番号"] == f"{row['subject_number']:010d}"
    )
    assert source["宛名番号"]
    for turn, corrected in enumerate(({"推計所得税額": "0"}, {"合計所得金額": "99000000"})):
        bring(office, "taxes", change(row["subject_number"], **corrected))
        beneficiaries.build(office.home, PROGRAMME, DAY, out=tmp_path / f"b{turn}", clock=office.clock, actor=MAKER)
        approve_latest(office.home, office.clock, FIRST)
        how = {"reason": "返戻", "actor": MAKER, "clock": office.clock}
        assert reissue(office.home, PROGRAMME, row["case_number"], **how) == 2 + turn
        now = one(office, id=row["id"])
        assert (now["amount_yen"], now["open"]) == (row["amount_yen"], True)
        made = make_letters(office.home, PROGRAMME, out=office.root / f"again{turn}", issued_on=DAY, clock=office.clock)
        assert made.printed == 1
    assert JUDGED < DAY
