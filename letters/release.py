"""組を出す: 読み返し、関門を見直し、見本帳の署名を確かめ、出す許しを登録する。"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Sequence
from datetime import date
from importlib import resources
from pathlib import Path

from benefit.domain.access import Actor
from benefit.domain.clock import Clock
from benefit.domain.programme import Programme
from benefit.services import proofs
from benefit.services.home import Home
from benefit.services.mailing_lots import chosen_lots
from benefit.services.mailing_release import refuse_if_stale, refuse_stale, release
from benefit.store.engine import reading
from letters.proof import Proof, prove, readers, refuse_wrong, write_proof
from letters.render import engine_digest

#: engine_digest（組版の版、書体、割付、言葉、刷る道）のほかに、紙に載る事柄と符号を決めるコード。
_LETTERS = ("amounts.py", "content.py", "contents.py", "glyphs.py", "holding.py", "printing.py", "sheet_code.py")
_CODES = ("barcodes.py", "code128.py", "customer_barcode.py")


def proof_digest(home: Home, programme: Programme) -> str:
    """いまの割付・言葉・書体・符号・事業（手紙の文と差出人）の指紋。見本帳の署名は、これに付く。"""
    content = f"{engine_digest(home.words)}/{_code_digest()}/{programme.digest}"
    return hashlib.sha256(content.encode()).hexdigest()


@functools.cache
def _code_digest() -> str:
    digest = hashlib.sha256()
    files = [resources.files("letters") / name for name in _LETTERS]
    files += [resources.files("benefit.records") / name for name in _CODES]
    for file in files:
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def release_lots(
    home: Home,
    programme: Programme,
    numbers: Sequence[int],
    *,
    out: Path,
    on: date,
    actor: Actor,
    clock: Clock,
    progress: Callable[[int], None] = lambda _pages: None,
) -> list[Proof]:
    """組を `on` に出してよいと登録し、読み返しの報告を返す。一つでも断られれば、どの組も出せない。

    順は、署名、関門、読み返し（報告は断られても残る）、関門をもう一度見て登録。
    """
    digest = proof_digest(home, programme)
    with reading(home.ward) as connection:
        lots = chosen_lots(connection, numbers)
        proofs.signed(connection, digest)
    refuse_if_stale(refuse_stale(home, programme, numbers, on))
    proved: list[Proof] = []
    told: dict[int, str] = {}
    with readers(sum(lot.letter_count for lot in lots)) as pool:
        for lot in lots:
            proof = prove(home, programme, lot, out=out, pool=pool, progress=progress)
            told[lot.id] = write_proof(proof, out, lot)
            refuse_wrong(proof)
            proved.append(proof)
    release(home, programme, told, on=on, digest=digest, actor=actor, clock=clock)
    return proved
