"""情報提供ネットワークシステムへの照会: 尋ねる人（`inquiry_people`）に番号を付け、ファイルに出す。

- 区が直接扱う人は、機械の照会に決して載せない（E.1）。職員が手で照会し、番号は別の続き（HT・HK）から付ける。
  機械の番号に、そこだけ抜けた跡が残らない。
- 一人・一種類・一年度・一回の試みに、番号は一つ。番号は二度使わない。一つの番号は、照会の日（today）の
  ファイルにだけ載る。同じ日に同じコマンドを打てば同じファイルになり、別の日のファイルには繰り返さない。
- 尋ね直すのは、答えが役に立たなかった人だけ（`retry`）。
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
from sqlalchemy import Connection, func, select

from benefit.domain.access import BATCH
from benefit.domain.clock import Clock
from benefit.domain.programme import Programme
from benefit.records import network_inquiry as layout
from benefit.services import extracts
from benefit.services.files import sha256_of, write_atomic, write_manifest
from benefit.services.home import Home
from benefit.services.inquiry_answers import NAMES, Answered, import_answers, issued, latest, received
from benefit.services.inquiry_people import who_to_ask
from benefit.services.standing import decide_now, gather
from benefit.store import audit, ward
from benefit.store.engine import in_turn

__all__ = [
    "MAX_ATTEMPTS",
    "NAMES",
    "Answered",
    "Exported",
    "export",
    "import_answers",
    "ward_only_folder",
    "who_to_ask",
]

#: 一人に尋ねる回数の上限。三度尋ねて分からなければ、本人に証明書を求める。
MAX_ATTEMPTS = 3
#: 尋ね直すと役に立つかもしれない答え。税の副本は六月の半ばに入るので、該当なしも後で分かることがある。
FAILED = ("エラー", "提供不可", "該当なし")
_PREFIX = {("tax", "machine"): "T", ("account", "machine"): "K", ("tax", "hand"): "HT", ("account", "hand"): "HK"}
#: 照会できないわけと、次にすること。
UNKNOWN_PLACE = (
    "1月1日の住所地が分からない（空白、国外、市区町村でない番号）",
    "本人に課税（非課税）証明書を求める（申請書）",
)
BY_HAND = ("区が直接扱う人、またはその世帯の人", "職員が手で照会し、この照会番号で回答を取り込む")


@dataclass(frozen=True)
class Exported:
    """照会の出力一回。"""

    kind: str
    #: ファイルの行数。
    rows: int
    #: 新しく付けた番号（手で照会するものを含まない）。
    issued: int
    path: Path
    #: 手で照会する人と、尋ねる先のない人。どちらも `not_asked` の一覧にある。
    by_hand: int
    not_askable: int
    not_asked: Path


def ward_only_folder(out: Path) -> Path:
    """区限りの一覧を置くフォルダ。`out` は持ち出すものなので、その中には置かない。"""
    return out.resolve().with_name(f"{out.resolve().name}-ward-only")


def export(
    home: Home,
    programme: Programme,
    today: date,
    kind: str,
    *,
    out: Path,
    clock: Clock,
    retry: bool = False,
    unanswered_after: int | None = None,
) -> Exported:
    """照会ファイルを `out` に、載せなかった人の一覧を `ward_only_folder(out)` に書く。

    `retry`: 最後の答えが FAILED の人と、`unanswered_after` 日を過ぎても答えのない人に、新しい番号で尋ね直す。
    """
    inputs = gather(home, programme, today)
    wanted = who_to_ask(inputs, decide_now(inputs), kind)
    heard = latest(received(home, kind, programme.levy_year, extracts.answer_sources(home)))
    with home.ward.begin() as connection:
        in_turn(connection, "inquiries")
        before = _last(issued(connection, kind, programme.levy_year), heard)
        fresh = _again(wanted, before, today, unanswered_after) if retry else _first(wanted, before)
        _issue(connection, programme, kind, fresh, today, clock())
        after = _last(issued(connection, kind, programme.levy_year), heard)
        state = wanted.join(
            after.select("person_number", "inquiry_number", "attempt", "asked_on", "heard", asked="way"),
            on="person_number",
            how="left",
        )
        listed = state.filter(
            (pl.col("way") == "machine")
            & (pl.col("asked") == "machine")
            & (pl.col("asked_on") == today)
            & ~pl.col("heard")
            & (pl.col("attempt") > (1 if retry else 0))
        ).sort("inquiry_number")
        silent = _not_asked(state)
        data = layout.render(kind, listed, levy_year=programme.levy_year, asked_on=today)
        by_hand = silent.filter(pl.col("reason") == BY_HAND[0]).height
        audit.record(
            connection,
            ward.audit_log,
            at=clock(),
            actor=BATCH,
            action="inquiry.export",
            subject=kind,
            reason=f"{programme.id} の{NAMES[kind]}",
            detail={
                "rows": listed.height,
                "issued": fresh.height,
                "by_hand": by_hand,
                "not_askable": silent.height - by_hand,
                "retry": retry,
                "sha256": sha256_of(data),
            },
        )
    path = _write(out, programme, kind, data, listed.height, today)
    folder = ward_only_folder(out)
    _write_not_asked(folder, programme, kind, silent, today)
    return Exported(
        kind,
        listed.height,
        fresh.filter(pl.col("way") == "machine").height,
        path,
        by_hand,
        silent.height - by_hand,
        folder / layout.NOT_ASKED,
    )


def _last(known: pl.DataFrame, heard: pl.DataFrame) -> pl.DataFrame:
    """人ごとの最後の照会: `issued` の列に、heard（答えが届いたか）と said（課税照会の答えの言葉）を足す。"""
    said = pl.col("answer") if "answer" in heard.columns else pl.lit(None, dtype=pl.String)
    return (
        known.sort("person_number", "attempt")
        .unique("person_number", keep="last", maintain_order=True)
        .join(heard.select("inquiry_number", said=said, heard=pl.lit(value=True)), on="inquiry_number", how="left")
        .with_columns(pl.col("heard").fill_null(value=False))
    )


def _first(wanted: pl.DataFrame, before: pl.DataFrame) -> pl.DataFrame:
    """まだ一度も尋ねていない人。"""
    return wanted.filter(pl.col("way") != "none").join(before, on="person_number", how="anti").with_columns(attempt=1)


def _again(wanted: pl.DataFrame, before: pl.DataFrame, today: date, unanswered_after: int | None) -> pl.DataFrame:
    """尋ね直す人。上限に達した人には尋ねない。"""
    stale = pl.lit(value=False)
    if unanswered_after is not None:
        stale = ~pl.col("heard") & (pl.col("asked_on") < today - timedelta(days=unanswered_after))
    due = before.filter((pl.col("said").is_in(FAILED) | stale) & (pl.col("attempt") < MAX_ATTEMPTS))
    return wanted.filter(pl.col("way") != "none").join(
        due.select("person_number", attempt=pl.col("attempt") + 1), on="person_number"
    )


def _issue(
    connection: Connection, programme: Programme, kind: str, fresh: pl.DataFrame, today: date, at: datetime
) -> None:
    """番号を付けて登録する。番号は種類ごとの続き番号で、抜けがない。"""
    number = ward.inquiry.c.inquiry_number
    rows = []
    for way in ("machine", "hand"):
        prefix = _PREFIX[kind, way]
        last = connection.execute(select(func.max(number)).where(number.like(f"{prefix}%"))).scalar()
        start = int(last.removeprefix(prefix)) if last else 0
        chosen = fresh.filter(pl.col("way") == way).select("person_number", "destination", "attempt")
        rows += [
            {
                "inquiry_number": f"{prefix}{start + place:0{11 - len(prefix) - 1}d}",
                "kind": kind,
                "person_number": person,
                "levy_year": programme.levy_year,
                "attempt": attempt,
                "programme": programme.id,
                "destination": destination,
                "way": way,
                "asked_on": today,
                "issued_at": at,
            }
            for place, (person, destination, attempt) in enumerate(chosen.iter_rows(), start=1)
        ]
    if rows:
        connection.execute(ward.inquiry.insert(), rows)


def _not_asked(state: pl.DataFrame) -> pl.DataFrame:
    """機械の照会に載らない人: 手で照会する人（番号つき）と、尋ねる先のない人。"""
    hand = (pl.col("way") == "hand") | (pl.col("asked") == "hand").fill_null(value=False)
    return state.filter(hand | ((pl.col("way") == "none") & pl.col("asked").is_null())).select(
        "person_number",
        inquiry_number=pl.when(hand).then(pl.col("inquiry_number")),
        reason=pl.when(hand).then(pl.lit(BY_HAND[0])).otherwise(pl.lit(UNKNOWN_PLACE[0])),
        next_step=pl.when(hand).then(pl.lit(BY_HAND[1])).otherwise(pl.lit(UNKNOWN_PLACE[1])),
    )


def _write(out: Path, programme: Programme, kind: str, data: bytes, rows: int, today: date) -> Path:
    path = out / layout.FILE_NAMES[kind]
    write_atomic(path, data)
    write_manifest(
        out,
        {
            "事業": programme.id,
            "種類": NAMES[kind],
            "ファイル": path.name,
            "件数": rows,
            "sha256": sha256_of(data),
            "作成日": today.isoformat(),
        },
    )
    return path


def _write_not_asked(folder: Path, programme: Programme, kind: str, rows: pl.DataFrame, today: date) -> None:
    data = layout.render_not_asked(rows.sort("person_number"))
    write_atomic(folder / layout.NOT_ASKED, data)
    write_manifest(
        folder,
        {
            "取扱": "区限り（区の外へ出さない）",
            "事業": programme.id,
            "種類": NAMES[kind],
            "ファイル": layout.NOT_ASKED,
            "件数": rows.height,
            "sha256": sha256_of(data),
            "作成日": today.isoformat(),
        },
    )
