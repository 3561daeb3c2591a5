"""支給予定情報を作る（委託先の側）: 辞退期限の過ぎたお知らせと、審査の済んだ確認書。

これは申し出である。払えるかどうかは区が判定する。ファイルを書いてから、台帳に「出した」と記す。だから
途中で止まっても、もう一度打てば同じ番号・同じ中身のファイルになる。
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from sqlalchemy import func, select

from benefit.domain.access import Actor
from benefit.domain.clock import Clock
from benefit.records import planned_payments
from benefit.services.desk_cases import advance
from benefit.services.files import sha256_of, write_atomic, write_manifest
from benefit.services.home import Home
from benefit.store import audit, desk

READY = ("P25", "C27")


@dataclass(frozen=True)
class Planned:
    """作った支給予定情報。"""

    file_number: str
    rows: int
    total_yen: int


def make(home: Home, programme_id: str, *, out: Path, today: date, actor: Actor, clock: Clock) -> Planned | None:
    """この事業の出せる件をまとめて `out` に planned.csv と manifest.json を書く。なければ None（何も書かない）。"""
    table, named = desk.benefit_case, desk.benefit_name
    mine = select(named.c.benefit).where(named.c.programme == programme_id)
    ready = select(table).where(table.c.state.in_(READY), table.c.benefit.in_(mine))
    with home.desk.begin() as connection:
        cases = connection.execute(ready.order_by(table.c.case_number).with_for_update()).mappings().all()
        if not cases:
            return None
        number = (connection.execute(select(func.max(desk.planned_file.c.id))).scalar() or 0) + 1
        file_number = f"{programme_id}-{number:04d}"
        total = sum(case["planned_amount_yen"] for case in cases)
        data = planned_payments.render([_row(position, dict(case)) for position, case in enumerate(cases, 1)])
        write_atomic(out / planned_payments.FILE_NAME, data)
        write_manifest(
            out,
            {
                "事業": programme_id,
                "ファイル番号": file_number,
                "件数": len(cases),
                "合計金額": total,
                "sha256": sha256_of(data),
                "作成日時": clock().isoformat(),
            },
        )
        connection.execute(
            desk.planned_file.insert().values(
                id=number,
                file_number=file_number,
                sha256=sha256_of(data),
                row_count=len(cases),
                total_yen=total,
                made_at=clock(),
            )
        )
        connection.execute(
            desk.planned_line.insert(),
            [
                {"planned_file_id": number, "line_number": position, "case_number": case["case_number"]}
                for position, case in enumerate(cases, 1)
            ],
        )
        advance(
            connection,
            [(case["case_number"], case["state"], "planned") for case in cases],
            actor=actor,
            at=clock(),
            reason=f"支給予定情報 {file_number}",
        )
        audit.record(
            connection,
            desk.audit_log,
            at=clock(),
            actor=actor,
            action="planned.make",
            subject=file_number,
            detail={"rows": len(cases), "total_yen": total},
        )
    return Planned(file_number, len(cases), total)


def _row(position: int, case: dict[str, object]) -> tuple[str | None, ...]:
    """一件を一行に。届け出られた口座があればそれを、口座フラグ 2 なら過去の口座を、1 と 3 は空（区が入れる）。"""
    prefix = "" if case["account_number"] else "past_" if case["account_flag"] == "2" else None
    names = ("bank_code", "branch_code", "account_type", "account_number", "holder_kana")
    account = [None if prefix is None else case[f"{prefix}{name}"] for name in names]
    # 口座フラグ 1・3 でも、確認書や再届出で口座が届いたら、その口座を出す。区が口座の変更として見る。
    values = [
        position,
        case["case_number"],
        case["branch"],
        case["person_number"],
        case["kana_name"],
        case["birth"],
        case["planned_amount_yen"],
        case["account_flag"],
        *account,
        case["received_on"],
        case["reviewed_on"],
    ]
    return tuple(None if value is None else str(value) for value in values)
