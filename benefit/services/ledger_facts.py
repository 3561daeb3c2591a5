"""支給判定が見る台帳の事実: 支払、戻ったお金、権利の終わり、手紙、前の判定、同じ口座、解除。

台帳には過去の支払が何百万行もある。だから台帳を Python に読み込まず、判定する行のほうを一時の表に入れて、
SQL に結ばせる。答えとして返るのは、判定する行に関わる行だけである。判定と登録は、同じトランザクションの中で行う。
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Date,
    Integer,
    MetaData,
    Select,
    String,
    Table,
    and_,
    case,
    exists,
    func,
    or_,
    select,
    union_all,
)

from benefit.domain.letter import CONFIRMATION_LETTER, PUSH_NOTICE
from benefit.domain.programme import Programme
from benefit.domain.transfer import LIVE_STATES
from benefit.services import judgment_people
from benefit.services.holds import with_released
from benefit.services.judgment_accounts import ACCOUNT_NUMBER
from benefit.services.judgment_rows import Prepared
from benefit.services.transfer_lines import ACCOUNT, pending_verdicts, superseded
from benefit.store import ward
from benefit.store.bulk import insert_rows

#: 判定する行（line_number あり）と、その行が頼るほかの権利（line_number なし）。このトランザクションだけの表。
judged_line = Table(
    "judged_line",
    MetaData(),
    Column("line_number", Integer),
    Column("case_number", String(20)),
    Column("entitlement_id", Integer),
    *(Column(name, String) for name in ACCOUNT),
    Column("reviewed_on", Date),
    prefixes=["TEMPORARY"],
)
_COLUMNS = tuple(column.name for column in judged_line.columns)
_LINE = judged_line.c


def with_ledger(connection: Connection, prepared: Prepared, programme: Programme) -> pl.DataFrame:
    """行に、台帳の事実の列を足す。"""
    rows = prepared.rows
    _load(connection, prepared)
    try:
        rows = rows.with_columns(
            other_programme=pl.col("line_number").is_in(_numbers(connection, _other_programmes(programme)).implode())
        )
        rows = with_released(connection, rows, among=_ids())
        waiting = _waiting(connection)
        states = _states(connection).join(waiting, on="entitlement_id", how="full", coalesce=True)
        rows = _with_states(rows, states)
        rows = _with_returns(connection, rows)
        rows = _with_letters(connection, rows)
        rows = _with_overlaps(connection, rows, prepared, states)
        return _with_sharing(connection, rows, prepared, programme)
    finally:
        judged_line.drop(connection)


def _load(connection: Connection, prepared: Prepared) -> None:
    """一時の表に、判定する行と、行が頼る権利（世帯の給付、人の重なる権利）を入れる。"""
    rows = prepared.rows
    lines = rows.with_columns(pl.col("reviewed_on").dt.strftime("%Y-%m-%d")).select(_COLUMNS)
    leaned = pl.concat([rows["parent_id"].cast(pl.Int64), prepared.overlaps["other_id"].cast(pl.Int64)])
    others = leaned.drop_nulls().unique().sort()
    judged_line.create(connection)
    insert_rows(connection, judged_line, _COLUMNS, lines.iter_rows())
    insert_rows(connection, judged_line, ("entitlement_id",), ((number,) for number in others))
    if connection.dialect.name == "postgresql":
        # 作ったばかりの表の大きさを知らせる。知らなければ、台帳のほうを全部読む計画になる。
        connection.exec_driver_sql("ANALYZE judged_line")


def _ids() -> Select[tuple[int]]:
    return select(_LINE.entitlement_id).where(_LINE.entitlement_id.is_not(None))


def _numbers(connection: Connection, query: Select[Any]) -> pl.Series:
    return pl.Series([row[0] for row in connection.execute(query)], dtype=pl.Int64)


def _frame(connection: Connection, query: Any, schema: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame([tuple(row) for row in connection.execute(query)], schema=schema, orient="row")


def _other_programmes(programme: Programme) -> Select[Any]:
    """CHK14: この事業にない番号のうち、ほかの事業の番号である行。"""
    table = ward.entitlement
    return (
        select(_LINE.line_number)
        .join(table, table.c.case_number == _LINE.case_number)
        .where(_LINE.line_number.is_not(None), _LINE.entitlement_id.is_(None), table.c.programme != programme.id)
    )


def _waiting(connection: Connection) -> pl.DataFrame:
    """支給可の判定が出て、まだ生きた支払になっていない権利。"""
    lines = pending_verdicts(connection, among=_ids())
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
        .where(payment.c.entitlement_id.in_(_ids()))
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
    return _frame(connection, query, schema).with_columns(pl.col("paid", "moving", "repaid").cast(pl.Boolean))


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
        .where(payment.c.entitlement_id.in_(_ids()), ~answered)
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
        .where(payment.c.entitlement_id.in_(_ids()), received < repayment.c.amount_yen)
    )

    def ended(*kinds: str) -> Select[Any]:
        ending, approved = ward.ending, ward.ending_approval
        return (
            select(ending.c.entitlement_id)
            .join(approved, approved.c.release_id == ending.c.id)
            .where(ending.c.entitlement_id.in_(_ids()), ending.c.kind.in_(kinds))
        )

    verdict, file, reissue = ward.verdict, ward.planned_file, ward.reissue
    older = (
        select(verdict.c.entitlement_id)
        .join(file, file.c.id == verdict.c.planned_file_id)
        .where(verdict.c.entitlement_id.in_(_ids()), superseded())
    )
    older_paid = (
        select(payment.c.entitlement_id)
        .join(reissue, reissue.c.entitlement_id == payment.c.entitlement_id)
        .join(file, file.c.id == payment.c.planned_file_id)
        .where(
            payment.c.entitlement_id.in_(_ids()),
            payment.c.state.in_(LIVE_STATES),
            reissue.c.made_at >= file.c.judged_at,
        )
    )
    now, before = _LINE, verdict.c
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
        name: pl.col("entitlement_id").is_in(_numbers(connection, query).implode()).fill_null(value=False)
        for name, query in by_entitlement.items()
    }
    moved = pl.col("line_number").is_in(_numbers(connection, changed).implode())
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
        .where(letter.c.lot_id.is_not(None), letter.c.entitlement_id.in_(_ids()))
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
    letters = _frame(connection, query, schema).unique(key, keep="last", maintain_order=True)
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


def _with_overlaps(
    connection: Connection, rows: pl.DataFrame, prepared: Prepared, states: pl.DataFrame
) -> pl.DataFrame:
    """人の重なるほかの権利を、払ったか、判定したか（CHK41〜CHK43・CHK47）。"""
    verdict, file = ward.verdict, ward.planned_file
    others = prepared.overlaps
    told = pl.Series([], dtype=pl.Int64)
    if others.height:
        query = (
            select(verdict.c.entitlement_id)
            .join(file, file.c.id == verdict.c.planned_file_id)
            .where(verdict.c.entitlement_id.in_(_ids()), verdict.c.verdict != "不可", ~superseded())
            .distinct()
        )
        told = _numbers(connection, query)
    live = states.select(
        other_id="entitlement_id",
        other_live=pl.any_horizontal(pl.col("paid", "moving").fill_null(value=False)),
        other_waiting=pl.col("waiting").fill_null(value=False),
    )
    # 同じファイルに並んでいれば、それも申し出（J30 から先）である。
    here = rows["entitlement_id"].drop_nulls().implode()
    seen = others.join(live, on="other_id", how="left").with_columns(
        live=pl.col("other_live").fill_null(value=False),
        judged=pl.col("other_waiting").fill_null(value=False)
        | pl.col("other_id").is_in(told.implode())
        | pl.col("other_id").is_in(here),
    )
    person, child = pl.col("kind") == judgment_people.PERSON, pl.col("kind") == judgment_people.CHILD
    origin, any_state = pl.col("kind") == judgment_people.ORIGIN, pl.col("live") | pl.col("judged")
    folded = seen.group_by("line_number").agg(
        person_paid_in_another=(person & pl.col("live")).any(),
        person_judged_in_another=(person & ~pl.col("live") & pl.col("judged")).any(),
        person_in_another=(person & ~any_state & pl.col("other_open")).any(),
        child_counted=(child & any_state).any(),
        counted_at_origin=(origin & (any_state | pl.col("other_open"))).any(),
    )
    names = [name for name in folded.columns if name != "line_number"]
    return rows.join(folded, on="line_number", how="left", maintain_order="left").with_columns(
        pl.col(*names).fill_null(value=False)
    )


def _with_sharing(connection: Connection, rows: pl.DataFrame, prepared: Prepared, programme: Programme) -> pl.DataFrame:
    """同じ口座のほかの受給者: このファイルの中と、台帳（払った行、判定が最後に不可でなかった行）。CHK23・CHK82。"""
    known = prepared.known.select(payee_number="person_number", kana_name="payee_kana", birth="payee_birth")
    ledger = _frame(
        connection,
        _users(programme, ward_rows=bool(rows["from_ward"].any())),
        {**dict.fromkeys(ACCOUNT_NUMBER, pl.String), "household_number": pl.Int64, "payee_number": pl.Int64},
    ).unique()
    ledger = ledger.join(known, on="payee_number", how="left").with_columns(
        line_number=pl.lit(None, dtype=pl.Int64), person_number=pl.col("payee_number")
    )
    uses = pl.concat([rows.select(ledger.columns), ledger]).filter(pl.col("account_number").is_not_null())
    # 同じ受給者が、世帯の番号のある権利とない権利を持つことがある。受給者ごとに、一つの世帯とみる。
    home = pl.col("household_number").max().over(*ACCOUNT_NUMBER, "payee_number")
    shared = (
        uses.with_columns(home=pl.coalesce(home, -pl.col("payee_number")))
        .with_columns(
            households_on_account=pl.col("home").n_unique().over(ACCOUNT_NUMBER),
            recipients_on_account=pl.col("payee_number").n_unique().over(ACCOUNT_NUMBER),
            # 同じ読み・同じ生年月日・同じ口座の、番号の違う人（双子や、番号の付け直し）。
            has_twin=pl.col("person_number").n_unique().over("kana_name", "birth", *ACCOUNT_NUMBER) > 1,
        )
        .filter(pl.col("line_number").is_not_null())
        .select("line_number", "households_on_account", "recipients_on_account", "has_twin")
    )
    return rows.join(shared, on="line_number", how="left", maintain_order="left").with_columns(
        households_on_account=pl.col("households_on_account").fill_null(0),
        recipients_on_account=pl.col("recipients_on_account").fill_null(0),
        has_twin=pl.col("entitlement_id").is_not_null() & pl.col("has_twin").fill_null(value=False),
    )


def _users(programme: Programme, *, ward_rows: bool) -> Any:
    """この事業で、判定する行と同じ口座を使った権利の、世帯と受給者。

    避難した人の権利は、区の行を判定する時にだけ数える。委託先の行の判定が、避難した人のいることで変わってはならない。
    """
    lines = select(*(_LINE[name] for name in ACCOUNT_NUMBER)).where(_LINE.account_number.is_not(None)).distinct()
    accounts = lines.subquery()
    entitlement, payment, verdict = ward.entitlement, ward.payment, ward.verdict
    later = verdict.alias("later")
    last = ~exists().where(
        later.c.entitlement_id == verdict.c.entitlement_id, later.c.planned_file_id > verdict.c.planned_file_id
    )

    def using(table: Any, condition: Callable[[], Any]) -> Select[Any]:
        same = and_(*(table.c[name] == accounts.c[name] for name in ACCOUNT_NUMBER))
        fled = (entitlement.c.slot_kind == "EVACUEE") | (
            (entitlement.c.slot_kind == "CHILD") & entitlement.c.household_number.is_(None)
        )
        seen = entitlement.c.programme == programme.id
        return (
            select(
                *(accounts.c[name] for name in ACCOUNT_NUMBER),
                entitlement.c.household_number,
                entitlement.c.payee_number,
            )
            .select_from(accounts)
            .join(table, same)
            .join(entitlement, entitlement.c.id == table.c.entitlement_id)
            .where(condition(), seen if ward_rows else seen & ~fled)
        )

    return union_all(
        using(payment, lambda: payment.c.state.in_(LIVE_STATES)),
        using(verdict, lambda: and_(verdict.c.verdict != "不可", last)),
    )
