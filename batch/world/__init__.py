"""架空の区: 契約 §1 の抽出データ七種を、種から作る。同じ人数と種なら、一字も違わない。実在の人はいない。"""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from pathlib import Path

from batch.world import taxes
from batch.world.names import Names
from batch.world.people import LEVY_DATE, Families, Person
from benefit.domain.errors import RefusedInput
from benefit.records.zengin_text import PARTY_NAME, convert
from benefit.services.files import write_atomic

#: デモの銀行。9999 はどの銀行にも割り当てられていない（formats §1.4）。
BANK, BRANCHES = "9999", [f"{number:03d}" for number in range(1, 21)]
LAST_YEAR = ("令和5年度価格高騰重点支援給付金（7万円）", "令和5年度均等割のみ課税世帯給付金（10万円）")
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
    households: list[list[Person]] = []
    while len(everyone) < residents:
        household = families.household()[: residents - len(everyone)]
        for person in household:
            person.income_yen = taxes.draw_income(person, chance)
        _support(household, chance)
        households.append(household)
        everyone += household
        tick(len(everyone), residents)
    prior = _prior(households, chance)
    outsiders = [families.household()[0] for _ in range(max(3, residents // 400))]
    tax_rows = [taxes.tax_row(person, chance) for person in everyone if _levied_here(person)]
    for place, person in enumerate(outsiders):
        # 住登外の番号は 9 で始まる。家屋敷は調整給付の対象にならない。
        person.number, person.supporter = f"9{place:09d}", ""
        person.income_yen = taxes.draw_income(person, chance) or 3_000_000
        tax_rows.append(taxes.tax_row(person, chance, kind="家屋敷" if place % 5 == 4 else "住登外"))
    for row in chance.sample(tax_rows, max(1, len(tax_rows) // 500)):
        row[-1] = chance.choice(("2024-05-20", "2024-06-03", "2024-06-10"))
    files: dict[str, tuple[Sequence[str], list[list[str]], str]] = {
        "residents": (_RESIDENT, [_resident(person) for person in everyone], "cp932"),
        "taxes": (taxes.HEADINGS, tax_rows, "utf-8-sig"),
        "prior": (("給付名", "世帯番号", "住民番号", "続柄", "状態"), prior, "utf-8"),
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
    return there and person.income_yen is not None and (person.age >= 16 or bool(person.supporter))


def _support(household: list[Person], chance: random.Random) -> None:
    """収入の少ない配偶者と子を、世帯主の扶養にする。"""
    head = household[0]
    if (head.income_yen or 0) < 1_000_000:
        head.dependants = [] if chance.random() < 0.5 else head.dependants
        return
    for person in household[1:]:
        if person in head.dependants or ((person.income_yen or 0) <= 1_030_000 and person is head.spouse):
            person.supporter = head.number


def _prior(households: list[list[Person]], chance: random.Random) -> list[list[str]]:
    """昨年度の対象世帯: 続いている世帯、世帯主が亡くなった世帯、分かれた人、よその世帯に移った世帯主。"""
    rows: list[list[str]] = []
    poor = [h for h in households if all(taxes.compute(p).ward == 0 for p in h) and h[0].became_on < date(2023, 12, 1)]
    for household in poor:
        draw = chance.random()
        if draw > 0.72:
            continue
        number, name = household[0].household, LAST_YEAR[int(draw * 100) % 5 == 0]
        state = chance.choices(("支給済", "未申請", "辞退", "対象外"), (86, 8, 3, 3))[0]
        members = list(household)
        if draw < 0.05 and len(members) > 1:
            # 世帯番号が変わり、前の世帯主はもういない（P3）。
            number, members = f"8{int(number) % 10**9:09d}", members[1:]
            rows.append([name, number, f"87{int(household[0].number) % 10**8:08d}", "世帯主", state])
            rows += [[name, number, person.number, "子", state] for person in [*members, household[0]]]
            continue
        if draw < 0.08:
            # 前は別の世帯の一員だった（P5）。
            number = f"8{int(number) % 10**9:09d}"
            other = chance.choice(households)[0]
            rows.append([name, number, other.number, "世帯主", state])
            rows += [[name, number, person.number, "子", state] for person in members]
            continue
        if draw < 0.12:
            number = f"8{int(number) % 10**9:09d}"  # 世帯番号だけ変わった（P2）。
        rows += [[name, number, person.number, person.relation, state] for person in members]
    return rows


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
    for person in chance.sample([p for p in everyone if p.age >= 75], max(1, len(everyone) // 2000)):
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
    children = [p for p in everyone if p.age < 18]
    elders = [p for p in everyone if p.age >= 65]
    adults = [p for p in everyone if 18 <= p.age < 65]
    count = max(2, len(everyone) // 800)
    return [
        [person.number, kind]
        for kind, group in (("DV", adults), ("児童施設", children), ("障害者施設", adults[::2]), ("高齢者施設", elders))
        for person in chance.sample(group, min(count, len(group)))
    ]
