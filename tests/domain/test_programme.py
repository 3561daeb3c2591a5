"""事業の定義: 出典のない値も、足りない項目も、違う型も読まない。"""

from __future__ import annotations

import re
from dataclasses import fields
from datetime import date
from importlib import resources

import pytest

from benefit.domain.errors import RefusedInput, WrongUse
from benefit.domain.programme import Programme

TEXT = (resources.files("benefit") / "programmes" / "r6-2024.toml").read_text(encoding="utf-8")


def test_the_defaults_are_those_of_the_contract() -> None:
    programme = Programme.load("r6-2024")
    assert (programme.base_date, programme.levy_date) == (date(2024, 6, 3), date(2024, 1, 1))
    assert (programme.child_born_from, programme.under_16_born_from) == (date(2006, 4, 2), date(2008, 1, 2))
    assert (programme.entered_from, programme.levy_year) == (date(2024, 1, 2), 2024)
    amounts = (programme.amount_untaxed_yen, programme.amount_per_capita_yen, programme.amount_child_yen)
    assert amounts == (100_000, 100_000, 50_000)
    assert (programme.adjustment_rounding_yen, programme.income_cap_yen) == (10_000, 18_050_000)


def test_every_value_has_a_source_and_the_digest_follows_the_text() -> None:
    programme = Programme.parse(TEXT, file="x.toml")
    assert set(programme.sources) == {f.name for f in fields(Programme)} - {"sources", "digest"}
    assert all(programme.sources.values())
    changed = Programme.parse(TEXT.replace("value = 50000,", "value = 50001,"), file="x.toml")
    assert changed.amount_child_yen == 50_001
    assert changed.digest != programme.digest == Programme.load("r6-2024").digest


@pytest.mark.parametrize(
    ("old", "new", "code", "says"),
    [
        ("[^\n]*amount_child_yen[^\n]*\n", "", "programme-keys", "足りない: amount_child_yen"),
        ("amount_child_yen", "amount_kid_yen", "programme-keys", "知らない: amount_kid_yen"),
        (r"(amount_child_yen = ){[^}]*}", r"\g<1>50000", "programme-source", "amount_child_yen"),
        (r"(amount_child_yen.*)source = [^}]*}", r'\g<1>source = "" }', "programme-source", "amount_child_yen"),
        (r"(amount_child_yen = ){ value = 50000", r"\g<1>{ value = 50000.0", "programme-type", "float"),
        (r"(amount_child_yen = ){ value = 50000", r"\g<1>{ value = true", "programme-type", "bool"),
        (r"(amount_child_yen = ){ value = 50000", r'\g<1>{ value = "50000"', "programme-type", "str"),
        (r"(base_date = ){ value = 2024-06-03", r"\g<1>{ value = 2024-06-31", "programme-toml", "TOML"),
    ],
)
def test_a_damaged_programme_is_refused_by_the_item(old: str, new: str, code: str, says: str) -> None:
    text = re.sub(old, new, TEXT)
    assert text != TEXT
    with pytest.raises(RefusedInput, match=says) as refused:
        Programme.parse(text, file="x.toml")
    assert refused.value.code == code
    assert str(refused.value).startswith("x.toml")


def test_an_unknown_programme_names_those_there_are() -> None:
    with pytest.raises(WrongUse, match="r6-2024"):
        Programme.load("r5-2023")
