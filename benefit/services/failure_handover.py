"""担当課へ渡す照会のファイル: 課ごとに、seed 000 の六項目と、不能番号と回答期限だけ。

回答は、空いた列に書いて返してもらう。
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from sqlalchemy import func, select

from benefit.domain.access import Actor
from benefit.domain.clock import Clock, tokyo_date
from benefit.domain.errors import RefusedByRule, RefusedInput, WrongUse
from benefit.records import transfer_results_csv
from benefit.records.bank_master import BankMaster
from benefit.records.transfer_result_row import TransferResult
from benefit.services.failure_answers import Answer, answer
from benefit.services.failures import register, register_in
from benefit.services.files import read_input, sha256_of, write_atomic, write_manifest
from benefit.services.home import Home
from benefit.services.sheet import render as render_sheets
from benefit.services.transfer_lines import ACCOUNT
from benefit.store import audit, ward
from benefit.store.engine import in_turn

#: 渡す列 → 帳簿の列。
SENT = {
    "不能番号": "id",
    **dict(zip(transfer_results_csv.REQUIRED, (*ACCOUNT, "amount_yen"), strict=True)),
    "回答期限": "due_on",
}
#: 担当課が書く列。
TO_FILL = ("処理区分", *transfer_results_csv.NEW_ACCOUNT, "見直し日", "回答の理由")


@dataclass(frozen=True)
class Sent:
    """渡したもの: 課ごとの件数と、同じ中身をもう渡してあったか。"""

    folder: Path
    sections: dict[str, int]
    repeated: bool


def send(home: Home, *, out: Path, actor: Actor, clock: Clock, encoding: str = "utf-8") -> Sent:
    """照会中の一件を、担当課ごとの CSV と Excel にして `out` に置き、受渡管理簿に記す。manifest が最後。

    同じ中身なら同じバイト列で、管理簿には一度しか載らない。
    """
    if encoding not in {"utf-8", "cp932"}:
        raise WrongUse("文字コードが違います", found=encoding, allowed="utf-8、cp932")
    now = clock()
    with home.ward.begin() as connection:
        in_turn(connection, "money")
        asked = register_in(connection, tokyo_date(now)).filter(pl.col("status") == "照会中")
        if asked.is_empty():
            raise RefusedByRule("照会中の不能はありません。先に benefit failure ask で照会します", code="nothing")
        step = ward.failure_step
        moments = connection.execute(select(func.max(step.c.made_at)).where(step.c.kind != "覚え書き")).scalar_one()
        sections = {str(part["section"][0]): part for part in asked.partition_by("section", maintain_order=True)}
        files = {}
        for place, (section, rows) in enumerate(sections.items(), 1):
            name = f"{place:02d}-{re.sub(r'[^0-9A-Za-zぁ-んァ-ヶー一-龠々]', '_', section)}"
            files[f"{name}.csv"] = _csv(rows, encoding)
            files[f"{name}.xlsx"] = _xlsx(rows, section, moments)
        told = {name: sha256_of(data) for name, data in files.items()}
        fingerprint = sha256_of(repr(sorted(told.items())).encode())
        repeated = _hand_over(connection, fingerprint, sections, out, actor, now)
    for name, data in files.items():
        write_atomic(out / name, data)
    write_manifest(out, {"件数": asked.height, "合計金額": int(asked["amount_yen"].sum()), "sha256": told})
    return Sent(out, {section: rows.height for section, rows in sections.items()}, repeated)


def _hand_over(
    connection: Any, fingerprint: str, sections: dict[str, pl.DataFrame], out: Path, actor: Actor, now: Any
) -> bool:
    """受渡管理簿に、課ごとの一行。同じ中身をもう渡していれば、記さない。"""
    table = ward.handover
    if connection.execute(
        select(table.c.id).where(table.c.crossing == "failure_out", table.c.sha256 == fingerprint)
    ).first():
        return True
    last = connection.execute(select(func.max(table.c.sequence)).where(table.c.crossing == "failure_out")).scalar() or 0
    for place, (section, rows) in enumerate(sections.items(), 1):
        connection.execute(
            table.insert().values(
                crossing="failure_out",
                counterpart=section,
                folder=out.name,
                sequence=last + place,
                sha256=fingerprint,
                row_count=rows.height,
                total_yen=int(rows["amount_yen"].sum()),
                actor=actor.id,
                at=now,
            )
        )
    audit.record(
        connection, ward.audit_log, at=now, actor=actor, action="failure.out", subject=fingerprint[:16],
        detail={"rows": sum(rows.height for rows in sections.values()), "sections": len(sections)},
    )  # fmt: skip
    return False


def _csv(rows: pl.DataFrame, encoding: str) -> bytes:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow([*SENT, *TO_FILL])
    writer.writerows([*row, *[""] * len(TO_FILL)] for row in rows.select(list(SENT.values())).iter_rows())
    return buffer.getvalue().encode(encoding)


def _xlsx(rows: pl.DataFrame, section: str, made: Any) -> bytes:
    frame = rows.select([pl.col(name).alias(title) for title, name in SENT.items()]).with_columns(
        [pl.lit("").alias(title) for title in TO_FILL]
    )
    return render_sheets({"照会": frame}, made=made, title=f"振込不能の照会（{section}）")


def take_replies(
    home: Home, path: Path, *, bank_master: BankMaster, actor: Actor, clock: Clock
) -> tuple[list[int], list[str]]:
    """担当課の回答のファイルを取り込む。(記した回答の番号, 知らせること)。一行でも受けられなければ、一つも記さない。

    処理区分の空いた行は、まだ答えのない行として飛ばす。六項目が帳簿と違う行（行のずれ）は断る。
    """
    read = transfer_results_csv.read(read_input(path), file=path.name)
    book = {row["id"]: row for row in register(home, tokyo_date(clock())).iter_rows(named=True)}
    given = [_answer(row, book, path.name) for row in read.rows if row.handling is not None]
    if not given:
        raise RefusedInput(f"{path.name}: 処理区分の書かれた行がありません", code="no-answers")
    if len({one.failure_id for one in given}) < len(given):
        raise RefusedInput(f"{path.name}: 同じ不能番号の行が二つあります", code="twice")
    numbers = answer(home, given, bank_master=bank_master, actor=actor, clock=clock)
    return numbers, [f"{notice.record} 行目「{notice.field}」: {notice.says}" for notice in read.notices]


def _answer(row: TransferResult, book: dict[int, dict[str, Any]], file: str) -> Answer:
    """一行を、一つの回答に。"""
    known = book.get(row.failure_number or 0)
    if known is None:
        raise RefusedInput(f"{file} の {row.record} 行目: 不能番号が帳簿にありません", code="no-failure")
    same: Sequence[bool] = [getattr(row, name) == known[name] for name in (*ACCOUNT[:4], "amount_yen")]
    if not all(same):
        raise RefusedInput(
            f"{file} の {row.record} 行目: 口座か金額が、不能 {known['id']} のものと違います（行のずれ）",
            code="shifted",
        )
    assert row.handling is not None
    return Answer(
        failure_id=known["id"],
        kind=row.handling.value,
        reason=row.answer_reason or f"{known['section']}の回答（{file}）",
        account=row.new_account,
        review_on=row.review_on,
    )
