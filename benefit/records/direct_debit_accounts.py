"""口座振替依頼の異動（開始・変更・停止）のファイル、120 バイト [OWN CONVENTION]。

銀行・代行業者から届く口座振替依頼の様式は公開されていない。項目は seed 004 の請求データの口座の項目と、
誰の・どの科目か・いつからか、だけである。本物の仕様書が来れば、区の TOML の様式と変換（`layout convert`）で移す。
"""

from __future__ import annotations

from benefit.domain.direct_debit import ENROLMENT_KINDS
from benefit.records import collection_frame as frame
from benefit.records.collection_frame import SEED_4
from benefit.records.file_layout import FileLayout, Total
from benefit.records.layout import const, digits, filler, number, text
from benefit.records.zengin_text import ANY_JISX0201, PARTY_NAME

LENGTH = 120
#: 異動区分 → 依頼の種類。
KINDS = {str(place): kind for place, kind in enumerate(ENROLMENT_KINDS, 1)}

_name = "口座振替依頼"
ACCOUNTS = FileLayout(
    "direct-debit-accounts",
    "口座振替依頼の異動",
    data=frame.own(
        f"{_name}データ",
        LENGTH,
        const("2", "レコード区分"),
        digits("change_kind", "異動区分", 1, choices=tuple(KINDS), note="1 開始、2 変更、3 停止"),
        text("person_number", "納付義務者の宛名番号", 15, ANY_JISX0201, blank_ok=False, sensitive=True),
        digits("account_title", "科目コード", 3),
        digits("from_on", "適用日", 8, form="date", note="この日からの納期限に効く"),
        digits("bank_code", "金融機関コード", 4, blank_ok=True, note="停止では空白（口座の項目はどれも同じ）"),
        digits("branch_code", "支店コード", 3, blank_ok=True),
        digits("account_type", "預金種目", 1, choices=("1", "2", "3", "9"), blank_ok=True),
        digits("account_number", "口座番号", 7, blank_ok=True, sensitive=True),
        text("holder_kana", "預金者名", 30, PARTY_NAME, sensitive=True),
        filler(47, "予備"),
        source=SEED_4,
    ),
    header=frame.header(_name, LENGTH, source=SEED_4, client="送り主のコード"),
    trailer=frame.own(
        f"{_name}トレーラ",
        LENGTH,
        const("8", "レコード区分"),
        number("started", "開始件数", 6),
        number("changed", "変更件数", 6),
        number("stopped", "停止件数", 6),
        filler(101),
        source=SEED_4,
    ),
    end=frame.end(_name, LENGTH, source=SEED_4),
    totals=tuple(
        Total(count, "", "", "change_kind", (kind,))
        for count, kind in zip(("started", "changed", "stopped"), KINDS, strict=True)
    ),
    end_count="records",
)
