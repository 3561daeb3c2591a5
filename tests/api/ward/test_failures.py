"""振込不能の画面: 日数の図、一件の歩み、回答は二人で、区直轄の一件は名ざされた人だけ。"""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any
from zipfile import ZipFile

import pytest
import sqlalchemy as sa

from benefit.services import approvals_view_sheets, bank_master, failures
from benefit.store import ward
from tests.api.world import ADMIN, AUDITOR, CLERK, FIRST, OTHER, SECOND, World
from tests.support.owner import as_owner

pytestmark = pytest.mark.xdist_group("ward-world")
KEY = "failure-key-0001"


def strangers(world: World) -> list[int]:
    """ほかの課の不能の番号。"""
    rows = failures.register(world.home, world.clock.now.date())
    return [row["id"] for row in rows.iter_rows(named=True) if row["entitlement_id"] is None]


def account(world: World) -> dict[str, str]:
    bank_code, branch_code = next(iter(bank_master.in_use(world.home).branches()))
    return {
        "bank_code": bank_code, "branch_code": branch_code, "account_type": "1", "account_number": "9111111",
        "holder_kana": "ホカノ カ",
    }  # fmt: skip


def status(world: World, number: int) -> str:
    rows = failures.register(world.home, world.clock.now.date())
    return str(dict(rows.select("id", "status").iter_rows())[number])


def answered(world: World, number: int, actor: Any = CLERK, **given: str) -> int:
    told = {"kind": "戻入", "reason": "子育て支援課 回答 3 号", **given}
    world.enter(actor).post(f"/failures/{number}/answer", operation=f"answer-{number}", **told)
    with world.home.ward.connect() as connection:
        return int(connection.execute(sa.select(sa.func.max(ward.failure_answer.c.id))).scalar_one())


def test_the_book_shows_days_sums_and_three_digits_of_the_account(both: World) -> None:
    page = both.enter(CLERK).get("/failures").text
    assert "3 件" in page
    assert "終わっていない振込不能" in page
    assert "<svg" in page
    assert "****501" in page
    assert "9876501" not in page
    assert [row["action"] for row in both.logged("failure.list")] == ["failure.list"]
    listed = both.client.get("/api/v1/failures", headers={"Authorization": f"Bearer {both.token}"}).json()
    assert [row["id"] for row in listed] == [1, 2, 3]


def test_a_section_is_asked_and_its_answer_counts_only_when_another_approves(both: World) -> None:
    first, _ = strangers(both)
    due = f"{both.clock.now.date() + timedelta(days=10)}"
    asked = both.enter(CLERK).post(
        f"/failures/{first}/ask", operation="ask-0001", section="子育て支援課", due_on=due, order_number="6-100"
    )
    assert "照会中" in asked.text
    number = answered(both, first, kind="再振込", **account(both))
    own = both.get(f"/failures/{first}").text
    assert "記した人は、承認できません" in own
    assert status(both, first) == "承認待ち"
    shown = both.enter(FIRST).get(f"/failures/{first}").text
    assert "9111111" in shown, "承認する人は、口座の全部を照らす"
    done = both.post(f"/failures/{first}/approve", operation="approve-01", answer_number=f"{number}")
    assert done.status_code == 200
    assert status(both, first) == "回答済"
    assert "9111111" not in both.get(f"/failures/{first}").text


def test_the_one_who_wrote_the_answer_cannot_approve_it_on_the_page_or_by_json(world: World) -> None:
    first, _ = strangers(world)
    number = answered(world, first, FIRST)
    page = world.post(f"/failures/{first}/approve", operation="own-answer", answer_number=f"{number}")
    assert (page.status_code, "申し出た人は、承認できません" in page.text) == (400, True)
    told = world.json(f"/api/v1/failures/{first}/answers/approval", {"answer": number}, key=KEY)
    assert (told.status_code, told.json()["detail"]) == (400, "申し出た人は、承認できません")
    assert status(world, first) == "承認待ち"
    assert world.enter(CLERK).json(
        f"/api/v1/failures/{first}/answers/approval", {"answer": number}, key=KEY
    ).status_code == 403  # fmt: skip
    assert world.enter(SECOND).json(
        f"/api/v1/failures/{first}/answers/approval", {"answer": number}, key="failure-key-2"
    ).status_code == 200  # fmt: skip
    assert status(world, first) == "戻入済"


def test_an_approval_goes_only_with_its_own_failure(world: World) -> None:
    first, second = strangers(world)
    number = answered(world, first)
    crossed = world.enter(FIRST).post(f"/failures/{second}/approve", operation="crossed-1", answer_number=f"{number}")
    assert crossed.status_code == 400
    assert status(world, first) == "承認待ち"


def test_after_five_minutes_an_approval_asks_for_the_password_again(world: World) -> None:
    first, _ = strangers(world)
    number = answered(world, first)
    world.enter(FIRST)
    world.clock.now += timedelta(minutes=6)
    assert "もう一度の本人確認" in world.get(f"/failures/{first}").text
    late = world.post(f"/failures/{first}/approve", operation="late-0001", answer_number=f"{number}")
    assert late.status_code == 403
    assert status(world, first) == "承認待ち"


def test_two_presses_write_one_answer_and_another_content_is_refused(world: World) -> None:
    first, _ = strangers(world)
    given = {"kind": "戻入", "reason": "回答 3 号"}
    world.enter(CLERK)
    for _ in range(2):
        assert world.json(f"/api/v1/failures/{first}/answers", given, key=KEY).status_code == 200
    with world.home.ward.connect() as connection:
        assert len(connection.execute(ward.failure_answer.select()).all()) == 1
    other = world.json(f"/api/v1/failures/{first}/answers", {**given, "kind": "保留"}, key=KEY)
    assert other.status_code == 409


def test_mistakes_are_told_on_the_page_and_nothing_is_written(world: World) -> None:
    first, _ = strangers(world)
    world.enter(CLERK)
    for form, says in (
        ({"kind": "再振込", "reason": "回答"}, "新しい口座は、再振込のときに五項目とも"),
        ({"kind": "保留", "reason": "回答"}, "見直す日は、保留のときに"),
        ({"kind": "戻入", "reason": " "}, "理由を書いてください"),
        ({"kind": "保留", "reason": "回答", "review_on": "あした"}, "日付は"),
    ):
        answer = world.post(f"/failures/{first}/answer", operation=f"wrong-{len(says):04d}", **form)
        assert answer.status_code == 400
        assert says in answer.text
        assert "--" not in answer.text.split('role="alert"')[1].split("</div>")[0], "コマンドの書き方は、画面に出さない"
    assert world.post(f"/failures/{first}/ask", operation="no-day-001", section="課").status_code == 400
    with world.home.ward.connect() as connection:
        assert connection.execute(ward.failure_answer.select()).all() == []


def test_a_ward_only_failure_is_not_in_the_book_of_those_not_named(world: World) -> None:
    rows = failures.register(world.home, world.clock.now.date())
    own = rows.filter(rows["entitlement_id"].is_not_null()).row(0, named=True)
    with world.home.ward.begin() as connection:
        table = ward.entitlement
        as_owner(connection).execute(table.update().where(table.c.id == own["entitlement_id"]).values(route="WARD"))
    page = world.enter(OTHER).get("/failures").text
    assert own["case_number"] not in page
    assert "2 件" in page
    gone, absent = (world.get(f"/failures/{number}") for number in (own["id"], 99))
    assert gone.status_code == absent.status_code == 404
    assert f"不能 {own['id']} は帳簿にありません" in gone.text
    write = world.post(f"/failures/{own['id']}/note", operation="note-0001", text="覚え書き")
    assert write.status_code == 404
    with world.home.ward.connect() as connection:
        assert connection.execute(ward.failure_step.select()).all() == []
    assert own["case_number"] in world.enter(CLERK).get("/failures").text


def own_failure(world: World) -> dict[str, Any]:
    rows = failures.register(world.home, world.clock.now.date())
    return rows.filter(rows["entitlement_id"].is_not_null()).row(0, named=True)


def mark_late(world: World, entitlement_id: int) -> None:
    """登録した時は普通の人で、後から名簿に載った人にする（経路は、登録した時のまま）。"""
    with world.home.ward.begin() as connection:
        table = ward.entitlement
        late = table.update().where(table.c.id == entitlement_id).values(payee_number=world.marked())
        as_owner(connection).execute(late)


def test_a_payee_marked_after_registration_is_hidden_from_the_book_too(world: World) -> None:
    own = own_failure(world)
    mark_late(world, own["entitlement_id"])
    world.enter(OTHER)
    assert own["case_number"] not in world.get("/failures").text
    assert world.get(f"/failures/{own['id']}").status_code == 404
    assert world.post(f"/failures/{own['id']}/note", operation="note-0001", text="覚え書き").status_code == 404
    assert own["case_number"] in world.enter(CLERK).get("/failures").text


def test_a_binding_to_a_hidden_payment_is_not_shown_to_the_unnamed(world: World) -> None:
    own, (first, _second) = own_failure(world), strangers(world)
    rows = failures.register(world.home, world.clock.now.date())
    line = rows.filter(rows["id"] == first).row(0, named=True)
    asked = {
        "id": 1, "bank_report_id": line["bank_report_id"], "line_number": line["line_number"],
        "payment_id": own["payment_id"], "reason": "同じ人の行", "asked_by": "tanto", "asked_at": world.clock(),
    }  # fmt: skip
    with world.home.ward.begin() as connection:
        connection.execute(ward.report_match.insert().values(**asked))
    path = "/approvals/report_match/1"
    shown = world.enter(OTHER).get(path)
    assert (shown.status_code, own["case_number"] in shown.text) == (200, True)
    mark_late(world, own["entitlement_id"])
    hidden = world.get(path)
    assert hidden.status_code == world.get("/approvals/report_match/2").status_code
    assert own["case_number"] not in hidden.text
    assert own["case_number"] in world.enter(CLERK).get(path).text


def test_a_return_paid_again_in_a_later_file_is_not_told_as_an_overlap(world: World) -> None:
    first = own_failure(world)["payment_id"]
    verdict, payment, transfer, line = ward.verdict, ward.payment, ward.transfer, ward.transfer_line
    with world.home.ward.begin() as connection:
        owner = as_owner(connection)

        def copy(table: Any, where: Any, **changed: Any) -> dict[str, Any]:
            row = dict(connection.execute(table.select().where(where)).mappings().one())
            owner.execute(table.insert().values({**row, **changed}))
            return row

        paid = dict(connection.execute(payment.select().where(payment.c.id == first)).mappings().one())
        judged = verdict.c.planned_file_id == paid["planned_file_id"]
        copy(verdict, judged & (verdict.c.line_number == paid["line_number"]), line_number=9003)
        copy(payment, payment.c.id == first, id=9001, attempt=2, state="F40", line_number=9003)
        number = connection.execute(sa.select(line.c.transfer_id).where(line.c.payment_id == first)).scalar_one()
        copy(transfer, transfer.c.id == number, id=9002, sha256="d" * 64, content_key="e" * 64)
        copy(line, line.c.payment_id == first, transfer_id=9002, payment_id=9001)
    facts = dict(approvals_view_sheets.sheet(world.home, "transfer", number).facts)
    assert facts["前のファイルにいて、まだ生きている支払"] == "0件"


def test_the_workbook_needs_a_reason_and_is_logged(world: World) -> None:
    world.enter(CLERK)
    assert world.post("/failures/workbook").status_code == 400
    made = world.post("/failures/workbook", reason="会計室の月次")
    assert "状態ごと" in ZipFile(io.BytesIO(made.content)).read("xl/workbook.xml").decode()
    log = world.logged("failure.export")
    assert [(row["reason"], row["detail"]) for row in log] == [("会計室の月次", '{"rows": 3}')]


@pytest.mark.parametrize("actor", [AUDITOR, ADMIN])
def test_auditors_and_administrators_see_no_money(world: World, actor: Any) -> None:
    world.enter(actor)
    for path in ("/failures", "/failures/1", "/collections", "/collections/balance", "/payments"):
        assert world.get(path).status_code == 403
