"""benefit inquiry: 終了コード、和の合う文、断り。区の外の計算機（給付管理システム）には何も見えない。"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.batch.conftest import Run
from tests.conftest import WARD_3K
from tests.support.small_ward import read, write

HEADING = ["照会番号", "住民番号", "回答", "均等割額", "所得割額_減税前", "所得割額_減税後", "租税条約免除"]


@pytest.fixture(autouse=True)
def imported(run: Run, ready: Path, tmp_path: Path) -> None:
    """見本の区を取り込んだ作業場所。"""
    del ready
    for kind in ("residents", "taxes", "prior", "accounts", "protected", "braille"):
        shutil.copy(WARD_3K / f"{kind}.csv", tmp_path)
        assert run("import", kind, tmp_path / f"{kind}.csv")[0] == 0


def answers(folder: Path, name: str, *words: str, after: int = 0) -> Path:
    """照会ファイルの `after` 行目から、一行に一つずつ答える。"""
    rows = read(folder / "q" / "tax_inquiry.csv")[after:]
    said = [[row["照会番号"], row["住民番号"], word, "", "", "", "0"] for row, word in zip(rows, words, strict=False)]
    write(folder / name, [dict(zip(HEADING, one, strict=True)) for one in said], HEADING)
    return folder / name


def test_the_whole_story_of_inquiries_in_numbers_that_add_up(run: Run, tmp_path: Path) -> None:
    code, out, _err = run("inquiry", "export", "tax", "--out", tmp_path / "q", "--today", "2024-06-24")
    assert code == 0
    assert "課税照会: 90 件（新しい照会番号 90 件）" in out
    assert "職員が手で照会 0 人、住所地不明 10 人（区限り" in out
    code, out, _err = run("inquiry", "import", "tax", answers(tmp_path, "a.csv", "非課税", "エラー", "課税"))
    assert code == 0
    assert "採用 3 = 初めての回答 3 + 同じ回答の再着 0 + 前と違う回答 0" in out
    assert "食い違い 1、まだ分からない回答 2" in out
    assert "もう取り込んであります" in run("inquiry", "import", "tax", tmp_path / "a.csv")[1]
    out = run("inquiry", "import", "tax", answers(tmp_path, "b.csv", "非課税", "該当なし"))[1]
    assert "採用 2 = 初めての回答 0 + 同じ回答の再着 1 + 前と違う回答 1" in out
    code, out, _err = run("inquiry", "status", "--out", tmp_path / "st", "--today", "2024-07-01")
    assert code == 0
    assert "課税照会 1 回目: 照会 90 = 回答 3 + 回答待ち 87、最も古いもので 7 日" in out
    assert "転入で課税の分からなかった人 109 = 分かった人 1 + まだ分からない人 108" in out
    assert (
        "まだ分からない人 108 = 未照会 0 + 照会中 87 + 要再照会 0 + 要申請 1 + 矛盾 1 + 照会できない 10 + 結果に影響しない 9"
        in out
    )
    assert len(read(tmp_path / "st" / "open_people.csv")) == 108
    code, out, _err = run(
        "inquiry", "export", "tax", "--out", tmp_path / "q2", "--today", "2024-07-01",
        "--retry", "--unanswered-after", "6",
    )  # fmt: skip
    assert code == 0
    assert "課税照会: 88 件（新しい照会番号 88 件）" in out
    first = {row["照会番号"] for row in read(tmp_path / "q" / "tax_inquiry.csv")}
    assert not first & {row["照会番号"] for row in read(tmp_path / "q2" / "tax_inquiry.csv")}
    assert run("audit", "verify")[0] == 0


def test_waiting_days_belong_to_asking_again(run: Run, tmp_path: Path) -> None:
    code, _out, err = run("inquiry", "export", "tax", "--out", tmp_path / "q", "--unanswered-after", "5")
    assert (code, "--retry" in err) == (2, True)
    assert not (tmp_path / "q").exists()
    code, _out, err = run("inquiry", "export", "tax", "--out", tmp_path / "q", "--retry", "--unanswered-after", "-1")
    assert code == 2


def test_a_foreign_answer_is_refused_and_leaves_nothing(run: Run, tmp_path: Path) -> None:
    run("inquiry", "export", "tax", "--out", tmp_path / "q", "--today", "2024-06-24")
    path = answers(tmp_path, "a.csv", "非課税", "非課税")
    path.write_text(path.read_text(encoding="utf-8").replace("T000000002", "T000000003"), encoding="utf-8")
    code, _out, err = run("inquiry", "import", "tax", path)
    assert code == 3
    assert "a.csv の 3 行目「照会番号」" in err
    assert "分かった人 0" in run("inquiry", "status", "--today", "2024-07-01")[1]


def test_an_unknown_word_is_refused_with_the_words_allowed(run: Run, tmp_path: Path) -> None:
    run("inquiry", "export", "tax", "--out", tmp_path / "q", "--today", "2024-06-24")
    code, _out, err = run("inquiry", "import", "tax", answers(tmp_path, "a.csv", "情報なし"))
    assert code == 3
    for word in ("課税", "非課税", "未申告", "該当なし", "提供不可", "エラー"):
        assert word in err


def test_the_desk_machine_has_no_inquiries_to_look_at(run: Run, tmp_path: Path) -> None:
    (tmp_path / "home" / "ward.db").unlink()
    for command in (["status"], ["export", "tax", "--out", tmp_path / "q"]):
        code, _out, err = run("inquiry", *command)
        assert (code, "benefit init" in err) == (2, True)
