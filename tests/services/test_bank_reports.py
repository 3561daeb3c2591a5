"""銀行から届くもの: 行は一つも失われず、返ったお金は一度だけ動き、決められない行は人へ回る（formats §3.5、seed 000）。"""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from benefit.domain.errors import WrongUse
from benefit.records.transfer_result_row import Outcome
from benefit.services import bank_reports, failures
from benefit.store import ward
from tests.services.conftest import Office, answered, noticed
from tests.services.failure_ward import lone, place

TODAY = date(2024, 8, 6)


def stored(office: Office, table: Any) -> list[dict[str, Any]]:
    with office.home.ward.connect() as connection:
        return [dict(row) for row in connection.execute(table.select()).mappings()]


def take(office: Office, kind: str, path: Any, **told: Any) -> bank_reports.Taken:
    return bank_reports.take(office.home, kind, path, clock=office.clock, **told)


def stranger(row: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """ほかの課の支払の不能（私たちの台帳にない口座）。"""
    return {**row, "account_number": "9876543", "holder_kana": "ﾎｶﾉ ｶ", **changed}


def test_every_row_of_a_notice_is_kept_with_the_six_items_the_bank_wrote(office: Office) -> None:
    office.send()
    mine = lone(office)
    done = take(office, "failures", noticed(office, mine, stranger(mine, amount_yen=12_345)))
    assert (done.rows_read, done.matched, done.unmatched, done.failed, done.others) == (2, 1, 1, 1, 1)
    lines = stored(office, ward.bank_report_line)
    assert [line["account_number"] for line in lines] == [mine["account_number"], "9876543"]
    assert [line["amount_yen"] for line in lines] == [mine["amount_yen"], 12_345]
    assert [line["payment_id"] for line in lines] == [mine["id"], None]
    assert {line["outcome"] for line in lines} == {"failed"}
    book = failures.register(office.home, TODAY)
    assert book["slot"].to_list() == [mine["slot"], f"funo/{lines[1]['bank_report_id']}/2"]
    assert book["open_yen"].sum() == mine["amount_yen"] + 12_345


def test_the_same_failure_told_in_the_results_and_in_the_notice_is_one_item(office: Office) -> None:
    sent = office.send()
    failed = lone(office)
    before = [(Outcome.CREDITED, "00")] * place(office, failed)
    first = take(office, "results", answered(office, sent.id, *before, (Outcome.FAILED, "03")))
    assert (first.failed, first.credited) == (1, sent.line_count - 1)
    second = take(office, "failures", noticed(office, failed))
    assert (second.matched, second.failed, second.again) == (1, 0, 1)
    assert len(stored(office, ward.failure)) == 1
    kinds = [row["kind"] for row in stored(office, ward.posting) if row["payment_id"] == failed["id"]]
    assert kinds == ["decide", "file", "fail"]
    assert office.balances()["振込不能"] == failed["amount_yen"]


def test_a_second_notice_of_the_same_kind_is_shown_to_a_person(office: Office) -> None:
    """番号のない同じ知らせが二度来たら、ほかの課の同じ口座・同じ額の支払かもしれない。お金は動かさず、人へ回す。"""
    office.send()
    mine = lone(office)
    take(office, "failures", noticed(office, mine))
    again = take(office, "failures", noticed(office, mine, 元振込指定日="2024-08-02", name="again"))
    assert (again.matched, again.others) == (0, 1)
    assert office.balances()["振込不能"] == mine["amount_yen"]


def test_the_amount_alone_never_matches(office: Office) -> None:
    office.send()
    mine = lone(office)
    done = take(office, "failures", noticed(office, stranger(mine)))
    assert (done.matched, done.others) == (0, 1)
    assert done.to_people == ("1 番目の行: 当たる支払がありません",)
    assert {row["state"] for row in office.payments()} == {"F41"}


@pytest.mark.parametrize("name", ["bank_code", "branch_code", "account_type", "amount_yen"])
def test_every_item_of_the_account_and_the_amount_must_agree(office: Office, name: str) -> None:
    office.send()
    mine = lone(office)
    other = {"bank_code": "0001", "branch_code": "999", "account_type": "2", "amount_yen": mine["amount_yen"] + 1}
    done = take(office, "failures", noticed(office, {**mine, name: other[name]}))
    assert (done.matched, done.others) == (0, 1)


def test_another_transfer_day_or_another_file_is_another_payment(office: Office) -> None:
    sent = office.send()
    mine = lone(office)
    late = take(office, "failures", noticed(office, mine, 元振込指定日="2024-08-05", name="day"))
    assert (late.matched, late.others) == (0, 1)
    with pytest.raises(WrongUse, match="送り出されていません"):
        take(office, "failures", noticed(office, mine, name="file"), transfer=sent.id + 1)
    assert take(office, "failures", noticed(office, mine, name="file"), transfer=sent.id).failed == 1


def test_an_old_payment_is_not_found_by_a_notice_without_a_day(office: Office) -> None:
    office.send()
    mine = lone(office)
    office.clock.now = office.clock.now.replace(month=10)
    assert take(office, "failures", noticed(office, mine)).matched == 0
    assert take(office, "failures", noticed(office, mine, 元振込指定日="2024-08-02", name="day")).matched == 0
    assert {row["state"] for row in office.payments()} == {"F41"}


def test_lost_zeros_are_accepted_only_with_a_warning(office: Office) -> None:
    office.send()
    mine = lone(office)
    path = noticed(office, mine)
    text = path.read_bytes().decode("cp932")
    path.write_bytes(text.replace(f",{mine['branch_code']},", f",{mine['branch_code'].lstrip('0')},").encode("cp932"))
    done = take(office, "failures", path)
    padded = not mine["branch_code"].startswith("0")
    assert done.failed == 1
    assert (done.warnings == ()) == padded
    assert all("先頭に 0 を補って" in says and mine["account_number"] not in says for says in done.warnings)


def test_a_recall_that_did_not_succeed_leaves_the_money_with_the_recipient(office: Office) -> None:
    sent = office.send()
    done = take(office, "results", answered(office, sent.id, (Outcome.RECALL_FAILED, "00"), (Outcome.RECALLED, "09")))
    assert (done.credited, done.failed) == (sent.line_count - 1, 1)
    first, second = stored(office, ward.bank_report_line)[:2]
    assert (first["outcome"], second["outcome"]) == ("recall_failed", "recalled")
    states = {row["id"]: row["state"] for row in office.payments()}
    assert (states[first["payment_id"]], states[second["payment_id"]]) == ("F42", "F43")


def test_a_failure_after_the_money_was_credited_turns_the_ledger_back(office: Office) -> None:
    sent = office.send()
    failed = lone(office)
    take(office, "results", answered(office, sent.id))
    assert take(office, "failures", noticed(office, failed)).failed == 1
    assert office.balances()["振込不能"] == failed["amount_yen"]
    # 入金済の結果が、日を変えてもう一度届いても、返ったお金は動かない。
    done = take(office, "results", answered(office, sent.id, created_on=date(2024, 8, 7)))
    says = f"{place(office, failed) + 1} 番目の行: 当たる支払には、もう別の結果が入っています"
    assert (done.unmatched, done.to_people) == (1, (says,))
    assert office.balances()["振込不能"] == failed["amount_yen"]


def test_the_same_bytes_again_change_nothing(office: Office) -> None:
    office.send()
    path = noticed(office, lone(office))
    first, again = take(office, "failures", path), take(office, "failures", path)
    assert (first.repeated, again.repeated, again.failed) == (False, True, 1)
    assert len(stored(office, ward.failure)) == 1
