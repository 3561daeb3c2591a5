"""事業の定義: 出典のない値も、足りない項目も、違う型も、書けない言葉も、筋の通らない値も読まない。"""

from __future__ import annotations

import re
from datetime import date
from importlib import resources
from pathlib import Path

import pytest

from benefit.domain.errors import RefusedInput, WrongUse
from benefit.domain.programme import Programme

TEXT = (resources.files("benefit") / "programmes" / "r6-2024.toml").read_text(encoding="utf-8")


def test_the_defaults_are_those_of_the_contract() -> None:
    programme = Programme.load("r6-2024")
    assert (programme.base_date, programme.levy_date) == (date(2024, 6, 3), date(2024, 1, 1))
    assert (programme.entered_from, programme.levy_year) == (date(2024, 1, 2), 2024)
    assert programme.under_16_born_from == date(2008, 1, 2)
    assert programme.child is not None
    assert programme.child.born_from == date(2006, 4, 2)
    amounts = {benefit.id: benefit.amount_yen for benefit in programme.benefits.values()}
    assert amounts == {"R6-1": 100_000, "R6-2": 100_000, "R6-3": 50_000, "R6-4": None}
    assert programme.adjustment is not None
    assert (programme.adjustment.rounding_yen, programme.adjustment.income_cap_yen) == (10_000, 18_050_000)
    assert programme.route.account_precedence == ("生活保護", "過去給付", "公金受取")


def test_every_value_has_a_source_and_the_digest_follows_the_text() -> None:
    programme = Programme.parse(TEXT, file="x.toml")
    assert len(programme.sources) == len(re.findall(r"[{,] source = ", TEXT))
    assert all(programme.sources.values())
    assert programme.sources["adjustment.income_cap_yen"].startswith("契約 §2")
    changed = Programme.parse(TEXT.replace("value = 50000,", "value = 50001,"), file="x.toml")
    assert changed.benefits["R6-3"].amount_yen == 50_001
    assert changed.digest != programme.digest == Programme.load("r6-2024").digest


CAP = r"(income_cap_yen = ){ value = 18050000"


@pytest.mark.parametrize(
    ("old", "new", "code", "says"),
    [
        ("[^\n]*income_cap_yen[^\n]*\n", "", "programme-keys", "表「adjustment」.*足りない: income_cap_yen"),
        ("income_cap_yen", "income_kap_yen", "programme-keys", "知らない: income_kap_yen"),
        (r"\[office\](.|\n)*", "", "programme-keys", "足りない: office"),
        (r"\[child\]", "[kids]", "programme-keys", "知らない: kids"),
        (r"(income_cap_yen = ){[^}]*}", r"\g<1>18050000", "programme-source", "adjustment.income_cap_yen"),
        (r"(income_cap_yen.*)source = [^}]*}", r'\g<1>source = "" }', "programme-source", "income_cap_yen"),
        (CAP, r"\g<1>{ note = 1, value = 18050000", "programme-source", "value と source だけ"),
        (CAP, r"\g<1>{ value = 18050000.0", "programme-type", "float"),
        (CAP, r"\g<1>{ value = true", "programme-type", "bool"),
        (CAP, r'\g<1>{ value = "18050000"', "programme-type", "str"),
        (r"(base_date = ){ value = 2024-06-03", r"\g<1>{ value = 2024-06-31", "programme-toml", "TOML"),
        (r'value = "HOLD", source = "benefit-rules K1', 'value = "SKIP", source = "K1', "programme-word", "HOLD、EXCLUDE"),
        (r'"総務部総務課"', '" "', "programme-type", "office.office_name"),
        (r"\[40000000, 45, 4796000\]", "[40000000, 45]", "programme-type", "quick_table"),
        (r"(base_date = ){ value = 2024-06-03", r"\g<1>{ value = 2023-06-03", "programme-sense", "賦課期日"),
        (r"(contract_to = ){ value = 2024-11-29", r"\g<1>{ value = 2024-10-30", "programme-sense", "委託の終わり"),
        (r'\["生活保護", "過去給付", "公金受取"\]', '["生活保護", "公金受取"]', "programme-sense", "並べ替え"),
        (r"(line_block_yen = ){ value = 1000000", r"\g<1>{ value = 46300000", "programme-sense", "阿武町"),
        (r'who = { value = "child"', 'who = { value = "taxpayer"', "programme-sense", "同じ相手"),
        (r"\[conditions.ADJ\]", "[conditions.ADJUST]", "programme-sense", "conditions"),
        (r"value = 50000,", "value = 0,", "programme-sense", "benefits.R6-3.amount_yen"),
        (r'(name = { value = "調整給付".*)', '\\1\namount_yen = { value = 1, source = "x" }', "programme-sense", "計算で"),
        (r"  \[40000000, 45, 4796000\],\n", "", None, ""),
    ],
)  # fmt: skip
def test_a_damaged_programme_is_refused_by_the_item(old: str, new: str, code: str | None, says: str) -> None:
    text = re.sub(old, new, TEXT)
    assert text != TEXT
    if code is None:
        assert Programme.parse(text, file="x.toml")
        return
    with pytest.raises(RefusedInput, match=says) as refused:
        Programme.parse(text, file="x.toml")
    assert refused.value.code == code
    assert str(refused.value).startswith("x.toml")


def test_an_unknown_programme_names_those_there_are() -> None:
    with pytest.raises(WrongUse, match="r6-2024、r7-shortfall"):
        Programme.load("r5-2023")


def test_the_wards_own_file_goes_before_the_shipped_one(tmp_path: Path) -> None:
    assert Programme.load("r6-2024", folder=tmp_path) == Programme.load("r6-2024")
    (tmp_path / "r6-2024.toml").write_text(TEXT.replace("value = 50000,", "value = 60000,"), encoding="utf-8")
    assert Programme.load("r6-2024", folder=tmp_path).benefits["R6-3"].amount_yen == 60_000
    (tmp_path / "r9.toml").write_text(TEXT, encoding="utf-8")
    with pytest.raises(RefusedInput, match="id がファイル名と違います"):
        Programme.load("r9", folder=tmp_path)
    assert "r9" in Programme.known(tmp_path)
    (tmp_path / "r6-2024.toml").write_bytes("名前".encode("cp932"))
    with pytest.raises(RefusedInput, match="UTF-8"):
        Programme.load("r6-2024", folder=tmp_path)


def test_a_what_if_changes_one_value_and_says_so() -> None:
    changes = {"adjustment.income_cap_yen": "20,000,000", "base_date": "2024-06-10", "household.undeclared": "EXCLUDE"}
    tried = Programme.load("r6-2024", changes=changes)
    assert tried.adjustment is not None
    assert tried.household is not None
    assert (tried.adjustment.income_cap_yen, tried.base_date) == (20_000_000, date(2024, 6, 10))
    assert tried.household.undeclared == "EXCLUDE"
    assert tried.sources["base_date"] == "試算（--set）"
    assert tried.digest != Programme.load("r6-2024").digest
    assert tried.name == Programme.load("r6-2024").name


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"adjustment.cap": "1"}, WrongUse, "adjustment.cap"),
        ({"adjustment.income_cap_yen": "多い"}, WrongUse, "整数"),
        ({"base_date": "2024-06-31"}, WrongUse, "日付"),
        ({"household.undeclared": "MAYBE"}, RefusedInput, "HOLD、EXCLUDE"),
        ({"route.account_precedence": "公金受取"}, WrongUse, "並び"),
        ({"benefits.R6-1.amount_yen": "0"}, RefusedInput, "1 円以上"),
    ],
)
def test_a_what_if_that_cannot_be_is_refused(changes: dict[str, str], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        Programme.load("r6-2024", changes=changes)
