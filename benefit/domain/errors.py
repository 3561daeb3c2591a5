"""断りの木。どの断りも、職員がそのまま読んで動ける日本語の一文になる。

BenefitError                何かを断った（終了コード 1 は私たちの落ち度）
├── WrongUse                使い方が違う（2）
├── RefusedInput            受け付けられない入力（3）
└── RefusedByRule           決まりによる断り: 重複、承認、状態（4）

終了コードは契約 §3 による。個人の情報（氏名、番号、口座）は文に入れない。入れてよいのは
「どのファイルの、何行目の、どの項目か」と、桁数などの形だけである。ただし取込の不採用一覧は
職員が直すためのファイルであり、値を写してよい。
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """断りの場所。`record` は 1 から数えたファイルの行（レコードの始まる行）。"""

    file: str = ""
    record: int | None = None
    field: str = ""

    def __str__(self) -> str:
        """「residents.csv の 12 行目「生年月日」」のように読む。"""
        parts = [self.file] if self.file else []
        if self.record is not None:
            parts.append(f"{self.record} 行目")
        text = " の ".join(parts)
        return f"{text}「{self.field}」" if self.field else text


class BenefitError(Exception):
    """すべての断りの親。`code` は様式や試験が頼ってよい短い識別子。"""

    exit_code = 1

    def __init__(
        self,
        says: str,
        *,
        code: str = "",
        place: Place | None = None,
        found: str | None = None,
        allowed: str | None = None,
    ) -> None:
        self.says = says
        self.code = code or type(self).__name__
        self.place = place
        self.found = found
        self.allowed = allowed
        super().__init__(str(self))

    def __str__(self) -> str:
        """場所、何が起きたか、見つかったもの、許されるもの、の順に一文で言う。"""
        text = f"{self.place}: {self.says}" if self.place else self.says
        details = []
        if self.found is not None:
            details.append(f"見つかったもの: {self.found}")
        if self.allowed is not None:
            details.append(f"許されるもの: {self.allowed}")
        return f"{text}（{'、'.join(details)}）" if details else text


class WrongUse(BenefitError):
    """使い方が違う: 引数、順序、設定。"""

    exit_code = 2


class RefusedInput(BenefitError):
    """入力を受け付けられない。何も取り込まれていない。"""

    exit_code = 3


class RefusedByRule(BenefitError):
    """決まりが許さない: 重複、承認、状態。"""

    exit_code = 4
