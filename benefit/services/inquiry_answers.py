"""照会の回答: 受け取る、何通もの回答から一つを選ぶ、食い違いを見つける。

回答は、途中までだけ届き、遅れて届き、二度届き、前と違って届く。どれも受け取り、捨てない（写しに残る）。
判定に使うのは人ごとに一つで、選び方はここだけにある:

1. 一つの照会番号への回答は、後から届いたものが勝つ。前と違えば、職員の一覧に載る。
2. 試みが何度かあるときは、答えになっている回答（Q のままでないもの）のうち、いちばん新しい試みのもの。
   だから、古い試みへの回答が遅れて届いても、新しい試みの答えを覆さない。
3. どの試みも答えになっていなければ、いちばん新しい試みのもの。

一つの回答の読み方は契約 §2 のとおりで、食い違いを見つけても変えない（`benefit.rules.tax_class`）。
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl
from sqlalchemy import Connection, select

from benefit.domain.access import BATCH
from benefit.domain.clock import Clock
from benefit.domain.programme import Programme
from benefit.records import extracts as layouts
from benefit.rules.facts import SCHEMAS
from benefit.rules.tax_class import class_of_answer
from benefit.services import extracts
from benefit.services.home import Home
from benefit.store import audit, ward
from benefit.store.engine import reading

NAMES = {"tax": "課税照会", "account": "公金受取口座照会"}

#: 取込のときに写しへ書き足す、照会の側の印。
_MARKS = pl.Schema({"attempt": pl.Int64, "levy_year": pl.Int64})
_ISSUED = pl.Schema(
    {
        "inquiry_number": pl.String,
        "person_number": pl.Int64,
        "attempt": pl.Int64,
        "destination": pl.String,
        "way": pl.String,
        "levy_year": pl.Int64,
        "asked_on": pl.Date,
    }
)


@dataclass(frozen=True)
class Answered:
    """回答の取込一回。採用した行 = fresh + repeated + differing。"""

    imported: extracts.Imported
    #: 初めて答えのあった照会番号。
    fresh: int = 0
    #: 前に届いたのと同じ答え（別のファイルで）。
    repeated: int = 0
    #: 前に届いたのと違う答え。
    differing: int = 0
    #: もう新しい番号で尋ね直してある、古い番号への答え。
    late: int = 0
    #: 食い違いを含む答え（`contradictions`）。
    contradictory: int = 0
    #: 答えになっていない答え（課税区分が Q のまま）。
    unresolved: int = 0


def issued(connection: Connection, kind: str, levy_year: int) -> pl.DataFrame:
    """この年度に出した照会の全部。"""
    table = ward.inquiry
    rows = connection.execute(
        select(*(table.c[name] for name in _ISSUED)).where(table.c.kind == kind, table.c.levy_year == levy_year)
    ).all()
    return pl.DataFrame([tuple(row) for row in rows], schema=_ISSUED, orient="row")


def received(home: Home, kind: str, levy_year: int, sources: Sequence[extracts.Source]) -> pl.DataFrame:
    """この年度の照会に届いた回答の全部を、届いた順に。

    列: 回答の列、attempt、levy_year、order（届いた順）、sha256（どのファイルで届いたか）、
    conclusive（答えになっているか）、letter（課税照会だけ: この回答一つの区分）。
    """
    schema = {**SCHEMAS[f"{kind}_answers"], **_MARKS}
    parts = [
        extracts.load(home, source).select(list(schema)).sort("line").with_columns(sha256=pl.lit(source.sha256))
        for source in sources
        if source.kind == f"{kind}_answers"
    ]
    empty = pl.DataFrame(schema={**schema, "sha256": pl.String})
    frame = pl.concat(parts or [empty]).with_row_index("order").filter(pl.col("levy_year") == levy_year)
    if kind == "account":
        # 有・無・提供停止は、どれも答えである（契約 §2）。
        return frame.with_columns(letter=pl.lit(None, dtype=pl.String), conclusive=pl.lit(value=True))
    letter = frame.select(
        "answer",
        "income_levy_before_cut_yen",
        "income_levy_after_cut_yen",
        answer_per_capita_levy_yen="per_capita_levy_yen",
        answer_treaty_exempt="treaty_exempt",
    ).select(letter=class_of_answer())
    return frame.hstack(letter).with_columns(conclusive=pl.col("letter") != "Q")


def latest(answers: pl.DataFrame) -> pl.DataFrame:
    """照会番号ごとに、最後に届いた回答。"""
    return answers.unique("inquiry_number", keep="last", maintain_order=True)


def settled(answers: pl.DataFrame) -> pl.DataFrame:
    """人ごとに、判定に使う回答を一つ（このモジュールの決まり 1〜3）。"""
    return (
        latest(answers)
        .sort("person_number", "conclusive", "attempt")
        .unique("person_number", keep="last", maintain_order=True)
    )


def in_use(home: Home, programme: Programme, sources: Sequence[extracts.Source]) -> dict[str, pl.DataFrame]:
    """判定に入れる回答: tax_answers と account_answers。この事業の年度の照会への回答だけを使う。

    写しだけから決まる（照会の表を見ない）。だから、写しがあれば、別の計算機でも同じ答えになる。
    """
    return {
        f"{kind}_answers": settled(received(home, kind, programme.levy_year, sources)).select(
            list(SCHEMAS[f"{kind}_answers"])
        )
        for kind in NAMES
    }


def _said(kind: str) -> list[str]:
    """回答の中身の列（番号と行のほか）。"""
    return [name for name in SCHEMAS[f"{kind}_answers"] if name not in ("inquiry_number", "person_number", "line")]


def _same_as_before(kind: str) -> pl.Expr:
    """同じ照会番号への、一つ前の回答と同じか。前がなければ null。"""
    one = pl.col("order").shift(1).over("inquiry_number", order_by="order").is_not_null()
    same = [
        pl.col(name).eq_missing(pl.col(name).shift(1).over("inquiry_number", order_by="order")) for name in _said(kind)
    ]
    return pl.when(one).then(pl.all_horizontal(same))


def _flaw() -> pl.Expr:
    """一つの課税照会の回答の中の食い違い（E.2 の落とし穴 1・2）。なければ null。"""
    levy, before, after = (
        pl.col(name).fill_null(0)
        for name in ("per_capita_levy_yen", "income_levy_before_cut_yen", "income_levy_after_cut_yen")
    )
    taxed = pl.col("answer") == "課税"
    blank_before = pl.col("income_levy_before_cut_yen").is_null()
    return (
        pl.when(taxed & blank_before & (after == 0))
        .then(pl.lit("課税とあるが、減税前の所得割の額がない（減税後の 0 では分からない）"))
        .when(taxed & (before == 0) & (levy == 0) & ~blank_before)
        .then(pl.lit("課税とあるが、均等割も減税前の所得割もない"))
        .when(taxed & (before == 0) & (after > 0) & ~blank_before)
        .then(pl.lit("減税前の所得割が 0 なのに、減税後の額がある"))
        .when(taxed & (before > 0) & (pl.col("per_capita_levy_yen") == 0))
        .then(pl.lit("所得割があるのに、均等割が 0 である"))
        .when((pl.col("answer") == "非課税") & (levy + before + after > 0))
        .then(pl.lit("非課税とあるが、額がある"))
        .when((pl.col("answer") != "課税") & (levy + before + after > 0))
        .then(pl.lit("課税でない答えに、額がある"))
    )


def contradictions(kind: str, answers: pl.DataFrame) -> pl.DataFrame:
    """食い違いのある回答: person_number、inquiry_number、order、sha256、flaw。

    一つの回答の中の食い違い、一つの照会番号への違う回答、試みごとに違う答え。区分は変えず、職員に示す。
    """
    columns = ["person_number", "inquiry_number", "order", "sha256", "flaw"]
    parts = [
        answers.with_columns(same=_same_as_before(kind))
        .filter(~pl.col("same"))
        .with_columns(flaw=pl.lit("同じ照会番号に、前と違う答えが届いた（後から届いた方を使う）"))
        .select(columns)
    ]
    if kind == "tax":
        parts.append(latest(answers).with_columns(flaw=_flaw()).drop_nulls("flaw").select(columns))
        parts.append(
            latest(answers)
            .filter("conclusive")
            .sort("person_number", "attempt")
            .filter(pl.col("letter").n_unique().over("person_number") > 1)
            .unique("person_number", keep="last", maintain_order=True)
            .with_columns(flaw=pl.lit("試みによって答えが違う（新しい試みの答えを使う）"))
            .select(columns)
        )
    return pl.concat(parts).sort("person_number", "inquiry_number", "order", "flaw")


def import_answers(
    home: Home, programme: Programme, kind: str, path: Path, *, clock: Clock, encoding: str | None, allow_rejects: int
) -> Answered:
    """回答を取り込む。この人に出していない照会番号の行は、行ごとに不採用（契約 §4）。"""

    def only_issued(connection: Connection, read: layouts.Reading) -> layouts.Reading:
        known = issued(connection, kind, programme.levy_year).select("inquiry_number", "person_number", *_MARKS)
        strangers = read.frame.join(known, on=["person_number", "inquiry_number"], how="anti")
        taken = read.without(
            strangers["line"], column="照会番号", code="not-issued", detail="この住民番号に出した照会番号ではありません"
        )
        return replace(
            taken,
            frame=taken.frame.join(known, on=["person_number", "inquiry_number"], how="left", maintain_order="left"),
        )

    done = extracts.import_file(
        home,
        f"{kind}_answers",
        path,
        clock=clock,
        levy_year=programme.levy_year,
        encoding=encoding,
        allow_rejects=allow_rejects,
        extra_check=only_issued,
    )
    if done.already:
        return Answered(done)
    told = _count(home, programme, kind, done)
    with home.ward.begin() as connection:
        audit.record(
            connection,
            ward.audit_log,
            at=clock(),
            actor=BATCH,
            action="inquiry.import",
            subject=kind,
            reason=f"{programme.id} の{NAMES[kind]}の回答",
            detail={
                "sha256": done.sha256,
                "kept": done.rows_kept,
                "fresh": told.fresh,
                "repeated": told.repeated,
                "differing": told.differing,
                "late": told.late,
                "contradictory": told.contradictory,
                "unresolved": told.unresolved,
            },
        )
    return told


def _count(home: Home, programme: Programme, kind: str, done: extracts.Imported) -> Answered:
    with reading(home.ward) as connection:
        known = issued(connection, kind, programme.levy_year)
    answers = received(home, kind, programme.levy_year, extracts.answer_sources(home))
    newest = known.group_by("person_number").agg(newest=pl.col("attempt").max())
    mine = (
        answers.with_columns(same=_same_as_before(kind))
        .filter(pl.col("sha256") == done.sha256)
        .join(newest, on="person_number", how="left")
    )
    flawed = contradictions(kind, answers).filter(pl.col("sha256") == done.sha256)
    return Answered(
        done,
        fresh=mine["same"].null_count(),
        repeated=mine.filter("same").height,
        differing=mine.filter(~pl.col("same")).height,
        late=mine.filter(pl.col("attempt") < pl.col("newest")).height,
        contradictory=flawed["inquiry_number"].n_unique(),
        unresolved=mine.filter(~pl.col("conclusive")).height,
    )
