"""二人目の読み手が守る約束: 出したファイルの一バイト、一行のどの壊れ方も見つける（reliability P8、T08）。"""

from __future__ import annotations

import ast
import csv
import io
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benefit.records import zengin_reader, zengin_reader_block
from benefit.records.zengin import TransferLine, build, unwritable
from benefit.records.zengin_reader import FINDINGS_MAX, findings
from benefit.records.zengin_text import CONVERSIONS, PARTY_NAME_WITH_WO
from tests.records.zengin_samples import HEADER, LINES, expected_header, expected_lines, line

CONTENT = build(HEADER, LINES).content
EXPECTED = (expected_header(), expected_lines())
RECORDS = [CONTENT[at : at + 122] for at in range(0, len(CONTENT), 122)]
WARD = Path(__file__).parents[3] / "shared" / "cases" / "ward-3k"


def test_a_file_that_says_what_the_ledger_says_has_no_findings():
    assert findings(CONTENT, *EXPECTED) == []


def test_plain_tuples_are_enough_for_the_expectation():
    assert findings(CONTENT, tuple(EXPECTED[0]), [tuple(item) for item in EXPECTED[1]]) == []


def test_the_reader_shares_no_code_with_the_writer():
    tree = ast.parse(Path(zengin_reader.__file__).read_text(encoding="utf-8"))
    modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    modules |= {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    assert {module for module in modules if module.startswith("benefit")} == {"benefit.records"}
    beside = ast.parse(Path(zengin_reader_block.__file__).read_text(encoding="utf-8"))
    assert not [node for node in ast.walk(beside) if "benefit" in str(getattr(node, "module", None))]


@pytest.mark.parametrize("record", range(5))
def test_every_other_value_of_every_single_byte_is_found(record):
    """ファイルの全バイトの、ほかの 255 通りすべて（五つの行で 155,550 通り）。"""
    missed = []
    for at in range(record * 122, record * 122 + 122):
        before, byte, after = CONTENT[:at], CONTENT[at], CONTENT[at + 1 :]
        missed += [
            (at, other)
            for other in range(256)
            if other != byte and not findings(before + bytes((other,)) + after, *EXPECTED)
        ]
    assert missed == []


def test_every_lost_and_every_added_byte_is_found():
    lost = [at for at in range(len(CONTENT)) if not findings(CONTENT[:at] + CONTENT[at + 1 :], *EXPECTED)]
    added = [
        (at, byte)
        for at in range(len(CONTENT) + 1)
        for byte in (0x00, 0x0A, 0x0D, 0x1A, 0x20, 0x30, 0xB1)
        if not findings(CONTENT[:at] + bytes((byte,)) + CONTENT[at:], *EXPECTED)
    ]
    assert (lost, added) == ([], [])


def test_every_file_cut_short_is_found():
    assert [end for end in range(len(CONTENT)) if not findings(CONTENT[:end], *EXPECTED)] == []


def test_every_lost_doubled_swapped_and_replaced_line_is_found():
    other = build(HEADER, [line(), line(amount_yen=50_000)]).content
    others = [other[at : at + 122] for at in range(0, len(other), 122)]
    broken = []
    for at in range(len(RECORDS)):
        broken.append(RECORDS[:at] + RECORDS[at + 1 :])
        broken.append(RECORDS[: at + 1] + RECORDS[at:])
        broken.append([*RECORDS[:at], b" " * 120 + b"\r\n", *RECORDS[at + 1 :]])
        broken.extend([*RECORDS[:at], new, *RECORDS[at + 1 :]] for new in RECORDS + others if new != RECORDS[at])
        for to in range(at + 1, len(RECORDS)):
            swapped = list(RECORDS)
            swapped[at], swapped[to] = swapped[to], swapped[at]
            broken.append(swapped)
    assert [records for records in broken if not findings(b"".join(records), *EXPECTED)] == []


def test_a_corruption_that_keeps_its_own_totals_right_is_still_found_by_the_ledger():
    """一件目から二件目へ一円移しても、件数と合計は合ったままである。"""
    moved = bytearray(CONTENT)
    moved[122 + 80 : 122 + 90], moved[244 + 80 : 244 + 90] = b"0000099999", b"0000050001"
    assert [(finding.code, finding.record, finding.byte) for finding in findings(bytes(moved), *EXPECTED)] == [
        ("ledger", 2, 81),
        ("ledger", 3, 81),
    ]


def test_a_ledger_that_disagrees_with_the_file_is_found_line_by_line():
    for changes in (
        {"bank_code": "9998"},
        {"branch_code": "103"},
        {"account_type": "4"},
        {"account_number": "9000002"},
        {"holder_kana": "ヤマタ　タロウ"},
        {"amount_yen": 100_001},
        {"new_code": "0"},
        {"customer_code1": "0000001009"},
        {"bank_name": "カクウ"},
    ):
        lines = [replace(LINES[0], **changes), LINES[1]]
        found = findings(CONTENT, EXPECTED[0], expected_lines(lines))
        assert {finding.record for finding in found if finding.code == "ledger"} == {2}, changes


def test_a_name_differing_only_by_a_mark_or_a_dash_is_found():
    for name in ("ヤマタ　タロウ", "ヤマダ　タロ", "ヤマダ　タロウー", "ヤマダタロウ"):
        assert findings(CONTENT, EXPECTED[0], expected_lines([replace(LINES[0], holder_kana=name), LINES[1]]))


@pytest.mark.parametrize(
    ("at", "byte", "code"),
    [
        (120, 0x20, "newline"),
        (121, 0x0D, "newline"),
        (110, 0x30, "filler"),
        (0, 0x32, "order"),
        (3, 0x31, "constant"),
        (122 + 38, 0x20, "constant"),
        (122 + 50, 0x20, "blank-name"),
        (122 + 52, 0xB0, "character"),
        (122 + 52, 0xAC, "character"),
        (122 + 52, 0xA6, "character"),
        (122 + 52, 0x3F, "character"),
        (122 + 44, 0x41, "digits"),
        (366 + 6, 0x33, "count"),
        (366 + 18, 0x31, "total"),
        (488 + 119, 0x39, "filler"),
    ],
)
def test_a_finding_says_what_is_wrong_and_where(at, byte, code):
    found = findings(CONTENT[:at] + bytes((byte,)) + CONTENT[at + 1 :], *EXPECTED)
    assert (code, at // 122 + 1) in {(finding.code, finding.record) for finding in found}


def test_findings_carry_no_name_and_no_account():
    other = build(HEADER, [line(account_number="9876543", holder_kana="サイトウ"), line()]).content
    said = " ".join(str(finding) for finding in findings(other, *EXPECTED))
    assert "受取人名が台帳と違います" in said
    assert not [secret for secret in ("9876543", "0000001", "ｻｲﾄｳ", "ヤマダ") if secret in said]


def test_a_ruined_file_ends_in_a_short_list():
    lines = [line(customer_code1=f"{at:010d}") for at in range(300)]
    content = build(HEADER, lines).content
    wrong = [item._replace(amount_yen=1) for item in expected_lines(lines)]
    assert len(findings(content, expected_header(), wrong)) == FINDINGS_MAX
    assert len(findings(content.replace(b"\r\n", b"\n\n"), expected_header(), expected_lines(lines))) == FINDINGS_MAX


LETTERS = sorted({chr(code) for code in CONVERSIONS} | PARTY_NAME_WITH_WO.characters)


@given(st.lists(st.text(LETTERS, min_size=1, max_size=40), min_size=1, max_size=4))
def test_two_independent_conversions_of_a_name_agree(names):
    """書き手の表と読み手の正規化は別の道だが、書けた名はいつも同じ字になる。"""
    lines = [line(holder_kana=name) for name in names]
    stopped = {item.number for item in unwritable(lines, with_wo=True)}
    lines = [item for number, item in enumerate(lines, start=1) if number not in stopped]
    if lines:
        content = build(HEADER, lines, with_wo=True).content
        assert findings(content, expected_header(), expected_lines(lines), with_wo=True) == []


def test_the_made_up_ward_is_written_and_read_back_by_the_second_reader():
    text = (WARD / "accounts.csv").read_bytes().decode("cp932")
    lines = [
        TransferLine(
            row["金融機関コード"], row["支店コード"], row["預金種目"], row["口座番号"], row["口座名義カナ"], 100_000
        )
        for row in csv.DictReader(io.StringIO(text, newline=""))
    ]
    stopped = {item.number for item in unwritable(lines)}
    good = [item for number, item in enumerate(lines, start=1) if number not in stopped]
    assert len(stopped) == 1
    assert len(good) > 1000
    assert findings(build(HEADER, good).content, expected_header(), expected_lines(good)) == []
