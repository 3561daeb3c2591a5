"""給付管理システムの入口。区の台帳を開く手だてを、ここは持たない（architecture.md「二つの台帳」）。"""

from __future__ import annotations

from collections.abc import Callable

from fastapi import FastAPI
from sqlalchemy import Engine

from api import access, base
from api.desk import calls, calls_case, deficiencies, intake, logs, numbers, review, staff, supervisor
from api.desk.json import calls as json_calls
from api.desk.json import case as json_case
from api.desk.json import intake as json_intake
from api.desk.json import review as json_review
from api.desk.json import session as json_session
from api.desk.json import supervisor as json_supervisor
from benefit.domain.clock import Clock, system_clock
from benefit.store import desk

#: 上の帯に並べる画面。役割が入れるものだけが出る。
NAV = (
    ("/", "電話の照会"),
    ("/intake", "収受"),
    ("/review", "審査"),
    ("/deficiencies", "不備"),
    ("/letters-due", "送るべき手紙"),
    ("/supervisor", "仕事の量"),
    ("/logs", "ログの報告"),
    ("/audit", "監査ログ"),
    ("/staff", "人"),
    ("/terminals", "端末"),
    ("/break-glass", "非常用"),
)


def create_app(
    engine: Engine, *, keys: Callable[[str], bytes], clock: Clock = system_clock, proxies: str = ""
) -> FastAPI:
    """給付管理システムの台帳だけを渡して作る。"""
    app = base.build(
        system="給付管理システム",
        description="給付の進みを調べ、書類を受け、審査する API。閲覧は、必ずログに残ってから返る。",
        cookie="__Host-benefit-desk",
        engine=engine,
        store=desk,
        keys=keys,
        table=access.DESK_ACCESS,
        nav=NAV,
        routers=(
            json_session.router,
            json_calls.router,
            json_case.router,
            json_intake.router,
            json_review.router,
            json_supervisor.router,
            calls.router,
            calls_case.router,
            intake.router,
            review.router,
            deficiencies.router,
            supervisor.router,
            logs.reports,
            logs.json_reports,
            logs.search,
            *staff.routers,
        ),
        clock=clock,
        proxies=proxies,
    )
    app.state.before_write = numbers.guard
    # 件を見ない役割の最初の画面は、電話の照会ではない（api.desk.calls.home）。
    app.state.nav_instead = {"/": (access.CASE_ROLES, "はじめ")}
    return app
