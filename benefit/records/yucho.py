"""ゆうちょ銀行の記号・番号を、振込に使う店番・預金種目・口座番号に直す（formats §1.7）。

出典は記憶と小さな公開の道具だけで、確かめられていない。銀行の窓口で一度確かめてから使う。
"""

from __future__ import annotations

from typing import NamedTuple

from benefit.domain.errors import Place, RefusedInput

BANK_CODE = "9900"
ORDINARY, CURRENT = "1", "2"
_DASHES = str.maketrans(dict.fromkeys("－‐‑‒–—―−ー", "-"))


class YuchoAccount(NamedTuple):
    """振込用の口座。口座番号は 0 を詰めた 7 桁。"""

    bank_code: str
    branch_code: str
    account_type: str
    account_number: str


def account_of(symbol: str, number: str) -> YuchoAccount:
    """記号（5 桁）と番号（8 桁まで）から振込用の口座を作る。

    記号が 1 で始まる: 店番 = 2・3 桁目 + 8、普通、番号から末尾の 1 桁を除いて 7 桁。
    記号が 0 で始まる: 店番 = 2・3 桁目 + 9、当座、番号を 7 桁。ほかは `RefusedInput`（番号そのものは文に入れない）。
    """
    if not (len(symbol) == 5 and symbol.isascii() and symbol.isdigit()):
        raise RefusedInput(
            "記号の桁が合いません", place=Place(field="記号"), found=f"{len(symbol)} 文字", allowed="5 桁の数字"
        )
    if not (number.isascii() and number.isdigit()):
        raise RefusedInput("番号が数字ではありません", place=Place(field="番号"), allowed="8 桁までの数字")
    if symbol[0] == "1":
        _check_digits(number, 2, 8)
        return YuchoAccount(BANK_CODE, symbol[1:3] + "8", ORDINARY, number[:-1].zfill(7))
    if symbol[0] == "0":
        _check_digits(number, 1, 7)
        return YuchoAccount(BANK_CODE, symbol[1:3] + "9", CURRENT, number.zfill(7))
    raise RefusedInput(
        "振込に使えない記号です",
        place=Place(field="記号"),
        found=f"{symbol[0]} で始まる",
        allowed="0 か 1 で始まる記号",
    )


def as_written(bank_code: str, branch_code: str, account_type: str, account_number: str) -> YuchoAccount:
    """申請書・確認書・回答に書かれた口座を、振込用の口座に。ゆうちょ銀行の「記号-番号」だけを直し、ほかはそのまま返す。

    「記号-番号」は口座番号の所に書き、支店コードと預金種目は空にする。ゆうちょ銀行（9900）なのに、振込用の店番
    （末尾が 8 か 9）と 7 桁の番号でなければ、記号番号をそのまま写したものとみて断る。店番があるかは CHK80 が見る。
    """
    symbol, dash, number = account_number.strip().translate(_DASHES).partition("-")
    if dash:
        if bank_code.strip() not in {"", BANK_CODE}:
            raise RefusedInput(
                "記号-番号は、ゆうちょ銀行の書き方です", place=Place(field="口座番号"), allowed="7 桁の数字"
            )
        if branch_code.strip() or account_type.strip():
            raise RefusedInput(
                "記号-番号のときは、支店コードと預金種目を空にします（番号から決まります）",
                place=Place(field="口座番号"),
            )
        return account_of(symbol, number)
    if bank_code == BANK_CODE and not (branch_code[-1:] in {"8", "9"} and len(account_number) == 7):
        raise RefusedInput(
            "ゆうちょ銀行の口座が、振込用の店番と番号になっていません",
            place=Place(field="口座番号"),
            allowed="「記号-番号」（例 19990-90000011）、または末尾が 8 か 9 の店番と 7 桁の番号",
        )
    return YuchoAccount(bank_code, branch_code, account_type, account_number)


def _check_digits(number: str, shortest: int, longest: int) -> None:
    if not shortest <= len(number) <= longest:
        raise RefusedInput(
            "番号の桁が合いません",
            place=Place(field="番号"),
            found=f"{len(number)} 桁",
            allowed=f"{shortest} から {longest} 桁",
        )
