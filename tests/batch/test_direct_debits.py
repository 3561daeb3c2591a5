"""口座振替のコマンド: 依頼のファイルから、請求、承認、送り出し、結果、納付書まで。違う入力は、わけを言って断る。"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from benefit.domain.business_days import bank_business_day_on_or_after
from benefit.domain.clock import system_clock, tokyo_date
from benefit.records import direct_debit, file_reader, file_writer
from benefit.records.layout_registry import BUILT_IN
from benefit.services import bank_master
from benefit.services.home import Home
from tests.batch.conftest import Run
from tests.batch.test_collections import PASSWORD, office
from tests.records.collection_samples import SAMPLES, table

__all__ = ["office"]
LEVIES, ACCOUNTS = "standard-levies", "direct-debit-accounts"


def made(folder: Path, layout_id: str, name: str, *rows: dict[str, Any]) -> Path:
    header, samples = SAMPLES[layout_id]
    layout = BUILT_IN[layout_id]
    path = folder / name
    path.write_bytes(file_writer.write(layout, [(header, table(layout, [samples[0] | row for row in rows]))]))
    return path


def answered(request: Path, *codes: str) -> bytes:
    """銀行の返す結果。"""
    found = file_reader.read(request.read_bytes(), direct_debit.REQUEST)
    rows = found.require().with_columns(result_code=pl.Series(codes)).select(direct_debit.RESULT.data.names)
    header = {name: value for name, value in found.headers[0].items() if name not in {"record", "group"}}
    return file_writer.write(direct_debit.RESULT, [(header, rows)])


@pytest.fixture
def agreed(office: Path, run: Run, tmp_path: Path) -> Path:
    """約束と架空の銀行と、二件の調定のある作業場所。"""
    assert "direct-debit terms --example" in run("direct-debit", "terms")[2]
    run("direct-debit", "terms", "--example")
    bank_master.use_rehearsal(Home.at(office), [("9999", "101")])
    numbers = (
        {"notice_number": f"{at:012d}", "payment_number": f"{at}", "person_number": f"{at:015d}"} for at in (1, 2)
    )
    run("collection", "register", made(tmp_path, LEVIES, "choutei.dat", *numbers))
    return tmp_path


def test_from_the_application_file_to_the_letters(agreed: Path, run: Run) -> None:
    apply = made(agreed, ACCOUNTS, "irai.dat", *({"person_number": f"{at}", "change_kind": "1"} for at in (1, 2)))
    clerk, other = ("--by", "tanto"), ("--by", "shonin1")
    told = run("direct-debit", "accounts", "import", apply, *clerk, typed=PASSWORD)
    assert "依頼 1: 2 件（開始 2）を書きました" in told[1]
    again = run("direct-debit", "accounts", "import", apply, *clerk, typed=PASSWORD)
    assert (again[0], "もう受け取ってあります（依頼 1）" in again[2]) == (4, True)
    assert run("direct-debit", "accounts", "approve", 1, *clerk, typed=PASSWORD)[0] == 4
    assert "2 件を承認" in run("direct-debit", "accounts", "approve", 1, *other, typed=PASSWORD)[1]
    assert (
        "****001（ファイル、shonin1 が承認）"
        in run("direct-debit", "accounts", "history", 1, *clerk, typed=PASSWORD)[1]
    )

    on = bank_business_day_on_or_after(tokyo_date(system_clock()) + timedelta(days=10))
    wrong = run("direct-debit", "request", "make", "--on", date(2026, 1, 1), *clerk, typed=PASSWORD)
    assert (wrong[0], "引落日" in wrong[2]) == (2, True)
    assert f"請求 1: 引落日 {on} 2 件 24,600 円" in run(
        "direct-debit", "request", "make", "--on", on, *clerk, typed=PASSWORD
    )[1]  # fmt: skip
    twice = run("direct-debit", "request", "make", "--on", on, *clerk, typed=PASSWORD)[1]
    assert "前の請求の結果がまだ届いていない 2 件" in twice
    assert "請求するものはありません" in twice
    bank = agreed / "bank"
    early = run("direct-debit", "request", "release", 1, "--out", bank, *clerk, typed=PASSWORD)
    assert (early[0], "別の人の承認が要ります" in early[2], bank.exists()) == (4, True, False)
    assert "承認しました" in run("direct-debit", "request", "approve", 1, *other, typed=PASSWORD)[1]
    run("direct-debit", "request", "release", 1, "--out", bank, *clerk, typed=PASSWORD)
    [sent] = bank.iterdir()

    result = agreed / "kekka.dat"
    result.write_bytes(answered(sent, "0", "2")[:400])
    assert run("direct-debit", "result", "take", result)[0] == 3
    result.write_bytes(answered(sent, "0", "2"))
    told_ = run("direct-debit", "result", "take", result)[1]
    assert "2 件 24,600 円 = 振替済 1 件 12,300 円 + 振替不能 1 件 12,300 円 + 未着 0 件 0 円" in told_
    assert "コード 2（取引なし）: 1 件" in told_
    assert "もう取り込んであります" in run("direct-debit", "result", "take", result)[1]
    assert "= 振替済 12,300 + 振替不能 12,300 + 結果待ち 0" in run("direct-debit", "request", "list")[1]
    due = ("direct-debit", "letters", "due", *clerk, "--out", agreed / "out")
    assert "納付書 1 件（残り 12,300 円）を送るべきです" in run(*due, typed=PASSWORD)[1]
    assert "取引なし" in (agreed / "out" / "debit-letters.csv").read_text()


def test_a_wrong_application_file_is_refused_whole(agreed: Path, run: Run) -> None:
    """空、途中まで、名の中のコンマ、ない銀行、ない科目。どれも、何も書かない。"""
    good = made(agreed, ACCOUNTS, "irai.dat", {"person_number": "1", "change_kind": "1"})
    content = good.read_bytes()
    wrong = {
        "kara": (b"", "ファイルが空"),
        "hanbun": (content[:200], "途中で終わっています"),
        "comma": (content.replace("ﾔﾏﾀﾞ ﾀﾛｳ".encode("cp932"), "ﾔﾏﾀﾞ,ﾀﾛｳ".encode("cp932")), "使えない文字"),
        "ginko": (content.replace(b"9999101", b"0000101"), "金融機関の表にない銀行"),
        "kamoku": (content.replace(b"10120260401", b"99920260401"), "科目ではありません"),
    }
    for name, (data, says) in wrong.items():
        path = agreed / f"{name}.dat"
        path.write_bytes(data)
        code, _out, told = run("direct-debit", "accounts", "import", path, "--by", "tanto", typed=PASSWORD)
        assert (code, says in told) == (3, True), (name, told)
    change = ("direct-debit", "account-change", "1", "101", "変更", "--from", "2026-05-01", "--by", "tanto")
    told = run(*change, "--reason", "窓口", "--bank", "9999", "--branch", "101", "--type", "1", "--number", "9000009",
               "--holder", "カクウ タロウ", typed=PASSWORD)[2]  # fmt: skip
    assert "始まっていません" in told
