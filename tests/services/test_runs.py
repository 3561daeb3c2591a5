"""判定の承認: 別の人が差を承認して初めて効く。差は、入る・外れる・動く額を、落とさず、重ねずに言う。"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import fastexcel
import polars as pl
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from benefit.domain.access import Actor
from benefit.domain.errors import RefusedByRule, WrongUse
from benefit.domain.programme import Programme
from benefit.rules.difference import KINDS, difference, silent_checks
from benefit.services import beneficiaries, desk_export, difference_book, difference_chart, extracts, people, runs
from benefit.services.home import Home
from benefit.store import ward
from letters.mailing import make_letters
from tests.conftest import StepClock
from tests.services.conftest import BUILT, FIRST, ISSUED, MAKER, PROGRAMME, SECOND, Office, refused_by_the_store
from tests.support.approval import approve_latest, receive_again
from tests.support.small_ward import cut, read, write

NAMES = PROGRAMME.benefit_names


@pytest.fixture
def built(home: Home, tmp_path: Path) -> Home:
    """取り込んで判定し、まだ承認していない区。"""
    clock = StepClock()
    cut(tmp_path / "in")
    for kind in extracts.KINDS:
        if (tmp_path / "in" / f"{kind}.csv").exists():
            extracts.import_file(home, kind, tmp_path / "in" / f"{kind}.csv", clock=clock, levy_year=2024)
    receive_again(home, tmp_path / "in" / "residents.csv")
    for actor in (MAKER, FIRST, SECOND):
        with home.ward.begin() as connection:
            people.add(
                connection, ward.staff, ward.audit_log, staff_id=actor.id, name="試験", role=actor.role,
                password="x" * 15, actor=MAKER, at=clock(),
            )  # fmt: skip
    beneficiaries.build(home, PROGRAMME, BUILT, out=tmp_path / "build", clock=clock, actor=MAKER)
    return home


def approve(home: Home, actor: Actor, *, seen: str | None = None, reason: str = "小さな区") -> runs.Compared:
    run = runs.find(home, PROGRAMME, "latest")
    shown = runs.against_approved(home, PROGRAMME, run).difference.digest[:12]
    return runs.approve(home, PROGRAMME, run, seen=seen or shown, reason=reason, actor=actor, clock=StepClock())


def test_without_an_approval_nothing_goes_out(built: Home, tmp_path: Path) -> None:
    clock = StepClock()
    with pytest.raises(RefusedByRule, match="承認された判定がありません"):
        make_letters(built, PROGRAMME, out=tmp_path / "letters", issued_on=ISSUED, clock=clock)
    with pytest.raises(RefusedByRule, match="承認された判定がありません"):
        desk_export.export(built, PROGRAMME, out=tmp_path / "payees", today=ISSUED, clock=clock)
    assert not (tmp_path / "letters").exists()
    assert not (tmp_path / "payees").exists()
    # 関門を通らずに書こうとしても、台帳が断る。
    with built.ward.begin() as connection:
        one = connection.execute(sa.select(ward.entitlement)).mappings().first()
        assert one is not None
        letter = ward.letter.insert().values(
            entitlement_id=one["id"], branch=1, kind="push_notice", route="PUSH", account_flag="1",
            issued_on=ISSUED, due_on=ISSUED,
        )  # fmt: skip
        assert refused_by_the_store(connection, letter)
    approve(built, FIRST)
    made = make_letters(built, PROGRAMME, out=tmp_path / "letters", issued_on=ISSUED, clock=clock)
    assert made.printed > 0


def test_the_builder_cannot_approve_and_neither_can_a_clerk(built: Home) -> None:
    with pytest.raises(RefusedByRule, match="承認の役割"):
        approve(built, MAKER)
    with pytest.raises(RefusedByRule, match="作った人"):
        approve(built, Actor(MAKER.id, "approver"))
    run = runs.find(built, PROGRAMME, "latest")
    row = {
        "run_id": run.id, "outcomes_sha256": run.outcomes_sha256, "built_by": run.built_by, "based_on": None,
        "difference_sha256": "0" * 64, "alarms": "", "reason": "", "approved_by": FIRST.id,
        "approved_at": run.built_at,
    }  # fmt: skip
    wrong: tuple[dict[str, Any], ...] = (
        {"approved_by": MAKER.id},
        {"outcomes_sha256": "0" * 64},
        {"built_by": "batch"},
        {"alarms": "世帯 TREATY"},
    )
    with built.ward.begin() as connection:
        for change in wrong:
            assert refused_by_the_store(connection, ward.run_approval.insert().values(**row | change)), change
        assert not refused_by_the_store(connection, ward.run_approval.insert().values(**row))


def test_only_the_difference_that_was_seen_can_be_approved(built: Home) -> None:
    with pytest.raises(RefusedByRule, match="見た差と、いまの差が違います"):
        approve(built, FIRST, seen="0" * 12)
    approve(built, FIRST)
    with pytest.raises(RefusedByRule, match="もう承認されています"):
        approve(built, SECOND)


def test_a_check_that_removed_nobody_is_an_alarm_and_needs_a_reason(built: Home) -> None:
    run = runs.find(built, PROGRAMME, "latest")
    assert run.alarms, "小さな区には、誰も外さない検査がある"
    with pytest.raises(RefusedByRule, match=run.alarms[0]):
        approve(built, FIRST, reason="  ")
    approve(built, FIRST, reason="人数が少ない")
    with built.ward.connect() as connection:
        stored = connection.execute(sa.select(ward.run_approval)).mappings().one()
    assert (stored["alarms"], stored["reason"]) == ("、".join(run.alarms), "人数が少ない")
    assert silent_checks({"世帯": {"A": {"unmet": 0, "unknown": 0}, "B": {"unmet": 0, "unknown": 1}}}) == ["世帯 A"]


def change_taxes(home: Home, source: Path, file: Path, **changes: str) -> None:
    """住民税の一行目の人の欄を変えて、取り込む。"""
    rows = read(source / "taxes.csv")
    write(file, [row | changes if row["減税前所得割額_区"] == "0" else row for row in rows], list(rows[0]))
    extracts.import_file(home, "taxes", file, clock=StepClock(), levy_year=2024)


def test_what_nobody_was_told_follows_the_approved_run_and_what_was_told_stays(built: Home, tmp_path: Path) -> None:
    clock = StepClock()
    approve(built, FIRST)
    before = registered(built)
    # 知らせる前: 子どもの額が変わった事業で作り直し、差を承認すると、登録も変わる。
    text = (Path(runs.__file__).parents[1] / "programmes" / "r6-2024.toml").read_text(encoding="utf-8")
    changed = Programme.parse(text.replace("value = 50000,", "value = 60000,"), file="r6-2024.toml")
    beneficiaries.build(built, changed, BUILT, out=tmp_path / "b", clock=clock, actor=MAKER)
    assert registered(built) == before, "承認するまで、登録は変わらない"
    done = approve_latest(built, clock, FIRST, changed)
    assert set(done.difference.rows["kind"]) == {"増える"}
    after = registered(built)
    children = {slot for slot in before if "/CHILD/" in slot}
    assert {slot: after[slot] for slot in children} == dict.fromkeys(children, 60_000)
    assert {slot: yen for slot, yen in after.items() if slot not in children} == {
        slot: yen for slot, yen in before.items() if slot not in children
    }
    # 知らせた後: もう一度変えて承認しても、登録は変わらない（出し直しだけが変える）。
    make_letters(built, changed, out=tmp_path / "letters", issued_on=ISSUED, clock=clock)
    again = Programme.parse(text.replace("value = 50000,", "value = 70000,"), file="r6-2024.toml")
    beneficiaries.build(built, again, BUILT, out=tmp_path / "c", clock=clock, actor=MAKER)
    approve_latest(built, clock, FIRST, again)
    assert registered(built) == after


def registered(home: Home) -> dict[str, int]:
    with home.ward.connect() as connection:
        table = ward.entitlement
        return {row.slot: row.amount_yen for row in connection.execute(sa.select(table.c.slot, table.c.amount_yen))}


def test_an_old_run_cannot_be_approved_after_a_newer_one(built: Home, tmp_path: Path) -> None:
    old = runs.find(built, PROGRAMME, "latest")
    beneficiaries.build(built, PROGRAMME, date(2024, 6, 21), out=tmp_path / "b", clock=StepClock(), actor=MAKER)
    approve(built, FIRST)
    seen = runs.against_approved(built, PROGRAMME, old).difference.digest[:12]
    with pytest.raises(RefusedByRule, match="もっと新しい判定"):
        runs.approve(built, PROGRAMME, old, seen=seen, reason="小さな区", actor=FIRST, clock=StepClock())
    assert runs.find(built, PROGRAMME, "approved").id == runs.find(built, PROGRAMME, "latest").id != old.id
    with pytest.raises(WrongUse, match="latest、approved"):
        runs.find(built, PROGRAMME, "99")


def test_stale_residents_close_every_gate(office: Office) -> None:
    """CHK94: 住民記録を受け取った日から一営業日まで。金曜に受け取れば、月曜まで。"""
    clock = office.clock
    home = office.home
    with home.ward.begin() as connection:
        latest = connection.execute(sa.select(sa.func.max(ward.extract_receipt.c.received_on))).scalar_one()
    assert latest == date(2024, 12, 27), "金曜日"
    for day, opens in ((date(2024, 12, 30), True), (date(2025, 1, 6), False)):
        doors = (
            lambda day=day: desk_export.export(home, PROGRAMME, out=office.root / f"p{day}", today=day, clock=clock),
            lambda day=day: make_letters(home, PROGRAMME, out=office.root / f"l{day}", issued_on=day, clock=clock),
            lambda day=day: office.judge(
                office.replan(office.rows()[day.month % 12 :], number=f"n{day}", name=f"r{day}"), today=day
            ),
        )
        for door in doors:
            if opens:
                door()
            else:
                with pytest.raises(RefusedByRule, match="CHK94"):
                    door()


_OUTCOME = st.fixed_dictionaries(
    {
        "benefit": st.sampled_from(["R6-1", "R6-2"]),
        "verdict": st.sampled_from(["対象", "対象外", "未確定"]),
        "reasons": st.sampled_from(["", "TAX", "PRIOR"]),
        "amount_yen": st.sampled_from([50_000, 100_000]),
        "payee_number": st.sampled_from([1, 2, None]),
        "route": st.sampled_from(["PUSH", "CONFIRM", None]),
        "account_flag": st.sampled_from(["0", "1", None]),
    }
)
_SCHEMA = {
    "subject_kind": pl.String, "subject_number": pl.Int64, "benefit": pl.String, "verdict": pl.String,
    "reasons": pl.String, "amount_yen": pl.Int64, "payee_number": pl.Int64, "route": pl.String,
    "account_flag": pl.String,
}  # fmt: skip


def frame(rows: dict[int, dict[str, Any]]) -> pl.DataFrame:
    made = [
        {"subject_kind": "世帯", "subject_number": number, **row, "amount_yen": row["amount_yen"] if row["verdict"] == "対象" else 0}
        for number, row in rows.items()
    ]  # fmt: skip
    return pl.DataFrame(made, schema=_SCHEMA, orient="row")


@settings(max_examples=200, deadline=None, database=None)
@given(
    st.dictionaries(st.integers(1, 9), _OUTCOME, max_size=9), st.dictionaries(st.integers(1, 9), _OUTCOME, max_size=9)
)
def test_the_difference_accounts_for_every_yen_and_everybody(
    before: dict[int, dict[str, Any]], now: dict[int, dict[str, Any]]
) -> None:
    left, right = frame(before), frame(now)
    found = difference(left, right)
    assert found.rows["moved_yen"].sum() == right["amount_yen"].sum() - left["amount_yen"].sum()
    assert found.moves["yen"].sum() == found.rows["moved_yen"].sum()
    assert not found.rows["subject_number"].is_duplicated().any()
    paid = [{n for n, row in side.items() if row["verdict"] == "対象"} for side in (before, now)]
    entering = set(found.rows.filter(pl.col("kind") == "入る")["subject_number"])
    leaving = set(found.rows.filter(pl.col("kind") == "外れる")["subject_number"])
    assert (entering, leaving) == (paid[1] - paid[0], paid[0] - paid[1])
    # 対象の人で、見えるものが一つでも違えば、必ず差に出る。同じなら出ない。
    shown = set(found.rows["subject_number"])
    for number in paid[0] & paid[1]:
        seen = ("benefit", "amount_yen", "payee_number", "route", "account_flag")
        same = all(before[number][name] == now[number][name] for name in seen)
        assert (number in shown) != same
    assert difference(right, right).rows.is_empty()
    assert difference(left, right).digest == found.digest
    assert set(found.rows["kind"]) <= set(KINDS)


def test_the_book_and_the_chart_of_a_difference(built: Home) -> None:
    compared = approve(built, FIRST)
    clock = StepClock()
    how = {"title": "差 =1+1", "names": NAMES}
    book = difference_book.render(compared.difference, checks=compared.checks, made=clock(), **how)
    read_back = fastexcel.read_excel(book)
    assert read_back.sheet_names == ["まとめ", "差の種類", "検査", "入る"]
    rows = read_back.load_sheet("入る", dtypes="string").to_polars()
    assert rows.height == compared.difference.rows.height
    assert rows["対象番号"].to_list() == [f"{n:010d}" for n in compared.difference.rows["subject_number"]]
    assert b"<f>" not in book
    again = difference_book.render(compared.difference, checks=compared.checks, made=StepClock()(), **how)
    assert again == book
    chart = difference_chart.render(compared.difference, **how)
    assert "<title" in chart
    assert "<desc" in chart
    for benefit in compared.difference.benefits["benefit"]:
        assert NAMES[benefit] in chart
