"""調整給付の説明は、計算の数の全部と、その行を言う。"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from benefit.services.home import Home
from tests.services_explain.pages import EXPECTED, check_of, first, line_of, pages_of, source
from tests.support.small_ward import cut, read, write


def test_every_number_of_the_adjustment_is_shown(ward: Home) -> None:
    for engine, filled, apart in (
        ("NATIONAL_TOOL", "推計所得税額", False),
        ("FILED_RETURN", "確定申告所得税額", False),
        ("EST-1/2024", "", False),
        ("EST-1/2024", "", True),
    ):
        amounts = {
            r["対象番号"]: int(r["支給額"]) for r in EXPECTED if r["対象区分"] == "納税者" and r["支給額"] != "0"
        }
        row = next(
            row for row in source("taxes")
            if row["宛名番号"] in amounts
            # 所得税と住民税で人数が違う人（同一生計配偶者だが控除対象ではない）も見る。
            and (row["同一生計配偶者"] != row["控除対象配偶者"]) == apart
            and (row[filled] if filled else not row["推計所得税額"] and not row["確定申告所得税額"])
            and (filled != "確定申告所得税額" or not row["推計所得税額"])
        )  # fmt: skip
        number = row["宛名番号"]
        page = re.sub(r"\n\s{8,}", " ", pages_of(ward, "納税者", number)[f"納税者 {number}"])
        (income,) = re.findall(rf"IT = ([\d,]+) 円（{engine}） 〔taxes\.csv {line_of('taxes', number)} 行目〕", page)
        income_tax = int(income.replace(",", ""))
        if filled:
            assert income_tax == int(row[filled])
        levy = int(row["減税前所得割額_区"]) + int(row["減税前所得割額_都"])
        assert f"= {levy:,} 円 〔taxes.csv" in page
        people = int(row["扶養親族数_16歳以上"]) + int(row["扶養親族数_16歳未満"]) - int(row["国外居住扶養親族数"]) + 1
        here = row["配偶者国外居住"] == "0"
        n_sho, n_ju = (people + (here and row[c] == "1") for c in ("同一生計配偶者", "控除対象配偶者"))
        a_yen, b_yen = max(0, 30_000 * n_sho - income_tax), max(0, 10_000 * n_ju - levy)
        assert f"人数 所得税分 {n_sho}、住民税分 {n_ju}" in page
        assert f"30,000 × {n_sho} − {income_tax:,}) = {a_yen:,} 円" in page
        assert f"10,000 × {n_ju} − {levy:,}) = {b_yen:,} 円" in page
        assert f"A + B = {a_yen + b_yen:,} 円、10,000 円単位に一度だけ切り上げ → {amounts[number]:,} 円" in page


def test_the_cap_and_the_death_of_a_taxpayer_name_the_value_and_the_line(ward: Home) -> None:
    number = first("納税者", "CAP", "対象外")
    told = check_of(pages_of(ward, "納税者", number)[f"納税者 {number}"], "CAP")
    income = next(int(row["合計所得金額"]) for row in source("taxes") if row["宛名番号"] == number)
    assert f"合計所得金額 {income:,} 円（上限 18,050,000 円） 〔taxes.csv {line_of('taxes', number)} 行目〕" in told
    number = first("納税者", "ALIVE", "対象外")
    told = check_of(pages_of(ward, "納税者", number)[f"納税者 {number}"], "ALIVE")
    dates = {
        ("taxes", row["死亡日"]) for row in source("taxes") if row["宛名番号"] == number and row["死亡日"]
    } | {
        ("residents", row["消除日"]) for row in source("residents")
        if row["住民番号"] == number and row["消除事由"] == "死亡"
    }  # fmt: skip
    day = min(when for _kind, when in dates)
    assert f"死亡日 {day}（" in told
    assert any(f"〔{kind}.csv {line_of(kind, number)} 行目〕" in told for kind, when in dates if when == day)


@pytest.mark.parametrize("first_seen", ["residents", "taxes"])
def test_the_earlier_of_two_deaths_decides_and_is_the_one_named(
    sqlite_home: Home, import_ward: Callable[[Home, Path], None], tmp_path: Path, first_seen: str
) -> None:
    folder = cut(tmp_path / "in")
    days = {"residents": "2024-06-10", "taxes": "2024-06-11"}
    if first_seen == "taxes":
        days = {"residents": "2024-06-11", "taxes": "2024-06-10"}
    residents, taxes = read(folder / "residents.csv"), read(folder / "taxes.csv")
    levied = {row["宛名番号"] for row in taxes}
    number = next(row["住民番号"] for row in residents if row["住民番号"] in levied and not row["消除日"])
    for row in residents:
        if row["住民番号"] == number:
            row["消除日"], row["消除事由"] = days["residents"], "死亡"
    for row in taxes:
        if row["宛名番号"] == number:
            row["死亡日"] = days["taxes"]
    write(folder / "residents.csv", residents, list(residents[0]))
    write(folder / "taxes.csv", taxes, list(taxes[0]))
    import_ward(sqlite_home, folder)
    told = check_of(pages_of(sqlite_home, "納税者", number)[f"納税者 {number}"], "PAYEE")
    column, rows = {"residents": ("住民番号", residents), "taxes": ("宛名番号", taxes)}[first_seen]
    line = next(at for at, row in enumerate(rows, 2) if row[column] == number)
    assert told.strip().startswith("× 非該当 PAYEE")
    assert "死亡日 2024-06-10（判定の日 2024-06-20）" in told
    assert f"〔{first_seen}.csv {line} 行目〕" in told
