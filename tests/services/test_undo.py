"""取消の計画: 権利ごとにすることが一つ決まり、数と額が台帳と合い、事実が変われば承認できない。"""

from __future__ import annotations

import json

import polars as pl
import pytest

from benefit.domain.errors import RefusedByRule, WrongUse
from benefit.services import endings, undo_paper, undo_plan, undo_scope
from benefit.store import ward
from tests.services.conftest import FIRST, MAKER, PROGRAMME, Office, refused_by_the_store
from tests.services.undo_office import DUE, TERMS, planned, scene

DOES = {
    "支給可": "判定取消",
    "判定なし": "なし",
    "作成済": "振込取消",
    "送付済": "組戻し",
    "組戻し中": "なし",
    "振込不能": "不能を戻入",
    "入金済": "返還",
    "一部請求中": "返還",
    "返還済": "なし",
}


def test_every_right_has_one_deed_and_the_totals_close(office: Office) -> None:
    found = scene(office)
    plan = planned(found)
    said = dict(plan.lines.select("case_number", "action").iter_rows())
    assert said == {number: DOES[word] for number, word in found.state.items()}
    # 一部を請求してある人には、残りだけを請求する。
    part = found.of("一部請求中")[0]
    line = plan.lines.filter(pl.col("case_number") == part).row(0, named=True)
    assert line["yen"] == line["paid_yen"] - 1_000
    # 数と額は、台帳の残りと合う: 台帳の残り = 計画で取り戻す + 残る。
    totals = office.balances()
    for row in undo_paper.by_account(plan).to_dicts():
        assert row["台帳の残り"] == totals.get(row["勘定"], 0) == row["計画で取り戻す"] + row["残る"]
    actions = undo_paper.by_action(plan)
    assert actions.filter(pl.col("すること") == "計").row(0)[1:] == (plan.line_count, plan.total_yen)
    assert plan.line_count == len(found.state)
    # 同じ事実の計画は、何度作っても一つ。
    assert planned(found).id == plan.id


def test_the_paper_says_the_numbers_and_what_else_is_cancelled(office: Office) -> None:
    found = scene(office)
    filed = found.of("作成済")
    plan = planned(found, [filed[0], *found.of("入金済")])
    paths = undo_paper.write(office.home, plan, office.root / "undo")
    told = json.loads(paths[2].read_text(encoding="utf-8"))
    assert told["すること"]["振込取消"] == [1, plan.lines.filter(pl.col("action") == "振込取消")["yen"].item()]
    assert told["一緒に取り消される行"] == {"2": len(filed) - 1}
    text = paths[0].read_bytes().decode("utf-8-sig")
    assert text.count("\r\n") == plan.line_count + 1
    before = [path.read_bytes() for path in paths]
    assert [path.read_bytes() for path in undo_paper.write(office.home, plan, office.root / "again")] == before


def test_one_person_cannot_approve_and_changed_facts_void_the_plan(office: Office) -> None:
    found = scene(office)
    plan = planned(found)
    with pytest.raises(RefusedByRule, match="承認の役割"):
        undo_plan.approve(office.home, plan.id, actor=MAKER, clock=office.clock)
    with office.home.ward.begin() as connection:
        own = ward.undo_plan_approval.insert().values(
            release_id=plan.id, asked_by=MAKER.id, approved_by=MAKER.id, approved_at=office.clock()
        )
        assert refused_by_the_store(connection, own)
        connection.rollback()
    # 計画の後に、振込不能の権利が一つ終わった。
    asked = endings.ask(
        office.home, found.of("振込不能")[0], "契約不成立", reason="試験", actor=MAKER, clock=office.clock
    )
    endings.approve(office.home, asked, actor=FIRST, clock=office.clock)
    with pytest.raises(RefusedByRule, match="計画し直して"):
        undo_plan.approve(office.home, plan.id, actor=FIRST, clock=office.clock)
    again = planned(found)
    assert again.id != plan.id
    approved = undo_plan.approve(office.home, again.id, actor=FIRST, clock=office.clock)
    assert (approved.asked_by, approved.approved_by) == (MAKER.id, FIRST.id)


def test_the_scopes_name_the_same_rights_the_ledger_does(office: Office) -> None:
    found = scene(office)
    with office.home.ward.connect() as connection:
        run = connection.execute(ward.run.select()).mappings().first()
        assert run is not None
        _scope, of_first = undo_scope.scope_of_transfer(connection, PROGRAMME, 1)
        scope, of_second = undo_scope.scope_of_transfer(connection, PROGRAMME, 2)
        _planned, of_file = undo_scope.scope_of_planned(connection, PROGRAMME, "r6-2024-0103")
        _run, of_run = undo_scope.scope_of_run(connection, PROGRAMME, run["input_digest"][:12])
        for wrong in (
            lambda: undo_scope.scope_of_transfer(connection, PROGRAMME, 99),
            lambda: undo_scope.scope_of_planned(connection, PROGRAMME, "ない"),
            lambda: undo_scope.scope_of_run(connection, PROGRAMME, "0" * 12),
            lambda: undo_scope.scope_of_run(connection, PROGRAMME, "%"),
            lambda: undo_scope.scope_of_cases(connection, PROGRAMME, ["00000000000"], "0" * 64),
            lambda: undo_scope.scope_of_cases(connection, PROGRAMME, [], "0" * 64),
        ):
            with pytest.raises(WrongUse):
                wrong()
    payments = office.payments()
    assert len(of_first) + len(of_second) == len(payments)
    assert set(of_file).isdisjoint({row["entitlement_id"] for row in payments})
    assert {row["entitlement_id"] for row in payments} | set(of_file) <= set(of_run)
    plan = undo_plan.plan(
        office.home, PROGRAMME, scope, of_second, terms=TERMS, today=DUE.replace(month=8), actor=MAKER,
        clock=office.clock,
    )  # fmt: skip
    assert dict(plan.lines.select("case_number", "action").iter_rows()) == dict.fromkeys(found.of("作成済"), "振込取消")


def test_a_right_that_moved_to_another_transfer_is_left_alone(office: Office) -> None:
    """取り消した振込 2 の権利は、振込 3 で作り直された。振込 2 を取り消す計画は、振込 3 に触れない。"""
    from benefit.services import transfers

    found = scene(office)
    transfers.cancel(office.home, 2, reason="試験", actor=MAKER, clock=office.clock)
    made = office.make()
    assert made is not None
    assert made.id == 3
    with office.home.ward.connect() as connection:
        scope, rights = undo_scope.scope_of_transfer(connection, PROGRAMME, 2)
    plan = undo_plan.plan(
        office.home, PROGRAMME, scope, rights, terms=TERMS, today=DUE.replace(month=8), actor=MAKER, clock=office.clock
    )
    assert set(plan.lines["action"]) == {"なし"}
    assert plan.line_count == len(found.of("作成済"))
    with office.home.ward.connect() as connection:
        scope, rights = undo_scope.scope_of_transfer(connection, PROGRAMME, 3)
    plan = undo_plan.plan(
        office.home, PROGRAMME, scope, rights, terms=TERMS, today=DUE.replace(month=8), actor=MAKER, clock=office.clock
    )
    assert set(plan.lines["action"]) == {"振込取消"}


def test_a_ledger_that_does_not_agree_with_the_payments_makes_no_plan(office: Office) -> None:
    found = scene(office)
    payment = office.payments()[-1]
    with office.home.ward.begin() as connection:
        connection.execute(ward.posting.insert().values(
            at=office.clock(), entitlement_id=payment["entitlement_id"], payment_id=payment["id"], kind="credit",
            reference="", debit="支給済", credit="振込中", amount_yen=1,
        ))  # fmt: skip
    with pytest.raises(RefusedByRule, match="合わない権利が 1 件"):
        planned(found)


def test_terms_are_words_the_ledger_knows(office: Office) -> None:
    for wrong in (("取消", "対象外", "訳"), ("不支給", "なんとなく", "訳"), ("不支給", "対象外", " ")):
        with pytest.raises(WrongUse):
            undo_plan.Terms(wrong[0], wrong[1], DUE, wrong[2])
    with pytest.raises(WrongUse, match="ありません"):
        undo_plan.show(office.home, 1)
