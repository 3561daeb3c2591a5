"""申請書の中身: 種類ごとに、打たれた文字を確かめて、台帳に置く形にする。

断りは RefusedInput（終了コード 3）で、どの項目かと形だけを言う。番号・氏名・口座は文に入れない。
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from benefit.domain.claim import EVIDENCE, KINDS
from benefit.domain.errors import Place, RefusedInput
from benefit.records.yucho import as_written
from benefit.records.zengin_text import convert

_ANSWERS = ("課税", "非課税", "未申告")


@dataclass(frozen=True)
class Receipt:
    """どの種類にも共通の受付: いつ、どの書類で、なぜ。reopen は期限の後に開き直す理由（期限内なら空）。"""

    received_on: date
    evidence_kind: str
    evidence_id: str
    reason: str
    postmarked_on: date | None = None
    reopen: str = ""


@dataclass(frozen=True)
class Form:
    """種類ごとの中身。"""

    kind: str
    household_number: int | None
    person_number: int | None
    content: dict[str, Any]


def refuse(field: str, says: str, *, found: str | None = None, allowed: str | None = None) -> RefusedInput:
    """申請書の項目の断り。"""
    return RefusedInput(says, code="claim-form", place=Place(file="申請書", field=field), found=found, allowed=allowed)


def number(text: str, field: str) -> int:
    """10 桁の番号。"""
    if len(text) != 10 or not (text.isascii() and text.isdigit()):
        raise refuse(field, "番号は 10 桁の数字です", found=f"{len(text)} 文字")
    return int(text)


def words(text: str, field: str, *, blank: bool = False, longest: int = 100) -> str | None:
    """氏名・住所・理由などの文字。前後の空白は捨てる。"""
    tidy = text.strip()
    if not tidy:
        if blank:
            return None
        raise refuse(field, "空です", allowed="一文字以上")
    if len(tidy) > longest or any(ord(character) < 0x20 for character in tidy):
        raise refuse(
            field, "長すぎるか、改行などの文字があります", found=f"{len(tidy)} 文字", allowed=f"{longest} 文字まで"
        )
    return tidy


def postal_code(text: str) -> str:
    """7 桁の郵便番号。"""
    plain = text.replace("-", "")
    if len(plain) != 7 or not (plain.isascii() and plain.isdigit()):
        raise refuse("郵便番号", "7 桁の数字です", found=f"{len(text)} 文字")
    return plain


def account(text: str) -> list[str]:
    """「金融機関,支店,種目,番号,名義カナ」。店舗が実在するかは、支給判定が見る（CHK80）。"""
    parts = [part.strip() for part in text.split(",")]
    shape = "金融機関コード 4 桁,支店コード 3 桁,預金種目（1・2・4）,口座番号 7 桁,名義カナ"
    if len(parts) != 5:
        raise refuse("口座", "五つの項目を「,」で区切ります", found=f"{len(parts)} 項目", allowed=shape)
    # ゆうちょ銀行は「9900,,,記号-番号,名義カナ」とも書ける。
    parts = [*as_written(*parts[:4]), parts[4]]
    for value, length in zip(parts[:4], (4, 3, 1, 7), strict=True):
        if len(value) != length or not (value.isascii() and value.isdigit()):
            raise refuse("口座", "桁が合いません", allowed=shape)
    if parts[2] not in ("1", "2", "4"):
        raise refuse("口座", "預金種目が違います", allowed="1（普通）、2（当座）、4（貯蓄）")
    if not parts[4]:
        raise refuse("口座", "名義がありません", allowed=shape)
    convert(parts[4], place=Place(file="申請書", field="口座名義"))
    return parts


def check_receipt(kind: str, receipt: Receipt) -> None:
    """証拠の書類が、この種類のものか。日付の順。"""
    if kind not in KINDS:
        raise refuse("種類", "知らない種類です", found=kind[:20], allowed="、".join(KINDS))
    if receipt.evidence_kind not in EVIDENCE[kind]:
        raise refuse(
            "証拠の書類", "この申請では使えません", found=receipt.evidence_kind[:20], allowed="、".join(EVIDENCE[kind])
        )
    if not receipt.evidence_id.strip() or len(receipt.evidence_id) > 40 or not receipt.evidence_id.isprintable():
        raise refuse("証拠の番号", "書類の番号（収受番号など）を書きます", allowed="1〜40 文字")
    words(receipt.reason, "理由", longest=400)
    if receipt.postmarked_on is not None and receipt.postmarked_on > receipt.received_on:
        raise refuse("消印の日", "届いた日より後です", allowed="届いた日まで")


def newborn(household: str, child: str) -> Form:
    """新生児: 基準日の世帯と、住民記録にいる児童。"""
    return Form("newborn", number(household, "世帯番号"), number(child, "児童の住民番号"), {})


def separate_child(
    household: str, child: str, *, name: str = "", kana_name: str = "", birth: date | None = None
) -> Form:
    """別居児童: 区外の児童は、9 で始まる宛名番号と、氏名・カナ・生年月日を添える。"""
    person = number(child, "児童の番号")
    content: dict[str, Any] = {}
    if child.startswith("9"):
        if birth is None:
            raise refuse("児童の生年月日", "区外の児童には、氏名・カナ・生年月日が要ります")
        content = {
            "name": words(name, "児童の氏名"),
            "kana_name": words(kana_name, "児童のカナ氏名"),
            "birth": birth.isoformat(),
        }
    elif name or kana_name or birth:
        raise refuse("児童の番号", "氏名などを添えるのは、区外の児童だけです", allowed="9 で始まる宛名番号")
    return Form("separate-child", number(household, "世帯番号"), person, content)


def evacuee(person: str, *, companions: list[str], account_text: str) -> Form:
    """避難者と同伴者。世帯番号は台帳に残さない（元の世帯を指す手がかりになるため）。"""
    leader = number(person, "避難した人の住民番号")
    others = [number(one, "同伴者の住民番号") for one in companions]
    if len({leader, *others}) != len(others) + 1:
        raise refuse("同伴者の住民番号", "同じ番号が二度あります")
    return Form("evacuee", None, leader, {"companions": others, "account": account(account_text)})


def certificate(
    kind: str,
    person: str,
    *,
    answer: str,
    per_capita_yen: int | None,
    before_cut_yen: int | None,
    after_cut_yen: int | None,
    treaty_exempt: bool,
) -> Form:
    """証明書（certificate）と更正（tax-correction）: 照会の回答と同じ項目。"""
    if answer not in _ANSWERS:
        raise refuse("回答", "知らない言葉です", found=answer[:20], allowed="、".join(_ANSWERS))
    amounts = (per_capita_yen, before_cut_yen, after_cut_yen)
    if any(amount is not None and not 0 <= amount < 10**10 for amount in amounts):
        raise refuse("金額", "0 以上の円です")
    if answer != "課税" and any(amounts):
        raise refuse("金額", f"{answer}の人に、課税の額があります")
    content = {
        "answer": answer,
        "per_capita_levy_yen": per_capita_yen,
        "income_levy_before_cut_yen": before_cut_yen,
        "income_levy_after_cut_yen": after_cut_yen,
        "treaty_exempt": treaty_exempt,
    }
    return Form(kind, None, number(person, "住民番号"), content)


def successor(household: str, person: str) -> Form:
    """承継: 基準日の世帯と、新しい世帯主。slot と亡くなった人は、入力の時の台帳から取る。"""
    return Form("successor", number(household, "世帯番号"), number(person, "新しい世帯主の住民番号"), {})


def heir(
    case_number: str,
    person: str,
    *,
    accepted_on: date,
    account_text: str,
    name: str = "",
    kana_name: str = "",
    postal: str = "",
    address: str = "",
    address2: str = "",
) -> Form:
    """相続人: 給付管理番号と、相続人の番号・口座。住民でない人は、氏名・カナ・住所を添える。"""
    outside = person.startswith("9")
    if len(case_number) != 11 or not (case_number.isascii() and case_number.isdigit()):
        raise refuse("給付管理番号", "11 桁の数字です", found=f"{len(case_number)} 文字")
    content = {
        "case_number": case_number,
        "heir": number(person, "相続人の番号"),
        "accepted_on": accepted_on.isoformat(),
        "account": account(account_text),
        "name": words(name, "相続人の氏名") if outside else None,
        "kana_name": words(kana_name, "相続人のカナ氏名") if outside else None,
        "postal_code": postal_code(postal) if outside else None,
        "address": words(address, "相続人の住所") if outside else None,
        "address2": words(address2, "相続人の方書", blank=True),
    }
    return Form("heir", None, None, content)


def guardian(person: str, *, name: str, kana_name: str, postal: str, address: str, address2: str) -> Form:
    """法定代理人・送付先: 送付先の抽出データ（addresses.csv の法定代理人）と同じ項目。"""
    content = {
        "name": words(name, "代理人の氏名"),
        "kana_name": words(kana_name, "代理人のカナ氏名", blank=True),
        "postal_code": postal_code(postal),
        "address": words(address, "送付先の住所"),
        "address2": words(address2, "送付先の方書", blank=True),
    }
    return Form("guardian", None, number(person, "住民番号・宛名番号"), content)
