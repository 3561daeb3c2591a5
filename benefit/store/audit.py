"""監査ログに書く・辿る。どちらの台帳でも同じ表、同じ鎖。

鎖: hash = SHA-256(前の hash + 正規化した行)。書くのは、その仕事と同じトランザクションの中である。
だから「ログのない仕事」も「仕事のないログ」も残らない（reliability P16・P17）。
鎖だけでは、末尾の抜取りと、鎖ごとの作り直しが分からない。それは印（audit_anchors）が見つける。
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from json.encoder import encode_basestring
from typing import Any

from sqlalchemy import Connection, String, Table, select, type_coerce

from benefit.domain.access import Actor
from benefit.store.engine import in_turn

GENESIS = "0" * 64
#: 鎖に入る列。鎖を辿る行は、この順の組である。
COLUMNS = (
    "sequence",
    "at",
    "actor",
    "role",
    "terminal",
    "action",
    "subject",
    "reason",
    "detail",
    "previous_hash",
    "hash",
)
#: 一度に読む行の数（記憶はこれで決まる）。
CHUNK = 5_000
#: 入れ替わった行の、もとの番号を探す幅。
_NEAR = 1_000

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Broken:
    """最初に壊れている行。`sequence` はその番号、`why` は何が合わないか、`kind` はその種類。"""

    sequence: int
    why: str
    kind: str = "changed"


@dataclass(frozen=True)
class Point:
    """鎖の一点: ここまでの行数と、最後の行の指紋。"""

    count: int
    head: str


START = Point(0, GENESIS)


@dataclass(frozen=True)
class Pins:
    """鎖の外で覚えていること（印から）: その行数での指紋と、行ごとの指紋の初めの字。

    `marks` は 1 行目から MARK 字ずつ並ぶ。知らない行は「.」で埋める。
    """

    heads: Mapping[int, str]
    marks: str = ""

    @property
    def count(self) -> int:
        """覚えている、いちばん後の行数。"""
        return max(self.heads, default=0)

    def mark(self, number: int) -> str:
        """この行の字。知らなければ空。"""
        found = self.marks[(number - 1) * MARK : number * MARK] if number > 0 else ""
        return "" if "." in found else found


#: 印に残す、行ごとの指紋の字数。行を名ざすには足り、中身を言い当てて確かめるには足りない。
MARK = 6
NO_PINS = Pins({})


def _stamp(at: datetime | str) -> str:
    """UTC の時刻、百万分の一秒まで。SQLite は時差を忘れるので、UTC とみる（書く時に UTC に直してある）。"""
    if isinstance(at, str):
        return f"{at[:10]}T{at[11:]}+00:00"
    moment = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return moment.isoformat(timespec="microseconds")


def digest(previous: str, row: Row, sequence: int | None = None) -> str:
    """一行の指紋。`sequence` を言えば、その番号の行だったとして数える。

    json.dumps(..., sort_keys=True, ensure_ascii=False, separators=(",", ":")) と同じ文字列を、速く作る。
    """
    number, at, actor, role, terminal, action, subject, reason, detail = row[:9]
    place = number if sequence is None else sequence
    quote = encode_basestring
    canonical = (
        f'{previous}{{"action":{quote(action)},"actor":{quote(actor)},"at":"{_stamp(at)}",'
        f'"detail":{quote(detail)},"reason":{quote(reason)},"role":{quote(role)},'
        f'"sequence":{place},"subject":{quote(subject)},"terminal":{quote(terminal)}}}'
    )
    return hashlib.sha256(canonical.encode()).hexdigest()


def record(
    connection: Connection,
    table: Table,
    *,
    at: datetime,
    actor: Actor,
    action: str,
    subject: str = "",
    reason: str = "",
    detail: Mapping[str, Any] | None = None,
) -> None:
    """一行を書き足す。`subject` は給付管理番号などで、氏名や口座は書かない。"""
    in_turn(connection, "audit")
    last = last_point(connection, table)
    row = (
        last.count + 1,
        at if at.tzinfo is None else at.astimezone(UTC),
        actor.id,
        actor.role,
        actor.terminal,
        action,
        subject,
        reason,
        json.dumps(detail or {}, ensure_ascii=False, sort_keys=True),
    )
    values = dict(zip(COLUMNS, (*row, last.head, digest(last.head, row)), strict=True))
    connection.execute(table.insert(), values)


def last_point(connection: Connection, table: Table) -> Point:
    """いまの鎖の終わり。"""
    query = select(table.c.sequence, table.c.hash).order_by(table.c.sequence.desc()).limit(1)
    last = connection.execute(query).first()
    return Point(last.sequence, last.hash) if last else START


def rows(connection: Connection, table: Table, *, after: int = 0, until: int | None = None) -> Iterator[Row]:
    """番号の順の行。`after` より後、`until` まで。記憶は行数によらない。"""
    columns: list[Any] = [table.c[name] for name in COLUMNS]
    if connection.dialect.name == "sqlite":
        # 時刻を読み解かず、台帳にある字のまま受け取る（辿る時間の三割になる）。
        columns[1] = type_coerce(table.c.at, String)
    query = select(*columns).order_by(table.c.sequence).limit(CHUNK)
    if until is not None:
        query = query.where(table.c.sequence <= until)
    # 最初から辿る時は、1 より前の番号の行も見逃さない。途中でやめてもよいように、まとまりごとに読み切る。
    part = connection.execute(query.where(table.c.sequence > after) if after else query).all()
    while part:
        yield from map(tuple, part)
        if len(part) < CHUNK:
            return
        part = connection.execute(query.where(table.c.sequence > part[-1][0])).all()


def walk(found: Iterable[Row], start: Point = START, pins: Pins = NO_PINS) -> tuple[Point, Broken | None]:
    """`start` の次の行から鎖を辿り、印（`pins`）とも比べる。(辿れた所, 最初の壊れた行) を返す。"""
    count, previous = start.count, start.head
    before: Row | None = None
    heads, marks = pins.heads, pins.marks
    marked = len(marks) // MARK
    for row in found:
        expected = count + 1
        if row[0] != expected:
            return Point(count, previous), _gap(row, expected)
        if row[9] != previous or row[10] != digest(previous, row):
            return Point(count, previous), _break(before, row, previous, pins)
        if (
            expected <= marked
            and not row[10].startswith(mark := marks[count * MARK : expected * MARK])
            and mark[0] != "."
        ):
            return Point(count, previous), Broken(expected, _NOT_THE_MARK, "rebuilt")
        if expected in heads and heads[expected] != row[10]:
            return Point(count, previous), Broken(
                expected, f"{expected} 行目までのどこかが、鎖ごと作り直されています（印の指紋と合いません）", "rebuilt"
            )
        count, previous, before = expected, row[10], row
    if count < pins.count:
        why = f"{count + 1} 行目から後がありません（印では {pins.count:,} 行）"
        return Point(count, previous), Broken(count + 1, why, "truncated")
    return Point(count, previous), None


_NOT_THE_MARK = "印の字と合いません（行が取り替えられたか、差し込まれたか、ここから鎖ごと作り直されています）"


def _gap(row: Row, expected: int) -> Broken:
    if row[0] < expected:
        return Broken(row[0], "あとから入れられた行です（番号が鎖の外です）", "inserted")
    missing = f"{expected} 行目" if row[0] == expected + 1 else f"{expected} 行目から {row[0] - 1} 行目まで"
    return Broken(expected, f"{missing}が抜けています", "missing")


def _break(before: Row | None, row: Row, previous: str, pins: Pins) -> Broken:
    """どの行が悪いか。合わないと分かった行そのものか、その前の行か。"""
    number, claimed = row[0], row[9]
    if claimed == previous:
        return Broken(number, "内容が書き換えられています")
    if row[10] == digest(previous, row):
        return Broken(number, "前の行の指紋の欄が書き換えられています")
    # 前の行が印と合っていれば、悪いのは前の行ではない。
    suspect = number - 1 if before is not None and not pins.mark(number - 1) else number
    if row[10] == digest(claimed, row):
        # この行は、自分の覚えている前の行とは合っている。前の行が、指紋ごと取り替えられた。
        return Broken(suspect, "行が、指紋ごと取り替えられています", "replaced")
    if before is not None and claimed == before[9] and row[10] == digest(claimed, row, number - 1):
        # もとは一つ前の番号の行である。前の行が、あとから入れられた。
        return Broken(suspect, "あとから入れられた行です", "inserted")
    for original in sorted(range(max(1, number - _NEAR), number + _NEAR), key=lambda other: abs(other - number)):
        if row[10] == digest(claimed, row, original):
            why = f"ここにあるのは、もとの {original} 行目です（行が入れ替わっているか、抜けています）"
            return Broken(number, why, "moved")
    return Broken(number, "前の行とつながりません")


def verify(connection: Connection, table: Table) -> tuple[int, Broken | None]:
    """鎖を最初から辿る。(壊れる前までの行数, 最初の壊れた行) を返す。"""
    reached, broken = walk(rows(connection, table))
    return reached.count, broken
