"""支給判定: 委託先の支給予定情報を、区の台帳だけを真実として、一行ずつ判定する。

- 委託先のデータは申し出にすぎない。払ったかどうかは、区の書き足すだけの台帳が決める（宮崎市の事例）。
- 同じファイルをもう一度出せば、前の判定がそのまま返る。番号や中身を変えた二度目は断る（CHK01）。
- 区が直接扱う人の行は、区の中だけで作る（`ward_rows`）。委託先から届けば払わず、事故として残す（CHK56）。
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl
from sqlalchemy import Connection, select

from benefit import __version__
from benefit.domain.access import BATCH
from benefit.domain.clock import Clock
from benefit.domain.errors import Place, RefusedByRule, RefusedInput
from benefit.domain.letter import PUSH_NOTICE
from benefit.domain.programme import Programme
from benefit.records import planned_payments, verdicts
from benefit.records.bank_master import BankMaster
from benefit.records.zengin import TransferLine, unwritable
from benefit.rules.name_agreement import agrees
from benefit.rules.payment_checks import FILE_CHECKS, coarse_reasons, judge_rows
from benefit.services.files import read_input, read_manifest, sha256_of, write_atomic, write_manifest
from benefit.services.gate import Standing, chosen_accounts, people, stand
from benefit.services.home import Home
from benefit.services.transfers import pending_verdicts
from benefit.store import audit, ward
from benefit.store.bulk import insert_rows
from benefit.store.engine import in_turn, reading

ACCOUNT = ("bank_code", "branch_code", "account_type", "account_number", "holder_kana")
_VERDICT_COLUMNS = (
    "planned_file_id",
    "line_number",
    "case_number",
    "entitlement_id",
    "verdict",
    "checks",
    "amount_yen",
    *ACCOUNT,
)


@dataclass(frozen=True)
class Judged:
    """判定一回の結果。"""

    file_number: str
    rows: int
    payable: int
    held: int
    blocked: int
    payable_yen: int
    checks: dict[str, int]
    repeated: bool


def _refuse_file(check: str, detail: str, place: str) -> RefusedByRule:
    return RefusedByRule(f"{check} {FILE_CHECKS[check]}。{detail}", code=check, place=Place(file=place))


def judge_folder(
    home: Home, programme: Programme, folder: Path, *, out: Path, today: date, bank_master: BankMaster, clock: Clock
) -> Judged:
    """委託先から届いたフォルダを判定し、`out` に verdicts.csv と、委託先へ返す reply/ を書く。"""
    manifest = read_manifest(folder)
    data = read_input(folder / planned_payments.FILE_NAME)
    fingerprint = sha256_of(data)
    file_number = str(manifest.get("ファイル番号", ""))
    repeated = _already(home, programme, file_number, fingerprint, folder.name)
    if not repeated:
        try:
            rows = planned_payments.read(data, file_name=f"{folder.name}/{planned_payments.FILE_NAME}")
        except RefusedInput as refused:
            check = "CHK05" if refused.code == "unexpected-column" else "CHK03"
            raise _refuse_file(check, str(refused), folder.name) from None
        _check_manifest(manifest, rows, fingerprint, programme, folder.name)
        _judge(
            home,
            programme,
            rows.with_columns(from_ward=pl.lit(value=False)),
            file_number=file_number,
            fingerprint=fingerprint,
            today=today,
            bank_master=bank_master,
            clock=clock,
        )
    return write_results(home, programme, file_number, out=out, repeated=repeated)


def judge_ward_rows(
    home: Home, programme: Programme, *, out: Path, today: date, bank_master: BankMaster, clock: Clock
) -> Judged | None:
    """区が直接扱う人の行を、区の台帳から作って判定する。払える人がいなければ None。"""
    rows = ward_rows(home, programme, today)
    if rows.is_empty():
        return None
    fingerprint = sha256_of(rows.write_csv().encode())
    file_number = f"WARD-{today:%Y%m%d}-{fingerprint[:8]}"
    repeated = _already(home, programme, file_number, fingerprint, "区の行")
    if not repeated:
        _judge(
            home,
            programme,
            rows,
            file_number=file_number,
            fingerprint=fingerprint,
            today=today,
            bank_master=bank_master,
            clock=clock,
        )
    return write_results(home, programme, file_number, out=out, repeated=repeated)


def _already(home: Home, programme: Programme, file_number: str, fingerprint: str, place: str) -> bool:
    table = ward.planned_file
    with reading(home.ward) as connection:
        same_number = connection.execute(
            select(table.c.sha256).where(table.c.programme == programme.id, table.c.file_number == file_number)
        ).scalar()
        same_content = connection.execute(select(table.c.file_number).where(table.c.sha256 == fingerprint)).scalar()
    if same_number == fingerprint:
        return True
    if same_number is not None:
        raise _refuse_file("CHK01", f"ファイル番号 {file_number} は、別の中身で判定済みです", place)
    if same_content is not None:
        raise _refuse_file("CHK01", f"同じ中身が、ファイル番号 {same_content} で判定済みです", place)
    return False


def _check_manifest(
    manifest: dict[str, object], rows: pl.DataFrame, fingerprint: str, programme: Programme, place: str
) -> None:
    total = int(rows["planned_yen"].sum())
    expected = {"事業": programme.id, "件数": rows.height, "合計金額": total, "sha256": fingerprint}
    for key, value in expected.items():
        if manifest.get(key) != value:
            raise _refuse_file(
                "CHK02", f"「{key}」が manifest では {manifest.get(key, 'なし')}、明細から数えると {value} です", place
            )
    if not manifest.get("ファイル番号"):
        raise _refuse_file("CHK02", "manifest に「ファイル番号」がありません", place)


def ward_rows(home: Home, programme: Programme, today: date) -> pl.DataFrame:
    """区が直接扱う人のうち、いま払える権利の行: お知らせの辞退期限が過ぎ、まだ判定していないもの。

    確認書の返送が要る人（口座が分からない人）の行は、区の職員が受け付けてから作る。ここには入らない。
    """
    standing = stand(home, programme, today)
    with reading(home.ward) as connection:
        judged = set(connection.execute(select(ward.verdict.c.entitlement_id)).scalars())
        letter = ward.letter
        noticed = set(
            connection.execute(
                select(letter.c.entitlement_id).where(
                    letter.c.kind == PUSH_NOTICE, letter.c.due_on < today, letter.c.lot_id.is_not(None)
                )
            ).scalars()
        )
    known = people(standing.inputs).select("person_number", "kana_name", "birth")
    rows = (
        standing.entitlements.filter(pl.col("open") & pl.col("ward_only") & (pl.col("flag") != "0"))
        .filter(pl.col("id").is_in(list(noticed - judged)))
        .join(known, left_on="payee_number", right_on="person_number", how="left")
        .sort("case_number")
    )
    return rows.select(
        line_number=pl.int_range(1, pl.len() + 1, dtype=pl.Int64),
        case_number="case_number",
        branch="branch",
        person_number="payee_number",
        kana_name="kana_name",
        birth="birth",
        planned_yen="amount_yen",
        account_flag="flag",
        **{name: pl.lit(None, dtype=pl.String) for name in ACCOUNT},
        received_on=pl.lit(None, dtype=pl.Date),
        reviewed_on=pl.lit(None, dtype=pl.Date),
        from_ward=pl.lit(value=True),
    )


def _judge(
    home: Home,
    programme: Programme,
    rows: pl.DataFrame,
    *,
    file_number: str,
    fingerprint: str,
    today: date,
    bank_master: BankMaster,
    clock: Clock,
) -> None:
    standing = stand(home, programme, today)
    prepared = _prepare(standing, rows, today, bank_master).with_columns(judged_on=pl.lit(today))
    with home.ward.begin() as connection:
        in_turn(connection, "money")
        table = ward.planned_file
        if connection.execute(select(table.c.id).where(table.c.sha256 == fingerprint)).first():
            return  # 同時に打たれた同じファイル。先の判定が、そのまま結果になる。
        judged = judge_rows(_with_ledger(connection, prepared), programme)
        file_id = connection.execute(
            ward.planned_file.insert().values(
                programme=programme.id,
                file_number=file_number,
                sha256=fingerprint,
                row_count=judged.height,
                total_yen=int(judged["planned_yen"].sum()),
                judged_on=today,
                rule_version=_rule_version(programme),
                judged_at=clock(),
            )
        ).inserted_primary_key[0]  # type: ignore[index]
        lines = judged.with_columns(planned_file_id=pl.lit(file_id), amount_yen=pl.col("planned_yen")).select(
            _VERDICT_COLUMNS
        )
        insert_rows(connection, ward.verdict, _VERDICT_COLUMNS, lines.iter_rows())
        audit.record(
            connection,
            ward.audit_log,
            at=clock(),
            actor=BATCH,
            action="payments.judge",
            subject=file_number,
            detail={"rows": judged.height, "verdicts": Counter(judged["verdict"].to_list()), "sha256": fingerprint},
        )


def _rule_version(programme: Programme) -> str:
    return hashlib.sha256(f"{__version__}:{programme.digest}".encode()).hexdigest()


def _prepare(standing: Standing, rows: pl.DataFrame, today: date, bank_master: BankMaster) -> pl.DataFrame:
    """検査が見る列を揃える: 支給権利、受給者、いまの判定、使う口座。"""
    known = people(standing.inputs).select("person_number", payee_kana="kana_name", payee_birth="birth")
    moved = standing.inputs.facts.residents.filter(
        pl.col("removed_reason").is_in(["転出", "国外転出"]) & (pl.col("removed_on") <= today)
    ).select(payee_number="person_number", moved_out=pl.lit(value=True))
    entitlements = standing.entitlements.select(
        "case_number",
        "benefit",
        "household_number",
        "payee_number",
        "amount_yen",
        "eligible_now",
        "payee_now",
        "amount_now_yen",
        "payee_dead",
        "ward_only",
        "route_now",
        entitlement_id="id",
        branch_now="branch",
        account_flag_now="flag",
    )
    joined = (
        rows.join(entitlements, on="case_number", how="left", maintain_order="left")
        .join(known, left_on="payee_number", right_on="person_number", how="left", maintain_order="left")
        .join(moved, on="payee_number", how="left", maintain_order="left")
        .with_columns(
            account_sent=pl.any_horizontal([pl.col(name).is_not_null() for name in ACCOUNT]),
            moved_out=pl.col("moved_out").fill_null(value=False),
            **{c: pl.col(c).fill_null(value=False) for c in ("eligible_now", "payee_dead", "ward_only")},
        )
    )
    joined = _fill_ward_accounts(joined, standing)
    joined = joined.with_columns(account_bad=_account_bad(joined, bank_master))
    shared = (
        joined.filter(pl.col("account_number").is_not_null())
        .group_by("bank_code", "branch_code", "account_type", "account_number")
        .agg(households_on_account=pl.coalesce("household_number", -pl.col("payee_number")).n_unique())
    )
    return (
        joined.with_columns(holder_agrees=agrees(pl.col("holder_kana"), pl.col("payee_kana")))
        .join(
            shared,
            on=["bank_code", "branch_code", "account_type", "account_number"],
            how="left",
            maintain_order="left",
        )
        .with_columns(
            households_on_account=pl.col("households_on_account").fill_null(0),
            holder_agrees=pl.col("holder_agrees").fill_null(value=False),
        )
    )


def _account_bad(rows: pl.DataFrame, bank_master: BankMaster) -> pl.Series:
    """CHK80: 口座がない、表にない店舗、種目・番号の形、名義が全銀の字で書けない。"""
    branches = pl.DataFrame(
        list(bank_master.branches()), schema={"bank_code": pl.String, "branch_code": pl.String}, orient="row"
    ).with_columns(branch_known=pl.lit(value=True))
    seen = rows.select(ACCOUNT).join(branches, on=["bank_code", "branch_code"], how="left", maintain_order="left")
    number = pl.col("account_number")
    shaped = seen.select(
        (
            pl.col("branch_known").fill_null(value=False)
            & pl.col("account_type").is_in(["1", "2", "4"]).fill_null(value=False)
            & number.str.contains("^[0-9]{7}$").fill_null(value=False)
            & (number != "0000000").fill_null(value=False)
            & pl.col("holder_kana").is_not_null()
        ).alias("good")
    )["good"]
    good = shaped.to_list()
    positions = [position for position, fine in enumerate(good) if fine]
    lines = [
        TransferLine(bank, branch, kind, account, holder, 1)
        for bank, branch, kind, account, holder in seen.filter(shaped).select(ACCOUNT).iter_rows()
    ]
    for refused in unwritable(lines):
        good[positions[refused.number - 1]] = False
    return pl.Series("account_bad", [not fine for fine in good], dtype=pl.Boolean)


def _fill_ward_accounts(rows: pl.DataFrame, standing: Standing) -> pl.DataFrame:
    """口座フラグ 1・3 の行に、区だけが持つ口座を入れる。区の行は、どのフラグでも区が入れる（契約 §4）。"""
    own = chosen_accounts(standing).rename({name: f"{name}_own" for name in ACCOUNT})
    filled = rows.join(
        own,
        left_on=["payee_number", "account_flag_now"],
        right_on=["person_number", "account_flag"],
        how="left",
        maintain_order="left",
    )
    by_ward = pl.col("from_ward") | pl.col("account_flag_now").is_in(["1", "3"]).fill_null(value=False)
    return filled.with_columns(
        [
            pl.when(by_ward & ~pl.col("account_sent")).then(pl.col(f"{name}_own")).otherwise(pl.col(name)).alias(name)
            for name in ACCOUNT
        ]
    ).drop([f"{name}_own" for name in ACCOUNT])


def _with_ledger(connection: Connection, rows: pl.DataFrame) -> pl.DataFrame:
    """台帳の事実を足す: 支払、戻ったお金、手紙の期限。判定と登録は同じトランザクションの中である。"""
    payment, letter, posting = ward.payment, ward.letter, ward.posting
    payments = pl.DataFrame(
        [tuple(r) for r in connection.execute(select(payment.c.entitlement_id, payment.c.state, payment.c.id)).all()],
        schema={"entitlement_id": pl.Int64, "state": pl.String, "payment_id": pl.Int64},
        orient="row",
    )
    returned = connection.execute(
        select(posting.c.payment_id).where(posting.c.kind.in_(["fail", "uncredit"]))
    ).scalars()
    states = (
        payments.with_columns(back=pl.col("payment_id").is_in(list(returned)))
        .group_by("entitlement_id")
        .agg(
            paid=(pl.col("state") == "F42").any(),
            in_flight=pl.col("state").is_in(["F40", "F41"]).any(),
            failed_attempts=(pl.col("state") == "F43").sum().cast(pl.Int64),
            returned_attempts=((pl.col("state") == "F43") & pl.col("back")).sum().cast(pl.Int64),
        )
    )
    waiting = [line["entitlement_id"] for line in pending_verdicts(connection)]
    letters = pl.DataFrame(
        [
            tuple(r)
            for r in connection.execute(
                select(letter.c.entitlement_id, letter.c.kind, letter.c.due_on).where(letter.c.lot_id.is_not(None))
            ).all()
        ],
        schema={"entitlement_id": pl.Int64, "letter_kind": pl.String, "due_on": pl.Date},
        orient="row",
    ).unique("entitlement_id", keep="last", maintain_order=True)
    noticed = (pl.col("letter_kind") == "push_notice") & (pl.col("due_on") < pl.col("judged_on"))
    reviewed = pl.col("received_on").is_not_null() & pl.col("reviewed_on").is_not_null()
    return (
        rows.with_columns(pl.col("entitlement_id").cast(pl.Int64))
        .join(states, on="entitlement_id", how="left", maintain_order="left")
        .join(letters, on="entitlement_id", how="left", maintain_order="left")
        .with_columns(
            paid=pl.col("paid").fill_null(value=False),
            # 支給可の判定が出て、まだ振込になっていない権利も、もう一度は通さない。
            in_flight=pl.col("in_flight").fill_null(value=False) | pl.col("entitlement_id").is_in(waiting),
            failed_attempts=pl.col("failed_attempts").fill_null(0),
            returned_attempts=pl.col("returned_attempts").fill_null(0),
            # お知らせを受けた人は期限の経過で、ほかの人は収受と審査の完了で、払う用意ができる。
            ready=noticed.fill_null(value=False) | reviewed,
        )
    )


def write_results(home: Home, programme: Programme, file_number: str, *, out: Path, repeated: bool) -> Judged:
    """台帳の判定結果を、区の verdicts.csv と、委託先への reply/ に書く。何度でも同じものが書ける。"""
    table, verdict = ward.planned_file, ward.verdict
    with reading(home.ward) as connection:
        file_id = connection.execute(
            select(table.c.id).where(table.c.programme == programme.id, table.c.file_number == file_number)
        ).scalar_one()
        lines = [
            tuple(row)
            for row in connection.execute(
                select(
                    verdict.c.line_number,
                    verdict.c.case_number,
                    verdict.c.verdict,
                    verdict.c.checks,
                    verdict.c.amount_yen,
                )
                .where(verdict.c.planned_file_id == file_id)
                .order_by(verdict.c.line_number)
            )
        ]
    schema = {
        "line_number": pl.Int64,
        "case_number": pl.String,
        "verdict": pl.String,
        "checks": pl.String,
        "amount_yen": pl.Int64,
    }
    rows = pl.DataFrame(lines, schema=schema, orient="row")
    write_atomic(out / verdicts.FILE_NAME, verdicts.render(rows))
    reply = verdicts.render_reply(rows, coarse_reasons(programme))
    write_atomic(out / "reply" / verdicts.REPLY_NAME, reply)
    write_manifest(
        out / "reply",
        {
            "種類": "判定結果",
            "事業": programme.id,
            "ファイル番号": file_number,
            "件数": rows.height,
            "sha256": sha256_of(reply),
        },
    )
    said = Counter(rows["verdict"].to_list())
    hit: Counter[str] = Counter()
    for checks in rows["checks"].to_list():
        hit.update(check for check in checks.split(";") if check)
    payable = rows.filter(pl.col("verdict") == "支給可")
    return Judged(
        file_number,
        rows.height,
        said["支給可"],
        said["保留"],
        said["不可"],
        int(payable["amount_yen"].sum()),
        dict(sorted(hit.items())),
        repeated,
    )
