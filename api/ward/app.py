"""区の画面の入口。給付管理システムの台帳を開く手だてを、ここは持たない。"""

from __future__ import annotations

from datetime import datetime

from fastapi import FastAPI

from api import access, base, log_search
from api.ward import (
    approvals,
    audit_viewers,
    builds,
    certificates,
    collection_books,
    collection_workbook,
    collections,
    dashboard,
    direct_debits,
    exports,
    failure_deeds,
    failures,
    handover_book,
    handovers,
    holds,
    json_api,
    json_decisions,
    json_look_up,
    logs,
    payments_lookup,
    people_lookup,
    print_results,
    replies,
    restricted,
    staff,
    transfers,
)
from benefit.domain.clock import Clock, system_clock, tokyo_date
from benefit.services import log_reports
from benefit.services.home import Home
from benefit.store import ward
from benefit.store.engine import reading

#: 上の帯に並べる画面。役割が入れるものだけが出る。
NAV = (
    ("/", "いまの様子"),
    ("/approvals", "承認"),
    ("/transfers", "振込"),
    ("/holds", "保留"),
    ("/builds", "判定"),
    ("/handovers", "受渡"),
    ("/print-results", "印刷"),
    ("/people", "照会"),
    ("/restricted", "区直轄"),
    ("/failures", "振込不能"),
    ("/collections", "収納"),
    ("/audit", "監査ログ"),
    ("/logs", "ログの報告"),
    ("/staff", "人"),
    ("/terminals", "端末"),
    ("/break-glass", "非常用"),
)


def create_app(home: Home, *, clock: Clock = system_clock, proxies: str = "") -> FastAPI:
    """区の作業場所を渡して作る。"""
    app = base.build(
        system="給付金 区の画面",
        description="区の職員が、判定・承認・振込・受渡を見て、決める。",
        cookie="__Host-benefit-ward",
        engine=home.ward,
        store=ward,
        keys=home.key,
        table=access.WARD_ACCESS,
        nav=NAV,
        routers=(
            dashboard.router,
            approvals.router,
            builds.router,
            transfers.router,
            handovers.router,
            handover_book.router,
            holds.router,
            exports.router,
            json_api.router,
            people_lookup.router,
            certificates.router,
            restricted.router,
            replies.router,
            log_search.router_of("ward", viewers="/audit/viewers"),
            audit_viewers.router,
            logs.router,
            logs.json_router,
            failures.router,
            failure_deeds.router,
            collections.router,
            collection_books.router,
            collection_workbook.router,
            direct_debits.router,
            print_results.router,
            *staff.routers,
            payments_lookup.router,
            json_look_up.router,
            json_decisions.router,
        ),
        clock=clock,
        proxies=proxies,
    )
    app.state.home = home

    def banner(now: datetime) -> str | None:
        with reading(home.ward) as connection:
            return log_reports.banner(connection, tokyo_date(now))

    app.state.banner = banner
    return app
