"""紙に書かれた口座: 打たれたものを振込用に直す、二つの入力を比べる、名義が氏名と合うかを見る。"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, fields
from typing import Any

import polars as pl

from benefit.domain.errors import Place, RefusedInput
from benefit.domain.kana import search_key
from benefit.records.yucho import as_written
from benefit.rules.name_agreement import agrees


@dataclass(frozen=True)
class Account:
    """口座の五項目（振込用に直したもの）。五つとも空なら、登録の口座のまま。"""

    bank_code: str | None = None
    branch_code: str | None = None
    account_type: str | None = None
    account_number: str | None = None
    holder_kana: str | None = None

    @property
    def sha256(self) -> str:
        """比べるための指紋。名義は、幅や小さいかなの違いを除いて比べる。"""
        return hashlib.sha256(json.dumps(_compared(self), ensure_ascii=False).encode()).hexdigest()

    @property
    def columns(self) -> dict[str, str | None]:
        """台帳の五つの列。"""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Account:
        """台帳の行の五つの列から。"""
        return cls(*(row[field.name] for field in fields(cls)))


#: 口座を書いていない紙。
NO_ACCOUNT = Account()
ACCOUNT_NAMES = {
    "bank_code": "金融機関コード",
    "branch_code": "支店コード",
    "account_type": "預金種目",
    "account_number": "口座番号",
    "holder_kana": "口座名義カナ",
}
_SHAPES = {
    "bank_code": (r"[0-9]{4}", "4 桁の数字"),
    "branch_code": (r"[0-9]{3}", "3 桁の数字"),
    "account_type": (r"[0-9]", "1 桁の数字"),
    "account_number": (r"[0-9]{7}", "7 桁までの数字"),
}


def account_of(bank_code: str, branch_code: str, account_type: str, account_number: str, holder_kana: str) -> Account:
    """打たれた口座を、振込用の五項目に。ゆうちょ銀行の「記号-番号」を直し、口座番号の前の 0 を補う。形が違えば断る。"""
    bank, branch, kind, number, holder = (
        value.strip() for value in (bank_code, branch_code, account_type, account_number, holder_kana)
    )
    if not any((bank, branch, kind, number, holder)):
        return NO_ACCOUNT
    told = as_written(bank, branch, kind, number.zfill(7) if number.isdecimal() else number)
    account = Account(*told, holder)
    for name, (shape, right) in _SHAPES.items():
        value = getattr(account, name)
        if not (value.isascii() and re.fullmatch(shape, value)):
            raise RefusedInput(
                "口座の形が違います",
                code="account",
                place=Place(field=ACCOUNT_NAMES[name]),
                found=f"{len(value)} 文字",
                allowed=right,
            )
    if not search_key(holder):
        raise RefusedInput("口座名義カナを入れてください", code="account", place=Place(field="口座名義カナ"))
    return account


def _compared(account: Account) -> list[str | None]:
    return [*astuple(account)[:4], search_key(account.holder_kana or "")]


def differing(first: Account, second: Account) -> tuple[str, ...]:
    """二つの入力で違う項目の名。"""
    pairs = zip(ACCOUNT_NAMES.values(), _compared(first), _compared(second), strict=True)
    return tuple(name for name, one, other in pairs if one != other)


def holders_agree(pairs: Iterable[tuple[str | None, str | None]]) -> list[bool]:
    """（口座名義, 受給者のカナ氏名）が合うか。規則は benefit.rules.name_agreement。"""
    rows = pl.DataFrame(list(pairs), schema={"holder": pl.String, "kana": pl.String}, orient="row")
    return rows.select(agrees(pl.col("holder"), pl.col("kana"))).to_series().to_list()
