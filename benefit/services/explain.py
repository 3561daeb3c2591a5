"""なぜ対象か、なぜ対象でないか。検査ごとに、答えと、見た値と、それが元のどのファイルの何行目かを言う。

説明は判定そのものである。判定の写し（`certificates`）から書き、別に計算し直さない。
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from sqlalchemy import select

from benefit.domain.check import Answer
from benefit.domain.programme import Programme
from benefit.services import certificates
from benefit.services.certificates import Record
from benefit.services.explain_certificate import Certificate, not_member, of_household, of_person
from benefit.services.explain_change import Change
from benefit.services.explain_facts import Value
from benefit.services.explain_text import folded
from benefit.services.home import Home
from benefit.services.protections import ever_protected
from benefit.store import ward
from benefit.store.engine import reading

MARKS = {Answer.MET: "○", Answer.UNMET: "×", Answer.UNKNOWN: "？"}
SLOT_KINDS = {"世帯": ("HH100K",), "児童": ("CHILD",), "納税者": ("ADJ", "SHORT")}


def last_day(home: Home, programme: Programme) -> date | None:
    """最後に登録された判定の日。まだなければ None。"""
    table = ward.run
    with reading(home.ward) as connection:
        return connection.execute(
            select(table.c.today).where(table.c.programme == programme.id).order_by(table.c.id.desc()).limit(1)
        ).scalar()


def household(home: Home, programme: Programme, today: date, number: int) -> list[str]:
    """一つの世帯の、いまの判定の説明。抽出データにいなければ RefusedInput。"""
    return household_pages(home, certificates.now(home, programme, today), number)


def person(home: Home, programme: Programme, today: date, number: int) -> list[str]:
    """一人の、いまの判定の説明: 基準日の世帯、子どもとして、納税者として。どこにもいなければ RefusedInput。"""
    return person_pages(home, certificates.now(home, programme, today), number)


def kept_inside(home: Home, found: list[Certificate]) -> list[Certificate]:
    """名簿から消えたが解除されていない人のいる世帯の紙も、区限りにする（benefit-rules F.3 exit）。"""
    marked = set(ever_protected(home)["person_number"])
    near = {person for one in found for person in one.people}
    return [replace(one, protected=True) for one in found] if near & marked else found


def household_pages(home: Home, record: Record, number: int) -> list[str]:
    """一つの世帯の説明。"""
    return [page(home, one) for one in of_household(record, number)]


def person_pages(home: Home, record: Record, number: int) -> list[str]:
    """一人の説明。"""
    found = of_person(record, number)
    if found:
        return [page(home, one) for one in found]
    told = not_member(record, number)
    return [folded(f"■ {number:010d} は、基準日 {record.programme.base_date} の世帯員ではありません。\n   {told.told}")]


def page(home: Home, found: Certificate) -> str:
    """一つの証明を、端末の文にする。"""
    record = found.record
    run = f"（登録した判定 {record.run_id} の写し）" if record.run_id is not None else "（いまの抽出データ）"
    lines = [
        f"■ {found.kind} {found.number:010d}  {found.benefit_name}: {found.verdict}"
        + (f"（{found.reasons}）" if found.reasons else ""),
        f"   {found.result}{found.account}",
        *(f"   {line}" for line in registered(home, found)),
        f"   判定の日 {record.today}、基準日 {record.programme.base_date}{run}",
    ]
    for heading, values in (("世帯員", found.members), ("計算", found.calculation)):
        if values:
            lines += ["", f"  {heading}", *(f"    {value.told}" for value in values)]
    lines += ["", "  検査"]
    for checked in found.checks:
        check, answer = checked.check, checked.answer
        lines.append(f"    {MARKS[answer]} {answer.value:<3} {check.id}  {check.says} 〔根拠: {check.basis}〕")
        lines += [f"          {value.told}" for value in checked.values]
        lines += [f"          {term}" for term in checked.terms]
    lines += ["", "  結果が変わる最小の事実の違い", *(f"    {line}" for line in change_lines(found))]
    lines += ["", "  使ったもの"]
    lines += [f"    {name}  {file}  {fingerprint}" for name, file, fingerprint in found.files]
    lines += [f"    {'、'.join(f'{name} {version}' for name, version in found.versions)}"]
    return folded("\n".join(lines))


def change_lines(found: Certificate, *, reader: int | None = None, plain: bool = False) -> list[str]:
    """変わる条件を、一行ずつ。`plain` なら、`reader` の税額だけを載せる。"""
    if not found.changes:
        return ["この対象の事実の違いだけでは、対象になりません"]
    return [_change_line(found, change, reader, plain=plain) for change in found.changes]


def _change_line(found: Certificate, change: Change, reader: int | None, *, plain: bool) -> str:
    result = change.result
    if result.verdict == "行なし":
        then = "この給付の対象として判定されない"
    else:
        whose = found.number if found.kind == "納税者" else None
        name, amount = "", f"（{result.reasons}）"
        if result.verdict == "対象":
            name = f"{found.record.programme.benefit_names[result.benefit]} "
            amount = "" if plain and whose is not None and whose != reader else f" {result.amount_yen:,} 円"
        then = f"{name}{result.verdict}{amount}"
    said = []
    for move in change.moves:
        value = Value(move.says, plain=move.plain, whose=move.whose)
        said.append(value.told_to(reader) if plain else value.told)
    together = "、かつ、".join(said)
    return f"・{together} → {then}"


def case_number(home: Home, found: Certificate) -> str | None:
    """登録されている支給権利の給付管理番号。"""
    table = ward.entitlement
    with reading(home.ward) as connection:
        return connection.execute(
            select(table.c.case_number).where(table.c.slot.in_(_slots(found))).order_by(table.c.id.desc()).limit(1)
        ).scalar()


def _slots(found: Certificate) -> list[str]:
    programme = found.record.programme
    return [f"{programme.id}/{kind}/{found.number:010d}" for kind in SLOT_KINDS[found.kind]]


def registered(home: Home, found: Certificate) -> list[str]:
    """登録されている支給権利と、前の判定との差。前の判定の写しでは、番号だけを言う（額は写しのものが正しい）。"""
    table, difference = ward.entitlement, ward.run_difference
    if found.record.run_id is not None:
        number = case_number(home, found)
        return [f"給付管理番号 {number}"] if number else []
    slots = _slots(found)
    with reading(home.ward) as connection:
        entitled = (
            connection.execute(select(table).where(table.c.slot.in_(slots)).order_by(table.c.id.desc()).limit(1))
            .mappings()
            .first()
        )
        changed = (
            connection.execute(
                select(difference).where(difference.c.slot.in_(slots)).order_by(difference.c.run_id.desc()).limit(1)
            )
            .mappings()
            .first()
        )
    if entitled is None:
        return ["登録された支給権利はありません"]
    number, branch = entitled["case_number"], entitled["branch"]
    lines = [f"給付管理番号 {number}（枝番 {branch}）、登録の額 {entitled['amount_yen']:,} 円"]
    if changed:
        lines.append(f"※ 登録の後に違いが出ています: {changed['before']} → {changed['after']}")
    return lines
