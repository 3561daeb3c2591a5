"""benefit desk receive / returned / advance / remind / forms: 打つ言葉、読んだ数、断られた行。"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pwdlib import PasswordHash

from batch.desk_work import FORM_COLUMNS
from benefit.domain.clock import system_clock
from benefit.services.home import Home
from benefit.services.people_totp import code_at, step_of
from benefit.store import desk
from tests.batch.conftest import Run
from tests.support import people
from tests.support.desk_world import FIRST, SECOND, DeskWorld, new_number, opened

PASSWORD = "ふたりの-あいことば-2024"


@pytest.fixture
def world(ready: Path) -> Iterator[DeskWorld]:
    home = Home.at(ready)
    yield opened(home)
    home.ward.dispose()
    home.desk.dispose()


def test_a_scanned_list_is_received_from_the_command_line(run: Run, world: DeskWorld, tmp_path: Path) -> None:
    good, paid, stranger = world.case(), world.case("F42"), new_number()
    scan = tmp_path / "scan.txt"
    scan.write_text(f"{good}\n{paid}\n{stranger}\n{good}\nよごれ\n", encoding="utf-8")
    code, out, _err = run("desk", "receive", scan, "--on", "2024-07-19", "--box", "箱-1")
    assert code == 0
    assert "読んだ 5 行 = 収受 2（受付 1、二重提出 1、前の枝番 0、期限後 0）+ 断った 3" in out
    assert f"{paid} 「振込済」の件に、確認書は受けられません" in out
    assert f"{stranger} ここにありません。区で確認します" in out
    assert "5 行目 給付管理番号の形が違います" in out
    assert world.state(good) == "C22"
    assert run("desk", "receive", scan, "--kind", "はがき")[0] == 3


def test_returned_mail_deadlines_and_reminders_from_the_command_line(
    run: Run, world: DeskWorld, tmp_path: Path
) -> None:
    back, waits = world.case(), world.case()
    scan = tmp_path / "scan.txt"
    scan.write_text(f"{back}\n{back}\n", encoding="utf-8")
    code, out, _err = run("desk", "returned", scan, "--reason", "転居先不明", "--on", "2024-07-19")
    assert (code, "読んだ 2 行 = 返戻 1 + 断った 1" in out) == (0, True)
    assert "勧奨 1 件" in run("desk", "remind", "--today", "2024-10-01")[1]
    assert "返送期限の経過 0 件" in run("desk", "advance", "--today", "2024-11-05")[1]
    assert "返送期限の経過 2 件" in run("desk", "advance", "--today", "2024-11-06")[1]
    assert (world.state(back), world.state(waits)) == ("C28", "C28")


def test_a_bundle_is_taken_only_with_the_words_of_both_people(run: Run, world: DeskWorld, tmp_path: Path) -> None:
    """二人とも、自分の合言葉と数字を打つ。一人の言葉では、一枚も進まない。"""
    number, at = world.case(), system_clock()
    one, two = tmp_path / "1.csv", tmp_path / "2.csv"
    line = f"{number},2024-07-19,完了,,9999,001,1,1234567,ｼﾝｼﾞﾕｸ ﾊﾅｺ,"
    for path in (one, two):
        path.write_text(",".join(FORM_COLUMNS) + f"\n{line}\n", encoding="utf-8")
    words = {}
    for actor in (FIRST, SECOND):
        with world.home.desk.begin() as connection:
            staff = desk.staff.update().where(desk.staff.c.id == actor.id)
            connection.execute(staff.values(password_hash=PasswordHash.recommended().hash(PASSWORD)))
        people.enrol(world.home, "desk", actor.id, at)
        words[actor.id] = f"{PASSWORD}\n{code_at(people.secret_of(actor.id), step_of(at))}"
    asked = ("desk", "forms", one, two, "--keyed-by", FIRST.id, "--checked-by", SECOND.id)
    assert run(*asked, typed=words[FIRST.id])[0] == 4
    assert world.state(number) == "C20"
    people.enrol(world.home, "desk", FIRST.id, at)  # 一度使った数字を、もう一度使えるように
    code, out, err = run(*asked, typed="\n".join(words.values()))
    assert (code, err) == (0, "")
    assert "完了 1、不備 0、辞退 0、入力違い 0" in out
    assert world.state(number) == "C27"
