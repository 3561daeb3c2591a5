"""判定の承認の一枚: 最後に承認した判定との差、前後の合計、額の大きい十件、変わった十件、理由の見本。"""

from __future__ import annotations

import csv
import io

import polars as pl
from sqlalchemy import select

from benefit.domain.access import Actor
from benefit.domain.clock import Clock
from benefit.domain.entitlement import ACCOUNT_FLAG_NAMES
from benefit.domain.errors import WrongUse
from benefit.domain.programme import Programme
from benefit.rules.outcomes import checks_of
from benefit.services import difference_book, runs, second
from benefit.services.approvals_view import Sheet, Table
from benefit.services.approvals_view_odd import strangest
from benefit.services.explain_certificate import ROUTE_NAMES
from benefit.services.home import Home
from benefit.store import ward
from benefit.store.engine import reading

_MOST = 10
#: 変わったものを選ぶときに見る項目。
_FEATURES = {
    "kind": "差",
    "moved": "給付の動き",
    "reasons_now": "今の理由",
    "benefit_amount": "給付と額",
    "route_now": "届け方",
    "account_flag_now": "使う口座",
}


def sheet(home: Home, number: int) -> Sheet:
    """判定 `number` の一枚。差は、それより前に最後に承認した判定（いま効いているもの）とのもの。"""
    programme, run = find(home, number)
    compared = runs.against_approved(home, programme, run)
    found, before = compared.difference, compared.before
    with reading(home.ward) as connection:
        seen = second.last_seen(connection, programme, run.input_digest)
        newer = connection.execute(
            select(ward.run_approval.c.run_id)
            .join(ward.run, ward.run.c.id == ward.run_approval.c.run_id)
            .where(ward.run.c.programme == programme.id, ward.run_approval.c.run_id > number)
        ).first()
    before_yen, now_yen = (int(found.benefits[name].sum()) for name in ("before_yen", "now_yen"))
    before_rows, now_rows = (int(found.benefits[name].sum()) for name in ("before_rows", "now_rows"))
    warnings = []
    if seen is None:
        warnings.append("第二の判定とまだ比べていません（benefit beneficiaries verify）")
    elif seen.differences:
        warnings.append(f"第二の判定と {seen.differences:,} 行で違います。違いを確かめてから承認してください")
    if run.alarms:
        warnings.append(
            f"誰も外さなかった検査が {len(run.alarms)} あります（一覧は下）。抽出データの不足でないか確かめてください"
        )
    if before is not None and before_yen and abs(now_yen - before_yen) * 10 > before_yen:
        warnings.append(f"支給額の合計が、前の判定から一割を超えて動きます（{now_yen - before_yen:+,}円）")
    closed = f"この判定は、{run.approved_by} が承認しました" if run.approved_by else ""
    if not closed and newer is not None:
        closed = f"もっと新しい判定 {newer.run_id} が承認されています"
    told = "まだ" if seen is None else f"{seen.compared:,} 行を比べ、違い {seen.differences:,}"
    return Sheet(
        kind="build",
        number=number,
        what=f"{programme.name} の判定 {number}（{run.today}）",
        asked_by=run.built_by,
        asked_at=run.built_at,
        reason="",
        count=found.rows.height,
        total_yen=now_yen,
        facts=(
            (
                "比べた相手",
                f"判定 {before.id}（{before.today}、承認 {before.approved_by}）" if before else "なし（初めて）",
            ),
            ("対象", f"{before_rows:,}件 → {now_rows:,}件（{now_rows - before_rows:+,}件）"),
            ("支給額の合計", f"{before_yen:,}円 → {now_yen:,}円（{now_yen - before_yen:+,}円）"),
            ("違う行", f"{found.rows.height:,}件"),
            ("第二の判定", told),
        ),
        tables=_tables(home, programme, compared, differs=bool(seen and seen.differences)),
        effect="この判定で対象の権利が、手紙・受渡・支払に進めるようになります",
        until="取り消せません。間違えたときは、作り直した判定を承認すると、まだ知らせていない権利が直ります",
        digest=found.digest,
        warnings=warnings,
        approvers=(run.approved_by,) if run.approved_by else (),
        closed=closed,
        needs_reason=bool(run.alarms),
        programme=programme.id,
    )


def find(home: Home, number: int) -> tuple[Programme, runs.Run]:
    """判定の番号から、事業と判定。"""
    with reading(home.ward) as connection:
        name = connection.execute(select(ward.run.c.programme).where(ward.run.c.id == number)).scalar()
    if name is None:
        raise WrongUse(f"判定 {number} はありません", code="no-run")
    programme = home.programme(name)
    return programme, runs.find(home, programme, f"{number}")


def approve(home: Home, number: int, *, digest: str, reason: str, actor: Actor, clock: Clock) -> None:
    """差の指紋を承認する。"""
    programme, run = find(home, number)
    runs.approve(
        home,
        programme,
        run,
        seen=digest[: runs.SHOWN],
        reason=reason,
        actor=actor,
        clock=clock,
    )


def book(home: Home, number: int) -> tuple[dict[str, pl.DataFrame], int]:
    """差の全部の表と、その行数。"""
    programme, run = find(home, number)
    compared = runs.against_approved(home, programme, run)
    return difference_book.sheets(
        compared.difference, names=programme.benefit_names, checks=compared.checks
    ), compared.difference.rows.height


def _tables(home: Home, programme: Programme, compared: runs.Compared, *, differs: bool) -> list[Table]:
    found, names = compared.difference, programme.benefit_names
    benefits = found.benefits.select(list(difference_book.BENEFITS)).with_columns(
        pl.col("benefit").replace_strict(names, default=pl.col("benefit"))
    )
    rows = found.rows.with_columns(
        moved=pl.concat_str(_benefit("benefit_before", names), pl.lit(" → "), _benefit("benefit_now", names)),
        benefit_amount=pl.format(
            "{} {}円",
            _benefit("benefit_now", names),
            pl.col("amount_yen_now").fill_null(0),
        ),
        subject=pl.col("subject_number").cast(pl.String).str.zfill(10),
    )
    largest = rows.filter(pl.col("verdict_now") == "対象").sort("amount_yen_now", "subject", descending=[True, False])
    words = {check.id: check.says for checks in checks_of(programme).values() for check in checks}
    odd = strangest(_worded(rows, words), _FEATURES, key="subject")
    tables = [
        Table("給付ごと", benefits.rename(difference_book.BENEFITS)),
        Table("違い方ごと", _kinds(rows, names)),
        Table("額の大きい十件", _shown(largest.head(_MOST), names)),
        Table(
            "変わった十件",
            _shown(odd, names).with_columns(odd["odd"].alias("めずらしい所")),
            "差の中で、めずらしい組合せのものから並べています",
        ),
        Table("理由ごとの見本", _reasons(rows, words), "対象番号は、その理由の初めの一件です"),
    ]
    moved = [one for one in compared.checks if one[2] != one[3]]
    if moved:
        schema = {"区分": pl.String, "検査": pl.String, "前に外した数": pl.Int64, "今外した数": pl.Int64}
        told = [(subject, words.get(check, check), was, now) for subject, check, was, now in moved]
        tables.append(Table("外した数の動いた検査", pl.DataFrame(told, schema=schema, orient="row")))
    if compared.now.alarms:
        silent = [one.partition(" ") for one in compared.now.alarms]
        named = [(subject, words.get(check, check)) for subject, _space, check in silent]
        tables.append(Table("誰も外さなかった検査", pl.DataFrame(named, schema=["区分", "検査"], orient="row")))
    if differs:
        tables.append(Table("第二の判定と違う行（初めの十件）", _second(home)))
    return tables


def _worded(rows: pl.DataFrame, words: dict[str, str]) -> pl.DataFrame:
    """符号（検査、届け方、口座の印）を、職員の読める言葉に。"""
    return rows.with_columns(
        reasons_now=_reason_words(words),
        route_now=pl.col("route_now").replace(ROUTE_NAMES),
        account_flag_now=pl.col("account_flag_now").replace(ACCOUNT_FLAG_NAMES),
    )


def _reason_words(words: dict[str, str]) -> pl.Expr:
    return pl.col("reasons_now").str.split(";").list.eval(pl.element().replace(words)).list.join("、")


def _benefit(name: str, names: dict[str, str]) -> pl.Expr:
    return pl.col(name).replace_strict(names, default=pl.col(name)).fill_null("なし")


def _shown(rows: pl.DataFrame, names: dict[str, str]) -> pl.DataFrame:
    return rows.select(
        対象区分="subject_kind",
        対象番号="subject",
        差="kind",
        給付=pl.coalesce("benefit_now", "benefit_before").replace_strict(names, default=pl.col("benefit_now")),
        今の判定=pl.col("verdict_now").fill_null("いない"),
        **{"前の額（円）": pl.col("amount_yen_before"), "今の額（円）": pl.col("amount_yen_now")},
    )


def _kinds(rows: pl.DataFrame, names: dict[str, str]) -> pl.DataFrame:
    """入る・外れる・変わる を、給付ごとに。"""
    return (
        rows.with_columns(benefit=pl.coalesce("benefit_now", "benefit_before"))
        .group_by("kind", "benefit", maintain_order=True)
        .agg(rows=pl.len().cast(pl.Int64), yen=pl.col("moved_yen").sum())
        .select(
            差="kind",
            給付=pl.col("benefit").replace_strict(names, default=pl.col("benefit")),
            件数="rows",
            **{"増減（円）": pl.col("yen")},
        )
    )


def _reasons(rows: pl.DataFrame, words: dict[str, str]) -> pl.DataFrame:
    told = _reason_words(words)
    return (
        rows.group_by("kind", "verdict_now", "reasons_now", maintain_order=True)
        .agg(
            rows=pl.len().cast(pl.Int64), subject=pl.col("subject").first(), subject_kind=pl.col("subject_kind").first()
        )
        .sort("rows", "kind", "reasons_now", descending=[True, False, False])
        .head(_MOST)
        .select(
            差="kind",
            今の理由=pl.when(pl.col("verdict_now").is_null())
            .then(pl.lit("判定の対象から消えた（住民記録・住民税にいない）"))
            .when(pl.col("reasons_now").fill_null("") == "")
            .then(pl.lit("すべての検査を満たす"))
            .otherwise(pl.format("満たさない: {}", told)),
            件数="rows",
            対象区分="subject_kind",
            対象番号="subject",
        )
    )


def _second(home: Home) -> pl.DataFrame:
    """出し箱にある、第二の判定との違い。"""
    path = home.outbox / "verify" / second.FILE_NAME
    heading = ("対象区分", "対象番号", "違う列")
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline=""))) if path.exists() else []
    told = [tuple(row[name] for name in heading) for row in rows[:_MOST]]
    return pl.DataFrame(told, schema=dict.fromkeys(heading, pl.String), orient="row")
