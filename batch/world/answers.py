"""架空の照会の回答。どの答えの言葉も必ず現れる。"""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Mapping, Sequence

from batch.world import BANK, BRANCHES, holder_text

_TAX = ("照会番号", "住民番号", "回答", "均等割額", "所得割額_減税前", "所得割額_減税後", "租税条約免除")
_ACCOUNT = ("照会番号", "住民番号", "登録", "金融機関コード", "支店コード", "預金種目", "口座番号", "口座名義カナ")


def answer_tax(rows: Sequence[Mapping[str, str]], seed: int) -> bytes:
    """課税照会（tax_inquiry.csv の行）への回答。"""
    chance = random.Random(f"課税照会の回答/{seed}")  # noqa: S311  # 再現できる架空のデータのため
    kinds = (
        ("課税", "4000", "62300", "52300", "0"),
        ("課税", "4000", "0", "0", "0"),
        ("課税", "4000", "", "0", "0"),
        ("非課税", "0", "0", "0", "0"),
        ("未申告", "", "", "", "0"),
        ("該当なし", "", "", "", "0"),
        ("提供不可", "", "", "", "0"),
        ("エラー", "", "", "", "0"),
        ("非課税", "0", "0", "0", "1"),
    )
    weights = (44, 12, 3, 30, 4, 3, 2, 1, 1)
    answers = [
        (row["照会番号"], row["住民番号"], *(kinds[at] if at < len(kinds) else chance.choices(kinds, weights)[0]))
        for at, row in enumerate(rows)
    ]
    return _csv(_TAX, answers)


def answer_account(rows: Sequence[Mapping[str, str]], seed: int, *, kana: Mapping[str, str]) -> bytes:
    """公金受取口座照会への回答。三人に一人は登録があり、名義はたいてい本人。"""
    chance = random.Random(f"口座照会の回答/{seed}")  # noqa: S311  # 再現できる架空のデータのため
    answers = []
    for row in rows:
        said = chance.choices(("有", "無", "提供停止"), (33, 65, 2))[0]
        account = ("", "", "", "", "")
        if said == "有":
            own = kana.get(row["住民番号"], "") or "カクウ　メイギ"
            holder = holder_text(own if chance.random() < 0.96 else "カクウ　カゾク")
            account = (BANK, chance.choice(BRANCHES), "1", f"9{chance.randrange(10**6):06d}", holder)
        answers.append((row["照会番号"], row["住民番号"], said, *account))
    return _csv(_ACCOUNT, answers)


def _csv(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(heading)
    writer.writerows(rows)
    return buffer.getvalue().encode()
