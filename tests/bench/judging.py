"""支給判定の速さを測る子: 過去の支払のある台帳に対する、50,000 行の判定と登録。

`python -m tests.bench.judging URL 行数 過去の支払の数` は、架空の台帳を作り（あれば使い）、判定と、同じ表の素の結合を
交互に測って、秒の並びを一行の JSON で出す。判定は一つのトランザクションの仕事（台帳の事実、検査、登録、消えた行）で、
終わりに戻すので、何度測っても台帳は同じである。相手は、判定する行を一時の表に入れ、同じ表を一つの SELECT で結び、
全部の行を受け取るところまで。
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import sqlalchemy as sa

from benefit.domain.programme import Programme
from benefit.services.judged_lines import LINE, load
from benefit.services.judgment_accounts import ACCOUNT_NUMBER
from benefit.services.judgment_people import PAIRS
from benefit.services.judgment_register import register
from benefit.services.judgment_rows import Prepared
from benefit.services.transfer_lines import ACCOUNT
from benefit.store import ward
from benefit.store.bulk import insert_rows
from benefit.store.engine import make_engine
from benefit.store.migrate import upgrade
from tests.support.judged_row import SCHEMA, clean_row

PROGRAMME = Programme.load("r6-2024")
NOW = datetime(2024, 7, 26, 1, 0, tzinfo=UTC)
RUNS = 3
#: 一つの支給予定情報の行数。過去の支払は、この大きさのファイルで判定されてきた。
FILE_ROWS = 50_000
SOLID = {"at": "2024-07-01 00:00:00+00:00", "day": "2024-07-01"}


def numbered(first: int, count: int) -> pl.DataFrame:
    """権利の列。番号は、並びのままにせず散らす。"""
    number = pl.int_range(first, first + count, dtype=pl.Int64)
    person = number * 911_382_323 % 8_999_999_993
    text = person.cast(pl.String).str.zfill(10)
    return pl.select(id=number, person=person).with_columns(
        slot=pl.format("r6-2024/ADJ/{}", text),
        case_number=pl.format("{}0", pl.col("person").cast(pl.String).str.zfill(10)),
        account_number=(pl.col("person") % 9_999_991).cast(pl.String).str.zfill(7),
    )


def fill(connection: sa.Connection, rows: int, past: int) -> None:
    """架空の台帳: 過去の支払 `past` 件（振込済）と、これから判定する `rows` 件の権利。

    判定する行の 8 割は初めて、1 割は振込不能のお金が戻った後、1 割はもう払ってある。
    """
    connection.execute(
        ward.staff.insert(),
        [{"id": name, "name": "測る", "role": "approver", "password_hash": "x", "created_at": NOW} for name in "ab"],
    )
    run = {"programme": PROGRAMME.id, "programme_digest": "0" * 64, "today": date(2024, 6, 20), "inputs": "{}"}
    run |= {"input_digest": "0" * 64, "outcomes_sha256": "0" * 64, "rows_added": 0, "rows_same": 0}
    run |= {"rows_differing": 0, "counts": "{}", "built_by": "batch", "built_at": NOW, "id": 1}
    connection.execute(ward.run.insert().values(**run))
    approval = {"run_id": 1, "outcomes_sha256": "0" * 64, "built_by": "batch", "difference_sha256": "0" * 64}
    approval |= {"alarms": "", "reason": "", "approved_by": "a", "approved_at": NOW}
    connection.execute(ward.run_approval.insert().values(**approval))
    lot = {"id": 1, "kind": "push_notice", "place": "printer", "file_name": "x", "sha256": "0" * 64}
    connection.execute(ward.lot.insert().values(**lot, letter_count=1, made_at=NOW))
    every = numbered(1, past + rows)
    fixed = {
        "programme": PROGRAMME.id,
        "slot_kind": "ADJ",
        "benefit": "R6-4",
        "amount_yen": 40_000,
        "route": "PUSH",
        "account_flag": "0",
        "branch": 1,
        "run_id": 1,
    }
    put(connection, ward.entitlement, every.select("id", "slot", "case_number", subject_number="person",
        payee_number="person", household_number="person", **constants(fixed)))  # fmt: skip
    put(connection, ward.valid_entitlement, every.select(entitlement_id="id", run_id=pl.lit(1)))
    letter = {"branch": 1, "kind": "push_notice", "lot_id": 1, "route": "PUSH", "account_flag": "0"}
    letter |= {"issued_on": "2024-06-24", "due_on": "2024-07-08", "address_digest": ""}
    put(connection, ward.letter, every.select("id", entitlement_id="id", **constants(letter)))
    account = {"bank_code": "9999", "branch_code": "001", "account_type": "1", "holder_kana": "ｼﾝｼﾞﾕｸ ﾊﾅｺ"}
    tenth = rows // 10
    judged = every.filter(pl.col("id") <= past + 2 * tenth).with_columns(
        planned_file_id=(pl.col("id") - 1) // FILE_ROWS + 1, line_number=(pl.col("id") - 1) % FILE_ROWS + 1
    )
    files = int(judged["planned_file_id"].max())  # type: ignore[arg-type]
    connection.execute(
        ward.planned_file.insert(),
        [
            {
                "id": number,
                "programme": PROGRAMME.id,
                "file_number": f"r6-2024-{number:04d}",
                "sha256": f"{number:064d}",
                "row_count": FILE_ROWS,
                "total_yen": FILE_ROWS * 40_000,
                "judged_on": date(2024, 7, 1),
                "rule_version": "x",
                "judged_at": NOW,
            }
            for number in range(1, files + 1)
        ],
    )
    payable = {"verdict": "支給可", "checks": "", "amount_yen": 40_000, "received_on": "2024-06-28"}
    payable |= {"reviewed_on": "2024-06-29"} | account
    put(connection, ward.verdict, judged.select("planned_file_id", "line_number", "case_number", "account_number",
        entitlement_id="id", **constants(payable)))  # fmt: skip
    failed = pl.col("id").is_between(past + 1, past + tenth)
    payments = judged.select("id", "slot", "planned_file_id", "line_number", "account_number", entitlement_id="id",
        state=pl.when(failed).then(pl.lit("F43")).otherwise(pl.lit("F42")),
        **constants({"attempt": 1, "amount_yen": 40_000} | account))  # fmt: skip
    put(connection, ward.payment, payments)
    posted = {"at": SOLID["at"], "reference": "", "amount_yen": 40_000}
    back = payments.filter(pl.col("state") == "F43")
    for kind, debit, credit in (("decide", "未払", "予算"), ("file", "振込中", "未払"), ("fail", "振込不能", "振込中")):
        told = posted | {"kind": kind, "debit": debit, "credit": credit}
        frame = (back if kind == "fail" else payments).select("entitlement_id", payment_id="id", **constants(told))
        put(connection, ward.posting, frame)


def constants(values: dict[str, Any]) -> dict[str, pl.Expr]:
    """同じ値の列。"""
    return {name: pl.lit(value) for name, value in values.items()}


def put(connection: sa.Connection, table: sa.Table, frame: pl.DataFrame) -> None:
    """表に入れる。"""
    insert_rows(connection, table, frame.columns, frame.iter_rows())


def planned(rows: int, past: int) -> Prepared:
    """判定する行（`prepare` の後の形）。口座は、前に払った人とまれに重なる。"""
    clean = clean_row(slot_kind="ADJ", benefit="R6-4", planned_yen=40_000, amount_yen=40_000, amount_now_yen=40_000)
    made = {"from_ward", "eligible_now", "payee_dead", "ward_only", "account_sent", "valid", "account_bad"}
    made |= {"holder_agrees", "holder_weak", "holder_corporate", "guardian_on_record", "account_of_origin"}
    made |= {"account_differs", "minor_payee", "payee_on_record", "removed_by_office", "moved_out", "sampled"}
    kept = {
        name: pl.lit(clean[name], dtype=kind)
        for name, kind in SCHEMA.items()
        if kind != pl.Boolean or name in made
        if name not in {"failed_attempts", "returned_attempts", "households_on_account", "recipients_on_account",
                        "letter_issued_on", "released"}
    }  # fmt: skip
    frame = numbered(past + 1, rows).with_columns(**kept | {"account_number": pl.col("account_number")})
    frame = frame.with_columns(
        line_number=pl.int_range(1, rows + 1, dtype=pl.Int64),
        entitlement_id="id",
        person_number="person",
        payee_number="person",
        payee_now="person",
        subject_number="person",
        household_number="person",
        case_number=pl.format("{}0", pl.col("person").cast(pl.String).str.zfill(10)),
        valid=pl.lit(value=True),
        parent_id=pl.lit(None, dtype=pl.Int64),
        address_now=pl.lit(""),
        # 審査をやり直した日。前の判定の口座と違っても、CHK84 ではない。
        reviewed_on=pl.lit(date(2024, 7, 21)),
    )
    known = frame.select(person_number="person", payee_kana="payee_kana", payee_birth="payee_birth")
    overlaps = pl.DataFrame(schema={**PAIRS, "other_open": pl.Boolean})
    return Prepared(frame.drop("id", "person", "slot"), overlaps, known)


@contextmanager
def undone(engine: sa.Engine) -> Iterator[sa.Connection]:
    """終わりに戻すトランザクション。"""
    with engine.connect() as connection, connection.begin() as transaction:
        yield connection
        transaction.rollback()


def judge(engine: sa.Engine, prepared: Prepared) -> float:
    """判定と登録の秒。"""
    with undone(engine) as connection:
        started = time.perf_counter()
        register(
            connection,
            prepared,
            PROGRAMME,
            file_number="r6-2024-9999",
            fingerprint="f" * 64,
            today=date(2024, 7, 26),
            clock=lambda: NOW,
        )
        return time.perf_counter() - started


def join(engine: sa.Engine, prepared: Prepared) -> float:
    """同じ表を結ぶだけの秒: 権利、承認、手紙、支払、仕訳、判定、同じ口座の支払。"""
    tables = (ward.entitlement, ward.valid_entitlement, ward.letter, ward.payment, ward.posting, ward.verdict)
    entitlement, valid, letter, payment, posting, verdict = tables
    same = payment.alias("same")
    query = (
        sa.select(LINE.line_number, entitlement.c.amount_yen, entitlement.c.payee_number, valid.c.run_id)
        .add_columns(letter.c.kind, letter.c.issued_on, letter.c.due_on, letter.c.address_digest)
        .add_columns(payment.c.state, posting.c.kind, verdict.c.verdict, verdict.c.reviewed_on)
        .add_columns(*(verdict.c[name] for name in ACCOUNT), same.c.entitlement_id)
        .outerjoin(entitlement, entitlement.c.id == LINE.entitlement_id)
        .outerjoin(valid, valid.c.entitlement_id == entitlement.c.id)
        .outerjoin(letter, letter.c.entitlement_id == entitlement.c.id)
        .outerjoin(payment, payment.c.entitlement_id == entitlement.c.id)
        .outerjoin(posting, sa.and_(posting.c.payment_id == payment.c.id, posting.c.kind.in_(["fail", "uncredit"])))
        .outerjoin(verdict, verdict.c.entitlement_id == entitlement.c.id)
        .outerjoin(same, sa.and_(*(same.c[name] == LINE[name] for name in ACCOUNT_NUMBER)))
        .where(LINE.line_number.is_not(None))
    )
    with undone(engine) as connection:
        started = time.perf_counter()
        load(connection, prepared)
        loaded = time.perf_counter()
        answered = connection.execute(query).all()
        seconds = time.perf_counter() - loaded
        assert len(answered) >= prepared.rows.height
        sys.stderr.write(f"素の結合 {seconds:.2f} 秒（一時の表に入れる {loaded - started:.2f} 秒は数えない）\n")
        return seconds


def main(url: str, rows: int, past: int) -> None:
    """測って、JSON を一行出す。"""
    engine = make_engine(url)
    upgrade(engine, "ward")
    with engine.begin() as connection:
        if connection.execute(sa.select(sa.func.count()).select_from(ward.payment)).scalar_one() == 0:
            sys.stderr.write(f"{past:,} 件の支払のある台帳を作っています…\n")
            fill(connection, rows, past)
    if engine.dialect.name == "postgresql":
        with engine.begin() as connection:
            # 番号を自分で付けたので、次の番号を知らせる。
            connection.exec_driver_sql("SELECT setval('planned_file_id_seq', (SELECT max(id) FROM planned_file))")
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")
    prepared = planned(rows, past)
    ours, peers = [], []
    for turn in range(RUNS + 1):
        peer, own = join(engine, prepared), judge(engine, prepared)
        if turn:
            peers.append(peer)
            ours.append(own)
    engine.dispose()
    told = {"seconds": ours, "join": peers, "rows": rows}
    told["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
