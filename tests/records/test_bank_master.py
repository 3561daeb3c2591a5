"""金融機関の表と口座の形の検査（CHK80）が守る約束。"""

from __future__ import annotations

from datetime import date

import pytest

from benefit.domain.errors import RefusedInput, WrongUse
from benefit.records.bank_master import AccountProblem, BankMaster, BranchRow, account_problems
from benefit.records.zengin_text import BANK_NAME, VOICING_MARKS

ROWS = [
    BranchRow("9999", "カクウギンコウ", "001", "ホンテン"),
    BranchRow("9999", "カクウギンコウ", "101", "ミナミヒガシノガギグゲシテン"),
    BranchRow("9998", "ジェーピー．カクウ", "001", "ﾆｯﾎﾟﾘ"),
]
MASTER = BankMaster.from_rows(date(2026, 8, 24), ROWS, source="見本")
INSTALLED = BankMaster.installed()


def test_a_branch_is_found_with_its_names_in_half_width():
    branch = MASTER.find("9998", "001")
    assert (branch.bank_code, branch.branch_code, branch.branch_name) == ("9998", "001", "ﾆﾂﾎﾟﾘ")
    assert MASTER.find("9999", "001").bank_name == "ｶｸｳｷﾞﾝｺｳ"


def test_a_long_name_is_cut_to_fifteen_bytes_without_parting_a_mark():
    assert MASTER.find("9999", "101").branch_name == "ﾐﾅﾐﾋｶﾞｼﾉｶﾞｷﾞｸﾞ"


def test_a_name_outside_the_character_class_is_left_blank_and_not_altered():
    assert MASTER.find("9998", "001").bank_name == ""


@pytest.mark.parametrize(("bank_code", "branch_code"), [("9997", "001"), ("9998", "101"), ("999", "001"), ("", "")])
def test_what_is_not_in_the_table_is_not_found(bank_code, branch_code):
    assert MASTER.find(bank_code, branch_code) is None


@pytest.mark.parametrize(
    "rows",
    [[*ROWS, ROWS[0]], [("999", "ア", "001", "イ")], [("9999", "ア", "1", "イ")], [("９９９９", "ア", "001", "イ")]],
)
def test_a_table_with_a_bad_or_doubled_code_is_refused(rows):
    with pytest.raises(RefusedInput, match="行目"):
        BankMaster.from_rows(date(2026, 8, 24), rows, source="見本")


@pytest.mark.parametrize(
    ("account", "problems"),
    [
        (("9999", "001", "1", "9000001"), []),
        (("9999", "001", "2", "0000001"), []),
        (("9999", "001", "4", "9000001"), []),
        (("9997", "001", "1", "9000001"), [AccountProblem.UNKNOWN_BANK]),
        (("9999", "002", "1", "9000001"), [AccountProblem.UNKNOWN_BRANCH]),
        (("9999", "001", "9", "9000001"), [AccountProblem.BAD_TYPE]),
        (("9999", "001", "3", "9000001"), [AccountProblem.BAD_TYPE]),
        (("9999", "001", "", "9000001"), [AccountProblem.BAD_TYPE]),
        (("9999", "001", "1", "900001"), [AccountProblem.NOT_SEVEN_DIGITS]),
        (("9999", "001", "1", "90000012"), [AccountProblem.NOT_SEVEN_DIGITS]),
        (("9999", "001", "1", "９００００１１"), [AccountProblem.NOT_SEVEN_DIGITS]),
        (("9999", "001", "1", "0000000"), [AccountProblem.ALL_ZERO]),
        (("9999", "001", "1", ""), [AccountProblem.NOT_SEVEN_DIGITS]),
        (
            ("9997", "002", "5", "0"),
            [AccountProblem.UNKNOWN_BANK, AccountProblem.BAD_TYPE, AccountProblem.NOT_SEVEN_DIGITS],
        ),
    ],
)
def test_an_account_is_refused_for_every_reason_at_once(account, problems):
    assert account_problems(*account, MASTER) == problems


def test_the_fictional_bank_is_only_in_a_table_that_was_asked_to_have_it():
    account = ("9999", "101", "1", "9000001")
    assert account_problems(*account, INSTALLED) == [AccountProblem.UNKNOWN_BANK]
    assert account_problems(*account, INSTALLED.with_test_bank()) == []
    assert account_problems(*account, INSTALLED.with_test_bank({"777": "ナナ"})) == [AccountProblem.UNKNOWN_BRANCH]
    assert account_problems(*account, INSTALLED.with_test_bank({})) == [AccountProblem.UNKNOWN_BRANCH]
    assert account_problems(*account, INSTALLED) == [AccountProblem.UNKNOWN_BANK]


def test_the_installed_table_names_its_date_and_source():
    assert INSTALLED.as_of >= date(2026, 8, 24)
    assert INSTALLED.source == f"zengin-code {INSTALLED.as_of:%Y%m%d}"
    assert INSTALLED.find("9900", "018").bank_name == "ﾕｳﾁﾖ"


def test_every_branch_of_the_installed_table_can_be_written_into_the_bank_file():
    found = [INSTALLED.find(*codes) for codes in INSTALLED.branches()]
    assert len(found) > 25_000
    for branch in found:
        for name in (branch.bank_name, branch.branch_name):
            assert len(name) <= 15
            assert set(name) <= BANK_NAME.characters
            assert name[:1] not in tuple(VOICING_MARKS)
        assert branch.branch_name
    # 名に「．」を含む銀行だけが空欄になる。
    assert len({branch.bank_code for branch in found if not branch.bank_name}) < 20


def test_a_missing_table_is_wrong_use(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(WrongUse, match="導入されていません"):
        BankMaster.installed()
