"""コマンド: 終了コード、断りの文、何も半分だけ残らないこと、デモ。"""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest

from benefit.services.home import Home
from benefit.store import ward
from tests.batch.conftest import Run
from tests.conftest import BAD, WARD_3K


def expected_bad() -> list[dict[str, str]]:
    with (BAD / "expected.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("case", expected_bad(), ids=lambda case: case["file"])
def test_each_bad_file_gets_the_expected_refusal(run: Run, ready: Path, tmp_path: Path, case: dict[str, str]) -> None:
    file = tmp_path / case["file"]
    shutil.copy(BAD / case["file"], file)
    code, out, err = run("import", case["kind"], file)
    assert code == int(case["exit"]), err
    rejects = tmp_path / f"{case['file']}.rejects.csv"
    home = Home.at(ready)
    with home.ward.connect() as connection:
        kept = connection.execute(ward.snapshot.select()).all()
    home.ward.dispose()
    if code == 0:
        assert len(kept) == 1
        assert "読込" in out
        return
    assert kept == []
    assert list((ready / "snapshots").iterdir()) == []
    assert case["file"] in err
    rows = []
    if rejects.exists():
        with rejects.open(encoding="utf-8-sig", newline="") as told:
            rows = list(csv.DictReader(told))
    rejected = str(len({row["行"] for row in rows})) if rows else "-"
    assert rejected in case["rejected"].split("|")
    if "カナ氏名, 消除日" in case["note"]:
        assert "カナ氏名" in err
        assert "消除日" in err


def test_individual_numbers_are_never_shown(run: Run, ready: Path, tmp_path: Path) -> None:
    del ready
    for name in ("taxes_individual_numbers.csv", "accounts_individual_numbers_hidden.csv"):
        shutil.copy(BAD / name, tmp_path / name)
        kind = name.split("_")[0]
        code, out, err = run("import", kind, tmp_path / name)
        text = (tmp_path / name).read_bytes().decode("utf-8", "ignore")
        numbers = {cell for line in text.splitlines() for cell in line.split(",") if len(cell) == 12 and cell.isdigit()}
        assert code == 3
        assert numbers
        assert not any(number in out + err for number in numbers)
        assert not (tmp_path / f"{name}.rejects.csv").exists()


def test_allowed_rejects_keep_the_good_rows_and_the_equation(run: Run, ready: Path, tmp_path: Path) -> None:
    file = tmp_path / "residents.csv"
    shutil.copy(BAD / "residents_lost_zeros.csv", file)
    assert run("import", "residents", file, "--allow-rejects", "2")[0] == 3
    code, out, _err = run("import", "residents", file, "--allow-rejects", "3")
    assert code == 0
    assert "読込 6 = 採用 3 + 不採用 3" in out
    del ready


def test_the_same_file_changes_nothing_and_an_old_file_does_not_come_back(
    run: Run, ready: Path, tmp_path: Path
) -> None:
    del ready
    old, new = tmp_path / "old.csv", tmp_path / "new.csv"
    shutil.copy(BAD / "residents_control.csv", old)
    new.write_bytes(old.read_bytes().replace(b"1970-05-06", b"1970-05-07"))
    assert run("import", "residents", old)[0] == 0
    assert "もう取り込んであります" in run("import", "residents", old)[1]
    assert run("import", "residents", new)[0] == 0
    told = run("import", "residents", old)[1]
    assert "その後に新しいファイルが入っています" in told


def test_wrong_use_is_two_and_says_what_is_allowed(run: Run, tmp_path: Path) -> None:
    code, _out, err = run("beneficiaries", "build", "--today", "2024-06-20", "--out", tmp_path / "o")
    assert (code, "benefit init" in err) == (2, True)
    assert run("init")[0] == 0
    for day in ("2024-6-20", "20240620", "2024-02-30", "きょう"):
        code, _out, err = run("beneficiaries", "build", "--today", day, "--out", tmp_path / "o")
        assert (code, "YYYY-MM-DD" in err) == (2, True)
    assert run("beneficiaries", "build", "--today", "2024-06-20", "--programme", "r9", "--out", tmp_path / "o")[0] == 2
    assert run("beneficiaries", "explain")[0] == 2
    assert run("import", "nobody", tmp_path / "x.csv")[0] == 2


def test_the_sample_ward_through_the_commands(run: Run, ready: Path, tmp_path: Path) -> None:
    del ready
    for kind in ("residents", "taxes", "prior", "accounts", "protected", "braille"):
        folder = tmp_path / "in"
        folder.mkdir(exist_ok=True)
        shutil.copy(WARD_3K / f"{kind}.csv", folder)
        assert run("import", kind, folder / f"{kind}.csv")[0] == 0
    assert run("beneficiaries", "build", "--today", "2024-06-20", "--out", tmp_path / "a", "--dry-run")[0] == 0
    assert not (tmp_path / "a" / "entitlements.csv").exists()
    assert run("beneficiaries", "build", "--today", "2024-06-20", "--out", tmp_path / "a")[0] == 0
    wanted = (WARD_3K / "expected" / "outcomes.csv").read_bytes()
    assert (tmp_path / "a" / "outcomes.csv").read_bytes() == wanted
    code, out, _err = run("beneficiaries", "explain", "--household", "0012108682")
    assert code == 0
    assert "residents.csv 2549 行目" in out
    assert run("beneficiaries", "explain", "--person", "0000000000")[0] == 3
    assert run("inquiry", "export", "tax", "--out", tmp_path / "q", "--today", "2024-06-24")[0] == 0
    asked = (tmp_path / "q" / "tax_inquiry.csv").read_text(encoding="utf-8").splitlines()
    protected = (WARD_3K / "protected.csv").read_text(encoding="utf-8")
    number, person = asked[1].split(",")[:2]
    assert all(line.split(",")[1] not in protected for line in asked[1:])
    answers = tmp_path / "answers.csv"
    heading = "照会番号,住民番号,回答,均等割額,所得割額_減税前,所得割額_減税後,租税条約免除\n"
    answers.write_text(f"{heading}T999999999,{person},非課税,0,0,0,0\n", encoding="utf-8")
    code, _out, err = run("inquiry", "import", "tax", answers)
    assert (code, "不採用" in err) == (3, True)
    answers.write_text(f"{heading}{number},{person},非課税,0,0,0,0\n", encoding="utf-8")
    assert run("inquiry", "import", "tax", answers)[0] == 0
    again = run("inquiry", "export", "tax", "--out", tmp_path / "q2", "--today", "2024-06-25")[1]
    assert "新しい照会番号 0 件" in again
    assert person not in (tmp_path / "q2" / "tax_inquiry.csv").read_text(encoding="utf-8")
    assert run("audit", "verify")[0] == 0


def test_the_demo_lives_a_whole_year_and_pays_nobody_twice(run: Run, tmp_path: Path) -> None:
    code, out, err = run("demo", "--residents", "600", "--seed", "7", home=tmp_path / "demo")
    assert code == 0, err
    assert "支給済" in out
    assert "二度払った権利" in out
    home = Home.at(tmp_path / "demo")
    with home.ward.connect() as connection:
        payments = connection.execute(ward.payment.select()).mappings().all()
    home.ward.dispose()
    paid = [row["slot"] for row in payments if row["state"] == "F42"]
    assert paid
    assert len(paid) == len(set(paid))
    # もう一度。デモの印のある所だけを空にして、やり直せる。
    assert run("demo", "--residents", "300", "--seed", "7", home=tmp_path / "demo")[0] == 0


def test_the_demo_never_touches_a_real_home(run: Run, ready: Path) -> None:
    code, _out, err = run("demo", "--residents", "300")
    assert (code, "デモでない" in err) == (4, True)
    assert (ready / "ward.db").exists()


def test_a_place_that_cannot_be_written_and_a_huge_number_are_refusals_not_faults(run: Run, tmp_path: Path) -> None:
    """フォルダの上に書く、ファイルの下に書く、64 ビットに入らない番号、年の打ち間違い。不具合の記録は残らない。"""
    assert run("init")[0] == 0
    folder, file = tmp_path / "there", tmp_path / "a.txt"
    folder.mkdir()
    file.write_text("x", encoding="utf-8")
    for out, says in ((folder, "フォルダがあります"), (file / "x.csv", "ファイルがあります")):
        code, _out, err = run("letters", "notices", "sample", "--out", out)
        assert (code, says in err, str(tmp_path) in err) == (2, True, True), err
    assert file.read_text(encoding="utf-8") == "x"
    code, _out, err = run("letters", "counts", "show", "9" * 23)
    assert (code, "大きすぎます" in err) == (2, True)
    for day in ("0001-01-01", "9999-12-31"):
        code, _out, err = run("letters", "preview", "L3", "--out", tmp_path / "p.pdf", "--issued-on", day)
        assert (code, "1900〜2199 年" in err) == (2, True)
    code, _out, err = run("letters", "preview", "L99", "--out", tmp_path / "p.pdf")
    assert (code, "L3 claim_form" in err) == (2, True)
    assert sorted(each.name for each in tmp_path.iterdir() if each.is_file()) == ["a.txt"]
