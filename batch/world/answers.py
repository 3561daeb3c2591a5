"""架空の照会の回答。どの答えの言葉も必ず現れる。"""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Mapping, Sequence
from typing import TypeVar

from batch.world import BANK, BRANCHES, holder_text

_TAX = ("照会番号", "住民番号", "回答", "均等割額", "所得割額_減税前", "所得割額_減税後", "租税条約免除")
_ACCOUNT = ("照会番号", "住民番号", "登録", "金融機関コード", "支店コード", "預金種目", "口座番号", "口座名義カナ")
T = TypeVar("T")

#: 回答、均等割額、所得割額_減税前、所得割額_減税後、租税条約免除と、その重み。額の空いた回答と、食い違う回答
#: （課税なのに額がどれも 0）も来る。
_TAX_KINDS: tuple[tuple[tuple[str, str, str, str, str], int], ...] = (
    (("課税", "4000", "62300", "52300", "0"), 24),
    (("課税", "4000", "148700", "138700", "0"), 20),
    (("課税", "4000", "0", "0", "0"), 12),
    (("課税", "4000", "", "0", "0"), 2),
    (("課税", "", "", "81000", "0"), 1),
    (("課税", "0", "0", "0", "0"), 1),
    (("非課税", "0", "0", "0", "0"), 30),
    (("未申告", "", "", "", "0"), 4),
    (("該当なし", "", "", "", "0"), 3),
    (("提供不可", "", "", "", "0"), 2),
    (("エラー", "", "", "", "0"), 1),
    (("非課税", "0", "0", "0", "1"), 1),
)
_REGISTERED = (("有", 33), ("無", 65), ("提供停止", 2))


def answer_tax(rows: Sequence[Mapping[str, str]], seed: int) -> bytes:
    """課税照会（tax_inquiry.csv の行）への回答。初めの十二行で、どの形の回答も一度は現れる。"""
    chance = random.Random(f"課税照会の回答/{seed}")  # noqa: S311  # 再現できる架空のデータのため
    said = _each_then_weighted(_TAX_KINDS, len(rows), chance)
    return _csv(_TAX, [(row["照会番号"], row["住民番号"], *kind) for row, kind in zip(rows, said, strict=True)])


def answer_account(rows: Sequence[Mapping[str, str]], seed: int, *, kana: Mapping[str, str]) -> bytes:
    """公金受取口座照会への回答。三人に一人は登録があり、名義はたいてい本人（`kana`: 住民番号 → カナ氏名）。"""
    chance = random.Random(f"口座照会の回答/{seed}")  # noqa: S311  # 再現できる架空のデータのため
    answers = []
    for row, registered in zip(rows, _each_then_weighted(_REGISTERED, len(rows), chance), strict=True):
        account = ("", "", "", "", "")
        if registered == "有":
            own = kana.get(row["住民番号"], "") or "カクウ　メイギ"
            holder = holder_text(own if chance.random() < 0.96 else "カクウ　カゾク")
            account = (BANK, chance.choice(BRANCHES), "1", f"9{chance.randrange(10**6):06d}", holder)
        answers.append((row["照会番号"], row["住民番号"], registered, *account))
    return _csv(_ACCOUNT, answers)


def _each_then_weighted(kinds: Sequence[tuple[T, int]], count: int, chance: random.Random) -> list[T]:
    """どれも一度ずつ、そのあとは重みで。"""
    first = [kind for kind, _ in kinds][:count]
    return first + chance.choices([kind for kind, _ in kinds], [weight for _, weight in kinds], k=count - len(first))


def _csv(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(heading)
    writer.writerows(rows)
    return buffer.getvalue().encode()
