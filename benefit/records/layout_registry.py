"""様式の一覧: 名前（id）から様式へ。同梱の様式と、区が置いた TOML の様式が並ぶ。"""

from __future__ import annotations

from benefit.records import (
    convenience_store,
    counter,
    direct_debit,
    direct_debit_accounts,
    mobile_register,
    payeasy,
    standard_system,
)
from benefit.records.file_layout import FileLayout

#: 同梱の様式。順は、画面と `layout list` に出る順。
BUILT_IN: dict[str, FileLayout] = {
    layout.id: layout
    for layout in (
        convenience_store.CONVENIENCE_STORE,
        convenience_store.ELECTRONIC_MONEY,
        mobile_register.PAID,
        mobile_register.REMITTANCE,
        payeasy.UPLOAD,
        payeasy.PAID,
        counter.GENERAL,
        counter.CARE,
        counter.CLEANING,
        counter.SPECIAL,
        counter.STATEMENT,
        counter.LOCAL_TAX,
        direct_debit_accounts.ACCOUNTS,
        direct_debit.REQUEST,
        direct_debit.RESULT,
        standard_system.LEVIES,
        standard_system.PAID,
    )
}
