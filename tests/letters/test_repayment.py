"""返還請求書と納付書: 一件に二頁、額と納付番号は台帳のとおり、届かない人・刷れない字の紙は作らない。"""

from __future__ import annotations

import tomllib
from datetime import date
from importlib import resources
from typing import Any

import pypdfium2
import pytest

from benefit.domain.programme import Programme
from benefit.domain.transfer import REPAYMENT_CAUSES
from benefit.services.repayments import slip_number
from letters import geometry
from letters.repayment import _letter, render, words

PROGRAMME = Programme.load("r6-2024")
ISSUED = date(2024, 8, 20)
ROW: dict[str, Any] = {
    "case_number": "40718293645",
    "branch": 1,
    "benefit": "R6-1",
    "payee_dead": False,
    "postal_code": "1600022",
    "address": "東京都新宿区新宿一丁目6番地の26",
    "address2": "コーポ新宿御苑210号室",
    "name": "甲野　乙子",
    "addressee": None,
    "transferred_on": date(2024, 8, 2),
    "paid_yen": 100_000,
    "outstanding_yen": 40_000,
    "cause": "過払",
    "due_on": date(2024, 9, 20),
    "slip": slip_number(7),
}


def letter(**changes: Any) -> dict[str, Any] | str:
    return _letter({**ROW, **changes}, PROGRAMME, words(PROGRAMME), ISSUED)


def pages(pdf: bytes) -> list[str]:
    document = pypdfium2.PdfDocument(pdf)
    try:
        found = []
        for page in document:
            text = page.get_textpage()
            found.append(text.get_text_bounded().replace("\r\n", "\n"))
            text.close()
            page.close()
        return found
    finally:
        document.close()


def test_two_pages_say_what_is_owed_and_the_same_claim_gives_the_same_bytes() -> None:
    made = [letter(), letter(name="丙山　丁", case_number="11111111111", slip=slip_number(8))]
    pdf = render(made, words(PROGRAMME), ISSUED)  # type: ignore[arg-type]
    assert render(made, words(PROGRAMME), ISSUED) == pdf  # type: ignore[arg-type]
    request, slip, other_request, other_slip = pages(pdf)
    for text in (request, slip):
        assert "40,000円" in text
        assert slip_number(7) in text
        assert "令和6年9月20日（金）" in text
    assert "100,000円" in request
    assert "お支払いした額が、正しい額より多かったため" in request
    # 納付書は三枚つづり。どの片にも、番号と額がある。
    assert slip.count("40,000円") == slip.count(slip_number(7)) == 3
    # 隣の人の番号や名は、混ざらない（封入の照合は頁ごと）。
    for text in (other_request, other_slip):
        assert "甲野" not in text
        assert "11111111111-01" in text
    for place, text in enumerate((request, slip), 1):
        assert f"40718293645-01　{place}/2" in text


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"payee_dead": True}, "亡くなって"),
        ({"address": None}, "送付先"),
        ({"name": None}, "送付先"),
        ({"outstanding_yen": 0}, "全額が返って"),
        ({"name": "甲野\ue000子"}, "U+E000"),
        ({"address": "東京都" + "長い町" * 60}, "枠に入らない"),
    ],
)
def test_a_paper_that_must_not_leave_is_held_with_its_reason(changes: dict[str, Any], why: str) -> None:
    held = letter(**changes)
    assert isinstance(held, str)
    assert why in held


def test_a_guardian_is_written_to_and_the_payer_stays_the_payee() -> None:
    made = letter(addressee="後見　太郎")
    assert isinstance(made, dict)
    assert made["payer"] == ROW["name"]
    assert any("後見" in line["text"] for line in made["address"])


def test_every_cause_has_words_and_no_account_is_on_the_paper() -> None:
    text = (resources.files("letters") / "words" / "repayment.toml").read_text(encoding="utf-8")
    assert set(tomllib.loads(text)["causes"]) == set(REPAYMENT_CAUSES)
    for cause in REPAYMENT_CAUSES:
        assert isinstance(letter(cause=cause), dict)
    # 口座番号は、どこにも載せない（この紙を真似た詐欺に、口座を教えない）。
    assert "口座番号" not in "".join(pages(render([letter()], words(PROGRAMME), ISSUED)))  # type: ignore[list-item]


def test_only_the_address_is_where_the_window_may_look() -> None:
    document = pypdfium2.PdfDocument(render([letter()], words(PROGRAMME), ISSUED))  # type: ignore[list-item]
    page = document[0]
    text = page.get_textpage()
    point = 72 / 25.4
    seen = geometry.EVER_SEEN
    height = page.get_height()
    inside = text.get_text_bounded(
        left=max(seen.x, 0) * point,
        right=seen.right * point,
        top=height - max(seen.y, 0) * point,
        bottom=height - seen.bottom * point,
    )
    text.close()
    page.close()
    document.close()
    assert "".join(inside.split()) == "〒160-0022東京都新宿区新宿一丁目6番地の26コーポ新宿御苑210号室甲野乙子様"
