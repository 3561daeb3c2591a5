"""取消の計画が見る事実: 権利ごとの、いまの最後の支払と、台帳の残り。そこから、権利ごとにすることが一つ決まる。

台帳の残り（仕訳の合計）と、支払の状態から求めた残りは、別々に数えて比べる。一円でも違えば計画を作らない。
"""

from __future__ import annotations

import polars as pl
from sqlalchemy import Connection, and_, func, literal, select, union_all

from benefit.domain.errors import RefusedByRule
from benefit.domain.programme import Programme
from benefit.services.entitlements import stored_entitlements
from benefit.services.gate import ended
from benefit.services.transfer_lines import pending_verdicts
from benefit.services.undo_scope import Scope
from benefit.store import ward
from benefit.store.frames import fetch

#: お金の残りうる勘定（取り戻せるもの）。
ACCOUNTS = ("未払", "振込中", "振込不能", "支給済")


def _payments(connection: Connection, programme_id: str) -> pl.DataFrame:
    """権利ごとの最後の支払と、その振込。"""
    payment, entitlement, line = ward.payment, ward.entitlement, ward.transfer_line
    recalled, file = ward.recall_line, ward.planned_file
    newest = (
        select(payment.c.entitlement_id, func.max(payment.c.attempt).label("attempt"))
        .where(payment.c.entitlement_id.is_not(None))
        .group_by(payment.c.entitlement_id)
        .subquery()
    )
    query = (
        select(
            payment.c.entitlement_id,
            payment.c.id,
            payment.c.state,
            payment.c.amount_yen,
            file.c.file_number,
            line.c.transfer_id,
            recalled.c.recall_id,
        )
        .join(
            newest,
            and_(newest.c.entitlement_id == payment.c.entitlement_id, newest.c.attempt == payment.c.attempt),
        )
        .join(entitlement, entitlement.c.id == payment.c.entitlement_id)
        .join(file, file.c.id == payment.c.planned_file_id)
        .join(line, line.c.payment_id == payment.c.id)
        .join(recalled, recalled.c.payment_id == payment.c.id, isouter=True)
        .where(entitlement.c.programme == programme_id)
    )
    schema = {
        "entitlement_id": pl.Int64,
        "payment_id": pl.Int64,
        "state": pl.String,
        "paid_yen": pl.Int64,
        "file_number": pl.String,
        "transfer_id": pl.Int64,
        "recall_id": pl.Int64,
    }
    return fetch(connection, query, schema)


def _ledger(connection: Connection, programme_id: str) -> pl.DataFrame:
    """権利ごとの台帳の残り（on_勘定）と、最後の支払に立った戻す仕訳（back_yen）。"""
    posting, entitlement = ward.posting, ward.entitlement
    sides = union_all(
        *(
            select(
                posting.c.entitlement_id,
                posting.c[side].label("account"),
                (posting.c.amount_yen * literal(sign)).label("yen"),
            ).where(posting.c[side].in_(ACCOUNTS))
            for side, sign in (("debit", 1), ("credit", -1))
        )
    ).subquery()
    query = (
        select(sides.c.entitlement_id, sides.c.account, func.sum(sides.c.yen))
        .join(entitlement, entitlement.c.id == sides.c.entitlement_id)
        .where(entitlement.c.programme == programme_id)
        .group_by(sides.c.entitlement_id, sides.c.account)
    )
    rows = [(number, f"on_{account}", int(yen)) for number, account, yen in connection.execute(query)]
    long = pl.DataFrame(rows, schema={"entitlement_id": pl.Int64, "account": pl.String, "yen": pl.Int64}, orient="row")
    columns = [f"on_{name}" for name in ACCOUNTS]
    wide = long.pivot("account", index="entitlement_id", values="yen") if long.height else long.select("entitlement_id")
    missing = [pl.lit(0, dtype=pl.Int64).alias(name) for name in columns if name not in wide.columns]
    return wide.with_columns(missing).select("entitlement_id", *(pl.col(name).fill_null(0) for name in columns))


def _by_payment(connection: Connection, kinds: tuple[str, ...], name: str) -> pl.DataFrame:
    """支払ごとの、この種類の仕訳の合計。"""
    posting = ward.posting
    query = (
        select(posting.c.payment_id, func.sum(posting.c.amount_yen))
        .where(posting.c.kind.in_(kinds))
        .group_by(posting.c.payment_id)
    )
    rows = [(number, int(yen)) for number, yen in connection.execute(query)]
    return pl.DataFrame(rows, schema={"payment_id": pl.Int64, name: pl.Int64}, orient="row")


def positions(connection: Connection, programme: Programme, entitlements: list[int]) -> pl.DataFrame:
    """言われた権利の、いまの位置。一行に一つ、給付管理番号の順。台帳と支払が合わなければ断る。"""
    stored = stored_entitlements(connection, programme.id).select(
        "case_number", "benefit", "amount_yen", entitlement_id="id"
    )
    pending = pl.DataFrame(
        [(line["entitlement_id"], line["planned_file_id"]) for line in pending_verdicts(connection)],
        schema={"entitlement_id": pl.Int64, "planned_file_id": pl.Int64},
        orient="row",
    )
    files = fetch(
        connection,
        select(ward.planned_file.c.id, ward.planned_file.c.file_number),
        {"planned_file_id": pl.Int64, "payable_in": pl.String},
    )
    found = (
        stored.filter(pl.col("entitlement_id").is_in(entitlements))
        .join(_payments(connection, programme.id), on="entitlement_id", how="left")
        .join(_ledger(connection, programme.id), on="entitlement_id", how="left")
        .join(_by_payment(connection, ("reverse", "drop"), "back_yen"), on="payment_id", how="left")
        .join(_claimed(connection), on="payment_id", how="left")
        .join(pending.join(files, on="planned_file_id"), on="entitlement_id", how="left")
        .join(ended(connection), left_on="entitlement_id", right_on="id", how="left")
        .with_columns(
            pl.col("paid_yen", "back_yen", "claimed_yen", *(f"on_{name}" for name in ACCOUNTS)).fill_null(0),
            pl.col("ended").fill_null(value=False),
        )
        .sort("case_number")
    )
    return _agreed(found)


def _claimed(connection: Connection) -> pl.DataFrame:
    """支払ごとの、承認された返還の請求の合計（仕訳ではなく、請求の表から）。"""
    table, approval = ward.repayment, ward.repayment_approval
    query = (
        select(table.c.payment_id, func.sum(table.c.amount_yen))
        .join(approval, approval.c.release_id == table.c.id)
        .group_by(table.c.payment_id)
    )
    rows = [(number, int(yen)) for number, yen in connection.execute(query)]
    return pl.DataFrame(rows, schema={"payment_id": pl.Int64, "claimed_yen": pl.Int64}, orient="row")


def _agreed(found: pl.DataFrame) -> pl.DataFrame:
    """支払の状態から求めた残り（`left_yen` と、その勘定 `account`）を足す。台帳の残りと違えば断る。"""
    account = {"F40": "振込中", "F41": "振込中", "F42": "支給済", "F43": "振込不能", "F49": "未払"}
    left = (
        pl.when(pl.col("state").is_in(["F43", "F49"]))
        .then(pl.col("paid_yen") - pl.col("back_yen"))
        .when(pl.col("state") == "F42")
        .then(pl.col("paid_yen") - pl.col("claimed_yen"))
        .when(pl.col("state").is_in(["F40", "F41"]))
        .then(pl.col("paid_yen"))
        .otherwise(0)
    )
    found = found.with_columns(
        left_yen=left, account=pl.col("state").replace_strict(account, default=None, return_dtype=pl.String)
    )
    differs = pl.any_horizontal(
        pl.when(pl.col("account") == name).then("left_yen").otherwise(0) != pl.col(f"on_{name}") for name in ACCOUNTS
    )
    wrong = found.filter(differs)
    if wrong.height:
        raise RefusedByRule(
            f"台帳の残りと支払の状態が合わない権利が {wrong.height:,} 件あります。計画を作れません",
            code="ledger",
            found=f"給付管理番号 {wrong['case_number'][0]}",
        )
    return found


def deeds(found: pl.DataFrame, scope: Scope) -> pl.DataFrame:
    """権利ごとに、すること（action）、その額（yen）、訳（why）を決める。"""
    state, payable = pl.col("state"), pl.col("payable_in").is_not_null()
    later = pl.lit(value=False)
    if scope.kind == "transfer":
        later = pl.col("transfer_id") != int(scope.value)
    elif scope.kind == "planned":
        # この支給予定情報から、まだ払っていない支給可が残っているときだけ、判定を取り消す。
        payable = pl.col("payable_in").eq_missing(pl.lit(scope.value))
        later = state.is_not_null() & ~((state == "F49") & payable) & (pl.col("file_number") != scope.value)
    withdraw = pl.when(payable | (state.eq_missing(pl.lit("F49")) & (pl.col("left_yen") > 0)))
    action, why = pl.lit("なし"), pl.lit
    rules: list[tuple[pl.Expr, pl.Expr, pl.Expr]] = [
        (pl.col("ended"), action, why("もう終わっている")),
        (later.fill_null(value=False), action, why("ほかの振込・支給予定情報の支払になっている")),
        (state == "F40", pl.lit("振込取消"), why("作成済。振込を取り消し、権利を終わらせる")),
        ((state == "F41") & pl.col("recall_id").is_not_null(), action, why("組戻しを頼み、銀行の返事を待っている")),
        (state == "F41", pl.lit("組戻し"), why("銀行送付済。銀行に組戻しを頼む")),
        ((state == "F42") & (pl.col("left_yen") > 0), pl.lit("返還"), why("振込済。返還を請求する")),
        (state == "F42", action, why("全額の返還を請求済み")),
        (
            (state == "F43") & (pl.col("left_yen") > 0),
            pl.lit("不能を戻入"),
            why("振込不能。戻入して、権利を終わらせる"),
        ),
        (
            pl.lit(value=True),
            withdraw.then(pl.lit("判定取消")).otherwise(action),
            withdraw.then(why("支給可で、まだ払っていない。権利を終わらせる")).otherwise(
                pl.when(state == "F48").then(why("返還済み")).otherwise(why("支給可の判定がない"))
            ),
        ),
    ]
    chosen = pl.coalesce(*(pl.when(test).then(deed) for test, deed, _why in rules))
    reason = pl.coalesce(*(pl.when(test).then(says) for test, _deed, says in rules))
    left = pl.col("left_yen")
    return found.with_columns(action=chosen, why=reason).with_columns(
        # 仕訳のまだ立っていない支給可は、支給額を数える（お金は動いていない）。
        yen=pl.when(pl.col("action") == "なし").then(0).when(left > 0).then(left).otherwise("amount_yen")
    )
