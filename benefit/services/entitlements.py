"""支給権利の登録簿: 対象の行に一回だけ払うものの名を付け、登録済みと比べ、新しいものに給付管理番号を付ける。"""

from __future__ import annotations

import polars as pl
from sqlalchemy import Connection, select

from benefit.domain.entitlement import DAMM, SUBJECT_OF_SLOT, case_number_body, case_number_for
from benefit.domain.programme import Programme
from benefit.rules.outcomes import Decisions
from benefit.store import ward

#: 差として見る項目（内の名前 → 見せる名前）。
WATCHED = {
    "benefit": "給付種別",
    "amount_yen": "支給額",
    "payee_number": "受給者番号",
    "route": "経路",
    "account_flag": "口座フラグ",
}


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


def all_slots(decisions: Decisions, programme: Programme) -> pl.DataFrame:
    """対象の行の全部: 判定の行と、申請が足した行。slot は一つずつしかない（あれば判定の行が勝つ）。"""
    eligible = with_slots(decisions.outcomes, programme)
    if decisions.claimed.is_empty():
        return eligible
    claimed = decisions.claimed.filter(pl.col("verdict") == "対象").join(eligible, on="slot", how="anti")
    return pl.concat([eligible, claimed.select(eligible.columns)]).sort("slot")


def all_outcomes(decisions: Decisions) -> pl.DataFrame:
    """判定の行と、申請が足した行。差を見る人には、どちらも見える。一つの対象番号には一行（判定の行が勝つ）。"""
    if decisions.claimed.is_empty():
        return decisions.outcomes
    subject = ["subject_kind", "subject_number"]
    claimed = (
        decisions.claimed.sort(pl.col("verdict") != "対象", "claim_number")
        .unique(subject, keep="first", maintain_order=True)
        .join(decisions.outcomes, on=subject, how="anti")
    )
    return pl.concat([decisions.outcomes, claimed.select(decisions.outcomes.columns)])


def stored_entitlements(connection: Connection, programme_id: str) -> pl.DataFrame:
    """登録済みの支給権利。`valid` は、承認された判定で対象になったか。"""
    table = ward.entitlement
    valid = ward.valid_entitlement
    names = ["id", "slot", "slot_kind", "case_number", "branch", *WATCHED, "subject_number", "household_number"]
    rows = connection.execute(
        select(*(table.c[name] for name in names), valid.c.entitlement_id.is_not(None))
        .outerjoin(valid, valid.c.entitlement_id == table.c.id)
        .where(table.c.programme == programme_id)
    ).all()
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
        "valid": pl.Boolean,
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


def differences_csv(differences: pl.DataFrame) -> bytes:
    """職員が見る差の一覧。"""
    named = differences.select(
        pl.col("slot").alias("権利"),
        pl.col("kind").replace_strict({"changed": "変わる", "removed": "外れる"}, return_dtype=pl.String).alias("種別"),
        pl.col("before").alias("登録"),
        pl.col("after").alias("今回"),
    )
    return named.write_csv(quote_style="necessary").encode()
