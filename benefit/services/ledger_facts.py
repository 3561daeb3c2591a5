"""支給判定が見る台帳の事実: 支払、戻ったお金、権利の終わり、手紙、返事、前の判定、同じ口座、解除。

台帳には過去の支払が何百万行もある。だから台帳を Python に読み込まず、判定する行のほうを一時の表に入れて、
SQL に結ばせる。答えとして返るのは、判定する行に関わる行だけである。判定と登録は、同じトランザクションの中で行う。
"""

from __future__ import annotations

from typing import Any

import polars as pl
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    case,
    exists,
    func,
    or_,
    select,
)

from benefit.domain.errors import RefusedByRule
from benefit.domain.letter import CONFIRMATION_LETTER, PUSH_NOTICE
from benefit.domain.programme import Programme
from benefit.domain.transfer import LIVE_STATES
from benefit.services.holds import with_released
from benefit.services.judged_lines import LINE, ids, judged_line, load, numbers
from benefit.services.judgment_rows import Prepared
from benefit.services.ledger_others import with_overlaps, with_sharing
from benefit.services.ledger_replies import with_replies
from benefit.services.mailing_sent import sent
from benefit.services.transfer_lines import ACCOUNT, pending_verdicts, superseded
from benefit.store import ward
from benefit.store.frames import fetch


def with_ledger(connection: Connection, prepared: Prepared, programme: Programme) -> pl.DataFrame:
    """行に、台帳の事実の列を足す。"""
    rows = prepared.rows
    load(connection, prepared)
    _refuse_reissued(connection, rows)
    rows = rows.with_columns(
        other_programme=pl.col("line_number").is_in(numbers(connection, _other_programmes(programme)).implode())
    )
    rows = with_released(connection, rows, among=ids())
    waiting = _waiting(connection)
    states = _states(connection).join(waiting, on="entitlement_id", how="full", coalesce=True)
    rows = _with_states(rows, states)
    rows = _with_returns(connection, rows)
    rows = _with_letters(connection, rows)
    rows = with_replies(connection, rows, programme)
    rows = with_overlaps(connection, rows, prepared, states)
    rows = with_sharing(connection, rows, prepared, programme)
    # 途中で落ちれば、表もトランザクションと一緒に消える。
    judged_line.drop(connection)
    return rows


def _refuse_reissued(connection: Connection, rows: pl.DataFrame) -> None:
    """行を揃えている間に出し直された権利があれば断る。古い枝番の申し出の口座に、新しい受給者の分を払わない。"""
    table = ward.reissue
    query = select(table.c.entitlement_id, table.c.branch).where(table.c.entitlement_id.in_(ids()))
    made = fetch(connection, query, {"entitlement_id": pl.Int64, "branch": pl.Int64})
    seen = rows.select("entitlement_id", "branch_now").drop_nulls()
    late = made.join(seen, on="entitlement_id").filter(pl.col("branch") > pl.col("branch_now"))
    if late.height:
        raise RefusedByRule(
            f"判定している間に出し直された権利が {late['entitlement_id'].n_unique()} 件あります。"
            "もう一度、判定してください",
            code="changed-meanwhile",
        )


def _other_programmes(programme: Programme) -> Select[Any]:
    """CHK14: この事業にない番号のうち、ほかの事業の番号である行。"""
    table = ward.entitlement
    return (
        select(LINE.line_number)
        .join(table, table.c.case_number == LINE.case_number)
        .where(LINE.line_number.is_not(None), LINE.entitlement_id.is_(None), table.c.programme != programme.id)
    )


def _waiting(connection: Connection) -> pl.DataFrame:
    """支給可の判定が出て、まだ生きた支払になっていない権利。"""
    lines = pending_verdicts(connection, among=ids())
    return pl.DataFrame(
        {"entitlement_id": [line["entitlement_id"] for line in lines]}, schema={"entitlement_id": pl.Int64}
    ).with_columns(waiting=pl.lit(value=True))


def _states(connection: Connection) -> pl.DataFrame:
    """権利ごとの支払のありさま。"""
    payment, posting = ward.payment, ward.posting

    def any_of(*states: str) -> ColumnElement[int]:
        return func.max(case((payment.c.state.in_(states), 1), else_=0))

    back = exists().where(posting.c.payment_id == payment.c.id, posting.c.kind.in_(["fail", "uncredit"]))
    failed = payment.c.state == "F43"
    query = (
        select(
            payment.c.entitlement_id,
            any_of("F42"),
            any_of("F40", "F41"),
            any_of("F48"),
            func.sum(case((failed, 1), else_=0)),
            func.sum(case((and_(failed, back), 1), else_=0)),
        )
        .where(payment.c.entitlement_id.in_(ids()))
        .group_by(payment.c.entitlement_id)
    )
    schema = {
        "entitlement_id": pl.Int64,
        "paid": pl.Int64,
        "moving": pl.Int64,
        "repaid": pl.Int64,
        "failed_attempts": pl.Int64,
        "returned_attempts": pl.Int64,
    }
    return fetch(connection, query, schema).with_columns(pl.col("paid", "moving", "repaid").cast(pl.Boolean))


def _with_states(rows: pl.DataFrame, states: pl.DataFrame) -> pl.DataFrame:
    """支払の列と、こども加算の世帯の給付が決まっているか（CHK45）。"""
    false = {name: pl.col(name).fill_null(value=False) for name in ("paid", "moving", "repaid", "waiting")}
    mine = states.with_columns(**false)
    parents = mine.select(parent_id="entitlement_id", parent_settled=pl.any_horizontal("paid", "moving", "waiting"))
    return (
        rows.join(mine, on="entitlement_id", how="left", maintain_order="left")
        .join(parents, on="parent_id", how="left", maintain_order="left")
        .with_columns(
            **false,
            failed_attempts=pl.col("failed_attempts").fill_null(0),
            returned_attempts=pl.col("returned_attempts").fill_null(0),
        )
        .with_columns(
            # 支給可の判定が出て、まだ振込になっていない権利も、もう一度は通さない。
            in_flight=pl.col("moving") | pl.col("waiting"),
            # 世帯の番号のない子（避難者に同伴した子など）には、世帯の給付の判定を求めない。
            parent_decided=pl.col("parent_settled").fill_null(value=False) | pl.col("household_number").is_null(),
        )
        .drop("moving", "waiting", "parent_settled")
    )


def _with_returns(connection: Connection, rows: pl.DataFrame) -> pl.DataFrame:
    """戻す途中のお金（CHK33・CHK34）、終わった権利（CHK51・CHK52）、出し直す前の枝番（CHK13）、審査の後の口座（CHK84）。"""
    payment, line, report = ward.payment, ward.recall_line, ward.bank_report_line
    answered = exists().where(report.c.payment_id == payment.c.id, report.c.outcome.in_(["recalled", "recall_failed"]))
    recalls = (
        select(payment.c.entitlement_id)
        .join(line, line.c.payment_id == payment.c.id)
        # 振込不能や返還で戻ったお金の、組戻しの答えは、もう来ない。
        .where(payment.c.entitlement_id.in_(ids()), payment.c.state.in_(LIVE_STATES), ~answered)
    )
    repayment, approval, receipt = ward.repayment, ward.repayment_approval, ward.repayment_receipt
    received = (
        select(func.coalesce(func.sum(receipt.c.amount_yen), 0))
        .where(receipt.c.repayment_id == repayment.c.id)
        .scalar_subquery()
    )
    repayments = (
        select(payment.c.entitlement_id)
        .join(repayment, repayment.c.payment_id == payment.c.id)
        .join(approval, approval.c.release_id == repayment.c.id)
        .where(payment.c.entitlement_id.in_(ids()), received < repayment.c.amount_yen)
    )

    def ended(*kinds: str) -> Select[Any]:
        ending, approved = ward.ending, ward.ending_approval
        return (
            select(ending.c.entitlement_id)
            .join(approved, approved.c.release_id == ending.c.id)
            .where(ending.c.entitlement_id.in_(ids()), ending.c.kind.in_(kinds))
        )

    verdict, file, reissue = ward.verdict, ward.planned_file, ward.reissue
    older = (
        select(verdict.c.entitlement_id)
        .join(file, file.c.id == verdict.c.planned_file_id)
        .where(verdict.c.entitlement_id.in_(ids()), superseded())
    )
    older_paid = (
        select(payment.c.entitlement_id)
        .join(reissue, reissue.c.entitlement_id == payment.c.entitlement_id)
        .join(file, file.c.id == payment.c.planned_file_id)
        .where(
            payment.c.entitlement_id.in_(ids()),
            payment.c.state.in_(LIVE_STATES),
            reissue.c.made_at >= file.c.judged_at,
        )
    )
    now, before = LINE, verdict.c
    changed = (
        select(now.line_number)
        .join(verdict, and_(before.entitlement_id == now.entitlement_id, before.reviewed_on == now.reviewed_on))
        .where(
            now.line_number.is_not(None),
            before.account_number.is_not(None),
            or_(*(before[name].is_distinct_from(now[name]) for name in ACCOUNT)),
        )
    )
    by_entitlement = {
        "recall_open": recalls,
        "repayment_open": repayments,
        "refused": ended("辞退"),
        "not_paid_for_good": ended("不支給", "契約不成立"),
        "older_received": older.where(verdict.c.received_on.is_not(None)),
        "older_paid": older_paid,
    }
    hits = {
        name: pl.col("entitlement_id").is_in(numbers(connection, query).implode()).fill_null(value=False)
        for name, query in by_entitlement.items()
    }
    moved = pl.col("line_number").is_in(numbers(connection, changed).implode())
    return rows.with_columns(**hits, account_changed_after_review=pl.col("account_sent") & moved)


def _with_letters(connection: Connection, rows: pl.DataFrame) -> pl.DataFrame:
    """いまの枝番の、最後に刷った手紙: 期限、発送の日、宛先（CHK50・CHK55・CHK91・CHK93）。"""
    letter = ward.letter
    query = (
        select(
            letter.c.entitlement_id,
            letter.c.branch,
            letter.c.kind,
            letter.c.issued_on,
            letter.c.due_on,
            letter.c.address_digest,
        )
        .where(sent(), letter.c.entitlement_id.in_(ids()))
        .order_by(letter.c.id)
    )
    schema = {
        "entitlement_id": pl.Int64,
        "branch_now": pl.Int64,
        "letter_kind": pl.String,
        "letter_issued_on": pl.Date,
        "due_on": pl.Date,
        "address_written": pl.String,
    }
    key = ["entitlement_id", "branch_now"]
    letters = fetch(connection, query, schema).unique(key, keep="last", maintain_order=True)
    noticed = (pl.col("letter_kind") == PUSH_NOTICE) & (pl.col("due_on") < pl.col("judged_on"))
    reviewed = pl.col("received_on").is_not_null() & pl.col("reviewed_on").is_not_null()
    asked_back = pl.col("letter_kind") == CONFIRMATION_LETTER
    return rows.join(letters, on=key, how="left", maintain_order="left").with_columns(
        # 承認された権利のうち、お知らせの人は期限の経過で、ほかの人は収受と審査の完了で、払う用意ができる。
        ready=pl.col("valid") & (noticed.fill_null(value=False) | reviewed),
        # 申請書で払う人（避難者・相続人）の期限は、申請を受け付けた時に見ている。
        late=(asked_back & ~pl.col("from_ward") & (pl.col("received_on") > pl.col("due_on"))).fill_null(value=False),
        address_changed=(
            (pl.col("address_written") != "") & pl.col("address_written").ne_missing(pl.col("address_now"))
        ).fill_null(value=False),
    )
