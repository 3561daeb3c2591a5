"""電源が落ちるまで台帳に書き、書けたと言われた番号を、サーバーの外のファイルに書き留める。子プロセスの中で動く。"""

from __future__ import annotations

import itertools
import os
import time
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from benefit.domain.access import Actor
from benefit.store import audit, desk
from benefit.store.engine import make_engine


def careless_engine(url: str) -> sa.Engine:
    """わざと入れた誤り: 記録がディスクに着くのを待たない。"""
    options = "-c synchronous_commit=off -c role=benefit_desk_app"
    return sa.create_engine(url, connect_args={"options": options}, pool_pre_ping=True)


CASE = "12345678901"


def open_case(engine: sa.Engine) -> None:
    """進んだ跡を書く一件。跡は、件があるときだけ書ける。"""
    words = {
        "branch": 1,
        "benefit": "R6-1",
        "planned_amount_yen": 100_000,
        "person_number": "1",
        "postal_code": "1690075",
    }
    words |= {"address": "架空", "name": "架空", "kana_key": "", "birth": "1950-01-01", "braille": False}
    words |= {"account_flag": "0", "state": "S10", "changed_at": datetime(2024, 7, 1, tzinfo=UTC)}
    with engine.begin() as connection:
        connection.execute(desk.benefit_case.insert().values(case_number=CASE, **words))


def deed(engine: sa.Engine, mark: str) -> None:
    """給付管理システムの一手: 進んだ跡と監査ログを、一つのトランザクションで書く。"""
    at = datetime.now(UTC)
    with engine.begin() as connection:
        connection.execute(
            desk.case_event.insert().values(
                case_number=CASE,
                at=at,
                actor="uketsuke",
                event="電話",
                from_state="S10",
                to_state="S10",
                reason=mark,
            )
        )
        actor = Actor("uketsuke", "operator")
        audit.record(connection, desk.audit_log, at=at, actor=actor, action="電話", subject=mark)


def write(url: str, name: str, told: Path, stop: Path, careless: bool) -> None:
    """止めの印が現れるまで書く。切れたら、つなぎ直して次の番号から続ける（切れた番号は、書けたか分からない）。"""
    engine = careless_engine(url) if careless else make_engine(url, "desk")
    acknowledged = os.open(told, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for number in itertools.count():
        if stop.exists():
            break
        try:
            deed(engine, f"{name}-{number}")
        except sa.exc.DBAPIError:
            time.sleep(0.01)
            continue
        os.write(acknowledged, f"{name}-{number}\n".encode())
    os.close(acknowledged)
    engine.dispose()
