"""受給者と口座の組: 正しい書き方の揺れ、弱い一致、間違った口座。種類ごとに、判定がどうあるべきかを言う。"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace

from benefit.records.yucho import account_of

FAMILY = [
    "ヤマダ",
    "サトウ",
    "スズキ",
    "タカハシ",
    "イトウ",
    "ワタナベ",
    "ナカムラ",
    "コバヤシ",
    "キョウゴク",
    "ヒャッコク",
    "ワカバヤシ",
    "ミヤガワ",
    "ジングウジ",
]
GIVEN = [
    "タロウ",
    "ハナコ",
    "ショウタ",
    "リョウ",
    "ユウジ",
    "ケンジロウ",
    "ミチヨ",
    "サクラ",
    "ジョージ",
    "レオン",
    "アンナ",
    "キョウコ",
    "ヨウヘイ",
    "ヒデアキ",
]
LATIN = (
    ["SMITH", "JOHNSON", "NGUYEN", "GARCIA", "MARTIN"],
    ["JOHN", "MARIA", "PETER", "LINH", "ANNA"],
    ["LEE", "ANN", "VAN", "PAUL"],
)
VOICED = str.maketrans("ガギグゲゴザジズゼゾダヂヅデドバビブベボ", "カキクケコサシスセソタチツテトハヒフヘホ")
SMALL, LARGE = "ァィゥェォッャュョ", "アイウエオツヤユヨ"
KANA = "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン"


@dataclass(frozen=True)
class Pair:
    """一人と、その人に払うとされた口座。"""

    kana_name: str
    holder: str
    bank: str = "9999"
    branch: str = "101"
    kind: str = "1"
    number: str = ""


Way = Callable[[str, random.Random], Pair]


def person(rng: random.Random) -> str:
    return f"{rng.choice(FAMILY)}　{rng.choice(GIVEN)}"


def half_width(text: str) -> str:
    """全角のカナを、半角の字に（濁点は分かれる）。"""
    full = "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワヲンァィゥェォッャュョー゛゜　"
    half = "ｱｲｳｴｵｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾅﾆﾇﾈﾉﾊﾋﾌﾍﾎﾏﾐﾑﾒﾓﾔﾕﾖﾗﾘﾙﾚﾛﾜｦﾝｧｨｩｪｫｯｬｭｮｰﾞﾟ "
    apart = unicodedata.normalize("NFD", text).replace("\u3099", "゛").replace("\u309a", "゜")
    return apart.translate(str.maketrans(full, half))


# --- 正しい口座。どれも支給可になる。 ---


def same(name: str, _rng: random.Random) -> Pair:
    return Pair(name, name)


def in_half_width(name: str, _rng: random.Random) -> Pair:
    return Pair(name, half_width(name))


def with_large_kana(name: str, _rng: random.Random) -> Pair:
    """銀行は小さい字を大きくして持つ。"""
    return Pair(name, half_width(name.translate(str.maketrans(SMALL, LARGE))))


def with_another_dash(name: str, rng: random.Random) -> Pair:
    return Pair(f"{name}ー", f"{name}{rng.choice('ーｰ－-‐−')}")


def with_other_spaces(name: str, rng: random.Random) -> Pair:
    return Pair(name, name.replace("　", rng.choice(["", " ", "　　", " 　"])))


def with_parted_marks(name: str, _rng: random.Random) -> Pair:
    return Pair(name, unicodedata.normalize("NFD", name))


def cut_at_thirty(name: str, rng: random.Random) -> Pair:
    """30 桁で切られた名義は、違いではない。"""
    long = name + "".join(rng.choices(KANA, k=40))
    return Pair(long, half_width(long)[:30].rstrip("ﾞﾟ "))


def in_latin_letters(_name: str, rng: random.Random) -> Pair:
    whole = f"{rng.choice(LATIN[0])} {rng.choice(LATIN[1])}"
    return Pair(whole, rng.choice([whole.lower(), whole.title(), whole]))


def yucho_converted(name: str, rng: random.Random) -> Pair:
    account = account_of(
        f"1{rng.choice(('01', '02', '21', '41'))}{rng.randrange(100):02d}", f"{rng.randrange(10, 10**8)}"
    )
    return Pair(name, name, account.bank_code, account.branch_code, account.account_type, account.account_number)


RIGHT: tuple[Way, ...] = (
    same, in_half_width, with_large_kana, with_another_dash, with_other_spaces, with_parted_marks, cut_at_thirty,
    in_latin_letters, yucho_converted,
)  # fmt: skip

# --- 弱い一致。払い、CHK81 を付けて一覧に残す。 ---


def same_sound(name: str, rng: random.Random) -> Pair:
    one, other = rng.choice([("ヲ", "オ"), ("ヅ", "ズ"), ("ヂ", "ジ")])
    return Pair(f"{name}{one}", f"{name}{other}")


def names_the_other_way_round(_name: str, rng: random.Random) -> Pair:
    first, last, middle = rng.choice(LATIN[0]), rng.choice(LATIN[1]), rng.choice(LATIN[2])
    return Pair(f"{first} {last} {middle}", rng.choice([f"{last} {first}", f"{first} {last}"]))


WEAK: tuple[Way, ...] = (same_sound, names_the_other_way_round)

# --- 間違った口座。一つも支給可にならない。 ---


def a_stranger(name: str, rng: random.Random) -> Pair:
    other = next(one for one in iter(lambda: person(rng), None) if one != name)
    return Pair(name, rng.choice([other, half_width(other)]))


def a_family_member(name: str, rng: random.Random) -> Pair:
    family, given = name.split("　")
    return Pair(name, f"{family}　{rng.choice([one for one in GIVEN if one != given])}")


def one_letter_off(name: str, rng: random.Random) -> Pair:
    at = rng.choice([at for at, letter in enumerate(name) if letter in KANA])
    return Pair(name, name[:at] + rng.choice([one for one in KANA if one != name[at]]) + name[at + 1 :])


def marks_lost(name: str, _rng: random.Random) -> Pair:
    """濁点が落ちた名義（別の名である）。"""
    voiced = f"{name}ジロウ"
    return Pair(voiced, voiced.translate(VOICED))


def only_the_beginning(name: str, _rng: random.Random) -> Pair:
    """切られたのでない、短い名義。"""
    return Pair(name, name[:-1])


def something_added(name: str, rng: random.Random) -> Pair:
    return Pair(name, name + rng.choice(KANA))


def the_other_way_round_in_kana(name: str, _rng: random.Random) -> Pair:
    return Pair(name, "　".join(reversed(name.split("　"))))


def a_company(name: str, rng: random.Random) -> Pair:
    return Pair(name, rng.choice(["カ）", "シヤ）"]) + name)


def no_holder(name: str, _rng: random.Random) -> Pair:
    return Pair(name, "　")


def kanji_holder(name: str, _rng: random.Random) -> Pair:
    return Pair(name, "山田　太郎")


def a_closed_branch(name: str, _rng: random.Random) -> Pair:
    return Pair(name, name, branch="888")


def an_unknown_bank(name: str, _rng: random.Random) -> Pair:
    return Pair(name, name, bank="9998")


def a_wrong_kind(name: str, rng: random.Random) -> Pair:
    return Pair(name, name, kind=rng.choice("03569"))


def six_digits(name: str, rng: random.Random) -> Pair:
    return Pair(name, name, number=f"{rng.randrange(10**6):06d}")


def all_zero(name: str, _rng: random.Random) -> Pair:
    return Pair(name, name, number="0000000")


def yucho_not_converted(name: str, rng: random.Random) -> Pair:
    """記号番号のまま: 記号の頭三桁を店番に、番号を 8 桁のまま、または頭の 7 桁に。"""
    symbol, number = f"1{rng.choice(('01', '02', '21', '41'))}{rng.randrange(10)}0", f"{rng.randrange(10**7, 10**8)}"
    pair = Pair(name, name, "9900", symbol[:3], "1", number)
    return rng.choice([pair, replace(pair, number=number[:7])])


WRONG: tuple[Way, ...] = (
    a_stranger, a_family_member, one_letter_off, marks_lost, only_the_beginning, something_added,
    the_other_way_round_in_kana, a_company, no_holder, kanji_holder, a_closed_branch, an_unknown_bank, a_wrong_kind,
    six_digits, all_zero, yucho_not_converted,
)  # fmt: skip
