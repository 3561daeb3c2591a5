"""受渡の進み方（受渡管理簿）: 作成 → 出庫 → 受領 → 使用 → 返却・消去 → 消去報告。表にない歩みは、台帳も断る。

印刷の包み（print_out）だけが合言葉を持ち、必ず出庫（別の人の手）を通り、消去報告書が届くまで終わらない。
ほかの受渡（毎日の受給者、銀行のファイル）は、作ったその場で渡るので、作成のあとすぐ受領を書ける。
"""

from __future__ import annotations

from dataclasses import dataclass

MADE, ISSUED, RECEIVED, USED = "作成", "出庫", "受領", "使用"
GIVEN_BACK, ERASED, REPORTED, CANCELLED = "返却", "消去", "消去報告", "取消"
#: 作成は受渡の行そのもの。残りが、書き足していく歩み。
STATES = (MADE, ISSUED, RECEIVED, USED, GIVEN_BACK, ERASED, REPORTED, CANCELLED)
STEPS = STATES[1:]

PRINT_OUT = "print_out"
#: 包み（print_out）に許される歩み。
PACKAGE_TRANSITIONS = frozenset(
    {
        (MADE, ISSUED),
        (MADE, CANCELLED),
        (ISSUED, RECEIVED),
        # 相手に渡せずに持ち帰った。
        (ISSUED, GIVEN_BACK),
        (RECEIVED, USED),
        # 使わずに返した、使わずに消した（刷るのをやめた）。
        (RECEIVED, GIVEN_BACK),
        (RECEIVED, ERASED),
        (USED, GIVEN_BACK),
        (USED, ERASED),
        (GIVEN_BACK, ERASED),
        (ERASED, REPORTED),
    }
)
#: ほかの受渡は、作ったその場で渡ることがある。
TRANSITIONS = PACKAGE_TRANSITIONS | {(MADE, RECEIVED)}
#: 合言葉を渡せる状態。返したものを開ける合言葉は、もう要らない。
PASSPHRASE_STATES = frozenset({RECEIVED, USED})

#: 記録媒体。回線で渡すものは、鍵付きかばんも運ぶ人も要らない。
LINES = ("LGWAN", "専用線")
MEDIA = ("DVD-R", "CD-R", "USBメモリ", "紙", *LINES)

#: 受領の記録が遅れたと言うまでの日数（L16）と、消去報告書の期限（使用から。作る時に変えられる）。
RECEIPT_DAYS, REPORT_DAYS = 2, 30


@dataclass(frozen=True)
class Crossing:
    """受渡の一つの種類。

    short: 番号の前に付ける名（「印刷 3」）。name: 管理簿の件名。party: 相手方の区分。content: 情報の内容。
    handed: 作成（受渡の行）だけのときに人に見せる状態。包みは出庫するまで区の中にあり、ほかはその場で渡る。
    """

    short: str
    name: str
    party: str
    content: str
    handed: str = "渡した"


CROSSINGS = {
    PRINT_OUT: Crossing("印刷", "印刷・封入封緘のデータ", "再委託先", "手紙", MADE),
    "payees_out": Crossing("受給者", "支給対象者（毎日の受渡）", "委託先", "受給者の氏名・住所・口座・進捗"),
    "progress_in": Crossing("進捗", "進捗情報", "委託先から", "進捗・不備・返戻・対応履歴", "受け取った"),
    "planned_in": Crossing("支給予定", "支給予定情報", "委託先から", "支給予定額と振込口座", "受け取った"),
    "bank_out": Crossing("振込", "振込ファイル", "銀行", "振込先の口座と金額"),
    "recall_out": Crossing("組戻", "組戻依頼", "銀行", "組戻す振込の口座と金額"),
    "failure_out": Crossing("不能照会", "振込不能の照会", "担当課", "不能になった口座と金額"),
    "undo_out": Crossing("取消", "取消の計画", "区", "取り消す振込の一覧", MADE),
}


def transitions(crossing: str) -> frozenset[tuple[str, str]]:
    """この種類の受渡に許される歩み。"""
    return PACKAGE_TRANSITIONS if crossing == PRINT_OUT else TRANSITIONS


def next_steps(crossing: str, state: str) -> tuple[str, ...]:
    """いまの状態から書ける歩み（表の順）。"""
    allowed = transitions(crossing)
    return tuple(step for step in STEPS if (state, step) in allowed)


def is_open(crossing: str, state: str, *, opened: bool) -> bool:
    """まだ終わっていないか。`opened` は、相手が中を開けられたこと（合言葉を渡した、使ったと記録した）。

    包みは、消去報告書が届くまで終わらない。開けられないまま返ってきたものと、出す前に取り消したものは、そこで終わる。
    """
    if crossing != PRINT_OUT:
        return state in {ISSUED, USED, GIVEN_BACK, ERASED}
    if state == GIVEN_BACK:
        return opened
    return state not in {REPORTED, CANCELLED}
