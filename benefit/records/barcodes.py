"""料金代理収納の 44 桁バーコード（GS1-128、AI 91）を組み、ほどく。formats §4.1–4.3。

コンビニで払えない納付書（30 万円を超える、期限切れ、収入印紙が要る）は、わけを全部挙げて断る。
絵（縦の線）は `code128` が描く。
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from benefit.domain.errors import RefusedByRule, RefusedInput
from benefit.records.forms import NO_LIMIT, check_digit, is_barcode

#: 一枚で払える上限（運営会社の取り決め。調査ノートでは記憶による）。
LIMIT_YEN = 300_000
_FREE_DIGITS, _MAKER_DIGITS = 21, 6


@dataclass(frozen=True)
class Barcode:
    """44 桁の中身。`pay_by` が None なら期限なし（999999）。"""

    maker_code: str
    free_space: str
    amount_yen: int
    pay_by: date | None
    reissue: int = 0
    stamp: bool = False

    @property
    def digits(self) -> str:
        """検査数字のついた 44 桁。桁の合わない値は `RefusedInput`（黙って切らない、詰めない）。"""
        self._check()
        pay_by = f"{self.pay_by:%y%m%d}" if self.pay_by else NO_LIMIT
        body = f"91{self.maker_code}{self.free_space}{self.reissue}{pay_by}{int(self.stamp)}{self.amount_yen:06d}"
        return f"{body}{check_digit(body)}"

    def _check(self) -> None:
        for name, value, length in (
            ("メーカーコード", self.maker_code, _MAKER_DIGITS),
            ("自由使用欄", self.free_space, _FREE_DIGITS),
        ):
            if len(value) != length or not (value.isascii() and value.isdigit()):
                raise _refused(f"{name}の桁が合いません", f"{len(value)} 桁", f"{length} 桁の数字")
        if self.maker_code[0] not in "95":
            # 49・45 で始まる GS1 事業者コードの、先頭の 4 を除いたもの。
            raise _refused("メーカーコードが GS1 事業者コードの形ではありません", "先頭の字が違う", "9 か 5 で始まる")
        if not 0 <= self.amount_yen <= 999_999:
            raise _refused("金額が 6 桁に入りません", f"{self.amount_yen:,} 円", "0 から 999,999 円")
        if not 0 <= self.reissue <= 9:
            raise _refused("再発行区分が 1 桁に入りません", f"{self.reissue}", "0 から 9")
        if self.pay_by is not None and not date(2000, 1, 1) <= self.pay_by <= date(2098, 12, 31):
            raise _refused("支払期限日が西暦の下二桁で書けません", f"{self.pay_by}", "2000 年から 2098 年")

    @property
    def printed(self) -> str:
        """バーコードの下に印字する数字（AI を括弧に入れる）。"""
        digits = self.digits
        return f"(91){digits[2:8]}-{digits[8:30]}-{digits[30:36]}-{digits[36]}-{digits[37:43]}-{digits[43]}"


def _refused(says: str, found: str, allowed: str) -> RefusedInput:
    return RefusedInput(says, code="barcode", found=found, allowed=allowed)


def read_barcode(digits: str) -> Barcode:
    """44 桁をほどく。検査数字、期限日、印紙フラグが合わなければ `RefusedInput`。"""
    if not (digits.isascii() and digits.isdigit() and is_barcode(digits)):
        raise _refused("バーコードの 44 桁が正しくありません", f"{len(digits)} 桁", "91 で始まり検査数字の合う 44 桁")
    deadline = digits[30:36]
    return Barcode(
        maker_code=digits[2:8],
        free_space=digits[8:29],
        reissue=int(digits[29]),
        pay_by=None if deadline == NO_LIMIT else date.fromisoformat(f"20{deadline}"),
        stamp=digits[36] == "1",
        amount_yen=int(digits[37:43]),
    )


def convenience_refusals(barcode: Barcode, *, today: date, limit_yen: int = LIMIT_YEN) -> tuple[str, ...]:
    """この納付書をコンビニで払えないわけの全部。空なら払える。"""
    reasons = []
    if barcode.amount_yen < 1:
        reasons.append("払う金額がありません（0 円）")
    if barcode.amount_yen > limit_yen:
        reasons.append(f"一枚の上限 {limit_yen:,} 円を超えています（{barcode.amount_yen:,} 円）")
    if barcode.pay_by is not None and barcode.pay_by < today:
        reasons.append(f"支払期限 {barcode.pay_by} を過ぎています")
    if barcode.stamp:
        reasons.append("収入印紙の要る納付書です（公金の領収には要りません）")
    return tuple(reasons)


def issue(barcode: Barcode, *, today: date, limit_yen: int = LIMIT_YEN) -> str:
    """納付書に印字する 44 桁。コンビニで払えないものは、わけを言って断る。"""
    if reasons := convenience_refusals(barcode, today=today, limit_yen=limit_yen):
        raise RefusedByRule("コンビニで払えない納付書です: " + "、".join(reasons), code="convenience")
    digits = barcode.digits
    assert is_barcode(digits)
    return digits
