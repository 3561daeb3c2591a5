"""市町村事務処理標準システムとの受け渡し（種文書 001）: 納付書の調定（出る）と、収納消込（入れる）。

標準システムの様式は公開されておらず、どちらも自分たちの取り決め（256 バイト）。本物の仕様書が来たら、区の TOML の様式と
対応表（`layouts/*.toml`）で差し替える。コードは変えない。
"""

from __future__ import annotations

from benefit.records import collection_frame as frame
from benefit.records.collection_frame import DATA_KIND_NOTE, DATA_KINDS, SEED_1
from benefit.records.file_layout import FileLayout, Total
from benefit.records.layout import const, digits, filler, number, text, wide
from benefit.records.zengin_text import ANY_JISX0201, PARTY_NAME

LENGTH = 256

_levies = "標準システム調定"
LEVIES = FileLayout(
    "standard-levies",
    "標準システム 納付書調定データ",
    data=frame.own(
        f"{_levies}データ",
        LENGTH,
        const("2", "レコード区分"),
        text("person_number", "宛名番号", 15, ANY_JISX0201, sensitive=True, note="外から戻るものにはない"),
        digits("notice_number", "通知書番号", 12, sensitive=True),
        digits("account_title", "科目コード", 3),
        digits("fiscal_year", "調定年度", 4),
        digits("term", "期別", 2),
        number("amount_yen", "請求金額", 11, note="円"),
        number("late_fee_yen", "延滞金", 11, note="円"),
        digits("due_on", "納期限", 8, form="date"),
        digits("payable_until", "支払期限", 8, form="date"),
        digits("biller_number", "収納機関番号", 5, note="照会依頼キー"),
        text("payment_number", "納付番号", 20, ANY_JISX0201, blank_ok=False, sensitive=True, note="照会依頼キー"),
        text("confirmation_number", "確認番号", 6, ANY_JISX0201, blank_ok=False, sensitive=True, note="照会依頼キー"),
        text("payment_class", "納付区分", 10, ANY_JISX0201, note="照会依頼キー"),
        text("payer_kana", "納付者名カナ", 40, PARTY_NAME, sensitive=True),
        wide("shown", "照会内容表示", 40, sensitive=True),
        filler(60, "予備"),
        source=SEED_1,
    ),
    header=frame.header(_levies, LENGTH, source=SEED_1, client="システムコード"),
    trailer=frame.own(
        f"{_levies}トレーラ",
        LENGTH,
        const("8", "レコード区分"),
        number("count", "件数合計", 6),
        number("total_yen", "請求金額合計", 12, note="円"),
        filler(237),
        source=SEED_1,
    ),
    end=frame.end(_levies, LENGTH, source=SEED_1),
    totals=(Total("count", "total_yen", "amount_yen"),),
    end_count="records",
)

_paid = "標準システム収納消込"
PAID = FileLayout(
    "standard-paid",
    "標準システム 収納消込データ",
    data=frame.own(
        f"{_paid}データ",
        LENGTH,
        const("2", "レコード区分"),
        digits("data_kind", "データ区分", 2, choices=DATA_KINDS, note=DATA_KIND_NOTE),
        text("channel", "収納経路", 20, ANY_JISX0201, blank_ok=False, note="様式の名（convenience-store など）"),
        digits("account_title", "科目コード", 3, blank_ok=True),
        digits("fiscal_year", "調定年度", 4, blank_ok=True),
        digits("term", "期別", 2, blank_ok=True),
        text("payment_key", "納付の鍵", 44, ANY_JISX0201, sensitive=True, note="バーコードか納付番号か通知書番号"),
        text("confirmation_number", "確認番号", 6, ANY_JISX0201, sensitive=True),
        text("payment_class", "納付区分", 10, ANY_JISX0201),
        number("amount_yen", "収納金額", 11, note="円"),
        number("late_fee_yen", "延滞金額", 11, note="円"),
        digits("bank_code", "収納金融機関コード", 4, blank_ok=True),
        text("place_code", "収納店舗コード", 7, ANY_JISX0201),
        digits("paid_on", "納付年月日", 8, form="date"),
        text("paid_at", "納付時刻", 6, ANY_JISX0201),
        text("settles_on", "資金決済予定日", 8, ANY_JISX0201),
        digits("biller_number", "収納機関番号", 5, blank_ok=True, note="ペイジーのとき"),
        digits("means", "納付方法", 1, blank_ok=True, note="経路ごとの区分をそのまま"),
        filler(103, "予備"),
        source=SEED_1,
    ),
    header=frame.header(_paid, LENGTH, source=SEED_1, client="システムコード"),
    trailer=frame.trailer(_paid, LENGTH, frame.KIND_SLOTS, source=SEED_1),
    end=frame.end(_paid, LENGTH, source=SEED_1),
    totals=frame.kind_totals(),
    end_count="records",
)
