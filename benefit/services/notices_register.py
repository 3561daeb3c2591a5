"""作ったお知らせの組と紙を、一つのトランザクションで登録する。同じ出来事の紙は、台帳の一意の制約が一通にする。"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError

from benefit.domain.access import BATCH
from benefit.domain.clock import Clock
from benefit.domain.errors import RefusedByRule
from benefit.domain.letter import address_digest
from benefit.services.home import Home
from benefit.services.notices_due import NoticesDue
from benefit.services.notices_facts import digests
from benefit.store import audit, ward
from benefit.store.bulk import insert_one
from benefit.store.engine import in_turn


@dataclass(frozen=True)
class MadeLot:
    """刷った一つの組。members は、頁の順の (給付管理番号, 枝番)。"""

    place: str
    file_name: str
    sha256: str
    folder: str
    members: Sequence[tuple[str, int]]


def register(home: Home, due: NoticesDue, lots: Sequence[MadeLot], *, issued_on: date, clock: Clock) -> None:
    """全部か無し。もう一つの実行が先に登録していれば断る。"""
    if not lots:
        return
    rows = {row["case_number"]: row for row in due.letters.iter_rows(named=True)}
    printed = dict(zip(due.letters["entitlement_id"], digests(due.kind, due.letters), strict=True))
    try:
        with home.ward.begin() as connection:
            in_turn(connection, "entitlements")
            for made in lots:
                lot_id = insert_one(
                    connection,
                    ward.lot,
                    kind=due.kind,
                    # 台帳の刷る所は、外か区の中か。区が刷るふつうの封書も、区の中である。
                    place="printer" if made.place == "printer" else "ward",
                    file_name=made.file_name,
                    sha256=made.sha256,
                    letter_count=len(made.members),
                    made_at=clock(),
                )
                connection.execute(ward.lot_run.insert().values(lot_id=lot_id, folder=made.folder))
                connection.execute(
                    ward.letter.insert(),
                    [_letter(rows[number], due.kind, lot_id, issued_on) for number, _branch in made.members],
                )
                _note_printed(connection, lot_id, printed)
            audit.record(
                connection,
                ward.audit_log,
                at=clock(),
                actor=BATCH,
                action="letters.notices",
                detail={"kind": due.kind, "lots": len(lots), "letters": sum(len(lot.members) for lot in lots)},
            )
    except IntegrityError:
        raise RefusedByRule(
            "同じお知らせが、もう登録されています。組んだ紙は捨てました。もう一度実行してください",
            code="changed-meanwhile",
        ) from None


def _note_printed(connection: Connection, lot_id: int, printed: dict[int, str]) -> None:
    letter = ward.letter
    found = connection.execute(select(letter.c.id, letter.c.entitlement_id).where(letter.c.lot_id == lot_id)).all()
    connection.execute(
        ward.letter_printed.insert(), [{"letter_id": row.id, "digest": printed[row.entitlement_id]} for row in found]
    )


def _letter(row: dict[str, Any], kind: str, lot_id: int, issued_on: date) -> dict[str, Any]:
    return {
        "entitlement_id": row["entitlement_id"],
        "branch": row["branch"],
        "kind": kind,
        "occasion": row["occasion"],
        "lot_id": lot_id,
        "route": "WARD" if row["ward_only"] else row["route"],
        "account_flag": row["account_flag"],
        "address_digest": address_digest(row["postal_code"], row["address"], row["address2"], row["addressee"]),
        "issued_on": issued_on,
        "due_on": row["due_on"],
    }
