"""返戻の一覧（区）: 戻った封筒の番号を読み取った一覧を、送った手紙に結ぶ。読んだ行 = 入れた行 + 断った行。

読み取るのは、窓から見える QR か Code 128（給付管理番号 11 桁）、または封入の符号（24 桁）。番号だけで手紙が
一つに決まらないときは、入れずに、封入の符号を読むように言う。給付管理システムの件の返戻は、委託先が同じ一覧を
`/intake/returned` に入れる。ここは、どの手紙が戻ったかの、区の側の記録である。
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl
from sqlalchemy import Connection, select

from benefit.domain.access import Actor
from benefit.domain.clock import Clock, tokyo_date
from benefit.domain.deficiency import RETURN_REASONS
from benefit.domain.errors import Place, RefusedByRule, RefusedInput, WrongUse
from benefit.records.print_result import CODE_DIGITS
from benefit.rules.print_result import LETTER_DIGITS
from benefit.services.files import read_input, sha256_of
from benefit.services.home import Home
from benefit.services.print_letters import known_letters
from benefit.services.print_results_view import closed_lots
from benefit.services.two_people import need_clerk
from benefit.store import audit, ward
from benefit.store.bulk import insert_one
from benefit.store.engine import in_turn

NUMBER_DIGITS, BRANCH_DIGITS = 11, 2
_SHOWN = 60
UNREADABLE = "番号の形が違います（11 桁の給付管理番号か、24 桁の封入の符号）"
WRONG_CHECK = "封入の符号の検査が合いません"
UNKNOWN = "この番号の手紙は、台帳にありません"
NOT_POSTED = "まだ投函されていない手紙です（印刷所の結果が閉じていません）"
ALREADY = "この手紙は、もう返戻に入れてあります"
TWICE = "この一覧に、もう一度あります"
WHICH = "この番号の手紙が二つ以上あります。封入の符号を読み取ってください"


@dataclass(frozen=True)
class Returned:
    """返戻の一覧の結果。`refused` は（行、わけ）。`repeated` は同じ一覧の二度目。"""

    read: int
    taken: int
    refused: tuple[tuple[int, str], ...]
    repeated: bool


def take(
    home: Home,
    file: Path,
    *,
    reason: str,
    returned_on: date,
    right: Callable[[str], bool],
    actor: Actor,
    clock: Clock,
) -> Returned:
    """一覧を入れる。同じ一覧の二度目は、何も変えない。

    Raises:
        WrongUse: 返戻のわけの言葉、先の日。
        RefusedInput: ファイルがない、空、文字コード。
        RefusedByRule: 役割。どの行も、まだ投函されていない（何も残さない）。
    """
    need_clerk(actor)
    if reason not in RETURN_REASONS:
        raise WrongUse("返戻のわけが違います", code="word", found=reason, allowed="、".join(RETURN_REASONS))
    now = clock()
    if returned_on > tokyo_date(now):
        raise WrongUse("戻った日が、今日より後です", code="day", found=f"{returned_on}")
    data = read_input(file)
    lines = _lines(data, file.name)
    with home.ward.begin() as connection:
        in_turn(connection, "print_results")
        before = _before(connection, sha256_of(data))
        if before is not None:
            return before
        found, refused = _matched(connection, lines, right)
        if not found and NOT_POSTED in refused.values():
            # 残すと、印刷所の結果を閉じた後の同じ一覧が「もう入れてある」になり、戻った手紙が消える。
            raise RefusedByRule(
                f"{NOT_POSTED}。先に benefit letters counts take で結果を閉じ、同じ一覧をもう一度入れてください",
                code="not-posted",
                place=Place(file.name),
            )
        list_id = insert_one(
            connection,
            ward.returned_list,
            file_name=file.name,
            sha256=sha256_of(data),
            returned_on=returned_on,
            reason=reason,
            rows_read=len(lines),
            rows_taken=len(found),
            rows_refused=len(refused),
            taken_by=actor.id,
            taken_at=now,
        )
        _keep(connection, list_id, lines, found, refused)
        audit.record(
            connection,
            ward.audit_log,
            at=now,
            actor=actor,
            action="returned_letters.take",
            subject=f"{list_id}",
            reason=RETURN_REASONS[reason],
            detail={"read": len(lines), "taken": len(found), "refused": len(refused)},
        )
    return Returned(len(lines), len(found), tuple(refused.items()), repeated=False)


def _lines(data: bytes, name: str) -> dict[int, str]:
    """行の番号 → 読み取った文字。CSV なら一列目。数字のない一行目は見出し、空の行は数えない。"""
    for encoding in ("utf-8-sig", "cp932"):
        try:
            text = data.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise RefusedInput("文字コードが読めません", code="encoding", place=Place(name), allowed="UTF-8 か CP932")
    # 読み取り機は、全角で打ち込むことも、先頭に記号を付けることもある。
    cells = {at: line.split(",")[0].strip().strip('"').strip() for at, line in enumerate(text.splitlines(), 1)}
    if cells and not any(sign.isdecimal() for sign in cells.get(1, "")):
        cells.pop(1, None)
    found = {at: cell for at, cell in cells.items() if cell}
    if not found:
        raise RefusedInput("番号が一つもありません", code="empty-file", place=Place(name))
    return found


def _digits(text: str) -> str:
    return "".join(sign for sign in unicodedata.normalize("NFKC", text) if sign in "0123456789")


def _matched(
    connection: Connection, lines: dict[int, str], right: Callable[[str], bool]
) -> tuple[dict[int, int], dict[int, str]]:
    """(行 → 手紙、行 → 断るわけ)。"""
    read = {at: _digits(text) for at, text in lines.items()}
    numbers = sorted({digits[:NUMBER_DIGITS] for digits in read.values() if len(digits) >= NUMBER_DIGITS})
    letters = known_letters(connection, pl.DataFrame({"case_number": numbers}, schema={"case_number": pl.String}))
    closed = closed_lots(connection)
    posted = set(letters.filter(pl.col("lot_id").is_in(list(closed)) & ~pl.col("pulled"))["letter_id"])
    back = set(connection.execute(select(ward.returned_letter.c.letter_id)).scalars())
    by_case: dict[str, list[tuple[str, int]]] = {}
    for row in letters.filter(pl.col("lot_id").is_not_null()).iter_rows(named=True):
        by_case.setdefault(row["case_number"], []).append((row["letter"], row["letter_id"]))
    found: dict[int, int] = {}
    refused: dict[int, str] = {}
    here: set[int] = set()
    for at, digits in read.items():
        answer = _answer(digits, by_case, posted, back, right)
        if isinstance(answer, int) and answer in here:
            answer = TWICE
        if isinstance(answer, int):
            found[at] = answer
            here.add(answer)
        else:
            refused[at] = answer
    return found, refused


def _answer(
    digits: str,
    by_case: dict[str, list[tuple[str, int]]],
    posted: set[int],
    back: set[int],
    right: Callable[[str], bool],
) -> int | str:
    """この読み取りの手紙。決まらなければ、断るわけ。"""
    if len(digits) not in (NUMBER_DIGITS, NUMBER_DIGITS + BRANCH_DIGITS, CODE_DIGITS):
        return UNREADABLE
    if len(digits) == CODE_DIGITS and not right(digits):
        return WRONG_CHECK
    # 番号だけでも、番号と枝番でも、封入の符号でも、手紙の 15 桁の頭が一致するものが候補である。
    head = digits[:LETTER_DIGITS]
    letters = [number for letter, number in by_case.get(digits[:NUMBER_DIGITS], []) if letter.startswith(head)]
    if not letters:
        return UNKNOWN
    sent = [number for number in letters if number in posted]
    if not sent:
        return NOT_POSTED
    waiting = [number for number in sent if number not in back]
    if not waiting:
        return ALREADY
    return waiting[0] if len(waiting) == 1 else WHICH


def _before(connection: Connection, sha256: str) -> Returned | None:
    table, refused = ward.returned_list, ward.returned_refused
    row = connection.execute(select(table).where(table.c.sha256 == sha256)).mappings().first()
    if row is None:
        return None
    query = select(refused.c.record, refused.c.why).where(refused.c.returned_list_id == row["id"])
    told = tuple((each.record, each.why) for each in connection.execute(query.order_by(refused.c.record)))
    return Returned(row["rows_read"], row["rows_taken"], told, repeated=True)


def _keep(
    connection: Connection, list_id: int, lines: dict[int, str], found: dict[int, int], refused: dict[int, str]
) -> None:
    if found:
        connection.execute(
            ward.returned_letter.insert(),
            [{"letter_id": number, "returned_list_id": list_id, "record": at} for at, number in found.items()],
        )
    if refused:
        connection.execute(
            ward.returned_refused.insert(),
            [
                # 制御文字は残さない（NUL は PostgreSQL に入らない）。
                {
                    "returned_list_id": list_id,
                    "record": at,
                    "scanned": "".join(sign for sign in lines[at] if sign.isprintable())[:_SHOWN],
                    "why": why,
                }
                for at, why in refused.items()
            ],
        )
