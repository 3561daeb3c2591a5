"""振込不能の帳簿の表（seed 000）: 銀行から届いた不能の一件、担当課への照会と回答、人が決めた突き合わせ。

この給付の支払だけでなく、ほかの課の支払の不能も同じ帳簿に載る。銀行の知らせには、課も番号もないからである。
お金が動く回答（再振込・戻入）と、人の突き合わせは、申し出た人ではない人の承認がなければ効かない。
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from benefit.domain.transfer import FAILURE_ANSWERS, FAILURE_STEPS
from benefit.store.base import approved_by_another, asked, moment, one_of
from benefit.store.ward.metadata import metadata
from benefit.store.ward.money import account_columns

#: 不能の一件。銀行の行に一つ。`slot` は再び失敗しても同じなので、同じお金を二度は再振込できない。
failure = Table(
    "failure",
    metadata,
    Column("id", Integer, primary_key=True),
    # 行（bank_report_line）への外部キーは、支払 → 不能 → 行 → 支払 の輪になるので、ファイルまでにする。
    Column("bank_report_id", ForeignKey("bank_report.id"), nullable=False),
    Column("line_number", Integer, nullable=False),
    Column("slot", String(80), nullable=False),
    Column("amount_yen", BigInteger, nullable=False),
    Column("received_on", Date, nullable=False),
    UniqueConstraint("bank_report_id", "line_number"),
    UniqueConstraint("id", "slot", "amount_yen"),
    CheckConstraint("amount_yen > 0", name="amount"),
)

#: 帳簿の一件にしたこと（照会、通知、覚え書き）。お金は動かない。
failure_step = Table(
    "failure_step",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("failure_id", ForeignKey("failure.id"), nullable=False),
    Column("kind", String(10), nullable=False),
    Column("section", Text, nullable=False, server_default=""),
    Column("order_number", String(40), nullable=False, server_default=""),
    Column("due_on", Date),
    Column("note", Text, nullable=False, server_default=""),
    Column("made_by", ForeignKey("staff.id"), nullable=False),
    moment("made_at"),
    one_of("kind", FAILURE_STEPS),
)

#: 担当課の回答。再振込は新しい口座、保留は見直す日が要る。
failure_answer = Table(
    "failure_answer",
    metadata,
    *asked(
        Column("failure_id", ForeignKey("failure.id"), nullable=False),
        Column("kind", String(10), nullable=False),
        *account_columns(),
        Column("review_on", Date),
        UniqueConstraint("id", "failure_id"),
        one_of("kind", FAILURE_ANSWERS),
        CheckConstraint("kind <> '再振込' OR account_number IS NOT NULL", name="account"),
        CheckConstraint("kind <> '保留' OR review_on IS NOT NULL", name="review_on"),
    ),
)
failure_answer_approval = approved_by_another(metadata, "failure_answer")

#: 機械が決められなかった銀行の行を、人が支払に結ぶ。
report_match = Table(
    "report_match",
    metadata,
    *asked(
        Column("bank_report_id", Integer, nullable=False),
        Column("line_number", Integer, nullable=False),
        Column("payment_id", ForeignKey("payment.id"), nullable=False),
        ForeignKeyConstraint(
            ["bank_report_id", "line_number"], ["bank_report_line.bank_report_id", "bank_report_line.line_number"]
        ),
    ),
)
report_match_approval = approved_by_another(metadata, "report_match")
