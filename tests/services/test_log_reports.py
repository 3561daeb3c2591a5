"""週のログ分析報告書: 台帳から読んで検知を並べ、別の人が署名し、遅れれば札と送り出しの停止になる（reliability §4.7）。"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from benefit.domain.access import BATCH, Actor
from benefit.domain.clock import TOKYO
from benefit.domain.errors import RefusedByRule, WrongUse
from benefit.services import audit_anchors, audit_search, log_detectors, log_frames, log_report_text, log_reports
from benefit.services.home import Home
from benefit.services.log_reports import Report
from benefit.store import audit, desk, ward
from benefit.store.bulk import insert_one
from tests.conftest import StepClock
from tests.support.owner import as_owner

MONDAY = date(2024, 6, 17)
NEXT = MONDAY + timedelta(days=7)
AUDITOR, ADMIN, MAKER = Actor("kansa", "auditor"), Actor("kanri", "admin"), Actor("tanto", "clerk")
OPERATORS = [Actor(f"op-{number}", "operator", f"窓口{number}") for number in range(4)]


def at(day: int, hour: float) -> datetime:
    """その週の `day` 日目の、日本の時刻。"""
    return (datetime(2024, 6, 17, tzinfo=TOKYO) + timedelta(days=day, hours=hour)).astimezone(UTC)


def add_staff(home: Home) -> None:
    for engine, tables, people in (
        (home.ward, ward, (AUDITOR, ADMIN, MAKER)),
        (
            home.desk,
            desk,
            (*OPERATORS, Actor("kushoku", "ward_clerk"), Actor("kanri", "ward_admin"), Actor("sv", "supervisor")),
        ),
    ):
        rows = [
            {"id": one.id, "name": f"架空　{one.id}", "role": one.role, "password_hash": "x", "created_at": at(0, 8)}
            for one in people
        ]
        with engine.begin() as connection:
            connection.execute(tables.staff.insert(), rows)


def log(
    connection: sa.Connection, moment: datetime, actor: Actor, action: str, subject: str = "", **detail: object
) -> None:
    table = desk.audit_log
    audit.record(
        connection, table, at=moment, actor=actor, action=action, subject=subject, reason="進み具合", detail=detail
    )


@pytest.fixture
def busy(home: Home) -> Home:
    """月曜から金曜まで、電話のあった給付管理システム。op-3 は木曜に電話なしで見て、日曜にも来た。"""
    add_staff(home)
    with home.desk.begin() as connection:
        for day in range(4):
            for place, who in enumerate(OPERATORS[:3]):
                for turn in range(3):
                    moment = at(day, 9.5 + turn + place / 10)
                    insert_one(
                        connection, desk.call, reference=f"T-{day}{place}{turn}", purpose="進み具合の問合せ",
                        staff_id=who.id, started_at=moment, ended_at=moment + timedelta(minutes=5),
                    )  # fmt: skip
                    call = f"T-{day}{place}{turn}"
                    log(connection, moment + timedelta(minutes=1), who, "case.search", by="number", call=call, hits=1)
                    log(connection, moment + timedelta(minutes=2), who, "case.view", f"{day}{place}{turn}", call=call)
        log(connection, at(3, 11.2), OPERATORS[3], "case.view", "77777777777", call="")
        log(connection, at(6, 23.9), OPERATORS[3], "case.view", "77777777777", call="")
        # 次の週の月曜（日本の 0 時）は、この週に入らない。
        log(connection, at(7, 0), OPERATORS[3], "case.list", rows=999)
        log(connection, at(7, 9), BATCH, "planned.make", "F1", rows=999)
    return home


def made(home: Home, clock: StepClock, store: str = "desk", today: date = NEXT) -> Report:
    (report,) = log_reports.make(home, store, today=today, clock=clock, actor=BATCH)
    return report


def test_the_report_lists_all_sixteen_with_what_was_found_or_none(busy: Home, clock: StepClock) -> None:
    report = made(busy, clock)
    assert (report.period_from, report.period_to) == (MONDAY, MONDAY + timedelta(days=6))
    lines = log_report_text.lines(report)
    for one in log_detectors.DETECTORS:
        (line,) = [line for line in lines if line.startswith(one.id)]
        assert line.endswith(("なし", "件", "この台帳では調べない"))
    found = {one["id"]: one["found"] for one in report.body["detectors"] if one["count"]}
    assert found["L04"] == [["2024-06-20", "op-3", "閲覧 2 件のうち 2 件に、受けている電話か用件がありません"]]
    assert found["L05"] == [["2024-06-23", "op-3", "時間の外に 1 件（23:54 から）"]]
    assert set(found) == {"L04", "L05"}
    assert report.body["volumes"]["rows"] == 74
    assert report.sound
    assert log_report_text.workbook(report) == log_report_text.workbook(report)


def test_the_same_week_is_reported_once_and_the_running_week_never(busy: Home, clock: StepClock) -> None:
    first = made(busy, clock)
    assert log_reports.make(busy, "desk", today=NEXT + timedelta(days=6), clock=clock) == []
    (second,) = log_reports.make(busy, "desk", today=NEXT + timedelta(days=7), clock=clock)
    assert (second.period_from, second.id) == (NEXT, first.id + 1)
    assert [one["id"] for one in second.body["detectors"] if one["count"]] == ["L05", "L06"]


def test_two_quiet_weeks_have_two_digests_so_a_signature_is_for_one_week(busy: Home, clock: StepClock) -> None:
    reports = log_reports.make(busy, "desk", today=NEXT + timedelta(days=21), clock=clock)
    assert len({one.digest for one in reports}) == len(reports) == 4


@pytest.mark.parametrize("who", ["作った人", "管理", "委託先", "別の指紋", "所見なし", "二度目"])
def test_the_wrong_signature_is_refused(busy: Home, clock: StepClock, who: str) -> None:
    clerk = Actor("kushoku", "ward_clerk")
    (report,) = log_reports.make(busy, "desk", today=NEXT, clock=clock, actor=clerk if who == "作った人" else BATCH)
    actor = {"管理": Actor("kanri", "ward_admin"), "委託先": Actor("sv", "supervisor")}.get(who, clerk)
    digest = "0" * 64 if who == "別の指紋" else report.digest
    with busy.desk.begin() as connection:
        if who == "二度目":
            log_reports.sign(connection, "desk", report.id, digest=digest, remarks="よし", actor=clerk, at=clock())
        with pytest.raises((RefusedByRule, WrongUse)):
            log_reports.sign(
                connection, "desk", report.id, digest=digest, remarks="" if who == "所見なし" else "よし",
                actor=actor, at=clock(),
            )  # fmt: skip


def test_a_second_person_signs_and_the_store_itself_refuses_the_maker(busy: Home, clock: StepClock) -> None:
    report = made(busy, clock)
    clerk = Actor("kushoku", "ward_clerk", "区の端末")
    with busy.desk.begin() as connection:
        signed = log_reports.sign(
            connection,
            "desk",
            report.id,
            digest=report.digest,
            remarks=" L05 は障害対応だった ",
            actor=clerk,
            at=clock(),
        )
        assert (signed.signed_by, signed.remarks) == ("kushoku", "L05 は障害対応だった")
        last = (
            connection.execute(sa.select(desk.audit_log).order_by(-desk.audit_log.c.sequence).limit(1)).mappings().one()
        )
        assert (last["action"], last["actor"], last["terminal"]) == ("audit.sign", "kushoku", "区の端末")
        assert json.loads(last["detail"]) == {"sha256": report.digest}
    (second,) = log_reports.make(busy, "desk", today=NEXT + timedelta(days=7), clock=clock, actor=clerk)
    row = {
        "report_id": second.id,
        "digest": second.digest,
        "made_by": "kushoku",
        "signed_at": clock(),
        "remarks": "よし",
    }
    for wrong in (
        {"signed_by": "kushoku"},
        {"signed_by": "op-0", "digest": "0" * 64},
        {"signed_by": "op-0", "made_by": "x"},
    ):
        with pytest.raises(sa.exc.IntegrityError), busy.desk.begin() as connection:
            connection.execute(desk.log_report_signature.insert().values({**row, **wrong}))


def test_a_report_changed_in_the_store_is_not_shown(busy: Home, clock: StepClock) -> None:
    report = made(busy, clock)
    with busy.desk.begin() as connection:
        as_owner(connection)
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("ALTER TABLE log_report DISABLE TRIGGER ALL")
        else:
            connection.exec_driver_sql("DROP TRIGGER log_report_refuses_update")
        connection.execute(desk.log_report.update().values(body=json.dumps({**report.body, "name": "別"})))
    with busy.desk.connect() as connection, pytest.raises(RefusedByRule, match="指紋"):
        log_reports.find(connection, "desk", report.id)


def test_unsigned_reports_raise_a_banner_after_seven_days_and_stop_transfers_after_fourteen(
    home: Home, clock: StepClock
) -> None:
    add_staff(home)
    with home.ward.begin() as connection:
        audit.record(connection, ward.audit_log, at=at(0, 10), actor=MAKER, action="person.view", reason="窓口")
        # 日を締め始めるまでは、報告書の義務も始まらない。
        assert log_reports.banner(connection, MONDAY + timedelta(days=99)) is None
    clock.now = at(0, 18)
    audit_anchors.make(home, "ward", day=MONDAY, clock=clock)
    sunday = MONDAY + timedelta(days=6)

    def standing(days: int) -> tuple[str | None, bool]:
        today = sunday + timedelta(days=days)
        with home.ward.connect() as connection:
            banner = log_reports.banner(connection, today)
        stopped = False
        try:
            log_reports.gate(home, datetime(today.year, today.month, today.day, 3, tzinfo=UTC))
        except RefusedByRule as refused:
            stopped = refused.code == "log-report"
        return banner, not stopped

    assert standing(7) == (None, True)
    late, open_ = standing(8)
    assert (
        late
        == "2024-06-17 からの週のログ分析報告書がまだ作られていません（8 日）。あと 6 日で振込を送り出せなくなります。"
    )
    assert open_
    assert standing(14)[1]
    assert standing(15)[1] is False
    # 作るだけでは足りない。署名して、初めて送り出せる。
    reports = log_reports.make(home, "ward", today=sunday + timedelta(days=15), clock=clock)
    assert len(reports) == 3
    late, open_ = standing(15)
    assert late == "2024-06-17 からの週のログ分析報告書が署名されていません（15 日）。振込を送り出せません。"
    assert not open_
    with home.ward.begin() as connection:
        log_reports.sign(
            connection, "ward", reports[0].id, digest=reports[0].digest, remarks="確かめた", actor=AUDITOR, at=clock()
        )
    assert standing(15) == (
        "2024-06-24 からの週のログ分析報告書が署名されていません（8 日）。あと 6 日で振込を送り出せなくなります。",
        True,
    )


def test_a_broken_chain_stops_the_transfer_and_is_written_in_the_report(home: Home, clock: StepClock) -> None:
    add_staff(home)
    with home.ward.begin() as connection:
        for number in range(3):
            audit.record(
                connection, ward.audit_log, at=at(0, 10), actor=MAKER, action="person.view", subject=f"{number}"
            )
    with home.ward.begin() as connection:
        as_owner(connection)
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("ALTER TABLE audit_log DISABLE TRIGGER ALL")
        else:
            connection.exec_driver_sql("DROP TRIGGER audit_log_refuses_update")
        connection.execute(ward.audit_log.update().where(ward.audit_log.c.sequence == 2).values(subject="9"))
    with pytest.raises(RefusedByRule, match="2 行目"):
        log_reports.gate(home, at(1, 10))
    report = made(home, clock, "ward")
    assert not report.sound
    assert "2 行目が壊れています" in report.body["verify"]["lines"][0]


def test_the_ward_store_feeds_every_detector_of_money(home: Home) -> None:
    # 表の名前や列が変わったら、検知が黙って空になるのではなく、ここで落ちる。
    add_staff(home)
    with home.ward.begin() as connection:
        insert_one(
            connection, ward.handover, crossing="print_out", counterpart="印刷", folder="lot", sequence=1,
            sha256="a" * 64, row_count=1, actor="batch", at=at(0, 10),
        )  # fmt: skip
        logs = log_frames.gather(connection, "ward", MONDAY, MONDAY + timedelta(days=6))
        found = log_detectors.run(logs)
        assert [(one.who, one.says) for one in found["L16"]] == [("print_out/1", "受取の記録が 4 日遅れています")]
        audit.record(
            connection, ward.audit_log, at=at(1, 9), actor=MAKER, action="handover.received", subject="print_out/1"
        )
        logs = log_frames.gather(connection, "ward", MONDAY, MONDAY + timedelta(days=6))
    assert not any(log_detectors.run(logs).values())


def test_the_search_finds_by_person_number_deed_and_day_and_leaves_its_own_line(busy: Home, clock: StepClock) -> None:
    def search(**given: Any) -> audit_search.Found:
        return audit_search.search(busy.desk, "desk", audit_search.Query(**given), actor=AUDITOR, at=clock())

    assert search(actor="op-0").total == 24
    assert [one.actor for one in search(number="７７７ ７７７７７７７７").lines] == ["op-3", "op-3"]
    assert search(action="case.view", since=MONDAY, until=MONDAY).total == 9
    assert search(since=NEXT, until=NEXT).total == 2
    assert search(action="audit.search").total == 4
    assert search(number="＝").total == 0
