"""支給予定情報 planned.csv（契約 §4 Planned payments）: 委託先から区へ。"""

from __future__ import annotations

import polars as pl

from benefit.domain.errors import Place, RefusedInput
from benefit.records import table as tables
from benefit.records.fields import Field

FILE_NAME = "planned.csv"
