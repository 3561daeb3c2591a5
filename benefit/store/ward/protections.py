"""区が直接扱うことをやめる（解除）の表。名簿から消えただけでは、やめたことにならない（benefit-rules F.3 exit）。"""

from sqlalchemy import (
    BigInteger,
    Column,
    Table,
)

from benefit.store.base import approved_by_another, asked
from benefit.store.ward.metadata import metadata

#: 解除の申し出。
protection_release = Table(
    "protection_release",
    metadata,
    *asked(
        Column("person_number", BigInteger, nullable=False),
    ),
)

#: 別の人の承認。これがあって初めて、解除である。
protection_release_approval = approved_by_another(metadata, "protection_release")
