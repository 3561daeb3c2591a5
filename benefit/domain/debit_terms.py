"""口座振替の約束（区の作業場所の direct-debit.toml）: 委託者、入金する口座、科目、請求の回数。

銀行・代行業者との契約で決まる値なので、コードには置かない。読めない・合わない値は、どの項目かを言って断る。
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass

from benefit.domain.errors import RefusedInput

#: 書き方の見本（架空）。`benefit direct-debit terms --example` が置く。
EXAMPLE = """\
# 口座振替の約束。銀行（指定金融機関・代行業者）との契約のとおりに書き換えてください。
client_code = "1234567890"          # 委託者コード（10 桁）
client_name = "ｶｸｳｼ ｶｲｹｲｶ"           # 委託者名（半角カナ）
bank_code = "9999"                  # 入金する区の口座
bank_name = "ｶｸｳｷﾞﾝｺｳ"
branch_code = "001"
branch_name = "ﾎﾝﾃﾝ"
account_type = "1"                  # 1 普通、2 当座、9 その他
account_number = "0012345"

requests_max = 2                    # 一つの調定に請求する回数（2 なら、再請求は一回）
no_use_codes = ["2", "3", "4", "8"] # 口座が変わるまで、もう一度請求しても払われないコード

# 口座振替をする科目。code は、顧客番号 20 桁の頭の 2 桁（科目ごとに違う番号）。
[subjects]
"101" = { code = "10", name = "国民健康保険料" }
"201" = { code = "20", name = "介護保険料" }
"""
_TEXTS = {
    "client_code": 10,
    "client_name": 0,
    "bank_code": 4,
    "bank_name": 0,
    "branch_code": 3,
    "branch_name": 0,
    "account_type": 1,
    "account_number": 7,
}
_OTHERS = {"requests_max", "no_use_codes", "subjects"}
#: 再請求は一回がふつうで、多くても数回である。
_MOST_REQUESTS = 5


@dataclass(frozen=True)
class DebitSubject:
    """口座振替をする科目一つ。"""

    code: str
    name: str


@dataclass(frozen=True)
class DebitTerms:
    """口座振替の約束。"""

    client_code: str
    client_name: str
    bank_code: str
    bank_name: str
    branch_code: str
    branch_name: str
    account_type: str
    account_number: str
    requests_max: int
    no_use_codes: tuple[str, ...]
    subjects: Mapping[str, DebitSubject]

    @staticmethod
    def parse(text: str, *, file: str) -> DebitTerms:
        """TOML から。項目の過不足、桁、科目の番号の重なりを断る。"""

        def refuse(says: str, found: str | None = None, allowed: str | None = None) -> RefusedInput:
            return RefusedInput(f"{file}: {says}", code="debit-terms", found=found, allowed=allowed)

        try:
            given = tomllib.loads(text)
        except tomllib.TOMLDecodeError as wrong:
            raise refuse("TOML として読めません", found=str(wrong)) from None
        wanted = {*_TEXTS, *_OTHERS}
        if differing := sorted(wanted ^ set(given)):
            raise refuse("項目が合いません", found="、".join(differing), allowed="、".join(sorted(wanted)))
        for name, width in _TEXTS.items():
            value = given[name]
            if not isinstance(value, str) or not value:
                raise refuse(f'「{name}」は文字で書いてください（" で囲む）')
            if width and not (len(value) == width and value.isascii() and value.isdigit()):
                raise refuse(f"「{name}」の桁が違います", found=f"{len(value)} 字", allowed=f"{width} 桁の数字")
        most = given["requests_max"]
        if not isinstance(most, int) or isinstance(most, bool) or not 1 <= most <= _MOST_REQUESTS:
            raise refuse("「requests_max」が違います", found=f"{most}", allowed=f"1 から {_MOST_REQUESTS}")
        codes = given["no_use_codes"]
        if not isinstance(codes, list) or not all(isinstance(code, str) and len(code) == 1 for code in codes):
            raise refuse("「no_use_codes」は、振替結果コード（一字）の並びです")
        if "0" in codes:
            raise refuse("「no_use_codes」に、振替済（0）は書けません")
        subjects = _subjects(given["subjects"], refuse)
        return DebitTerms(
            **{name: given[name] for name in _TEXTS},
            requests_max=most,
            no_use_codes=tuple(codes),
            subjects=subjects,
        )


def _subjects(given: object, refuse: object) -> dict[str, DebitSubject]:
    assert callable(refuse)
    if not isinstance(given, dict) or not given:
        raise refuse("口座振替をする科目がありません（[subjects]）")
    found: dict[str, DebitSubject] = {}
    for subject, told in given.items():
        if not isinstance(told, dict) or set(told) != {"code", "name"}:
            raise refuse(f'科目 {subject} は {{ code = "10", name = "名" }} の形です')
        code, name = told["code"], told["name"]
        if not isinstance(code, str) or len(code) != 2 or not (code.isascii() and code.isdigit()):
            raise refuse(f"科目 {subject} の code は 2 桁の数字です")
        if not isinstance(name, str) or not name:
            raise refuse(f"科目 {subject} の name がありません")
        if any(code == one.code for one in found.values()):
            # 同じ番号なら、別の科目の調定が同じ顧客番号になり、結果を取り違える。
            raise refuse(f"科目 {subject} の code が、ほかの科目と同じです", found=code)
        if len(str(subject)) != 3:
            raise refuse("科目コードは 3 字です", found=str(subject))
        found[str(subject)] = DebitSubject(code, name)
    return found
