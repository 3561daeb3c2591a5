"""ファイルの枠: 見出し・合計・終わりのレコードの中身と順番、明細の足し上げと合計の証明。"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from benefit.records.faults import Fault
from benefit.records.fields import Value
from benefit.records.file_layout import GROUP, RECORD, ROLES, FileLayout, Total


class FrameRecords:
    """一つのファイルを読む間の、枠の記録。`values` は役目 → 良い枠のレコードの値（`record`・`group` つき）。"""

    def __init__(self, layout: FileLayout) -> None:
        self.layout = layout
        self.values: dict[str, list[dict[str, Value]]] = {}
        self.starts: list[int] = []
        self.count = 0
        self._roles = {mark: role for role, mark in layout.marks.items()}
        self._last = ""
        self._sums: dict[int, list[int]] = {}

    def data_from(self, record: int) -> list[Fault]:
        """ここから明細が続く。"""
        return self._step("data", record)

    def frame_record(self, mark: str, record: int, raw: bytes) -> tuple[list[Fault], int]:
        """枠の一レコード。悪い所と、断った数（0 か 1）。"""
        role = self._roles[mark]
        faults = self._step(role, record)
        if role == "header":
            self.starts.append(record)
        layout = self.layout.layouts[role]
        if problems := layout.problems(raw):
            return [*faults, *(Fault(record, at.title, p.says, p.found, p.allowed) for at, p in problems)], 1
        values = layout.decode(raw, record=record)
        self.values.setdefault(role, []).append({RECORD: record, GROUP: max(1, len(self.starts)), **values})
        self.count += 1
        return faults, 0

    def _next(self, role: str) -> set[str]:
        """この役目の後に来てよい役目。最初は空の文字列、最後は `last`。"""
        there = self.layout.layouts
        closing = "trailer" if "trailer" in there else "end" if "end" in there else "last"
        after: dict[str, set[str]] = {
            "": {"header"} if "header" in there else {"data", closing},
            "header": {"data", closing},
            "data": {"data", closing},
            "trailer": {"end" if "end" in there else "last"},
            "end": {"last"},
        }
        if self.layout.groups:
            after["trailer" if "trailer" in there else "data"].add("header")
        return after[role]

    def _step(self, role: str, record: int) -> list[Fault]:
        allowed, self._last = self._next(self._last), role
        if role in allowed:
            return []
        said = "、".join(name for key, name in ROLES.items() if key in allowed) or "ここでファイルが終わる"
        return [Fault(record, "1 バイト目", "レコードの順が違います", ROLES[role], said, code="order")]

    def add_up(self, table: pl.DataFrame) -> None:
        """良い明細を、組ごとに足し上げる。"""
        if not self.layout.totals or not table.height:
            return
        sums = table.group_by(GROUP).agg(sum_of(total, at) for at, total in enumerate(self.layout.totals))
        for row in sums.unnest(pl.selectors.struct()).iter_rows():
            known = self._sums.setdefault(row[0], [0] * (len(row) - 1))
            for at, value in enumerate(row[1:]):
                known[at] += value

    def finish(self, records: int, *, prove: bool) -> Iterator[Fault]:
        """最後まで読んだ後の検査: 途切れ、合計、全レコードの件数。`prove` でなければ合計は見ない。"""
        if "last" not in (allowed := self._next(self._last)):
            said = "、".join(name for key, name in ROLES.items() if key in allowed)
            found = f"{ROLES[self._last]}の後で終わっている" if self._last else "枠のレコードがない"
            yield Fault(0, "", "ファイルが途中で終わっています", found, said, code="order")
        if not prove:
            return
        for trailer in self.values.get("trailer", ()):
            sums = self._sums.get(int(trailer[GROUP]), [0] * (2 * len(self.layout.totals)))
            for at, total in enumerate(self.layout.totals):
                yield from self._compare("trailer", trailer, total.count, sums[2 * at], "件")
                yield from self._compare("trailer", trailer, total.yen, sums[2 * at + 1], "円")
        for end in self.values.get("end", ()):
            yield from self._compare("end", end, self.layout.end_count, records, "件")

    def _compare(self, role: str, values: dict[str, Value], name: str, actual: int, unit: str) -> Iterator[Fault]:
        # 電子マネーのように、書かれていない（空白の）合計は比べられない。
        if not name or values[name] == "" or int(values[name]) == actual:
            return
        placed = next(at for at in self.layout.layouts[role].placed if at.field.name == name)
        said = "数え直した数と合いません"
        found, counted = f"{int(values[name]):,} {unit}", f"{actual:,} {unit}"
        yield Fault(int(values[RECORD]), placed.title, said, found, counted, code="total")


def sum_of(total: Total, at: int) -> pl.Expr:
    """明細から一組の合計（件数と円）を数える式。"""
    counted = pl.lit(value=True)
    if total.where:
        counted = pl.col(total.where).is_in(total.values)
        counted = ~counted if total.other else counted
    yen = pl.col(total.amount).filter(counted).sum() if total.yen else pl.lit(0, dtype=pl.Int64)
    # 条件のない数え方でも、組の行の数だけ数える。
    count = (pl.col(GROUP) > 0).and_(counted).sum().cast(pl.Int64)
    return pl.struct(count.alias(f"count{at}"), yen.alias(f"yen{at}")).alias(f"total{at}")
