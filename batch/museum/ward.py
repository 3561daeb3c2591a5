"""事故再現のための、架空の小さな区。実在の人も口座もない（口座番号は 9 で始まり、銀行 9999 はどこにもない）。

お知らせの世帯 8 つ（そのうち 4 つに子が一人）と、確認書の世帯 9 つ。どの事例も、この区の写しの上で演じる。
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from benefit.services.files import write_atomic

BANK, BRANCH = "9999", "001"
PUSH_HOMES = 8
FORM_HOMES = 9
_NAMES = ("一郎", "二郎", "三郎", "四郎", "五郎", "六郎", "七郎", "八郎", "九郎")
_KANA = ("イチロウ", "ジロウ", "サブロウ", "シロウ", "ゴロウ", "ロクロウ", "シチロウ", "ハチロウ", "クロウ")
_TAX = {
    "賦課年度": "2024", "賦課区分": "住所", "申告区分": "申告済", "均等割額": "0", "減税前所得割額_区": "0",
    "減税前所得割額_都": "0", "減税後所得割額": "0", "合計所得金額": "0", "総所得金額等": "0", "課税総所得金額": "0",
    "人的控除差額": "0", "分離課税所得税額": "0", "住宅ローン控除可能額": "", "住宅ローン控除額_住民税": "0",
    "確定申告所得税額": "", "推計所得税額": "0", "同一生計配偶者": "0", "控除対象配偶者": "0", "配偶者国外居住": "0",
    "扶養親族数_16歳以上": "0", "扶養親族数_16歳未満": "0", "国外居住扶養親族数": "0", "租税条約免除": "0",
    "条例減免": "なし", "扶養者宛名番号": "", "死亡日": "",
}  # fmt: skip
_RESIDENT = {
    "在留カード番号": "", "郵便番号": "1608484", "漢字住所": "架空市架空町1番", "漢字方書": "", "漢字氏名": "",
    "カナ氏名": "", "旧氏": "", "生年月日": "1970-01-01", "続柄": "世帯主", "住民となった日": "2010-04-01",
    "住民となった事由": "転入", "1月1日住所地": "", "消除日": "", "消除事由": "",
}  # fmt: skip
_ACCOUNT = ("宛名番号", "口座種別", "金融機関コード", "支店コード", "預金種目", "口座番号", "口座名義カナ")


@dataclass(frozen=True)
class Person:
    """架空の一人。"""

    number: str
    household: str
    name: str
    kana: str
    relation: str
    birth: str = "1970-01-01"

    @property
    def holder(self) -> str:
        """口座名義（全銀の半角カナ）。"""
        from benefit.records.zengin_text import convert

        return convert(self.kana)

    @property
    def account(self) -> tuple[str, str, str, str, str]:
        """この人の口座（架空）。"""
        return BANK, BRANCH, "1", f"9{int(self.number) % 1_000_000:06d}", self.holder


def people() -> dict[str, Person]:
    """名前 → 人。お知らせの世帯は「過去 一郎」、確認書の世帯は「確認 一郎」のように名乗る。"""
    made: list[Person] = []
    for family, kana, count, base in (("過去", "カコ", PUSH_HOMES, 1000), ("確認", "カクニン", FORM_HOMES, 2000)):
        for place in range(count):
            home = f"{base + place:010d}"
            head = Person(
                f"{base + place * 10:010d}", home, f"{family}　{_NAMES[place]}", f"{kana}　{_KANA[place]}", "世帯主"
            )
            made.append(head)
            if family == "過去" and place < 2:
                wife = f"{base + place * 10 + 1:010d}"
                made.append(Person(wife, home, f"{family}　{_NAMES[place]}妻", f"{kana}　ツマ", "妻", "1972-02-02"))
            if family == "過去" and place < PUSH_HOMES // 2:
                child = f"{base + place * 10 + 2:010d}"
                made.append(Person(child, home, f"{family}　{_NAMES[place]}子", f"{kana}　コ", "子", "2015-05-05"))
    return {person.name.replace("　", " "): person for person in made}


def residents(changes: dict[str, dict[str, str]] | None = None) -> bytes:
    """住民記録。`changes`: 住民番号 → 変える列（世帯主が亡くなった、など）。"""
    rows = []
    for person in people().values():
        row = _RESIDENT | {
            "住民番号": person.number,
            "世帯番号": person.household,
            "漢字氏名": person.name,
            "カナ氏名": person.kana,
            "続柄": person.relation,
            "生年月日": person.birth,
        }
        if person.relation == "子":
            row |= {"住民となった日": person.birth, "住民となった事由": "出生"}
        rows.append(row | (changes or {}).get(person.number, {}))
    return _csv(["住民番号", "世帯番号", *_RESIDENT], rows)


def write(folder: Path) -> None:
    """抽出データのファイルを `folder` に書く。"""
    adults = [person for person in people().values() if person.relation != "子"]
    pushed = [person for person in adults if person.name.startswith("過去") and person.relation == "世帯主"]
    files = {
        "residents": residents(),
        "taxes": _csv(["宛名番号", *_TAX], [_TAX | {"宛名番号": person.number} for person in adults]),
        "accounts": _csv(
            _ACCOUNT,
            [dict(zip(_ACCOUNT, (person.number, "過去給付", *person.account), strict=True)) for person in pushed],
        ),
        "prior": _csv(["給付名", "世帯番号", "住民番号", "続柄", "状態"], []),
        "protected": _csv(["住民番号", "区分"], []),
    }
    for kind, data in files.items():
        write_atomic(folder / f"{kind}.csv", data)


def _csv(heading: list[str] | tuple[str, ...], rows: list[dict[str, str]]) -> bytes:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, heading, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue().encode()
