"""監査のコマンド: 締め、預け合い、確かめ、報告、署名、引く。受渡の受取と消去。"""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from benefit.domain.access import BATCH
from benefit.domain.clock import system_clock
from benefit.services import people
from benefit.services.home import Home
from benefit.store import audit, ward
from benefit.store.bulk import insert_one
from tests.batch.conftest import Run

WORDS = "あいことば-とても-ながい-2024"


@pytest.fixture
def office(run: Run, tmp_path: Path) -> Path:
    """人が一人と、三行のログのある作業場所。"""
    assert run("init")[0] == 0
    home = Home.at(tmp_path / "home")
    with home.ward.begin() as connection:
        people.add(
            connection, ward.staff, ward.audit_log, staff_id="kansa", name="試験", role="auditor", password=WORDS,
            actor=BATCH, at=system_clock(),
        )  # fmt: skip
        for number in range(3):
            audit.record(connection, ward.audit_log, at=system_clock(), actor=BATCH, action="試験", subject=f"{number}")
        insert_one(
            connection, ward.handover, crossing="print_out", counterpart="印刷", folder="lot", sequence=1,
            sha256="a" * 64, row_count=1, actor="batch", at=system_clock(),
        )  # fmt: skip
    home.ward.dispose()
    return tmp_path / "home"


def key_in(text: str) -> str:
    return text.split("公開鍵 ")[1][:64]


def test_close_the_day_give_take_and_verify_and_a_change_is_named_with_exit_four(
    run: Run, office: Path, tmp_path: Path
) -> None:
    code, told, _ = run("audit", "anchor", "--out", tmp_path / "paper")
    assert code == 0
    assert len(list((tmp_path / "paper").glob("*.pdf"))) == 2
    code, told, _ = run("audit", "exchange", "out", "--store", "ward", "--out", tmp_path / "parcels")
    assert code == 0
    (parcel,) = (tmp_path / "parcels").iterdir()
    assert run("audit", "exchange", "take", parcel, "--store", "desk")[0] == 2  # 初めは、鍵を紙で知らせる
    code, told, _ = run("audit", "exchange", "take", parcel, "--store", "desk", "--key", key_in(told))
    assert (code, "1 個 = 新しい印 1 個 + もうある印 0 個" in told) == (0, True)
    code, told, _ = run("audit", "verify")
    assert code == 0
    assert "うち外に預けた印 1 個" in told
    edit = sqlite3.connect(office / "ward.db")
    edit.executescript("DROP TRIGGER audit_log_refuses_update; UPDATE audit_log SET subject = '9' WHERE subject = '1';")
    bad = edit.execute("SELECT sequence FROM audit_log WHERE subject = '9'").fetchone()[0]
    edit.close()
    for arguments in (("audit", "verify"), ("audit", "verify", "--store", "ward", "--against", parcel)):
        code, told, refused = run(*arguments)
        assert code == 4
        assert f"区の台帳: {bad} 行目が壊れています: 内容が書き換えられています" in told
        assert "監査ログが壊れています" in refused
    # 壊れた台帳は、締められない。
    assert run("audit", "anchor", "--store", "ward")[0] == 4
    assert run("audit", "anchor", "--store", "desk")[0] == 0


def test_the_weekly_report_is_made_signed_by_another_and_found_in_the_log(
    run: Run, office: Path, tmp_path: Path
) -> None:
    code, told, _ = run(
        "audit",
        "report",
        "--store",
        "ward",
        "--today",
        f"{system_clock().date() + timedelta(days=9)}",
        "--out",
        tmp_path / "book",
    )
    assert code == 0, told
    assert "L16 受渡の期限切れ" in told
    digest = told.split("指紋 ")[1][:64]
    assert list((tmp_path / "book").glob("*.xlsx"))
    wrong = run("audit", "sign", "1", "--by", "kansa", "--remarks", "確かめた", "--digest", "00000000", typed=WORDS)
    assert wrong[0] == 2
    assert (
        run("audit", "sign", "1", "--by", "kansa", "--remarks", "確かめた", "--digest", digest[:8], typed=WORDS)[0] == 0
    )
    code, told, _ = run("audit", "search", "--action", "audit.sign")
    assert code == 0
    assert "1 行、1 / 1 頁" in told
