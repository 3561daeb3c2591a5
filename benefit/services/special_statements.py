"""特別徴収の納入書（収納）と納入明細（seed 004 ③④）を、指定番号と月で比べ、違いを並べる。

明細は、金融機関が代行して集めた内訳であり、お金ではない。お金は納入書（収納データ）の側で一度だけ数える。
月は、納付年月日の月（明細に期別はない）。
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import polars as pl
from sqlalchemy import Connection, select

from benefit.domain.access import BATCH, Actor
from benefit.domain.clock import Clock
from benefit.domain.collection import Channel
from benefit.domain.errors import Place, RefusedByRule, WrongUse
from benefit.records import counter, file_reader
from benefit.services import collections, two_people
from benefit.services.collections import Collected
from benefit.services.files import sha256_of
from benefit.services.home import Home
from benefit.store import audit, ward
from benefit.store.bulk import insert_one, insert_rows
from benefit.store.engine import in_turn, reading
from benefit.store.frames import fetch
from benefit.store.temporary import sendable, with_temporary

#: 税額・延滞金額・退職税額（様式の列 → 台帳の列）。
MONEY = {"paid_yen": "tax_yen", "late_fee_yen": "late_yen", "retirement_yen": "retirement_yen"}
_LABELS = {"tax_yen": "税額", "late_yen": "延滞金額", "retirement_yen": "退職税額"}


def _common() -> dict[str, pl.Expr]:
    return {
        "line_number": pl.int_range(1, pl.len() + 1, dtype=pl.Int64),
        "employer_number": pl.col("employer_number").str.strip_chars(),
        "paid_on": pl.col("paid_on").str.to_date("%Y%m%d"),
        "bank_code": pl.col("bank_code"),
        **{name: pl.col(column) for column, name in MONEY.items()},
    }


def take_slips(
    home: Home, rows: pl.DataFrame, notices: pl.DataFrame, file_name: str, sha256: str, *, clock: Clock
) -> Collected:
    """納入書の収納を消し込み、内訳（税額・延滞金・退職税額）を一緒に残す。"""
    before = collections.known(home, sha256)
    if before is not None:
        return before
    with home.ward.begin() as connection:
        done = collections.take_within(
            connection, Channel.SPECIAL, notices, file_name=file_name, sha256=sha256, now=clock()
        )
        if done.repeated:
            return done
        made = rows.select(
            collection_file_id=pl.lit(done.file_id),
            fiscal_year=pl.col("fiscal_year").cast(pl.Int64),
            term=pl.col("term").cast(pl.Int64),
            **_common(),
        )
        columns = tuple(made.columns)
        insert_rows(connection, ward.special_slip, columns, sendable(made).iter_rows())
    return done


def take(home: Home, data: bytes, *, file_name: str, clock: Clock) -> Collected:
    """納入明細のファイルを受け取る。お金ではないので仕訳はしない。同じファイルも、同じ明細も、二度数えない。"""
    found = file_reader.read(data, counter.STATEMENT, file=file_name)
    rows = found.require()
    if any(header.get("usage") == "0" for header in found.headers):
        raise RefusedByRule("テストのファイルです（利用区分 0）", code="test-file", place=Place(file=file_name))
    sha256 = sha256_of(data)
    parts = (
        *("agent_bank_code", "hub_branch_code", "branch_code", "employer_number", "bank_code", "paid_on"),
        *MONEY,
    )
    entry = pl.concat_str([pl.col(name).cast(pl.String).str.strip_chars() for name in parts], separator="|")
    made = rows.select(entry=entry, employer_name=pl.col("employer_name").str.strip_chars(), **_common())
    # 同じ中身の行が一つのファイルに二つあれば、別々の明細である。
    made = made.with_columns(turn=pl.int_range(pl.len()).over("entry")).with_columns(
        entry=pl.when(pl.col("turn") > 0)
        .then(pl.format("{}#{}", pl.col("entry"), pl.col("turn") + 1))
        .otherwise(pl.col("entry"))
    )
    with home.ward.begin() as connection:
        in_turn(connection, "collections")
        table = ward.special_statement
        old = connection.execute(select(table).where(table.c.sha256 == sha256)).mappings().first()
        if old is not None:
            return _counted(old["id"], old["rows_read"], old["rows_rejected"], repeated=True)
        with_temporary(connection, "stating", made.select("line_number", "entry"))
        known = fetch(
            connection,
            "SELECT s.entry FROM stating s JOIN special_statement_line l ON l.entry = s.entry",
            {"entry": pl.String},
        )
        new = made.join(known, on="entry", how="anti", maintain_order="left")
        now = clock()
        number = insert_one(
            connection,
            table,
            file_name=file_name,
            sha256=sha256,
            rows_read=made.height,
            rows_counted=new.height,
            rows_rejected=made.height - new.height,
            received_at=now,
            **{name: int(made[name].sum()) for name in MONEY.values()},
        )
        columns = (
            *("entry", "statement_id", "line_number", "employer_number", "employer_name", "paid_on", "bank_code"),
            *MONEY.values(),
        )
        lines = new.with_columns(statement_id=pl.lit(number)).select(columns)
        insert_rows(connection, ward.special_statement_line, columns, sendable(lines).iter_rows())
        audit.record(
            connection,
            ward.audit_log,
            at=now,
            actor=BATCH,
            action="collection.statement",
            subject=sha256[:16],
            detail={"sha256": sha256, "rows": made.height, "counted": new.height},
        )
    return _counted(number, made.height, made.height - new.height, repeated=False)


def _counted(number: int, read: int, rejected: int, *, repeated: bool) -> Collected:
    return Collected(number, read, read - rejected, 0, rejected, 0, repeated)


_SLIPS = """
    SELECT s.employer_number, SUBSTR(CAST(s.paid_on AS VARCHAR(10)), 1, 7) AS month, CAST(COUNT(*) AS BIGINT),
           CAST(SUM(s.tax_yen) AS BIGINT), CAST(SUM(s.late_yen) AS BIGINT), CAST(SUM(s.retirement_yen) AS BIGINT)
    FROM special_slip s JOIN collection_notice n
      ON n.collection_file_id = s.collection_file_id AND n.line_number = s.line_number AND n.outcome <> '既収'
    GROUP BY s.employer_number, SUBSTR(CAST(s.paid_on AS VARCHAR(10)), 1, 7)
"""
_STATEMENTS = """
    SELECT l.employer_number, SUBSTR(CAST(l.paid_on AS VARCHAR(10)), 1, 7) AS month, CAST(COUNT(*) AS BIGINT),
           CAST(SUM(l.tax_yen) AS BIGINT), CAST(SUM(l.late_yen) AS BIGINT), CAST(SUM(l.retirement_yen) AS BIGINT),
           MAX(l.employer_name)
    FROM special_statement_line l
    GROUP BY l.employer_number, SUBSTR(CAST(l.paid_on AS VARCHAR(10)), 1, 7)
"""


def _sides(home: Home) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    sums = {"count": pl.Int64, **dict.fromkeys(MONEY.values(), pl.Int64)}
    key = {"employer_number": pl.String, "month": pl.String}
    closed = ward.special_closed
    with reading(home.ward) as connection:
        slips = fetch(connection, _SLIPS, {**key, **sums})
        statements = fetch(connection, _STATEMENTS, {**key, **sums, "employer_name": pl.String})
        done = fetch(
            connection,
            select(closed.c.employer_number, closed.c.month, closed.c.digest),
            {**key, "digest": pl.String},
        )
    return slips, statements, done


@dataclass(frozen=True)
class Compared:
    """比べた結果: 合った組の数、片づけた違いの数、まだの違い。"""

    agreed: int
    closed: int
    differences: pl.DataFrame


def compare(home: Home) -> Compared:
    """指定番号と月ごとに、納入書の合計と明細の合計を比べる。違いには、わけ `why` と指紋 `digest` が付く。"""
    slips, statements, done = _sides(home)
    whole = slips.join(
        statements, on=["employer_number", "month"], how="full", coalesce=True, suffix="_told"
    ).with_columns(pl.col("employer_name").fill_null(""))
    names = ["count", *MONEY.values()]
    whole = whole.with_columns(
        in_slips=pl.col("count").is_not_null(),
        in_statements=pl.col("count_told").is_not_null(),
        **{name: pl.col(name).fill_null(0) for pair in names for name in (pair, f"{pair}_told")},
    )
    totals = [pl.sum_horizontal(f"{name}{side}" for name in MONEY.values()) for side in ("", "_told")]
    whole = whole.with_columns(slip_yen=totals[0], statement_yen=totals[1])
    differs = pl.any_horizontal(pl.col(name) != pl.col(f"{name}_told") for name in MONEY.values())
    wrong = whole.filter(differs | (pl.col("in_slips") != pl.col("in_statements")))
    agreed = whole.height - wrong.height
    wrong = wrong.with_columns(
        digest=pl.concat_str(
            [pl.col(name) for pair in MONEY.values() for name in (pair, f"{pair}_told")], separator="|"
        ).map_elements(lambda text: hashlib.sha256(text.encode()).hexdigest(), return_dtype=pl.String),
        why=_why(wrong),
    )
    rest = wrong.join(done, on=["employer_number", "month", "digest"], how="anti")
    return Compared(agreed, wrong.height - rest.height, rest.sort("month", "employer_number"))


def _why(wrong: pl.DataFrame) -> pl.Expr:
    """違いのわけ。ほかの月に同じ額の相手があれば、それを言う（日付のずれ）。"""
    slip_only = wrong.filter(~pl.col("in_statements")).select("employer_number", yen="slip_yen").unique()
    told_only = wrong.filter(~pl.col("in_slips")).select("employer_number", yen="statement_yen").unique()
    pairs = slip_only.join(told_only, on=["employer_number", "yen"], how="inner")
    shifted = pl.format("{}|{}", "employer_number", pl.max_horizontal("slip_yen", "statement_yen")).is_in(
        [f"{employer}|{yen}" for employer, yen in pairs.iter_rows()]
    )
    one_side = pl.col("in_slips") != pl.col("in_statements")
    parts = [
        pl.when(pl.col(name) != pl.col(f"{name}_told")).then(pl.lit(f"{label}が違う"))
        for name, label in _LABELS.items()
    ]
    return (
        pl.when(one_side & shifted)
        .then(pl.lit("同じ額が別の月にある（納付日のずれ）"))
        .when(~pl.col("in_statements"))
        .then(pl.lit("明細がない"))
        .when(~pl.col("in_slips"))
        .then(pl.lit("納入書がない"))
        .otherwise(pl.concat_str(parts, separator="、", ignore_nulls=True))
    )


def close(
    home: Home, employer_number: str, month: str, digest: str, *, reason: str, actor: Actor, clock: Clock
) -> None:
    """確かめて片づける。額が変われば、また並びに出る。"""
    two_people.need_clerk(actor)
    reason = two_people.need_reason(reason)
    found = compare(home).differences.filter(
        (pl.col("employer_number") == employer_number) & (pl.col("month") == month) & (pl.col("digest") == digest)
    )
    if found.is_empty():
        raise WrongUse("この違いは、もう片づけたか、額が変わっています。開き直してください", code="changed")
    with home.ward.begin() as connection:
        in_turn(connection, "collections")
        _refuse_closed(connection, employer_number, month, digest)
        now = clock()
        told: dict[str, Any] = {"employer_number": employer_number, "month": month}
        connection.execute(
            ward.special_closed.insert().values(**told, digest=digest, reason=reason, closed_by=actor.id, closed_at=now)
        )
        audit.record(
            connection,
            ward.audit_log,
            at=now,
            actor=actor,
            action="collection.statement.close",
            subject=f"{employer_number} {month}"[:64],
            reason=reason,
            detail={"digest": digest},
        )


def _refuse_closed(connection: Connection, employer_number: str, month: str, digest: str) -> None:
    table = ward.special_closed
    query = select(table.c.month).where(
        table.c.employer_number == employer_number, table.c.month == month, table.c.digest == digest
    )
    if connection.execute(query).first():
        raise RefusedByRule("この違いは、もう片づけてあります", code="closed")
