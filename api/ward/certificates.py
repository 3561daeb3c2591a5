"""判定証明を出す: 開いている一人の、紙（PDF）と表（Excel）。だれに渡す紙かで、載る税額が決まる（0012）。"""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response

from api.attachment import PDF, XLSX, attached
from api.guard import PageSession
from api.page import Text, confirm
from api.ward.deeds import seen
from api.ward.people_lookup import open_person
from benefit.domain.clock import tokyo_date
from benefit.services import explain, sheet, ward_why
from letters import certificate

router = APIRouter(include_in_schema=False)


@router.post("/people/certificate")
def make(
    request: Request, session: PageSession, csrf: Text = "", programme: Text = "", reader: Text = "", form: Text = "pdf"
) -> Response:
    """判定証明を作る。作った記録が残ってから渡す。"""
    confirm(session, csrf)
    state = request.app.state
    opened = open_person(request, session)
    if opened is None:
        raise HTTPException(404, "開いている人がいません。照会からやり直してください")
    person, why = opened
    chosen = [one for one in ward_why.explained(state.home, person.person_number) if one.programme_id == programme]
    papers = list(chosen[0].papers) if chosen else []
    if not papers:
        raise HTTPException(404, "この人の判定証明はありません")
    reads = int(reader) if reader.isascii() and reader.isdigit() else None
    if reads is not None and reads not in ward_why.readers(papers):
        raise HTTPException(400, "受け取る人は、この世帯の人か、納税者本人です")
    if form == "xlsx":
        made = sheet.render(
            ward_why.sheets(papers, reads),
            made=state.clock(),
            title="判定証明",
            notes=["区限り" if any(one.protected for one in papers) else "税額は、受け取る人のものだけを載せています"],
        )
    else:
        numbers = [explain.case_number(state.home, one) for one in papers]
        made = certificate.render(papers, issued_on=tokyo_date(state.clock()), reader=reads, case_numbers=numbers)
    subject = f"{person.person_number:010d}"
    seen(request, session, "certificate.make", subject, rows=len(papers), reason=why.told)
    return attached(made, XLSX, "hantei-shomei.xlsx") if form == "xlsx" else attached(made, PDF, "hantei-shomei.pdf")
