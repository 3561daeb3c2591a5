"""受渡の申し出と承認の表: 委託先へ渡す前に、前の受渡との違いを見て、別の人が承認する。"""

from sqlalchemy import BigInteger, Column, Date, Integer, String, Table

from benefit.store.base import approved_by_another, asked
from benefit.store.ward.metadata import metadata

#: 渡すことの申し出。`sha256` は渡すファイルのバイト列で、承認はそれに対してする。`given_on` はその中身を決めた日。
handover_request = Table(
    "handover_request",
    metadata,
    *asked(
        Column("programme", String(40), nullable=False),
        Column("given_on", Date, nullable=False),
        Column("sha256", String(64), nullable=False),
        Column("row_count", Integer, nullable=False),
        Column("total_yen", BigInteger, nullable=False),
    ),
)
handover_request_approval = approved_by_another(metadata, "handover_request")
