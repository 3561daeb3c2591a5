"""新しい抽出データと、前の写しとの違い: 何人増え、減り、何が変わったか。

取り込んだ人が、その場で「いつもと違う」に気づくためにある（行が半分になったファイル、支援措置の印が消えたファイル）。
誰に何をするかは、`benefit.services.changes` が権利ごとに言う。
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl
from sqlalchemy import select

from benefit.services import extracts
from benefit.services.home import Home
from benefit.store import ward
from benefit.store.engine import reading

#: 種類ごとの、行を見分ける列。
KEYS = {
    "residents": ("person_number",),
    "taxes": ("person_number",),
    "shortfall": ("person_number",),
    "prior": ("benefit_name", "household_number", "person_number"),
    "accounts": ("person_number", "account_kind"),
    "addresses": ("person_number", "kind"),
    "protected": ("person_number", "kind"),
    "braille": ("person_number",),
}
#: 変わったことの名 → 見る列。一人がいくつにも数えられる。
_WATCHED: dict[str, dict[str, tuple[str, ...]]] = {
    "residents": {
        "世帯": ("household_number",),
        "続柄": ("relation",),
        "住所": ("postal_code", "address", "address2"),
        "氏名": ("name", "kana_name", "former_name"),
        "消除": ("removed_on", "removed_reason"),
        "生年月日": ("birth",),
    },
    "taxes": {
        "所得割": ("income_levy_ward_yen", "income_levy_metro_yen"),
        "均等割": ("per_capita_levy_yen",),
        "申告": ("declaration",),
        "扶養": ("supporter_number", "supporter_outside", "dependants_16_and_over", "dependants_under_16"),
        "死亡日": ("died_on",),
    },
    "accounts": {"口座": ("bank_code", "branch_code", "account_type", "account_number", "holder_kana")},
}


@dataclass(frozen=True)
class Delta:
    """前の写しとの違い。before・now は行の数、changed は変わった行、named は変わったことの名ごとの行の数。"""

    before: int
    now: int
    added: int
    removed: int
    changed: int
    named: dict[str, int]


def against_previous(home: Home, kind: str, sha256: str) -> Delta | None:
    """この写しと、その前に取り込んだ同じ種類・同じ年度の写しとの違い。前がなければ None。"""
    table = ward.snapshot
    with reading(home.ward) as connection:
        this = connection.execute(
            select(table.c.id, table.c.levy_year, table.c.file_name).where(
                table.c.kind == kind, table.c.sha256 == sha256
            )
        ).one()
        same_year = table.c.levy_year.is_(None) if this.levy_year is None else table.c.levy_year == this.levy_year
        previous = connection.execute(
            select(table.c.file_name, table.c.sha256)
            .where(table.c.kind == kind, table.c.id < this.id, same_year)
            .order_by(table.c.id.desc())
            .limit(1)
        ).first()
    if previous is None:
        return None
    old = extracts.load(home, extracts.Source(kind, previous.file_name, previous.sha256))
    new = extracts.load(home, extracts.Source(kind, this.file_name, sha256))
    return delta(kind, old, new)


def delta(kind: str, old: pl.DataFrame, new: pl.DataFrame) -> Delta:
    """二つの写しの違い。元のファイルの行番号は、違いに数えない。"""
    key = list(KEYS[kind])
    left, right = old.drop("line").unique(key, keep="last"), new.drop("line").unique(key, keep="last")
    both = left.join(right, on=key, suffix="_now", nulls_equal=True)
    values = [name for name in left.columns if name not in key]

    def differs(names: tuple[str, ...] | list[str]) -> pl.Expr:
        tests = [pl.col(name).ne_missing(pl.col(f"{name}_now")) for name in names]
        return pl.any_horizontal(tests) if tests else pl.lit(value=False)

    watched = _WATCHED.get(kind, {})
    counted = both.select(
        differs(values).sum().alias("changed"), *(differs(names).sum().alias(told) for told, names in watched.items())
    ).row(0, named=True)
    return Delta(
        old.height,
        new.height,
        right.height - both.height,
        left.height - both.height,
        int(counted["changed"]),
        {told: int(counted[told]) for told in watched if counted[told]},
    )
