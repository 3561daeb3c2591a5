"""給付管理システムの仕事（委託先）: benefit desk advance / receive / returned / remind / forms"""

from __future__ import annotations

import csv
import io
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from batch.context import Context, context, day
from benefit.domain.access import BATCH, Actor
from benefit.domain.clock import tokyo_date
from benefit.domain.deficiency import CHANNELS, FORM_KINDS, MAIL_GRACE_DAYS, RETURN_REASONS, STANDINGS
from benefit.domain.errors import Place, RefusedInput

if TYPE_CHECKING:
    from benefit.services.desk_accounts import Account
    from benefit.services.desk_forms import ReceivedForm
    from benefit.services.desk_intake import Refused

Today = Annotated[str | None, typer.Option(help="日付（YYYY-MM-DD）")]
By = Annotated[str | None, typer.Option(help="この人の名で入れる（合言葉と数字を読む）。なければ夜間処理の名")]
Box = Annotated[str, typer.Option(help="紙を入れた箱の名")]
#: 見せる断りの数（残りは数だけ）。
SHOWN = 20
FORM_COLUMNS = (
    "給付管理番号",
    "収受日",
    "結果",
    "不備",
    "金融機関コード",
    "支店コード",
    "預金種目",
    "口座番号",
    "口座名義カナ",
    "名義のわけ",
)


def add_to(app: typer.Typer) -> None:
    """`benefit desk` に足す。"""
    for command in (advance, receive, returned, remind, forms):
        app.command()(command)


def advance(
    ctx: typer.Context,
    today: Today = None,
    grace: Annotated[int, typer.Option(min=0, help="期限までの消印の郵便を待つ日数")] = MAIL_GRACE_DAYS,
) -> None:
    """委託先で: 期限の過ぎた件を進める。"""
    from benefit.services import desk_cases

    given = _desk(ctx)
    done = desk_cases.pass_deadlines(given.home, _day(given, today), actor=BATCH, clock=given.clock, grace_days=grace)
    given.say("、".join(f"{name} {count:,} 件" for name, count in done.items()))


def receive(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="読み取った給付管理番号の一覧（一行に一つ）")],
    kind: Annotated[str, typer.Option(help="紙の種類: " + "、".join(FORM_KINDS.values()))] = "確認書",
    channel: Annotated[str, typer.Option(help="届き方: " + "、".join(CHANNELS.values()))] = "郵送",
    on: Annotated[str | None, typer.Option(help="収受日（YYYY-MM-DD）。既定は今日")] = None,
    postmark: Annotated[str | None, typer.Option(help="消印の日（YYYY-MM-DD）")] = None,
    box: Box = "",
    by: By = None,
) -> None:
    """委託先で: 読み取った番号の一覧を収受する。断られた行は、わけと一緒に言う。"""
    from benefit.services.desk_intake import Arrival, receive_many

    given = _desk(ctx)
    words = _word(kind, FORM_KINDS, "--kind"), _word(channel, CHANNELS, "--channel")
    received_on, stamped = _day(given, on), day(postmark, "--postmark") if postmark else None
    numbers, strange, read = read_numbers(file)
    actor = _actor(given, by)
    arrivals = [Arrival(number, words[0], received_on, words[1], branch, stamped, box) for number, branch in numbers]
    with given.home.desk.begin() as connection:
        done = receive_many(connection, arrivals, actor=actor, at=given.clock())
    counts = {word: sum(taken.standing == word for taken in done.taken) for word in STANDINGS}
    told = "、".join(f"{STANDINGS[word]} {count:,}" for word, count in counts.items())
    given.say(f"読んだ {read:,} 行 = 収受 {len(done.taken):,}（{told}）+ 断った {len(done.refused) + len(strange):,}")
    _tell(given, [*strange, *done.refused])


def returned(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="読み取った給付管理番号の一覧（一行に一つ）")],
    reason: Annotated[str, typer.Option(help="返戻のわけ: " + "、".join(RETURN_REASONS.values()))],
    on: Annotated[str | None, typer.Option(help="戻った日（YYYY-MM-DD）。既定は今日")] = None,
    box: Box = "",
    by: By = None,
) -> None:
    """委託先で: 届かずに戻った手紙の番号の一覧を入れる。"""
    from benefit.services.desk_returned_mail import Return, returned_many

    given = _desk(ctx)
    word, back = _word(reason, RETURN_REASONS, "--reason"), _day(given, on)
    numbers, strange, read = read_numbers(file)
    actor = _actor(given, by)
    mails = [Return(number, word, back, branch, box) for number, branch in numbers]
    with given.home.desk.begin() as connection:
        done = returned_many(connection, mails, actor=actor, at=given.clock())
    given.say(f"読んだ {read:,} 行 = 返戻 {len(done.taken):,} + 断った {len(done.refused) + len(strange):,}")
    _tell(given, [*strange, *done.refused])


def remind(ctx: typer.Context, today: Today = None, by: By = None) -> None:
    """委託先で: 期限が近いのに返送のない件に、勧奨の手紙を頼む（返戻・辞退・収受・死亡の申出の件を除く）。"""
    from benefit.services.desk_letters_due import remind as ask

    given = _desk(ctx)
    on, actor = _day(given, today), _actor(given, by)
    with given.home.desk.begin() as connection:
        count = ask(connection, today=on, actor=actor, at=given.clock())
    given.say(f"勧奨 {count:,} 件")


def forms(
    ctx: typer.Context,
    first: Annotated[Path, typer.Argument(help="一人目が入力した紙（CSV）")],
    second: Annotated[Path, typer.Argument(help="別の人が入力した、同じ紙（CSV）")],
    keyed_by: Annotated[str, typer.Option(help="一人目の ID")],
    checked_by: Annotated[str, typer.Option(help="別の人の ID")],
) -> None:
    """委託先で: 二人が別々に入力した紙を収受し、同じ入力なら審査を終える。"""
    from benefit.services import desk_forms

    given = _desk(ctx)
    told = read_forms(first), read_forms(second)
    people = given.staff("desk", keyed_by), given.staff("desk", checked_by)
    done = desk_forms.receive_forms(given.home, *told, keyed_by=people[0], checked_by=people[1], clock=given.clock)
    given.say("紙: " + "、".join(f"{name} {count:,}" for name, count in done.items()))


def read_numbers(file: Path) -> tuple[list[tuple[str, int | None]], list[Refused], int]:
    """読み取った一覧: （給付管理番号, 枝番）の並び、読めない行、読んだ行の数。空の行は数えない。"""
    from benefit.services.desk_intake import Refused, read_number

    numbers, strange, read = [], [], 0
    for line, text in enumerate(_text(file).splitlines(), 1):
        if not text.strip():
            continue
        read += 1
        try:
            numbers.append(read_number(text))
        except RefusedInput as refused:
            strange.append(Refused(line, "", str(refused)))
    return numbers, strange, read


def read_forms(file: Path) -> list[ReceivedForm]:
    """入力した紙のファイルを読む。UTF-8 の CSV、見出しは FORM_COLUMNS。"""
    from benefit.services.desk_forms import ReceivedForm

    rows = csv.DictReader(io.StringIO(_text(file), newline=""), strict=True)
    if tuple(rows.fieldnames or ()) != FORM_COLUMNS:
        raise RefusedInput(
            "見出しが違います", code="header", place=Place(file=file.name), allowed="、".join(FORM_COLUMNS)
        )
    made = []
    for row in rows:
        if None in row or None in row.values():
            raise RefusedInput("列の数が違います", code="columns", place=Place(file=file.name, record=rows.line_num))
        made.append(
            ReceivedForm(
                case_number=row["給付管理番号"],
                received_on=day(row["収受日"], f"{rows.line_num} 行目の収受日"),
                outcome=row["結果"],
                deficiency=row["不備"],
                holder_reason=row["名義のわけ"],
                **_account(row, Place(file=file.name, record=rows.line_num)).columns,
            )
        )
    return made


def _account(row: dict[str, str], place: Place) -> Account:
    """口座の五項目。ゆうちょ銀行の「記号-番号」は、振込用の店番・種目・番号に直す。断りに番号は入れない。"""
    from benefit.services.desk_accounts import ACCOUNT_NAMES, account_of

    try:
        return account_of(*(row[name] for name in ACCOUNT_NAMES.values()))
    except RefusedInput as refused:
        raise RefusedInput(f"{place}: {refused}", code="account") from None


def _text(file: Path) -> str:
    from benefit.services.files import read_input

    try:
        return read_input(file).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise RefusedInput("UTF-8 で書いてください", code="encoding", place=Place(file=file.name)) from None


def _tell(given: Context, refused: list[Refused]) -> None:
    for each in refused[:SHOWN]:
        given.say(f"  {f'{each.case_number} ' if each.case_number else f'{each.line} 行目 '}{each.why}")
    if len(refused) > SHOWN:
        given.say(f"  ほかに {len(refused) - SHOWN:,} 行")


def _word(told: str, words: dict[str, str], option: str) -> str:
    for word, name in words.items():
        if told in {word, name}:
            return word
    raise RefusedInput(f"{option} の言葉が違います", code="word", found=told, allowed="、".join(words.values()))


def _desk(ctx: typer.Context) -> Context:
    given = context(ctx)
    given.need("desk", "benefit_case")
    return given


def _day(given: Context, told: str | None) -> date:
    return day(told) if told else tokyo_date(given.clock())


def _actor(given: Context, by: str | None) -> Actor:
    return given.staff("desk", by) if by else BATCH
