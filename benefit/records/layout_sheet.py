"""様式の仕様書: 宣言から、Markdown と表（xlsx にする）を作る。"""

from __future__ import annotations

import polars as pl

from benefit.records import layout_view
from benefit.records.file_layout import ROLES, FileLayout, Total

_NEWLINES = {"\r\n": "CRLF", "\n": "LF", "": "なし"}


def notes(layout: FileLayout) -> list[str]:
    """仕様書の頭に書くこと。"""
    read_on = max(one.read_on for one in layout.layouts.values())
    said = [
        f"様式の名: {layout.id}",
        f"一レコード {layout.length} バイト、改行 {_NEWLINES[layout.newline]}（読むときは CRLF・LF・なし）、CP932",
        f"並び: {' → '.join(ROLES[role] for role in layout.layouts)}"
        + ("（組は二つ以上あってよい）" if layout.groups else ""),
        f"出典: {'、'.join(dict.fromkeys(s for one in layout.layouts.values() for s in one.sources))}",
        f"独立した二つの出典で確かめた: {_yes(layout.verified)}（{read_on} に読んだ）",
    ]
    if layout.own_convention:
        said.append("自分たちの取り決め（OWN CONVENTION）を含む。相手の仕様書が来たら、layouts/*.toml で差し替える")
    if layout.read_only:
        said.append(f"読むだけ（不完全）: {layout.incomplete}")
    return said


def _yes(value: bool) -> str:
    return "はい" if value else "いいえ"


def fields(layout: FileLayout) -> dict[str, pl.DataFrame]:
    """レコードごとの項目の表（シートの名 → 表）。部分項目と合計の数え方も、一枚ずつ。"""
    sheets = {}
    for role, record in layout.layouts.items():
        rows = [
            (
                at,
                placed.field.label,
                placed.position,
                placed.field.length,
                placed.field.kind.value,
                layout_view.meaning_of(placed.field),
                placed.field.name,
                "、".join(record.sources),
            )
            for at, placed in enumerate(record.placed, start=1)
        ]
        columns = ["番号", "項目名", "位置", "長さ", "型", "値・意味", "英語名", "出典"]
        sheets[ROLES[role]] = pl.DataFrame(rows, schema=columns, orient="row")
    if layout.parts:
        inner = [
            (
                part.label,
                layout.label_of(part.of),
                part.start,
                part.length,
                "数" if part.number else "文字",
                part.note,
                part.name,
            )
            for part in layout.parts
        ]
        names = ["部分項目", "項目", "項目の中の位置", "長さ", "型", "意味", "英語名"]
        sheets["部分項目"] = pl.DataFrame(inner, schema=names, orient="row")
    if layout.totals:
        sheets["合計の数え方"] = pl.DataFrame(
            [_told(layout, total) for total in layout.totals],
            schema=["件数の項目", "金額の項目", "足す項目", "数える明細"],
            orient="row",
        )
    return sheets


def _told(layout: FileLayout, total: Total) -> tuple[str, str, str, str]:
    assert layout.trailer is not None
    labels = {field.name: field.label for field in layout.trailer.fields}
    which = "全部の明細"
    if total.where:
        said = "・".join(f"「{value}」" for value in total.values)
        which = f"{layout.label_of(total.where)}が{said}{'でない' if total.other else 'の'}もの"
    amount = layout.label_of(total.amount) if total.yen else ""
    return labels.get(total.count, ""), labels.get(total.yen, ""), amount, which


def markdown(layout: FileLayout) -> str:
    """仕様書の全文（Markdown）。"""
    lines = [f"## {layout.title}", "", *(f"- {note}" for note in notes(layout)), ""]
    lines += [layout_view.specification(record) for record in layout.layouts.values()]
    for name, table in fields(layout).items():
        if name in {"部分項目", "合計の数え方"}:
            lines += [f"### {name}", "", "| " + " | ".join(table.columns) + " |", "|" + "---|" * table.width]
            lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in table.iter_rows()]
            lines.append("")
    return "\n".join(lines)
