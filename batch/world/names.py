"""架空の人の名前と住所。実在の人はいない。名前の種は Faker（ja_JP）で、一度だけ作って使い回す。"""

from __future__ import annotations

import random
from dataclasses import dataclass

from faker import Faker

#: CP932 で書ける異体字の姓（髙・﨑・濵・德など）。取込と印字の試しになる。
VARIANT_FAMILIES = (
    ("髙橋", "タカハシ"),
    ("山﨑", "ヤマサキ"),
    ("濵田", "ハマダ"),
    ("德永", "トクナガ"),
    ("渡邉", "ワタナベ"),
    ("勅使河原", "テシガワラ"),
)
#: 外国人の名前（漢字氏名の欄、カナ氏名）。30 文字を超えるものを含む。
FOREIGN = (
    ("ＮＧＵＹＥＮ　ＴＨＩ　ＨＯＡ", "グエン　ティ　ホア"),
    ("王　偉", "ワン　ウェイ"),
    ("金　秀賢", "キム　スヒョン"),
    ("ＳＨＲＥＳＴＨＡ　ＢＩＫＡＳＨ", "シュレスタ　ビカス"),
    ("ＳＭＩＴＨ　ＪＯＨＮ", "スミス　ジョン"),
    ("ＡＵＮＧ　ＫＹＡＷ　ＭＯＥ", "アウン　チョー　モー"),
    ("李　娜", "リ　ナ"),
    (
        "ＤＥ　ＡＬＭＥＩＤＡ　ＣＡＲＶＡＬＨＯ　ＭＡＲＩＡ　ＦＥＲＮＡＮＤＡ",
        "デ　アルメイダ　カルヴァーリョ　マリア　フェルナンダ",
    ),
    ("ＧＵＲＵＮＧ　ＳＵＮＩＴＡ", "グルン　スニタ"),
    ("陳　美玲", "チェン　メイリン"),
)
TOWNS = (
    ("1690075", "東京都新宿区高田馬場{c}丁目{b}番{g}号"),
    ("1690073", "東京都新宿区百人町{c}丁目{b}番{g}号"),
    ("1690051", "東京都新宿区西早稲田{c}丁目{b}番{g}号"),
    ("1610034", "東京都新宿区上落合{c}丁目{b}番{g}号"),
    ("1610033", "東京都新宿区下落合{c}丁目{b}番{g}号"),
    ("1600022", "東京都新宿区新宿{c}丁目{b}番{g}号"),
    ("1620825", "東京都新宿区神楽坂{c}丁目{b}番{g}号"),
    ("1620041", "東京都新宿区早稲田鶴巻町{b}番地の{g}"),
    ("1620065", "東京都新宿区住吉町{b}番地の{g}"),
    ("1620806", "東京都新宿区榎町{b}番地"),
    ("1600002", "東京都新宿区四谷坂町{b}番地の{g}"),
)
_BUILDINGS = ("コーポさくら", "パークサイド", "メゾン落合", "第２高田荘", "ハイム百人町", "グランド早稲田")
_KANJI_DIGITS = "一二三四"
_POOL = 160


@dataclass(frozen=True)
class Name:
    """漢字氏名とカナ氏名（姓と名の間は全角の空白）。"""

    kanji: str
    kana: str


class Names:
    """名前と住所を配る。同じ種なら、同じ順に同じ名前。"""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        faker = Faker("ja_JP")
        faker.seed_instance(chance.randrange(2**32))
        self._families = [faker.last_name_pair()[:2] for _ in range(_POOL)] + list(VARIANT_FAMILIES)
        self._given = {
            "F": [faker.first_name_female_pair()[:2] for _ in range(_POOL)],
            "M": [faker.first_name_male_pair()[:2] for _ in range(_POOL)],
        }

    def family(self) -> tuple[str, str]:
        """姓。"""
        return self._chance.choice(self._families)

    def person(self, family: tuple[str, str], sex: str) -> Name:
        """この姓の人。"""
        given = self._chance.choice(self._given[sex])
        return Name(f"{family[0]}　{given[0]}", f"{family[1]}　{given[1]}")

    def foreigner(self) -> Name:
        """外国人。"""
        return Name(*self._chance.choice(FOREIGN))

    def address(self) -> tuple[str, str, str]:
        """郵便番号、漢字住所、方書（半分は空）。"""
        chance = self._chance
        postal, form = chance.choice(TOWNS)
        text = form.format(c=chance.choice(_KANJI_DIGITS), b=chance.randint(1, 39), g=chance.randint(1, 20))
        room = f"{chance.choice(_BUILDINGS)}{chance.randint(1, 14)}{chance.randint(0, 1)}{chance.randint(1, 9)}号室"
        return postal, text, room if chance.random() < 0.6 else ""

    def card_number(self) -> str:
        """在留カード番号の形（AA99999999AA）。"""
        chance = self._chance
        letters = "ABCDEFGHJKLMNPQRSTUVWXYZ"
        digits = f"{chance.randrange(10**8):08d}"
        return (
            f"{chance.choice(letters)}{chance.choice(letters)}{digits}{chance.choice(letters)}{chance.choice(letters)}"
        )
