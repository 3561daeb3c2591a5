"""取消の計画の表: まとめ（数と額、台帳との突合）、明細の CSV と xlsx。"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from benefit.domain.transfer import PAYMENT_STATE_NAMES, UNDO_ACTIONS
from benefit.records import people_csv
from benefit.services import sheet
from benefit.services.files import write_atomic, write_json
from benefit.services.home import Home
from benefit.services.undo_facts import ACCOUNTS
from benefit.services.undo_plan import Plan, cancelled_too
from benefit.store.engine import reading


def by_action(found: Plan) -> pl.DataFrame:
    """すること・件数・金額。足せば、計画の件数と合計になる。"""
    counts = {
        action: (frame.height, int(frame["planned_yen"].sum()))
        for (action,), frame in found.lines.group_by("planned_action")
    }
    rows = [(action, *counts.get(action, (0, 0))) for action in UNDO_ACTIONS]
    rows.append(("計", sum(row[1] for row in rows), sum(row[2] for row in rows)))
    return pl.DataFrame(rows, schema={"すること": pl.String, "件数": pl.Int64, "金額": pl.Int64}, orient="row")


def by_account(found: Plan) -> pl.DataFrame:
    """台帳との突合: 勘定ごとに、台帳の残り = 計画で取り戻す額 + 計画の後も残る額。"""
    lines = found.lines
    rows = []
    for name in ACCOUNTS:
        mine = lines.filter(pl.col("account") == name)
        taken = int(mine.filter(pl.col("action") != "なし")["yen"].sum())
        kept = int(mine.filter(pl.col("action") == "なし")["left_yen"].sum())
        rows.append((name, int(lines[f"on_{name}"].sum()), taken, kept))
    schema = {"勘定": pl.String, "台帳の残り": pl.Int64, "計画で取り戻す": pl.Int64, "残る": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def details(found: Plan) -> pl.DataFrame:
    """明細: 一行に一つの権利。することと金額は計画のもの、状態と訳はいまのもの。"""
    return found.lines.select(
        給付管理番号="case_number",
        給付種別="benefit",
        すること="planned_action",
        金額="planned_yen",
        いまの支払=pl.col("state").replace_strict(PAYMENT_STATE_NAMES, default="支払なし", return_dtype=pl.String),
        振込="transfer_id",
        いまの訳="why",
    )


def write(home: Home, found: Plan, out: Path) -> list[Path]:
    """`out` に torikeshi-N.csv / .xlsx / .json を書く。"""
    with reading(home.ward) as connection:
        others = cancelled_too(connection, found)
    name = f"torikeshi-{found.id:04d}"
    made: datetime = found.asked_at
    made = (made if made.tzinfo else made.replace(tzinfo=UTC)).astimezone(UTC)
    notes = [
        f"範囲 {found.scope.says}　計画した日 {found.planned_on}",
        f"件数 {found.line_count:,} 件　取り戻す額 {found.total_yen:,} 円　計画の指紋 {found.sha256[:16]}",
        f"権利の終わり方 {found.terms.ending_kind}　返還の理由 {found.terms.cause}　納期限 {found.terms.due_on}",
        f"計画 {found.asked_by}　承認 {found.approved_by or '（まだ）'}",
        *(
            f"振込 {number} は全部を取り消します。計画にない {count:,} 件は、次の transfer make で作り直されます。"
            for number, count in others.items()
        ),
    ]
    sheets = {"まとめ": by_action(found), "台帳との突合": by_account(found), "明細": details(found)}
    csv, book, summary = (out / f"{name}.{kind}" for kind in ("csv", "xlsx", "json"))
    write_atomic(csv, b"\xef\xbb\xbf" + people_csv.harmless(details(found)).write_csv(line_terminator="\r\n").encode())
    write_atomic(book, sheet.render(sheets, made=made, title=f"取消の計画 {found.id}", notes=notes))
    told: dict[str, Any] = {
        "計画": found.id,
        "範囲": str(found.scope),
        "指紋": found.sha256,
        "件数": found.line_count,
        "取り戻す額": found.total_yen,
        "すること": {row["すること"]: [row["件数"], row["金額"]] for row in by_action(found).to_dicts()},
        "台帳との突合": by_account(found).to_dicts(),
        "一緒に取り消される行": {str(number): count for number, count in others.items()},
    }
    write_json(summary, told)
    return [csv, book, summary]
