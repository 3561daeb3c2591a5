"""benefit layout が守る約束: 区の表が一覧に並び、悪い所を全部言い、変換した物は全部か、何もないか。"""

from __future__ import annotations

from pathlib import Path

import fastexcel
import pytest

from batch import cli
from benefit.records.layout_registry import BUILT_IN
from tests.batch.conftest import Run
from tests.records.collection_samples import sample
from tests.records.test_layout_toml import CONVERSION, SHEET


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "home" / "layouts").mkdir(parents=True)
    return tmp_path


def test_every_layout_and_conversion_is_listed_with_what_is_known_of_it(run: Run, place: Path) -> None:
    (place / "home" / "layouts" / "kakuu.toml").write_text(SHEET, encoding="utf-8")
    (place / "home" / "layouts" / "to-kakuu.toml").write_text(CONVERSION, encoding="utf-8")
    code, out, err = run("layout", "list")
    assert code == 0, err
    for layout_id in (*BUILT_IN, "kakuu-counter", "to-kakuu"):
        assert f"{layout_id}: " in out
    assert "local-tax-99: 地方税納付（種別 99）（120 バイト、読むだけ）" in out
    assert "direct-debit-result: 口座振替 結果データ（120 バイト、確かめた）" in out


@pytest.mark.parametrize("layout_id", BUILT_IN)
def test_the_specification_is_printed_and_written_as_a_sheet(run: Run, place: Path, layout_id: str) -> None:
    code, out, _err = run("layout", "show", layout_id)
    assert code == 0
    layout = BUILT_IN[layout_id]
    for record in layout.layouts.values():
        for field in record.placed:
            assert f"| {field.field.label} | {field.position} | {field.field.length} |" in out
    code, _out, err = run("layout", "show", layout_id, "--xlsx", place / "sheet.xlsx")
    assert code == 0, err
    book = fastexcel.read_excel(place / "sheet.xlsx")
    assert book.sheet_names[0] == ("見出し" if layout.header else "明細")


def test_a_bank_of_the_wards_own_is_checked_by_its_sheet(run: Run, place: Path) -> None:
    (place / "home" / "layouts" / "kakuu.toml").write_text(SHEET, encoding="utf-8")
    file = place / "in.dat"
    file.write_bytes(
        b"H20260711" + b" " * 51 + b"\nT000000000000000000" + b" " * 41 + b"\nE000000003" + b" " * 50 + b"\n"
    )
    assert run("layout", "check", "kakuu-counter", file)[0] == 0
    file.write_bytes(file.read_bytes().replace(b"000000003", b"000000004"))
    code, out, _err = run("layout", "check", "kakuu-counter", file)
    assert code == 3
    assert "数え直した数と合いません" in out


def test_a_broken_sheet_stops_the_list_and_names_the_file(run: Run, place: Path) -> None:
    (place / "home" / "layouts" / "kakuu.toml").write_text(
        SHEET.replace("length = 51", "length = 50"), encoding="utf-8"
    )
    code, _out, err = run("layout", "list")
    assert code == 3
    assert "kakuu.toml" in err
    assert "長さが合いません" in err


def test_every_bad_place_is_told_and_written_to_the_report(run: Run, place: Path) -> None:
    file, report = place / "in.dat", place / "report.txt"
    file.write_bytes(sample("payeasy-paid").replace(b"20260710", b"20260732"))
    code, out, _err = run("layout", "check", "payeasy-paid", file, "--report", report)
    assert code == 3
    assert "読んだ 6 = 良い明細 0 + 断った 3 + 枠 3。悪い所 3" in out
    assert [line.split("「")[0] for line in report.read_text(encoding="utf-8").splitlines()] == [
        f"in.dat の {record} 行目" for record in (2, 3, 4)
    ]


def test_a_conversion_writes_the_whole_file_or_nothing(run: Run, place: Path) -> None:
    file, out = place / "in.dat", place / "out.dat"
    file.write_bytes(sample("payeasy-paid"))
    arguments = ("layout", "convert", "payeasy-paid", "standard-paid", file, "--out", out, "--today", "2026-07-12")
    code, told, err = run(*arguments)
    assert code == 0, err
    assert "3 件" in told
    assert out.read_bytes()[1:9] == b"20260712"
    assert run("layout", "check", "standard-paid", out)[0] == 0
    out.unlink()
    file.write_bytes(sample("payeasy-paid").replace(b"20260710", b"20260732"))
    code, _told, err = run(*arguments)
    assert code == 3
    assert "何も取り込んでいません" in err
    assert not out.exists()
    assert run("layout", "convert", "payeasy-paid", "standard-paid", file, "--out", file)[0] == 2


def test_two_conversions_between_the_same_sheets_are_told_apart(run: Run, place: Path) -> None:
    file, out = place / "in.dat", place / "out.dat"
    file.write_bytes(sample("standard-levies"))
    words = ("layout", "convert", "standard-levies", "payeasy-upload", file, "--out", out, "--today", "2026-07-12")
    code, _told, err = run(*words)
    assert code == 2
    assert "--using" in err
    code, told, _err = run(*words, "--using", "levies-to-payeasy-delete")
    assert code == 0
    assert "移し先に置き場のない項目: 通知書番号" in told
    assert out.read_bytes().split(b"\r\n")[1][:2] == b"23"
    assert run("layout", "convert", "standard-levies", "payeasy-paid", file, "--out", out)[0] == 2
    assert run("layout", "show", "nothing")[0] == 2


def test_changes_of_what_was_uploaded_are_new_changed_and_deleted_records(run: Run, place: Path) -> None:
    before, after, out = place / "before.dat", place / "after.dat", place / "changes.dat"
    before.write_bytes(sample("payeasy-upload"))
    lines = sample("payeasy-upload").split(b"\r\n")
    # 一行目の延滞金を変え、三行目をやめる。合計も、新しい行に合わせる。
    lines[1] = lines[1][:63] + b"00000000001" + lines[1][74:]
    del lines[3]
    lines[3] = lines[3][:37] + b"0" * 18 + lines[3][55:]
    lines[4] = lines[4].replace(b"00000006", b"00000005")
    after.write_bytes(b"\r\n".join(lines))
    code, told, err = run("layout", "changes", before, after, "--out", out)
    assert code == 0, err
    assert "新規 0 件、変更 1 件、削除 1 件" in told
    assert run("layout", "check", "payeasy-upload", out)[0] == 0
    assert [line[:2] for line in out.read_bytes().split(b"\r\n")[1:3]] == [b"22", b"23"]


def test_a_file_that_is_not_there_is_refused(run: Run, place: Path) -> None:
    assert run("layout", "check", "payeasy-paid", place / "nothing.dat")[0] == 3


def test_the_command_is_registered() -> None:
    assert "layout" in {group.name for group in cli.app.registered_groups}
