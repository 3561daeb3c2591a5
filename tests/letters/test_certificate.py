"""判定証明の紙: 答えの全部が載り、受け取る人のほかの税額は載らず、頁は n／m で続き、同じ判定からは同じバイト列。"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from benefit.domain.errors import WrongUse
from benefit.domain.programme import Programme
from benefit.records import certificates as layout
from benefit.rules.facts import Facts
from benefit.rules.outcomes import checks_of, decide
from benefit.services import certificates
from benefit.services.certificates import Record
from benefit.services.explain_certificate import Certificate, of_household, of_person
from letters import certificate
from letters.glyphs import missing
from tests.rules.make import PROGRAMME, TODAY, Ward
from tests.services_explain.invented import R7, invented

ISSUED = date(2024, 7, 1)
FILES = {kind: (f"{kind}.csv", "ab" * 32) for kind in ("residents", "taxes", "shortfall", "prior", "protected")}


def recorded(facts: Facts, programme: Programme = PROGRAMME, today: date = TODAY) -> Record:
    decisions = decide(facts, programme, today)
    members = decisions.persons.select("person_number", "household_number", "tax_class", "supporter_class")
    table = layout.table(
        {
            "人": members.join(facts.residents.select("person_number", "line"), on="person_number"),
            "世帯": decisions.households,
            "児童": decisions.children,
            "納税者": decisions.taxpayers,
        },
        checks_of(programme),
    )
    described = {"版": {"benefit": "0", "所得税": "EST-1/2024"}, "事業": programme.id, "事業の指紋": programme.digest}
    return Record(table.lazy(), facts, programme, today, described, FILES, 1, "cd" * 32)


def paper(found: list[Certificate], reader: int | None = None) -> bytes:
    return certificate.render(found, issued_on=ISSUED, reader=reader, case_numbers=["40718293645"] * len(found))


def bare(text: str) -> str:
    """空白と、行の終わりで読み返しの変わる横線を除く。"""
    return re.sub(r"[\s\-\ufffe\u00ad\x02]", "", text)


def flat(pages: list[Any]) -> str:
    return bare("".join(page.text for page in pages))


def couple() -> Ward:
    """課税の夫と、妻。別の世帯に、妻を扶養している親がいる。"""
    ward = Ward()
    ward.person(1, tax={"income_levy_ward_yen": 12_345, "per_capita_levy_yen": 4_321})
    ward.person(9, tax={"income_levy_ward_yen": 65_432}, number=900)
    ward.person(1, relation="妻", tax={"per_capita_levy_yen": 3_210, "supporter_number": 900})
    return ward


def test_the_paper_holds_every_check_its_clause_its_mark_and_the_fingerprints(read_back: Callable[..., Any]) -> None:
    found = of_household(recorded(couple().facts()), 1)
    pages = read_back(paper(found))
    text = flat(pages)
    assert len(pages) == 1
    for check in checks_of(PROGRAMME)["世帯"]:
        for part in (check.id, check.says, check.basis):
            assert bare(part) in text
    assert "×" in text
    for part in ("対象外（TAX）", "40718293645", "abababababababab", "cdcdcdcdcdcdcdcd", "1／1", "令和6年6月20日"):
        assert part in text
    assert PROGRAMME.digest[:16] in text


def test_only_the_reader_sees_his_own_money(read_back: Callable[..., Any]) -> None:
    found = of_household(recorded(couple().facts()), 1)
    husband, wife = found[0].people
    money = {husband: ("12,345", "4,321"), wife: ("3,210",)}
    for reader in (None, husband, wife):
        text = flat(read_back(paper(found, reader)))
        for person, amounts in money.items():
            assert all((amount in text) == (person == reader) for amount in amounts), (reader, person)
        # 課税区分と答えまでは、世帯の紙に載る。
        assert "0000000001課税区分2（所得割課税）" in text


def test_nobody_outside_the_household_is_on_its_paper(read_back: Callable[..., Any]) -> None:
    found = of_household(recorded(couple().facts()), 1)
    for reader in (None, *found[0].people):
        text = flat(read_back(paper(found, reader)))
        assert "0000000900" not in text
        assert "65,432" not in text
        assert "世帯の外の人の扶養" in text
        # 出どころも、世帯の人の行（見出しの次から 1、3 番目）だけである。
        assert "taxes.csv3行目" not in text


def test_who_does_not_belong_to_the_paper_cannot_receive_it() -> None:
    found = of_household(recorded(couple().facts()), 1)
    with pytest.raises(WrongUse, match="この世帯の人"):
        paper(found, 900)


def test_the_account_is_told_to_the_payee_alone(read_back: Callable[..., Any]) -> None:
    ward = Ward()
    head = ward.person(1)
    other = ward.person(1, relation="母")
    ward.add(
        "accounts", person_number=head, account_kind="生活保護", bank_code="9999", branch_code="001",
        account_type="1", account_number="9000001", holder_kana="シケン　タロウ",
    )  # fmt: skip
    found = of_household(recorded(ward.facts()), 1)
    assert "生活保護" in flat(read_back(paper(found, head)))
    for reader in (None, other):
        assert "生活保護" not in flat(read_back(paper(found, reader)))


def test_a_taxpayers_paper_for_another_reader_is_refused_and_for_nobody_holds_no_money(
    read_back: Callable[..., Any],
) -> None:
    ward = Ward()
    person = ward.person(1, tax={"income_levy_ward_yen": 12_345, "total_income_yen": 1_234_567})
    other = ward.person(1, relation="妻")
    found = [one for one in of_person(recorded(ward.facts()), person) if one.kind == "納税者"]
    assert "12,345" in flat(read_back(paper(found, person)))
    text = flat(read_back(paper(found)))
    assert [money for money in ("12,345", "1,234,567") if money in text] == []
    with pytest.raises(WrongUse):
        paper(found, other)


def test_a_protected_person_makes_the_paper_ward_only(read_back: Callable[..., Any]) -> None:
    ward = couple()
    assert "区限り" not in flat(read_back(paper(of_household(recorded(ward.facts()), 1))))
    ward.add("protected", person_number=1, kind="支援措置")
    record = recorded(ward.facts())
    for found in (of_household(record, 1), [one for one in of_person(record, 1) if one.kind == "納税者"]):
        assert "区限り" in flat(read_back(paper(found)))


def test_a_large_household_goes_on_to_the_next_page_with_its_count(read_back: Callable[..., Any]) -> None:
    ward = Ward()
    for place in range(24):
        ward.person(1, relation="世帯主" if place == 0 else "子", birth="1990-01-01")
    ward.person(1, relation="子", birth="2010-01-01")
    found = of_household(recorded(ward.facts()), 1)
    assert [one.kind for one in found] == ["世帯", "児童"]
    pages = read_back(paper(found))
    counts = [re.findall(r"(\d+)／(\d+)", page.text)[-1] for page in pages]
    whole = len(pages) - 1
    assert whole >= 2
    assert counts == [*((str(n), str(whole)) for n in range(1, whole + 1)), ("1", "1")]
    for member in found[0].members:
        assert bare(member.text) in flat(pages)


def test_the_same_decision_gives_the_same_bytes_in_pdf_a() -> None:
    found = of_household(recorded(couple().facts()), 1)
    pdf = paper(found)
    assert pdf == paper(of_household(recorded(couple().facts()), 1))
    assert b"<pdfaid:part>2</pdfaid:part>" in pdf
    assert b"<pdfaid:conformance>U</pdfaid:conformance>" in pdf


@pytest.mark.parametrize("seed", range(4))
def test_the_shortfall_programme_has_the_same_paper(seed: int, read_back: Callable[..., Any]) -> None:
    record = recorded(invented(seed, shortfall=True), R7, date(2025, 8, 1))
    for row in record.rows("納税者")[:3]:
        found = of_person(record, row["number"])
        assert [one.kind for one in found] == ["納税者"]
        text = flat(read_back(paper(found, row["number"])))
        wanted = "II（定額）" if row["fixed"] else "当初所要額"
        assert wanted in text
        for check in checks_of(R7)["納税者"]:
            assert bare(check.says) in text


def test_every_word_can_be_printed() -> None:
    assert all(missing(text) == () for text in certificate.words().values())
    assert certificates.RECORDED == "判定証明"
