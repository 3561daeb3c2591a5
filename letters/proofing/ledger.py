"""台帳の言うこと: 組の手紙に何が刷ってあるはずか。手紙を組んだ道（services.mailing、letters.contents）は通らない。

台帳の行と、抽出データの写しを、ここで読み直す。組んだ側が取り違えていれば、食い違う。
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl
from sqlalchemy import select

from benefit.domain.programme import Programme
from benefit.services import claims_stored, extracts
from benefit.services.home import Home
from benefit.services.mailing_lots import LotState
from benefit.store import ward
from benefit.store.engine import reading


@dataclass(frozen=True)
class Expected:
    """一通に刷ってあるはずのこと（頁の順）。amount_yen と address2 は、刷ってよいときだけ。

    name は宛名。payee_name は、宛名が法定代理人のときの、受給者の氏名。
    """

    letter_id: int
    case_number: str
    branch: int
    kind: str
    postal_code: str
    address: str
    address2: str
    name: str
    benefit: str
    amount_yen: int | None
    account_digits: str
    issued_on: date
    due_on: date
    hidden: tuple[str, ...]
    payee_name: str = ""


def expected(home: Home, programme: Programme, lot: LotState) -> list[Expected]:
    """この組の、抜かれていない手紙（頁の順）。"""
    rows = _rows(home, lot)
    sources = extracts.current_sources(home, programme.levy_year)
    people = pl.DataFrame({"person_number": [row.payee_number for row in rows] + [row.subject_number for row in rows]})
    people = people.unique()
    names, guardians, places = people_of(home, programme, sources, people)
    accounts = _accounts(home, sources, people)
    inside = lot.place == "ward"
    return list(_each(rows, names, guardians, places, accounts, programme, inside=inside))


@dataclass(frozen=True)
class AmountExpected:
    """額の頁一枚に刷ってあるはずのこと。"""

    code: str
    case_number: str
    name: str
    amount_yen: int
    child_name: str


def amount_pages(home: Home, programme: Programme, codes: list[str]) -> list[AmountExpected]:
    """封入の符号の順の、額の頁。"""
    table = ward.entitlement
    with reading(home.ward) as connection:
        query = select(table).where(table.c.case_number.in_([code[:11] for code in codes]))
        rows = {row.case_number: row for row in connection.execute(query)}
    sources = extracts.current_sources(home, programme.levy_year)
    numbers = {number for row in rows.values() for number in (row.payee_number, row.subject_number)}
    people = pl.DataFrame({"person_number": sorted(numbers)}, {"person_number": pl.Int64})
    names, _, _ = people_of(home, programme, sources, people)
    return [
        AmountExpected(
            code,
            code[:11],
            names.get(row.payee_number, ""),
            row.amount_yen,
            names.get(row.subject_number, "") if row.slot_kind == "CHILD" else "",
        )
        for code in codes
        if (row := rows.get(code[:11])) is not None
    ]


def _rows(home: Home, lot: LotState) -> list[Any]:
    letter, entitlement, pull = ward.letter, ward.entitlement, ward.letter_pull
    query = (
        select(letter, entitlement)
        .join(entitlement, entitlement.c.id == letter.c.entitlement_id)
        .outerjoin(pull, pull.c.letter_id == letter.c.id)
        .where(letter.c.lot_id == lot.first_id, pull.c.letter_id.is_(None))
        .order_by(letter.c.id)
        .with_only_columns(
            letter.c.id,
            letter.c.branch,
            letter.c.kind,
            letter.c.account_flag,
            letter.c.issued_on,
            letter.c.due_on,
            entitlement.c.case_number,
            entitlement.c.benefit,
            entitlement.c.amount_yen,
            entitlement.c.payee_number,
            entitlement.c.subject_number,
        )
    )
    with reading(home.ward) as connection:
        return list(connection.execute(query))


_PLACE = ("postal_code", "address", "address2")


def people_of(
    home: Home, programme: Programme, sources: dict[str, extracts.Source], people: pl.DataFrame
) -> tuple[dict[int, str], dict[int, str], dict[int, tuple[str, str, str]]]:
    """人の番号 → 氏名、法定代理人の名、送り先。住民記録、住登外、転出先、法定代理人の順に、後のものが勝つ。"""
    residents = extracts.load(home, sources["residents"]).join(people, on="person_number", how="semi")
    names = dict(residents.select("person_number", "name").iter_rows())
    places = {row[0]: row[1:] for row in residents.select("person_number", *_PLACE).iter_rows()}
    guardians: dict[int, str] = {}
    others = _other_places(home, programme, sources).join(people, on="person_number", how="semi")
    for kind in ("住登外", "転出先", "法定代理人"):
        rows = others.filter(pl.col("kind") == kind).select("person_number", "name", *_PLACE)
        for number, name, *place in rows.iter_rows():
            if kind == "法定代理人":
                guardians[number] = name
            elif number not in names:
                names[number] = name
            # 住登外の送り先は、住民記録にない人だけのもの。
            if kind != "住登外" or number not in places:
                places[number] = tuple(place)
    shown = {number: (code or "", first or "", second or "") for number, (code, first, second) in places.items()}
    return names, guardians, shown


def _other_places(home: Home, programme: Programme, sources: dict[str, extracts.Source]) -> pl.DataFrame:
    """住民記録のほかの送り先: 送付先の抽出データと、その後に受理した申請（法定代理人、住民でない相続人）。"""
    columns = ("person_number", "kind", "name", *_PLACE)
    rows = []
    for claim in claims_stored.accepted(home, programme):
        told = [claim.content.get(name) for name in ("name", *_PLACE)]
        if claim.kind == "guardian":
            rows.append((claim.person_number, "法定代理人", *told))
        elif claim.kind == "heir" and claim.content["name"]:
            rows.append((claim.content["heir"], "住登外", *told))
    schema = {name: pl.Int64 if name == "person_number" else pl.String for name in columns}
    claimed = pl.DataFrame(rows, schema=schema, orient="row")
    if "addresses" not in sources:
        return claimed
    return pl.concat([extracts.load(home, sources["addresses"]).select(columns), claimed])


def _accounts(home: Home, sources: dict[str, extracts.Source], people: pl.DataFrame) -> dict[int, str]:
    """人の番号 → 過去の給付金の口座の、下三桁。"""
    if "accounts" not in sources:
        return {}
    frame = extracts.load(home, sources["accounts"]).join(people, on="person_number", how="semi")
    past = frame.filter(pl.col("account_kind") == "過去給付")
    return {number: account[-3:] for number, account in past.select("person_number", "account_number").iter_rows()}


def _each(
    rows: list[Any],
    names: dict[int, str],
    guardians: dict[int, str],
    places: dict[int, tuple[str, str, str]],
    accounts: dict[int, str],
    programme: Programme,
    *,
    inside: bool,
) -> Iterator[Expected]:
    terms = programme.letters
    for row in rows:
        postal_code, address, address2 = places.get(row.payee_number, ("", "", ""))
        child = programme.slot_kinds[row.benefit] == "CHILD"
        carries = inside or terms.print_amount_outside
        push = row.kind == "push_notice"
        yield Expected(
            row.id,
            row.case_number,
            row.branch,
            row.kind,
            postal_code,
            address,
            address2 if inside or terms.print_address2_outside else "",
            guardians.get(row.payee_number) or names.get(row.payee_number, ""),
            programme.benefit_names[row.benefit],
            row.amount_yen if carries else None,
            accounts.get(row.payee_number, "") if push and row.account_flag == "2" else "",
            row.issued_on,
            row.due_on,
            # 外へ出る紙に現れてはならない言葉: 刷らない方書、子の名。
            tuple(
                text
                for text in (
                    names.get(row.subject_number, "") if child else "",
                    "" if inside or terms.print_address2_outside else address2,
                )
                if len(text) > 1 and text not in address and text != names.get(row.payee_number)
            ),
            names.get(row.payee_number, "") if guardians.get(row.payee_number) else "",
        )
