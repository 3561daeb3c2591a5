"""競争の歴史の検査: 職員の帳面と、台帳が、互いに説明し合うか。"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benefit.store import ward

Event = dict[str, Any]


def events(logs: list[Path]) -> list[Event]:
    """仕事ごとに一つの出来事。終わりの書かれていない仕事（止められた職員）は、info。"""
    done: dict[tuple[int, int], Event] = {}
    for log in logs:
        for line in log.read_text(encoding="utf-8").splitlines() if log.exists() else []:
            event = json.loads(line)
            key = (event["worker"], event["turn"])
            if event["phase"] == "invoke":
                assert key not in done, "一つの仕事が二度始まった"
                done[key] = {**event, "phase": "info"}
            else:
                assert done[key]["phase"] == "info", "一つの仕事が二度終わった"
                done[key] = event
    return list(done.values())


def violations(found: list[Event], connection: sa.Connection, rows_of: dict[str, int]) -> list[str]:
    """ok は一度だけ台帳に現れ、fail は現れず、info は 0 か 1 度。`rows_of` は、ファイル番号ごとの行の数。"""
    by_op: dict[str, list[Event]] = defaultdict(list)
    for event in found:
        by_op[event["op"]].append(event)
    return [
        *_made(by_op, connection),
        *_judged(by_op, connection, rows_of),
        *_once(by_op, connection),
    ]


def _made(by_op: dict[str, list[Event]], connection: sa.Connection) -> list[str]:
    """作ったと言われた振込は、台帳に一つずつあり、台帳の振込は、誰かの ok か info である。"""
    told = Counter(e["transfer"] for e in by_op["make"] if e["phase"] == "ok" and e["transfer"] is not None)
    ledger = {row[0]: row[1] for row in connection.execute(sa.select(ward.transfer.c.id, ward.transfer.c.line_count))}
    wrong = [f"振込 {number} を {times} 人が作ったと言う" for number, times in told.items() if times > 1]
    wrong += [f"振込 {number} は、作ったと言われたのに台帳にない" for number in told if number not in ledger]
    unknown = sum(e["phase"] == "info" for e in by_op["make"])
    if len(set(ledger) - set(told)) > unknown:
        wrong.append(f"誰も作ったと言わない振込がある: {sorted(set(ledger) - set(told))}")
    for event in by_op["make"]:
        if event["phase"] == "ok" and event["transfer"] is not None and ledger[event["transfer"]] != event["rows"]:
            wrong.append(f"振込 {event['transfer']} の行の数が、作った人の言う数と違う")
    return wrong


def _judged(by_op: dict[str, list[Event]], connection: sa.Connection, rows_of: dict[str, int]) -> list[str]:
    """判定したファイルは、読んだ行 = 判定した行。"""
    file, verdict = ward.planned_file, ward.verdict
    query = (
        sa.select(file.c.file_number, file.c.row_count, sa.func.count(verdict.c.line_number))
        .outerjoin(verdict, verdict.c.planned_file_id == file.c.id)
        .group_by(file.c.file_number, file.c.row_count)
    )
    ledger = {row[0]: (row[1], row[2]) for row in connection.execute(query)}
    wrong = [f"{name}: {read} 行のうち {said} 行だけ判定" for name, (read, said) in ledger.items() if read != said]
    wrong += [f"{name}: 行の数が違う" for name, rows in rows_of.items() if name in ledger and ledger[name][0] != rows]
    for event in (*by_op["judge"], *by_op["retry"]):
        there = event["key"] in ledger
        if event["phase"] == "ok" and event["rows"] and not there:
            wrong.append(f"{event['key']}: 判定したと言われたのに、台帳にない")
        if event["phase"] == "fail" and there:
            wrong.append(f"{event['key']}: 断られたのに、台帳にある")
    return wrong


def _once(by_op: dict[str, list[Event]], connection: sa.Connection) -> list[str]:
    """取り消しと結果は、一つの振込に一度だけ効く。"""
    wrong = []
    cancelled = Counter(e["key"] for e in by_op["cancel"] if e["phase"] == "ok" and e["rows"])
    taken = Counter(e["key"] for e in by_op["results"] if e["phase"] == "ok" and not e["repeated"])
    wrong += [f"振込 {key} が {times} 度取り消された" for key, times in cancelled.items() if times > 1]
    wrong += [f"振込 {key} の結果が {times} 度効いた" for key, times in taken.items() if times > 1]
    sent = set(connection.execute(sa.select(ward.transfer_release.c.transfer_id)).scalars())
    wrong += [f"振込 {key} は、取り消したのに送り出された" for key in cancelled if int(key) in sent]
    for event in by_op["release"]:
        if event["phase"] == "ok" and int(event["key"]) not in sent:
            wrong.append(f"振込 {event['key']} は、送り出したと言われたのに記録がない")
    return wrong
