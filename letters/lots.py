"""手紙を組（一つの PDF）に分けて、受け渡せるフォルダにする。

    LOT/
      confirmation_letter-0001.pdf …   郵便番号順の組
      held.csv                          止めた手紙（給付管理番号,枝番,種類,項目,理由,文字）
      manifest.json                     最後に書く。これがなければ書きかけである
    区の中のフォルダ/sheets.csv         刷る紙の封入の符号の一覧。渡すフォルダには置かない（letters/sheets.py）

読んだ数 = 刷った数 + 止めた数。誰も黙って消えない。同じ手紙からは、同じバイト列ができる。
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from itertools import groupby
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from benefit.domain.errors import BenefitError, RefusedByRule, WrongUse
from benefit.domain.letter import LETTER_KINDS
from benefit.services.files import MANIFEST, read_manifest, sha256_of, write_atomic, write_manifest
from letters.content import LetterContent
from letters.holding import Held, reasons_to_hold
from letters.printing import SIZE_MAX, lot_size_of, print_pages, size_max_of
from letters.render import engine_digest, pages_of_kind
from letters.sheets import SHEETS_FILE, sheets_csv
from letters.stamp import run_samples
from letters.words import load_words

HELD_FILE = "held.csv"
HELD_COLUMNS = ("給付管理番号", "枝番", "種類", "項目", "理由", "文字")
#: 一つの組の上限。直に組む種類は 500 通（1,000 通を一度に組むと 0.7 GB を使う。letters §2）。
LOT_SIZE_MAX = SIZE_MAX
#: 働き手を入れ替えるまでの組の数。組版の道具は、組んだものを覚えて太る（実測: 100 通の組 10 個で 0.9 GB）。
LOTS_PER_WORKER = 10
#: これより少ない組なら、働き手を起こす方が遅い。
_LOTS_WORTH_A_POOL = 4

Write = Callable[[Path, bytes], str]
WriteManifest = Callable[[Path, Mapping[str, Any]], str]
Progress = Callable[[int, int], None]
Hold = Callable[[LetterContent], list[Held]]


@dataclass(frozen=True)
class Lot:
    """一つの組。first / last は、並べた順の最初と最後の給付管理番号。一通は一頁。"""

    file: str
    kind: str
    count: int
    pages: int
    sha256: str
    first: str
    last: str


@dataclass(frozen=True)
class LotReport:
    """一回の結果。members は、組のファイル名から、入っている手紙の (給付管理番号, 枝番) へ（頁の順）。

    read = printed + held_letters（通）。held は項目ごとなので、一通に二つあることがある。
    already は、前に同じものができていて何も書かなかったとき True。
    """

    read: int
    printed: int
    held_letters: int
    lots: tuple[Lot, ...]
    held: tuple[Held, ...]
    members: dict[str, tuple[tuple[str, int], ...]]
    already: bool = False


@dataclass(frozen=True)
class _Plan:
    """組む前に決まること。"""

    read: int
    parts: tuple[tuple[str, tuple[LetterContent, ...]], ...]
    held: tuple[Held, ...]
    fingerprint: str


def _digest_of(contents: Sequence[LetterContent], lot_size: int | None, words: Path | None) -> str:
    """手紙の内容と、紙を作る部品の指紋。渡された順によらない。"""
    digest = hashlib.sha256(f"{engine_digest(words)}/{lot_size or 0}\n".encode())
    for content in sorted(contents, key=lambda c: c.key):
        line = json.dumps(asdict(content), ensure_ascii=True, default=str, sort_keys=True)
        digest.update(line.encode() + b"\n")
    return digest.hexdigest()


def _plan(contents: Sequence[LetterContent], lot_size: int | None, words: Path | None, also_hold: Hold) -> _Plan:
    most = min((size_max_of(content.kind) for content in contents), default=LOT_SIZE_MAX)
    if lot_size is not None and not 1 <= lot_size <= most:
        raise WrongUse("組の大きさが違います", code="lot-size", found=str(lot_size), allowed=f"1 から {most}")
    keys = [content.key for content in contents]
    if len(set(keys)) != len(keys):
        raise RefusedByRule(
            "同じ番号・枝番・種類の手紙が二通あります。二通送ることになるので、一通も刷りません",
            code="duplicate-letter",
            found=f"{len(keys) - len(set(keys))} 通",
        )
    held: list[Held] = []
    good: list[LetterContent] = []
    for content in sorted(contents, key=lambda c: (c.case_number, c.branch, c.kind)):
        reasons = [*reasons_to_hold(content), *also_hold(content)]
        held += reasons
        if not reasons:
            good.append(content)
    good.sort(key=lambda c: (c.kind, c.issued_on, c.postal_code, c.case_number, c.branch))
    parts: list[tuple[str, tuple[LetterContent, ...]]] = []
    for kind, same_kind in groupby(good, key=lambda c: c.kind):
        number, size = 0, lot_size or lot_size_of(kind)
        for _, same_day in groupby(same_kind, key=lambda c: c.issued_on):
            letters = list(same_day)
            for start in range(0, len(letters), size):
                number += 1
                parts.append((f"{kind}-{number:04d}.pdf", tuple(letters[start : start + size])))
    return _Plan(len(contents), tuple(parts), tuple(held), _digest_of(contents, lot_size, words))


def _rendered(
    parts: Sequence[tuple[str, tuple[LetterContent, ...]]], workers: int, folder: Path | None
) -> Iterator[bytes]:
    """組を順に PDF にする。働き手を使っても、返す順は変わらない。言葉は初めに一度だけ読む。"""
    words = {kind: load_words(kind, folder) for kind in {letters[0].kind for _, letters in parts}}
    samples = run_samples([letters for _, letters in parts])
    if workers < 2 or len(parts) < _LOTS_WORTH_A_POOL:
        for (_, letters), sample in zip(parts, samples, strict=True):
            yield print_pages(letters, words[letters[0].kind], sample)
        return
    # fork は、親の中で動いている糸（Polars など）を壊れた姿で写すので使わない。
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), max_tasks_per_child=LOTS_PER_WORKER)
    waiting: deque[Future[bytes]] = deque()
    try:
        for (_, letters), sample in zip(parts, samples, strict=True):
            waiting.append(pool.submit(print_pages, letters, words[letters[0].kind], sample))
            # できた PDF を溜めない: 先に頼むのは、働き手の二倍まで。
            if len(waiting) >= workers * 2:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool:
        raise BenefitError("手紙を組む処理が途中で落ちました。もう一度実行してください", code="worker-died") from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _held_csv(held: Sequence[Held]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HELD_COLUMNS)
    for each in held:
        code_points = " ".join(each.code_points)
        writer.writerow([each.case_number, f"{each.branch:02d}", each.kind, each.field, each.reason, code_points])
    return out.getvalue().encode()


def _manifest(plan: _Plan, lots: Sequence[Lot], held_digest: str) -> dict[str, Any]:
    printed = sum(lot.count for lot in lots)
    return {
        "読込": plan.read,
        "印刷": printed,
        "保留": plan.read - printed,
        "頁数": sum(lot.pages for lot in lots),
        "入力指紋": plan.fingerprint,
        "組": [
            {
                "ファイル": lot.file,
                "種類": lot.kind,
                "件数": lot.count,
                "頁数": lot.pages,
                "sha256": lot.sha256,
                "先頭番号": lot.first,
                "末尾番号": lot.last,
            }
            for lot in lots
        ],
        "保留一覧": {"ファイル": HELD_FILE, "sha256": held_digest},
    }


def _lots_already_there(out: Path, plan: _Plan) -> tuple[Lot, ...] | None:
    """前に作り終えた同じもの。なければ None、違うものがあれば RefusedByRule。"""
    if not (out / MANIFEST).is_file():
        return None
    manifest = read_manifest(out)
    if manifest.get("入力指紋") != plan.fingerprint:
        raise RefusedByRule(
            "このフォルダには、別の手紙の組があります。新しいフォルダに作ってください", code="folder-taken"
        )
    files = [(lot["ファイル"], lot["sha256"]) for lot in manifest["組"]]
    files.append((manifest["保留一覧"]["ファイル"], manifest["保留一覧"]["sha256"]))
    for file, digest in files:
        path = out / file
        if not path.is_file() or sha256_of(path.read_bytes()) != digest:
            raise RefusedByRule(f"前に作った {file} がないか、変わっています", code="lot-changed")
    return tuple(
        Lot(
            each["ファイル"],
            each["種類"],
            each["件数"],
            each["頁数"],
            each["sha256"],
            each["先頭番号"],
            each["末尾番号"],
        )
        for each in manifest["組"]
    )


def _report(plan: _Plan, lots: Sequence[Lot], *, already: bool) -> LotReport:
    printed = sum(lot.count for lot in lots)
    held_letters = len({(each.kind, each.case_number, each.branch) for each in plan.held})
    if plan.read != printed + held_letters:
        raise BenefitError(
            "手紙の数が合いません",
            code="letter-count",
            found=f"読込 {plan.read}、印刷 {printed}、保留 {held_letters}",
        )
    members = {file: tuple((c.case_number, c.branch) for c in letters) for file, letters in plan.parts}
    return LotReport(plan.read, printed, held_letters, tuple(lots), plan.held, members, already)


def make_lots(
    contents: Sequence[LetterContent],
    *,
    out: Path,
    lot_size: int | None = None,
    workers: int = 2,
    words: Path | None = None,
    sheets: Path | None = None,
    also_hold: Hold = lambda _content: [],
    write: Write = write_atomic,
    write_last: WriteManifest = write_manifest,
    progress: Progress | None = None,
) -> LotReport:
    """手紙を確かめ、郵便番号・給付管理番号の順に並べ、組に分けて `out` に書く。

    lot_size: 一組の通数（既定は種類ごと: 直に組むなら 100、台紙に刷るなら 1,000）。workers: 組む働き手の数。
    words: 区が直した言葉のフォルダ（home/words）。sheets: 封入の符号の一覧を置くフォルダ（区の中）。
    also_hold: ほかに止める理由（額の頁など）。progress(済んだ通数, 全部の通数)。
    書く順は、組、held.csv、sheets.csv、最後に manifest.json。
    途中で止まったフォルダ（manifest なし）へは、やり直せる。
    同じ手紙で作り終えたフォルダへもう一度頼むと、何も書かずに同じ結果を返す（already）。
    断り: 同じ手紙が二通ある、別の組がもうある、前の組が変わっている（RefusedByRule）、組の大きさ（WrongUse）、
    組版の失敗（BenefitError）。
    """
    plan = _plan(contents, lot_size, words, also_hold)
    if (there := _lots_already_there(out, plan)) is not None:
        return _report(plan, there, already=True)
    out.mkdir(parents=True, exist_ok=True)
    lots: list[Lot] = []
    total = sum(len(letters) for _, letters in plan.parts)
    done = 0
    for (file, letters), pdf in zip(plan.parts, _rendered(plan.parts, workers, words), strict=True):
        # print_pages が、頁の数が手紙の数のとおりであることを確かめている。
        digest = write(out / file, pdf)
        count, kind = len(letters), letters[0].kind
        first, last = letters[0].case_number, letters[-1].case_number
        lots.append(Lot(file, kind, count, count * pages_of_kind(kind), digest, first, last))
        done += count
        if progress is not None:
            progress(done, total)
    # 前に途中で止まったときの、今回は使わない組を残さない。
    made = {lot.file for lot in lots}
    for stale in (file for kind in LETTER_KINDS for file in out.glob(f"{kind}-*.pdf")):
        if stale.name not in made:
            stale.unlink()
    report = _report(plan, lots, already=False)
    held_digest = write(out / HELD_FILE, _held_csv(plan.held))
    if sheets is not None:
        write(sheets / SHEETS_FILE, sheets_csv(plan.parts))
    write_last(out, _manifest(plan, lots, held_digest))
    return report
