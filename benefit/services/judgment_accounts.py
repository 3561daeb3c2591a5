"""支給判定が見る口座: 区だけが持つ口座を入れ、店と番号の形、元の世帯の人の口座、名義を見る（CHK80〜CHK87）。"""

from __future__ import annotations

import polars as pl

from benefit.records.bank_master import BankMaster
from benefit.records.zengin import TransferLine, unwritable
from benefit.rules.holder_kind import not_a_person, weakly_agrees
from benefit.rules.name_agreement import agrees
from benefit.services.gate import Standing, chosen_accounts
from benefit.services.transfer_lines import ACCOUNT

#: 口座を見分ける四つ（名義は書き方が揺れる）。
ACCOUNT_NUMBER = ("bank_code", "branch_code", "account_type", "account_number")


def with_accounts(rows: pl.DataFrame, standing: Standing, bank_master: BankMaster) -> pl.DataFrame:
    """口座の列を揃える。`rows` には account_sent と、受給者・カナ氏名・口座フラグの列がある。"""
    rows = _fill_ward_accounts(rows, standing)
    rows = rows.with_columns(account_bad=_account_bad(rows, bank_master))
    rows = _mark_origin_accounts(rows, standing)
    agents = standing.inputs.facts.addresses.filter(pl.col("kind") == "法定代理人")["person_number"]
    holder, kana = pl.col("holder_kana"), pl.col("payee_kana")
    return rows.with_columns(
        holder_agrees=agrees(holder, kana),
        holder_weak=weakly_agrees(holder, kana).fill_null(value=False),
        holder_corporate=not_a_person(holder),
        guardian_on_record=pl.col("payee_number").is_in(agents.implode()).fill_null(value=False),
    )


def _account_bad(rows: pl.DataFrame, bank_master: BankMaster) -> pl.Series:
    """CHK80: 口座がない、表にない店舗、種目・番号の形、名義が全銀の字で書けない。"""
    branches = pl.DataFrame(
        list(bank_master.branches()), schema={"bank_code": pl.String, "branch_code": pl.String}, orient="row"
    ).with_columns(branch_known=pl.lit(value=True))
    seen = rows.select(ACCOUNT).join(branches, on=["bank_code", "branch_code"], how="left", maintain_order="left")
    number = pl.col("account_number")
    shaped = seen.select(
        (
            pl.col("branch_known").fill_null(value=False)
            & pl.col("account_type").is_in(["1", "2", "4"]).fill_null(value=False)
            & number.str.contains("^[0-9]{7}$").fill_null(value=False)
            & (number != "0000000").fill_null(value=False)
            & pl.col("holder_kana").is_not_null()
        ).alias("good")
    )["good"]
    good = shaped.to_list()
    positions = [position for position, fine in enumerate(good) if fine]
    lines = [
        TransferLine(bank, branch, kind, account, holder, 1)
        for bank, branch, kind, account, holder in seen.filter(shaped).select(ACCOUNT).iter_rows()
    ]
    for refused in unwritable(lines):
        good[positions[refused.number - 1]] = False
    return pl.Series("account_bad", [not fine for fine in good], dtype=pl.Boolean)


def _fill_ward_accounts(rows: pl.DataFrame, standing: Standing) -> pl.DataFrame:
    """口座フラグ 1・3 の行に、区だけが持つ口座を入れる。区の行は、どのフラグでも区が入れる（契約 §4）。"""
    own = chosen_accounts(standing).rename({name: f"{name}_own" for name in ACCOUNT})
    filled = rows.join(
        own,
        left_on=["payee_number", "account_flag_now"],
        right_on=["person_number", "account_flag"],
        how="left",
        maintain_order="left",
    )
    by_ward = pl.col("from_ward") | pl.col("account_flag_now").is_in(["1", "3"]).fill_null(value=False)
    # CHK87: 手紙に書いた過去の口座と、申し出の口座が違うか（名義の書き方の違いは CHK81 が見る）。
    differs = pl.any_horizontal([pl.col(name).ne_missing(pl.col(f"{name}_own")) for name in ACCOUNT_NUMBER])
    return (
        filled.with_columns(account_differs=differs)
        .with_columns(
            [
                pl.when(by_ward & ~pl.col("account_sent"))
                .then(pl.col(f"{name}_own"))
                .otherwise(pl.col(name))
                .alias(name)
                for name in ACCOUNT
            ]
        )
        .drop([f"{name}_own" for name in ACCOUNT])
    )


def _mark_origin_accounts(rows: pl.DataFrame, standing: Standing) -> pl.DataFrame:
    """CHK86: 使う口座が、受給者の基準日の世帯の、ほかの人の口座か。"""
    number = list(ACCOUNT_NUMBER)
    persons = standing.decisions.persons.select("person_number", home="household_number")
    theirs = (
        chosen_accounts(standing)
        .join(persons, on="person_number")
        .select("home", *number, owner="person_number")
        .unique()
    )
    hit = (
        rows.select("line_number", "payee_number", *number)
        .join(persons, left_on="payee_number", right_on="person_number")
        .join(theirs, on=["home", *number])
        .filter(pl.col("owner") != pl.col("payee_number"))
        .select("line_number", account_of_origin=pl.lit(value=True))
        .unique()
    )
    return rows.join(hit, on="line_number", how="left", maintain_order="left").with_columns(
        pl.col("account_of_origin").fill_null(value=False)
    )
