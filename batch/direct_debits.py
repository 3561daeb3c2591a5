"""口座振替: benefit direct-debit terms / accounts / account-change / request / result / letters"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from batch.context import Context, context, day
from benefit.domain.clock import tokyo_date

app = typer.Typer(no_args_is_help=True, help="口座振替: 依頼、引落日ごとの請求、結果、納付書を送る人")
accounts_app = typer.Typer(no_args_is_help=True, help="口座振替依頼（口座）の異動")
request_app = typer.Typer(no_args_is_help=True, help="引落日ごとの請求ファイル")
result_app = typer.Typer(no_args_is_help=True, help="銀行から届いた結果")
letters_app = typer.Typer(no_args_is_help=True, help="振替不能の後、納付書を送る人")
app.add_typer(accounts_app, name="accounts")
app.add_typer(request_app, name="request")
app.add_typer(result_app, name="result")
app.add_typer(letters_app, name="letters")

By = Annotated[str, typer.Option(help="操作する職員の ID（合言葉をたずねる）")]
Reason = Annotated[str, typer.Option(help="理由・見た資料")]
Number = Annotated[int, typer.Argument(help="番号")]
#: 依頼の歴史の、画面に出す口座の桁（残りは *）。
_SHOWN_DIGITS = 3


def _ready(ctx: typer.Context) -> Context:
    given = context(ctx)
    given.need("ward", "debit_request")
    return given


@app.command()
def terms(
    ctx: typer.Context,
    example: Annotated[bool, typer.Option("--example", help="見本を作業場所に置く")] = False,
) -> None:
    """口座振替の約束（direct-debit.toml）を確かめて言う。"""
    from benefit.services import debit_terms_file

    given = context(ctx)
    if example:
        given.say(f"見本を置きました。契約のとおりに直してください: {debit_terms_file.put_example(given.home)}")
        return
    found = debit_terms_file.load(given.home)
    given.say(f"委託者 {found.client_code} {found.client_name}、入金 {found.bank_code}-{found.branch_code}")
    given.say(
        f"請求は一つの調定に {found.requests_max} 回まで。"
        f"口座が変わるまで請求しないコード {'、'.join(found.no_use_codes) or 'なし'}"
    )
    for subject, one in found.subjects.items():
        given.say(f"  科目 {subject} {one.name}（顧客番号の頭 {one.code}）")


@accounts_app.command("import")
def import_accounts(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="依頼の異動のファイル（様式 direct-debit-accounts）")],
    by: By,
    reason: Reason = "依頼書のとおり",
) -> None:
    """依頼の異動をファイルから書く。別の人が承認するまで、効かない。"""
    from benefit.services import debit_accounts, debit_terms_file

    given = _ready(ctx)
    actor = given.ward_staff(by)
    agreed = debit_terms_file.load(given.home)
    number = debit_accounts.import_file(given.home, agreed, file, reason=reason, actor=actor, clock=given.clock)
    _asked(given, number)


@app.command("account-change")
def account_change(
    ctx: typer.Context,
    person: Annotated[str, typer.Argument(help="納付義務者の宛名番号")],
    subject: Annotated[str, typer.Argument(help="科目コード（3 桁）")],
    kind: Annotated[str, typer.Argument(help="開始、変更、停止のどれか")],
    on: Annotated[str, typer.Option("--from", help="適用日（YYYY-MM-DD。この日からの納期限に効く）")],
    by: By,
    reason: Reason,
    bank: Annotated[str, typer.Option(help="金融機関コード（4 桁）")] = "",
    branch: Annotated[str, typer.Option(help="支店コード（3 桁）")] = "",
    account_type: Annotated[str, typer.Option("--type", help="預金種目（1 普通、2 当座、3 納税準備、9 その他）")] = "",
    account: Annotated[str, typer.Option("--number", help="口座番号（7 桁）")] = "",
    holder: Annotated[str, typer.Option(help="預金者名（カナ）")] = "",
) -> None:
    """窓口で受けた依頼の一件を書く。別の人が承認するまで、効かない。"""
    from benefit.services import debit_accounts, debit_terms_file

    given = _ready(ctx)
    actor = given.ward_staff(by)
    change = debit_accounts.Change(
        person, subject, kind, day(on, "--from"), bank, branch, account_type, account, holder
    )
    agreed = debit_terms_file.load(given.home)
    number = debit_accounts.ask(given.home, agreed, change, reason=reason, actor=actor, clock=given.clock)
    _asked(given, number)


def _asked(given: Context, number: int) -> None:
    from benefit.services import debit_accounts
    from benefit.store.engine import reading

    with reading(given.home.ward) as connection:
        asked = next(row for row in debit_accounts.pending(connection) if row["id"] == number)
    kinds = "、".join(f"{kind} {count:,}" for kind, count in asked["kinds"].items() if count)
    given.say(f"依頼 {number}: {asked['row_count']:,} 件（{kinds}）を書きました。")
    given.say(f"次: 別の人が benefit direct-debit accounts approve {number} --by ID で承認します。")


@accounts_app.command("approve")
def approve_accounts(ctx: typer.Context, number: Number, by: By) -> None:
    """依頼の異動を承認する。ここから、引き落とす口座になる。"""
    from benefit.services import debit_accounts

    given = _ready(ctx)
    row = debit_accounts.approve(given.home, number, actor=given.ward_staff(by), clock=given.clock)
    given.say(f"依頼 {number}: {row['row_count']:,} 件を承認しました。")


@accounts_app.command("history")
def history(ctx: typer.Context, person: Annotated[str, typer.Argument(help="宛名番号")], by: By) -> None:
    """この人の口座振替依頼の歴史（見たことが監査ログに残る）。"""
    from benefit.services import debit_accounts
    from benefit.store import audit, ward

    given = _ready(ctx)
    actor = given.ward_staff(by)
    rows = debit_accounts.history(given.home, person)
    with given.home.ward.begin() as connection:
        audit.record(
            connection,
            ward.audit_log,
            at=given.clock(),
            actor=actor,
            action="debit.history",
            subject=debit_accounts.canonical_person(person)[:64],
            detail={"rows": len(rows)},
        )
    for row in rows:
        where = ""
        if row["account_number"]:
            tail = row["account_number"][-_SHOWN_DIGITS:]
            where = f" {row['bank_code']}-{row['branch_code']} 種目 {row['account_type']} ****{tail}"
        state = f"{row['approved_by']} が承認" if row["approved_by"] else "承認を待つ"
        given.say(f"  {row['from_on']} {row['kind']} 科目 {row['subject']}{where}（{row['source']}、{state}）")
    given.say(f"口座振替依頼 {len(rows):,} 件")


@request_app.command("make")
def make(
    ctx: typer.Context,
    on: Annotated[str, typer.Option(help="引落日（YYYY-MM-DD、銀行の営業日）")],
    by: By,
    reason: Reason = "引落日の請求",
) -> None:
    """引落日の請求ファイルを作る。速報の届いた人、止めた人、亡くなった人、結果待ちの人は入らない。"""
    from benefit.domain.direct_debit import LEFT_SAYS
    from benefit.services import direct_debits

    given = _ready(ctx)
    actor = given.ward_staff(by)
    with given.progress() as bar:
        bar.add_task("請求を集めています", total=None)
        made = direct_debits.make(given.home, debit_on=day(on, "--on"), reason=reason, actor=actor, clock=given.clock)
    for code, (count, yen) in made.left_out.items():
        given.say(f"  請求しない: {LEFT_SAYS[code]} {count:,} 件（残り {yen:,} 円）")
    if made.request is None:
        given.say("請求するものはありません。")
        return
    one = made.request
    given.say(f"請求 {one.id}: 引落日 {one.debit_on} {one.line_count:,} 件 {one.total_yen:,} 円 指紋 {one.sha256[:16]}")
    given.say(f"次: 別の人が benefit direct-debit request approve {one.id} --by ID で承認します。")


@request_app.command("approve")
def approve(ctx: typer.Context, number: Number, by: By) -> None:
    """請求ファイルを読み直し、台帳と比べてから承認する。"""
    from benefit.services import direct_debits

    given = _ready(ctx)
    one = direct_debits.approve(given.home, number, actor=given.ward_staff(by), clock=given.clock)
    given.say(f"請求 {number}: {one.line_count:,} 件 {one.total_yen:,} 円を承認しました（指紋 {one.sha256[:16]}）。")
    given.say(f"次: benefit direct-debit request release {number} --out DIR --by ID で、銀行に渡すファイルを出します。")


@request_app.command("release")
def release(
    ctx: typer.Context,
    number: Number,
    out: Annotated[Path, typer.Option(help="銀行に渡すファイルを置くフォルダ")],
    by: By,
    again: Annotated[bool, typer.Option("--again", help="出した直後に止まり、ファイルがないとき")] = False,
) -> None:
    """承認された請求を出す。二度は出ない。"""
    from benefit.services import direct_debits

    given = _ready(ctx)
    actor = given.ward_staff(by)
    path = direct_debits.release(given.home, number, out=out, again=again, actor=actor, clock=given.clock)
    given.say(f"請求 {number} を出しました: {path}")
    given.say("次: 結果が届いたら、benefit direct-debit result take FILE で受け取ります。")


@request_app.command("cancel")
def cancel(ctx: typer.Context, number: Number, by: By, reason: Reason) -> None:
    """送り出す前の請求を取り消す。"""
    from benefit.services import direct_debits

    given = _ready(ctx)
    count = direct_debits.cancel(given.home, number, reason=reason, actor=given.ward_staff(by), clock=given.clock)
    given.say(f"請求 {number}: {count:,} 件を取り消しました。")


@request_app.command("list")
def list_requests(ctx: typer.Context) -> None:
    """請求と結果: 請求 = 振替済 + 振替不能 + 結果待ち。"""
    from benefit.services import debit_view

    given = _ready(ctx)
    for one in debit_view.requests(given.home):
        given.say(
            f"  請求 {one.request.id} 引落日 {one.request.debit_on} {one.state}: "
            f"{one.request.line_count:,} 件 {one.request.total_yen:,} 円"
            f" = 振替済 {one.paid_yen:,} + 振替不能 {one.failed_yen:,} + 結果待ち {one.waiting_yen:,}"
            + (f" + 取消 {one.cancelled_yen:,}" if one.cancelled_yen else "")
        )


@result_app.command("take")
def take(ctx: typer.Context, file: Annotated[Path, typer.Argument(help="結果のファイル")]) -> None:
    """結果を請求と一行ずつ合わせ、振替済を消し込む。合わなければ、何も取り込まない。"""
    from benefit.records.direct_debit import RESULT_CODES
    from benefit.services import debit_results
    from benefit.services.files import read_input

    given = _ready(ctx)
    with given.progress() as bar:
        bar.add_task("結果を消し込んでいます", total=None)
        done = debit_results.take(given.home, read_input(file), file_name=file.name, clock=given.clock)
    if done.collected.repeated:
        given.say("このファイルは、もう取り込んであります。何も変えません。")
    told = done.counts
    given.say(
        f"請求 {done.request_id} の結果: {told['told_count']:,} 件 {told['told_yen']:,} 円"
        f" = 振替済 {told['paid_count']:,} 件 {told['paid_yen']:,} 円"
        f" + 振替不能 {told['failed_count']:,} 件 {told['failed_yen']:,} 円"
        f" + 未着 {told['undecided_count']:,} 件 {told['undecided_yen']:,} 円"
    )
    for code, count in done.codes.items():
        given.say(f"  コード {code}（{RESULT_CODES.get(code, '未定義の結果コード')}）: {count:,} 件")


@letters_app.command("due")
def letters_due(
    ctx: typer.Context,
    by: By,
    take_them: Annotated[bool, typer.Option("--take", help="納付書を送ることにする（もう引き落とさない）")] = False,
    out: Annotated[Path | None, typer.Option(help="一覧（debit-letters.csv）を書くフォルダ")] = None,
) -> None:
    """振替不能の後、もう請求しないものと、そのわけ。"""
    from benefit.services import debit_letters
    from benefit.services.files import write_atomic

    given = _ready(ctx)
    actor = given.ward_staff(by)
    if take_them:
        rows = debit_letters.take(given.home, actor=actor, clock=given.clock)
    else:
        rows = debit_letters.looked(given.home, actor=actor, clock=given.clock)
    for why, count, yen in debit_letters.by_reason(rows):
        given.say(f"  {why}: {count:,} 件 残り {yen:,} 円")
    said = "送ることにしました" if take_them else "送るべきです（--take で決めます）"
    given.say(f"納付書 {rows.height:,} 件（残り {int(rows['left_yen'].sum()):,} 円）を{said}")
    if out is not None:
        table = rows.select(debit_letters.COLUMNS).rename(debit_letters.HEADINGS)
        write_atomic(out / "debit-letters.csv", table.write_csv(quote_style="necessary").encode())
        given.say(f"一覧: {out / 'debit-letters.csv'}（{tokyo_date(given.clock())} 現在）")
