"""区直轄の人の返事: benefit ward-reply enter / check / list / refusals"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from batch.context import context, day
from batch.imports import ProgrammeId
from benefit.domain.errors import RefusedByRule

if TYPE_CHECKING:
    from benefit.services.replies_ward import Reply

app = typer.Typer(
    no_args_is_help=True, help="区直轄の人の返事（確認書・辞退・返戻・取消）を、区の職員二人が別々に入れる"
)
By = Annotated[str, typer.Option(help="操作する職員の ID（合言葉をたずねる）")]
CaseNumber = Annotated[str, typer.Argument(help="給付管理番号（11 桁）")]
Kind = Annotated[str, typer.Option(help="確認書・辞退・返戻・取消")]
Received = Annotated[str, typer.Option(help="収受日（YYYY-MM-DD）")]
Account = Annotated[
    str,
    typer.Option(
        help="確認書の口座: 金融機関コード,支店コード,種目,口座番号,名義カナ（ゆうちょ銀行は 9900,記号,,番号,名義）"
    ),
]
Cancels = Annotated[int | None, typer.Option(help="取消で打ち消す返事の番号")]


@app.command()
def enter(
    ctx: typer.Context,
    case_number: CaseNumber,
    kind: Kind,
    received: Received,
    by: By,
    reason: Annotated[str, typer.Option(help="紙のありか、取消のわけなど")],
    account: Account = "",
    cancels: Cancels = None,
) -> None:
    """一人目の入力。"""
    from benefit.services import replies_ward

    given = context(ctx)
    given.need("ward", "ward_reply")
    reply = _reply(case_number, kind, received, account, cancels)
    actor = given.ward_staff(by)
    with given.home.ward.begin() as connection:
        number = replies_ward.enter(connection, reply, reason=reason, actor=actor, at=given.clock())
    given.say(
        f"返事 {number}（{kind}）を入れました。次: 別の人が紙だけを見て、benefit ward-reply check {number} で入れます。"
    )


@app.command()
def check(
    ctx: typer.Context,
    number: Annotated[int, typer.Argument(help="返事の番号")],
    case_number: CaseNumber,
    kind: Kind,
    received: Received,
    by: By,
    account: Account = "",
    cancels: Cancels = None,
) -> None:
    """二人目の入力。一人目と同じなら効く。"""
    from benefit.services import replies_ward

    given = context(ctx)
    given.need("ward", "ward_reply")
    reply = _reply(case_number, kind, received, account, cancels)
    actor = given.ward_staff(by)
    with given.home.ward.begin() as connection:
        done = replies_ward.check(connection, number, reply, actor=actor, at=given.clock())
    if not done.agreed:
        raise RefusedByRule(
            f"一人目の入力と違います: {'、'.join(done.differing)}。紙を見直してください", code="differing"
        )
    given.say(f"返事 {number} が効きました。")


@app.command("list")
def list_(ctx: typer.Context, programme: ProgrammeId = "r6-2024") -> None:
    """入れた返事（口座は出さない）。"""
    from benefit.services import replies_ward
    from benefit.store.engine import reading

    given = context(ctx)
    given.need("ward", "ward_reply")
    with reading(given.home.ward) as connection:
        rows = replies_ward.listed(connection, given.home.programme(programme).id)
    for row in rows.iter_rows(named=True):
        second = row["二人目"] or "二人目を待っています"
        given.say(f"  {row['番号']}: {row['給付管理番号']} {row['種類']} {row['収受日']}（{row['入力']}、{second}）")
    given.say(f"返事 {rows.height:,} 件、二人目を待つもの {rows['二人目'].null_count():,} 件")


@app.command()
def refusals(ctx: typer.Context, by: By, programme: ProgrammeId = "r6-2024") -> None:
    """区直轄の人の辞退を、権利の終わりとして申し出る（別の人が benefit ending approve で承認する）。"""
    from benefit.services.handback_propose import propose_ward_refusals

    given = context(ctx)
    given.need("ward", "ward_reply")
    actor = given.ward_staff(by)
    done = propose_ward_refusals(given.home, given.home.programme(programme), actor=actor, clock=given.clock)
    for case_number, number in done.asked.items():
        given.say(f"  申し出 {number}: {case_number}")
    for case_number, why in done.refused.items():
        given.say(f"  申し出られません: {case_number} {why}")
    given.say(f"辞退: 申し出 {len(done.asked):,} 件、申し出られないもの {len(done.refused):,} 件")


def _reply(case_number: str, kind: str, received: str, account: str, cancels: int | None) -> Reply:
    from benefit.domain.errors import WrongUse
    from benefit.services.desk_accounts import NO_ACCOUNT, account_of
    from benefit.services.replies_ward import Reply

    parts = account.split(",")
    if account and len(parts) != 5:
        raise WrongUse("--account は、コンマで区切った五項目です", found=f"{len(parts)} 項目")
    told = account_of(parts[0], parts[1], parts[2], parts[3], parts[4]) if account else NO_ACCOUNT
    return Reply(case_number, kind, day(received, "--received"), told, cancels)
