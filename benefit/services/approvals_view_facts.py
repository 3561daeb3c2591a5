"""承認の一枚に見せること。いまの事実から作るので、申し出の後に何かが変われば、一枚の指紋が変わる。"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
from sqlalchemy import Connection, select

from benefit.domain.transfer import PAYMENT_STATE_NAMES
from benefit.rules.payment_verdicts import payment_checks
from benefit.services import holds, recalls, undo_paper, undo_plan
from benefit.services.approvals_view_kinds import Row, payment_of, right_of
from benefit.services.bank_report_match import WORDS
from benefit.services.home import Home
from benefit.store import ward

Facts = list[tuple[str, str]]
_OUTCOME_NAMES = {word: outcome.says for outcome, word in WORDS.items()}


def masked(row: Row) -> str:
    """口座: 金融機関・店舗・種目と、番号の終わり三桁だけ。"""
    if row["account_number"] is None:
        return "なし"
    kind, tail = row["account_type"], row["account_number"][-3:]
    return f"{row['bank_code']}-{row['branch_code']}-{kind}-****{tail} {row['holder_kana']}"


def facts(connection: Connection, home: Home, name: str, row: Row) -> tuple[Facts, Sequence[tuple[str, pl.DataFrame]]]:
    """一枚に見せること: （項目, 値）の並びと、表。いまの事実から作る（申し出の後に変われば、指紋が変わる）。"""
    if row.get("entitlement_id") is not None:
        return _of_right(connection, home, name, row), ()
    if name == "recall":
        return _of_recall(connection, row)
    if name == "undo":
        return _of_undo(connection, home, row)
    if name == "failure_answer":
        return _of_answer(connection, row), ()
    if name == "repayment":
        payment = payment_of(connection, row["payment_id"])
        return [
            *_right_facts(home, right_of(connection, payment["entitlement_id"])),
            ("請求する額", f"{row['amount_yen']:,}円"),
            ("払った額", f"{payment['amount_yen']:,}円"),
            ("支払のいま", PAYMENT_STATE_NAMES[payment["state"]]),
            ("理由の種類", row["cause"]),
            ("納期限", str(row["due_on"])),
        ], ()
    if name == "report_match":
        return _of_match(connection, row), ()
    return [
        (str(key), f"{value:,}" if isinstance(value, int) else str(value))
        for key, value in row.items()
        if key in {"event", "kind", "amount_yen", "receivable_id"}
    ], ()


def _right_facts(home: Home, right: Row) -> Facts:
    return [
        ("給付管理番号", right["case_number"]),
        ("給付", home.benefit_names.get(right["benefit"], right["benefit"])),
        ("支給額", f"{right['amount_yen']:,}円"),
        ("枝番", str(right["branch"])),
    ]


def _of_right(connection: Connection, home: Home, name: str, row: Row) -> Facts:
    right = right_of(connection, row["entitlement_id"])
    payment, verdict = ward.payment, ward.verdict
    last = connection.execute(
        select(payment.c.state).where(payment.c.entitlement_id == right["id"]).order_by(payment.c.attempt.desc())
    ).scalar()
    told = [*_right_facts(home, right), ("支払のいま", PAYMENT_STATE_NAMES[last] if last else "まだ払っていません")]
    if name == "ending":
        return [*told, ("終わり方", row["kind"])]
    if name == "reissue":
        return [*told, ("申し出た枝番", str(row["branch"]))]
    judged = (
        connection.execute(
            select(verdict)
            .where(verdict.c.entitlement_id == right["id"])
            .order_by(verdict.c.planned_file_id.desc(), verdict.c.line_number)
        )
        .mappings()
        .first()
    )
    if judged is None:
        return told
    same = holds.line_digest(dict(judged)) == row["line_digest"]
    check = row["check_id"]
    words = {one.number: one.says for one in payment_checks(home.programme(right["programme"]))}
    return [
        *told,
        ("解除する検査", f"{check} {words.get(check, '')}"),
        ("いまの判定", f"{judged['verdict']}（{judged['checks'].replace(';', '、') or '引っかかりなし'}）"),
        ("申し出の額", f"{judged['amount_yen']:,}円"),
        ("口座", masked(dict(judged))),
        ("申し出の後に、額か口座が", "変わっていません" if same else "変わりました（この解除は効きません）"),
    ]


def _of_recall(connection: Connection, row: Row) -> tuple[Facts, Sequence[tuple[str, pl.DataFrame]]]:
    pay_date = connection.execute(
        select(ward.transfer.c.pay_date).where(ward.transfer.c.id == row["transfer_id"])
    ).scalar_one()
    wanted = {int(one) for one in row["payments"].split(",")}
    inside = [one for one in recalls.lines(connection, row["transfer_id"]) if one["payment_id"] in wanted]
    top = sorted(inside, key=lambda one: (-one["amount_yen"], one["line_number"]))[:10]
    frame = pl.DataFrame(
        [(one["case_number"] or "", one["amount_yen"], PAYMENT_STATE_NAMES[one["state"]]) for one in top],
        schema={"給付管理番号": pl.String, "額（円）": pl.Int64, "いま": pl.String},
        orient="row",
    )
    return [
        ("元の振込", f"振込 {row['transfer_id']}（指定日 {pay_date}）"),
        ("件数", f"{row['line_count']:,}件"),
        ("合計", f"{row['total_yen']:,}円"),
        ("一番大きい一件", f"{row['largest_yen']:,}円"),
        ("いま銀行送付済", f"{sum(one['state'] == 'F41' for one in inside):,}件"),
    ], [("額の大きい十件", frame)]


def _of_undo(connection: Connection, home: Home, row: Row) -> tuple[Facts, Sequence[tuple[str, pl.DataFrame]]]:
    found = undo_plan.read(connection, home.programme, row["id"])
    top = undo_paper.details(found).sort("金額", "給付管理番号", descending=[True, False]).head(10)
    return [
        ("範囲", found.scope.says),
        ("件数", f"{found.line_count:,}件"),
        ("取り戻す額", f"{found.total_yen:,}円"),
        ("権利の終わり方", found.terms.ending_kind),
        ("返還の理由", found.terms.cause),
        ("納期限", str(found.terms.due_on)),
    ], [
        ("すること", undo_paper.by_action(found)),
        ("台帳との突合", undo_paper.by_account(found)),
        ("額の大きい十件", top),
    ]


def _of_answer(connection: Connection, row: Row) -> Facts:
    failure, line = ward.failure, ward.bank_report_line
    found = (
        connection.execute(
            select(failure.c.amount_yen, failure.c.received_on, line)
            .join(
                line,
                (line.c.bank_report_id == failure.c.bank_report_id) & (line.c.line_number == failure.c.line_number),
            )
            .where(failure.c.id == row["failure_id"])
        )
        .mappings()
        .one()
    )
    told = [
        *_case_of(connection, found["payment_id"]),
        ("不能の番号", str(row["failure_id"])),
        ("額", f"{found['amount_yen']:,}円"),
        ("届いた日", str(found["received_on"])),
        ("銀行の理由", found["reason"]),
        ("回答", row["kind"]),
        ("入らなかった口座", masked(dict(found))),
    ]
    if row["kind"] == "再振込":
        told.append(("新しい口座", masked(row)))
    if row["review_on"]:
        told.append(("見直す日", str(row["review_on"])))
    return told


def _case_of(connection: Connection, payment_id: int | None) -> Facts:
    """この給付の支払なら、給付管理番号（区直轄の人の一枚を、名ざされていない人に見せないためにも要る）。"""
    right, payment = ward.entitlement, ward.payment
    query = select(right.c.case_number).join(payment, payment.c.entitlement_id == right.c.id)
    found = connection.execute(query.where(payment.c.id == payment_id)).scalar()
    return [("給付管理番号", found)] if found else []


def _of_match(connection: Connection, row: Row) -> Facts:
    line = ward.bank_report_line
    found = (
        connection.execute(
            select(line).where(line.c.bank_report_id == row["bank_report_id"], line.c.line_number == row["line_number"])
        )
        .mappings()
        .one()
    )
    payment = payment_of(connection, row["payment_id"])
    return [
        *_case_of(connection, row["payment_id"]),
        ("銀行の行", f"{row['bank_report_id']}-{row['line_number']}（{_OUTCOME_NAMES[found['outcome']]}）"),
        ("銀行の額", f"{found['amount_yen']:,}円"),
        ("銀行の口座", masked(dict(found))),
        ("結ぶ支払", f"支払 {row['payment_id']}（{PAYMENT_STATE_NAMES[payment['state']]}）"),
        ("支払の額", f"{payment['amount_yen']:,}円"),
        ("支払の口座", masked(payment)),
    ]
