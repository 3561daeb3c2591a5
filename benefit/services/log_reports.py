"""ログ分析報告書: 週に一つ、十六の検知、量、鎖の確かめを並べ、別の人が読んで署名する（reliability §4.7、証跡 E17）。

週は月曜から日曜（日本の日付）。最初の印か報告書ができた週から、終わった週には必ず報告書が要る。署名のないまま
終わりから 7 日で画面に札が出、14 日で振込を送り出せなくなる。報告書は書き足すだけで、署名は読んだ中身の指紋に結ぶ。
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
from sqlalchemy import Connection, func, select

from benefit.domain.access import BATCH, Actor, DeskRole, WardRole
from benefit.domain.clock import Clock, tokyo_date
from benefit.domain.errors import RefusedByRule, WrongUse
from benefit.services import audit_verify, log_detectors, log_frames
from benefit.services.audit_verify import Side, Verified, engine_of, known_key, side
from benefit.services.home import Home
from benefit.services.log_frames import Logs
from benefit.services.people_first import aware
from benefit.store import audit
from benefit.store.bulk import insert_one
from benefit.store.engine import in_turn, reading

WEEK = timedelta(days=7)
#: 週の終わりから、署名がないまま札を出すまで、送り出しを止めるまでの日数。
BANNER_AFTER, STOP_AFTER = 7, 14
#: 一つの検知が一週に並べる件数。残りは数だけを言う。
MOST_LISTED = 200
#: 署名できる役割: 区の人で、管理でない人。委託先の人は、自分たちのログの報告に署名できない。
SIGNERS = {
    "ward": frozenset({WardRole.CLERK.value, WardRole.APPROVER.value, WardRole.AUDITOR.value}),
    "desk": frozenset({DeskRole.WARD_CLERK.value, DeskRole.WARD_AUDITOR.value}),
}


@dataclass(frozen=True)
class Report:
    """報告書一つ。`body` は中身（JSON を読んだもの）。"""

    id: int
    period_from: date
    period_to: date
    body: Mapping[str, Any]
    digest: str
    made_by: str
    made_at: datetime
    signed_by: str | None
    signed_at: datetime | None
    remarks: str | None

    @property
    def found(self) -> int:
        """見つかった件数の合計。"""
        return sum(one["count"] for one in self.body["detectors"])

    @property
    def sound(self) -> bool:
        """鎖も印も合った。"""
        return bool(self.body["verify"]["sound"])


@dataclass(frozen=True)
class Due:
    """署名のない週。`report_id` がなければ、報告書がまだない。`days` は週の終わりからの日数。"""

    period_from: date
    period_to: date
    report_id: int | None
    days: int


def make(home: Home, store: str, *, today: date, clock: Clock, actor: Actor = BATCH) -> list[Report]:
    """終わった週のうち、報告書のない週の報告書を作る（古い順）。もう一度実行しても、増えない。"""
    with engine_of(home, store).begin() as connection:
        in_turn(connection, "log_report")
        which = side(store)
        begins = _begins(connection, which, start_now=True)
        weeks = [week for week in _weeks(begins, today) if _id_of(connection, which, week) is None]
        if not weeks:
            return []
        verified = audit_verify.verify(connection, store, key=known_key(home, store))
        return [_write(connection, which, week, verified, actor, clock()) for week in weeks]


def _write(connection: Connection, which: Side, week: date, verified: Verified, actor: Actor, now: datetime) -> Report:
    logs = log_frames.gather(connection, which.store, week, week + WEEK - timedelta(days=1))
    body = json.dumps(_body(logs, which, verified), ensure_ascii=False, sort_keys=True)
    digest = hashlib.sha256(body.encode()).hexdigest()
    number = insert_one(
        connection,
        which.table("log_report"),
        period_from=logs.since,
        period_to=logs.until,
        body=body,
        digest=digest,
        made_by=actor.id,
        made_at=now,
    )
    detail = {"period": f"{logs.since}/{logs.until}", "sha256": digest}
    audit.record(connection, which.log, at=now, actor=actor, action="audit.report", subject=f"{number}", detail=detail)
    return find(connection, which.store, number)


def _body(logs: Logs, which: Side, verified: Verified) -> dict[str, Any]:
    found = log_detectors.run(logs)
    now = logs.now
    volumes = now.group_by("action").len("count").sort("action")
    return {
        "store": which.store,
        "name": which.name,
        # 署名は中身の指紋に結ぶ。何もない週どうしでも、指紋は違う。
        "period": f"{logs.since}/{logs.until}",
        "verify": {"sound": verified.sound, "rows": verified.rows, "head": verified.head, "lines": verified.lines()},
        "volumes": {
            "rows": now.height,
            "people": now.filter(~pl.col("role").is_in(["batch", "none"]))["actor"].n_unique(),
            "actions": [list(row) for row in volumes.iter_rows()],
        },
        "detectors": [
            {
                "id": one.id,
                "says": one.says,
                "threshold": one.threshold,
                "here": which.store in one.stores,
                "count": len(found[one.id]),
                "found": [[f"{each.day}", each.who, each.says] for each in found[one.id][:MOST_LISTED]],
            }
            for one in log_detectors.DETECTORS
        ],
    }


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _begins(connection: Connection, which: Side, *, start_now: bool = False) -> date | None:
    """報告書の要る最初の週。印も報告書もまだなければ None（`start_now` なら、ログの始まった週）。"""
    anchor, report, log = which.table("audit_anchor"), which.table("log_report"), which.log
    firsts = [connection.execute(select(func.min(column))).scalar() for column in (anchor.c.day, report.c.period_from)]
    days = [day for day in firsts if day]
    if not days and start_now:
        first = connection.execute(select(func.min(log.c.at))).scalar()
        days = [tokyo_date(first.replace(tzinfo=first.tzinfo or UTC))] if first else []
    return _monday(min(days)) if days else None


def _weeks(begins: date | None, today: date) -> list[date]:
    """`begins` の週から、`today` までに終わった週（月曜の日付）。"""
    weeks = []
    while begins and begins + WEEK <= today:
        weeks.append(begins)
        begins += WEEK
    return weeks


def _id_of(connection: Connection, which: Side, week: date) -> int | None:
    table = which.table("log_report")
    return connection.execute(select(table.c.id).where(table.c.period_from == week)).scalar()


def _reports(which: Side) -> Any:
    report, signature = which.table("log_report"), which.table("log_report_signature")
    return select(report, signature.c.signed_by, signature.c.signed_at, signature.c.remarks).select_from(
        report.outerjoin(signature, signature.c.report_id == report.c.id)
    )


def _report(row: Mapping[str, Any]) -> Report:
    values = {name: row[name] for name in Report.__dataclass_fields__}
    moments = {name: aware(row[name]) for name in ("made_at", "signed_at") if row[name]}
    return Report(**{**values, **moments, "body": json.loads(row["body"])})


def find(connection: Connection, store: str, number: int) -> Report:
    """一つの報告書。中身が指紋と合わなければ、見せずに断る。"""
    which = side(store)
    query = _reports(which).where(which.table("log_report").c.id == number)
    row = connection.execute(query).mappings().first()
    if row is None:
        raise WrongUse("その報告書はありません", code="no-such")
    if hashlib.sha256(row["body"].encode()).hexdigest() != row["digest"]:
        raise RefusedByRule("報告書の中身が、作った時の指紋と違います。書き換えられています", code="digest")
    return _report(dict(row))


def every(connection: Connection, store: str) -> list[Report]:
    """報告書の全部（新しい順）。"""
    which = side(store)
    query = _reports(which).order_by(which.table("log_report").c.period_from.desc())
    return [_report(dict(row)) for row in connection.execute(query).mappings()]


def sign(
    connection: Connection, store: str, number: int, *, digest: str, remarks: str, actor: Actor, at: datetime
) -> Report:
    """読んだ報告書（その指紋）に署名する。作った人・管理の人・委託先の人・二度目は断る。"""
    which, report = side(store), find(connection, store, number)
    in_turn(connection, "log_report")
    if actor.role not in SIGNERS[store]:
        raise RefusedByRule("報告書の署名は、管理でない区の職員が行います", code="role")
    if actor.id == report.made_by:
        raise RefusedByRule("作った人は、署名できません。別の人が読んで署名してください", code="two-people")
    if report.signed_by:
        raise RefusedByRule("この報告書は、もう署名されています", code="signed")
    if digest != report.digest:
        raise RefusedByRule("読んだ報告書と、指紋が違います。開き直して読んでください", code="digest")
    if not remarks.strip():
        raise WrongUse("確かめたこと（所見）を書いてください", code="remarks")
    connection.execute(
        which.table("log_report_signature")
        .insert()
        .values(
            report_id=number,
            digest=report.digest,
            made_by=report.made_by,
            signed_by=actor.id,
            signed_at=at,
            remarks=remarks.strip(),
        )
    )
    audit.record(
        connection,
        which.log,
        at=at,
        actor=actor,
        action="audit.sign",
        subject=f"{number}",
        reason=remarks.strip(),
        detail={"sha256": report.digest},
    )
    return find(connection, store, number)


def unsigned(connection: Connection, store: str, today: date) -> list[Due]:
    """終わったのに署名のない週（古い順）。"""
    which = side(store)
    report, signature = which.table("log_report"), which.table("log_report_signature")
    rows = connection.execute(
        select(report.c.period_from, report.c.id, signature.c.signed_by).select_from(
            report.outerjoin(signature, signature.c.report_id == report.c.id)
        )
    )
    known = {row.period_from: (row.id, row.signed_by) for row in rows}
    missing = []
    for week in _weeks(_begins(connection, which), today):
        number, signed = known.get(week, (None, None))
        if not signed:
            last = week + WEEK - timedelta(days=1)
            missing.append(Due(week, last, number, (today - last).days))
    return missing


def banner(connection: Connection, today: date, store: str = "ward") -> str | None:
    """署名が 7 日を過ぎて遅れているとき、画面の上に出す札。"""
    late = [one for one in unsigned(connection, store, today) if one.days > BANNER_AFTER]
    if not late:
        return None
    oldest = late[0]
    what = "署名されていません" if oldest.report_id else "まだ作られていません"
    stop = (
        "振込を送り出せません"
        if oldest.days > STOP_AFTER
        else f"あと {STOP_AFTER - oldest.days} 日で振込を送り出せなくなります"
    )
    return f"{oldest.period_from} からの週のログ分析報告書が{what}（{oldest.days} 日）。{stop}。"


def require_signed(connection: Connection, today: date, store: str = "ward") -> None:
    """署名が 14 日を過ぎて遅れていれば、お金を送り出さない。"""
    late = [one for one in unsigned(connection, store, today) if one.days > STOP_AFTER]
    if late:
        raise RefusedByRule(
            f"ログ分析報告書が {STOP_AFTER} 日を過ぎて署名されていません。読んで署名するまで、振込を送り出せません",
            code="log-report",
            found=f"{late[0].period_from} からの週（{late[0].days} 日、ほか {len(late) - 1} 週）",
        )


def gate(home: Home, now: datetime) -> None:
    """お金を送り出す前に: 最後の印から後の鎖が切れていないこと、報告書の署名が遅れていないこと。"""
    audit_verify.require_sound(home, "ward")
    with reading(home.ward) as connection:
        require_signed(connection, tokyo_date(now))
