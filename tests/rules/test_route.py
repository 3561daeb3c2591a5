"""届け方と名義（契約 §2 Route）。"""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benefit.domain.kana import agreement_key
from benefit.rules.name_agreement import agrees, key
from tests.rules.make import Ward


def account(ward: Ward, person: int, kind: str, holder: str = "ｼｹﾝ ﾀﾛｳ") -> None:
    ward.add(
        "accounts", person_number=person, account_kind=kind, bank_code="9999", branch_code="001", account_type="1",
        account_number="9000001", holder_kana=holder,
    )  # fmt: skip


def route(ward: Ward) -> tuple[str, str]:
    row = ward.household()
    return row["route"], row["account_flag"]


def test_without_an_account_a_confirmation_letter() -> None:
    ward = Ward()
    ward.person()
    assert route(ward) == ("CONFIRM", "0")


@pytest.mark.parametrize(
    ("kinds", "flag"),
    [
        (["公金受取"], "3"),
        (["過去給付", "公金受取"], "2"),
        (["公金受取", "生活保護", "過去給付"], "1"),
    ],
)
def test_the_account_is_the_first_by_precedence(kinds: list[str], flag: str) -> None:
    ward = Ward()
    head = ward.person()
    for kind in kinds:
        account(ward, head, kind)
    assert route(ward) == ("PUSH", flag)


def test_a_better_account_with_a_wrong_name_is_not_passed_over() -> None:
    ward = Ward()
    head = ward.person()
    account(ward, head, "生活保護", "ﾍﾞﾂｼﾞﾝ")
    account(ward, head, "公金受取")
    assert route(ward) == ("CONFIRM", "1")


@pytest.mark.parametrize("registered", ["有", "無", "提供停止"])
def test_an_account_answer_replaces_or_removes_the_registered_account(registered: str) -> None:
    ward = Ward()
    head = ward.person()
    account(ward, head, "公金受取", "ﾍﾞﾂｼﾞﾝ")
    given_account = {"bank_code": "9999", "branch_code": "001", "account_type": "1", "account_number": "9000002"}
    ward.add(
        "account_answers", inquiry_number="K1", person_number=head, registered=registered,
        **(given_account | {"holder_kana": "ｼｹﾝ ﾀﾛｳ"} if registered == "有" else {}),
    )  # fmt: skip
    assert route(ward) == (("PUSH", "3") if registered == "有" else ("CONFIRM", "0"))


def test_one_protected_member_makes_the_household_and_its_taxpayers_ward_only() -> None:
    ward = Ward()
    head = ward.person(tax={"taxable_income_yen": 0, "filed_income_tax_yen": 5_000})
    child = ward.person(relation="子", birth="2015-01-01")
    account(ward, head, "公金受取")
    ward.add("protected", person_number=child, kind="DV")
    decisions = ward.decide()
    assert set(decisions.outcomes.filter(pl.col("verdict") == "対象")["route"]) == {"WARD"}
    assert route(ward) == ("WARD", "3")


def test_a_protected_person_who_moved_away_is_ward_only_for_himself() -> None:
    from datetime import date

    ward = Ward()
    gone = ward.person(
        tax={"filed_income_tax_yen": 5_000}, removed_on=date(2024, 5, 1), removed_reason="転出", household=1
    )
    stays = ward.person(tax={"filed_income_tax_yen": 5_000})
    ward.add("protected", person_number=gone, kind="DV")
    assert ward.taxpayer(gone)["route"] == "WARD"
    assert ward.taxpayer(stays)["route"] == "CONFIRM"


def test_no_kana_name_is_never_a_match() -> None:
    ward = Ward()
    head = ward.person(kana_name=None)
    account(ward, head, "公金受取")
    assert route(ward) == ("CONFIRM", "3")
    ward.add(
        "addresses",
        person_number=head,
        kind="転出先",
        name="x",
        kana_name="シケン　タロウ",
        postal_code="1",
        address="x",
    )
    assert route(ward) == ("PUSH", "3")


def test_an_address_row_without_kana_or_a_guardians_name_hides_nothing() -> None:
    ward = Ward()
    head = ward.person(kana_name=None)
    account(ward, head, "公金受取")
    written = (("住登外", "シケン　タロウ"), ("転出先", None), ("法定代理人", "ヤマダ　ハナコ"))
    for kind, kana in written:
        ward.add(
            "addresses", person_number=head, kind=kind, name="試験", kana_name=kana, postal_code="1", address="東京都"
        )
    assert route(ward) == ("PUSH", "3")


LONG = "アベシデンカンパニーホールディングス　タロウエモンノジョウ"


@pytest.mark.parametrize(
    ("holder", "name", "same"),
    [
        ("ﾔﾏﾀﾞ ﾀﾛｳ", "ヤマダ　タロウ", True),
        ("ﾔﾏﾀﾞﾀﾛｳ", "ヤマダ　タロウ", True),
        ("ｼﾖｳｺﾞ", "ショウゴ", True),
        ("ｼﾞﾖ-ｼﾞ", "ジョージ", True),
        ("smith john", "ＳＭＩＴＨ　ＪＯＨＮ", True),
        ("ｱﾝ･ｼﾞﾖﾝ.", "アン　ジョン", True),
        ("ﾊﾏｵ", "ハマヲ", False),
        ("ﾂｽﾞｷ", "ツヅキ", False),
        ("ﾀﾛｳ ﾔﾏﾀﾞ", "ヤマダ　タロウ", False),
        ("ﾔﾏﾀﾞ ﾀﾛ", "ヤマダ　タロウ", False),
        ("ﾔﾏﾀ ﾀﾛｳ", "ヤマダ　タロウ", False),
        ("ﾊﾟﾝﾀﾞ", "バンダ", False),
        ("A" * 30, "Ａ" * 35, True),
        ("A" * 29, "Ａ" * 35, False),
        ("A" * 29, "Ａ" * 29 + "　" + "Ｂ" * 5, True),
        ("A" * 28, "Ａ" * 28 + "　" + "Ｂ" * 5, False),
        ("ｶﾞ" * 15, "ガ" * 20, True),
        ("A" * 31, "Ａ" * 30, False),
    ],
)
def test_names_agree_by_width_case_small_kana_and_dashes_only(holder: str, name: str, same: bool) -> None:
    frame = pl.DataFrame({"h": [holder], "n": [name]})
    assert frame.select(agrees(pl.col("h"), pl.col("n"))).item() is same


@settings(max_examples=300, deadline=None, database=None)
@given(st.lists(st.text(st.characters(exclude_categories=("Cs", "Cn")), max_size=20), min_size=1, max_size=5))
def test_the_column_key_is_the_same_as_the_single_key(texts: list[str]) -> None:
    found = pl.DataFrame({"t": texts}).select(key(pl.col("t"))).to_series().to_list()
    assert found == [agreement_key(text) for text in texts]
