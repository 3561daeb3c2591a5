"""架空の区の抽出データを、試験の都合で書き換える。"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

from rich.progress import Progress

from batch.demo_year import DemoYear
from benefit.services.home import Home

Row = dict[str, str]


def rewrite(path: Path, change: Callable[[Row], None]) -> int:
    """CSV の行を一つずつ `change` で書き換える。文字の符号と改行は、元のまま。行の数を返す。"""
    data = path.read_bytes()
    encoding = "utf-8-sig" if data.startswith(b"\xef\xbb\xbf") else "utf-8"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        encoding, text = "cp932", data.decode("cp932")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    for row in rows:
        change(row)
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\r\n" if "\r\n" in text else "\n")
    writer.writeheader()
    writer.writerows(rows)
    path.write_bytes(out.getvalue().encode(encoding))
    return len(rows)


def live(home: Home, extracts: Path, *, seed: int) -> DemoYear:
    """この抽出データで、一年を通す（デモと同じ道）。"""
    with Progress(disable=True) as bar:
        year = DemoYear(home, bar, seed=seed)
        year.live(residents=0, extracts=extracts)
    return year
