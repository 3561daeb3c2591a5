"""一通の手紙に刷る事柄。DB もファイルも知らない、ただの値。

ここにない事柄は紙に現れない。印刷に渡してよい項目は、氏名、郵便番号、住所、給付管理番号、
過去の給付金支給口座情報、口座フラグに限られる（seed 002 再委託の情報項目）。電話番号、生年月日、
家族の氏名の欄は、だから置かない（benefit-rules F.2 の 2 と 3）。
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from benefit.domain.entitlement import ACCOUNT_FLAG_NAMES
from benefit.domain.errors import Place, RefusedByRule, WrongUse
from benefit.domain.letter import AGAIN, BENEFITS, CONDITIONS, DUE, FIELD_NAMES, LETTER_KINDS, PUSH_NOTICE, LetterKind

#: 手紙の種類ごとの値: 文、数、文の並び。
Value = str | int | tuple[str, ...]

#: 口座フラグ 2（過去の給付金の口座）だけが、口座の姿（下 3 桁）を紙に出せる（benefit-rules F.2 の 1）。
FLAG_NONE = "0"
FLAG_PAST_BENEFIT = "2"


@dataclass(frozen=True, kw_only=True)
class LetterContent:
    """一通の手紙。

    kind: 手紙の種類（`benefit.domain.letter.LETTER_KINDS`）。
    values: その種類だけの値。鍵は LETTER_KINDS[kind].fields とちょうど同じで、空の文は許さない。
    again: 出し直した手紙なら `resent`（再送）か `reissued`（再発行）。「前の書類は無効」と刷る。
    return_to: 返送先の行（郵便番号、住所、宛名）。刷らない手紙では空。
    sender: 差出人の二つの言葉。空なら区の名と課。区が直接扱う人の紙では、郵便番号と住所だけ（F.3）。
    conditions: 確かめていただく文（給付事業の `conditions`）。お知らせでは申し出てほしい場合、確認書では誓約。
    case_number: 給付管理番号、11 桁の数字。branch: 枝番 0–99（出し直すたびに一つ進む）。
    postal_code: 7 桁の数字。address: 漢字住所。address2: 漢字方書（刷らない決まりなら空）。
    name: 宛名の漢字氏名、来たままの字（法定代理人へ送るときは、その人の名）。
    payee_name: 宛名が受給者でないときの、受給者の漢字氏名（窓の外か、はがきの中の面に刷る）。宛名が受給者なら空。
    office_name: 差出人の課。phone: 問合せ先。issued_on: 発行日（PDF の日付にもなる）。
    due_on: 確認書では返送期限、お知らせでは辞退・口座変更の期限。どちらも当日を含む。
    postmark: 期限を消印で数えるか（事業の `deadline_kind`）。辞退・口座変更の期限は、いつも必着。
    planned_transfer_on: 振込予定日。None なら刷らない。確認書では、審査の後に決まるので、いつも刷らない。
    benefit_names: 給付の名。外で刷る紙では、金額も子の名も含めない（渡す側が守る）。
    amount_yen: 支給予定額（円）。None なら、金額の欄ごと刷らない（既定。benefit-rules K5）。
    account_flag: 口座フラグ（0 なし、1 生活保護、2 過去の給付金、3 公金受取）。
    masked_account: 口座フラグ 2 のお知らせだけに刷る、下 3 桁のほかを伏せた口座（例「◯◯銀行 本店 普通 ****123」）。
    sheet / sheets: 封筒の中の何枚目／何枚か（封入の照合に使う）。
    sheet_codes: 一枚目からの封入の符号（24 桁、letters.sheet_code）。空なら、番号と枚数だけを刷る（下見、窓口の紙）。
    断り: 種類・番号の形・口座フラグの組合せが違えば WrongUse、出してはならない口座があれば RefusedByRule。
    """

    kind: str
    case_number: str
    branch: int
    postal_code: str
    address: str
    address2: str
    name: str
    programme_name: str
    ward_name: str
    office_name: str
    phone: str
    issued_on: date
    due_on: date | None = None
    conditions: tuple[str, ...] = ()
    benefit_names: tuple[str, ...] = ()
    values: Mapping[str, Value] = field(default_factory=dict, hash=False)
    payee_name: str = ""
    again: str = ""
    return_to: tuple[str, ...] = ()
    sender: tuple[str, ...] = ()
    postmark: bool = False
    planned_transfer_on: date | None = None
    amount_yen: int | None = None
    account_flag: str = FLAG_NONE
    masked_account: str | None = None
    sheet: int = 1
    sheets: int = 1
    sheet_codes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """形を確かめる。氏名や住所の中身は `letters.holding` が一通ずつ確かめる。"""
        self._require(self.kind in LETTER_KINDS, "手紙の種類が違います", allowed="、".join(LETTER_KINDS))
        kind = LETTER_KINDS[self.kind]
        self._require(BENEFITS not in kind.common or bool(self.benefit_names), "給付の名がありません")
        self._require(CONDITIONS not in kind.common or bool(self.conditions), "確かめていただく文がありません")
        self._require(DUE not in kind.common or self.due_on is not None, "期限がありません")
        digits = self.case_number.isascii() and self.case_number.isdigit()
        shape = digits and len(self.case_number) == 11
        # 窓口で渡す白紙の申請書には、番号も宛名もまだない。
        self._require(shape or self.is_blank, "給付管理番号の形が違います", allowed="11 桁の数字")
        self._require(0 <= self.branch <= 99, "枝番の範囲が違います", allowed="0 から 99")
        self._require(self.account_flag in ACCOUNT_FLAG_NAMES, "口座フラグが違います", allowed="0、1、2、3")
        self._require(1 <= self.sheet <= self.sheets <= 9, "枚数が違います", allowed="1/1 から 9/9")
        coded = all(code.startswith(f"{self.case_number}{self.branch:02d}") for code in self.sheet_codes)
        self._require(coded and len(self.sheet_codes) in {0, self.sheets}, "封入の符号が、この手紙のものではありません")
        self._require(self.due_on is None or self.due_on >= self.issued_on, "期限が発行日より前です")
        self._require(self.amount_yen is None or self.amount_yen > 0, "支給予定額は 1 円以上です")
        self._require(self.again in AGAIN, "出し直しの言葉が違います", allowed="再送、再発行")
        self._require_values(kind)
        if self.masked_account is not None and self.account_flag != FLAG_PAST_BENEFIT:
            raise RefusedByRule(
                "過去の給付金の口座（口座フラグ 2）のほかは、口座を紙に刷れません",
                code="account-not-for-paper",
                found=f"口座フラグ {self.account_flag}",
            )
        if self.kind == PUSH_NOTICE:
            self._require(self.account_flag != FLAG_NONE, "振込先の口座がない人には、支給のお知らせを出せません")
            needs = self.account_flag == FLAG_PAST_BENEFIT and self.masked_account is None
            self._require(not needs, "過去の給付金の口座へ振り込むお知らせには、伏せた口座が要ります")

    def _require_values(self, kind: LetterKind) -> None:
        """種類ごとの値の過不足と型。作る時に断れば、抜けた項目が紙になることはない。"""
        lacking = [name for name in kind.fields if name not in self.values]
        unknown = [name for name in self.values if name not in kind.fields]
        if lacking or unknown:
            short = "、".join(FIELD_NAMES.get(name, name) for name in lacking) or "なし"
            extra = "、".join(unknown) or "なし"
            raise WrongUse(
                f"{kind.number} {kind.name}の項目が合いません（足りない: {short} / 知らない: {extra}）",
                code="letter-fields",
                place=Place(field=(lacking + unknown)[0]),
                allowed="、".join(kind.fields) or "（なし）",
            )
        for name, value in self.values.items():
            texts = value if isinstance(value, tuple) else (value,)
            whole = all(isinstance(text, int) or (isinstance(text, str) and text.strip(" \u3000")) for text in texts)
            if isinstance(value, bool) or not texts or not whole:
                raise WrongUse(
                    f"{kind.number} {kind.name}の項目が空か、文・数ではありません",
                    code="letter-fields",
                    place=Place(field=name),
                )
        # 渡した側が後から書き換えても、確かめた値のまま刷る。
        object.__setattr__(self, "values", dict(self.values))

    @staticmethod
    def _require(holds: bool, says: str, *, allowed: str | None = None) -> None:
        if not holds:
            raise WrongUse(says, code="letter-content", allowed=allowed)

    @property
    def is_blank(self) -> bool:
        """番号も宛名もない、窓口で渡す白紙の様式か（申請書だけ）。"""
        named = self.case_number + self.postal_code + self.address + self.address2 + self.name
        return not named and not LETTER_KINDS[self.kind].addressed

    @property
    def key(self) -> tuple[str, str, int]:
        """同じ手紙かどうか: 種類、番号、枝番（二通刷らないための鍵）。"""
        return self.kind, self.case_number, self.branch
