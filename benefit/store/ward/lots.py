"""組（印刷ロット）のその後の表: 置いたフォルダ、刷った中身の指紋、抜いた手紙、組を出す許し、見本帳の署名。"""

from sqlalchemy import Column, Date, ForeignKey, Integer, String, Table, Text, UniqueConstraint

from benefit.store.base import approved_by_another, asked, moment
from benefit.store.ward.metadata import metadata

#: 組を置いたフォルダ（`issued_on` の日付と回）と、作り直した元の組。
lot_run = Table(
    "lot_run",
    metadata,
    Column("lot_id", ForeignKey("lot.id"), primary_key=True),
    Column("folder", Text, nullable=False),
    Column("remade_from", ForeignKey("lot.id"), unique=True),
)

#: 手紙に刷った事柄の指紋。出す日に、事実がまだ紙のとおりかを見る（reliability P14）。中身は抽出データにある。
letter_printed = Table(
    "letter_printed",
    metadata,
    Column("letter_id", ForeignKey("letter.id"), primary_key=True),
    Column("digest", String(64), nullable=False),
)

#: 出す前に組から抜いた手紙。この手紙は、送られていない。
letter_pull = Table(
    "letter_pull",
    metadata,
    Column("letter_id", ForeignKey("letter.id"), primary_key=True),
    Column("lot_id", ForeignKey("lot.id"), nullable=False),
    Column("why", Text, nullable=False),
    Column("pulled_by", ForeignKey("staff.id"), nullable=False),
    moment("pulled_at"),
)

#: 見本帳: どの割付・言葉・書体・符号で刷るか（digest）と、署名した人が見た見本（sha256）。別の人の承認を待つ。
proof_set = Table(
    "proof_set",
    metadata,
    *asked(Column("digest", String(64), nullable=False), Column("sha256", String(64), nullable=False)),
)
proof_set_approval = approved_by_another(metadata, "proof_set")

#: 組を出す許し。出す日の関門を通り、読み返して合い、見本帳の署名がある組だけにできる。
lot_release = Table(
    "lot_release",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("lot_id", ForeignKey("lot.id"), nullable=False),
    Column("released_on", Date, nullable=False),
    Column("proof_set_id", ForeignKey("proof_set_approval.release_id"), nullable=False),
    Column("proof_sha256", String(64), nullable=False),
    Column("released_by", ForeignKey("staff.id"), nullable=False),
    moment("released_at"),
    UniqueConstraint("lot_id", "released_on"),
)
