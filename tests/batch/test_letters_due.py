"""benefit desk letters make、letters insert / notices-due / accessible: 打つ言葉、数、断り。"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benefit.services.desk_letters_due import ask
from benefit.services.home import Home
from tests.batch.conftest import Run
from tests.support.desk_world import OPERATOR, DeskWorld, opened


@pytest.fixture
def world(ready: Path) -> Iterator[DeskWorld]:
    home = Home.at(ready)
    yield opened(home)
    home.ward.dispose()
    home.desk.dispose()


def test_the_contractors_letters_are_made_from_the_command_line(run: Run, world: DeskWorld, tmp_path: Path) -> None:
    number, gone = world.cases(2, "C20")
    for one in (number, gone):
        world.do(ask, one, "reminder", reason="返送がない", actor=OPERATOR)
    # 期限の後なら、どれも刷らない。
    code, out, _err = run("desk", "letters", "make", "--kind", "勧奨", "--out", tmp_path / "o", "--today", "2024-11-01")
    assert code == 0
    assert "対象 0 = 印刷 0 + 止めた 0" in out
    assert "刷らなかった件 2" in out
    code, out, _err = run("desk", "letters", "make", "--kind", "勧奨", "--out", tmp_path / "o", "--today", "2024-10-01")
    assert code == 0
    assert "対象 2 = 印刷 2 + 止めた 0" in out
    (made,) = (tmp_path / "o").glob("reminder-2*")
    assert {file.name for file in made.iterdir()} >= {"reminder-0001.pdf", "held.csv", "manifest.json"}
    assert run("desk", "letters", "make", "--kind", "年賀", "--out", tmp_path / "o")[0] == 2


def test_the_insert_is_written_and_a_strange_kind_is_refused(run: Run, world: DeskWorld, tmp_path: Path) -> None:
    code, out, _err = run("letters", "insert", "--out", tmp_path / "i.pdf", "--made-on", "2024-06-24")
    assert code == 0
    assert "母語とする人" in out
    assert (tmp_path / "i.pdf").read_bytes().startswith(b"%PDF")
    code, _out, err = run("letters", "notices-due", "make", "--kind", "L1", "--out", tmp_path / "n")
    assert code == 2
    assert "L6、L7、L9、L14" in err
    # 承認された判定がなければ、誰にも作らない。
    code, _out, err = run("letters", "notices-due", "show", "--kind", "l14", "--today", "2024-10-21")
    assert code != 0
    assert "承認された判定がありません" in err
