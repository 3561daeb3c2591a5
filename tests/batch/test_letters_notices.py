"""通知と納付書のコマンド: 見本を書き、作り、数を言う。台帳からは、作れない調定のわけを言う（種文書 001）。"""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest

from benefit.domain.access import BATCH
from benefit.services import people
from benefit.services.home import Home
from benefit.store import ward
from tests.batch.conftest import Run
from tests.conftest import StepClock
from tests.records.collection_samples import sample

PASSWORD = "x" * 15


@pytest.fixture
def office(ready: Path, clock: StepClock) -> Path:
    home = Home.at(ready)
    with home.ward.begin() as connection:
        people.add(
            connection, ward.staff, ward.audit_log,
            staff_id="tanto", name="試験", role="clerk", password=PASSWORD, actor=BATCH, at=clock(),
        )  # fmt: skip
    home.ward.dispose()
    return ready


def test_another_office_prints_from_its_own_data(ready: Path, run: Run, tmp_path: Path) -> None:
    """見本を書き、そのまま作れる。二度目は同じもの。形の違う行は、行と項目を言って終了コード 3。"""
    del ready
    data, out = tmp_path / "tsuchi.csv", tmp_path / "out"
    assert "通知書番号" in run("letters", "notices", "sample", "--out", data)[1]
    make = ("letters", "notices", "make", "--kind", "納入通知書", "--data", data, "--issued-on", "2026-07-10")
    code, told, _ = run(*make, "--out", out)
    assert code == 0
    assert "読込 2 = 印刷 2 + 止めた 0（ロット 1）" in told
    assert "コンビニで払えない納付書 1 枚" in told
    assert "前に作ったものと同じです" in run(*make, "--out", out)[1]
    data.write_bytes(data.read_bytes().replace(b",1690075,", b",16900,"))
    code, _, refused = run(*make, "--out", tmp_path / "other")
    assert code == 3
    assert "2 行目「郵便番号" in refused
    assert not (tmp_path / "other").exists()
    assert run("letters", "notices", "make", "--kind", "手紙", "--data", data, "--out", out)[0] == 2


def test_from_the_ledger_every_receivable_is_told(office: Path, run: Run, tmp_path: Path) -> None:
    """督促の数と、作らない調定のわけを言う。住民記録のない人には作らない。課の値は区のものが先。"""
    shipped = (resources.files("benefit") / "slip_issuers" / "insurance.toml").read_text(encoding="utf-8")
    own = office / "slip_issuers" / "insurance.toml"
    own.parent.mkdir()
    own.write_text(shipped.replace('"001" =', '"101" ='), encoding="utf-8")
    levies = tmp_path / "levies.dat"
    levies.write_bytes(sample("standard-levies"))
    run("collection", "register", levies)
    until = ("--until", "2090-03-31", "--by", "tanto")
    code, told, refused = run("letters", "notices", "overdue", "--kind", "督促状", "--issued-on", "2089-07-20",
                              "--out", tmp_path / "a", *until, typed=PASSWORD)  # fmt: skip
    assert (code, refused) == (0, "")
    assert "納期限を過ぎた調定 1 件 = 督促状 1 件 + 速報が届いて止めた 0 件 + もう出した・まだその時でない 0 件" in told
    assert "調定 1 は作りません: 送付先が分からない" in told
    code, told, _ = run("slips", "make", "--receivable", "1", "--out", tmp_path / "b", *until, typed=PASSWORD)
    assert code == 0
    assert "調定 1 は作りません: " in told
    assert "調定 1 に出した納付書 1 枚" in run("slips", "show", "1")[1]
    assert run("slips", "show", "77")[0] == 2  # ない調定は「0 枚」ではない
    assert run("slips", "make", "--receivable", "77", "--out", tmp_path / "b", *until, typed=PASSWORD)[0] == 2
