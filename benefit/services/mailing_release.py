"""組を出す日の関門: 作ってから出すまでに止めるべきことが分かった手紙を、一通も出さない（reliability P14）。

亡くなった、区が直接扱うことになった、対象から外れた、辞退した、もう払った、枝番が進んだ、送り先や紙に刷った事柄が
変わった。一通でもあれば組を出さず、番号と訳を言う。抜いて作り直した組（letters.mailing.remake）だけが出られる。
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl
from sqlalchemy import Connection, and_, exists, func, or_, select

from benefit.domain.access import Actor
from benefit.domain.case_states import CaseState
from benefit.domain.clock import Clock
from benefit.domain.errors import RefusedByRule, WrongUse
from benefit.domain.letter import CONFIRMATION_LETTER, HEIR_FORM, PUSH_NOTICE, address_digest
from benefit.domain.programme import Programme
from benefit.domain.transfer import LIVE_STATES
from benefit.services import proofs
from benefit.services.gate import Standing, stand
from benefit.services.home import Home
from benefit.services.mailing import letter_rows, printed_digests
from benefit.services.mailing_lots import LotState, chosen_lots, letters_in
from benefit.services.notices_stale import stale_notices
from benefit.services.two_people import need_clerk
from benefit.store import audit, ward
from benefit.store.bulk import insert_one
from benefit.store.engine import in_turn, reading
from benefit.store.frames import fetch

_REFUSED_STATES = (CaseState.REFUSED_NOTICE.value, CaseState.REFUSED.value)
#: 額の頁の組（手紙の行を持たない）。
AMOUNT = "amount"
VOID = "枝番が進み、この手紙は無効になった"
PAID = "もう支払った（途中を含む）"
REFUSED = "辞退した"
DEAD_TOLD = "亡くなったと申出があった"
PROTECTED = "区が直接扱うことになった"
MOVED = "送り先が変わった"
CHANGED = "紙に刷った事柄（氏名・給付・口座）か、転出などの記録が変わった"
UNKNOWN = "登録されていない権利の手紙"


@dataclass(frozen=True)
class Stale:
    """出してはならない手紙一通。"""

    letter_id: int
    lot_id: int
    case_number: str
    branch: int
    kind: str
    why: str


@dataclass(frozen=True)
class Remade:
    """作り直した組のファイル。letter_count が 0 なら、一通も残らなかった。"""

    old: LotState
    file_name: str
    sha256: str
    letter_count: int


def _paid(connection: Connection) -> pl.DataFrame:
    payment = ward.payment
    query = select(payment.c.entitlement_id).where(payment.c.state.in_(LIVE_STATES)).distinct()
    return fetch(connection, query, {"id": pl.Int64}).drop_nulls().with_columns(paid=pl.lit(value=True))


def _told(connection: Connection) -> pl.DataFrame:
    """委託先から届いた、いまの進み: 辞退、亡くなったという申出（いまの枝番のもの）。"""
    progress, entitlement = ward.desk_progress, ward.entitlement
    newest = select(func.max(progress.c.sequence).label("last"), progress.c.case_number.label("number"))
    last = newest.group_by(progress.c.case_number).subquery()
    refused = or_(progress.c.refused_on.is_not(None), progress.c.state.in_(_REFUSED_STATES))
    dead = or_(progress.c.deceased_told_on.is_not(None), progress.c.state == CaseState.DEAD.value)
    query = (
        select(entitlement.c.id, refused, dead)
        .join(progress, progress.c.case_number == entitlement.c.case_number)
        .join(last, and_(last.c.number == progress.c.case_number, last.c.last == progress.c.sequence))
        .where(progress.c.present, progress.c.branch == entitlement.c.branch, or_(refused, dead))
    )
    return fetch(connection, query, {"id": pl.Int64, "refused": pl.Boolean, "dead_told": pl.Boolean})


def _refused_in_ward(connection: Connection) -> pl.DataFrame:
    """区が直接扱う人の辞退。一人目が入れた時から、出さない（二人目を待つ間に出て行かないように）。"""
    reply, check, entitlement = ward.ward_reply, ward.ward_reply_check, ward.entitlement
    undo, undone = reply.alias("undo"), check.alias("undone")
    cancelled = exists().where(undo.c.cancels == reply.c.id, undone.c.reply_id == undo.c.id)
    query = (
        select(reply.c.entitlement_id)
        .join(entitlement, and_(entitlement.c.id == reply.c.entitlement_id, entitlement.c.branch == reply.c.branch))
        .where(reply.c.kind == "辞退", ~cancelled)
        .distinct()
    )
    return fetch(connection, query, {"id": pl.Int64}).with_columns(refused_ward=pl.lit(value=True))


def _why(standing: Standing, programme: Programme, letters: pl.DataFrame, connection: Connection) -> pl.DataFrame:
    """手紙ごとの、出してはならない訳（なければ null）。"""
    entitlements = standing.entitlements
    rows = letter_rows(standing, programme, entitlements, standing.inputs.today)
    addresses = [
        address_digest(*row) for row in rows.select("postal_code", "address", "address2", "addressee").iter_rows()
    ]
    now = rows.select(
        pl.col("entitlement_id").alias("id"),
        "place",
        address_now=pl.Series(addresses, dtype=pl.String),
        digest_now=pl.Series(printed_digests(rows), dtype=pl.String),
    ).join(entitlements.select("id", "branch", "why_closed", "payee_dead", "ward_only"), on="id")
    seen = (
        letters.join(now, on="id", how="left")
        .join(_paid(connection), on="id", how="left")
        .join(_told(connection), on="id", how="left")
        .join(_refused_in_ward(connection), on="id", how="left")
    )
    # 決定の後の手紙（支給決定通知書など）は、払った後にも、断った人にも送る。
    before = pl.col("letter_kind").is_in([PUSH_NOTICE, CONFIRMATION_LETTER])
    # 相続人届出書は、亡くなったから送る。宛先は、台帳にいない相続人である。
    heir = pl.col("letter_kind") == HEIR_FORM
    return seen.with_columns(
        why=pl.when(pl.col("branch").is_null())
        .then(pl.lit(UNKNOWN))
        .when(pl.col("branch") != pl.col("letter_branch"))
        .then(pl.lit(VOID))
        .when(before & pl.col("paid").is_not_null())
        .then(pl.lit(PAID))
        .when((before | (pl.col("payee_dead") & ~heir)) & pl.col("why_closed").is_not_null())
        .then("why_closed")
        .when(pl.col("dead_told").fill_null(value=False) & ~heir)
        .then(pl.lit(DEAD_TOLD))
        .when(before & (pl.col("refused").fill_null(value=False) | pl.col("refused_ward").is_not_null()))
        .then(pl.lit(REFUSED))
        .when(pl.col("ward_only") & (pl.col("lot_place") != "ward"))
        .then(pl.lit(PROTECTED))
        .when((pl.col("address_now") != pl.col("letter_address")) & ~heir)
        .then(pl.lit(MOVED))
        # 指紋のない手紙（この仕組みの前に作った組）は、刷った中身を確かめられない。
        .when(before & pl.col("digest_now").ne_missing(pl.col("letter_digest")))
        .then(pl.lit(CHANGED))
    )


def stale_letters(home: Home, programme: Programme, lots: Sequence[int], on: date) -> list[Stale]:
    """この組の手紙のうち、`on` に出してはならないもの（給付管理番号の順）。"""
    standing = stand(home, programme, on)
    with reading(home.ward) as connection:
        chosen = chosen_lots(connection, lots)
        letters = letters_in(connection, chosen)
        if letters.filter(pl.col("programme") != programme.id).height:
            raise WrongUse("ほかの事業の組が混ざっています（--programme を確かめてください）", code="other-programme")
        gone = stale_notices(home, connection, standing, letters)
        stale = (
            _why(standing, programme, letters, connection)
            .with_columns(gone=pl.col("letter_id").replace_strict(gone, default=None, return_dtype=pl.String))
            .with_columns(why=pl.coalesce("why", "gone"))
            .filter(pl.col("why").is_not_null())
        )
    columns = ("letter_id", "lot_id", "case_number_written", "letter_branch", "letter_kind", "why")
    return [Stale(*row) for row in stale.sort("case_number_written").select(columns).iter_rows()]


def refuse_stale(home: Home, programme: Programme, lots: Sequence[int], on: date) -> list[tuple[str, str]]:
    """出してはならない手紙の (給付管理番号, 訳)。空なら出してよい。"""
    return [(each.case_number, each.why) for each in stale_letters(home, programme, lots, on)]


def pull(
    connection: Connection, stale: Sequence[Stale], remade: Sequence[Remade], *, actor: Actor, clock: Clock
) -> None:
    """手紙を組から抜き、抜いて作り直した組を登録する。呼んだ側のトランザクションの中。"""
    now = clock()
    connection.execute(
        ward.letter_pull.insert(),
        [
            {"letter_id": one.letter_id, "lot_id": one.lot_id, "why": one.why, "pulled_by": actor.id, "pulled_at": now}
            for one in stale
        ],
    )
    for lot in remade:
        if lot.letter_count == 0:  # 一通も残らない組は、作り直さない
            continue
        number = insert_one(
            connection,
            ward.lot,
            kind=lot.old.kind,
            place=lot.old.place,
            file_name=lot.file_name,
            sha256=lot.sha256,
            letter_count=lot.letter_count,
            made_at=now,
        )
        connection.execute(ward.lot_run.insert().values(lot_id=number, folder=lot.old.folder, remade_from=lot.old.id))
    for one in stale:
        audit.record(
            connection,
            ward.audit_log,
            at=now,
            actor=actor,
            action="letters.pull",
            subject=one.case_number,
            reason=one.why,
            detail={"branch": one.branch, "lot": one.lot_id},
        )


def release(
    home: Home,
    programme: Programme,
    proved: Mapping[int, str],
    *,
    on: date,
    digest: str,
    actor: Actor,
    clock: Clock,
) -> None:
    """組を `on` に出してよいと登録する。全部か無し。

    proved: 組の番号 → 読み返しの報告（proof.json）の指紋。digest: いまの割付・言葉・書体・符号の指紋。
    断り: 見本帳の署名がない、出してはならない手紙がある、もう許しがある。
    """
    need_clerk(actor)
    with home.ward.begin() as connection:
        # 承認・作り直しと同じ列に並ぶ: 関門を見てから登録するまでに、組が変わらない。
        in_turn(connection, "entitlements")
        chosen = chosen_lots(connection, list(proved))
        for lot in chosen:
            if lot.kind != AMOUNT and letters_in(connection, [lot]).is_empty():
                raise RefusedByRule(f"ロット {lot.id} には、手紙が残っていません", code="empty-lot")
        signed = proofs.signed(connection, digest)
        # 見本帳の後に関門を見る。関門は別の接続で読むので、まだ書いていない今でよい。
        stale = refuse_stale(home, programme, list(proved), on)
        refuse_if_stale(stale)
        for lot in chosen:
            if lot.released_on == on:
                raise RefusedByRule(f"ロット {lot.id} は、{on} に出す許しがもうあります", code="released")
            connection.execute(
                ward.lot_release.insert().values(
                    lot_id=lot.id,
                    released_on=on,
                    proof_set_id=signed,
                    proof_sha256=proved[lot.id],
                    released_by=actor.id,
                    released_at=clock(),
                )
            )
            audit.record(
                connection,
                ward.audit_log,
                at=clock(),
                actor=actor,
                action="letters.release",
                subject=f"lot {lot.id}",
                detail={"on": on.isoformat(), "letters": lot.letter_count, "proof_set": signed},
            )


def refuse_if_stale(stale: Sequence[tuple[str, str]]) -> None:
    """一通でもあれば、番号と訳を言って断る（十通まで）。"""
    if not stale:
        return
    named = "、".join(f"{number}（{why}）" for number, why in stale[:10])
    more = f" ほか {len(stale) - 10:,} 通" if len(stale) > 10 else ""
    raise RefusedByRule(
        f"出してはならない手紙が {len(stale):,} 通あります: {named}{more}。"
        "benefit letters remake で抜いて作り直してください",
        code="stale-letter",
        found=f"{len(stale)} 通",
    )
