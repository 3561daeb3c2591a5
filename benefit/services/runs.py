"""判定一回（run）の記録: 結果の写しを置き、前に承認した判定との差を示し、別の人が差を承認する。

承認のない判定の権利では、手紙も受渡も支払も作れない（`valid_entitlement` への外部キー）。結果の写しは、入力の
指紋を名前にしたフォルダにあり、判定し直さなくても、いつの二つの判定でも比べられる。
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl
from sqlalchemy import Connection, bindparam, select, update

from benefit.domain.access import Actor
from benefit.domain.clock import Clock
from benefit.domain.errors import RefusedByRule, WrongUse
from benefit.domain.programme import Programme
from benefit.rules.difference import Difference, difference, silent_checks
from benefit.services.entitlements import WATCHED, stored_entitlements
from benefit.services.files import atomic_path
from benefit.services.home import Home
from benefit.services.transfer_lines import pending_verdicts
from benefit.store import audit, ward
from benefit.store.bulk import insert_rows
from benefit.store.engine import in_turn, reading
from benefit.store.frames import fetch

OUTCOMES, ELIGIBLE = "outcomes.parquet", "eligible.parquet"
#: 差の指紋は、頭の 12 桁で言う。
SHOWN = 12


@dataclass(frozen=True)
class Run:
    """登録された判定一回。

    inputs: 入力の指紋（`Inputs.described`）。counts: summary.json の数。approved_by: 承認されていなければ空。
    """

    id: int
    today: date
    input_digest: str
    outcomes_sha256: str
    inputs: dict[str, Any]
    counts: dict[str, Any]
    built_by: str
    built_at: datetime
    based_on: int | None
    approved_by: str

    @property
    def alarms(self) -> list[str]:
        """誰も外さなかった検査。"""
        return silent_checks(self.counts["検査"])


@dataclass(frozen=True)
class Compared:
    """二つの判定の差。`before` は、比べる相手がなければ None。"""

    before: Run | None
    now: Run
    difference: Difference

    @property
    def checks(self) -> list[tuple[str, str, int, int]]:
        """検査が外した数: (区分、検査、前、今)。"""
        return check_counts(self.before.counts if self.before else None, self.now.counts)


def check_counts(before: dict[str, Any] | None, now: dict[str, Any]) -> list[tuple[str, str, int, int]]:
    """検査ごとの、前に外した数と今外した数（非該当と不明の和）。"""
    was = before["検査"] if before else {}
    return [
        (subject, name, sum(was.get(subject, {}).get(name, {}).values()), sum(cell.values()))
        for subject, found in now["検査"].items()
        for name, cell in found.items()
    ]


def folder(home: Home, input_digest: str) -> Path:
    """判定一回の写しの置き場所。"""
    return home.path / "runs" / input_digest[:32]


def store(home: Home, input_digest: str, outcomes: pl.DataFrame, eligible: pl.DataFrame) -> None:
    """結果の写しを置く。登録より先に置くので、登録された判定の写しはいつもある。"""
    place = folder(home, input_digest)
    for name, frame in ((OUTCOMES, outcomes), (ELIGIBLE, eligible.select("slot", *WATCHED))):
        with atomic_path(place / name) as beside:
            frame.write_parquet(beside, compression="zstd")
            beside.chmod(0o600)


def outcomes_of(home: Home, run: Run) -> pl.DataFrame:
    """この判定の結果（outcomes の列）。"""
    return pl.read_parquet(folder(home, run.input_digest) / OUTCOMES)


def eligible_of(home: Home, run: Run) -> pl.DataFrame:
    """この判定で対象だった権利: slot と WATCHED の列。"""
    return pl.read_parquet(folder(home, run.input_digest) / ELIGIBLE)


def all_runs(connection: Connection, programme_id: str) -> list[Run]:
    """登録された判定を、古い順に。"""
    run, approval = ward.run, ward.run_approval
    query = (
        select(run, approval.c.approved_by, approval.c.based_on)
        .outerjoin(approval, approval.c.run_id == run.c.id)
        .where(run.c.programme == programme_id)
        .order_by(run.c.id)
    )
    return [
        Run(
            row["id"],
            row["today"],
            row["input_digest"],
            row["outcomes_sha256"],
            json.loads(row["inputs"]),
            json.loads(row["counts"]),
            row["built_by"],
            row["built_at"],
            row["based_on"],
            row["approved_by"] or "",
        )
        for row in connection.execute(query).mappings()
    ]


def find(home: Home, programme: Programme, word: str) -> Run:
    """番号か、`latest`（最後の判定）か、`approved`（最後に承認した判定）。なければ WrongUse。"""
    with reading(home.ward) as connection:
        runs = all_runs(connection, programme.id)
    if word == "approved":
        runs = [run for run in runs if run.approved_by]
    elif word != "latest":
        runs = [run for run in runs if str(run.id) == word]
    if not runs:
        raise WrongUse(f"判定「{word}」はありません", allowed="benefit beneficiaries runs に出る番号、latest、approved")
    return runs[-1]


def last_approved(home: Home, programme: Programme, *, before: int | None = None) -> Run | None:
    """最後に承認した判定。`before` を言えば、その番号より前のもの。"""
    with reading(home.ward) as connection:
        runs = [run for run in all_runs(connection, programme.id) if run.approved_by]
    return next((run for run in reversed(runs) if before is None or run.id < before), None)


def compare(home: Home, before: Run | None, now: Run) -> Compared:
    """二つの判定の差。"""
    after = outcomes_of(home, now)
    return Compared(before, now, difference(outcomes_of(home, before) if before else after.clear(), after))


def against_approved(home: Home, programme: Programme, run: Run) -> Compared:
    """この判定と、それより前に最後に承認した判定との差。承認する人が見るもの。"""
    return compare(home, last_approved(home, programme, before=run.id), run)


def approve(
    home: Home, programme: Programme, run: Run, *, seen: str, reason: str, actor: Actor, clock: Clock
) -> Compared:
    """差を承認する。`seen` は、見た差の指紋（頭の 12 桁）。承認すると、その権利で手紙・受渡・支払ができる。"""
    if actor.role != "approver":
        raise RefusedByRule("承認は、承認の役割を持つ職員が行います", code="role")
    if actor.id == run.built_by:
        raise RefusedByRule("作った人は、承認できません", code="two-people")
    compared = against_approved(home, programme, run)
    if seen != compared.difference.digest[:SHOWN]:
        raise RefusedByRule(
            "見た差と、いまの差が違います。benefit beneficiaries diff で差を見直してください",
            code="difference",
            found=seen,
            allowed=compared.difference.digest[:SHOWN],
        )
    if run.alarms and not reason.strip():
        raise RefusedByRule(
            f"誰も外さなかった検査があります（{'、'.join(run.alarms)}）。"
            "抽出データを確かめ、--reason に理由を書いてください",
            code="alarms",
        )
    eligible = eligible_of(home, run)
    with home.ward.begin() as connection:
        in_turn(connection, "entitlements")
        # 支給判定は、見た権利の受給者のままで支給可にする。その登録の間に、受給者を替えない。
        in_turn(connection, "money")
        known = all_runs(connection, programme.id)
        if any(one.id == run.id and one.approved_by for one in known):
            raise RefusedByRule("この判定は、もう承認されています", code="approved")
        if any(one.id > run.id and one.approved_by for one in known):
            raise RefusedByRule("もっと新しい判定が、もう承認されています", code="stale-run")
        base = next((one.id for one in reversed(known) if one.approved_by and one.id < run.id), None)
        if base != (compared.before.id if compared.before else None):
            # 順番を待つ間に、別の人が別の判定を承認した。見た差は、もう「最後に承認した判定との差」ではない。
            raise RefusedByRule(
                f"見ている間に、判定 {base} が承認されました。benefit beneficiaries diff で差を見直してください",
                code="difference",
            )
        connection.execute(
            ward.run_approval.insert().values(
                run_id=run.id,
                outcomes_sha256=run.outcomes_sha256,
                built_by=run.built_by,
                based_on=compared.before.id if compared.before else None,
                difference_sha256=compared.difference.digest,
                alarms="、".join(run.alarms),
                reason=reason.strip(),
                approved_by=actor.id,
                approved_at=clock(),
            )
        )
        fresh = _not_yet_valid(connection, programme.id, eligible)
        insert_rows(connection, ward.valid_entitlement, ("entitlement_id", "run_id"), [(one, run.id) for one in fresh])
        settled = _settle_untold(connection, programme.id, eligible)
        audit.record(
            connection,
            ward.audit_log,
            at=clock(),
            actor=actor,
            action="beneficiaries.approve",
            subject=f"{programme.id}/{run.id}",
            reason=reason.strip(),
            detail={
                "difference": compared.difference.digest,
                "valid": len(fresh),
                "settled": settled,
                "alarms": run.alarms,
            },
        )
    return compared


def _settle_untold(connection: Connection, programme_id: str, eligible: pl.DataFrame) -> int:
    """まだ誰にも知らせていない権利（手紙も支払も支給可の判定もない）の登録を、承認した判定に合わせる。合わせた数。

    知らせた後の権利は、ここでは変わらない。出し直し（枝番 +1）が変える。申請書の口座に払う権利には手紙がないが、
    支給可の判定の口座は前の受給者のものなので、受給者だけを替えてはならない。
    """
    letter, payment, table = ward.letter, ward.payment, ward.entitlement
    told = set(connection.execute(select(letter.c.entitlement_id)).scalars())
    told |= set(connection.execute(select(payment.c.entitlement_id)).scalars())
    told |= {line["entitlement_id"] for line in pending_verdicts(connection)}
    stored = stored_entitlements(connection, programme_id).select("id", "slot", "valid", *WATCHED)
    differs = pl.any_horizontal([pl.col(name).ne_missing(pl.col(f"{name}_now")) for name in WATCHED])
    rows = (
        stored.filter(pl.col("valid") & ~pl.col("id").is_in(list(told)))
        .join(eligible, on="slot", suffix="_now")
        .filter(differs)
        .sort("id")
    )
    if rows.height:
        connection.execute(
            update(table)
            .where(table.c.id == bindparam("b_id"))
            .values({name: bindparam(f"b_{name}") for name in WATCHED}),
            [
                {"b_id": row["id"], **{f"b_{name}": row[f"{name}_now"] for name in WATCHED}}
                for row in rows.iter_rows(named=True)
            ],
        )
    return rows.height


def _not_yet_valid(connection: Connection, programme_id: str, eligible: pl.DataFrame) -> list[int]:
    table, valid = ward.entitlement, ward.valid_entitlement
    query = (
        select(table.c.id, table.c.slot)
        .outerjoin(valid, valid.c.entitlement_id == table.c.id)
        .where(table.c.programme == programme_id, valid.c.entitlement_id.is_(None))
    )
    rows = fetch(connection, query, {"id": pl.Int64, "slot": pl.String})
    return rows.join(eligible, on="slot", how="semi").sort("id")["id"].to_list()
