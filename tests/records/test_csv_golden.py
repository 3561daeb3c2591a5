"""CSV の様式の見本: どの様式も、列ごとに書き下した見本と一字も違わない。WRITE_GOLDEN=1 で書き直す。"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benefit.records import csv_layout
from benefit.records.csv_layouts import CSV_LAYOUTS
from tests.records.test_csv_layout import content as convenience_store

GOLDEN = Path(__file__).parent / "golden"
_CODE = "123456789010102"
PRINT_RESULT = (
    "封入の符号,区分,日付,封筒番号\r\n"
    f"{_CODE}111234567,損,20240625,\r\n{_CODE}111234567,再作成,20240626,\r\n{_CODE}111234567,投函,20240627,E00001\r\n"
)
SAMPLES = {"convenience-store-csv": convenience_store(), "print-result": PRINT_RESULT.encode("cp932")}


def rendered(layout_id: str) -> str:
    """一行を「項目 値」に書き下す。空の欄は ∅。"""
    layout = CSV_LAYOUTS[layout_id]
    rows = csv_layout.read(SAMPLES[layout_id], layout).require()
    parts = []
    for row in rows.iter_rows(named=True):
        lines = [f"# {row['record']} {layout.title}"]
        lines += [f"{field.label} {'∅' if row[field.name] == '' else row[field.name]}" for field in layout.fields]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


@pytest.mark.parametrize("layout_id", CSV_LAYOUTS)
def test_every_csv_layout_reads_its_golden_file(layout_id: str) -> None:
    path = GOLDEN / f"{layout_id}.txt"
    if os.environ.get("WRITE_GOLDEN"):
        path.write_text(rendered(layout_id), encoding="utf-8")
    assert rendered(layout_id) == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("layout_id", CSV_LAYOUTS)
def test_the_specification_sheet_names_every_column_and_its_source(layout_id: str) -> None:
    layout = CSV_LAYOUTS[layout_id]
    told = layout.markdown()
    assert all(field.label in told for field in layout.fields)
    assert all(source in told for source in layout.sources)
    assert layout.standing in told
