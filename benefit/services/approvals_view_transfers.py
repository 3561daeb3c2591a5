"""振込の承認の一枚: 件数・合計・指紋、前のファイルとの重なり、消えた行、上限、大きい十件、変わった十件。"""

from __future__ import annotations

from typing import Any

import polars as pl
from sqlalchemy import Connection, and_, func, select

from benefit.domain.errors import WrongUse
from benefit.domain.programme import Programme
from benefit.domain.transfer import LIVE_STATES
from benefit.rules.payment_verdicts import payment_checks
from benefit.services.approvals_view import Sheet, Table
from benefit.services.approvals_view_odd import strangest
from benefit.services.home import Home
from benefit.services.transfers import APPROVALS_NEEDED
from benefit.store import ward
from benefit.store.engine import reading
from benefit.store.frames import fetch

_MOST = 10
_LINES = {
    "line_number": pl.Int64,
    "case_number": pl.String,
    "benefit": pl.String,
    "payee_number": pl.Int64,
    "amount_yen": pl.Int64,
    "attempt": pl.Int64,
    "state": pl.String,
    "checks": pl.String,
    "bank_code": pl.String,
    "branch_code": pl.String,
    "account_type": pl.String,
    "account_number": pl.String,
    "holder_kana": pl.String,
}
_FEATURES = {
    "benefit_amount": "給付と額",
    "checks": "判定の注意",
    "again": "振り込むのは",
    "shared": "同じ口座の受給者",
    "bank": "金融機関と店舗",
    "account_type": "預金種目",
}


def sheet(home: Home, number: int) -> Sheet:
    """振込 `number` の一枚。"""
    with reading(home.ward) as connection:
        head = connection.execute(select(ward.transfer).where(ward.transfer.c.id == number)).mappings().first()
        if head is None:
            raise WrongUse(f"振込 {number} はありません", code="no-transfer")
        programme = home.programme(head["programme"])
        lines = _lines(connection, number)
        approvers = _approvers(connection, number, head["sha256"])
        released = (
            connection.execute(select(ward.transfer_release).where(ward.transfer_release.c.transfer_id == number))
            .mappings()
            .first()
        )
        overlap, again = _overlap(connection, number)
        gone = _gone(connection, number)
        spent = _spent(connection, programme)
        before = _before(connection, programme, number)
    lines = _described(lines)
    told = {name: int(value) for name, value in head.items() if name in {"line_count", "total_yen", "largest_yen"}}
    closed = ""
    if released is not None:
        closed = f"{released['released_by']} が送り出しました"
    elif "F49" in lines["state"]:
        closed = "取り消されています。作り直してください"
    elif len(approvers) >= APPROVALS_NEEDED:
        closed = "二人の承認がそろっています。送り出しを待っています"
    return Sheet(
        kind="transfer",
        number=number,
        what=f"振込 {number}（指定日 {head['pay_date']}）",
        asked_by=head["made_by"],
        asked_at=head["made_at"],
        reason="",
        count=told["line_count"],
        total_yen=told["total_yen"],
        facts=(
            ("件数", f"{told['line_count']:,}件（行を数え直して {lines.height:,}件）"),
            ("合計", f"{told['total_yen']:,}円（行を足し直して {int(lines['amount_yen'].sum()):,}円）"),
            ("一番大きい一件", f"{told['largest_yen']:,}円"),
            ("前のファイルにいて、まだ生きている支払", f"{overlap:,}件"),
            ("前に不能などで戻り、もう一度振り込むもの", f"{again:,}件"),
            ("前のファイルにいて、消えた行", f"{gone.height:,}件"),
            ("ファイルの指紋", head["sha256"]),
        ),
        tables=[
            Table("上限", _ceilings(programme, lines, told, spent)),
            Table("給付ごと", _benefits(home, lines, before)),
            Table("額の大きい十件", _shown(home, lines.sort("amount_yen", "case_number", descending=[True, False]))),
            _odd(home, programme, lines),
            Table(
                "消えた行",
                _named(home, gone),
                "前の申し出にあり、まだ払っていないのに、このファイルの申し出になかった権利です",
            ),
        ],
        effect="二人の承認がそろうと、このファイルを銀行へ送り出せるようになります",
        until="送り出すまで取り消せます。送り出した後は、組戻しを銀行に頼むことになります",
        digest=head["sha256"],
        warnings=_warnings(programme, lines, overlap, gone, before),
        approvers=approvers,
        closed=closed,
        programme=programme.id,
        released=released is not None,
    )


def book(home: Home, number: int) -> pl.DataFrame:
    """ファイルの行の全部（口座は終わり三桁）。"""
    with reading(home.ward) as connection:
        lines = _described(_lines(connection, number))
    return _shown(home, lines, most=lines.height)


def _lines(connection: Connection, number: int) -> pl.DataFrame:
    line, payment, entitlement, verdict = ward.transfer_line, ward.payment, ward.entitlement, ward.verdict
    query = (
        select(
            line.c.line_number,
            entitlement.c.case_number,
            entitlement.c.benefit,
            entitlement.c.payee_number,
            payment.c.amount_yen,
            payment.c.attempt,
            payment.c.state,
            verdict.c.checks,
            *(payment.c[name] for name in list(_LINES)[8:]),
        )
        .join(payment, payment.c.id == line.c.payment_id)
        .outerjoin(entitlement, entitlement.c.id == payment.c.entitlement_id)
        .outerjoin(
            verdict,
            and_(
                verdict.c.planned_file_id == payment.c.planned_file_id, verdict.c.line_number == payment.c.line_number
            ),
        )
        .where(line.c.transfer_id == number)
        .order_by(line.c.line_number)
    )
    return fetch(connection, query, _LINES)


def _described(lines: pl.DataFrame) -> pl.DataFrame:
    account = ["bank_code", "branch_code", "account_type", "account_number"]
    people = pl.col("payee_number").n_unique().over(account)
    return lines.with_columns(
        case_number=pl.col("case_number").fill_null("（ほかの課）"),
        benefit=pl.col("benefit").fill_null("ほかの課"),
        shared_people=people,
        again=pl.when(pl.col("attempt") > 1).then(pl.format("{} 回目", "attempt")).otherwise(pl.lit("初めて")),
        shared=pl.when(people > 1).then(pl.format("{} 人", people)).otherwise(pl.lit("一人")),
        bank=pl.concat_str("bank_code", pl.lit("-"), "branch_code"),
    )


def _approvers(connection: Connection, number: int, sha256: str) -> tuple[str, ...]:
    table = ward.approval
    query = select(table.c.staff_id).where(table.c.transfer_id == number, table.c.sha256 == sha256)
    return tuple(connection.execute(query.order_by(table.c.approved_at)).scalars())


def _overlap(connection: Connection, number: int) -> tuple[int, int]:
    """(ほかのファイルに生きた支払のある slot の数, もう一度振り込む行の数)。前の数は、いつも 0 でなければならない。"""
    line, payment = ward.transfer_line, ward.payment
    other, place = payment.alias("other"), line.alias("place")
    live = (
        select(func.count(func.distinct(payment.c.slot)))
        .join(line, line.c.payment_id == payment.c.id)
        .join(other, and_(other.c.slot == payment.c.slot, other.c.id != payment.c.id, other.c.state.in_(LIVE_STATES)))
        .join(place, place.c.payment_id == other.c.id)
        # 不能で戻り、後のファイルでもう一度振り込んだものは、重なりではない。
        .where(line.c.transfer_id == number, place.c.transfer_id != number, payment.c.state.in_(LIVE_STATES))
    )
    again = (
        select(func.count())
        .select_from(payment)
        .join(line, line.c.payment_id == payment.c.id)
        .where(line.c.transfer_id == number, payment.c.attempt > 1)
    )
    return int(connection.execute(live).scalar_one()), int(connection.execute(again).scalar_one())


def _gone(connection: Connection, number: int) -> pl.DataFrame:
    """このファイルのもとの申し出で、消えていた行。"""
    line, payment, vanished, entitlement = ward.transfer_line, ward.payment, ward.vanished, ward.entitlement
    files = (
        select(payment.c.planned_file_id)
        .join(line, line.c.payment_id == payment.c.id)
        .where(line.c.transfer_id == number, payment.c.planned_file_id.is_not(None))
        .distinct()
    )
    query = (
        select(entitlement.c.case_number, entitlement.c.benefit, entitlement.c.amount_yen, vanished.c.standing)
        .join(entitlement, entitlement.c.id == vanished.c.entitlement_id)
        .where(vanished.c.planned_file_id.in_(files))
        .order_by(entitlement.c.case_number)
    )
    schema = {"給付管理番号": pl.String, "給付": pl.String, "額（円）": pl.Int64, "いま": pl.String}
    return fetch(connection, query, schema)


def _spent(connection: Connection, programme: Programme) -> int:
    """この給付で払った分と、途中の分（このファイルも入る）。"""
    payment, entitlement = ward.payment, ward.entitlement
    query = (
        select(func.coalesce(func.sum(payment.c.amount_yen), 0))
        .join(entitlement, entitlement.c.id == payment.c.entitlement_id)
        .where(payment.c.state.in_(LIVE_STATES), entitlement.c.programme == programme.id)
    )
    return int(connection.execute(query).scalar_one())


def _before(connection: Connection, programme: Programme, number: int) -> pl.DataFrame | None:
    """前に送り出したファイルの、給付ごとの件数と額。なければ None。"""
    transfer, release = ward.transfer, ward.transfer_release
    last = connection.execute(
        select(func.max(transfer.c.id))
        .join(release, release.c.transfer_id == transfer.c.id)
        .where(transfer.c.programme == programme.id, transfer.c.id < number)
    ).scalar()
    return None if last is None else _described(_lines(connection, last))


def _ceilings(programme: Programme, lines: pl.DataFrame, told: dict[str, int], spent: int) -> pl.DataFrame:
    terms = programme.transfer
    people = lines.filter(pl.col("payee_number").is_not_null()).group_by("payee_number").agg(pl.col("amount_yen").sum())
    richest = max([0, *people["amount_yen"].to_list()])
    rows: list[tuple[str, int, int | None]] = [
        ("一件（超えると作れない）", told["largest_yen"], terms.line_block_yen),
        ("一件（超えると二人で解除したもの）", told["largest_yen"], terms.line_hold_yen),
        ("一人の合計", richest, terms.line_block_yen),
        ("ファイルの件数", told["line_count"], terms.file_line_max),
        ("ファイルの合計", told["total_yen"], terms.file_total_max_yen),
        ("予算（払った分と途中の分）", spent, terms.budget_yen),
    ]
    shown = [
        (name, value, most, "決めていません" if most is None else "超える" if value > most else "")
        for name, value, most in rows
    ]
    schema = {"見ること": pl.String, "いま": pl.Int64, "上限": pl.Int64, "注意": pl.String}
    return pl.DataFrame(shown, schema=schema, orient="row")


def _benefits(home: Home, lines: pl.DataFrame, before: pl.DataFrame | None) -> pl.DataFrame:
    def counted(frame: pl.DataFrame, when: str) -> pl.DataFrame:
        return frame.group_by("benefit").agg(
            pl.len().cast(pl.Int64).alias(f"{when}件数"), pl.col("amount_yen").sum().alias(f"{when}額（円）")
        )

    joined = counted(lines.clear() if before is None else before, "前のファイルの").join(
        counted(lines, "今の"), on="benefit", how="full", coalesce=True
    )
    names = home.benefit_names
    return (
        joined.sort("benefit")
        .with_columns(pl.col("benefit").replace_strict(names, default=pl.col("benefit")))
        .rename({"benefit": "給付"})
        .with_columns(pl.selectors.numeric().fill_null(0))
    )


def _shown(home: Home, lines: pl.DataFrame, *, most: int = _MOST) -> pl.DataFrame:
    names = home.benefit_names
    return lines.head(most).select(
        給付管理番号="case_number",
        給付=pl.col("benefit").replace_strict(names, default=pl.col("benefit")),
        **{"額（円）": pl.col("amount_yen")},
        口座=pl.concat_str(
            "bank", pl.lit("-"), "account_type", pl.lit("-****"), pl.col("account_number").str.slice(-3)
        ),
        名義="holder_kana",
        何回目="attempt",
    )


def _named(home: Home, gone: pl.DataFrame) -> pl.DataFrame:
    return gone.with_columns(pl.col("給付").replace_strict(home.benefit_names, default=pl.col("給付")))


def _odd(home: Home, programme: Programme, lines: pl.DataFrame) -> Table:
    words = {check.number: f"{check.number} {check.says}" for check in payment_checks(programme)}
    names = home.benefit_names
    told = lines.with_columns(
        benefit_amount=pl.format(
            "{} {}円", pl.col("benefit").replace_strict(names, default=pl.col("benefit")), "amount_yen"
        ),
        checks=pl.col("checks").fill_null("").str.split(";").list.eval(pl.element().replace(words)).list.join("、"),
    )
    odd = strangest(told, _FEATURES, key="case_number")
    return Table(
        "変わった十件",
        _shown(home, odd).with_columns(odd["odd"].alias("めずらしい所")),
        "このファイルの中で、めずらしい組合せのものから並べています",
    )


def _warnings(
    programme: Programme, lines: pl.DataFrame, overlap: int, gone: pl.DataFrame, before: pl.DataFrame | None
) -> list[str]:
    """間違いかもしれないこと。"""
    told: list[str] = []
    over = lines.filter(pl.col("amount_yen") > programme.transfer.line_hold_yen)
    if over.height:
        told.append(f"{programme.transfer.line_hold_yen:,}円を超える行が {over.height:,} 件あります")
    shared = lines.filter(pl.col("shared_people") > 1)
    if shared.height:
        told.append(f"二人以上の受給者が同じ口座に入る行が {shared.height:,} 件あります")
    if overlap:
        told.append(f"前のファイルと重なる支払が {overlap:,} 件あります。承認しないで、担当に連絡してください")
    if gone.height:
        told.append(f"前の申し出から消えた行が {gone.height:,} 件あります")
    total = int(lines["amount_yen"].sum())
    earlier: Any = None if before is None else int(before["amount_yen"].sum())
    if earlier and total > earlier * 3:
        told.append(f"合計が、前のファイル（{earlier:,}円）の三倍を超えています")
    return told
