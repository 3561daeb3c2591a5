"""お金を戻す表: 組戻し、権利の終わり（不支給・戻入）、返還、取消の計画。どれも、申し出た人ではない人の承認で効く。"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from benefit.domain.transfer import (
    ENDING_KINDS,
    REPAYMENT_CAUSES,
    REPAYMENT_STEPS,
    UNDO_ACTIONS,
)
from benefit.store.base import approved_by_another, asked, moment, one_of
from benefit.store.ward.metadata import metadata


def _by_plan() -> Column[object]:
    """承認された取消の計画から行われたことなら、その番号。計画なしに申し出たことなら null。"""
    return Column("undo_plan_id", ForeignKey("undo_plan_approval.release_id"))


#: 取消の計画: 何を引き揚げ、何を組み戻し、何を返してもらうか。数と合計と中身の指紋を承認する。
undo_plan = Table(
    "undo_plan",
    metadata,
    *asked(
        Column("programme", String(40), nullable=False),
        Column("scope", String(80), nullable=False),
        Column("sha256", String(64), nullable=False, unique=True),
        Column("line_count", Integer, nullable=False),
        Column("total_yen", BigInteger, nullable=False),
        # 承認する人が見る、行の並びの指紋に入っている約束: 権利の終わり方、返還の理由と納期限。
        Column("ending_kind", String(10), nullable=False),
        Column("cause", String(20), nullable=False),
        Column("due_on", Date, nullable=False),
        one_of("ending_kind", ENDING_KINDS),
        one_of("cause", REPAYMENT_CAUSES),
        Column("planned_on", Date, nullable=False),
    ),
)
undo_plan_approval = approved_by_another(metadata, "undo_plan")
undo_plan_line = Table(
    "undo_plan_line",
    metadata,
    Column("undo_plan_id", ForeignKey("undo_plan.id"), primary_key=True),
    Column("entitlement_id", ForeignKey("entitlement.id"), primary_key=True),
    Column("payment_id", ForeignKey("payment.id")),
    Column("action", String(12), nullable=False),
    Column("amount_yen", BigInteger, nullable=False),
    one_of("action", UNDO_ACTIONS),
)

#: 組戻しの依頼（銀行へ渡す一覧一つ）。送り出した振込だけが対象。答えは銀行の結果で届く（組戻済・組戻不成立）。
#: `payments` は申し出た支払の番号の並び。承認されて初めて行になるので、取り違えた申し出が、正しい申し出を塞がない。
recall = Table(
    "recall",
    metadata,
    *asked(
        Column("transfer_id", ForeignKey("transfer_release.transfer_id"), nullable=False),
        Column("payments", Text, nullable=False),
        Column("line_count", Integer, nullable=False),
        Column("total_yen", BigInteger, nullable=False),
        Column("largest_yen", BigInteger, nullable=False),
        _by_plan(),
        UniqueConstraint("undo_plan_id", "transfer_id"),
    ),
)
recall_approval = approved_by_another(metadata, "recall")
#: 銀行に頼んだ支払。一つの支払は、一生に一つの組戻ししか頼めない。
recall_line = Table(
    "recall_line",
    metadata,
    Column("recall_id", ForeignKey("recall_approval.release_id"), primary_key=True),
    Column("payment_id", ForeignKey("transfer_line.payment_id"), primary_key=True, unique=True),
)

#: 権利の終わり。支払が振込不能なら戻入、取消なら予算に戻す仕訳が立つ。終わった権利は、もう判定を通らない（CHK51・52）。
ending = Table(
    "ending",
    metadata,
    *asked(
        Column("entitlement_id", ForeignKey("entitlement.id"), nullable=False, index=True),
        Column("kind", String(10), nullable=False),
        _by_plan(),
        UniqueConstraint("undo_plan_id", "entitlement_id"),
        one_of("kind", ENDING_KINDS),
    ),
)
ending_approval = approved_by_another(metadata, "ending")

#: 返還の請求（誤支給の認定 R50 → 返還請求中 R51）。一つの支払への請求の合計は、払った額を超えない。
repayment = Table(
    "repayment",
    metadata,
    *asked(
        Column("payment_id", ForeignKey("payment.id"), nullable=False, index=True),
        Column("amount_yen", BigInteger, nullable=False),
        Column("cause", String(20), nullable=False),
        Column("due_on", Date, nullable=False),
        _by_plan(),
        UniqueConstraint("undo_plan_id", "payment_id"),
        one_of("cause", REPAYMENT_CAUSES),
        CheckConstraint("amount_yen > 0", name="amount"),
    ),
)
repayment_approval = approved_by_another(metadata, "repayment")

#: 返ってきたお金。`reference` は収納の番号で、同じ入金は二度数えない。
repayment_receipt = Table(
    "repayment_receipt",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("repayment_id", ForeignKey("repayment_approval.release_id"), nullable=False),
    Column("amount_yen", BigInteger, nullable=False),
    Column("received_on", Date, nullable=False),
    Column("reference", String(60), nullable=False, unique=True),
    Column("recorded_by", ForeignKey("staff.id"), nullable=False),
    moment("recorded_at"),
    CheckConstraint("amount_yen > 0", name="amount"),
)

#: 返還のためにしたこと（請求書、分納、督促、法的措置）。
repayment_step = Table(
    "repayment_step",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("repayment_id", ForeignKey("repayment_approval.release_id"), nullable=False),
    Column("kind", String(10), nullable=False),
    Column("done_on", Date, nullable=False),
    Column("note", Text, nullable=False, server_default=""),
    Column("made_by", ForeignKey("staff.id"), nullable=False),
    moment("made_at"),
    one_of("kind", REPAYMENT_STEPS),
)
