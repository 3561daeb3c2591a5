"""区直轄の人の番号・口座・名義は、名ざされていない人の承認・一覧・Excel に一字も出ない。件数と額と指紋は同じである。"""

from __future__ import annotations

import io
import zipfile

from benefit.services import approvals_view_sheets as sheets
from benefit.services import judgment
from benefit.store import ward
from tests.api.ward.conftest import Ward, name
from tests.services.conftest import JUDGED, PROGRAMME


def make_ward_transfer(made: Ward) -> int:
    """区が直接扱う人だけの振込ファイル。"""
    office = made.office
    judgment.judge_ward_rows(
        made.home, PROGRAMME, out=office.root / "ward-rows", today=JUDGED, bank_master=office.banks, clock=office.clock
    )
    done = office.make()
    assert done is not None
    return done.id


def secrets(made: Ward) -> list[str]:
    table = ward.entitlement
    with made.home.ward.connect() as connection:
        query = table.select().where(table.c.route == "WARD")
        numbers = [row["case_number"] for row in connection.execute(query).mappings()]
    assert numbers
    return [*numbers, *(str(row["holder_kana"]) for row in made.office.payments())]


def workbook(made: Ward, what: str, number: int, csrf: str) -> str:
    given = {"csrf": csrf, "what": what, "number": number, "reason": "会計室の確認"}
    answer = made.client.post("/export", data=given)
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as book:
        return book.read("xl/sharedStrings.xml").decode()


def test_the_unnamed_see_the_money_but_not_who(ward_desk: Ward) -> None:
    made = ward_desk
    number = make_ward_transfer(made)
    hidden = secrets(made)
    api = made.client.get(f"/api/v1/approvals/transfer/{number}", headers=made.token("shonin1"))
    csrf = made.login("shonin1")
    told = [
        made.client.get(f"/approvals/transfer/{number}").text,
        *(made.client.get(f"/list/{which}").text for which in ("targets", "sent", "reviewed")),
        made.client.get("/").text,
        workbook(made, "transfer", number, csrf),
        workbook(made, "targets", 0, csrf),
        workbook(made, "build", 1, csrf),
        api.text,
    ]
    for place, text in enumerate(told):
        assert [one for one in hidden if one in text] == [], place
    assert "区直轄" in told[0]
    before = sheets.sheet(made.home, "transfer", number)
    assert api.json()["digest"] == before.digest
    assert api.json()["total_yen"] == before.total_yen == sum(row["amount_yen"] for row in made.office.payments())
    # 名ざされた人には、同じ一枚で、番号が見える。
    name(made, "shonin1")
    made.login("shonin1")
    shown = made.client.get(f"/approvals/transfer/{number}").text
    assert any(one in shown for one in hidden)


def test_a_request_about_one_hidden_right_answers_like_a_number_that_is_not(ward_desk: Ward) -> None:
    made = ward_desk
    make_ward_transfer(made)
    right = made.office.payments()[0]["entitlement_id"]
    with made.home.ward.begin() as connection:
        connection.execute(
            ward.ending.insert().values(
                id=1,
                entitlement_id=right,
                kind="辞退",
                reason="本人の申出",
                asked_by="tanto",
                asked_at=made.office.clock(),
            )
        )
    headers = made.token("shonin1")
    hidden = made.client.get("/api/v1/approvals/ending/1", headers=headers)
    absent = made.client.get("/api/v1/approvals/ending/2", headers=headers)
    assert (hidden.status_code, hidden.text) == (absent.status_code, absent.text.replace("申し出 2", "申し出 1"))
    name(made, "shonin1")
    assert made.client.get("/api/v1/approvals/ending/1", headers=headers).status_code == 200
