"""benefit letters counts と returned: 束の数、名ざした番号の一覧、返戻。断りは一文と終了コードになる。"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from benefit.services.home import Home
from tests.api.world import copied
from tests.batch.conftest import Run
from tests.services.conftest import ISSUED
from tests.support import print_lots

pytestmark = pytest.mark.xdist_group("ward-world")
BY = ("--by", "tanto")
WORDS = "x" * 15


@pytest.fixture
def lot(tmp_path: Path, sqlite_template: Path) -> Iterator[tuple[Home, Path]]:
    home = copied(sqlite_template, tmp_path / "home")
    yield home, print_lots.folder_of(home, "printer", tmp_path / "20240624-01")
    home.ward.dispose()
    home.desk.dispose()


def test_counts_are_taken_shown_and_mended_and_returned_mail_follows(
    run: Run, lot: tuple[Home, Path], tmp_path: Path
) -> None:
    home, folder = lot
    codes = print_lots.codes_of(home, folder)
    rows = print_lots.clean(codes, ISSUED + timedelta(1), ISSUED + timedelta(3))
    file, lost, back = tmp_path / "kekka.csv", codes[2], tmp_path / "henrei.txt"
    file.write_bytes(print_lots.written([row for row in rows if row[0] != lost]))
    take = ("letters", "counts", "take", folder, file, *BY)
    ended, told, _ = run(*take, "--out", tmp_path / "out", typed=WORDS)
    assert (ended, f"止 — 渡した {len(codes)} = 良 {len(codes) - 2} + 損 1" in told) == (0, True)
    assert "合わない番号が 1 あります" in told
    listed = (tmp_path / "out" / "print-result-1.csv").read_text(encoding="utf-8-sig").splitlines()
    assert [line.split(",")[0] for line in listed] == ["封入の符号", lost]
    assert (tmp_path / "out" / "print-result-1.xlsx").exists()
    file.write_bytes(print_lots.written(rows))
    ended, _, refused = run(*take, typed=WORDS)
    assert (ended, "理由を書いてください" in refused) == (2, True)
    assert "投函済" in run(*take, "--reason", "数え直し", typed=WORDS)[1]
    assert "何も変えません" in run(*take, typed=WORDS)[1]
    assert f"2. {folder.name}: 投函済（{len(codes)} 枚" in run("letters", "counts", "show")[1]
    old = run("letters", "counts", "show", "1")[1]
    assert "後の結果に代えた" in old
    assert f"{lost} 行がない" in old
    back.write_text(f"{codes[0][:11]}\n{codes[1]}\n99999999999\n", encoding="utf-8")
    given = ("letters", "returned", "take", back, "--reason", "moved", *BY)
    told = run(*given, "--returned-on", "2024-07-05", typed=WORDS)[1]
    assert "読込 3 = 入れた 2 + 断った 1" in told
    assert "3 行目: この番号の手紙は、台帳にありません" in told
    assert "何も変えません" in run(*given, typed=WORDS)[1]


def test_a_folder_without_its_list_is_refused_in_a_sentence(run: Run, lot: tuple[Home, Path], tmp_path: Path) -> None:
    home, folder = lot
    file = tmp_path / "kekka.csv"
    file.write_bytes(print_lots.written(print_lots.clean(print_lots.codes_of(home, folder), ISSUED, ISSUED)))
    (folder / "sheets.csv").unlink()
    ended, _, refused = run("letters", "counts", "take", folder, file, *BY, typed=WORDS)
    assert (ended, "ファイルがありません" in refused) == (3, True)
