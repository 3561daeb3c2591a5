"""委託先へ渡すのは、前の受渡との違いを別の人が承認したもの、そのままだけである。"""

from __future__ import annotations

from typing import Any

from benefit.domain.programme import Programme
from benefit.services import approvals_view_handovers as handovers
from benefit.store import ward
from tests.api.ward.conftest import Ward
from tests.services.conftest import FIRST, MAKER, PROGRAMME


def ask(made: Ward, csrf: str) -> int:
    given = {"csrf": csrf, "operation": "handover-ask-1", "programme": PROGRAMME.id, "reason": "毎日の受渡"}
    answer = made.client.post("/handovers", data=given)
    assert answer.status_code == 200, answer.text
    return int(str(answer.url).rsplit("/", 1)[1])


def sheet(made: Ward, number: int) -> dict[str, Any]:
    answer = made.client.get(f"/api/v1/approvals/handover/{number}", headers=made.token("shonin1"))
    found: dict[str, Any] = answer.json()
    return found


def approve(made: Ward, number: int, digest: str) -> int:
    headers = {**made.token("shonin1"), "Idempotency-Key": f"approve-handover-{digest[:8]}"}
    path = f"/api/v1/approvals/handover/{number}"
    return int(made.client.post(path, json={"digest": digest}, headers=headers).status_code)


def test_a_handover_is_the_difference_from_the_last_one_and_leaves_after_a_second_person(ward_desk: Ward) -> None:
    made = ward_desk
    # 前の受渡の後に、判定して送り出したので、状態だけが変わる。
    made.office.send()
    number = ask(made, made.login("tanto"))
    found = sheet(made, number)
    [kinds] = [table["rows"] for table in found["tables"] if table["title"] == "違い方ごと"]
    assert {row["違い"] for row in kinds} == {"変わる"}
    assert found["facts"]["引き上げる件"] == "0件"
    assert sum(row["件数"] for row in kinds) == int(found["facts"]["変わる件"].removesuffix("件"))
    out = made.home.outbox / f"payees-{number:04d}"
    release = {"csrf": made.login("tanto"), "operation": "handover-release-1"}
    assert made.client.post(f"/handovers/{number}/release", data=release).status_code == 400
    assert not out.exists()
    assert approve(made, number, found["digest"]) == 200
    release = {"csrf": made.login("tanto"), "operation": "handover-release-2"}
    assert made.client.post(f"/handovers/{number}/release", data=release).status_code == 200
    assert (out / "payees.csv").exists()
    assert "渡しました" in sheet(made, number)["closed"]


def test_what_changed_after_the_request_can_neither_be_approved_nor_handed_over(ward_desk: Ward) -> None:
    made = ward_desk
    made.office.judge()
    number = ask(made, made.login("tanto"))
    seen = sheet(made, number)
    transfer = made.office.make()
    assert transfer is not None
    assert approve(made, number, seen["digest"]) == 409
    assert made.count(ward.handover_request_approval) == 0
    assert "変わりました" in sheet(made, number)["closed"]


def test_an_approved_handover_that_no_longer_holds_is_not_handed_over(ward_desk: Ward) -> None:
    made = ward_desk
    made.office.judge()
    clock, chosen = made.office.clock, Programme.load(PROGRAMME.id)
    number = handovers.prepare(made.home, chosen, reason="毎日の受渡", actor=MAKER, clock=clock)
    handovers.approve(made.home, number, actor=FIRST, clock=clock)
    assert made.office.make() is not None
    given = {"csrf": made.login("tanto"), "operation": "handover-release-1"}
    answer = made.client.post(f"/handovers/{number}/release", data=given)
    assert answer.status_code == 400
    assert "渡す中身が変わりました" in answer.text
    assert not (made.home.outbox / f"payees-{number:04d}").exists()


def test_the_same_handover_and_hold_can_be_asked_through_json(ward_desk: Ward) -> None:
    made = ward_desk
    made.office.send()
    headers = {**made.token("tanto"), "Idempotency-Key": "handover-json-1"}
    given = {"programme": PROGRAMME.id, "reason": "毎日の受渡"}
    answers = [made.client.post("/api/v1/handovers", json=given, headers=headers) for _time in range(2)]
    assert [one.json() for one in answers] == [{"kind": "handover", "number": 1}] * 2
    early = made.client.post("/api/v1/handovers/1/release", headers={**headers, "Idempotency-Key": "handover-json-2"})
    assert early.status_code == 400
    assert approve(made, 1, sheet(made, 1)["digest"]) == 200
    again = {**made.token("tanto"), "Idempotency-Key": "handover-json-3"}
    assert made.client.post("/api/v1/handovers/1/release", headers=again).json() == {"number": 1, "released": True}
    unheld = {"programme": PROGRAMME.id, "case_number": "0" * 11, "check": "CHK82", "reason": "確かめた"}
    refused = made.client.post("/api/v1/holds", json=unheld, headers={**again, "Idempotency-Key": "hold-json-1"})
    assert refused.status_code == 400
    assert "保留になっていません" in refused.json()["detail"]
