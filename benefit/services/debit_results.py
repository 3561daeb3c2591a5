"""口座振替の結果を受け取る（seed 004 ⑥）: 請求と一行ずつ合わせ、振替済だけを入金にする。

振替不能は、次の引落日にもう一度請求するか、納付書に回る。

    請求 = 振替済 + 振替不能 + 未着（N と、知らないコード。決して入金にしない）

消込と請求の行き先は、一つのトランザクションで書く。同じファイルは二度効かない。
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import polars as pl
from sqlalchemy import Connection, select

from benefit.domain.access import BATCH
from benefit.domain.clock import Clock
from benefit.domain.collection import Channel, NoticeKind
from benefit.domain.errors import Place, RefusedByRule, RefusedInput
from benefit.records import direct_debit, file_reader
from benefit.records.file_layout import RECORD
from benefit.rules.collection_notices import NOTICE, debit_key
from benefit.services import collections
from benefit.services.collections import Collected
from benefit.services.files import sha256_of
from benefit.services.home import Home
from benefit.store import audit, debit_queries, ward
from benefit.store.bulk import insert_one, insert_rows
from benefit.store.engine import in_turn, reading

_SHOWN = 5


@dataclass(frozen=True)
class Taken:
    """受け取った結果。told = paid + failed + undecided（件数と円）。`codes` は 0 でないコード → 件数。"""

    request_id: int
    collected: Collected
    counts: dict[str, int]
    codes: dict[str, int]


def take(home: Home, data: bytes, *, file_name: str, clock: Clock) -> Taken:
    """結果のファイルを受け取る。請求と一行でも合わなければ、何も取り込まない。"""
    place = Place(file=file_name)
    found = file_reader.read(data, direct_debit.RESULT, file=file_name)
    rows = found.require()
    sha256 = sha256_of(data)
    before = _before(home, sha256)
    if before is not None:
        return before
    days = {str(header["debit_month_day"]) for header in found.headers}
    if len(days) != 1 or rows.is_empty():
        raise RefusedInput("引落日が一つではないか、明細がありません", code="debit-day", place=place)
    with home.ward.begin() as connection:
        in_turn(connection, "collections")
        number, debit_on = _request(connection, rows, days.pop(), place)
        asked = debit_queries.lines(connection, number)
        told = direct_debit.outcomes(_matched(connection, number, asked, rows, place))
        _refuse_changed_minds(told, place)
        now = clock()
        fresh = told.filter(pl.col("decided").is_null())
        paid = fresh.filter(pl.col("outcome") == "paid")
        collected = collections.take_within(
            connection,
            Channel.DIRECT_DEBIT,
            _notices(paid, debit_on),
            file_name=file_name,
            sha256=sha256,
            now=now,
        )
        counts = _counts(told)
        result = insert_one(
            connection,
            ward.debit_result,
            request_id=number,
            collection_file_id=collected.file_id,
            taken_at=now,
            **counts,
        )
        _store(connection, result, told, fresh)
        _log(connection, number, sha256, counts, now)
    return Taken(number, collected, counts, _codes(told))


def _before(home: Home, sha256: str) -> Taken | None:
    """もう受け取ったファイルなら、その時の結果。"""
    result, file, told = ward.debit_result, ward.collection_file, ward.debit_told
    with reading(home.ward) as connection:
        query = select(result).join(file, file.c.id == result.c.collection_file_id).where(file.c.sha256 == sha256)
        row = connection.execute(query).mappings().first()
        if row is None:
            return None
        codes: dict[str, int] = {}
        for line in connection.execute(select(told.c.code).where(told.c.result_id == row["id"])):
            if line.code != direct_debit.PAID:
                codes[line.code] = codes.get(line.code, 0) + 1
    collected = collections.known(home, sha256)
    assert collected is not None
    counts = {name: row[name] for name in _COUNTS}
    return Taken(row["request_id"], collected, counts, dict(sorted(codes.items())))


_COUNTS = tuple(f"{what}_{unit}" for what in ("told", "paid", "failed", "undecided") for unit in ("count", "yen"))


def _request(connection: Connection, rows: pl.DataFrame, month_day: str, place: Place) -> tuple[int, date]:
    """この結果の請求（番号、引落日）: 引落日（月日）が同じで、顧客番号のいちばん多く合う、送り出した請求。"""
    line, asked, fate = ward.debit_line, ward.debit_request, ward.debit_fate
    query = (
        select(asked.c.id, asked.c.debit_on)
        .join(fate, fate.c.request_id == asked.c.id)
        .where(fate.c.fate == "送出")
        .order_by(asked.c.debit_on.desc(), asked.c.id.desc())
    )
    sent = [row for row in connection.execute(query) if f"{row.debit_on:%m%d}" == month_day]
    given = set(rows["customer_number"].str.strip_chars())
    best, most = None, 0
    for row in sent:
        numbers = connection.execute(select(line.c.customer_number).where(line.c.request_id == row.id)).scalars()
        common = len(given.intersection(numbers))
        if common > most:
            best, most = row, common
    if best is None:
        raise RefusedByRule(
            "この結果に合う、送り出した請求がありません（引落日と顧客番号で探しました）",
            code="no-request",
            place=place,
            found=f"引落日 {month_day[:2]} 月 {month_day[2:]} 日",
        )
    return best.id, best.debit_on


def _matched(
    connection: Connection, request_id: int, asked: pl.DataFrame, rows: pl.DataFrame, place: Place
) -> pl.DataFrame:
    """結果の行に、請求の行（order_id、いまの行き先 decided・decided_code）を付ける。

    合うのは、請求の全部か、前の結果で未着だった行の全部。どちらでもなければ断る。
    """
    earlier = select(ward.debit_result.c.id).where(ward.debit_result.c.request_id == request_id)
    pending = asked.filter(pl.col("outcome").is_null())
    rows = rows.with_columns(pl.col("customer_number").str.strip_chars())
    asked = asked.with_columns(pl.col("line_number").alias(RECORD))
    pending = pending.with_columns(pl.col("line_number").alias(RECORD))
    wrong = direct_debit.differences(asked, rows)
    if not wrong.is_empty() and connection.execute(earlier).first():
        rest = direct_debit.differences(pending, rows)
        wrong = rest if rest.is_empty() else wrong
    if not wrong.is_empty():
        counts = dict(wrong.group_by("side").agg(pl.col("count").sum()).iter_rows())
        shown = "、".join(f"{side} {record} 行目" for side, record, _count in wrong.head(_SHOWN).iter_rows())
        raise RefusedInput(
            f"結果が請求 {request_id} と合いません。何も取り込んでいません（{shown}）",
            code="debit-differs",
            place=place,
            found="、".join(f"{side} {count:,} 件" for side, count in sorted(counts.items())),
            allowed="口座・金額・顧客番号が請求と全部同じ結果",
        )
    keys = list(direct_debit.SAME)
    return rows.join(
        asked.select("order_id", "receivable_id", "attempt", *keys, decided="outcome", decided_code="code"),
        on=keys,
        how="inner",
        maintain_order="left",
    )


def _refuse_changed_minds(told: pl.DataFrame, place: Place) -> None:
    """前の結果で決まった行のコードが変わっていたら断る（振替済を、後から不能にはできない）。"""
    changed = told.filter(pl.col("decided").is_not_null() & (pl.col("decided_code") != pl.col("result_code")))
    if not changed.is_empty():
        raise RefusedByRule(
            f"前の結果と違うコードの行が {changed.height:,} 件あります。銀行に確かめてください",
            code="changed-result",
            place=place,
            found="、".join(f"{record} 行目" for record in changed[RECORD].head(_SHOWN)),
        )


def _notices(paid: pl.DataFrame, debit_on: date) -> pl.DataFrame:
    on = pl.lit(debit_on).cast(pl.Date)
    return paid.select(
        line_number=pl.int_range(1, pl.len() + 1, dtype=pl.Int64),
        channel=pl.lit(Channel.DIRECT_DEBIT.value),
        kind=pl.lit(NoticeKind.FINAL.value),
        pay_key=debit_key(pl.col("customer_number")),
        paid_on=on,
        paid_time=pl.lit(""),
        place=pl.concat_str([pl.col("bank_code"), pl.col("branch_code")], separator="-"),
        amount_yen=pl.col("collected_yen"),
        settle_on=on,
    ).select(list(NOTICE))


def _group() -> pl.Expr:
    """振替済・振替不能・未着のどれか。知らないコードも、未着として人に見せる。"""
    outcome = pl.col("outcome")
    return pl.when(outcome.is_in(["paid", "failed"])).then(outcome).otherwise(pl.lit("undecided"))


def _counts(told: pl.DataFrame) -> dict[str, int]:
    grouped = told.group_by(what=_group()).agg(pl.len(), pl.col("amount_yen").sum())
    found = {str(what): (int(count), int(yen)) for what, count, yen in grouped.iter_rows()}
    counts = {"told_count": told.height, "told_yen": int(told["amount_yen"].sum())}
    for what in ("paid", "failed", "undecided"):
        counts[f"{what}_count"], counts[f"{what}_yen"] = found.get(what, (0, 0))
    return counts


def _codes(told: pl.DataFrame) -> dict[str, int]:
    failed = told.filter(pl.col("result_code") != direct_debit.PAID).group_by("result_code").len().sort("result_code")
    return {str(code): int(count) for code, count in failed.iter_rows()}


def _store(connection: Connection, result: int, told: pl.DataFrame, fresh: pl.DataFrame) -> None:
    lines = told.select(pl.lit(result), "order_id", "result_code")
    insert_rows(connection, ward.debit_told, ("result_id", "order_id", "code"), lines.iter_rows())
    ended = fresh.with_columns(what=_group()).filter(pl.col("what") != "undecided")
    paid = pl.col("what") == "paid"
    columns = ("order_id", "receivable_id", "attempt", "outcome", "unpaid", "code", "result_id")
    made = ended.select(
        "order_id",
        "receivable_id",
        "attempt",
        outcome=pl.when(paid).then(pl.lit("振替済")).otherwise(pl.lit("振替不能")),
        unpaid=pl.when(paid).then(0).otherwise(1),
        code="result_code",
        result_id=pl.lit(result),
    )
    insert_rows(connection, ward.debit_outcome, columns, made.iter_rows())


def _log(connection: Connection, request_id: int, sha256: str, counts: dict[str, int], now: datetime) -> None:
    audit.record(
        connection,
        ward.audit_log,
        at=now,
        actor=BATCH,
        action="debit.result",
        subject=f"{request_id}",
        detail={"sha256": sha256, **counts},
    )
