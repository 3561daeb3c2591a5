"""承認は、作った人と別の人が、見た中身の指紋に対してする。中身が変われば、その承認は受け付けられない（P27）。"""

from __future__ import annotations

import itertools
import json
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from benefit.domain.access import Actor
from benefit.services import approvals_view_sheets as sheets
from benefit.services import audit_search, beneficiaries, extracts, holds, runs
from benefit.store import ward
from tests.api.conftest import PASSWORD
from tests.api.ward.conftest import Ward, name
from tests.services.conftest import FIRST, MAKER, PROGRAMME, Office
from tests.services.test_holds import again, shared
from tests.support import people
from tests.support.small_ward import read, write

KEYS = (f"key-{place:08d}" for place in itertools.count())


def key() -> dict[str, str]:
    return {"Idempotency-Key": next(KEYS)}


def post(made: Ward, path: str, headers: dict[str, str], body: dict[str, Any]) -> Any:
    return made.client.post(path, json=body, headers={**key(), **headers})


def sheet(made: Ward, kind: str, number: int, headers: dict[str, str]) -> dict[str, Any]:
    answer = made.client.get(f"/api/v1/approvals/{kind}/{number}", headers=headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def made_transfer(made: Ward) -> int:
    made.office.judge()
    done = made.office.make()
    assert done is not None
    return done.id


def build_without(office: Office, *, by: Actor, drop: int, day: int) -> int:
    """住民を `drop` 世帯だけ減らして判定し直し、判定の番号を返す。"""
    rows = read(office.root / "in" / "residents.csv")
    homes = list(dict.fromkeys(row["世帯番号"] for row in rows))[:drop]
    path = office.root / f"residents-{day}.csv"
    write(path, [row for row in rows if row["世帯番号"] not in homes], list(rows[0]))
    clock = office.clock
    extracts.import_file(office.home, "residents", path, clock=clock, levy_year=2024)
    today = date(2024, 7, day)
    built = beneficiaries.build(office.home, PROGRAMME, today, out=office.root / f"build-{day}", clock=clock, actor=by)
    assert built.run_id is not None
    return built.run_id


def test_a_transfer_goes_out_only_after_two_others_approved_the_same_bytes(ward_desk: Ward) -> None:
    made = ward_desk
    made.office.judge()
    maker = made.token("tanto")
    asked = {"programme": PROGRAMME.id, "pay_date": "2024-08-02"}
    number = post(made, "/api/v1/transfers", maker, asked).json()["number"]
    found = sheet(made, "transfer", number, maker)
    body = {"digest": found["digest"]}
    path = f"/api/v1/approvals/transfer/{number}"
    # 作った人は、画面の役割でも、JSON でも、承認できない。
    assert post(made, path, maker, body).status_code == 403
    first = made.token("shonin1")
    assert post(made, path, first, body).status_code == 200
    refused = post(made, path, first, body)
    assert (refused.status_code, refused.headers["content-type"]) == (403, "application/problem+json")
    early = post(made, f"/api/v1/transfers/{number}/release", first, body)
    assert early.status_code == 400
    assert not (made.home.outbox / "bank").exists()
    assert post(made, path, made.token("shonin2"), body).status_code == 200
    maker = made.token("tanto")
    assert post(made, f"/api/v1/transfers/{number}/release", maker, body).status_code == 200
    assert [one.name for one in (made.home.outbox / "bank").iterdir()] == [f"sogo-{number:04d}.txt"]
    assert {row["state"] for row in made.office.payments()} == {"F41"}
    facts = sheet(made, "transfer", number, maker)["facts"]
    assert facts["前のファイルにいて、まだ生きている支払"] == "0件"
    assert [row["actor"] for row in made.audit("transfer.approve")] == ["shonin1", "shonin2"]


def test_the_one_who_asked_may_not_approve_even_as_an_approver(ward_desk: Ward) -> None:
    """承認の役割の人が申し出ても、その人は承認できない（画面でも JSON でも）。"""
    made = ward_desk
    held, _other = shared(made.office)
    name(made, "tanto", "shonin1")  # 選ばれた人が区直轄の世帯でも、同じ試験になるように
    asked = holds.ask(
        made.home, PROGRAMME, held, "CHK82", reason="双方に電話で確かめた", actor=FIRST, clock=made.office.clock
    )
    headers = made.token("shonin1")
    body = {"digest": sheet(made, "hold", asked, headers)["digest"]}
    assert post(made, f"/api/v1/approvals/hold/{asked}", headers, body).status_code == 403
    csrf = made.login("shonin1")
    shown = made.client.get(f"/approvals/hold/{asked}")
    assert "あなたが作った（申し出た）ものなので" in shown.text
    assert "disabled" in shown.text
    given = {"csrf": csrf, "operation": "operation-1", "digest": body["digest"]}
    assert made.client.post(f"/approvals/hold/{asked}/approve", data=given).status_code == 400
    assert made.count(ward.hold_release_approval) == 0


@pytest.mark.parametrize("way", ["screen", "json"])
def test_an_approval_of_something_that_changed_is_refused_and_the_new_one_is_shown(ward_desk: Ward, way: str) -> None:
    made = ward_desk
    held, _other = shared(made.office)
    name(made, "tanto", "shonin1")  # 選ばれた人が区直轄の世帯でも、同じ試験になるように
    asked = holds.ask(
        made.home, PROGRAMME, held, "CHK82", reason="双方に電話で確かめた", actor=MAKER, clock=made.office.clock
    )
    headers = made.token("shonin1")
    seen = sheet(made, "hold", asked, headers)
    # 見ている間に、同じ保留のもう一つの申し出が承認され、判定し直されて、支給可になった。
    second = holds.ask(
        made.home, PROGRAMME, held, "CHK82", reason="本人に確かめた", actor=MAKER, clock=made.office.clock
    )
    holds.approve(made.home, second, actor=FIRST, clock=made.office.clock)
    again(made.office)
    now = sheet(made, "hold", asked, headers)
    assert now["digest"] != seen["digest"]
    path = f"approvals/hold/{asked}"
    if way == "json":
        answer = post(made, f"/api/v1/{path}", headers, {"digest": seen["digest"]})
    else:
        csrf = made.login("shonin1")
        given = {"csrf": csrf, "operation": "operation-1", "digest": seen["digest"]}
        answer = made.client.post(f"/{path}/approve", data=given)
        assert now["digest"] in answer.text
    assert answer.status_code == 409
    assert "中身が変わりました" in answer.text
    assert made.count(ward.hold_release_approval) == 1
    assert post(made, f"/api/v1/{path}", made.token("shonin1"), {"digest": now["digest"]}).status_code == 200


def test_a_change_between_the_look_and_the_write_is_refused_inside_the_write(ward_desk: Ward) -> None:
    """確かめた直後、書く直前に中身が変わっても、同じトランザクションの中で気づく。"""
    made = ward_desk
    held, _other = shared(made.office)
    name(made, "tanto", "shonin1")  # 選ばれた人が区直轄の世帯でも、同じ試験になるように
    asked = holds.ask(
        made.home, PROGRAMME, held, "CHK82", reason="双方に電話で確かめた", actor=MAKER, clock=made.office.clock
    )
    now = sheets.sheet(made.home, "hold", asked)
    check = sheets.unchanged(made.home, "hold", asked, "0" * 64)
    with pytest.raises(sheets.RefusedByRule, match="中身が変わりました"), made.home.ward.begin() as connection:
        check(connection)
    with made.home.ward.begin() as connection:
        sheets.unchanged(made.home, "hold", asked, now.digest)(connection)


def test_a_build_is_shown_as_the_difference_from_the_one_in_force(ward_desk: Ward) -> None:
    """間に承認されない判定があっても、比べる相手は、いま効いている（承認された）判定である。"""
    made = ward_desk
    skipped = build_without(made.office, by=MAKER, drop=3, day=20)
    number = build_without(made.office, by=MAKER, drop=6, day=22)
    headers = made.token("shonin1")
    found = sheet(made, "build", number, headers)
    assert found["facts"]["比べた相手"].startswith("判定 1（")
    waiting = made.client.get("/api/v1/approvals", headers=headers).json()["waiting"]
    assert [(one["kind"], one["number"]) for one in waiting] == [("build", skipped), ("build", number)]
    kinds = {table["title"]: table["rows"] for table in found["tables"]}
    # 前の判定から数えた差（承認されなかった判定からではない）と、合計の前後。
    run = runs.find(made.home, PROGRAMME, f"{number}")
    expected = runs.compare(made.home, runs.find(made.home, PROGRAMME, "1"), run).difference
    assert sum(row["件数"] for row in kinds["違い方ごと"]) == expected.rows.height
    assert sum(row["件数"] for row in kinds["理由ごとの見本"]) == expected.rows.height
    assert any("消えた" in row["今の理由"] for row in kinds["理由ごとの見本"])
    assert "外れる" in {row["差"] for row in kinds["違い方ごと"]}
    assert found["digest"] == expected.digest
    # 古い方を承認した後は、見た差はもう「いま効いている判定との差」ではない。
    base = {"digest": sheet(made, "build", skipped, headers)["digest"], "reason": "架空の区が小さい"}
    assert post(made, f"/api/v1/approvals/build/{skipped}", headers, base).status_code == 200
    late = {"digest": found["digest"], "reason": "架空の区が小さい"}
    assert post(made, f"/api/v1/approvals/build/{number}", headers, late).status_code == 409
    fresh = {**late, "digest": sheet(made, "build", number, headers)["digest"]}
    assert post(made, f"/api/v1/approvals/build/{number}", headers, fresh).status_code == 200
    assert sheet(made, "build", number, headers)["closed"] == "この判定は、shonin1 が承認しました"


def test_a_hold_is_asked_to_be_released_on_the_screen_with_a_reason(ward_desk: Ward) -> None:
    made = ward_desk
    held, _other = shared(made.office)
    name(made, "tanto", "shonin1")  # 選ばれた人が区直轄の世帯でも、同じ試験になるように
    csrf = made.login("tanto")
    listed = made.client.get("/holds").text
    assert f"{held[:4]} {held[4:8]} {held[8:]}" in listed
    given = {
        "csrf": csrf, "operation": "operation-1", "programme": PROGRAMME.id, "case_number": held, "check": "CHK82",
    }  # fmt: skip
    assert made.client.post("/holds", data=given).status_code == 400  # 理由がない
    answer = made.client.post("/holds", data={**given, "reason": "双方に電話で確かめた"})
    assert str(answer.url).endswith("/approvals/hold/1")
    assert "変わっていません" in answer.text
    # 同じ札の二度押しは、同じ一枚へ戻るだけ。
    again_pressed = made.client.post("/holds", data={**given, "reason": "双方に電話で確かめた"})
    assert str(again_pressed.url) == str(answer.url)
    assert made.count(ward.hold_release) == 1
    assert 'href="/approvals/hold/1"' in made.client.get("/holds").text
    log = json.loads(next(row["detail"] for row in made.audit("holds.view")))
    assert log["rows"] == len(log["cases"]) == 2
    assert given["case_number"] in log["cases"]


def test_the_same_write_twice_is_one_write(ward_desk: Ward) -> None:
    made = ward_desk
    number = made_transfer(made)
    headers = made.token("shonin1")
    body = {"digest": sheet(made, "transfer", number, headers)["digest"]}
    same = {**headers, **key()}
    path = f"/api/v1/approvals/transfer/{number}"
    answers = [made.client.post(path, json=body, headers=same) for _time in range(2)]
    assert [one.status_code for one in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert made.count(ward.approval) == 1
    other = made.client.post(path, json={**body, "reason": "違う中身"}, headers=same)
    assert other.status_code == 409
    assert made.client.post(path, json=body, headers=headers).status_code == 422  # 札がない


def test_an_approval_and_its_receipt_are_written_together_or_not_at_all(ward_desk: Ward) -> None:
    """札が書けなければ、承認もない。"""
    made = ward_desk
    number = made_transfer(made)
    headers = made.token("shonin1")
    body = {"digest": sheet(made, "transfer", number, headers)["digest"]}
    with made.home.ward.begin() as connection:
        connection.execute(
            sa.text("CREATE TRIGGER broken BEFORE INSERT ON operation BEGIN SELECT RAISE(ABORT, 'broken'); END")
        )
    assert post(made, f"/api/v1/approvals/transfer/{number}", headers, body).status_code == 503
    assert made.count(ward.approval) == 0
    assert made.audit("transfer.approve") == []


def test_after_five_minutes_an_approval_needs_the_person_again(ward_desk: Ward) -> None:
    made = ward_desk
    number = made_transfer(made)
    headers = made.token("shonin1")
    body = {"digest": sheet(made, "transfer", number, headers)["digest"]}
    path = f"/api/v1/approvals/transfer/{number}"
    made.office.clock.now += timedelta(minutes=6)
    assert post(made, path, headers, body).status_code == 403
    code = people.code(made.home, "ward", "shonin1", made.office.clock)
    assert post(made, path, headers, {**body, "password": "違う合言葉-とても-ながい", "code": code}).status_code == 403
    assert made.count(ward.approval) == 0
    code = people.code(made.home, "ward", "shonin1", made.office.clock)
    assert post(made, path, headers, {**body, "password": PASSWORD, "code": code}).status_code == 200


def test_a_sheet_is_seen_only_after_the_look_is_on_record(ward_desk: Ward) -> None:
    made = ward_desk
    name(made, "shonin1")
    number = made_transfer(made)
    headers = made.token("shonin1")
    found = sheet(made, "transfer", number, headers)
    [row] = made.audit("approval.view")
    assert (row["actor"], row["subject"]) == ("shonin1", f"transfer/{number}")
    assert (
        f'"rows": {sum(len(table["rows"]) for table in found["tables"] if "十件" in table["title"])}' in row["detail"]
    )
    # 名義と口座の終わりが見えた人の番号も残り、「誰が私の記録を見たか」に出る。
    largest = found["tables"][2]["rows"][0]["給付管理番号"]
    assert largest in json.loads(row["detail"])["cases"]
    lines, _numbers = audit_search.viewers(
        made.home, largest, None, None, reason="開示請求 7", actor=Actor("kansa", "auditor"), clock=made.office.clock
    )
    assert ("shonin1", "approval.view") in [(one.actor, one.action) for one in lines]
    with made.home.ward.begin() as connection:
        connection.execute(
            sa.text("CREATE TRIGGER broken BEFORE INSERT ON audit_log BEGIN SELECT RAISE(ABORT, 'broken'); END")
        )
    for path in (f"/api/v1/approvals/transfer/{number}", f"/approvals/transfer/{number}", "/holds", "/list/paid"):
        answer = made.client.get(path, headers=headers, follow_redirects=False)
        if path.startswith("/api"):
            assert answer.status_code == 503
        assert found["tables"][2]["rows"][0]["給付管理番号"] not in answer.text


@pytest.mark.parametrize("who", ["kansa", "kanri"])
def test_the_auditor_and_the_administrator_see_no_approval_and_no_figure(ward_desk: Ward, who: str) -> None:
    made = ward_desk
    number = made_transfer(made)
    headers = made.token(who)
    for path in ("/api/v1/dashboard", "/api/v1/approvals", f"/api/v1/approvals/transfer/{number}"):
        assert made.client.get(path, headers=headers).status_code == 403
    made.login(who)
    for path in ("/approvals", "/transfers", "/holds", "/builds", "/list/paid", f"/approvals/transfer/{number}"):
        assert made.client.get(path).status_code == 403, path
    shown = made.client.get("/")
    assert shown.status_code == 200
    assert "支給済" not in shown.text


def test_what_leaves_as_a_workbook_is_on_record_with_its_rows_and_carries_who_took_it(ward_desk: Ward) -> None:
    made = ward_desk
    number = made_transfer(made)
    csrf = made.login("tanto")
    asked = {"csrf": csrf, "what": "transfer", "number": number}
    assert made.client.post("/export", data=asked).status_code == 400  # 理由がない
    answer = made.client.post("/export", data={**asked, "reason": "=会計室の確認"})
    assert answer.headers["content-type"].endswith("sheet")
    [row] = made.audit("export")
    assert (row["reason"], row["subject"]) == ("=会計室の確認", f"transfer/{number}")
    assert f'"rows": {len(made.office.payments())}' in row["detail"]
    import io
    import zipfile

    with zipfile.ZipFile(io.BytesIO(answer.content)) as book:
        inside = book.read("xl/sharedStrings.xml").decode()
        pages = book.read("xl/worksheets/sheet1.xml").decode()
    assert "tanto" in inside
    assert "<f>" not in pages
