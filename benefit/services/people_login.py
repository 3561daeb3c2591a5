"""本人の確かめ: ID・合言葉・数字。知らない ID、違う合言葉や数字、閉じた ID は、同じ答えと同じ手間になる（P20）。

続けて 5 回まちがえると 30 秒、その後は倍々に 1 時間まで閉じる。100 回で、区の管理者が開くまで閉じる。
数は台帳にあるので、サーバーを再起動しても消えない。
一つの端末からの間違いは 1 分に 20 回までを確かめ、それを越えたものは確かめもしない。
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, func, select

from benefit.domain.access import Actor
from benefit.domain.clock import Clock, tokyo_date
from benefit.domain.errors import RefusedByRule
from benefit.services import people_password
from benefit.services.break_glass import holder_of
from benefit.services.people_first import aware, stage_of
from benefit.services.people_totp import Keys, Seal, matching_step
from benefit.store import audit
from benefit.store.access import AccessTables
from benefit.store.engine import reading

Row = dict[str, Any]
FREE_FAILURES = 5
CLOSED_AFTER = 100
UNUSED = timedelta(days=14)
SOURCE_LIMIT = 20
REFUSED = (
    "ID、合言葉、数字のどれかが違うか、いまは使えません。5 回続けて間違えるとしばらく使えなくなります。"
    "数字は一度しか使えません（次の数字に変わってから入れてください）"
)


@dataclass(frozen=True)
class LoggedIn:
    """確かめた人。`stage` は、まだ済んでいない最初の手続き（なければ空。people_first.STAGES）。"""

    actor: Actor
    stage: str


def authenticate(
    engine: Engine,
    tables: AccessTables,
    keys: Keys,
    staff_id: str,
    password: str,
    code: str,
    *,
    clock: Clock,
    terminal: str = "console",
) -> LoggedIn:
    """本人か確かめる。だめなら RefusedByRule（一つの文しか言わない）。結果と失敗の数は台帳に残る。"""
    seal = Seal(keys, tables.line)
    with reading(engine) as connection:
        found = _row(connection, tables, staff_id)
        holder = holder_of(connection, tables, staff_id, clock()) if found and found["kind"] == "sealed" else None
    shown = holder or found
    # 遅い計算は、書込みの約束を取る前にする。知らない ID でも、同じ計算をする。
    matched = people_password.PASSWORDS.matches(
        password, found["password_hash"] if found else people_password.PASSWORDS.nobody
    )
    enrolled = shown is not None and shown["totp_enrolled_at"] is not None
    kept = shown["totp_secret"] if shown is not None and enrolled else seal.nobody
    secret = seal.open(shown["id"] if shown is not None and enrolled else "", kept) or ""
    now = clock()
    with engine.begin() as connection:
        held = _held(connection, tables, terminal, now)
        # 行を押さえてから数える。並んで試されても、五回目で必ず閉じる。
        row = _row(connection, tables, staff_id, lock=True)
        last = _last_step(connection, tables, shown, row)
        step = matching_step(secret or "A" * 32, code, now, last=last)
        usable = row is not None and may_enter(row, now) and (row["kind"] != "sealed" or holder is not None)
        right = matched and (step is not None if enrolled else not (row and row["kind"] == "sealed"))
        accepted = usable and right and not held
        _write(connection, tables, row, accepted=accepted, counted=usable and not held, now=now)
        if accepted and enrolled and shown is not None:
            connection.execute(tables.staff.update().where(tables.staff.c.id == shown["id"]).values(totp_step=step))
        known = row["id"] if row is not None else None
        result = "accepted" if accepted else "held" if held else "refused"
        connection.execute(
            tables.login_attempt.insert().values(at=now, source=terminal[:60], staff_id=known, result=result)
        )
        actor = Actor(known, row["role"], terminal) if accepted and row is not None and known else None
        audit.record(
            connection,
            tables.audit_log,
            at=now,
            actor=actor or Actor("nobody", "none", terminal[:40]),
            action=f"login.{result}",
            # 知らない ID は写さない。合言葉を ID の欄に打つ人がいる。
            subject=known or "unknown",
            detail={"holder": holder["id"]} if accepted and holder is not None else None,
        )
    if actor is None or row is None:
        raise RefusedByRule(REFUSED, code="login")
    return LoggedIn(actor, stage_of(holder or row, now))


def confirm_again(
    engine: Engine,
    tables: AccessTables,
    keys: Keys,
    actor: Actor,
    password: str,
    code: str,
    *,
    clock: Clock,
) -> None:
    """入っている人を、もう一度確かめる（お金の承認の前）。だめなら RefusedByRule。失敗はログインと同じに数える。"""
    authenticate(engine, tables, keys, actor.id, password, code, clock=clock, terminal=actor.terminal or "console")


def may_enter(row: Row, now: datetime) -> bool:
    """この人は、いま入れるか（合言葉を別にして）。"""
    locked = aware(row["locked_until"])
    return is_living(row, now) and (locked is None or locked <= now) and not is_unused(row, now)


def is_living(row: Row, now: datetime) -> bool:
    """終わっていない ID か。入っている人にも、一つずつの操作で問う。"""
    ended, ends_on = aware(row["ended_at"]), row["contract_ends_on"]
    return (
        (ended is None or ended > now) and (ends_on is None or tokyo_date(now) <= ends_on) and row["closed_at"] is None
    )


def is_unused(row: Row, now: datetime) -> bool:
    """14 日使われていないか。封印した ID は、開けた間だけ使うものなので、数えない。"""
    since = max(
        moment for name in ("created_at", "last_login_at", "opened_at") if (moment := aware(row[name])) is not None
    )
    return bool(row["kind"] == "person" and now - since > UNUSED)


def _row(connection: Connection, tables: AccessTables, staff_id: str, *, lock: bool = False) -> Row | None:
    # 鍵（ID）は変えないので、同じ人の仕事がこの行を指して書くのは妨げない。妨げると、監査の列の順と待ち合って倒れる。
    query = select(tables.staff).where(tables.staff.c.id == staff_id[:41])
    row = connection.execute(query.with_for_update(key_share=True) if lock else query).mappings().first()
    return dict(row) if row is not None else None


def _last_step(connection: Connection, tables: AccessTables, shown: Row | None, row: Row | None) -> int | None:
    """受け取り済みの最後の刻み。押さえた後の値を読む（並んで送られた同じ数字が、二つ通らないように）。"""
    if shown is None or row is None or shown["id"] == row["id"]:
        return row["totp_step"] if row is not None else None
    again = _row(connection, tables, shown["id"], lock=True)
    return again["totp_step"] if again is not None else None


def _held(connection: Connection, tables: AccessTables, terminal: str, now: datetime) -> bool:
    attempt = tables.login_attempt
    count = connection.execute(
        select(func.count())
        .select_from(attempt)
        .where(
            attempt.c.source == terminal[:60],
            attempt.c.at > now - timedelta(minutes=1),
            attempt.c.result == "refused",
        )
    ).scalar_one()
    return bool(count >= SOURCE_LIMIT)


def _write(
    connection: Connection,
    tables: AccessTables,
    row: Row | None,
    *,
    accepted: bool,
    counted: bool,
    now: datetime,
) -> None:
    """失敗の数と閉じる時刻。知らない ID でも、同じ文を（どの行にも当たらない ID で）送る。"""
    values: dict[str, Any] = {"failed_count": 0, "locked_until": None, "last_login_at": now}
    if not accepted:
        # 閉じている間の試みは数えない。数えると、本人が待っても開かなくなる。
        failures = (row["failed_count"] if row is not None else 0) + int(counted)
        values = {"failed_count": failures}
        if counted:
            values["locked_until"] = locked_until(failures, now)
        if counted and failures >= CLOSED_AFTER:
            values["closed_at"] = now
    connection.execute(
        tables.staff.update().where(tables.staff.c.id == (row["id"] if row is not None else "")).values(**values)
    )


def locked_until(failures: int, now: datetime) -> datetime | None:
    """続けて `failures` 回まちがえた後、いつまで閉じるか。"""
    over = failures - FREE_FAILURES
    return now + min(timedelta(seconds=30 * 2 ** min(over, 10)), timedelta(hours=1)) if over >= 0 else None
