"""支給判定が見る行: 支給予定情報の行に、支給権利、いまの事実、使う口座、台帳の事実を揃える。"""

from __future__ import annotations

from datetime import date

import polars as pl
from sqlalchemy import Connection, Select, select

from benefit.domain.letter import PUSH_NOTICE
from benefit.domain.programme import Programme
from benefit.domain.transfer import LIVE_STATES
from benefit.records.bank_master import BankMaster
from benefit.records.zengin import TransferLine, unwritable
from benefit.rules.name_agreement import agrees
from benefit.services.claims_payment import claim_accounts
from benefit.services.gate import Standing, chosen_accounts, people, stand
from benefit.services.holds import with_released
from benefit.services.home import Home
from benefit.services.transfer_lines import ACCOUNT, pending_verdicts, superseded
from benefit.store import ward
from benefit.store.engine import reading

#: 区の行のファイル番号の頭。
WARD_FILE = "WARD-"


def ward_rows(home: Home, programme: Programme, today: date) -> pl.DataFrame:
    """区が直接扱う人のうち、いま払える権利の行: お知らせの辞退期限が過ぎ、まだ判定していないもの。

    申請書で口座まで届いている権利（避難者・相続人）は、受理した時から払える。
    確認書の返送が要る人（口座が分からない人）の行は、区の職員が受け付けてから作る。ここには入らない。
    """
    standing = stand(home, programme, today)
    with reading(home.ward) as connection:
        judged = set(connection.execute(_judged_already()).scalars())
        letter, entitlement = ward.letter, ward.entitlement
        noticed = set(
            connection.execute(
                select(letter.c.entitlement_id)
                .join(entitlement, entitlement.c.id == letter.c.entitlement_id)
                .where(
                    letter.c.branch == entitlement.c.branch,
                    letter.c.kind == PUSH_NOTICE,
                    letter.c.due_on < today,
                    letter.c.lot_id.is_not(None),
                )
            ).scalars()
        )
    known = people(standing.inputs).select("person_number", "kana_name", "birth")
    by_claim = claim_accounts(standing.inputs, standing.decisions)
    waiting = standing.entitlements.filter(
        pl.col("open") & pl.col("ward_only") & ~pl.col("id").is_in(list(judged))
    ).join(by_claim, on="slot", how="left")
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


def prepare(standing: Standing, rows: pl.DataFrame, today: date, bank_master: BankMaster) -> pl.DataFrame:
    """検査が見る列を揃える: 支給権利、受給者、いまの判定、使う口座。"""
    known = people(standing.inputs).select("person_number", payee_kana="kana_name", payee_birth="birth")
    office = pl.col("removed_reason") == "職権"
    moved = standing.inputs.facts.residents.filter(
        pl.col("removed_reason").is_in(["転出", "国外転出", "職権"]) & (pl.col("removed_on") <= today)
    ).select(payee_number="person_number", moved_out=~office, removed_by_office=office)
    entitlements = standing.entitlements.select(
        "case_number",
        "benefit",
        "slot_kind",
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
    joined = (
        rows.join(entitlements, on="case_number", how="left", maintain_order="left")
        .join(known, left_on="payee_number", right_on="person_number", how="left", maintain_order="left")
        .join(moved, on="payee_number", how="left", maintain_order="left")
        .with_columns(
            account_sent=pl.any_horizontal([pl.col(name).is_not_null() for name in ACCOUNT]),
            moved_out=pl.col("moved_out").fill_null(value=False),
            removed_by_office=pl.col("removed_by_office").fill_null(value=False),
            **{c: pl.col(c).fill_null(value=False) for c in ("eligible_now", "payee_dead", "ward_only", "valid")},
        )
    )
    joined = _fill_ward_accounts(joined, standing)
    joined = joined.with_columns(account_bad=_account_bad(joined, bank_master))
    joined = _mark_origin_accounts(joined, standing)
    shared = (
        joined.filter(pl.col("account_number").is_not_null())
        .group_by("bank_code", "branch_code", "account_type", "account_number")
        .agg(households_on_account=pl.coalesce("household_number", -pl.col("payee_number")).n_unique())
    )
    return (
        joined.with_columns(holder_agrees=agrees(pl.col("holder_kana"), pl.col("payee_kana")))
        .join(
            shared,
            on=["bank_code", "branch_code", "account_type", "account_number"],
            how="left",
            maintain_order="left",
        )
        .with_columns(
            households_on_account=pl.col("households_on_account").fill_null(0),
            holder_agrees=pl.col("holder_agrees").fill_null(value=False),
        )
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
    number = ("bank_code", "branch_code", "account_type", "account_number")
    differs = pl.any_horizontal([pl.col(name).ne_missing(pl.col(f"{name}_own")) for name in number])
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
    number = ["bank_code", "branch_code", "account_type", "account_number"]
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


def sampled(fingerprint: str) -> pl.Expr:
    """CHK95: ファイルの指紋と給付管理番号から選ぶ、百件に一件。申し出る側には選べない。"""
    number = pl.col("case_number").str.slice(0, 10).cast(pl.Int64, strict=False)
    seed = int(fingerprint[:8], 16)
    return ((number % 1_000_003 * (seed % 999_983 + 1) + seed) % 1_000_003 % 100 == 0).fill_null(value=False)


def _decided_homes(connection: Connection) -> list[int]:
    """世帯の給付が、支給可か、振込の途中か、振込済の世帯（CHK45）。"""
    entitlement, payment = ward.entitlement, ward.payment
    paid = connection.execute(
        select(entitlement.c.household_number)
        .join(payment, payment.c.entitlement_id == entitlement.c.id)
        .where(entitlement.c.slot_kind == "HH100K", payment.c.state.in_(LIVE_STATES))
    ).scalars()
    waiting = [line["entitlement_id"] for line in pending_verdicts(connection)]
    homes = connection.execute(
        select(entitlement.c.id, entitlement.c.household_number).where(entitlement.c.slot_kind == "HH100K")
    ).all()
    decided = set(waiting)
    return sorted({*paid, *(row.household_number for row in homes if row.id in decided)} - {None})


def with_ledger(connection: Connection, rows: pl.DataFrame, programme: Programme) -> pl.DataFrame:
    """台帳の事実を足す: 支払、戻ったお金、手紙の期限、解除。判定と登録は同じトランザクションの中である。"""
    table = ward.entitlement
    others = connection.execute(select(table.c.case_number).where(table.c.programme != programme.id)).scalars().all()
    rows = with_released(connection, rows.with_columns(pl.col("entitlement_id").cast(pl.Int64)))
    homes = pl.Series(_decided_homes(connection), dtype=pl.Int64).implode()
    rows = rows.with_columns(
        other_programme=pl.col("case_number").is_in(pl.Series(list(others), dtype=pl.String).implode()),
        # 世帯の番号のない子（避難者に同伴した子など）には、世帯の給付の判定を求めない。
        parent_decided=pl.col("household_number").is_in(homes) | pl.col("household_number").is_null(),
    )
    payment, letter, posting = ward.payment, ward.letter, ward.posting
    payments = pl.DataFrame(
        [tuple(r) for r in connection.execute(select(payment.c.entitlement_id, payment.c.state, payment.c.id)).all()],
        schema={"entitlement_id": pl.Int64, "state": pl.String, "payment_id": pl.Int64},
        orient="row",
    )
    returned = connection.execute(
        select(posting.c.payment_id).where(posting.c.kind.in_(["fail", "uncredit"]))
    ).scalars()
    states = (
        payments.with_columns(back=pl.col("payment_id").is_in(list(returned)))
        .group_by("entitlement_id")
        .agg(
            paid=(pl.col("state") == "F42").any(),
            in_flight=pl.col("state").is_in(["F40", "F41"]).any(),
            failed_attempts=(pl.col("state") == "F43").sum().cast(pl.Int64),
            returned_attempts=((pl.col("state") == "F43") & pl.col("back")).sum().cast(pl.Int64),
        )
    )
    waiting = [line["entitlement_id"] for line in pending_verdicts(connection)]
    letters = pl.DataFrame(
        [
            tuple(r)
            for r in connection.execute(
                select(letter.c.entitlement_id, letter.c.branch, letter.c.kind, letter.c.due_on).where(
                    letter.c.lot_id.is_not(None)
                )
            ).all()
        ],
        schema={"entitlement_id": pl.Int64, "branch_now": pl.Int64, "letter_kind": pl.String, "due_on": pl.Date},
        orient="row",
    ).unique(["entitlement_id", "branch_now"], keep="last", maintain_order=True)
    noticed = (pl.col("letter_kind") == "push_notice") & (pl.col("due_on") < pl.col("judged_on"))
    reviewed = pl.col("received_on").is_not_null() & pl.col("reviewed_on").is_not_null()
    return (
        rows.with_columns(pl.col("entitlement_id").cast(pl.Int64))
        .join(states, on="entitlement_id", how="left", maintain_order="left")
        # 出し直した後は、新しい枝番の手紙だけが数えられる。
        .join(letters, on=["entitlement_id", "branch_now"], how="left", maintain_order="left")
        .with_columns(
            paid=pl.col("paid").fill_null(value=False),
            # 支給可の判定が出て、まだ振込になっていない権利も、もう一度は通さない。
            in_flight=pl.col("in_flight").fill_null(value=False) | pl.col("entitlement_id").is_in(waiting),
            failed_attempts=pl.col("failed_attempts").fill_null(0),
            returned_attempts=pl.col("returned_attempts").fill_null(0),
            # 承認された権利のうち、お知らせの人は期限の経過で、ほかの人は収受と審査の完了で、払う用意ができる。
            ready=pl.col("valid") & (noticed.fill_null(value=False) | reviewed),
        )
    )
