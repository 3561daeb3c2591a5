"""監査ログを確かめる: 鎖を辿り、署名した印と比べ、最初に悪い行を名ざす（reliability P17）。

三つの場で使う。全部を辿る（`benefit audit verify`、週次の報告）、最後の印から後だけを辿る（お金を送り出す前、
画面を開く時）、相手の持っている印と比べる（受渡のたび）。
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

from sqlalchemy import Connection, Engine, Table, func, select

from benefit.domain.errors import RefusedByRule, WrongUse
from benefit.services.home import Home
from benefit.store import audit, audit_anchors, desk, ward
from benefit.store.audit import Broken
from benefit.store.audit_anchors import Anchor, Fault
from benefit.store.engine import reading

#: 監査のための表。台帳の行数（印の ledger）には数えない。
_AUDIT = frozenset({"audit_log", "audit_anchor", "foreign_anchor", "log_report", "log_report_signature"})


@dataclass(frozen=True)
class Side:
    """どちらの台帳か。"""

    store: str
    name: str
    tables: ModuleType

    @property
    def log(self) -> Table:
        """監査ログ。"""
        return self.table("audit_log")

    @property
    def other(self) -> str:
        """相手の台帳の名。"""
        return "desk" if self.store == "ward" else "ward"

    def table(self, name: str) -> Table:
        """この台帳の表。"""
        found: Table = self.tables.metadata.tables[name]
        return found

    @property
    def ledger(self) -> list[Table]:
        """書き足すだけの表（監査の表と、件とともに消える表のほか）。"""
        gone = set(getattr(self.tables, "WITH_THE_CASE", ()))
        return [self.table(name) for name in sorted(set(self.tables.APPEND_ONLY) - _AUDIT - gone)]


_SIDES = {"ward": Side("ward", "区の台帳", ward), "desk": Side("desk", "給付管理システム", desk)}


def side(store: str) -> Side:
    """ward か desk。"""
    if store not in _SIDES:
        raise WrongUse("台帳は ward か desk です", found=store, allowed="ward、desk")
    return _SIDES[store]


def engine_of(home: Home, store: str) -> Engine:
    """この台帳への接続。"""
    return home.ward if store == "ward" else home.desk


def known_key(home: Home, store: str) -> str | None:
    """この台帳の印の公開鍵。まだ鍵がなければ None（確かめるだけの時に、鍵を作らない）。"""
    name = f"anchor-{store}"
    return audit_anchors.public_key(home.key(name)) if (home.path / "keys" / f"{name}.key").exists() else None


@dataclass(frozen=True)
class Verified:
    """確かめた結果。`rows` は辿れた行数、`anchors` は合った印の数、`held` は外から持ってきた印の数。"""

    store: str
    name: str
    rows: int
    head: str
    anchors: int
    held: int
    broken: Broken | None
    faults: tuple[Fault, ...]
    ledger: tuple[str, ...]

    @property
    def sound(self) -> bool:
        """壊れた所がない。"""
        return self.broken is None and not self.faults and not self.ledger

    def lines(self) -> list[str]:
        """職員に見せる文。"""
        found = [f"{self.name}: {self.broken.sequence} 行目が壊れています: {self.broken.why}"] if self.broken else []
        found += [f"{self.name}: 印 {one.number}: {one.why}" for one in self.faults]
        found += [f"{self.name}: {one}" for one in self.ledger]
        if found:
            return found
        outside = f"、うち外に預けた印 {self.held} 個" if self.held else ""
        return [f"{self.name}: {self.rows:,} 行、鎖は切れていません（合った印 {self.anchors} 個{outside}）。"]


def check(
    found: Iterable[audit.Row], own: Sequence[Anchor], held: Sequence[Anchor], *, side: Side, key: str
) -> Verified:
    """行と印を突き合わせる（台帳に触れない）。"""
    trusted, faults = audit_anchors.examine(own, held, store=side.store, key=key)
    reached, broken = audit.walk(found, pins=audit_anchors.pins(trusted))
    newest = max((one.row_count for one in own), default=0)
    if broken and held and newest < max(one.row_count for one in held) and broken.sequence > newest:
        # 手元の印も一緒に古くなっている。行だけが抜かれたのではない。
        broken = replace(broken, kind="old", why=f"古い台帳に戻っています（{broken.why}）")
    return Verified(
        side.store, side.name, reached.count, reached.head, len(trusted), len(held), broken, tuple(faults), ()
    )


def verify(connection: Connection, store: str, *, key: str | None, held: Sequence[Anchor] = ()) -> Verified:
    """台帳の全部の行を辿り、印と、書き足すだけの表の行数を確かめる。"""
    which = side(store)
    own = audit_anchors.load(connection, which.table("audit_anchor"))
    if key is None and (own or held):
        raise WrongUse(f"{which.name}の印の公開鍵が分かりません。--key で言ってください", code="anchor-key")
    result = check(audit.rows(connection, which.log), own, held, side=which, key=key or "")
    return replace(result, ledger=tuple(_ledger_faults(connection, which, [*held, *own])))


def _ledger_faults(connection: Connection, which: Side, anchors: Sequence[Anchor]) -> list[str]:
    if not anchors:
        return []
    newest = max(anchors, key=lambda one: one.number)
    now = ledger_counts(connection, which)
    try:
        then: dict[str, Any] = json.loads(newest.ledger)
    except ValueError:
        return []
    return [
        f"表 {name} の行が、{newest.day} の印の {count:,} 行から {now[name]:,} 行に減っています"
        for name, count in then.items()
        if name in now and now[name] < count
    ]


def ledger_counts(connection: Connection, which: Side) -> dict[str, int]:
    """書き足すだけの表の行数。"""
    counts = (select(func.count()).select_from(table).scalar_subquery().label(table.name) for table in which.ledger)
    return dict(connection.execute(select(*counts)).mappings().one())


def tail(connection: Connection, store: str, *, key: str | None) -> Verified:
    """最後の印から後だけを確かめる（速い）。印がなければ、最初から。"""
    which = side(store)
    newest = audit_anchors.last(connection, which.table("audit_anchor"))
    if newest is None or not newest.row_count:
        return check(audit.rows(connection, which.log), (), (), side=which, key=key or "")
    if newest.store != store or newest.public_key != key or not newest.genuine:
        fault = Fault(newest.number, "印が書き換えられているか、別の鍵で作られています")
        return Verified(store, which.name, 0, "", 0, 0, None, (fault,), ())
    found = audit.rows(connection, which.log, after=newest.row_count - 1)
    start, broken = _anchored(next(found, None), newest)
    reached = start
    if broken is None:
        reached, broken = audit.walk(found, start)
    return Verified(store, which.name, reached.count, reached.head, 1, 0, broken, (), ())


def _anchored(row: audit.Row | None, newest: Anchor) -> tuple[audit.Point, Broken | None]:
    """印のついた行が、印のとおりそこにあるか。"""
    start, number = audit.Point(newest.row_count, newest.head), newest.row_count
    if row is None or row[0] != number:
        return start, Broken(number, f"{number} 行目がありません（印では {number:,} 行）", "truncated")
    if row[10] != newest.head or audit.digest(row[9], row) != newest.head:
        return start, Broken(number, "印の指紋と合いません", "rebuilt")
    return start, None


def require_sound(home: Home, store: str) -> Verified:
    """最後の印から後の鎖が切れていないことを確かめる。切れていれば、お金も画面も止める（RefusedByRule）。"""
    with reading(engine_of(home, store)) as connection:
        found = tail(connection, store, key=known_key(home, store))
    refuse_unsound([found])
    return found


def refuse_unsound(results: Iterable[Verified]) -> None:
    """壊れた所があれば断る。"""
    says = [line for one in results if not one.sound for line in one.lines()]
    if says:
        raise RefusedByRule(
            "監査ログが壊れています。送り出しを止め、区の情報保護責任者に報告してください", code="audit", found=says[0]
        )
