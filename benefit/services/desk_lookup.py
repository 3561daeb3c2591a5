"""電話口の検索と閲覧。見せる前に、必ずログが台帳に残る（reliability P16）。

- 探せるのは、給付管理番号の完全一致か、カナ氏名と生年月日の両方だけ。一覧も、部分一致も、件数もない。
- 5 件を超えたら、何も見せずに「特定できません」。
- 区だけが知る人も、知らない番号も、答えは同じ「区で確認します」（benefit-rules F.3）。
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection, Engine, Select, select

from benefit.domain.access import Actor, DeskRole
from benefit.domain.case import EVENT_NAMES, STATE_WORDS
from benefit.domain.clock import Clock
from benefit.domain.entitlement import ACCOUNT_FLAG_NAMES, is_case_number
from benefit.domain.errors import RefusedInput
from benefit.domain.kana import search_key
from benefit.domain.wareki import wareki
from benefit.store import audit, desk

MOST = 5
ASK_WARD = "区で確認します。お名前とお電話番号をうかがい、区から折り返しご連絡します。"
TOO_MANY = "特定できません。給付管理番号か、生年月日をもう一度お確かめください。"


@dataclass(frozen=True)
class Hit:
    """検索の当たり一件。本人か確かめるための、名前・生年月日・給付だけ。"""

    case_number: str
    name: str
    kana_name: str
    birth: str
    benefit: str
    state: str


@dataclass(frozen=True)
class Step:
    """進んだ跡の一行。"""

    at: datetime
    what: str
    state: str


@dataclass(frozen=True)
class CaseSeen:
    """画面と API に出す一件。税・続柄・世帯・口座番号の全体は、ここに列がない。"""

    case_number: str
    branch: int
    benefit: str
    name: str
    kana_name: str
    birth: str
    postal_code: str
    address: str
    braille: bool
    state: str
    state_name: str
    says: str
    says_english: str
    next_step: str
    account: str
    sent_on: date | None
    due_on: date | None
    received_on: date | None
    reviewed_on: date | None
    transferred_on: date | None
    deficiency: str
    steps: tuple[Step, ...]


#: 電話で聞くのは和暦が多い。元年の前の年と、元号の一字目・頭文字。
_ERA_NAMES = ((1867, "明M"), (1911, "大T"), (1925, "昭S"), (1988, "平H"), (2018, "令R"))
_ERAS = {name: year for year, names in _ERA_NAMES for name in names}
_BIRTH = re.compile(
    r"(?:(?P<era>明治?|大正?|昭和?|平成?|令和?|[MTSHR]))?\s*(?P<year>\d{1,4}|元)\s*[-./年]\s*"
    r"(?P<month>\d{1,2})\s*[-./月]\s*(?P<day>\d{1,2})\s*日?",
)
_HIRAGANA = {code: code + 0x60 for code in range(0x3041, 0x3097)}
#: 町名の後ろ: 算用数字か、漢数字の「丁目・番・号」から先。
_AFTER_TOWN = re.compile(r"(?:[0-9０-９]|[一二三四五六七八九十百]+(?:丁目|番|号)).*", re.DOTALL)


def birth_key(text: str) -> str | None:
    """打ち込まれた生年月日を、台帳の形 YYYY-MM-DD に。読めなければ None。

    「1955-05-06」「1955/5/6」「19550506」「昭和30年5月6日」「S30.5.6」。分からない月日の 00 はそのまま。
    """
    given = unicodedata.normalize("NFKC", text).strip().upper()
    if re.fullmatch(r"[0-9]{8}", given):
        given = f"{given[:4]}-{given[4:6]}-{given[6:]}"
    found = _BIRTH.fullmatch(given)
    if found is None:
        return None
    year = 1 if found["year"] == "元" else int(found["year"])
    if found["era"]:
        year += _ERAS[found["era"][0]]
    elif len(found["year"]) != 4:
        return None
    return f"{year:04d}-{int(found['month']):02d}-{int(found['day']):02d}"


def spoken_birth(birth: str) -> str:
    """生年月日を、電話で確かめる和暦で。月日が分からない登録は、登録のまま。"""
    try:
        return f"{wareki(date.fromisoformat(birth))}（{birth}）"
    except ValueError:
        return birth


def _cases() -> Select[Any]:
    table, names = desk.benefit_case, desk.benefit_name
    joined = table.outerjoin(names, names.c.benefit == table.c.benefit)
    return select(table, names.c.name.label("benefit_name")).select_from(joined)


def search(
    engine: Engine,
    *,
    actor: Actor,
    clock: Clock,
    case_number: str = "",
    kana_name: str = "",
    birth: str = "",
    call_reference: str = "",
    purpose: str = "",
) -> tuple[Hit, ...] | None:
    """当たり（0〜5 件）を返す。多すぎるときは None。返す前に、誰が・なぜ・何件見たかが残る。"""
    # かな漢字変換のまま打った全角の数字も、同じ番号である。
    digits = "".join(c for c in unicodedata.normalize("NFKC", case_number) if c.isdecimal())
    table = desk.benefit_case
    query = _cases()
    if case_number.strip():
        by = "case_number"
        # 形の違う番号は、探すまでもなく当たらない。答えは「ない」と同じになる。
        query = query.where(table.c.case_number == (digits if is_case_number(digits) else ""))
    elif kana_name and birth:
        by = "kana_and_birth"
        # 記号だけの名前は、鍵が空になる。空の鍵では、誰も当てない。
        key = search_key(kana_name.translate(_HIRAGANA))
        born = birth_key(birth)
        if born is None:
            raise RefusedInput(
                "生年月日が読めません。1955-05-06 か 昭和30年5月6日 のように入れてください", code="search-birth"
            )
        query = query.where(table.c.kana_key == key, table.c.kana_key != "", table.c.birth == born)
    else:
        raise RefusedInput("給付管理番号か、カナ氏名と生年月日の両方を入れてください", code="search-keys")
    with engine.begin() as connection:
        rows = connection.execute(query.order_by(table.c.case_number).limit(MOST + 1)).mappings().all()
        too_many = len(rows) > MOST
        audit.record(
            connection,
            desk.audit_log,
            at=clock(),
            actor=actor,
            action="case.search",
            reason=purpose,
            detail={
                "by": by,
                "call": call_reference,
                "hits": "many" if too_many else len(rows),
                "cases": [] if too_many else [row["case_number"] for row in rows],
            },
        )
    if too_many:
        return None
    return tuple(
        Hit(
            row["case_number"],
            row["name"],
            row["kana_name"] or "",
            row["birth"],
            row["benefit_name"] or row["benefit"],
            STATE_WORDS[row["state"]].name,
        )
        for row in rows
    )


def look(
    engine: Engine, case_number: str, *, actor: Actor, clock: Clock, call_reference: str = "", purpose: str = ""
) -> CaseSeen | None:
    """一件を見る。ない番号・区だけが知る番号は None（同じ答え）。ログが残ってから、返る。"""
    table, event = desk.benefit_case, desk.case_event
    with engine.begin() as connection:
        row = connection.execute(_cases().where(table.c.case_number == case_number)).mappings().first()
        steps = (
            connection.execute(select(event).where(event.c.case_number == case_number).order_by(event.c.id.desc()))
            .mappings()
            .all()
        )
        _log(connection, case_number, row is not None, actor, clock, call_reference, purpose)
    if row is None:
        return None
    return _seen(dict(row), steps, town_only=actor.role == DeskRole.OPERATOR)


def _log(
    connection: Connection,
    case_number: str,
    found: bool,
    actor: Actor,
    clock: Clock,
    call: str,
    purpose: str,
) -> None:
    audit.record(
        connection,
        desk.audit_log,
        at=clock(),
        actor=actor,
        action="case.view",
        subject=case_number[:11],
        reason=purpose,
        detail={"call": call, "found": found},
    )


def _address(row: Mapping[str, Any], *, town_only: bool) -> str:
    """コールセンターには町名まで（reliability §4.4）。残りは、電話の相手に言ってもらう。"""
    if town_only:
        return f"{_AFTER_TOWN.sub('', row['address'])}（町名まで）"
    return "　".join(part for part in (row["address"], row["address2"]) if part)


def _seen(row: Mapping[str, Any], steps: Any, *, town_only: bool) -> CaseSeen:
    words = STATE_WORDS[row["state"]]
    dates = {
        "due": row["due_on"],
        "received": row["received_on"],
        "correct_by": row["correction_due_on"],
        "paid": row["transferred_on"],
    }
    spoken = {name: wareki(day) if day else "（日付は区で確認します）" for name, day in dates.items()}
    spoken |= {
        f"{name}_en": f"{day:%B} {day.day}, {day.year}" if day else "(to be confirmed)" for name, day in dates.items()
    }
    return CaseSeen(
        case_number=row["case_number"],
        branch=row["branch"],
        benefit=row["benefit_name"] or row["benefit"],
        name=row["name"],
        kana_name=row["kana_name"] or "",
        birth=row["birth"],
        postal_code=f"{row['postal_code'][:3]}-{row['postal_code'][3:]}",
        address=_address(row, town_only=town_only),
        braille=row["braille"],
        state=row["state"],
        state_name=words.name,
        says=words.says.format(**spoken),
        says_english=words.says_english.format(**spoken),
        next_step=words.next_step.format(**spoken),
        account=_masked(row),
        sent_on=row["sent_on"],
        due_on=row["due_on"],
        received_on=row["received_on"],
        reviewed_on=row["reviewed_on"],
        transferred_on=row["transferred_on"],
        deficiency=row["deficiency"] or "",
        steps=tuple(
            Step(
                # SQLite は時差を忘れて返す。台帳の時刻は UTC である。
                step["at"] if step["at"].tzinfo else step["at"].replace(tzinfo=UTC),
                EVENT_NAMES.get(step["event"], step["event"]),
                STATE_WORDS[step["to_state"]].name if step["to_state"] else "",
            )
            for step in steps
        ),
    )


def _masked(row: Mapping[str, Any]) -> str:
    """口座は下三桁だけ。公金受取口座と生活保護費の口座は、番号がここにない。"""
    if row["account_number"]:
        return f"届け出られた口座 ****{row['account_number'][-3:]}"
    if row["account_flag"] == "2" and row["past_account_number"]:
        return f"過去の給付金の口座 ****{row['past_account_number'][-3:]}"
    return ACCOUNT_FLAG_NAMES[row["account_flag"]]
