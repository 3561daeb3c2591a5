"""申請書の口座に払う権利: 避難者（同伴した児童を含む）と相続人。手紙は出さず、区の中だけで支払の行を作る。

申請書を受け付け、二人目の職員が受理したことが、受諾と審査にあたる（収受日 = 受付日、審査完了日 = 決定の日）。
"""

from __future__ import annotations

import polars as pl

from benefit.domain.claim import WARD_ONLY, Claim
from benefit.rules.outcomes import Decisions
from benefit.services.entitlements import all_slots
from benefit.services.standing import Inputs
from benefit.services.transfer_lines import ACCOUNT

_COLUMNS = {"slot": pl.String, **dict.fromkeys(ACCOUNT, pl.String), "received_on": pl.Date, "reviewed_on": pl.Date}


def claim_accounts(inputs: Inputs, decisions: Decisions) -> pl.DataFrame:
    """slot ごとの、申請書の口座と、受付日・決定の日。"""
    paying = [claim for claim in inputs.claims if claim.kind in WARD_ONLY]
    found = pl.DataFrame(schema=_COLUMNS)
    if not paying:
        return found
    slots = all_slots(decisions, inputs.programme)
    claimed = decisions.claimed
    for claim in paying:
        # 申請は一件ずつ、数千件まで。行の計算は Polars がする。
        if claim.kind == "evacuee":
            mine = claimed.filter((pl.col("claim_number") == claim.number) & (pl.col("verdict") == "対象"))["slot"]
        else:
            mine = slots.filter(_inherited(claim))["slot"]
        account = dict(zip(ACCOUNT, claim.account or (), strict=True))
        rows = pl.DataFrame({"slot": mine}).with_columns(
            *(pl.lit(value).alias(name) for name, value in account.items()),
            received_on=pl.lit(claim.received_on),
            reviewed_on=pl.lit(claim.decided_on),
        )
        found = pl.concat([found, rows.select(*_COLUMNS)])
    return found.unique("slot", keep="last", maintain_order=True)


def _inherited(claim: Claim) -> pl.Expr:
    """相続人が受け取る権利: その権利と、世帯の給付なら、その世帯のこども加算。"""
    wanted: pl.Expr = pl.col("slot") == claim.content["slot"]
    if claim.content["subject_kind"] == "世帯":
        wanted |= (pl.col("household_number") == claim.household_number) & (pl.col("slot_kind") == "CHILD")
    return wanted.and_(pl.col("payee_number") == claim.content["heir"])
