"""モバイルレジの収納データ（インターネットバンキング・クレジット）と、クレジットの立替金明細（120 バイト）。

種文書 001 の項目の一覧（資料 49-3）は種文書に含まれておらず、どれも自分たちの取り決めである。
納付書のコンビニ用バーコードを読んで払うので、鍵は 44 桁のバーコード。クレジットは、払った日（納付日）と、
指定代理納付者から区の口座に入る日（送金日）が違う: 収納データの後で、立替金明細が送金ごとに届く。
"""

from __future__ import annotations

from benefit.records import collection_frame as frame
from benefit.records.collection_frame import DATA_KIND_NOTE, DATA_KINDS, SEED_1
from benefit.records.convenience_store import barcode_parts
from benefit.records.file_layout import FileLayout, Part, Total
from benefit.records.layout import const, digits, filler, number, text
from benefit.records.zengin_text import ANY_JISX0201

LENGTH = 120
BANKING, CREDIT = "1", "2"

_name = "モバイルレジ収納"
PAID = FileLayout(
    "mobile-register",
    "モバイルレジ収納データ",
    data=frame.own(
        f"{_name}データ",
        LENGTH,
        const("2", "レコード区分"),
        digits("data_kind", "データ区分", 2, choices=DATA_KINDS, note=DATA_KIND_NOTE),
        digits("paid_on", "納付日", 8, form="date"),
        digits("paid_at", "納付時刻", 6, form="time"),
        digits("means", "納付方法", 1, choices=(BANKING, CREDIT), note="1 インターネットバンキング、2 クレジット"),
        digits("barcode", "バーコード情報", 44, form="barcode", sensitive=True),
        digits("bank_code", "収納金融機関コード", 4, blank_ok=True, note="インターネットバンキングのとき"),
        digits("agent_code", "指定代理納付者コード", 6, blank_ok=True, note="クレジットのとき"),
        text("approval_number", "承認番号", 7, ANY_JISX0201, note="クレジットのとき"),
        text("receipt_number", "取扱番号", 15, ANY_JISX0201, note="納付サービス提供事業者の通し番号"),
        digits("remits_on", "送金予定日", 8, form="date", blank_ok=True, note="速報では空白でよい"),
        filler(18, "予備"),
        source=SEED_1,
    ),
    header=frame.header(_name, LENGTH, source=SEED_1, client="納付サービス提供事業者"),
    trailer=frame.trailer(
        _name,
        LENGTH,
        frame.KIND_SLOTS,
        source=SEED_1,
    ),
    end=frame.end(_name, LENGTH, source=SEED_1),
    totals=frame.kind_totals(),
    parts=barcode_parts(),
    end_count="records",
)

_remitted = "クレジット立替金明細"
REMITTANCE = FileLayout(
    "card-remittance",
    "クレジット立替金明細",
    data=frame.own(
        f"{_remitted}データ",
        LENGTH,
        const("2", "レコード区分"),
        digits("remitted_on", "送金日", 8, form="date"),
        digits("agent_code", "指定代理納付者コード", 6),
        text("approval_number", "承認番号", 7, ANY_JISX0201),
        text("receipt_number", "取扱番号", 15, ANY_JISX0201),
        digits("barcode", "バーコード情報", 44, form="barcode", sensitive=True),
        digits("paid_on", "納付日", 8, form="date"),
        number("amount_yen", "立替金額", 11, note="円。納付された額"),
        number("fee_yen", "手数料額", 9, note="円。差し引かれるときだけ"),
        filler(11, "予備"),
        source=SEED_1,
    ),
    header=frame.header(_remitted, LENGTH, source=SEED_1, client="指定代理納付者コード"),
    trailer=frame.own(
        f"{_remitted}トレーラ",
        LENGTH,
        const("8", "レコード区分"),
        number("count", "件数合計", 6),
        number("total_yen", "立替金額合計", 12, note="円"),
        number("fee_yen", "手数料額合計", 12, note="円"),
        filler(89),
        source=SEED_1,
    ),
    end=frame.end(_remitted, LENGTH, source=SEED_1),
    totals=(Total("count", "total_yen", "amount_yen"), Total("", "fee_yen", "fee_yen")),
    parts=(Part("barcode_yen", "バーコードの金額", "barcode", 38, 6, number=True, note="円"),),
    end_count="records",
)
