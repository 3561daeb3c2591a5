"""印刷の再委託先に渡す行と、その日の関門。外へ出してよい組だけを、渡してよい六つの列にする。

手紙の関門（mailing_release）が一通でも止めれば、包みは作れず、作った包みも出庫できない。区が直接扱う人の手紙は、
区の中の組（place = ward）にあり、ここには初めから来ない。
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import date

import polars as pl
from sqlalchemy import Connection, select

from benefit.domain.errors import RefusedByRule
from benefit.domain.letter import PUSH_NOTICE
from benefit.domain.programme import Programme
from benefit.records.bank_master import BankMaster
from benefit.services import bank_master
from benefit.services.gate import stand
from benefit.services.home import Home
from benefit.services.mailing import letter_rows
from benefit.services.mailing_lots import LotState, chosen_lots, letters_in, require_released
from benefit.services.mailing_release import refuse_if_stale, refuse_stale
from benefit.store import ward
from benefit.store.engine import reading

_ACCOUNT_TYPES = {"1": "普通", "2": "当座", "4": "貯蓄"}


def lots_by_digest(connection: Connection, digests: Sequence[str]) -> list[LotState]:
    """この指紋のファイルの組。登録のないもの、区の中で刷るもの、作り直したものは断る。"""
    lot = ward.lot
    numbers: dict[str, int] = {
        row.sha256: row.id
        for row in connection.execute(select(lot.c.id, lot.c.sha256).where(lot.c.sha256.in_(list(digests))))
    }
    if missing := sum(digest not in numbers for digest in digests):
        raise RefusedByRule("登録されていない組のファイルがあります", code="unknown-lot", found=f"{missing} 個")
    found = chosen_lots(connection, [numbers[digest] for digest in digests])
    if inside := [one.id for one in found if one.place != "printer"]:
        raise RefusedByRule(f"ロット {inside[0]} は、区の中で刷る組です。外へは渡せません", code="ward-lot")
    return found


def printer_rows(home: Home, programme: Programme, lots: Sequence[LotState], on: date) -> pl.DataFrame:
    """再委託先に渡す行（print_data の六つの列、給付管理番号の順）。`on` に出す許しのない組、止めるべき手紙は断る。"""
    numbers = [lot.id for lot in lots]
    with reading(home.ward) as connection:
        require_released(connection, numbers, on)
        letters = letters_in(connection, lots)
    if letters.filter(pl.col("programme") != programme.id).height:
        raise RefusedByRule("ほかの給付事業の手紙が入っています（--programme）", code="programme")
    refuse_if_stale(refuse_stale(home, programme, numbers, on))
    standing = stand(home, programme, on)
    chosen = standing.entitlements.join(letters.select("id"), on="id", how="semi")
    # 関門が止めているはずでも、区が直接扱う人の行は、ここでもう一度断る。
    if chosen.filter("ward_only").height:
        raise RefusedByRule("区が直接扱う人の手紙が入っています", code="ward-only")
    rows = letter_rows(standing, programme, chosen, on).join(
        letters.select("letter_kind", entitlement_id="id"), on="entitlement_id", how="inner"
    )
    if rows.height != letters.height or rows["name"].null_count() or rows["address"].null_count():
        raise RefusedByRule(
            "手紙と登録の数が合いません", code="letter-count", found=f"{rows.height} / {letters.height}"
        )
    return _project(rows, programme, bank_master.in_use(home))


def _project(rows: pl.DataFrame, programme: Programme, banks: BankMaster) -> pl.DataFrame:
    """六つの列だけに。方書は、区が「住所」に含むと確かめた事業だけ（F.2-5）。口座は、お知らせの口座フラグ 2 だけ。"""
    shows = (pl.col("account_flag") == "2") & (pl.col("letter_kind") == PUSH_NOTICE)
    address = pl.col("address")
    if programme.letters.print_address2_outside:
        address = address + pl.col("address2").fill_null("")
    return (
        rows.join(_names(rows, banks), on=["bank_code", "branch_code"], how="left")
        .select(
            "postal_code",
            "case_number",
            "account_flag",
            # 窓に出る名と同じ（法定代理人へ送る手紙では、その人の名）。
            name=pl.coalesce("addressee", "name"),
            address=address,
            past_account=pl.when(shows).then(
                pl.concat_str(
                    "bank_names",
                    pl.lit(" "),
                    pl.col("account_type").replace_strict(_ACCOUNT_TYPES, return_dtype=pl.String),
                    pl.lit(" ****"),
                    pl.col("account_number").str.slice(-3),
                )
            ),
        )
        .sort("case_number")
    )


def _names(rows: pl.DataFrame, banks: BankMaster) -> pl.DataFrame:
    """銀行と店の名（同じ店は一度だけ引く）。名が表になければ、名を書かない。"""
    pairs = rows.select("bank_code", "branch_code").drop_nulls().unique()
    names = []
    for bank_code, branch_code in pairs.iter_rows():
        found = banks.find(bank_code, branch_code)
        name = f"{found.bank_name} {found.branch_name}" if found else "登録の口座"
        names.append(unicodedata.normalize("NFKC", name))
    return pairs.with_columns(bank_names=pl.Series(names, dtype=pl.String))
