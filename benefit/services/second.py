"""二つの判定の突き合わせ: 本体（Polars）と第二の判定（素の Python）を全員について走らせ、全部の列を比べる。

どちらも、集めた同じ事実（`standing.Inputs.facts`）と同じ事業を読む。何件を比べ、いくつ違ったかは、入力の指紋と
ともに監査ログに残り、承認する人が見られる。
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import polars as pl
from sqlalchemy import Connection, select

from benefit.domain.access import BATCH
from benefit.domain.clock import Clock
from benefit.domain.programme import Programme
from benefit.records import outcomes as outcome_file
from benefit.rules.facts import Facts
from benefit.second.evaluate import evaluate
from benefit.second.judged import Outcome
from benefit.second.ward_rows import COLUMNS, Row
from benefit.services.files import sha256_of, write_atomic
from benefit.services.home import Home
from benefit.services.standing import decide_now, gather
from benefit.store import audit, ward

ACTION = "beneficiaries.verify"
FILE_NAME = "second_differences.csv"
_KEY = ["subject_kind", "subject_number"]
_SCHEMA = pl.Schema(
    {name: pl.Int64 if name.endswith(("_number", "_yen")) else pl.String for name in outcome_file.COLUMNS.values()}
)
_COMPARED = [name for name in _SCHEMA if name not in _KEY]
_HEADING = {name: heading for heading, name in outcome_file.COLUMNS.items()}
#: 進みを言う間隔（行）。
_STEP = 5_000

#: (済んだ行、全部の行) を受け取る。
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Verified:
    """突き合わせ一回。

    read: 読んだ行（抽出データの種類ごと）。compared: 比べた行。differences: 違った行。
    input_digest・outcomes_sha256: 入力と、本体の outcomes.csv の指紋。path: 違いを書いたファイル。
    """

    read: dict[str, int]
    compared: int
    differences: int
    input_digest: str
    outcomes_sha256: str
    path: Path | None


@dataclass(frozen=True)
class Seen:
    """監査ログに残った突き合わせ。"""

    at: datetime
    compared: int
    differences: int


def second_outcomes(facts: Facts, programme: Programme, today: date, progress: Progress | None = None) -> pl.DataFrame:
    """第二の判定の答え。列は outcomes.csv と同じ。`progress` の「全部」は、見込みの行数である。"""
    expected = facts.taxes.height + facts.shortfall.height + facts.residents["household_number"].n_unique()

    def told(found: Iterator[Outcome]) -> Iterator[Outcome]:
        for place, row in enumerate(found):
            if progress is not None and place % _STEP == 0:
                progress(min(place, expected), expected)
            yield row

    rows = list(told(evaluate(rows_of(facts), programme, today)))
    if progress is not None:
        progress(expected, expected)
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")


def rows_of(facts: Facts) -> Mapping[str, Iterator[Row]]:
    """表を、第二の判定が読む行に。"""
    return {kind: getattr(facts, kind).select(names).iter_rows(named=True) for kind, names in COLUMNS.items()}


def differences(ours: pl.DataFrame, second: pl.DataFrame) -> pl.DataFrame:
    """違う行: 対象、違う列（片方にない行は「行」）、両方の答え。同じ対象の行が二つあれば、それも違いである。"""
    first, other = (
        frame.select(_SCHEMA.names()).with_columns(
            twice=pl.len().over(_KEY) > 1, place=pl.int_range(pl.len(), dtype=pl.Int64).over(_KEY)
        )
        for frame in (ours, second)
    )
    joined = first.join(other, on=[*_KEY, "place"], how="full", coalesce=True, suffix="_second")
    one_sided = pl.col("verdict").is_null() | pl.col("verdict_second").is_null()
    twice = pl.any_horizontal(pl.col("twice", "twice_second").fill_null(value=False))
    unlike = [pl.col(name).ne_missing(pl.col(f"{name}_second")) for name in _COMPARED]
    parts = [
        pl.when(one_sided | twice).then(pl.lit("行")),
        *(
            pl.when(expr & ~one_sided).then(pl.lit(_HEADING[name]))
            for name, expr in zip(_COMPARED, unlike, strict=True)
        ),
    ]
    return (
        joined.filter(pl.any_horizontal(one_sided, twice, *unlike))
        .sort(*_KEY, "place")
        .select(
            pl.col("subject_kind").alias(_HEADING["subject_kind"]),
            pl.col("subject_number").cast(pl.String).str.zfill(10).alias(_HEADING["subject_number"]),
            pl.concat_str(parts, separator=";", ignore_nulls=True).alias("違う列"),
            *(
                pl.col(f"{name}{suffix}").alias(f"{whose}:{_HEADING[name]}")
                for name in _COMPARED
                for whose, suffix in (("本体", ""), ("第二", "_second"))
            ),
        )
    )


def verify(
    home: Home,
    programme: Programme,
    today: date,
    *,
    clock: Clock,
    out: Path | None = None,
    progress: Progress | None = None,
) -> Verified:
    """全員を二つの判定で判定し、比べ、結果を残す。違いは `out`（なければ出し箱）の second_differences.csv に書く。"""
    inputs = gather(home, programme, today)
    ours = decide_now(inputs).outcomes
    second = second_outcomes(inputs.facts, programme, today, progress)
    found = differences(ours, second)
    path = None
    if found.height or out is not None:
        path = (out or home.outbox / "verify") / FILE_NAME
        write_atomic(path, found.write_csv(quote_style="necessary").encode())
    done = Verified(
        read={kind: getattr(inputs.facts, kind).height for kind in COLUMNS if getattr(inputs.facts, kind).height},
        compared=ours.height,
        differences=found.height,
        input_digest=inputs.digest,
        outcomes_sha256=sha256_of(outcome_file.render(ours)),
        path=path,
    )
    with home.ward.begin() as connection:
        audit.record(
            connection,
            ward.audit_log,
            at=clock(),
            actor=BATCH,
            action=ACTION,
            subject=programme.id,
            detail={
                "inputs": done.input_digest,
                "outcomes": done.outcomes_sha256,
                "compared": done.compared,
                "differences": done.differences,
            },
        )
    return done


def last_seen(connection: Connection, programme: Programme, input_digest: str) -> Seen | None:
    """この入力の判定を、最後に突き合わせた結果。まだなければ None。"""
    log = ward.audit_log
    rows = connection.execute(
        select(log.c.at, log.c.detail)
        .where(log.c.action == ACTION, log.c.subject == programme.id)
        .order_by(log.c.sequence.desc())
    )
    for at, text in rows:
        detail = json.loads(text)
        if detail["inputs"] == input_digest:
            return Seen(at, detail["compared"], detail["differences"])
    return None
