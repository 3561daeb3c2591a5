"""人が決める入金: 過誤納・不明金・要確認の一覧と候補、消込・還付・充当の申し出と、別の人の承認。

機械は候補を言うだけで、決めない。承認されると、消込が導き直される（仕訳は差だけが書き足される）。
"""

from __future__ import annotations

import polars as pl
from sqlalchemy import Connection, case, func, or_, select

from benefit.domain.access import Actor
from benefit.domain.clock import Clock
from benefit.domain.collection import COLLECTION_MOVES
from benefit.domain.errors import RefusedByRule, WrongUse
from benefit.services import two_people
from benefit.services.collections import settle
from benefit.services.home import Home
from benefit.store import audit, ward
from benefit.store.engine import in_turn, reading
from benefit.store.frames import fetch

_QUEUE = """
    SELECT p.event, p.received_as, p.receivable_id, CAST(SUM(p.amount_yen) AS BIGINT),
           e.channel, e.pay_key, CAST(e.paid_on AS VARCHAR(10)), e.amount_yen
    FROM (
        SELECT event, credit AS received_as, receivable_id, amount_yen FROM collection_posting
        WHERE credit IN ('過誤納', '不明金')
        UNION ALL
        SELECT event, debit, receivable_id, -amount_yen FROM collection_posting WHERE debit IN ('過誤納', '不明金')
    ) p JOIN collection_event e ON e.event = p.event
    GROUP BY p.event, p.received_as, p.receivable_id, e.channel, e.pay_key, e.paid_on, e.amount_yen
    HAVING SUM(p.amount_yen) <> 0
"""
_UNSETTLED = """
    SELECT e.event, '要確認', k.receivable_id, e.amount_yen, e.channel, e.pay_key, CAST(e.paid_on AS VARCHAR(10)),
           e.amount_yen
    FROM collection_event e LEFT JOIN receivable_key k ON k.pay_key = e.pay_key
    JOIN collection_notice n ON n.event = e.event AND n.kind = '速報取消' AND n.outcome <> '既収'
    WHERE NOT EXISTS (
        SELECT 1 FROM collection_notice q WHERE q.event = e.event AND q.kind = '速報' AND q.outcome <> '既収'
    ) OR EXISTS (
        SELECT 1 FROM collection_notice f WHERE f.event = e.event AND f.kind = '確報' AND f.outcome <> '既収'
    )
"""
_CANDIDATES = """
    SELECT r.id, r.subject, r.fiscal_year, r.term, r.notice_number,
           COALESCE(c.principal_yen, r.principal_yen) + COALESCE(c.late_charge_yen, r.late_charge_yen)
             - CAST(COALESCE(p.settled, 0) AS BIGINT)
    FROM receivable r
    LEFT JOIN receivable_change c ON c.receivable_id = r.id
      AND c.turn = (SELECT MAX(turn) FROM receivable_change l WHERE l.receivable_id = r.id)
    LEFT JOIN (
        SELECT receivable_id, SUM(CASE WHEN credit IN ('調定', '延滞金') THEN amount_yen
                                       WHEN debit IN ('調定', '延滞金') THEN -amount_yen ELSE 0 END) AS settled
        FROM collection_posting GROUP BY receivable_id
    ) p ON p.receivable_id = r.id
"""
#: 合わなかった立替金のバーコードが、どの調定の納付書か。
_BOUND = """
    SELECT DISTINCT k.pay_key, k.receivable_id FROM receivable_key k
    JOIN collection_event e ON k.pay_key = REPLACE(e.pay_key, 'CRD:', 'CVS:') WHERE e.pay_key LIKE 'CRD:%'
"""
_SCHEMA = {
    "event": pl.String,
    "why": pl.String,
    "receivable_id": pl.Int64,
    "yen": pl.Int64,
    "channel": pl.String,
    "pay_key": pl.String,
    "paid_on": pl.String,
    "amount_yen": pl.Int64,
}


def queue(home: Home) -> pl.DataFrame:
    """人が決める入金: event、why、yen、経路、鍵、`candidates`（候補の調定、五つまで）、`because`（候補のわけ）。"""
    with reading(home.ward) as connection:
        waiting = pl.concat([fetch(connection, _QUEUE, _SCHEMA), fetch(connection, _UNSETTLED, _SCHEMA)])
        owed = fetch(
            connection,
            _CANDIDATES,
            {
                "candidate": pl.Int64,
                "subject": pl.String,
                "fiscal_year": pl.Int64,
                "term": pl.Int64,
                "notice_number": pl.String,
                "left_yen": pl.Int64,
            },
        )
        bound = fetch(connection, _BOUND, {"pay_key": pl.String, "candidate": pl.Int64})
    found = _proposed(waiting.filter(pl.col("why") == "不明金"), owed.filter(pl.col("left_yen") > 0), bound)
    return (
        waiting.join(found, on="event", how="left")
        .with_columns(pl.col("candidates", "because").fill_null(""))
        .sort("paid_on", "event", "why")
    )


def _proposed(unknown: pl.DataFrame, owed: pl.DataFrame, bound: pl.DataFrame) -> pl.DataFrame:
    """候補と、そのわけ（上から確からしい順）。決めるのは人である。"""
    prefix = pl.format(
        "KEY:{}-{}-{}-", pl.col("subject"), pl.col("fiscal_year"), pl.col("term").cast(pl.String).str.zfill(2)
    )
    owed = owed.with_columns(prefix=prefix)
    unknown = unknown.with_columns(
        prefix=pl.col("pay_key").str.extract("^(KEY:[^-]*-[^-]*-[^-]*-)"),
        notice_number=pl.col("pay_key").str.extract("^KEY:[^-]*-[^-]*-[^-]*-(.+)$"),
        barcode=pl.lit("CVS:") + pl.col("pay_key").str.extract("^CRD:(.+)$"),
    )
    same_slip = unknown.join(bound, left_on="barcode", right_on="pay_key").select(
        "event", "candidate", because=pl.lit("バーコードの番号が同じ（立替金の額か、知らせが合わない）")
    )
    same_number = unknown.join(owed, left_on=["notice_number", "yen"], right_on=["notice_number", "left_yen"]).select(
        "event", "candidate", because=pl.lit("通知書番号と額が同じ（科目・年度・期別が違う）")
    )
    same_term = (
        unknown.filter(pl.col("notice_number").is_null())
        .join(owed, left_on=["prefix", "yen"], right_on=["prefix", "left_yen"])
        .select("event", "candidate", because=pl.lit("科目・年度・期別と額が同じ（通知書番号がない）"))
    )
    return (
        pl.concat([same_slip, same_number, same_term])
        .unique(["event", "candidate"], keep="first", maintain_order=True)
        .group_by("event", maintain_order=True)
        .agg(
            candidates=pl.col("candidate").sort().head(5).cast(pl.String).str.join(";"),
            because=pl.col("because").unique(maintain_order=True).str.join("、"),
        )
    )


def ask(
    home: Home,
    event: str,
    kind: str,
    amount_yen: int,
    *,
    receivable_id: int | None,
    reason: str,
    actor: Actor,
    clock: Clock,
) -> int:
    """消込（不明金を債権に結ぶ）・還付・充当（過誤納を返す・ほかの債権に充てる）を申し出る。申し出の番号を返す。"""
    if kind not in COLLECTION_MOVES:
        raise WrongUse("言葉が違います", found=kind, allowed="、".join(COLLECTION_MOVES))
    reason = two_people.need_reason(reason)
    if (kind == "還付") != (receivable_id is None):
        raise WrongUse("消込と充当には、相手の調定が要ります（還付には要りません）")
    with home.ward.begin() as connection:
        in_turn(connection, "collections")
        _check(connection, event, kind, amount_yen)
        if (
            receivable_id is not None
            and not connection.execute(
                select(ward.receivable.c.id).where(ward.receivable.c.id == receivable_id)
            ).first()
        ):
            raise WrongUse("その調定はありません", found=str(receivable_id))
        return two_people.ask(
            connection,
            ward.collection_move,
            {"event": event, "kind": kind, "receivable_id": receivable_id, "amount_yen": amount_yen},
            action="collection.ask",
            reason=reason,
            detail={"kind": kind, "amount_yen": amount_yen},
            actor=actor,
            clock=clock,
        )


def _check(connection: Connection, event: str, kind: str, amount_yen: int) -> None:
    """この入金の、いまの過誤納・不明金の額を超えない。"""
    why = "不明金" if kind == "消込" else "過誤納"
    table = ward.collection_posting
    query = select(
        func.coalesce(func.sum(case((table.c.credit == why, table.c.amount_yen), else_=-table.c.amount_yen)), 0)
    ).where(table.c.event == event, or_(table.c.credit == why, table.c.debit == why))
    left = int(connection.execute(query).scalar_one())
    if left <= 0:
        raise RefusedByRule(f"この入金に、いま{why}はありません", code="no-money")
    if amount_yen > left or (kind == "消込" and amount_yen != left):
        raise RefusedByRule(
            f"{kind}の額が、いまの{why}と合いません", code="amount", found=f"{amount_yen:,}", allowed=f"{left:,}"
        )


def approve(home: Home, number: int, *, actor: Actor, clock: Clock) -> int:
    """申し出を承認し、消込を導き直す。書いた仕訳の数を返す。申し出た人は承認できない。"""
    move, event, key = ward.collection_move, ward.collection_event, ward.receivable_key
    with home.ward.begin() as connection:
        in_turn(connection, "collections")
        asked = connection.execute(select(move).where(move.c.id == number)).mappings().first()
        if asked is not None:
            _check(connection, asked["event"], asked["kind"], asked["amount_yen"])
        row = two_people.approve(
            connection, move, ward.collection_move_approval, number, what="消込", actor=actor, clock=clock
        )
        owner = connection.execute(
            select(func.max(key.c.receivable_id))
            .join(event, event.c.pay_key == key.c.pay_key)
            .where(event.c.event == row["event"])
        ).scalar()
        earlier = connection.execute(
            select(move.c.receivable_id).where(move.c.event == row["event"], move.c.kind == "消込")
        ).scalars()
        touched = {owner, row["receivable_id"], *earlier} - {None}
        written = settle(connection, sorted(one for one in touched if one is not None), clock())
        audit.record(
            connection,
            ward.audit_log,
            at=clock(),
            actor=actor,
            action="collection.approve",
            subject=f"{number}",
            reason=row["reason"],
            detail={"kind": row["kind"], "amount_yen": row["amount_yen"]},
        )
    return written
