"""台帳の仕掛け（トリガー）の文。表の制約では言えない「書き足すだけ」「決まった進み方だけ」を守る。

PostgreSQL では権限（GRANT）でも守るが、それは置き方の話であり、ここでは持ち主でも破れないトリガーにする。
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

_PG_FUNCTION = """
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP; END $$
"""


def prepare(dialect: str) -> Iterator[str]:
    """トリガーが使う関数（PostgreSQL だけ）。"""
    if dialect == "postgresql":
        yield _PG_FUNCTION


def refuse(dialect: str, table: str, deeds: Iterable[str]) -> Iterator[str]:
    """この表への UPDATE や DELETE を断る。"""
    for deed in deeds:
        name = f"{table}_refuses_{deed.lower()}"
        if dialect == "postgresql":
            yield f"CREATE TRIGGER {name} BEFORE {deed} ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        else:
            yield (
                f"CREATE TRIGGER {name} BEFORE {deed} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only: {deed} refused'); END"
            )
    if dialect == "postgresql":
        yield (
            f"CREATE TRIGGER {table}_refuses_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def only_changes(
    dialect: str, table: str, fixed: Iterable[str], column: str, steps: Iterable[tuple[str, str]]
) -> Iterator[str]:
    """`fixed` の列は変わらず、`column` は `steps` のとおりにだけ進む。"""
    distinct = "IS DISTINCT FROM" if dialect == "postgresql" else "IS NOT"
    changed = " OR ".join(f"NEW.{name} {distinct} OLD.{name}" for name in fixed)
    allowed = " OR ".join(f"(OLD.{column} = '{old}' AND NEW.{column} = '{new}')" for old, new in steps)
    condition = f"({changed}) OR NOT (OLD.{column} = NEW.{column} OR {allowed})"
    name = f"{table}_moves_only_forward"
    if dialect == "postgresql":
        yield (
            f"CREATE TRIGGER {name} BEFORE UPDATE ON {table} FOR EACH ROW WHEN ({condition}) "
            "EXECUTE FUNCTION refuse_change()"
        )
    else:
        yield (
            f"CREATE TRIGGER {name} BEFORE UPDATE ON {table} WHEN {condition} "
            f"BEGIN SELECT RAISE(ABORT, '{table}: this step is not in the table of transitions'); END"
        )
