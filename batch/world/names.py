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


@dataclass(frozen=True)
class Abroad:
    """ある国の名前の作り方: 姓（漢字氏名の欄、カナ）と名。同じ世帯は同じ姓を使う。"""

    families: tuple[tuple[str, str], ...]
    given: tuple[tuple[str, str], ...]


#: 外国人の名前。多い順（区の外国人の国籍の割合に近い）。
COUNTRIES = (
    Abroad(
        (("王", "ワン"), ("李", "リ"), ("張", "ジャン"), ("陳", "チェン"), ("劉", "リュウ")),
        (("偉", "ウェイ"), ("娜", "ナ"), ("美玲", "メイリン"), ("敏", "ミン"), ("浩然", "ハオラン")),
    ),
    Abroad(
        (("金", "キム"), ("朴", "パク"), ("崔", "チェ"), ("鄭", "チョン")),
        (("秀賢", "スヒョン"), ("智雨", "ジウ"), ("敏俊", "ミンジュン"), ("瑞妍", "ソヨン")),
    ),
    Abroad(
        (("NGUYEN", "グエン"), ("TRAN", "チャン"), ("PHAM", "ファム"), ("LE", "レ")),
        (("THI HOA", "ティ　ホア"), ("VAN NAM", "ヴァン　ナム"), ("MINH ANH", "ミン　アイン")),
    ),
    Abroad(
        (("SHRESTHA", "シュレスタ"), ("GURUNG", "グルン"), ("TAMANG", "タマン")),
        (("BIKASH", "ビカス"), ("SUNITA", "スニタ"), ("SITA", "シタ"), ("RAM BAHADUR", "ラム　バハドゥル")),
    ),
    Abroad(
        (("AUNG", "アウン"), ("THAN", "タン")),
        (("KYAW MOE", "チョー　モー"), ("THIDA WIN", "ティダ　ウィン")),
    ),
    Abroad(
        (("DE ALMEIDA CARVALHO", "デ　アルメイダ　カルヴァーリョ"), ("SMITH", "スミス")),
        (("MARIA FERNANDA", "マリア　フェルナンダ"), ("JOHN ALEXANDER", "ジョン　アレクサンダー")),
    ),
)
_COUNTRY_WEIGHTS = (38, 24, 14, 11, 7, 6)
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
_CARD_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
_WIDE = {ord(" "): "　"} | {code: code + 0xFEE0 for code in range(ord("A"), ord("Z") + 1)}


@dataclass(frozen=True)
class Name:
    """漢字氏名とカナ氏名（姓と名の間は全角の空白）。"""

    kanji: str
    kana: str


@dataclass(frozen=True)
class Family:
    """一つの世帯の姓。`country` があれば外国人。"""

    kanji: str
    kana: str
    country: Abroad | None = None


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

    def family(self) -> Family:
        """日本人の姓。"""
        return Family(*self._chance.choice(self._families))

    def foreign_family(self) -> Family:
        """外国人の姓。"""
        country = self._chance.choices(COUNTRIES, _COUNTRY_WEIGHTS)[0]
        return Family(*self._chance.choice(country.families), country)

    def person(self, family: Family, sex: str) -> Name:
        """この姓の人。"""
        if family.country is None:
            given = self._chance.choice(self._given[sex])
            return Name(f"{family.kanji}　{given[0]}", f"{family.kana}　{given[1]}")
        given = self._chance.choice(family.country.given)
        written, kana = f"{family.kanji} {given[0]}", f"{family.kana}　{given[1]}"
        if not written.isascii():
            return Name(written.replace(" ", "　"), kana)
        # カナの登録がローマ字のままの人がいる（契約 §1: full-width kana, or Latin）。幅もまちまち。
        latin = self._chance.random()
        wide = written.translate(_WIDE)
        return Name(wide, written if latin < 0.2 else wide if latin < 0.4 else kana)

    def address(self) -> tuple[str, str, str]:
        """郵便番号、漢字住所、方書（四割は空）。"""
        chance = self._chance
        postal, form = chance.choice(TOWNS)
        text = form.format(c=chance.choice(_KANJI_DIGITS), b=chance.randint(1, 39), g=chance.randint(1, 20))
        room = f"{chance.choice(_BUILDINGS)}{chance.randint(1, 14)}{chance.randint(0, 1)}{chance.randint(1, 9)}号室"
        return postal, text, room if chance.random() < 0.6 else ""

    def card_number(self) -> str:
        """在留カード番号の形（AA99999999AA）。"""
        letters = "".join(self._chance.choices(_CARD_LETTERS, k=4))
        return f"{letters[:2]}{self._chance.randrange(10**8):08d}{letters[2:]}"
