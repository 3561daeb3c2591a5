"""点字の人の手紙: 普通の紙と同じ組の横に、点字プリンタへ送る BRF を一通ずつ作る。

    tenji/40718293645-01.brf   32 マス × 22 行（米国の点字の ASCII。改ページは FF）
    tenji/tenji.csv            作った手紙と、読みがなくて作れなかった手紙（職員が読みを足すか、電話で伝える）

氏名はカナ氏名を一字ずつ点字にする。のばす音に直さない（サトウはサトウ）ので、名が変わらない。
"""

from __future__ import annotations

import csv
import io
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

from benefit.domain.errors import Place, RefusedInput
from benefit.domain.letter import PUSH_NOTICE
from benefit.services.files import write_atomic
from letters import wording
from letters.braille_cells import BLANK, NoReading, cells, to_brf
from letters.content import LetterContent
from letters.words import read_toml

WIDTH, LINES = 32, 22
FOLDER, LISTING = "tenji", "tenji.csv"
COLUMNS = ("給付管理番号", "枝番", "種類", "頁数", "ファイル", "作れなかった理由")
_FILE = "braille.toml"


def words(folder: Path | None = None) -> dict[str, Any]:
    """点字の文と読み。区の写し（home/words/braille.toml）があれば、そちらを使う。"""
    if folder is not None and (own := folder / _FILE).is_file():
        return read_toml(own.read_text(encoding="utf-8"), f"words/{_FILE}")
    return tomllib.loads((resources.files("letters") / "words" / _FILE).read_text(encoding="utf-8"))


def day(value: date) -> str:
    """「れいわ 6ねん 7がつ 16にち」。"""
    return f"れいわ {value.year - 2018}ねん {value.month}がつ {value.day}にち"


def letter_text(content: LetterContent, kana_name: str, table: Mapping[str, Any]) -> list[str]:
    """一通の文（段落の並び）。読みのない事業・給付の名は NoReading。"""

    def reading(name: str) -> str:
        if name not in table["readings"]:
            raise NoReading(name)
        return str(table["readings"][name])

    account = ""
    if content.kind == PUSH_NOTICE:
        account = str(table["accounts"][content.account_flag])
        if content.masked_account:
            account += f"　しも 3けた {content.masked_account[-3:]}"
    values = {
        "name": kana_name,
        "number": content.case_number,
        "branch": f"{content.branch:02d}",
        "programme": reading(content.programme_name),
        "benefit": "、".join(map(reading, content.benefit_names)),
        "due": day(content.due_on) if content.due_on else "",
        "transfer": day(content.planned_transfer_on) if content.planned_transfer_on else "",
        "amount": f"{content.amount_yen:,}えん" if content.amount_yen is not None else "",
        "account": account,
        "phone": content.phone,
    }
    return [wording.fill(text, values) for text in table[content.kind]]


def pages(paragraphs: Sequence[str]) -> list[list[str]]:
    """段落を 32 マス × 22 行の頁に。段落は二マス下げ、マスあけの所で折る（語の途中では折らない）。"""
    lines: list[str] = []
    for paragraph in paragraphs:
        lines += _folded(cells(paragraph)) if paragraph else [""]
    return [lines[start : start + LINES] for start in range(0, len(lines), LINES)]


def _folded(braille: str) -> list[str]:
    line, lines = BLANK * 2, []
    words_there = False
    for word in braille.split(BLANK):
        if words_there and len(line) + 1 + len(word) > WIDTH:
            lines.append(line)
            line, words_there = "", False
        line += (BLANK if words_there else "") + word
        words_there = True
        while len(line) > WIDTH:  # 一語が一行より長い
            lines.append(line[:WIDTH])
            line = line[WIDTH:]
    return [*lines, line] if line.strip(BLANK) else lines


def brf(content: LetterContent, kana_name: str, table: Mapping[str, Any]) -> tuple[bytes, int]:
    """一通の BRF と頁数。"""
    made = pages(letter_text(content, kana_name, table))
    text = "\f".join("".join(to_brf(line).rstrip(" ") + "\r\n" for line in page) for page in made)
    return text.encode("ascii"), len(made)


def write_run(contents: Sequence[LetterContent], kana: Mapping[str, str | None], out: Path, own: Path) -> None:
    """点字の手紙を `out`/tenji に書く。`kana` は給付管理番号 → カナ氏名。読みのない手紙は、一覧に理由を載せる。"""
    table = words(own)
    listed = io.StringIO(newline="")
    writer = csv.writer(listed, lineterminator="\n")
    writer.writerow(COLUMNS)
    for content in contents:
        row = [content.case_number, f"{content.branch:02d}", content.kind]
        name = f"{content.case_number}-{content.branch:02d}.brf"
        if content.kind not in table:
            writer.writerow([*row, 0, "", "この種類の点字の文がない"])
            continue
        try:
            data, count = brf(content, _known(kana.get(content.case_number)), table)
        except NoReading as lacking:
            points = " ".join(f"U+{ord(c):04X}" for c in lacking.found[:8])
            writer.writerow([*row, 0, "", f"読みがない（{points}）"])
            continue
        except KeyError as key:
            raise RefusedInput(
                "点字の文の項目がありません", code="words-keys", place=Place(_FILE, field=str(key.args[0]))
            ) from None
        write_atomic(out / FOLDER / name, data)
        writer.writerow([*row, count, name, ""])
    write_atomic(out / FOLDER / LISTING, listed.getvalue().encode("utf-8-sig"))


def _known(kana_name: str | None) -> str:
    if not kana_name or not kana_name.strip(" \u3000"):
        raise NoReading("　")
    return kana_name
