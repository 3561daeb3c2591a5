"""申請: benefit claim enter / decide / list / show"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from batch import claim_forms
from batch.claim_forms import Staff, Today, describe, on_day
from batch.context import context
from batch.imports import ProgrammeId

app = typer.Typer(no_args_is_help=True, help="申請書を入れる・決める・見る（入れた人と決める人は別）")
app.add_typer(claim_forms.app, name="enter")
Number = Annotated[str, typer.Argument(help="申請番号（C000001 など）")]


@app.command()
def decide(
    ctx: typer.Context,
    number: Number,
    decision: Annotated[str, typer.Argument(help="accept（受理）か refuse（不受理）")],
    reason: Annotated[str, typer.Option(help="決めた理由")],
    staff: Staff,
    clear: Annotated[
        list[str] | None, typer.Option(help="確かめて外すもの: P5 か、よく似た別人の番号（一つずつ繰り返す）")
    ] = None,
    today: Today = None,
    programme: ProgrammeId = "r6-2024",
) -> None:
    """受理か不受理を決める。入れた人は決められない。"""
    from benefit.services import claims

    given = context(ctx)
    given.need("ward", "claim")
    actor = given.ward_staff(staff)
    claim = claims.decide(
        given.home,
        given.home.programme(programme),
        number,
        decision,
        reason=reason,
        cleared=clear or [],
        today=on_day(given, today),
        actor=actor,
        clock=given.clock,
    )
    describe(given, claim)
    if claim.decision == "accept":
        given.say("次: benefit beneficiaries build で作り直し、別の人が差を承認すると効きます。")
    if claim.decision == "accept" and claim.kind == "evacuee":
        given.say(
            "避難した人ご自身の調整給付の手紙は、元の住所へ出ることがあります。支援措置を確かめ、要るなら"
            "benefit import protected で登録してください。"
        )


@app.command("list")
def list_claims(
    ctx: typer.Context,
    out: Annotated[Path | None, typer.Option(help="一覧の CSV を書くフォルダ（区限り）")] = None,
    programme: ProgrammeId = "r6-2024",
) -> None:
    """申請の一覧と、種類と状態ごとの数。"""
    from benefit.services import claims_list, claims_stored
    from benefit.services.files import write_atomic
    from benefit.store import ward
    from benefit.store.engine import reading

    given = context(ctx)
    given.need("ward", "claim")
    chosen = given.home.programme(programme)
    with reading(given.home.ward) as connection:
        claims = claims_stored.load(connection, ward.claim.c.programme == chosen.id)
    counted: dict[tuple[str, str], int] = {}
    for claim in claims:
        counted[claim.kind_name, claim.state] = counted.get((claim.kind_name, claim.state), 0) + 1
    table = Table(title=f"{chosen.name} の申請", title_justify="left")
    for heading in ("種類", "状態", "件数"):
        table.add_column(heading, justify="right" if heading == "件数" else "left")
    for (kind, state), count in sorted(counted.items()):
        table.add_row(kind, state, f"{count:,}")
    given.out.print(table)
    waiting = [claim.number for claim in claims if not claim.decision]
    given.say(f"申請 {len(claims):,} 件、審査待ち {len(waiting):,} 件 {'、'.join(sorted(waiting)[:20])}")
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        write_atomic(out / claims_list.FILE_NAME, claims_list.render(claims))
        given.say(f"一覧: {out / claims_list.FILE_NAME}（区限り）")


@app.command()
def show(ctx: typer.Context, number: Number, today: Today = None, programme: ProgrammeId = "r6-2024") -> None:
    """一件の申請と、受理したらどうなるか（判定と検査、よく似た児童）。"""
    from benefit.services import claims_examined, claims_stored
    from benefit.store.engine import reading

    given = context(ctx)
    given.need("ward", "claim")
    chosen = given.home.programme(programme)
    with reading(given.home.ward) as connection:
        _row, claim = claims_stored.find(connection, number)
    describe(given, claim)
    given.say(f"理由: {claim.reason}")
    if claim.reopened_reason:
        given.say(f"開き直した理由: {claim.reopened_reason}")
    if claim.decision:
        given.say(f"{claim.state}: {claim.decision_reason}（{claim.decided_on}）")
    if claim.decision == "refuse":
        return
    seen = claims_examined.examine(given.home, chosen, claim, on_day(given, today))
    for row in seen.rows.iter_rows(named=True):
        told = claims_examined.says(chosen, row["reasons"])
        given.say(
            f"{'受理した' if claim.decision else '受理すると'}: {row['subject_kind']} {row['subject_number']:010d} "
            f"{row['verdict']} {row['amount_yen']:,} 円 {row['route'] or ''} {told}"
        )
    for twin in seen.twins:
        given.say(f"よく似た児童（カナ氏名と生年月日が同じ）: {twin:010d}")
