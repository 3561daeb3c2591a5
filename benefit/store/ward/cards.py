"""クレジットの立替金（指定代理納付者からの入金、seed 001）。

与信の知らせは速報として数え、立替金の明細が届いて確報になる。
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Integer,
    String,
    Table,
)

from benefit.domain.collection import REMITTANCE_OUTCOMES
from benefit.store.base import one_of
from benefit.store.ward.metadata import metadata

#: 立替金の明細のファイル一つ。明細 = 一致 + 保留 + もう届いている。区の口座に入るのは、手数料を引いた額。
card_remittance = Table(
    "card_remittance",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("collection_file_id", ForeignKey("collection_file.id"), nullable=False, unique=True),
    *(
        Column(f"{what}_{unit}", Integer if unit == "count" else BigInteger, nullable=False)
        for what in ("told", "matched", "held", "repeated")
        for unit in ("count", "yen")
    ),
    Column("fee_yen", BigInteger, nullable=False),
    CheckConstraint("told_count = matched_count + held_count + repeated_count", name="counts"),
    CheckConstraint("told_yen = matched_yen + held_yen + repeated_yen", name="totals"),
)

#: 明細の一行と、与信の知らせに照らした結果。
card_remittance_line = Table(
    "card_remittance_line",
    metadata,
    Column("remittance_id", ForeignKey("card_remittance.id"), primary_key=True),
    Column("line_number", Integer, primary_key=True),
    Column("remitted_on", Date, nullable=False),
    Column("event", ForeignKey("collection_event.event"), nullable=False, index=True),
    Column("amount_yen", BigInteger, nullable=False),
    Column("fee_yen", BigInteger, nullable=False),
    # 与信の知らせの額。知らせがなければ空。
    Column("told_yen", BigInteger),
    Column("outcome", String(10), nullable=False),
    one_of("outcome", REMITTANCE_OUTCOMES),
    CheckConstraint("amount_yen > 0 AND fee_yen >= 0", name="amounts"),
)
