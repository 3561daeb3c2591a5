"""支払と振込の語彙: 状態、進み方、仕訳。"""

from __future__ import annotations

from enum import StrEnum


class PaymentState(StrEnum):
    """支払の状態（benefit-rules C.2 の F）。"""

    FILED = "F40"
    SENT = "F41"
    CREDITED = "F42"
    FAILED = "F43"
    CANCELLED = "F49"


PAYMENT_STATES = tuple(state.value for state in PaymentState)
PAYMENT_STATE_NAMES = {
    "F40": "振込データ作成済",
    "F41": "銀行送付済",
    "F42": "振込済",
    "F43": "振込不能",
    "F49": "取消",
}
#: 生きている支払。一つの slot に一つまで（reliability P1、台帳の部分一意索引）。
LIVE_STATES = ("F40", "F41", "F42")
#: 支払の進み方。ここにない進み方は、台帳の仕掛けが断る。
PAYMENT_TRANSITIONS = (
    ("F40", "F41"),
    ("F40", "F49"),
    ("F41", "F42"),
    ("F41", "F43"),
    # 入金済の知らせの後から振込不能が届くことがある（被仕向銀行の判断が遅れるとき）。
    ("F42", "F43"),
)

POSTING_ACCOUNTS = ("予算", "未払", "振込中", "支給済", "振込不能")
POSTING_KINDS = ("decide", "file", "unfile", "credit", "fail", "retry", "uncredit")
#: 仕訳の種類 → (借方, 貸方)。お金は 予算 → 未払 → 振込中 → 支給済／振込不能 と動く。
POSTINGS = {
    "decide": ("未払", "予算"),
    "file": ("振込中", "未払"),
    "unfile": ("未払", "振込中"),
    "credit": ("支給済", "振込中"),
    "fail": ("振込不能", "振込中"),
    "uncredit": ("振込不能", "支給済"),
    "retry": ("未払", "振込不能"),
}
