"""振込不能の後に、二人で決めた新しい口座（区だけが扱う人: 避難者・相続人）。

この人たちには、口座を届け直す手紙も、委託先の給付管理もない。承認された「再振込」の回答の口座で、区の行を判定し直す。
お金は、支給判定と、同じ権利の次の回の振込を通る（ほかの課の再振込の道は通らない）。
"""

from __future__ import annotations

import polars as pl
from sqlalchemy import Connection, and_, exists, select

from benefit.services.failure_facts import day_of
from benefit.services.transfer_lines import ACCOUNT
from benefit.services.transfer_resend import answers_in_force, own_failures
from benefit.store import ward

_COLUMNS = {"id": pl.Int64, **dict.fromkeys(ACCOUNT, pl.String), "received_on": pl.Date, "reviewed_on": pl.Date}


def new_accounts(connection: Connection) -> pl.DataFrame:
    """最後の支払が振込不能で、その不能に新しい口座が決まり、まだその口座で判定していない権利（_COLUMNS）。"""
    wanted = {number: row for number, row in answers_in_force(connection).items() if row["kind"] == "再振込"}
    mine = {number: paid for number, paid in own_failures(connection).items() if number in wanted} if wanted else {}
    payment, verdict = ward.payment, ward.verdict
    later = payment.alias("later")
    last = ~exists().where(later.c.entitlement_id == payment.c.entitlement_id, later.c.attempt > payment.c.attempt)
    rows = []
    for number, paid in sorted(mine.items()):
        answer = wanted[number]
        same = and_(*(verdict.c[name] == answer[name] for name in ACCOUNT))
        judged = exists().where(
            verdict.c.entitlement_id == payment.c.entitlement_id,
            verdict.c.planned_file_id > payment.c.planned_file_id,
            same | (verdict.c.verdict == "支給可"),
        )
        found = connection.execute(
            select(payment.c.entitlement_id).where(payment.c.id == paid, payment.c.state == "F43", last, ~judged)
        ).scalar()
        if found is not None:
            day = day_of(answer["approved_at"])
            rows.append((found, *(answer[name] for name in ACCOUNT), day_of(answer["asked_at"]), day))
    return pl.DataFrame(rows, schema=_COLUMNS, orient="row").unique("id", keep="last", maintain_order=True)
