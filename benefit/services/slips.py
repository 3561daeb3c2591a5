"""納付書を出す: 調定の残りに、再発行区分・確認番号の付いた納付書を一枚ずつ。出した納付書は台帳に残る。

同じ額・同じ期限で出し直すと、同じ納付書になる（刷り直し）。額か期限が変われば、再発行区分を一つ進めた新しい納付書で、
前の納付書で届いた入金は `slip_told` が「前の納付書」と言う。鍵（バーコード、納付番号）は、出した時に調定に結ぶ。
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
from sqlalchemy import Connection

from benefit.domain.access import Actor
from benefit.domain.clock import Clock, tokyo_date
from benefit.domain.errors import RefusedByRule, WrongUse
from benefit.records import payment_slip as slip_codes
from benefit.records.slip_issuer import SlipIssuer, free_space, payment_slip_of
from benefit.services import slip_issuers, two_people
from benefit.services.collection_repayments import SUBJECT as REPAYMENT_SUBJECT
from benefit.services.collections import settle
from benefit.services.files import sha256_of
from benefit.services.home import Home
from benefit.store import audit, ward
from benefit.store import slip_queries as queries
from benefit.store.bulk import insert_one, insert_rows
from benefit.store.engine import in_turn

#: 再発行区分は一桁。これを超えたら、新しい通知書番号の調定にする。
REISSUE_MAX = 9
#: 記録に宛名番号を残す、一回の納付書の数。
MOST_NAMED = 20


@dataclass(frozen=True)
class Issued:
    """出した結果。slips: `notice_data.ROWS` の列（宛名を除く）と調定の番号・宛名番号。refused: 調定の番号 → わけ。"""

    slips: tuple[dict[str, Any], ...]
    refused: Mapping[int, str]
    new: int


def _drawn() -> str:
    return f"{secrets.randbelow(10**6):06d}"


def issue(
    home: Home,
    receivables: Sequence[int],
    *,
    payable_until: date,
    actor: Actor,
    clock: Clock,
    reason: str,
    issuer: str = slip_issuers.DEFAULT,
    amount_yen: int | None = None,
    draw: Callable[[], str] = _drawn,
) -> Issued:
    """調定の残りの納付書を出す。速報で届いた分も、納めたものとして引く（行き違いの納付書を出さない）。

    amount_yen: 一件だけのとき、残りの一部（分納）。draw: 確認番号の 6 桁の乱数。
    断り: 期限が過ぎている、ない調定、一部の額が残りより多い。出せない調定は、わけを添えて `refused` に。
    """
    two_people.need_clerk(actor)
    now = clock()
    if payable_until < tokyo_date(now):
        raise RefusedByRule("納付書の有効期限が過ぎています", code="slip-expired", found=str(payable_until))
    if amount_yen is not None and len(receivables) != 1:
        raise WrongUse("額を決めて出せるのは、一件の調定だけです", code="slip-amount")
    values = slip_issuers.load(home, issuer)
    wanted = pl.DataFrame({"id": sorted(set(receivables))}, schema={"id": pl.Int64})
    with home.ward.begin() as connection:
        in_turn(connection, "collections")
        rows = queries.standing(connection, wanted)
        if rows.height != wanted.height:
            missing = wanted.join(rows, on="id", how="anti")["id"][0]
            raise WrongUse("その番号の調定はありません", code="no-receivable", found=str(missing))
        before, numbers = queries.newest(connection), queries.payment_numbers(connection)
        slips, refused, new = [], {}, []
        for row in rows.iter_rows(named=True):
            why = _why_not(row, values, amount_yen)
            old = before.get(row["id"])
            one = None if why else _slip(row, old, numbers.get(row["id"]), payable_until, amount_yen, draw)
            if one is None:
                refused[row["id"]] = (
                    why or f"再発行が {REISSUE_MAX} 回を超えます（新しい通知書番号の調定にしてください）"
                )
                continue
            slips.append(one)
            if one["id"] is None:
                one["id"] = _store(connection, one, values, issuer, actor, now)
                new.append(one)
        _bind(connection, new, values)
        settle(connection, [one["receivable_id"] for one in new], now)
        audit.record(
            connection,
            ward.audit_log,
            at=now,
            actor=actor,
            action="slip.issue",
            subject=str(receivables[0]) if len(receivables) == 1 else "",
            reason=reason,
            detail={
                "slips": [one["id"] for one in slips[:100]],
                "rows": len(slips),
                "new": len(new),
                "refused": len(refused),
                "people": _people_of(slips),
            },
        )
    return Issued(tuple(slips), refused, len(new))


def _people_of(slips: Sequence[Mapping[str, Any]]) -> list[str]:
    """「誰が私の記録を見たか」に答える番号。まとめて刷る回は、見たとは言わない（数だけを残す）。"""
    people = {one["person_number"] for one in slips if one["person_number"]}
    return sorted(people) if len(people) <= MOST_NAMED else []


def _why_not(row: Mapping[str, Any], issuer: SlipIssuer, amount_yen: int | None) -> str:
    """納付書を出せないわけ。出せれば空。"""
    left = row["principal_yen"] + row["late_charge_yen"] - row["paid_yen"]
    if row["origin"] == "返還" or row["subject"] == REPAYMENT_SUBJECT:
        return "給付金の返還の納付書は、返還の請求から作ります（benefit repayment letters）"
    if left <= 0:
        return "もう納付されています（速報を含む）"
    if row["debits_waiting"]:
        return "口座振替を請求して、結果を待っています（二重に納められるので、結果の後に出してください）"
    if amount_yen is not None and not 1 <= amount_yen <= left:
        return f"額が残りの範囲にありません（残り {left:,} 円）"
    if row["subject"] not in issuer.subjects:
        return "課のファイルにない科目です"
    try:
        free_space(row["subject"], row["fiscal_year"], row["term"], row["notice_number"])
    except WrongUse:
        return "通知書番号がバーコードに入りません（12 桁まで）"
    return ""


def _slip(
    row: Mapping[str, Any],
    old: Mapping[str, Any] | None,
    payment_number: str | None,
    payable_until: date,
    amount_yen: int | None,
    draw: Callable[[], str],
) -> dict[str, Any] | None:
    """一枚の値。前の納付書と額も期限も同じなら、その納付書（id がある）。再発行が尽きたら None。"""
    left = row["principal_yen"] + row["late_charge_yen"] - row["paid_yen"]
    late = min(row["late_charge_yen"], left)
    amount = left if amount_yen is None else amount_yen
    # 一部だけ納めるときは、元の額から先に納める。
    late = max(0, amount - (left - late))
    until = max(payable_until, row["due_on"])
    same = {"principal_yen": amount - late, "late_charge_yen": late, "due_on": row["due_on"], "payable_until": until}
    kept = old is not None and all(old[name] == value for name, value in same.items())
    reissue = 0 if old is None else old["reissue"] + (not kept)
    if reissue > REISSUE_MAX:
        return None
    return {
        "id": old["id"] if old is not None and kept else None,
        "receivable_id": row["id"],
        "person_number": row["person_number"],
        "notice_number": row["notice_number"],
        "subject": row["subject"],
        "fiscal_year": row["fiscal_year"],
        "term": row["term"],
        "amount_yen": same["principal_yen"],
        "late_charge_yen": late,
        "due_on": row["due_on"],
        "payable_until": until,
        "reissue": reissue,
        "payment_number": old["payment_number"] if old is not None else payment_number or _own_number(row),
        "confirmation_number": old["confirmation_number"] if old is not None and kept else draw(),
    }


def _own_number(row: Mapping[str, Any]) -> str:
    """納付番号: 科目 3、年度 2、期別 2、調定の番号 11。"""
    return f"{row['subject']}{row['fiscal_year'] % 100:02d}{row['term']:02d}{row['id']:011d}"


def _store(
    connection: Connection, slip: Mapping[str, Any], issuer: SlipIssuer, issuer_id: str, actor: Actor, now: datetime
) -> int:
    made = slip_codes.codes(payment_slip_of(slip, issuer), today=tokyo_date(now), limit_yen=issuer.limit_yen)
    printed = "|".join((made.barcode, made.ocr_upper, made.ocr_lower, made.el_qr, *(v for _, v in made.inquiry_key)))
    return insert_one(
        connection,
        ward.payment_slip,
        receivable_id=slip["receivable_id"],
        reissue=slip["reissue"],
        principal_yen=slip["amount_yen"],
        late_charge_yen=slip["late_charge_yen"],
        due_on=slip["due_on"],
        payable_until=slip["payable_until"],
        issuer=issuer_id,
        payment_number=slip["payment_number"],
        confirmation_number=slip["confirmation_number"],
        codes_sha256=sha256_of(printed.encode()),
        issued_by=actor.id,
        issued_at=now,
    )


def _bind(connection: Connection, slips: Sequence[Mapping[str, Any]], issuer: SlipIssuer) -> None:
    """納付書の鍵を調定に結ぶ。もう別の調定のものなら断る。"""
    wanted: dict[str, int] = {}
    for one in slips:
        free = free_space(one["subject"], one["fiscal_year"], one["term"], one["notice_number"])
        for key in (f"CVS:{issuer.maker_code}{free}", f"MPN:{one['payment_number']}"):
            if wanted.setdefault(key, one["receivable_id"]) != one["receivable_id"]:
                raise RefusedByRule("二つの調定の納付書が、同じ番号になります", code="key-bound")
    keys = pl.DataFrame(list(wanted.items()), schema={"pay_key": pl.String, "receivable_id": pl.Int64}, orient="row")
    known = queries.bound(connection, keys)
    wrong = [key for key, owner in known.items() if wanted[key] != owner]
    if wrong:
        raise RefusedByRule(f"{len(wrong)} 件の納付書の番号が、別の調定のものです", code="key-bound")
    rows = [(key, owner) for key, owner in wanted.items() if key not in known]
    insert_rows(connection, ward.receivable_key, ("pay_key", "receivable_id"), rows)


def _issued_on(row: Mapping[str, Any]) -> date:
    at: datetime = row["issued_at"]
    return tokyo_date(at.replace(tzinfo=at.tzinfo or UTC))


def slip_told(slips: Sequence[Mapping[str, Any]], amount_yen: int, paid_on: date) -> str:
    """この入金は、どの納付書のものか（`ward.payment_slip` の行から）。納付書を出していなければ空。

    入金の知らせに再発行区分は残らないので、額と日で決める: 払った日までに出した、同じ額の、いちばん新しい納付書。
    """
    given = sorted((row for row in slips if _issued_on(row) <= paid_on), key=lambda row: row["reissue"])
    same = [row for row in given if row["principal_yen"] + row["late_charge_yen"] == amount_yen]
    if not same:
        return "出した納付書のどれとも額が違います" if given else ""
    one = same[-1]
    name = f"{one['reissue'] + 1} 枚目の納付書"
    late = "、有効期限の後" if paid_on > one["payable_until"] else ""
    return f"{name}（前の納付書{late}）" if one is not given[-1] else f"{name}{late and '（有効期限の後）'}"
