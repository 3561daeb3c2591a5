"""申請の審査: 入れる時に台帳から補うもの、受理してよいか、受理したらどうなるか。

受理してよいかは、受理したものとして判定し直して見る。だから、受理の後に起きることと食い違わない。
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import polars as pl
from sqlalchemy import select

from benefit.domain.check import Verdict
from benefit.domain.claim import ADDING, Claim
from benefit.domain.entitlement import SUBJECT_OF_SLOT
from benefit.domain.errors import RefusedByRule
from benefit.domain.letter import CONFIRMATION_LETTER, PUSH_NOTICE
from benefit.domain.programme import Programme
from benefit.domain.transfer import LIVE_STATES
from benefit.rules.claimed_children import CHECKS, twins_of
from benefit.rules.claims import answer_class
from benefit.rules.facts import Facts, empty
from benefit.rules.household_benefits import household_checks
from benefit.rules.outcomes import Decisions
from benefit.rules.tax_class import tax_classes
from benefit.services import claims_stored
from benefit.services.claims_form import Form, refuse
from benefit.services.gate import dead_people
from benefit.services.home import Home
from benefit.services.mailing_sent import sent
from benefit.services.standing import Inputs, decide_now, gather
from benefit.store import ward
from benefit.store.engine import reading


@dataclass(frozen=True)
class Examined:
    """受理したらどうなるか。rows は足される行、twins はよく似た別の番号の児童。"""

    claim: Claim
    inputs: Inputs
    decisions: Decisions
    twins: tuple[int, ...]

    @property
    def rows(self) -> pl.DataFrame:
        """この申請が足す行。"""
        if self.decisions.claimed.is_empty():
            return self.decisions.claimed
        return self.decisions.claimed.filter(pl.col("claim_number") == self.claim.number)


def says(programme: Programme, reasons: str) -> str:
    """検査の id を、職員の読む文に。"""
    known = {check.id: check.says for check in (*household_checks(programme), *CHECKS)}
    told = [f"{name} {known.get(name, '')}".strip() for name in reasons.split(";") if name]
    return "、".join(f"「{one}」に当てはまらないか、分からない" for one in told)


def completed(home: Home, programme: Programme, form: Form, today: date) -> Form:
    """台帳にある人・世帯・権利かを確かめ、審査に要ることを写す。"""
    if form.kind in ("newborn", "separate-child") and programme.child is None:
        raise refuse("種類", "この事業には、こども加算がありません", found=programme.id)
    if form.kind in ("evacuee", "successor", "newborn", "separate-child") and programme.household is None:
        raise refuse("種類", "この事業には、世帯の給付がありません", found=programme.id)
    if form.kind == "heir":
        return _heir(home, programme, form)
    inputs = gather(home, programme, today)
    facts, person = inputs.facts, form.person_number
    assert person is not None
    if form.household_number is not None and not _known(facts.residents, "household_number", [form.household_number]):
        raise refuse("世帯番号", "住民記録にない世帯です")
    wanted = [person, *form.content.get("companions", [])]
    if form.kind == "separate-child" and form.content:
        if _known(facts.residents, "person_number", wanted):
            raise refuse("児童の番号", "住民記録にいる人の番号です")
    elif form.kind in ("tax-correction", "guardian"):
        if not any(_known(frame, "person_number", wanted) for frame in (facts.residents, facts.taxes, facts.addresses)):
            raise refuse("番号", "住民記録にも住民税にもいない人です")
    elif not _known(facts.residents, "person_number", wanted):
        raise refuse("番号", "住民記録にいない人がいます")
    if form.kind == "tax-correction":
        return replace(form, content={**form.content, "seen_class": _extract_class(facts, programme, person)})
    if form.kind == "successor":
        assert form.household_number is not None
        payee = _payee(decide_now(inputs), form.household_number)
        slot = f"{programme.id}/HH100K/{form.household_number:010d}"
        return replace(form, content={**form.content, "slot": slot, "payee": payee})
    return form


def examine(home: Home, programme: Programme, claim: Claim, today: date) -> Examined:
    """この申請を受理したものとして、判定し直す。"""
    others = [one for one in claims_stored.accepted(home, programme) if one.number != claim.number]
    inputs = gather(home, programme, today, claims=[*others, replace(claim, decision="accept")])
    decisions = decide_now(inputs)
    twins: list[int] = []
    if claim.kind in ("newborn", "separate-child", "evacuee"):
        adding = [one for one in others if one.kind in ADDING]
        found = twins_of(claim, adding, inputs.facts, decisions)
        twins = [one for one in found if f"{one:010d}" not in claim.cleared]
    return Examined(claim, inputs, decisions, tuple(twins))


def refuse_unless_acceptable(home: Home, programme: Programme, claim: Claim, today: date) -> None:
    """受理できないわけがあれば、RefusedByRule。"""
    seen = examine(home, programme, claim, today)
    if claim.kind in ADDING:
        _refuse_rows(programme, seen)
    elif claim.kind == "certificate":
        _refuse_certificate(home, programme, seen, today)
    elif claim.kind == "tax-correction":
        _refuse_correction(programme, seen)
    elif claim.kind == "successor":
        _refuse_successor(home, seen, today)
    elif claim.kind == "heir":
        _refuse_heir(home, seen, today)


def _refuse_rows(programme: Programme, seen: Examined) -> None:
    claim = seen.claim
    if seen.twins and claim.kind != "evacuee":
        raise RefusedByRule(
            "カナ氏名と生年月日が同じ児童が、別の番号でもう数えられています（CHK43）。"
            f"benefit claim show {claim.number} で確かめ、別人なら --clear にその番号を書き、承認の役割の人が決めます",
            code="CHK43",
        )
    subject = "避難世帯" if claim.kind == "evacuee" else "児童"
    row = seen.rows.filter(pl.col("subject_kind") == subject).row(0, named=True)
    if row["verdict"] == Verdict.INELIGIBLE.value:
        raise RefusedByRule(f"要件に合わないので受理できません: {says(programme, row['reasons'])}", code="not-eligible")
    if claim.kind == "evacuee" and "PRIOR" in row["reasons"].split(";") and "P5" not in claim.cleared:
        raise RefusedByRule(
            "昨年度の対象世帯から分かれた人です（P5）。分かれたことを確かめたら、--clear P5 で承認の役割の人が決めます",
            code="P5",
        )


def _refuse_certificate(home: Home, programme: Programme, seen: Examined, today: date) -> None:
    if answer_class(seen.claim.content) == "Q":
        raise RefusedByRule(
            "この証明書の額では、課税の区分が決まりません（減税前の所得割の額が要ります）", code="undecided"
        )
    before = gather(home, programme, today, claims=[one for one in seen.inputs.claims if one != seen.inputs.claims[-1]])
    if _class(before.facts, programme, seen.claim.person_number) != "Q":
        raise RefusedByRule(
            "この人の課税状況は、もう分かっています。税の更正なら tax-correction で入れます", code="known"
        )


def _refuse_correction(programme: Programme, seen: Examined) -> None:
    claim = seen.claim
    corrected = answer_class(claim.content)
    if corrected == "Q":
        raise RefusedByRule("更正の額では、課税の区分が決まりません（減税前の所得割の額が要ります）", code="undecided")
    now = _extract_class(seen.inputs.facts, programme, claim.person_number)
    if now != claim.content["seen_class"]:
        raise RefusedByRule("申請を入れた後に、抽出データの税が変わりました。入れ直してください", code="changed")
    if now == corrected:
        raise RefusedByRule("課税の区分が変わらないので、世帯の給付は変わりません", code="same-class")


def _refuse_successor(home: Home, seen: Examined, today: date) -> None:
    claim = seen.claim
    dead = dead_people(seen.inputs, today)
    died_on = dict(dead.iter_rows()).get(claim.content["payee"])
    if died_on is None:
        raise RefusedByRule("世帯主の死亡が、住民記録にも住民税にもありません", code="not-dead")
    if died_on <= seen.inputs.programme.base_date:
        raise RefusedByRule("基準日までの死亡です。基準日の世帯主が受給者になります", code="before-base-date")
    if _payee(seen.decisions, claim.household_number) != claim.person_number:
        raise RefusedByRule("新しい世帯主は、基準日の同じ世帯の、存命の人です", code="not-a-member")
    _refuse_paid(home, claim.content["slot"])
    if _accepted_by_push(home, claim.content["slot"], died_on):
        raise RefusedByRule(
            "辞退期限の後に亡くなっています（受諾の後）。相続人の申請（heir）で扱います", code="accepted"
        )


def _refuse_heir(home: Home, seen: Examined, today: date) -> None:
    claim, slot = seen.claim, seen.claim.content["slot"]
    died_on = dict(dead_people(seen.inputs, today).iter_rows()).get(claim.content["payee"])
    accepted_on = date.fromisoformat(claim.content["accepted_on"])
    if died_on is None:
        raise RefusedByRule("受給者の死亡が、住民記録にも住民税にもありません", code="not-dead")
    if accepted_on >= died_on:
        raise RefusedByRule(
            "受諾（収受・辞退期限）が、死亡より前ではありません。権利は相続されません", code="not-accepted"
        )
    _refuse_paid(home, slot)
    letter, entitlement = ward.letter, ward.entitlement
    query = (
        select(letter.c.kind, letter.c.issued_on, letter.c.due_on)
        .join(entitlement, entitlement.c.id == letter.c.entitlement_id)
        .where(entitlement.c.slot == slot, sent())
    )
    with reading(home.ward) as connection:
        letters = connection.execute(query).all()
    if claim.evidence_kind == "辞退期限の経過":
        proved = any(one.kind == PUSH_NOTICE and one.due_on == accepted_on for one in letters)
    else:
        proved = any(one.kind == CONFIRMATION_LETTER and one.issued_on <= accepted_on for one in letters)
    if not proved:
        raise RefusedByRule("受諾の日が、この権利の手紙（発送日・辞退期限）と合いません", code="no-acceptance")
    rows = seen.decisions.outcomes.filter(
        (pl.col("subject_kind") == claim.content["subject_kind"])
        & (pl.col("subject_number") == claim.content["subject_number"])
        & (pl.col("payee_number") == claim.content["heir"])
        & (pl.col("verdict") == Verdict.ELIGIBLE.value)
    )
    if rows.is_empty():
        raise RefusedByRule("受給者の死亡のほかにも、対象でないわけがあります", code="not-eligible")


def _heir(home: Home, programme: Programme, form: Form) -> Form:
    table = ward.entitlement
    with reading(home.ward) as connection:
        row = (
            connection.execute(
                select(table).where(
                    table.c.case_number == form.content["case_number"], table.c.programme == programme.id
                )
            )
            .mappings()
            .first()
        )
    if row is None:
        raise refuse("給付管理番号", "支給対象者データベースにない番号です")
    if row["slot_kind"] in ("CHILD", "EVACUEE"):
        raise refuse(
            "給付管理番号", "こども加算は、世帯の給付の相続と一緒に扱います", allowed="世帯か納税者の給付の番号"
        )
    content: dict[str, Any] = {name: value for name, value in form.content.items() if name != "case_number"}
    content |= {
        "slot": row["slot"],
        "payee": row["payee_number"],
        "subject_kind": SUBJECT_OF_SLOT[row["slot_kind"]],
        "subject_number": row["subject_number"],
    }
    return replace(form, household_number=row["household_number"], person_number=row["payee_number"], content=content)


def _refuse_paid(home: Home, slot: str) -> None:
    payment = ward.payment
    with reading(home.ward) as connection:
        live = connection.execute(
            select(payment.c.id).where(payment.c.slot == slot, payment.c.state.in_(LIVE_STATES))
        ).first()
    if live is not None:
        raise RefusedByRule("振込済か、振込の途中の権利です", code="CHK30")


def _accepted_by_push(home: Home, slot: str, died_on: date) -> bool:
    letter, entitlement = ward.letter, ward.entitlement
    query = (
        select(letter.c.id)
        .join(entitlement, entitlement.c.id == letter.c.entitlement_id)
        .where(
            entitlement.c.slot == slot,
            letter.c.kind == PUSH_NOTICE,
            sent(),
            letter.c.branch == entitlement.c.branch,
            letter.c.due_on < died_on,
        )
    )
    with reading(home.ward) as connection:
        return connection.execute(query).first() is not None


def _known(frame: pl.DataFrame, column: str, numbers: Sequence[int]) -> bool:
    return frame.filter(pl.col(column).is_in(list(numbers)))[column].n_unique() == len(set(numbers))


def _payee(decisions: Decisions, household_number: int | None) -> int | None:
    rows = decisions.households.filter(pl.col("household_number") == household_number)
    return rows["payee_number"][0] if rows.height else None


def _class(facts: Facts, programme: Programme, person: int | None) -> str:
    found = tax_classes(facts, programme).filter(pl.col("person_number") == person).collect()
    return str(found["tax_class"][0]) if found.height else "U"


def _extract_class(facts: Facts, programme: Programme, person: int | None) -> str:
    """更正を当てる前の、抽出データの区分。"""
    return _class(replace(facts, tax_corrections=empty("tax_corrections")), programme, person)
