"""組: 読んだ数 = 刷った数 + 止めた数。同じ手紙からは同じフォルダができる。"""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path

import pytest

from benefit.domain.errors import RefusedByRule, WrongUse
from benefit.services.files import write_atomic
from letters.lots import HELD_COLUMNS, LOT_SIZE_MAX, make_lots


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture
def seven(letter, notice):
    """確認書が五通（うち一通は外字）、お知らせが二通。郵便番号は並びの逆。"""
    return [
        letter(case_number="00000000011", postal_code="1690075"),
        letter(case_number="00000000012", postal_code="1600023"),
        letter(case_number="00000000013", postal_code="1600022"),
        letter(case_number="00000000014", postal_code="1600022", branch=2),
        letter(case_number="00000000015", name="山\ue000　太郎", address="渡邉\U000e01ef町"),
        notice(case_number="00000000016", postal_code="1620806"),
        notice(case_number="00000000010", postal_code="1620806"),
    ]


def test_every_letter_read_is_printed_or_held(seven, tmp_path) -> None:
    report = make_lots(seven, out=tmp_path / "lot", lot_size=3)
    assert (report.read, report.printed, report.held_letters) == (7, 6, 1)
    manifest = json.loads((tmp_path / "lot/manifest.json").read_text())
    assert (manifest["読込"], manifest["印刷"], manifest["保留"], manifest["頁数"]) == (7, 6, 1, 6)


def test_letters_lie_in_the_order_of_postal_code_then_number(seven, tmp_path, read_back) -> None:
    report = make_lots(seven, out=tmp_path / "lot", lot_size=3)
    assert report.members == {
        "confirmation_letter-0001.pdf": (("00000000013", 1), ("00000000014", 2), ("00000000012", 1)),
        "confirmation_letter-0002.pdf": (("00000000011", 1),),
        "push_notice-0001.pdf": (("00000000010", 1), ("00000000016", 1)),
    }
    for file, members in report.members.items():
        pages = read_back((tmp_path / "lot" / file).read_bytes())
        assert [number in page.text for (number, _), page in zip(members, pages, strict=True)] == [True] * len(members)


def test_the_manifest_says_what_each_file_holds(seven, tmp_path) -> None:
    make_lots(seven, out=tmp_path / "lot", lot_size=3)
    manifest = json.loads((tmp_path / "lot/manifest.json").read_text())
    first = manifest["組"][0]
    assert first["ファイル"] == "confirmation_letter-0001.pdf"
    assert (first["件数"], first["頁数"], first["先頭番号"], first["末尾番号"]) == (3, 3, "00000000013", "00000000012")
    listed = {lot["ファイル"]: lot["sha256"] for lot in manifest["組"]} | {"held.csv": manifest["保留一覧"]["sha256"]}
    there = {name: hashlib.sha256(data).hexdigest() for name, data in bytes_of(tmp_path / "lot").items()}
    del there["manifest.json"]
    assert listed == there


def test_a_held_letter_is_listed_with_its_field_and_code_points_but_no_name(seven, tmp_path) -> None:
    make_lots(seven, out=tmp_path / "lot")
    text = (tmp_path / "lot/held.csv").read_text()
    header, *rows = csv.reader(text.splitlines())
    assert tuple(header) == HELD_COLUMNS
    assert rows == [
        ["00000000015", "01", "confirmation_letter", "住所", "字形なし", "U+9089+U+E01EF"],
        ["00000000015", "01", "confirmation_letter", "氏名", "字形なし", "U+E000"],
    ]
    assert "太郎" not in text


def test_the_same_letters_in_any_order_give_the_same_bytes(seven, tmp_path) -> None:
    make_lots(seven, out=tmp_path / "a", lot_size=2)
    make_lots(list(reversed(seven)), out=tmp_path / "b", lot_size=2)
    assert bytes_of(tmp_path / "a") == bytes_of(tmp_path / "b")


def test_two_workers_give_the_same_bytes_as_one(letter, tmp_path) -> None:
    contents = [letter(case_number=f"{n:011d}") for n in range(8)]
    alone = make_lots(contents, out=tmp_path / "one", lot_size=2, workers=1)
    together = make_lots(contents, out=tmp_path / "two", lot_size=2, workers=2)
    assert alone == together
    assert bytes_of(tmp_path / "one") == bytes_of(tmp_path / "two")


def test_a_second_run_changes_nothing_and_says_so(seven, tmp_path) -> None:
    out = tmp_path / "lot"
    first = make_lots(seven, out=out)
    times = {path.name: path.stat().st_mtime_ns for path in out.iterdir()}
    second = make_lots(seven, out=out)
    assert (first.already, second.already) == (False, True)
    assert second.lots == first.lots
    assert second.held == first.held
    assert {path.name: path.stat().st_mtime_ns for path in out.iterdir()} == times


def test_a_folder_that_holds_other_lots_is_left_alone(seven, letter, tmp_path) -> None:
    out = tmp_path / "lot"
    make_lots(seven, out=out)
    before = bytes_of(out)
    with pytest.raises(RefusedByRule) as refusal:
        make_lots([*seven, letter(case_number="00000000099")], out=out)
    assert refusal.value.code == "folder-taken"
    assert bytes_of(out) == before


def test_a_changed_lot_is_noticed_before_it_is_called_done(seven, tmp_path) -> None:
    out = tmp_path / "lot"
    make_lots(seven, out=out)
    (out / "push_notice-0001.pdf").write_bytes(b"%PDF-")
    with pytest.raises(RefusedByRule) as refusal:
        make_lots(seven, out=out)
    assert refusal.value.code == "lot-changed"


def test_a_run_stopped_half_way_leaves_no_manifest_and_can_be_run_again(seven, tmp_path) -> None:
    class PowerCutError(Exception):
        pass

    def write_until_the_power_is_cut(path: Path, data: bytes) -> str:
        if path.name == "push_notice-0001.pdf":
            raise PowerCutError
        return write_atomic(path, data)

    out = tmp_path / "lot"
    with pytest.raises(PowerCutError):
        make_lots(seven, out=out, lot_size=1, write=write_until_the_power_is_cut)
    assert not (out / "manifest.json").exists()
    make_lots(seven, out=out, lot_size=3)
    make_lots(seven, out=tmp_path / "fresh", lot_size=3)
    assert bytes_of(out) == bytes_of(tmp_path / "fresh")


def test_the_manifest_is_the_last_file_written(seven, tmp_path) -> None:
    written: list[str] = []

    def write(path: Path, data: bytes) -> str:
        written.append(path.name)
        return write_atomic(path, data)

    def write_last(folder: Path, content) -> str:
        assert written[-1] == "held.csv"
        written.append("manifest.json")
        return ""

    make_lots(seven, out=tmp_path / "lot", write=write, write_last=write_last)
    assert written[-1] == "manifest.json"


def test_the_same_letter_twice_stops_the_whole_run(seven, tmp_path) -> None:
    with pytest.raises(RefusedByRule) as refusal:
        make_lots([*seven, seven[0]], out=tmp_path / "lot")
    assert refusal.value.code == "duplicate-letter"
    assert not (tmp_path / "lot").exists()


def test_a_new_branch_of_the_same_number_is_another_letter(letter, tmp_path) -> None:
    report = make_lots([letter(branch=1), letter(branch=2)], out=tmp_path / "lot")
    assert report.printed == 2


def test_nothing_to_print_is_still_a_whole_folder(letter, tmp_path) -> None:
    report = make_lots([letter(name="\ue000")], out=tmp_path / "lot")
    assert (report.read, report.printed, report.held_letters, report.lots) == (1, 0, 1, ())
    assert set(bytes_of(tmp_path / "lot")) == {"held.csv", "manifest.json"}


@pytest.mark.parametrize("lot_size", [0, LOT_SIZE_MAX + 1])
def test_a_lot_is_neither_empty_nor_too_big_to_typeset(letter, tmp_path, lot_size: int) -> None:
    with pytest.raises(WrongUse):
        make_lots([letter()], out=tmp_path / "lot", lot_size=lot_size)


def test_progress_counts_letters_up_to_the_whole(seven, tmp_path) -> None:
    seen: list[tuple[int, int]] = []
    make_lots(seven, out=tmp_path / "lot", lot_size=3, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(3, 6), (4, 6), (6, 6)]
