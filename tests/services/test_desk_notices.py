"""委託先が刷る手紙（L5・L8）: 台帳は給付管理システムのものだけ、額も口座もなく、一つの頼みに一度だけ。"""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from pathlib import Path

import pypdfium2
import pytest
import sqlalchemy as sa

from benefit.domain.access import BATCH
from benefit.domain.deficiency import DEFECTS
from benefit.domain.errors import RefusedByRule, WrongUse
from benefit.domain.programme import Programme
from benefit.services import desk_deficiencies, desk_notices
from benefit.services.desk_letters_due import ask, done, letters_of, remind
from benefit.store import desk
from letters.desk_run import MadeAtDesk, make_desk_letters
from tests.support.desk_world import DUE, FIRST, OPERATOR, TODAY, DeskWorld

PROGRAMME = Programme.load("r6-2024")
#: 額も、区だけの口座も、紙に出ないことを見るための値。
SECRET = {"planned_amount_yen": 987_600, "account_number": "7654321", "bank_code": "9999", "branch_code": "001"}


def make(world: DeskWorld, kind: str, out: Path, on: date = TODAY) -> MadeAtDesk:
    return make_desk_letters(world.home, PROGRAMME, kind, out=out, issued_on=on, actor=BATCH, clock=world.clock)


def text_of(folder: Path | None) -> str:
    assert folder is not None
    found = ""
    for file in sorted(folder.glob("*.pdf")):
        document = pypdfium2.PdfDocument(file)
        for page in document:
            text = page.get_textpage()
            found += "".join(text.get_text_bounded().split())
            text.close()
            page.close()
        document.close()
    return found


@pytest.fixture
def quiet(world: DeskWorld) -> DeskWorld:
    """前の試験の頼みが残っていない世界。"""
    due = desk.letter_due
    with world.home.desk.begin() as connection:
        for row in connection.execute(sa.select(due.c.id)).all():
            try:
                done(connection, row.id, "cancelled", actor=FIRST, at=world.clock())
            except RefusedByRule:
                continue
    return world


def test_a_deficiency_is_told_in_words_once_with_its_day_and_nothing_else(quiet: DeskWorld, tmp_path: Path) -> None:
    world = quiet
    number = world.case("C23", **SECRET, account_type="1", holder_kana="ｼﾝｼﾞﾕｸ ﾊﾅｺ")
    world.do(desk_deficiencies.find, number, ["signature", "account_paper"], actor=FIRST)
    made = make(world, "deficiency", tmp_path)
    assert (made.read, made.printed, made.held, made.closed) == (1, 1, 0, 0)
    text = text_of(made.folder)
    for code in ("signature", "account_paper"):
        assert DEFECTS[code].name in text
        assert DEFECTS[code].asks in text
    # 補正の期限は、知らせた日から 14 日後（書き足す期限と同じ決まり）。
    assert "令和6年8月3日" in text
    assert not any(word in text for word in ("987", "7654321", "円", "ｼﾝｼﾞﾕｸ"))
    again = make(world, "deficiency", tmp_path)
    assert (again.read, again.closed) == (0, 0)
    assert [deed for deed, _at, _due in world.read(letters_of, number)[0]["deeds"]] == ["printed"]
    # 刷った後に、発送して補正期限を書くのは、人の仕事のまま。
    assert world.do(desk_deficiencies.notify, number, on=TODAY, actor=FIRST) == date(2024, 8, 3)


def test_a_reminder_says_the_day_and_no_amount_and_the_ward_ledger_stays_closed(
    quiet: DeskWorld, tmp_path: Path
) -> None:
    world = quiet
    today = DUE - timedelta(days=20)
    numbers = world.cases(2, "C20", **SECRET, address2="見えない荘 101")
    world.do(remind, today=today, actor=BATCH)
    # 区の台帳がなくても作れる（別の計算機である）。
    away = world.home.path / "ward.db"
    if away.exists():
        shutil.move(away, tmp_path / "gone.db")
    try:
        made = make(world, "reminder", tmp_path, today)
    finally:
        if (tmp_path / "gone.db").exists():
            shutil.move(tmp_path / "gone.db", away)
    assert made.printed >= 2
    text = text_of(made.folder)
    assert all(number in text for number in numbers)
    assert "令和6年10月31日（木）" in text
    assert not any(word in text for word in ("987", "円", "見えない荘"))
    assert make(world, "reminder", tmp_path, today).read == 0


def test_what_changed_since_it_was_asked_is_not_printed(quiet: DeskWorld, tmp_path: Path) -> None:
    world = quiet
    moved, old, late, good = world.cases(4, "C20")
    for number in (moved, old, late, good):
        world.do(ask, number, "reminder", reason="返送がない", actor=OPERATOR)
    case = desk.benefit_case
    with world.home.desk.begin() as connection:
        for number, values in ((moved, {"state": "C22"}), (old, {"branch": 2}), (late, {"due_on": TODAY})):
            connection.execute(case.update().where(case.c.case_number == number).values(**values))
    found = desk_notices.waiting(world.home, "r6-2024", "reminder", TODAY + timedelta(days=1))
    assert [row["case_number"] for row in found.letters] == [good]
    assert {number for number, _why in found.closed} == {moved, old, late}
    # 期限の日は、まだ間に合う。
    kept = desk_notices.waiting(world.home, "r6-2024", "reminder", TODAY)
    assert {row["case_number"] for row in kept.letters} == {good, late}


def test_a_letter_that_cannot_be_printed_is_not_marked_as_printed(quiet: DeskWorld, tmp_path: Path) -> None:
    world = quiet
    number = world.case("C20", name="外字　\ue000子")
    letter = world.do(ask, number, "reminder", reason="返送がない", actor=OPERATOR)
    made = make(world, "reminder", tmp_path)
    assert (made.read, made.printed, made.held) == (1, 0, 1)
    assert world.read(letters_of, number)[0]["deeds"] == []
    # 二人が同時に刷っても、書き足せるのは一人だけ。
    desk_notices.printed(world.home, [letter], actor=BATCH, clock=world.clock)
    with pytest.raises(RefusedByRule, match="ほかの人が刷った"):
        desk_notices.printed(world.home, [letter], actor=BATCH, clock=world.clock)


def test_only_the_two_kinds_are_made_here(world: DeskWorld) -> None:
    with pytest.raises(WrongUse, match="この種類"):
        desk_notices.waiting(world.home, "r6-2024", "reissue", TODAY)
