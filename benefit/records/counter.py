"""窓口の収入済データ: 汎用収納（一般・介護・清掃）、特別徴収収納、特別徴収納入明細。

どれも公開の様式がなく、種文書 004 の項目から自分たちで決めた（formats §6.1–6.3）。
通知書番号は種文書の項目にない足した項目で、空白のときは科目・年度・期別・金額でしか突き合わせられない（候補として示すにとどめる）。
"""

from __future__ import annotations

from benefit.records import collection_frame as frame
from benefit.records.collection_frame import SEED_4
from benefit.records.fields import Field
from benefit.records.file_layout import FileLayout, Total
from benefit.records.layout import Layout, const, digits, filler, number, text, wide
from benefit.records.zengin_text import ANY_JISX0201

LENGTH, STATEMENT_LENGTH = 120, 300
OCR, HAND = "1", "2"
_SLOTS = (("ocr", "OCR分"), ("hand", "手書分"))


def _file(layout_id: str, title: str, data: Layout, amount: str = "paid_yen") -> FileLayout:
    name = data.name.removesuffix("データ")
    totals = tuple(
        Total(f"{key}_count", f"{key}_yen", amount, "entry_kind", (kind,))
        for (key, _), kind in zip(_SLOTS, (OCR, HAND), strict=True)
    )
    return FileLayout(
        layout_id,
        title,
        data=data,
        header=frame.header(name, LENGTH, source=SEED_4, client="指定金融機関コード"),
        trailer=frame.trailer(name, LENGTH, _SLOTS, source=SEED_4),
        end=frame.end(name, LENGTH, source=SEED_4),
        totals=totals,
        end_count="records",
    )


def _entry() -> Field:
    return digits("entry_kind", "入力区分", 1, choices=(OCR, HAND), note="1 OCR分、2 手書分")


def _where_and_when() -> tuple[Field, ...]:
    return (
        digits("bank_code", "収納金融機関コード", 4),
        digits("branch_code", "収納店舗コード", 3, blank_ok=True),
        digits("paid_on", "納付年月日", 8, form="date"),
    )


def _general(name: str, paid: str, *rest: Field) -> Layout:
    return frame.own(
        f"{name}データ",
        LENGTH,
        const("2", "レコード区分"),
        _entry(),
        digits("account_title", "科目(税目)コード", 3),
        digits("fiscal_year", "調定年度", 4),
        digits("term", "期別", 2),
        number("amount_yen", "請求金額", 11, note="円"),
        number("paid_yen", paid, 11, note="円"),
        number("late_fee_yen", "延滞金額", 11, note="円"),
        *_where_and_when(),
        text("notice_number", "通知書番号", 20, ANY_JISX0201, sensitive=True, note="足した項目。ないことがある"),
        *(rest or (filler(41, "予備"),)),
        source=SEED_4,
    )


GENERAL = _file("counter-general", "汎用収納データ", _general("汎用収納", "税額(納付額)"))
CARE = _file("counter-care", "汎用収納データ（介護保険料）", _general("汎用収納（介護）", "保険料額"))
CLEANING = _file(
    "counter-cleaning",
    "汎用収納データ（廃棄物処理手数料）",
    _general(
        "汎用収納（清掃）",
        "納付金額",
        number("levied_yen", "徴収金額", 11, note="円"),
        number("fee_yen", "委託手数料額", 11, note="円"),
        wide("payer", "納付者名", 19, sensitive=True),
    ),
)
SPECIAL = _file(
    "special-collection",
    "特別徴収収納データ",
    frame.own(
        "特別徴収収納データ",
        LENGTH,
        const("2", "レコード区分"),
        _entry(),
        digits("fiscal_year", "調定年度", 4),
        digits("term", "期別(月)", 2),
        text("employer_number", "特別徴収義務者指定番号", 15, ANY_JISX0201, blank_ok=False),
        number("paid_yen", "税額", 11, note="円"),
        number("late_fee_yen", "延滞金額", 11, note="円"),
        number("retirement_yen", "退職税額", 11, note="円"),
        *_where_and_when(),
        filler(49, "予備"),
        source=SEED_4,
    ),
)

_statement = "特別徴収納入明細"
STATEMENT = FileLayout(
    "special-collection-statement",
    "特別徴収納入明細データ",
    data=frame.own(
        f"{_statement}データ",
        STATEMENT_LENGTH,
        const("2", "レコード区分"),
        digits("agent_bank_code", "収納代理金融機関コード", 4),
        text("agent_bank_name", "収納代理金融機関名称", 15, ANY_JISX0201),
        digits("hub_branch_code", "とりまとめ店舗コード", 3),
        text("hub_branch_name", "とりまとめ店舗名称", 15, ANY_JISX0201),
        digits("branch_code", "取扱店舗コード", 3),
        text("branch_name", "取扱店舗名称", 15, ANY_JISX0201),
        text("employer_number", "特別徴収義務者指定番号", 15, ANY_JISX0201, blank_ok=False),
        wide("employer_name", "特別徴収義務者名", 40),
        digits("employer_postal_code", "特別徴収義務者郵便番号", 7, blank_ok=True),
        wide("employer_address", "特別徴収義務者住所", 80),
        number("paid_yen", "税額", 11, note="円"),
        number("late_fee_yen", "延滞金額", 11, note="円"),
        number("retirement_yen", "退職税額", 11, note="円"),
        digits("bank_code", "収納金融機関コード", 4),
        digits("paid_on", "納付年月日", 8, form="date"),
        filler(57, "予備"),
        source=SEED_4,
    ),
    header=frame.header(_statement, STATEMENT_LENGTH, source=SEED_4, client="指定金融機関コード"),
    trailer=frame.own(
        f"{_statement}トレーラ",
        STATEMENT_LENGTH,
        const("8", "レコード区分"),
        number("count", "件数合計", 6),
        number("paid_yen", "税額合計", 12, note="円"),
        number("late_fee_yen", "延滞金額合計", 12, note="円"),
        number("retirement_yen", "退職税額合計", 12, note="円"),
        filler(257),
        source=SEED_4,
    ),
    end=frame.end(_statement, STATEMENT_LENGTH, source=SEED_4),
    totals=(
        Total("count", "paid_yen", "paid_yen"),
        Total("", "late_fee_yen", "late_fee_yen"),
        Total("", "retirement_yen", "retirement_yen"),
    ),
    end_count="records",
)

_GUNMA = "群馬銀行「地方税納付」120 バイト 種別 99（expydoc.com/doc/11716117、途中で切れている）"
#: 事業所が銀行に出す「種別 99」。明細の後ろと合計が分からないので、読むだけで、合計は確かめられない。
LOCAL_TAX = FileLayout(
    "local-tax-99",
    "地方税納付（種別 99）",
    header=Layout(
        "地方税納付ヘッダ",
        LENGTH,
        (
            const("1", "データ区分"),
            const("99", "種別コード"),
            const("0", "コード区分"),
            digits("client_code", "委託者コード", 10),
            digits("branch_code", "取引支店番号", 3),
            digits("due_on", "納付期限", 6, form="era_date", note="和暦 YYMMDD"),
            digits("paid_month", "納付月分", 4, form="era_month", note="和暦 YYMM"),
            text("employer_name", "特別徴収義務者名", 40, ANY_JISX0201, note="20 字が二つ"),
            text("employer_address", "所在地", 50, ANY_JISX0201, note="15 字・15 字・20 字"),
            text("spare", "ダミー", 3, ANY_JISX0201),
        ),
        sources=(_GUNMA,),
        verified=False,
        read_on=frame.READ_ON,
    ),
    data=Layout(
        "地方税納付データ",
        LENGTH,
        (
            const("2", "データ区分"),
            digits("municipality_code", "市町村コード", 6),
            text("municipality_name", "市町村名", 15, ANY_JISX0201),
            text("employer_number", "指定番号", 15, ANY_JISX0201),
            text("moved", "異動の有無", 1, ANY_JISX0201, note="幅は推定"),
            number("salary_count", "給与税額 件数", 5),
            number("salary_yen", "給与税額 金額", 9, note="円"),
            number("retirement_count", "退職税額 件数", 5),
            number("retirement_yen", "退職税額 金額", 9, note="円"),
            text("unread", "分からない所", 54, ANY_JISX0201, note="合計税額など。そのまま残す"),
        ),
        sources=(_GUNMA,),
        verified=False,
        read_on=frame.READ_ON,
    ),
    trailer=Layout(
        "地方税納付トレーラ",
        LENGTH,
        (const("8", "データ区分"), text("unread", "分からない所", 119, ANY_JISX0201, note="合計。読めていない")),
        sources=(_GUNMA,),
        verified=False,
        read_on=frame.READ_ON,
    ),
    end=Layout(
        "地方税納付エンド",
        LENGTH,
        (const("9", "データ区分"), text("unread", "分からない所", 119, ANY_JISX0201)),
        sources=(_GUNMA,),
        verified=False,
        read_on=frame.READ_ON,
    ),
    read_only=True,
    incomplete="明細の 67 バイト目から後ろと、合計・終わりの中身が公開されていない。合計は確かめられない",
)
