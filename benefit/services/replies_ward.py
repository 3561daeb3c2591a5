"""区直轄の人の返事を、区の職員が入れる: 確認書（口座）、辞退、返戻、入れ間違いの取消。

一人が入れ、別の人が紙だけを見てもう一度入れる。二つが同じときだけ効く（同じ人・違う中身の行は、台帳に存在できない）。
委託先が扱っている件は、ここでは入れられない。呼んだ側のトランザクションの中で動く。
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import polars as pl
from sqlalchemy import Connection, func, select

from benefit.domain.access import Actor
from benefit.domain.clock import tokyo_date
from benefit.domain.errors import RefusedByRule, RefusedInput, WrongUse
from benefit.domain.handback import REPLY_KINDS
from benefit.domain.transfer import LIVE_STATES
from benefit.services import mailing_sent
from benefit.services.desk_accounts import NO_ACCOUNT, Account, differing
from benefit.services.returns import is_ended
from benefit.services.two_people import need_reason
from benefit.store import audit, ward
from benefit.store.bulk import insert_one
from benefit.store.engine import in_turn
from benefit.store.frames import fetch

CONFIRMATION, REFUSAL, RETURNED, CANCEL = REPLY_KINDS
ROLES = ("clerk", "approver")


@dataclass(frozen=True)
class Reply:
    """紙一枚を、一人が入れたもの。口座は確認書だけ。`cancels` は、取消で打ち消す返事の番号。"""

    case_number: str
    kind: str
    received_on: date
    account: Account = NO_ACCOUNT
    cancels: int | None = None

    @property
    def digest(self) -> str:
        """二つの入力を比べる指紋。"""
        content = [self.case_number, self.kind, self.received_on.isoformat(), self.account.sha256, self.cancels]
        return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()


@dataclass(frozen=True)
class Checked:
    """二度目の入力の結果。違えば `differing` に項目の名（値は言わない）。"""

    reply_id: int
    agreed: bool
    differing: tuple[str, ...]


def enter(connection: Connection, reply: Reply, *, reason: str, actor: Actor, at: datetime) -> int:
    """一人目の入力。返事の番号を返す。`reason` は紙のありか、取消のわけなど。別の人が入れるまで、何も変わらない。"""
    _may(actor)
    in_turn(connection, "money")
    entitlement = _entitlement(connection, reply.case_number)
    _check_shape(connection, reply, entitlement, tokyo_date(at))
    number = insert_one(
        connection,
        ward.ward_reply,
        entitlement_id=entitlement["id"],
        branch=entitlement["branch"],
        kind=reply.kind,
        received_on=reply.received_on,
        **reply.account.columns,
        cancels=reply.cancels,
        digest=reply.digest,
        reason=need_reason(reason),
        asked_by=actor.id,
        asked_at=at,
    )
    _log(connection, "reply.enter", reply.case_number, {"reply": number, "kind": reply.kind}, actor, at)
    return number


def check(connection: Connection, number: int, reply: Reply, *, actor: Actor, at: datetime) -> Checked:
    """二人目の入力。一人目と同じなら効く。違えば、どの項目かだけを返し、何も効かない（違ったことは監査ログに残る）。"""
    _may(actor)
    in_turn(connection, "money")
    table, checked = ward.ward_reply, ward.ward_reply_check
    row = connection.execute(select(table).where(table.c.id == number)).mappings().first()
    if row is None:
        raise WrongUse(f"返事の入力 {number} はありません")
    if row["asked_by"] == actor.id:
        raise RefusedByRule("一人目と同じ人は、二度目を入れられません", code="two-people")
    if connection.execute(select(checked.c.reply_id).where(checked.c.reply_id == number)).first():
        raise RefusedByRule("この返事は、もう二人目が入れています", code="checked")
    entitlement = _entitlement(connection, reply.case_number)
    different = _differing(dict(row), entitlement, reply)
    detail = {"reply": number, "kind": row["kind"], "differing": list(different)}
    if different:
        _log(connection, "reply.mismatch", reply.case_number, detail, actor, at)
        return Checked(number, agreed=False, differing=different)
    if row["branch"] != entitlement["branch"]:
        raise RefusedByRule("一人目の入力の後に、手紙が出し直されています", code="CHK12")
    _check_shape(connection, reply, entitlement, tokyo_date(at))
    connection.execute(
        checked.insert().values(
            reply_id=number, asked_by=row["asked_by"], digest=reply.digest, checked_by=actor.id, checked_at=at
        )
    )
    _log(connection, "reply.check", reply.case_number, detail, actor, at)
    return Checked(number, agreed=True, differing=())


def listed(connection: Connection, programme_id: str) -> pl.DataFrame:
    """返事の一覧: 番号、給付管理番号、枝番、種類、収受日、入れた人、二人目、取り消した番号。口座は出さない。"""
    table, checked, entitlement = ward.ward_reply, ward.ward_reply_check, ward.entitlement
    query = (
        select(
            table.c.id, entitlement.c.case_number, table.c.branch, table.c.kind, table.c.received_on, table.c.asked_by,
            checked.c.checked_by, table.c.cancels,
        )
        .join(entitlement, entitlement.c.id == table.c.entitlement_id)
        .join(checked, checked.c.reply_id == table.c.id, isouter=True)
        .where(entitlement.c.programme == programme_id)
        .order_by(table.c.id)
    )  # fmt: skip
    schema = {
        "番号": pl.Int64, "給付管理番号": pl.String, "枝番": pl.Int64, "種類": pl.String, "収受日": pl.Date,
        "入力": pl.String, "二人目": pl.String, "取り消す番号": pl.Int64,
    }  # fmt: skip
    return fetch(connection, query, schema)


def _may(actor: Actor) -> None:
    if actor.role not in ROLES:
        raise RefusedByRule("返事は、担当か承認の職員が入れます", code="role")


def _entitlement(connection: Connection, case_number: str) -> Mapping[str, Any]:
    table, valid = ward.entitlement, ward.valid_entitlement
    query = select(table).join(valid, valid.c.entitlement_id == table.c.id).where(table.c.case_number == case_number)
    row = connection.execute(query).mappings().first()
    if row is None:
        raise WrongUse("この給付管理番号は、支給対象者データベースにありません", found=f"{len(case_number)} 文字")
    given = ward.desk_given
    newest = select(func.max(given.c.sequence)).where(given.c.case_number == case_number).scalar_subquery()
    held = select(given.c.given).where(given.c.case_number == case_number, given.c.sequence == newest)
    if connection.execute(held).scalar():
        raise RefusedByRule("委託先で扱っている件です。給付管理システムで収受します", code="not-ward-only")
    return dict(row)


def _check_shape(connection: Connection, reply: Reply, entitlement: Mapping[str, Any], today: date) -> None:
    """入れてよい返事か。"""
    if reply.kind not in REPLY_KINDS:
        raise RefusedInput("返事の種類が違います", code="word", found=reply.kind, allowed="、".join(REPLY_KINDS))
    if (reply.kind == CONFIRMATION) != (reply.account != NO_ACCOUNT):
        raise RefusedInput("口座は、確認書だけに、五項目とも入れます", code="account")
    if reply.received_on > today:
        raise RefusedInput("収受日が、今日より後です", code="received-on", found=str(reply.received_on))
    if is_ended(connection, entitlement["id"]):
        raise RefusedByRule("この権利は、もう終わっています", code="ended")
    payment = ward.payment
    live = select(payment.c.id).where(payment.c.entitlement_id == entitlement["id"], payment.c.state.in_(LIVE_STATES))
    if connection.execute(live).first():
        raise RefusedByRule("この権利は、払ったか、払っている途中です", code="paid")
    letter = ward.letter
    sent = select(func.max(letter.c.issued_on)).where(
        letter.c.entitlement_id == entitlement["id"],
        letter.c.branch == entitlement["branch"],
        mailing_sent.sent(),
    )
    issued_on = connection.execute(sent).scalar()
    if issued_on is None:
        raise RefusedByRule("この枝番の手紙は、まだ刷られていません", code="no-letter")
    if reply.received_on < issued_on:
        raise RefusedInput("収受日が、手紙の日より前です", code="received-on", found=str(reply.received_on))
    if reply.kind == CANCEL:
        _check_cancel(connection, reply, entitlement)
    elif reply.cancels is not None:
        raise RefusedInput("打ち消す番号は、取消だけに入れます", code="cancels")


def _check_cancel(connection: Connection, reply: Reply, entitlement: Mapping[str, Any]) -> None:
    table, checked = ward.ward_reply, ward.ward_reply_check
    mine = (
        select(table.c.id)
        .join(checked, checked.c.reply_id == table.c.id)
        .where(table.c.id == reply.cancels, table.c.entitlement_id == entitlement["id"], table.c.kind != CANCEL)
    )
    if connection.execute(mine).first() is None:
        raise RefusedByRule("打ち消す返事がありません（この件の、二人が入れた返事の番号を書きます）", code="cancels")


def _differing(row: Mapping[str, Any], entitlement: Mapping[str, Any], reply: Reply) -> tuple[str, ...]:
    """二つの入力で違う項目の名。"""
    pairs = {
        "給付管理番号": (row["entitlement_id"], entitlement["id"]),
        "種類": (row["kind"], reply.kind),
        "収受日": (row["received_on"], reply.received_on),
        "打ち消す番号": (row["cancels"], reply.cancels),
    }
    return (
        *(name for name, (one, other) in pairs.items() if one != other),
        *differing(Account.of(row), reply.account),
    )


def _log(connection: Connection, action: str, subject: str, detail: dict[str, Any], actor: Actor, at: datetime) -> None:
    audit.record(connection, ward.audit_log, at=at, actor=actor, action=action, subject=subject, detail=detail)
