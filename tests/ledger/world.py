"""小さな架空の世帯: 住民記録・住民税・昨年度・口座・区直轄の抽出データを、決まった書き方で作る。

番号も口座も架空で、口座番号は 9 で始まる。世帯の暮らし（転居・死亡・合併・分離）は、この表を書き換えて表す。
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from benefit.records.extracts import TABLES

SURNAMES = (("青木", "アオキ"), ("橋本", "ハシモト"), ("中野", "ナカノ"), ("千葉", "チバ"), ("星", "ホシ"))
GIVEN = (("一郎", "イチロウ"), ("さくら", "サクラ"), ("健", "ケン"), ("みどり", "ミドリ"), ("進", "ススム"))
#: 架空の銀行と店舗（練習用の表に載せる）。
BANK, BRANCH = "9999", "001"
#: 抽出データの種類。
KINDS = ("residents", "taxes", "prior", "accounts", "protected")


@dataclass
class Person:
    """住民一人と、その住民税と、登録された口座。

    tax: 非課税・均等割・所得割・なし。account: 公金受取・過去給付、なければ空。prior: 昨年度の対象世帯の番号。
    """

    number: int
    household: int
    relation: str = "世帯主"
    birth: str = "1970-05-06"
    tax: str = "非課税"
    account: str = ""
    removed_on: date | None = None
    removed_reason: str = ""
    dv: bool = False
    address: str = "東京都新宿区高田馬場一丁目2番3号"
    prior: int | None = None

    @property
    def name(self) -> str:
        return f"{SURNAMES[self.number % 5][0]}　{GIVEN[self.number // 5 % 5][0]}"

    @property
    def kana(self) -> str:
        return f"{SURNAMES[self.number % 5][1]}　{GIVEN[self.number // 5 % 5][1]}"

    @property
    def living(self) -> bool:
        return self.removed_reason != "死亡"


def account_of(number: int, turn: int = 0) -> tuple[str, str, str, str]:
    """この人の口座（銀行・店・種目・番号）。`turn` を変えると、別の口座になる。"""
    return BANK, BRANCH, "1", f"9{(number * 10 + turn) % 1_000_000:06d}"


@dataclass
class World:
    """世帯の集まり。番号は `first` から。"""

    people: list[Person] = field(default_factory=list)

    def __iter__(self) -> Iterator[Person]:
        return iter(self.people)

    def person(self, number: int) -> Person:
        return next(one for one in self.people if one.number == number)

    def members(self, household: int) -> list[Person]:
        return [one for one in self.people if one.household == household]

    def copy(self) -> World:
        return World([replace(one) for one in self.people])

    def write(self, folder: Path, kinds: Sequence[str] = KINDS) -> None:
        """抽出データのファイルを書く（UTF-8・LF）。"""
        folder.mkdir(parents=True, exist_ok=True)
        rows = {
            "residents": [_resident(one) for one in self.people],
            "taxes": [_tax(one) for one in self.people if one.tax != "なし"],
            "prior": [_prior(one) for one in self.people if one.prior is not None],
            "accounts": [_account(one) for one in self.people if one.account],
            "protected": [{"住民番号": f"{one.number:010d}", "区分": "DV"} for one in self.people if one.dv],
        }
        for kind in kinds:
            (folder / f"{kind}.csv").write_bytes(render(kind, rows[kind]))


def render(kind: str, rows: Sequence[dict[str, str]]) -> bytes:
    buffer = io.StringIO()
    headings = [column.heading for column in TABLES[kind].columns]
    writer = csv.DictWriter(buffer, headings, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue().encode()


def _resident(one: Person) -> dict[str, str]:
    return {
        "住民番号": f"{one.number:010d}",
        "世帯番号": f"{one.household:010d}",
        "郵便番号": "1690075",
        "漢字住所": one.address,
        "漢字氏名": one.name,
        "カナ氏名": one.kana,
        "生年月日": one.birth,
        "続柄": one.relation,
        "住民となった日": "2010-04-01",
        "住民となった事由": "転入",
        "消除日": one.removed_on.isoformat() if one.removed_on else "",
        "消除事由": one.removed_reason,
    }


def _tax(one: Person) -> dict[str, str]:
    levy = {"非課税": (0, 0, 0), "均等割": (4000, 0, 0), "所得割": (4000, 60_000, 40_000)}[one.tax]
    income = 0 if one.tax == "非課税" else 2_000_000
    money = dict.fromkeys(_MONEY, "0") | {
        "均等割額": str(levy[0]),
        "減税前所得割額_区": str(levy[1]),
        "減税前所得割額_都": str(levy[2]),
        "減税後所得割額": str(max(0, levy[1] + levy[2] - 10_000)),
        "合計所得金額": str(income),
        "総所得金額等": str(income),
        "課税総所得金額": str(1_000_000 if levy[1] else 0),
    }
    return {
        "宛名番号": f"{one.number:010d}",
        "賦課年度": "2024",
        "賦課区分": "住所",
        "申告区分": "申告済",
        **money,
        "条例減免": "なし",
    }


_MONEY = (
    "人的控除差額",
    "分離課税所得税額",
    "住宅ローン控除額_住民税",
    "同一生計配偶者",
    "控除対象配偶者",
    "配偶者国外居住",
    "扶養親族数_16歳以上",
    "扶養親族数_16歳未満",
    "国外居住扶養親族数",
    "租税条約免除",
)


def _prior(one: Person) -> dict[str, str]:
    return {
        "給付名": "令和5年度価格高騰重点支援給付金（7万円）",
        "世帯番号": f"{one.prior:010d}",
        "住民番号": f"{one.number:010d}",
        "続柄": "世帯主",
        "状態": "支給済",
    }


def _account(one: Person) -> dict[str, str]:
    bank, branch, kind, number = account_of(one.number)
    return {
        "宛名番号": f"{one.number:010d}",
        "口座種別": one.account,
        "金融機関コード": bank,
        "支店コード": branch,
        "預金種目": kind,
        "口座番号": number,
        "口座名義カナ": holder(one.kana),
    }


def holder(kana: str) -> str:
    """口座名義カナ（半角）。"""
    from benefit.records.zengin_text import convert

    return convert(kana.replace("　", " "))


def single_households(count: int, *, first: int = 1_000_000_001) -> World:
    """一人世帯を `count` 戸。半分は公金受取口座があり、半分は口座が分からない（確認書）。"""
    return World(
        [
            Person(number, number + 4_000_000_000, account="公金受取" if number % 2 else "")
            for number in range(first, first + count)
        ]
    )
