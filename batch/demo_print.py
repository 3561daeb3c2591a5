"""デモの印刷: 見本帳に二人が署名し、組を出し、包みを渡し、印刷所の結果を受け取り、消去報告書で終わるまで。"""

from __future__ import annotations

import csv
import io
from datetime import date
from pathlib import Path

from batch.letters_counts import checker, lot_folder
from benefit.domain.access import Actor, WardRole
from benefit.domain.clock import Clock
from benefit.domain.handover_states import ERASED, ISSUED, RECEIVED, REPORTED, USED
from benefit.domain.print_result import GOOD, POSTED, REMADE, SPOILED
from benefit.domain.programme import Programme
from benefit.services import handover_book_files, print_results, proofs
from benefit.services.files import write_atomic
from benefit.services.handover_book import Entry
from benefit.services.handover_book_passphrase import tell
from benefit.services.home import Home
from benefit.services.mailing_lots import lots_of
from benefit.services.print_results import Taken
from benefit.store.engine import reading
from letters import proof_set
from letters.package import Packed, make_package
from letters.release import release_lots

CLERK = Actor("tanto", WardRole.CLERK.value)
APPROVER = Actor("shonin1", WardRole.APPROVER.value)
_PRINTER = "印刷所（架空）"
#: 機械が噛んで、刷り直したことにする枚数。
_SPOILED = 3


def release(home: Home, programme: Programme, letters: Path, out: Path, day: date, clock: Clock) -> int:
    """見本帳に二人が署名し、刷った組の全部を、読み返してから出す。出してよい通数。"""
    made = proof_set.make(home, programme, out)
    digest, sha256 = proof_set.read(home, programme, out)
    number = proofs.sign(
        home, digest=digest, sha256=sha256, reason=f"{made.files} 種類の見本を見た", actor=CLERK, clock=clock
    )
    proofs.approve(home, number, sha256=sha256, actor=APPROVER, clock=clock)
    with reading(home.ward) as connection:
        lots = sorted(lots_of(connection))
    return sum(
        proof.letters for proof in release_lots(home, programme, lots, out=letters, on=day, actor=APPROVER, clock=clock)
    )


def hand_over(home: Home, programme: Programme, folders: list[Path], day: date, clock: Clock) -> Packed:
    """包みを作り（担当）、出し（承認の人）、受領の後に合言葉を担当が渡し、刷り始めるまで。"""
    packed = make_package(home, programme, folders, counterpart=_PRINTER, actor=CLERK, clock=clock)
    name = packed.item.name

    def write(step: str, entry: Entry, actor: Actor) -> None:
        handover_book_files.step(home, name, step, entry, actor=actor, clock=clock)

    carried = Entry(day, "搬送の係", medium="DVD-R", quantity=1, companion="委託先の係", locked_bag=True)
    write(ISSUED, carried, APPROVER)
    write(RECEIVED, Entry(day, "印刷所の係"), CLERK)
    tell(home, name, told_to="印刷所の係", actor=CLERK, clock=clock)
    write(USED, Entry(day, "印刷所の係"), CLERK)
    return packed


def count_back(home: Home, folder: Path, out: Path, day: date, clock: Clock) -> Taken:
    """印刷所の結果（数枚は刷り直し、全部を投函）を受け取り、渡した紙と突き合わせる。"""
    lot = lot_folder(folder)
    with lot.sheets.open(encoding="utf-8-sig", newline="") as listed:
        codes = [row["封入の符号"] for row in csv.DictReader(listed)]
    on = f"{day:%Y%m%d}"
    text = io.StringIO(newline="")
    rows = csv.writer(text, lineterminator="\r\n")
    rows.writerow(("封入の符号", "区分", "日付", "封筒番号"))
    for place, code in enumerate(codes, 1):
        deeds = (SPOILED, REMADE) if place <= _SPOILED else (GOOD,)
        rows.writerows((code, deed, on, "") for deed in deeds)
        rows.writerow((code, POSTED, on, f"{place:06d}"))
    write_atomic(out, text.getvalue().encode("cp932"))
    return print_results.take(home, [lot], out, right=checker(home), actor=CLERK, clock=clock)


def close(home: Home, name: str, day: date, clock: Clock) -> None:
    """相手の消去と、消去報告書の受取。"""
    for step, note in ((ERASED, "上書き消去"), (REPORTED, "消去報告書 第1号")):
        entry = Entry(day, "印刷所の係", note=note)
        handover_book_files.step(home, name, step, entry, actor=CLERK, clock=clock)
