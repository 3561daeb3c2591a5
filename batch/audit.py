"""監査ログ: benefit audit verify"""

from __future__ import annotations

import typer

from batch.context import context
from benefit.domain.errors import RefusedByRule

app = typer.Typer(no_args_is_help=True, help="監査ログを確かめる")


@app.command("verify")
def audit_verify(ctx: typer.Context) -> None:
    """監査ログの鎖を最初から確かめ、壊れていれば最初の行を言う。"""
    from benefit.store import audit, desk, ward
    from benefit.store.engine import reading

    given = context(ctx)
    broken = False
    for label, store, engine, table in (
        ("区の台帳", "ward", given.home.ward, ward.audit_log),
        ("給付管理システム", "desk", given.home.desk, desk.audit_log),
    ):
        given.need(store, "audit_log")
        with reading(engine) as connection:
            count, found = audit.verify(connection, table)
        if found:
            broken = True
            given.say(f"{label}: {found.sequence} 行目が壊れています: {found.why}")
        else:
            given.say(f"{label}: {count:,} 行、鎖は切れていません。")
    if broken:
        raise RefusedByRule(
            "監査ログが壊れています。送り出しを止め、区の情報保護責任者に報告してください", code="audit"
        )
