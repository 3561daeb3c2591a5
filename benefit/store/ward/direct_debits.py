"""口座振替の表: 依頼（口座）とその異動、請求、送り出し、結果、送るべき納付書。

二度引き落とさないことは、この表の制約が守る。
 - `debit_order` の一意: 一つの調定の、何回目かの請求は、一つしかない。
 - `debit_line` の二回目からは、前の回が「払われずに終わった」行（`debit_outcome.unpaid = 1`）につながらなければ
   存在できない。振替済の後にも、結果がまだの間にも、次の請求の行は作れない。
 - `debit_fate` は請求一つに一行: 送り出したものは取り消せず、取り消したものは送り出せない。送り出しには、
   作った人ではない人の承認の行が要る。
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from benefit.domain.direct_debit import DEBIT_FATES, DEBIT_OUTCOMES, ENROLMENT_KINDS, ENROLMENT_SOURCES
from benefit.store.base import approved_by_another, asked, moment, one_of
from benefit.store.ward.metadata import metadata


def _account(*, nullable: bool) -> list[Column[object]]:
    return [
        Column("bank_code", String(4), nullable=nullable),
        Column("branch_code", String(3), nullable=nullable),
        Column("account_type", String(1), nullable=nullable),
        Column("account_number", String(7), nullable=nullable),
        Column("holder_kana", String(30), nullable=nullable),
    ]


#: 口座振替依頼の異動の束（ファイル一つか、窓口の一件）。別の人が承認するまで、効かない。
debit_enrolment = Table(
    "debit_enrolment",
    metadata,
    *asked(
        Column("source", String(4), nullable=False),
        Column("file_name", Text),
        Column("sha256", String(64), unique=True),
        Column("row_count", Integer, nullable=False),
        one_of("source", ENROLMENT_SOURCES),
        CheckConstraint("(source = 'ファイル') = (sha256 IS NOT NULL)", name="file"),
        CheckConstraint("row_count >= 1", name="row_count"),
    ),
)
debit_enrolment_approval = approved_by_another(metadata, "debit_enrolment")

#: 依頼の一行: 誰の、どの科目を、いつから、どの口座から（開始・変更）。停止には口座がない。前の行は消えず、歴史になる。
debit_account = Table(
    "debit_account",
    metadata,
    Column("enrolment_id", ForeignKey("debit_enrolment.id"), primary_key=True),
    Column("line_number", Integer, primary_key=True),
    Column("person_number", String(15), nullable=False),
    Column("subject", String(3), nullable=False),
    Column("kind", String(2), nullable=False),
    Column("from_on", Date, nullable=False),
    *_account(nullable=True),
    one_of("kind", ENROLMENT_KINDS),
    CheckConstraint(
        "(kind = '停止' AND account_number IS NULL)"
        " OR (kind <> '停止' AND bank_code IS NOT NULL AND branch_code IS NOT NULL AND account_type IS NOT NULL"
        " AND account_number IS NOT NULL AND holder_kana IS NOT NULL)",
        name="account",
    ),
    Index("ix_debit_account_person", "person_number", "subject"),
)

#: 請求ファイル一つ（引落日ごと）。`content_key` は何回目の・いくらを・どの口座からの並びで、日付によらない。
debit_request = Table(
    "debit_request",
    metadata,
    *asked(
        Column("debit_on", Date, nullable=False),
        Column("sha256", String(64), nullable=False, unique=True),
        Column("content_key", String(64), nullable=False, unique=True),
        Column("line_count", Integer, nullable=False),
        Column("total_yen", BigInteger, nullable=False),
        UniqueConstraint("id", "sha256"),
        CheckConstraint("line_count BETWEEN 1 AND 999999", name="line_count"),
        CheckConstraint("total_yen > 0", name="total"),
    ),
)
debit_request_approval = approved_by_another(metadata, "debit_request")

#: 請求の行き先。一つの請求に一行だけ: 送り出したか、取り消したか。
debit_fate = Table(
    "debit_fate",
    metadata,
    Column("request_id", Integer, primary_key=True),
    Column("sha256", String(64), nullable=False),
    Column("fate", String(2), nullable=False),
    Column("approval_id", ForeignKey("debit_request_approval.release_id")),
    Column("reason", Text, nullable=False),
    Column("done_by", ForeignKey("staff.id"), nullable=False),
    moment("done_at"),
    ForeignKeyConstraint(["request_id", "sha256"], ["debit_request.id", "debit_request.sha256"]),
    one_of("fate", DEBIT_FATES),
    CheckConstraint("(fate = '送出') = (approval_id IS NOT NULL)", name="approved"),
    CheckConstraint("approval_id IS NULL OR approval_id = request_id", name="own_approval"),
)

#: 調定一つの、何回目の請求か。
debit_order = Table(
    "debit_order",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("request_id", ForeignKey("debit_request.id"), nullable=False, index=True),
    Column("receivable_id", ForeignKey("receivable.id"), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("amount_yen", BigInteger, nullable=False),
    UniqueConstraint("receivable_id", "attempt"),
    UniqueConstraint("id", "receivable_id", "attempt"),
    CheckConstraint("attempt >= 1", name="attempt"),
    CheckConstraint("amount_yen > 0", name="amount"),
)

#: 結果のファイル一つ。請求 = 振替済 + 振替不能 + 未着。
debit_result = Table(
    "debit_result",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("request_id", ForeignKey("debit_fate.request_id"), nullable=False, index=True),
    Column("collection_file_id", ForeignKey("collection_file.id"), nullable=False, unique=True),
    *(
        Column(f"{what}_{unit}", Integer if unit == "count" else BigInteger, nullable=False)
        for what in ("told", "paid", "failed", "undecided")
        for unit in ("count", "yen")
    ),
    moment("taken_at"),
    CheckConstraint("told_count = paid_count + failed_count + undecided_count", name="counts"),
    CheckConstraint("told_yen = paid_yen + failed_yen + undecided_yen", name="totals"),
)

#: 請求の終わり。未着（N や知らないコード）には、まだ行がない。
debit_outcome = Table(
    "debit_outcome",
    metadata,
    Column("order_id", Integer, primary_key=True),
    Column("receivable_id", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("outcome", String(4), nullable=False),
    Column("unpaid", Integer, nullable=False),
    Column("code", String(1)),
    Column("result_id", ForeignKey("debit_result.id")),
    ForeignKeyConstraint(
        ["order_id", "receivable_id", "attempt"], ["debit_order.id", "debit_order.receivable_id", "debit_order.attempt"]
    ),
    UniqueConstraint("order_id", "receivable_id", "attempt", "unpaid"),
    one_of("outcome", DEBIT_OUTCOMES),
    CheckConstraint("unpaid = CASE WHEN outcome = '振替済' THEN 0 ELSE 1 END", name="unpaid"),
    CheckConstraint("(outcome = '取消') = (result_id IS NULL)", name="result"),
    CheckConstraint("(outcome = '振替済') = (code = '0') OR code IS NULL", name="code"),
)

#: 請求ファイルの一行（様式に入れた値）。二回目からは、前の回が払われずに終わったことが要る。
debit_line = Table(
    "debit_line",
    metadata,
    Column("order_id", Integer, primary_key=True),
    Column("receivable_id", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("request_id", ForeignKey("debit_request.id"), nullable=False),
    Column("line_number", Integer, nullable=False),
    Column("customer_number", String(20), nullable=False),
    Column("new_code", String(1), nullable=False),
    Column("enrolment_id", Integer, nullable=False),
    Column("enrolment_line", Integer, nullable=False),
    *_account(nullable=False),
    Column("after_order", Integer),
    Column("after_attempt", Integer),
    Column("after_unpaid", Integer),
    ForeignKeyConstraint(
        ["order_id", "receivable_id", "attempt"], ["debit_order.id", "debit_order.receivable_id", "debit_order.attempt"]
    ),
    # 承認された依頼の行からだけ引き落とす。
    ForeignKeyConstraint(["enrolment_id"], ["debit_enrolment_approval.release_id"]),
    ForeignKeyConstraint(
        ["enrolment_id", "enrolment_line"], ["debit_account.enrolment_id", "debit_account.line_number"]
    ),
    ForeignKeyConstraint(
        ["after_order", "receivable_id", "after_attempt", "after_unpaid"],
        ["debit_outcome.order_id", "debit_outcome.receivable_id", "debit_outcome.attempt", "debit_outcome.unpaid"],
    ),
    UniqueConstraint("request_id", "line_number"),
    UniqueConstraint("request_id", "customer_number"),
    UniqueConstraint("after_order"),
    CheckConstraint(
        "(attempt = 1 AND after_order IS NULL AND after_attempt IS NULL AND after_unpaid IS NULL)"
        " OR (attempt > 1 AND after_order IS NOT NULL AND after_attempt = attempt - 1 AND after_unpaid = 1)",
        name="after_an_unpaid_one",
    ),
    Index("ix_debit_line_customer_number", "customer_number"),
)

#: 結果のファイルの一行一行（未着の行も残る）。
debit_told = Table(
    "debit_told",
    metadata,
    Column("result_id", ForeignKey("debit_result.id"), primary_key=True),
    Column("order_id", ForeignKey("debit_line.order_id"), primary_key=True),
    Column("code", String(1), nullable=False),
)

#: 納付書を送ることにした一件。送ったら、もう引き落とさない。
debit_letter = Table(
    "debit_letter",
    metadata,
    Column("order_id", ForeignKey("debit_outcome.order_id"), primary_key=True),
    Column("listed_by", ForeignKey("staff.id"), nullable=False),
    moment("listed_at"),
)
