"""前に支給可と判定した時、その世帯の給付に誰を数えたか（CHK42）。

世帯の番号は、後の抽出データで変わる。世帯主でない人が分かれて自分の世帯になれば、いまの住民記録だけでは、その人の分も
払った世帯とは別の世帯に見える（上峰町）。だから、判定した時の写しから、数えた人を読み直す。
"""

from __future__ import annotations

import polars as pl
from sqlalchemy import Connection, func, select

from benefit.services import extracts
from benefit.services.gate import Standing
from benefit.services.home import Home
from benefit.services.standing import Inputs
from benefit.store import ward
from benefit.store.engine import reading

#: 番号の並びを分けて渡す数（SQLite の変数の上限より小さく）。
_PART = 5_000
COUNTED = {"id": pl.Int64, "person_number": pl.Int64}


def counted_then(home: Home, standing: Standing, proposed: pl.Series) -> pl.DataFrame:
    """権利ごとの、最後に支給可と判定した時に世帯にいた人: id、person_number。

    いまの写しで判定したものは入らない（いまの世帯と同じである）。見るのは、判定する行（`proposed`: 給付管理番号）の人が
    前にいた世帯の権利だけで、台帳の判定の全部は読まない。
    """
    inputs = standing.inputs
    with reading(home.ward) as connection:
        files = _old_files(connection, inputs)
        if files.is_empty():
            return pl.DataFrame(schema=COUNTED)
        then = _members_then(home, standing, files["sha256"].unique().sort().to_list(), proposed)
        last = _last_payable(connection, then["id"].unique().sort().to_list())
    return then.join(last.join(files, on="file_id"), on=["id", "sha256"]).select(*COUNTED).unique()


def _old_files(connection: Connection, inputs: Inputs) -> pl.DataFrame:
    """前の写しで判定したファイル: file_id、sha256（その時の住民記録の写し）。"""
    file, snapshot = ward.planned_file, ward.snapshot
    then = (
        select(func.max(snapshot.c.id))
        .where(snapshot.c.kind == "residents", snapshot.c.imported_at <= file.c.judged_at)
        .correlate(file)
        .scalar_subquery()
    )
    current = inputs.sources["residents"].sha256
    query = (
        select(file.c.id, snapshot.c.sha256)
        .join(snapshot, snapshot.c.id == then)
        .where(file.c.programme == inputs.programme.id, snapshot.c.sha256 != current)
    )
    rows = [tuple(row) for row in connection.execute(query)]
    return pl.DataFrame(rows, schema={"file_id": pl.Int64, "sha256": pl.String}, orient="row")


def _members_then(home: Home, standing: Standing, shas: list[str], proposed: pl.Series) -> pl.DataFrame:
    """判定する行の人が、それぞれの写しでいた世帯の権利: id、person_number、sha256。"""
    mine = standing.entitlements.filter(pl.col("case_number").is_in(proposed.implode()))
    households = mine["household_number"].drop_nulls()
    persons = standing.decisions.persons.filter(pl.col("household_number").is_in(households.implode()))
    fled = [
        person
        for claim in standing.inputs.claims
        if claim.kind == "evacuee"
        for person in (claim.person_number, *claim.content["companions"])
    ]
    wanted = pl.concat(
        [persons["person_number"], mine["payee_number"], pl.Series("person_number", fled, dtype=pl.Int64)]
    ).unique()
    slots = standing.entitlements.filter(pl.col("slot_kind") == "HH100K").select("id", "household_number")
    base = standing.inputs.programme.base_date
    gone = pl.col("removed_on").is_not_null() & (pl.col("removed_on") <= base)
    return pl.concat(
        [
            pl.scan_parquet(extracts.snapshot_path(home, "residents", sha))
            .filter((pl.col("became_resident_on") <= base) & ~gone, pl.col("person_number").is_in(wanted.implode()))
            .select("person_number", "household_number")
            .join(slots.lazy(), on="household_number")
            .select(**{name: pl.col(name) for name in COUNTED}, sha256=pl.lit(sha))
            for sha in shas
        ]
    ).collect()


def _last_payable(connection: Connection, numbers: list[int]) -> pl.DataFrame:
    """これらの権利の、最後に支給可と判定したファイル: id、file_id。"""
    verdict = ward.verdict
    query = (
        select(verdict.c.entitlement_id, func.max(verdict.c.planned_file_id))
        .where(verdict.c.verdict == "支給可")
        .group_by(verdict.c.entitlement_id)
    )
    rows = [
        tuple(row)
        for start in range(0, len(numbers), _PART)
        for row in connection.execute(query.where(verdict.c.entitlement_id.in_(numbers[start : start + _PART])))
    ]
    return pl.DataFrame(rows, schema={"id": pl.Int64, "file_id": pl.Int64}, orient="row")
