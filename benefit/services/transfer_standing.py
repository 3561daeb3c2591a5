"""振込の日と行を、その日の事実で見直す。"""

from __future__ import annotations

from datetime import date

from benefit.domain.business_days import is_bank_business_day
from benefit.domain.clock import Clock, tokyo_date
from benefit.domain.errors import RefusedByRule, WrongUse
from benefit.domain.programme import Programme
from benefit.services.gate import stand
from benefit.services.home import Home
from benefit.services.transfer_file import lines_of
from benefit.services.transfer_resend import withdrawn
from benefit.store.engine import reading


def refuse_day(pay_date: date, today: date) -> None:
    """振込指定日は、今日より後の銀行営業日。"""
    if not is_bank_business_day(pay_date):
        raise WrongUse(f"{pay_date} は銀行の営業日ではありません", code="business-day")
    if pay_date <= today:
        raise WrongUse("振込指定日は、今日より後の日にします", found=str(pay_date))


def still_open(home: Home, programme: Programme, number: int, clock: Clock) -> None:
    """送り出す日の事実で見直す。亡くなった人、回答が変わった不能などが一件でもあれば、送り出さない。"""
    with reading(home.ward) as connection:
        lines = lines_of(connection, number)
        stopped = withdrawn(connection, lines)
    in_file = {line["entitlement_id"] for line in lines if line["entitlement_id"] is not None}
    if in_file:
        standing = stand(home, programme, tokyo_date(clock())).entitlements
        closed = standing.filter(~standing["open"])
        stopped += [
            f"{row['case_number']}（{row['why_closed']}）"
            for row in closed.iter_rows(named=True)
            if row["id"] in in_file
        ]
    if stopped:
        raise RefusedByRule(
            f"作った後に払えなくなった行が {len(stopped)} 件あります: {'、'.join(stopped[:5])}。"
            f"benefit transfer cancel {number} で取り消し、作り直してください",
            code="gate",
        )
