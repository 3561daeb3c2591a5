"""どの道に、どの役割が入れるか。表にない道があれば、起動しない（reliability §4.4）。"""

from __future__ import annotations

from collections.abc import Iterable

from fastapi import FastAPI
from starlette.routing import Route

from benefit.domain.access import DeskRole, WardRole

Access = dict[tuple[str, str], frozenset[str]]
#: 誰でも（ログインの前でも）入れる道。
OPEN = frozenset[str]()
EVERYONE = frozenset(role.value for role in DeskRole)
#: 給付管理システムで件を見る役割。区の管理（人と端末だけ）と監査（ログだけ）は、ここに入らない。
CASE_ROLES = EVERYONE - {DeskRole.WARD_ADMIN.value, DeskRole.WARD_AUDITOR.value}
WARD_EVERYONE = frozenset(role.value for role in WardRole)


def _login(everyone: frozenset[str]) -> Access:
    """入る・出る・最初の手続き。どちらの画面でも同じ。"""
    steps = ("/login/password", "/login/totp", "/login/terms", "/login/again")
    return {
        ("GET", "/login"): OPEN,
        ("POST", "/login"): OPEN,
        ("POST", "/logout"): everyone,
        ("GET", "/login/totp.svg"): everyone,
        **{(method, path): everyone for method in ("GET", "POST") for path in steps},
    }


def _people(admin: str, keepers: frozenset[str]) -> Access:
    """人と端末（管理者だけ）と、非常用の ID。どちらの画面でも同じ。"""
    gets = ("/staff", "/staff/review.xlsx", "/terminals")
    posts = ("/staff/add", "/staff/open", "/staff/end", "/staff/reset", "/staff/unlock", "/staff/role")
    sealed = ("/break-glass/ask", "/break-glass/approve", "/break-glass/close", "/break-glass/report")
    return {
        **{("GET", path): frozenset({admin}) for path in gets},
        **{("POST", path): frozenset({admin}) for path in (*posts, "/terminals/add", "/terminals/end")},
        ("GET", "/break-glass"): keepers,
        **{("POST", path): keepers for path in sealed},
        **{("GET", f"/api/v1{path}"): frozenset({admin}) for path in ("/staff", "/terminals")},
        **{
            ("POST", f"/api/v1{path}"): frozenset({admin})
            for path in ("/staff", *posts[2:], "/terminals", "/terminals/end")
        },
        **{("POST", f"/api/v1{path}"): keepers for path in sealed[:3]},
    }


#: 紙を受ける人、審査をする人、手紙を出す人、仕事の量を見る人（給付管理システム）。
_INTAKE = frozenset({DeskRole.COUNTER.value, DeskRole.REVIEWER.value, DeskRole.SUPERVISOR.value})
_REVIEW = frozenset({DeskRole.REVIEWER.value, DeskRole.SUPERVISOR.value})
_OVERSEES = frozenset({DeskRole.SUPERVISOR.value, DeskRole.WARD_CLERK.value})
_SUPERVISOR = frozenset({DeskRole.SUPERVISOR.value})
_DESK_PAPERS: Access = {
    ("GET", "/intake"): _INTAKE,
    ("POST", "/intake/scan"): _INTAKE,
    ("POST", "/intake/list"): _INTAKE,
    ("POST", "/intake/undo"): _INTAKE,
    ("GET", "/intake/returned"): _INTAKE,
    ("POST", "/intake/returned/scan"): _INTAKE,
    ("POST", "/intake/returned/list"): _INTAKE,
    ("GET", "/review"): _REVIEW,
    ("POST", "/review/next"): _REVIEW,
    ("POST", "/review/open"): _REVIEW,
    ("POST", "/review/put-back"): _REVIEW,
    ("GET", "/review/case"): _REVIEW,
    ("POST", "/review/first"): _REVIEW,
    ("POST", "/review/second"): _REVIEW,
    ("GET", "/deficiencies"): _REVIEW,
    ("POST", "/deficiencies/open"): _REVIEW,
    ("POST", "/deficiencies/notified"): _REVIEW,
    ("POST", "/deficiencies/remind"): _REVIEW,
    ("POST", "/deficiencies/correction"): _REVIEW,
    ("GET", "/letters-due"): _OVERSEES,
    ("POST", "/letters-due/done"): _OVERSEES,
    ("POST", "/letters-due/remind"): _SUPERVISOR,
    ("GET", "/supervisor"): _OVERSEES,
    ("POST", "/supervisor/release"): _OVERSEES,
    ("POST", "/supervisor/step"): _SUPERVISOR,
    ("POST", "/supervisor/undo"): _SUPERVISOR,
    ("POST", "/api/v1/received-forms"): _INTAKE,
    ("POST", "/api/v1/received-forms/list"): _INTAKE,
    ("POST", "/api/v1/received-forms/undo"): _INTAKE,
    ("GET", "/api/v1/received-forms/today"): _INTAKE,
    ("POST", "/api/v1/returned-mail"): _INTAKE,
    ("POST", "/api/v1/returned-mail/list"): _INTAKE,
    ("GET", "/api/v1/reviews/queue"): _REVIEW,
    ("POST", "/api/v1/reviews/next"): _REVIEW,
    ("POST", "/api/v1/reviews/open"): _REVIEW,
    ("POST", "/api/v1/reviews/put-back"): _REVIEW,
    ("GET", "/api/v1/reviews/current"): _REVIEW,
    ("POST", "/api/v1/reviews/first"): _REVIEW,
    ("POST", "/api/v1/reviews/second"): _REVIEW,
    ("POST", "/api/v1/deficiencies"): _REVIEW,
    ("GET", "/api/v1/deficiencies"): _REVIEW,
    ("POST", "/api/v1/deficiencies/notified"): _REVIEW,
    ("POST", "/api/v1/deficiencies/remind"): _REVIEW,
    ("POST", "/api/v1/deficiencies/correction"): _REVIEW,
    ("GET", "/api/v1/letters-due"): _OVERSEES,
    ("POST", "/api/v1/letters-due/done"): _OVERSEES,
    ("POST", "/api/v1/letters-due/remind"): _SUPERVISOR,
    ("GET", "/api/v1/workload"): _OVERSEES,
    ("GET", "/api/v1/look-up-stops"): _OVERSEES,
    ("POST", "/api/v1/look-up-stops/release"): _OVERSEES,
    ("POST", "/api/v1/steps/undo"): _SUPERVISOR,
}

#: 監査ログの週次の報告書と、引く画面。委託先の人は、自分たちのログを見ない。
_DESK_AUDITOR = frozenset({DeskRole.WARD_AUDITOR.value})
_DESK_LOG_READERS = _DESK_AUDITOR | {DeskRole.WARD_CLERK.value}
_DESK_LOGS: Access = {
    ("GET", "/logs"): _DESK_LOG_READERS,
    ("GET", "/logs/{number}"): _DESK_LOG_READERS,
    ("POST", "/logs/{number}/sign"): _DESK_LOG_READERS,
    ("POST", "/logs/{number}/workbook"): _DESK_LOG_READERS,
    ("GET", "/api/v1/log-reports"): _DESK_LOG_READERS,
    ("POST", "/api/v1/log-reports/signature"): _DESK_LOG_READERS,
    ("GET", "/audit"): _DESK_AUDITOR,
    ("POST", "/audit/search"): _DESK_AUDITOR,
    ("POST", "/audit/workbook"): _DESK_AUDITOR,
}

#: (方法, 道) → 入れる役割。空集合は「ログイン前でもよい」。
DESK_ACCESS: Access = {
    **_DESK_PAPERS,
    **_DESK_LOGS,
    **_login(EVERYONE),
    **_people(
        DeskRole.WARD_ADMIN.value,
        frozenset({DeskRole.SUPERVISOR.value, DeskRole.WARD_CLERK.value, DeskRole.WARD_ADMIN.value}),
    ),
    ("GET", "/"): EVERYONE,
    ("POST", "/search"): CASE_ROLES,
    ("POST", "/call/end"): CASE_ROLES,
    ("GET", "/case"): CASE_ROLES,
    ("POST", "/case"): CASE_ROLES,
    ("POST", "/case/identity"): CASE_ROLES,
    ("POST", "/case/contact"): CASE_ROLES,
    ("POST", "/case/step"): CASE_ROLES,
    ("POST", "/case/account"): CASE_ROLES,
    ("GET", "/case/account"): CASE_ROLES,
    ("GET", "/static/{name}"): OPEN,
    ("GET", "/favicon.ico"): OPEN,
    ("POST", "/api/v1/login"): OPEN,
    ("POST", "/api/v1/logout"): EVERYONE,
    ("POST", "/api/v1/calls"): CASE_ROLES,
    ("POST", "/api/v1/calls/end"): CASE_ROLES,
    ("POST", "/api/v1/search"): CASE_ROLES,
    ("POST", "/api/v1/case"): CASE_ROLES,
    ("GET", "/api/v1/case"): CASE_ROLES,
    ("GET", "/api/v1/case/identity"): CASE_ROLES,
    ("POST", "/api/v1/case/identity"): CASE_ROLES,
    ("POST", "/api/v1/case/contacts"): CASE_ROLES,
    ("POST", "/api/v1/case/steps"): CASE_ROLES,
    ("POST", "/api/v1/case/account"): CASE_ROLES,
    ("GET", "/openapi.json"): OPEN,
}


#: 区で、人の記録を見る仕事をする役割。監査（ログだけ）と管理（人と端末だけ）は、ここに入らない。
WARD_STAFF = frozenset({WardRole.CLERK.value, WardRole.APPROVER.value})
#: いまの様子と承認（担当が作り、承認の人が承認する。監査と管理は、どちらも見ない）。
_APPROVERS = frozenset({WardRole.APPROVER.value})
_WARD_APPROVALS: Access = {
    ("GET", "/list/{which}"): WARD_STAFF,
    ("POST", "/export"): WARD_STAFF,
    ("GET", "/approvals"): WARD_STAFF,
    ("GET", "/approvals/{kind}/{number}"): WARD_STAFF,
    ("POST", "/approvals/{kind}/{number}/confirm"): _APPROVERS,
    ("POST", "/approvals/{kind}/{number}/approve"): _APPROVERS,
    ("GET", "/builds"): WARD_STAFF,
    ("GET", "/transfers"): WARD_STAFF,
    ("POST", "/transfers"): frozenset({WardRole.CLERK.value}),
    ("POST", "/transfers/{number}/confirm"): WARD_STAFF,
    ("POST", "/transfers/{number}/release"): WARD_STAFF,
    ("POST", "/transfers/{number}/cancel"): WARD_STAFF,
    ("GET", "/handovers"): WARD_STAFF,
    ("POST", "/handovers"): frozenset({WardRole.CLERK.value}),
    ("POST", "/handovers/{number}/release"): WARD_STAFF,
    ("GET", "/handovers/book"): WARD_STAFF,
    ("GET", "/handovers/book/{number}"): WARD_STAFF,
    ("POST", "/handovers/book/{number}/step"): WARD_STAFF,
    ("POST", "/handovers/book/{number}/passphrase"): WARD_STAFF,
    ("POST", "/handovers/book/file"): WARD_STAFF,
    ("GET", "/holds"): WARD_STAFF,
    ("POST", "/holds"): WARD_STAFF,
    ("GET", "/api/v1/dashboard"): WARD_STAFF,
    ("GET", "/api/v1/approvals"): WARD_STAFF,
    ("GET", "/api/v1/approvals/{kind}/{number}"): WARD_STAFF,
    ("POST", "/api/v1/approvals/{kind}/{number}"): _APPROVERS,
    ("POST", "/api/v1/transfers"): frozenset({WardRole.CLERK.value}),
    ("POST", "/api/v1/transfers/{number}/release"): WARD_STAFF,
    ("POST", "/api/v1/transfers/{number}/cancel"): WARD_STAFF,
    ("POST", "/api/v1/holds"): WARD_STAFF,
    ("POST", "/api/v1/handovers"): frozenset({WardRole.CLERK.value}),
    ("POST", "/api/v1/handovers/{number}/release"): WARD_STAFF,
    ("POST", "/api/v1/login"): OPEN,
    ("POST", "/api/v1/logout"): WARD_EVERYONE,
}
_WARD_LOOK_UP: Access = {
    ("GET", "/people"): WARD_STAFF,
    ("POST", "/people/search"): WARD_STAFF,
    ("POST", "/people/open"): WARD_STAFF,
    ("GET", "/people/case"): WARD_STAFF,
    ("GET", "/people/print"): WARD_STAFF,
    ("POST", "/people/certificate"): WARD_STAFF,
    ("POST", "/people/close"): WARD_STAFF,
}
_AUDITOR = frozenset({WardRole.AUDITOR.value})
_WARD_AUDIT: Access = {
    ("GET", "/audit"): _AUDITOR,
    ("POST", "/audit/search"): _AUDITOR,
    ("POST", "/audit/workbook"): _AUDITOR,
    ("GET", "/audit/viewers"): _AUDITOR,
    ("POST", "/audit/viewers"): _AUDITOR,
    ("POST", "/audit/viewers/workbook"): _AUDITOR,
    # 週次の報告書は、管理のほかの区の職員が読んで署名する。
    ("GET", "/logs"): WARD_STAFF | _AUDITOR,
    ("GET", "/logs/{number}"): WARD_STAFF | _AUDITOR,
    ("POST", "/logs/{number}/sign"): WARD_STAFF | _AUDITOR,
    ("POST", "/logs/{number}/workbook"): WARD_STAFF | _AUDITOR,
    ("GET", "/api/v1/log-reports"): WARD_STAFF | _AUDITOR,
    ("POST", "/api/v1/log-reports/signature"): WARD_STAFF | _AUDITOR,
}

#: 区直轄。この役割のうち、二人で名ざされた人にだけ中身が見える（benefit.services.restricted_queue）。
_NAMING = frozenset({WardRole.APPROVER.value, WardRole.ADMIN.value})
_WARD_RESTRICTED: Access = {
    ("GET", "/restricted"): WARD_STAFF,
    ("POST", "/restricted/address/ask"): WARD_STAFF,
    ("POST", "/restricted/address/approve"): frozenset({WardRole.APPROVER.value}),
    ("POST", "/restricted/address"): WARD_STAFF,
    ("GET", "/restricted/replies"): WARD_STAFF,
    ("POST", "/restricted/replies"): WARD_STAFF,
    ("GET", "/restricted/members"): WARD_STAFF | _NAMING,
    ("POST", "/restricted/members/ask"): _NAMING,
    ("POST", "/restricted/members/approve"): frozenset({WardRole.APPROVER.value}),
    ("POST", "/restricted/members/end"): _NAMING,
}

_APPROVER = frozenset({WardRole.APPROVER.value})
_WARD_FAILURES: Access = {
    ("GET", "/failures"): WARD_STAFF,
    ("POST", "/failures/workbook"): WARD_STAFF,
    ("GET", "/failures/{number}"): WARD_STAFF,
    ("POST", "/failures/{number}/ask"): WARD_STAFF,
    ("POST", "/failures/{number}/note"): WARD_STAFF,
    ("POST", "/failures/{number}/answer"): WARD_STAFF,
    ("POST", "/failures/{number}/approve"): _APPROVER,
    ("POST", "/failures/{number}/match"): WARD_STAFF,
    ("POST", "/failures/{number}/match/approve"): _APPROVER,
}

_WARD_COLLECTIONS: Access = {
    ("GET", "/collections"): WARD_STAFF,
    ("POST", "/collections/event"): WARD_STAFF,
    ("POST", "/collections/ask"): WARD_STAFF,
    ("POST", "/collections/approve"): _APPROVER,
    ("GET", "/collections/balance"): WARD_STAFF,
    ("GET", "/collections/overdue"): WARD_STAFF,
    ("POST", "/collections/workbook"): WARD_STAFF,
    ("POST", "/collections/credits"): WARD_STAFF,
    ("POST", "/collections/credits/approve"): _APPROVER,
    ("GET", "/collections/differences"): WARD_STAFF,
    ("POST", "/collections/differences/close"): WARD_STAFF,
    ("GET", "/collections/debits"): WARD_STAFF,
    ("POST", "/collections/debits/approve"): _APPROVER,
    ("POST", "/collections/debits/enrolments/approve"): _APPROVER,
    ("GET", "/payments"): WARD_STAFF,
    ("POST", "/payments/search"): WARD_STAFF,
    ("POST", "/payments/slip"): WARD_STAFF,
}

#: 印刷所の結果。
_WARD_PRINT: Access = {
    ("GET", "/print-results"): WARD_STAFF,
    ("GET", "/print-results/{number}"): WARD_STAFF,
    ("POST", "/print-results/{number}/workbook"): WARD_STAFF,
}

#: 同じことの JSON（api.ward.json_look_up、json_decisions）。
_WARD_JSON: Access = {
    ("POST", "/api/v1/people/search"): WARD_STAFF,
    ("POST", "/api/v1/people/case"): WARD_STAFF,
    ("POST", "/api/v1/payments/search"): WARD_STAFF,
    ("POST", "/api/v1/audit/search"): _AUDITOR,
    ("GET", "/api/v1/failures"): WARD_STAFF,
    ("POST", "/api/v1/failures/{number}/answers"): WARD_STAFF,
    ("POST", "/api/v1/failures/{number}/answers/approval"): _APPROVER,
    ("GET", "/api/v1/collections/queue"): WARD_STAFF,
    ("POST", "/api/v1/collections/moves"): WARD_STAFF,
    ("POST", "/api/v1/collections/moves/{number}/approval"): _APPROVER,
    ("GET", "/api/v1/restricted/queue"): WARD_STAFF,
    ("POST", "/api/v1/restricted/addresses"): WARD_STAFF,
    ("POST", "/api/v1/restricted/addresses/{number}/approval"): _APPROVER,
    ("POST", "/api/v1/restricted/addresses/{number}/view"): WARD_STAFF,
}

#: 区の画面（serve ward）。
WARD_ACCESS: Access = {
    **_WARD_LOOK_UP,
    **_WARD_APPROVALS,
    **_WARD_AUDIT,
    **_WARD_RESTRICTED,
    **_WARD_FAILURES,
    **_WARD_COLLECTIONS,
    **_WARD_PRINT,
    **_WARD_JSON,
    **_login(WARD_EVERYONE),
    **_people(WardRole.ADMIN.value, frozenset({WardRole.CLERK.value, WardRole.APPROVER.value, WardRole.ADMIN.value})),
    ("GET", "/"): WARD_EVERYONE,
    ("GET", "/static/{name}"): OPEN,
    ("GET", "/favicon.ico"): OPEN,
    ("GET", "/openapi.json"): OPEN,
}


def check(app: FastAPI, table: Access) -> None:
    """すべての道に行があり、すべての行に道があることを確かめる。"""
    routes = {(method, path) for path, methods in _routes(app) for method in methods if method != "HEAD"}
    missing, dead = routes - set(table), set(table) - routes
    if missing or dead:
        raise RuntimeError(f"権限の表と道が合いません: 行のない道 {sorted(missing)}、道のない行 {sorted(dead)}")


def _routes(app: FastAPI) -> Iterable[tuple[str, set[str]]]:
    for route in app.routes:
        # まとめて載せた道（mount）は、一つずつ確かめられないので、知らない道として扱う。
        methods = set(route.methods or ()) if isinstance(route, Route) else set()
        yield getattr(route, "path", repr(route)), methods or {"ANY"}
