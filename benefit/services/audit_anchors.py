"""一日の終わりに印を作り、相手と預け合う（reliability §4.6）。

区の印は委託先が、委託先の印は区が持つ。台帳を書き換えられる人も、相手の手元の印までは書き換えられない。
受渡のフォルダには、自分の印の全部（anchors.jsonl）と、相手から預かっている印（held.jsonl）が入る。
受け取った側は、相手の印をしまい、返ってきた自分の印で自分の鎖を確かめる。
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import select

from benefit.domain.access import BATCH, Actor
from benefit.domain.clock import Clock
from benefit.domain.errors import Place, RefusedByRule, RefusedInput, WrongUse
from benefit.services import audit_verify
from benefit.services.audit_verify import Verified, engine_of, side
from benefit.services.files import read_input, read_manifest, sha256_of, write_atomic, write_manifest
from benefit.services.home import Home
from benefit.store import audit, audit_anchors
from benefit.store.audit_anchors import Anchor
from benefit.store.engine import in_turn, reading

OWN, HELD = "anchors.jsonl", "held.jsonl"
KIND = "audit_anchors"


@dataclass(frozen=True)
class Made:
    """作った印。`new` でなければ、前に作ったものである。"""

    anchor: Anchor
    new: bool


def make(home: Home, store: str, *, day: date, clock: Clock) -> Made:
    """この日の印を作る。鎖や前の印が壊れていれば、署名せずに断る。同じ日に行が増えていなければ、前の印を返す。"""
    which, key = side(store), home.key(f"anchor-{store}")
    public_key = audit_anchors.public_key(key)
    with reading(engine_of(home, store)) as connection:
        # 切れた鎖には署名しない。全部を辿る間、書く人を待たせない。
        audit_verify.refuse_unsound([audit_verify.verify(connection, store, key=public_key)])
    table = which.table("audit_anchor")
    with engine_of(home, store).begin() as connection:
        in_turn(connection, "audit")
        audit_verify.refuse_unsound([audit_verify.tail(connection, store, key=public_key)])
        before = audit_anchors.last(connection, table)
        if before and day < before.day:
            raise WrongUse("前の印より前の日です", code="anchor-day", found=str(day), allowed=f"{before.day} から後")
        end = audit.last_point(connection, which.log)
        if before and before.day == day and before.row_count == end.count:
            return Made(before, new=False)
        after = before.row_count if before else 0
        marks = _marks(row[10] for row in audit.rows(connection, which.log, after=after))
        anchor = audit_anchors.seal(
            key,
            Anchor(
                number=before.number + 1 if before else 1,
                store=store,
                day=day,
                at=clock(),
                row_count=end.count,
                head=end.head,
                marks=marks,
                ledger=json.dumps(audit_verify.ledger_counts(connection, which), sort_keys=True),
                previous=before.hash if before else audit_anchors.first(store),
                public_key="",
            ),
        )
        connection.execute(table.insert().values(**asdict(anchor)))
    return Made(anchor, new=True)


def _marks(hashes: Iterable[str]) -> str:
    return "".join(value[: audit.MARK] for value in hashes)


@dataclass(frozen=True)
class Given:
    """出した受渡フォルダ。"""

    folder: Path
    anchors: int
    held: int
    public_key: str


def give(home: Home, store: str, *, out: Path, clock: Clock, actor: Actor = BATCH) -> Given:
    """自分の印と、預かっている相手の印を `out` に書く。"""
    which = side(store)
    with engine_of(home, store).begin() as connection:
        own = audit_anchors.load(connection, which.table("audit_anchor"))
        held = audit_anchors.load(connection, which.table("foreign_anchor"))
        if not own:
            raise WrongUse("印がまだありません。先に benefit audit anchor を実行してください", code="no-anchor")
        folder = out / f"audit-{store}-{own[-1].number:04d}"
        audit.record(
            connection,
            which.log,
            at=clock(),
            actor=actor,
            action="audit.give",
            subject=folder.name,
            detail={"anchors": len(own), "held": len(held)},
        )
    files = []
    for name, anchors in ((OWN, own), (HELD, held)):
        data = "".join(f"{one.as_line()}\n" for one in anchors).encode()
        write_atomic(folder / name, data)
        files.append({"name": name, "sha256": sha256_of(data), "bytes": len(data), "rows": len(anchors)})
    key = own[-1].public_key
    write_manifest(folder, {"kind": KIND, "store": store, "public_key": key, "files": files})
    return Given(folder, len(own), len(held), key)


@dataclass(frozen=True)
class Parcel:
    """受け取った受渡フォルダの中身。`anchors` は出した側の印、`held` は出した側が預かっている、こちらの印。"""

    store: str
    anchors: list[Anchor]
    held: list[Anchor]

    def of(self, store: str) -> list[Anchor]:
        """この台帳の印。"""
        return self.anchors if store == self.store else self.held


def read(folder: Path) -> Parcel:
    """受渡フォルダを読む。書きかけ・書き換えられたものは RefusedInput。"""
    manifest = read_manifest(folder)
    if manifest.get("kind") != KIND or manifest.get("store") not in {"ward", "desk"}:
        raise RefusedInput("監査の印の受渡フォルダではありません", code="anchor-folder", place=Place(file=folder.name))
    listed = {str(one.get("name")): one for one in manifest.get("files", []) if isinstance(one, dict)}
    return Parcel(manifest["store"], *(list(_read(folder, name, listed.get(name, {}))) for name in (OWN, HELD)))


def _read(folder: Path, name: str, listed: dict[str, Any]) -> Iterator[Anchor]:
    data = read_input(folder / name)
    place = Place(file=f"{folder.name}/{name}")
    lines = data.decode("utf-8", "replace").splitlines()
    if sha256_of(data) != listed.get("sha256") or len(lines) != listed.get("rows"):
        raise RefusedInput("指紋か行数が manifest.json と合いません", code="anchor-folder", place=place)
    for number, line in enumerate(lines, start=1):
        where = Place(file=place.file, record=number)
        try:
            anchor = audit_anchors.of_line(line)
        except ValueError:
            raise RefusedInput("印の行が読めません", code="anchor-folder", place=where) from None
        if name == OWN and anchor.number != number:
            raise RefusedInput("印の番号が続いていません", code="anchor-folder", place=where)
        yield anchor


@dataclass(frozen=True)
class Taken:
    """受け取った結果。"""

    added: int
    repeated: int
    verified: Verified


def take(home: Home, store: str, folder: Path, *, key: str | None = None, clock: Clock, actor: Actor = BATCH) -> Taken:
    """相手の印をしまい、返ってきた自分の印で自分の鎖を確かめる。

    key: 相手の公開鍵。初めて受け取る時に、紙（日次証跡票）で知らされたものを言う。次からは、しまってある鍵で確かめる。
    """
    which, parcel = side(store), read(folder)
    if parcel.store != which.other:
        raise WrongUse("これは自分の印です。相手から届いたフォルダを受け取ってください", code="anchor-folder")
    table = which.table("foreign_anchor")
    with engine_of(home, store).begin() as connection:
        in_turn(connection, "foreign_anchor")
        kept = audit_anchors.load(connection, table)
        known = key or (kept[-1].public_key if kept else "")
        if not known:
            raise WrongUse("相手の公開鍵を --key で言ってください（日次証跡票に印字されています）", code="anchor-key")
        trusted, faults = audit_anchors.examine(parcel.anchors, kept, store=parcel.store, key=known)
        new = [one for one in trusted if one.number > len(kept)]
        now = clock()
        for one in [] if faults else new:
            connection.execute(table.insert().values(**asdict(one), taken_at=now, taken_by=actor.id))
        audit.record(
            connection,
            which.log,
            at=now,
            actor=actor,
            action="audit.take",
            subject=folder.name[:64],
            detail={"added": 0 if faults else len(new), "faults": [f"{one.number}: {one.why}" for one in faults]},
        )
    if faults:
        raise RefusedByRule(
            f"{side(parcel.store).name}の印が、前に預かった印と合いません。相手の監査ログが書き換えられたおそれがあります",
            code="foreign-anchor",
            found=f"印 {faults[0].number}: {faults[0].why}",
        )
    with reading(engine_of(home, store)) as connection:
        verified = audit_verify.verify(connection, store, key=audit_verify.known_key(home, store), held=parcel.held)
    return Taken(len(new), len(trusted) - len(new), verified)


def held_by_other(home: Home, store: str) -> list[Anchor]:
    """同じ作業場所に相手の台帳もあるとき、相手が預かっている自分の印（試用・デモ）。"""
    other = side(side(store).other)
    with reading(engine_of(home, other.store)) as connection:
        return audit_anchors.load(connection, other.table("foreign_anchor"))


def own(home: Home, store: str) -> list[Anchor]:
    """この台帳の印。"""
    which = side(store)
    with reading(engine_of(home, store)) as connection:
        return audit_anchors.load(connection, which.table("audit_anchor"))


def find(home: Home, store: str, number: int | None = None) -> Anchor:
    """一つの印。番号を言わなければ最後。"""
    which = side(store)
    table = which.table("audit_anchor")
    with reading(engine_of(home, store)) as connection:
        if number is None:
            found = audit_anchors.last(connection, table)
        else:
            row = connection.execute(select(table).where(table.c.number == number)).mappings().first()
            found = audit_anchors.of_mapping(dict(row)) if row else None
    if found is None:
        raise WrongUse("その印はありません。先に benefit audit anchor を実行してください", code="no-anchor")
    return found
