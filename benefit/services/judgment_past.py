"""前に支給可と判定した時、その世帯の給付に誰を数えたか（CHK42）。

世帯の番号は、後の抽出データで変わる。世帯主でない人が分かれて自分の世帯になれば、いまの住民記録だけでは、その人の分も
払った世帯とは別の世帯に見える（上峰町）。だから、判定した時の写しから、数えた人を読み直す。
"""

from __future__ import annotations

import polars as pl
from sqlalchemy import func, select

from benefit.services import extracts
from benefit.services.gate import Standing
from benefit.services.home import Home
from benefit.store import ward
from benefit.store.engine import reading

COUNTED = {"id": pl.Int64, "person_number": pl.Int64}


def counted_then(home: Home, standing: Standing) -> pl.DataFrame:
    """権利ごとの、最後に支給可と判定した時に世帯にいた人: id、person_number。

    いまの写しで判定したものは入らない（いまの世帯と同じである）。古い写しがなければ、台帳の判定を読みもしない。
    """
    inputs = standing.inputs
    current = inputs.sources["residents"].sha256
    with reading(home.ward) as connection:
        file, snapshot, verdict = ward.planned_file, ward.snapshot, ward.verdict
        then = (
            select(func.max(snapshot.c.id))
            .where(snapshot.c.kind == "residents", snapshot.c.imported_at <= file.c.judged_at)
            .correlate(file)
            .scalar_subquery()
        )
        files = connection.execute(
            select(file.c.id, snapshot.c.sha256)
            .join(snapshot, snapshot.c.id == then)
            .where(file.c.programme == inputs.programme.id, snapshot.c.sha256 != current)
        ).all()
        if not files:
            return pl.DataFrame(schema=COUNTED)
        rows = connection.execute(
            select(verdict.c.entitlement_id, func.max(verdict.c.planned_file_id))
            .where(verdict.c.verdict == "支給可")
            .group_by(verdict.c.entitlement_id)
        ).all()
    judged = (
        pl.DataFrame([tuple(row) for row in rows], schema={"id": pl.Int64, "file_id": pl.Int64}, orient="row")
        .join(
            pl.DataFrame(
                [tuple(row) for row in files], schema={"file_id": pl.Int64, "sha256": pl.String}, orient="row"
            ),
            on="file_id",
        )
        .join(standing.entitlements.filter(pl.col("slot_kind") == "HH100K").select("id", "household_number"), on="id")
    )
    base = inputs.programme.base_date
    gone = pl.col("removed_on").is_not_null() & (pl.col("removed_on") <= base)
    found = [
        pl.scan_parquet(extracts.snapshot_path(home, "residents", sha))
        .filter((pl.col("became_resident_on") <= base) & ~gone)
        .select("person_number", "household_number")
        .join(part.lazy().select("id", "household_number"), on="household_number")
        .select(**{name: pl.col(name) for name in COUNTED})
        for (sha,), part in judged.group_by("sha256")
    ]
    return pl.concat(found).collect().unique() if found else pl.DataFrame(schema=COUNTED)
