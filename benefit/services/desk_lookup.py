"""電話口の検索。見せる前に、必ずログが台帳に残る（reliability P16）。

- 探せるのは、給付管理番号の完全一致か、カナ氏名と生年月日の両方だけ。一覧も、部分一致も、並べ替えも、件数もない。
- 5 件を超えたら、何も見せずに「特定できません」。当たりは伏せ字で、中身は本人確認の後（desk_view）。
- 区だけが知る人も、知らない番号も、答えは同じ「区で確認します」（benefit-rules F.3）。同じ文を同じ数だけ実行する。
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from benefit.domain.access import Actor
from benefit.domain.entitlement import is_case_number
from benefit.domain.kana import search_key
from benefit.domain.masking import masked_name, town_of
from benefit.domain.typed import Keys
from benefit.services import look_up_limits
from benefit.services.desk_calls import Call
from benefit.store import audit, desk

MOST = 5
ASK_WARD = "区で確認します。お名前とお電話番号をお聞かせください。区から折り返しご連絡します。"
TOO_MANY = "特定できません。給付管理番号か、生年月日をもう一度お確かめください。"
TO_WARD = "こちらではお答えできません。区へおつなぎします。"
#: 同じことを言う英語。
IN_ENGLISH = {
    ASK_WARD: "The ward office will check. Please tell us your name and phone number, and they will call you back.",
    TOO_MANY: "We could not find your case. Please tell us your case number or your date of birth again.",
    TO_WARD: "We cannot answer this here. We will put you through to the ward office.",
}


@dataclass(frozen=True)
class Hit:
    """検索の当たり一件。どの人かを選ぶための、伏せた読み・生まれ年・町名だけ。"""

    case_number: str
    masked_kana: str
    birth_year: str
    town: str
    benefit: str


@dataclass(frozen=True)
class Found:
    """検索の結果。`by` は何で探したか（number か name）。"""

    hits: tuple[Hit, ...]
    too_many: bool
    by: str

    @property
    def says(self) -> str:
        """当たりがないとき・多すぎるときに言う文。"""
        return TOO_MANY if self.too_many else "" if self.hits else ASK_WARD


def search(connection: Connection, keys: Keys, *, call: Call, actor: Actor, at: datetime) -> Found:
    """探す。返す前に、誰が・なぜ・何件見たかと、この人の検索の数が、同じトランザクションに残る。"""
    table, names = desk.benefit_case, desk.benefit_name
    query = select(
        table.c.case_number,
        table.c.kana_name,
        table.c.name,
        table.c.birth,
        table.c.address,
        table.c.benefit,
        names.c.name.label("benefit_name"),
    ).select_from(table.outerjoin(names, names.c.benefit == table.c.benefit))
    if keys.case_number:
        by = "number"
        # 形の違う番号は、探すまでもなく当たらない。答えは「ない」と同じになる。
        query = query.where(table.c.case_number == (keys.case_number if is_case_number(keys.case_number) else ""))
    else:
        by = "name"
        # 記号だけの名前は、鍵が空になる。空の鍵では、誰も当てない。
        key = search_key(keys.kana_name)
        query = query.where(table.c.kana_key == key, table.c.kana_key != "", table.c.birth == keys.birth)
    look_up_limits.count_or_stop(connection, actor, at)
    rows = connection.execute(query.order_by(table.c.case_number).limit(MOST + 1)).mappings().all()
    too_many = len(rows) > MOST
    audit.record(
        connection,
        desk.audit_log,
        at=at,
        actor=actor,
        action="case.search",
        # 当て推量で探す人は、当たらなかった番号で分かる。
        subject=keys.case_number[:11],
        reason=call.purpose,
        detail={
            "by": by,
            "call": call.reference,
            "hits": "many" if too_many else len(rows),
            "cases": [] if too_many else [row["case_number"] for row in rows],
        },
    )
    return Found(() if too_many else tuple(_hit(dict(row)) for row in rows), too_many, by)


def masked(connection: Connection, case_number: str) -> Hit | None:
    """一件の伏せた姿（本人確認の前に見せるもの）。"""
    table, names = desk.benefit_case, desk.benefit_name
    query = (
        select(table, names.c.name.label("benefit_name"))
        .select_from(table.outerjoin(names, names.c.benefit == table.c.benefit))
        .where(table.c.case_number == case_number)
    )
    row = connection.execute(query).mappings().first()
    return _hit(dict(row)) if row else None


def _hit(row: Mapping[str, Any]) -> Hit:
    return Hit(
        row["case_number"],
        masked_name(row["kana_name"] or row["name"]),
        row["birth"][:4],
        town_of(row["address"]),
        row["benefit_name"] or row["benefit"],
    )
