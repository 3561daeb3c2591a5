"""取消の計画の試験の場面: 支給可のまま、作成済、送付済、組戻し中、入金済、振込不能、返還済が一度に揃う作業場所。"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from benefit.records.transfer_result_row import Outcome
from benefit.services import bank_reports, recalls, repayments, undo_plan
from benefit.services.undo_scope import scope_of_cases
from benefit.store import ward
from tests.services.conftest import FIRST, MAKER, PROGRAMME, SECOND, Office, answered

TODAY, DUE = date(2024, 8, 20), date(2024, 9, 20)
TERMS = undo_plan.Terms("不支給", "対象外", DUE, "誤った名簿で判定した")


@dataclass
class Scene:
    """場面。`state` は給付管理番号 → いまの姿の言葉。"""

    office: Office
    state: dict[str, str]

    def of(self, *words: str) -> list[str]:
        return sorted(number for number, word in self.state.items() if word in words)


def case_of_payment(office: Office) -> dict[int, str]:
    with office.home.ward.connect() as connection:
        query = sa.select(ward.payment.c.id, ward.entitlement.c.case_number).join(
            ward.entitlement, ward.entitlement.c.id == ward.payment.c.entitlement_id
        )
        return {row.id: row.case_number for row in connection.execute(query)}


def judged_part(office: Office, rows: list[dict[str, str]], name: str, number: str) -> dict[str, str]:
    """この行だけを判定する。見本（CHK95、百件に一件）に当たった行は、別のファイルでもう一度。"""
    told: dict[str, str] = {}
    for again in ("", "x"):
        left = [row for row in rows if told.get(row["給付管理番号"]) != "支給可"]
        if left:
            lines = [{**row, "行番号": str(place)} for place, row in enumerate(left, 2 if again else 1)]
            office.judge(office.replan(lines, number=number + again, name=name + again), out=f"judged-{name}{again}")
            told |= {case: row["判定"] for case, row in office.verdicts(f"judged-{name}{again}").items()}
    return told


def in_order(office: Office) -> list[dict[str, str]]:
    """届いた行。世帯と児童は一緒に判定しないと払えないので先に。番号の並びは作業場所ごとに違う。"""
    with office.home.ward.connect() as connection:
        query = sa.select(ward.entitlement.c.case_number, ward.entitlement.c.slot_kind)
        kinds = {row.case_number: row.slot_kind for row in connection.execute(query)}
    return sorted(office.rows(), key=lambda row: (kinds[row["給付管理番号"]] == "ADJ", row["給付管理番号"]))


def scene(office: Office) -> Scene:
    """三つの支給予定情報: 一つ目は送り出し、二つ目は作成済のまま、三つ目は支給可のまま。"""
    rows = in_order(office)
    assert len(rows) >= 12, "場面には十二の行が要る"
    judged_part(office, rows[:8], "a", "r6-2024-0101")
    made = office.make()
    assert made is not None
    first = made.id
    office.approve(first, FIRST)
    office.approve(first, SECOND)
    office.release(first)
    payments = office.payments()
    names = case_of_payment(office)
    state = {names[row["id"]]: "送付済" for row in payments}
    assert len(payments) >= 6, "場面には六つの支払が要る"
    order = [names[row["id"]] for row in payments]
    asked = recalls.ask(office.home, first, case_numbers=[order[0]], reason="試験", actor=MAKER, clock=office.clock)
    recalls.approve(office.home, asked.id, out=office.root / "recall", actor=FIRST, clock=office.clock)
    state[order[0]] = "組戻し中"
    told = [(Outcome.INQUIRING, "01"), (Outcome.INQUIRING, "01"), (Outcome.FAILED, "04")]
    report = answered(office, first, *told)
    bank_reports.take(office.home, "results", report, clock=office.clock)
    state[order[2]] = "振込不能"
    for number in order[3:]:
        state[number] = "入金済"
    for number, part in ((order[3], None), (order[4], 1_000)):
        claimed = repayments.ask(
            office.home, number, amount_yen=part, cause="過払", due_on=DUE, today=TODAY, reason="試験", actor=MAKER,
            clock=office.clock,
        )  # fmt: skip
        repayments.approve(office.home, claimed, actor=SECOND, clock=office.clock)
    whole = payments[3]["amount_yen"]
    repayments.receive(
        office.home, 1, amount_yen=whole, received_on=TODAY, reference="S-1", actor=MAKER, clock=office.clock
    )
    state[order[3]], state[order[4]] = "返還済", "一部請求中"
    judged_part(office, rows[8:-2], "b", "r6-2024-0102")
    office.make()
    for number in set(case_of_payment(office).values()) - set(state):
        state[number] = "作成済"
    for number, verdict in judged_part(office, rows[-2:], "c", "r6-2024-0103").items():
        state[number] = "支給可" if verdict == "支給可" else "判定なし"
    return Scene(office, state)


def planned(found: Scene, numbers: list[str] | None = None, terms: undo_plan.Terms = TERMS) -> undo_plan.Plan:
    """言われた権利（なければ場面の全部）の計画。"""
    home = found.office.home
    with home.ward.connect() as connection:
        scope, entitlements = scope_of_cases(connection, PROGRAMME, numbers or sorted(found.state), "0" * 64)
    return undo_plan.plan(
        home, PROGRAMME, scope, entitlements, terms=terms, today=TODAY, actor=MAKER, clock=found.office.clock
    )
