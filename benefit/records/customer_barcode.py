"""日本郵便のカスタマバーコード: 郵便番号と住所から 21 語を作り、67 本の線にする。formats §8。

住所表示番号は、郵便番号が表す町域より後（住所B）から抜き出す。台帳の住所は都道府県から書いてあり、
町域の一覧は抽出にないので、`after_town` が「番地が始まる所」を決まりで見つける（決定 0032）。
"""

from __future__ import annotations

import re

from benefit.domain.errors import RefusedInput

#: 語の値: 0–9 は数字、10 はハイフン、11–18 は制御コード CC1–CC8。
HYPHEN, CC1, CC2, CC3, CC4 = 10, 11, 12, 13, 14
_SHIFTS = (CC1, CC2, CC3)
POSTAL_WORDS, NUMBER_WORDS, MODULUS = 7, 13, 19
#: 郵便番号 7、住所表示番号 13、検査 1。
WORDS = POSTAL_WORDS + NUMBER_WORDS + 1

#: 語の値 → 三本の線。L 長い、U 上へ半ば長い、D 下へ半ば長い、T 短い。
_SHAPES = "LTT LLT LDU DLU LUD LTL DUL ULD UDL TLL TLT DUT DTU UDT TDU UTD TUD TTL LLL"
PATTERNS = tuple(_SHAPES.split())
START, STOP = "LD", "DL"
#: 線の数: 始まりと終わりの二本ずつと、21 語の三本ずつ。
BARS = len(START) + WORDS * 3 + len(STOP)

_NUMERALS = "〇零一二三四五六七八九"
_KANJI = f"[{_NUMERALS}十百]+"
_WIDE = {
    **{ord("０") + at: str(at) for at in range(10)},
    **{ord("Ａ") + at: chr(ord("A") + at) for at in range(26)},
    **{ord("ａ") + at: chr(ord("a") + at) for at in range(26)},
    **dict.fromkeys(map(ord, "‐‑‒–—―−－﹣"), "-"),
    # 基本の手順 2: 消す字（全角と半角のどちらも）。
    **dict.fromkeys(map(ord, "&＆/／・･.．")),
    ord("\u3000"): " ",
}
#: 長音は、数字か英字に挟まれたときだけハイフン（「コーポ」の長音はハイフンではない）。
_LONG_VOWEL = re.compile(r"(?<=[0-9A-Z])[ーｰ](?=[0-9A-Z])")
_BEFORE_UNIT = re.compile(rf"{_KANJI}(?=丁目|丁|番地|番|号|地割|線|の|ノ)")
_FLOOR = re.compile(r"(?<=\d)F(?![A-Z])")
_SEVERAL_LETTERS = re.compile(r"[A-Z]{2,}")
_NOT_KEPT = re.compile(r"[^0-9A-Z]+")
_BESIDE_LETTER = re.compile(r"-?([A-Z])-?")

#: 番地の始まり。町の名の「三番町」「八丁堀」「一の宮」「麻布十番」を番地と読まないために、単位の後に来る字も見る。
_BLOCK = re.compile(
    rf"[0-9]|第?{_KANJI}(?:丁目|番地|地割)"
    rf"|{_KANJI}[丁線のノ](?=$|[ 0-9-]|[東西南北]|{_KANJI}(?!丁|[{_NUMERALS}十百]))"
    rf"|{_KANJI}[番号](?=$|[ -]|{_KANJI}(?!丁|[{_NUMERALS}十百]))"
)
_BOX = re.compile(r"私書箱 *第? *(\d{1,4}) *号?")
_BOX_ENDING, _NO_TOWN_ENDING = "8691", "00"
_DISPLAY = re.compile(r"[0-9A-Z-]*")


def _arabic(found: re.Match[str]) -> str:
    """漢数字をアラビア数字に: 二十一 → 21、一〇三 → 103。"""
    text = found.group()
    if "十" not in text and "百" not in text:
        return "".join(str(max(_NUMERALS.index(each) - 1, 0)) for each in text)
    total, digit = 0, 0
    for each in text:
        if each in "十百":
            total += (digit or 1) * (10 if each == "十" else 100)
            digit = 0
        else:
            digit = max(_NUMERALS.index(each) - 1, 0)
    return str(total + digit)


def _narrow(text: str) -> str:
    return text.translate(_WIDE).upper()


def display_number(address_b: str) -> str:
    """住所B（町域より後の文字）から住所表示番号を抜き出す。formats §8.5 の手順と補足の決まりのまま。

    13 語に切る前の文字列。数字も一文字だけの英字もなければ空。
    """
    text = _LONG_VOWEL.sub("-", _narrow(address_b))
    text = _BEFORE_UNIT.sub(_arabic, text)
    text = _FLOOR.sub("-", text)
    text = _SEVERAL_LETTERS.sub("-", text)
    text = _NOT_KEPT.sub("-", text).strip("-")
    return _BESIDE_LETTER.sub(r"\1", text)


def after_town(address: str, town: str = "") -> str:
    """都道府県からの住所のうち、町域より後（住所B）。

    town: 分かっていれば町域の名。住所の中にあれば、その後ろを返す。分からなければ、番地の始まりと読める
    最初の所から後ろ（番地がなければ空）。「三番町6」は 6 から、「麻布十番二丁目」は二丁目から。
    """
    text = _LONG_VOWEL.sub("-", _narrow(address))
    if town and (name := _narrow(town)) in text:
        return text[text.index(name) + len(name) :]
    found = _BLOCK.search(text)
    return text[found.start() :] if found else ""


def words(postal_code: str, number: str) -> tuple[int, ...]:
    """21 語: 郵便番号 7、住所表示番号 13（余りは CC4、あふれは切る）、検査 1。

    英字は二語（制御コードと数字）。13 語目に制御コードだけが入るときは、それだけを残す。
    断り: 郵便番号が 7 桁の数字でない、住所表示番号に数字・英大文字・ハイフンのほかの字がある。
    """
    if len(postal_code) != POSTAL_WORDS or not (postal_code.isascii() and postal_code.isdigit()):
        raise RefusedInput("郵便番号が 7 桁の数字ではありません", code="customer-barcode")
    if not _DISPLAY.fullmatch(number):
        raise RefusedInput(
            "住所表示番号に載せられない字があります", code="customer-barcode", allowed="数字、英大文字、ハイフン"
        )
    body: list[int] = []
    for each in number:
        if each == "-":
            body.append(HYPHEN)
        elif each.isdigit():
            body.append(int(each))
        else:
            shift, digit = divmod(ord(each) - ord("A"), 10)
            body += (_SHIFTS[shift], digit)
    body = (body + [CC4] * NUMBER_WORDS)[:NUMBER_WORDS]
    head = [*map(int, postal_code), *body]
    return (*head, -sum(head) % MODULUS)


def customer_words(
    postal_code: str, address: str, address2: str = "", *, town: str = "", business: bool = False
) -> tuple[int, ...] | None:
    """宛先の 21 語。バーコードを刷らない宛先では None。

    address2 は方書。紙に刷る分だけを渡す（刷らない方書の部屋番号を、線で漏らさない）。
    business: 大口事業所個別番号の宛先（番号だけで届くので、住所表示番号を載せない）。
    下二桁が 00 の郵便番号は町域を表さないので None。8691 は私書箱の番号を載せる。
    """
    if postal_code.endswith(_NO_TOWN_ENDING):
        return None
    if business:
        return words(postal_code, "")
    if postal_code.endswith(_BOX_ENDING):
        box = _BOX.search(_narrow(address))
        return words(postal_code, box.group(1) if box else "")
    return words(postal_code, display_number(f"{after_town(address, town)} {address2}"))


def bars(code: tuple[int, ...]) -> str:
    """67 本の線（L・D・U・T の並び）。"""
    return START + "".join([PATTERNS[each] for each in code]) + STOP


def read_bars(drawn: str) -> tuple[int, ...]:
    """線の並びから 21 語。本数、始まりと終わり、知らない形、検査の合わないものは `RefusedInput`。"""
    body = drawn[len(START) : -len(STOP)]
    if len(drawn) != BARS or not drawn.startswith(START) or not drawn.endswith(STOP):
        raise RefusedInput(
            "カスタマバーコードの線が違います", code="customer-barcode", found=f"{len(drawn)} 本", allowed=f"{BARS} 本"
        )
    shapes = [body[at : at + 3] for at in range(0, len(body), 3)]
    if any(shape not in PATTERNS for shape in shapes):
        raise RefusedInput("カスタマバーコードに知らない形の線があります", code="customer-barcode")
    code = tuple(PATTERNS.index(shape) for shape in shapes)
    if sum(code) % MODULUS:
        raise RefusedInput("カスタマバーコードの検査数字が合いません", code="customer-barcode")
    return code


def read_words(code: tuple[int, ...]) -> tuple[str, str]:
    """21 語から（郵便番号、住所表示番号）。13 語目に切れ残った制御コードは、文字にしない。"""
    if len(code) != WORDS or sum(code) % MODULUS or any(word > 9 for word in code[:POSTAL_WORDS]):
        raise RefusedInput("カスタマバーコードの検査数字が合いません", code="customer-barcode")
    postal = "".join(map(str, code[:POSTAL_WORDS]))
    text, shift = [], None
    for word in code[POSTAL_WORDS:-1]:
        if shift is not None and word <= 9:
            text.append(chr(ord("A") + _SHIFTS.index(shift) * 10 + word))
            shift = None
        elif word in _SHIFTS:
            shift = word
        elif word <= HYPHEN:
            text.append("-" if word == HYPHEN else str(word))
    return postal, "".join(text)
