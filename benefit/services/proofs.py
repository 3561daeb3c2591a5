"""見本帳の署名: 割付・言葉・書体・符号の指紋に区が署名し、別の人が承認する。ほかの指紋では、組を出せない。"""

from __future__ import annotations

from sqlalchemy import Connection, select

from benefit.domain.access import Actor
from benefit.domain.clock import Clock
from benefit.domain.errors import RefusedByRule
from benefit.services import two_people
from benefit.services.home import Home
from benefit.store import audit, ward
from benefit.store.engine import in_turn


def sign(home: Home, *, digest: str, sha256: str, reason: str, actor: Actor, clock: Clock) -> int:
    """見本帳（指紋 `sha256`）を見て、この割付（指紋 `digest`）でよいと署名する。署名の番号を返す。"""
    two_people.need_clerk(actor)
    with home.ward.begin() as connection:
        in_turn(connection, "proof-set")
        return two_people.ask(
            connection,
            ward.proof_set,
            {"digest": digest, "sha256": sha256},
            action="letters.sign_proof_set",
            reason=reason,
            detail={"digest": digest[:16], "sha256": sha256[:16]},
            actor=actor,
            clock=clock,
        )


def approve(home: Home, number: int, *, sha256: str, actor: Actor, clock: Clock) -> str:
    """見本帳の署名を承認し、割付の指紋を返す。承認する人も、同じ見本帳（`sha256`）を見ていなければ断る。"""
    with home.ward.begin() as connection:
        in_turn(connection, "proof-set")
        row = two_people.approve(
            connection,
            ward.proof_set,
            ward.proof_set_approval,
            number,
            what="見本帳の署名",
            actor=actor,
            clock=clock,
        )
        if row["sha256"] != sha256:
            raise RefusedByRule("署名した見本帳と、見ている見本帳が違います", code="other-proof-set")
        audit.record(
            connection,
            ward.audit_log,
            at=clock(),
            actor=actor,
            action="letters.approve_proof_set",
            subject=f"{number}",
            detail={"digest": row["digest"][:16], "number": number},
        )
        return str(row["digest"])


def signed(connection: Connection, digest: str) -> int:
    """この割付の、承認された署名の番号。なければ RefusedByRule。"""
    asked, approval = ward.proof_set, ward.proof_set_approval
    query = (
        select(asked.c.id)
        .join(approval, approval.c.release_id == asked.c.id)
        .where(asked.c.digest == digest)
        .order_by(asked.c.id.desc())
        .limit(1)
    )
    found = connection.execute(query).scalar()
    if found is None:
        raise RefusedByRule(
            "いまの割付・言葉・書体・符号の見本帳に、二人の署名がありません。"
            "benefit letters proof-set make で見本帳を作り、見てから署名と承認をしてください",
            code="proof-set",
            found=f"指紋 {digest[:16]}",
        )
    return int(found)
