"""届いた返事は、支給判定を止める: 辞退（CHK51）、不備（CHK53）、返戻（CHK54）、死亡の申出（CHK60）。"""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from benefit.services import endings, handback_lists, holds, judgment
from benefit.services.handback_propose import propose_refusals
from benefit.store.engine import reading
from tests.services.conftest import FIRST, JUDGED, MAKER, PROGRAMME, Office
from tests.support.handback import Exchange


def told(office: Office, days: Exchange | None = None, **columns: str) -> str:
    """判定待ちの一件（お知らせの人）が、委託先の台帳ではこうだ、という進捗情報を受け取る。その番号を返す。"""
    days = days or Exchange(office)
    number = next(row["給付管理番号"] for row in office.rows() if not row["収受日"] and row["口座フラグ"] == "2")
    folder = days.make()
    days.edit(folder, "cases.csv", number, **columns)
    days.take(folder)
    return number


def stopped_by(row: dict[str, str]) -> set[str]:
    """引っかかった検査（転出の注意は、払うのを止めない）。"""
    return set(row["検査"].split(";")) - {"CHK68", ""}


def test_a_returned_push_notice_is_not_paid_on_deemed_acceptance(office: Office) -> None:
    number = told(office, 進捗状況="P21", 返戻日="2024-07-05", 返戻理由="unknown_address", 送る手紙="reissue")
    office.judge()
    row = office.verdicts()[number]
    assert (row["判定"], stopped_by(row)) == ("不可", {"CHK54"})
    others = {other["判定"] for key, other in office.verdicts().items() if key != number}
    assert others == {"支給可"}
    with reading(office.home.ward) as connection:
        back = handback_lists.returned(connection, PROGRAMME)
        assert back.select("case_number", "returned_on").rows() == [(number, date(2024, 7, 5))]
        assert handback_lists.letters_due(connection, PROGRAMME).rows() == [(number, 1, "reissue")]
    reply = (office.root / "judged" / "reply").rglob("*.csv")
    assert all("返戻" not in path.read_text(encoding="utf-8") for path in reply)


@pytest.mark.parametrize("office", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("columns", "check", "verdict"),
    [
        ({"進捗状況": "C24", "不備": "signature"}, "CHK53", "不可"),
        ({"進捗状況": "C25", "不備": "signature"}, "CHK53", "不可"),
        ({"進捗状況": "P22", "辞退受付日": "2024-07-05"}, "CHK51", "不可"),
        ({"進捗状況": "X60", "死亡申出日": "2024-07-05"}, "CHK60", "保留"),
    ],
)
def test_what_the_contractor_was_told_stops_the_payment(
    office: Office, columns: dict[str, str], check: str, verdict: str
) -> None:
    number = told(office, **columns)
    office.judge()
    row = office.verdicts()[number]
    assert (row["判定"], stopped_by(row)) == (verdict, {check})


@pytest.mark.parametrize("office", ["sqlite"], indirect=True)
def test_the_next_progress_lets_the_line_through_when_judged_again(office: Office) -> None:
    days = Exchange(office)
    number = told(office, days, 進捗状況="C24", 不備="signature")
    office.judge()
    assert stopped_by(office.verdicts()[number]) == {"CHK53"}
    days.day()  # 直った後の姿
    judgment.judge_again(
        office.home, PROGRAMME, "r6-2024-0001", out=office.root / "again", today=JUDGED, bank_master=office.banks,
        clock=office.clock,
    )  # fmt: skip
    assert office.verdicts("again")[number]["判定"] == "支給可"


@pytest.mark.parametrize("office", ["sqlite"], indirect=True)
def test_a_death_that_was_told_is_held_and_two_people_release_it(office: Office) -> None:
    number = told(office, 進捗状況="X60", 死亡申出日="2024-07-05")
    with reading(office.home.ward) as connection:
        assert handback_lists.deceased(connection, PROGRAMME)["case_number"].to_list() == [number]
    office.judge()
    assert holds.held(office.home, PROGRAMME)["case_number"].to_list() == [number]
    asked = holds.ask(office.home, PROGRAMME, number, "CHK60", reason="本人が来庁した", actor=MAKER, clock=office.clock)
    assert holds.approve(office.home, asked, actor=FIRST, clock=office.clock) == "CHK60"


@pytest.mark.parametrize("office", ["sqlite"], indirect=True)
def test_a_death_told_after_the_case_was_proposed_is_held_too(office: Office) -> None:
    """判定に出た後（J30）の電話は、対応履歴にだけ残る。"""
    days = Exchange(office)
    number = next(row["給付管理番号"] for row in office.rows() if row["口座フラグ"] == "2")
    days.contact(number, "娘から、本人が亡くなったと電話", category="death")
    days.day()
    with reading(office.home.ward) as connection:
        assert handback_lists.deceased(connection, PROGRAMME)["case_number"].to_list() == [number]
    office.judge()
    row = office.verdicts()[number]
    assert (row["判定"], stopped_by(row)) == ("保留", {"CHK60"})


@pytest.mark.parametrize("office", ["sqlite"], indirect=True)
def test_refusals_are_confirmed_by_two_people_of_the_ward(office: Office) -> None:
    number = told(office, 進捗状況="P22", 辞退受付日="2024-07-05")
    done = propose_refusals(office.home, PROGRAMME, actor=MAKER, clock=office.clock)
    assert list(done.asked) == [number]
    assert propose_refusals(office.home, PROGRAMME, actor=MAKER, clock=office.clock).asked == {}
    endings.approve(office.home, done.asked[number], actor=FIRST, clock=office.clock)
    with reading(office.home.ward) as connection:
        assert handback_lists.refusals(connection, PROGRAMME).is_empty()
    office.judge(today=JUDGED)
    assert stopped_by(office.verdicts()[number]) == {"CHK51"}


@pytest.mark.parametrize("office", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("columns", "received", "reviewed", "hit"),
    [
        # 戻った日より前の収受では解けず、その日からの収受で解ける。
        ({"進捗状況": "C21", "返戻日": "2024-07-05", "返戻理由": "moved"}, "2024-07-04", "2024-07-08", "CHK54"),
        ({"進捗状況": "C21", "返戻日": "2024-07-05", "返戻理由": "moved"}, "2024-07-05", "2024-07-08", ""),
        # 進捗情報（7 月 26 日）と同じ日の審査では、順が分からない。次の日の審査なら、直った後である。
        ({"進捗状況": "C24", "不備": "signature"}, "2024-07-05", "2024-07-26", "CHK53"),
        ({"進捗状況": "C24", "不備": "signature"}, "2024-07-05", "2024-07-27", ""),
        ({"進捗状況": "C29", "辞退受付日": "2024-07-05"}, "2024-07-05", "2024-07-26", "CHK51"),
        ({"進捗状況": "C29", "辞退受付日": "2024-07-05"}, "2024-07-05", "2024-07-27", ""),
        # 出し直す前の枝番に届いたことは、いまの枝番には当てない。
        ({"進捗状況": "C21", "返戻日": "2024-07-05", "返戻理由": "moved", "枝番": "9"}, "2024-07-04", "2024-07-08", ""),
    ],
)
def test_what_was_told_stands_until_something_newer(
    office: Office, columns: dict[str, str], received: str, reviewed: str, hit: str
) -> None:
    number = told(office, **columns)
    rows = [
        row | ({"収受日": received, "審査完了日": reviewed} if row["給付管理番号"] == number else {})
        for row in office.rows()
    ]
    office.judge(office.replan(rows), today=JUDGED + timedelta(days=1))
    checks = set(office.verdicts()[number]["検査"].split(";")) & {"CHK51", "CHK53", "CHK54"}
    assert checks == ({hit} if hit else set())
