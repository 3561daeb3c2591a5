"""ファイルの悪い所の一覧。一つ見つけて止まるのではなく、全部の悪いレコードを、番号・バイト・項目で挙げる。"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benefit.domain.errors import Place, RefusedInput

#: 一つずつ書き下すのはここまで。これより先は、数だけを言う。
FAULTS_MAX = 10_000
_SHOWN = 5


@dataclass(frozen=True)
class Fault:
    """一つの悪い所。record はレコードの番号（1 から、0 はファイル全体）、field は「項目（81～90 バイト目）」。"""

    record: int
    field: str
    says: str
    found: str = ""
    allowed: str = ""
    code: str = "layout"

    def refusal(self, file: str) -> RefusedInput:
        """断りの形にする。"""
        place = Place(file, self.record or None, self.field)
        return RefusedInput(
            self.says, code=self.code, place=place, found=self.found or None, allowed=self.allowed or None
        )

    def __str__(self) -> str:
        """「3 行目「振込金額（81～90 バイト目）」: 数字ではありません…」のように読む。"""
        return str(self.refusal(""))


class RefusedFile(RefusedInput):
    """ファイルごと断る。悪い所の全部が `faults` にある。何も取り込まれていない。"""

    def __init__(self, file: str, faults: Sequence[Fault], more: int = 0) -> None:
        self.faults = tuple(faults)
        self.more = more
        count = len(self.faults) + more
        lines = [f"  {fault}" for fault in self.faults[:_SHOWN]]
        if count > _SHOWN:
            lines.append(f"  ほか {count - len(lines):,} か所")
        says = f"受け付けられないレコードがあります（{count:,} か所）。何も取り込んでいません\n" + "\n".join(lines)
        super().__init__(says, code=self.faults[0].code if self.faults else "layout", place=Place(file))
