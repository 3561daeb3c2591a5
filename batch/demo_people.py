"""デモの人: どの役割も一人はいて、最初の手続きは済んでいる。合言葉と数字の種は皆同じで、デモの作業場所だけで使える。"""

from __future__ import annotations

import secrets
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from batch.context import Context, context
from benefit.domain.access import BATCH, ROLE_NAMES, DeskRole, WardRole
from benefit.domain.errors import RefusedByRule, WrongUse

if TYPE_CHECKING:
    from benefit.services.home import Home

MARK = "DEMO"
WARD = (
    ("tanto", "区 担当", WardRole.CLERK),
    ("shonin1", "区 承認一", WardRole.APPROVER),
    ("shonin2", "区 承認二", WardRole.APPROVER),
    ("kansa", "区 監査", WardRole.AUDITOR),
    ("kanri", "区 管理", WardRole.ADMIN),
)
DESK = (
    ("operator1", "電話 受付", DeskRole.OPERATOR),
    ("counter1", "窓口 収受", DeskRole.COUNTER),
    ("reviewer1", "審査 一", DeskRole.REVIEWER),
    ("reviewer2", "審査 二", DeskRole.REVIEWER),
    ("supervisor1", "管理 太郎", DeskRole.SUPERVISOR),
    ("kutanto", "区 担当", DeskRole.WARD_CLERK),
    ("kukanri", "区 管理", DeskRole.WARD_ADMIN),
    ("kukansa", "区 監査", DeskRole.WARD_AUDITOR),
)


def add(home: Home, at: datetime) -> str:
    """皆を登録し、皆に同じ合言葉を返す。"""
    from benefit.services import break_glass, people, terminals
    from benefit.store import desk, ward

    password = "-".join(secrets.token_hex(3) for _ in range(3))
    for engine, tables, persons in ((home.ward, ward.access, WARD), (home.desk, desk.access, DESK)):
        with engine.begin() as connection:
            for staff_id, name, role in persons:
                people.add(
                    connection,
                    tables.staff,
                    tables.audit_log,
                    staff_id=staff_id,
                    name=name,
                    role=role.value,
                    password=password,
                    actor=BATCH,
                    at=at,
                )
            break_glass.seal(connection, tables, at=at)
            terminals.console(connection, tables, actor=BATCH, at=at)
    return password


def ready(home: Home, at: datetime) -> str:
    """最初の手続きを済ませたことにし、皆に同じ数字の種を返す。"""
    from benefit.services.people_totp import Seal, new_secret
    from benefit.store import desk, ward

    secret = new_secret()
    for engine, tables, persons in ((home.ward, ward.access, WARD), (home.desk, desk.access, DESK)):
        seal = Seal(home.key, tables.line)
        with engine.begin() as connection:
            for staff_id, _name, _role in persons:
                connection.execute(
                    tables.staff.update()
                    .where(tables.staff.c.id == staff_id)
                    .values(
                        password_changed_at=at,
                        totp_secret=seal.close(staff_id, secret),
                        totp_enrolled_at=at,
                        terms_accepted_at=at,
                        opened_at=at,
                    )
                )
    return secret


def say(given: Context, path: Path, password: str, secret: str) -> None:
    """入り方を言う。"""
    program = sys.argv[0] if sys.argv[0].endswith("benefit") else "benefit"
    given.say(f"ログイン:    ID operator1  合言葉 {password}  数字は次のコマンドが言います")
    given.say(f"             {program} --home {path} demo-code operator1")
    given.say(f"             （認証アプリに入れるなら、種 {secret}）")
    given.say("ほかの ID（合言葉と種は同じ）:")
    for what, persons in (("給付管理システム", DESK), ("区の画面・区のコマンド", WARD)):
        given.say(f"  {what}: " + "、".join(f"{each[0]}（{ROLE_NAMES[each[2]]}）" for each in persons))


def next_code(home: Home, staff_id: str, at: datetime) -> tuple[str, int]:
    """この人の、まだ使われていない数字と、使えるまでの秒。14 日使われずに閉じていれば開く。"""
    from sqlalchemy import select

    from benefit.services.people_totp import DRIFT, STEP_SECONDS, Seal, code_at, step_of
    from benefit.store import desk, ward

    if not (home.path / MARK).exists():
        raise RefusedByRule(
            "この作業場所はデモのものではありません。数字は本人の認証アプリが出します", code="not-a-demo"
        )
    for engine, tables in ((home.ward, ward.access), (home.desk, desk.access)):
        with engine.begin() as connection:
            row = connection.execute(select(tables.staff).where(tables.staff.c.id == staff_id)).mappings().first()
            if row is None or not row["totp_secret"]:
                continue
            secret = Seal(home.key, tables.line).open(staff_id, row["totp_secret"])
            if secret is None:
                raise WrongUse("デモの鍵が違います。benefit demo をやり直してください", code="key")
            connection.execute(
                tables.staff.update().where(tables.staff.c.id == staff_id).values(opened_at=at, terms_accepted_at=at)
            )
            step = max(step_of(at), (row["totp_step"] or 0) + 1)
            return code_at(secret, step), max(0, (step - DRIFT) * STEP_SECONDS - int(at.timestamp()))
    raise WrongUse("その ID の人は、デモにいません", code="no-such")


def add_to(app: typer.Typer) -> None:
    """コマンドを足す。"""

    @app.command("demo-code")
    def demo_code(ctx: typer.Context, staff_id: Annotated[str, typer.Argument(help="ID")]) -> None:
        """デモの人の、いまの数字（二要素）を言う。デモの作業場所でだけ動く。"""
        given = context(ctx)
        code, wait = next_code(given.home, staff_id, given.clock())
        given.say(code + (f"（{wait} 秒たってから使えます）" if wait else ""))
