"""外へ渡すデータの列: 相手ごとの許し（allow-list）。許していない列があれば、一行も書かない（benefit-rules F.2）。

印刷の再委託先に渡してよいのは、氏名、郵便番号、住所、給付管理番号、過去の給付金支給口座（伏せた形）、口座フラグの
六つだけである（seed 002 再委託の情報項目）。相手が鍵で、列を足すには、ここに書き足すしかない。

CP932 で書けない字のある人は、似た字にも「?」にも変えず、止めて名ざす（P31）。外字の領域（私用領域）は、機械ごとに
字が違うので、どの符号でも止める。出典: formats.md §8、reliability.md P31。
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

import polars as pl

from benefit.domain.errors import WrongUse

PRINTER = "printer"
#: 相手 → (中の列の名 → 渡すファイルの見出し)。
COLUMNS = {
    PRINTER: {
        "name": "氏名",
        "postal_code": "郵便番号",
        "address": "住所",
        "case_number": "給付管理番号",
        "past_account": "過去の給付金支給口座",
        "account_flag": "口座フラグ",
    }
}
FILE_NAME = "insatsu.csv"
#: 符号の名 → Python の符号。UTF-8 には BOM を付ける（表計算で開いて化けないように）。
ENCODINGS = {"utf-8": "utf-8-sig", "cp932": "cp932"}
HELD_COLUMNS = ("給付管理番号", "項目", "文字")
_PRIVATE = ((0xE000, 0xF8FF), (0xF0000, 0xFFFFD), (0x100000, 0x10FFFD))


@dataclass(frozen=True)
class Written:
    """書いた結果。`held` は止めた人（給付管理番号・項目・符号位置）。読んだ行 = rows + held_rows。"""

    data: bytes
    rows: int
    held: pl.DataFrame
    held_rows: int


def project(frame: pl.DataFrame, party: str) -> pl.DataFrame:
    """この相手に渡してよい列だけの表（見出しの名で）。知らない相手、許していない列、足りない列、空の番号は断る。"""
    if party not in COLUMNS:
        raise WrongUse("この相手に渡してよい列の決まりがありません", code="party", allowed="、".join(COLUMNS))
    allowed = COLUMNS[party]
    if extra := [name for name in frame.columns if name not in allowed]:
        raise WrongUse("渡してよい列にない列があります", code="column", found="、".join(extra))
    if lacking := [name for name in allowed if name not in frame.columns]:
        raise WrongUse("渡す列が足りません", code="column", found="、".join(lacking))
    told = frame.select([pl.col(name).cast(pl.String).fill_null("").alias(head) for name, head in allowed.items()])
    masked = pl.col("過去の給付金支給口座")
    # 伏せていない口座と、口座フラグ 2 でない人の口座は、どこから来ても出さない。
    bad = told.filter((masked != "") & ((pl.col("口座フラグ") != "2") | masked.str.contains(r"[0-9]{4}")))
    if bad.height:
        raise WrongUse("伏せていない口座か、渡してはならない口座があります", code="account", found=f"{bad.height} 件")
    return told


def unwritable(characters: str, encoding: str) -> list[str]:
    """この符号で、元のとおりに書いて読み返せない字（同じ字は一度）。"""
    found = []
    for character in sorted(set(characters)):
        code = ord(character)
        try:
            same = character.encode(ENCODINGS[encoding]).decode(ENCODINGS[encoding]) == character
        except UnicodeEncodeError:
            same = False
        if not same or any(low <= code <= high for low, high in _PRIVATE) or code < 0x20 or 0x7F <= code < 0xA0:
            found.append(character)
    return found


def write(frame: pl.DataFrame, party: str, *, encoding: str) -> Written:
    """CSV のバイト列（CRLF）。書けない字のある行は載せず、`held` に名ざす。"""
    if encoding not in ENCODINGS:
        raise WrongUse("文字の符号が違います", code="encoding", found=encoding, allowed="、".join(ENCODINGS))
    told = project(frame, party)
    held: list[tuple[str, str, str]] = []
    for head in told.columns:
        bad = unwritable("".join(told[head].to_list()), encoding)
        if not bad:
            continue
        hit = told.filter(pl.col(head).str.contains_any(bad)).select("給付管理番号", head)
        held += [
            (number, head, " ".join(f"U+{ord(one):04X}" for one in bad if one in text))
            for number, text in hit.unique(maintain_order=True).rows()
        ]
    report = pl.DataFrame(held, schema=dict.fromkeys(HELD_COLUMNS, pl.String), orient="row").sort(HELD_COLUMNS[:2])
    kept = told.join(report, on="給付管理番号", how="anti")
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(told.columns)
    writer.writerows(kept.iter_rows())
    return Written(buffer.getvalue().encode(ENCODINGS[encoding]), kept.height, report, told.height - kept.height)
