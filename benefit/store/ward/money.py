"""お金の表: 支給予定情報、判定結果、支払、仕訳、振込、承認、銀行の結果。

「一度しか払わない」は、この表の制約が守る。どの設定も役割も、これを外せない。
 - `payment` の部分一意索引: 一つの slot に、生きている支払（作成済・送付済・振込済）は一つまで。
 - `transfer_line.payment_id` の一意: 一つの支払指図は、一生に一つのファイルにしか入らない。
 - `transfer.content_key` の一意: 日付だけ変えた同じ中身のファイルは断られる（垂水市、ある村の事例）。
 - `transfer_release`: 同じ指紋に対する、別々の二人の承認がなければ、行が存在できない。
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
    text,
)

from benefit.domain.transfer import (
    LIVE_STATES,
    PAYMENT_STATES,
    POSTING_ACCOUNTS,
    POSTING_KINDS,
    REPORT_OUTCOMES,
    VANISHED_STANDINGS,
)
from benefit.store.base import moment, one_of
from benefit.store.ward.metadata import metadata

_LIVE = "state IN (" + ", ".join(f"'{state}'" for state in LIVE_STATES) + ")"


def account_columns() -> list[Column[object]]:
    """口座の五項目。"""
    return [
        Column("bank_code", String(4)),
        Column("branch_code", String(3)),
        Column("account_type", String(1)),
        Column("account_number", String(7)),
        Column("holder_kana", Text),
    ]


#: 委託先から届いた支給予定情報。番号も中身も、二度は受け取らない（CHK01）。
planned_file = Table(
    "planned_file",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("programme", String(40), nullable=False),
    Column("file_number", String(40), nullable=False),
    Column("sha256", String(64), nullable=False, unique=True),
    Column("row_count", Integer, nullable=False),
    Column("total_yen", BigInteger, nullable=False),
    Column("judged_on", Date, nullable=False),
    Column("rule_version", String(64), nullable=False),
    moment("judged_at"),
    UniqueConstraint("programme", "file_number"),
)

#: 判定結果。一行に一つ、必ずある（読んだ行 = 判定した行）。
verdict = Table(
    "verdict",
    metadata,
    Column("planned_file_id", ForeignKey("planned_file.id"), primary_key=True),
    Column("line_number", Integer, primary_key=True),
    Column("case_number", String(20), nullable=False),
    Column("entitlement_id", ForeignKey("entitlement.id")),
    Column("verdict", String(3), nullable=False),
    Column("checks", Text, nullable=False),
    Column("amount_yen", BigInteger, nullable=False),
    *account_columns(),
    Column("received_on", Date),
    Column("reviewed_on", Date),
    one_of("verdict", ("支給可", "保留", "不可")),
    CheckConstraint(
        "verdict <> '支給可' OR (entitlement_id IS NOT NULL AND account_number IS NOT NULL)", name="payable"
    ),
    Index("ix_verdict_entitlement_id", "entitlement_id"),
    # 同じ口座のほかの受給者（CHK23・CHK82）を、台帳の全部を読まずに探す。
    Index("ix_verdict_account", "account_number", "branch_code", "bank_code"),
)

#: 消えた行: 前のファイルにあり、まだ払われず、終わってもいないのに、このファイルにない権利（宮崎市の事例）。
#: 判定した時に見えたものを残すので、同じファイルをもう一度出せば、同じ報告になる。
vanished = Table(
    "vanished",
    metadata,
    Column("planned_file_id", ForeignKey("planned_file.id"), primary_key=True),
    Column("entitlement_id", ForeignKey("entitlement.id"), primary_key=True),
    Column("before_file_id", Integer, nullable=False),
    Column("before_line", Integer, nullable=False),
    Column("standing", String(10), nullable=False),
    ForeignKeyConstraint(["before_file_id", "before_line"], ["verdict.planned_file_id", "verdict.line_number"]),
    CheckConstraint("before_file_id < planned_file_id", name="before"),
    one_of("standing", VANISHED_STANDINGS),
)

#: 支払（一回の振込の試み）。再振込は、同じ支給権利の次の `attempt`。
#: 出どころは二つに一つ: 支給可の判定の行か、ほかの課の振込不能に対する承認された回答（`failure_answer`）。
payment = Table(
    "payment",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("entitlement_id", Integer),
    Column("slot", String(80), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("planned_file_id", Integer),
    Column("line_number", Integer),
    Column("failure_id", Integer),
    Column("failure_answer_id", ForeignKey("failure_answer_approval.release_id")),
    Column("amount_yen", BigInteger, nullable=False),
    Column("state", String(3), nullable=False),
    *account_columns(),
    # 支給権利と slot と金額の三つ組でつなぐ。別の権利の slot や、別の金額では払えない。
    ForeignKeyConstraint(
        ["entitlement_id", "slot", "amount_yen"], ["entitlement.id", "entitlement.slot", "entitlement.amount_yen"]
    ),
    # 承認された判定にある権利だけを払う。
    ForeignKeyConstraint(["entitlement_id"], ["valid_entitlement.entitlement_id"]),
    ForeignKeyConstraint(["planned_file_id", "line_number"], ["verdict.planned_file_id", "verdict.line_number"]),
    # 他課の不能の再振込も、預かった額だけを、その slot で、承認された回答の口座へ。
    ForeignKeyConstraint(["failure_id", "slot", "amount_yen"], ["failure.id", "failure.slot", "failure.amount_yen"]),
    ForeignKeyConstraint(["failure_answer_id", "failure_id"], ["failure_answer.id", "failure_answer.failure_id"]),
    CheckConstraint(
        "(failure_id IS NULL AND failure_answer_id IS NULL AND entitlement_id IS NOT NULL"
        " AND planned_file_id IS NOT NULL AND line_number IS NOT NULL)"
        " OR (failure_id IS NOT NULL AND failure_answer_id IS NOT NULL AND entitlement_id IS NULL"
        " AND planned_file_id IS NULL AND line_number IS NULL)",
        name="one_origin",
    ),
    UniqueConstraint("entitlement_id", "attempt"),
    UniqueConstraint("failure_id", "attempt"),
    one_of("state", PAYMENT_STATES),
    CheckConstraint("attempt >= 1", name="attempt"),
    # 一つの判定行から、生きた支払は一つ（取り消した後の作り直しはできる）。
    Index(
        "uq_payment_verdict_line",
        "planned_file_id",
        "line_number",
        unique=True,
        sqlite_where=text("state <> 'F49'"),
        postgresql_where=text("state <> 'F49'"),
    ),
    Index("ix_payment_account", "account_number", "branch_code", "bank_code"),
    # 払えずに終わった支払は少ない。消えた行は、ここから探す。
    Index(
        "ix_payment_unpaid",
        "entitlement_id",
        sqlite_where=text("state IN ('F43', 'F48', 'F49')"),
        postgresql_where=text("state IN ('F43', 'F48', 'F49')"),
    ),
    Index("uq_payment_live_slot", "slot", unique=True, sqlite_where=text(_LIVE), postgresql_where=text(_LIVE)),
)

#: 振込ファイル一つ。`sha256` は出したバイト列、`content_key` は支払と金額と口座の並びの指紋。
transfer = Table(
    "transfer",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("programme", String(40), nullable=False),
    Column("pay_date", Date, nullable=False),
    Column("sha256", String(64), nullable=False, unique=True),
    Column("content_key", String(64), nullable=False, unique=True),
    Column("line_count", Integer, nullable=False),
    Column("total_yen", BigInteger, nullable=False),
    Column("largest_yen", BigInteger, nullable=False),
    Column("made_by", ForeignKey("staff.id"), nullable=False),
    moment("made_at"),
    UniqueConstraint("id", "sha256", "made_by"),
    CheckConstraint("line_count BETWEEN 1 AND 999999", name="line_count"),
)

transfer_line = Table(
    "transfer_line",
    metadata,
    Column("transfer_id", ForeignKey("transfer.id"), primary_key=True),
    Column("line_number", Integer, primary_key=True),
    Column("payment_id", ForeignKey("payment.id"), nullable=False, unique=True),
)

#: 承認は指紋に対してする。作った人は承認できない。
approval = Table(
    "approval",
    metadata,
    Column("transfer_id", Integer, primary_key=True),
    Column("staff_id", ForeignKey("staff.id"), primary_key=True),
    Column("sha256", String(64), nullable=False),
    Column("made_by", String(40), nullable=False),
    moment("approved_at"),
    ForeignKeyConstraint(["transfer_id", "sha256", "made_by"], ["transfer.id", "transfer.sha256", "transfer.made_by"]),
    UniqueConstraint("transfer_id", "sha256", "staff_id"),
    CheckConstraint("staff_id <> made_by", name="not_the_maker"),
)

#: 送り出し。別々の二人が同じ指紋を承認したときだけ、この行は存在できる。
transfer_release = Table(
    "transfer_release",
    metadata,
    Column("transfer_id", Integer, primary_key=True),
    Column("sha256", String(64), nullable=False, unique=True),
    Column("first_approver", String(40), nullable=False),
    Column("second_approver", String(40), nullable=False),
    Column("released_by", ForeignKey("staff.id"), nullable=False),
    moment("released_at"),
    ForeignKeyConstraint(
        ["transfer_id", "sha256", "first_approver"], ["approval.transfer_id", "approval.sha256", "approval.staff_id"]
    ),
    ForeignKeyConstraint(
        ["transfer_id", "sha256", "second_approver"], ["approval.transfer_id", "approval.sha256", "approval.staff_id"]
    ),
    CheckConstraint("first_approver < second_approver", name="two_people"),
)

#: 銀行から届いた結果・振込不能のファイル。
bank_report = Table(
    "bank_report",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(10), nullable=False),
    Column("sha256", String(64), nullable=False, unique=True),
    Column("file_name", Text, nullable=False),
    Column("rows_read", Integer, nullable=False),
    Column("rows_matched", Integer, nullable=False),
    Column("rows_unmatched", Integer, nullable=False),
    moment("received_at"),
    one_of("kind", ("results", "failures")),
    CheckConstraint("rows_read = rows_matched + rows_unmatched", name="equation"),
)

#: その一行一行。支払が決められない行も `payment_id` なしで残り、人が見る。
bank_report_line = Table(
    "bank_report_line",
    metadata,
    Column("bank_report_id", ForeignKey("bank_report.id"), primary_key=True),
    Column("line_number", Integer, primary_key=True),
    Column("payment_id", ForeignKey("payment.id")),
    Column("outcome", String(20), nullable=False),
    Column("reason_code", String(2), nullable=False),
    Column("reason", Text, nullable=False),
    Column("amount_yen", BigInteger, nullable=False),
    Column("candidates", Text, nullable=False),
    # 銀行の書いたとおりの口座と日付。人が突き合わせ、ほかの課に照会するときの、ただ一つの手がかりである（seed 000）。
    *account_columns(),
    Column("transferred_on", Date),
    one_of("outcome", REPORT_OUTCOMES),
    Index("ix_bank_report_line_payment_id", "payment_id"),
)

#: 仕訳。一行が借方・貸方・金額で、必ず釣り合う。直すときは逆の仕訳を足す。
posting = Table(
    "posting",
    metadata,
    Column("id", Integer, primary_key=True),
    moment("at"),
    Column("entitlement_id", ForeignKey("entitlement.id")),
    Column("payment_id", ForeignKey("payment.id"), nullable=False),
    Column("kind", String(12), nullable=False),
    Column("reference", String(60), nullable=False, server_default=""),
    Column("debit", String(10), nullable=False),
    Column("credit", String(10), nullable=False),
    Column("amount_yen", BigInteger, nullable=False),
    UniqueConstraint("payment_id", "kind", "reference"),
    # 番号で何度も立つ仕訳は、返還の請求と入金だけ。
    CheckConstraint("(kind IN ('claim_back', 'repaid')) = (reference <> '')", name="reference"),
    one_of("kind", POSTING_KINDS),
    one_of("debit", POSTING_ACCOUNTS),
    one_of("credit", POSTING_ACCOUNTS),
    CheckConstraint("amount_yen > 0", name="amount"),
    CheckConstraint("debit <> credit", name="two_sides"),
)
