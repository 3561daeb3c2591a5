"""ほかの課の通知（納入通知書、納付書、督促状、催告書）を、納付書つきの一枚の紙にする（種文書 001）。

    OUT/
      dunning-0001.pdf …   郵便番号順の組（一通一頁、PDF/A-2u）
      held.csv             止めた通知（行,番号,項目,理由,文字）
      sheets.csv           どの組の何頁が、元のファイルの何行か（封入の符号つき。区の中だけの物）
      manifest.json        最後に書く

読んだ行 = 刷った + 止めた。同じ元と同じ発行日からは、同じバイト列ができる。給付の手紙（LetterContent）とは別の値である:
相手は権利でなく調定で、額と納付番号を必ず載せる。
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from benefit.domain.errors import BenefitError, Place, RefusedByRule, RefusedInput, WrongUse
from benefit.records import people_csv
from benefit.records.slip_issuer import SlipIssuer
from benefit.services.files import MANIFEST, read_manifest, sha256_of, write_atomic, write_manifest
from letters import geometry, sheet_code
from letters.address import lay_out
from letters.fonts import width_em
from letters.glyphs import missing
from letters.holding import BAD_SHAPE, BLANK, NO_GLYPH, TOO_LONG
from letters.notice_page import NAME_EM, Notice, Wording, notice_of
from letters.notice_workers import rendered
from letters.render import LETTERS_PER_COMPILE, engine_digest
from letters.sheet_code import SheetCode


@dataclass(frozen=True)
class NoticeKind:
    """通知の一種類。number: 封入の符号の種類の番号（給付の手紙は 1–17 なので、21 から）。"""

    id: str
    name: str
    number: int

    @property
    def words(self) -> str:
        """言葉のファイルの名。"""
        return f"notice_{self.id}"


KINDS = {
    kind.name: kind
    for kind in (
        NoticeKind("levy", "納入通知書", 21),
        NoticeKind("slip", "納付書", 22),
        NoticeKind("dunning", "督促状", 23),
        NoticeKind("demand", "催告書", 24),
    )
}
HELD_FILE, SHEETS_FILE = "held.csv", "sheets.csv"
EXPIRED = "有効期限が発行日より前"


@dataclass(frozen=True)
class HeldNotice:
    """止めた通知の、一つの項目。人の名も値も持たない。"""

    record: int
    number: str
    field: str
    reason: str
    code_points: str = ""


@dataclass(frozen=True)
class NoticeReport:
    """作った結果。read = printed + held。`no_store`: コンビニで払えない納付書（わけは紙に刷る）。"""

    read: int
    printed: int
    held: int
    lots: tuple[str, ...]
    no_store: int
    held_records: frozenset[int] = frozenset()
    already: bool = False


def kind_of(name: str) -> NoticeKind:
    """通知の種類。知らない名は WrongUse。"""
    if name not in KINDS:
        raise WrongUse("通知の種類が違います", code="notice-kind", found=name, allowed="、".join(KINDS))
    return KINDS[name]


def numbered(rows: pl.DataFrame, kind: NoticeKind) -> pl.DataFrame:
    """行に 11 桁の番号を付ける: 元の中身から決まる 5 桁と、行の 6 桁。一つの元の中で重ならない。"""
    digest = hashlib.sha256(f"{kind.id}\n{rows.write_csv()}".encode()).hexdigest()
    return rows.with_columns(
        number=pl.format(
            "{}{}", pl.lit(f"{int(digest[:12], 16) % 10**5:05d}"), pl.col("record").cast(pl.String).str.zfill(6)
        )
    )


def reasons_to_hold(row: dict[str, Any], issued_on: date, *, addressed: bool = True) -> list[HeldNotice]:
    """この行を止めるわけの全部。空なら刷ってよい。addressed: 宛名を刷るか（窓口で渡す紙には刷らない）。"""

    def held(field: str, reason: str, points: Sequence[str] = ()) -> HeldNotice:
        return HeldNotice(row["record"], row["number"], field, reason, " ".join(points))

    texts = (("住所", row["address"]), ("方書", row["address2"]), ("氏名", row["name"]))
    found = [held(field, NO_GLYPH, points) for field, text in texts if (points := missing(text))]
    needed = texts if addressed else texts[2:]
    found += [held(field, BLANK) for field, text in needed if field != "方書" and not text.strip(" \u3000")]
    if addressed and (
        len(row["postal_code"]) != 7 or not (row["postal_code"].isascii() and row["postal_code"].isdigit())
    ):
        found.append(held("郵便番号", BAD_SHAPE))
    if row["payable_until"] < issued_on:
        found.append(held("支払期限", EXPIRED))
    if width_em(row["name"]) > NAME_EM:
        found.append(held("氏名", TOO_LONG))
    shown = (row["postal_code"], row["address"], row["address2"], row["name"])
    if addressed and not found and lay_out(*shown, reserve=geometry.BARCODE_RESERVE) is None:
        found.append(held("宛名", TOO_LONG))
    return found


def make(
    rows: pl.DataFrame,
    kind: NoticeKind,
    issuer: SlipIssuer,
    *,
    out: Path,
    issued_on: date,
    key: bytes,
    file: str = "",
    words: Path | None = None,
    lot_size: int = LETTERS_PER_COMPILE,
) -> NoticeReport:
    """`notice_data.ROWS` の行から、組と一覧を `out` に作る。key は封入の符号の鍵（home.key）。

    断り: 知らない科目（行と項目を言う）、行がない、`out` に別の組がある。
    """
    if rows.is_empty():
        raise WrongUse("刷る通知がありません", code="no-notices")
    unknown = rows.filter(~pl.col("subject").is_in(list(issuer.subjects)))
    if not unknown.is_empty():
        raise RefusedInput(
            "課のファイルにない科目コードです",
            code="notice-subject",
            place=Place(file, unknown["record"][0], "科目コード"),
            found=unknown["subject"][0],
            allowed="、".join(issuer.subjects),
        )
    wording = Wording.load(kind.words, words)
    lined = numbered(rows.sort("record"), kind)
    fingerprint = _fingerprint(lined, kind, issuer, issued_on, wording, lot_size)
    held = [one for row in lined.iter_rows(named=True) for one in reasons_to_hold(row, issued_on)]
    stopped = frozenset(one.record for one in held)
    if (done := _already(out, fingerprint, stopped)) is not None:
        return done
    layout = layout_of(wording, engine_digest(words))
    good = []
    for row in lined.sort("postal_code", "number").iter_rows(named=True):
        if row["record"] not in stopped:
            code = SheetCode.of(key, row["number"], 0, kind.number, 1, 1, layout)
            good.append(notice_of(row, issuer, code, issued_on))
    return _write(out, kind, good, held, wording, issuer, issued_on, lot_size, rows.height, fingerprint)


def layout_of(wording: Wording, engine: str) -> int:
    """封入の符号の版。"""
    return sheet_code.layout_number(sha256_of(f"{engine}{wording.digest}".encode()))


def _fingerprint(
    rows: pl.DataFrame, kind: NoticeKind, issuer: SlipIssuer, issued_on: date, wording: Wording, lot_size: int
) -> str:
    values = f"{engine_digest()}/{wording.digest}/{kind.id}/{issuer}/{issued_on}/{lot_size}\n{rows.write_csv()}"
    return sha256_of(values.encode())


def _already(out: Path, fingerprint: str, stopped: frozenset[int]) -> NoticeReport | None:
    if not (out / MANIFEST).is_file():
        return None
    manifest = read_manifest(out)
    if manifest.get("入力指紋") != fingerprint:
        raise RefusedByRule(
            "このフォルダには、別の通知の組があります。新しいフォルダに作ってください", code="folder-taken"
        )
    files = [(each["ファイル"], each["sha256"]) for each in (*manifest["組"], *manifest["一覧"])]
    for name, digest in files:
        if not (out / name).is_file() or sha256_of((out / name).read_bytes()) != digest:
            raise RefusedByRule(f"前に作った {name} がないか、変わっています", code="lot-changed")
    lots = tuple(each["ファイル"] for each in manifest["組"])
    return NoticeReport(
        manifest["読込"],
        manifest["印刷"],
        manifest["保留"],
        lots,
        manifest["コンビニで払えない"],
        stopped,
        already=True,
    )


def _write(
    out: Path,
    kind: NoticeKind,
    good: list[Notice],
    held: list[HeldNotice],
    wording: Wording,
    issuer: SlipIssuer,
    issued_on: date,
    lot_size: int,
    read: int,
    fingerprint: str,
) -> NoticeReport:
    lots, sheets = [], []
    parts = [good[start : start + lot_size] for start in range(0, len(good), lot_size)]
    made = rendered(parts, wording, issuer, kind.name, issued_on)
    for place, (part, pdf) in enumerate(zip(parts, made, strict=True), start=1):
        name = f"{kind.id}-{place:04d}.pdf"
        digest = write_atomic(out / name, pdf)
        lots.append({"ファイル": name, "件数": len(part), "頁数": len(part), "sha256": digest})
        sheets += [(name, page, one.record, one.code.digits) for page, one in enumerate(part, start=1)]
    stopped = frozenset(one.record for one in held)
    if read != len(good) + len(stopped):
        raise BenefitError(
            "通知の数が合いません", code="notice-count", found=f"読込 {read}、印刷 {len(good)}、保留 {len(stopped)}"
        )
    held_table = pl.DataFrame(
        [tuple(asdict(one).values()) for one in held],
        schema={"行": pl.Int64, "番号": pl.String, "項目": pl.String, "理由": pl.String, "文字": pl.String},
        orient="row",
    ).sort("行", maintain_order=True)
    sheet_table = pl.DataFrame(
        sheets,
        schema={"ファイル": pl.String, "頁": pl.Int64, "行": pl.Int64, "封入の符号": pl.String},
        orient="row",
    )
    lists = [
        {"ファイル": name, "sha256": write_atomic(out / name, people_csv.render(table))}
        for name, table in ((HELD_FILE, held_table), (SHEETS_FILE, sheet_table))
    ]
    no_store = sum(not one.codes.barcode for one in good)
    write_manifest(
        out,
        {
            "種類": kind.name,
            "発行日": str(issued_on),
            "読込": read,
            "印刷": len(good),
            "保留": len(stopped),
            "コンビニで払えない": no_store,
            "入力指紋": fingerprint,
            "組": lots,
            "一覧": lists,
        },
    )
    return NoticeReport(read, len(good), len(stopped), tuple(str(lot["ファイル"]) for lot in lots), no_store, stopped)
