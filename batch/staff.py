"""職員・従事者の世話: benefit staff add / end / reset / unlock / role / list / enrol"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from batch.context import Context, context, day
from benefit.domain.access import BATCH, Actor
from benefit.domain.errors import RefusedByRule, WrongUse

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from benefit.store.access import AccessTables

app = typer.Typer(no_args_is_help=True, help="職員・従事者を登録し、終え、棚卸する")
Store = Annotated[str, typer.Option(help="ward（区）か desk（給付管理システム）")]
By = Annotated[str | None, typer.Option(help="管理者の ID（最初の管理者ができたあとは要る）")]
Id = Annotated[str, typer.Argument(help="ID（半角英数字）")]
Reason = Annotated[str, typer.Option(help="理由")]


def first_people(given: Context) -> None:
    """最初の管理者と、封印した非常用の ID を作る。もうあれば何もしない。"""
    from benefit.services import break_glass, people, terminals

    for store, staff_id, what in (("ward", "kanri", "区の画面"), ("desk", "kanri", "給付管理システム")):
        engine, tables = given.access(store)
        with engine.begin() as connection:
            password = people.first_admin(connection, tables, staff_id, actor=BATCH, at=given.clock())
            break_glass.seal(connection, tables, at=given.clock())
            terminals.console(connection, tables, actor=BATCH, at=given.clock())
        if password:
            given.say(f"最初の管理者（{what}）: ID {staff_id}  最初の合言葉 {password}")
            given.say("この合言葉は二度と表示されません。画面でログインし、合言葉を決め、数字を登録してください。")


def store_of(given: Context, store: str) -> tuple[Engine, AccessTables]:
    """--store の台帳。"""
    if store not in {"ward", "desk"}:
        raise WrongUse("--store は ward か desk です", found=store)
    return given.access(store)


def admin(given: Context, store: str, by: str | None) -> Actor:
    """管理者の本人確認。入れる管理者が一人もいない台帳だけは、このコマンドを打てる人（計算機の管理者）が始める。

    ただ一人の管理者が契約を終えた、14 日使わずに閉じた、というときに、台帳ごと締め出されないためである。
    監査ログには batch と残る。
    """
    from sqlalchemy import select

    from benefit.services.people import ADMIN
    from benefit.services.people_login import is_living, is_unused

    engine, tables = store_of(given, store)
    if by is None:
        staff = tables.staff
        now = given.clock()
        with engine.connect() as connection:
            admins = connection.execute(select(staff).where(staff.c.role == ADMIN[store])).mappings().all()
        if any(is_living(dict(row), now) and not is_unused(dict(row), now) for row in admins):
            raise WrongUse("管理者の ID を --by に書いてください", code="by")
        return BATCH
    actor = given.staff(store, by)
    if actor.role != ADMIN[store]:
        raise RefusedByRule("人と端末を世話するのは、管理の役割の人です", code="role")
    return actor


@app.command("add")
def staff_add(
    ctx: typer.Context,
    staff_id: Id,
    name: Annotated[str, typer.Option(help="氏名")],
    role: Annotated[
        str,
        typer.Option(
            help="役割: ward なら clerk/approver/auditor/admin、desk なら "
            "operator/counter/reviewer/supervisor/ward_clerk/ward_admin/ward_auditor"
        ),
    ],
    store: Store = "ward",
    by: By = None,
    contract_ends_on: Annotated[str | None, typer.Option(help="契約の終わり（この日まで使える）")] = None,
) -> None:
    """登録し、最初の合言葉を一度だけ表示する。"""
    from benefit.services import people

    given = context(ctx)
    ends_on = day(contract_ends_on, "--contract-ends-on") if contract_ends_on else None
    engine, tables = store_of(given, store)
    people.check_role(tables, role)
    actor = admin(given, store, by)
    with engine.begin() as connection:
        password = people.add_by(
            connection,
            tables,
            staff_id=staff_id,
            name=name,
            role=role,
            contract_ends_on=ends_on,
            actor=actor,
            at=given.clock(),
        )
    given.say(f"{name}（{staff_id}）を登録しました。最初の合言葉: {password}")
    given.say("この合言葉は二度と表示されません。本人に、ID とは別の機会に渡してください。")


@app.command("end")
def staff_end(ctx: typer.Context, staff_id: Id, reason: Reason, store: Store = "ward", by: By = None) -> None:
    """終える。入っている画面もすぐに閉じる。"""
    from benefit.services import people

    given = context(ctx)
    engine, tables = store_of(given, store)
    actor = admin(given, store, by)
    with engine.begin() as connection:
        people.end(connection, tables, staff_id, reason=reason, actor=actor, at=given.clock())
    given.say(f"{staff_id} を終えました。")


@app.command("reset")
def staff_reset(ctx: typer.Context, staff_id: Id, reason: Reason, store: Store = "ward", by: By = None) -> None:
    """合言葉と数字を最初に戻し、新しい最初の合言葉を一度だけ表示する。"""
    from benefit.services import people

    given = context(ctx)
    engine, tables = store_of(given, store)
    actor = admin(given, store, by)
    with engine.begin() as connection:
        password = people.reset(connection, tables, staff_id, reason=reason, actor=actor, at=given.clock())
    given.say(f"{staff_id} を最初に戻しました。最初の合言葉: {password}")
    given.say("この合言葉は二度と表示されません。")


@app.command("unlock")
def staff_unlock(ctx: typer.Context, staff_id: Id, reason: Reason, store: Store = "ward", by: By = None) -> None:
    """閉じた ID（続けて 100 回の間違い、14 日使われない）を開く。"""
    from benefit.services import people

    given = context(ctx)
    engine, tables = store_of(given, store)
    actor = admin(given, store, by)
    with engine.begin() as connection:
        people.unlock(connection, tables, staff_id, reason=reason, actor=actor, at=given.clock())
    given.say(f"{staff_id} を開きました。")


@app.command("role")
def staff_role(
    ctx: typer.Context,
    staff_id: Id,
    role: Annotated[str, typer.Option(help="新しい役割")],
    reason: Reason,
    store: Store = "ward",
    by: By = None,
    contract_ends_on: Annotated[str | None, typer.Option(help="契約の終わり（書かなければ、なし）")] = None,
) -> None:
    """役割と契約の終わりを変える（ID は変えない）。"""
    from benefit.services import people

    given = context(ctx)
    engine, tables = store_of(given, store)
    actor = admin(given, store, by)
    with engine.begin() as connection:
        people.change_role(
            connection,
            tables,
            staff_id,
            role=role,
            contract_ends_on=day(contract_ends_on, "--contract-ends-on") if contract_ends_on else None,
            reason=reason,
            actor=actor,
            at=given.clock(),
        )
    given.say(f"{staff_id} の役割を {role} にしました。")


@app.command("list")
def staff_list(
    ctx: typer.Context,
    store: Store = "ward",
    out: Annotated[Path | None, typer.Option(help="棚卸表を書くファイル（.xlsx か .csv）")] = None,
) -> None:
    """棚卸表: 誰が、何の役割で、いつ最後に入ったか。"""
    from benefit.records import people_csv
    from benefit.services import people_review
    from benefit.services.files import write_atomic

    given = context(ctx)
    engine, tables = store_of(given, store)
    now = given.clock()
    with engine.connect() as connection:
        frame = people_review.table(connection, tables, now)
        book = people_review.workbook(connection, tables, now) if out and out.suffix == ".xlsx" else b""
    if out is None:
        shown = Table(title="ID と権限の棚卸表", title_justify="left")
        for heading in frame.columns[:-1]:
            shown.add_column(heading)
        for row in frame.iter_rows():
            shown.add_row(*row[:-1])
        given.out.print(shown)
        return
    if out.suffix not in {".xlsx", ".csv"}:
        raise WrongUse("棚卸表は .xlsx か .csv に書きます", found=out.suffix)
    write_atomic(out, book or b"\xef\xbb\xbf" + people_csv.render(frame))
    given.say(f"{frame.height:,} 人の棚卸表を {out} に書きました。")


@app.command("enrol")
def staff_enrol(ctx: typer.Context, staff_id: Id, store: Store = "ward") -> None:
    """本人が、最初の手続きをここで済ませる: 合言葉を決め、数字を登録し、遵守事項を確かめる。"""
    from benefit.services import people_first
    from benefit.services.people_login import authenticate

    given = context(ctx)
    engine, tables = store_of(given, store)
    old, code = given.secret("いまの合言葉: "), given.secret("いまの数字（まだなければ空のまま）: ")
    entered = authenticate(engine, tables, given.home.key, staff_id, old, code, clock=given.clock)
    actor, stage = entered.actor, entered.stage
    if stage == "password":
        new = given.secret("新しい合言葉（15 文字以上）: ")
        with engine.begin() as connection:
            people_first.change_password(connection, tables, actor, old=old, new=new, at=given.clock())
        stage = _stage(given, engine, tables, staff_id)
    if stage == "totp":
        with engine.begin() as connection:
            secret = people_first.pending_secret(connection, tables, given.home.key, actor)
        given.say(f"認証アプリに入れる種: {secret}")
        code = given.secret("アプリに出た 6 桁の数字: ")
        with engine.begin() as connection:
            people_first.enrol_totp(connection, tables, given.home.key, actor, code=code, at=given.clock())
        stage = _stage(given, engine, tables, staff_id)
    if stage == "terms":
        for each in people_first.TERMS:
            given.say(f"・{each}")
        if given.secret("守るなら「はい」: ").strip() != "はい":
            raise RefusedByRule("遵守事項を確かめるまで、使えません", code="terms")
        with engine.begin() as connection:
            people_first.accept_terms(connection, tables, actor, at=given.clock())
    given.say(f"{staff_id} の最初の手続きは済んでいます。")


def _stage(given: Context, engine: Engine, tables: AccessTables, staff_id: str) -> str:
    from benefit.services import people, people_first

    with engine.connect() as connection:
        return people_first.stage_of(people.find(connection, tables, staff_id), given.clock())
