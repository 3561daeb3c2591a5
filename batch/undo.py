"""取消の計画: benefit undo plan / approve / show / carry-out"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from batch.context import Context, context, day
from batch.imports import ProgrammeId
from batch.repayments import tell_letters
from benefit.domain.clock import tokyo_date
from benefit.domain.errors import WrongUse

app = typer.Typer(no_args_is_help=True, help="取消の計画: 何を引き揚げ、何を組み戻し、何を返してもらうか（二人で）")
By = Annotated[str, typer.Option(help="操作する職員の ID（合言葉をたずねる）")]
Out = Annotated[Path, typer.Option(help="計画の表・銀行へ渡す一覧・返還請求書を置くフォルダ（区の中）")]
Number = Annotated[int, typer.Argument(help="計画の番号")]
Today = Annotated[str | None, typer.Option(help="今日（YYYY-MM-DD）")]


def _tell(given: Context, found: object, out: Path | None) -> None:
    """件数・合計・指紋、することごとの数、台帳との突合を言い、表を書く。"""
    from benefit.services import undo_paper
    from benefit.services.undo_plan import Plan

    assert isinstance(found, Plan)
    state = f"承認 {found.approved_by}" if found.approved_by else "承認待ち"
    given.say(
        f"取消の計画 {found.id}: {found.scope.says} {found.line_count:,} 件 取り戻す額 {found.total_yen:,} 円"
        f" 指紋 {found.sha256[:16]}… {state}"
    )
    for name, count, yen in undo_paper.by_action(found).iter_rows():
        given.say(f"  {name}: {count:,} 件 {yen:,} 円")
    for name, ledger, taken, kept in undo_paper.by_account(found).iter_rows():
        if ledger:
            given.say(f"  台帳 {name}: 残り {ledger:,} 円 = 取り戻す {taken:,} 円 + 残る {kept:,} 円")
    if out is not None:
        for path in undo_paper.write(given.home, found, out):
            given.say(f"  {path}")


@app.command()
def plan(
    ctx: typer.Context,
    by: By,
    reason: Annotated[str, typer.Option(help="取り消す訳")],
    out: Out,
    due: Annotated[str, typer.Option(help="返還の納期限（YYYY-MM-DD）")],
    transfer: Annotated[int | None, typer.Option(help="範囲: この振込")] = None,
    run: Annotated[str | None, typer.Option(help="範囲: この判定（入力の指紋の頭 8 桁から）")] = None,
    planned: Annotated[str | None, typer.Option(help="範囲: この支給予定情報（ファイル番号）")] = None,
    cases: Annotated[Path | None, typer.Option(help="範囲: 給付管理番号の名簿（一行に一つ）")] = None,
    ending: Annotated[str, typer.Option(help="権利の終わり方（不支給・辞退・契約不成立）")] = "不支給",
    cause: Annotated[str, typer.Option(help="返還の理由（過払・二重・対象外・別人の口座・受給者の申出）")] = "対象外",
    today: Today = None,
    programme: ProgrammeId = "r6-2024",
) -> None:
    """計画を立てる。お金は動かない。別の人が同じ事実の上で承認する。"""
    from benefit.services import undo_plan, undo_scope
    from benefit.services.files import read_input, sha256_of
    from benefit.store.engine import reading

    given = context(ctx)
    given.need("ward", "undo_plan")
    if sum(one is not None for one in (transfer, run, planned, cases)) != 1:
        raise WrongUse("範囲は一つ言ってください", allowed="--transfer、--run、--planned、--cases のどれか一つ")
    actor = given.ward_staff(by)
    chosen = given.home.programme(programme)
    terms = undo_plan.Terms(ending, cause, day(due, "--due"), reason)
    with reading(given.home.ward) as connection:
        if transfer is not None:
            scope, rights = undo_scope.scope_of_transfer(connection, chosen, transfer)
        elif run is not None:
            scope, rights = undo_scope.scope_of_run(connection, chosen, run)
        elif planned is not None:
            scope, rights = undo_scope.scope_of_planned(connection, chosen, planned)
        else:
            assert cases is not None
            data = read_input(cases)
            numbers = data.decode("utf-8-sig", "replace").split()
            wanted = [number for number in numbers if number != "給付管理番号"]
            scope, rights = undo_scope.scope_of_cases(connection, chosen, wanted, sha256_of(data))
    made = undo_plan.plan(
        given.home,
        chosen,
        scope,
        rights,
        terms=terms,
        today=day(today) if today else tokyo_date(given.clock()),
        actor=actor,
        clock=given.clock,
    )
    _tell(given, made, out)
    given.say(f"次: 別の人が benefit undo approve {made.id} --by ID で承認します。")


@app.command()
def approve(ctx: typer.Context, number: Number, by: By) -> None:
    """いまの事実から計画を作り直し、同じなら承認する。"""
    from benefit.services import undo_plan

    given = context(ctx)
    given.need("ward", "undo_plan")
    actor = given.ward_staff(by)
    _tell(given, undo_plan.approve(given.home, number, actor=actor, clock=given.clock), None)
    given.say(f"次: benefit undo carry-out {number} --by ID --out DIR で行います。")


@app.command()
def show(
    ctx: typer.Context,
    number: Number,
    out: Annotated[Path | None, typer.Option(help="計画の表を書くフォルダ")] = None,
) -> None:
    """計画を見る。"""
    from benefit.services import undo_plan

    given = context(ctx)
    given.need("ward", "undo_plan")
    _tell(given, undo_plan.show(given.home, number), out)


@app.command("carry-out")
def carry_out(ctx: typer.Context, number: Number, by: By, out: Out, today: Today = None) -> None:
    """承認された計画を行う。止まっても、もう一度打てば続きからできる。"""
    from benefit.services import undo_carry
    from letters.repayment import make_letters

    given = context(ctx)
    given.need("ward", "undo_plan")
    actor = given.ward_staff(by)
    on = day(today) if today else tokyo_date(given.clock())
    done = undo_carry.carry_out(given.home, number, out=out, actor=actor, clock=given.clock)
    if done.repeated:
        given.say("この計画の台帳の仕事は、もう済んでいます。紙と一覧だけを書き直します。")
    given.say(
        f"終わった権利 {done.ended:,} 件、取り消した振込 {done.cancelled:,} 件、"
        f"組戻しの依頼 {len(done.recall_numbers):,} 件、返還の請求 {len(done.repayment_numbers):,} 件"
    )
    if done.recall_numbers:
        given.say(f"銀行へ渡す一覧（振込の指図ではない）: {out}")
    if done.repayment_numbers:
        # 組戻しは急ぐので、宛先の見直し（住民記録が古ければ断る）は、台帳と一覧の後にする。
        programme = given.home.programme(done.plan.programme)
        made = make_letters(
            given.home, programme, done.repayment_numbers, out=out, issued_on=on, actor=actor, clock=given.clock
        )
        tell_letters(given, made, out)
