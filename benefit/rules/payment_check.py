"""支給判定の一項目の形（benefit-rules D）。

検査は「引っかかったら真」である。重さは四つ:
 BLOCK 払えない。誰も外せない。元を直して判定し直す。HOLD 二人の職員が決める。
 WARN 払い、一覧に残す。FILE ファイルごと断る（ここではなく、受け取りの段で見る）。
どの行にも、どの検査も、必ずかける。飛ばす設定はない（鎌倉市の事例）。
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import polars as pl


class Severity(StrEnum):
    """検査の重さ。"""

    FILE = "FILE"
    BLOCK = "BLOCK"
    HOLD = "HOLD"
    WARN = "WARN"


#: 重さを職員に言う言葉。
SEVERITY_NAMES = {
    Severity.FILE: "ファイルを断る",
    Severity.BLOCK: "不可",
    Severity.HOLD: "保留",
    Severity.WARN: "注意",
}


@dataclass(frozen=True)
class PaymentCheck:
    """支給判定の一項目。

    id: 検査の番号。重さが二つある検査は、保留の側に H、注意の側に W を付けて式を分ける（番号は一つ）。
    says: 引っかかったことを区の職員に言う文。coarse: 委託先に返す粗い理由（税・支援措置・昨年度の受給は言わない）。
    hit: 引っかかったら真になる式。null（分からない）は、引っかかったものとして扱う。
    """

    id: str
    severity: Severity
    says: str
    coarse: str
    hit: pl.Expr

    @property
    def number(self) -> str:
        """人と委託先に見せる番号（CHK と二桁）。"""
        return self.id[:5]


#: 委託先に返す粗い理由は、この四つだけ（benefit-rules D.1）。
COARSE = ("不備", "区確認", "支給済", "対象外")

FILE_CHECKS = {
    "CHK01": "同じファイルが、もう判定されています",
    "CHK02": "件数・合計金額・事業・指紋が、明細と合いません",
    "CHK03": "様式が違います（列、桁、文字）",
    "CHK04": "件数が、まだ払っていない権利の数を超えています",
    "CHK05": "受渡の決まりにない項目があります",
    "CHK94": "住民記録の写しが古くなっています",
}
