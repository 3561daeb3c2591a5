"""収納の表: 調定（債権）、納付書の鍵、届いた収納データ、入金、消込の仕訳、人の判断、銀行の入金。

二度数えないのは、この表の制約が守る。
 - `collection_event` の名は、経路・鍵・店・日・時・金額から決まる。同じ入金は一つの行しか持てない。
 - `collection_notice` の部分一意索引: 一つの入金の、一つの種類（速報・確報・取消）は、一度しか数えない。
 - 仕訳は書き足すだけ。直すときは、借方と貸方を入れ替えた行を足す。
"""

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
    Text,
    UniqueConstraint,
    text,
)

from benefit.domain.collection import (
    COLLECTION_ACCOUNTS,
    COLLECTION_MOVES,
    NOTICE_OUTCOMES,
    RECEIVABLE_ORIGINS,
    Channel,
    NoticeKind,
)
from benefit.store.base import approved_by_another, asked, moment, one_of
from benefit.store.ward.metadata import metadata

#: 調定一つ。額や期限の変更（更正）は receivable_change に足す。科目・年度・期別・通知書番号で一つ。
receivable = Table(
    "receivable",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("subject", String(3), nullable=False),
    Column("fiscal_year", Integer, nullable=False),
    Column("term", Integer, nullable=False),
    Column("notice_number", String(20), nullable=False),
    Column("person_number", String(15)),
    Column("principal_yen", BigInteger, nullable=False),
    Column("late_charge_yen", BigInteger, nullable=False),
    Column("due_on", Date, nullable=False),
    Column("origin", String(10), nullable=False),
    Column("repayment_id", ForeignKey("repayment_approval.release_id"), unique=True),
    moment("made_at"),
    UniqueConstraint("subject", "fiscal_year", "term", "notice_number"),
    one_of("origin", RECEIVABLE_ORIGINS),
    CheckConstraint("(origin = '返還') = (repayment_id IS NOT NULL)", name="origin_repayment"),
    CheckConstraint("principal_yen >= 0 AND late_charge_yen >= 0", name="amounts"),
)

#: 調定の変更。`turn` の一番大きい行が今の額。
receivable_change = Table(
    "receivable_change",
    metadata,
    Column("receivable_id", ForeignKey("receivable.id"), primary_key=True),
    Column("turn", Integer, primary_key=True),
    Column("principal_yen", BigInteger, nullable=False),
    Column("late_charge_yen", BigInteger, nullable=False),
    Column("due_on", Date, nullable=False),
    Column("reason", Text, nullable=False),
    moment("made_at"),
    CheckConstraint("principal_yen >= 0 AND late_charge_yen >= 0", name="amounts"),
    CheckConstraint("turn >= 1", name="turn"),
)

#: 登録した調定のファイルと、その科目。前の日のファイルで、新しい額を古い額に戻さないために見る。
receivable_file = Table(
    "receivable_file",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("subject", String(3), primary_key=True),
    Column("file_name", Text, nullable=False),
    Column("made_on", Date, nullable=False),
    moment("registered_at"),
)

#: 納付書などの鍵（バーコードの自由使用欄、納付番号、科目・年度・期別・通知書番号）→ 調定。
receivable_key = Table(
    "receivable_key",
    metadata,
    Column("pay_key", String(60), primary_key=True),
    Column("receivable_id", ForeignKey("receivable.id"), nullable=False, index=True),
)

#: 届いたファイル。読んだ行 = 消込 + 保留 + 受け付けない。
collection_file = Table(
    "collection_file",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("channel", String(10), nullable=False),
    Column("file_name", Text, nullable=False),
    Column("sha256", String(64), nullable=False, unique=True),
    Column("rows_read", Integer, nullable=False),
    Column("rows_posted", Integer, nullable=False),
    Column("rows_held", Integer, nullable=False),
    Column("rows_rejected", Integer, nullable=False),
    # 確報の額。速報と確報は同じお金なので、足さない。
    Column("final_yen", BigInteger, nullable=False),
    moment("received_at"),
    one_of("channel", [channel.value for channel in Channel]),
    CheckConstraint("rows_read = rows_posted + rows_held + rows_rejected", name="equation"),
)

#: 入金一つ。名（`event`）は中身から決まるので、同じ入金は二つにならない。
#: 債権は、鍵から毎回引く（後から登録されても結ばれる）。
collection_event = Table(
    "collection_event",
    metadata,
    Column("event", String(120), primary_key=True),
    Column("channel", String(10), nullable=False),
    Column("pay_key", String(60), nullable=False, index=True),
    Column("paid_on", Date, nullable=False),
    Column("paid_time", String(6), nullable=False),
    Column("place", String(20), nullable=False),
    Column("amount_yen", BigInteger, nullable=False),
    CheckConstraint("amount_yen > 0", name="amount"),
)

#: 届いた記録の一行一行。
collection_notice = Table(
    "collection_notice",
    metadata,
    Column("collection_file_id", ForeignKey("collection_file.id"), primary_key=True),
    Column("line_number", Integer, primary_key=True),
    Column("event", ForeignKey("collection_event.event"), nullable=False),
    Column("kind", String(4), nullable=False),
    Column("settle_on", Date),
    Column("outcome", String(10), nullable=False),
    one_of("kind", [kind.value for kind in NoticeKind]),
    one_of("outcome", NOTICE_OUTCOMES),
    Index(
        "uq_collection_notice_counted",
        "event",
        "kind",
        unique=True,
        sqlite_where=text("outcome IN ('消込', '保留')"),
        postgresql_where=text("outcome IN ('消込', '保留')"),
    ),
)

#: 消込の仕訳。借方が入金の側、貸方が受け入れた側。取り消すときは入れ替わる。
collection_posting = Table(
    "collection_posting",
    metadata,
    Column("id", Integer, primary_key=True),
    moment("at"),
    Column("event", ForeignKey("collection_event.event"), nullable=False, index=True),
    Column("receivable_id", ForeignKey("receivable.id"), index=True),
    Column("debit", String(10), nullable=False),
    Column("credit", String(10), nullable=False),
    Column("amount_yen", BigInteger, nullable=False),
    one_of("debit", COLLECTION_ACCOUNTS),
    one_of("credit", COLLECTION_ACCOUNTS),
    CheckConstraint("amount_yen > 0", name="amount"),
    CheckConstraint("debit <> credit", name="two_sides"),
)

#: 人の判断: 相手の分からない入金を債権に結ぶ（消込）、過誤納を返す（還付）・ほかの債権に充てる（充当）。
collection_move = Table(
    "collection_move",
    metadata,
    *asked(
        Column("event", ForeignKey("collection_event.event"), nullable=False, index=True),
        Column("kind", String(4), nullable=False),
        Column("receivable_id", ForeignKey("receivable.id")),
        Column("amount_yen", BigInteger, nullable=False),
        one_of("kind", COLLECTION_MOVES),
        CheckConstraint("amount_yen > 0", name="amount"),
        CheckConstraint("(kind = '還付') = (receivable_id IS NULL)", name="receivable"),
    ),
)
collection_move_approval = approved_by_another(metadata, "collection_move")

#: 銀行の口座に入ったお金（経路ごと・日ごと）。入金と消込の毎日の突き合わせに使う。
#: 一人が書き、別の人が通帳と見比べて承認してから数える。書き間違いは、承認せずに書き直す。
#: 同じ取引の番号の承認は、一度だけ（services.bank_credits）。
bank_credit = Table(
    "bank_credit",
    metadata,
    *asked(
        Column("channel", String(10), nullable=False),
        Column("credited_on", Date, nullable=False),
        Column("amount_yen", BigInteger, nullable=False),
        Column("reference", String(60), nullable=False, index=True),
        UniqueConstraint("reference", "channel", "credited_on", "amount_yen"),
        one_of("channel", [channel.value for channel in Channel]),
        CheckConstraint("amount_yen > 0", name="amount"),
    ),
)
bank_credit_approval = approved_by_another(metadata, "bank_credit")
