"""出す前の読み返し（校正の輪）: 組の PDF を読み、台帳と比べ、一つでも食い違えばその組を止める。

文字は全部の頁を読む。符号は、小さい組では全部、大きい組では組の指紋を種にして選んだ頁を絵にして読む。
報告は proof-0001.json のような名で区の中に残し、組を出す許し（letters release）がその指紋を覚える。
"""

from __future__ import annotations

import csv
import json
import math
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path

from benefit.domain.errors import RefusedByRule
from benefit.domain.letter import NOTICE_KINDS
from benefit.domain.programme import Programme
from benefit.services.files import sha256_of, write_atomic
from benefit.services.home import Home
from benefit.services.mailing_lots import LotState
from benefit.services.mailing_release import AMOUNT
from letters.proofing.compare import FIELDS, Comparing, Mismatch, amount_mismatches
from letters.proofing.ledger import Expected, amount_pages, expected
from letters.proofing.notices import expected_notices, read_notices
from letters.proofing.notices import mismatches as notice_mismatches
from letters.proofing.reading import PageRead, metadata, page_total, read_pages
from letters.render import pages_of_kind
from letters.sheet_code import KEY
from letters.sheets import SHEETS_FILE, sheets_folder

#: この頁数までは、符号も全部の頁で読む。超えれば、この割合（少なくとも LEAST 頁）を選ぶ。
ALL_UP_TO, SHARE, LEAST = 200, 0.05, 100
POLICY = f"{ALL_UP_TO} 頁までは全部、超えれば {SHARE:.0%}（{LEAST} 頁以上）。種は組の指紋"
#: 働き手に一度に渡す頁数と、働き手を起こす頁数。
_CHUNK, _WORTH_A_POOL = 250, 400


@dataclass(frozen=True)
class Proof:
    """一つの組の読み返し。rasters: 符号まで読んだ頁の数。without_customer: カスタマバーコードのない頁。"""

    lot: int
    file: str
    sha256: str
    letters: int
    pages: int
    rasters: int
    without_customer: int
    mismatches: tuple[Mismatch, ...]

    @property
    def right(self) -> bool:
        """食い違いがないか。"""
        return not self.mismatches

    @property
    def report(self) -> bytes:
        """proof.json の中身。氏名も住所も入らない。"""
        told = {
            "ロット": self.lot,
            "ファイル": self.file,
            "sha256": self.sha256,
            "通数": self.letters,
            "頁数": self.pages,
            "文字を読んだ頁": self.pages,
            "符号を読んだ頁": self.rasters,
            "符号を読む頁の決め方": POLICY,
            "カスタマバーコードのない頁": self.without_customer,
            "比べた項目": list(FIELDS),
            "食い違い": [asdict(each) for each in self.mismatches],
        }
        return (json.dumps(told, ensure_ascii=False, indent=1) + "\n").encode()


def lot_path(out: Path, lot: LotState) -> Path:
    """組の PDF（`out` は letters make の --out）。"""
    return out / lot.place / lot.folder / lot.file_name


def prove(
    home: Home,
    programme: Programme,
    lot: LotState,
    *,
    out: Path,
    workers: int = 2,
    pool: ProcessPoolExecutor | None = None,
    progress: Callable[[int], None] = lambda _pages: None,
) -> Proof:
    """組を読み返して比べる。ファイルがない、台帳の指紋と違うときは RefusedByRule。"""
    path = lot_path(out, lot)
    if not path.is_file() or sha256_of(path.read_bytes()) != lot.sha256:
        raise RefusedByRule(f"ロット {lot.id} のファイルがないか、変わっています", code="lot-changed", found=path.name)
    if lot.kind == AMOUNT:
        return _prove_amounts(home, programme, lot, path, out)
    if lot.kind in NOTICE_KINDS:
        return _prove_notices(home, programme, lot, path)
    letters = expected(home, programme, lot)
    return prove_file(path, lot, letters, home.key(KEY), workers=workers, pool=pool, progress=progress)


def prove_file(
    path: Path,
    lot: LotState,
    letters: Sequence[Expected],
    key: bytes,
    *,
    workers: int = 2,
    pool: ProcessPoolExecutor | None = None,
    progress: Callable[[int], None] = lambda _pages: None,
) -> Proof:
    """PDF と、刷ってあるはずのことから。"""
    each = pages_of_kind(lot.kind)
    total = page_total(path)
    file = lot.file_name
    wrong: list[Mismatch] = []
    if total != len(letters) * each:
        wrong.append(Mismatch(file, total, "", "頁の数", f"{total} 頁、台帳 {len(letters)} 通"))
    rasters = chosen_pages(total, lot.sha256)
    comparing = Comparing(file, letters, key)
    without = 0
    with nullcontext(pool) if pool is not None else readers(total, workers) as helpers:
        for index, read in enumerate(_read_all(path, total, rasters, helpers)):
            if index // each < len(letters):
                wrong += comparing.page(read, letters[index // each], index % each + 1)
            without += read.customer == ""
            if (index + 1) % _CHUNK == 0 or index + 1 == total:
                progress(index + 1)
    for name, value in metadata(path).items():
        if any(text and text in value for one in letters for text in (one.name, one.payee_name, one.case_number)):
            wrong.append(Mismatch(file, 0, "", "書類の情報", name))
    return Proof(lot.id, file, lot.sha256, len(letters), total, len(rasters), without, tuple(wrong))


def _prove_notices(home: Home, programme: Programme, lot: LotState, path: Path) -> Proof:
    """台帳の出来事からのお知らせ: 一通ずつ（はがきは二頁で一通）読み返して、台帳と比べる。"""
    letters, total = expected_notices(home, programme, lot), page_total(path)
    rasters = chosen_pages(total, lot.sha256)
    reads = list(read_notices(path, lot.kind, rasters))
    key = home.key(KEY)
    wrong = [
        each
        for read, letter in zip(reads, letters, strict=False)
        for each in notice_mismatches(read, letter, lot.file_name, key)
    ]
    if len(reads) != len(letters) or total != len(letters) * pages_of_kind(lot.kind):
        wrong.append(Mismatch(lot.file_name, total, "", "頁の数", f"{total} 頁、台帳 {len(letters)} 通"))
    for name, value in metadata(path).items():
        if any(letter.case_number in value for letter in letters):
            wrong.append(Mismatch(lot.file_name, 0, "", "書類の情報", name))
    drawn = sum(read.codes is not None for read in reads)
    without = sum(read.customer == "" for read in reads)
    return Proof(
        lot.id, lot.file_name, lot.sha256, len(letters), total, drawn * pages_of_kind(lot.kind), without, tuple(wrong)
    )


def _prove_amounts(home: Home, programme: Programme, lot: LotState, path: Path, out: Path) -> Proof:
    """額の頁: 一覧（sheets.csv）の順に、番号・符号・氏名・額・子の名を台帳と比べる。"""
    listed = sheets_folder(out / lot.place / lot.folder) / SHEETS_FILE
    with listed.open(encoding="utf-8", newline="") as lines:
        codes = [row["封入の符号"] for row in csv.DictReader(lines) if row["ロット"] == lot.file_name]
    pages = amount_pages(home, programme, codes)
    reads = read_pages(path, 0, page_total(path), frozenset())
    wrong = [
        Mismatch(lot.file_name, read.page, page.case_number, field)
        for read, page in zip(reads, pages, strict=False)
        for field in amount_mismatches(read, page)
    ]
    if len(reads) != len(pages) or len(pages) != lot.letter_count:
        wrong.append(Mismatch(lot.file_name, len(reads), "", "頁の数", f"{len(reads)} 頁、一覧 {len(pages)} 枚"))
    return Proof(lot.id, lot.file_name, lot.sha256, len(pages), len(reads), 0, 0, tuple(wrong))


def chosen_pages(total: int, digest: str) -> frozenset[int]:
    """符号を読む頁（0 から）。組の指紋が種なので、誰が選んでも同じ頁になる。"""
    if total <= ALL_UP_TO:
        return frozenset(range(total))
    count = max(LEAST, math.ceil(total * SHARE))
    return frozenset(random.Random(digest).sample(range(total), count))  # noqa: S311  # 選び方は秘密ではない


@contextmanager
def readers(pages: int, workers: int = 2) -> Iterator[ProcessPoolExecutor | None]:
    """頁を読む働き手。いくつもの組で分け合う（起こすのに一秒かかる）。頁が少なければ None。"""
    if workers < 2 or pages < _WORTH_A_POOL:
        yield None
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield pool


def _read_all(path: Path, total: int, rasters: frozenset[int], pool: ProcessPoolExecutor | None) -> Iterator[PageRead]:
    parts = [(start, min(start + _CHUNK, total)) for start in range(0, total, _CHUNK)]
    if pool is None:
        for start, stop in parts:
            yield from read_pages(path, start, stop, rasters)
        return
    asked = [
        pool.submit(read_pages, path, start, stop, rasters & frozenset(range(start, stop))) for start, stop in parts
    ]
    for done in asked:
        yield from done.result()


def proof_folder(out: Path, lot: LotState) -> Path:
    """読み返しの報告を置く、区の中のフォルダ。"""
    return out / "ward" / "proofs" / f"{lot.place}-{lot.folder}"


def write_proof(proof: Proof, out: Path, lot: LotState) -> str:
    """報告と、職員の読む一枚を書く。報告の指紋を返す。"""
    folder, stem = proof_folder(out, lot), lot.file_name.removesuffix(".pdf")
    digest = write_atomic(folder / f"proof-{stem}.json", proof.report)
    write_atomic(folder / f"yomikaeshi-{stem}.txt", summary(proof).encode())
    return digest


def summary(proof: Proof) -> str:
    """職員の読む一枚。"""
    lines = [
        f"読み返しの報告　ロット {proof.lot}（{proof.file}）",
        "",
        f"　通数　　　　　　　　{proof.letters:,} 通、{proof.pages:,} 頁",
        f"　文字を読んだ頁　　　{proof.pages:,} 頁（全部）",
        f"　符号を読んだ頁　　　{proof.rasters:,} 頁"
        + ("（全部）" if proof.rasters == proof.pages else "（組の指紋で選んだ頁）"),
        f"　カスタマバーコードのない頁　{proof.without_customer:,} 頁（代表番号の郵便番号か、宛名が長い）",
        f"　比べた項目　　　　　{'、'.join(FIELDS)}",
        "",
    ]
    if proof.right:
        return "\n".join([*lines, "結果　食い違いはありません。", ""])
    counts = Counter(each.field for each in proof.mismatches)
    lines.append(f"結果　食い違いが {len(proof.mismatches):,} 件あります。この組は出せません。")
    lines += [f"　　{field}　{count:,} 件" for field, count in counts.most_common()]
    lines += ["", "　頁　　給付管理番号　項目　見つかったもの"]
    lines += [f"　{each.page:>5}　{each.case_number}　{each.field}　{each.found}" for each in proof.mismatches[:40]]
    if len(proof.mismatches) > 40:
        lines.append(f"　ほか {len(proof.mismatches) - 40:,} 件（proof の JSON に全部）")
    return "\n".join([*lines, ""])


def refuse_wrong(proof: Proof) -> None:
    """食い違いがあれば、番号・項目・頁を言って断る。"""
    if proof.right:
        return
    named = "、".join(f"{e.page} 頁 {e.case_number} {e.field}" for e in proof.mismatches[:5])
    raise RefusedByRule(
        f"ロット {proof.lot} の紙が、台帳と合いません（{len(proof.mismatches):,} 件）: {named}",
        code="proof",
        found=f"{len(proof.mismatches)} 件",
    )
