"""すきま: 止まった所から、お金も人も、行き止まりにならない（二人、二つの表、遅れて届く知らせ）。"""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa

from benefit.domain.errors import BenefitError, RefusedByRule
from benefit.records.bank_master import BankMaster
from benefit.records.transfer_result_row import Outcome
from benefit.services import (
    bank_reports,
    failure_answers,
    failure_matches,
    judgment,
    recalls,
    reissue,
    repayments,
    transfers,
)
from benefit.store import ward
from tests.services.conftest import FIRST, JUDGED, MAKER, PAY, PROGRAMME, SECOND, Office, answered, noticed
from tests.services.test_judgment_ledger import form, homes, judge, slots


def renamed(office: Office) -> BankMaster:
    """店の名が変わった、新しい日付の表。"""
    rows = [(bank, "アタラシイギンコウ", branch, "アタラシイシテン") for bank, branch in office.banks.branches()]
    return BankMaster.from_rows(date(2024, 7, 29), rows, source="試験の新しい表")


def number_of(office: Office, payment: dict[str, Any]) -> str:
    known = {one["id"]: number for number, one in slots(office).items()}
    return known[payment["entitlement_id"]]


def test_a_file_lost_before_the_branches_were_renamed_does_not_stop_every_later_transfer(office: Office) -> None:
    """登録の直後に止まり、その間に表が新しくなった。取り消せば、次のファイルを作れる。"""
    office.judge()
    made = office.make()
    assert made is not None
    made.path.unlink()
    how: dict[str, Any] = {"pay_date": PAY, "today": JUDGED, "actor": MAKER, "clock": office.clock}
    with pytest.raises(RefusedByRule, match=f"transfer cancel {made.id}"):
        transfers.make(office.home, PROGRAMME, bank_master=renamed(office), **how)
    transfers.cancel(office.home, made.id, reason="表が変わった", actor=MAKER, clock=office.clock)
    again = transfers.make(office.home, PROGRAMME, bank_master=renamed(office), **how)
    assert again is not None
    assert again.line_count == made.line_count


def test_a_released_file_comes_out_again_after_the_branches_were_renamed(office: Office) -> None:
    """台帳に載り、ファイルが出る前に止まった。表が新しくなっても、承認されたバイト列がそのまま出る。"""
    sent = office.send()
    out = office.root / "bank" / sent.path.name
    data = out.read_bytes()
    out.unlink()
    transfers.release(
        office.home, PROGRAMME, sent.id, out=office.root / "bank", bank_master=renamed(office), actor=MAKER,
        clock=office.clock,
    )  # fmt: skip
    assert out.read_bytes() == data
    # 書き換えられたファイルは、送り出した後でも出ない。
    sent.path.write_bytes(data.replace(b"1", b"2", 1))
    with pytest.raises(RefusedByRule, match="書き換え"):
        office.release(sent.id)


def test_an_old_file_lost_after_a_reissue_does_not_stop_the_next_transfer(office: Office) -> None:
    """振込不能の後に出し直した権利の、昔のファイルがディスクから失われても、次の振込を作れる。"""
    sent = office.send()
    bank_reports.take(office.home, "results", answered(office, sent.id, (Outcome.FAILED, "04")), clock=office.clock)
    number = number_of(office, office.payments()[0])
    reissue.reissue(office.home, PROGRAMME, number, reason="口座の届け直し", actor=MAKER, clock=office.clock)
    sent.path.unlink()
    assert office.make() is None


def test_a_failure_told_instead_of_a_recall_answer_lets_the_person_be_paid_again(office: Office) -> None:
    """CHK33: 組戻しを頼んだ支払が振込不能で戻れば、答えはもう来ない。お金は戻っている。"""
    sent = office.send()
    payment = office.payments()[0]
    number = number_of(office, payment)
    row = next(row for row in office.rows() if row["給付管理番号"] == number)
    asked = recalls.ask(office.home, sent.id, case_numbers=[number], reason="試験", actor=MAKER, clock=office.clock)
    recalls.approve(office.home, asked.id, out=office.root / "recall", actor=FIRST, clock=office.clock)
    bank_reports.take(office.home, "results", answered(office, sent.id, (Outcome.FAILED, "04")), clock=office.clock)
    assert office.payments()[0]["state"] == "F43"
    assert "CHK33" not in judge(office, "A", form(row, "9000777"))[number][1]


def test_an_old_line_is_not_judged_again_when_a_newer_file_has_the_person(office: Office) -> None:
    """後のファイルで口座を替えて申し出た人に、前のファイルの判定し直しで、前の口座へ払わない。"""
    row, other = homes(office)[:2]
    number = row["給付管理番号"]
    short = {"支給予定額": "60000"}
    judge(office, "A", form(row, "9000777"), form(other, "9000777"))
    found = judge(office, "B", form(row, "9000778", reviewed="2024-07-23", **short))
    assert found[number][0] == "不可"
    done = judgment.judge_again(
        office.home, PROGRAMME, "A", out=office.root / "again", today=JUDGED, bank_master=office.banks,
        clock=office.clock,
    )  # fmt: skip
    assert done is None or number not in office.verdicts("again")
    assert done is not None
    assert other["給付管理番号"] in office.verdicts("again")


def test_a_match_that_cannot_move_the_money_is_refused(office: Office) -> None:
    """返還を請求した支払に、後から届いた不能を結んでも、お金は動かない。承認したことにしない。"""
    sent = office.send()
    bank_reports.take(office.home, "results", answered(office, sent.id), clock=office.clock)
    payment = office.payments()[0]
    told = {"payment_id": payment["id"], "amount_yen": 1_000, "cause": "対象外", "due_on": date(2024, 9, 30)}
    told |= {"reason": "試験", "asked_by": MAKER.id, "asked_at": office.clock()}
    late = answered(office, sent.id, (Outcome.FAILED, "04"), created_on=date(2024, 8, 6))
    with office.home.ward.begin() as connection:
        claim = connection.execute(ward.repayment.insert().values(**told)).inserted_primary_key[0]  # type: ignore[index]
        connection.execute(
            ward.repayment_approval.insert().values(
                release_id=claim, asked_by=MAKER.id, approved_by=FIRST.id, approved_at=office.clock()
            )
        )
    done = bank_reports.take(office.home, "results", late, clock=office.clock)
    assert done.unmatched == 1
    line = failure_matches.unmatched(office.home)[0]
    with pytest.raises(RefusedByRule, match="返還"):
        failure_matches.propose(
            office.home, line["bank_report_id"], line["line_number"], payment["id"], reason="試験", actor=MAKER,
            clock=office.clock,
        )  # fmt: skip


def test_a_file_number_too_long_for_the_ledger_is_refused_with_words(office: Office) -> None:
    """PostgreSQL の列の長さを超える番号を、不具合の記録にしない（判定し直す回の印の分も空けておく）。"""
    folder = office.replan(homes(office)[:1], number="A" * 41)
    with pytest.raises(BenefitError, match="ファイル番号"):
        office.judge(folder)


def test_a_reissue_while_judging_stops_the_judgment(office: Office) -> None:
    """見ている間に出し直されたら、古い枝番の申し出を支給可にしない。"""
    row = homes(office)[0]
    number = row["給付管理番号"]

    class Reissuing:
        """判定の登録の時刻を尋ねられる前に、口座の表を見た時に、ほかの人が出し直す。"""

        done = False

        def __getattr__(self, name: str) -> Any:
            if not self.done:
                self.done = True
                reissue.reissue(office.home, PROGRAMME, number, reason="返戻", actor=SECOND, clock=office.clock)
            return getattr(office.banks, name)

    folder = office.replan([{**form(row, "9000777"), "行番号": "1"}], number="A", name="in-A")
    how: dict[str, Any] = {"today": JUDGED, "bank_master": Reissuing(), "clock": office.clock}
    with pytest.raises(RefusedByRule, match="判定している間"):
        judgment.judge_folder(office.home, PROGRAMME, folder, out=office.root / "a", **how)
    office.judge(folder, out="b")
    assert office.verdicts("b")[number]["判定"] == "不可"
    assert sa.inspect(office.home.ward).has_table("verdict")


def test_references_too_long_for_the_ledger_are_refused_with_words(office: Office) -> None:
    """収納の番号（60 字）と支出命令番号（40 字）。PostgreSQL でも、不具合の記録にしない。"""
    with pytest.raises(BenefitError, match="収納の番号"):
        repayments.receive(
            office.home, 1, amount_yen=1, received_on=JUDGED, reference="9" * 61, actor=MAKER, clock=office.clock
        )
    with pytest.raises(BenefitError, match="支出命令番号"):
        failure_answers.ask(
            office.home, [1], section="税務課", due_on=date(2024, 9, 30), actor=MAKER, clock=office.clock,
            order_number="9" * 41,
        )  # fmt: skip


@pytest.mark.parametrize("code", ["ABCDE00000", "1 1AA00000", "12345", "0000000001"])
def test_a_notice_with_a_strange_customer_code_does_not_crash(office: Office, code: str) -> None:
    office.send()
    row = office.payments()[0]
    path = noticed(office, row, 顧客コード1="0000000001", 顧客コード2=code)
    try:
        done = bank_reports.take(office.home, "failures", path, clock=office.clock)
    except BenefitError:
        return
    assert done.rows_read == 1
