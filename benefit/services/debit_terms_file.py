"""口座振替の約束（作業場所の direct-debit.toml）を読む。"""

from __future__ import annotations

from pathlib import Path

from benefit.domain.debit_terms import EXAMPLE, DebitTerms
from benefit.domain.errors import RefusedByRule, RefusedInput, WrongUse
from benefit.records import direct_debit
from benefit.services.files import write_atomic
from benefit.services.home import Home


def path_of(home: Home) -> Path:
    """置き場。"""
    return home.path / "direct-debit.toml"


def load(home: Home) -> DebitTerms:
    """約束。なければ、どうすればよいかを言う。銀行の様式に書けない値は、ここで断る。"""
    path = path_of(home)
    if not path.is_file():
        raise WrongUse(
            "口座振替の約束がありません。benefit direct-debit terms --example で見本を置き、"
            f"契約のとおりに直してください（{path}）",
            code="no-debit-terms",
        )
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise RefusedInput(f"{path.name} が UTF-8 で読めません", code="debit-terms") from None
    terms = DebitTerms.parse(text, file=path.name)
    assert direct_debit.REQUEST.header is not None
    direct_debit.REQUEST.header.encode(header(terms, "0101"), file=path.name)
    return terms


def header(terms: DebitTerms, month_day: str) -> dict[str, str | int]:
    """請求ファイルの見出しの値。"""
    return {
        "client_code": terms.client_code,
        "client_name": terms.client_name,
        "debit_month_day": month_day,
        "bank_code": terms.bank_code,
        "bank_name": terms.bank_name,
        "branch_code": terms.branch_code,
        "branch_name": terms.branch_name,
        "account_type": terms.account_type,
        "account_number": terms.account_number,
    }


def put_example(home: Home) -> Path:
    """見本を置く。もうあれば断る（契約の値を消さない）。"""
    path = path_of(home)
    if path.exists():
        raise RefusedByRule(f"{path.name} は、もうあります。直接書き換えてください", code="exists")
    write_atomic(path, EXAMPLE.encode())
    return path
