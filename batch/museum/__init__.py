"""事故再現: benefit museum

公表された給付金の事故を、架空の区の使い捨ての台帳の上で、本番と同じサービスでもう一度してみる。
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from batch.context import Context, context
from benefit.domain.errors import RefusedByRule, WrongUse

if TYPE_CHECKING:
    from batch.museum.story import Case

PAGE = "museum.html"


def add_to(app: typer.Typer) -> None:
    """コマンドを足す。"""

    @app.command()
    def museum(
        ctx: typer.Context,
        name: Annotated[str | None, typer.Argument(help="事例（寝屋川、ある村、阿武町 …）。なければ一覧")] = None,
        every: Annotated[bool, typer.Option("--all", help="十の事例を全部再現する")] = False,
        out: Annotated[Path | None, typer.Option(help="一枚の HTML を書くフォルダ")] = None,
    ) -> None:
        """公表された給付金の事故を、架空の区でもう一度してみる。何が、どこで、何と言って止めるかを見せる。"""
        from batch.museum.cases import CASES

        given = context(ctx)
        if name is None and not every:
            if out is not None:
                raise WrongUse("--out には、事例か --all が要ります")
            _list(given)
            return
        chosen = CASES if every else tuple(case for case in CASES if name in _names(case.place, case.key))
        if not chosen:
            raise WrongUse("この名の事例はありません", found=str(name), allowed="、".join(case.place for case in CASES))
        _replay(given, chosen, out)


def _names(place: str, key: str) -> set[str]:
    return {place, place.removesuffix("市").removesuffix("町"), place.removeprefix("ある"), key}


def _list(given: Context) -> None:
    from rich.table import Table

    from batch.museum.cases import CASES
    from batch.museum.telling import listing

    table = Table(title="公表された事故（お金の出るもの）", title_justify="left")
    for heading in ("事例", "いつ", "どれだけ", "いま止める守り"):
        table.add_column(heading, overflow="fold")
    for row in listing(CASES):
        table.add_row(*row)
    given.out.print(table)
    given.say("再現: benefit museum 寝屋川    全部: benefit museum --all --out フォルダ")


def _replay(given: Context, chosen: tuple[Case, ...], out: Path | None) -> None:
    from batch.museum import telling
    from batch.museum.story import replay_all
    from benefit.services.files import write_atomic

    with given.progress() as bar:
        task = bar.add_task("事故再現", total=len(chosen) + 1)
        done = replay_all(chosen, lambda what: bar.update(task, description=what, advance=1))
    for replayed in done:
        for line in (
            telling.lines(replayed) if len(done) == 1 else [f"{replayed.case.place}: {telling.verdict(replayed)}"]
        ):
            given.say(line)
    if out is not None:
        write_atomic(out / PAGE, telling.page(done).encode())
        given.say(f"{out / PAGE} に書きました。")
    through = [replayed.case.place for replayed in done if not replayed.stopped]
    if through:
        raise RefusedByRule(f"止まらなかった事例があります: {'、'.join(through)}", code="museum")
