"""見本ファイルが守る約束: どの様式も、項目ごとに書き下した見本と一字も違わず、指紋も変わらない。

WRITE_GOLDEN=1 で書き直す（仕様書と見比べてから）。
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from benefit.records.file_reader import read
from benefit.records.file_writer import write
from benefit.records.layout_registry import BUILT_IN
from benefit.records.layout_view import render_file
from tests.records.collection_samples import SAMPLES, sample, table

GOLDEN = Path(__file__).parent / "golden"
#: formats §2.6・§4.6 の見本（架空、計算した値）。空白は · と書いてある。
OFFICIAL = {
    "direct-debit-result": (
        "formats-2.6-direct-debit-result.txt",
        "f53ed0a61874050bdb652545cc6ea748295ebb3b96648fe03c6e670e13dd3360",
    ),
    "convenience-store": (
        "formats-4.6-convenience-store.txt",
        "946e1e87f01990ed29102ad7b2c7e226cf3a59e47b668f3f09f3a51cbcda9cc3",
    ),
}


def official(layout_id: str) -> bytes:
    text = (GOLDEN / OFFICIAL[layout_id][0]).read_text(encoding="utf-8")
    return text.replace("·", " ").replace("\n", "\r\n").encode("cp932")


@pytest.mark.parametrize("layout_id", BUILT_IN)
def test_every_layout_writes_its_golden_file(layout_id):
    content = sample(layout_id)
    layout = BUILT_IN[layout_id]
    written = render_file(content, layout.layout_of, length=layout.length, show_sensitive=True)
    told = f"sha256 {hashlib.sha256(content).hexdigest()}（{len(content)} バイト）\n\n{written}"
    path = GOLDEN / f"{layout_id}.txt"
    if os.environ.get("WRITE_GOLDEN"):
        path.write_text(told, encoding="utf-8")
    assert told == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("layout_id", BUILT_IN)
def test_every_golden_file_reads_back_to_the_same_rows(layout_id):
    layout = BUILT_IN[layout_id]
    reading = read(sample(layout_id), layout)
    assert reading.faults == ()
    assert reading.read == reading.good + reading.rejected + reading.framed
    if layout_id in SAMPLES:
        assert reading.data.select(layout.data.names).equals(table(layout, SAMPLES[layout_id][1]))


@pytest.mark.parametrize("layout_id", OFFICIAL)
def test_the_reference_files_have_their_fingerprints_and_survive_a_round_trip(layout_id):
    content, layout = official(layout_id), BUILT_IN[layout_id]
    assert hashlib.sha256(content).hexdigest() == OFFICIAL[layout_id][1]
    reading = read(content, layout)
    header = {name: value for name, value in reading.headers[0].items() if name not in {"record", "group"}}
    assert write(layout, [(header, reading.require())]) == content


def test_the_request_is_the_result_with_no_code_and_no_outcome():
    """formats §2.6: 請求は、二件目の 112 バイト目が 0、合計の 20–55 バイトが 0 であるだけの違い。"""
    records = official("direct-debit-result").split(b"\r\n")
    records[2] = records[2][:111] + b"0" + records[2][112:]
    records[3] = records[3][:19] + b"0" * 36 + records[3][55:]
    content = b"\r\n".join(records)
    assert hashlib.sha256(content).hexdigest() == "8e405e9ea1ac104dd5f689ae846ed49d31595caaad83ae0be777f30d6e5f3718"
    layout = BUILT_IN["direct-debit-request"]
    reading = read(content, layout)
    header = {name: value for name, value in reading.headers[0].items() if name not in {"record", "group"}}
    assert write(layout, [(header, reading.require())]) == content


def test_every_layout_says_where_it_comes_from():
    for layout in BUILT_IN.values():
        for record in layout.layouts.values():
            assert record.sources
            assert record.length in {120, 200, 256, 300}
    assert {layout.id for layout in BUILT_IN.values() if layout.verified} == {
        "direct-debit-request",
        "direct-debit-result",
    }
    assert [layout.id for layout in BUILT_IN.values() if layout.read_only] == ["local-tax-99"]
