"""出した納付書を、ペイジーのサーバーに載せる調定データ（様式 payeasy-upload）にする。

いま払える納付書の全部（調定ごとに、いちばん新しい一枚）を、新規のレコードとして書く。前に送った全部との差（新規・変更・
削除）は `benefit layout changes` が作る。再発行で確認番号が替わった納付書は、削除と新規の二行になり、前の番号では
払えなくなる。一部が納められた納付書も、額が合わないので外れる。納付者の名と宛名番号は載せない（照会に要るのは番号と額だけである）。
"""

from __future__ import annotations

from datetime import date

import polars as pl
from sqlalchemy import select

from benefit.domain.wareki import fiscal_year_name
from benefit.records import payeasy
from benefit.services import slip_issuers
from benefit.services.home import Home
from benefit.store import slip_queries, ward
from benefit.store.engine import reading


def rows(home: Home, *, today: date) -> pl.DataFrame:
    """調定データの明細（`payeasy.UPLOAD` の項目の列）。納められた調定と、期限の過ぎた納付書は入らない。"""
    slip = ward.payment_slip
    with reading(home.ward) as connection:
        owners = connection.execute(select(slip.c.receivable_id).distinct()).scalars().all()
        standing = slip_queries.standing(connection, pl.DataFrame({"id": owners}, schema={"id": pl.Int64}))
        newest = slip_queries.newest(connection)
    issuers = {name: slip_issuers.load(home, name) for name in {one["issuer"] for one in newest.values()}}
    made = []
    for row in standing.iter_rows(named=True):
        one, issuer = newest[row["id"]], issuers[newest[row["id"]]["issuer"]]
        total = one["principal_yen"] + one["late_charge_yen"]
        left = row["principal_yen"] + row["late_charge_yen"] - row["paid_yen"]
        if left < total or one["payable_until"] < today:
            continue
        period = f"{fiscal_year_name(row['fiscal_year'])}{row['term']}期" if row["term"] else "随時"
        made.append(
            {
                "change_kind": payeasy.NEW,
                "biller_number": issuer.biller_number,
                "payment_number": one["payment_number"],
                "confirmation_number": one["confirmation_number"],
                "payment_class": issuer.payment_class,
                "account_title": row["subject"],
                "fiscal_year": f"{row['fiscal_year']:04d}",
                "term": f"{row['term']:02d}",
                "amount_yen": one["principal_yen"],
                "late_fee_yen": one["late_charge_yen"],
                "due_on": f"{one['due_on']:%Y%m%d}",
                "payable_until": f"{one['payable_until']:%Y%m%d}",
                "payer_kana": "",
                "shown": f"{issuer.subjects[row['subject']]}　{period}"[:20],
                "person_number": "",
            }
        )
    kinds = {name: pl.Int64 if name.endswith("_yen") else pl.String for name in payeasy.UPLOAD.data.names}
    return pl.DataFrame(made, schema=kinds).sort("payment_number")
