"""多くの区を、Dask の一群の計算機に配る: benefit beneficiaries build --municipalities DIR

言わなければ、この計算機の中（127.0.0.1）だけに働き手を立て、外へは何もつながない。`--scheduler` のときは、
そこに立っている一群に配る。働き手からも、抽出データと結果のフォルダが同じ道筋で見えること。
"""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from batch.context import Context, day
from benefit.domain.errors import RefusedInput, WrongUse

if TYPE_CHECKING:
    from benefit.services.municipalities import Done


def build_all(
    given: Context,
    *,
    folder: Path,
    out: Path,
    today: str,
    programme: str,
    dry_run: bool = False,
    workers: int | None = None,
    scheduler: str | None = None,
) -> None:
    """区ごとに一つの仕事を配り、終わった順に一行ずつ言う。断られた区があれば、その終了コードで終わる。"""
    from benefit.services import municipalities

    if workers is not None and scheduler is not None:
        raise WrongUse("--workers と --scheduler は、どちらか一つを指定します")
    given.home.programme(programme)
    tasks = municipalities.tasks_of(
        folder, out, programme=programme, programmes=given.home.programmes, today=day(today), dry_run=dry_run
    )
    out.mkdir(parents=True, exist_ok=True)
    done: list[Done] = []
    with _client(scheduler, min(workers or os.cpu_count() or 1, len(tasks))) as client:
        from distributed import as_completed

        futures = {
            client.submit(municipalities.build, task, given.clock, key=f"municipality-{task.name}", pure=False): task
            for task in tasks
        }
        for future in as_completed(list(futures)):
            lost = future.exception()
            if lost is None:
                one = future.result()
            else:
                # 働き手ごと倒れた（記憶の不足など）。区の仕事の中の不具合は、結果として返ってくる。
                one = municipalities.Done(
                    futures[future].name, refusal=f"働き手が倒れました（{type(lost).__name__}）", exit_code=1
                )
            done.append(one)
            given.say(f"{len(done)}/{len(tasks)} {_told(one)}")
    municipalities.write_summary(out, done)
    refused = sum(1 for one in done if one.refusal)
    given.say(
        f"区 {len(done)}: できた {len(done) - refused}、断られた {refused}。"
        f"対象 {sum(one.eligible for one in done):,} 件 {sum(one.total_yen for one in done):,} 円 → {out}"
    )
    if refused:
        raise typer.Exit(municipalities.exit_code(done))


def _told(one: Done) -> str:
    if one.refusal:
        return f"{one.name}: 断りました: {one.refusal}"
    return f"{one.name}: 対象 {one.eligible:,} 件 {one.total_yen:,} 円（全 {one.rows:,} 行）"


@contextmanager
def _client(scheduler: str | None, workers: int) -> Iterator[Any]:
    """配る相手。画面（dashboard）は立てず、127.0.0.1 の外では待たない。"""
    from distributed import Client, LocalCluster

    if scheduler is not None:
        try:
            joined = Client(scheduler, timeout="10s")
        except (OSError, ValueError):
            raise RefusedInput(
                "--scheduler につながりません", code="scheduler", found=scheduler, allowed="tcp://番地:8786"
            ) from None
        with joined:
            yield joined
        return
    # 働き手は一つの仕事を一つずつする。Polars の手は、働き手どうしで核を取り合わない数にする。
    threads = os.environ.get("POLARS_MAX_THREADS") or str(max(1, (os.cpu_count() or 1) // workers))
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place,
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",  # 決まった番号（8787）は、ほかの作業とぶつかる
            silence_logs=logging.CRITICAL,
            memory_limit=0,
            local_directory=place,
            env={"POLARS_MAX_THREADS": threads},
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client
