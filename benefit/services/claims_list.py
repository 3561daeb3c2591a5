"""申請の一覧: 職員が見る CSV。氏名・口座は載せない。区の中だけで使う（避難者の申請がある）。"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from benefit.domain.claim import WARD_ONLY, Claim
from benefit.records import people_csv

FILE_NAME = "claims.csv"


def _number(value: int | None) -> str | None:
    return f"{value:010d}" if value is not None else None


def render(claims: Sequence[Claim]) -> bytes:
    """申請番号の順に一行ずつ。"""
    rows = [
        {
            "申請番号": claim.number,
            "種類": claim.kind_name,
            "状態": claim.state,
            "世帯番号": _number(claim.household_number),
            "番号": _number(claim.person_number),
            "受付日": str(claim.received_on),
            "消印の日": str(claim.postmarked_on) if claim.postmarked_on else None,
            "開き直した理由": claim.reopened_reason or None,
            "証拠の書類": claim.evidence_kind,
            "証拠の番号": claim.evidence_id,
            "理由": claim.reason,
            "入れた人": claim.entered_by,
            "決めた人": claim.decided_by or None,
            "決定の日": str(claim.decided_on) if claim.decided_on else None,
            "決定の理由": claim.decision_reason or None,
            "確かめて外したもの": "、".join(claim.cleared) or None,
            "区限り": "○" if claim.kind in WARD_ONLY else None,
        }
        for claim in sorted(claims, key=lambda one: one.number)
    ]
    schema = dict.fromkeys(rows[0] if rows else {"申請番号": ""}, pl.String)
    return people_csv.render(pl.DataFrame(rows, schema=schema))
