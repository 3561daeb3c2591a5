"""手紙を出す相手を決め、出した手紙とロットを登録する。紙にするのは letters。

PUSH には支給のお知らせ、CONFIRM には確認書。区が直接扱う人（WARD）の手紙は、区の中の別のロットになる。
同じ番号・枝番・種類の手紙は一通だけ。もう一度実行しても、増えない。
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import polars as pl
from sqlalchemy import Connection, select

from benefit.domain.access import BATCH
from benefit.domain.clock import Clock
from benefit.domain.errors import RefusedByRule
from benefit.domain.letter import CONFIRMATION_LETTER, FIRST_KINDS, PUSH_NOTICE, address_digest
from benefit.domain.programme import Programme
from benefit.services.claims_payment import claim_accounts
from benefit.services.gate import Standing, chosen_accounts, people, stand
from benefit.services.home import Home
from benefit.services.mailing_again import with_again
from benefit.store import audit, ward
from benefit.store.bulk import insert_one
from benefit.store.engine import in_turn, reading


@dataclass(frozen=True)
class Mailing:
    """手紙の相手: 一行一通。`closed` は関門で止めた権利とその理由。"""

    letters: pl.DataFrame
    closed: pl.DataFrame
    already: int


def due_on(programme: Programme, kind: str, issued_on: date) -> date:
    """お知らせは辞退・口座変更の期限（発送日 + push_window_days）、確認書は返送期限（申請期限）。"""
    if kind == PUSH_NOTICE:
        return issued_on + timedelta(days=programme.schedule.push_window_days)
    return programme.schedule.apply_deadline


def who_gets_letters(home: Home, programme: Programme, issued_on: date) -> Mailing:
    """まだ手紙のない権利のうち、関門を通るもの。

    列: entitlement_id、case_number、branch、kind、place（printer / ward / braille）、benefit、amount_yen、
    account_flag、due_on、again（出し直し）、child_name（子への加算だけ）、braille（点字の人か）と、`gate.people` の列、
    過去の口座の五列。
    """
    standing: Standing = stand(home, programme, issued_on)
    table = ward.letter
    with reading(home.ward) as connection:
        made = connection.execute(
            select(table.c.entitlement_id, table.c.branch).where(table.c.kind.in_(FIRST_KINDS))
        ).all()
    # 枝番が進んだ権利（出し直し）の手紙は、まだない。
    known_letters = pl.DataFrame(
        [tuple(row) for row in made], schema={"id": pl.Int64, "branch": pl.Int64}, orient="row"
    ).with_columns(made=pl.lit(value=True))
    entitlements = standing.entitlements.join(
        known_letters.unique(["id", "branch"]), on=["id", "branch"], how="left"
    ).with_columns(pl.col("made").fill_null(value=False))
    # 申請書で口座まで届いている権利（避難者・相続人）に、手紙は要らない。住民記録の住所へ出してはならない人もいる。
    by_claim = claim_accounts(standing.inputs, standing.decisions)
    waiting = entitlements.filter(~pl.col("made")).join(by_claim, on="slot", how="anti")
    through = waiting.filter("open")
    with reading(home.ward) as connection:
        letters = with_again(connection, letter_rows(standing, programme, through, issued_on), programme, issued_on)
    # 名も住所も分からない人には送れない。名簿に残して、職員が送付先を登録する。
    unknown = letters.filter(pl.col("name").is_null() | pl.col("address").is_null())
    closed = pl.concat(
        [
            waiting.filter(~pl.col("open")).select("case_number", why="why_closed"),
            unknown.select("case_number", why=pl.lit("送付先が分からない（addresses.csv に登録する）")),
        ]
    ).sort("case_number")
    letters = letters.join(unknown, on="case_number", how="anti")
    return Mailing(letters.sort("case_number"), closed, int(entitlements["made"].sum()))


def letter_rows(standing: Standing, programme: Programme, chosen: pl.DataFrame, issued_on: date) -> pl.DataFrame:
    """`chosen`（standing.entitlements の一部）の、いまの手紙の行。名も住所も分からない人の欄は null のまま。"""
    # 口座が分かり、名義が合う人にはお知らせ、ほかの人には確認書。区が直接扱う人も同じで、刷る所だけが違う。
    known = pl.col("agrees_now").fill_null(value=False) & (pl.col("flag") != "0")
    past = chosen_accounts(standing).filter(pl.col("account_flag") == "2").drop("account_flag")
    # 住民でなくなった記録（転出など）が加われば、紙の宛先は古い。
    gone = standing.inputs.facts.residents.select(
        "person_number", removed=pl.concat_str(pl.col("removed_on").cast(pl.String), "removed_reason")
    )
    children = standing.inputs.facts.residents.select("person_number", child_name="name")
    readers = standing.inputs.facts.braille["person_number"]
    for_children = [name for name, kind in programme.slot_kinds.items() if kind == "CHILD"]
    return (
        chosen.with_columns(
            route_now=pl.when("ward_only").then(pl.lit("WARD")).otherwise(pl.col("route_now")),
            kind=pl.when(known).then(pl.lit(PUSH_NOTICE)).otherwise(pl.lit(CONFIRMATION_LETTER)),
        )
        .select(
            "case_number",
            "branch",
            "benefit",
            "amount_yen",
            "payee_number",
            "subject_number",
            "kind",
            account_flag="flag",
            entitlement_id="id",
            route="route_now",
            due_on=pl.when(pl.col("kind") == PUSH_NOTICE)
            .then(pl.lit(due_on(programme, PUSH_NOTICE, issued_on)))
            .otherwise(pl.lit(due_on(programme, CONFIRMATION_LETTER, issued_on))),
        )
        .join(people(standing.inputs), left_on="payee_number", right_on="person_number", how="left")
        .join(past, left_on="payee_number", right_on="person_number", how="left")
        .join(gone, left_on="payee_number", right_on="person_number", how="left")
        .join(children, left_on="subject_number", right_on="person_number", how="left")
        .with_columns(
            braille=pl.col("payee_number").is_in(readers.implode()),
            # 子への加算だけが、子の名を持つ（区の中で刷る紙のため）。
            child_name=pl.when(pl.col("benefit").is_in(for_children)).then("child_name"),
        )
        .with_columns(
            place=pl.when(pl.col("route") == "WARD")
            .then(pl.lit("ward"))
            .when("braille")
            .then(pl.lit("braille"))
            .otherwise(pl.lit("printer"))
        )
    )


#: 紙に刷った事柄（と、宛先が古くなったしるし）。どれかが変われば、その紙は出せない。
PRINTED = (
    "kind",
    "benefit",
    "amount_yen",
    "payee_number",
    "account_flag",
    "postal_code",
    "address",
    "address2",
    "addressee",
    "name",
    "removed",
    "bank_code",
    "branch_code",
    "account_type",
    "account_number",
)
_PAST_ACCOUNT = PRINTED[-4:]


def printed_digests(rows: pl.DataFrame) -> list[str]:
    """手紙の行ごとの、紙に刷った事柄の指紋。過去の口座は、それを使う人の分だけを数える。"""
    shown = rows.select(
        pl.when(pl.col("account_flag") == "2").then(pl.col(name)).alias(name) if name in _PAST_ACCOUNT else pl.col(name)
        for name in PRINTED
    ).select(text=pl.concat_str(pl.all().cast(pl.String).fill_null("\u2400"), separator="\u241f"))
    return [hashlib.sha256(text.encode()).hexdigest() for text in shown["text"]]


def refuse_changed(home: Home, programme: Programme, mailing: Mailing, issued_on: date) -> None:
    """紙を組んでいる間に、誰かの保護の印・死亡・住所・登録が変わっていたら断る。四万通は、何分もかかる。"""
    now = who_gets_letters(home, programme, issued_on).letters
    stale = mailing.letters.join(now, on=mailing.letters.columns, how="anti", nulls_equal=True)
    if stale.height:
        raise _changed(stale.height)


def _changed(count: int) -> RefusedByRule:
    return RefusedByRule(
        f"手紙を組んでいる間に、{count} 件の事実か登録が変わりました。組んだ手紙は捨てました。もう一度実行してください",
        code="changed-meanwhile",
    )


def _refuse_moved(connection: Connection, mailing: Mailing, numbers: set[str]) -> None:
    """登録する時に、権利がまだ組んだ時のままか、同じ枝番の手紙がまだないかを見る。"""
    table, letter = ward.entitlement, ward.letter
    made = select(letter.c.entitlement_id, letter.c.branch).where(letter.c.kind.in_(FIRST_KINDS))
    names = ("case_number", "branch", "benefit", "amount_yen", "payee_number")
    known = {tuple(row) for row in connection.execute(made)}
    now = {
        row.case_number: tuple(row)[1:]
        for row in connection.execute(select(table.c.id, *(table.c[name] for name in names)))
    }
    moved = sum(
        now.get(row["case_number"]) != tuple(row[name] for name in names)
        or (row["entitlement_id"], row["branch"]) in known
        for row in mailing.letters.iter_rows(named=True)
        if row["case_number"] in numbers
    )
    if moved:
        raise _changed(moved)


@dataclass(frozen=True)
class MadeLot:
    """刷った一つのロット。`case_numbers` はその順（額の頁のロットでは空）。`folder` は組のフォルダの名。"""

    place: str
    kind: str
    file_name: str
    sha256: str
    case_numbers: Sequence[str]
    folder: str = ""
    pages: int = 0

    @property
    def letter_count(self) -> int:
        """通数（額の頁のロットでは、頁の数）。"""
        return self.pages or len(self.case_numbers)


def register_lots(
    home: Home,
    mailing: Mailing,
    lots: Sequence[MadeLot],
    held: dict[str, str],
    *,
    issued_on: date,
    clock: Clock,
) -> None:
    """刷ったロットと、止めた手紙を登録する。一つのトランザクションで、全部か無し。"""
    rows = {row["case_number"]: row for row in mailing.letters.iter_rows(named=True)}
    digests = dict(zip(mailing.letters["case_number"], printed_digests(mailing.letters), strict=True))
    with home.ward.begin() as connection:
        # 承認（知らせていない権利を合わせる）と、もう一つの letters make との順番を決める。
        in_turn(connection, "entitlements")
        _refuse_moved(connection, mailing, {*held, *(number for made in lots for number in made.case_numbers)})
        for made in lots:
            lot_id = insert_one(
                connection,
                ward.lot,
                kind=made.kind,
                place=made.place,
                file_name=made.file_name,
                sha256=made.sha256,
                letter_count=made.letter_count,
                made_at=clock(),
            )
            connection.execute(ward.lot_run.insert().values(lot_id=lot_id, folder=made.folder))
            if made.case_numbers:
                connection.execute(
                    ward.letter.insert(),
                    [_letter(rows[number], issued_on, lot_id=lot_id) for number in made.case_numbers],
                )
                _note_printed(connection, lot_id, digests)
        if held:
            connection.execute(
                ward.letter.insert(),
                [_letter(rows[number], issued_on, held=why) for number, why in held.items()],
            )
        if lots or held:
            audit.record(
                connection,
                ward.audit_log,
                at=clock(),
                actor=BATCH,
                action="letters.make",
                detail={"lots": len(lots), "letters": sum(len(m.case_numbers) for m in lots), "held": len(held)},
            )


def _note_printed(connection: Connection, lot_id: int, digests: dict[str, str]) -> None:
    """刷った中身の指紋を、付いた手紙の番号に結ぶ。"""
    letter, entitlement = ward.letter, ward.entitlement
    query = (
        select(letter.c.id, entitlement.c.case_number)
        .join(entitlement, entitlement.c.id == letter.c.entitlement_id)
        .where(letter.c.lot_id == lot_id)
    )
    rows: Iterator[dict[str, Any]] = (
        {"letter_id": row.id, "digest": digests[row.case_number]} for row in connection.execute(query)
    )
    connection.execute(ward.letter_printed.insert(), list(rows))


def _letter(
    row: dict[str, Any], issued_on: date, *, lot_id: int | None = None, held: str | None = None
) -> dict[str, Any]:
    return {
        "entitlement_id": row["entitlement_id"],
        "branch": row["branch"],
        "kind": row["kind"],
        "lot_id": lot_id,
        "held_reason": held,
        "route": row["route"],
        "account_flag": row["account_flag"],
        "address_digest": address_digest(row["postal_code"], row["address"], row["address2"], row["addressee"]),
        "issued_on": issued_on,
        "due_on": row["due_on"],
    }
