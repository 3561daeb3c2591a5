"""照会の進み具合: 何人に尋ね、何人が答え、課税の分からない人（Q）が一人ずつどうなっているか。

Q の人は、必ずどれか一つの状態にいる。誰も忘れられない。

    Q = 未照会 + 照会中 + 要再照会 + 要申請 + 矛盾 + 照会できない + 結果に影響しない
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import polars as pl

from benefit.domain.programme import Programme
from benefit.rules.facts import empty
from benefit.rules.outcomes import Decisions
from benefit.rules.tax_class import tax_classes
from benefit.services import extracts
from benefit.services.files import sha256_of, write_atomic, write_manifest
from benefit.services.home import Home
from benefit.services.inquiries import MAX_ATTEMPTS, UNKNOWN_PLACE, ward_only_folder
from benefit.services.inquiry_answers import NAMES, contradictions, issued, latest, received
from benefit.services.inquiry_people import who_to_ask
from benefit.services.standing import Inputs, decide_now, gather
from benefit.store.engine import reading

STATES = ("未照会", "照会中", "要再照会", "要申請", "矛盾", "照会できない", "結果に影響しない")
#: 一覧のファイル。区限りのものは、別のフォルダに置く。
OPEN_PEOPLE, CONFLICTS = "open_people.csv", "conflicting_answers.csv"


@dataclass(frozen=True)
class Round:
    """一種類の、一回の試み。asked = answered + open。"""

    kind: str
    attempt: int
    way: str
    asked: int
    answered: int
    open: int
    #: いちばん長く答えを待っている日数。待っていなければ None。
    oldest_days: int | None


@dataclass(frozen=True)
class Status:
    """照会の進み具合。arrivals（転入で課税が分からなかった人）= resolved + Q、Q = states の和。"""

    rounds: list[Round]
    arrivals: int
    resolved: int
    states: dict[str, int]
    #: 口座照会の答え（有・無・提供停止）の人数。
    registered: dict[str, int]
    conflicts: int
    folder: Path | None = None
    ward_only: Path | None = None

    @property
    def open_people(self) -> int:
        """いまも Q の人。"""
        return sum(self.states.values())


def status(home: Home, programme: Programme, today: date, *, out: Path | None = None) -> Status:
    """いまの進み具合。`out` があれば、名の一覧（CSV）を書く。区が直接扱う人の分は、区限りのフォルダに分ける。"""
    inputs = gather(home, programme, today)
    decisions = decide_now(inputs)
    sources = extracts.answer_sources(home)
    with reading(home.ward) as connection:
        asked = {kind: issued(connection, kind, programme.levy_year) for kind in NAMES}
    answers = {kind: received(home, kind, programme.levy_year, sources) for kind in NAMES}
    people, resolved = _people(inputs, decisions, asked["tax"], latest(answers["tax"]), today)
    flawed = pl.concat(
        [contradictions(kind, answers[kind]).with_columns(kind=pl.lit(NAMES[kind])) for kind in NAMES]
    ).join(_ward_people(inputs, decisions), on="person_number", how="left")
    counted = dict(people.group_by("state").len().iter_rows())
    account = latest(answers["account"]).group_by("registered").len().sort("registered")
    done = Status(
        [one for kind in NAMES for one in _rounds(kind, asked[kind], answers[kind], today)],
        people.height + resolved,
        resolved,
        {name: counted.get(name, 0) for name in STATES},
        dict(account.iter_rows()),
        flawed.height,
    )
    if out is None:
        return done
    folder = ward_only_folder(out)
    for place, kept, mark in ((out, False, "内部"), (folder, True, "区限り（区の外へ出さない）")):
        _write(place, programme, today, people.filter(pl.col("ward") == kept), flawed, mark, ward=kept)
    return replace(done, folder=out, ward_only=folder)


def _rounds(kind: str, asked: pl.DataFrame, answers: pl.DataFrame, today: date) -> list[Round]:
    heard = answers.select("inquiry_number", heard=pl.lit(value=True)).unique()
    waiting = pl.col("heard").is_null()
    rows = (
        asked.join(heard, on="inquiry_number", how="left")
        .group_by("attempt", "way")
        .agg(
            asked=pl.len(),
            open=waiting.sum(),
            oldest=(pl.lit(today) - pl.col("asked_on").filter(waiting).min()).dt.total_days(),
        )
        .sort("attempt", "way", descending=[False, True])
    )
    return [
        Round(kind, attempt, way, count, count - waits, waits, oldest)
        for attempt, way, count, waits, oldest in rows.iter_rows()
    ]


def _ward_people(inputs: Inputs, decisions: Decisions) -> pl.DataFrame:
    """名の一覧を区限りに分ける人: 区が直接扱う人と、その世帯の人。"""
    protected = inputs.marked
    homes = decisions.persons.join(protected, on="person_number", how="semi").select("household_number").unique()
    members = decisions.persons.join(homes, on="household_number", how="semi").select("person_number")
    return pl.concat([protected, members]).unique().with_columns(ward=pl.lit(value=True))


def _people(
    inputs: Inputs, decisions: Decisions, asked: pl.DataFrame, heard: pl.DataFrame, today: date
) -> tuple[pl.DataFrame, int]:
    """Q の人の一覧と、もう分かった人の数。

    数える人: 回答がなければ Q である基準日の世帯員と、これまでに尋ねた人、これから尋ねる人（扶養者）。
    """
    programme = inputs.programme
    wanted = who_to_ask(inputs, decisions, "tax")
    unanswered = replace(inputs.facts, tax_answers=empty("tax_answers"))
    without = tax_classes(unanswered, programme).filter(pl.col("tax_class") == "Q").select("person_number").collect()
    members = decisions.persons.select("person_number", "household_number")
    everyone = pl.concat(
        [
            without.join(members, on="person_number", how="semi"),
            asked.select("person_number"),
            wanted.select("person_number"),
        ]
    ).unique()
    now = tax_classes(inputs.facts, programme).collect()
    still = everyone.join(now.filter(pl.col("tax_class") == "Q"), on="person_number", how="semi")
    last = asked.sort("person_number", "attempt").unique("person_number", keep="last", maintain_order=True)
    seen = (
        still.join(members, on="person_number", how="left")
        .join(wanted.select("person_number", "way", place="destination"), on="person_number", how="left")
        .join(last.drop("way", "levy_year"), on="person_number", how="left")
        .join(heard.select("inquiry_number", "answer"), on="inquiry_number", how="left")
        .join(_ward_people(inputs, decisions), on="person_number", how="left")
        .with_columns(
            # 扶養している世帯が区直轄である人も、手で照会する人である。
            ward=pl.col("ward").fill_null(value=False) | (pl.col("way") == "hand").fill_null(value=False),
            days=(pl.lit(today) - pl.col("asked_on")).dt.total_days(),
        )
    )
    return _with_state(seen).sort("person_number"), everyone.height - still.height


def _with_state(seen: pl.DataFrame) -> pl.DataFrame:
    """状態、わけ、次にすること。上から見て、最初に当たったもの。"""
    certificate = "本人に課税（非課税）証明書を求める（申請書）"
    days = pl.col("days").cast(pl.String)
    steps: list[tuple[pl.Expr, str, pl.Expr, str]] = [
        (pl.col("way").is_null(), "結果に影響しない", pl.lit("世帯はほかの検査でもう決まっている"), "なし"),
        (
            pl.col("inquiry_number").is_null() & (pl.col("way") == "none"),
            "照会できない",
            pl.lit(UNKNOWN_PLACE[0]),
            UNKNOWN_PLACE[1],
        ),
        (pl.col("inquiry_number").is_null(), "未照会", pl.lit("まだ尋ねていない"), "benefit inquiry export tax"),
        (
            pl.col("answer").is_null(),
            "照会中",
            pl.format("照会中 {} 日（{} 回目）", days, "attempt"),
            "回答を待つ。長引くなら benefit inquiry export tax --retry --unanswered-after 日数",
        ),
        (
            (pl.col("answer") == "エラー") & (pl.col("attempt") < MAX_ATTEMPTS),
            "要再照会",
            pl.lit("回答がエラー"),
            "benefit inquiry export tax --retry",
        ),
        (
            pl.col("answer") == "該当なし",
            "要申請",
            pl.lit("1月1日の住所地に該当がない"),
            f"前々住所地を調べる。分からなければ{certificate}",
        ),
        (pl.col("answer") == "提供不可", "要申請", pl.lit("提供できないという回答"), certificate),
        (pl.col("answer") == "エラー", "要申請", pl.format("{} 回ともエラー", "attempt"), certificate),
    ]
    last = ("矛盾", pl.lit("課税とあるが、区分の分かる額がない"), "本人に確かめる。職員が決める")

    def chosen(values: list[pl.Expr], otherwise: pl.Expr) -> pl.Expr:
        for (when, *_), value in zip(reversed(steps), reversed(values), strict=True):
            otherwise = pl.when(when).then(value).otherwise(otherwise)
        return otherwise

    return seen.with_columns(
        state=chosen([pl.lit(state) for _, state, _, _ in steps], pl.lit(last[0])),
        why=chosen([why for _, _, why, _ in steps], last[1]),
        next_step=chosen([pl.lit(step) for *_, step in steps], pl.lit(last[2])),
    )


def _write(
    folder: Path,
    programme: Programme,
    today: date,
    people: pl.DataFrame,
    flawed: pl.DataFrame,
    mark: str,
    *,
    ward: bool,
) -> None:
    conflicts = flawed.filter(pl.col("ward").is_not_null() == ward)
    files = {OPEN_PEOPLE: (_render_people(people), people.height), CONFLICTS: (_render(conflicts), conflicts.height)}
    for name, (data, _) in files.items():
        write_atomic(folder / name, data)
    write_manifest(
        folder,
        {
            "取扱": mark,
            "事業": programme.id,
            "作成日": today.isoformat(),
            "ファイル": {name: {"件数": rows, "sha256": sha256_of(data)} for name, (data, rows) in files.items()},
        },
    )


def _padded(name: str, heading: str) -> pl.Expr:
    return pl.col(name).cast(pl.String).str.zfill(10).alias(heading)


def _render_people(people: pl.DataFrame) -> bytes:
    return (
        people.select(
            _padded("person_number", "住民番号"),
            _padded("household_number", "世帯番号"),
            pl.col("state").alias("状態"),
            pl.col("why").alias("理由"),
            pl.col("next_step").alias("次にすること"),
            pl.col("inquiry_number").alias("照会番号"),
            pl.col("attempt").alias("回"),
            pl.coalesce("destination", "place").alias("照会先団体コード"),
            pl.col("asked_on").alias("照会日"),
            pl.col("days").alias("経過日数"),
            pl.col("answer").alias("最後の回答"),
        )
        .write_csv(quote_style="necessary")
        .encode()
    )


def _render(flawed: pl.DataFrame) -> bytes:
    return (
        flawed.select(
            pl.col("kind").alias("種類"),
            _padded("person_number", "住民番号"),
            pl.col("inquiry_number").alias("照会番号"),
            pl.col("flaw").alias("食い違い"),
        )
        .write_csv(quote_style="necessary")
        .encode()
    )
