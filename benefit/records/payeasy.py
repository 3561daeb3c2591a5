"""ペイジー（MPN）の調定データ（送る、200 バイト）と済通収納データ（受ける、120 バイト）。

どちらも自分たちの取り決め（formats §5.3）。

調定データの更新区分が、新規・変更・削除を言う。何を変え、何を消すかは `changes` が、送った物と今の物の差から作る。
納付番号は人を指す（種文書 004「個人識別番号」）ので、断りにも画面にも出さない。
"""

from __future__ import annotations

import polars as pl

from benefit.domain.errors import RefusedInput
from benefit.records import collection_frame as frame
from benefit.records.collection_frame import DATA_KIND_NOTE, DATA_KINDS, SEED_1, SEED_4
from benefit.records.file_layout import FileLayout, Total
from benefit.records.layout import const, digits, filler, number, text, wide
from benefit.records.zengin_text import ANY_JISX0201, PARTY_NAME

UPLOAD_LENGTH, PAID_LENGTH = 200, 120
NEW, CHANGED, DELETED = "1", "2", "3"
CHANNELS = {"1": "ATM", "2": "インターネットバンキング", "3": "窓口", "4": "モバイルレジ", "5": "クレジット", "9": "他"}
#: 照会依頼キー。調定データの一行は、この四つで決まる。
INQUIRY_KEY = ("biller_number", "payment_number", "confirmation_number", "payment_class")

_upload = "ペイジー調定"
UPLOAD = FileLayout(
    "payeasy-upload",
    "ペイジー 調定データ",
    data=frame.own(
        f"{_upload}データ",
        UPLOAD_LENGTH,
        const("2", "レコード区分"),
        digits("change_kind", "更新区分", 1, choices=(NEW, CHANGED, DELETED), note="1 新規、2 変更、3 削除"),
        digits("biller_number", "収納機関番号", 5),
        text("payment_number", "納付番号", 20, ANY_JISX0201, blank_ok=False, sensitive=True),
        text("confirmation_number", "確認番号", 6, ANY_JISX0201, blank_ok=False, sensitive=True),
        text("payment_class", "納付区分", 10, ANY_JISX0201),
        digits("account_title", "科目コード", 3),
        digits("fiscal_year", "調定年度", 4, note="西暦"),
        digits("term", "期別", 2),
        number("amount_yen", "請求金額", 11, note="円"),
        number("late_fee_yen", "延滞金", 11, note="円"),
        digits("due_on", "納期限", 8, form="date"),
        digits("payable_until", "支払期限", 8, form="date", note="照会できる最後の日"),
        text("payer_kana", "納付者名カナ", 40, PARTY_NAME, sensitive=True),
        wide("shown", "照会内容表示", 40, sensitive=True, note="漢字 20 字まで"),
        text(
            "person_number", "宛名番号", 15, ANY_JISX0201, sensitive=True, note="区の中だけ。外へ送るときは空白でよい"
        ),
        filler(15, "予備"),
        source=f"{SEED_1}、{SEED_4}",
    ),
    header=frame.header(_upload, UPLOAD_LENGTH, source=SEED_1),
    trailer=frame.trailer(
        _upload, UPLOAD_LENGTH, (("new", "新規"), ("changed", "変更"), ("deleted", "削除")), source=SEED_1
    ),
    end=frame.end(_upload, UPLOAD_LENGTH, source=SEED_1),
    totals=tuple(
        Total(f"{key}_count", f"{key}_yen", "amount_yen", "change_kind", (kind,))
        for key, kind in (("new", NEW), ("changed", CHANGED), ("deleted", DELETED))
    ),
    end_count="records",
)

_paid = "MPN済通収納"
PAID = FileLayout(
    "payeasy-paid",
    "MPN済通収納データ",
    data=frame.own(
        f"{_paid}データ",
        PAID_LENGTH,
        const("2", "レコード区分"),
        digits("data_kind", "データ区分", 2, choices=DATA_KINDS, note=DATA_KIND_NOTE),
        digits("biller_number", "収納機関番号", 5, blank_ok=True),
        digits("account_title", "科目(税目)コード", 3),
        digits("fiscal_year", "調定年度", 4),
        digits("term", "期別", 2),
        number("amount_yen", "請求金額", 11, note="円"),
        text("payment_number", "納付番号", 20, ANY_JISX0201, blank_ok=False, sensitive=True),
        text("confirmation_number", "確認番号", 6, ANY_JISX0201, blank_ok=False, sensitive=True),
        text("payment_class", "納付区分", 10, ANY_JISX0201),
        digits("bank_code", "収納金融機関コード", 4),
        digits("branch_code", "収納店舗コード", 3, blank_ok=True),
        digits("paid_on", "納付年月日", 8, form="date"),
        digits("paid_at", "納付時刻", 6, form="time", blank_ok=True),
        digits(
            "channel",
            "収納チャネル",
            1,
            choices=tuple(CHANNELS),
            blank_ok=True,
            note="、".join(f"{code} {name}" for code, name in CHANNELS.items()),
        ),
        digits("settles_on", "資金決済予定日", 8, form="date", blank_ok=True),
        filler(26, "予備"),
        source=SEED_4,
    ),
    header=frame.header(_paid, PAID_LENGTH, source=SEED_4),
    trailer=frame.trailer(
        _paid,
        PAID_LENGTH,
        frame.KIND_SLOTS,
        source=SEED_4,
    ),
    end=frame.end(_paid, PAID_LENGTH, source=SEED_4),
    totals=frame.kind_totals(),
    end_count="records",
)


def changes(uploaded: pl.DataFrame, wanted: pl.DataFrame) -> pl.DataFrame:
    """アップロード済みの調定と、今あるべき調定の差を、新規・変更・削除のレコードにする（種文書 001 の機能 3）。

    どちらも `UPLOAD` の項目の列（更新区分は見ない）。変わらない行は出ない。削除の行は、送った時の値のまま。
    同じ照会依頼キーが一方に二つあれば、どれを消すのか決まらないので断る。
    """
    keys = list(INQUIRY_KEY)
    for name, table in (("アップロード済み", uploaded), ("今の調定", wanted)):
        if twice := table.height - table.select(keys).n_unique():
            raise RefusedInput(
                f"{name}に、同じ照会依頼キーの行があります", code="duplicate-key", found=f"余り {twice:,} 行"
            )
    names = [name for name in UPLOAD.data.names if name != "change_kind"]
    values = [name for name in names if name not in keys]
    new = wanted.select(names).join(uploaded.select(keys), on=keys, how="anti")
    gone = uploaded.select(names).join(wanted.select(keys), on=keys, how="anti")
    both = wanted.select(names).join(uploaded.select(names), on=keys, how="inner", suffix="_before")
    differ = pl.any_horizontal(pl.col(name) != pl.col(f"{name}_before") for name in values)
    changed = both.filter(differ).select(names)
    marked = ((new, NEW), (changed, CHANGED), (gone, DELETED))
    return (
        pl.concat(table.with_columns(pl.lit(kind).alias("change_kind")) for table, kind in marked)
        .select(UPLOAD.data.names)
        .sort("change_kind", *keys)
    )
