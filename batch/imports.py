"""抽出データの取込: benefit import …"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from batch.context import Context, context

if TYPE_CHECKING:
    from benefit.services import extracts


class Kind(StrEnum):
    """取り込むものの種類。"""

    residents = "residents"
    taxes = "taxes"
    shortfall = "shortfall"
    prior = "prior"
    accounts = "accounts"
    addresses = "addresses"
    protected = "protected"
    braille = "braille"


Encoding = Annotated[str | None, typer.Option(help="文字コード（utf-8 か cp932。普通は自動で見分ける）")]
AllowRejects = Annotated[int, typer.Option(min=0, help="この行数までの不採用なら、残りを取り込む")]
ProgrammeId = Annotated[str, typer.Option(help="給付事業")]


def import_one(
    given: Context,
    kind: str,
    file: Path,
    *,
    encoding: str | None = None,
    allow_rejects: int = 0,
    programme: str = "r6-2024",
) -> None:
    """一つ取り込み、数を言う。"""
    from benefit.services import extracts

    given.need("ward", "snapshot")
    levy_year = given.home.programme(programme).levy_year
    with given.progress() as bar:
        bar.add_task(f"{extracts.NAMES[kind]}を取り込んでいます", total=None)
        done = extracts.import_file(
            given.home,
            kind,
            file,
            clock=given.clock,
            levy_year=levy_year,
            encoding=encoding,
            allow_rejects=allow_rejects,
        )
    tell(given, done)


def tell(given: Context, done: object) -> None:
    """取込の結果を言う。"""
    from benefit.services import extracts

    assert isinstance(done, extracts.Imported)
    for warning in done.warnings:
        given.say(f"注意: {warning}")
    equation = f"読込 {done.rows_read:,} = 採用 {done.rows_kept:,} + 不採用 {done.rows_rejected:,}"
    name = extracts.NAMES[done.kind]
    if done.already and not done.current:
        given.say(
            f"{name}: {done.file_name} は前に取り込んだ内容で、その後に新しいファイルが入っています。"
            f"何も変えません（{equation}）"
        )
    elif done.already:
        given.say(f"{name}: {done.file_name} は、もう取り込んであります。何も変えません（{equation}）")
    else:
        given.say(f"{name}: {equation}（{done.file_name}、文字コード {done.encoding}）")
        _tell_delta(given, done)


def _tell_delta(given: Context, done: extracts.Imported) -> None:
    """前の写しとの違いを言う。半分より多く消えたら、取り違えの印として注意する。"""
    from benefit.services import extract_delta

    if done.kind not in extract_delta.KEYS:
        return
    found = extract_delta.against_previous(given.home, done.kind, done.sha256)
    if found is None:
        return
    named = "、".join(f"{told} {count:,}" for told, count in found.named.items())
    given.say(
        f"前の写し（{found.before:,} 行）との違い: 増えた {found.added:,}、消えた {found.removed:,}、"
        f"変わった {found.changed:,}{f'（{named}）' if named else ''}"
    )
    if found.removed * 2 > found.before or (done.kind == "protected" and found.removed):
        given.say(
            "注意: 消えた行を確かめてください。取り違えなら、正しいファイルを取り込みます"
            "（前の写しと一字も違わないファイルには戻りません）。"
        )


def add_to(app: typer.Typer) -> None:
    """コマンドを足す。"""

    @app.command("import")
    def import_(
        ctx: typer.Context,
        kind: Annotated[Kind, typer.Argument(help="種類")],
        file: Annotated[Path, typer.Argument(help="抽出データ（CSV）")],
        encoding: Encoding = None,
        allow_rejects: AllowRejects = 0,
        programme: ProgrammeId = "r6-2024",
    ) -> None:
        """抽出データを取り込む。全部入るか、まったく入らないか。"""
        import_one(context(ctx), kind.value, file, encoding=encoding, allow_rejects=allow_rejects, programme=programme)
