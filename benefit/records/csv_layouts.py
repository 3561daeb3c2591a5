"""CSV の様式の一覧: 名前（id）から様式へ。"""

from __future__ import annotations

from benefit.records import convenience_store_csv, print_result
from benefit.records.csv_layout import CsvLayout

CSV_LAYOUTS: dict[str, CsvLayout] = {
    layout.id: layout for layout in (convenience_store_csv.DSK, print_result.PRINT_RESULT)
}
