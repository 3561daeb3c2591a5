"""金融機関と店舗の表（日付つき）と、口座の形の検査（CHK80）。

表は渡すもので、規則が自分で読みに行かない。既定は `zengin-code` の配布物に入っている表で、その日付を名乗る。
区が銀行から受け取った表は `from_rows` で作る。表にない店舗は、統廃合された店舗かもしれない（CHK80）。
名は全銀の字に読み替え、15 バイトに切ってある。銀行名・支店名は任意の項目なので、字の組に入らない名
（表には「．」を含む銀行がある）は、似た字に変えずに空欄にする。
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import NamedTuple

from benefit.domain.errors import RefusedInput, WrongUse
from benefit.records.zengin import ACCOUNT_TYPES
from benefit.records.zengin_text import BANK_NAME, convert, cut

NAME_BYTES = 15
#: これより古い表（日数）で口座を見たら、そう言う。店舗の統廃合は毎月ある。
STALE_DAYS = 31
#: 割り当てのない銀行番号（formats §1.4）。架空の銀行として、デモと試験だけが使う。
TEST_BANK_CODE = "9999"
_TEST_BANK_NAME = "カクウギンコウ"
_TEST_BRANCHES = {
    "001": "ホンテン",
    "101": "ミナミシテン",
    "102": "ミナミシテン",
    "201": "キタシテン",
    "301": "ニシシテン",
}


class BranchRow(NamedTuple):
    """表の一行。名はカナ（全角でも半角でもよい）。"""

    bank_code: str
    bank_name_kana: str
    branch_code: str
    branch_name_kana: str


@dataclass(frozen=True, slots=True)
class Branch:
    """見つかった店舗。名は半角カナ 15 バイトまで（書けない名は空）。"""

    bank_code: str
    bank_name: str
    branch_code: str
    branch_name: str


class AccountProblem(StrEnum):
    """口座が CHK80 に合わないわけ。値は判定結果や画面に出る日本語で、口座の値は含まない。"""

    UNKNOWN_BANK = "金融機関コードが表にない"
    UNKNOWN_BRANCH = "支店コードが表にない（統廃合された店舗を含む）"
    BAD_TYPE = "預金種目が 1・2・4 でない"
    NOT_SEVEN_DIGITS = "口座番号が 7 桁の数字でない"
    ALL_ZERO = "口座番号がすべて 0"


@dataclass(frozen=True)
class _Bank:
    name: str
    branches: Mapping[str, str]


class BankMaster:
    """金融機関と店舗の表。`as_of` は表の日付。`source` は出所。"""

    def __init__(self, as_of: date, source: str, banks: Mapping[str, _Bank]) -> None:
        self.as_of = as_of
        self.source = source
        self._banks = dict(banks)

    def age(self, today: date) -> int:
        """表の日付から `today` までの日数。表のほうが新しければ 0。"""
        return max(0, (today - self.as_of).days)

    @staticmethod
    def installed() -> BankMaster:
        """導入された `zengin-code` の表。読むのに 0.3 秒ほどかかるので、一回の処理で一度だけ作る。"""
        # この配布物は import するだけで全店舗の部品を作る。要るのは表だけなので、置き場所だけを尋ねる。
        spec = importlib.util.find_spec("zengin_code")
        return BankMaster._packaged(spec)

    @staticmethod
    def _packaged(spec: ModuleSpec | None) -> BankMaster:
        if spec is None or not spec.submodule_search_locations:
            raise WrongUse("金融機関の表（zengin-code）が導入されていません")
        data = Path(spec.submodule_search_locations[0]) / "source-data" / "data"
        stamp = (data / "updated_at").read_text(encoding="ascii").strip()
        as_of = datetime.strptime(stamp, "%Y%m%d").date()  # noqa: DTZ007  日付だけの印で、時刻も時差もない
        banks = {}
        for code, bank in json.loads((data / "banks.json").read_text(encoding="utf-8")).items():
            branches = json.loads((data / "branches" / f"{code}.json").read_text(encoding="utf-8"))
            banks[code] = _Bank(bank["kana"], {branch: row["kana"] for branch, row in branches.items()})
        return BankMaster(as_of, f"zengin-code {stamp}", banks)

    @staticmethod
    def from_rows(as_of: date, rows: Iterable[BranchRow | tuple[str, str, str, str]], *, source: str) -> BankMaster:
        """行の並びから作る。コードの桁が違えば断る。同じ店舗が二度あれば、名が同じでも断る。"""
        names: dict[str, str] = {}
        branches: dict[str, dict[str, str]] = {}
        for number, (bank, bank_name, branch, branch_name) in enumerate(rows, start=1):
            if not (_is_digits(bank, 4) and _is_digits(branch, 3)):
                raise RefusedInput(f"金融機関の表の {number} 行目のコードの桁が違います", allowed="4 桁と 3 桁の数字")
            if branch in branches.setdefault(bank, {}):
                raise RefusedInput(
                    f"金融機関の表の {number} 行目と同じ店舗が、前にもあります", found=f"{bank}-{branch}"
                )
            names.setdefault(bank, bank_name)
            branches[bank][branch] = branch_name
        return BankMaster(as_of, source, {bank: _Bank(names[bank], branches[bank]) for bank in names})

    def with_test_bank(self, branches: Mapping[str, str] | None = None) -> BankMaster:
        """架空の銀行 9999 を足した表。デモと試験だけが使う。`branches` は店番 → カナ名（なければ五つの架空の店）。"""
        bank = _Bank(_TEST_BANK_NAME, dict(_TEST_BRANCHES if branches is None else branches))
        return BankMaster(self.as_of, f"{self.source}＋架空の銀行", {**self._banks, TEST_BANK_CODE: bank})

    def has_bank(self, bank_code: str) -> bool:
        """銀行番号が表にあるか。"""
        return bank_code in self._banks

    def find(self, bank_code: str, branch_code: str) -> Branch | None:
        """店舗を引く。銀行か店舗が表になければ None。"""
        bank = self._banks.get(bank_code)
        if bank is None or branch_code not in bank.branches:
            return None
        return Branch(bank_code, _short(bank.name), branch_code, _short(bank.branches[branch_code]))

    def branches(self) -> Iterator[tuple[str, str]]:
        """表にある（銀行番号、店番）のすべて。"""
        for bank_code, bank in self._banks.items():
            for branch_code in bank.branches:
                yield bank_code, branch_code


def _short(kana: str) -> str:
    try:
        return cut(convert(kana, BANK_NAME), NAME_BYTES)
    except RefusedInput:
        return ""


def _is_digits(value: str, length: int) -> bool:
    return len(value) == length and value.isascii() and value.isdigit()


def account_problems(
    bank_code: str, branch_code: str, account_type: str, account_number: str, master: BankMaster
) -> list[AccountProblem]:
    """口座の形のわるいところをすべて挙げる（CHK80）。空なら受け付けられる。空欄の口座は、ここに渡さない。"""
    problems = []
    if not master.has_bank(bank_code):
        problems.append(AccountProblem.UNKNOWN_BANK)
    elif master.find(bank_code, branch_code) is None:
        problems.append(AccountProblem.UNKNOWN_BRANCH)
    if account_type not in ACCOUNT_TYPES:
        problems.append(AccountProblem.BAD_TYPE)
    if not _is_digits(account_number, 7):
        problems.append(AccountProblem.NOT_SEVEN_DIGITS)
    elif not account_number.strip("0"):
        problems.append(AccountProblem.ALL_ZERO)
    return problems
