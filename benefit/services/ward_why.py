"""なぜ、その判定か: 一人について、登録した判定の写しから、事業ごとの判定証明を集める。判定し直さない。"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
from sqlalchemy import select

from benefit.domain.check import Answer
from benefit.domain.errors import BenefitError, RefusedInput
from benefit.services import certificates, explain, explain_certificate, runs
from benefit.services.explain_certificate import Certificate
from benefit.services.home import Home
from benefit.store import ward
from benefit.store.engine import reading


@dataclass(frozen=True)
class Explained:
    """一つの事業の説明。`papers` がなければ、`says` が訳を言う。"""

    programme_id: str
    programme: str
    run: str
    papers: tuple[Certificate, ...]
    says: str = ""


def explained(home: Home, person_number: int) -> list[Explained]:
    """判定したことのある事業の全部について、一人の説明。承認した判定があればその写し、なければ最後の判定の写し。"""
    table = ward.run
    with reading(home.ward) as connection:
        known = list(connection.execute(select(table.c.programme).distinct().order_by(table.c.programme)).scalars())
    return [_one(home, programme_id, person_number) for programme_id in known]


def _one(home: Home, programme_id: str, person_number: int) -> Explained:
    programme = home.programme(programme_id)
    run = runs.last_approved(home, programme) or runs.find(home, programme, "latest")
    label = f"判定 {run.id}（{run.today}）" + ("" if run.approved_by else "・承認前")
    try:
        record = certificates.read(home, run)
        found = explain_certificate.of_person(record, person_number)
        if found:
            kept = explain.kept_inside(home, found)
            return Explained(programme_id, programme.name, label, tuple(kept))
        says = explain_certificate.not_member(record, person_number).told
    except RefusedInput as refused:
        return Explained(programme_id, programme.name, label, (), refused.says)
    return Explained(
        programme_id,
        programme.name,
        label,
        (),
        f"基準日 {programme.base_date} の世帯員ではありません。{says}",
    )


def clauses(found: Certificate) -> list[str]:
    """決め手になった検査の文と根拠。対象なら、どの検査も該当である。"""
    wanted = {"対象外": Answer.UNMET, "未確定": Answer.UNKNOWN}.get(found.verdict)
    return [
        f"{one.check.says}: {one.answer.value}〔根拠: {one.check.basis}〕"
        for one in found.checks
        if one.answer is wanted
    ]


def readers(papers: Sequence[Certificate]) -> list[int]:
    """この紙を受け取ってよい人。"""
    return list(dict.fromkeys(number for one in papers for number in one.people))


def sheets(papers: Sequence[Certificate], reader: int | None) -> dict[str, pl.DataFrame]:
    """Excel の表。紙と同じに、税額は受け取る人のものだけを載せる（0012）。"""
    if not papers:
        raise BenefitError("表にする判定がありません", code="no-certificate")
    results, checks, changes, files = [], [], [], []
    for one in papers:
        name = f"{one.kind} {one.number:010d}"
        account = one.account if reader == one.payee_number else ""
        results.append((name, one.benefit_name, one.verdict, one.reasons, one.result + account))
        for checked in one.checks:
            values = "\n".join(dict.fromkeys(value.told_to(reader) for value in checked.values))
            check = checked.check
            checks.append((name, check.id, checked.answer.value, check.says, check.basis, values))
        told = explain.change_lines(one, reader=reader, plain=True)
        changes += [(name, line.removeprefix("・")) for line in told]
        files += [(name, *row) for row in one.files]
    return {
        "判定": _table(results, ("対象", "給付", "判定", "理由", "結果")),
        "検査": _table(checks, ("対象", "検査", "答え", "内容", "根拠", "見た値と出どころ")),
        "変わる条件": _table(changes, ("対象", "変わる条件")),
        "使ったもの": _table(files, ("対象", "名", "ファイル", "指紋")),
    }


def _table(rows: Sequence[tuple[str, ...]], heading: Sequence[str]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=dict.fromkeys(heading, pl.String), orient="row")
