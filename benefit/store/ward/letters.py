"""紙と受渡の表。"""

from sqlalchemy import BigInteger, Column, Date, ForeignKey, Integer, String, Table, Text, UniqueConstraint

from benefit.domain.letter import REGISTERED_KINDS
from benefit.store.base import moment, one_of
from benefit.store.ward.metadata import metadata

#: 印刷ロット一つ（一つの PDF）。
lot = Table(
    "lot",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(30), nullable=False),
    Column("place", String(10), nullable=False),
    Column("file_name", Text, nullable=False),
    Column("sha256", String(64), nullable=False, unique=True),
    Column("letter_count", Integer, nullable=False),
    moment("made_at"),
    one_of("place", ("printer", "ward")),
)

#: 手紙一通。同じ番号・枝番・種類・出来事は一通だけ。字形がなくて止めた手紙は lot なしで残る。
letter = Table(
    "letter",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("entitlement_id", ForeignKey("valid_entitlement.entitlement_id"), nullable=False),
    Column("branch", Integer, nullable=False),
    Column("kind", String(30), nullable=False),
    # 同じ枝番で何度もありうる手紙（振込不能、督促など）を、出来事ごとに一通にする鍵。お知らせ・確認書では空。
    Column("occasion", String(20), nullable=False, server_default=""),
    Column("lot_id", ForeignKey("lot.id")),
    Column("held_reason", Text),
    # 手紙に書いた届け方と口座。この後に口座の登録が変わっても、手紙に書いた口座で払う（CHK87）。
    Column("route", String(10), nullable=False),
    Column("account_flag", String(1), nullable=False),
    # 宛先の指紋。手紙の後で住所が変わったことに気づくため（CHK91）。住所そのものは、抽出データにある。
    Column("address_digest", String(64), nullable=False, server_default=""),
    Column("issued_on", Date, nullable=False),
    Column("due_on", Date, nullable=False),
    UniqueConstraint("entitlement_id", "branch", "kind", "occasion"),
    one_of("kind", REGISTERED_KINDS),
)

#: 受渡管理簿: いつ、誰が、何を、いくつ、誰へ（checklist 5: 管理簿）。
handover = Table(
    "handover",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("crossing", String(20), nullable=False),
    Column("counterpart", Text, nullable=False),
    Column("folder", Text, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("row_count", Integer, nullable=False),
    Column("total_yen", BigInteger),
    Column("actor", String(40), nullable=False),
    moment("at"),
    UniqueConstraint("crossing", "sequence"),
    # 歩み（handover_event）が、種類と作った人ごと親に持つため。
    UniqueConstraint("id", "crossing", "actor"),
    one_of(
        "crossing",
        (
            "payees_out",
            "progress_in",
            "planned_in",
            "print_out",
            "bank_out",
            "recall_out",
            "failure_out",
            "undo_out",
        ),
    ),
)
