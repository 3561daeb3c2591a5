"""振込の頭書き（件数・合計・最大の一件）と上限を、承認と送り出しのたびに、台帳の行から数え直して比べる。

承認する人に見せるのは頭書きである。頭書きが行と違えば、人は違うものを承認する（阿武町: 頭書きの合計が、一人への
一件になった）。上限は合計だけでなく、一件ごと、一人ごとに見る（reliability P7）。数え直しは台帳の集計で、
ファイルを作ったコードも、読み直すコードも使わない。
"""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from benefit.domain.errors import RefusedByRule
from benefit.domain.programme import Programme
from benefit.store import ward


def check_head(connection: Connection, programme: Programme, number: int) -> None:
    """振込 `number` の頭書きと上限を確かめる。違えば RefusedByRule（どの決まりに合わないかを言う）。"""
    line, payment, entitlement = ward.transfer_line, ward.payment, ward.entitlement
    head = connection.execute(select(ward.transfer).where(ward.transfer.c.id == number)).mappings().one()
    if head["programme"] != programme.id:
        raise RefusedByRule(
            f"振込 {number} は、ほかの給付事業のものです",
            code="programme",
            found=head["programme"],
            allowed=programme.id,
        )
    filed = select(payment.c.amount_yen, payment.c.entitlement_id).join(line, line.c.payment_id == payment.c.id)
    mine = filed.where(line.c.transfer_id == number).subquery()
    amount = mine.c.amount_yen
    counted = connection.execute(
        select(func.count(), func.coalesce(func.sum(amount), 0), func.coalesce(func.max(amount), 0))
    ).one()
    told = (head["line_count"], head["total_yen"], head["largest_yen"])
    if tuple(int(value) for value in counted) != told:
        raise RefusedByRule(
            f"振込 {number} の頭書きが、台帳の行と違います",
            code="head-line",
            found="{:,} 件 {:,} 円（最大 {:,} 円）".format(*told),
            allowed="{:,} 件 {:,} 円（最大 {:,} 円）".format(*(int(value) for value in counted)),
        )
    terms = programme.transfer
    if told[0] > terms.file_line_max or told[1] > terms.file_total_max_yen:
        raise RefusedByRule(
            f"振込 {number} は、一つのファイルに入る件数か合計を超えています",
            code="file-ceiling",
            found=f"{told[0]:,} 件 {told[1]:,} 円",
            allowed=f"{terms.file_line_max:,} 件、{terms.file_total_max_yen:,} 円まで",
        )
    # ほかの課の支払の再振込には、この給付の一件・一人の上限はない（預かった額であることは台帳の制約が見る）。
    own = select(func.sum(amount).label("yen"), func.max(amount).label("largest_yen")).join(
        entitlement, entitlement.c.id == mine.c.entitlement_id
    )
    people = own.group_by(entitlement.c.payee_number).subquery()
    richest = connection.execute(select(func.max(people.c.largest_yen), func.max(people.c.yen))).one()
    for yen, code, what in zip(richest, ("line-ceiling", "payee-ceiling"), ("一件", "一人"), strict=True):
        if yen is not None and int(yen) > terms.line_block_yen:
            raise RefusedByRule(
                f"振込 {number} に、{what}の額が上限を超えるものがあります",
                code=code,
                found=f"{int(yen):,} 円",
                allowed=f"{terms.line_block_yen:,} 円まで",
            )
