"""受渡管理簿の表: 受渡（handover、作成）の後の歩み、印刷の包み、合言葉を渡した記録。

歩みの順は、表そのものが守る。前の歩みを親に持つので、飛ばした・戻った・二度の歩みの行は、存在できない。
"""

from sqlalchemy import (
    Boolean,
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

from benefit.domain.handover_states import (
    ISSUED,
    LINES,
    MADE,
    MEDIA,
    PACKAGE_TRANSITIONS,
    PRINT_OUT,
    RECEIVED,
    STEPS,
    TRANSITIONS,
)
from benefit.store.base import moment, one_of
from benefit.store.ward.metadata import metadata


def _pairs(crossing: str, pairs: frozenset[tuple[str, str]]) -> str:
    listed = ", ".join(f"'{state}-{step}'" for state, step in sorted(pairs))
    return f"(crossing {crossing} '{PRINT_OUT}' AND state || '-' || step IN ({listed}))"


_LINES = ", ".join(f"'{line}'" for line in LINES)

#: 受渡の歩み一つ。`done_on` はした日、`handler` はした人（運んだ人・受け取った人）、`quantity` は媒体の数。
#: 媒体と数は、初めの歩みから終わりまで変わらない（二枚出して一枚返る、はない）。
handover_event = Table(
    "handover_event",
    metadata,
    Column("handover_id", Integer, primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("previous", Integer),
    Column("crossing", String(20), nullable=False),
    Column("made_by", String(40), nullable=False),
    Column("state", String(10), nullable=False),
    Column("step", String(10), nullable=False),
    Column("medium", String(10), nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("done_on", Date, nullable=False),
    Column("handler", Text, nullable=False),
    Column("companion", Text, nullable=False),
    Column("locked_bag", Boolean, nullable=False),
    Column("note", Text, nullable=False),
    Column("recorded_by", ForeignKey("staff.id"), nullable=False),
    moment("at"),
    ForeignKeyConstraint(
        ["handover_id", "crossing", "made_by"], ["handover.id", "handover.crossing", "handover.actor"]
    ),
    ForeignKeyConstraint(
        ["handover_id", "previous", "state", "medium", "quantity"],
        [f"handover_event.{name}" for name in ("handover_id", "place", "step", "medium", "quantity")],
        name="fk_handover_event_previous",
    ),
    UniqueConstraint("handover_id", "place", "step", "medium", "quantity", name="uq_handover_event_chain"),
    UniqueConstraint("handover_id", "step"),
    UniqueConstraint("handover_id", "step", "recorded_by"),
    one_of("step", STEPS),
    one_of("medium", MEDIA),
    # NULL との比べは偽でなく「分からない」で、CHECK を通ってしまう。NULL でないことを先に言う。
    CheckConstraint(
        f"(place = 1 AND previous IS NULL AND state = '{MADE}')"
        f" OR (place > 1 AND previous IS NOT NULL AND previous = place - 1 AND state <> '{MADE}')",
        name="one_after_another",
    ),
    CheckConstraint(f"{_pairs('=', PACKAGE_TRANSITIONS)} OR {_pairs('<>', TRANSITIONS)}", name="allowed_step"),
    CheckConstraint(f"step <> '{ISSUED}' OR recorded_by <> made_by", name="two_people"),
    CheckConstraint("handler <> ''", name="has_a_handler"),
    CheckConstraint("quantity > 0", name="has_a_quantity"),
    CheckConstraint(
        f"step <> '{ISSUED}' OR medium IN ({_LINES}) OR (companion <> '' AND locked_bag)", name="two_carriers"
    ),
)

#: 印刷の包み一つ。合言葉は封をして置く（鍵は台帳の外）。`manifest` は包みに添える書類の中身で、個人の情報はない。
handover_package = Table(
    "handover_package",
    metadata,
    Column("handover_id", ForeignKey("handover.id"), primary_key=True),
    Column("programme", String(40), nullable=False),
    Column("title", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("sheet_count", Integer, nullable=False),
    Column("inside_sha256", String(64), nullable=False),
    Column("manifest", Text, nullable=False),
    Column("sealed", Text, nullable=False),
    Column("report_days", Integer, nullable=False),
    CheckConstraint("report_days BETWEEN 1 AND 365", name="report_days_range"),
)
handover_package_lot = Table(
    "handover_package_lot",
    metadata,
    Column("handover_id", ForeignKey("handover_package.handover_id"), primary_key=True),
    Column("lot_id", ForeignKey("lot.id"), primary_key=True),
)

#: 合言葉を渡した記録。受領の行がなければ書けず、出庫した人は渡せない。
handover_passphrase = Table(
    "handover_passphrase",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("handover_id", ForeignKey("handover_package.handover_id"), nullable=False),
    Column("received_step", String(10), nullable=False),
    Column("issued_step", String(10), nullable=False),
    Column("issued_by", String(40), nullable=False),
    Column("told_by", ForeignKey("staff.id"), nullable=False),
    Column("told_to", Text, nullable=False),
    moment("at"),
    ForeignKeyConstraint(
        ["handover_id", "received_step"],
        ["handover_event.handover_id", "handover_event.step"],
        name="fk_handover_passphrase_received",
    ),
    ForeignKeyConstraint(
        ["handover_id", "issued_step", "issued_by"],
        ["handover_event.handover_id", "handover_event.step", "handover_event.recorded_by"],
        name="fk_handover_passphrase_issued",
    ),
    CheckConstraint(f"received_step = '{RECEIVED}' AND issued_step = '{ISSUED}'", name="after_receipt"),
    CheckConstraint("told_by <> issued_by", name="two_people"),
    CheckConstraint("told_to <> ''", name="told_to_someone"),
)
