"""架空の区: 契約 §1 の抽出データ七種を、種から作る。同じ人数と種なら、一字も違わない。実在の人はいない。"""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from batch.world import last_year, taxes
from batch.world.moves import move
from batch.world.names import Names
from batch.world.people import LEVY_DATE, Families, Person
from batch.world.specials import specials
from benefit.domain.errors import RefusedInput
from benefit.records.zengin_text import PARTY_NAME, convert
from benefit.services.files import write_atomic

#: デモの銀行。9999 はどの銀行にも割り当てられていない（formats §1.4）。
BANK, BRANCHES = "9999", [f"{number:03d}" for number in range(1, 21)]
_RESIDENT = (
    "住民番号", "世帯番号", "在留カード番号", "郵便番号", "漢字住所", "漢字方書", "漢字氏名", "カナ氏名", "旧氏",
    "生年月日", "続柄", "住民となった日", "住民となった事由", "1月1日住所地", "消除日", "消除事由",
)  # fmt: skip
_ACCOUNT = ("宛名番号", "口座種別", "金融機関コード", "支店コード", "預金種目", "口座番号", "口座名義カナ")
_ADDRESS = ("宛名番号", "種別", "漢字氏名", "カナ氏名", "郵便番号", "漢字住所", "漢字方書")


def make_ward(
    out: Path, *, residents: int, seed: int, tick: Callable[[int, int], None] = lambda _done, _total: None
) -> dict[str, int]:
    """七つの CSV を `out` に書き、行の数を返す。

    住民記録と口座は CP932・CRLF、住民税は BOM つきの UTF-8、ほかは UTF-8（読み分けの試しになる）。
    """
    chance = random.Random(seed)  # noqa: S311  # 秘密ではなく、再現できる架空のデータのため
    families = Families(chance, Names(chance))
    everyone: list[Person] = []
    ordinary: list[list[Person]] = []
    for made, planted in _households(families, residents, chance):
        household = made[: residents - len(everyone)]
        taxes.support(household[0])
        if not planted:
            ordinary.append(household)
        everyone += household
        tick(len(everyone), residents)
        if len(everyone) == residents:
            break
    prior = last_year.prior_rows(ordinary, families, chance)
    outsiders = _outsiders(families, max(3, residents // 400), chance)
    tax_rows = [taxes.tax_row(person, chance) for person in everyone if _levied_here(person)]
    for place, person in enumerate(outsiders):
        # 家屋敷は調整給付の対象にならない。
        tax_rows.append(taxes.tax_row(person, chance, kind="家屋敷" if place % 5 == 4 else "住登外"))
    _deaths_known_to_the_tax_office(tax_rows, [*everyone, *outsiders], chance)
    files: dict[str, tuple[Sequence[str], list[list[str]], str]] = {
        "residents": (_RESIDENT, [_resident(person) for person in everyone], "cp932"),
        "taxes": (taxes.HEADINGS, tax_rows, "utf-8-sig"),
        "prior": (last_year.HEADINGS, prior, "utf-8"),
        "accounts": (_ACCOUNT, list(_accounts(everyone, chance)), "cp932"),
        "addresses": (_ADDRESS, _addresses(outsiders, everyone, chance), "utf-8"),
        "protected": (("住民番号", "区分"), _protected(everyone, chance), "utf-8"),
        "braille": (("住民番号",), [[p.number] for p in chance.sample(everyone, max(1, residents // 1000))], "utf-8"),
    }
    for kind, (heading, rows, encoding) in files.items():
        chance.shuffle(rows)
        write_atomic(out / f"{kind}.csv", _csv(heading, rows, encoding))
    return {kind: len(rows) for kind, (_, rows, _) in files.items()}


def _csv(heading: Sequence[str], rows: Iterable[Sequence[str]], encoding: str) -> bytes:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n" if encoding == "cp932" else "\n")
    writer.writerow(heading)
    writer.writerows(rows)
    return buffer.getvalue().encode(encoding)


def _resident(person: Person) -> list[str]:
    return [
        person.number, person.household, person.card, *person.address, person.name.kanji, person.name.kana,
        person.former, person.birth, person.relation, person.became_on.isoformat(), person.reason,
        person.levy_municipality, person.removed_on.isoformat() if person.removed_on else "", person.removed_reason,
    ]  # fmt: skip


def _levied_here(person: Person) -> bool:
    """1 月 1 日に区にいて、何かの資料がある大人と、扶養されている若い人。"""
    there = person.became_on <= LEVY_DATE and (person.removed_on is None or person.removed_on > LEVY_DATE)
    return there and person.income_yen is not None and (not person.under_16 or bool(person.supporter))


def _households(families: Families, residents: int, chance: random.Random) -> Iterator[tuple[list[Person], bool]]:
    """特別な世帯（True、区の一割まで。昨年度の対象ではない）に続けて、ふつうの世帯（False）を果てしなく。"""
    used = 0
    for household in specials(families, residents):
        used += len(household)
        if used > max(60, residents // 10):
            break
        yield household, True
    while True:
        household = families.household()
        move(household, chance)
        for person in household:
            person.income_yen = taxes.draw_income(person, chance)
        yield household, False


def _outsiders(families: Families, count: int, chance: random.Random) -> list[Person]:
    """住登外の人。番号は 9 で始まる。"""
    people = []
    for place in range(count):
        person = families.household("young")[0]
        person.number = f"9{place:09d}"
        person.income_yen = taxes.draw_income(person, chance) or 3_000_000
        people.append(person)
    return people


def _deaths_known_to_the_tax_office(rows: list[list[str]], people: list[Person], chance: random.Random) -> None:
    """死亡日: 亡くなった住民の半分と、区の外（転出した人・住登外）で亡くなった人の少し。"""
    by_number = {person.number: person for person in people}
    for row in rows:
        person = by_number[row[0]]
        if person.removed_reason == "死亡" and person.removed_on and chance.random() < 0.5:
            row[-1] = person.removed_on.isoformat()
        elif (person.removed_reason == "転出" or person.number[0] == "9") and chance.random() < 0.06:
            row[-1] = chance.choice(("2024-05-20", "2024-06-02", "2024-06-03", "2024-06-04", "2024-06-18"))


def _accounts(everyone: list[Person], chance: random.Random) -> Iterable[list[str]]:
    for person in everyone:
        if person.age < 18 or chance.random() > 0.45:
            continue
        poor = taxes.compute(person).per_capita == 0
        kinds = chance.choices(
            (("公金受取",), ("過去給付",), ("公金受取", "過去給付"), ("生活保護",)), (60, 22, 8, 10 if poor else 0)
        )[0]
        for kind in kinds:
            holder = person.name.kana if chance.random() < 0.94 else chance.choice(everyone).name.kana
            yield [
                person.number, kind, BANK, chance.choice(BRANCHES), chance.choices("124", (90, 4, 6))[0],
                f"9{chance.randrange(10**6):06d}", holder_text(holder),
            ]  # fmt: skip


def holder_text(kana: str) -> str:
    """口座名義（全銀の半角カナ、30 桁まで）。書けない字のある名前は、書ける字だけで。"""
    try:
        return convert(kana.replace("・", "　"), PARTY_NAME)[:30].rstrip()
    except RefusedInput:
        return "ｶｸｳ ﾒｲｷﾞ"


def _addresses(outsiders: list[Person], everyone: list[Person], chance: random.Random) -> list[list[str]]:
    """住登外の人、転出した人の転出先、法定代理人。"""
    rows = []
    for person in outsiders:
        rows.append(
            [
                person.number,
                "住登外",
                person.name.kanji,
                person.name.kana,
                "1500001",
                f"東京都渋谷区神宮前{chance.randint(1, 6)}丁目1番",
                "",
            ]
        )
    left = [p for p in everyone if p.removed_reason == "転出"]
    for person in chance.sample(left, len(left) * 2 // 3):
        rows.append(
            [
                person.number,
                "転出先",
                person.name.kanji,
                person.name.kana,
                "2310017",
                f"神奈川県横浜市中区港町{chance.randint(1, 9)}丁目",
                "",
            ]
        )
    old = [p for p in everyone if p.age >= 75]
    for person in chance.sample(old, min(len(old), max(1, len(everyone) // 2000))):
        rows.append(
            [
                person.number,
                "法定代理人",
                "架空　後見",
                "カクウ　コウケン",
                "1600023",
                "東京都新宿区西新宿2丁目8番1号",
                "架空法律事務所",
            ]
        )
    return rows


def _protected(everyone: list[Person], chance: random.Random) -> list[list[str]]:
    """区が直接扱う人: 四つの区分のどれも必ずいる。"""
    children = [p for p in everyone if p.age < 18 and not p.protected]
    elders = [p for p in everyone if p.age >= 65]
    adults = [p for p in everyone if 18 <= p.age < 65]
    count = max(2, len(everyone) // 800)
    planted = [person for person in everyone if person.protected]
    return [[person.number, person.protected] for person in planted] + [
        [person.number, kind]
        for kind, group in (("DV", adults), ("児童施設", children), ("障害者施設", adults[::2]), ("高齢者施設", elders))
        for person in chance.sample(group, min(count, len(group)))
    ]
