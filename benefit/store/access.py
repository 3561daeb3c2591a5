"""人と端末の表。区の台帳と給付管理システムの台帳に、同じ形で一組ずつある（reliability §4.3・§4.4）。

合言葉・合い札・端末の証明書は指紋だけ、二要素の種は暗号にして置く。盗まれた台帳から入れないように。
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from benefit.store.base import approved_by_another, asked, moment, one_of

#: 試みの結果（login_attempt.result）。
ATTEMPTS = ("accepted", "refused", "held")
#: 検索の停止を解く二つの側。
RELEASE_SIDES = ("supervisor", "ward")

#: 書き足すだけの表。
ACCESS_APPEND_ONLY = (
    "operation",
    "login_attempt",
    "connection_refusal",
    "look_up",
    "look_up_alarm",
    "look_up_stop",
    "look_up_release",
    "break_glass",
    "break_glass_approval",
    "break_glass_closed",
    "break_glass_log",
)
#: 消せない表（決まった列だけ変わる）。
ACCESS_NEVER_DELETED = ("staff", "terminal")


@dataclass(frozen=True)
class AccessTables:
    """一つの台帳の、人と端末の表。サービスは、どちらの台帳かをこれで受け取る。"""

    line: str
    audit_log: Table
    staff: Table
    terminal: Table
    staff_session: Table
    operation: Table
    login_attempt: Table
    connection_refusal: Table
    look_up: Table
    look_up_alarm: Table
    look_up_stop: Table
    look_up_release: Table
    break_glass: Table
    break_glass_approval: Table
    break_glass_closed: Table
    break_glass_log: Table


def access_tables(metadata: MetaData, line: str, roles: Iterable[str], audit_log: Table) -> AccessTables:
    """`line`（ward・desk）の台帳の一組を作る。"""
    staff = _staff(metadata, roles)
    return AccessTables(
        line=line,
        audit_log=audit_log,
        staff=staff,
        terminal=_terminal(metadata),
        staff_session=_session(metadata),
        operation=_operation(metadata),
        login_attempt=_attempt(metadata),
        connection_refusal=_refusal(metadata),
        look_up=_look_up(metadata),
        look_up_alarm=_alarm(metadata),
        look_up_stop=_stop(metadata),
        look_up_release=_release(metadata),
        break_glass=Table(
            "break_glass",
            metadata,
            *asked(Column("account", ForeignKey("staff.id"), nullable=False)),
        ),
        break_glass_approval=approved_by_another(metadata, "break_glass"),
        break_glass_closed=_closed(metadata),
        break_glass_log=_second_log(metadata),
    )


def _staff(metadata: MetaData, roles: Iterable[str]) -> Table:
    """職員・従事者。一人に一つの ID で、共用の ID は作らない（checklist: ID・パスワードによる運用）。

    `kind` が sealed のものは封印した非常用の ID で、二人が開けた間だけ、開けた人の名で使える。
    """
    return Table(
        "staff",
        metadata,
        Column("id", String(40), primary_key=True),
        Column("name", Text, nullable=False),
        Column("role", String(20), nullable=False),
        Column("kind", String(10), nullable=False, server_default="person"),
        Column("password_hash", Text, nullable=False),
        # 空は、まだ本人が決めていない（最初の合言葉のまま）。
        moment("password_changed_at", nullable=True),
        moment("terms_accepted_at", nullable=True),
        # AES-GCM で包んだ二要素の種。付け合わせの言葉は「台帳|ID」で、行を入れ替えても開かない。
        Column("totp_secret", Text),
        # 受け取った最後の刻み。同じ刻みの数字は二度使えない。
        Column("totp_step", BigInteger),
        moment("totp_enrolled_at", nullable=True),
        Column("failed_count", Integer, nullable=False, server_default="0"),
        moment("locked_until", nullable=True),
        # 百回続けて間違えた。区の管理者が開くまで閉じる。
        moment("closed_at", nullable=True),
        # 区の管理者が開き直した時刻（14 日使われない ID が閉じるまでの起点）。
        moment("opened_at", nullable=True),
        moment("last_login_at", nullable=True),
        Column("contract_ends_on", Date),
        moment("created_at"),
        moment("ended_at", nullable=True),
        one_of("role", roles),
        one_of("kind", ("person", "sealed")),
    )


def _terminal(metadata: MetaData) -> Table:
    """名のある端末。証明書のないものは、サーバー自身の前の一台（console）だけである。"""
    return Table(
        "terminal",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("certificate_sha256", String(64), unique=True),
        Column("name", String(40), nullable=False, unique=True),
        Column("place", Text, nullable=False),
        Column("registered_by", String(40), nullable=False),
        moment("registered_at"),
        moment("ended_at", nullable=True),
        CheckConstraint("certificate_sha256 IS NOT NULL OR name = 'console'", name="has_a_certificate"),
    )


def _session(metadata: MetaData) -> Table:
    """入っている人。一人に一つ、端末につながれる。合い札は指紋だけを持つ。"""
    return Table(
        "staff_session",
        metadata,
        Column("token_hash", String(64), primary_key=True),
        Column("staff_id", ForeignKey("staff.id"), nullable=False, unique=True),
        Column("terminal_id", ForeignKey("terminal.id")),
        Column("call_id", Integer),
        # いま開いている一件。番号を URL に出さないため、ここに置く。
        Column("case_number", String(11)),
        Column("csrf_hash", String(64), nullable=False),
        Column("call_reference", String(40), nullable=False, server_default=""),
        Column("purpose", String(40), nullable=False, server_default=""),
        moment("started_at"),
        moment("seen_at"),
        # 最後に合言葉と数字で本人と確かめた時刻。お金の承認は、この 5 分以内だけ。
        moment("authenticated_at"),
    )


def _operation(metadata: MetaData) -> Table:
    """済んだ書込み。同じ鍵の二度目は、書かずに同じ答えを返す（reliability §4.1 Idempotent buttons）。"""
    return Table(
        "operation",
        metadata,
        Column("key", String(64), primary_key=True),
        Column("staff_id", ForeignKey("staff.id"), nullable=False),
        Column("route", String(120), nullable=False),
        Column("params_hash", String(64), nullable=False),
        Column("result", Text, nullable=False),
        moment(),
    )


def _attempt(metadata: MetaData) -> Table:
    """入ろうとした試み。知らない ID は書かない（合言葉を ID の欄に打つ人がいる）。"""
    return Table(
        "login_attempt",
        metadata,
        Column("id", Integer, primary_key=True),
        moment(),
        Column("source", String(60), nullable=False),
        Column("staff_id", ForeignKey("staff.id")),
        Column("result", String(10), nullable=False),
        one_of("result", ATTEMPTS),
        Index("ix_login_attempt_source_at", "source", "at"),
    )


def _refusal(metadata: MetaData) -> Table:
    """断った接続。相手・わけ・分ごとに一行だけ（ログを溢れさせる人がいても、溢れない）。"""
    return Table(
        "connection_refusal",
        metadata,
        Column("minute", BigInteger, primary_key=True, autoincrement=False),
        Column("peer", String(60), primary_key=True),
        Column("reason", String(40), primary_key=True),
    )


def _look_up(metadata: MetaData) -> Table:
    """検索と閲覧の数（一人ごと）。閲覧のログと同じトランザクションで書く。"""
    return Table(
        "look_up",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("staff_id", ForeignKey("staff.id"), nullable=False),
        moment(),
        Index("ix_look_up_staff_id_at", "staff_id", "at"),
    )


def _alarm(metadata: MetaData) -> Table:
    """一時間に 30 件を越えた人（週の報告に載る）。"""
    return Table(
        "look_up_alarm",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("staff_id", ForeignKey("staff.id"), nullable=False),
        moment(),
        Column("look_ups", Integer, nullable=False),
        Index("ix_look_up_alarm_staff_id_at", "staff_id", "at"),
    )


def _stop(metadata: MetaData) -> Table:
    """一時間に 60 件に達して止めた人。"""
    return Table(
        "look_up_stop",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("staff_id", ForeignKey("staff.id"), nullable=False),
        moment(),
        Column("look_ups", Integer, nullable=False),
        UniqueConstraint("id", "staff_id"),
        Index("ix_look_up_stop_staff_id", "staff_id"),
    )


def _release(metadata: MetaData) -> Table:
    """停止の解除。管理者と区の二人がそろって解ける。止まった本人は解けない。"""
    return Table(
        "look_up_release",
        metadata,
        Column("stop_id", Integer, primary_key=True),
        Column("side", String(10), primary_key=True),
        Column("stopped_staff_id", String(40), nullable=False),
        Column("released_by", ForeignKey("staff.id"), nullable=False),
        Column("reason", Text, nullable=False),
        moment("released_at"),
        ForeignKeyConstraint(["stop_id", "stopped_staff_id"], ["look_up_stop.id", "look_up_stop.staff_id"]),
        UniqueConstraint("stop_id", "released_by"),
        one_of("side", RELEASE_SIDES),
        CheckConstraint("released_by <> stopped_staff_id", name="not_the_stopped"),
        CheckConstraint("reason <> ''", name="has_a_reason"),
    )


def _closed(metadata: MetaData) -> Table:
    """非常用の ID を閉じた（60 分が過ぎた、返された）。"""
    return Table(
        "break_glass_closed",
        metadata,
        Column("release_id", ForeignKey("break_glass.id"), primary_key=True),
        moment("closed_at"),
        Column("closed_by", String(40), nullable=False),
    )


def _second_log(metadata: MetaData) -> Table:
    """非常用の ID がしたこと、二つめの記録。監査ログに一行足されるたびに、台帳の仕掛けが写す。"""
    return Table(
        "break_glass_log",
        metadata,
        Column("sequence", Integer, primary_key=True, autoincrement=False),
        Column("release_id", Integer),
        moment(),
        Column("actor", String(40), nullable=False),
        Column("terminal", String(40), nullable=False),
        Column("action", String(60), nullable=False),
        Column("subject", String(64), nullable=False),
        Column("reason", Text, nullable=False),
        Column("detail", Text, nullable=False),
        Column("hash", String(64), nullable=False),
    )
