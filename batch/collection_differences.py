"""収納の明細の違いと分納: benefit collection statements、statement-close、cards、instalments、instalments-approve"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from batch.context import context, day
from benefit.domain.clock import tokyo_date
from benefit.domain.errors import WrongUse

By = Annotated[str, typer.Option(help="操作する職員の ID（合言葉をたずねる）")]
_SHOWN = 20


def add_to(app: typer.Typer) -> None:
    """`benefit collection` に足す。"""
    app.command()(statements)
    app.command("statement-close")(statement_close)
    app.command()(cards)
    app.command()(instalments)
    app.command("instalments-approve")(instalments_approve)


def statements(
    ctx: typer.Context,
    out: Annotated[Path | None, typer.Option(help="違いの一覧（special-differences.xlsx）を書くフォルダ")] = None,
) -> None:
    """特別徴収の納入書と納入明細を、指定番号と月で比べる。"""
    from benefit.services import sheet, special_statements
    from benefit.services.files import write_atomic

    given = context(ctx)
    given.need("ward", "special_slip")
    compared = special_statements.compare(given.home)
    for row in compared.differences.head(_SHOWN).iter_rows(named=True):
        given.say(
            f"  {row['employer_number']} {row['month']} {row['why']}:"
            f" 納入書 {row['slip_yen']:,} 円（{row['count']:,} 枚）、"
            f"明細 {row['statement_yen']:,} 円（{row['count_told']:,} 行） 指紋 {row['digest'][:8]}"
        )
    given.say(
        f"納入書と明細: 合っている {compared.agreed:,} 組、違い {compared.differences.height:,} 組、"
        f"片づけた {compared.closed:,} 組"
    )
    if out is not None:
        names = {
            "employer_number": "指定番号",
            "employer_name": "義務者名",
            "month": "月",
            "why": "わけ",
            "slip_yen": "納入書（円）",
            "statement_yen": "明細（円）",
        }
        table = compared.differences.select(list(names)).rename(names)
        made = sheet.render({"納入書と明細の違い": table}, made=given.clock(), title="納入書と明細の違い")
        write_atomic(out / "special-differences.xlsx", made)
        given.say(f"一覧: {out / 'special-differences.xlsx'}")


def statement_close(
    ctx: typer.Context,
    employer: Annotated[str, typer.Argument(help="指定番号")],
    month: Annotated[str, typer.Argument(help="月（YYYY-MM）")],
    digest: Annotated[str, typer.Option(help="違いの指紋（一覧に出る 8 字から）")],
    by: By,
    reason: Annotated[str, typer.Option(help="確かめたこと")],
) -> None:
    """確かめた違いを片づける。額が変われば、また出る。"""
    from benefit.services import special_statements

    given = context(ctx)
    given.need("ward", "special_slip")
    actor = given.ward_staff(by)
    found = special_statements.compare(given.home).differences["digest"].to_list()
    whole = next((one for one in found if len(digest) >= 8 and one.startswith(digest)), digest)
    special_statements.close(given.home, employer, month, whole, reason=reason, actor=actor, clock=given.clock)
    given.say(f"{employer} {month} の違いを片づけました。")


def cards(ctx: typer.Context, today: Annotated[str | None, typer.Option(help="見る日（YYYY-MM-DD）")] = None) -> None:
    """クレジット: 立替金を待つ与信と、合わなかった立替金。"""
    from benefit.services import card_remittances

    given = context(ctx)
    given.need("ward", "card_remittance")
    on = day(today) if today else tokyo_date(given.clock())
    count, yen, late, late_yen = card_remittances.waiting(given.home, on)
    given.say(f"立替金を待つ与信 {count:,} 件 {yen:,} 円（送金予定日を過ぎたもの {late:,} 件 {late_yen:,} 円）")
    wrong = card_remittances.differences(given.home)
    for one in wrong[:_SHOWN]:
        told = "知らせはありません" if one.told_yen is None else f"知らせは {one.told_yen:,} 円"
        given.say(f"  {one.remitted_on} {one.outcome}: 立替金 {one.amount_yen:,} 円、{told}")
    given.say(f"合わなかった立替金 {len(wrong):,} 件（お金は benefit collection queue の並びにあります）")


def instalments(
    ctx: typer.Context,
    receivable: Annotated[int, typer.Argument(help="調定の番号")],
    plan: Annotated[str, typer.Option(help="期限と額（2026-08-31:5000,2026-09-30:7300 のように）")],
    by: By,
    reason: Annotated[str, typer.Option(help="分納の誓約の理由")],
) -> None:
    """分納の約束を申し出る。合計は、いまの残りと同じ。別の人が承認すると、督促が約束の期限になる。"""
    from benefit.services import instalments as service

    given = context(ctx)
    given.need("ward", "instalment_plan")
    actor = given.ward_staff(by)
    number = service.ask(given.home, receivable, _parts(plan), reason=reason, actor=actor, clock=given.clock)
    given.say(f"分納 {number} を申し出ました。")
    given.say(f"次: 別の人が benefit collection instalments-approve {number} --by ID で承認します。")


def _parts(plan: str) -> list[tuple[date, int]]:
    parts = []
    for one in plan.split(","):
        on, _colon, yen = one.strip().partition(":")
        if not (yen.isascii() and yen.isdigit()):
            raise WrongUse("--plan の書き方が違います", found=one, allowed="2026-08-31:5000 の形をコンマで")
        parts.append((day(on, "--plan"), int(yen)))
    return parts


def instalments_approve(ctx: typer.Context, number: Annotated[int, typer.Argument(help="分納の番号")], by: By) -> None:
    """分納の約束を承認する。"""
    from benefit.services import instalments as service

    given = context(ctx)
    given.need("ward", "instalment_plan")
    row = service.approve(given.home, number, actor=given.ward_staff(by), clock=given.clock)
    given.say(f"分納 {number}: 調定 {row['receivable_id']} の {row['total_yen']:,} 円を承認しました。")
