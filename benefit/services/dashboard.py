"""いまの様子: 対象、発送、収受、審査済、支給済、振込不能率を、全体・給付ごと・日ごとに数える。

数は、台帳の支給権利・手紙・判定・支払・不能から、その場で集計する（書き溜めた数はない）。支給済は、銀行が入金した
（F42）支払だけで、送っただけの支払も、不能で返った支払も入らない。
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import polars as pl
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Subquery,
    and_,
    case,
    exists,
    func,
    or_,
    select,
    union_all,
)

from benefit.services import mailing_sent
from benefit.services.failure_facts import day_of
from benefit.store import ward
from benefit.store.frames import fetch

#: 給付ごとの数の列。
COUNTS = ("targets", "sent", "received", "reviewed", "paid", "failed", "answered")
#: いまの段階（一つの権利は、どれか一つにいる）。
STAGES = ("unsent", "waiting", "judged", "credited", "returned")
STAGE_NAMES = {
    "unsent": "未発送",
    "waiting": "発送済",
    "judged": "審査済",
    "credited": "支給済",
    "returned": "振込不能",
}
#: 日ごとの系列。
DAILY = ("targets", "sent", "received", "reviewed", "paid", "failed", "returned_mail")
NAMES = {
    "targets": "対象",
    "sent": "発送",
    "received": "収受",
    "reviewed": "審査済",
    "paid": "支給済",
    "failed": "振込不能",
    "returned_mail": "返戻",
}


@dataclass(frozen=True)
class Figures:
    """六つの数。`answered` は銀行の結果が届いた振込の数（振込不能率の母数）。"""

    targets: int
    targets_yen: int
    sent: int
    received: int
    reviewed: int
    paid: int
    paid_yen: int
    failed: int
    answered: int

    @property
    def failed_rate(self) -> str:
        """振込不能率（%、小数一桁）。結果がまだなければ「－」。"""
        if not self.answered:
            return "－"
        tenths = (self.failed * 1000 * 2 + self.answered) // (self.answered * 2)
        return f"{tenths // 10}.{tenths % 10}%"


def _flag(test: ColumnElement[bool]) -> ColumnElement[int]:
    return func.max(case((test, 1), else_=0))


def progress_now() -> Subquery:
    """委託先から届いた、いまの進み（給付管理番号ごとに、最後の受渡の一行）。"""
    progress = ward.desk_progress
    newest = (
        select(progress.c.case_number, func.max(progress.c.sequence).label("sequence"))
        .group_by(progress.c.case_number)
        .subquery()
    )
    return (
        select(progress.c.case_number, progress.c.received_on, progress.c.reviewed_on, progress.c.returned_on)
        .join(newest, and_(newest.c.case_number == progress.c.case_number, newest.c.sequence == progress.c.sequence))
        .where(progress.c.present)
        .subquery()
    )


def facts_query() -> Select[Any]:
    """権利ごとの印: 給付管理番号、給付、額、発送、収受、審査、支給、不能、結果の数、最後の支払の状態、段階。"""
    entitlement, valid, letter, verdict, payment = (
        ward.entitlement,
        ward.valid_entitlement,
        ward.letter,
        ward.verdict,
        ward.payment,
    )
    printed = exists().where(letter.c.entitlement_id == entitlement.c.id, mailing_sent.sent())
    verdicts = (
        select(
            verdict.c.entitlement_id,
            _flag(verdict.c.received_on.is_not(None)).label("received"),
            _flag(verdict.c.reviewed_on.is_not(None)).label("reviewed"),
            _flag(verdict.c.verdict == "支給可").label("payable"),
        )
        .where(verdict.c.entitlement_id.is_not(None))
        .group_by(verdict.c.entitlement_id)
        .subquery()
    )
    payments = (
        select(
            payment.c.entitlement_id,
            _flag(payment.c.state == "F42").label("paid"),
            _flag(payment.c.state.in_(["F40", "F41"])).label("moving"),
            func.sum(case((payment.c.state == "F43", 1), else_=0)).label("failed"),
            func.sum(case((payment.c.state.in_(["F42", "F43", "F48"]), 1), else_=0)).label("answered"),
        )
        .where(payment.c.entitlement_id.is_not(None))
        .group_by(payment.c.entitlement_id)
        .subquery()
    )

    def marked(column: ColumnElement[object]) -> ColumnElement[int]:
        return func.coalesce(column, 0)

    progress = progress_now()
    sent = case((printed, 1), else_=0)
    received = case((or_(verdicts.c.received == 1, progress.c.received_on.is_not(None)), 1), else_=0)
    reviewed = case(
        (or_(verdicts.c.reviewed == 1, verdicts.c.payable == 1, progress.c.reviewed_on.is_not(None)), 1), else_=0
    )
    paid, failed = marked(payments.c.paid), marked(payments.c.failed)
    stage = case(
        (paid == 1, "credited"),
        (and_(failed > 0, marked(payments.c.moving) == 0), "returned"),
        (reviewed == 1, "judged"),
        (sent == 1, "waiting"),
        else_="unsent",
    )
    return (
        select(
            entitlement.c.case_number,
            entitlement.c.benefit,
            entitlement.c.amount_yen,
            sent.label("sent"),
            received.label("received"),
            reviewed.label("reviewed"),
            paid.label("paid"),
            failed.label("failed"),
            marked(payments.c.answered).label("answered"),
            stage.label("stage"),
        )
        .join(valid, valid.c.entitlement_id == entitlement.c.id)
        .outerjoin(verdicts, verdicts.c.entitlement_id == entitlement.c.id)
        .outerjoin(payments, payments.c.entitlement_id == entitlement.c.id)
        .outerjoin(progress, progress.c.case_number == entitlement.c.case_number)
    )


def by_benefit(connection: Connection) -> pl.DataFrame:
    """給付ごと: benefit、COUNTS、targets_yen、paid_yen、STAGES の数。"""
    one = facts_query().subquery()
    marks = ("benefit", "sent", "received", "reviewed", "paid", "failed", "answered", "stage")
    chosen = [one.c[name] for name in marks]
    query = select(*chosen, func.count(), func.sum(one.c.amount_yen)).group_by(*chosen)
    schema = {name: pl.String if name in {"benefit", "stage"} else pl.Int64 for name in (*marks, "targets", "yen")}
    # 印の組ごとに数えてから足す（一行ずつ、印を何度も計算しない）。
    rows = [tuple(int(one) if not isinstance(one, str) else one for one in row) for row in connection.execute(query)]
    groups = pl.DataFrame(rows, schema=schema, orient="row")
    size = pl.col("targets")
    return (
        groups.group_by("benefit")
        .agg(
            size.sum(),
            *((pl.col(name) * size).sum() for name in COUNTS[1:]),
            targets_yen=pl.col("yen").sum(),
            paid_yen=(pl.col("yen") * pl.col("paid")).sum(),
            **{name: size.filter(pl.col("stage") == name).sum() for name in STAGES},
        )
        .sort("benefit")
    )


def figures(rows: pl.DataFrame) -> Figures:
    """全体の六つの数。`rows` は by_benefit の表。"""
    return Figures(
        **{name: int(rows[name].sum()) for name in (*COUNTS, "targets_yen", "paid_yen")},
    )


def by_day(connection: Connection, today: date) -> pl.DataFrame:
    """日ごと: day と DAILY の、その日の数。初めの日から `today` まで、何もない日も並ぶ。"""
    found = [_counted(connection, name, query) for name, query in _daily().items()]
    found += _papers(connection)
    found += [_moments(connection, name, query) for name, query in _momentary().items()]
    every = pl.concat(found, how="diagonal").filter(pl.col("day").is_not_null())
    first = every["day"].min()
    begin = first if isinstance(first, date) else today
    last = max([today, *every["day"].to_list()]) if every.height else today
    whole = pl.DataFrame({"day": _days(begin, last)}, schema={"day": pl.Date})
    for name in DAILY:
        part = every.filter(pl.col("name") == name).group_by("day").agg(pl.col("count").sum().alias(name))
        whole = whole.join(part, on="day", how="left")
    return whole.fill_null(0).sort("day")


def _days(begin: date, end: date) -> Sequence[date]:
    return [begin + timedelta(days=place) for place in range(max(0, (end - begin).days) + 1)]


def _daily() -> dict[str, Select[Any]]:
    """系列 → （日, その日の数）の問い合わせ。一つの権利は、初めの日に一度だけ数える。"""
    letter, payment, progress = ward.letter, ward.payment, progress_now()
    first_sent = (
        select(func.min(letter.c.issued_on).label("day"))
        .where(mailing_sent.sent())
        .group_by(letter.c.entitlement_id)
        .subquery()
    )

    line, transfer = ward.transfer_line, ward.transfer
    return {
        "sent": select(first_sent.c.day, func.count()).group_by(first_sent.c.day),
        "paid": select(transfer.c.pay_date, func.count())
        .join(line, line.c.transfer_id == transfer.c.id)
        .join(payment, payment.c.id == line.c.payment_id)
        .where(payment.c.state == "F42", payment.c.entitlement_id.is_not(None))
        .group_by(transfer.c.pay_date),
        "returned_mail": select(progress.c.returned_on, func.count())
        .where(progress.c.returned_on.is_not(None))
        .group_by(progress.c.returned_on),
    }


def _papers(connection: Connection) -> list[pl.DataFrame]:
    """収受と審査の、日ごとの数。判定と、委託先から届いた進みの、早い方の日。審査は、審査の日がなければ支給可になった日。"""
    verdict, judged, entitlement, progress = ward.verdict, ward.planned_file, ward.entitlement, progress_now()
    reviewed = func.coalesce(verdict.c.reviewed_on, case((verdict.c.verdict == "支給可", judged.c.judged_on)))
    both = union_all(
        select(verdict.c.entitlement_id, verdict.c.received_on, reviewed.label("reviewed_on"))
        .join(judged, judged.c.id == verdict.c.planned_file_id)
        .where(verdict.c.entitlement_id.is_not(None)),
        select(entitlement.c.id, progress.c.received_on, progress.c.reviewed_on).join(
            progress, progress.c.case_number == entitlement.c.case_number
        ),
    ).subquery()
    days = (
        select(func.min(both.c.received_on).label("received"), func.min(both.c.reviewed_on).label("reviewed"))
        .group_by(both.c.entitlement_id)
        .subquery()
    )
    query = select(days.c.received, days.c.reviewed, func.count()).group_by(days.c.received, days.c.reviewed)
    found = fetch(connection, query, {"received": pl.Date, "reviewed": pl.Date, "count": pl.Int64})
    return [found.select("count", day=name, name=pl.lit(name)) for name in ("received", "reviewed")]


def _counted(connection: Connection, name: str, query: Select[Any]) -> pl.DataFrame:
    found = fetch(connection, query, {"day": pl.Date, "count": pl.Int64})
    return found.with_columns(name=pl.lit(name))


def _momentary() -> dict[str, Select[Any]]:
    """時刻だけが残る系列: 対象は承認した時、不能は仕訳が立った時（人が結んだ行も、機械が結んだ行も）。"""
    approval, valid, posting, payment = ward.run_approval, ward.valid_entitlement, ward.posting, ward.payment
    return {
        "targets": select(approval.c.approved_at, func.count())
        .join(valid, valid.c.run_id == approval.c.run_id)
        .group_by(approval.c.approved_at),
        "failed": select(posting.c.at, func.count())
        .join(payment, payment.c.id == posting.c.payment_id)
        .where(
            posting.c.kind.in_(["fail", "uncredit"]), payment.c.state == "F43", payment.c.entitlement_id.is_not(None)
        )
        .group_by(posting.c.at),
    }


def _moments(connection: Connection, name: str, query: Select[Any]) -> pl.DataFrame:
    rows = [(day_of(at), count) for at, count in connection.execute(query)]
    return pl.DataFrame(rows, schema={"day": pl.Date, "count": pl.Int64}, orient="row").with_columns(name=pl.lit(name))
