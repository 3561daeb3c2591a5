"""監査: 人・番号・操作・期間・端末でログを引く。引いたことも先に残り、「誰が私の記録を見たか」に答えられる。"""

from __future__ import annotations

import io
from typing import Any
from zipfile import ZipFile

import pytest
import sqlalchemy as sa

from benefit.services import audit_search
from benefit.services.audit_search import Query
from benefit.store import audit, ward
from tests.api.world import AUDITOR, CLERK, FIRST, OTHER, World

pytestmark = pytest.mark.xdist_group("ward-world")


def looked(world: World) -> dict[str, object]:
    """担当が一件を開き、名ざされていない担当が区直轄の一人を探した。開いた一件を返す。"""
    case = world.enter(CLERK).open_case()
    world.ask(case_number=case["case_number"])
    world.enter(OTHER).ask(person_number=f"{world.marked():010d}")
    return case


def test_a_search_is_logged_first_and_is_not_in_its_own_result(both: World) -> None:
    looked(both)
    before = len(both.logged())
    found = both.enter(AUDITOR).post("/audit/search", action="audit.search")
    assert "この条件に当たる行はありません" in found.text
    rows = both.logged()
    assert len(rows) == before + 1
    assert (rows[-1]["action"], rows[-1]["actor"]) == ("audit.search", AUDITOR.id)
    again = both.post("/audit/search", action="audit.search").text
    assert "1 行" in again


def test_without_the_log_of_the_search_nothing_is_shown(world: World) -> None:
    looked(world)
    world.enter(AUDITOR).post("/audit/search", actor=CLERK.id)

    def full(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        if "INSERT INTO audit_log" in statement:
            raise sa.exc.OperationalError(statement, {}, Exception("disk full"))

    sa.event.listen(world.home.ward, "before_cursor_execute", full)
    answers = [
        world.post("/audit/search", actor=CLERK.id),
        world.post("/audit/workbook", actor=CLERK.id, reason="月次"),
        world.post("/audit/viewers", number="1", reason="求め"),
        world.json("/api/v1/audit/search", {"actor": CLERK.id}),
    ]
    sa.event.remove(world.home.ward, "before_cursor_execute", full)
    for answer in answers:
        assert answer.status_code == 503
        assert "受付 12" not in answer.text


def test_each_condition_narrows_and_the_number_of_a_person_finds_the_cases(both: World) -> None:
    case = looked(both)
    both.enter(AUDITOR)

    def count(**given: Any) -> int:
        return audit_search.search(both.home.ward, "ward", Query(**given), actor=AUDITOR, at=both.clock()).total

    payee = f"{case['payee_number']:010d}"
    assert count(number=case["case_number"], actor=CLERK.id) == 2
    assert count(number=payee, actor=CLERK.id) == 2
    assert count(number=payee, actor=OTHER.id) == 0
    assert count(number=payee, action="person.view") == 1
    today = both.clock.now.date()
    assert count(actor=CLERK.id, since=today, until=today, action="person.view") == 1
    assert count(actor=CLERK.id, until=today.replace(day=1)) >= 1
    assert count(actor=CLERK.id, since=today.replace(month=12)) == 0
    assert count(terminal="console", action="person.view") == 1
    assert count(terminal="ない端末") == 0
    assert count(number="あいう") == 0
    # 見てはならない人を探した試みも、その人の番号で引ける。
    assert count(number=f"{both.marked():010d}", actor=OTHER.id) == 1


def test_no_name_is_in_the_result(world: World) -> None:
    case = looked(world)
    page = world.enter(AUDITOR).post("/audit/search").text
    head = world.resident(int(str(case["payee_number"])))
    assert "照会で開いた" in page
    assert head["name"] not in page
    assert head["address"] not in page


def test_long_results_come_in_pages_that_cover_everything_once(world: World) -> None:
    with world.home.ward.begin() as connection:
        for turn in range(120):
            audit.record(
                connection, ward.audit_log, at=world.clock(), actor=OTHER, action="case.view", subject=f"{turn:011d}"
            )
    seen: list[str] = []
    for page in (1, 2, 3, 99):
        query = Query(action="case.view")
        found = audit_search.search(world.home.ward, "ward", query, page=page, actor=AUDITOR, at=world.clock())
        assert (found.total, found.pages) == (120, 3)
        seen += [line.subjects[0] for line in found.lines] if page < 4 else []
    assert sorted(seen) == [f"{turn:011d}" for turn in range(120)]
    text = world.enter(AUDITOR).post("/audit/search", action="case.view", number_of_page="2").text
    assert "（2 / 3 頁）" in text
    assert "新しい方へ" in text
    assert "古い方へ" in text


def test_who_looked_at_me_is_answered_with_roles_and_reasons(both: World) -> None:
    case = looked(both)
    payee = f"{case['payee_number']:010d}"
    both.enter(FIRST).ask(person_number=payee)
    page = both.enter(AUDITOR).post("/audit/viewers", number=payee, reason="開示請求 7").text
    assert "4 回の閲覧" in page
    assert page.index(">tanto<") < page.index(">shonin1<")
    assert OTHER.id not in page.partition("<main")[2]
    assert "本人からの問合せ: 受付 12" in page
    assert both.logged("audit.viewers")[-1]["reason"] == "開示請求 7"
    made = both.post("/audit/viewers/workbook", number=payee, reason="開示請求 7")
    text = ZipFile(io.BytesIO(made.content)).read("xl/sharedStrings.xml").decode()
    assert "区職員（担当）" in text
    assert "照会で開いた" in text
    assert CLERK.id not in text.replace("kansa", "")
    assert both.post("/audit/viewers", number=payee, reason=" ").status_code == 400


def test_only_the_auditor_reads_the_log(world: World) -> None:
    for actor in (CLERK, FIRST):
        world.enter(actor)
        assert world.get("/audit").status_code == 403
        assert world.post("/audit/search").status_code == 403
        assert world.post("/audit/viewers", number="1", reason="求め").status_code == 403
        assert world.json("/api/v1/audit/search").status_code == 403


def test_json_gives_the_same_lines_and_a_reversed_period_is_refused(world: World) -> None:
    case = looked(world)
    told = world.enter(AUDITOR).json("/api/v1/audit/search", {"number": case["case_number"]}).json()
    assert [line["action"] for line in told["lines"]] == ["person.view", "person.search"]
    assert told["lines"][0]["reason"] == "本人からの問合せ: 受付 12"
    wrong = world.json("/api/v1/audit/search", {"since": "2024-08-02", "until": "2024-08-01"})
    assert wrong.status_code == 400
    assert world.enter(AUDITOR).post("/audit/search", since="きのう").status_code == 400


def test_the_workbook_is_logged_with_its_conditions(world: World) -> None:
    looked(world)
    world.enter(AUDITOR)
    for reason in ("", "　 "):
        refused = world.post("/audit/workbook", actor=CLERK.id, reason=reason)
        assert (refused.status_code, "持ち出す理由を書いてください" in refused.text) == (400, True)
    assert world.logged("audit.export") == []
    made = world.post("/audit/workbook", actor=CLERK.id, reason="月次の点検")
    assert world.logged("audit.export")[-1]["reason"] == "月次の点検"
    assert made.headers["content-disposition"] == 'attachment; filename="kansa-log.xlsx"'
    assert "照会で開いた" in ZipFile(io.BytesIO(made.content)).read("xl/sharedStrings.xml").decode()
    assert CLERK.id in str(world.logged("audit.export")[-1]["detail"])
