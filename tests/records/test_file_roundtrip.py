"""どの様式も、書けばバイトまで一件ずつの書き手（`Layout.encode`）と同じで、読めば元の行に戻る。"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benefit.records.file_reader import read
from benefit.records.file_writer import write
from benefit.records.layout_registry import BUILT_IN
from tests.records.collection_samples import sample, table, values_of

WRITTEN = sorted(layout.id for layout in BUILT_IN.values() if not layout.read_only)


@pytest.mark.parametrize("layout_id", WRITTEN)
def test_rows_survive_a_round_trip_and_match_the_record_writer(layout_id):
    layout = BUILT_IN[layout_id]
    rows = st.fixed_dictionaries({field.name: values_of(field) for field in layout.data.fields if field.holds_value})
    header = st.fixed_dictionaries(
        {field.name: values_of(field) for field in layout.header.fields if field.holds_value}
    )

    @settings(max_examples=15, suppress_health_check=list(HealthCheck))
    @given(header, st.lists(rows, min_size=1, max_size=6))
    def round_trip(values, lines):
        # 合計の欄（12 桁）に入らない額は、書けないのが正しい。
        lines = [{k: v % 10**9 + 1 if isinstance(v, int) else v for k, v in line.items()} for line in lines]
        lines = [
            {k: v % 10**f.length if isinstance(v, int) and (f := layout.field_of(k)) else v for k, v in line.items()}
            for line in lines
        ]
        frame = table(layout, lines)
        content = write(layout, [(values, frame)], newline="")
        start, size = layout.length, layout.length * len(lines)
        assert content[start : start + size] == b"".join(layout.data.encode(line) for line in lines)
        reading = read(content, layout)
        assert reading.faults == ()
        assert reading.data.select(layout.data.names).equals(frame)
        assert {name: reading.headers[0][name] for name in values} == values

    round_trip()


def test_reading_the_incomplete_layout_keeps_the_unknown_bytes():
    reading = read(sample("local-tax-99"), BUILT_IN["local-tax-99"])
    assert reading.require()["unread"].to_list() == ["00013000000129000"]
    assert reading.require()["salary_yen"].to_list() == [123400]
