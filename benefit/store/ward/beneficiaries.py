"""支給対象者データベースの表: 抽出データの写し、対象者の判定一回、支給権利、照会。"""

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

from benefit.domain.entitlement import ROUTES, SLOT_KINDS
from benefit.store.base import moment, one_of
from benefit.store.ward.metadata import metadata

#: 取り込んだファイル一つ。中身は指紋を名前にした Parquet にあり、ここは登録簿。
snapshot = Table(
    "snapshot",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("file_name", Text, nullable=False),
    # 賦課年度のあるもの（住民税、不足額の算定基礎）だけ。年度の違う事業が、同じ作業場所で取り違えられない。
    Column("levy_year", Integer),
    Column("encoding", String(20), nullable=False),
    Column("rows_read", Integer, nullable=False),
    Column("rows_kept", Integer, nullable=False),
    Column("rows_rejected", Integer, nullable=False),
    moment("imported_at"),
    UniqueConstraint("kind", "sha256"),
    CheckConstraint("rows_read = rows_kept + rows_rejected", name="equation"),
)

#: 同じ中身をもう一度受け取った記録。中身は変わらないが、いまも正しいことの証しになる（CHK94）。
extract_receipt = Table(
    "extract_receipt",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("received_on", Date, nullable=False),
    ForeignKeyConstraint(["kind", "sha256"], ["snapshot.kind", "snapshot.sha256"]),
    UniqueConstraint("kind", "sha256", "received_on"),
)

#: 対象者の判定一回。同じ入力（抽出データ・事業・基準の日・版）は一度しか登録されない。
run = Table(
    "run",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("programme", String(40), nullable=False),
    Column("programme_digest", String(64), nullable=False),
    Column("today", Date, nullable=False),
    Column("input_digest", String(64), nullable=False, unique=True),
    Column("inputs", Text, nullable=False),
    Column("outcomes_sha256", String(64), nullable=False),
    Column("rows_added", Integer, nullable=False),
    Column("rows_same", Integer, nullable=False),
    Column("rows_differing", Integer, nullable=False),
    # 検査が外した数など、summary.json の数。承認する人と、次の差が読む。
    Column("counts", Text, nullable=False),
    Column("built_by", String(40), nullable=False),
    moment("built_at"),
    UniqueConstraint("id", "outcomes_sha256", "built_by"),
)

#: 判定の承認。作った人と別の人が、前に承認した判定との差の指紋を承認する。承認のない判定では、何も出ていかない。
run_approval = Table(
    "run_approval",
    metadata,
    Column("run_id", Integer, primary_key=True),
    Column("outcomes_sha256", String(64), nullable=False),
    Column("built_by", String(40), nullable=False),
    Column("based_on", ForeignKey("run.id")),
    Column("difference_sha256", String(64), nullable=False),
    Column("alarms", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("approved_by", ForeignKey("staff.id"), nullable=False),
    moment("approved_at"),
    ForeignKeyConstraint(["run_id", "outcomes_sha256", "built_by"], ["run.id", "run.outcomes_sha256", "run.built_by"]),
    CheckConstraint("approved_by <> built_by", name="not_the_builder"),
    CheckConstraint("alarms = '' OR reason <> ''", name="alarms_have_a_reason"),
)

#: 支給権利: 一回だけ払うもの。`slot` がその一回の名前（benefit-rules D.1）で、受給者では決してない。
entitlement = Table(
    "entitlement",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("programme", String(40), nullable=False),
    Column("slot", String(80), nullable=False, unique=True),
    Column("slot_kind", String(10), nullable=False),
    Column("benefit", String(8), nullable=False),
    Column("subject_number", BigInteger, nullable=False),
    Column("household_number", BigInteger),
    Column("payee_number", BigInteger, nullable=False),
    Column("amount_yen", BigInteger, nullable=False),
    Column("route", String(10), nullable=False),
    Column("account_flag", String(1), nullable=False),
    Column("case_number", String(11), nullable=False, unique=True),
    Column("branch", Integer, nullable=False),
    Column("run_id", ForeignKey("run.id"), nullable=False),
    UniqueConstraint("id", "slot", "amount_yen"),
    one_of("slot_kind", SLOT_KINDS),
    one_of("route", ROUTES),
    one_of("account_flag", ("0", "1", "2", "3")),
    CheckConstraint("amount_yen BETWEEN 1 AND 1000000", name="amount"),
    CheckConstraint("length(case_number) = 11", name="case_number_length"),
    CheckConstraint("branch >= 1", name="branch"),
    Index("ix_entitlement_payee_number", "payee_number"),
)

#: 承認された判定で対象になった支給権利。手紙も支払も、ここにある権利にしか作れない（外部キー）。
valid_entitlement = Table(
    "valid_entitlement",
    metadata,
    Column("entitlement_id", ForeignKey("entitlement.id"), primary_key=True),
    Column("run_id", ForeignKey("run_approval.run_id"), nullable=False),
)

#: 前の判定と違うところ。支給権利は黙って書き換わらず、ここに並ぶ（issue「差を示す」）。
run_difference = Table(
    "run_difference",
    metadata,
    Column("run_id", ForeignKey("run.id"), primary_key=True),
    Column("slot", String(80), primary_key=True),
    Column("kind", String(10), nullable=False),
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
    one_of("kind", ("changed", "removed")),
)

#: 照会一件。回答は、この番号をこの人に出した時だけ受け取る（契約 §4）。番号は二度使わない。
#: 答えが役に立たなければ、`attempt` を一つ増やした新しい番号で尋ね直す（benefit-rules E.1）。
inquiry = Table(
    "inquiry",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("inquiry_number", String(12), nullable=False, unique=True),
    Column("kind", String(10), nullable=False),
    Column("person_number", BigInteger, nullable=False),
    Column("levy_year", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    # 何のために尋ねたか（情報連携記録に答えるため）。
    Column("programme", String(40), nullable=False),
    Column("destination", String(5), nullable=False),
    # machine: 情報提供ネットワークシステムへ。hand: 区が直接扱う人なので、職員が手で。
    Column("way", String(10), nullable=False),
    # 照会の日（渡された today）。この日のファイルだけに載る。
    Column("asked_on", Date, nullable=False),
    moment("issued_at"),
    UniqueConstraint("kind", "person_number", "levy_year", "attempt"),
    one_of("kind", ("tax", "account")),
    one_of("way", ("machine", "hand")),
    CheckConstraint("attempt >= 1", name="attempt"),
)
