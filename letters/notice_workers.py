"""通知の組を順に PDF にする。組版の道具は組んだものを覚えて太るので、組が多ければ、入れ替わる働き手に任せる。"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from datetime import date
from multiprocessing import get_context

from benefit.domain.errors import BenefitError
from benefit.records.slip_issuer import SlipIssuer
from letters.notice_page import Notice, Wording, render

#: これより少ない組は、働き手を立てずに組む。
_WORTH_A_POOL = 3
WORKERS, LOTS_PER_WORKER = 2, 3


def rendered(
    parts: Sequence[Sequence[Notice]], wording: Wording, issuer: SlipIssuer, title: str, issued_on: date
) -> Iterator[bytes]:
    """組ごとの PDF を、渡された順に。働き手を使っても、バイト列も順も変わらない。"""
    if len(parts) < _WORTH_A_POOL:
        yield from (render(part, wording, issuer, title, issued_on) for part in parts)
        return
    # fork は、親の中で動いている糸（Polars など）を壊れた姿で写すので使わない。
    pool = ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn"), max_tasks_per_child=LOTS_PER_WORKER)
    waiting: deque[Future[bytes]] = deque()
    try:
        for part in parts:
            waiting.append(pool.submit(render, part, wording, issuer, title, issued_on))
            # できた PDF を溜めない。
            if len(waiting) >= WORKERS * 2:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool:
        raise BenefitError("通知を組む処理が途中で落ちました。もう一度実行してください", code="worker-died") from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
