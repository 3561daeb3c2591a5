"""支給対象者データベースを作る: 判定し、支給権利を登録し、前との差を示し、ファイルに出す。

登録済みの支給権利は、黙って書き換わらない。新しい対象者の権利だけが足され、金額・受給者・経路が変わる人と
対象から外れる人は `run_difference` と differences.csv に並ぶ。払うときは、関門（支給判定）がその差を見て止める。
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl
from sqlalchemy import Connection, select

from benefit.domain.access import BATCH, Actor
from benefit.domain.clock import Clock
from benefit.domain.errors import RefusedByRule
from benefit.domain.programme import Programme
from benefit.domain.programme_sense import MOST_YEN
from benefit.records import outcomes as outcome_file
from benefit.rules.attention import attention
from benefit.rules.attention import render as render_attention
from benefit.rules.counts import counts
from benefit.rules.difference import Difference, difference
from benefit.services import certificates, replay, runs
from benefit.services.entitlements import (
    all_outcomes,
    all_slots,
    compare,
    differences_csv,
    number,
    stored_entitlements,
)
from benefit.services.files import sha256_of, write_atomic, write_json
from benefit.services.home import Home
from benefit.services.standing import Inputs, decide_now, gather
from benefit.store import audit, ward
from benefit.store.bulk import insert_one, insert_rows
from benefit.store.engine import in_turn, reading

_COLUMNS = (
    "programme",
    "slot",
    "slot_kind",
    "benefit",
    "subject_number",
    "household_number",
    "payee_number",
    "amount_yen",
    "route",
    "account_flag",
    "case_number",
    "branch",
    "run_id",
)


@dataclass(frozen=True)
class Built:
    """作成一回の結果。"""

    outcomes_sha256: str
    rows: int
    eligible: int
    total_yen: int
    added: int
    same: int
    differing: int
    repeated: bool
    counts: dict[str, object]
    seconds: dict[str, float]
    #: 登録された判定の番号。試算では None。
    run_id: int | None
    #: 職員が目を通す行の数（attention.csv）。
    noted: int
    #: 最後に承認した判定との差と、検査ごとの（区分、検査、前、今）。
    difference: Difference
    checks: list[tuple[str, str, int, int]]


def _stopwatch(seconds: dict[str, float]) -> Callable[[str], None]:
    """段ごとの秒を書き留める。"""
    since = time.perf_counter()

    def timed(name: str) -> None:
        nonlocal since
        now = time.perf_counter()
        seconds[name], since = round(now - since, 3), now

    return timed


def build(
    home: Home,
    programme: Programme,
    today: date,
    *,
    out: Path,
    clock: Clock,
    actor: Actor = BATCH,
    dry_run: bool = False,
    step: Callable[[str], None] = lambda _name: None,
) -> Built:
    """対象者を作り、`out` に outcomes.csv・entitlements.csv・differences.csv・summary.json を書く。

    同じ入力と同じ `today` なら、outcomes.csv は一字も違わず、登録は増えない。
    """
    seconds: dict[str, float] = {}
    timed = _stopwatch(seconds)
    step("写しを読む")
    inputs = gather(home, programme, today)
    timed("写しを読む")
    step("判定する")
    decisions = decide_now(inputs)
    timed("判定する")
    step("結果を並べる")
    rendered = outcome_file.render(decisions.outcomes)
    fingerprint = sha256_of(rendered)
    # 登録と差には、申請が足した行も入る。outcomes.csv には入らない（全員がちょうど一行にいるファイルだから）。
    outcomes = all_outcomes(decisions)
    eligible = all_slots(decisions, programme)
    timed("結果を並べる")
    step("支給権利を登録する")
    counted, proof = counts(decisions, programme), ""
    if not dry_run:
        _refuse_unpayable(eligible)
        _refuse_other_result(home, inputs, fingerprint)
        runs.store(home, inputs.digest, outcomes, eligible)
        replay.keep(home, inputs)
        _path, proof = certificates.store(home, inputs, decisions, inputs.digest)
    with home.ward.begin() as connection:
        in_turn(connection, "entitlements")
        stored = stored_entitlements(connection, programme.id)
        differences, fresh, same = compare(stored, eligible, outcomes)
        repeated, run_id = False, None
        if not dry_run:
            fresh = number(fresh, stored, home.key("case-number"))
            repeated, run_id = _register(
                connection,
                inputs,
                fingerprint,
                fresh,
                same,
                differences,
                counted | {certificates.RECORDED: {"sha256": proof}},
                actor=actor,
                clock=clock,
            )
    timed("支給権利を登録する")
    step("ファイルに書く")
    out.mkdir(parents=True, exist_ok=True)
    write_atomic(out / outcome_file.FILE_NAME, rendered)
    _write_claims(out / outcome_file.CLAIMS_NAME, decisions.claimed)
    write_atomic(out / "differences.csv", differences_csv(differences))
    noted = attention(decisions, programme)
    write_atomic(out / "attention.csv", render_attention(noted))
    if not dry_run:
        numbered = pl.concat(
            [stored.select("slot", "case_number", "branch"), fresh.select("slot", "case_number", "branch")]
        )
        write_atomic(out / "entitlements.csv", outcome_file.render_entitlements(eligible.join(numbered, on="slot")))
    timed("ファイルに書く")
    approved = runs.last_approved(home, programme, before=run_id)
    before = runs.outcomes_of(home, approved) if approved else outcomes.clear()
    total = int(eligible["amount_yen"].sum())
    write_json(
        out / "summary.json",
        {
            **inputs.described,
            "outcomes_sha256": fingerprint,
            **counted,
            "登録": {"追加": fresh.height, "前と同じ": same, "前と違う": differences.height, "試算": dry_run},
            "秒": seconds,
        },
    )
    return Built(
        fingerprint,
        outcomes.height,
        eligible.height,
        total,
        0 if repeated else fresh.height,
        same,
        differences.height,
        repeated,
        counted,
        seconds,
        run_id,
        noted.height,
        difference(before, outcomes),
        runs.check_counts(approved.counts if approved else None, counted),
    )


def _refuse_unpayable(eligible: pl.DataFrame) -> None:
    """台帳が受け付けない額（一件の上限を超える）を、登録の前に言う。事業のファイルの書き誤りか、税の行の誤りである。"""
    over = eligible.filter(pl.col("amount_yen") > MOST_YEN).sort("amount_yen", descending=True)
    if over.height:
        raise RefusedByRule(
            f"支給額が {MOST_YEN:,} 円を超える行が {over.height:,} 件あるので、登録しませんでした。"
            "事業のファイルの額と、住民税の人数・税額を確かめてください（--dry-run なら outcomes.csv で見られます）",
            code="amount",
            found=f"最大 {int(over['amount_yen'].to_list()[0]):,} 円",
            allowed=f"{MOST_YEN:,} 円まで",
        )


def _refuse_other_result(home: Home, inputs: Inputs, fingerprint: str) -> None:
    """同じ入力から違う結果が出たら、登録された判定の写しを書き換えずに断る。"""
    query = select(ward.run.c.id, ward.run.c.outcomes_sha256).where(ward.run.c.input_digest == inputs.digest)
    with reading(home.ward) as connection:
        found = connection.execute(query).first()
    if found is not None and found.outcomes_sha256 != fingerprint:
        raise RefusedByRule(
            f"同じ入力の判定 {found.id} と、結果が違います。仕組みが変わっています。保守担当に連絡してください",
            code="not-repeatable",
            found=fingerprint[:12],
            allowed=found.outcomes_sha256[:12],
        )


def _write_claims(path: Path, claimed: pl.DataFrame) -> None:
    """申請が足した行を書く。なければ、前に書いたものも残さない。"""
    if claimed.is_empty():
        path.unlink(missing_ok=True)
    else:
        write_atomic(path, outcome_file.render_claims(claimed))


def _register(
    connection: Connection,
    inputs: Inputs,
    fingerprint: str,
    fresh: pl.DataFrame,
    same: int,
    differences: pl.DataFrame,
    counted: dict[str, object],
    *,
    actor: Actor,
    clock: Clock,
) -> tuple[bool, int]:
    """一回を登録し、(もう登録されていたか, 判定の番号) を返す。同じ入力がもう登録されていれば、何もしない。"""
    found = connection.execute(select(ward.run.c.id).where(ward.run.c.input_digest == inputs.digest)).first()
    if found:
        return True, found.id
    run_id = insert_one(
        connection,
        ward.run,
        programme=inputs.programme.id,
        programme_digest=inputs.programme.digest,
        today=inputs.today,
        input_digest=inputs.digest,
        inputs=json.dumps(inputs.described, ensure_ascii=False),
        outcomes_sha256=fingerprint,
        rows_added=fresh.height,
        rows_same=same,
        rows_differing=differences.height,
        counts=json.dumps(counted, ensure_ascii=False),
        built_by=actor.id,
        built_at=clock(),
    )
    rows = fresh.with_columns(programme=pl.lit(inputs.programme.id), run_id=pl.lit(run_id)).select(_COLUMNS)
    insert_rows(connection, ward.entitlement, _COLUMNS, rows.iter_rows())
    told = differences.select(pl.lit(run_id).alias("run_id"), "slot", "kind", "before", "after")
    insert_rows(connection, ward.run_difference, told.columns, told.iter_rows())
    audit.record(
        connection,
        ward.audit_log,
        at=clock(),
        actor=actor,
        action="beneficiaries.build",
        subject=inputs.programme.id,
        detail={"outcomes": fingerprint, "added": fresh.height, "same": same, "differing": differences.height},
    )
    return False, run_id
