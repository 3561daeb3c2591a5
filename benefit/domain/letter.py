"""手紙の語彙: 種類（L1–L17）ごとの、紙の形、項目、刷る所、封筒、同封するもの（benefit-rules H）。"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Form = Literal["A4", "Z_FOLD", "V_FOLD"]
#: 刷る所: 委託先の先の印刷所、委託先（給付管理システム）、区の中。
Route = Literal["printer", "contractor", "ward"]

WINDOW_ENVELOPE = "窓あき長形3号"
PRESSED_CARD = "圧着はがき"
REGISTERED_MAIL = "窓あき長形3号（簡易書留）"
HANDED = "手渡し"

#: どの手紙でも使うとは限らない、共通の項目（LetterContent の同じ名の欄）。
DUE, CONDITIONS, BENEFITS = "due_on", "conditions", "benefit_names"


@dataclass(frozen=True, kw_only=True)
class LetterKind:
    """手紙の一種類。

    id: コードと表の名。number: 「L1」。name: 日本語の名。form: 紙の形。
    fields: この種類だけが持つ値（`LetterContent.values` の鍵）。足りなくても余っても、手紙を作る前に断る。
    common: 共通の項目のうち、この種類が要るもの。ほかは空でよい。
    routes: 刷ってよい所。envelope: 封筒。enclosures: 同封するもの。
    carries_amount: 額を刷る欄があるか（外で刷るときは、既定で空にする。benefit-rules F.2-2）。
    registered: 一通ごとに台帳（ward.letter）に残すか。窓口で渡す白紙の申請書は、権利がまだないので残さない。
    sheets: 一通の枚数の上限。addressed: 宛名が要るか。
    """

    id: str
    number: str
    name: str
    form: Form = "A4"
    fields: tuple[str, ...] = ()
    common: tuple[str, ...] = ()
    routes: tuple[Route, ...]
    envelope: str = WINDOW_ENVELOPE
    enclosures: tuple[str, ...] = ()
    carries_amount: bool = False
    registered: bool = True
    sheets: int = 1
    addressed: bool = True


#: 枝番を進めて出し直した手紙（benefit-rules L10 返戻の後の再送、L16 再発行）。どちらも、前の枝番の紙は無効である。
RESENT, REISSUED = "resent", "reissued"
AGAIN = ("", RESENT, REISSUED)

#: 種類ごとの値の、職員が読む名。
FIELD_NAMES: Mapping[str, str] = {
    "base_date": "基準日",
    "levy_date": "賦課期日",
    "born_from": "この日以降に生まれたこども",
    "received_on": "受け取った日",
    "defects": "不備",
    "to_send": "送っていただくもの",
    "decided_on": "決定の日",
    "payer_kana": "振込名義",
    "reason": "理由",
    "transferred_on": "振り込んだ日",
    "demand": "督促か催告か",
    "slip": "納付番号",
    "first_due": "初めの納期限",
    "counted_on": "残りの額を数えた日",
    "deceased_name": "亡くなった方の氏名",
    "beneficiary_name": "受給者の氏名",
    "relation": "受給者との関係",
    "changed_on": "変更の日",
    "letter_name": "誤りのあった書類",
    "sent_on": "送った日",
    "item": "誤りのあった項目",
    "wrong": "誤",
    "right": "正",
    "to_do": "していただくこと",
}

CONFIRMATION_LETTER = "confirmation_letter"
PUSH_NOTICE = "push_notice"
CLAIM_FORM = "claim_form"
CHILD_CLAIM_FORM = "child_claim_form"
DEFICIENCY_NOTICE = "deficiency_notice"
AWARD_NOTICE = "award_notice"
REFUSAL_NOTICE = "refusal_notice"
REMINDER = "reminder"
FAILED_TRANSFER_NOTICE = "failed_transfer_notice"
HEIR_FORM = "heir_form"
REPAYMENT_REQUEST = "repayment_request"
PAYMENT_SLIP = "payment_slip"
DUNNING_LETTER = "dunning_letter"
ADDRESS_CHANGE_NOTICE = "address_change_notice"
CORRECTION_LETTER = "correction_letter"

_FLYER = "ご案内（多言語）"
_REPLY = "返信用封筒"
_MOUNT = "台紙（本人確認書類・口座確認書類）"

#: 手紙の種類、番号の順。L10（返戻の後の再送）と L16（再発行）は、枝番を一つ進めた L1・L2 で、種類ではない。
LETTER_KINDS: Mapping[str, LetterKind] = {
    kind.id: kind
    for kind in (
        LetterKind(
            id=PUSH_NOTICE,
            number="L1",
            name="支給のお知らせ",
            common=(DUE, CONDITIONS, BENEFITS),
            routes=("printer", "ward"),
            enclosures=(_REPLY, _FLYER),
            carries_amount=True,
        ),
        LetterKind(
            id=CONFIRMATION_LETTER,
            number="L2",
            name="支給要件確認書",
            common=(DUE, CONDITIONS, BENEFITS),
            routes=("printer", "ward"),
            enclosures=("記入例", _REPLY, _MOUNT, _FLYER),
            carries_amount=True,
        ),
        LetterKind(
            id=CLAIM_FORM,
            number="L3",
            name="申請書",
            fields=("base_date", "levy_date"),
            common=(DUE, CONDITIONS, BENEFITS),
            routes=("ward", "contractor"),
            enclosures=("記入例", _REPLY, _MOUNT, _FLYER),
            registered=False,
            sheets=2,
            addressed=False,
        ),
        LetterKind(
            id=CHILD_CLAIM_FORM,
            number="L4",
            name="こども加算申請書",
            fields=("base_date", "born_from"),
            common=(DUE, CONDITIONS, BENEFITS),
            routes=("ward",),
            enclosures=(_REPLY, _MOUNT, _FLYER),
            registered=False,
            sheets=2,
            addressed=False,
        ),
        LetterKind(
            id=DEFICIENCY_NOTICE,
            number="L5",
            name="不備のお知らせ",
            fields=("received_on", "defects", "to_send"),
            common=(DUE,),
            routes=("contractor", "ward"),
            enclosures=(_REPLY, _FLYER),
        ),
        LetterKind(
            id=AWARD_NOTICE,
            number="L6",
            name="支給決定通知書",
            form="Z_FOLD",
            fields=("decided_on", "payer_kana"),
            common=(BENEFITS,),
            routes=("contractor", "ward"),
            envelope=PRESSED_CARD,
            carries_amount=True,
        ),
        LetterKind(
            id=REFUSAL_NOTICE,
            number="L7",
            name="不支給決定通知書",
            form="Z_FOLD",
            fields=("decided_on", "reason"),
            common=(BENEFITS,),
            routes=("contractor", "ward"),
            envelope=PRESSED_CARD,
        ),
        LetterKind(
            id=REMINDER,
            number="L8",
            name="返送のお願い",
            form="V_FOLD",
            common=(DUE,),
            routes=("printer", "ward"),
            envelope=PRESSED_CARD,
        ),
        LetterKind(
            id=FAILED_TRANSFER_NOTICE,
            number="L9",
            name="振込不能のお知らせ",
            fields=("transferred_on", "reason"),
            common=(DUE, BENEFITS),
            routes=("ward", "contractor"),
            enclosures=(_REPLY, _MOUNT, _FLYER),
        ),
        LetterKind(
            id=HEIR_FORM,
            number="L11",
            name="相続人届出書",
            fields=("deceased_name",),
            common=(DUE, BENEFITS),
            routes=("ward",),
            enclosures=(_REPLY, _MOUNT, _FLYER),
            sheets=2,
        ),
        LetterKind(
            id=REPAYMENT_REQUEST,
            number="L12",
            name="返還請求書",
            common=(DUE, BENEFITS),
            routes=("ward",),
            envelope=REGISTERED_MAIL,
            enclosures=("納付書", _FLYER),
            carries_amount=True,
        ),
        LetterKind(
            id=PAYMENT_SLIP,
            number="L13",
            name="納付書",
            common=(DUE,),
            routes=("ward",),
            envelope=REGISTERED_MAIL,
            carries_amount=True,
            registered=False,
        ),
        LetterKind(
            id=DUNNING_LETTER,
            number="L14",
            name="督促状・催告書",
            fields=("demand", "slip", "first_due", "counted_on"),
            common=(DUE, BENEFITS),
            routes=("ward",),
            envelope=REGISTERED_MAIL,
            enclosures=("納付書", _FLYER),
            carries_amount=True,
        ),
        LetterKind(
            id=ADDRESS_CHANGE_NOTICE,
            number="L15",
            name="送付先変更のお知らせ",
            fields=("beneficiary_name", "relation", "changed_on"),
            routes=("ward",),
        ),
        LetterKind(
            id=CORRECTION_LETTER,
            number="L17",
            name="お詫びと訂正",
            fields=("letter_name", "sent_on", "item", "wrong", "right", "to_do"),
            routes=("ward",),
        ),
    )
}
LETTER_NAMES = {kind.id: kind.name for kind in LETTER_KINDS.values()}
#: 一通ごとに台帳（ward.letter）に残す種類。
REGISTERED_KINDS = tuple(sorted(kind.id for kind in LETTER_KINDS.values() if kind.registered))
#: 台帳の出来事から作る、区のお知らせ（benefit.services.notices_due）。
NOTICE_KINDS = (AWARD_NOTICE, REFUSAL_NOTICE, FAILED_TRANSFER_NOTICE, DUNNING_LETTER)
#: 届け方と口座を決める手紙。発送日と期限は、これで数える。
FIRST_KINDS = (PUSH_NOTICE, CONFIRMATION_LETTER)


def address_digest(postal_code: str | None, address: str | None, address2: str | None, addressee: str | None) -> str:
    """宛先の指紋。手紙の後で送り先が変わったことに気づくため（CHK91）。"""
    content = "\n".join(part or "" for part in (postal_code, address, address2, addressee))
    return hashlib.sha256(content.encode()).hexdigest()
