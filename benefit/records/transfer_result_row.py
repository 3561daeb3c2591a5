"""振込の結果の一行と、その語彙: 処理結果、不能理由、処理区分。

銀行ごとの公開された様式はない。固定長（transfer_results）と CSV（transfer_results_csv）はどちらも私たちの
取り決めで、同じ `TransferResult` になる（formats §3.2–3.4、2026-11-21 に読んだ）。
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum


class Outcome(StrEnum):
    """処理結果。値はファイルの数字。知らない数字は断り、決して「入金済」と読まない。"""

    CREDITED = "0"
    FAILED = "1"
    INQUIRING = "2"
    RECALLED = "3"
    RECALL_FAILED = "4"

    @property
    def says(self) -> str:
        """職員の言葉。"""
        return _OUTCOME_NAMES[self]

    @property
    def paid(self) -> bool | None:
        """お金が相手に渡ったか。照会中は不明（None）。組戻の不成立は、渡ったまま。"""
        if self is Outcome.INQUIRING:
            return None
        return self in {Outcome.CREDITED, Outcome.RECALL_FAILED}


_OUTCOME_NAMES = {
    Outcome.CREDITED: "入金済",
    Outcome.FAILED: "振込不能（資金返却）",
    Outcome.INQUIRING: "照会中",
    Outcome.RECALLED: "組戻済",
    Outcome.RECALL_FAILED: "組戻不成立",
}


class Handling(StrEnum):
    """返った振込の処理区分（課が決める）。"""

    RE_TRANSFER = "再振込"
    REVERSAL = "戻入"
    ON_HOLD = "保留"


@dataclass(frozen=True)
class Reason:
    """不能理由。correctable: 再振込で直せるか（`可`・`確認の後`・`不可`・`不明`）。next_step: まずすること。"""

    says: str
    correctable: str
    next_step: str


CREDITED_REASON = "00"
UNKNOWN_REASON = "99"
#: 不能理由コード → 中身（formats §3.3）。
REASONS = {
    "00": Reason("入金済", "－", "－"),
    "01": Reason("該当口座なし（口座番号相違を含む）", "可", "担当課照会"),
    "02": Reason("預金種目相違", "可", "担当課照会"),
    "03": Reason("受取人名義相違", "可", "担当課照会"),
    "04": Reason("解約済", "可", "新口座を聴取"),
    "05": Reason("入金停止・取引停止（死亡・差押え等）", "確認の後", "担当課判断（死亡なら相続確認）"),
    "06": Reason("店舗統廃合・店番相違", "可", "金融機関マスタ照合"),
    "07": Reason("金融機関コード相違", "可", "金融機関マスタ照合"),
    "08": Reason("受取人の申出による返却", "不可", "担当課判断"),
    "09": Reason("依頼人の申出による組戻", "不可", "戻入"),
    "90": Reason("その他", "不明", "担当課照会"),
    "99": Reason("理由不明", "不明", "担当課照会"),
}


@dataclass(frozen=True, slots=True)
class Account:
    """再振込の新しい口座。"""

    bank_code: str
    branch_code: str
    account_type: str
    account_number: str = field(repr=False)
    holder_kana: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class TransferResult:
    """結果の一行。

    record: ファイルの行。transferred_on: 元の振込指定日（CSV の六列だけのファイルでは不明）。
    customer_code1・2: 元の顧客コード（EDI 情報のときと、CSV にないときは不明）。reason: 銀行の言葉のまま。
    handling から後は、担当課の回答（照会のファイルに書き足して返ってきたもの）にだけある。
    """

    record: int
    bank_code: str
    branch_code: str
    account_type: str
    account_number: str = field(repr=False)
    holder_kana: str = field(repr=False)
    amount_yen: int
    outcome: Outcome
    reason_code: str
    reason: str = ""
    transferred_on: date | None = None
    customer_code1: str | None = None
    customer_code2: str | None = None
    returned_on: date | None = None
    handling: Handling | None = None
    new_account: Account | None = None
    order_number: str = ""
    section: str = ""
    failure_number: int | None = None
    review_on: date | None = None
    answer_reason: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """受け付けたが、人に言うべきこと（表計算で落ちた先頭の 0 を補った、など）。"""

    record: int
    field: str
    says: str


@dataclass(frozen=True)
class TransferResults:
    """読んだ結果のファイル。form は `固定長` か `CSV`。created_on・serial は固定長だけにある。"""

    form: str
    rows: Sequence[TransferResult]
    created_on: date | None = None
    serial: str | None = None
    notices: Sequence[Notice] = ()

    @property
    def total_yen(self) -> int:
        """行から数えた合計（円）。"""
        return sum(row.amount_yen for row in self.rows)
