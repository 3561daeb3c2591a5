"""出した納付書と督促。書き足すだけ: 前の納付書で届いた入金も、どの納付書のものかが分かる。"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
    text,
)

from benefit.store.base import moment, one_of
from benefit.store.ward.metadata import metadata

#: 出した納付書一枚。`reissue` は再発行区分（0 が初めて、バーコードの一桁なので 9 まで）。
#: 確認番号は納付番号から導けない乱数で、ここにしかない（formats §5.1）。`codes_sha256` は刷った符号の指紋。
payment_slip = Table(
    "payment_slip",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("receivable_id", ForeignKey("receivable.id"), nullable=False),
    Column("reissue", Integer, nullable=False),
    Column("principal_yen", BigInteger, nullable=False),
    Column("late_charge_yen", BigInteger, nullable=False),
    Column("due_on", Date, nullable=False),
    Column("payable_until", Date, nullable=False),
    Column("issuer", String(40), nullable=False),
    Column("payment_number", String(20), nullable=False),
    Column("confirmation_number", String(6), nullable=False),
    Column("codes_sha256", String(64), nullable=False),
    Column("issued_by", String(64), nullable=False),
    moment("issued_at"),
    UniqueConstraint("receivable_id", "reissue"),
    CheckConstraint("reissue BETWEEN 0 AND 9", name="reissue"),
    CheckConstraint("principal_yen >= 0 AND late_charge_yen >= 0", name="amounts"),
    CheckConstraint("principal_yen + late_charge_yen > 0", name="something"),
    CheckConstraint("payable_until >= due_on", name="until"),
)

#: 出した督促状・催告書。督促状は、一つの調定に一度だけ（二度目からは催告書）。
receivable_notice = Table(
    "receivable_notice",
    metadata,
    Column("receivable_id", ForeignKey("receivable.id"), primary_key=True),
    Column("kind", String(3), primary_key=True),
    Column("issued_on", Date, primary_key=True),
    Column("slip_id", ForeignKey("payment_slip.id"), nullable=False),
    moment("made_at"),
    one_of("kind", ("督促状", "催告書")),
    Index(
        "uq_receivable_notice_first",
        "receivable_id",
        unique=True,
        sqlite_where=text("kind = '督促状'"),
        postgresql_where=text("kind = '督促状'"),
    ),
)
