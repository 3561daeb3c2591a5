"""支給判定: 委託先の支給予定情報を、区の台帳だけを真実として、一行ずつ判定する。

- 委託先のデータは申し出にすぎない。払ったかどうかは、区の書き足すだけの台帳が決める（宮崎市の事例）。
- 同じファイルをもう一度出せば、前の判定がそのまま返る。番号や中身を変えた二度目は断る（CHK01）。
- 区が直接扱う人の行は、区の中だけで作る（`ward_rows`）。委託先から届けば払わず、事故として残す（CHK56）。
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
from sqlalchemy import Connection, and_, exists, func, or_, select

from benefit.domain.clock import Clock
from benefit.domain.errors import Place, RefusedByRule, RefusedInput, WrongUse
from benefit.domain.programme import Programme
from benefit.domain.transfer import LIVE_STATES
from benefit.records import planned_payments
from benefit.records.bank_master import BankMaster
from benefit.rules.payment_check import FILE_CHECKS
from benefit.services.files import atomic_path, read_input, read_manifest, sha256_of
from benefit.services.gate import stand
from benefit.services.home import Home
from benefit.services.judgment_past import counted_then
from benefit.services.judgment_register import register
from benefit.services.judgment_report import Judged, write_results
from benefit.services.judgment_rows import prepare, ward_rows
from benefit.services.judgment_vanished import AGAIN, WARD_FILE
from benefit.services.runs import all_runs, last_approved
from benefit.store import ward
from benefit.store.engine import in_turn, reading

__all__ = ["Judged", "judge_again", "judge_folder", "judge_ward_rows", "kept_rows", "write_results"]


FILE_NUMBER_MAX = 30


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
        _check_count(home, programme, rows, folder.name)
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
    file_number = f"{WARD_FILE}{today:%Y%m%d}-{fingerprint[:8]}"
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


def judge_again(
    home: Home,
    programme: Programme,
    file_number: str,
    *,
    out: Path,
    today: date,
    bank_master: BankMaster,
    clock: Clock,
) -> Judged | None:
    """判定済みのファイルのうち、支給可でない行を、いまの事実で判定し直す。残っていなければ None。

    保留が解除された行、元を直した不可の行は、ここを通って初めて支給可になる（benefit-rules C.3 J31・J32 → J30）。
    """
    table, verdict = ward.planned_file, ward.verdict
    with reading(home.ward) as connection:
        file = connection.execute(
            select(table.c.id, table.c.sha256).where(
                table.c.programme == programme.id, table.c.file_number == file_number
            )
        ).first()
        if file is None:
            raise WrongUse("このファイル番号の判定はありません", found=file_number)
        here, judged_in = verdict.alias("here"), table.alias("judged_in")
        own_turn = judged_in.c.file_number.startswith(f"{file_number}{AGAIN}", autoescape=True)
        # このファイルから先の判定だけを見る。前の判定は、振込不能や返還で終わっていることがある。
        # 後の別のファイルで申し出のあった権利は、そのファイルで判定し直す（前の口座の申し出を、生き返らせない）。
        settled = connection.execute(
            select(verdict.c.case_number)
            .join(judged_in, judged_in.c.id == verdict.c.planned_file_id)
            .where(
                or_(verdict.c.verdict == "支給可", and_(judged_in.c.id != file.id, ~own_turn)),
                verdict.c.planned_file_id >= file.id,
                verdict.c.entitlement_id.in_(select(here.c.entitlement_id).where(here.c.planned_file_id == file.id)),
            )
        ).scalars()
        paid = set(settled)
        numbers = connection.execute(
            select(table.c.file_number).where(
                table.c.programme == programme.id,
                table.c.file_number.startswith(f"{file_number}{AGAIN}", autoescape=True),
            )
        ).scalars()
        turn = len(list(numbers)) + 1
    rows = pl.read_parquet(kept_rows(home, file.sha256))
    left = rows.filter(~pl.col("case_number").is_in(list(paid)))
    if left.is_empty():
        return None
    again = f"{file_number}{AGAIN}{turn}"
    fingerprint = sha256_of(f"{file.sha256}+{turn}".encode())
    _judge(
        home,
        programme,
        left,
        file_number=again,
        fingerprint=fingerprint,
        today=today,
        bank_master=bank_master,
        clock=clock,
    )
    return write_results(home, programme, again, out=out, repeated=False)


def kept_rows(home: Home, fingerprint: str) -> Path:
    """判定した申し出の行の置き場所。"""
    return home.path / "planned" / f"{fingerprint[:32]}.parquet"


def _already(home: Home, programme: Programme, file_number: str, fingerprint: str, place: str) -> bool:
    with reading(home.ward) as connection:
        return _seen(connection, programme, file_number, fingerprint, place)


def _seen(connection: Connection, programme: Programme, file_number: str, fingerprint: str, place: str) -> bool:
    """同じファイルを判定済みか。番号か中身の片方だけが同じなら、断る（CHK01）。"""
    table = ward.planned_file
    mine = (table.c.programme == programme.id) & (table.c.file_number == file_number)
    # 一度に読む。二度に分けると、その間に同じファイルの判定が終わったとき、自分を他人と間違える。
    found = connection.execute(
        select(table.c.programme, table.c.file_number, table.c.sha256).where(mine | (table.c.sha256 == fingerprint))
    ).all()
    numbered = (one for one in found if (one.programme, one.file_number) == (programme.id, file_number))
    same_number = next((one.sha256 for one in numbered), None)
    same_content = next((one.file_number for one in found if one.sha256 == fingerprint), None)
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
    number = str(manifest.get("ファイル番号") or "")
    if not number:
        raise _refuse_file("CHK02", "manifest に「ファイル番号」がありません", place)
    # 台帳の列（40 字）に、判定し直した回の印を足しても入る長さ。
    if len(number) > FILE_NUMBER_MAX or not number.isprintable():
        raise _refuse_file("CHK02", f"「ファイル番号」は {FILE_NUMBER_MAX} 字までの、印字できる字です", place)
    # 区の行と、判定し直した回の番号を、委託先は名乗れない。
    if number.startswith(WARD_FILE) or AGAIN in number:
        raise _refuse_file("CHK02", f"「ファイル番号」に、{WARD_FILE} で始まる番号と「{AGAIN}」は使えません", place)


def _check_count(home: Home, programme: Programme, rows: pl.DataFrame, place: str) -> None:
    """CHK04: まだ払っていない権利より多い行のファイルは、見るまでもなく断る。"""
    table, payment, valid = ward.entitlement, ward.payment, ward.valid_entitlement
    live = exists().where(payment.c.entitlement_id == table.c.id, payment.c.state.in_(LIVE_STATES))
    query = (
        select(func.count())
        .select_from(table)
        .join(valid, valid.c.entitlement_id == table.c.id)
        .where(table.c.programme == programme.id, ~live)
    )
    with reading(home.ward) as connection:
        unpaid = connection.execute(query).scalar_one()
    if rows.height > unpaid:
        raise _refuse_file("CHK04", f"明細 {rows.height:,} 行、まだ払っていない権利 {unpaid:,} 件です", place)


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
    seen = last_approved(home, programme)
    standing = stand(home, programme, today)
    counted = counted_then(home, standing, rows["case_number"])
    prepared = prepare(standing, rows, today, bank_master, fingerprint, counted)
    # 判定し直す（--again）ために、申し出の行を残す。登録より先に置くので、登録された判定の行はいつもある。
    with atomic_path(kept_rows(home, fingerprint)) as beside:
        rows.write_parquet(beside, compression="zstd")
        beside.chmod(0o600)
    with home.ward.begin() as connection:
        in_turn(connection, "money")
        # 読んでいる間に、同じ番号か同じ中身が判定されていることがある。順番を取ってから、もう一度見る。
        if _seen(connection, programme, file_number, fingerprint, file_number):
            return  # 同時に打たれた同じファイル。先の判定が、そのまま結果になる。
        now = next((run for run in reversed(all_runs(connection, programme.id)) if run.approved_by), None)
        if (now and now.id) != (seen and seen.id):
            raise RefusedByRule(
                "判定している間に、新しい判定（benefit beneficiaries）が承認されました。もう一度、判定してください",
                code="changed-meanwhile",
            )
        register(
            connection,
            prepared,
            programme,
            file_number=file_number,
            fingerprint=fingerprint,
            today=today,
            clock=clock,
        )
