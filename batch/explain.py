"""判定の説明と、開示のための判定証明の紙: benefit beneficiaries explain"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from batch.context import context, day
from batch.imports import ProgrammeId
from benefit.domain.clock import tokyo_date
from benefit.domain.errors import WrongUse


def _number(text: str, name: str) -> int:
    if len(text) != 10 or not (text.isascii() and text.isdigit()):
        raise WrongUse(f"{name} の番号は 10 桁の数字です", found=f"{len(text)} 文字")
    return int(text)


def add_to(app: typer.Typer) -> None:
    """コマンドを足す。"""

    @app.command()
    def explain(
        ctx: typer.Context,
        household: Annotated[str | None, typer.Option(help="世帯番号（10 桁）")] = None,
        person: Annotated[str | None, typer.Option(help="住民番号・宛名番号（10 桁）")] = None,
        today: Annotated[str | None, typer.Option(help="判定の日（なければ、最後に作った時の日）")] = None,
        run: Annotated[
            str | None, typer.Option(help="登録した判定の写しで言う（番号、latest、approved）。判定し直さない")
        ] = None,
        pdf: Annotated[Path | None, typer.Option(help="開示のための紙（A4、PDF/A-2u）を書くファイル")] = None,
        reader: Annotated[
            str | None,
            typer.Option("--for", help="紙を受け取る人の番号。この人の税額だけを載せる（--person ならその人）"),
        ] = None,
        programme: ProgrammeId = "r6-2024",
    ) -> None:
        """なぜ対象か、なぜ対象でないか、何が違えば変わるかを、検査ごとに、見た値と元の行で言う。"""
        from benefit.services import certificates, runs
        from benefit.services import explain as explaining
        from benefit.services.explain_certificate import of_household, of_person
        from benefit.services.files import write_atomic

        given = context(ctx)
        given.need("ward", "run")
        if (household is None) == (person is None):
            raise WrongUse("--household か --person の、どちらか一つを指定します")
        if run is not None and today is not None:
            raise WrongUse("--run と --today は、一緒に使えません（登録した判定には、その判定の日があります）")
        if reader is not None and pdf is None:
            raise WrongUse("--for は、--pdf と一緒に使います")
        number = _number(household or person or "", "--household" if household else "--person")
        reads = _number(reader, "--for") if reader else None if household else number
        chosen = given.home.programme(programme)
        if run is not None:
            record = certificates.read(given.home, runs.find(given.home, chosen, run))
        else:
            on = day(today) if today else explaining.last_day(given.home, chosen) or tokyo_date(given.clock())
            record = certificates.now(given.home, chosen, on)
        if pdf is None:
            tell = explaining.household_pages if household else explaining.person_pages
            for page in tell(given.home, record, number):
                given.say(page)
            return
        from letters import certificate

        found = of_household(record, number) if household else of_person(record, number)
        if not found:
            raise WrongUse("この人は、基準日の世帯員でも納税者でもないので、判定証明はありません")
        found = explaining.kept_inside(given.home, found)
        numbers = [explaining.case_number(given.home, one) for one in found]
        data = certificate.render(found, issued_on=tokyo_date(given.clock()), reader=reads, case_numbers=numbers)
        write_atomic(pdf, data)
        only = "（区限り: 区の外へ出しません）" if any(one.protected for one in found) else ""
        given.say(f"判定証明 {len(found)} 件を書きました → {pdf}{only}")
