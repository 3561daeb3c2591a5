"""包みの置き場所（出し箱の print/print-0003）: 登録、確かめ、出庫、使い終えた写しの消去。

    outbox/print/print-0003/
      print-0003.zip      AES-256 の ZIP（これだけを媒体に写して渡す）
      held.csv            データに載せられない字の一覧（区に残す。渡さない）
      manifest.json       最後に書く。これがなければ書きかけで、出庫できない

台帳への登録は、ZIP を書いた後、manifest の前である。途中で止まれば、同じコマンドが manifest だけを書いて終わらせる。
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select

from benefit.domain.access import Actor
from benefit.domain.clock import Clock, tokyo_date
from benefit.domain.errors import RefusedByRule
from benefit.domain.handover_states import CANCELLED, ERASED, GIVEN_BACK, ISSUED, MADE, PRINT_OUT, REPORTED, USED
from benefit.services.files import MANIFEST, read_manifest, write_json
from benefit.services.handover_book import Entry, Item, item, one, record
from benefit.services.home import Home
from benefit.services.mailing_lots import chosen_lots
from benefit.services.mailing_release import refuse_if_stale, refuse_stale
from benefit.store import audit, ward
from benefit.store.bulk import insert_one
from benefit.store.engine import reading

#: この歩みの後、出し箱の写しは要らない。
_DONE_WITH = frozenset({USED, GIVEN_BACK, ERASED, REPORTED, CANCELLED})


def folder_of(home: Home, name: str) -> Path:
    """包みのフォルダ。`name` は print-0003。"""
    return home.outbox / "print" / name


def zip_path(home: Home, folder: str) -> Path:
    """包みの ZIP。"""
    return folder_of(home, folder) / f"{folder}.zip"


def digest_of_file(path: Path) -> str:
    """ファイルの指紋（全部を一度に読まない）。"""
    with path.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()


def next_sequence(connection: Connection) -> int:
    """次の連番。"""
    table = ward.handover
    last = connection.execute(select(func.max(table.c.sequence)).where(table.c.crossing == PRINT_OUT)).scalar()
    return int(last or 0) + 1


def already_packed(connection: Connection, lots: Sequence[int], clock: Clock) -> Item | None:
    """同じ組の、まだ出していない包み。ほかの生きている包みに入っている組があれば断る（同じ手紙を二度渡さない）。"""
    inside, table = ward.handover_package_lot, ward.handover
    query = (
        select(table.c.sequence)
        .join(inside, inside.c.handover_id == table.c.id)
        .where(inside.c.lot_id.in_(list(lots)))
        .distinct()
        .order_by(table.c.sequence)
    )
    for sequence in connection.execute(query).scalars().all():
        found = one(connection, f"{PRINT_OUT}/{sequence}", tokyo_date(clock()))
        # 出す前に取り消した包みと、開けられずに返った包みの組は、もう一度包める。
        if found.state == CANCELLED or (found.state == GIVEN_BACK and not found.opened):
            continue
        rows = connection.execute(select(inside.c.lot_id).where(inside.c.handover_id == found.id))
        if found.state == MADE and set(rows.scalars()) == set(lots):
            return found
        raise RefusedByRule(
            "この組は、もう包みに入っています。同じ手紙を二度は渡せません", code="packed", found=found.name
        )
    return None


@dataclass(frozen=True, kw_only=True)
class Contents:
    """登録する包みの中身。"""

    programme: str
    counterpart: str
    title: str
    content: str
    letters: int
    sheets: int
    inside_sha256: str
    sha256: str
    sealed: str
    report_days: int
    lots: Sequence[int]
    manifest: dict[str, Any]


def register(
    connection: Connection, sequence: int, folder: str, contents: Contents, *, actor: Actor, clock: Clock
) -> None:
    """包みを受渡管理簿に載せる（作成）。"""
    now = clock()
    number = insert_one(
        connection,
        ward.handover,
        crossing=PRINT_OUT,
        counterpart=contents.counterpart,
        folder=folder,
        sequence=sequence,
        sha256=contents.sha256,
        row_count=contents.letters,
        actor=actor.id,
        at=now,
    )
    connection.execute(
        ward.handover_package.insert().values(
            handover_id=number,
            programme=contents.programme,
            title=contents.title,
            content=contents.content,
            sheet_count=contents.sheets,
            inside_sha256=contents.inside_sha256,
            manifest=json.dumps(contents.manifest, ensure_ascii=False),
            sealed=contents.sealed,
            report_days=contents.report_days,
        )
    )
    connection.execute(
        ward.handover_package_lot.insert(), [{"handover_id": number, "lot_id": lot} for lot in contents.lots]
    )
    audit.record(
        connection, ward.audit_log, at=now, actor=actor, action="handover.make", subject=f"{PRINT_OUT}/{sequence}",
        detail={"letters": contents.letters, "sheets": contents.sheets, "sha256": contents.sha256},
    )  # fmt: skip


def finish(home: Home, found: Item) -> None:
    """登録した包みの manifest を書く（もうあれば何もしない）。ZIP が登録と違えば断る。"""
    _same_zip(home, found)
    folder = folder_of(home, found.folder)
    if (folder / MANIFEST).is_file():
        return
    package = ward.handover_package
    with reading(home.ward) as connection:
        text = connection.execute(select(package.c.manifest).where(package.c.handover_id == found.id)).scalar_one()
    write_json(folder / MANIFEST, json.loads(text))


def _same_zip(home: Home, found: Item) -> None:
    path = zip_path(home, found.folder)
    if not path.is_file() or digest_of_file(path) != found.sha256:
        raise RefusedByRule(
            "包みのファイルがないか、作った時と違います。取り消して（benefit handover cancel）、作り直してください",
            code="package-changed",
            found=found.name,
        )


def step(home: Home, name: str, what: str, entry: Entry, *, actor: Actor, clock: Clock) -> Item:
    """歩みを書く。包みの出庫なら、その日の関門と、包みが作った時のままかを見てから。終われば出し箱の写しを消す。"""
    if what == ISSUED:
        _may_leave(home, item(home, name, tokyo_date(clock())), clock)
    done = record(home, name, what, entry, actor=actor, clock=clock)
    if done.crossing == PRINT_OUT and what in _DONE_WITH:
        clear(home, done)
    return done


def _may_leave(home: Home, found: Item, clock: Clock) -> None:
    if found.crossing != PRINT_OUT or found.state != MADE:
        return
    _same_zip(home, found)
    told = read_manifest(folder_of(home, found.folder))
    if told.get("sha256") != found.sha256:
        raise RefusedByRule("manifest.json が、登録した包みと違います", code="package-changed", found=found.name)
    inside = ward.handover_package_lot
    with reading(home.ward) as connection:
        query = select(inside.c.lot_id).where(inside.c.handover_id == found.id)
        lots = [int(number) for number in connection.execute(query).scalars()]
        chosen_lots(connection, lots)
    refuse_if_stale(refuse_stale(home, home.programme(found.programme), lots, tokyo_date(clock())))


def clear(home: Home, found: Item) -> None:
    """出し箱の ZIP を消す（一時保存データは、済めば消す）。manifest は残る。"""
    zip_path(home, found.folder).unlink(missing_ok=True)
