"""なぜ対象か、なぜ対象でないか。検査ごとに、答えと、見た値と、それが元のどのファイルの何行目かを言う。

説明は判定そのものである。`standing.decide_now` の表から書き、別に計算し直さない。
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import polars as pl
from sqlalchemy import select

from benefit.domain.check import Answer, Check
from benefit.domain.entitlement import ACCOUNT_FLAG_NAMES
from benefit.domain.errors import RefusedInput
from benefit.domain.programme import Programme
from benefit.rules.outcomes import Decisions, checks_of
from benefit.services.explain_facts import Seen
from benefit.services.explain_text import folded
from benefit.services.home import Home
from benefit.services.standing import Inputs, decide_now, gather
from benefit.store import ward
from benefit.store.engine import reading

MARKS = {Answer.MET: "○", Answer.UNMET: "×", Answer.UNKNOWN: "？"}
ROUTE_NAMES = {"PUSH": "お知らせだけで振込（PUSH）", "CONFIRM": "確認書（CONFIRM）", "WARD": "区が直接（WARD）"}


def last_day(home: Home, programme: Programme) -> date | None:
    """最後に登録された判定の日。まだなければ None。"""
    table = ward.run
    with reading(home.ward) as connection:
        return connection.execute(
            select(table.c.today).where(table.c.programme == programme.id).order_by(table.c.id.desc()).limit(1)
        ).scalar()


def household(home: Home, programme: Programme, today: date, number: int) -> list[str]:
    """一つの世帯の説明。抽出データにいなければ RefusedInput。"""
    inputs = gather(home, programme, today)
    decisions = decide_now(inputs)
    return [folded(page) for page in _household(home, inputs, decisions, number)]


def person(home: Home, programme: Programme, today: date, number: int) -> list[str]:
    """一人の説明: 基準日の世帯、子どもとして、納税者として。どこにもいなければ RefusedInput。"""
    inputs = gather(home, programme, today)
    decisions = decide_now(inputs)
    pages: list[str] = []
    belongs = decisions.persons.filter(pl.col("person_number") == number)
    if belongs.height:
        pages += _household(home, inputs, decisions, belongs["household_number"][0])
    taxed = decisions.taxpayers.filter(pl.col("person_number") == number)
    if taxed.height:
        pages.append(_taxpayer(home, inputs, taxed.row(0, named=True)))
    if not pages:
        known = inputs.facts.residents.filter(pl.col("person_number") == number)
        if known.is_empty():
            raise RefusedInput("この番号の人は、住民記録にも住民税にもいません", code="unknown-person")
        row = known.row(0, named=True)
        pages.append(
            f"■ {number:010d} は、基準日 {programme.base_date} の世帯員ではありません。\n"
            f"   住民となった日 {row['became_resident_on']}、消除日 {row['removed_on'] or 'なし'}"
            f"（{row['removed_reason'] or '－'}） 〔{_place(inputs, 'residents', row['line'])}〕"
        )
    return [folded(page) for page in pages]


def _household(home: Home, inputs: Inputs, decisions: Decisions, number: int) -> list[str]:
    found = decisions.households.filter(pl.col("household_number") == number)
    if found.is_empty():
        raise RefusedInput("この世帯番号の世帯は、基準日にいません", code="unknown-household")
    row = found.row(0, named=True)
    members = decisions.persons.filter(pl.col("household_number") == number).sort("person_number")
    seen = Seen(inputs, members)
    lines = [
        f"■ 世帯 {number:010d}  {inputs.programme.benefit_names[row['benefit']]}: {row['verdict']}"
        + (f"（{row['reasons']}）" if row["reasons"] else ""),
        _result(row),
        *_stored(home, inputs.programme, "HH100K", number),
        f"   判定の日 {inputs.today}、基準日 {inputs.programme.base_date}",
        "",
        "  世帯員",
        *(f"    {line}" for line in seen.members()),
        "",
        "  検査",
        *_checks(checks_of(inputs.programme)["世帯"], row, seen.household(row)),
    ]
    pages = ["\n".join(lines)]
    children = decisions.children.filter(pl.col("household_number") == number).sort("person_number")
    for child in children.iter_rows(named=True):
        own = Seen(inputs, members.filter(pl.col("person_number") == child["person_number"]))
        pages.append(
            "\n".join(
                [
                    f"■ 児童 {child['person_number']:010d}  "
                    f"{inputs.programme.benefit_names[child['benefit']]}: {child['verdict']}"
                    + (f"（{child['reasons']}）" if child["reasons"] else ""),
                    _result(child),
                    *_stored(home, inputs.programme, "CHILD", child["person_number"]),
                    *_checks(checks_of(inputs.programme)["児童"], child, own.child(child)),
                ]
            )
        )
    return pages


def _taxpayer(home: Home, inputs: Inputs, row: dict[str, Any]) -> str:
    seen = Seen(
        inputs,
        pl.DataFrame(
            {"person_number": [row["person_number"]], "supporter_number": [None]},
            schema={"person_number": pl.Int64, "supporter_number": pl.Int64},
        ),
    )
    place = _place(inputs, "taxes", row["line"])
    unit = inputs.programme.adjustment
    assert unit is not None
    income, resident = unit.income_tax_unit_yen, unit.resident_tax_unit_yen
    engine = row["income_tax_engine"]
    levies = f"区 {row['income_levy_ward_yen']:,} + 都 {row['income_levy_metro_yen']:,}"
    young = f"16歳以上 {row['dependants_16_and_over']}、16歳未満 {row['dependants_under_16']}"
    rounded = f"{row['amount_yen']:,} 円" if row["verdict"] == "対象" else "対象でないので 0 円"
    heads = f"所得税分 {row['n_income_tax']}、住民税分 {row['n_resident_tax']}"
    a_yen, b_yen = row["shortfall_income_tax_yen"], row["shortfall_resident_tax_yen"]
    step = f"{unit.rounding_yen:,} 円単位に一度だけ切り上げ"
    calculation = [
        f"    所得税 IT = {row['income_tax_yen']:,} 円（{engine}） 〔{place}〕",
        f"    所得割 RT = {levies} = {row['resident_tax_yen']:,} 円 〔{place}〕",
        f"    人数 {heads}（{young}、うち国外 {row['dependants_overseas']}）",
        f"    A = max(0, {income:,} × {row['n_income_tax']} − {row['income_tax_yen']:,}) = {a_yen:,} 円",
        f"    B = max(0, {resident:,} × {row['n_resident_tax']} − {row['resident_tax_yen']:,}) = {b_yen:,} 円",
        f"    A + B = {row['shortfall_yen']:,} 円、{step} → {rounded}",
    ]
    return "\n".join(
        [
            f"■ 納税者 {row['person_number']:010d}  {inputs.programme.benefit_names[row['benefit']]}: {row['verdict']}"
            + (f"（{row['reasons']}）" if row["reasons"] else ""),
            _result(row),
            *_stored(home, inputs.programme, "ADJ", row["person_number"]),
            "  計算",
            *calculation,
            "  検査",
            *_checks(checks_of(inputs.programme)["納税者"], row, seen.taxpayer(row)),
        ]
    )


def _checks(checks: Sequence[Check], row: dict[str, Any], values: dict[str, list[str]]) -> list[str]:
    lines = []
    for check in checks:
        answer = Answer.of(row[check.id])
        lines.append(f"    {MARKS[answer]} {answer.value:<3} {check.id}  {check.says} 〔根拠: {check.basis}〕")
        lines += [f"          {value}" for value in values.get(check.id, [])]
    return lines


def _result(row: dict[str, Any]) -> str:
    payee = "なし" if row["payee_number"] is None else f"{row['payee_number']:010d}"
    if row["verdict"] != "対象":
        return f"   支給額 0 円、受給者 {payee}"
    return (
        f"   支給額 {row['amount_yen']:,} 円、受給者 {payee}、届け方 {ROUTE_NAMES[row['route']]}、"
        f"口座 {ACCOUNT_FLAG_NAMES[row['account_flag']]}{_agreement(row)}"
    )


def _agreement(row: dict[str, Any]) -> str:
    if row["account_flag"] == "0":
        return ""
    return "（名義はカナ氏名と一致）" if row["name_agrees"] else "（名義がカナ氏名と一致しない）"


def _stored(home: Home, programme: Programme, slot_kind: str, subject: int) -> list[str]:
    """登録されている支給権利と、前の判定との差。"""
    slot = f"{programme.id}/{slot_kind}/{subject:010d}"
    table, difference = ward.entitlement, ward.run_difference
    with reading(home.ward) as connection:
        found = connection.execute(select(table).where(table.c.slot == slot)).mappings().first()
        changed = (
            connection.execute(
                select(difference).where(difference.c.slot == slot).order_by(difference.c.run_id.desc()).limit(1)
            )
            .mappings()
            .first()
        )
    if found is None:
        return ["   登録された支給権利はありません"]
    lines = [f"   給付管理番号 {found['case_number']}（枝番 {found['branch']}）、登録の額 {found['amount_yen']:,} 円"]
    if changed:
        lines.append(f"   ※ 登録の後に違いが出ています: {changed['before']} → {changed['after']}")
    return lines


def _place(inputs: Inputs, kind: str, line: int) -> str:
    return f"{inputs.sources[kind].file_name} {line} 行目"
