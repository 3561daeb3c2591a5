"""速さを測るための、大きな抽出データ。架空の区を一つ作り、番号を付け替えて何組も並べる（UTF-8、LF）。"""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

import polars as pl

from batch.world import make_ward

_KINDS = ("residents", "taxes", "prior", "accounts", "addresses", "protected", "braille")
_NUMBERS = ("住民番号", "世帯番号", "宛名番号", "扶養者宛名番号")
_COPY = 17_500


def write_big(out: Path, residents: int, seed: int = 1) -> None:
    """`residents` 人（17,500 の倍数に切り上げ）の抽出データを `out` に書く。どの組も同じ形で、番号は重ならない。"""
    copies = -(-residents // _COPY)
    with tempfile.TemporaryDirectory() as place:
        make_ward(Path(place), residents=_COPY, seed=seed)
        frames = {kind: _read(Path(place) / f"{kind}.csv") for kind in _KINDS}
    known = (
        pl.concat([frame[name] for frame in frames.values() for name in _NUMBERS if name in frame.columns])
        .unique()
        .drop_nulls()
    )
    numbers = pl.DataFrame({"old": known.filter(known != "区外").sort()}).with_row_index("new")
    out.mkdir(parents=True, exist_ok=True)
    for kind, frame in frames.items():
        with (out / f"{kind}.csv.part").open("wb") as file:
            for copy in range(copies):
                _renumbered(frame, numbers, copy).write_csv(file, include_header=copy == 0, quote_style="never")
        # 途中で止まったものを、出来上がりと見間違えない。
        (out / f"{kind}.csv.part").rename(out / f"{kind}.csv")


def _read(path: Path) -> pl.DataFrame:
    data = path.read_bytes()
    text = data.decode("utf-8-sig") if path.stem not in {"residents", "accounts"} else data.decode("cp932")
    return pl.read_csv(io.BytesIO(text.replace("\r\n", "\n").encode()), infer_schema=False)


def _renumbered(frame: pl.DataFrame, numbers: pl.DataFrame, copy: int) -> pl.DataFrame:
    fresh = (pl.col("new").cast(pl.Int64) + copy * numbers.height).cast(pl.String).str.zfill(10)
    made = numbers.select("old", made=fresh)
    for name in _NUMBERS:
        if name in frame.columns:
            joined = frame.join(made, left_on=name, right_on="old", how="left", maintain_order="left")
            frame = joined.with_columns(pl.coalesce("made", name).alias(name)).drop("made")
    return frame
