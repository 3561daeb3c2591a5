"""台帳の申請を読む: 全部、一件、受理したもの。"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, select

from benefit.domain.claim import Claim
from benefit.domain.errors import WrongUse
from benefit.domain.programme import Programme
from benefit.services.files import sha256_of
from benefit.services.home import Home
from benefit.store import ward
from benefit.store.engine import reading


def _claim(row: Mapping[Any, Any]) -> Claim:
    return Claim(
        number=row["number"],
        kind=row["kind"],
        programme=row["programme"],
        household_number=row["household_number"],
        person_number=row["person_number"],
        received_on=row["received_on"],
        postmarked_on=row["postmarked_on"],
        reopened_reason=row["reopened_reason"],
        evidence_kind=row["evidence_kind"],
        evidence_id=row["evidence_id"],
        reason=row["reason"],
        content=json.loads(row["content"]),
        content_sha256=row["content_sha256"],
        entered_by=row["entered_by"],
        decision=row["decision"] or "",
        decided_by=row["decided_by"] or "",
        decision_reason=row["decision_reason"] or "",
        cleared=tuple(word for word in (row["cleared"] or "").split(";") if word),
        decided_on=row["decided_on"],
    )


def load(connection: Connection, *where: ColumnElement[bool]) -> list[Claim]:
    """条件に合う申請。決めたものは決めた順、まだのものは番号の順に後ろ。"""
    claim, decision = ward.claim, ward.claim_decision
    query = (
        select(
            claim,
            decision.c.decision,
            decision.c.decided_by,
            decision.c.decided_on,
            decision.c.cleared,
            decision.c.reason.label("decision_reason"),
        )
        .outerjoin(decision, decision.c.claim_id == claim.c.id)
        .where(*where)
        .order_by(decision.c.decided_at.is_(None), decision.c.decided_at, claim.c.id)
    )
    return [_claim(row) for row in connection.execute(query).mappings()]


def accepted(home: Home, programme: Programme) -> tuple[Claim, ...]:
    """この事業の、受理した申請。決めた順（先に受理したものが先に効く）。"""
    with reading(home.ward) as connection:
        found = load(connection, ward.claim.c.programme == programme.id, ward.claim_decision.c.decision == "accept")
    return tuple(found)


def find(connection: Connection, number: str) -> tuple[int, Claim]:
    """(行の番号, 申請)。なければ WrongUse。"""
    claims = load(connection, ward.claim.c.number == number)
    if not claims:
        raise WrongUse("この番号の申請はありません", found=number[:10], allowed="benefit claim list に出る番号")
    row = connection.execute(select(ward.claim.c.id).where(ward.claim.c.number == number)).scalar_one()
    return row, claims[0]


def described(claim: Claim) -> dict[str, str]:
    """判定の入力の記録に載せる形。氏名も番号も載らない。"""
    return {
        "番号": claim.number,
        "種類": claim.kind_name,
        # 決めた人が外した検査も、判定を変える。番号そのものは書かない。
        "sha256": sha256_of(";".join([claim.content_sha256, *claim.cleared]).encode()),
    }
