"""`benefit` コマンドの入口。断りは日本語の一文と終了コード（契約 §3）になり、traceback は出ない。"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from batch import (
    audit,
    beneficiaries,
    claims,
    collections,
    demo,
    demo_people,
    desk,
    desk_work,
    direct_debits,
    endings,
    explain,
    failures,
    handback,
    handover_book,
    housekeeping,
    imports,
    inquiries,
    judgments,
    layouts,
    letters_counts,
    letters_notices,
    letters_notices_due,
    letters_papers,
    letters_preview,
    letters_proof,
    letters_single,
    letters_words,
    mailing,
    museum,
    plain_faults,
    programmes,
    protections,
    recalls,
    repayments,
    replay,
    second,
    serve,
    slips,
    staff,
    terminals,
    transfers,
    undo,
    ward_replies,
)
from batch.context import Context
from benefit.domain import unforeseen
from benefit.domain.errors import BenefitError

app = typer.Typer(
    name="benefit",
    help="給付金事務システム: 対象者、支給判定、振込、通知、給付管理。",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def prepare(
    ctx: typer.Context,
    home: Annotated[Path | None, typer.Option(help="作業場所（既定は BENEFIT_HOME か ./ward-home）")] = None,
) -> None:
    """どのコマンドにも共通の設定。"""
    from benefit.services.home import Home, Settings

    if ctx.obj is None:
        settings = Settings()
        ctx.obj = Context(Home.of(settings.model_copy(update={"home": home}) if home else settings))


demo.add_to(app)
demo_people.add_to(app)
housekeeping.add_to(app)
imports.add_to(app)
judgments.add_to(app)
replay.add_to(app)
museum.add_to(app)
second.add_to(beneficiaries.app)
explain.add_to(beneficiaries.app)
handback.add_to(desk.app)
desk_work.add_to(desk.app)
letters_words.add_to(mailing.app)
letters_papers.add_to(mailing.app)
letters_preview.add_to(mailing.app)
letters_single.add_to(mailing.app)
letters_counts.add_to(mailing.app)
letters_proof.add_to(mailing.app)
app.add_typer(beneficiaries.app, name="beneficiaries")
app.add_typer(programmes.app, name="programme")
app.add_typer(protections.app, name="protection")
app.add_typer(inquiries.app, name="inquiry")
app.add_typer(claims.app, name="claim")
app.add_typer(desk.app, name="desk")
app.add_typer(transfers.app, name="transfer")
app.add_typer(failures.app, name="failure")
app.add_typer(recalls.app, name="recall")
app.add_typer(endings.app, name="ending")
app.add_typer(repayments.app, name="repayment")
app.add_typer(undo.app, name="undo")
app.add_typer(mailing.app, name="letters")
mailing.app.add_typer(letters_notices_due.app, name="notices-due")
desk.app.add_typer(letters_notices_due.desk_app, name="letters")
mailing.app.add_typer(letters_notices.app, name="notices")
app.add_typer(slips.app, name="slips")
app.add_typer(ward_replies.app, name="ward-reply")
app.add_typer(layouts.app, name="layout")
app.add_typer(collections.app, name="collection")
app.add_typer(direct_debits.app, name="direct-debit")
app.add_typer(judgments.hold_app, name="hold")
app.add_typer(audit.app, name="audit")
app.add_typer(staff.app, name="staff")
app.add_typer(terminals.app, name="terminal")
app.add_typer(terminals.break_glass_app, name="break-glass")
app.add_typer(handover_book.app, name="handover")
app.add_typer(serve.app, name="serve")


def main() -> None:
    """コンソールの入口。"""
    # 書きかけも、出したフォルダも、持ち主だけが読める（checklist: 保存先フォルダへアクセス権を設定）。
    os.umask(0o077)
    try:
        app(standalone_mode=True)
    except BenefitError as refused:
        sys.stderr.write(f"断りました: {refused}\n")
        sys.exit(refused.exit_code)
    except KeyboardInterrupt:
        sys.stderr.write("止めました。同じコマンドをもう一度打てば、続きからできます。\n")
        sys.exit(130)
    except Exception as fault:  # noqa: BLE001  # 最後の網: 職員に traceback を見せない
        if (plain := plain_faults.refusal(fault)) is None:
            _our_fault(fault)
        sys.stderr.write(f"断りました: {plain}\n")
        sys.exit(plain.exit_code)
    except BaseException as fault:
        # Polars の PanicException は Exception の仲間ではない（building.md §8）。
        if isinstance(fault, SystemExit):
            raise
        _our_fault(fault)


def _our_fault(fault: BaseException) -> NoReturn:
    path = Path.cwd() / f"benefit-fault-{datetime.now(UTC):%Y%m%dT%H%M%S}.txt"
    try:
        # 誤りの文は書かない: 読めなかった行の中身が入りうる。
        path.write_text(unforeseen.places(fault) + "\n", encoding="utf-8")
        path.chmod(0o600)
        where = f"詳しい記録を {path.name} に書きました。"
    except OSError:
        where = ""
    sys.stderr.write(f"システムの不具合です。操作は行われていません。{where}保守担当に連絡してください。\n")
    sys.exit(1)


if __name__ == "__main__":
    main()
