"""ログ分析の材料: 監査ログと、それに照らす表を、期間だけ Polars に読む。氏名は手元だけで使い、報告には出さない。"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import polars as pl
from sqlalchemy import Connection, Select, String, and_, exists, func, literal, not_, select, type_coerce, union_all

from benefit.domain.clock import TOKYO
from benefit.domain.handover_states import CANCELLED, GIVEN_BACK, ISSUED, PRINT_OUT, USED
from benefit.services.audit_verify import Side, side
from benefit.store import desk, ward
from benefit.store.frames import fetch

#: 普段の数（平均と散らばり）を知るための、期間の前の日数。
BASELINE = timedelta(days=30)
#: 当たりが多すぎたとき（number でなく "many"）に数える件数。
MANY = 6

LOG = {
    "sequence": pl.Int64,
    "at": pl.String,
    "actor": pl.String,
    "role": pl.String,
    "terminal": pl.String,
    "action": pl.String,
    "subject": pl.String,
    "reason": pl.String,
    "detail": pl.String,
}
PEOPLE = {"id": pl.String, "name": pl.String}
CASES = {"case_number": pl.String, "name": pl.String, "person_number": pl.String}
CALLS = {"actor": pl.String, "reference": pl.String, "at": pl.String, "ended": pl.String}
PAID = {
    "transfer_id": pl.Int64,
    "released": pl.String,
    "slot": pl.String,
    "case_number": pl.String,
    "household_number": pl.Int64,
    "payee_number": pl.Int64,
    "account": pl.String,
    "first_approver": pl.String,
    "second_approver": pl.String,
}
ACCOUNT_CHANGES = {"case_number": pl.String, "changed_on": pl.Date}
EDITORS = {"slot": pl.String, "editor": pl.String}
RUNS = {"run": pl.String, "on": pl.Date, "expected": pl.Int64, "found": pl.Int64}
#: `used` と `report_days` は、消去報告書の期限（使用から何日か。決めのない受渡は null）。
HANDOVERS = {
    "name": pl.String,
    "given": pl.String,
    "received": pl.String,
    "erased": pl.String,
    "erasable": pl.Boolean,
    "used": pl.String,
    "report_days": pl.Int64,
}
#: 時刻の列。
HANDOVER_TIMES = ("given", "received", "erased", "used")


def _empty(schema: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(schema=schema)


@dataclass(frozen=True)
class Logs:
    """一つの台帳の、ある期間の材料。`log` は期間の前の 30 日も含む（普段の数を知るため）。

    log に足した列: day・hour（日本の日と時）、call（電話の番号）、hits（当たり）、rows（件数）。
    """

    store: str
    since: date
    until: date
    log: pl.DataFrame
    people: pl.DataFrame = field(default_factory=lambda: _empty(PEOPLE))
    cases: pl.DataFrame = field(default_factory=lambda: _empty(CASES))
    calls: pl.DataFrame = field(default_factory=lambda: local(_empty(CALLS), "at", "ended"))
    paid: pl.DataFrame = field(default_factory=lambda: local(_empty(PAID), "released"))
    account_changes: pl.DataFrame = field(default_factory=lambda: _empty(ACCOUNT_CHANGES))
    editors: pl.DataFrame = field(default_factory=lambda: _empty(EDITORS))
    runs: pl.DataFrame = field(default_factory=lambda: _empty(RUNS))
    handovers: pl.DataFrame = field(default_factory=lambda: local(_empty(HANDOVERS), *HANDOVER_TIMES))

    @property
    def now(self) -> pl.DataFrame:
        """この期間だけのログ。"""
        return self.log.filter(pl.col("day").is_between(self.since, self.until))


def local(frame: pl.DataFrame, *columns: str) -> pl.DataFrame:
    """UTC の字の列を、日本の時刻に。"""
    return frame.with_columns(
        pl.col(*columns)
        .str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="us", time_zone="UTC")
        .dt.convert_time_zone("Asia/Tokyo")
        .dt.replace_time_zone(None)
    )


def with_details(log: pl.DataFrame) -> pl.DataFrame:
    """`LOG` の表に、日・時と、詳しい中身（JSON）の列を足す。"""

    def read(name: str) -> pl.Expr:
        return pl.col("detail").str.json_path_match(f"$.{name}")

    return (
        local(log, "at")
        .with_columns(
            day=pl.col("at").dt.date(),
            hour=pl.col("at").dt.hour(),
            call=read("call").fill_null(""),
            hits=pl.when(read("hits") == "many").then(MANY).otherwise(read("hits").cast(pl.Int64, strict=False)),
            rows=read("rows").cast(pl.Int64, strict=False),
        )
        .drop("detail")
    )


def gather(connection: Connection, store: str, since: date, until: date) -> Logs:
    """台帳から読む。`since`・`until` は日本の日付（両端を含む）。"""
    which = side(store)
    begin, end = _moment(since - BASELINE), _moment(until + timedelta(days=1))
    log = which.log
    columns = [_text(connection, log.c.at) if name == "at" else log.c[name] for name in LOG]
    query = select(*columns).where(log.c.at >= begin, log.c.at < end).order_by(log.c.sequence)
    found = with_details(fetch(connection, query, LOG))
    people = fetch(connection, select(which.table("staff").c.id, which.table("staff").c.name), PEOPLE)
    more = _desk(connection, begin, end) if store == "desk" else _ward(connection, which, since, until)
    return Logs(store, since, until, found, people, **more)


def _moment(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=TOKYO).astimezone(UTC)


def _text(connection: Connection, column: Any) -> Any:
    """時刻を UTC の字で（どちらのデータベースでも同じ形）。"""
    if connection.dialect.name == "postgresql":
        return func.to_char(func.timezone("UTC", column), "YYYY-MM-DD HH24:MI:SS.US")
    return type_coerce(column, String)


def _desk(connection: Connection, begin: datetime, end: datetime) -> dict[str, pl.DataFrame]:
    case, call = desk.benefit_case, desk.call
    calls = select(
        call.c.staff_id, call.c.reference, _text(connection, call.c.started_at), _text(connection, call.c.ended_at)
    ).where(call.c.started_at >= begin - timedelta(days=1), call.c.started_at < end)
    return {
        "cases": fetch(connection, select(case.c.case_number, case.c.name, case.c.person_number), CASES),
        "calls": local(fetch(connection, calls.order_by(call.c.started_at), CALLS), "at", "ended"),
    }


def _ward(connection: Connection, which: Side, since: date, until: date) -> dict[str, pl.DataFrame]:
    begin, end = _moment(since), _moment(until + timedelta(days=1))
    return {
        "paid": local(fetch(connection, _paid(connection, begin, end), PAID), "released"),
        "account_changes": fetch(connection, _account_changes(), ACCOUNT_CHANGES),
        "editors": fetch(connection, _editors(), EDITORS),
        "runs": _runs(connection, since, until),
        "handovers": _handovers(connection, which, end),
    }


def _paid(connection: Connection, begin: datetime, end: datetime) -> Select[Any]:
    """期間に送り出した振込の行。"""
    line, release, payment, owner = ward.transfer_line, ward.transfer_release, ward.payment, ward.entitlement
    account = payment.c.bank_code + payment.c.branch_code + payment.c.account_type + payment.c.account_number
    return (
        select(
            line.c.transfer_id,
            _text(connection, release.c.released_at),
            payment.c.slot,
            owner.c.case_number,
            owner.c.household_number,
            owner.c.payee_number,
            account,
            release.c.first_approver,
            release.c.second_approver,
        )
        .select_from(line)
        .join(release, release.c.transfer_id == line.c.transfer_id)
        .join(payment, payment.c.id == line.c.payment_id)
        .outerjoin(owner, owner.c.id == payment.c.entitlement_id)
        .where(release.c.released_at >= begin, release.c.released_at < end)
    )


def _account_changes() -> Select[Any]:
    """委託先から届いた口座変更の日。"""
    progress = ward.desk_progress
    return (
        select(progress.c.case_number, progress.c.account_changed_on)
        .where(progress.c.account_changed_on.is_not(None))
        .distinct()
    )


def _editors() -> Any:
    """金額や口座のもとになる仕事を入れた人: 申請、出し直し、不能の回答。"""
    claim, slot, reissue, owner = ward.claim, ward.claim_slot, ward.reissue_request, ward.entitlement
    answer, failure = ward.failure_answer, ward.failure
    return union_all(
        select(slot.c.slot, claim.c.entered_by).join(claim, claim.c.id == slot.c.claim_id),
        select(owner.c.slot, reissue.c.asked_by).join(reissue, reissue.c.entitlement_id == owner.c.id),
        select(failure.c.slot, answer.c.asked_by).join(answer, answer.c.failure_id == failure.c.id),
    )


def _runs(connection: Connection, since: date, until: date) -> pl.DataFrame:
    """支給予定情報の行数と、判定した行数（支給判定・二重支給の確認）。"""
    file, verdict = ward.planned_file, ward.verdict
    counted = (
        select(func.count())
        .select_from(verdict)
        .where(verdict.c.planned_file_id == file.c.id)
        .correlate(file)
        .scalar_subquery()
    )
    query = select(literal("支給判定 ") + file.c.file_number, file.c.judged_on, file.c.row_count, counted).where(
        file.c.judged_on.between(since, until)
    )
    return fetch(connection, query, RUNS)


def _handovers(connection: Connection, which: Side, end: datetime) -> pl.DataFrame:
    """区から出した受渡と、その受取・消去。

    受取は、給付管理システムの進捗情報がその連番を読んだと言えば、それで足りる。ほかは職員の記録
    （handover.received・handover.erased）による。銀行と区の間のファイルには、消去の報告を求めない。
    出す前に取り消した包みは受渡でなく、開けられないまま返った包みには、消すものがない。
    """
    table, back, log = ward.handover, ward.desk_handback, which.log
    name = table.c.crossing + "/" + func.cast(table.c.sequence, String)

    def noted(action: str) -> Any:
        noted = select(func.min(log.c.at)).where(log.c.action == action, log.c.subject == name)
        return noted.correlate(table).scalar_subquery()

    loaded = (
        select(func.min(back.c.taken_at))
        .where(table.c.crossing == "payees_out", back.c.load_sequence >= table.c.sequence)
        .correlate(table)
        .scalar_subquery()
    )
    event, package, told = ward.handover_event, ward.handover_package, ward.handover_passphrase

    def stepped(step: str) -> Any:
        at = select(func.min(event.c.at)).where(event.c.handover_id == table.c.id, event.c.step == step)
        return at.correlate(table).scalar_subquery()

    opened = exists().where(told.c.handover_id == table.c.id).correlate(table)
    unopened = and_(stepped(GIVEN_BACK).is_not(None), stepped(USED).is_(None), not_(opened))
    received = func.coalesce(loaded, noted("handover.received"), stepped(GIVEN_BACK))
    query = (
        select(
            name,
            _text(connection, func.coalesce(stepped(ISSUED), table.c.at)),
            _text(connection, received),
            _text(connection, noted("handover.erased")),
            and_(table.c.crossing == PRINT_OUT, not_(unopened)),
            _text(connection, stepped(USED)),
            package.c.report_days,
        )
        .outerjoin(package, package.c.handover_id == table.c.id)
        .where(table.c.crossing.in_(["payees_out", PRINT_OUT]), table.c.at < end, stepped(CANCELLED).is_(None))
    )
    return local(fetch(connection, query, HANDOVERS), *HANDOVER_TIMES)
