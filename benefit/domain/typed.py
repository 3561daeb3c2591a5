"""電話を聞きながら打った言葉を、台帳の形に読む。二通りに読めるものは、推し量らずに断る。"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from benefit.domain.errors import RefusedInput

#: 電話で聞くのは和暦が多い。元年の前の年と、元号の一字目・頭文字。
_ERA_NAMES = ((1867, "明M"), (1911, "大T"), (1925, "昭S"), (1988, "平H"), (2018, "令R"))
_ERAS = {name: year for year, names in _ERA_NAMES for name in names}
_DAY = (
    # ラテン文字の氏名の終わりの字を、元号の頭文字と取り違えない（SMITH 50.1.2）。
    r"(?:(?P<era>明治?|大正?|昭和?|平成?|令和?|(?<![A-Z])[MTSHR])\s*(?P<eyear>\d{1,2}|元)|(?P<year>\d{4}))\s*[-./年]\s*"
    r"(?P<month>\d{1,2})\s*[-./月]\s*(?P<day>\d{1,2})\s*日?"
)
_BIRTH = re.compile(_DAY)
#: 一つの箱に打たれた、氏名の後ろの生年月日。
_TAIL = re.compile(rf"(?:{_DAY}|(?<!\d)(?P<compact>\d{{8}}))\s*(?:生まれ|生)?$")
_HIRAGANA = {code: code + 0x60 for code in range(0x3041, 0x3097)}
_KANJI_DIGITS = {sign: value for value, sign in enumerate("〇一二三四五六七八九")}
_ADDRESS_NUMBER = re.compile(r"(\d+)|([〇一二三四五六七八九十百]+)(?=丁目|番|号)")
#: 住所を照らすときに見る数の個数（丁目・番・号）。部屋の番号は聞かない。
ADDRESS_NUMBERS = 3

BIRTH_HELP = "生年月日が読めません。1955-05-06 か 昭和30年5月6日 のように入れてください"
KEYS_HELP = "給付管理番号か、カナ氏名と生年月日の両方を入れてください"


@dataclass(frozen=True)
class Keys:
    """探す言葉。番号か、カナ氏名と生年月日（YYYY-MM-DD）のどちらか一方だけが入っている。"""

    case_number: str = ""
    kana_name: str = ""
    birth: str = ""


def birth_key(text: str) -> str | None:
    """打ち込まれた生年月日を、台帳の形 YYYY-MM-DD に。読めなければ None。

    「1955-05-06」「1955/5/6」「19550506」「昭和30年5月6日」「S30.5.6」。分からない月日の 00 はそのまま。
    """
    given = _plain(text)
    if re.fullmatch(r"[0-9]{8}", given):
        given = f"{given[:4]}-{given[4:6]}-{given[6:]}"
    found = _BIRTH.fullmatch(given)
    return _day(found) if found else None


def read_keys(words: str = "", *, case_number: str = "", kana_name: str = "", birth: str = "") -> Keys:
    """一つの箱に打たれた言葉（か、項目ごとの言葉）から、探す言葉を決める。

    数字だけなら番号、「カナ氏名 生年月日」ならその二つ。片方だけ、読めない日は RefusedInput。
    """
    given = _plain(words)
    if given and not (case_number.strip() or kana_name.strip() or birth.strip()):
        if not re.search(r"[^0-9\s-]", given):
            case_number = given
        else:
            tail = _TAIL.search(given)
            # 日付らしい数字があるのに読めないときは、氏名だけだと言わずに、日付が読めないと言う。
            birth = tail.group(0).removesuffix("生").removesuffix("生まれ") if tail else ""
            kana_name = given[: tail.start()] if tail else given
            if tail is None and re.search(r"\d", given):
                raise RefusedInput(BIRTH_HELP, code="search-birth")
    if case_number.strip():
        # かな漢字変換のまま打った全角の数字も、同じ番号である。
        return Keys(case_number="".join(c for c in unicodedata.normalize("NFKC", case_number) if c.isdecimal()))
    if not kana_name.strip() or not birth.strip():
        raise RefusedInput(KEYS_HELP, code="search-keys")
    born = birth_key(birth)
    if born is None:
        raise RefusedInput(BIRTH_HELP, code="search-birth")
    return Keys(kana_name=kana_name.translate(_HIRAGANA), birth=born)


def address_numbers(text: str) -> tuple[int, ...]:
    """住所の丁目・番・号の数。「百人町四丁目21番13号」も「4-21-13」も (4, 21, 13)。"""
    found = _ADDRESS_NUMBER.findall(unicodedata.normalize("NFKC", text))
    return tuple(int(arabic) if arabic else _kanji_number(kanji) for arabic, kanji in found)


def same_address(registered: str, typed: str) -> bool:
    """聞いた住所は、登録の住所の番地まで合うか。番地のない登録は、電話では確かめられない。"""
    wanted = address_numbers(registered)[:ADDRESS_NUMBERS]
    return bool(wanted) and address_numbers(typed)[: len(wanted)] == wanted


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip().upper()


def _day(found: re.Match[str]) -> str:
    if found["era"]:
        year = _ERAS[found["era"][0]] + (1 if found["eyear"] == "元" else int(found["eyear"]))
    else:
        year = int(found["year"])
    return f"{year:04d}-{int(found['month']):02d}-{int(found['day']):02d}"


def _kanji_number(text: str) -> int:
    total, digit = 0, 0
    for sign in text:
        if sign in "十百":
            total += (digit or 1) * (10 if sign == "十" else 100)
            digit = 0
        else:
            digit = digit * 10 + _KANJI_DIGITS[sign]
    return total + digit
