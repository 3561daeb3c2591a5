"""区のお知らせ（L6・L7・L9・L14）: 一つの出来事に一通だけ、送る日の事実で見直し、外で刷る紙に額はない。"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pypdfium2
import pytest
import sqlalchemy as sa

from benefit.domain.collection import Channel
from benefit.domain.errors import WrongUse
from benefit.records.transfer_result_row import Outcome
from benefit.rules.collection_notices import NOTICE
from benefit.services import bank_reports, collection_repayments, collections, endings, repayments
from benefit.services.desk_export import progress
from benefit.services.gate import stand
from benefit.services.mailing_lots import lots_of
from benefit.services.mailing_release import stale_letters
from benefit.services.notices_due import PAID_LATE, who_gets
from benefit.services.notices_dunning import CROSSING, DEMANDS
from benefit.services.notices_stale import CHANGED, GONE
from benefit.store import ward
from benefit.store.engine import reading
from letters.notice_run import MadeNotices, make_notices
from letters.proof import Proof, lot_path, prove
from letters.proofing.compare import ACCOUNT, AMOUNT, HIDDEN, NUMBER, OTHERS, QR, SHEET
from letters.proofing.notices import ADDRESSEE, CONTENT, NoticeExpected, expected_notices, mismatches, read_notices
from letters.remake import remake
from letters.sheet_code import KEY
from tests.services.conftest import FIRST, JUDGED, MAKER, PAY, PROGRAMME, Office, answered
from tests.services.test_changes import bring
from tests.services.test_repayments import claim, pay, receive

AWARD, REFUSAL, FAILED, DUNNING = "award_notice", "refusal_notice", "failed_transfer_notice", "dunning_letter"
AFTER = date(2024, 10, 21)
#: データベースによらない試験（問い合わせは、両方で回すほかの試験が通る）。
on_sqlite = pytest.mark.parametrize("office", ["sqlite"], indirect=True)


def make(office: Office, kind: str, on: date, out: str = "notices") -> MadeNotices:
    return make_notices(office.home, PROGRAMME, kind, out=office.root / out, issued_on=on, clock=office.clock)


def pages(folder: Path) -> list[str]:
    """フォルダの中の PDF の、頁ごとの文。"""
    found = []
    for file in sorted(folder.rglob("*.pdf")):
        document = pypdfium2.PdfDocument(file)
        for page in document:
            text = page.get_textpage()
            found.append("".join(text.get_text_bounded().split()))
            text.close()
            page.close()
        document.close()
    return found


def registered(office: Office, kind: str) -> list[dict[str, object]]:
    letter, lot, entitlement = ward.letter, ward.lot, ward.entitlement
    query = (
        sa.select(letter, lot.c.place, entitlement.c.case_number, entitlement.c.payee_number)
        .join(lot, lot.c.id == letter.c.lot_id)
        .join(entitlement, entitlement.c.id == letter.c.entitlement_id)
        .where(letter.c.kind == kind)
        .order_by(letter.c.id)
    )
    with office.home.ward.connect() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def given(office: Office) -> list[tuple[object, ...]]:
    """委託先に知らせる、発送日と期限。"""
    with office.home.ward.connect() as connection:
        return progress(connection).sort("entitlement_id").rows()


def payees(office: Office) -> dict[int, tuple[str, int]]:
    """支払のある権利の、給付管理番号と受給者。"""
    entitlement, payment = ward.entitlement, ward.payment
    query = sa.select(entitlement.c.id, entitlement.c.case_number, entitlement.c.payee_number).join(
        payment, payment.c.entitlement_id == entitlement.c.id
    )
    with office.home.ward.connect() as connection:
        return {row[0]: (row[1], row[2]) for row in connection.execute(query)}


def test_a_decision_is_told_once_before_the_money_comes_and_no_amount_leaves(office: Office) -> None:
    sent = office.send()
    hidden = payees(office)
    number, person = sorted(hidden.values())[0]
    bring(office, "protected", lambda rows: [*rows, {"住民番号": f"{person:010d}", "区分": "DV"}])
    before, dates = stand(office.home, PROGRAMME, JUDGED).entitlements, given(office)
    made = make(office, AWARD, JUDGED)
    assert (made.read, made.held, made.already) == (made.printed, 0, 0)
    assert made.printed == sent.line_count == len(registered(office, AWARD))
    # 一通は二頁。区が直接扱う人の紙だけが、区の中に、額と一緒にある。
    outside, inside = pages(office.root / "notices" / "printer"), pages(office.root / "notices" / "ward")
    assert len(outside) + len(inside) == made.printed * 2
    assert len(inside) == made.in_ward * 2 > 0
    assert number not in "".join(outside)
    assert number in "".join(inside)
    assert "円" not in "".join(outside)
    assert any("円" in page for page in inside)
    neutral = "".join(PROGRAMME.letters.neutral_sender.split())
    assert all(neutral in page for page in inside[::2])
    assert PROGRAMME.office.office_name not in "".join(inside)
    # 口座の番号は、どの紙にも、下三桁を越えて出ない。
    for payment in office.payments():
        assert payment["account_number"] not in "".join(outside + inside)
    again = make(office, AWARD, JUDGED)
    assert (again.read, again.already) == (0, made.printed)
    assert len(registered(office, AWARD)) == made.printed
    # 後の手紙は、使う口座も、知らせたお知らせ・確認書の期限も変えない。
    assert stand(office.home, PROGRAMME, JUDGED).entitlements.equals(before)
    assert given(office) == dates


@on_sqlite
def test_a_decision_is_not_told_after_the_day_of_the_transfer(office: Office) -> None:
    sent = office.send()
    assert who_gets(office.home, PROGRAMME, AWARD, PAY).letters.height == sent.line_count
    late = who_gets(office.home, PROGRAMME, AWARD, date(2024, 8, 3))
    assert late.letters.is_empty()
    assert late.closed["why"].unique().to_list() == [PAID_LATE]


def test_a_refusal_is_told_in_coarse_words_and_never_to_those_who_declined(office: Office) -> None:
    office.judge()
    numbers = [number for number, row in office.verdicts().items() if row["判定"] == "支給可"][:3]
    for number, kind in zip(numbers, ("不支給", "契約不成立", "辞退"), strict=True):
        asked = endings.ask(office.home, number, kind, reason="内部の訳 2,345", actor=MAKER, clock=office.clock)
        # 申し出ただけでは、決定ではない。
        assert make(office, REFUSAL, JUDGED).read == 0
        endings.approve(office.home, asked, actor=FIRST, clock=office.clock)
        assert make(office, REFUSAL, JUDGED).read == (0 if kind == "辞退" else 1)
    assert {row["case_number"] for row in registered(office, REFUSAL)} == set(numbers[:2])
    text = "".join(pages(office.root / "notices"))
    assert "2,345" not in text
    assert "支給の要件に当てはまらない" in text
    assert "口座の届がなかった" in text
    assert numbers[2] not in text
    assert [one.mismatches for one in proved(office, REFUSAL)] == [(), ()]


def test_a_failed_transfer_is_told_with_a_plain_reason_and_a_new_account_form(office: Office) -> None:
    sent = office.send()
    answers = [(Outcome.FAILED, "04"), (Outcome.FAILED, "05")]
    bank_reports.take(office.home, "results", answered(office, sent.id, *answers), clock=office.clock)
    made = make(office, FAILED, date(2024, 8, 6))
    assert (made.printed, made.closed) == (2, 0)
    text = "".join(pages(office.root / "notices"))
    assert "口座が解約されていたため" in text
    # 05（死亡・差押え等）の中身は、紙では言わない。
    assert "金融機関で受け付けられなかったため" in text
    assert not any(word in text for word in ("差押", "死亡", "円"))
    for payment in office.payments()[:2]:
        assert payment["account_number"] not in text
    assert make(office, FAILED, date(2024, 8, 7)).read == 0
    rows = registered(office, FAILED)
    assert [row["due_on"] for row in rows] == [date(2024, 8, 27)] * 2
    assert {row["place"] for row in rows} == {"ward"}


def bank_paper(office: Office, slip: str, kind: str, yen: int, name: str) -> None:
    row = (1, "ペイジー", kind, f"MPN:{slip}", AFTER, "101500", "9999-101", yen, date(2024, 10, 23))
    collections.take(
        office.home, Channel.PAYEASY, pl.DataFrame([row], schema=NOTICE, orient="row"),
        file_name=name, sha256=name.ljust(64, "0"), clock=office.clock,
    )  # fmt: skip


def test_dunning_stops_at_the_first_word_of_a_payment_and_comes_back_if_it_is_undone(office: Office) -> None:
    number, payment = pay(office)
    claimed = claim(office, number)
    collection_repayments.join(office.home, actor=MAKER, clock=office.clock)
    assert make(office, DUNNING, date(2024, 9, 20)).read == 0
    assert who_gets(office.home, PROGRAMME, DUNNING, date(2024, 9, 21)).letters.height == 1
    bank_paper(office, repayments.slip_number(claimed), "速報", int(str(payment["amount_yen"])), "a")
    stopped = make(office, DUNNING, AFTER)
    assert (stopped.read, stopped.closed) == (0, 1)
    assert who_gets(office.home, PROGRAMME, DUNNING, AFTER).closed["why"].to_list() == [CROSSING]
    bank_paper(office, repayments.slip_number(claimed), "速報取消", int(str(payment["amount_yen"])), "b")
    assert make(office, DUNNING, AFTER).printed == 1
    # 確報が来て、まだ返還に数えていない間も、出さない。
    bank_paper(office, repayments.slip_number(claimed), "確報", 1_000, "c")
    assert who_gets(office.home, PROGRAMME, DUNNING, date(2024, 12, 1)).closed["why"].to_list() == [CROSSING]


@on_sqlite
def test_the_second_demand_waits_for_the_first_and_an_agreed_plan_gets_none(office: Office) -> None:
    number, _payment = pay(office)
    claimed = claim(office, number, 9_000)
    assert make(office, DUNNING, AFTER).printed == 1
    due = registered(office, DUNNING)[0]["due_on"]
    assert due == date(2024, 11, 4)
    assert make(office, DUNNING, date(2024, 11, 4)).read == 0
    assert make(office, DUNNING, date(2024, 11, 5)).printed == 1
    assert make(office, DUNNING, date(2024, 11, 5)).read == 0
    text = pages(office.root / "notices")
    assert [demand in page for page, demand in zip(text, DEMANDS, strict=True)] == [True, True]
    assert all("9,000円" in page for page in text)
    assert [row["occasion"] for row in registered(office, DUNNING)] == [f"{claimed}-1", f"{claimed}-2"]
    assert [one.mismatches for one in proved(office, DUNNING)] == [(), ()]
    repayments.step(office.home, claimed, "分納", done_on=AFTER, note="", actor=MAKER, clock=office.clock)
    assert make(office, DUNNING, date(2024, 12, 20)).read == 0


@on_sqlite
def test_an_unknown_kind_is_refused(office: Office) -> None:
    with pytest.raises(WrongUse, match="この種類"):
        who_gets(office.home, PROGRAMME, "push_notice", JUDGED)


def lots(office: Office, kind: str) -> list[int]:
    with office.home.ward.connect() as connection:
        return list(connection.execute(sa.select(ward.lot.c.id).where(ward.lot.c.kind == kind)).scalars())


@on_sqlite
def test_on_the_day_it_leaves_what_no_longer_holds_is_named(office: Office) -> None:
    """紙を作った後に振込が取り消された、速報が届いた: 出す日の関門が、番号と訳を言う。"""
    sent = office.send()
    make(office, AWARD, JUDGED)
    assert stale_letters(office.home, PROGRAMME, lots(office, AWARD), JUDGED) == []
    # 振込日を過ぎた決定通知は、もう出さない。
    late = stale_letters(office.home, PROGRAMME, lots(office, AWARD), date(2024, 8, 3))
    assert {one.why for one in late} == {PAID_LATE}
    bank_reports.take(office.home, "results", answered(office, sent.id, (Outcome.FAILED, "04")), clock=office.clock)
    after = stale_letters(office.home, PROGRAMME, lots(office, AWARD), JUDGED)
    assert {one.why for one in after} == {GONE, PAID_LATE}
    assert len(after) == sent.line_count


@on_sqlite
def test_a_demand_with_another_amount_is_not_sent(office: Office) -> None:
    number, _payment = pay(office)
    claimed = claim(office, number, 9_000)
    make(office, DUNNING, AFTER)
    assert stale_letters(office.home, PROGRAMME, lots(office, DUNNING), AFTER) == []
    receive(office, claimed, 4_000, "S-1")
    assert [one.why for one in stale_letters(office.home, PROGRAMME, lots(office, DUNNING), AFTER)] == [CHANGED]


@on_sqlite
def test_a_demand_on_its_way_out_stops_when_the_payment_is_heard_of(office: Office) -> None:
    number, payment = pay(office)
    claimed = claim(office, number)
    collection_repayments.join(office.home, actor=MAKER, clock=office.clock)
    make(office, DUNNING, AFTER)
    assert stale_letters(office.home, PROGRAMME, lots(office, DUNNING), AFTER) == []
    bank_paper(office, repayments.slip_number(claimed), "速報", int(str(payment["amount_yen"])), "a")
    stopped = stale_letters(office.home, PROGRAMME, lots(office, DUNNING), AFTER)
    assert [(one.case_number, one.why) for one in stopped] == [(number, CROSSING)]


def proved(office: Office, kind: str) -> list[Proof]:
    """この種類の組の読み返し。"""
    with reading(office.home.ward) as connection:
        found = [lot for lot in lots_of(connection).values() if lot.kind == kind]
    return [prove(office.home, PROGRAMME, lot, out=office.root / "notices") for lot in found]


@on_sqlite
def test_the_papers_read_back_as_the_ledger_says_and_a_moved_fact_is_named(office: Office) -> None:
    sent = office.send()
    make(office, AWARD, JUDGED)
    bank_reports.take(office.home, "results", answered(office, sent.id, (Outcome.FAILED, "04")), clock=office.clock)
    make(office, FAILED, date(2024, 8, 6))
    for kind in (AWARD, FAILED):
        proofs = proved(office, kind)
        assert proofs
        assert [one.mismatches for one in proofs] == [()] * len(proofs)
        assert sum(one.letters for one in proofs) == len(registered(office, kind))


@on_sqlite
def test_each_wrong_thing_on_a_paper_is_named(office: Office) -> None:
    office.send()
    make(office, AWARD, JUDGED)
    with reading(office.home.ward) as connection:
        lot = next(lot for lot in lots_of(connection).values() if lot.kind == AWARD and lot.place == "printer")
    letters = expected_notices(office.home, PROGRAMME, lot)
    path = lot_path(office.root / "notices", lot)
    reads = list(read_notices(path, AWARD, frozenset({0})))
    key = office.home.key(KEY)

    def fields(letter: NoticeExpected) -> set[str]:
        return {each.field for each in mismatches(reads[0], letter, lot.file_name, key)}

    good = letters[0]
    assert fields(good) == set()
    assert fields(replace(good, says=(*good.says, "令和9年9月9日"))) == {CONTENT}
    assert fields(replace(good, yen=frozenset({"100,000円"}))) == {AMOUNT}
    assert fields(replace(good, digits=good.digits ^ {"987"})) == {ACCOUNT}
    assert fields(replace(good, whole=good.whole.replace("様", "樣"))) == {ADDRESSEE}
    assert fields(replace(good, hidden=(good.says[0],))) == {HIDDEN}
    assert fields(replace(good, branch=9)) == {SHEET}
    # 隣の人の紙とすり替わっていれば、番号も宛名も符号も違う。
    assert {NUMBER, OTHERS, ADDRESSEE, SHEET, QR} <= fields(letters[1])


@on_sqlite
def test_a_paper_taken_out_of_its_lot_is_made_again_inside_the_ward(office: Office) -> None:
    """組んだ後に区が直接扱うことになった人の紙は、抜かれ、次の回に区の中で作り直される。ほかの人の紙は、そのまま出る。"""
    office.send()
    first = make(office, AWARD, JUDGED)
    with reading(office.home.ward) as connection:
        lot = next(lot for lot in lots_of(connection).values() if lot.kind == AWARD and lot.place == "printer")
    row = next(row for row in registered(office, AWARD) if row["lot_id"] == lot.id)
    number, person = row["case_number"], row["payee_number"]
    bring(office, "protected", lambda rows: [*rows, {"住民番号": f"{person:010d}", "区分": "DV"}])
    out = office.root / "notices"
    remade = remake(office.home, PROGRAMME, lot.id, out=out, on=JUDGED, actor=MAKER, clock=office.clock)
    assert number in {one.case_number for one in remade.pulled}
    assert remade.left == lot.letter_count - len(remade.pulled)
    assert remade.number is not None
    assert stale_letters(office.home, PROGRAMME, [remade.number], JUDGED) == []
    outside = pages(out / "printer")
    assert number not in "".join(outside)
    assert len(outside) == remade.left * 2
    with reading(office.home.ward) as connection:
        assert prove(office.home, PROGRAMME, lots_of(connection)[remade.number], out=out).right
    again = make(office, AWARD, JUDGED)
    assert (again.printed, again.in_ward) == (len(remade.pulled), len(remade.pulled))
    assert again.already == first.printed - len(remade.pulled)
    assert number in "".join(pages(out / "ward"))
    assert make(office, AWARD, JUDGED).read == 0
