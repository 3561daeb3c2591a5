"""すきま: 見ている間・組んでいる間・待っている間に事実が変わっても、古い差・古い手紙・古い名簿は外へ出ない。"""

from __future__ import annotations

import threading
from importlib import resources
from pathlib import Path

import pytest
import sqlalchemy as sa

from benefit.domain.errors import RefusedByRule
from benefit.domain.programme import Programme
from benefit.services import beneficiaries, mailing, runs
from benefit.services.reissue import reissue
from benefit.services.transfer_lines import ACCOUNT
from benefit.store import ward
from benefit.store.engine import in_turn
from letters.mailing import make_letters
from tests.services.conftest import FIRST, MAKER, PROGRAMME, SECOND, Office
from tests.services.test_changes import DAY, bring, standing
from tests.support.approval import approve_latest

R6 = (resources.files("benefit") / "programmes" / "r6-2024.toml").read_text(encoding="utf-8")


def reissued(office: Office) -> dict[str, object]:
    """出し直した（新しい手紙のまだない）権利を一つ作る。"""
    row = standing(office).filter((standing(office)["slot_kind"] == "HH100K") & standing(office)["open"])
    chosen = row.filter(~row["ward_only"]).row(0, named=True)
    reissue(office.home, PROGRAMME, chosen["case_number"], reason="返戻", actor=MAKER, clock=office.clock)
    return chosen


def test_a_mark_that_arrives_while_letters_are_set_stops_the_lot(office: Office) -> None:
    row = reissued(office)
    out = office.root / "again"

    def while_setting(_done: int, _total: int) -> None:
        marked = {"住民番号": f"{row['payee_number']:010d}", "区分": "DV"}
        bring(office, "protected", lambda rows: [*rows, marked])

    with pytest.raises(RefusedByRule, match="組んでいる間に"):
        make_letters(office.home, PROGRAMME, out=out, issued_on=DAY, clock=office.clock, tick=while_setting)
    assert not list(out.rglob("*.pdf")), "登録していない手紙が、印刷所に渡せる形で残った"
    made = make_letters(office.home, PROGRAMME, out=out, issued_on=DAY, clock=office.clock)
    assert (made.printed, made.printed_in_ward) == (1, 1)


def test_letters_set_for_what_was_registered_before_are_not_registered_after(office: Office) -> None:
    row = reissued(office)
    prepared = mailing.who_gets_letters(office.home, PROGRAMME, DAY)
    made = [mailing.MadeLot("printer", "push_notice", "a.pdf", "0" * 64, [str(row["case_number"])])]
    with office.home.ward.begin() as connection:
        connection.execute(
            ward.entitlement.update().where(ward.entitlement.c.id == row["id"]).values(payee_number=1_000_000_001)
        )
    with pytest.raises(RefusedByRule, match="組んでいる間に"):
        mailing.register_lots(office.home, prepared, made, {}, issued_on=DAY, clock=office.clock)
    with office.home.ward.begin() as connection:
        back = {"payee_number": row["payee_number"]}
        connection.execute(ward.entitlement.update().where(ward.entitlement.c.id == row["id"]).values(back))
    mailing.register_lots(office.home, prepared, made, {}, issued_on=DAY, clock=office.clock)
    # もう一つの letters make が、同じ手紙を二度登録することはない。
    twice = [mailing.MadeLot("printer", "push_notice", "b.pdf", "1" * 64, [str(row["case_number"])])]
    with pytest.raises(RefusedByRule, match="組んでいる間に"):
        mailing.register_lots(office.home, prepared, twice, {}, issued_on=DAY, clock=office.clock)


@pytest.mark.parametrize("office", ["postgresql"], indirect=True)
def test_of_two_approvals_at_once_the_later_one_must_look_again(office: Office, tmp_path: Path) -> None:
    """判定 2 と 3 を二人が同時に承認する: 3 の人が見た差は、2 が承認された時に古くなっている。"""
    for turn, cap in enumerate(("3000000", "2000000")):
        changed = Programme.parse(R6.replace("value = 18050000,", f"value = {cap},"), file="r6-2024.toml")
        beneficiaries.build(office.home, changed, DAY, out=tmp_path / f"{turn}", clock=office.clock, actor=MAKER)
    second, third = (runs.find(office.home, PROGRAMME, word) for word in ("2", "3"))
    said: dict[int, str] = {}

    def approve(run: runs.Run) -> None:
        seen = runs.against_approved(office.home, PROGRAMME, run).difference.digest[: runs.SHOWN]
        try:
            runs.approve(office.home, PROGRAMME, run, seen=seen, reason="試験", actor=SECOND, clock=office.clock)
            said[run.id] = "承認"
        except RefusedByRule as refused:
            said[run.id] = str(refused)

    def waiting(count: int) -> None:
        query = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        for _ in range(2000):
            with office.home.ward.connect() as watch:
                if watch.execute(sa.text(query)).scalar() == count:
                    return
            threading.Event().wait(0.01)
        raise AssertionError("順番を待つ人が来ない")

    threads = [threading.Thread(target=approve, args=(run,)) for run in (second, third)]
    with office.home.ward.begin() as connection:
        in_turn(connection, "entitlements")
        for count, thread in enumerate(threads, 1):
            thread.start()
            waiting(count)
    for thread in threads:
        thread.join()
    assert said[second.id] == "承認"
    assert f"判定 {second.id} が承認されました" in said[third.id]
    approve(third)
    assert said[third.id] == "承認"


def test_what_was_judged_payable_without_a_letter_is_not_rewritten_by_an_approval(
    office: Office, tmp_path: Path
) -> None:
    """申請書の口座に払う権利には手紙がない。支給可の後の承認が、口座をそのままに額や受給者だけを替えない。"""
    wider = R6.replace("income_tax_unit_yen = { value = 30000,", "income_tax_unit_yen = { value = 60000,")
    chosen = Programme.parse(wider, file="r6-2024.toml")
    beneficiaries.build(office.home, chosen, DAY, out=tmp_path / "a", clock=office.clock, actor=MAKER)
    approve_latest(office.home, office.clock, FIRST)
    told = sa.select(ward.letter.c.entitlement_id)
    with office.home.ward.begin() as connection:
        valid = ward.valid_entitlement.c.entitlement_id
        query = sa.select(ward.entitlement).join(ward.valid_entitlement, valid == ward.entitlement.c.id)
        rows = connection.execute(query.where(valid.not_in(told)).order_by(ward.entitlement.c.slot)).mappings().all()
        judged = rows[0]
        file = {"id": 900, "programme": "r6-2024", "file_number": "WARD-1", "sha256": "9" * 64, "row_count": 1}
        file |= {"total_yen": judged["amount_yen"], "judged_on": DAY, "rule_version": "x", "judged_at": office.clock()}
        connection.execute(ward.planned_file.insert().values(file))
        line = {"planned_file_id": 900, "line_number": 1, "case_number": judged["case_number"], "verdict": "支給可"}
        line |= {"entitlement_id": judged["id"], "checks": "", "amount_yen": judged["amount_yen"]}
        line |= dict(zip(ACCOUNT, ("9999", "001", "1", "9000001", "ﾃｽﾄ"), strict=True))
        connection.execute(ward.verdict.insert().values(line))
    text = wider.replace("rounding_yen = { value = 10000,", "rounding_yen = { value = 300000,")
    changed = Programme.parse(text, file="r6-2024.toml")
    beneficiaries.build(office.home, changed, DAY, out=tmp_path / "b", clock=office.clock, actor=MAKER)
    approve_latest(office.home, office.clock, FIRST)
    found = runs.eligible_of(office.home, runs.find(office.home, PROGRAMME, "latest"))
    new = dict(found.select("slot", "amount_yen").iter_rows())[judged["slot"]]
    assert new != judged["amount_yen"], "判定では額が変わっている"
    with office.home.ward.connect() as connection:
        now = dict(connection.execute(sa.select(ward.entitlement.c.id, ward.entitlement.c.amount_yen)).all())
    assert now[judged["id"]] == judged["amount_yen"]
