"""読み返し: 紙と台帳が一字でも違えば、その組を止め、番号・項目・頁を名ざす（わざと入れた誤りの一つ一つ）。"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benefit.domain.letter import LETTER_KINDS
from benefit.services.files import sha256_of
from benefit.services.mailing_lots import LotState
from letters import proof
from letters.content import LetterContent
from letters.printing import print_pages
from letters.proof import Proof, chosen_pages, prove_file, summary
from letters.proofing.compare import Comparing
from letters.proofing.ledger import Expected
from letters.proofing.reading import read_pages
from letters.sheet_code import SheetCode
from letters.words import load_words

KEY = b"k" * 32
IVS_NAME = "辻\U000e0101　葛\U000e0100子"


def coded(content: LetterContent, key: bytes = KEY) -> LetterContent:
    kind = int(LETTER_KINDS[content.kind].number.removeprefix("L"))
    code = SheetCode.of(key, content.case_number, content.branch, kind, 1, 1, 7)
    return replace(content, sheet_codes=(code.digits,))


def in_the_ledger(content: LetterContent) -> Expected:
    """台帳が言うはずのこと。"""
    assert content.due_on is not None
    return Expected(
        0, content.case_number, content.branch, content.kind, content.postal_code, content.address, content.address2,
        content.name, content.benefit_names[0], content.amount_yen, (content.masked_account or "")[-3:],
        content.issued_on, content.due_on, (), content.payee_name,
    )  # fmt: skip


def proved(tmp_path: Path, printed: list[LetterContent], ledger: list[Expected]) -> Proof:
    kind = printed[0].kind
    pdf = print_pages(printed, load_words(kind))
    (tmp_path / "lot.pdf").write_bytes(pdf)
    lot = LotState(1, 1, kind, "printer", "f", "lot.pdf", sha256_of(pdf), len(ledger), None, None)
    return prove_file(tmp_path / "lot.pdf", lot, ledger, KEY)


def found(tmp_path: Path, printed: list[LetterContent], ledger: list[Expected]) -> list[tuple[int, str, str]]:
    return [(each.page, each.case_number, each.field) for each in proved(tmp_path, printed, ledger).mismatches]


@pytest.fixture
def three(notice) -> list[LetterContent]:
    return [
        coded(notice(case_number="10000000011", name=IVS_NAME)),
        coded(notice(case_number="10000000022", address="東京都新宿区西新宿二丁目8番1号", address2="")),
        coded(notice(case_number="10000000033", name="MARIA DOS SANTOS", account_flag="3", masked_account=None)),
    ]


@pytest.fixture
def ledger(three) -> list[Expected]:
    return [in_the_ledger(each) for each in three]


def test_a_right_lot_has_nothing_to_say(three, ledger, tmp_path) -> None:
    done = proved(tmp_path, three, ledger)
    assert done.mismatches == ()
    assert (done.letters, done.pages, done.rasters) == (3, 3, 3)
    assert "食い違いはありません" in summary(done)
    assert IVS_NAME not in done.report.decode()


def test_confirmation_letters_read_back_too(letter, tmp_path) -> None:
    printed = [coded(letter(amount_yen=100_000)), coded(letter(case_number="00000000022", name="髙﨑　德邉"))]
    assert found(tmp_path, printed, [in_the_ledger(each) for each in printed]) == []


@pytest.mark.parametrize("printed", ["", "辻\U000e0100　葛\U000e0100子", "乙野　甲子"])
def test_a_guardians_letter_about_somebody_else_is_named(letter, tmp_path, printed: str) -> None:
    right = coded(letter(name="後見　太郎", payee_name=IVS_NAME))
    assert found(tmp_path, [right], [in_the_ledger(right)]) == []
    wrong = coded(letter(name="後見　太郎", payee_name=printed))
    assert found(tmp_path, [wrong], [in_the_ledger(right)]) == [(1, right.case_number, "受給者の氏名")]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "辻　葛\U000e0100子"}, "氏名"),  # 異体字セレクタが一つ落ちた
        ({"name": "辻\U000e0100　葛\U000e0100子"}, "氏名"),  # 別の異体字
        ({"name": "辻\U000e0101 葛\U000e0100子"}, "氏名"),  # 全角の空きが半角になった
        ({"address": "東京都新宿区新宿一丁目6番地の27"}, "住所"),
        ({"address2": ""}, "氏名"),  # 方書が抜け、その場所に氏名が来た
        ({"postal_code": "1600023"}, "郵便番号"),
        ({"branch": 2}, "封入の符号"),
        ({"benefit_names": ("こども加算",)}, "給付の名"),
        ({"amount_yen": 100_000}, "支給予定額"),  # 外に出してはならない額
        ({"masked_account": "架空銀行 本店 普通 ****124"}, "口座"),
    ],
)
def test_one_wrong_item_is_named_with_its_number_and_page(change, field, three, ledger, tmp_path) -> None:
    wrong = coded(replace(three[0], sheet_codes=(), **change))
    named = found(tmp_path, [wrong, *three[1:]], ledger)
    assert (1, "10000000011", field) in named or (field == "氏名" and (1, "10000000011", "住所") in named)
    assert {page for page, _, _ in named} == {1}


def test_two_letters_that_changed_places_are_both_named(three, ledger, tmp_path) -> None:
    named = found(tmp_path, [three[1], three[0], three[2]], ledger)
    assert {(1, "10000000011", "給付管理番号"), (2, "10000000022", "給付管理番号")} <= set(named)
    assert {page for page, _, _ in named} == {1, 2}


def test_the_number_of_another_person_on_a_page_is_named(three, ledger, tmp_path) -> None:
    stray = coded(replace(three[2], sheet_codes=(), programme_name="給付金 10000000022"))
    done = proved(tmp_path, [*three[:2], stray], ledger)
    others = [each for each in done.mismatches if each.field == "ほかの人の番号"]
    assert [(each.page, each.case_number) for each in others] == [(3, "10000000033")]
    assert "2 通目" in others[0].found


def test_a_missing_page_and_an_extra_page_are_named(three, ledger, tmp_path) -> None:
    assert (2, "", "頁の数") in found(tmp_path, three[:2], ledger)
    assert (3, "", "頁の数") in found(tmp_path, three, ledger[:2])


def test_a_sheet_code_made_without_the_wards_key_is_named(three, ledger, tmp_path) -> None:
    forged = coded(replace(three[0], sheet_codes=()), key=b"x" * 32)
    named = found(tmp_path, [forged, *three[1:]], ledger)
    assert named == [(1, "10000000011", "封入の符号"), (1, "10000000011", "封入のバーコード")]


def test_a_code_that_says_something_else_than_the_text_is_named(three, ledger, tmp_path) -> None:
    proved(tmp_path, three, ledger)
    (read,) = read_pages(tmp_path / "lot.pdf", 0, 1, frozenset({0}))
    comparing = Comparing("lot.pdf", ledger, KEY)
    assert list(comparing.page(read, ledger[0], 1)) == []
    assert read.codes is not None

    def fields(**changed: object) -> list[str]:
        return [each.field for each in comparing.page(replace(read, **changed), ledger[0], 1)]

    other = tuple((kind, "99999999999" if len(text) == 11 else text) for kind, text in read.codes)
    assert fields(codes=other) == ["QR", "番号のバーコード"]
    assert fields(codes=()) == ["QR", "封入のバーコード"]
    assert fields(codes=tuple((kind, text[:-1] + "0") for kind, text in read.codes if len(text) == 24)) != []
    shifted = (read.customer or "").replace("U", "D")
    assert fields(customer=shifted) == ["カスタマバーコード"]


def test_a_word_that_must_not_leave_is_named(three, ledger, tmp_path) -> None:
    hiding = [replace(ledger[0], hidden=("甲斐　一郎",)), *ledger[1:]]
    leaked = replace(three[0], programme_name="給付金　甲斐　一郎")
    assert (1, "10000000011", "載せない言葉") in found(tmp_path, [leaked, *three[1:]], hiding)


def test_two_readers_say_the_same_as_one(three, ledger, tmp_path) -> None:
    alone = proved(tmp_path, [three[1], three[0], three[2]], ledger)
    lot = LotState(1, 1, "push_notice", "printer", "f", "lot.pdf", alone.sha256, 3, None, None)
    with proof.readers(1_000) as pool:
        assert pool is not None
        assert prove_file(tmp_path / "lot.pdf", lot, ledger, KEY, pool=pool) == alone


def test_large_lots_decode_a_declared_share_chosen_by_the_digest_of_the_lot() -> None:
    assert chosen_pages(200, "a") == frozenset(range(200))
    chosen = chosen_pages(10_000, "a")
    assert len(chosen) == 500 == round(10_000 * proof.SHARE)
    assert chosen == chosen_pages(10_000, "a") != chosen_pages(10_000, "b")
    assert len(chosen_pages(1_000, "a")) == 100


def test_the_report_a_clerk_reads_fits_one_page_and_names_what_is_wrong(three, ledger, tmp_path) -> None:
    done = proved(tmp_path, [three[1], three[0], three[2]], ledger)
    told = summary(done)
    assert "この組は出せません" in told
    assert "10000000011" in told
    assert len(told.splitlines()) < 60
