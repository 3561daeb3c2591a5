"""取消の計画を行う: 全部か無し。途中で止めても、二度打っても、終わりは同じ。どの行にも二人の名が載る。"""

from __future__ import annotations

import multiprocessing
import signal
from typing import Any

import polars as pl
import pytest
import sqlalchemy as sa

from benefit.domain.errors import RefusedByRule
from benefit.records.transfer_result_row import Outcome
from benefit.services import bank_reports, repayments_list, undo_carry, undo_plan
from benefit.store import audit, ward
from tests.services import undo_kill
from tests.services.conftest import FIRST, MAKER, SECOND, Office, answered
from tests.services.undo_office import TODAY, Scene, planned, scene

_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(["tests.services.undo_kill"])
TABLES = ("ending", "ending_approval", "recall", "recall_approval", "recall_line", "repayment", "repayment_approval")


def approved(office: Office, numbers: list[str] | None = None) -> tuple[Scene, undo_plan.Plan]:
    found = scene(office)
    plan = planned(found, numbers)
    return found, undo_plan.approve(office.home, plan.id, actor=FIRST, clock=office.clock)


def carry(office: Office, number: int, out: str = "undo") -> undo_carry.Carried:
    return undo_carry.carry_out(office.home, number, out=office.root / out, actor=SECOND, clock=office.clock)


def contents(office: Office) -> dict[str, Any]:
    """台帳の姿（時刻を除く）。"""
    found: dict[str, Any] = {"payments": [(row["id"], row["state"]) for row in office.payments()]}
    with office.home.ward.connect() as connection:
        for name in (*TABLES, "posting", "handover"):
            table = getattr(ward, name)
            columns = [column for column in table.c if not isinstance(column.type, sa.DateTime)]
            found[name] = sorted(map(str, connection.execute(sa.select(*columns)).all()))
    return found


def test_each_right_ends_where_the_plan_said(office: Office) -> None:
    found, plan = approved(office)
    before = office.balances()
    yen = dict(plan.lines.group_by("action").agg(pl.col("yen").sum()).iter_rows())
    done = carry(office, plan.id)
    assert not done.repeated
    states = {row["entitlement_id"]: row["state"] for row in office.payments()}
    by_word: dict[str, set[str]] = {}
    for line in plan.lines.to_dicts():
        by_word.setdefault(found.state[line["case_number"]], set()).add(states.get(line["entitlement_id"], "なし"))
    assert by_word["作成済"] == {"F49"}
    assert by_word["送付済"] == by_word["組戻し中"] == {"F41"}
    assert by_word["入金済"] == by_word["一部請求中"] == {"F42"}
    assert by_word["支給可"] == {"なし"}
    after = office.balances()
    assert sum(after.values()) == 0
    assert after["未払"] == 0
    assert after["振込不能"] == 0
    assert after["戻入"] == yen["不能を戻入"]
    assert after["返還債権"] == before["返還債権"] + yen["返還"]
    assert after["支給済"] == 0
    assert after["振込中"] == before["振込中"] - yen["振込取消"]
    assert (done.cancelled, len(done.recall_numbers)) == (1, 1)
    assert len(done.repayment_numbers) == len(found.of("入金済", "一部請求中"))
    assert done.ended == len(found.of("支給可", "作成済", "振込不能"))
    # 終わった権利は、もう振込にならない。
    assert office.make() is None
    # 一覧は頼んだ支払の数だけ。
    assert len(list((office.root / "undo").glob("kumimodoshi-*.csv"))) == 1


def test_both_names_are_on_every_row(office: Office) -> None:
    _found, plan = approved(office)
    carry(office, plan.id)
    with office.home.ward.connect() as connection:
        for name in ("ending", "recall", "repayment"):
            table, approval = getattr(ward, name), getattr(ward, f"{name}_approval")
            rows = connection.execute(
                sa.select(table.c.asked_by, approval.c.approved_by, table.c.reason)
                .join(approval, approval.c.release_id == table.c.id)
                .where(table.c.undo_plan_id == plan.id)
            ).all()
            assert rows
            assert {(row.asked_by, row.approved_by) for row in rows} == {(MAKER.id, FIRST.id)}
            assert {row.reason for row in rows} == {plan.terms.reason}
        assert audit.verify(connection, ward.audit_log)[1] is None


def test_a_second_time_changes_nothing_and_writes_the_same_files(office: Office) -> None:
    _found, plan = approved(office)
    first = carry(office, plan.id)
    ledger = contents(office)
    files = {path.name: path.read_bytes() for path in (office.root / "undo").iterdir()}
    second = carry(office, plan.id, out="again")
    assert second.repeated
    assert (second.repayment_numbers, second.recall_numbers) == (first.repayment_numbers, first.recall_numbers)
    assert contents(office) == ledger
    assert {path.name: path.read_bytes() for path in (office.root / "again").iterdir()} == files


def test_without_approval_or_with_changed_facts_nothing_is_done(office: Office) -> None:
    found = scene(office)
    plan = planned(found)
    before = contents(office)
    with pytest.raises(RefusedByRule, match="まだ承認されていません"):
        carry(office, plan.id)
    assert contents(office) == before
    undo_plan.approve(office.home, plan.id, actor=FIRST, clock=office.clock)
    # 承認の後に、送付済の支払が入金された。組戻しではなく返還になるので、計画し直す。
    report = answered(office, 1, *[(Outcome.INQUIRING, "01")], (Outcome.CREDITED, "00"), rest=Outcome.INQUIRING)
    bank_reports.take(office.home, "results", report, clock=office.clock)
    before = contents(office)
    with pytest.raises(RefusedByRule, match="計画し直して"):
        carry(office, plan.id)
    assert contents(office) == before
    assert not (office.root / "undo").exists()


def test_killed_anywhere_and_run_again_it_ends_the_same(office: Office) -> None:
    """一つの計画を、名のある所で次々に殺しながら行う。終わりは、台帳もファイルも、一度で行ったときと同じ。"""
    _found, plan = approved(office)
    before, done_before = contents(office), None
    for point in range(len(undo_kill.POINTS)):
        for after in (False, True):
            office.home.ward.dispose()
            child = _SERVER.Process(
                target=undo_kill.carry,
                args=(office.home.path, office.home.ward_url, plan.id, office.root / "undo", point, after),
            )
            child.start()
            child.join(120)
            module, name = undo_kill.POINTS[point]
            assert child.exitcode in {-signal.SIGKILL, 0}, f"{module.__name__}.{name}"
            now = contents(office)
            with office.home.ward.connect() as connection:
                carried = undo_plan.carried_out(connection, plan.id)
            # 行ったか、行っていないか。半分はない。
            if carried:
                assert done_before in {None, str(now)}
                done_before = str(now)
            else:
                assert now == before, f"{module.__name__}.{name}"
    assert done_before is not None
    assert carry(office, plan.id).repeated
    assert str(contents(office)) == done_before
    claims = repayments_list.claims(office.home, today=TODAY).filter(pl.col("undo_plan_id") == plan.id)
    assert claims.height == claims["payment_id"].n_unique()
