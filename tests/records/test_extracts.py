"""抽出データの取込: 悪い見本の全部、速い道と厳格な道、壊れたバイト。"""

from __future__ import annotations

import csv
import random
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batch.cli import main
from benefit.domain.errors import Place, RefusedInput
from benefit.records import csv_reader, extracts
from benefit.services.extracts import current_sources
from benefit.services.home import Home
from tests.conftest import BAD, WARD_3K

with (BAD / "expected.csv").open(encoding="utf-8", newline="") as listed:
    EXPECTED = {row["file"]: row for row in csv.DictReader(listed)}


def read(name: str) -> extracts.Reading:
    return extracts.read(extracts.TABLES[EXPECTED[name]["kind"]], (BAD / name).read_bytes(), file_name=name)


def test_every_bad_sample_is_listed() -> None:
    assert {path.name for path in BAD.glob("*.csv")} == {*EXPECTED, "expected.csv"}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_bad_sample_is_refused_whole_or_row_by_row_as_expected(name: str) -> None:
    allowed = EXPECTED[name]["rejected"].split("|")
    found = refusal = None
    try:
        found = read(name)
    except RefusedInput as refused:
        refusal = refused
    if found is not None:
        assert str(found.rows_rejected) in allowed
        assert found.rows_read == found.rows_kept + found.rows_rejected
        return
    assert "-" in allowed
    assert refusal is not None
    assert refusal.exit_code == 3
    assert str(refusal).startswith(name)
    assert re.search("[ぁ-ん]", str(refusal))
    assert not re.search(r"\d{10}", str(refusal))


@pytest.mark.parametrize("name", EXPECTED)
def test_the_command_ends_with_the_contracts_exit_code_and_keeps_nothing_of_a_refused_file(
    name: str,
    sqlite_home: Home,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / name
    shutil.copy(BAD / name, file)
    kind, code = EXPECTED[name]["kind"], int(EXPECTED[name]["exit"])
    monkeypatch.setattr(sys, "argv", ["benefit", "--home", str(sqlite_home.path), "import", kind, str(file)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert (ended.value.code or 0) == code
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    snapshots = list(sqlite_home.snapshots.glob("*")) if sqlite_home.snapshots.exists() else []
    rejects = file.with_name(f"{name}.rejects.csv")
    if code == 0:
        assert current_sources(sqlite_home, 2024)[kind].file_name == name
        assert len(snapshots) == 1
        return
    assert said.err.startswith("断りました: ")
    assert (current_sources(sqlite_home, 2024), snapshots) == ({}, [])
    if EXPECTED[name]["rejected"] == "-":
        assert not rejects.exists()
    elif rejects.exists():
        rows = list(csv.DictReader(rejects.read_text(encoding="utf-8-sig").splitlines()))
        assert list(rows[0]) == ["行", "列", "コード", "内容"]
        assert str(len({row["行"] for row in rows})) in EXPECTED[name]["rejected"].split("|")


def test_missing_columns_are_all_named() -> None:
    with pytest.raises(RefusedInput, match="カナ氏名、消除日"):
        read("residents_missing_columns.csv")


def test_text_is_kept_as_it_stands() -> None:
    assert any(name[0] in "=+-@" for name in read("residents_formula_names.csv").frame["name"])
    lines = read("residents_embedded_newlines.csv").frame
    assert lines.select(pl.any_horizontal(pl.col("name", "address", "address2").str.contains("\n")).any()).item()


def test_a_number_written_into_the_rejects_never_shows_a_personal_number() -> None:
    for name in EXPECTED:
        try:
            told = extracts.rejects_csv(read(name)).decode()
        except RefusedInput as refused:
            told = str(refused)
        assert not re.search(r"(?<!\d)\d{12}(?!\d)", told)


HEADING = "住民番号,区分"
FIELD = st.one_of(
    st.sampled_from(["1234567890", "DV", "児童施設", "", " ", "０１２", "12345\n6789", 'a"b', "x,y", "\ufeff", "a\rb"]),
    st.text(st.characters(codec="utf-8"), max_size=6),
)


def written(rows: list[list[str]], quoting: Any, end: str) -> bytes:
    import io

    buffer = io.StringIO(newline="")
    csv.writer(buffer, quoting=quoting, lineterminator=end).writerows(rows)
    return (HEADING + end + buffer.getvalue()).encode()


@settings(max_examples=400, deadline=None, database=None)
@given(
    st.lists(st.lists(FIELD, min_size=1, max_size=3), max_size=5),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)
def test_the_fast_path_and_the_strict_path_read_the_same(
    rows: list[list[str]], quoting: Any, end: str, last_end: bool
) -> None:
    data = written(rows, quoting, end)
    if not last_end:
        data = data.removesuffix(end.encode())
    _compare(data)


@settings(max_examples=400, deadline=None, database=None)
@given(
    st.lists(st.sampled_from([*'",\n\rあa1 ', "\r\n", '","', '"\n"', "\ufeff", "\x00", "\x1f", "\x1e"]), max_size=20)
)
def test_the_fast_path_never_reads_what_the_strict_path_refuses(parts: list[str]) -> None:
    _compare((HEADING + "\n" + "".join(parts)).encode())


def _compare(data: bytes) -> None:
    header = tuple(HEADING.split(","))
    fast = csv_reader._fast(data, header)
    if fast is None:
        return
    strict, misfits = csv_reader._strict(data, header, Place(file="x.csv"))
    assert misfits == []
    assert fast.select(sorted(fast.columns)).equals(strict.select(sorted(strict.columns)))


@pytest.mark.parametrize("body", ["1\n2,DV,", '"1"\n"2","DV",""'])
def test_an_extra_blank_field_at_the_very_end_does_not_make_up_for_a_missing_one(body: str) -> None:
    data = (HEADING + "\n" + body).encode()
    assert csv_reader._fast(data, tuple(HEADING.split(","))) is None
    assert [line for line, _ in csv_reader.read(data, file_name="x.csv").misfits] == [2, 3]


def test_a_newline_inside_quotes_moves_the_lines_that_follow() -> None:
    data = written([["1234567890", "あ\nい"], ["1234567891", "う"]], csv.QUOTE_ALL, "\n")
    assert csv_reader.read(data, file_name="x.csv").frame["line"].to_list() == [2, 4]


def test_plain_files_take_the_fast_path() -> None:
    for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_ALL):
        data = written([["1234567890", "DV"], ["1234567891", ""]], quoting, "\r\n")
        fast = csv_reader._fast(data, tuple(HEADING.split(",")))
        assert fast is not None
        assert fast["line"].to_list() == [2, 3]


@pytest.mark.parametrize(
    ("kind", "times"), [("residents", 800), ("taxes", 2_200), ("prior", 8_000), ("braille", 9_000)]
)
def test_twenty_thousand_damaged_files_are_read_or_refused_and_nothing_else(kind: str, times: int) -> None:
    whole = (WARD_3K / f"{kind}.csv").read_bytes()
    good = b"\n".join(whole.split(b"\n")[:5]) + b"\n"
    dice = random.Random(20240603)
    outcomes = {"read": 0, "rejected": 0, "refused": 0}
    for turn in range(times):
        data = _damaged(good, dice)
        try:
            found = extracts.read(extracts.TABLES[kind], data, file_name="x.csv")
        except RefusedInput:
            outcomes["refused"] += 1
            continue
        except BaseException as error:  # noqa: BLE001  # Polars の PanicException は Exception の仲間ではない
            pytest.fail(f"種 20240603 の {turn} 番目: {type(error).__name__} {error} {data!r}")
        assert found.rows_read == found.rows_kept + found.rows_rejected, data
        outcomes["rejected" if found.rows_rejected else "read"] += 1
    assert min(outcomes.values()) > 0, outcomes


def _damaged(good: bytes, dice: random.Random) -> bytes:
    data = bytearray(good)
    for _ in range(dice.choice((1, 1, 2, 5))):
        place = dice.randrange(len(data) or 1)
        match dice.randrange(5):
            case 0:
                data[place : place + 1] = bytes([dice.randrange(256)])
            case 1:
                del data[place : place + dice.choice((1, 1, 3, 40))]
            case 2:
                data[place:place] = dice.choice((b'"', b",", b"\n", b"\r", b"\x00", b"\xef\xbb\xbf", b"\xff", b"9"))
            case 3:
                data[place:place] = bytes(data[place : place + dice.randrange(60)])
            case _ if len(data) > 1:
                del data[place:]
    return bytes(data)
