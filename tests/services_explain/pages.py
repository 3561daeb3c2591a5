"""説明の試験が分け合うもの: 見本の区の CSV、期待する結果、紙の中の一つの検査。"""

from __future__ import annotations

import re
from functools import cache

from benefit.domain.programme import Programme
from benefit.rules.outcomes import checks_of
from benefit.services import explain
from benefit.services.home import Home
from tests.conftest import WARD_3K
from tests.rules.make import PROGRAMME, TODAY
from tests.support.small_ward import read

Row = dict[str, str]
MARK = {"対象外": "× 非該当", "未確定": "？ 不明"}
CHECKS = checks_of(Programme.load("r6-2024"))


@cache
def source(kind: str) -> list[Row]:
    return read(WARD_3K / f"{kind}.csv")


@cache
def line_of(kind: str, number: str) -> int:
    """その人の行が何行目か。引用符つきの改行もあるので、読み手とは別に、一行ずつ読んで探す。"""
    column = "住民番号" if "住民番号" in source(kind)[0] else "宛名番号"
    place = list(source(kind)[0]).index(column)
    data = (WARD_3K / f"{kind}.csv").read_bytes()
    lines = data.decode("cp932" if kind == "residents" else "utf-8-sig").split("\n")
    (found,) = (
        n for n, line in enumerate(lines, 1) if [*line.replace('"', "").split(","), *[""] * 99][place] == number
    )
    return found


EXPECTED = read(WARD_3K / "expected" / "outcomes.csv")


def first(kind: str, reason: str, verdict: str) -> str:
    return next(
        row["対象番号"]
        for row in EXPECTED
        if row["対象区分"] == kind and row["判定"] == verdict and reason in row["理由"].split(";")
    )


def pages_of(home: Home, kind: str, number: str) -> dict[str, str]:
    """題（世帯・児童・納税者と番号）から紙へ。"""
    tell = explain.household if kind == "世帯" else explain.person
    pages = tell(home, PROGRAMME, TODAY, int(number))
    return {" ".join(page.split()[1:3]): page for page in pages}


def check_of(page: str, check: str) -> str:
    """一つの検査の、印から次の検査までの文（折り返しはつなぐ）。"""
    blocks = re.split(r"\n(?=    [○×？] )", page)
    (found,) = (block for block in blocks if re.match(rf"    [○×？] \S+ +{check}  ", block))
    return re.sub(r"\n\s+", " ", found)
