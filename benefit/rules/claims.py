"""受理した申請を、事実に当てる・判定の行にする。純粋な計算で、台帳を知らない。

- 証明書・更正・承継・相続・送付先は、事実を変える（`apply`）。outcomes.csv の行の数は変わらない。
- 新生児・別居児童・避難者は、行を足す（`added`）。outcomes.csv には入らず、claim_outcomes.csv に並ぶ。
- 避難者は、その人たちだけで世帯の判定を受ける。元の世帯の行は、申請があってもなくても一字も違わない（K11）。
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import polars as pl

from benefit.domain.claim import ADDING, Claim
from benefit.domain.programme import Programme
from benefit.rules.claimed_children import decide_claimed_children
from benefit.rules.claimed_evacuees import decide_evacuees
from benefit.rules.facts import SCHEMAS, Facts
from benefit.rules.outcomes import Decisions
from benefit.rules.tax_class import class_of_answer

#: 足す行の列: outcomes の列と、slot、申請番号。
ADDED_MORE = {"slot_kind": pl.String, "slot": pl.String, "claim_number": pl.String}


def apply(facts: Facts, claims: Sequence[Claim], today: date) -> Facts:
    """事実を変える申請を当てた事実。`claims` は受理したものを、決めた順に。"""
    by_kind: dict[str, list[Claim]] = {}
    for claim in claims:
        by_kind.setdefault(claim.kind, []).append(claim)
    return replace(
        facts,
        tax_answers=_with_certificates(facts, by_kind.get("certificate", [])),
        addresses=_with_addresses(facts, [*by_kind.get("guardian", []), *by_kind.get("heir", [])]),
        tax_corrections=_corrections(by_kind.get("tax-correction", [])),
        payee_changes=_payee_changes(facts, by_kind.get("successor", []), by_kind.get("heir", []), today),
    )


def answer_class(content: Any) -> str:
    """証明書・更正に書かれた額の課税区分。照会の回答と同じ読み方（契約 §2）。"""
    row = {
        "answer": content["answer"],
        "income_levy_before_cut_yen": content["income_levy_before_cut_yen"],
        "income_levy_after_cut_yen": content["income_levy_after_cut_yen"],
        "answer_per_capita_levy_yen": content["per_capita_levy_yen"],
        "answer_treaty_exempt": content["treaty_exempt"],
    }
    schema = {**dict.fromkeys(row, pl.Int64), "answer": pl.String, "answer_treaty_exempt": pl.Boolean}
    return str(pl.DataFrame([row], schema=schema).select(class_of_answer()).item())


def _with_certificates(facts: Facts, claims: Sequence[Claim]) -> pl.DataFrame:
    """証明書を、照会の回答と同じ形で足す。答えになっている照会の回答があれば、それが勝つ。"""
    if not claims:
        return facts.tax_answers
    rows = [
        {"inquiry_number": claim.number, "person_number": claim.person_number, "line": 0}
        | {name: claim.content[name] for name in SCHEMAS["tax_answers"] if name in claim.content}
        for claim in claims
    ]
    given = pl.DataFrame(rows, schema=SCHEMAS["tax_answers"]).unique("person_number", keep="last", maintain_order=True)
    heard = facts.tax_answers.with_columns(
        letter=class_of_answer_of(facts.tax_answers),
    )
    settled = heard.filter(pl.col("letter") != "Q").drop("letter")
    given = given.join(settled, on="person_number", how="anti")
    return pl.concat([facts.tax_answers.join(given, on="person_number", how="anti"), given])


def class_of_answer_of(answers: pl.DataFrame) -> pl.Series:
    """回答の行ごとの課税区分。"""
    return answers.select(
        "answer",
        "income_levy_before_cut_yen",
        "income_levy_after_cut_yen",
        answer_per_capita_levy_yen="per_capita_levy_yen",
        answer_treaty_exempt="treaty_exempt",
    ).select(letter=class_of_answer())["letter"]


def _with_addresses(facts: Facts, claims: Sequence[Claim]) -> pl.DataFrame:
    """法定代理人の送付先と、住民でない相続人の氏名。抽出データの行の後に置くので、後のものが使われる。"""
    rows = [
        {"person_number": claim.person_number, "kind": "法定代理人", "line": 0}
        | {name: claim.content[name] for name in ("name", "kana_name", "postal_code", "address", "address2")}
        if claim.kind == "guardian"
        else {"person_number": claim.content["heir"], "kind": "住登外", "line": 0}
        | {name: claim.content[name] for name in ("name", "kana_name", "postal_code", "address", "address2")}
        for claim in claims
        if claim.kind == "guardian" or claim.content["name"]
    ]
    if not rows:
        return facts.addresses
    return pl.concat([facts.addresses, pl.DataFrame(rows, schema=SCHEMAS["addresses"])])


def _corrections(claims: Sequence[Claim]) -> pl.DataFrame:
    rows = [
        {
            "person_number": claim.person_number,
            "seen_class": claim.content["seen_class"],
            "corrected_class": answer_class(claim.content),
        }
        for claim in claims
    ]
    frame = pl.DataFrame(rows, schema=SCHEMAS["tax_corrections"])
    return frame.unique("person_number", keep="last", maintain_order=True)


def _payee_changes(facts: Facts, successors: Sequence[Claim], heirs: Sequence[Claim], today: date) -> pl.DataFrame:
    """代わりの受給者。承継した世帯主は、同じ世帯の人で、今も存命でなければならない。"""
    rows = [
        {
            "subject_kind": "世帯",
            "subject_number": claim.household_number,
            "new_payee": claim.person_number,
            "heir": False,
        }
        for claim in successors
    ]
    taken = pl.DataFrame(rows, schema=SCHEMAS["payee_changes"])
    if rows:
        living = facts.residents.filter(
            pl.col("person_number").is_in(taken["new_payee"].implode())
            & ~((pl.col("removed_reason") == "死亡") & (pl.col("removed_on") <= today)).fill_null(value=False)
        ).join(facts.taxes.filter(pl.col("died_on") <= today), on="person_number", how="anti")
        taken = taken.join(
            living.select(new_payee="person_number", subject_number="household_number"),
            on=["new_payee", "subject_number"],
            how="semi",
        )
    inherited = pl.DataFrame(
        [
            {
                "subject_kind": claim.content["subject_kind"],
                "subject_number": claim.content["subject_number"],
                "new_payee": claim.content["heir"],
                "heir": True,
            }
            for claim in heirs
        ],
        schema=SCHEMAS["payee_changes"],
    )
    return pl.concat([taken, inherited]).unique(["subject_kind", "subject_number"], keep="last", maintain_order=True)


def added(facts: Facts, programme: Programme, decisions: Decisions, claims: Sequence[Claim], today: date) -> Decisions:
    """行を足す申請の行を `claimed` に入れた判定。slot は、判定の行とも申請どうしでも、対象なら一つずつしかない。"""
    adding = [claim for claim in claims if claim.kind in ADDING]
    if not adding or programme.household is None:
        return decisions
    evacuees = decide_evacuees(facts, programme, adding, today)
    children = decide_claimed_children(facts, programme, decisions, evacuees, adding)
    order = list(decisions.outcomes.columns) + list(ADDED_MORE)
    parts = [frame.select(order) for frame in (evacuees, children) if frame.height]
    schema = {**decisions.outcomes.schema, **ADDED_MORE}
    claimed = pl.concat([pl.DataFrame(schema=schema), *(part.cast(schema) for part in parts)])  # type: ignore[arg-type]
    return replace(decisions, claimed=claimed.sort("claim_number", "subject_kind", "subject_number"))
