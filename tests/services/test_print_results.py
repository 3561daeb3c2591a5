"""印刷所の結果: 渡したロットと一枚ずつ合い、合わなければ束は止まる。返戻は、送った手紙にだけ結ばれる（issue 6 の 7）。"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from batch.letters_counts import checker
from benefit.domain import print_result as words
from benefit.domain.access import Actor
from benefit.domain.errors import RefusedByRule, RefusedInput, WrongUse
from benefit.domain.print_result import CLOSED, GOOD, SPOILED, STOPPED
from benefit.services import mailing_lots, print_results_view, reissue, returned_letters
from benefit.services.print_results import SHEETS_FILE, Taken
from benefit.services.returned_letters import Returned
from benefit.store import ward
from benefit.store.engine import reading
from letters.sheet_code import KEY, SheetCode
from tests.services.conftest import ISSUED, MAKER, PROGRAMME, Office, refused_by_the_store
from tests.support import print_lots
from tests.support.print_lots import Rows

PRINTED, SENT, TODAY = ISSUED + timedelta(1), ISSUED + timedelta(3), date(2024, 7, 26)


@pytest.fixture
def lot(office: Office) -> Path:
    """印刷所に渡したロットのフォルダ（区の中の、sheets.csv のある方）。"""
    return print_lots.folder_of(office.home, "printer", office.root / "lot-printer")


def codes_of(office: Office, folder: Path) -> list[str]:
    return print_lots.codes_of(office.home, folder)


def clean(codes: list[str]) -> Rows:
    return print_lots.clean(codes, PRINTED, SENT)


def take(office: Office, folder: Path, rows: Rows, *, name: str = "kekka", reason: str = "") -> Taken:
    file = office.root / f"{name}.csv"
    return print_lots.take(office.home, folder, rows, file, actor=MAKER, clock=office.clock, reason=reason)


def test_a_clean_result_closes_the_lot_and_the_same_file_changes_nothing(office: Office, lot: Path) -> None:
    codes = codes_of(office, lot)
    with reading(office.home.ward) as connection:
        assert print_results_view.closed_lots(connection) == set()
    done = take(office, lot, clean(codes))
    sent = len(codes)
    assert done.counts == {
        "sent": sent, "good": sent - 1, "spoiled": 1, "remade": 1, "posted": sent, "pulled": 0, "wrong": 0,
    }  # fmt: skip
    assert (done.state, done.turn, done.repeated) == (CLOSED, 1, False)
    again = take(office, lot, clean(codes), name="onaji")
    assert (again.result_id, again.state, again.repeated) == (done.result_id, CLOSED, True)
    with reading(office.home.ward) as connection:
        (row,) = print_results_view.results(connection)
        lots = mailing_lots.lots_of(connection)
        assert print_results_view.closed_lots(connection) == {
            number for number, one in lots.items() if one.place == "printer"
        }
    assert (row["posted_from"], row["posted_to"], row["taken_by"]) == (SENT, SENT, MAKER.id)


def test_what_does_not_agree_stops_the_lot_and_a_corrected_file_follows_with_a_reason(
    office: Office, lot: Path
) -> None:
    codes = codes_of(office, lot)
    lost = [row for row in clean(codes) if row[0] != codes[3]]
    stopped = take(office, lot, lost)
    assert (stopped.state, stopped.counts["wrong"]) == (STOPPED, 1)
    assert stopped.faults.rows() == [(codes[3], words.MISSING, None)]
    with pytest.raises(WrongUse, match="理由"):
        take(office, lot, clean(codes), name="naoshi")
    mended = take(office, lot, clean(codes), name="naoshi", reason="読み取りの漏れ。印刷所が数え直した")
    assert (mended.state, mended.turn) == (CLOSED, 2)
    with reading(office.home.ward) as connection:
        assert [row["state"] for row in print_results_view.history(connection, stopped.result_id)] == [STOPPED, CLOSED]
        assert not print_results_view.one(connection, stopped.result_id)["now"]
        assert print_results_view.one(connection, mended.result_id)["now"]
        # 前の回の名ざしも、残っている。
        assert print_results_view.faults_of(connection, stopped.result_id).height == 1


def test_a_stranger_is_named_with_what_it_is(office: Office, lot: Path) -> None:
    """形が違う、検査が違う、台帳にない、別のロット、古い版。どれも、番号とわけで名ざす。"""
    codes, key = codes_of(office, lot), office.home.key(KEY)
    beside = codes_of(office, print_lots.folder_of(office.home, "ward", office.root / "lot-ward"))[0]
    unknown = SheetCode.of(key, "00000000000", 1, 2, 1, 1, 123).digits
    first = codes[5]
    old = SheetCode.of(key, first[:11], int(first[11:13]), int(first[13:15]), 1, 1, 7).digits
    forged = f"{first[:-4]}{(int(first[-4:]) + 1) % 10_000:04d}"
    strange = {
        "123": words.UNREADABLE, forged: words.WRONG_CHECK, unknown: words.UNKNOWN, beside: words.OTHER_LOT,
        old: words.OTHER_FORM,
    }  # fmt: skip
    rows = clean(codes) + [(code, GOOD, PRINTED, "") for code in strange]
    done = take(office, lot, rows)
    assert dict(done.faults.select("code", "fault").rows()) == strange
    assert done.state == STOPPED


def test_a_letter_made_void_before_it_was_posted_may_not_be_posted(office: Office, lot: Path) -> None:
    codes = codes_of(office, lot)
    office.clock.now = office.clock.now.replace(year=2024, month=6, day=25)
    reissue.reissue(office.home, PROGRAMME, codes[1][:11], reason="試験", actor=MAKER, clock=office.clock)
    office.clock.now = office.clock.now.replace(month=7, day=26)
    done = take(office, lot, clean(codes))
    assert done.faults.rows() == [(codes[1], words.VOID_BRANCH, 4)]
    pulled = [row for row in clean(codes) if row[0] != codes[1]] + [(codes[1], SPOILED, PRINTED, "")]
    done = take(office, lot, pulled, name="nuita", reason="抜き取った")
    assert (done.state, done.counts["pulled"]) == (CLOSED, 1)


def test_a_letter_taken_out_of_the_lot_may_be_thrown_away_but_not_posted(office: Office, lot: Path) -> None:
    codes = codes_of(office, lot)
    with office.home.ward.begin() as connection:
        letter, right = ward.letter, ward.entitlement
        query = (
            sa.select(letter)
            .join(right, right.c.id == letter.c.entitlement_id)
            .where(right.c.case_number == codes[1][:11])
        )
        row = connection.execute(query).mappings().one()
        out = {"letter_id": row["id"], "lot_id": row["lot_id"], "why": "転出", "pulled_by": MAKER.id}
        connection.execute(ward.letter_pull.insert().values(**out, pulled_at=office.clock()))
    left = [code for code in codes if code != codes[1]]
    (lot / SHEETS_FILE).write_text("\n".join(["封入の符号", *left, ""]), encoding="utf-8")
    done = take(office, lot, clean(codes))
    assert done.faults.select("code", "fault").rows() == [(codes[1], words.TAKEN_OUT)]
    done = take(office, lot, [*clean(left), (codes[1], SPOILED, PRINTED, "")], name="suteta", reason="捨てた")
    assert (done.state, done.counts["sent"]) == (CLOSED, len(left))


def test_the_list_the_letters_made_is_the_one_that_is_counted(office: Office) -> None:
    """手紙を作った時の本物の一覧（区の中のフォルダ）で、本物の組が閉じる。"""
    (folder,) = (office.root / "letters" / "printer").iterdir()
    codes = codes_of(office, folder)
    assert not (folder / SHEETS_FILE).exists(), "渡すフォルダに、紙の一覧がある"
    assert take(office, folder, clean(codes)).state == CLOSED
    # 額の頁は、区が別に刷る組。手紙の行はないが、同じように数える。
    (pages,) = (office.root / "letters" / "ward").glob("amount-*")
    extra = codes_of(office, pages)
    assert take(office, pages, clean(extra), name="gaku").state == CLOSED
    assert {code[:15] for code in extra} <= {code[:15] for code in codes}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda lines: [lines[0], *lines[2:]], "台帳の組の手紙と合いません"),
        (lambda lines: [*lines, lines[1]], "二度あります"),
        (lambda lines: [lines[0], f"{lines[1][:-1]}{(int(lines[1][-1]) + 1) % 10}", *lines[2:]], "検査の数字"),
        (lambda lines: ["番号", *lines[1:]], "形が違います"),
    ],
)
def test_the_list_of_sheets_is_not_believed(
    office: Office, lot: Path, change: Callable[[list[str]], list[str]], says: str
) -> None:
    codes = codes_of(office, lot)
    path = lot / SHEETS_FILE
    path.chmod(0o600)
    path.write_text("\n".join([*change(["封入の符号", *codes]), ""]), encoding="utf-8")
    with pytest.raises((RefusedByRule, RefusedInput), match=says):
        take(office, lot, clean(codes))


def test_the_store_refuses_a_closed_result_whose_numbers_do_not_agree(office: Office, lot: Path) -> None:
    done = take(office, lot, clean(codes_of(office, lot)))
    table = ward.print_result
    with office.home.ward.begin() as connection:
        row = dict(connection.execute(sa.select(table)).mappings().one())
        new = {**row, "id": done.result_id + 1, "turn": 2, "sha256": "f" * 64, "reason": "わけ"}
        assert refused_by_the_store(connection, table.insert().values(**{**new, "posted": row["posted"] - 1}))
        assert refused_by_the_store(connection, table.insert().values(**{**new, "reason": ""}))
        assert refused_by_the_store(connection, table.update().values(state=STOPPED))
        assert not refused_by_the_store(connection, table.insert().values(**new))


def give_back(office: Office, *lines: str, name: str = "henrei", reason: str = "moved") -> Returned:
    path = office.root / f"{name}.txt"
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return returned_letters.take(
        office.home, path,
        reason=reason, returned_on=TODAY, right=checker(office.home), actor=MAKER, clock=office.clock,
    )  # fmt: skip


def test_a_list_that_came_before_the_result_can_be_taken_again_and_only_by_a_clerk(office: Office, lot: Path) -> None:
    """結果を閉じる前の一覧は残さない（同じ一覧を後で入れられる）。監査と管理の人は、どちらも入れられない。"""
    codes = codes_of(office, lot)
    with pytest.raises(RefusedByRule, match="結果を閉じ、同じ一覧をもう一度"):
        give_back(office, codes[0])
    for role in ("auditor", "admin"):
        other = Actor("kansa", role)
        with pytest.raises(RefusedByRule, match="担当か承認の役割"):
            print_lots.take(
                office.home, lot, clean(codes), office.root / "kekka.csv", actor=other, clock=office.clock, reason=""
            )
    take(office, lot, clean(codes))
    with pytest.raises(RefusedByRule, match="担当か承認の役割"):
        returned_letters.take(
            office.home, office.root / "henrei.txt",
            reason="moved", returned_on=TODAY, right=checker(office.home),
            actor=Actor("kansa", "auditor"), clock=office.clock,
        )  # fmt: skip
    assert (give_back(office, codes[0]).taken, give_back(office, codes[0]).repeated) == (1, True)
    with pytest.raises(WrongUse, match="--reason"):
        take(office, lot, clean(codes)[:-1], name="mijikai")


def test_returned_mail_is_tied_to_the_letter_that_was_posted_and_nothing_is_lost(office: Office, lot: Path) -> None:
    codes = codes_of(office, lot)
    take(office, lot, clean(codes))
    beside = codes_of(office, print_lots.folder_of(office.home, "ward", office.root / "lot-ward"))[0]
    lines = [
        "番号", codes[0][:11], codes[1], f"{codes[2][:11]}-{codes[2][11:13]}", codes[0], "abc", "",
        f"{codes[3][:-1]}{(int(codes[3][-1]) + 1) % 10}", "99999999999", beside,
    ]  # fmt: skip
    done = give_back(office, *lines)
    assert (done.read, done.taken, done.repeated) == (8, 3, False)
    assert dict(done.refused) == {
        5: returned_letters.TWICE, 6: returned_letters.UNREADABLE, 8: returned_letters.WRONG_CHECK,
        9: returned_letters.UNKNOWN, 10: returned_letters.NOT_POSTED,
    }  # fmt: skip
    again = give_back(office, *lines, name="onaji")
    assert (again.read, again.taken, again.repeated, again.refused) == (8, 3, True, done.refused)
    later = give_back(office, codes[0], codes[4], name="tsugi")
    assert (later.taken, dict(later.refused)) == (1, {1: returned_letters.ALREADY})
    with office.home.ward.connect() as connection:
        assert len(connection.execute(sa.select(ward.returned_letter)).all()) == 4
        assert len(connection.execute(sa.select(ward.returned_refused)).all()) == 6


def test_mail_of_a_stopped_lot_is_not_taken_as_posted(office: Office, lot: Path) -> None:
    codes = codes_of(office, lot)
    take(office, lot, clean(codes)[:-1])
    with pytest.raises(RefusedByRule, match=returned_letters.NOT_POSTED.split("（")[0]):
        give_back(office, codes[0])
    with office.home.ward.connect() as connection:
        assert connection.execute(sa.select(ward.returned_list)).all() == [], "残すと、閉じた後の同じ一覧が入らない"


def test_a_wrong_word_or_a_day_to_come_takes_nothing(office: Office, lot: Path) -> None:
    take(office, lot, clean(codes_of(office, lot)))
    with pytest.raises(WrongUse, match="返戻のわけ"):
        give_back(office, "1" * 11, reason="風")
    with pytest.raises(RefusedInput, match="一つもありません"):
        give_back(office, "番号")
