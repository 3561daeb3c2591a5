"""印刷所の結果の表: 一回の結果、合わない番号、返戻の一覧。どれも書き足すだけ（直したファイルは、次の行になる）。"""

from sqlalchemy import CheckConstraint, Column, Date, ForeignKey, Integer, String, Table, Text, UniqueConstraint

from benefit.domain.deficiency import RETURN_REASONS
from benefit.domain.print_result import CLOSED, PRINT_STATES, SHEET_FAULTS
from benefit.store.base import moment, one_of
from benefit.store.ward.metadata import metadata

#: 印刷所の結果一回。`expected_sha256` は渡した封入の符号の全部の指紋（束の名）で、`turn` の一番大きい行がいまの結果。
#: 閉じた束は、必ず三つの等式が合い、名ざした番号がない。
print_result = Table(
    "print_result",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("folder", Text, nullable=False),
    Column("expected_sha256", String(64), nullable=False),
    Column("turn", Integer, nullable=False),
    Column("file_name", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("rows_read", Integer, nullable=False),
    Column("sent", Integer, nullable=False),
    Column("good", Integer, nullable=False),
    Column("spoiled", Integer, nullable=False),
    Column("remade", Integer, nullable=False),
    Column("posted", Integer, nullable=False),
    Column("pulled", Integer, nullable=False),
    Column("wrong", Integer, nullable=False),
    Column("state", String(3), nullable=False),
    Column("posted_from", Date),
    Column("posted_to", Date),
    # 前の結果に代えるわけ（初めの結果では空）。
    Column("reason", Text, nullable=False),
    Column("taken_by", ForeignKey("staff.id"), nullable=False),
    moment("taken_at"),
    UniqueConstraint("expected_sha256", "turn"),
    UniqueConstraint("expected_sha256", "sha256"),
    one_of("state", PRINT_STATES),
    CheckConstraint("turn = 1 OR reason <> ''", name="again_has_a_reason"),
    CheckConstraint(f"(state = '{CLOSED}') = (wrong = 0)", name="closed"),
    CheckConstraint(
        "wrong > 0 OR (sent = good + spoiled AND spoiled = remade + pulled AND posted = good + remade)",
        name="equations",
    ),
)

#: その結果が数えたロット（組）。
print_result_lot = Table(
    "print_result_lot",
    metadata,
    Column("print_result_id", ForeignKey("print_result.id"), primary_key=True),
    Column("lot_id", ForeignKey("lot.id"), primary_key=True, index=True),
)

#: 名ざした番号とわけ。`record` はファイルの行（ファイルに一行もない番号では null）。
print_result_line = Table(
    "print_result_line",
    metadata,
    Column("print_result_id", ForeignKey("print_result.id"), primary_key=True),
    Column("line_number", Integer, primary_key=True),
    Column("code", String(40), nullable=False),
    Column("fault", String(20), nullable=False),
    Column("record", Integer),
    one_of("fault", SHEET_FAULTS),
)

#: 返戻の一覧一枚。読んだ行 = 入れた行 + 断った行。
returned_list = Table(
    "returned_list",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("file_name", Text, nullable=False),
    Column("sha256", String(64), nullable=False, unique=True),
    Column("returned_on", Date, nullable=False),
    Column("reason", String(20), nullable=False),
    Column("rows_read", Integer, nullable=False),
    Column("rows_taken", Integer, nullable=False),
    Column("rows_refused", Integer, nullable=False),
    Column("taken_by", ForeignKey("staff.id"), nullable=False),
    moment("taken_at"),
    one_of("reason", RETURN_REASONS),
    CheckConstraint("rows_read = rows_taken + rows_refused", name="equation"),
)

#: 戻った手紙。一通は一度しか戻らない（出し直した手紙は、別の一通である）。
returned_letter = Table(
    "returned_letter",
    metadata,
    Column("letter_id", ForeignKey("letter.id"), primary_key=True),
    Column("returned_list_id", ForeignKey("returned_list.id"), nullable=False),
    Column("record", Integer, nullable=False),
)

#: 一覧にあって、入れなかった行。読んだままの文字とわけが残る。
returned_refused = Table(
    "returned_refused",
    metadata,
    Column("returned_list_id", ForeignKey("returned_list.id"), primary_key=True),
    Column("record", Integer, primary_key=True),
    Column("scanned", String(60), nullable=False),
    Column("why", Text, nullable=False),
)
