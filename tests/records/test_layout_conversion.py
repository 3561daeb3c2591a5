"""レイアウト変換が守る約束: 一件も増えず減らず、往復で元に戻り、入らない値は切らずに断る。"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benefit.domain.errors import RefusedInput, WrongUse
from benefit.records import direct_debit, payeasy, standard_system
from benefit.records.faults import RefusedFile
from benefit.records.file_reader import read
from benefit.records.file_writer import write
from benefit.records.layout_conversion import FUNCTIONS, Converter, constant, take
from benefit.records.layout_conversion import given as handed
from benefit.records.layout_conversions import CONVERSIONS
from benefit.records.layout_registry import BUILT_IN
from tests.records.collection_samples import SAMPLES, sample, table, values_of

HEADER = {"made_on": "20260712", "agent_code": "000001", "biller_code": "0000099999", "usage": "1"}


def converter(name, **changes):
    one = replace(CONVERSIONS[name], **changes)
    return Converter(one, BUILT_IN[one.source], BUILT_IN[one.target])


@pytest.mark.parametrize("name", CONVERSIONS)
def test_every_conversion_moves_every_record_and_names_what_it_cannot_carry(name):
    made = converter(name)
    rows = SAMPLES[made.source.id][1]
    done = made.convert(sample(made.source.id), given=HEADER)
    assert done.count == len(rows)
    reading = read(done.content, made.target)
    assert reading.require().height == len(rows)
    assert reading.headers[0]["made_on"] == "20260712"
    moved = {one for rule in made.conversion.fields.values() for one in rule.fields}
    assert set(done.lost) == {made.source.label_of(n) for n in made.source.data.names if n not in moved}


def there_and_back(first, second, lines, source):
    one, two = converter(first), converter(second)
    header = SAMPLES[source.id][0]
    content = write(source, [(header, table(source, lines))])
    back = two.convert(one.convert(content, given=HEADER).content, given=header)
    return read(back.content, source).require(), back.content == content


def rows_of(layout):
    return st.fixed_dictionaries({field.name: values_of(field) for field in layout.data.fields if field.holds_value})


@settings(max_examples=15, suppress_health_check=list(HealthCheck))
@given(st.lists(rows_of(payeasy.PAID), min_size=1, max_size=5))
def test_collections_to_the_standard_system_and_back_are_the_same_bytes(lines):
    data, same = there_and_back("payeasy-paid-to-standard", "standard-to-payeasy-paid", lines, payeasy.PAID)
    assert data.height == len(lines)
    assert same


@settings(max_examples=15, suppress_health_check=list(HealthCheck))
@given(st.lists(rows_of(standard_system.LEVIES), min_size=1, max_size=5))
def test_levies_to_payeasy_and_back_lose_only_the_notice_number(lines):
    lines = [line | {"notice_number": "0" * 12} for line in lines]
    _, same = there_and_back("levies-to-payeasy-new", "payeasy-to-levies", lines, standard_system.LEVIES)
    assert same


def test_a_bad_source_makes_nothing():
    made = converter("payeasy-paid-to-standard")
    with pytest.raises(RefusedFile, match="納付年月日"):
        made.convert(sample("payeasy-paid").replace(b"20260710", b"20260732"), given=HEADER)


def test_what_does_not_fit_is_refused_with_its_record_not_cut():
    rows = [SAMPLES["standard-paid"][1][0] | {"payment_key": "1" * 21}]
    layout = standard_system.PAID
    content = write(layout, [(SAMPLES["standard-paid"][0], table(layout, rows))])
    with pytest.raises(RefusedFile, match=r"2 行目「納付番号（29～48 バイト目）」: 長すぎます"):
        converter("standard-to-payeasy-paid").convert(content, given=HEADER)


def test_a_value_outside_the_table_is_refused():
    fields = CONVERSIONS["payeasy-paid-to-standard"].fields
    made = converter("payeasy-paid-to-standard", fields={**fields, "means": take("channel", table={"1": "1", "": ""})})
    with pytest.raises(RefusedFile, match="値がありません"):
        made.convert(sample("payeasy-paid"), given=HEADER)


def test_missing_unknown_and_wrong_rules_are_wrong_use():
    fields = dict(CONVERSIONS["payeasy-paid-to-standard"].fields)
    short = {name: rule for name, rule in fields.items() if name != "means"}
    for broken, says in (
        (short, "項目が合いません"),
        ({**fields, "extra": constant("")}, "項目が合いません"),
        ({**fields, "means": take("nothing")}, "元の項目がありません"),
        ({**fields, "means": take("channel", function="eval")}, "関数がありません"),
        ({**fields, "means": take("channel", function="part")}, "length がありません"),
        ({**fields, "means": handed("x")}, "作り方が違います"),
    ):
        with pytest.raises(WrongUse, match=says):
            converter("payeasy-paid-to-standard", fields=broken)
    with pytest.raises(WrongUse, match="渡されていません"):
        converter("payeasy-paid-to-standard").convert(sample("payeasy-paid"), given={})


def test_the_functions_do_what_they_say():
    import polars as pl

    cases = [
        (take("a", function="zero_pad", length=4), ["1", "", "12345"], ["0001", "", "12345"]),
        (take("a", function="strip_zeros"), ["0012", "0"], ["12", ""]),
        (take("a", function="part", start=2, length=2), ["1234"], ["23"]),
        (take("a", function="short_date"), ["20260710", "19991231"], ["260710", None]),
        (take("a", function="long_date"), ["260710", ""], ["20260710", ""]),
        (take("a", function="number"), ["012", "x"], ["012", None]),
        (take("a", function="blank_zeros"), ["000", "010"], ["", "010"]),
        (take("a", function="zeros_if_blank", length=3), ["", "12"], ["000", "12"]),
    ]
    assert {rule.function for rule, _, _ in cases} == set(FUNCTIONS)
    for rule, given_, wanted in cases:
        made = pl.DataFrame({"a": given_}).select(Converter._made(rule, {"a": pl.String()}).alias("b"))
        assert made["b"].to_list() == wanted


def test_groups_of_different_headers_do_not_become_one():
    header, rows = SAMPLES["direct-debit-result"]
    names = standard_system.PAID.data.names
    fields = {name: constant(0 if name in {"amount_yen", "late_fee_yen"} else "") for name in names}
    fields |= {
        "data_kind": constant("02"),
        "channel": constant("direct-debit"),
        "amount_yen": take("amount_yen"),
        "paid_on": constant("20260831"),
    }
    heads = {name: handed(name) for name in HEADER} | {
        "agent_code": take("debit_month_day", function="zero_pad", length=6)
    }
    one = replace(CONVERSIONS["payeasy-paid-to-standard"], source="direct-debit-result", fields=fields, header=heads)
    made = Converter(one, direct_debit.RESULT, standard_system.PAID)
    both = table(direct_debit.RESULT, rows)
    same = write(direct_debit.RESULT, [(header, both), (header, both)])
    done = made.convert(same, given=HEADER)
    assert done.count == 8
    assert read(done.content, standard_system.PAID).headers[0]["agent_code"] == "000831"
    other = write(direct_debit.RESULT, [(header, both), (header | {"debit_month_day": "0930"}, both)])
    with pytest.raises(RefusedInput, match="一つの組に移せません"):
        made.convert(other, given=HEADER)
