"""区の職員の照会: 探す、一人を開く。見せる前に、用件と理由のついたログが台帳に残る（reliability P16、仙台の事例）。

- 探せるのは、給付管理番号・宛名番号・世帯番号の完全一致か、カナ氏名と生年月日の両方だけ。一覧も部分一致もない。
- 区直轄の人は、名ざされた人（restricted_queue）にしか見えない。ほかの人には、ない番号と同じ文を、同じ問い合わせで返す。
- 住所は、区直轄の人では出さない（二人の目で見る。restricted_queue.show_address）。
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
from sqlalchemy import Connection, or_, select

from benefit.domain.access import Actor
from benefit.domain.clock import Clock
from benefit.domain.entitlement import is_case_number
from benefit.domain.errors import RefusedInput
from benefit.domain.kana import search_key
from benefit.domain.typed import BIRTH_HELP, birth_key, read_keys
from benefit.services import restricted_queue
from benefit.services.home import Home
from benefit.services.restricted_queue import PERSON_SLOTS, Hidden
from benefit.services.ward_case import Trail
from benefit.services.ward_case_rows import cases_query, trails
from benefit.store import audit, ward

#: 用件。「そのほか」にも、理由は必ず書く。
PURPOSES = (
    "本人からの問合せ",
    "審査と確認",
    "不備・返戻の対応",
    "振込不能の対応",
    "審査請求・開示請求",
    "監査・検査への対応",
    "そのほか",
)
MOST = 20
NO_SUCH = restricted_queue.NO_SUCH
TOO_MANY = "該当が多すぎます。番号で調べるか、生年月日を確かめてください。"
_NOBODY = -1
#: 見せる住民記録の項目。税額は、判定証明の文にだけある。
_SHOWN = (
    "person_number",
    "household_number",
    "name",
    "kana_name",
    "former_name",
    "birth",
    "relation",
    "postal_code",
    "address",
    "address2",
    "became_resident_on",
    "removed_on",
    "removed_reason",
    "line",
)


@dataclass(frozen=True)
class Why:
    """なぜ見るか。用件は決まった言葉、理由は見る人の言葉。"""

    purpose: str
    reason: str

    @property
    def told(self) -> str:
        """ログに載せる文。"""
        return f"{self.purpose}: {self.reason}"

    @staticmethod
    def of(purpose: str, reason: str) -> Why:
        """用件か理由がなければ RefusedInput。"""
        if purpose not in PURPOSES:
            raise RefusedInput("用件を選んでください", code="purpose")
        if len(reason.strip()) < 2:
            raise RefusedInput("理由を書いてください（相談の受付番号、対応の件名など）", code="reason")
        return Why(purpose, reason.strip()[:200])


@dataclass(frozen=True)
class Keys:
    """探す言葉。どれか一つ（カナ氏名は生年月日と）だけが入っている。"""

    case_number: str = ""
    person_number: int = _NOBODY
    household_number: int = _NOBODY
    kana_key: str = ""
    birth: str = ""

    @property
    def by(self) -> str:
        """何で探したか（ログに載る）。"""
        if self.case_number:
            return "case_number"
        if self.person_number != _NOBODY:
            return "person_number"
        return "household_number" if self.household_number != _NOBODY else "kana_and_birth"

    @property
    def subject(self) -> str:
        """ログの対象にする番号。氏名で探したときは空。"""
        if is_case_number(self.case_number):
            return self.case_number
        number = max(self.person_number, self.household_number)
        return f"{number:010d}" if number >= 0 else ""

    @staticmethod
    def of(
        *,
        case_number: str = "",
        person_number: str = "",
        household_number: str = "",
        kana_name: str = "",
        birth: str = "",
    ) -> Keys:
        """打たれた言葉から。二つ以上の番号、片方だけの氏名、読めない日は RefusedInput。"""
        numbers = [one for one in (case_number, person_number, household_number) if one.strip()]
        if len(numbers) > 1 or (numbers and (kana_name.strip() or birth.strip())):
            raise RefusedInput("調べる言葉は、一つの欄だけに入れてください", code="search-keys")
        if case_number.strip():
            digits = read_keys(case_number=case_number).case_number
            # 形の違う番号は、探すまでもなく当たらない。答えは「ない」と同じになる。
            return Keys(case_number=digits if is_case_number(digits) else "0")
        if numbers:
            digits = read_keys(case_number=numbers[0]).case_number
            number = int(digits) if 0 < len(digits) <= 10 else _NOBODY - 1
            return Keys(person_number=number) if person_number.strip() else Keys(household_number=number)
        if not kana_name.strip() or not birth.strip():
            raise RefusedInput(
                "給付管理番号、宛名番号、世帯番号のどれかか、カナ氏名と生年月日の両方を入れてください",
                code="search-keys",
            )
        born = birth_key(birth)
        if born is None:
            raise RefusedInput(BIRTH_HELP, code="search-birth")
        kana = search_key(read_keys(kana_name=kana_name, birth=born).kana_name)
        return Keys(kana_key=kana or "?", birth=born)


@dataclass(frozen=True)
class Hit:
    """当たり一人。"""

    person_number: int
    household_number: int | None
    name: str
    kana_name: str
    birth: str
    case_numbers: tuple[str, ...]


@dataclass(frozen=True)
class Person:
    """開いた一人。`resident` は住民記録の行（なければ None。住登外の受給者）。"""

    person_number: int
    resident: dict[str, Any] | None
    #: この人が受け取る・対象である権利と、同じ世帯の権利。
    trails: tuple[Trail, ...]
    #: 同じ世帯の人の氏名。
    members: dict[int, str]
    restricted: bool

    @property
    def household_number(self) -> int | None:
        """世帯番号。"""
        return self.resident["household_number"] if self.resident else None


def search(home: Home, keys: Keys, why: Why, *, actor: Actor, clock: Clock) -> tuple[Hit, ...] | None:
    """当たりを返す。多すぎるときは None。返す前に、誰が・なぜ・何を見たかが残る。"""
    secret = restricted_queue.hidden(home)
    with home.ward.begin() as connection:
        member = restricted_queue.is_member(connection, actor)
        numbers = _payees_of(connection, keys)
        found = _residents(home, keys, numbers)
        known = {row["person_number"] for row in found}
        people = [*found, *({"person_number": one} for one in numbers if one not in known)]
        open_ = [row for row in people if member or row["person_number"] not in secret.people]
        cases = _cases_of(connection, [row["person_number"] for row in open_], secret, member=member)
        too_many = len(open_) > MOST
        # 見せなかった人も、誰が探したかを後で答えられるように、番号だけ残す（画面に出る文は、どれも同じである）。
        audit.record(
            connection,
            ward.audit_log,
            at=clock(),
            actor=actor,
            action="person.search",
            subject=keys.subject,
            reason=why.told,
            detail={
                "by": keys.by,
                "hits": "many" if too_many else len(open_),
                "people": [] if too_many else [f"{row['person_number']:010d}" for row in people[:MOST]],
            },
        )
    return None if too_many else tuple(_hit(row, cases) for row in open_)


def look(home: Home, person_number: int, why: Why, *, actor: Actor, clock: Clock) -> Person | None:
    """一人を開く。いない番号と、見てはならない人は、どちらも None。ログが残ってから返る。"""
    secret = restricted_queue.hidden(home)
    with home.ward.begin() as connection:
        member = restricted_queue.is_member(connection, actor)
        row = next(iter(_residents(home, Keys(person_number=person_number), [])), None)
        cases = _cases_of(connection, [person_number], secret, member=True)
        restricted = person_number in secret.people
        seen = (row is not None or bool(cases)) and (member or not restricted)
        household = row["household_number"] if row else None
        every = _household_cases(connection, person_number, household, secret, member=member) if seen else []
        audit.record(
            connection,
            ward.audit_log,
            at=clock(),
            actor=actor,
            action="person.view",
            subject=f"{person_number:010d}",
            reason=why.told,
            detail={"found": seen, "cases": [case["case_number"] for case in every]},
        )
        if not seen:
            return None
        found = trails(connection, every)
    if row is not None and restricted:
        # 区直轄の人の住所は、ここには決して載せない。型の上でも、ないものにする。
        row = {**row, "postal_code": None, "address": None, "address2": None}
    together = _residents(home, Keys(household_number=household), []) if household else []
    members = {one["person_number"]: one["name"] for one in together}
    return Person(person_number, row, tuple(found), members, restricted)


def _payees_of(connection: Connection, keys: Keys) -> list[int]:
    """給付管理番号の受給者。番号で探していなくても、同じ問い合わせをする（時間で見分けられない）。"""
    table = ward.entitlement
    query = select(table.c.payee_number).where(table.c.case_number == keys.case_number)
    return list(connection.execute(query).scalars())


def _residents(home: Home, keys: Keys, numbers: Sequence[int]) -> list[dict[str, Any]]:
    frame = restricted_queue.residents(home)
    if frame is None:
        return []
    wanted = (
        pl.col("person_number").is_in([keys.person_number, *numbers])
        | (pl.col("household_number") == keys.household_number)
        | (pl.col("birth") == (keys.birth or "?"))
    )
    rows = frame.filter(wanted).select(_SHOWN).collect().rows(named=True)
    if keys.kana_key:
        # 同じ日に生まれた人（数十人）だけの鍵を作る。
        rows = [row for row in rows if search_key(row["kana_name"] or "") == keys.kana_key]
    return rows


def _cases_of(connection: Connection, people: Sequence[int], secret: Hidden, *, member: bool) -> list[dict[str, Any]]:
    """この人たちが受け取る・対象である権利。"""
    table = ward.entitlement
    query = cases_query().where(
        or_(
            table.c.payee_number.in_(people),
            table.c.subject_number.in_(people) & table.c.slot_kind.in_(PERSON_SLOTS),
        )
    )
    rows = [dict(row) for row in connection.execute(query).mappings()]
    return [row for row in rows if member or not secret.hides(row)]


def _household_cases(
    connection: Connection, person_number: int, household: int | None, secret: Hidden, *, member: bool
) -> list[dict[str, Any]]:
    """本人の権利と、同じ世帯の権利。避難した人の権利は、元の世帯の画面には出さない。"""
    table = ward.entitlement
    mine = or_(
        table.c.payee_number == person_number,
        (table.c.subject_number == person_number) & table.c.slot_kind.in_(PERSON_SLOTS),
    )
    together = (table.c.household_number == household) & (table.c.slot_kind != "EVACUEE")
    rows = [dict(row) for row in connection.execute(cases_query().where(or_(mine, together))).mappings()]
    # 本人が受け取る権利を先に。
    rows.sort(key=lambda row: row["payee_number"] != person_number)
    return [row for row in rows if member or not secret.hides(row)]


def _hit(row: dict[str, Any], cases: Sequence[dict[str, Any]]) -> Hit:
    number = row["person_number"]
    mine = tuple(
        case["case_number"]
        for case in cases
        if number == case["payee_number"] or (number == case["subject_number"] and case["slot_kind"] in PERSON_SLOTS)
    )
    return Hit(
        number, row.get("household_number"), row.get("name") or "（住民記録にいません）", row.get("kana_name") or "",
        row.get("birth") or "", mine,
    )  # fmt: skip
