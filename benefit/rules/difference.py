"""二つの判定の差: 誰が入り、誰が外れ、金額がどう動くか。全員の一覧ではなく、差を見て承認するためにある。"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import polars as pl

#: 差の種類。上から見て、最初に当たったもの。
KINDS = (
    "入る",
    "外れる",
    "増える",
    "減る",
    "給付が変わる",
    "受給者が変わる",
    "届け方が変わる",
    "口座が変わる",
    "判定が変わる",
)
_SUBJECT = ("subject_kind", "subject_number")
_SEEN = ("benefit", "verdict", "reasons", "amount_yen", "payee_number", "route", "account_flag")


@dataclass(frozen=True)
class Difference:
    """差の全部。

    rows: 違う行だけ。subject_kind、subject_number、kind（KINDS のどれか）と、前（_before）と今（_now）の判定の列。
    benefits: 給付ごとの件数と円（前・今・入る・外れる）。moves: 種類ごとの件数と円の増減。
    """

    rows: pl.DataFrame
    benefits: pl.DataFrame
    moves: pl.DataFrame

    @property
    def digest(self) -> str:
        """差の指紋。承認する人は、これを承認する。"""
        content = self.rows.write_csv().encode() + self.benefits.write_csv().encode()
        return hashlib.sha256(content).hexdigest()


def difference(before: pl.DataFrame, now: pl.DataFrame) -> Difference:
    """`before`（前に承認した判定。なければ行のない表）と `now` の差。どちらも outcomes の列を持つ。"""
    left, right = (frame.select(*_SUBJECT, *_SEEN) for frame in (before, now))
    both = left.join(right, on=_SUBJECT, how="full", suffix="_now", coalesce=True).rename(
        {name: f"{name}_before" for name in _SEEN}
    )
    was = (pl.col("verdict_before") == "対象").fill_null(value=False)
    is_now = (pl.col("verdict_now") == "対象").fill_null(value=False)
    moved = pl.col("amount_yen_now").fill_null(0) - pl.col("amount_yen_before").fill_null(0)

    def changed(name: str) -> pl.Expr:
        return pl.col(f"{name}_before").ne_missing(pl.col(f"{name}_now"))

    paid = was & is_now
    kind = (
        pl.when(~was & is_now)
        .then(pl.lit("入る"))
        .when(was & ~is_now)
        .then(pl.lit("外れる"))
        .when(paid & (moved > 0))
        .then(pl.lit("増える"))
        .when(paid & (moved < 0))
        .then(pl.lit("減る"))
        .when(paid & changed("benefit"))
        .then(pl.lit("給付が変わる"))
        .when(paid & changed("payee_number"))
        .then(pl.lit("受給者が変わる"))
        .when(paid & changed("route"))
        .then(pl.lit("届け方が変わる"))
        .when(paid & changed("account_flag"))
        .then(pl.lit("口座が変わる"))
        # 対象でない人どうしでも、未確定になった・未確定でなくなったことは、次にすることが変わる。
        .when(~was & ~is_now & pl.col("verdict_before").is_not_null() & changed("verdict"))
        .then(pl.lit("判定が変わる"))
    )
    rows = (
        both.with_columns(kind=kind, moved_yen=moved)
        .filter(pl.col("kind").is_not_null())
        .select(
            *_SUBJECT,
            "kind",
            "moved_yen",
            *(f"{name}_{when}" for name in _SEEN for when in ("before", "now")),
        )
        .sort(
            pl.col("kind").cast(pl.Enum(KINDS)),
            pl.col("moved_yen").abs(),
            *_SUBJECT,
            descending=[False, True, False, False],
        )
    )
    return Difference(rows, _benefits(left, right, rows), _moves(rows))


def _benefits(before: pl.DataFrame, now: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    def paid(frame: pl.DataFrame, when: str) -> pl.DataFrame:
        chosen = frame.filter(pl.col("verdict") == "対象").group_by("benefit")
        return chosen.agg(
            pl.len().cast(pl.Int64).alias(f"{when}_rows"), pl.col("amount_yen").sum().alias(f"{when}_yen")
        )

    def moved(kind: str, benefit: str, name: str) -> pl.DataFrame:
        chosen = rows.filter(pl.col("kind") == kind).group_by(benefit=benefit)
        return chosen.agg(pl.len().cast(pl.Int64).alias(f"{name}_rows"), pl.col("moved_yen").sum().alias(f"{name}_yen"))

    joined = paid(before, "before")
    for frame in (
        paid(now, "now"),
        moved("入る", "benefit_now", "entering"),
        moved("外れる", "benefit_before", "leaving"),
    ):
        joined = joined.join(frame, on="benefit", how="full", coalesce=True)
    return joined.fill_null(0).sort("benefit")


def _moves(rows: pl.DataFrame) -> pl.DataFrame:
    order = pl.DataFrame({"kind": KINDS})
    found = rows.group_by("kind").agg(rows=pl.len().cast(pl.Int64), yen=pl.col("moved_yen").sum())
    return order.join(found, on="kind", how="left", maintain_order="left").fill_null(0)


def silent_checks(checks: dict[str, dict[str, dict[str, int]]]) -> list[str]:
    """誰も外さなかった検査（対象区分と検査の id）。実データで 0 件なら、見落としの印である（姶良市の事例）。"""
    return [
        f"{subject} {name}"
        for subject, found in checks.items()
        for name, cell in found.items()
        if cell["unmet"] + cell["unknown"] == 0
    ]
