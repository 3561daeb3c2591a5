"""事実を変える申請: 証明書は照会の回答と同じに読み、更正は世帯の給付だけに効き、送付先は手紙だけを変える。"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benefit.domain.errors import RefusedByRule
from benefit.services import claims_form, extracts
from benefit.services.gate import people
from benefit.services.home import Home
from benefit.services.standing import gather
from letters.proofing.ledger import people_of
from tests.services.claim_ward import TODAY, Office, small_office
from tests.services.inquiry_ward import PROGRAMME


@pytest.fixture
def office(home: Home, tmp_path: Path) -> Office:
    return small_office(home, tmp_path)


def test_a_certificate_answers_what_the_inquiry_could_not(office: Office) -> None:
    household = ("世帯", "0000000003")
    assert office.outcomes()[household]["理由"] == "INQUIRY"
    free = claims_form.certificate(
        "certificate", office.person("転入"), answer="非課税",
        per_capita_yen=None, before_cut_yen=None, after_cut_yen=None, treaty_exempt=False,
    )  # fmt: skip
    office.accept(free)
    row = office.outcomes()[household]
    assert (row["給付種別"], row["判定"], row["支給額"]) == ("R6-1", "対象", "100000")
    with pytest.raises(RefusedByRule, match="もう分かっています"):
        office.accept(free)


@pytest.mark.parametrize(
    ("answer", "levy", "before", "after", "treaty", "expected"),
    [
        ("非課税", None, None, None, False, ("R6-1", "対象", "")),
        ("課税", 4000, 0, None, False, ("R6-2", "対象", "")),
        ("課税", 4000, 100, None, False, ("R6-H", "対象外", "TAX")),
        ("課税", None, None, 100, False, ("R6-H", "対象外", "TAX")),
        ("未申告", None, None, None, False, ("R6-H", "未確定", "DECLARED")),
        ("非課税", None, None, None, True, ("R6-H", "対象外", "TREATY")),
        # 減税後の 0 では分からない（E.2 trap 1）。
        ("課税", 4000, None, 0, False, None),
    ],
)
def test_a_certificate_is_read_as_an_answer_of_that_content(
    office: Office, answer: str, levy: Any, before: Any, after: Any, treaty: bool, expected: Any
) -> None:
    form = claims_form.certificate(
        "certificate", office.person("転入"), answer=answer,
        per_capita_yen=levy, before_cut_yen=before, after_cut_yen=after, treaty_exempt=treaty,
    )  # fmt: skip
    if expected is None:
        with pytest.raises(RefusedByRule, match="区分が決まりません"):
            office.accept(form)
        return
    office.accept(form)
    row = office.outcomes()["世帯", "0000000003"]
    assert (row["給付種別"], row["判定"], row["理由"]) == expected


def test_a_conclusive_network_answer_beats_the_paper(office: Office) -> None:
    """証明書の後に、役所どうしの回答が届いたら、それが勝つ。答えになっていない回答は、証明書を消さない。"""
    office.town.ask()
    form = claims_form.certificate(
        "certificate", office.person("転入"), answer="非課税",
        per_capita_yen=None, before_cut_yen=None, after_cut_yen=None, treaty_exempt=False,
    )  # fmt: skip
    office.accept(form)
    office.town.answer(("転入", 1, "エラー"))
    assert office.outcomes()["世帯", "0000000003"]["判定"] == "対象"
    office.town.answer(("転入", 1, "課税", "4000", "50000", "40000"))
    assert office.outcomes()["世帯", "0000000003"]["理由"] == "TAX"


def corrected(office: Office, name: str, answer: str, levy: Any = None, before: Any = None) -> claims_form.Form:
    return claims_form.certificate(
        "tax-correction", office.person(name), answer=answer,
        per_capita_yen=levy, before_cut_yen=before, after_cut_yen=None, treaty_exempt=False,
    )  # fmt: skip


def test_a_tax_correction_moves_the_household_and_leaves_the_adjustment_frozen(office: Office) -> None:
    before = office.outcomes()
    assert before["世帯", "0000000002"]["理由"] == "TAX"
    taxpayers = {key: row for key, row in before.items() if key[0] == "納税者"}
    office.accept(corrected(office, "二父", "非課税"))
    after = office.outcomes()
    assert (after["世帯", "0000000002"]["給付種別"], after["世帯", "0000000002"]["判定"]) == ("R6-1", "対象")
    assert after["児童", office.person("二子")]["支給額"] == "50000"
    assert {key: row for key, row in after.items() if key[0] == "納税者"} == taxpayers


def test_a_correction_upward_takes_the_household_out(office: Office) -> None:
    assert office.outcomes()["世帯", "0000000001"]["判定"] == "対象"
    office.accept(corrected(office, "父", "課税", 4000, 5000))
    assert office.outcomes()["世帯", "0000000001"]["理由"] == "TAX"


def test_a_newer_extract_beats_an_older_correction(office: Office) -> None:
    """更正の後に届いた抽出データでもう一度変わった人は、新しい抽出データのとおりになる。"""
    office.accept(corrected(office, "二父", "非課税"))
    office.change("taxes", "二父", 減税前所得割額_区="0", 減税前所得割額_都="0")
    assert office.outcomes()["世帯", "0000000002"]["給付種別"] == "R6-2"


def test_a_correction_that_changes_nothing_or_came_too_late_is_refused(office: Office) -> None:
    with pytest.raises(RefusedByRule, match="区分が変わらない"):
        office.accept(corrected(office, "二父", "課税", 4000, 999))
    claim = office.enter(corrected(office, "二父", "非課税"))
    office.change("taxes", "二父", 減税前所得割額_区="0", 減税前所得割額_都="0")
    with pytest.raises(RefusedByRule, match="抽出データの税が変わりました"):
        office.decide(claim)


def test_an_undeclared_adult_is_settled_by_the_copy_of_the_return(office: Office) -> None:
    office.town.add("未申告", 5)
    office.town.load("residents")
    assert office.outcomes()["世帯", "0000000005"]["理由"] == "DECLARED"
    office.accept(corrected(office, "未申告", "非課税"))
    assert office.outcomes()["世帯", "0000000005"]["判定"] == "対象"


def test_a_guardian_changes_where_the_letter_goes_and_nothing_else(office: Office) -> None:
    plain = office.build()
    known = people(gather(office.home, PROGRAMME, TODAY)).filter(person_number=int(office.person("父")))
    office.accept(
        claims_form.guardian(
            office.person("父"), name="後見　一郎", kana_name="コウケン　イチロウ",
            postal="160-0001", address="架空県代理町2-2", address2="201",
        )
    )  # fmt: skip
    out = office.build()
    assert (out / "outcomes.csv").read_bytes() == (plain / "outcomes.csv").read_bytes()
    now = people(gather(office.home, PROGRAMME, TODAY)).filter(person_number=int(office.person("父")))
    row, was = now.row(0, named=True), known.row(0, named=True)
    assert (row["addressee"], row["postal_code"], row["address"], row["address2"]) == (
        "後見　一郎", "1600001", "架空県代理町2-2", "201",
    )  # fmt: skip
    assert (row["name"], row["kana_name"]) == (was["name"], was["kana_name"])
    # 手紙の読み返しも、受理した申請の送り先を、別の道で知っている。
    names, guardians, places = people_of(
        office.home, PROGRAMME, extracts.current_sources(office.home, PROGRAMME.levy_year), now.select("person_number")
    )
    number = row["person_number"]
    assert (names[number], guardians[number]) == (was["name"], "後見　一郎")
    assert places[number] == ("1600001", "架空県代理町2-2", "201")
