"""支給判定が見る行: 支給予定情報の行に、支給権利、いまの事実、使う口座を揃える。台帳の事実は `ledger_facts` が足す。"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl
from sqlalchemy import Select, select

from benefit.domain.letter import PUSH_NOTICE
from benefit.domain.programme import Programme
from benefit.records.bank_master import BankMaster
from benefit.services import judgment_people
from benefit.services.claims_payment import claim_accounts
from benefit.services.failure_accounts import new_accounts
from benefit.services.gate import Standing, people, stand
from benefit.services.home import Home
from benefit.services.judgment_accounts import with_accounts
from benefit.services.judgment_vanished import WARD_FILE
from benefit.services.mailing_sent import sent
from benefit.services.replies_standing import replied_since, standing_replies
from benefit.services.transfer_lines import ACCOUNT, superseded
from benefit.store import ward
from benefit.store.engine import reading

#: 返事が行に入れる列。
_REPLIED = (*ACCOUNT, "received_on", "reviewed_on")


def ward_rows(home: Home, programme: Programme, today: date) -> pl.DataFrame:
    """区が直接扱う人のうち、いま払える権利の行: お知らせの辞退期限が過ぎ、まだ判定していないもの。

    申請書で口座まで届いている権利（避難者・相続人）は、受理した時から払える。確認書の返送が要る人（口座が分からない人）は、
    区の職員二人が確認書の口座を入れた時から払える（replies_ward）。辞退と返戻の人の行は作らない。
    """
    standing = stand(home, programme, today)
    with reading(home.ward) as connection:
        corrected = new_accounts(connection)
        replies = standing_replies(connection)
        judged = set(connection.execute(_judged_already()).scalars()) - set(corrected["id"])
        judged -= replied_since(connection, replies)
        letter, entitlement = ward.letter, ward.entitlement
        noticed = set(
            connection.execute(
                select(letter.c.entitlement_id)
                .join(entitlement, entitlement.c.id == letter.c.entitlement_id)
                .where(
                    letter.c.branch == entitlement.c.branch,
                    letter.c.kind == PUSH_NOTICE,
                    letter.c.due_on < today,
                    sent(),
                )
            ).scalars()
        )
    known = people(standing.inputs).select("person_number", "kana_name", "birth")
    by_claim = claim_accounts(standing.inputs, standing.decisions)
    waiting = standing.entitlements.filter(
        pl.col("open") & pl.col("ward_only") & ~pl.col("id").is_in(list(judged))
    ).join(by_claim, on="slot", how="left")
    refusing = replies.filter(pl.col("reply") != "確認書")["entitlement_id"]
    answered = replies.filter(pl.col("reply") == "確認書").select(*_REPLIED, id="entitlement_id")
    waiting = waiting.filter(~pl.col("id").is_in(refusing.implode()))
    waiting = waiting.update(answered.with_columns(pl.col("id").cast(waiting.schema["id"])), on="id", how="left")
    waiting = waiting.update(corrected.with_columns(pl.col("id").cast(waiting.schema["id"])), on="id", how="left")
    claimed = pl.col("account_number").is_not_null()
    rows = (
        waiting.filter(claimed | ((pl.col("flag") != "0") & pl.col("id").is_in(list(noticed))))
        .with_columns(flag=pl.when(claimed).then(pl.lit("0")).otherwise("flag"))
        .join(known, left_on="payee_number", right_on="person_number", how="left")
        .sort("case_number")
    )
    return rows.select(
        line_number=pl.int_range(1, pl.len() + 1, dtype=pl.Int64),
        case_number="case_number",
        branch="branch",
        person_number="payee_number",
        kana_name="kana_name",
        birth="birth",
        planned_yen="amount_yen",
        account_flag="flag",
        **{name: pl.col(name) for name in ACCOUNT},
        received_on="received_on",
        reviewed_on="reviewed_on",
        from_ward=pl.lit(value=True),
    )


def _judged_already() -> Select[tuple[int]]:
    """区の行として判定したか、支給可の判定が出た権利。

    委託先の行が払えないと判定された後に、区が直接扱うことになった人（CHK56）は、ここに入らず、区の行として払える。
    出し直した権利も、新しい手紙の後に、もう一度判定する。
    """
    verdict, file = ward.verdict, ward.planned_file
    by_ward = file.c.file_number.startswith(WARD_FILE, autoescape=True)
    return (
        select(verdict.c.entitlement_id)
        .join(file, file.c.id == verdict.c.planned_file_id)
        .where(verdict.c.entitlement_id.is_not(None), by_ward | (verdict.c.verdict == "支給可"), ~superseded())
    )


@dataclass(frozen=True)
class Prepared:
    """台帳の事実を足す前の行。

    rows: 一行に一つ。overlaps: 人の重なるほかの権利（`judgment_people`）。known: 人ごとの読みと生年月日。
    """

    rows: pl.DataFrame
    overlaps: pl.DataFrame
    known: pl.DataFrame


def prepare(
    standing: Standing,
    rows: pl.DataFrame,
    today: date,
    bank_master: BankMaster,
    fingerprint: str,
    counted: pl.DataFrame | None = None,
) -> Prepared:
    """検査が見る列を揃える: 支給権利、受給者、いまの判定、使う口座、人の重なり。

    counted: 前に支給可と判定した時、その権利に数えた人（`judgment_past`）。
    """
    known = people(standing.inputs).select("person_number", payee_kana="kana_name", payee_birth="birth")
    office = pl.col("removed_reason") == "職権"
    moved = standing.inputs.facts.residents.filter(
        pl.col("removed_reason").is_in(["転出", "国外転出", "職権"]) & (pl.col("removed_on") <= today)
    ).select(payee_number="person_number", moved_out=~office, removed_by_office=office)
    entitlements = standing.entitlements.select(
        "case_number",
        "benefit",
        "slot_kind",
        "subject_number",
        "household_number",
        "payee_number",
        "amount_yen",
        "eligible_now",
        "payee_now",
        "amount_now_yen",
        "payee_dead",
        "ward_only",
        "valid",
        "verdict_now",
        "reasons_now",
        "route_now",
        entitlement_id="id",
        branch_now="branch",
        account_flag_now="flag",
    )
    parents = (
        standing.entitlements.filter((pl.col("slot_kind") == "HH100K") & pl.col("household_number").is_not_null())
        .select("household_number", parent_id="id")
        .unique("household_number", keep="last", maintain_order=True)
    )
    joined = (
        rows.join(entitlements, on="case_number", how="left", maintain_order="left")
        .join(known, left_on="payee_number", right_on="person_number", how="left", maintain_order="left")
        .join(moved, on="payee_number", how="left", maintain_order="left")
        .join(parents, on="household_number", how="left", maintain_order="left")
        .with_columns(
            account_sent=pl.any_horizontal([pl.col(name).is_not_null() for name in ACCOUNT]),
            moved_out=pl.col("moved_out").fill_null(value=False),
            removed_by_office=pl.col("removed_by_office").fill_null(value=False),
            **{c: pl.col(c).fill_null(value=False) for c in ("eligible_now", "payee_dead", "ward_only", "valid")},
        )
    )
    joined = judgment_people.with_payees(with_accounts(joined, standing, bank_master), standing, today)
    joined = joined.with_columns(
        pl.col("entitlement_id").cast(pl.Int64), judged_on=pl.lit(today), sampled=sampled(fingerprint)
    )
    overlaps = judgment_people.overlaps(standing, joined, counted)
    open_ = standing.entitlements.select(other_id="id", other_open="eligible_now")
    return Prepared(joined, overlaps.join(open_, on="other_id", how="left", maintain_order="left"), known)


def sampled(fingerprint: str) -> pl.Expr:
    """CHK95: ファイルの指紋と給付管理番号から選ぶ、百件に一件。申し出る側には選べない。"""
    number = pl.col("case_number").str.slice(0, 10).cast(pl.Int64, strict=False)
    seed = int(fingerprint[:8], 16)
    return ((number % 1_000_003 * (seed % 999_983 + 1) + seed) % 1_000_003 % 100 == 0).fill_null(value=False)
