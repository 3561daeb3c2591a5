"""ゆうちょ銀行の記号番号は、書かれた所（確認書、申請書）で振込用の口座になり、直せないものは台帳に入らない。"""

from __future__ import annotations

from pathlib import Path

import pytest

from batch.desk_work import FORM_COLUMNS, read_forms
from benefit.domain.errors import RefusedInput
from benefit.services.claims_form import account


def form(place: Path, *accounts: tuple[str, str, str, str]) -> Path:
    lines = [",".join(FORM_COLUMNS)]
    for number, written in enumerate(accounts):
        told = dict.fromkeys(FORM_COLUMNS, "") | {
            "給付管理番号": f"{number:011d}", "収受日": "2024-07-01", "結果": "完了", "口座名義カナ": "ヤマダ　タロウ",
        }  # fmt: skip
        told |= dict(zip(("金融機関コード", "支店コード", "預金種目", "口座番号"), written, strict=True))
        lines.append(",".join(told.values()))
    path = place / "forms.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_the_form_becomes_the_account_to_transfer_to(tmp_path: Path) -> None:
    one, two = read_forms(form(tmp_path, ("9900", "", "", "19990-90000011"), ("9999", "101", "1", "9000001")))
    assert (one.bank_code, one.branch_code, one.account_type, one.account_number) == ("9900", "998", "1", "9000001")
    assert (two.bank_code, two.branch_code, two.account_type, two.account_number) == ("9999", "101", "1", "9000001")


def test_a_form_that_copies_the_symbol_is_refused_by_line_without_the_number(tmp_path: Path) -> None:
    with pytest.raises(RefusedInput, match="3 行目") as caught:
        read_forms(form(tmp_path, ("9999", "101", "1", "9000001"), ("9900", "101", "1", "98765432")))
    assert "98765432" not in str(caught.value)


def test_a_claim_takes_both_ways_of_writing() -> None:
    assert account("9900,,,19990-90000011,ヤマダ　タロウ") == ["9900", "998", "1", "9000001", "ヤマダ　タロウ"]
    assert account("9999,001,1,9000001,ヤマダ　タロウ") == ["9999", "001", "1", "9000001", "ヤマダ　タロウ"]
    with pytest.raises(RefusedInput):
        account("9900,101,1,9000001,ヤマダ　タロウ")
