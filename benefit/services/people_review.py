"""アカウント・権限の棚卸表（checklist 5s7、E15）。誰が、何の役割で、いつから、いつまで、最後にいつ入ったか。"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import polars as pl
from sqlalchemy import Connection, select

from benefit.domain.access import ROLE_NAMES
from benefit.domain.clock import TOKYO
from benefit.services.people_first import aware, stage_of
from benefit.services.people_login import is_living, is_unused
from benefit.services.sheet import render
from benefit.store.access import AccessTables

_STAGES = {"password": "合言葉がまだ", "totp": "数字がまだ", "terms": "遵守事項がまだ", "": "済み"}


def state_of(row: dict[str, Any], at: datetime) -> str:
    """この ID のいま。"""
    if row["ended_at"] is not None:
        return "終了"
    if row["kind"] == "sealed":
        return "封印"
    if row["closed_at"] is not None:
        return "閉鎖（続けて 100 回の間違い）"
    if not is_living(row, at):
        return "契約の終わり"
    if is_unused(row, at):
        return "閉鎖（14 日使われていない）"
    locked = aware(row["locked_until"])
    return "一時の閉鎖" if locked is not None and locked > at else "使える"


def rows(connection: Connection, tables: AccessTables, at: datetime) -> list[dict[str, Any]]:
    """全部の ID（終わったものも）。`state` はいま、`stage` は最初の手続き。"""
    found = connection.execute(select(tables.staff).order_by(tables.staff.c.id)).mappings().all()
    return [
        {
            **{name: row[name] for name in ("id", "name", "role", "kind", "contract_ends_on")},
            "role_name": ROLE_NAMES[row["role"]],
            "created_at": aware(row["created_at"]),
            "ended_at": aware(row["ended_at"]),
            "last_login_at": aware(row["last_login_at"]),
            "terms_accepted_at": aware(row["terms_accepted_at"]),
            "state": state_of(dict(row), at),
            "stage": _STAGES[stage_of(dict(row), at)] if row["kind"] == "person" else "",
        }
        for row in found
    ]


def table(connection: Connection, tables: AccessTables, at: datetime) -> pl.DataFrame:
    """棚卸表。"""
    found = rows(connection, tables, at)
    columns = {
        "ID": [row["id"] for row in found],
        "氏名": [row["name"] for row in found],
        "役割": [row["role_name"] for row in found],
        "いま": [row["state"] for row in found],
        "最初の手続き": [row["stage"] for row in found],
        "登録": [_moment(row["created_at"]) for row in found],
        "契約の終わり": [str(row["contract_ends_on"] or "") for row in found],
        "最後のログイン": [_moment(row["last_login_at"]) for row in found],
        "遵守事項の確認": [_moment(row["terms_accepted_at"]) for row in found],
        "終了": [_moment(row["ended_at"]) for row in found],
        "点検": ["" for _row in found],
    }
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))


def workbook(connection: Connection, tables: AccessTables, at: datetime) -> bytes:
    """棚卸表（xlsx）。最後の列に、点検した人が印を付ける。"""
    place = "区の台帳" if tables.line == "ward" else "給付管理システム"
    notes = (f"作った時刻: {_moment(at)}", "点検: 名簿にいない人、要らない役割、使われていない ID がないかを確かめる")
    return render(
        {"棚卸表": table(connection, tables, at)}, made=at, title=f"ID と権限の棚卸表（{place}）", notes=notes
    )


def _moment(at: datetime | None) -> str:
    return f"{at.astimezone(TOKYO):%Y-%m-%d %H:%M}" if at else ""
