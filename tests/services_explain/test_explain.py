"""説明は、正しい印と、見た値と、元のファイルの行を言う。行は、CSV そのものを読んで確かめる。"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from benefit.domain.errors import RefusedInput
from benefit.services import beneficiaries, explain
from benefit.services.explain_text import folded, width
from benefit.services.home import Home
from tests.conftest import WARD_3K, StepClock
from tests.rules.make import PROGRAMME, TODAY
from tests.services_explain.pages import CHECKS, EXPECTED, MARK, Row, check_of, first, line_of, pages_of, source
from tests.support.small_ward import cut, read

REASONS = sorted(
    {(row["対象区分"], reason, row["判定"]) for row in EXPECTED for reason in row["理由"].split(";") if reason}
)


@pytest.mark.parametrize(("kind", "reason", "verdict"), REASONS)
def test_each_reason_of_the_sample_ward_has_its_mark(ward: Home, kind: str, reason: str, verdict: str) -> None:
    number = first(kind, reason, verdict)
    page = pages_of(ward, kind, number)[f"{kind} {number}"]
    row = next(row for row in EXPECTED if (row["対象区分"], row["対象番号"]) == (kind, number))
    assert page.split("\n")[0].endswith(f"{verdict}（{row['理由']}）")
    given = row["理由"].split(";")
    for check in CHECKS[kind]:
        told = check_of(page, check.id).strip()
        assert check.says in told
        assert check.basis in told
        if check.id in given:
            assert told.startswith(MARK[verdict])
        elif verdict == "対象外":
            assert not told.startswith("×")
        else:
            assert told.startswith("○")


@pytest.mark.parametrize("kind", CHECKS)
def test_an_eligible_row_meets_every_check_and_names_the_money(ward: Home, kind: str) -> None:
    row = next(row for row in EXPECTED if row["対象区分"] == kind and row["判定"] == "対象" and row["経路"] == "PUSH")
    page = pages_of(ward, kind, row["対象番号"])[f"{kind} {row['対象番号']}"]
    assert [check.id for check in CHECKS[kind]] == re.findall(r"    ○ 該当  (\w+)  ", page)
    flat = re.sub(r"\n\s+", "", page)
    for part in (f"支給額 {int(row['支給額']):,} 円", f"受給者 {row['受給者番号']}", "PUSH"):
        assert part in flat


def household_members(number: str) -> list[Row]:
    return [row for row in source("residents") if row["世帯番号"] == number]


def taxes_of(number: str) -> list[Row]:
    people = {row["住民番号"] for row in household_members(number)}
    return [row for row in source("taxes") if row["宛名番号"] in people]


def told_household(ward: Home, reason: str, verdict: str) -> tuple[str, str]:
    number = first("世帯", reason, verdict)
    return number, check_of(pages_of(ward, "世帯", number)[f"世帯 {number}"], reason)


def test_tax_shows_the_levies_behind_the_class_and_their_line(ward: Home) -> None:
    number, told = told_household(ward, "TAX", "対象外")
    rows = [row for row in taxes_of(number) if int(row["減税前所得割額_区"]) > 0 and row["条例減免"] != "全部"]
    for row in rows:
        assert f"{row['宛名番号']} 課税区分 2" in told
        assert f"区 {int(row['減税前所得割額_区']):,} + 都 {int(row['減税前所得割額_都']):,}" in told
        assert f"〔taxes.csv {line_of('taxes', row['宛名番号'])} 行目〕" in told
    assert rows


@pytest.mark.parametrize(("reason", "verdict"), [("ENTRANT", "対象外"), ("ENTRANT", "未確定"), ("INQUIRY", "未確定")])
def test_an_arrival_shows_the_day_the_reason_and_the_line(ward: Home, reason: str, verdict: str) -> None:
    number, told = told_household(ward, reason, verdict)
    taxed = {row["宛名番号"] for row in source("taxes")}
    came = [
        row for row in household_members(number)
        if row["住民番号"] not in taxed and row["住民となった日"] >= "2024-01-02" and row["生年月日"] < "2008"
        and (row["住民となった事由"] == "国外転入") == (reason == "ENTRANT")
    ]  # fmt: skip
    assert came
    for row in came:
        assert f"住民となった日 {row['住民となった日']}（{row['住民となった事由']}）" in told
        assert f"〔residents.csv {line_of('residents', row['住民番号'])} 行目〕" in told


@pytest.mark.parametrize("verdict", ["対象外", "未確定"])
def test_a_dead_householder_is_shown_with_the_day_and_the_line(ward: Home, verdict: str) -> None:
    number, told = told_household(ward, "PAYEE", verdict)
    (head,) = (row for row in household_members(number) if row["続柄"] == "世帯主")
    if head["消除事由"] == "死亡":
        assert f"{head['住民番号']} 死亡 {head['消除日']}" in told
        assert f"〔residents.csv {line_of('residents', head['住民番号'])} 行目〕" in told
    else:
        died = next(row["死亡日"] for row in source("taxes") if row["宛名番号"] == head["住民番号"])
        assert f"死亡日 {died} 〔taxes.csv {line_of('taxes', head['住民番号'])} 行目〕" in told


def test_the_prior_rows_are_shown_with_the_rule_that_hit(ward: Home) -> None:
    seen: set[str] = set()
    for row in EXPECTED:
        if row["対象区分"] != "世帯" or row["理由"] != "PRIOR" or seen == {"P1", "P2", "P3", "P5"}:
            continue
        told = check_of(pages_of(ward, "世帯", row["対象番号"])[f"世帯 {row['対象番号']}"], "PRIOR")
        hits = set(re.findall(r"（(P\d)）", told))
        if hits <= seen:
            continue
        assert ("P5" in hits) == (row["判定"] == "未確定")
        seen |= hits
        lines = [int(n) for n in re.findall(r"prior\.csv (\d+) 行目", told)]
        assert lines
        for line in lines:
            # prior.csv の欄に改行はない（下の行で確かめている）ので、並びの番号がそのまま行になる。
            given = source("prior")[line - 2]
            assert (
                f"{given['住民番号']} {given['給付名']} 世帯 {given['世帯番号']} {given['続柄']} {given['状態']}"
                in told
            )
    assert seen == {"P1", "P2", "P3", "P5"}
    assert (WARD_3K / "prior.csv").read_bytes().count(b"\n") == len(source("prior")) + 1


@pytest.mark.parametrize("verdict", ["対象外", "未確定"])
def test_the_supporter_is_named_with_his_class_and_both_lines(ward: Home, verdict: str) -> None:
    number, told = told_household(ward, "DEPENDANTS", verdict)
    taxed = {row["宛名番号"] for row in source("taxes")}
    for row in taxes_of(number):
        supporter = row["扶養者宛名番号"]
        assert f"〔taxes.csv {line_of('taxes', row['宛名番号'])} 行目〕" in told
        assert (supporter if supporter != "区外" else "区外の人の扶養") in told
        if supporter in taxed:
            assert f"〔taxes.csv {line_of('taxes', supporter)} 行目〕" in told


def test_treaty_undeclared_and_no_householder_show_what_was_seen(ward: Home) -> None:
    number, told = told_household(ward, "TREATY", "対象外")
    (exempt, *_more) = [row["宛名番号"] for row in taxes_of(number) if row["租税条約免除"] == "1"]
    assert f"{exempt} 租税条約免除 1 〔taxes.csv {line_of('taxes', exempt)} 行目〕" in told
    number, told = told_household(ward, "DECLARED", "未確定")
    silent = [row["宛名番号"] for row in taxes_of(number) if row["申告区分"] == "未申告"]
    assert silent or "住民税の行がない" in told
    for person in silent:
        assert f"〔taxes.csv {line_of('taxes', person)} 行目〕" in told
    _number, told = told_household(ward, "HEAD", "未確定")
    assert "続柄 世帯主" in told or "続柄が世帯主の人がいない" in told


def test_a_child_in_a_home_and_an_unclear_birthday(ward: Home) -> None:
    number = first("児童", "FACILITY", "対象外")
    told = check_of(pages_of(ward, "児童", number)[f"児童 {number}"], "FACILITY")
    rows = [n for n, row in enumerate(source("protected"), 2) if (row["住民番号"], row["区分"]) == (number, "児童施設")]
    assert f"区分 児童施設 〔protected.csv {rows[0]} 行目〕" in told
    number = first("児童", "BIRTH", "未確定")
    told = check_of(pages_of(ward, "児童", number)[f"児童 {number}"], "BIRTH")
    birth = next(row["生年月日"] for row in source("residents") if row["住民番号"] == number)
    assert f"生年月日 {birth}（2006-04-02 以後か）" in told
    assert f"residents.csv {line_of('residents', number)} 行目" in told


def test_a_person_is_told_of_his_household_his_child_row_and_his_own_tax(ward: Home) -> None:
    child = first("児童", "PARENT", "未確定")
    home = next(row["世帯番号"] for row in source("residents") if row["住民番号"] == child)
    titles = list(pages_of(ward, "児童", child))
    assert titles[0] == f"世帯 {home}"
    assert f"児童 {child}" in titles


def test_who_left_before_the_base_date_is_told_so(ward: Home) -> None:
    taxed = {row["宛名番号"] for row in source("taxes")}
    gone = next(
        row for row in source("residents")
        if row["消除日"] and row["消除日"] <= "2024-06-03" and row["住民番号"] not in taxed
    )  # fmt: skip
    (page,) = explain.person(ward, PROGRAMME, TODAY, int(gone["住民番号"]))
    assert "世帯員ではありません" in page
    assert gone["消除日"] in page
    assert f"residents.csv {line_of('residents', gone['住民番号'])} 行目" in page


@pytest.mark.parametrize("tell", [explain.household, explain.person])
def test_a_number_that_is_nowhere_is_refused_in_japanese_without_repeating_it(ward: Home, tell: Any) -> None:
    with pytest.raises(RefusedInput, match="いません") as refused:
        tell(ward, PROGRAMME, TODAY, 9_999_999_998)
    assert refused.value.exit_code == 3
    assert "9999999998" not in str(refused.value)


def test_the_pages_fit_a_terminal_of_100_columns(ward: Home) -> None:
    for row in EXPECTED[::97]:
        for page in pages_of(ward, row["対象区分"], row["対象番号"]).values():
            assert [line for line in page.split("\n") if width(line) > 100] == []


def test_folding_loses_no_character_and_keeps_the_place_whole() -> None:
    line = "    " + "あ、" * 60 + " 〔taxes.csv 12 行目〕"
    parts = folded(line).split("\n")
    assert "".join("".join(parts).split()) == "".join(line.split())
    assert all(width(part) <= 100 for part in parts)
    assert parts[-1].strip().endswith("〔taxes.csv 12 行目〕")
    assert folded("x" * 100) == "x" * 100
    assert folded("x" * 101).count("\n") == 1


def test_the_last_day_is_that_of_the_last_registered_build(
    home: Home, clock: StepClock, import_ward: Callable[[Home, Path], None], tmp_path: Path
) -> None:
    import_ward(home, cut(tmp_path / "in"))
    assert explain.last_day(home, PROGRAMME) is None
    beneficiaries.build(home, PROGRAMME, TODAY, out=tmp_path / "dry", clock=clock, dry_run=True)
    assert explain.last_day(home, PROGRAMME) is None
    for today in (date(2024, 6, 20), date(2024, 7, 1)):
        beneficiaries.build(home, PROGRAMME, today, out=tmp_path / str(today), clock=clock)
        assert explain.last_day(home, PROGRAMME) == today
    entitled = read(tmp_path / "2024-07-01" / "entitlements.csv")[0]
    page = explain.household(home, PROGRAMME, TODAY, int(entitled["対象番号"]))[0]
    assert f"給付管理番号 {entitled['給付管理番号']}（枝番 1）、登録の額 {int(entitled['支給額']):,} 円" in page
