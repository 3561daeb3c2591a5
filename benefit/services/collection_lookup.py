"""納付状況を調べる、人が決める入金の一つを開く。見せる前に、用件と理由のついたログが残る（照会と同じ決まり）。

探せるのは、納付番号・納付書（通知書）の番号・宛名番号の完全一致か、カナ氏名と生年月日の両方。区直轄の人の調定は、
名ざされた人にしか見えない。
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl
from sqlalchemy import Connection, bindparam, or_, select, text

from benefit.domain.access import Actor
from benefit.domain.clock import Clock, tokyo_date
from benefit.domain.errors import RefusedInput
from benefit.domain.kana import search_key
from benefit.domain.typed import BIRTH_HELP, birth_key, read_keys
from benefit.services import restricted_queue
from benefit.services.home import Home
from benefit.services.slips import slip_told
from benefit.services.ward_lookup import Why
from benefit.store import audit, slip_queries, ward

#: 一度に見せる調定。
MOST = 100
_STATUS = """
    SELECT r.id, COALESCE(c.principal_yen, r.principal_yen) AS principal_yen,
           COALESCE(c.late_charge_yen, r.late_charge_yen) AS late_charge_yen,
           CAST(COALESCE(c.due_on, r.due_on) AS VARCHAR(10)) AS due_on, COALESCE(p.settled, 0) AS settled_yen,
           COALESCE(p.promised, 0) AS promised_yen
    FROM receivable r
    LEFT JOIN receivable_change c ON c.receivable_id = r.id
      AND c.turn = (SELECT MAX(turn) FROM receivable_change l WHERE l.receivable_id = r.id)
    LEFT JOIN (
        SELECT receivable_id,
            SUM(CASE WHEN debit IN ('預金', '充当金') AND credit IN ('調定', '延滞金') THEN amount_yen
                     WHEN credit IN ('預金', '充当金') AND debit IN ('調定', '延滞金') THEN -amount_yen
                     ELSE 0 END) AS settled,
            SUM(CASE WHEN debit = '決済待ち' AND credit IN ('調定', '延滞金') THEN amount_yen
                     WHEN credit = '決済待ち' AND debit IN ('調定', '延滞金') THEN -amount_yen
                     ELSE 0 END) AS promised
        FROM collection_posting GROUP BY receivable_id
    ) p ON p.receivable_id = r.id WHERE r.id IN :ids
"""


@dataclass(frozen=True)
class Keys:
    """探す言葉。"""

    payment_number: str = ""
    notice_number: str = ""
    person_number: str = ""
    kana_name: str = ""
    birth: str = ""

    @property
    def subject(self) -> str:
        """ログの対象にする番号。"""
        return (self.payment_number or self.notice_number or self.person_number)[:64]

    @staticmethod
    def of(
        *,
        payment_number: str = "",
        notice_number: str = "",
        person_number: str = "",
        kana_name: str = "",
        birth: str = "",
    ) -> Keys:
        """打たれた言葉から。一つの欄だけに入れる。読めない日は RefusedInput。"""
        plain = [
            read_keys(case_number=one).case_number if one.strip() else ""
            for one in (payment_number, notice_number, person_number)
        ]
        if sum(map(bool, plain)) > 1 or (any(plain) and (kana_name.strip() or birth.strip())):
            raise RefusedInput("調べる言葉は、一つの欄だけに入れてください", code="search-keys")
        if any(plain):
            return Keys(plain[0], plain[1], f"{int(plain[2]):010d}" if plain[2] else "")
        if not kana_name.strip() or not birth.strip():
            raise RefusedInput(
                "納付番号、納付書の番号、宛名番号のどれかか、カナ氏名と生年月日の両方を入れてください",
                code="search-keys",
            )
        born = birth_key(birth)
        if born is None:
            raise RefusedInput(BIRTH_HELP, code="search-birth")
        kana = search_key(read_keys(kana_name=kana_name, birth=born).kana_name)
        return Keys(kana_name=kana or "?", birth=born)


@dataclass(frozen=True)
class Paid:
    """一回の入金。`slip` は、どの納付書で払われたか（出した納付書の台帳から。出していなければ空）。"""

    channel: str
    paid_on: date
    amount_yen: int
    kinds: str
    slip: str = ""


@dataclass(frozen=True)
class Debt:
    """調定一つの納付状況。"""

    id: int
    person_number: str
    subject: str
    fiscal_year: int
    term: int
    notice_number: str
    due_on: date
    due_yen: int
    settled_yen: int
    promised_yen: int
    overdue: bool
    payments: tuple[Paid, ...]

    @property
    def left_yen(self) -> int:
        """残り（速報も納めたものとして）。"""
        return self.due_yen - self.settled_yen - self.promised_yen

    @property
    def says(self) -> str:
        """いまを言う一言。"""
        if self.due_yen <= self.settled_yen:
            return "納付済"
        if self.left_yen <= 0:
            return "納付の知らせ（速報）が届いています"
        if self.settled_yen + self.promised_yen:
            return "一部納付"
        return "納期限を過ぎて未納" if self.overdue else "未納（納期限の前）"


def search(home: Home, keys: Keys, why: Why, *, actor: Actor, clock: Clock) -> list[Debt]:
    """当たった調定の納付状況。ない番号と、見てはならない人の調定は、どちらも空。"""
    secret = restricted_queue.hidden(home)
    people = _people(home, keys)
    today = tokyo_date(clock())
    with home.ward.begin() as connection:
        member = restricted_queue.is_member(connection, actor)
        rows = _receivables(connection, keys, people)
        shown = [row for row in rows if member or not _hides(secret, row)][:MOST]
        audit.record(
            connection,
            ward.audit_log,
            at=clock(),
            actor=actor,
            action="payment.search",
            subject=keys.subject,
            reason=why.told,
            detail={
                "hits": len(shown),
                "rows": len(shown),
                "people": sorted({_plain(row["person_number"]) for row in rows[:MOST] if row["person_number"]}),
            },
        )
        return _debts(connection, shown, today)


def _plain(number: str) -> str:
    return f"{int(number):010d}" if number.isascii() and number.isdigit() else number


def _hides(secret: restricted_queue.Hidden, row: dict[str, Any]) -> bool:
    number = row["person_number"] or ""
    return number.isascii() and number.isdigit() and int(number) in secret.people


def _people(home: Home, keys: Keys) -> list[str]:
    """氏名と生年月日の人の宛名番号。"""
    frame = restricted_queue.residents(home)
    if frame is None:
        return []
    born = frame.filter(pl.col("birth") == (keys.birth or "?")).select("person_number", "kana_name").collect()
    return [
        f"{number:010d}" for number, kana in born.iter_rows() if keys.kana_name and search_key(kana) == keys.kana_name
    ]


def _receivables(connection: Connection, keys: Keys, people: Sequence[str]) -> list[dict[str, Any]]:
    table, key = ward.receivable, ward.receivable_key
    numbers = [*people, *([keys.person_number] if keys.person_number else [])]
    # 様式の幅しだいで、前の 0 の数が違う。
    wide = [form for one in numbers for form in (one, one.lstrip("0"), one.zfill(12), one.zfill(15)) if form]
    notice = keys.notice_number
    forms = (notice.lstrip("0"), *(notice.zfill(width) for width in range(len(notice), 21)))
    notices = [form for form in forms if form] if notice else []
    bound = select(key.c.receivable_id).where(
        key.c.pay_key.in_([f"MPN:{keys.payment_number}", f"DD:{keys.payment_number}"] if keys.payment_number else [])
    )
    query = (
        select(table)
        .where(or_(table.c.person_number.in_(wide), table.c.notice_number.in_(notices), table.c.id.in_(bound)))
        .order_by(table.c.fiscal_year.desc(), table.c.subject, table.c.term)
        .limit(MOST * 2)
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def _debts(connection: Connection, rows: Sequence[dict[str, Any]], today: date) -> list[Debt]:
    ids = [row["id"] for row in rows]
    query = text(_STATUS).bindparams(bindparam("ids", expanding=True))
    now = {row["id"]: row for row in connection.execute(query, {"ids": ids}).mappings()}
    paid = _payments(connection, ids)
    made = []
    for row in rows:
        one = now[row["id"]]
        due_on = date.fromisoformat(one["due_on"])
        due = int(one["principal_yen"]) + int(one["late_charge_yen"])
        settled = int(one["settled_yen"])
        made.append(
            Debt(
                row["id"],
                row["person_number"] or "",
                row["subject"],
                row["fiscal_year"],
                row["term"],
                row["notice_number"],
                due_on,
                due,
                settled,
                int(one["promised_yen"]),
                due_on < today and settled < due,
                tuple(paid.get(row["id"], ())),
            )
        )
    return made


def _payments(connection: Connection, ids: Sequence[int]) -> dict[int, list[Paid]]:
    event, key, notice, move, approval = (
        ward.collection_event,
        ward.receivable_key,
        ward.collection_notice,
        ward.collection_move,
        ward.collection_move_approval,
    )
    by_key = select(key.c.receivable_id, event.c.event, event.c.amount_yen).join(
        event, event.c.pay_key == key.c.pay_key
    )
    # 人が決めた消込と充当は、決めた額だけがこの調定のものである。
    by_move = select(move.c.receivable_id, move.c.event, move.c.amount_yen).join(
        approval, approval.c.release_id == move.c.id
    )
    tied = {
        (int(row[0]), str(row[1]), int(row[2]))
        for query, column in ((by_key, key.c.receivable_id), (by_move, move.c.receivable_id))
        for row in connection.execute(query.where(column.in_(ids)))
    }
    names = {name for _, name, _ in tied}
    events = {row.event: row for row in connection.execute(select(event).where(event.c.event.in_(names)))}
    kinds: dict[str, set[str]] = {}
    for row in connection.execute(
        select(notice.c.event, notice.c.kind).where(notice.c.event.in_(names), notice.c.outcome != "既収")
    ):
        kinds.setdefault(row.event, set()).add(row.kind)
    found: dict[int, list[Paid]] = {}
    given = slip_queries.slips_of(connection, list(ids))
    for owner, name, yen in sorted(tied):
        one = events[name]
        told = "・".join(sorted(kinds.get(name, ())))
        slip = slip_told(given.get(owner, ()), one.amount_yen, one.paid_on)
        found.setdefault(owner, []).append(Paid(one.channel, one.paid_on, yen, told, slip))
    return found
