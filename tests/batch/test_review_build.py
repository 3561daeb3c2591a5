"""作る・承認するコマンドの断りと言葉: 払えない額は登録の前に、戻した事業は打つ手を、出したものは持ち主だけに。"""

from __future__ import annotations

import stat
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest

from tests.batch.conftest import Run
from tests.conftest import WARD_3K

R6 = (resources.files("benefit") / "programmes" / "r6-2024.toml").read_text(encoding="utf-8")
BUILD = ("beneficiaries", "build", "--today", "2024-06-20")


@pytest.fixture
def filled(run: Run, ready: Path) -> Path:
    for kind in ("residents", "taxes", "prior", "accounts", "protected"):
        assert run("import", kind, WARD_3K / f"{kind}.csv")[0] == 0
    (ready / "programmes").mkdir()
    return ready


def test_an_amount_the_ledger_cannot_hold_is_refused_before_anything_is_registered(run: Run, filled: Path) -> None:
    """一字多い単位（30,000 → 300,000 円）: 不具合ではなく、どこを見るかを言って断る。試算なら見られる。"""
    text = R6.replace("income_tax_unit_yen = { value = 30000,", "income_tax_unit_yen = { value = 300000,")
    (filled / "programmes" / "r6-2024.toml").write_text(text, encoding="utf-8")
    code, _out, err = run(*BUILD, "--out", "out")
    assert (code, "1,000,000 円を超える行" in err) == (4, True)
    assert run(*BUILD, "--dry-run", "--out", "try")[0] == 0
    assert "まだ" not in run("beneficiaries", "runs")[1]


def test_a_result_that_is_not_repeatable_is_refused_and_the_kept_copy_stays(run: Run, filled: Path) -> None:
    import sqlite3

    assert run(*BUILD, "--out", "out")[0] == 0
    copies = {path: path.read_bytes() for path in (filled / "runs").rglob("*.parquet")}
    with sqlite3.connect(filled / "ward.db") as ledger:
        ledger.execute("DROP TRIGGER IF EXISTS run_refuses_update")
        ledger.execute("UPDATE run SET outcomes_sha256 = ?", ("0" * 64,))
    code, _out, err = run(*BUILD, "--out", "again")
    assert (code, "結果が違います" in err) == (4, True)
    assert copies == {path: path.read_bytes() for path in (filled / "runs").rglob("*.parquet")}


def test_going_back_to_an_approved_input_says_what_to_do(run: Run, filled: Path) -> None:
    """値を変えて承認し、元に戻した: 承認できない番号を「次」と言わず、打つ手を言う。"""
    told = run("staff", "add", "shonin", "--name", "試験", "--role", "approver")[1]
    password = told.split("最初の合言葉: ")[1].split("\n")[0].strip()

    def approve(number: int, said: str) -> None:
        seen = said.split("--difference ")[1].split(maxsplit=1)[0]
        given = ("--difference", seen, "--by", "shonin", "--reason", "試験")
        code, _out, err = run("beneficiaries", "approve", str(number), *given, typed=password)
        assert code == 0, err

    approve(1, run(*BUILD, "--out", "a")[1])
    file = filled / "programmes" / "r6-2024.toml"
    file.write_text(R6.replace("value = 18050000,", "value = 2000000,"), encoding="utf-8")
    approve(2, run(*BUILD, "--out", "b")[1])
    file.unlink()
    code, out, _err = run(*BUILD, "--out", "c")
    assert code == 0
    assert "判定 1 は、もう承認されています。その後に判定 2 が承認されています" in out
    assert "次:" not in out


def test_what_is_written_is_readable_by_its_owner_only(filled: Path, tmp_path: Path) -> None:
    benefit = [sys.executable, "-m", "batch.cli", "--home", str(filled), *BUILD, "--out", str(tmp_path / "out")]
    done = subprocess.run(benefit, capture_output=True, cwd=Path(__file__).parents[2], umask=0o022, check=False)
    assert done.returncode == 0, done.stderr.decode()
    for path in (tmp_path / "out", *(tmp_path / "out").iterdir(), *(filled / "runs").rglob("*")):
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path


def test_a_file_name_with_brackets_is_said_as_it_is(run: Run, filled: Path, tmp_path: Path) -> None:
    """表示の書式の記号（[…]）に見える名前でも、消えず、不具合にもならない。"""
    copied = tmp_path / "点字[bold].csv"
    copied.write_bytes((WARD_3K / "braille.csv").read_bytes())
    code, out, err = run("import", "braille", copied)
    assert (code, copied.name in out) == (0, True), err
    code, out, err = run("beneficiaries", "build", "--today", "2024-06-20", "--out", tmp_path / "out[/x]")
    assert (code, f"{tmp_path}/out[/x]/outcomes.csv" in out) == (0, True), err
    assert filled.exists()


def test_who_built_by_name_cannot_approve(run: Run, filled: Path) -> None:
    del filled
    told = run("staff", "add", "shonin", "--name", "試験", "--role", "approver")[1]
    password = told.split("最初の合言葉: ")[1].split("\n")[0].strip()
    code, said, err = run(*BUILD, "--out", "out", "--by", "shonin", typed=password)
    assert code == 0, err
    seen = said.split("--difference ")[1].split(maxsplit=1)[0]
    given = ("--difference", seen, "--by", "shonin", "--reason", "試験")
    code, _out, err = run("beneficiaries", "approve", "1", *given, typed=password)
    assert (code, "作った人は、承認できません" in err) == (4, True)
    assert run(*BUILD, "--out", "out", "--by", "shonin", typed="違う合言葉です")[0] == 4
