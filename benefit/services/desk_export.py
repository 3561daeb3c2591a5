"""受給者を給付管理システムへ渡す（区の側）。

毎回、いま外に出してよい人の全部を出す。区直轄になった人は、次の受渡から黙って居なくなる。印も欠番も
残らない（benefit-rules F.3「印ではなく不在」）。出す直前に、最新の写しで保護の印を見直す。

何を渡したか（番号・枝番・進捗）は、受渡の連番ごとに区の台帳に残る。渡すのをやめた番号は、引上げの命令である。委託先が
消したという証し（進捗情報に載る）が届くまで、区の一覧に残る。
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl
from sqlalchemy import Connection, func, select

from benefit.domain.access import BATCH
from benefit.domain.clock import Clock
from benefit.domain.programme import Programme
from benefit.records import desk_progress, payees
from benefit.services.files import sha256_of, write_atomic, write_manifest
from benefit.services.gate import Standing, chosen_accounts, ended, people, stand
from benefit.services.handback_given import last_taken, note_given
from benefit.services.home import Home
from benefit.services.mailing_sent import sent
from benefit.services.transfer_lines import superseded
from benefit.store import audit, ward
from benefit.store.engine import in_turn
from benefit.store.frames import fetch


@dataclass(frozen=True)
class Exported:
    """受渡一回。"""

    rows: int
    sequence: int
    sha256: str
    repeated: bool
    withdrawn: int = 0


def export(home: Home, programme: Programme, *, out: Path, today: date, clock: Clock) -> Exported:
    """`out` に payees.csv と manifest.json を書き、受渡管理簿に載せる。"""
    table = ward.handover
    with home.ward.begin() as connection:
        # 見直しと連番は一続き。二人が同時に出しても、古い見直しの名簿が新しい連番を取ることはない。
        in_turn(connection, "payees_out")
        rows = payee_rows(connection, stand(home, programme, today))
        data = payees.render(rows)
        fingerprint = sha256_of(data)
        last = connection.execute(
            select(table.c.sequence, table.c.sha256)
            .where(table.c.crossing == "payees_out")
            .order_by(table.c.sequence.desc())
            .limit(1)
        ).first()
        repeated = last is not None and last.sha256 == fingerprint
        sequence = last.sequence if last and repeated else (last.sequence if last else 0) + 1
        withdrawn = 0
        if not repeated:
            withdrawn = note_given(connection, programme.id, sequence, rows, clock())
            connection.execute(
                table.insert().values(
                    crossing="payees_out",
                    counterpart="委託先 給付管理システム",
                    folder=out.name,
                    sequence=sequence,
                    sha256=fingerprint,
                    row_count=rows.height,
                    total_yen=int(rows["planned_amount_yen"].sum()),
                    actor=BATCH.id,
                    at=clock(),
                )
            )
            audit.record(
                connection,
                ward.audit_log,
                at=clock(),
                actor=BATCH,
                action="handover.payees_out",
                subject=f"{sequence}",
                detail={"rows": rows.height, "withdrawn": withdrawn, "sha256": fingerprint},
            )
        taken = last_taken(connection, programme.id)
    write_atomic(out / payees.FILE_NAME, data)
    manifest = {
        "種類": "支給対象者",
        "事業": programme.id,
        "連番": sequence,
        "件数": rows.height,
        "給付": {benefit.id: benefit.name for benefit in programme.benefits.values()},
        "sha256": fingerprint,
        # 区が最後に受け取った進捗情報。委託先は、その続きの出来事から返す。
        "受取": taken,
        "作成日時": clock().isoformat(),
    }
    write_manifest(out, {**manifest, "指紋": desk_progress.fingerprint(manifest)})
    return Exported(rows.height, sequence, fingerprint, repeated, withdrawn)


def payee_rows(connection: Connection, standing: Standing) -> pl.DataFrame:
    """外へ出す行。WARD の権利（登録の経路・いまの経路・受給者の保護の印のどれか）は入らない。"""
    outside = standing.entitlements.filter(pl.col("valid") & ~pl.col("ward_only"))
    past = chosen_accounts(standing).filter(pl.col("account_flag") == "2").drop("account_flag")
    past = past.rename({name: f"past_{name}" for name in past.columns if name != "person_number"})
    known = people(standing.inputs)
    braille = standing.inputs.facts.braille.select("person_number", braille=pl.lit("1"))
    rows = (
        outside.select(
            "id",
            "case_number",
            "branch",
            "benefit",
            "payee_number",
            account_flag="flag",
            planned_amount_yen="amount_yen",
        )
        .join(known, left_on="payee_number", right_on="person_number", how="inner")
        .join(braille, left_on="payee_number", right_on="person_number", how="left")
        .join(past, left_on="payee_number", right_on="person_number", how="left")
        .join(progress(connection), left_on="id", right_on="entitlement_id", how="left")
        .with_columns(
            person_number=pl.col("payee_number"),
            braille=pl.col("braille").fill_null("0"),
            state=pl.col("state").fill_null("S10"),
        )
    )
    # 過去の給付の口座は、その口座を使う人（口座フラグ 2）の行にだけ載せる。
    return rows.with_columns(
        [
            pl.when(pl.col("account_flag") == "2").then(pl.col(name)).alias(name)
            for name in rows.columns
            if name.startswith("past_")
        ]
    )


def progress(connection: Connection) -> pl.DataFrame:
    """進捗: entitlement_id、state、sent_on、due_on、transferred_on。手紙、判定、支払の順に新しいものが勝つ。

    出し直した後は、いまの枝番の手紙と、その後の判定・支払だけを見る。終わった権利は、訳を言わずに「支給なし」（D34）。
    組戻しを頼んだ支払は「区確認中」（J31）で、振込日を言わない。返還は本人と区の間のことなので、外では「振込済」のまま。
    """
    letter, verdict, payment, entitlement = ward.letter, ward.verdict, ward.payment, ward.entitlement
    letters = fetch(
        connection,
        select(letter.c.entitlement_id, letter.c.kind, letter.c.issued_on, letter.c.due_on)
        .join(entitlement, (entitlement.c.id == letter.c.entitlement_id) & (entitlement.c.branch == letter.c.branch))
        .where(sent())
        .order_by(letter.c.id),
        {"entitlement_id": pl.Int64, "kind": pl.String, "sent_on": pl.Date, "due_on": pl.Date},
    ).unique("entitlement_id", keep="last", maintain_order=True)
    verdicts = fetch(
        connection,
        select(verdict.c.entitlement_id, verdict.c.verdict)
        .join(ward.planned_file, ward.planned_file.c.id == verdict.c.planned_file_id)
        .where(verdict.c.entitlement_id.is_not(None), ~superseded())
        .order_by(verdict.c.planned_file_id, verdict.c.line_number),
        {"entitlement_id": pl.Int64, "verdict": pl.String},
    ).unique("entitlement_id", keep="last", maintain_order=True)
    line, transfer, recalled = ward.transfer_line, ward.transfer, ward.recall_line
    payments = fetch(
        connection,
        select(payment.c.entitlement_id, payment.c.state, func.max(transfer.c.pay_date), func.max(recalled.c.recall_id))
        .join(line, line.c.payment_id == payment.c.id)
        .join(transfer, transfer.c.id == line.c.transfer_id)
        .join(ward.planned_file, ward.planned_file.c.id == payment.c.planned_file_id)
        .join(
            verdict,
            (verdict.c.planned_file_id == payment.c.planned_file_id) & (verdict.c.line_number == payment.c.line_number),
        )
        .join(recalled, recalled.c.payment_id == payment.c.id, isouter=True)
        .where(payment.c.state != "F49", ~superseded())
        .group_by(payment.c.entitlement_id, payment.c.state, payment.c.attempt)
        .order_by(payment.c.attempt),
        {"entitlement_id": pl.Int64, "paid_state": pl.String, "transferred_on": pl.Date, "recall_id": pl.Int64},
    ).unique("entitlement_id", keep="last", maintain_order=True)
    in_recall = pl.col("recall_id").is_not_null() & pl.col("paid_state").is_in(["F41", "F43"])
    payments = payments.with_columns(
        paid_state=pl.when(in_recall).then(pl.lit("J31")).otherwise(pl.col("paid_state").replace({"F48": "F42"})),
        transferred_on=pl.when(~in_recall).then("transferred_on"),
    )
    verdict_state = {"支給可": "D33", "保留": "J31", "不可": "J32"}
    return (
        letters.join(verdicts, on="entitlement_id", how="full", coalesce=True)
        .join(payments, on="entitlement_id", how="full", coalesce=True)
        .join(ended(connection).rename({"id": "entitlement_id"}), on="entitlement_id", how="full", coalesce=True)
        .with_columns(
            transferred_on=pl.when(pl.col("ended").is_null()).then("transferred_on"),
            state=pl.coalesce(
                pl.when("ended").then(pl.lit("D34")),
                "paid_state",
                pl.col("verdict").replace_strict(verdict_state, default=None, return_dtype=pl.String),
                pl.col("kind").replace_strict(
                    {"push_notice": "P20", "confirmation_letter": "C20"}, default=None, return_dtype=pl.String
                ),
            ),
        )
        .select("entitlement_id", "state", "sent_on", "due_on", "transferred_on")
    )
