"""区が直接扱う人（区直轄）を見てよい人と、その人の住所を見る申し出の表（benefit-rules F.3、reliability §4.4）。

住所は、一人では見られない。申し出て、別の人が承認し、60 分の間だけ、申し出た人に見える。見た一回ごとに、
監査ログとは別に `address_shown` の行が残る。承認のない閲覧の行は、外部キーがあるので存在できない。
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    String,
    Table,
    Text,
)

from benefit.store.base import approved_by_another, asked, moment
from benefit.store.ward.metadata import metadata

#: 区直轄を扱う人に加える申し出。
restricted_member = Table(
    "restricted_member",
    metadata,
    *asked(
        Column("staff_id", ForeignKey("staff.id"), nullable=False),
        CheckConstraint("asked_by <> staff_id", name="not_oneself"),
    ),
)
restricted_member_approval = approved_by_another(metadata, "restricted_member")

#: 外した。外すのは一人でよい（閉じる側だから）。
restricted_member_end = Table(
    "restricted_member_end",
    metadata,
    Column("member_id", ForeignKey("restricted_member_approval.release_id"), primary_key=True),
    Column("ended_by", ForeignKey("staff.id"), nullable=False),
    Column("reason", Text, nullable=False),
    moment("ended_at"),
    CheckConstraint("reason <> ''", name="has_a_reason"),
)

#: 住所を見る申し出。
address_view = Table("address_view", metadata, *asked(Column("person_number", BigInteger, nullable=False)))
address_view_approval = approved_by_another(metadata, "address_view")

#: 住所を見た。承認のある申し出にしか、行は存在できない。見たのは、申し出た人である。
address_shown = Table(
    "address_shown",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("release_id", ForeignKey("address_view_approval.release_id"), nullable=False),
    Column("shown_to", String(40), nullable=False),
    Column("terminal", String(40), nullable=False),
    moment("shown_at"),
    ForeignKeyConstraint(["release_id", "shown_to"], ["address_view.id", "address_view.asked_by"]),
)
