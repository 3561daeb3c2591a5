"""振込の願い（ファイルと、それについての頭書き）と、その変え方。阿武町の形を初めに置く。"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from benefit.domain.business_days import bank_business_day_on_or_after
from benefit.records.zengin import FileHeader, TransferLine, build
from tests.services.conftest import PAY


@dataclass
class Request:
    """銀行に出すつもりのもの: 見出し、明細、（別に書かれた）合計、もうある別のファイルの明細。"""

    header: FileHeader
    lines: list[TransferLine]
    others: list[TransferLine]
    trailer_yen: int | None = None

    def render(self) -> bytes:
        """本物の書き手で書く。中で辻褄の合ったファイルになる（合計を別に書いたときだけ、合計が違う）。"""
        content = build(self.header, self.lines).content
        if self.trailer_yen is None:
            return content
        at = len(content) - 2 * 122
        return content[: at + 7] + b"%012d" % self.trailer_yen + content[at + 19 :]


Change = Callable[[Request, random.Random], Request]


def _some(request: Request, rng: random.Random) -> int:
    return rng.randrange(len(request.lines))


def _with(request: Request, at: int, line: TransferLine) -> Request:
    return replace(request, lines=[*request.lines[:at], line, *request.lines[at + 1 :]])


def first_line_takes_all(request: Request, rng: random.Random) -> Request:
    """阿武町: 一番上の一人に、全部の合計。"""
    total = sum(line.amount_yen for line in request.lines)
    return _with(request, 0, replace(request.lines[0], amount_yen=total))


def one_line_of_the_total(request: Request, rng: random.Random) -> Request:
    """一件だけのファイルに、全部の合計（件数も合計も、頭書きどおりに読める）。"""
    total = sum(line.amount_yen for line in request.lines)
    return replace(request, lines=[replace(rng.choice(request.lines), amount_yen=total)])


def everything_to_one(request: Request, rng: random.Random) -> Request:
    """件数も一件の額も合計も同じまま、口座だけが全部同じ人。"""
    one = rng.choice(request.lines)
    paid = [
        replace(
            line, bank_code=one.bank_code, bank_name=one.bank_name, branch_code=one.branch_code,
            branch_name=one.branch_name, account_type=one.account_type, account_number=one.account_number,
            holder_kana=one.holder_kana,
        )
        for line in request.lines
    ]  # fmt: skip
    return replace(request, lines=paid)


def a_copy_in_place_of_another(request: Request, rng: random.Random) -> Request:
    """一人の行の代わりに、別の一人の行がもう一度（件数は同じ）。"""
    at = _some(request, rng)
    others = [line for line in request.lines if line != request.lines[at]]
    return _with(request, at, rng.choice(others))


def a_line_twice(request: Request, rng: random.Random) -> Request:
    at = _some(request, rng)
    return replace(request, lines=[*request.lines[:at], request.lines[at], *request.lines[at:]])


def one_amount_times_ten(request: Request, rng: random.Random) -> Request:
    at = _some(request, rng)
    return _with(request, at, replace(request.lines[at], amount_yen=request.lines[at].amount_yen * 10))


def every_amount_times_ten(request: Request, rng: random.Random) -> Request:
    return replace(request, lines=[replace(line, amount_yen=line.amount_yen * 10) for line in request.lines])


def over_the_line_ceiling(request: Request, rng: random.Random) -> Request:
    at = _some(request, rng)
    return _with(request, at, replace(request.lines[at], amount_yen=rng.randrange(1_000_001, 46_300_001)))


def another_amount(request: Request, rng: random.Random) -> Request:
    at = _some(request, rng)
    other = rng.choice([yen for yen in range(10_000, 400_001, 10_000) if yen != request.lines[at].amount_yen])
    return _with(request, at, replace(request.lines[at], amount_yen=other))


def yen_from_one_to_another(request: Request, rng: random.Random) -> Request:
    """一件から別の件へ。合計は同じ。"""
    poor, rich = rng.sample(range(len(request.lines)), 2)
    moved = rng.randrange(1, request.lines[poor].amount_yen)
    first = _with(request, poor, replace(request.lines[poor], amount_yen=request.lines[poor].amount_yen - moved))
    return _with(first, rich, replace(request.lines[rich], amount_yen=request.lines[rich].amount_yen + moved))


def another_account(request: Request, rng: random.Random) -> Request:
    at = _some(request, rng)
    number = (int(request.lines[at].account_number) + rng.randrange(1, 10**7)) % 10**7
    return _with(request, at, replace(request.lines[at], account_number=f"{number:07d}"))


def another_holder(request: Request, rng: random.Random) -> Request:
    at = _some(request, rng)
    return _with(request, at, replace(request.lines[at], holder_kana="ベツノ　ヒト"))


def another_head_total(request: Request, rng: random.Random) -> Request:
    """頭書き（トレーラ）の合計だけが違う。"""
    total = sum(line.amount_yen for line in request.lines)
    return replace(request, trailer_yen=rng.choice([total * 10, total + rng.randrange(1, 10**6), total - 1]))


def redated(request: Request, rng: random.Random) -> Request:
    """日付だけを変えた同じ中身（垂水市、ある村）。"""
    day = bank_business_day_on_or_after(PAY + timedelta(days=rng.randrange(1, 120)))
    return replace(request, header=replace(request.header, transfer_on=day))


def another_sequence(request: Request, rng: random.Random) -> Request:
    lines = list(request.lines)
    while lines == request.lines:
        rng.shuffle(lines)
    return replace(request, lines=lines)


def lines_left_out(request: Request, rng: random.Random) -> Request:
    kept = rng.sample(range(len(request.lines)), rng.randrange(1, len(request.lines)))
    return replace(request, lines=[request.lines[at] for at in sorted(kept)])


def another_client(request: Request, rng: random.Random) -> Request:
    """ほかの給付事業（依頼人）のファイル。"""
    return replace(request, header=replace(request.header, client_code=f"{rng.randrange(1, 10**9):010d}"))


def another_sending_account(request: Request, rng: random.Random) -> Request:
    return replace(request, header=replace(request.header, account_number=f"9{rng.randrange(2, 10**6):06d}"))


def lines_of_another_file(request: Request, rng: random.Random) -> Request:
    """もう送ったファイルの行が、一件混ざる。"""
    at = _some(request, rng)
    return _with(request, at, rng.choice(request.others))


def another_reference(request: Request, rng: random.Random) -> Request:
    """顧客コード（給付管理番号・枝番・回）が違う。口座と金額は同じ。"""
    at = _some(request, rng)
    return _with(request, at, replace(request.lines[at], customer_code1=f"{rng.randrange(10**10):010d}"))


CHANGES: tuple[Change, ...] = (
    first_line_takes_all, one_line_of_the_total, everything_to_one, a_copy_in_place_of_another, a_line_twice,
    one_amount_times_ten, every_amount_times_ten, over_the_line_ceiling, another_amount, yen_from_one_to_another,
    another_account, another_holder, another_head_total, redated, another_sequence, lines_left_out, another_client,
    another_sending_account, lines_of_another_file, another_reference,
)  # fmt: skip
