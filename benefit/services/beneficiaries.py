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

from benefit.domain.access import BATCH
from benefit.domain.clock import Clock
from benefit.domain.entitlement import DAMM, SUBJECT_OF_SLOT, case_number_body, case_number_for
from benefit.domain.programme import Programme
from benefit.records import outcomes as outcome_file
from benefit.rules.counts import counts
from benefit.services.files import sha256_of, write_atomic, write_json
from benefit.services.home import Home
from benefit.services.standing import Inputs, decide_now, gather
from benefit.store import audit, ward
from benefit.store.bulk import insert_rows
from benefit.store.engine import in_turn

#: 差として見る項目（内の名前 → 見せる名前）。
WATCHED = {
    "benefit": "給付種別",
    "amount_yen": "支給額",
    "payee_number": "受給者番号",
    "route": "経路",
    "account_flag": "口座フラグ",
}
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


def build(
    home: Home,
    programme: Programme,
    today: date,
    *,
    out: Path,
    clock: Clock,
    dry_run: bool = False,
    step: Callable[[str], None] = lambda _name: None,
) -> Built:
    """対象者を作り、`out` に outcomes.csv・entitlements.csv・differences.csv・summary.json を書く。

    同じ入力と同じ `today` なら、outcomes.csv は一字も違わず、登録は増えない。
    """
    seconds: dict[str, float] = {}

    def timed(name: str) -> None:
        seconds[name] = round(time.perf_counter() - timed.since, 3)  # type: ignore[attr-defined]
        timed.since = time.perf_counter()  # type: ignore[attr-defined]

    timed.since = time.perf_counter()  # type: ignore[attr-defined]
    step("写しを読む")
    inputs = gather(home, programme, today)
    timed("写しを読む")
    step("判定する")
    decisions = decide_now(inputs)
    timed("判定する")
    step("結果を並べる")
    outcomes = decisions.outcomes
    rendered = outcome_file.render(outcomes)
    fingerprint = sha256_of(rendered)
    eligible = with_slots(outcomes, programme)
    timed("結果を並べる")
    step("支給権利を登録する")
    with home.ward.begin() as connection:
        in_turn(connection, "entitlements")
        stored = stored_entitlements(connection, programme.id)
        differences, fresh, same = compare(stored, eligible, outcomes)
        repeated = False
        if not dry_run:
            fresh = number(fresh, stored, home.key("case-number"))
            repeated = _register(connection, inputs, fingerprint, fresh, same, differences, clock)
    timed("支給権利を登録する")
    step("ファイルに書く")
    out.mkdir(parents=True, exist_ok=True)
    write_atomic(out / outcome_file.FILE_NAME, rendered)
    write_atomic(out / "differences.csv", differences_csv(differences))
    if not dry_run:
        numbered = pl.concat(
            [stored.select("slot", "case_number", "branch"), fresh.select("slot", "case_number", "branch")]
        )
        write_atomic(out / "entitlements.csv", outcome_file.render_entitlements(eligible.join(numbered, on="slot")))
    counted = counts(decisions, programme)
    timed("ファイルに書く")
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
    )


def with_slots(outcomes: pl.DataFrame, programme: Programme) -> pl.DataFrame:
    """対象の行に、一回だけ払うものの名前（slot）を付け、slot の順に並べる。"""
    kind = pl.col("benefit").replace_strict(programme.slot_kinds, return_dtype=pl.String)
    return (
        outcomes.filter(pl.col("verdict") == "対象")
        .with_columns(
            slot_kind=kind,
            slot=pl.format(
                "{}/{}/{}", pl.lit(programme.id), kind, pl.col("subject_number").cast(pl.String).str.zfill(10)
            ),
        )
        .sort("slot")
    )


def stored_entitlements(connection: Connection, programme_id: str) -> pl.DataFrame:
    """登録済みの支給権利。"""
    table = ward.entitlement
    names = ["id", "slot", "slot_kind", "case_number", "branch", *WATCHED, "subject_number", "household_number"]
    rows = connection.execute(select(*(table.c[name] for name in names)).where(table.c.programme == programme_id)).all()
    schema = {
        "id": pl.Int64,
        "slot": pl.String,
        "slot_kind": pl.String,
        "case_number": pl.String,
        "branch": pl.Int64,
        "benefit": pl.String,
        "amount_yen": pl.Int64,
        "payee_number": pl.Int64,
        "route": pl.String,
        "account_flag": pl.String,
        "subject_number": pl.Int64,
        "household_number": pl.Int64,
    }
    return pl.DataFrame([tuple(row) for row in rows], schema=schema, orient="row")


def compare(
    stored: pl.DataFrame, eligible: pl.DataFrame, outcomes: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame, int]:
    """(差, 新しい権利, 前と同じ数)。差は slot ごとに一行で、前と今を文で持つ。"""
    fresh = eligible.join(stored, on="slot", how="anti")
    both = stored.select("slot", *WATCHED).join(eligible.select("slot", *WATCHED), on="slot", suffix="_now")
    changed_any = pl.any_horizontal([pl.col(n).ne_missing(pl.col(f"{n}_now")) for n in WATCHED])
    changed = both.filter(changed_any)

    def told(suffix: str) -> pl.Expr:
        return pl.concat_str(
            [
                pl.when(pl.col(n).ne_missing(pl.col(f"{n}_now"))).then(
                    pl.format("{}={}", pl.lit(label), pl.col(f"{n}{suffix}").cast(pl.String).fill_null("なし"))
                )
                for n, label in WATCHED.items()
            ],
            separator="、",
            ignore_nulls=True,
        )

    changed = changed.select("slot", kind=pl.lit("changed"), before=told(""), after=told("_now"))
    gone = stored.join(eligible, on="slot", how="anti").select("slot", "benefit", "amount_yen", "subject_number")
    gone = gone.with_columns(
        subject_kind=pl.col("slot").str.split("/").list.get(1).replace_strict(SUBJECT_OF_SLOT, return_dtype=pl.String)
    )
    removed = gone.join(
        outcomes.select("subject_kind", "subject_number", "verdict", "reasons"),
        on=["subject_kind", "subject_number"],
        how="left",
    ).select(
        "slot",
        kind=pl.lit("removed"),
        before=pl.format("{} {}円", "benefit", "amount_yen"),
        after=pl.concat_str(
            [pl.col("verdict").fill_null("抽出データにいない"), pl.col("reasons").fill_null("")], separator=" "
        ).str.strip_chars(" "),
    )
    differences = pl.concat([changed, removed]).sort("slot")
    return differences, fresh, both.height - changed.height


def number(fresh: pl.DataFrame, stored: pl.DataFrame, key: bytes) -> pl.DataFrame:
    """新しい権利に給付管理番号を付ける。番号がぶつかったら、次の候補にする。"""
    slots = fresh["slot"].to_list()
    # 鍵つきの要約は列の計算にできない。一件 1 マイクロ秒で、足す権利の数だけ回る。検査数字は列で計算する。
    numbers = with_check_digits(pl.Series([case_number_body(slot, key) for slot in slots], dtype=pl.Int64))
    taken = set(stored["case_number"].to_list())
    chosen = numbers.to_list()
    if len(taken | set(chosen)) != len(taken) + len(chosen):
        # 10 億に一つの偶然でも、10 万件では起こる。ぶつかった権利だけ、次の候補にする。
        for position, slot in enumerate(slots):
            attempt = 0
            while chosen[position] in taken:
                attempt += 1
                chosen[position] = case_number_for(slot, key, attempt)
            taken.add(chosen[position])
    return fresh.with_columns(pl.Series("case_number", chosen, dtype=pl.String), branch=pl.lit(1, dtype=pl.Int64))


def with_check_digits(bodies: pl.Series) -> pl.Series:
    """10 桁の本体（数）の列に、検査数字を付けた 11 桁の文字の列。`check_digit` と同じ表を引く。"""
    table = pl.Series([cell for row in DAMM for cell in row], dtype=pl.Int64)
    state = pl.zeros(len(bodies), dtype=pl.Int64, eager=True)
    for place in range(9, -1, -1):
        state = table.gather(state * 10 + bodies // 10**place % 10)
    return bodies.cast(pl.String).str.zfill(10) + state.cast(pl.String)


def _register(
    connection: Connection,
    inputs: Inputs,
    fingerprint: str,
    fresh: pl.DataFrame,
    same: int,
    differences: pl.DataFrame,
    clock: Clock,
) -> bool:
    """一回を登録する。同じ入力がもう登録されていれば、何もせず True。"""
    found = connection.execute(select(ward.run.c.id).where(ward.run.c.input_digest == inputs.digest)).first()
    if found:
        return True
    run_id = connection.execute(
        ward.run.insert().values(
            programme=inputs.programme.id,
            programme_digest=inputs.programme.digest,
            today=inputs.today,
            input_digest=inputs.digest,
            inputs=json.dumps(inputs.described, ensure_ascii=False),
            outcomes_sha256=fingerprint,
            rows_added=fresh.height,
            rows_same=same,
            rows_differing=differences.height,
            built_at=clock(),
        )
    ).inserted_primary_key[0]  # type: ignore[index]
    rows = fresh.with_columns(programme=pl.lit(inputs.programme.id), run_id=pl.lit(run_id)).select(_COLUMNS)
    insert_rows(connection, ward.entitlement, _COLUMNS, rows.iter_rows())
    told = differences.select(pl.lit(run_id).alias("run_id"), "slot", "kind", "before", "after")
    insert_rows(connection, ward.run_difference, told.columns, told.iter_rows())
    audit.record(
        connection,
        ward.audit_log,
        at=clock(),
        actor=BATCH,
        action="beneficiaries.build",
        subject=inputs.programme.id,
        detail={"outcomes": fingerprint, "added": fresh.height, "same": same, "differing": differences.height},
    )
    return False


def differences_csv(differences: pl.DataFrame) -> bytes:
    """職員が見る差の一覧。"""
    named = differences.select(
        pl.col("slot").alias("権利"),
        pl.col("kind").replace_strict({"changed": "変わる", "removed": "外れる"}, return_dtype=pl.String).alias("種別"),
        pl.col("before").alias("登録"),
        pl.col("after").alias("今回"),
    )
    return named.write_csv(quote_style="necessary").encode()
