"""進捗情報を作る（委託先の側）: 件ごとのいまの進みの全部と、区がまだ受け取っていない出来事・対応履歴。

どの受渡がなくなっても、次の受渡で揃う: 進みは毎回全部を、出来事は「区が受け取った」と知らせてきた受渡の続きを出す。
台帳に記してからフォルダを書くので、一つの連番が二つの中身を持つことはない（書けずに終わった連番は、なくなった受渡と同じ）。
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from sqlalchemy import Connection, Engine, Select, Table, func, select

from benefit.domain.access import Actor
from benefit.domain.clock import Clock
from benefit.domain.errors import RefusedByRule
from benefit.records import desk_progress
from benefit.services import desk_progress as wanted
from benefit.services.files import sha256_of, write_atomic, write_manifest
from benefit.services.home import Home
from benefit.store import audit, desk
from benefit.store.engine import in_turn

#: ファイル → 管理簿と台帳に残す数の名。
COUNTS = {
    "cases.csv": "cases",
    "events.csv": "events",
    "contacts.csv": "contacts",
    "withdrawn.csv": "withdrawn",
}


@dataclass(frozen=True)
class HandedBack:
    """作った受渡一つ。"""

    sequence: int
    cases: int
    events: int
    contacts: int
    withdrawn: int
    sha256: str


def make(home: Home, programme_id: str, *, out: Path, actor: Actor, clock: Clock) -> HandedBack:
    """この事業の進捗情報を、空のフォルダ `out` に書く。"""
    if out.exists() and any(out.iterdir()):
        # 前の受渡の上に書くと、途中で止まったときに、二つの受渡の混ざったフォルダが残る。
        raise RefusedByRule("出すフォルダは、空でなければなりません", code="folder-in-use", found=out.name)
    with home.desk.begin() as connection:
        # 見たことと連番は一続き。二人が同時に出しても、古い姿が新しい連番を取ることはない。
        in_turn(connection, "handback")
        with _still(home.desk) as seen:
            frames, head = _gather(seen, programme_id)
        files = {name: desk_progress.render(name, frame) for name, frame in frames.items()}
        counts = {name: frame.height for name, frame in frames.items()}
        sequence = (connection.execute(select(func.max(desk.handback.c.sequence))).scalar() or 0) + 1
        at = clock()
        manifest = {
            "種類": desk_progress.KIND,
            "事業": programme_id,
            "連番": sequence,
            "起点": head["base_sequence"],
            "受渡連番": head["load_sequence"],
            "件数": counts,
            "sha256": {name: sha256_of(data) for name, data in files.items()},
            "作成日時": at.isoformat(),
        }
        digest = desk_progress.fingerprint(manifest)
        connection.execute(
            desk.handback.insert().values(
                **head, sequence=sequence, programme=programme_id, sha256=digest, made_by=actor.id, made_at=at
            )
        )
        named = {COUNTS[name]: count for name, count in counts.items()}
        audit.record(
            connection, desk.audit_log, at=at, actor=actor, action="handover.progress_out", subject=f"{sequence}",
            detail={**named, "sha256": digest},
        )  # fmt: skip
    for name, data in files.items():
        write_atomic(out / name, data)
    write_manifest(out, {**manifest, "指紋": digest})
    return HandedBack(sequence, **named, sha256=digest)


@contextmanager
def _still(engine: Engine) -> Iterator[Connection]:
    """動かない一つの姿を読む接続。件の進みと出来事が、別々の時点のものにならない。"""
    options = {"isolation_level": "REPEATABLE READ"} if engine.dialect.name == "postgresql" else {}
    with engine.connect().execution_options(sqlite_begin="DEFERRED", **options) as connection:
        yield connection


def _gather(connection: Connection, programme_id: str) -> tuple[dict[str, pl.DataFrame], dict[str, Any]]:
    """出す四つの表と、台帳に残す頭書き。"""
    mine = wanted.numbers(programme_id)
    base = _base(connection, programme_id, mine)
    frames = {
        "cases.csv": wanted.cases(connection, programme_id),
        "events.csv": wanted.events(connection, mine, after=base.get("last_event", 0)),
        "contacts.csv": wanted.contacts(connection, mine, after=base.get("last_contact", 0)),
        "withdrawn.csv": wanted.withdrawn(connection, programme_id),
    }
    loaded = select(func.max(desk.load.c.sequence)).where(desk.load.c.programme == programme_id)
    last_event, event_count = _mark(connection, desk.case_event, mine)
    last_contact, contact_count = _mark(connection, desk.contact, mine)
    return frames, {
        "base_sequence": base.get("sequence", 0),
        "load_sequence": connection.execute(loaded).scalar() or 0,
        "case_count": frames["cases.csv"].height,
        "last_event": last_event,
        "event_count": event_count,
        "last_contact": last_contact,
        "contact_count": contact_count,
        "withdrawn_count": frames["withdrawn.csv"].height,
    }


def _mark(connection: Connection, table: Table, mine: Select[Any]) -> tuple[int, int]:
    """いまの一番大きい番号と、この事業の行の数。"""
    last, count = connection.execute(
        select(func.coalesce(func.max(table.c.id), 0), func.count()).where(table.c.case_number.in_(mine))
    ).one()
    return int(last), int(count)


def _base(connection: Connection, programme_id: str, mine: Select[Any]) -> Mapping[str, Any]:
    """区が受け取った受渡のうち、そこまでの行がもう増えも減りもしない、一番新しいもの。なければ空（初めから出す）。

    PostgreSQL では、小さい番号の行が後から確定することがある。そのときは数が合わないので、もっと前から出し直す。
    """
    made, told = desk.handback, desk.handback_receipt
    query = (
        select(made)
        .join(told, told.c.sequence == made.c.sequence)
        .where(made.c.programme == programme_id)
        .order_by(made.c.sequence.desc())
    )
    for row in connection.execute(query).mappings():
        seen = (
            (desk.case_event, row["last_event"], row["event_count"]),
            (desk.contact, row["last_contact"], row["contact_count"]),
        )
        if all(_count(connection, table, mine, last) == count for table, last, count in seen):
            return dict(row)
    return {}


def _count(connection: Connection, table: Table, mine: Select[Any], last: int) -> int:
    query = select(func.count()).select_from(table).where(table.c.id <= last, table.c.case_number.in_(mine))
    return int(connection.execute(query).scalar_one())
