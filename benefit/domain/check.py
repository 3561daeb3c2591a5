"""検査: 行について言える、名前と根拠のある一文。答えは三つある。

Polars の列では、該当 = True、非該当 = False、不明 = null と書く。不明を 0 や False に
落とすと「未申告の人がいる世帯」が「非課税の世帯」になる（architecture.md「三つの考え」2）。
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Answer(StrEnum):
    """一つの検査の答え。値は職員が読む言葉。"""

    MET = "該当"
    UNMET = "非該当"
    UNKNOWN = "不明"

    @staticmethod
    def of(value: bool | None) -> Answer:
        """Polars の三値（True / False / null）から。"""
        if value is None:
            return Answer.UNKNOWN
        return Answer.MET if value else Answer.UNMET


class Verdict(StrEnum):
    """検査の並びから決まる判定（契約 §2）。"""

    ELIGIBLE = "対象"
    UNDETERMINED = "未確定"
    INELIGIBLE = "対象外"


@dataclass(frozen=True)
class Check:
    """検査の一項目。

    id: 出力に載る識別子（例 `TAX`、`CHK30`）。says: 該当のときに真である文。
    basis: 根拠（契約・要領の条、日付）。
    """

    id: str
    says: str
    basis: str = ""
