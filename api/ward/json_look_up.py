"""JSON の道（/api/v1）: 照会、納付状況、監査。画面と同じ仕事を、同じ記録を残して行う。番号は道に載せず、本文で送る。"""

from __future__ import annotations

from dataclasses import asdict

from fastapi import APIRouter, HTTPException, Request

from api.guard import ApiSession
from api.ward.json_shapes import (
    REFUSALS,
    Case,
    Check,
    Debt,
    Found,
    Hit,
    LogLine,
    LogPage,
    LogQuery,
    Paid,
    PaymentSearch,
    PeopleSearch,
    Person,
    PersonAsked,
    Reason,
    Step,
)
from benefit.services import audit_search, collection_lookup, ward_lookup, ward_why
from benefit.services.explain import change_lines
from benefit.services.ward_case import failed_checks
from benefit.services.ward_lookup import Why

router = APIRouter(prefix="/api/v1")


def _ten(number: int | None) -> str | None:
    return None if number is None else f"{number:010d}"


@router.post("/people/search", summary="照会で探す", tags=["照会"], responses=REFUSALS)
def search(request: Request, session: ApiSession, given: PeopleSearch) -> Found:
    """探す。見せる前に、用件と理由のついたログが残る。"""
    state = request.app.state
    why = Why.of(given.purpose, given.reason)
    keys = ward_lookup.Keys.of(**given.model_dump(exclude={"purpose", "reason"}))
    hits = ward_lookup.search(state.home, keys, why, actor=session.actor, clock=state.clock)
    if hits is None:
        return Found(hits=[], says=ward_lookup.TOO_MANY)
    return Found(
        hits=[
            Hit(
                person_number=f"{hit.person_number:010d}",
                household_number=_ten(hit.household_number),
                name=hit.name,
                kana_name=hit.kana_name,
                birth=hit.birth,
                case_numbers=list(hit.case_numbers),
            )
            for hit in hits
        ],
        says="" if hits else ward_lookup.NO_SUCH,
    )


@router.post("/people/case", summary="一人を開く", tags=["照会"], responses=REFUSALS)
def show(request: Request, session: ApiSession, given: PersonAsked) -> Person:
    """一人の今と、なぜ。いない番号と、見てはならない人は、同じ 404。"""
    state = request.app.state
    why = Why.of(given.purpose, given.reason)
    number = int(given.person_number)
    person = ward_lookup.look(state.home, number, why, actor=session.actor, clock=state.clock)
    if person is None:
        raise HTTPException(404, ward_lookup.NO_SUCH)
    one = person.resident or {}
    address = " ".join(part for part in (one.get("address"), one.get("address2")) if part)
    return Person(
        person_number=given.person_number,
        household_number=_ten(person.household_number),
        name=one.get("name") or "",
        kana_name=one.get("kana_name") or "",
        birth=one.get("birth") or "",
        address=address or None,
        restricted=person.restricted,
        cases=[
            Case(
                case_number=trail.case["case_number"],
                branch=trail.case["branch"],
                benefit=state.home.benefit_names.get(trail.case["benefit"], trail.case["benefit"]),
                amount_yen=trail.case["amount_yen"],
                payee_number=f"{trail.case['payee_number']:010d}",
                **asdict(trail.told),
                checks=[
                    Check(number=number_, weight=weight, says=says)
                    for number_, weight, says in failed_checks(trail, state.home.programme(trail.case["programme"]))
                ],
                steps=[Step(**asdict(step)) for step in trail.steps],
            )
            for trail in person.trails
        ],
        reasons=[
            Reason(
                programme=one_.programme,
                kind=paper.kind,
                number=f"{paper.number:010d}",
                benefit=paper.benefit_name,
                verdict=paper.verdict,
                result=paper.result,
                clauses=ward_why.clauses(paper),
                changes=[line.removeprefix("・") for line in change_lines(paper)],
                files=[" ".join(file) for file in paper.files],
            )
            for one_ in ward_why.explained(state.home, number)
            for paper in one_.papers
        ],
    )


@router.post("/payments/search", summary="納付状況を調べる", tags=["収納"], responses=REFUSALS)
def payments(request: Request, session: ApiSession, given: PaymentSearch) -> list[Debt]:
    """調定ごとの納付状況。"""
    state = request.app.state
    why = Why.of(given.purpose, given.reason)
    keys = collection_lookup.Keys.of(**given.model_dump(exclude={"purpose", "reason"}))
    found = collection_lookup.search(state.home, keys, why, actor=session.actor, clock=state.clock)
    return [
        Debt(
            **{name: getattr(one, name) for name in Debt.model_fields if name != "payments"},
            payments=[Paid(**asdict(paid)) for paid in one.payments],
        )
        for one in found
    ]


@router.post("/audit/search", summary="監査ログを引く", tags=["監査"], responses=REFUSALS)
def logs(request: Request, session: ApiSession, given: LogQuery) -> LogPage:
    """一頁を引く。引いたことも、先にログに残る。"""
    state = request.app.state
    query = audit_search.Query(given.actor, given.number, given.action, given.since, given.until, given.terminal)
    found = audit_search.search(state.engine, "ward", query, page=given.page, actor=session.actor, at=state.clock())
    return LogPage(
        total=found.total,
        page=found.page,
        pages=found.pages,
        lines=[LogLine(**{**asdict(line), "subjects": list(line.subjects)}) for line in found.lines],
    )
