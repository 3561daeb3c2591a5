"""進捗情報を受け取る（区の側）: 確かめ、区の台帳と比べ、食い違いを並べ、書き足す。

断ったフォルダは、何も残さない。数・指紋・列・連番・値のどれか一つでも合わなければ断る。
同じ受渡の二度目は何も変えない（フォルダの名が違っても、中身が同じなら同じ受渡である）。古い連番は断る。
連番が飛んでも受け取れる: 進みは毎回全部で、出来事は区が受け取った所の続きから載っている。続きになっていなければ断る。
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
from sqlalchemy import Connection, Table, func, select

from benefit.domain.access import Actor
from benefit.domain.clock import Clock
from benefit.domain.errors import Place, RefusedByRule
from benefit.domain.handback import VANISHED
from benefit.services.handback_differences import differences
from benefit.services.handback_given import given, last_taken
from benefit.services.handback_read import read
from benefit.services.handback_view import view
from benefit.services.home import Home
from benefit.store import audit, ward
from benefit.store.engine import in_turn
from benefit.store.frames import fetch


@dataclass(frozen=True)
class Taken:
    """受け取り一回。読んだ件 = 一致 + 食い違い。渡してある件 = 読んだ件 − 渡していない件 + 消えた行。"""

    sequence: int
    cases_read: int
    cases_agreed: int
    cases_listed: int
    cases_given: int
    cases_strange: int
    cases_vanished: int
    events_read: int
    events_new: int
    contacts_read: int
    contacts_new: int
    withdrawn_read: int
    withdrawn_new: int
    repeated: bool


COUNTS = tuple(name for name in Taken.__dataclass_fields__ if name not in {"sequence", "repeated"})


def take(home: Home, programme_id: str, folder: Path, *, actor: Actor, clock: Clock) -> Taken:
    """進捗情報のフォルダを受け取る。"""
    manifest, frames = read(folder, programme_id)
    # 前の状態や根拠のない出来事は、空の字で持つ（比べるときに、分からないことと混ざらない）。
    frames["events.csv"] = frames["events.csv"].with_columns(pl.col(pl.String).fill_null(""))
    sequence, place = manifest["連番"], Place(file=folder.name)
    table = ward.desk_handback
    with home.ward.begin() as connection:
        in_turn(connection, "progress_in")
        last = last_taken(connection, programme_id)
        if last == {"連番": sequence, "指紋": manifest["指紋"]}:
            row = connection.execute(select(table).where(table.c.sequence == sequence)).mappings().one()
            return Taken(**{name: row[name] for name in ("sequence", *COUNTS)}, repeated=True)
        _refuse_order(connection, manifest, last, place)
        known = given(connection, programme_id, up_to=manifest["受渡連番"])
        listed = differences(frames["cases.csv"], known)
        events = _unseen(connection, ward.desk_event, frames["events.csv"], place)
        contacts = _unseen(connection, ward.desk_contact, frames["contacts.csv"], place)
        proofs = _proofs(connection, programme_id, frames["withdrawn.csv"])
        vanished = listed.filter(pl.col("kind") == VANISHED).height
        known_here = frames["cases.csv"].join(known.filter("given"), on="case_number", how="semi")
        read_count = frames["cases.csv"].height
        listed_count = listed.filter(pl.col("kind") != VANISHED)["case_number"].n_unique()
        counts: dict[str, Any] = {
            "cases_read": read_count,
            "cases_agreed": read_count - listed_count,
            "cases_listed": listed_count,
            "cases_given": int(known["given"].sum()),
            "cases_strange": read_count - known_here.height,
            "cases_vanished": vanished,
            "events_read": frames["events.csv"].height,
            "events_new": events.height,
            "contacts_read": frames["contacts.csv"].height,
            "contacts_new": contacts.height,
            "withdrawn_read": frames["withdrawn.csv"].height,
            "withdrawn_new": proofs.height,
        }
        now = clock()
        connection.execute(
            table.insert().values(
                sequence=sequence,
                programme=programme_id,
                sha256=manifest["指紋"],
                base_sequence=manifest["起点"],
                load_sequence=manifest["受渡連番"],
                made_at=datetime.fromisoformat(manifest["作成日時"]),
                taken_at=now,
                taken_by=actor.id,
                **counts,
            )
        )
        _add(connection, ward.desk_progress, _changes(connection, programme_id, known_here), sequence)
        _add(connection, ward.desk_event, events, sequence)
        _add(connection, ward.desk_contact, contacts, sequence)
        _add(connection, ward.desk_difference, listed, sequence)
        _add(connection, ward.desk_withdrawal, proofs, sequence)
        _refuse_missing(connection, known_here, place)
        connection.execute(
            ward.handover.insert().values(
                crossing="progress_in",
                counterpart="委託先 給付管理システム",
                folder=folder.name,
                sequence=sequence,
                sha256=manifest["指紋"],
                row_count=read_count,
                actor=actor.id,
                at=now,
            )
        )
        audit.record(
            connection, ward.audit_log, at=now, actor=actor, action="handover.progress_in", subject=f"{sequence}",
            detail={**counts, "sha256": manifest["指紋"]},
        )  # fmt: skip
    return Taken(sequence, **counts, repeated=False)


def _refuse_order(connection: Connection, manifest: dict[str, Any], last: dict[str, Any] | None, place: Place) -> None:
    """古い受渡、同じ連番の別の中身、続きになっていない受渡、渡していない受渡をもとにした受渡を断る。"""
    sequence, table, handover = manifest["連番"], ward.desk_handback, ward.handover
    if last is not None and sequence <= last["連番"]:
        same = connection.execute(select(table.c.sha256).where(table.c.sequence == sequence)).scalar()
        if same not in {None, manifest["指紋"]}:
            raise RefusedByRule("同じ連番の、別の中身の受渡を受け取っています", code="handover-changed", place=place)
        raise RefusedByRule(
            "もっと新しい受渡を、もう受け取っています", code="stale-handover", place=place, found=f"連番 {sequence}",
            allowed=f"{last['連番'] + 1} 以上",
        )  # fmt: skip
    if manifest["起点"] > (last["連番"] if last else 0):
        raise RefusedByRule(
            "この受渡の出来事は、まだ受け取っていない受渡の続きです。間の受渡を先に受け取るか、委託先に出し直しを頼んでください",
            code="handover-gap", place=place, found=f"連番 {manifest['起点']} の続き",
            allowed=f"{last['連番'] if last else 0} 以前の続き",
        )  # fmt: skip
    if connection.execute(
        select(handover.c.id).where(handover.c.crossing == "progress_in", handover.c.sequence == sequence)
    ).first():
        raise RefusedByRule("この連番は、ほかの給付事業で受け取っています", code="handover-changed", place=place)
    newest = connection.execute(
        select(func.max(handover.c.sequence)).where(handover.c.crossing == "payees_out")
    ).scalar()
    if manifest["受渡連番"] > (newest or 0):
        raise RefusedByRule("まだ渡していない支給対象者の受渡をもとにしています", code="handover-ahead", place=place)


def _unseen(connection: Connection, table: Table, rows: pl.DataFrame, place: Place) -> pl.DataFrame:
    """まだ持っていない行。持っている番号の中身が変わっていれば断る（起きたことは、後から変わらない）。"""
    if rows.is_empty():
        return rows
    key = rows.columns[0]
    query = select(*(table.c[name] for name in rows.columns)).where(table.c[key] >= rows[key].sort()[0])
    held = fetch(connection, query, rows.schema).filter(pl.col(key).is_in(rows[key].implode()))
    changed = held.join(rows, on=rows.columns, how="anti", nulls_equal=True)
    if changed.height:
        raise RefusedByRule(
            "前に受け取った行の中身が変わっています", code="history-changed", place=place, found=f"{changed.height} 行"
        )
    return rows.join(held, on=key, how="anti")


def _proofs(connection: Connection, programme_id: str, told: pl.DataFrame) -> pl.DataFrame:
    """まだ持っていない、引上げの証し（asked_sequence つき）。命じていない番号の証しは受け取らない。"""
    command, table = ward.desk_given, ward.desk_withdrawal
    asked = fetch(
        connection,
        select(command.c.case_number, command.c.sequence).where(
            command.c.programme == programme_id, command.c.given.is_(False)
        ),
        {"case_number": pl.String, "asked_sequence": pl.Int64},
    )
    held = fetch(
        connection,
        select(table.c.load_sequence, table.c.case_number),
        {"load_sequence": pl.Int64, "case_number": pl.String},
    )
    return (
        told.join(held, on=["load_sequence", "case_number"], how="anti")
        .join(asked, on="case_number")
        .filter(pl.col("asked_sequence") <= pl.col("load_sequence"))
        .sort("asked_sequence")
        .unique(["load_sequence", "case_number"], keep="last", maintain_order=True)
    )


def _changes(connection: Connection, programme_id: str, rows: pl.DataFrame) -> pl.DataFrame:
    """前に受け取った進みと変わった件と、載っていなかった件（present が偽）。"""
    before = view(connection, programme_id)
    now = rows.with_columns(present=pl.lit(value=True)).select(before.columns)
    changed = now.join(before, on=before.columns, how="anti", nulls_equal=True)
    gone = before.filter("present").join(now, on="case_number", how="anti")
    return pl.concat([changed, gone.with_columns(present=pl.lit(value=False))])


def _refuse_missing(connection: Connection, rows: pl.DataFrame, place: Place) -> None:
    """件の言う数だけの出来事と対応履歴が、揃っているか。足りなければ断る（多いのは、引き上げる前の分である）。"""
    for name, table in (("event_count", ward.desk_event), ("contact_count", ward.desk_contact)):
        query = select(table.c.case_number, func.count()).group_by(table.c.case_number)
        held = fetch(connection, query, {"case_number": pl.String, "held": pl.Int64})
        short = rows.join(held, on="case_number", how="left").filter(pl.col(name) > pl.col("held").fill_null(0))
        if short.height:
            raise RefusedByRule(
                "件の言う数より、届いた出来事か対応履歴が少ない件があります", code="handover-short", place=place,
                found=f"{short.height} 件",
            )  # fmt: skip


def _add(connection: Connection, table: Table, rows: pl.DataFrame, sequence: int) -> None:
    if rows.height:
        wanted = [name for name in rows.columns if name in table.c]
        connection.execute(table.insert(), [{**row, "sequence": sequence} for row in rows.select(wanted).to_dicts()])
