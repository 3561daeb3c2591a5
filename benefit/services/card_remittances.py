"""クレジットの立替金（seed 001）: 指定代理納付者からの入金の明細を、与信の知らせに一件ずつ照らす。

収納データで届いたクレジットの納付は、カードが通ったという知らせであり、お金はまだない（速報と同じに数える）。立替金の
明細が、番号も額も同じなら確報になる。額が違う・知らせがない・取り消した後のものは、決めずに人に見せる（保留）。

    明細 = 一致 + 保留 + もう届いている    銀行の入金 = 一致 + 保留 - 手数料
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl
from sqlalchemy import Connection, text

from benefit.domain.clock import Clock
from benefit.domain.collection import Channel, NoticeKind
from benefit.domain.errors import Place, RefusedByRule
from benefit.records import file_reader, mobile_register
from benefit.rules.collection_notices import NOTICE, barcode_key
from benefit.services import collections
from benefit.services.collections import Collected
from benefit.services.files import sha256_of
from benefit.services.home import Home
from benefit.store import ward
from benefit.store.bulk import insert_one, insert_rows
from benefit.store.engine import in_turn, reading
from benefit.store.frames import fetch
from benefit.store.temporary import sendable, with_temporary

#: 照らして合わなかった立替金の鍵の頭。どの調定の鍵でもないので、不明金として人の並びに出る。
HELD_KEY = "CRD:"
_KNOWN = """
    SELECT DISTINCT e.event, e.pay_key, e.place, CAST(e.paid_on AS VARCHAR(10)), e.amount_yen,
        CASE WHEN EXISTS (SELECT 1 FROM collection_notice n WHERE n.event = e.event AND n.kind = '速報取消'
                          AND n.outcome <> '既収') THEN 1 ELSE 0 END
    FROM remitting r JOIN collection_event e ON e.pay_key = r.pay_key WHERE e.channel = 'クレジット'
"""
#: 与信の知らせだけが届いて、立替金がまだのもの。
_WAITING = """
    SELECT CAST(MIN(n.settle_on) AS VARCHAR(10)), e.event, e.amount_yen
    FROM collection_event e JOIN collection_notice n ON n.event = e.event AND n.outcome <> '既収'
    WHERE e.channel = 'クレジット'
    GROUP BY e.event, e.amount_yen
    HAVING SUM(CASE WHEN n.kind = '速報' THEN 0 ELSE 1 END) = 0
"""


@dataclass(frozen=True)
class Remitted:
    """受け取った結果: 明細 = 一致 + 保留 + もう届いている（件数と円）と、手数料。"""

    collected: Collected
    counts: dict[str, int]
    outcomes: dict[str, int]


def place_of() -> pl.Expr:
    """与信の知らせと立替金の明細に、同じく書かれている番号: 取扱番号、なければ承認番号。"""
    receipt = pl.col("receipt_number").str.strip_chars()
    return pl.when(receipt != "").then(receipt).otherwise(pl.col("approval_number").str.strip_chars())


def take(home: Home, data: bytes, *, file_name: str, clock: Clock) -> Remitted:
    """立替金の明細を受け取る。様式に合わなければ、何も入らない。同じファイルも、同じ立替金も、二度数えない。"""
    found = file_reader.read(data, mobile_register.REMITTANCE, file=file_name)
    rows = found.require()
    if any(header.get("usage") == "0" for header in found.headers):
        raise RefusedByRule("テストのファイルです（利用区分 0）", code="test-file", place=Place(file=file_name))
    sha256 = sha256_of(data)
    before = collections.known(home, sha256)
    if before is not None:
        return _stored(home, before)
    lines = rows.select(
        line_number=pl.int_range(1, pl.len() + 1, dtype=pl.Int64),
        pay_key=barcode_key(pl.col("barcode")),
        place=place_of(),
        paid_on=pl.col("paid_on").str.to_date("%Y%m%d"),
        remitted_on=pl.col("remitted_on").str.to_date("%Y%m%d"),
        amount_yen=pl.col("amount_yen"),
        fee_yen=pl.col("fee_yen"),
    )
    with home.ward.begin() as connection:
        in_turn(connection, "collections")
        matched = _matched(connection, lines)
        collected = collections.take_within(
            connection, Channel.CREDIT, _notices(matched), file_name=file_name, sha256=sha256, now=clock()
        )
        return _store(connection, collected, matched)


def _matched(connection: Connection, lines: pl.DataFrame) -> pl.DataFrame:
    """明細に、与信の知らせの額 told_yen と、照らした結果 outcome を付ける。"""
    with_temporary(connection, "remitting", lines.select("line_number", "pay_key"))
    known = fetch(
        connection,
        text(_KNOWN),
        {
            "event": pl.String,
            "pay_key": pl.String,
            "place": pl.String,
            "paid_on": pl.String,
            "told_yen": pl.Int64,
            "cancelled": pl.Int64,
        },
    ).with_columns(pl.col("paid_on").str.to_date())
    key = ["pay_key", "place", "paid_on"]
    exact = known.select(*key, amount_yen="told_yen", cancelled="cancelled", exact=pl.lit(value=True)).unique(
        [*key, "amount_yen"]
    )
    any_ = known.group_by(key).agg(pl.col("told_yen").first())
    joined = lines.join(exact, on=[*key, "amount_yen"], how="left", maintain_order="left").join(
        any_, on=key, how="left", maintain_order="left"
    )
    return joined.with_columns(
        told_yen=pl.when(pl.col("exact")).then(pl.col("amount_yen")).otherwise(pl.col("told_yen")),
        outcome=pl.when(pl.col("exact") & (pl.col("cancelled") == 1))
        .then(pl.lit("取消の後"))
        .when(pl.col("exact"))
        .then(pl.lit("一致"))
        .when(pl.col("told_yen").is_not_null())
        .then(pl.lit("額が違う"))
        .otherwise(pl.lit("知らせがない")),
    )


def _notices(matched: pl.DataFrame) -> pl.DataFrame:
    known = pl.col("outcome").is_in(["一致", "取消の後"])
    held = pl.concat_str(pl.lit(HELD_KEY), pl.col("pay_key").str.strip_prefix("CVS:"))
    return matched.select(
        "line_number",
        channel=pl.lit(Channel.CREDIT.value),
        kind=pl.lit(NoticeKind.FINAL.value),
        pay_key=pl.when(known).then(pl.col("pay_key")).otherwise(held),
        paid_on="paid_on",
        paid_time=pl.lit(""),
        place="place",
        amount_yen="amount_yen",
        settle_on="remitted_on",
    ).select(list(NOTICE))


def _store(connection: Connection, collected: Collected, matched: pl.DataFrame) -> Remitted:
    counted = fetch(
        connection,
        text("SELECT line_number, event, outcome FROM collection_notice WHERE collection_file_id = :file").bindparams(
            file=collected.file_id
        ),
        {"line_number": pl.Int64, "event": pl.String, "posted": pl.String},
    )
    lines = matched.join(counted, on="line_number", how="left", maintain_order="left").with_columns(
        outcome=pl.when(pl.col("posted") == "既収").then(pl.lit("もう届いている")).otherwise(pl.col("outcome"))
    )
    group = (
        pl.when(pl.col("outcome") == "一致")
        .then(pl.lit("matched"))
        .when(pl.col("outcome") == "もう届いている")
        .then(pl.lit("repeated"))
        .otherwise(pl.lit("held"))
    )
    sums = {
        str(what): (int(count), int(yen))
        for what, count, yen in lines.group_by(group.alias("what"))
        .agg(pl.len(), pl.col("amount_yen").sum())
        .iter_rows()
    }
    counts = {"told_count": lines.height, "told_yen": int(lines["amount_yen"].sum())}
    for what in ("matched", "held", "repeated"):
        counts[f"{what}_count"], counts[f"{what}_yen"] = sums.get(what, (0, 0))
    fee = int(lines.filter(pl.col("outcome") != "もう届いている")["fee_yen"].sum())
    number = insert_one(connection, ward.card_remittance, collection_file_id=collected.file_id, fee_yen=fee, **counts)
    columns = (
        *("remittance_id", "line_number", "remitted_on", "event", "amount_yen", "fee_yen", "told_yen", "outcome"),
    )
    whole = lines.with_columns(remittance_id=pl.lit(number)).select(columns)
    insert_rows(connection, ward.card_remittance_line, columns, sendable(whole).iter_rows())
    return Remitted(collected, {**counts, "fee_yen": fee}, _told(lines["outcome"]))


def _told(outcomes: pl.Series) -> dict[str, int]:
    return {str(row[0]): int(row[1]) for row in outcomes.value_counts(sort=True).iter_rows()}


def _stored(home: Home, collected: Collected) -> Remitted:
    table, line = ward.card_remittance, ward.card_remittance_line
    with reading(home.ward) as connection:
        row = connection.execute(
            table.select().where(table.c.collection_file_id == collected.file_id)
        ).mappings().one()  # fmt: skip
        said = connection.execute(line.select().where(line.c.remittance_id == row["id"])).mappings().all()
    counts = {name: int(value) for name, value in row.items() if name.endswith(("_count", "_yen"))}
    return Remitted(collected, counts, _told(pl.Series([one["outcome"] for one in said], dtype=pl.String)))


@dataclass(frozen=True)
class Differs:
    """合わなかった立替金一件。"""

    remitted_on: date
    amount_yen: int
    told_yen: int | None
    outcome: str
    event: str


def differences(home: Home) -> list[Differs]:
    """与信の知らせと合わなかった立替金（新しい順）。お金は、人が決める入金の並びにある。"""
    line = ward.card_remittance_line
    wrong = line.c.outcome.in_(["額が違う", "知らせがない", "取消の後"])
    query = line.select().where(wrong).order_by(line.c.remitted_on.desc(), line.c.remittance_id, line.c.line_number)
    with reading(home.ward) as connection:
        return [
            Differs(row.remitted_on, row.amount_yen, row.told_yen, row.outcome, row.event)
            for row in connection.execute(query)
        ]


def waiting(home: Home, today: date) -> tuple[int, int, int, int]:
    """立替金を待つ与信: (件数、額、送金予定日を過ぎた件数、その額)。"""
    with reading(home.ward) as connection:
        rows = fetch(connection, _WAITING, {"settle_on": pl.String, "event": pl.String, "yen": pl.Int64})
    late = rows.filter(pl.col("settle_on").str.to_date() < today)
    return rows.height, int(rows["yen"].sum()), late.height, int(late["yen"].sum())
