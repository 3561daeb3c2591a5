"""組を出すまで: benefit letters lots / proof / release / remake / proof-set make・sign・approve"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from batch.context import Context, context, day
from batch.imports import ProgrammeId
from benefit.domain.clock import tokyo_date
from benefit.domain.errors import RefusedByRule

proof_set_app = typer.Typer(no_args_is_help=True, help="見本帳: むずかしい手紙を刷り、二人で署名する")
By = Annotated[str, typer.Option(help="操作する職員の ID（合言葉をたずねる）")]
Lots = Annotated[list[int], typer.Argument(help="ロットの番号（benefit letters lots で見る）")]
Out = Annotated[Path, typer.Option(help="ロットを置いたフォルダ（letters make の --out）")]
On = Annotated[str | None, typer.Option(help="出す日（YYYY-MM-DD、既定は今日）")]
_SAID = 20


def add_to(app: typer.Typer) -> None:
    """`benefit letters` の下に置く。"""
    app.add_typer(proof_set_app, name="proof-set")
    app.command("lots")(lots)
    app.command("proof")(proof)
    app.command("release")(release)
    app.command("remake")(remake)


def _ready(ctx: typer.Context) -> Context:
    given = context(ctx)
    given.need("ward", "lot_release")
    return given


def lots(ctx: typer.Context) -> None:
    """ロットの一覧: 番号、場所、通数、出す許しのある日。"""
    from benefit.domain.letter import LETTER_NAMES
    from benefit.services.mailing_lots import lots_of
    from benefit.services.mailing_release import AMOUNT
    from benefit.store.engine import reading

    given = _ready(ctx)
    with reading(given.home.ward) as connection:
        every = lots_of(connection)
    names = {**LETTER_NAMES, AMOUNT: "額の頁"}
    places = {"printer": "印刷所", "ward": "区の中"}
    for lot in every.values():
        state = f"{lot.released_on} に出してよい" if lot.released_on else "まだ出せない"
        if lot.remade_as is not None:
            state = f"作り直した（{lot.remade_as} へ）"
        given.say(
            f"{lot.id:>4}  {places[lot.place]}  {lot.folder}/{lot.file_name}  "
            f"{names.get(lot.kind, lot.kind)}  {lot.letter_count:,} {'枚' if lot.kind == AMOUNT else '通'}  {state}"
        )
    if not every:
        given.say("ロットはまだありません。benefit letters make で作ります。")


def proof(ctx: typer.Context, numbers: Lots, out: Out, programme: ProgrammeId = "r6-2024") -> None:
    """ロットを読み返し、台帳と比べる（出す許しは変わらない）。一つでも食い違えば、終了コード 4。"""
    from benefit.services.mailing_lots import chosen_lots
    from benefit.store.engine import reading
    from letters.proof import proof_folder, prove, readers, write_proof

    given = _ready(ctx)
    with reading(given.home.ward) as connection:
        chosen = chosen_lots(connection, numbers)
    wrong = 0
    total = sum(lot.letter_count for lot in chosen)
    with given.progress() as bar, readers(total) as pool:
        task = bar.add_task("読み返しています", total=total)
        for lot in chosen:
            found = prove(given.home, given.home.programme(programme), lot, out=out, pool=pool)
            bar.update(task, advance=lot.letter_count)
            write_proof(found, out, lot)
            result = "合っています" if found.right else f"食い違い {len(found.mismatches):,} 件"
            given.say(
                f"ロット {lot.id}: {found.letters:,} 通 {found.pages:,} 頁、符号も読んだ {found.rasters:,} 頁。{result}"
                f" → {proof_folder(out, lot)}"
            )
            for each in found.mismatches[:_SAID]:
                given.say(f"  {each.page} 頁  {each.case_number}  {each.field}  {each.found}")
            wrong += not found.right
    if wrong:
        raise RefusedByRule(f"台帳と合わないロットが {wrong} 個あります。出せません", code="proof")


def release(
    ctx: typer.Context, numbers: Lots, out: Out, by: By, on: On = None, programme: ProgrammeId = "r6-2024"
) -> None:
    """ロットを出す許しを登録する: 見本帳の署名、今日の関門、読み返しのどれかで止まれば、どのロットも出せない。"""
    from letters.release import release_lots

    given = _ready(ctx)
    actor = given.ward_staff(by)
    chosen = day(on, "--on") if on else tokyo_date(given.clock())
    proved = release_lots(
        given.home,
        given.home.programme(programme),
        numbers,
        out=out,
        on=chosen,
        actor=actor,
        clock=given.clock,
    )
    letters = sum(each.letters for each in proved)
    given.say(f"{chosen} に出してよいロット {len(proved):,} 個、{letters:,} 通。読み返しの報告: {out}/ward/proofs")
    given.say("印刷所へ渡すときは、次に benefit handover make で包みを作ります。")


def remake(
    ctx: typer.Context,
    number: Annotated[int, typer.Argument(help="ロットの番号")],
    out: Out,
    by: By,
    on: On = None,
    programme: ProgrammeId = "r6-2024",
) -> None:
    """出してはならない手紙（亡くなった、移った、辞退した…）を抜いて、ロットを作り直す。"""
    from letters.remake import PULLED_FILE
    from letters.remake import remake as again
    from letters.sheets import sheets_folder

    given = _ready(ctx)
    actor = given.ward_staff(by)
    chosen = day(on, "--on") if on else tokyo_date(given.clock())
    made = again(
        given.home, given.home.programme(programme), number, out=out, on=chosen, actor=actor, clock=given.clock
    )
    for one in made.pulled[:_SAID]:
        given.say(f"  抜いた: {one.case_number}-{one.branch:02d}（{one.why}）")
    if len(made.pulled) > _SAID:
        given.say(f"  ほか {len(made.pulled) - _SAID:,} 通")
    if made.number is None:
        given.say(f"ロット {number} には、手紙が一通も残りませんでした。")
    else:
        given.say(
            f"ロット {number} から {len(made.pulled):,} 通を抜き、"
            f"ロット {made.number}（{made.left:,} 通）に作り直しました。"
        )
    given.say(f"抜いた紙の封入の符号: {sheets_folder(out / made.folder)}/{PULLED_FILE}")
    given.say(
        "送り先が変わった人は benefit letters reissue で枝番を進めると、次の letters make が新しい手紙を作ります。"
    )


@proof_set_app.command("make")
def proof_set_make(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option(help="見本帳を置くフォルダ")],
    programme: ProgrammeId = "r6-2024",
) -> None:
    """見本帳を作る: 種類ごとの PDF と、どの頁が何の見本かの一覧。"""
    from letters import proof_set

    given = _ready(ctx)
    made = proof_set.make(given.home, given.home.programme(programme), out)
    given.say(f"見本帳: {made.files:,} 種類、{made.pages:,} 通の見本 → {out}")
    given.say(f"束の指紋 {made.sha256[:16]}（{proof_set.MANIFEST_FILE} に全部）")
    for each in made.held:
        given.say(f"  刷れない見本: {each}")
    given.say("全部の頁を見てから: benefit letters proof-set sign --set このフォルダ --by ID --reason 見たこと")


@proof_set_app.command("sign")
def proof_set_sign(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Option("--set", help="見本帳のフォルダ")],
    by: By,
    reason: Annotated[str, typer.Option(help="何を見て、よいとしたか")],
    programme: ProgrammeId = "r6-2024",
) -> None:
    """見本帳を見たと署名する。別の人が承認するまで、ロットは出せない。"""
    from benefit.services import proofs
    from letters import proof_set

    given = _ready(ctx)
    actor = given.ward_staff(by)
    digest, sha256 = proof_set.read(given.home, given.home.programme(programme), folder)
    number = proofs.sign(given.home, digest=digest, sha256=sha256, reason=reason, actor=actor, clock=given.clock)
    given.say(
        f"署名しました（{number}）。次: 別の人が benefit letters proof-set approve {number} --set フォルダ --by ID"
    )


@proof_set_app.command("approve")
def proof_set_approve(
    ctx: typer.Context,
    number: Annotated[int, typer.Argument(help="署名の番号")],
    folder: Annotated[Path, typer.Option("--set", help="見本帳のフォルダ（署名した人が見たものと同じ）")],
    by: By,
    programme: ProgrammeId = "r6-2024",
) -> None:
    """見本帳の署名を承認する（署名した人は承認できない）。"""
    from benefit.services import proofs
    from letters import proof_set

    given = _ready(ctx)
    actor = given.ward_staff(by)
    _, sha256 = proof_set.read(given.home, given.home.programme(programme), folder)
    digest = proofs.approve(given.home, number, sha256=sha256, actor=actor, clock=given.clock)
    given.say(f"承認しました。割付の指紋 {digest[:16]} の手紙を出せます。")
