"""一通ずつ作る手紙（L3・L4 申請書、L11 相続人届出書、L15 送付先変更、L17 お詫びと訂正）の相手を決める。

職員が番号を言って一通を作る。宛先は台帳のもので、打ち込めるのは、台帳にいない相続人だけである（宛先を書き換えて、
人の手紙を別の所へ送れないように）。送る日の事実で見直す。区直轄の人は、名ざされた職員だけが作れる（決定 0028）。
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

import polars as pl
from sqlalchemy import func, select

from benefit.domain.access import Actor
from benefit.domain.errors import RefusedByRule, WrongUse
from benefit.domain.letter import (
    ADDRESS_CHANGE_NOTICE,
    CHILD_CLAIM_FORM,
    CLAIM_FORM,
    CORRECTION_LETTER,
    HEIR_FORM,
    LETTER_KINDS,
)
from benefit.domain.programme import Programme
from benefit.services import restricted_queue
from benefit.services.gate import people, stand
from benefit.services.home import Home
from benefit.services.notices_due import DEAD, UNKNOWN_ADDRESS
from benefit.store import ward
from benefit.store.engine import reading

SINGLE_KINDS = (CLAIM_FORM, CHILD_CLAIM_FORM, HEIR_FORM, ADDRESS_CHANGE_NOTICE, CORRECTION_LETTER)
#: 相続人の届出の期限までの日数（戸籍をそろえる時間。決定 0029）。
HEIR_DAYS = 60


@dataclass(frozen=True)
class Recipient:
    """台帳にいない宛先（相続人）。郵便番号は 7 桁。"""

    name: str
    postal_code: str
    address: str
    address2: str = ""


def choose(
    home: Home,
    programme: Programme,
    kind: str,
    case_number: str,
    today: date,
    *,
    actor: Actor,
    to: Recipient | None = None,
) -> dict[str, Any]:
    """一通の相手の行: entitlement_id、case_number、branch、benefit、route、account_flag、ward_only、place、occasion、

    due_on（ない種類では None）、payee_name（受給者の名）と宛先（postal_code、address、address2、addressee。
    代理人も相続人もなければ addressee は空）。
    断り: 種類、ない番号（区直轄の人も同じ文）、亡くなった人（相続人届出書では、亡くなっていない人）、宛先。
    """
    if kind not in SINGLE_KINDS:
        names = "、".join(f"{LETTER_KINDS[one].number} {one}" for one in SINGLE_KINDS)
        raise WrongUse("この種類の手紙は、一通ずつは作れません", code="single-kind", found=kind, allowed=names)
    if (to is None) == (kind == HEIR_FORM):
        raise WrongUse("宛先を打つのは、相続人届出書だけです（ほかは台帳の宛先へ送ります）", code="recipient")
    standing = stand(home, programme, today)
    with reading(home.ward) as connection:
        member = restricted_queue.is_member(connection, actor)
    # いまの判定にない権利（亡くなった人など）の経路は、登録のもの。
    hidden = pl.col("ward_only") | (pl.coalesce("route_now", "route") == "WARD")
    found = (
        standing.entitlements.filter((pl.col("case_number") == case_number) & (pl.lit(value=member) | ~hidden))
        .with_columns(hidden=hidden)
        .join(people(standing.inputs), left_on="payee_number", right_on="person_number", how="left")
        .to_dicts()
    )
    if not found:
        raise WrongUse("この給付管理番号は、支給対象者データベースにありません", found=f"{len(case_number)} 文字")
    row = found[0]
    _refuse(kind, row, to)
    kept = {name: row[name] for name in ("case_number", "branch", "benefit", "route", "ward_only")}
    shown = {name: row[name] or "" for name in ("postal_code", "address", "address2")}
    # 法定代理人がなければ空（宛先の指紋を、ほかの手紙と同じ決まりにするため）。
    addressee = row["addressee"]
    if to is not None:
        shown, addressee = {name: asdict(to)[name] for name in shown}, to.name
    return {
        **kept,
        **shown,
        "entitlement_id": row["id"],
        "account_flag": row["flag"],
        "payee_name": row["name"],
        "addressee": addressee,
        "place": "ward" if row["hidden"] else "office",
        "occasion": _occasion(home, row["id"], kind),
        "due_on": due_on(programme, kind, today),
    }


def due_on(programme: Programme, kind: str, today: date) -> date | None:
    """手紙に書く期限。申請書は申請期限（過ぎていれば断る）、相続人の届出は HEIR_DAYS 日の後。"""
    if kind == HEIR_FORM:
        return today + timedelta(days=HEIR_DAYS)
    if kind not in (CLAIM_FORM, CHILD_CLAIM_FORM):
        return None
    if programme.schedule.apply_deadline < today:
        raise RefusedByRule("申請期限を過ぎているので、申請書は送れません", code="deadline")
    return programme.schedule.apply_deadline


def _refuse(kind: str, row: dict[str, Any], to: Recipient | None) -> None:
    if kind == HEIR_FORM and not row["payee_dead"]:
        raise RefusedByRule("受給者が亡くなったことが台帳にないので、相続人届出書は作れません", code="alive")
    if kind != HEIR_FORM and row["payee_dead"]:
        raise RefusedByRule(DEAD, code="dead")
    if kind == ADDRESS_CHANGE_NOTICE and not row["addressee"]:
        raise RefusedByRule("法定代理人の送付先が、まだ台帳にありません（claim で受理する）", code="no-guardian")
    if to is None and not (row["name"] and row["address"]):
        raise RefusedByRule(UNKNOWN_ADDRESS, code="no-address")


def _occasion(home: Home, entitlement_id: int, kind: str) -> str:
    """同じ種類の何通目か。二人が同時に作れば、台帳の一意の制約が一通にする。"""
    letter = ward.letter
    query = select(func.count()).where(letter.c.entitlement_id == entitlement_id, letter.c.kind == kind)
    with reading(home.ward) as connection:
        return str(connection.execute(query).scalar_one() + 1)
