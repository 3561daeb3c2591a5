"""情報提供ネットワークシステムへの照会: 誰に尋ねるかを決め、番号を付け、ファイルに出す。

- 課税照会: 令和6年1月2日以降の転入者で、その答えがまだ判定を変えうる人だけ（benefit-rules E.2）。
- 公金受取口座照会: 対象者のうち、使える口座がない受給者（E.3）。
- 区が直接扱う人は、機械の照会に決して載せない（E.1）。職員が一件ずつ行う。
- 一人・一種類・一年度・一回の試みに、番号は一つ。同じ照会を二度出しても、番号は増えない。
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl
from sqlalchemy import Connection, select

from benefit.domain.access import BATCH
from benefit.domain.clock import Clock
from benefit.domain.programme import Programme
from benefit.records import extracts as layouts
from benefit.records import network_inquiry as layout
from benefit.services import extracts
from benefit.services.files import sha256_of, write_atomic, write_manifest
from benefit.services.home import Home
from benefit.services.standing import decide_now, gather
from benefit.store import audit, ward

NAMES = {"tax": "課税照会", "account": "公金受取口座照会"}


@dataclass(frozen=True)
class Exported:
    """照会の出力一回。"""

    kind: str
    rows: int
    issued: int
    path: Path


def who_to_ask(home: Home, programme: Programme, today: date, kind: str) -> pl.DataFrame:
    """尋ねる人: person_number、destination（照会先団体コード。口座は空）。"""
    inputs = gather(home, programme, today)
    decisions = decide_now(inputs)
    protected = inputs.facts.protected.select("person_number")
    if kind == "tax":
        # ほかの理由でもう対象外の世帯には尋ねない。答えが結果を変えないから。
        open_households = decisions.households.filter(
            (pl.col("verdict") == "未確定") & pl.col("INQUIRY").is_null()
        ).select("household_number")
        asked = (
            decisions.persons.filter(pl.col("tax_class") == "Q")
            .join(open_households, on="household_number", how="semi")
            .join(
                inputs.facts.residents.select("person_number", destination="levy_date_municipality"),
                on="person_number",
                how="left",
            )
            .filter(pl.col("destination").is_not_null())
        )
    else:
        asked = decisions.outcomes.filter(
            (pl.col("verdict") == "対象") & (pl.col("account_flag") == "0") & (pl.col("route") != "WARD")
        ).select(person_number="payee_number", destination=pl.lit(""))
    return (
        asked.select("person_number", pl.col("destination").cast(pl.String))
        .unique("person_number")
        .join(protected, on="person_number", how="anti")
        .sort("person_number")
    )


def export(home: Home, programme: Programme, today: date, kind: str, *, out: Path, clock: Clock) -> Exported:
    """照会ファイルと manifest を `out` に書く。まだ番号のない人にだけ、番号を付ける。"""
    asked = who_to_ask(home, programme, today, kind)
    table = ward.inquiry
    with home.ward.begin() as connection:
        known = _issued(connection, kind, programme.levy_year)
        fresh = asked.join(known, on="person_number", how="anti")
        start = connection.execute(select(table.c.id).order_by(table.c.id.desc()).limit(1)).scalar() or 0
        letter = "T" if kind == "tax" else "K"
        fresh = fresh.with_columns(
            inquiry_number=pl.lit(letter)
            + (pl.int_range(pl.len(), dtype=pl.Int64) + start + 1).cast(pl.String).str.zfill(9)
        )
        now = clock()
        rows = [
            {
                "inquiry_number": number,
                "kind": kind,
                "person_number": person,
                "levy_year": programme.levy_year,
                "attempt": 1,
                "destination": destination,
                "issued_at": now,
            }
            for person, destination, number in fresh.select(
                "person_number", "destination", "inquiry_number"
            ).iter_rows()
        ]
        if rows:
            connection.execute(table.insert(), rows)
            audit.record(
                connection,
                ward.audit_log,
                at=now,
                actor=BATCH,
                action="inquiry.export",
                subject=kind,
                detail={"issued": len(rows), "rows": asked.height},
            )
        known = _issued(connection, kind, programme.levy_year)
    answered = pl.concat(
        [
            extracts.load(home, s).select("person_number")
            for s in extracts.answer_sources(home)
            if s.kind == f"{kind}_answers"
        ]
        or [pl.DataFrame(schema={"person_number": pl.Int64})]
    )
    listed = asked.join(known, on="person_number").join(answered, on="person_number", how="anti").sort("inquiry_number")
    data = layout.render(kind, listed, levy_year=programme.levy_year, asked_on=today)
    path = out / layout.FILE_NAMES[kind]
    write_atomic(path, data)
    write_manifest(
        out,
        {
            "事業": programme.id,
            "種類": NAMES[kind],
            "ファイル": path.name,
            "件数": listed.height,
            "sha256": sha256_of(data),
            "作成日": today.isoformat(),
        },
    )
    return Exported(kind, listed.height, fresh.height, path)


def _issued(connection: Connection, kind: str, levy_year: int) -> pl.DataFrame:
    table = ward.inquiry
    rows = connection.execute(
        select(table.c.person_number, table.c.inquiry_number).where(
            table.c.kind == kind, table.c.levy_year == levy_year
        )
    ).all()
    return pl.DataFrame(
        [tuple(row) for row in rows], schema={"person_number": pl.Int64, "inquiry_number": pl.String}, orient="row"
    )


def import_answers(
    home: Home, programme: Programme, kind: str, path: Path, *, clock: Clock, encoding: str | None, allow_rejects: int
) -> extracts.Imported:
    """回答を取り込む。この人に出していない照会番号の行は、行ごとに不採用（契約 §4）。"""

    def only_issued(connection: Connection, read: layouts.Reading) -> layouts.Reading:
        issued = _issued(connection, kind, programme.levy_year)
        strangers = read.frame.join(issued, on=["person_number", "inquiry_number"], how="anti")
        return read.without(
            strangers["line"], column="照会番号", code="not-issued", detail="この住民番号に出した照会番号ではありません"
        )

    return extracts.import_file(
        home,
        f"{kind}_answers",
        path,
        clock=clock,
        levy_year=programme.levy_year,
        encoding=encoding,
        allow_rejects=allow_rejects,
        extra_check=only_issued,
    )
