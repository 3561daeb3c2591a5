"""見本の手紙: 架空の人の一通。言葉と割付の下見、記入例、試験に使い、印刷には回さない。"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from benefit.domain.errors import WrongUse
from benefit.domain.letter import (
    ADDRESS_CHANGE_NOTICE,
    AWARD_NOTICE,
    BENEFITS,
    CHILD_CLAIM_FORM,
    CLAIM_FORM,
    CONDITIONS,
    CORRECTION_LETTER,
    DEFICIENCY_NOTICE,
    DUE,
    DUNNING_LETTER,
    FAILED_TRANSFER_NOTICE,
    HEIR_FORM,
    LETTER_KINDS,
    PUSH_NOTICE,
    REFUSAL_NOTICE,
)
from benefit.domain.programme import Programme
from benefit.domain.wareki import wareki
from letters.content import LetterContent, Value

#: 架空の人。番号は 0 で終わる並びで、住所の番地は実在しない。
PERSON: Mapping[str, str] = {
    "case_number": "00000000000",
    "postal_code": "1600000",
    "address": "東京都新宿区見本一丁目2番3号",
    "address2": "見本マンション405号室",
    "name": "見本　花子",
}
BLANK: Mapping[str, str] = dict.fromkeys(PERSON, "")


def sample_values(kind: str, programme: Programme, issued_on: date) -> dict[str, Value]:
    """種類ごとの値の見本。見本を決めていない項目は、項目の名をそのまま見せる。"""
    before = wareki(issued_on - timedelta(days=10))
    known: dict[str, dict[str, Value]] = {
        CLAIM_FORM: dates_of(CLAIM_FORM, programme),
        CHILD_CLAIM_FORM: dates_of(CHILD_CLAIM_FORM, programme),
        DEFICIENCY_NOTICE: {
            "received_on": before,
            "defects": ("署名・記名なし", "口座書類なし"),
            "to_send": (
                "署名の欄に、ご本人のお名前を書いてください。",
                "通帳かキャッシュカードの、口座の分かる面の写しを送ってください。",
            ),
        },
        AWARD_NOTICE: {"decided_on": before, "payer_kana": "シンジュククキュウフ"},
        REFUSAL_NOTICE: {"decided_on": before, "reason": "支給の要件に当てはまらないため"},
        FAILED_TRANSFER_NOTICE: {"transferred_on": before, "reason": "口座が解約されているため"},
        DUNNING_LETTER: {
            "demand": "督促状",
            "slip": "R000001",
            "first_due": before,
            "counted_on": wareki(issued_on),
        },
        HEIR_FORM: {"deceased_name": "見本　太郎"},
        ADDRESS_CHANGE_NOTICE: {
            "beneficiary_name": "見本　太郎",
            "relation": "成年後見人",
            "changed_on": before,
        },
        CORRECTION_LETTER: {
            "letter_name": "支給のお知らせ",
            "sent_on": before,
            "item": "振込先の支店名",
            "wrong": "新宿支店",
            "right": "本店",
            "to_do": "お手続きは要りません。正しい口座へ、予定の日に振り込みます。",
        },
    }
    fields = LETTER_KINDS[kind].fields
    ready = known.get(kind, {})
    return {field: ready.get(field, f"〔{field}〕") for field in fields}


def dates_of(kind: str, programme: Programme) -> dict[str, Value]:
    """申請書に刷る、事業の日付。"""
    dates: dict[str, Value] = {"base_date": wareki(programme.base_date)}
    if kind == CLAIM_FORM:
        return dates | {"levy_date": wareki(programme.levy_date)}
    if programme.child is None:
        raise WrongUse("この事業に、こども加算はありません", code="no-child-benefit", found=programme.id)
    return dates | {"born_from": wareki(programme.child.born_from)}


def benefit_of(kind: str, programme: Programme) -> str:
    """この種類の手紙に合う給付（申請書は、こどもか、こどもでないもの）。"""
    child = kind == CHILD_CLAIM_FORM
    found = [one for one in programme.benefits.values() if (one.who == "child") == child]
    if not found:
        raise WrongUse("この事業に、この手紙の給付はありません", code="no-benefit", found=programme.id)
    return found[0].id


def sample(
    kind: str,
    programme: Programme,
    issued_on: date,
    *,
    person: Mapping[str, Any] = PERSON,
    **changes: Any,
) -> LetterContent:
    """この種類の見本の一通。`person` は宛名と番号（BLANK なら白紙）、`changes` は LetterContent の欄。"""
    if kind not in LETTER_KINDS:
        raise WrongUse("手紙の種類が違います", code="letter-kind", found=kind, allowed="、".join(LETTER_KINDS))
    common = LETTER_KINDS[kind].common
    benefit = benefit_of(kind, programme)
    terms = programme.conditions[programme.benefits[benefit].slot_kind]
    texts = terms.wrong_when if kind == PUSH_NOTICE else terms.declarations
    with_account = kind in (PUSH_NOTICE, AWARD_NOTICE)
    paid = {DUNNING_LETTER: 100_000}
    return LetterContent(
        **{
            "kind": kind,
            "branch": 1 if person["case_number"] else 0,
            **person,
            "programme_name": programme.name,
            "ward_name": programme.office.ward_name,
            "office_name": programme.office.office_name,
            "phone": programme.office.call_centre_phone,
            "return_to": programme.office.return_to,
            "issued_on": issued_on,
            "due_on": issued_on + timedelta(days=30) if DUE in common else None,
            "conditions": tuple(text.replace("{ward}", programme.office.ward_name) for text in texts)
            if CONDITIONS in common
            else (),
            "benefit_names": (programme.benefits[benefit].name,) if BENEFITS in common else (),
            "values": sample_values(kind, programme, issued_on),
            "postmark": kind != PUSH_NOTICE and programme.schedule.deadline_kind == "POSTMARK",
            "planned_transfer_on": issued_on + timedelta(days=42) if with_account else None,
            "amount_yen": paid.get(kind),
            "account_flag": "2" if with_account else "0",
            "masked_account": "見本銀行 本店 普通 ****000" if with_account else None,
            "sheets": LETTER_KINDS[kind].sheets,
            **changes,
        }
    )
