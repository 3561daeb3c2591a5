"""区が直接扱う人の返事の表: 確認書（口座）、辞退、返戻。一人が入れ、別の人がもう一度入れて、同じときだけ効く。"""

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    String,
    Table,
    UniqueConstraint,
)

from benefit.domain.handback import REPLY_KINDS
from benefit.store.base import asked, moment, one_of
from benefit.store.ward.metadata import metadata
from benefit.store.ward.money import account_columns

#: 一人目の入力。`digest` は入れた中身（種類、収受日、口座）の指紋。
ward_reply = Table(
    "ward_reply",
    metadata,
    *asked(
        Column("entitlement_id", ForeignKey("valid_entitlement.entitlement_id"), nullable=False, index=True),
        Column("branch", Integer, nullable=False),
        Column("kind", String(10), nullable=False),
        Column("received_on", Date, nullable=False),
        *account_columns(),
        # 取消のとき、打ち消す返事。
        Column("cancels", ForeignKey("ward_reply.id")),
        Column("digest", String(64), nullable=False),
        one_of("kind", REPLY_KINDS),
        CheckConstraint("(kind = '確認書') = (account_number IS NOT NULL)", name="account"),
        CheckConstraint("(kind = '取消') = (cancels IS NOT NULL)", name="cancels"),
    ),
    UniqueConstraint("id", "asked_by", "digest"),
)

#: 二人目の入力。一人目と同じ指紋でなければ、また同じ人であれば、行が存在できない。
ward_reply_check = Table(
    "ward_reply_check",
    metadata,
    Column("reply_id", Integer, primary_key=True, autoincrement=False),
    Column("asked_by", String(40), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("checked_by", ForeignKey("staff.id"), nullable=False),
    moment("checked_at"),
    ForeignKeyConstraint(
        ["reply_id", "asked_by", "digest"], ["ward_reply.id", "ward_reply.asked_by", "ward_reply.digest"]
    ),
    CheckConstraint("checked_by <> asked_by", name="two_people"),
)
