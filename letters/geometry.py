"""紙と窓の寸法。単位はすべて mm、原点は紙の左上。

封筒は長形 3 号（横長に見て 235 × 120 mm）。A4 を 99 mm ずつ三つに折り、上の段を外にして入れる。
窓は、日本郵便の下限 80 × 45 mm を満たす 90 × 45 mm で、封筒の左から 20 mm、上から 12 mm。
（下限の出典: イムラ「窓についての郵便規則」、2026-11 に読んだ。位置は既製品に多い寸法で、
実際の封筒の見本で確かめて、違えばここだけを直す。）

紙は封筒の中で遊ぶ。だから窓を紙の上で見ると、いつも見える所（`ALWAYS_SEEN`）と、
ずれれば見えてしまう所（`EVER_SEEN`）がある。宛名は前者の中だけに、ほかの字は後者の外だけに置く。
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rectangle:
    """左上 (x, y) から幅 width、高さ height（mm）。"""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """右の辺（mm）。"""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """下の辺（mm）。"""
        return self.y + self.height


PAGE_WIDTH = 210.0
PAGE_HEIGHT = 297.0
PANEL_HEIGHT = PAGE_HEIGHT / 3
FOLDS = (PANEL_HEIGHT, PANEL_HEIGHT * 2)

#: 封筒の窓（封筒の左上から）。
WINDOW = Rectangle(20.0, 12.0, 90.0, 45.0)
#: 紙が右へ、下へ動ける量。封筒 235 × 120 から紙 210 × 99 と貼り代を引いた。
PLAY_X = 20.0
PLAY_Y = 16.0

#: 紙がどこへずれても窓から見える所。
ALWAYS_SEEN = Rectangle(WINDOW.x, WINDOW.y, WINDOW.width - PLAY_X, WINDOW.height - PLAY_Y)
#: 紙のずれ方によっては窓から見える所。
EVER_SEEN = Rectangle(WINDOW.x - PLAY_X, WINDOW.y - PLAY_Y, WINDOW.width + PLAY_X, WINDOW.height + PLAY_Y)

#: カスタマバーコード。8 ポイント（67 本で 63.84 mm、長い線 2.88 mm）で、窓からいつも見える所の下の端に、
#: 四方 2 mm の空きを取って置く。宛名は、その上に収まるときだけバーコードと一緒に刷る。
BARCODE_CLEAR = 2.0
BARCODE = Rectangle(ALWAYS_SEEN.x + BARCODE_CLEAR, ALWAYS_SEEN.bottom - BARCODE_CLEAR - 2.88, 63.84, 2.88)
BARCODE_RESERVE = ALWAYS_SEEN.bottom - BARCODE.y + BARCODE_CLEAR

#: QR の一辺。一目 0.7 mm 以上を保つ（1 型 21 目と、周りの余白 4 目ずつで 29 目）。
QR_SIDE = 21.0
