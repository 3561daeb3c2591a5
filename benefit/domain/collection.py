"""収納の言葉: 経路、データの種類、入金一つの状態、勘定。

入金一つの状態は、届いたデータの種類の集まりだけで決まる（届いた順や回数にはよらない）。だから、同じファイルや
同じ記録が二度届いても、速報と確報の順が入れ替わっても、結果は同じである（formats §4.4）。
"""

from __future__ import annotations

from enum import StrEnum


class Channel(StrEnum):
    """収納の経路（seed 001・003・004）。"""

    CONVENIENCE = "コンビニ"
    E_MONEY = "電子マネー"
    MOBILE_BANKING = "モバイルレジ"
    CREDIT = "クレジット"
    PAYEASY = "ペイジー"
    COUNTER = "汎用収納"
    SPECIAL = "特別徴収"
    DIRECT_DEBIT = "口座振替"


class NoticeKind(StrEnum):
    """収納データの種類。資金の裏付けがあるのは確報だけ。"""

    PROVISIONAL = "速報"
    FINAL = "確報"
    CANCELLED = "速報取消"


class CollectionState(StrEnum):
    """入金一つの状態。`UNSETTLED` は、確報と取消の両方が届いたなど、人が決めるもの。"""

    PROVISIONAL = "速報"
    FINAL = "確報"
    CANCELLED = "取消"
    UNSETTLED = "要確認"


#: 届いた種類の集まり（速報、確報、速報取消の有無）→ 状態。八通りのうち、何も届かないものを除く全部。
STATE_OF_NOTICES: dict[tuple[bool, bool, bool], CollectionState] = {
    (True, False, False): CollectionState.PROVISIONAL,
    (False, True, False): CollectionState.FINAL,
    (True, True, False): CollectionState.FINAL,
    (True, False, True): CollectionState.CANCELLED,
    # 速報のない取消、取消の後の確報は、機械が決めない。
    (False, False, True): CollectionState.UNSETTLED,
    (False, True, True): CollectionState.UNSETTLED,
    (True, True, True): CollectionState.UNSETTLED,
}

#: 入金の側の勘定: 速報の間は資金がない（決済待ち）。確報で預金になる。
ASSET_OF_STATE = {CollectionState.PROVISIONAL: "決済待ち", CollectionState.FINAL: "預金"}
#: 過誤納をほかの債権に充てたときの、入金の側の勘定。
APPLIED = "充当金"
#: 受け入れた側の勘定。調定と延滞金は債権が減り、残りは過誤納、相手の分からないお金は不明金。
RECEIVED_AS = ("調定", "延滞金", "過誤納", "不明金", "還付", "充当")
COLLECTION_ACCOUNTS = (*sorted(set(ASSET_OF_STATE.values())), APPLIED, *RECEIVED_AS)
#: 届いた一行の行き先。二度目の同じ記録は「既収」（受け付けない側に数える）。
NOTICE_OUTCOMES = ("消込", "保留", "既収")
COLLECTION_MOVES = ("消込", "還付", "充当")
RECEIVABLE_ORIGINS = ("登録", "返還")
#: 立替金の一行を、与信の知らせに照らした結果。「もう届いている」は数えない。
REMITTANCE_OUTCOMES = ("一致", "額が違う", "知らせがない", "取消の後", "もう届いている")
