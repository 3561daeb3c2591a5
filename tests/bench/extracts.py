"""速さを測るための、大きな抽出データ。架空の区を一つ作り、番号を付け替えて何組も並べる（UTF-8、LF）。

番号は、組を並べた順のままにはしない。本物の番号のように 10 桁の全体に散らす（並んだ密な番号は、結合を速く見せる）。
"""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

import polars as pl

from batch.world import make_ward

KINDS = ("residents", "taxes", "prior", "accounts", "addresses", "protected", "braille")
_NUMBERS = ("住民番号", "世帯番号", "宛名番号", "扶養者宛名番号")
#: 一組の人数。
COPY = 17_500
#: 住民番号の範囲（9 で始まる番号は住登外のもの）に収まる素数と、それと互いに素な、番号を散らす数。
_PRIME, _SCATTER = 8_999_999_993, 911_382_323
_OUTSIDE = 9_000_000_000


def write_big(out: Path, residents: int, seed: int = 1) -> None:
    """`residents` 人の抽出データを `out` に書く。どの組も同じ形で、番号も口座も重ならない。最後の組だけ小さい。"""
    out.mkdir(parents=True, exist_ok=True)
    whole, rest = divmod(residents, COPY)
    sizes = [(COPY, whole, 0)] if whole else []
    if rest:
        sizes.append((rest, 1, whole))
    for kind in KINDS:
        (out / f"{kind}.csv").unlink(missing_ok=True)
        (out / f"{kind}.csv.part").unlink(missing_ok=True)
    numbers_before = outsiders_before = 0
    for size, copies, first in sizes:
        with tempfile.TemporaryDirectory() as place:
            make_ward(Path(place), residents=size, seed=seed + first)
            frames = {kind: _read(Path(place) / f"{kind}.csv") for kind in KINDS}
        known = pl.concat([frame[name] for frame in frames.values() for name in _NUMBERS if name in frame.columns])
        old = known.unique().drop_nulls().sort()
        old = old.filter(old != "区外")
        inside = pl.DataFrame({"old": old.filter(~old.str.starts_with("9"))}).with_row_index("place")
        outside = pl.DataFrame({"old": old.filter(old.str.starts_with("9"))}).with_row_index("place")
        for copy in range(copies):
            place_in = pl.col("place").cast(pl.Int64) + numbers_before
            place_out = pl.col("place").cast(pl.Int64) + outsiders_before
            made = pl.concat(
                [
                    inside.select("old", new=(place_in + 1) * _SCATTER % _PRIME),
                    outside.select("old", new=place_out + _OUTSIDE),
                ]
            ).with_columns(pl.col("new").cast(pl.String).str.zfill(10))
            for kind, frame in frames.items():
                with (out / f"{kind}.csv.part").open("ab") as file:
                    fresh = _accounts(_renumbered(frame, made), copy + first)
                    fresh.write_csv(file, include_header=copy + first == 0, quote_style="never")
            numbers_before += inside.height
            outsiders_before += outside.height
    for kind in KINDS:
        # 途中で止まったものを、出来上がりと見間違えない。
        (out / f"{kind}.csv.part").rename(out / f"{kind}.csv")


def _read(path: Path) -> pl.DataFrame:
    data = path.read_bytes()
    text = data.decode("utf-8-sig") if path.stem not in {"residents", "accounts"} else data.decode("cp932")
    return pl.read_csv(io.BytesIO(text.replace("\r\n", "\n").encode()), infer_schema=False)


def _renumbered(frame: pl.DataFrame, made: pl.DataFrame) -> pl.DataFrame:
    for name in _NUMBERS:
        if name in frame.columns:
            joined = frame.join(made, left_on=name, right_on="old", how="left", maintain_order="left")
            frame = joined.with_columns(pl.coalesce("new", name).alias(name)).drop("new")
    return frame


def _accounts(frame: pl.DataFrame, copy: int) -> pl.DataFrame:
    """口座番号も、組ごとに変える（先頭の 9 はそのまま）。"""
    if "口座番号" not in frame.columns:
        return frame
    moved = (pl.col("口座番号").str.slice(1).cast(pl.Int64) + copy * 4_637) % 1_000_000
    return frame.with_columns(口座番号=pl.lit("9") + moved.cast(pl.String).str.zfill(6))
