"""区の TOML の様式が守る約束: 表を置けば読み書きでき、誤りは、職員がどこを直すか分かる言葉で断られる。"""

from __future__ import annotations

import pytest

from benefit.domain.errors import RefusedInput
from benefit.records import conversion_toml, layout_toml
from benefit.records.file_reader import read
from benefit.records.file_writer import write
from benefit.records.layout_sheet import fields, markdown, notes
from tests.records.collection_samples import table

SHEET = """
id = "kakuu-counter"
title = "架空銀行 収入済データ"
length = 60
sources = ["架空銀行 仕様書 第3版 5 ページ"]
read_on = 2026-11-21
newline = "LF"
end_count = "records"

[[header]]
type = "固定"
label = "区分"
value = "H"
[[header]]
type = "数字"
label = "作成日"
name = "made_on"
length = 8
form = "date"
[[header]]
type = "空き"
label = "予備"
length = 51

[[data]]
type = "固定"
label = "区分"
value = "D"
[[data]]
type = "数字"
label = "通知書番号"
name = "notice_number"
length = 12
sensitive = true
[[data]]
type = "数"
label = "納付額"
name = "paid_yen"
length = 9
minimum = 1
[[data]]
type = "漢字"
label = "納付者"
name = "payer"
length = 20
sensitive = true
[[data]]
type = "文字"
label = "カナ"
name = "payer_kana"
length = 10
characters = "名義"
[[data]]
type = "数字"
label = "納付日"
name = "paid_on"
length = 8
form = "date"
blank = true

[[trailer]]
type = "固定"
label = "区分"
value = "T"
[[trailer]]
type = "数"
label = "件数"
name = "count"
length = 6
[[trailer]]
type = "数"
label = "金額"
name = "total_yen"
length = 12
[[trailer]]
type = "空き"
label = "予備"
length = 41

[[end]]
type = "固定"
label = "区分"
value = "E"
[[end]]
type = "数"
label = "全件数"
name = "records"
length = 9
[[end]]
type = "空き"
label = "予備"
length = 50

[[total]]
count = "count"
yen = "total_yen"
amount = "paid_yen"

[[part]]
name = "fiscal_year"
label = "年度"
of = "notice_number"
start = 1
length = 4
"""
ROWS = [
    {"notice_number": "202600012345", "paid_yen": 12300, "payer": "髙橋　花", "payer_kana": "ﾀｶﾊｼ ﾊﾅ", "paid_on": "20260710"},
    {"notice_number": "202600012346", "paid_yen": 1, "payer": "", "payer_kana": "", "paid_on": ""},
]  # fmt: skip


def parse(sheet=SHEET):
    return layout_toml.parse(sheet.encode(), file="kakuu.toml")


def test_a_sheet_is_enough_to_read_and_write_a_new_bank():
    layout = parse()
    content = write(layout, [({"made_on": "20260711"}, table(layout, ROWS))])
    assert content.decode("cp932").split("\n")[1] == "D202600012345000012300髙橋　花            ﾀｶﾊｼ ﾊﾅ   20260710"
    reading = read(content, layout)
    assert reading.require()["fiscal_year"].to_list() == ["2026", "2026"]
    assert reading.require().select(layout.data.names).equals(table(layout, ROWS))
    assert "納付額" in markdown(layout)
    assert list(fields(layout)) == ["見出し", "明細", "合計", "終わり", "部分項目", "合計の数え方"]
    assert any("kakuu-counter" in note for note in notes(layout))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("length = 51", "length = 50", "長さが合いません（見つかったもの: 59、許されるもの: 60）"),
        ('type = "漢字"', 'type = "かんじ"', "data（明細）の 4 番目」: type に書けない言葉です"),
        ('label = "納付額"\n', "", "data（明細）の 3 番目」: label がありません"),
        ("minimum = 1", 'minimum = "1"', "minimum の型が違います"),
        ('form = "date"\nblank', 'form = "hiduke"\nblank', "form に書けない言葉です"),
        ('name = "paid_on"\nlength = 8', 'name = "paid_on"\nlength = 7', "桁が合いません"),
        ('name = "paid_yen"', 'name = "納付額"', "英字の名"),
        ('name = "paid_yen"\nlength = 9', 'name = "paid_yen"\nlength = 19', "数の桁が多すぎます"),
        ('newline = "LF"', 'newline = "CR"', "newline に書けない言葉です"),
        ('amount = "paid_yen"', 'amount = "paid"', "合計の項目がありません"),
        ('of = "notice_number"', 'of = "paid_yen"', "数字か半角の文字の中にだけ"),
        ("start = 1\n", "start = 10\n", "はみ出します"),
        ('value = "T"', 'value = "D"', "区分が重なります"),
        ('name = "payer"\n', 'name = "paid_yen"\n', "名前が重なる"),
        ('end_count = "records"', 'end_count = "rec"', "件数の項目がありません"),
        ('title = "架空銀行 収入済データ"', "", "title がありません"),
        ("read_on = 2026-11-21", 'read_on = "2026-11-21"', "read_on の型が違います"),
        ("length = 60", "length = 60\nlenght = 60", "知らない項目です"),
        ('id = "kakuu-counter"', 'id = "架空"', "半角の英数字"),
        ("length = 60", "length = 60 60", "TOML の書き方が違います"),
        ('characters = "名義"', 'characters = "カナ"', "characters に書けない言葉です"),
        ('sources = ["架空銀行 仕様書 第3版 5 ページ"]', 'sources = ["甲"]\nverified = true', "出典が二つない"),
        ('value = "H"', 'value = "見"', "固定の値は、半角"),
    ],
)
def test_a_mistake_is_told_in_words_a_clerk_can_act_on(old, new, says):
    assert old in SHEET
    with pytest.raises(RefusedInput) as refused:
        parse(SHEET.replace(old, new, 1))
    assert says in str(refused.value)
    assert "kakuu.toml" in str(refused.value)


def test_a_sheet_that_is_not_utf8_is_refused():
    with pytest.raises(RefusedInput, match="UTF-8"):
        layout_toml.parse(SHEET.encode("cp932"), file="kakuu.toml")


CONVERSION = """
id = "to-kakuu"
title = "標準システム → 架空銀行"
from = "standard-paid"
to = "kakuu-counter"
[header]
made_on = { given = "made_on" }
[field]
paid_yen = "amount_yen"
notice_number = { fields = ["fiscal_year", "term"], function = "zero_pad", length = 12 }
payer = { value = "" }
payer_kana = { value = "" }
paid_on = "paid_on"
"""


def test_a_conversion_is_a_table_too():
    made = conversion_toml.parse(CONVERSION.encode(), file="c.toml")
    assert conversion_toml.is_conversion(CONVERSION.encode(), file="c.toml")
    assert not conversion_toml.is_conversion(SHEET.encode(), file="c.toml")
    assert made.fields["notice_number"].fields == ("fiscal_year", "term")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('paid_on = "paid_on"', "paid_on = 3", "元の項目の名か"),
        ('{ value = "" }', '{ value = "", given = "a" }', "どれか一つ"),
        ('{ value = "" }', "{ }", "どれか一つ"),
        ('function = "zero_pad"', 'function = "eval"', "ない関数です"),
        ("length = 12", 'length = "12"', "length の型が違います"),
        ("length = 12", "lenght = 12", "知らない項目です"),
        ('["fiscal_year", "term"]', "[1, 2]", "文字で書きます"),
        ('from = "standard-paid"', "from = 1", "文字で書いて"),
        ('id = "to-kakuu"', 'di = "to-kakuu"', "知らない項目です"),
    ],
)
def test_a_mistake_in_a_conversion_is_told(old, new, says):
    assert old in CONVERSION
    with pytest.raises(RefusedInput, match=r"c\.toml") as refused:
        conversion_toml.parse(CONVERSION.replace(old, new, 1).encode(), file="c.toml")
    assert says in str(refused.value)
