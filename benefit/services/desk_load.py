"""区から受け取った受給者を、給付管理システムの台帳に入れる（委託先の側）。

同じ受渡は二度入らない。古い連番は断る。居なくなった人の行は、その件に付いた収受・審査・対応履歴・進んだ跡と一緒に消し、
消した事実（番号と時刻、withdrawal）だけを残す。次の進捗情報が、それを証しとして区へ返す（benefit-rules F.3）。
ほかの事業の件には触れない。区が手紙を出し直した（枝番が進んだ）件は、古い手紙への返送を捨てて、発送からやり直す。
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from sqlalchemy import Connection, Engine, bindparam, delete, select, update

from benefit.domain.access import BATCH
from benefit.domain.case import is_ahead, ward_path
from benefit.domain.clock import Clock
from benefit.domain.errors import Place, RefusedByRule, RefusedInput
from benefit.domain.kana import search_key
from benefit.records import desk_progress, payees
from benefit.services.files import read_input, read_manifest, sha256_of
from benefit.services.home import Home
from benefit.store import audit, desk
from benefit.store.engine import in_turn

#: 区の受渡だけが変える列（振込口座や収受日は、こちらの仕事の記録）。
OWNED_BY_WARD = tuple(name for name in payees.COLUMNS.values() if name not in {"case_number", "state"})
#: 返送された確認書が入れた列。手紙を出し直せば、無効になる。
OF_THE_FORM = (
    "bank_code",
    "branch_code",
    "account_type",
    "account_number",
    "holder_kana",
    "received_on",
    "reviewed_on",
    "deficiency",
    "correction_due_on",
)


@dataclass(frozen=True)
class Loaded:
    """受入一回。"""

    rows: int
    added: int
    changed: int
    withdrawn: int
    stuck: tuple[str, ...]
    repeated: bool


def load(home: Home, folder: Path, *, clock: Clock) -> Loaded:
    """受渡フォルダを受け入れる。数・指紋・列・連番が合わなければ、何も変えずに断る。"""
    manifest = read_manifest(folder)
    place = Place(file=f"{folder.name}/{payees.FILE_NAME}")
    if manifest.get("種類") != "支給対象者":
        raise RefusedInput("支給対象者の受渡ではありません", code="handover-kind", place=place)
    if manifest.get("指紋") != desk_progress.fingerprint(manifest):
        # 連番だけを進めた古い受渡は、引き上げた人を戻してしまう。
        raise RefusedInput("manifest の中身が、指紋と違います", code="handover-digest", place=place)
    data = read_input(folder / payees.FILE_NAME)
    fingerprint = sha256_of(data)
    if manifest.get("sha256") != fingerprint:
        raise RefusedInput("中身の指紋が manifest と違います", code="handover-digest", place=place)
    rows = payees.read(data, file_name=str(place))
    if manifest.get("件数") != rows.height:
        raise RefusedInput(
            "件数が manifest と違います",
            code="handover-count",
            place=place,
            found=str(rows.height),
            allowed=str(manifest.get("件数")),
        )
    sequence = manifest.get("連番")
    if not isinstance(sequence, int):
        raise RefusedInput("manifest に連番がありません", code="handover-sequence", place=place)
    with home.desk.begin() as connection:
        in_turn(connection, "payees_in")
        # 連番は事業をまたいで一つだが、事業ごとに渡すので、古いかどうかは同じ事業の中で比べる。
        last = connection.execute(
            select(desk.load.c.sequence, desk.load.c.sha256)
            .where(desk.load.c.programme == str(manifest.get("事業")))
            .order_by(desk.load.c.sequence.desc())
            .limit(1)
        ).first()
        if last and last.sha256 == fingerprint and last.sequence == sequence:
            _note_receipt(connection, manifest.get("受取"), clock)
            return Loaded(rows.height, 0, 0, 0, (), repeated=True)
        if last and sequence <= last.sequence:
            raise RefusedByRule(
                "もっと新しい受渡が、もう入っています",
                code="stale-handover",
                place=place,
                found=f"連番 {sequence}",
                allowed=f"{last.sequence + 1} 以上",
            )
        mine = _name_benefits(connection, manifest.get("事業"), manifest.get("給付"), place)
        if strange := sorted(set(rows["benefit"].to_list()) - set(mine)):
            raise RefusedInput(
                "manifest にない給付の行があります", code="handover-names", place=place, found="、".join(strange)
            )
        _note_receipt(connection, manifest.get("受取"), clock)
        loaded = _apply(connection, rows, mine, str(manifest["事業"]), sequence, fingerprint, clock)
    if loaded.withdrawn:
        _wipe(home.desk)
    return loaded


def _note_receipt(connection: Connection, told: object, clock: Clock) -> None:
    """区が受け取ったと知らせてきた進捗情報を控える。こちらの記録と指紋の違うもの、知らない連番は、受け取られたと見ない。"""
    if not isinstance(told, dict) or not isinstance(told.get("連番"), int):
        return
    made, noted = desk.handback, desk.handback_receipt
    mine = connection.execute(select(made.c.sha256).where(made.c.sequence == told["連番"])).scalar()
    known = connection.execute(select(noted.c.sequence).where(noted.c.sequence == told["連番"])).scalar()
    if mine is not None and mine == told.get("指紋") and known is None:
        connection.execute(noted.insert().values(sequence=told["連番"], told_at=clock()))


def _wipe(engine: Engine) -> None:
    """消した行の字を、SQLite のファイルからも消す（空いたページと WAL に残る）。PostgreSQL では autovacuum が消す。"""
    if engine.dialect.name != "sqlite":
        return
    raw = engine.raw_connection()
    try:
        for statement in ("VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
            raw.cursor().execute(statement)
    finally:
        raw.close()


def _name_benefits(connection: Connection, programme: object, given: object, place: Place) -> list[str]:
    """区の知らせた給付の名を置き換える。この事業の給付種別を返す。ほかの事業の給付種別なら断る。"""
    if not isinstance(given, dict) or not all(isinstance(name, str) and name for name in given.values()):
        raise RefusedInput("manifest に給付の名がありません", code="handover-names", place=place)
    if not isinstance(programme, str) or not programme:
        raise RefusedInput("manifest に事業がありません", code="handover-names", place=place)
    table = desk.benefit_name
    known = {row.benefit: row for row in connection.execute(select(table))}
    for benefit, name in sorted(given.items()):
        if benefit not in known:
            connection.execute(table.insert().values(benefit=benefit, programme=programme, name=name))
            continue
        if known[benefit].programme != programme:
            raise RefusedInput(
                "この給付種別は、ほかの事業のものです",
                code="handover-names",
                place=place,
                found=f"{benefit}（{programme}）",
                allowed=known[benefit].programme,
            )
        if known[benefit].name != name:
            connection.execute(update(table).where(table.c.benefit == benefit).values(name=name))
    return [row.benefit for row in known.values() if row.programme == programme] + [
        benefit for benefit in given if benefit not in known
    ]


def _apply(
    connection: Connection,
    rows: pl.DataFrame,
    mine: list[str],
    programme_id: str,
    sequence: int,
    fingerprint: str,
    clock: Clock,
) -> Loaded:
    now = clock()
    table = desk.benefit_case
    known = {
        row["case_number"]: row
        for row in connection.execute(
            select(table.c.case_number, table.c.state, *(table.c[name] for name in (*OWNED_BY_WARD, *OF_THE_FORM)))
            # 区は事業ごとに渡す。この事業の行だけを比べ、ほかの事業の件を引き上げない。
            .where(table.c.benefit.in_(mine))
        ).mappings()
    }
    added: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    events: list[dict[str, Any]] = []
    stuck: list[str] = []
    for row in rows.iter_rows(named=True):
        number, target = row["case_number"], row["state"]
        before = known.pop(number, None)
        owned = {name: row[name] for name in OWNED_BY_WARD}
        state = before["state"] if before else "S10"
        form: dict[str, Any] = {name: before[name] for name in OF_THE_FORM} if before else {}
        if before is not None and row["branch"] > before["branch"]:
            # 出し直した: 古い枝番の返送と口座は無効（CHK12）。新しい手紙への返送を待つ。
            events.append(_event(number, now, "reissued", state, "S10"))
            state, form = "S10", dict.fromkeys(OF_THE_FORM)
        steps = ward_path(state, target)
        if steps is None:
            # 委託先の仕事が先に進んでいる（例: 収受済み）なら、区の古い進捗では戻さない。
            steps = []
            if not is_ahead(state, target):
                stuck.append(number)
        for event, then in steps:
            events.append(_event(number, now, event, state, then))
            state = then
        values = {**owned, **form, "state": state, "kana_key": search_key(row["kana_name"] or row["name"])}
        if before is None:
            added.append({"case_number": number, "changed_at": now, **values})
            events.insert(len(events) - len(steps), _event(number, now, "loaded", "", "S10"))
        elif state != before["state"] or any(before[name] != value for name, value in owned.items()):
            changed.append({"b_number": number, "changed_at": now, **values})
    gone = list(known)
    if added:
        connection.execute(table.insert(), added)
    if changed:
        connection.execute(update(table).where(table.c.case_number == bindparam("b_number")), changed)
    if events:
        connection.execute(desk.case_event.insert(), events)
    connection.execute(
        desk.load.insert().values(
            programme=programme_id,
            sha256=fingerprint,
            sequence=sequence,
            row_count=rows.height,
            rows_added=len(added),
            rows_changed=len(changed),
            rows_withdrawn=len(gone),
            loaded_at=now,
        )
    )
    if gone:
        # その件に付いた行（収受、審査、対応履歴、進んだ跡 …）も、台帳が一緒に消す。残るのは番号と時刻だけ。
        connection.execute(
            delete(table).where(table.c.case_number == bindparam("b_number")), [{"b_number": number} for number in gone]
        )
        connection.execute(
            desk.withdrawal.insert(),
            [
                {"case_number": number, "load_sequence": sequence, "programme": programme_id, "deleted_at": now}
                for number in gone
            ],
        )
    audit.record(
        connection,
        desk.audit_log,
        at=now,
        actor=BATCH,
        action="handover.payees_in",
        subject=f"{sequence}",
        detail={"rows": rows.height, "added": len(added), "changed": len(changed), "withdrawn": len(gone)},
    )
    return Loaded(rows.height, len(added), len(changed), len(gone), tuple(sorted(stuck)), repeated=False)


def _event(number: str, at: Any, event: str, before: str, after: str) -> dict[str, Any]:
    return {
        "case_number": number,
        "at": at,
        "actor": BATCH.id,
        "event": event,
        "from_state": before,
        "to_state": after,
        "reason": "区からの受渡",
    }
