"""固定長のファイルを、まとめて読む: 全部のバイトを見て、全部の悪いレコードを挙げ、合計を証明する。

    reading = read(content, LAYOUT, file="cvs.dat")
    reading.require()          # 悪い所が一つでもあれば RefusedFile。何も取り込まない

一件ずつの Python は、悪いレコードにしか走らない。読んだ数 = 良い数 + 断った数 + 枠（見出し・合計・終わり）の数。
大きいファイルは `Reader.tables` が塊ごとに渡すので、記憶は件数によらない。
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import polars as pl

from benefit.domain.errors import Place, RefusedInput
from benefit.records import columns
from benefit.records.faults import FAULTS_MAX, Fault, RefusedFile
from benefit.records.fields import Value
from benefit.records.file_layout import GROUP, RECORD, ROLES, FileLayout
from benefit.records.frame_records import FrameRecords
from benefit.records.record_lines import CHUNK, split

_RAW, _MARK, _FITS = "raw", "mark", "fits"


@dataclass(frozen=True)
class Reading:
    """読んだファイル。data は良い明細（`record`・`group`・項目・部分項目の列）。

    headers・trailers・ends は枠のレコードの値（組の順）。read = data.height + rejected + framed がいつも成り立つ
    （塊のまま使って表を渡さなかったときは、data は空で、good が数を言う）。
    """

    layout: FileLayout
    file: str
    data: pl.DataFrame
    headers: tuple[dict[str, Value], ...]
    trailers: tuple[dict[str, Value], ...]
    ends: tuple[dict[str, Value], ...]
    faults: tuple[Fault, ...]
    more_faults: int
    read: int
    good: int
    rejected: int
    framed: int

    def require(self) -> pl.DataFrame:
        """良い明細。悪い所が一つでもあれば、ファイルごと断る（`RefusedFile`）。"""
        if self.faults or self.more_faults:
            raise RefusedFile(self.file, self.faults, self.more_faults)
        return self.data


def read(content: bytes, layout: FileLayout, *, file: str = "") -> Reading:
    """全部を一つの表に読む。悪いレコードでは断らない（断るのは `require`）。空のファイルは `RefusedInput`。"""
    reader = Reader(layout, file)
    step = CHUNK * (layout.length + 2)
    tables = list(reader.tables(content[at : at + step] for at in range(0, len(content), step)))
    return reader.reading(pl.concat(tables) if tables else None)


@dataclass
class Reader:
    """塊ごとの読み手。`tables` を最後まで回してから `reading` を呼ぶ。"""

    layout: FileLayout
    file: str = ""
    faults: list[Fault] = field(default_factory=list)
    more_faults: int = 0
    records: int = 0
    rejected: int = 0
    good: int = 0

    def __post_init__(self) -> None:
        """様式から一度だけ作るもの。"""
        self._frame = FrameRecords(self.layout)
        self._pattern = columns.record_pattern(self.layout.data)
        self._mark = self.layout.marks["data"]
        self._marks = list(self.layout.marks.values())

    def tables(self, blocks: Iterable[bytes]) -> Iterator[pl.DataFrame]:
        """バイト列の塊から、良い明細の表を順に出す。"""
        for lines in split(blocks, self.layout.length, file=self.file):
            try:
                table = self._examine(lines)
            except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as fault:
                # PanicException は Exception の仲間ではない。外のデータの通る道は、ここ一つである。
                raise RefusedInput(
                    "ファイルを表にできません", code="table", place=Place(self.file), found=type(fault).__name__
                ) from None
            if table.height:
                yield table
        if not self.records:
            raise RefusedInput("ファイルが空です", code="empty-file", place=Place(self.file))
        # 断ったレコードがあれば合計は合わなくて当たり前なので、悪いレコードだけを言う。
        self._add(list(self._frame.finish(self.records, prove=not self.rejected)))

    def reading(self, data: pl.DataFrame | None = None) -> Reading:
        """読み終えた結果。`data` は `tables` の出した表をつないだもの（なければ空の表）。"""
        framed = self._frame.count
        assert self.records == self.good + self.rejected + framed, "読んだ数が、良い数・断った数・枠の数に合わない"
        values = self._frame.values
        return Reading(
            self.layout,
            self.file,
            self._table(self._nothing()) if data is None else data,
            tuple(values.get("header", ())),
            tuple(values.get("trailer", ())),
            tuple(values.get("end", ())),
            # ファイル全体の所見は、レコードの所見の後。
            tuple(sorted(self.faults, key=lambda fault: (fault.record == 0, fault.record))),
            self.more_faults,
            self.records,
            self.good,
            self.rejected,
            framed,
        )

    @staticmethod
    def _nothing() -> pl.DataFrame:
        return pl.DataFrame(schema={_RAW: pl.String, RECORD: pl.Int64, GROUP: pl.Int64})

    def _add(self, faults: list[Fault], unlisted: int = 0) -> None:
        room = max(0, FAULTS_MAX - len(self.faults))
        self.faults.extend(faults[:room])
        self.more_faults += len(faults[room:]) + unlisted

    def _examine(self, lines: list[str]) -> pl.DataFrame:
        first, self.records = self.records + 1, self.records + len(lines)
        frame = pl.DataFrame({_RAW: lines}, schema={_RAW: pl.String}).with_columns(
            pl.int_range(first, self.records + 1, dtype=pl.Int64).alias(RECORD),
            pl.col(_RAW).str.slice(0, 1).alias(_MARK),
            (pl.col(_RAW).str.len_chars() == self.layout.length).alias(_FITS),
        )
        known = pl.col(_MARK).is_in(self._marks)
        strange = frame.filter(~pl.col(_FITS) | ~known)
        if strange.height:
            self.rejected += strange.height
            listed = strange.select(RECORD, _RAW).head(FAULTS_MAX).rows()
            self._add([self._strange(record, raw) for record, raw in listed], strange.height - len(listed))
            frame = frame.filter(pl.col(_FITS), known)
        self._read_frame(frame)
        rows = frame.filter(pl.col(_MARK) == self._mark)
        table = self._table(rows.with_columns(self._group_of(rows[RECORD])))
        self.good += table.height
        self._frame.add_up(table)
        return table

    def _strange(self, record: int, raw: str) -> Fault:
        length = self.layout.length
        if len(raw) != length:
            where = f"{min(len(raw), length) + 1} バイト目"
            says, found = "レコードの長さが違います", f"{len(raw)} バイト"
            return Fault(record, where, says, found, f"{length} バイト", code="record-length")
        said = "、".join(f"「{mark}」（{ROLES[role]}）" for role, mark in self.layout.marks.items())
        return Fault(record, "1 バイト目", "レコードの区分が違います", f"0x{ord(raw[0]):02X}", said, code="record-kind")

    def _read_frame(self, frame: pl.DataFrame) -> None:
        """見出し・合計・終わりを読み、並びの順を見る。明細の続きは、一度に一つと数える。"""
        runs = frame.select(pl.col(_MARK).rle()).unnest(_MARK)
        numbers, raws, at = frame[RECORD], frame[_RAW], 0
        for length, mark in runs.select("len", "value").iter_rows():
            if mark == self._mark:
                self._add(self._frame.data_from(int(numbers[at])))
            else:
                for here in range(at, at + length):
                    raw = raws[here].encode("latin-1")
                    faults, lost = self._frame.frame_record(mark, int(numbers[here]), raw)
                    self._add(faults)
                    self.rejected += lost
            at += length

    def _group_of(self, numbers: pl.Series) -> pl.Series:
        """明細の組の番号: それより前にある見出しの数。"""
        if "header" not in self.layout.layouts:
            return pl.Series(GROUP, [1], dtype=pl.Int64).new_from_index(0, len(numbers))
        starts = pl.Series("starts", self._frame.starts, dtype=pl.Int64)
        return starts.search_sorted(numbers).cast(pl.Int64).alias(GROUP)

    def _table(self, rows: pl.DataFrame) -> pl.DataFrame:
        """明細の行を、項目の列にする。合わない行は、項目ごとに調べて断る。"""
        data = self.layout.data
        shaped = rows[_RAW].str.contains(self._pattern)
        if not shaped.all():
            self._refuse(rows.filter(~shaped))
            rows = rows.filter(shaped)
        table = columns.restore_text(rows.select(RECORD, GROUP, *columns.slices(data, _RAW)), data)
        meant = columns.meant(table, data)
        if not meant.all():
            self._refuse(rows.filter(~meant))
            table = table.filter(meant)
        return table.with_columns(columns.part(part) for part in self.layout.parts)

    def _refuse(self, rows: pl.DataFrame) -> None:
        self.rejected += rows.height
        # 一つのレコードに悪い所がいくつもありうる。書き下す数の上限は _add が守る。
        room = max(0, FAULTS_MAX - len(self.faults))
        listed = rows.select(RECORD, _RAW).head(room).rows()
        for record, raw in listed:
            problems = self.layout.data.problems(raw.encode("latin-1"))
            assert problems, "まとめて見た答えと、一件ずつ見た答えが違う"
            self._add([Fault(record, at.title, p.says, p.found, p.allowed) for at, p in problems])
        self._add([], rows.height - len(listed))
