"""申請書を入れる: benefit claim enter newborn / separate-child / evacuee / …（種類ごとに一つ）"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from batch.context import Context, context, day
from batch.imports import ProgrammeId
from benefit.domain.clock import tokyo_date

if TYPE_CHECKING:
    from datetime import date

    from benefit.domain.claim import Claim
    from benefit.services.claims_form import Form

app = typer.Typer(no_args_is_help=True, help="申請書を入れる（種類ごと）。決めるまで、何も変わらない")

Staff = Annotated[str, typer.Option(help="操作する職員の ID（合言葉をたずねる）")]
Received = Annotated[str, typer.Option(help="届いた日（YYYY-MM-DD）")]
Postmarked = Annotated[str | None, typer.Option(help="消印の日（YYYY-MM-DD）。消印で数える事業のとき")]
Evidence = Annotated[str, typer.Option(help="証拠の書類の種類（違えば、使える言葉を言う）")]
EvidenceId = Annotated[str, typer.Option(help="証拠の書類の番号（収受番号など）")]
Reason = Annotated[str, typer.Option(help="申請の理由")]
Reopen = Annotated[str, typer.Option(help="期限の後の申請を開き直す理由")]
Today = Annotated[str | None, typer.Option(help="今日（YYYY-MM-DD）")]
Household = Annotated[str, typer.Option(help="基準日の世帯番号（10 桁）")]
Account = Annotated[str, typer.Option(help="口座: 金融機関,支店,種目,番号,名義カナ（「,」区切り）")]
Yen = Annotated[int | None, typer.Option(help="円。書かれていなければ省く")]


def on_day(given: Context, today: str | None) -> date:
    """`--today` か、時計の日本の日付。"""
    return day(today) if today else tokyo_date(given.clock())


def _enter(ctx: typer.Context, form: Form, **common: Any) -> None:
    from benefit.services import claims
    from benefit.services.claims_form import Receipt

    given = context(ctx)
    given.need("ward", "claim")
    programme = given.home.programme(common["programme"])
    receipt = Receipt(
        received_on=day(common["received"], "--received"),
        postmarked_on=day(common["postmarked"], "--postmarked") if common["postmarked"] else None,
        evidence_kind=common["evidence"],
        evidence_id=common["evidence_id"],
        reason=common["reason"],
        reopen=common["reopen"],
    )
    actor = given.ward_staff(common["staff"])
    today = on_day(given, common["today"])
    claim = claims.enter(given.home, programme, form, receipt, today=today, actor=actor, clock=given.clock)
    describe(given, claim)
    given.say(
        f"次: 別の人が benefit claim show {claim.number} で見て、benefit claim decide {claim.number} で決めます。"
    )


def describe(given: Context, claim: Claim) -> None:
    """一件を一行で言う。氏名・口座は言わない。"""
    late = "（期限の後に開き直したもの）" if claim.reopened_reason else ""
    given.say(
        f"申請 {claim.number}: {claim.kind_name} {claim.state}{late} 受付 {claim.received_on} "
        f"証拠 {claim.evidence_kind} {claim.evidence_id} 入れた人 {claim.entered_by}"
        + (f" 決めた人 {claim.decided_by}" if claim.decided_by else "")
    )


@app.command("newborn")
def newborn(
    ctx: typer.Context,
    household: Household,
    child: Annotated[str, typer.Option(help="児童の住民番号（10 桁）")],
    received: Received,
    evidence: Evidence,
    evidence_id: EvidenceId,
    reason: Reason,
    staff: Staff,
    postmarked: Postmarked = None,
    reopen: Reopen = "",
    today: Today = None,
    programme: ProgrammeId = "r6-2024",
) -> None:
    """新生児: 基準日の後に生まれ、初めての住民登録が基準日の世帯にある児童。"""
    from benefit.services import claims_form

    _enter(ctx, claims_form.newborn(household, child), **_common(locals()))


@app.command("separate-child")
def separate_child(
    ctx: typer.Context,
    household: Household,
    child: Annotated[str, typer.Option(help="児童の住民番号。区外の児童は、9 で始まる宛名番号")],
    received: Received,
    evidence: Evidence,
    evidence_id: EvidenceId,
    reason: Reason,
    staff: Staff,
    name: Annotated[str, typer.Option(help="区外の児童の氏名")] = "",
    kana: Annotated[str, typer.Option(help="区外の児童のカナ氏名")] = "",
    birth: Annotated[str | None, typer.Option(help="区外の児童の生年月日（YYYY-MM-DD）")] = None,
    postmarked: Postmarked = None,
    reopen: Reopen = "",
    today: Today = None,
    programme: ProgrammeId = "r6-2024",
) -> None:
    """別居児童: 世帯の人に扶養されている、別に住む児童。"""
    from benefit.services import claims_form

    born = day(birth, "--birth") if birth else None
    form = claims_form.separate_child(household, child, name=name, kana_name=kana, birth=born)
    _enter(ctx, form, **_common(locals()))


@app.command("evacuee")
def evacuee(
    ctx: typer.Context,
    person: Annotated[str, typer.Option(help="避難した人の住民番号（10 桁）")],
    account: Account,
    received: Received,
    evidence: Evidence,
    evidence_id: EvidenceId,
    reason: Reason,
    staff: Staff,
    companion: Annotated[list[str] | None, typer.Option(help="同伴者の住民番号（一人ずつ繰り返す）")] = None,
    postmarked: Postmarked = None,
    reopen: Reopen = "",
    today: Today = None,
    programme: ProgrammeId = "r6-2024",
) -> None:
    """配偶者等からの暴力の避難者と同伴者（区限り。元の世帯には触れず、知らせない）。"""
    from benefit.services import claims_form

    form = claims_form.evacuee(person, companions=companion or [], account_text=account)
    _enter(ctx, form, **_common(locals()))


@app.command("certificate")
def certificate(
    ctx: typer.Context,
    person: Annotated[str, typer.Option(help="転入した人の住民番号（10 桁）")],
    answer: Annotated[str, typer.Option(help="証明書の区分: 課税・非課税・未申告")],
    received: Received,
    evidence: Evidence,
    evidence_id: EvidenceId,
    reason: Reason,
    staff: Staff,
    per_capita_yen: Yen = None,
    before_cut_yen: Yen = None,
    after_cut_yen: Yen = None,
    treaty: Annotated[bool, typer.Option("--treaty", help="租税条約の免除を受けている")] = False,
    postmarked: Postmarked = None,
    reopen: Reopen = "",
    today: Today = None,
    programme: ProgrammeId = "r6-2024",
) -> None:
    """転入者の課税証明書: 照会で分からない人の課税状況（減税前の所得割は --before-cut-yen）。"""
    _certificate(ctx, "certificate", locals())


@app.command("tax-correction")
def tax_correction(
    ctx: typer.Context,
    person: Annotated[str, typer.Option(help="住民税が更正された人の番号（10 桁）")],
    answer: Annotated[str, typer.Option(help="更正の後の区分: 課税・非課税・未申告")],
    received: Received,
    evidence: Evidence,
    evidence_id: EvidenceId,
    reason: Reason,
    staff: Staff,
    per_capita_yen: Yen = None,
    before_cut_yen: Yen = None,
    after_cut_yen: Yen = None,
    treaty: Annotated[bool, typer.Option("--treaty", help="租税条約の免除を受けている")] = False,
    postmarked: Postmarked = None,
    reopen: Reopen = "",
    today: Today = None,
    programme: ProgrammeId = "r6-2024",
) -> None:
    """住民税の更正: 世帯の給付だけに効く（調整給付は基準日で凍結）。"""
    _certificate(ctx, "tax-correction", locals())


@app.command("successor")
def successor(
    ctx: typer.Context,
    household: Household,
    person: Annotated[str, typer.Option(help="新しい世帯主の住民番号（10 桁）")],
    received: Received,
    evidence: Evidence,
    evidence_id: EvidenceId,
    reason: Reason,
    staff: Staff,
    postmarked: Postmarked = None,
    reopen: Reopen = "",
    today: Today = None,
    programme: ProgrammeId = "r6-2024",
) -> None:
    """承継: 世帯主が基準日の後、受諾の前に亡くなり、同じ世帯の人が受け取る。"""
    from benefit.services import claims_form

    _enter(ctx, claims_form.successor(household, person), **_common(locals()))


@app.command("heir")
def heir(
    ctx: typer.Context,
    case_number: Annotated[str, typer.Option(help="亡くなった受給者の給付管理番号（11 桁）")],
    person: Annotated[str, typer.Option(help="相続人の住民番号。区外の人は、9 で始まる宛名番号")],
    accepted_on: Annotated[str, typer.Option(help="受諾の日: 確認書の収受日か、辞退期限の日（YYYY-MM-DD）")],
    account: Account,
    received: Received,
    evidence: Evidence,
    evidence_id: EvidenceId,
    reason: Reason,
    staff: Staff,
    name: Annotated[str, typer.Option(help="区外の相続人の氏名")] = "",
    kana: Annotated[str, typer.Option(help="区外の相続人のカナ氏名")] = "",
    postal_code: Annotated[str, typer.Option(help="区外の相続人の郵便番号")] = "",
    address: Annotated[str, typer.Option(help="区外の相続人の住所")] = "",
    address2: Annotated[str, typer.Option(help="区外の相続人の方書")] = "",
    postmarked: Postmarked = None,
    reopen: Reopen = "",
    today: Today = None,
    programme: ProgrammeId = "r6-2024",
) -> None:
    """相続人: 受諾の後に亡くなった受給者の権利を、相続人の口座に払う（区限り）。"""
    from benefit.services import claims_form

    form = claims_form.heir(
        case_number,
        person,
        accepted_on=day(accepted_on, "--accepted-on"),
        account_text=account,
        name=name,
        kana_name=kana,
        postal=postal_code,
        address=address,
        address2=address2,
    )
    _enter(ctx, form, **_common(locals()))


@app.command("guardian")
def guardian(
    ctx: typer.Context,
    person: Annotated[str, typer.Option(help="受給者の住民番号・宛名番号（10 桁）")],
    name: Annotated[str, typer.Option(help="代理人（送付先）の氏名")],
    postal_code: Annotated[str, typer.Option(help="送付先の郵便番号")],
    address: Annotated[str, typer.Option(help="送付先の住所")],
    received: Received,
    evidence: Evidence,
    evidence_id: EvidenceId,
    reason: Reason,
    staff: Staff,
    kana: Annotated[str, typer.Option(help="代理人のカナ氏名")] = "",
    address2: Annotated[str, typer.Option(help="送付先の方書")] = "",
    postmarked: Postmarked = None,
    reopen: Reopen = "",
    today: Today = None,
    programme: ProgrammeId = "r6-2024",
) -> None:
    """法定代理人・送付先の変更: 手紙のあて名と住所（受給者と口座は変わらない）。"""
    from benefit.services import claims_form

    form = claims_form.guardian(
        person, name=name, kana_name=kana, postal=postal_code, address=address, address2=address2
    )
    _enter(ctx, form, **_common(locals()))


_COMMON = ("received", "evidence", "evidence_id", "reason", "staff", "postmarked", "reopen", "today", "programme")


def _common(given: dict[str, Any]) -> dict[str, Any]:
    """どの種類にも共通の値。"""
    return {name: given[name] for name in _COMMON}


def _certificate(ctx: typer.Context, kind: str, given: dict[str, Any]) -> None:
    from benefit.services import claims_form

    form = claims_form.certificate(
        kind,
        given["person"],
        answer=given["answer"],
        per_capita_yen=given["per_capita_yen"],
        before_cut_yen=given["before_cut_yen"],
        after_cut_yen=given["after_cut_yen"],
        treaty_exempt=given["treaty"],
    )
    _enter(ctx, form, **_common(given))
