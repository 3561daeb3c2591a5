"""口座を見た金融機関・店舗の表は、日付とともに言われ、古ければ古いと言われる。"""

from __future__ import annotations

from datetime import timedelta

from benefit.records.bank_master import STALE_DAYS, BankMaster
from benefit.services import bank_master
from benefit.services.home import Home


def test_the_table_in_use_says_its_date_and_warns_only_when_it_is_old() -> None:
    table = BankMaster.installed()
    fresh = bank_master.told(table, table.as_of + timedelta(days=STALE_DAYS))
    assert len(fresh) == 1
    assert str(table.as_of) in fresh[0]
    assert table.source in fresh[0]
    old = bank_master.told(table, table.as_of + timedelta(days=STALE_DAYS + 1))
    assert old[0] == fresh[0]
    assert f"{STALE_DAYS + 1} 日前" in old[1]
    # 表の日付より前の日の仕事（過去の年の再現）では、古いとは言わない。
    assert bank_master.told(table, table.as_of - timedelta(days=900)) == fresh
    assert table.age(table.as_of - timedelta(days=1)) == 0


def test_the_rehearsal_table_is_named_and_never_called_old(sqlite_home: Home) -> None:
    bank_master.use_rehearsal(sqlite_home, {("9999", "001")})
    table = bank_master.in_use(sqlite_home)
    assert bank_master.told(table, table.as_of + timedelta(days=9_999)) == [
        f"口座は、練習用の架空の表 の金融機関・店舗の表（{table.as_of} 現在）で見ました。"
    ]
