"""一通の手紙に刷る事柄。DB もファイルも知らない、ただの値。

ここにない事柄は紙に現れない。印刷に渡してよい項目は、氏名、郵便番号、住所、給付管理番号、
過去の給付金支給口座情報、口座フラグに限られる（seed 002 再委託の情報項目）。電話番号、生年月日、
家族の氏名の欄は、だから置かない（benefit-rules F.2 の 2 と 3）。
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from benefit.domain.entitlement import ACCOUNT_FLAG_NAMES
from benefit.domain.errors import RefusedByRule, WrongUse
from benefit.domain.letter import LETTER_KINDS, PUSH_NOTICE

#: 口座フラグ 2（過去の給付金の口座）だけが、口座の姿（下 3 桁）を紙に出せる（benefit-rules F.2 の 1）。
FLAG_NONE = "0"
FLAG_PAST_BENEFIT = "2"


@dataclass(frozen=True, kw_only=True)
class LetterContent:
    """一通の手紙。

    kind: `confirmation_letter`（支給要件確認書）か `push_notice`（支給のお知らせ）。
    conditions: 確かめていただく文（給付事業の `conditions`）。お知らせでは申し出てほしい場合、確認書では誓約。
    case_number: 給付管理番号、11 桁の数字。branch: 枝番 0–99（出し直すたびに一つ進む）。
    postal_code: 7 桁の数字。address: 漢字住所。address2: 漢字方書（刷らない決まりなら空）。
    name: 漢字氏名、来たままの字。
    office_name: 差出人の課。phone: 問合せ先。issued_on: 発行日（PDF の日付にもなる）。
    due_on: 確認書では返送期限、お知らせでは辞退・口座変更の期限。どちらも当日を含む。
    postmark: 期限を消印で数えるか（事業の `deadline_kind`）。辞退・口座変更の期限は、いつも必着。
    planned_transfer_on: 振込予定日。None なら刷らない。確認書では、審査の後に決まるので、いつも刷らない。
    benefit_names: 給付の名。外で刷る紙では、金額も子の名も含めない（渡す側が守る）。
    amount_yen: 支給予定額（円）。None なら、金額の欄ごと刷らない（既定。benefit-rules K5）。
    account_flag: 口座フラグ（0 なし、1 生活保護、2 過去の給付金、3 公金受取）。
    masked_account: 口座フラグ 2 のお知らせだけに刷る、下 3 桁のほかを伏せた口座（例「◯◯銀行 本店 普通 ****123」）。
    sheet / sheets: 封筒の中の何枚目／何枚か（封入の照合に使う）。
    断り: 種類・番号の形・口座フラグの組合せが違えば WrongUse、出してはならない口座があれば RefusedByRule。
    """

    kind: str
    conditions: tuple[str, ...]
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
    due_on: date
    benefit_names: tuple[str, ...]
    postmark: bool = False
    planned_transfer_on: date | None = None
    amount_yen: int | None = None
    account_flag: str = FLAG_NONE
    masked_account: str | None = None
    sheet: int = 1
    sheets: int = 1

    def __post_init__(self) -> None:
        """形を確かめる。氏名や住所の中身は `letters.holding` が一通ずつ確かめる。"""
        self._require(self.kind in LETTER_KINDS, "手紙の種類が違います", allowed="、".join(LETTER_KINDS))
        self._require(bool(self.conditions), "確かめていただく文がありません")
        digits = self.case_number.isascii() and self.case_number.isdigit()
        self._require(digits and len(self.case_number) == 11, "給付管理番号の形が違います", allowed="11 桁の数字")
        self._require(0 <= self.branch <= 99, "枝番の範囲が違います", allowed="0 から 99")
        self._require(self.account_flag in ACCOUNT_FLAG_NAMES, "口座フラグが違います", allowed="0、1、2、3")
        self._require(1 <= self.sheet <= self.sheets <= 9, "枚数が違います", allowed="1/1 から 9/9")
        self._require(self.due_on >= self.issued_on, "期限が発行日より前です")
        self._require(bool(self.benefit_names), "給付の名がありません")
        self._require(self.amount_yen is None or self.amount_yen > 0, "支給予定額は 1 円以上です")
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

    @staticmethod
    def _require(holds: bool, says: str, *, allowed: str | None = None) -> None:
        if not holds:
            raise WrongUse(says, code="letter-content", allowed=allowed)

    @property
    def key(self) -> tuple[str, str, int]:
        """同じ手紙かどうか: 種類、番号、枝番（二通刷らないための鍵）。"""
        return self.kind, self.case_number, self.branch
