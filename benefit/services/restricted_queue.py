"""区直轄（区が直接扱う人）の件: 誰が見てよいか、誰が隠れるか、並び、住所を見る申し出（benefit-rules F.3）。

- 見てよいのは、役割に加えて、二人で名ざした人（restricted_member）だけ。ほかの人には、ない番号と同じに見える。
- 隠れるのは、一度でも名簿に載り解除されていない人、その世帯の人、経路が区直轄の権利の人。
- 住所は、申し出た人に、別の人（承認の役割で、名ざされた人）の承認から 60 分だけ見える。見た一回ごとに行が残る。
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
from sqlalchemy import Connection, or_, select

from benefit.domain.access import Actor, WardRole
from benefit.domain.clock import Clock
from benefit.domain.errors import RefusedByRule, WrongUse
from benefit.services import extracts, two_people
from benefit.services.home import Home
from benefit.services.protections import ever_protected
from benefit.store import audit, ward
from benefit.store.engine import in_turn, reading

#: 承認から、住所が見える間。
OPEN_FOR = timedelta(minutes=60)
#: 対象の番号が、人の番号である権利。ほかは世帯の番号。
PERSON_SLOTS = ("CHILD", "ADJ", "SHORT", "EVACUEE")
#: ない番号にも、見てはならない番号にも、この文を返す。
NO_SUCH = "該当がありません。番号か、カナ氏名と生年月日を確かめてください。"


@dataclass(frozen=True)
class Hidden:
    """名ざされた人にしか見えない人: 区直轄の人と、その世帯の人。"""

    people: frozenset[int]

    def hides(self, case: Mapping[str, Any]) -> bool:
        """この権利は隠れるか（`ward.entitlement` の行）。"""
        subject = case["subject_number"] if case["slot_kind"] in PERSON_SLOTS else None
        return (
            case["route"] == "WARD"
            or case["slot_kind"] == "EVACUEE"
            or case["payee_number"] in self.people
            or subject in self.people
        )


def residents(home: Home) -> pl.LazyFrame | None:
    """いまの住民記録の写し（まだなければ None）。"""
    source = extracts.current_sources(home, 0).get("residents")
    return pl.scan_parquet(extracts.snapshot_path(home, "residents", source.sha256)) if source else None


def hidden(home: Home) -> Hidden:
    """いま隠れる人。名簿と住民記録と、経路が区直轄の権利から、いつも同じ手順で求める。"""
    sources = extracts.current_sources(home, 0)
    marked = set(ever_protected(home)["person_number"])
    if "protected" in sources:
        marked |= set(extracts.load(home, sources["protected"])["person_number"])
    people = set(marked)
    if "residents" in sources:
        path = extracts.snapshot_path(home, "residents", sources["residents"].sha256)
        frame = pl.scan_parquet(path).select("person_number", "household_number")
        homes = frame.filter(pl.col("person_number").is_in(list(marked))).select("household_number")
        near = frame.join(homes.unique(), on="household_number", how="semi").collect()
        people |= set(near["person_number"])
    table = ward.entitlement
    query = select(table.c.payee_number, table.c.subject_number, table.c.slot_kind).where(
        or_(table.c.route == "WARD", table.c.slot_kind == "EVACUEE")
    )
    with reading(home.ward) as connection:
        for row in connection.execute(query):
            people.add(row.payee_number)
            if row.slot_kind in PERSON_SLOTS:
                people.add(row.subject_number)
    return Hidden(frozenset(people))


def members(connection: Connection) -> list[dict[str, Any]]:
    """名ざし（申し出・承認・外した）の全部を、新しい順に。"""
    member, approval, end, staff = (
        ward.restricted_member,
        ward.restricted_member_approval,
        ward.restricted_member_end,
        ward.staff,
    )
    query = (
        select(
            member,
            staff.c.name,
            staff.c.role,
            approval.c.approved_by,
            approval.c.approved_at,
            end.c.ended_by,
            end.c.ended_at,
        )
        .join(staff, staff.c.id == member.c.staff_id)
        .join(approval, approval.c.release_id == member.c.id, isouter=True)
        .join(end, end.c.member_id == member.c.id, isouter=True)
        .order_by(member.c.id.desc())
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def is_member(connection: Connection, actor: Actor) -> bool:
    """区直轄を見てよい人か。役割（担当か承認）も要る。"""
    member, approval, end = ward.restricted_member, ward.restricted_member_approval, ward.restricted_member_end
    found = connection.execute(
        select(member.c.id)
        .join(approval, approval.c.release_id == member.c.id)
        .join(end, end.c.member_id == member.c.id, isouter=True)
        .where(member.c.staff_id == actor.id, end.c.member_id.is_(None))
        .limit(1)
    ).first()
    return found is not None and actor.role in (WardRole.CLERK, WardRole.APPROVER)


def name_member(home: Home, staff_id: str, *, reason: str, actor: Actor, clock: Clock) -> int:
    """区直轄を見てよい人に加えることを申し出る。自分のことは申し出られない。申し出の番号を返す。"""
    if staff_id == actor.id:
        raise RefusedByRule("自分を加える申し出はできません", code="two-people")
    with home.ward.begin() as connection:
        in_turn(connection, "restricted")
        role = connection.execute(
            select(ward.staff.c.role).where(ward.staff.c.id == staff_id, ward.staff.c.ended_at.is_(None))
        ).scalar()
        if role not in (WardRole.CLERK, WardRole.APPROVER):
            raise WrongUse("加えられるのは、担当か承認の役割の、いま使われている ID です")
        return two_people.ask(
            connection,
            ward.restricted_member,
            {"staff_id": staff_id},
            action="restricted.name",
            subject=staff_id,
            reason=reason,
            actor=actor,
            clock=clock,
        )


def approve_member(home: Home, number: int, *, actor: Actor, clock: Clock) -> str:
    """名ざしを承認する。加えた人の ID を返す。申し出た人も、加えられる本人も、承認できない。"""
    member = ward.restricted_member
    with home.ward.begin() as connection:
        in_turn(connection, "restricted")
        named = connection.execute(select(member.c.staff_id).where(member.c.id == number)).scalar()
        if named == actor.id:
            raise RefusedByRule("自分の名ざしは、承認できません", code="two-people")
        row = two_people.approve(
            connection, member, ward.restricted_member_approval, number, what="名ざし", actor=actor, clock=clock
        )
        _record(connection, "restricted.name_approved", row["staff_id"], row["reason"], actor, clock, number=number)
    return str(row["staff_id"])


def end_member(home: Home, number: int, *, reason: str, actor: Actor, clock: Clock) -> None:
    """外す。一人でよい。もう外した・承認されていない名ざしは断る。"""
    why = two_people.need_reason(reason)
    with home.ward.begin() as connection:
        in_turn(connection, "restricted")
        row = next((one for one in members(connection) if one["id"] == number), None)
        if row is None or row["approved_by"] is None or row["ended_by"] is not None:
            raise WrongUse("この名ざしは、いま効いていません")
        connection.execute(
            ward.restricted_member_end.insert().values(
                member_id=number, ended_by=actor.id, reason=why, ended_at=clock()
            )
        )
        _record(connection, "restricted.end", row["staff_id"], why, actor, clock, number=number)


def ask_address(home: Home, person_number: int, *, reason: str, actor: Actor, clock: Clock) -> int:
    """区直轄の人の住所を見ることを申し出る。申し出の番号を返す。見てはならない人には、ない番号と同じに断る。"""
    found = hidden(home)
    with home.ward.begin() as connection:
        if not is_member(connection, actor) or person_number not in found.people:
            raise RefusedByRule(NO_SUCH, code="no-such")
        return two_people.ask(
            connection,
            ward.address_view,
            {"person_number": person_number},
            action="address.ask",
            subject=f"{person_number:010d}",
            reason=reason,
            actor=actor,
            clock=clock,
        )


def approve_address(home: Home, number: int, *, actor: Actor, clock: Clock) -> int:
    """住所を見ることを承認する。対象の番号を返す。承認する人も、名ざされた人である。"""
    with home.ward.begin() as connection:
        in_turn(connection, "restricted")
        if not is_member(connection, actor):
            raise RefusedByRule(NO_SUCH, code="no-such")
        row = two_people.approve(
            connection,
            ward.address_view,
            ward.address_view_approval,
            number,
            what="住所の閲覧",
            actor=actor,
            clock=clock,
        )
        subject = f"{row['person_number']:010d}"
        _record(connection, "address.approve", subject, row["reason"], actor, clock, number=number)
    return int(row["person_number"])


def show_address(connection: Connection, number: int, *, actor: Actor, clock: Clock) -> tuple[int, datetime]:
    """住所を見た記録を書き、(対象の番号, いつまで見えるか) を返す。呼んだ人は、この記録が済んでから住所を出す。

    申し出た人でない、承認がない、60 分を過ぎた申し出は、どれも同じに断る。
    """
    view, approval = ward.address_view, ward.address_view_approval
    row = connection.execute(
        select(view.c.person_number, view.c.asked_by, view.c.reason, approval.c.approved_at)
        .join(approval, approval.c.release_id == view.c.id)
        .where(view.c.id == number)
    ).first()
    now = clock()
    until = _aware(row.approved_at) + OPEN_FOR if row else now
    if row is None or row.asked_by != actor.id or until <= now or not is_member(connection, actor):
        raise RefusedByRule("承認された申し出がありません（承認から 60 分だけ、申し出た人に見えます）", code="no-view")
    connection.execute(
        ward.address_shown.insert().values(release_id=number, shown_to=actor.id, terminal=actor.terminal, shown_at=now)
    )
    _record(connection, "address.view", f"{row.person_number:010d}", row.reason, actor, clock, number=number)
    return int(row.person_number), until


def address_views(connection: Connection, since: datetime) -> list[dict[str, Any]]:
    """`since` 以後の、住所を見る申し出。見た数（shown）が付く。"""
    view, approval, shown = ward.address_view, ward.address_view_approval, ward.address_shown
    query = (
        select(view, approval.c.approved_by, approval.c.approved_at)
        .join(approval, approval.c.release_id == view.c.id, isouter=True)
        .where(view.c.asked_at >= since)
        .order_by(view.c.id.desc())
    )
    found = [dict(row) for row in connection.execute(query).mappings()]
    times: dict[int, int] = {}
    chosen = select(shown.c.release_id).where(shown.c.release_id.in_([row["id"] for row in found]))
    for number in connection.execute(chosen).scalars():
        times[number] = times.get(number, 0) + 1
    for row in found:
        row["shown"] = times.get(row["id"], 0)
        row["until"] = _aware(row["approved_at"]) + OPEN_FOR if row["approved_at"] else None
    return found


def _record(
    connection: Connection, action: str, subject: str, reason: str, actor: Actor, clock: Clock, **detail: Any
) -> None:
    audit.record(
        connection,
        ward.audit_log,
        at=clock(),
        actor=actor,
        action=action,
        subject=subject,
        reason=reason,
        detail=detail,
    )


def _aware(at: datetime) -> datetime:
    # SQLite は時差を忘れて返す。台帳の時刻は UTC である。
    return at if at.tzinfo else at.replace(tzinfo=UTC)
