"""最初の手続き: 合言葉を自分で決め、二要素を登録し、遵守事項を確かめる。済むまでは、ほかの何もできない。

遵守事項は一年ごとに確かめ直す（checklist 3o1: 個人情報保護法・区セキュリティポリシーの遵守）。
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select

from benefit.domain.access import Actor
from benefit.domain.errors import RefusedByRule, WrongUse
from benefit.services import people_password
from benefit.services.people_totp import Keys, Seal, matching_step, new_secret
from benefit.store import audit
from benefit.store.access import AccessTables

#: 手続きの順。
STAGES = ("password", "totp", "terms")
TERMS_LAST = timedelta(days=365)
#: 遵守事項。変えたら、版を進める（監査ログに、どの版を確かめたかが残る）。
TERMS_VERSION = "2024-1"
TERMS = (
    "業務で知った個人情報を、業務のほかに使わず、人に話しません。辞めた後も同じです。",
    "調べるのは、いま受けている電話や書類の人だけです。自分、家族、知り合いの情報は調べません。",
    "ID、合言葉、数字を人に教えず、人のものを使いません。席を離れるときは画面を閉じます。",
    "画面を写さず、紙や記録媒体に控えず、持ち出しません。",
    "住まいを知られてはならない人がいます。住所、家族、口座の番号を電話で読み上げません。",
    "間違い、紛失、おかしな様子に気づいたら、すぐに管理者へ知らせます。",
    "見た記録はすべて残り、毎週点検されることを知っています。",
)


def stage_of(row: dict[str, Any], at: datetime) -> str:
    """まだ済んでいない最初の手続き。なければ空。"""
    if row["kind"] == "sealed":
        return ""
    if row["password_changed_at"] is None:
        return "password"
    if row["totp_enrolled_at"] is None:
        return "totp"
    accepted = aware(row["terms_accepted_at"])
    if accepted is None or at - accepted > TERMS_LAST:
        return "terms"
    return ""


def aware(moment: datetime | None) -> datetime | None:
    """SQLite は時差を忘れるので、UTC として読む。"""
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


def change_password(
    connection: Connection, tables: AccessTables, actor: Actor, *, old: str, new: str, at: datetime
) -> None:
    """合言葉を変える。いまの合言葉が違えば断る。"""
    row = _row(connection, tables, actor.id)
    if row["kind"] != "person":
        raise RefusedByRule("非常用の ID の合言葉は変えられません", code="sealed")
    if not people_password.PASSWORDS.matches(old, row["password_hash"]):
        raise RefusedByRule("いまの合言葉が違います", code="password")
    if old == new:
        raise WrongUse("いまと同じ合言葉です。新しく決めてください", code="password")
    people_password.check_new(new, staff_id=row["id"], name=row["name"])
    _set(connection, tables, actor.id, password_hash=people_password.PASSWORDS.hash(new), password_changed_at=at)
    audit.record(connection, tables.audit_log, at=at, actor=actor, action="staff.password", subject=actor.id)


def pending_secret(connection: Connection, tables: AccessTables, keys: Keys, actor: Actor) -> str:
    """まだ登録していない種。画面を開き直しても同じものを見せる。登録が済めば、もう見せない。"""
    row = _row(connection, tables, actor.id)
    if row["totp_enrolled_at"] is not None:
        raise RefusedByRule("数字の登録は済んでいます。端末を替えるときは、区の管理者に頼んでください", code="totp")
    seal = Seal(keys, tables.line)
    found = seal.open(actor.id, row["totp_secret"]) if row["totp_secret"] else None
    if found is None:
        found = new_secret()
        _set(connection, tables, actor.id, totp_secret=seal.close(actor.id, found))
    return found


def enrol_totp(
    connection: Connection, tables: AccessTables, keys: Keys, actor: Actor, *, code: str, at: datetime
) -> None:
    """正しい数字を一つ受け取り、二要素の登録を終える。"""
    secret = pending_secret(connection, tables, keys, actor)
    step = matching_step(secret, code, at, last=None)
    if step is None:
        raise WrongUse(
            "数字が違います。アプリに出ている 6 桁を入れてください（端末の時計も確かめてください）", code="totp"
        )
    _set(connection, tables, actor.id, totp_enrolled_at=at, totp_step=step)
    audit.record(connection, tables.audit_log, at=at, actor=actor, action="staff.totp", subject=actor.id)


def accept_terms(connection: Connection, tables: AccessTables, actor: Actor, *, at: datetime) -> None:
    """遵守事項を確かめた。"""
    _set(connection, tables, actor.id, terms_accepted_at=at)
    audit.record(
        connection,
        tables.audit_log,
        at=at,
        actor=actor,
        action="staff.terms",
        subject=actor.id,
        detail={"version": TERMS_VERSION},
    )


def _row(connection: Connection, tables: AccessTables, staff_id: str) -> dict[str, Any]:
    return dict(connection.execute(select(tables.staff).where(tables.staff.c.id == staff_id)).mappings().one())


def _set(connection: Connection, tables: AccessTables, staff_id: str, **values: Any) -> None:
    connection.execute(tables.staff.update().where(tables.staff.c.id == staff_id).values(**values))
