"""刷る紙の封入の符号の一覧（sheets.csv）。区の中だけに置き、印刷所の結果と突き合わせる。

印刷所は符号を作れない（鍵がない）。この一覧を渡せば写すだけで「刷った」と言えてしまうので、渡すフォルダには置かない。
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from benefit.domain.letter import LETTER_KINDS
from letters.content import LetterContent

SHEETS_FILE = "sheets.csv"
COLUMNS = ("給付管理番号", "枝番", "種類", "枚目", "枚数", "版", "検", "ロット", "封入の符号")


def sheets_folder(run: Path) -> Path:
    """組のフォルダ（out/printer/20240624-01）の一覧を置く、区の中のフォルダ（out/ward/sheets/printer-20240624-01）。"""
    return run.parent.parent / "ward" / "sheets" / f"{run.parent.name}-{run.name}"


def sheets_csv(parts: Sequence[tuple[str, Sequence[LetterContent]]]) -> bytes:
    """一枚一行、刷る順に。この組で刷る紙だけを載せる（区が別に刷る額の頁は、その組の一覧にある）。"""
    return table((code, letter.kind, file) for file, letters in parts for letter in letters for code in printed(letter))


def printed(letter: LetterContent) -> tuple[str, ...]:
    """この手紙の組で刷る紙の符号。種類の枚数より多い分は、区が別に刷る額の頁である。"""
    return letter.sheet_codes[: LETTER_KINDS[letter.kind].sheets]


def table(rows: Iterable[tuple[str, str, str]]) -> bytes:
    """(24 桁, 種類, ロットのファイル) の並びから。"""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for code, kind, file in rows:
        writer.writerow((code[:11], code[11:13], kind, code[15], code[16], code[17:20], code[20:], file, code))
    return out.getvalue().encode()
