"""ログ分析報告書を、人の読む形に: コマンドの行、Excel。"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from benefit.domain.clock import TOKYO
from benefit.services import sheet
from benefit.services.log_reports import Report

_SUMMARY = ("検知", "何を見るか", "知らせる境", "結果")
_FOUND = ("検知", "何を見るか", "日", "誰・どれ", "内容")


def result(one: Mapping[str, Any]) -> str:
    """検知一つの結果の言葉。"""
    if not one["here"]:
        return "この台帳では調べない"
    return f"{one['count']} 件" if one["count"] else "なし"


def lines(report: Report) -> list[str]:
    """コマンドが言う行: 鎖、量、十六の検知。"""
    volumes = report.body["volumes"]
    said = [*report.body["verify"]["lines"], f"ログ {volumes['rows']:,} 行、{volumes['people']} 人"]
    for one in report.body["detectors"]:
        said.append(f"{one['id']} {one['says']}（{one['threshold']}）: {result(one)}")
        said += [f"    {day} {who}: {says}" for day, who, says in one["found"]]
        if one["count"] > len(one["found"]):
            said.append(f"    ほか {one['count'] - len(one['found'])} 件")
    return [*said, f"指紋 {report.digest}"]


def file_name(store: str, report: Report) -> str:
    """Excel の名。"""
    return f"log-bunseki-{store}-{report.period_from:%Y%m%d}.xlsx"


def workbook(report: Report) -> bytes:
    """Excel: 検知の要約、見つかったもの、量。同じ報告書からは、同じバイト列ができる。"""
    detectors = report.body["detectors"]
    summary = [(one["id"], one["says"], one["threshold"], result(one)) for one in detectors]
    found = [(one["id"], one["says"], *each) for one in detectors for each in one["found"]]
    signed = f"署名 {report.signed_by}（{report.remarks}）" if report.signed_by else "まだ署名されていません"
    rows = report.body["volumes"]["rows"]
    notes = [
        f"{report.body['name']}　{report.period_from} から {report.period_to}　ログ {rows:,} 行",
        *report.body["verify"]["lines"],
        f"作成 {report.made_by} {report.made_at.astimezone(TOKYO):%Y-%m-%d %H:%M}　{signed}",
        f"指紋 {report.digest}",
    ]
    tables = {
        "検知": pl.DataFrame(summary, schema=dict.fromkeys(_SUMMARY, pl.String), orient="row"),
        "見つかったもの": pl.DataFrame(found, schema=dict.fromkeys(_FOUND, pl.String), orient="row"),
        "量": pl.DataFrame(
            report.body["volumes"]["actions"], schema={"操作": pl.String, "件数": pl.Int64}, orient="row"
        ),
    }
    return sheet.render(tables, made=report.made_at, title="ログ分析報告書", notes=notes)
