"""口座振替の請求と結果の見方: 請求 = 振替済 + 振替不能 + 結果待ち + 取消、振替不能のコードごとの数。"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl
from sqlalchemy import text

from benefit.records.direct_debit import RESULT_CODES
from benefit.services.debit_request_file import Request, listed
from benefit.services.home import Home
from benefit.store.engine import reading
from benefit.store.frames import fetch

_ENDS = """
    SELECT o.request_id, COALESCE(e.outcome, '待ち'), CAST(COUNT(*) AS BIGINT), CAST(SUM(o.amount_yen) AS BIGINT)
    FROM debit_order o LEFT JOIN debit_outcome e ON e.order_id = o.id GROUP BY o.request_id, COALESCE(e.outcome, '待ち')
"""
#: 最後に聞いたコード（未着の行も）ごとの数。
_CODES = """
    SELECT t.code, CAST(COUNT(*) AS BIGINT), CAST(SUM(o.amount_yen) AS BIGINT)
    FROM debit_told t JOIN debit_order o ON o.id = t.order_id
    JOIN (SELECT order_id, MAX(result_id) AS result_id FROM debit_told GROUP BY order_id) m
      ON m.order_id = t.order_id AND m.result_id = t.result_id
    WHERE o.request_id = :request AND t.code <> '0' GROUP BY t.code ORDER BY t.code
"""


@dataclass(frozen=True)
class Progress:
    """請求一つと、その行き先。件数と額は、いつも請求に等しい。"""

    request: Request
    ends: dict[str, tuple[int, int]]

    def _end(self, what: str) -> tuple[int, int]:
        return self.ends.get(what, (0, 0))

    @property
    def state(self) -> str:
        """いまを言う一言。"""
        if self.request.fate == "取消":
            return "取消"
        if not self.request.fate:
            return "送り出す前（承認済）" if self.request.approved_by else "承認を待つ"
        return "結果待ち" if self.waiting else "結果がそろった"

    @property
    def paid(self) -> int:
        """振替済の件数。"""
        return self._end("振替済")[0]

    @property
    def paid_yen(self) -> int:
        """振替済の額。"""
        return self._end("振替済")[1]

    @property
    def failed(self) -> int:
        """振替不能の件数。"""
        return self._end("振替不能")[0]

    @property
    def failed_yen(self) -> int:
        """振替不能の額。"""
        return self._end("振替不能")[1]

    @property
    def waiting(self) -> int:
        """結果待ちの件数。"""
        return self._end("待ち")[0]

    @property
    def waiting_yen(self) -> int:
        """結果待ちの額。"""
        return self._end("待ち")[1]

    @property
    def cancelled_yen(self) -> int:
        """取り消した額。"""
        return self._end("取消")[1]


def requests(home: Home, number: int | None = None) -> list[Progress]:
    """請求の並び（新しい順）。"""
    with reading(home.ward) as connection:
        ends = fetch(connection, _ENDS, {"request": pl.Int64, "outcome": pl.String, "count": pl.Int64, "yen": pl.Int64})
        found: dict[int, dict[str, tuple[int, int]]] = {}
        for request, outcome, count, yen in ends.iter_rows():
            found.setdefault(request, {})[outcome] = (count, yen)
        return [Progress(one, found.get(one.id, {})) for one in listed(home, connection, number)]


def codes(home: Home, number: int) -> list[tuple[str, str, int, int]]:
    """この請求の、0 でないコード: (コード、意味、件数、額)。"""
    with reading(home.ward) as connection:
        rows = connection.execute(text(_CODES), {"request": number}).all()
    return [(code, RESULT_CODES.get(code, "未定義の結果コード"), int(count), int(yen)) for code, count, yen in rows]
