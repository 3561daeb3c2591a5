"""事業はデータである: 不足額給付も、町の新しい事業も、ファイル一つで通しで動く。値を変えて作り直せば、それが効く。"""

from __future__ import annotations

import csv
import json
from importlib import resources
from pathlib import Path

import pytest

from batch import cli
from tests.batch.conftest import Run
from tests.conftest import WARD_3K
from tests.records.extract_samples import written
from tests.support import small_ward

R6 = (resources.files("benefit") / "programmes" / "r6-2024.toml").read_text(encoding="utf-8")


def town() -> str:
    """町の事業: 非課税世帯に 7 万円、子ども一人 2 万円、基準日は 2024-06-20。調整給付も均等割のみの給付もない。"""
    text = R6
    for start, end in (("[benefits.R6-2]", "[benefits.R6-3]"), ("[benefits.R6-4]", "[household]"), ("[adjustment]", "[route]"), ("[conditions.ADJ]", "[transfer]")):  # fmt: skip
        text = text[: text.index(start)] + text[text.index(end) :]
    for old, new in (
        ('"r6-2024"', '"town-7man"'),
        ("value = 100000,", "value = 70000,"),
        ("value = 50000,", "value = 20000,"),
        ("value = 2024-06-03,", "value = 2024-06-20,"),
        ("benefits.R6-1", "benefits.T-1"),
        ("benefits.R6-3", "benefits.T-3"),
        ('"R6-H"', '"T-H"'),
        ('"新宿区"', '"架空町"'),
        ('prior = { value = "EXCLUDE_TARGETS"', 'prior = { value = "IGNORE"'),
    ):
        assert old in text
        text = text.replace(old, new)
    return text


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def filled(run: Run, ready: Path) -> Path:
    for kind in ("residents", "taxes", "prior", "accounts", "addresses", "protected", "braille"):
        if not (WARD_3K / f"{kind}.csv").exists():
            continue
        code, _out, err = run("import", kind, WARD_3K / f"{kind}.csv")
        assert code == 0, err
    return ready


def test_a_towns_programme_is_added_by_a_file_alone(run: Run, filled: Path, tmp_path: Path) -> None:
    (filled / "programmes").mkdir()
    (filled / "programmes" / "town-7man.toml").write_text(town(), encoding="utf-8")
    code, _out, err = run(
        "beneficiaries", "build", "--programme", "town-7man", "--today", "2024-07-01", "--out", tmp_path / "out"
    )
    assert code == 0, err
    found = rows(tmp_path / "out" / "outcomes.csv")
    assert {row["対象区分"] for row in found} == {"世帯", "児童"}
    eligible = [row for row in found if row["判定"] == "対象"]
    assert {(row["給付種別"], row["支給額"]) for row in eligible} == {("T-1", "70000"), ("T-3", "20000")}
    assert {row["給付種別"] for row in found if row["対象区分"] == "世帯" and row["判定"] != "対象"} == {"T-H"}
    # 均等割だけの世帯は、この事業では課税世帯である。昨年度の対象世帯かどうかは、見ない。
    reasons = {one for row in found for one in row["理由"].split(";")}
    assert "TAX" in reasons
    assert "PRIOR" not in reasons
    base = "2024-06-20"
    members = [
        row
        for row in small_ward.read(WARD_3K / "residents.csv")
        if row["住民となった日"] <= base and (not row["消除日"] or row["消除日"] > base)
    ]
    assert {row["対象番号"] for row in found if row["対象区分"] == "世帯"} == {row["世帯番号"] for row in members}


def test_changing_a_limit_in_the_file_and_building_again_is_all_it_takes(
    run: Run,
    filled: Path,
    tmp_path: Path,
) -> None:
    build = ("beneficiaries", "build", "--today", "2024-06-20")
    assert run(*build, "--out", tmp_path / "a")[0] == 0
    (filled / "programmes").mkdir()
    file = filled / "programmes" / "r6-2024.toml"
    file.write_text(R6.replace("value = 18050000,", "value = 2000000,"), encoding="utf-8")
    assert run(*build, "--out", tmp_path / "b")[0] == 0
    before, after = rows(tmp_path / "a" / "outcomes.csv"), rows(tmp_path / "b" / "outcomes.csv")
    capped = {row["対象番号"] for row in after if "CAP" in row["理由"].split(";")}
    taxes = small_ward.read(WARD_3K / "taxes.csv")
    assert capped == {row["宛名番号"] for row in taxes if int(row["合計所得金額"]) > 2_000_000}
    assert [r for r in before if r["対象区分"] != "納税者"] == [r for r in after if r["対象区分"] != "納税者"]
    file.write_text(R6.replace("value = 18050000,", 'value = "多い",'), encoding="utf-8")
    code, _out, err = run(*build, "--out", tmp_path / "c")
    assert code == 3
    assert "r6-2024.toml: 項目「adjustment.income_cap_yen」の型が違います" in err
    assert not (tmp_path / "c").exists()


def test_the_shortfall_programme_runs_with_its_own_extract(run: Run, ready: Path, tmp_path: Path) -> None:
    people = rows_of_ward(200)
    changes = [
        {"宛名番号": number, "所得税分人数": str(4 + place % 3), "当初所要額": "60000"}
        for place, number in enumerate(people)
    ]
    file = tmp_path / "shortfall.csv"
    file.write_bytes(written("shortfall", *changes))
    code, _out, err = run("import", "shortfall", file)
    assert code == 3, "令和6年度の事業では、2025 年度の行を取り込まない"
    assert "2024" in err
    chosen = ("--programme", "r7-shortfall")
    for kind in ("residents", "accounts", "protected"):
        assert run("import", kind, WARD_3K / f"{kind}.csv", *chosen)[0] == 0
    build = ("beneficiaries", "build", *chosen, "--today", "2025-08-01", "--out", tmp_path / "out")
    code, _out, err = run(*build)
    assert code == 4
    assert "不足額の算定基礎（shortfall）" in err
    assert run("import", "shortfall", file, *chosen)[0] == 0
    code, out, err = run(*build)
    assert code == 0, err
    assert "不足額給付（I）" in out
    found = rows(tmp_path / "out" / "outcomes.csv")
    assert len(found) == len(people)
    assert {row["対象区分"] for row in found} == {"納税者"}
    # A' = 30,000 × 人数 − 65,000。4 人は当初と同じ、5 人で +30,000 円、6 人で +60,000 円。
    by_number = {row["対象番号"]: int(row["支給額"]) for row in found}
    alive = {number for number, row in zip(by_number, found, strict=True) if row["理由"] != "PAYEE"}
    expected = {number: (place % 3) * 30_000 for place, number in enumerate(people)}
    assert {n: y for n, y in by_number.items() if n in alive} == {n: y for n, y in expected.items() if n in alive}
    summary = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    assert summary["抽出データ"].keys() == {"住民記録", "不足額の算定基礎", "口座", "区が直接扱う人"}


def rows_of_ward(count: int) -> list[str]:
    """見本の区の、基準日の前からいて、いまもいる人。"""
    residents = small_ward.read(WARD_3K / "residents.csv")
    return sorted(row["住民番号"] for row in residents if not row["消除日"])[:count]


def test_a_file_is_shown_with_its_sources_and_checked_before_it_is_put_in_place(
    run: Run,
    ready: Path,
    tmp_path: Path,
) -> None:
    code, out, _err = run("programme", "show", "r6-2024")
    assert code == 0
    assert "adjustment.income_cap" in out.replace("│", "").replace(" ", "").replace("\n", "") or "income_ca" in out
    assert "18,050,000" in out
    file = tmp_path / "my-town.toml"
    file.write_text(town(), encoding="utf-8")
    code, out, _err = run("programme", "check", file)
    assert code == 0
    assert "置くときの名前は town-7man.toml" in out
    file.write_text(town().replace("value = 70000,", "value = -1,"), encoding="utf-8")
    code, _out, err = run("programme", "check", file)
    assert code == 3
    assert "benefits.T-1.amount_yen" in err
    (ready / "programmes").mkdir()
    (ready / "programmes" / "town-7man.toml").write_text(town(), encoding="utf-8")
    assert "town-7man" in run("programme", "list")[1].replace("\n", "")


def test_the_commands_know_the_programmes_that_are_there(run: Run, ready: Path) -> None:
    code, _out, err = run("beneficiaries", "build", "--programme", "r5", "--today", "2024-06-20", "--out", "x")
    assert code == 2
    assert "r6-2024、r7-shortfall" in err
    assert cli.app
