"""benefit failure: 会計室の人が、知らせを受けてから再振込が届くまでを、コマンドだけで行う（seed 000）。"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from zipfile import ZipFile

import pytest

from benefit.domain.access import BATCH
from benefit.domain.business_days import bank_business_day_on_or_after
from benefit.domain.clock import system_clock, tokyo_date
from benefit.records import transfer_results
from benefit.records.transfer_result_row import Outcome
from benefit.services import bank_master, people
from benefit.services.home import Home
from benefit.store import ward
from tests.batch.conftest import Run

SECRET = "x" * 15
HEADING = "金融機関コード,店舗コード,預金種目,口座番号,口座名義人名,振込金額"
Told = Callable[..., str]


@pytest.fixture
def office(ready: Path, tmp_path: Path) -> Path:
    """三人の職員と、金融機関の表のある作業場所。銀行の知らせが二件届いている。"""
    home = Home.at(ready)
    bank_master.use_rehearsal(home, [("9999", "101")])
    with home.ward.begin() as connection:
        for name, role in (("tanto", "clerk"), ("shonin1", "approver"), ("shonin2", "approver")):
            people.add(
                connection,
                ward.staff,
                ward.audit_log,
                staff_id=name,
                name="試験",
                role=role,
                password=SECRET,
                actor=BATCH,
                at=system_clock(),
            )
    home.ward.dispose()
    (tmp_path / "funo.csv").write_text(
        f"{HEADING}\r\n9999,101,1,9876501,ﾎｶﾉ ｶ,12345\r\n9999,101,1,9876502,ﾍﾞﾂ ﾉ ｶ,20000\r\n", encoding="utf-8"
    )
    return ready


@pytest.fixture
def told(run: Run) -> Told:
    """コマンドを打ち、うまくいった時に言ったことを返す。"""

    def go(*arguments: object, code: int = 0) -> str:
        ended, out, err = run(*arguments, typed=SECRET)
        assert ended == code, err
        return out + err

    return go


def test_from_the_banks_notice_to_the_end(office: Path, told: Told, tmp_path: Path) -> None:
    today = tokyo_date(system_clock())
    pay_date, due = bank_business_day_on_or_after(today + timedelta(days=2)), today + timedelta(days=14)
    assert "支払に結べない不能 2 件" in told("transfer", "failures", tmp_path / "funo.csv")
    assert "支払に結ばれていない行は 2 件" in told("failure", "lines")
    assert "照会を 2 件" in told("failure", "ask", 1, 2, "--section", "税務課", "--due", due, "--by", "tanto")
    assert "税務課: 2 件" in told("failure", "out", "--by", "tanto", "--out", tmp_path / "shokai")
    resend = ("failure", "answer", 1, "再振込", "--reason", "本人の届出", "--by", "tanto")
    assert "五項目" in told(*resend, "--account", "9999,101", code=2)
    told(*resend, "--account", "9999,101,1,9111111,ホカノ カ")
    assert "承認" in told("failure", "approve", 1, "--by", "tanto", code=4)
    assert "再振込する不能はありません" in told("failure", "resend", "--pay-date", pay_date, "--by", "tanto")
    told("failure", "approve", 1, "--by", "shonin1")
    assert "1 件 12,345 円" in told("failure", "resend", "--pay-date", pay_date, "--by", "tanto")
    for approver in ("shonin1", "shonin2"):
        told("transfer", "approve", 1, "--by", approver)
    told("transfer", "release", 1, "--by", "tanto", "--out", tmp_path / "bank")
    request = (tmp_path / "bank" / "sogo-0001.txt").read_bytes()
    kekka = transfer_results.mirror(
        request, [transfer_results.Answer(Outcome.CREDITED)], created_on=pay_date + timedelta(days=1)
    )
    (tmp_path / "kekka.txt").write_bytes(kekka)
    assert "入金 1" in told("transfer", "results", tmp_path / "kekka.txt")
    told("failure", "answer", 2, "戻入", "--reason", "対象外", "--by", "tanto")
    told("failure", "approve", 2, "--by", "shonin2")
    shown = told("failure", "list", "--all", "--book", tmp_path / "book.xlsx", "--chart", tmp_path / "age.svg")
    assert "再振込済" in shown
    assert "戻入済" in shown
    assert "9876501" not in shown + told("failure", "show", 1)
    assert ZipFile(tmp_path / "book.xlsx").testzip() is None
    assert (tmp_path / "age.svg").read_text(encoding="utf-8").startswith("<svg")


def test_what_a_clerk_mistypes_is_said_in_japanese(office: Path, told: Told, tmp_path: Path) -> None:
    told("transfer", "failures", tmp_path / "funo.csv")
    assert "帳簿にありません" in told("failure", "show", 9, code=2)
    assert "取込-行" in told("failure", "match", "1", 1, "--reason", "x", "--by", "tanto", code=2)
    assert "がありません" in told("failure", "match", "1-1", 1, "--reason", "x", "--by", "tanto", code=2)
    assert "言葉" in told("failure", "answer", 1, "返す", "--reason", "x", "--by", "tanto", code=2)
    assert "照会中の不能はありません" in told("failure", "out", "--by", "tanto", "--out", tmp_path / "o", code=4)
    told("failure", "note", 1, "電話した", "--by", "tanto")
    assert "新しく知らせる不能はありません" in told(
        "failure", "notify", "--due", "2099-01-05", "--out", tmp_path / "n", "--by", "tanto"
    )
    path = tmp_path / "another.csv"
    path.write_text(f"{HEADING}\r\n9999,101,1,9876503,ﾎｶﾉ ｶ,5000\r\n", encoding="utf-8")
    assert "送り出されていません" in told("transfer", "failures", path, "--of", 7, code=2)


def test_lost_zeros_are_said_aloud(office: Path, told: Told, tmp_path: Path) -> None:
    path = tmp_path / "zeros.csv"
    path.write_text(f"{HEADING}\r\n9999,101,1,12345,ﾎｶﾉ ｶ,5000\r\n", encoding="utf-8")
    said = told("transfer", "failures", path)
    assert "注意 2 行目「口座番号」: 5 桁だったので、先頭に 0 を補って 7 桁にしました" in said
    assert "****345" in told("failure", "show", 1)
