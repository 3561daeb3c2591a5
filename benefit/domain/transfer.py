"""支払と振込の語彙: 状態、進み方、仕訳。"""

from __future__ import annotations

from enum import StrEnum


class PaymentState(StrEnum):
    """支払の状態（benefit-rules C.2 の F）。"""

    FILED = "F40"
    SENT = "F41"
    CREDITED = "F42"
    FAILED = "F43"
    REPAID = "F48"
    CANCELLED = "F49"


PAYMENT_STATES = tuple(state.value for state in PaymentState)
PAYMENT_STATE_NAMES = {
    "F40": "振込データ作成済",
    "F41": "銀行送付済",
    "F42": "振込済",
    "F43": "振込不能",
    "F48": "返還済",
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
    # 払った全額が返ってきた（R52）。払い直すには、二人の判断と、新しい判定が要る（CHK34）。
    ("F42", "F48"),
)

#: 勘定。予算 → 未払 → 振込中 → 支給済／振込不能 → 戻入／返還。他課は、ほかの課の支払の不能を預かる相手の勘定。
POSTING_ACCOUNTS = ("予算", "未払", "振込中", "支給済", "振込不能", "戻入", "返還債権", "返還", "他課")
#: 仕訳の種類 → (借方, 貸方)。どの種類も、一つの支払に一度だけ（返還は、請求と入金の番号ごとに一度）。
POSTINGS = {
    "decide": ("未払", "予算"),
    "file": ("振込中", "未払"),
    "unfile": ("未払", "振込中"),
    "credit": ("支給済", "振込中"),
    "fail": ("振込不能", "振込中"),
    "uncredit": ("振込不能", "支給済"),
    "retry": ("未払", "振込不能"),
    # 権利が終わったとき: 振込不能のお金は戻入に、取り消して払わなかったお金は予算に戻る。
    "reverse": ("戻入", "振込不能"),
    "drop": ("予算", "未払"),
    # 返還: 支給済のうち、返してもらう額が債権になり、入金で減る。
    "claim_back": ("返還債権", "支給済"),
    "repaid": ("返還", "返還債権"),
    # ほかの課の支払の不能を預かって、再振込する。
    "accept": ("振込不能", "他課"),
    # 預かって作った再振込を取り消し、担当課が戻入にしたとき、預かりを返す。
    "hand_back": ("他課", "未払"),
}
POSTING_KINDS = tuple(POSTINGS)

#: 消えた行（前のファイルにあって、払われていないのに、いまのファイルにない権利）の、いまの状態。
VANISHED_STANDINGS = ("振込待ち", "保留", "不可", "振込不能", "取消", "返還済")

#: 銀行の行の結果（銀行の言葉のまま。支払に結べたかどうかは、行の payment_id が言う）。
REPORT_OUTCOMES = ("credited", "failed", "inquiring", "recalled", "recall_failed")

#: 振込不能の帳簿（seed 000）。
FAILURE_STEPS = ("照会", "督促", "通知", "覚え書き")
FAILURE_ANSWERS = ("再振込", "戻入", "保留")

#: 権利の終わり方（benefit-rules C.3）。
ENDING_KINDS = ("不支給", "辞退", "契約不成立")

REPAYMENT_CAUSES = ("過払", "二重", "対象外", "別人の口座", "受給者の申出")
REPAYMENT_STEPS = ("請求", "分納", "督促", "法的措置")
#: 取消の計画の一行にすること。「なし」は、取り消すものがない（まだ判定されていない、もう終わった、もう頼んである）。
UNDO_ACTIONS = ("判定取消", "振込取消", "組戻し", "不能を戻入", "返還", "なし")
