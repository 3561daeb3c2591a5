"""見本の区から切り出した、小さな区。数十人だが、世帯・児童・納税者、お知らせ・確認書・区直轄のどれもいる。"""

from __future__ import annotations

import csv
import io
from pathlib import Path

from tests.conftest import WARD_3K

ID_COLUMNS = {
    "residents": "住民番号",
    "taxes": "宛名番号",
    "accounts": "宛名番号",
    "protected": "住民番号",
    "braille": "住民番号",
}


def read(path: Path) -> list[dict[str, str]]:
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp932")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def write(path: Path, rows: list[dict[str, str]], heading: list[str]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, heading, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def cut(out: Path, *, households: int = 24) -> Path:
    """対象になる世帯を先に、決まった順で選び、その人たちの行だけを `out` に書く。"""
    out.mkdir(parents=True, exist_ok=True)
    outcomes = read(WARD_3K / "expected" / "outcomes.csv")
    residents = read(WARD_3K / "residents.csv")
    home_of = {row["住民番号"]: row["世帯番号"] for row in residents}
    wanted: list[str] = []
    for route in ("PUSH", "CONFIRM", "WARD", ""):
        for kind in ("世帯", "納税者"):
            rows = [row for row in outcomes if row["経路"] == route and row["対象区分"] == kind]
            numbers = [row["対象番号"] if kind == "世帯" else home_of.get(row["対象番号"], "") for row in rows]
            wanted += [number for number in dict.fromkeys(numbers) if number][: households // 8]
    # 同じ世帯主に、同じ額が二件以上行く世帯（銀行の知らせに番号がないと、見分けられない）。
    children = [(home_of[row["対象番号"]], row["経路"]) for row in outcomes if row["対象区分"] == "児童"]
    wanted.append(next(number for number, route in children if route == "PUSH" and children.count((number, route)) > 1))
    chosen = set(wanted)
    people = {number for number, home in home_of.items() if home in chosen}
    taxes = read(WARD_3K / "taxes.csv")
    people |= {row["扶養者宛名番号"] for row in taxes if row["宛名番号"] in people} - {"", "区外"}
    for kind, column in ID_COLUMNS.items():
        rows = read(WARD_3K / f"{kind}.csv")
        write(out / f"{kind}.csv", [row for row in rows if row[column] in people], list(rows[0]))
    prior = read(WARD_3K / "prior.csv")
    write(out / "prior.csv", [row for row in prior if row["住民番号"] in people], list(prior[0]))
    return out


def branches(folder: Path) -> set[tuple[str, str]]:
    """口座に出てくる銀行と店舗（架空）。"""
    return {(row["金融機関コード"], row["支店コード"]) for row in read(folder / "accounts.csv")} | {("9999", "001")}
