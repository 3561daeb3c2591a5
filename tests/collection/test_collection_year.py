"""種文書 004 の一年を小さくして、全部の経路を本物の取込に通す（大きさのとおりは make bench ONLY=collection-year）。"""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from benefit.services.home import Home
from benefit.store import ward
from tests.bench import collection_year

#: seed 004 の別紙 1。請求と結果は同じ件数。
WRITTEN = {
    "payeasy-paid": 5_742 + 1_807 + 3_692,
    "counter-general": 1_430 + 1_405 + 12_559,
    "counter-care": 15_515,
    "counter-cleaning": 669,
    "special-collection": 162_021 + 20_872,
    "special-collection-statement": 174_402,
    "direct-debit": 46_872 + 184_222 + 71_902 + 11_105,
}


def test_the_volumes_are_those_of_the_seed() -> None:
    for layout, count in WRITTEN.items():
        assert sum(one for name, _subject, one in collection_year.VOLUMES if name == layout) == count


def test_a_small_year_closes_on_every_channel(home: Home, tmp_path: Path) -> None:
    """読んだ = 消込 + 保留 + 受け付けない を月ごと・ファイルごとに、届いた額 = 消込 + 保留 を経路ごとに確かめる。"""
    done = collection_year.run(home, tmp_path / "files", scale=2_000, months=range(1, 4))
    assert (done.files, done.rejected) == (3 * 8, 0)
    assert set(done.rows) == {*WRITTEN, "direct-debit-request", "direct-debit-result"} - {"direct-debit"}
    paid, held = done.final_yen["合計（消込）"], done.final_yen["合計（保留）"]
    assert min(paid, held) > 0
    table = ward.collection_posting
    with home.ward.connect() as connection:
        # 台帳の預金は、届いたお金の全部。
        money = connection.execute(
            sa.select(sa.cast(sa.func.sum(table.c.amount_yen), sa.BigInteger)).where(table.c.debit == "預金")
        ).scalar_one()
    assert int(money) == paid + held


def test_a_year_that_does_not_close_is_an_error(sqlite_home: Home, tmp_path: Path) -> None:
    """閉じの検査そのものが働く: 一円でも言い違えた年は、終わらない。"""
    office = collection_year.Office(sqlite_home, tmp_path / "files", 2_000)
    (tmp_path / "files").mkdir()
    office.open()
    office.month(1)
    office.done.final_yen["payeasy-paid"] += 1
    with pytest.raises(AssertionError):
        office.close()
