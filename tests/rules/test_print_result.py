"""T13 一つの封筒に一人の紙: 失う、重なる、入れ替わる、ずれる、止まる、混ざる。どれも、番号で名ざす（P12、E10）。

千の束を、本物のファイルのバイト列から読んで突き合わせる。名ざす番号の集まりは、壊した側が知っている答えと同じ。
種は PRINT_SEED、束の数は BENEFIT_T13 で変える。
"""

from __future__ import annotations

import os
import random
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta

import polars as pl
import pytest

from benefit.domain import print_result as words
from benefit.domain.errors import RefusedInput
from benefit.domain.print_result import CLOSED, GOOD, POSTED, REMADE, SPOILED, STOPPED
from benefit.records import print_result
from benefit.rules.print_result import EXPECTED, STRANGERS, Counted, reconcile
from tests.support.print_lots import written

BATCHES = int(os.environ.get("BENEFIT_T13", "1000"))
SEED = int(os.environ.get("PRINT_SEED", "0")) or secrets.randbits(32)
MADE, TODAY = date(2024, 6, 24), date(2024, 7, 5)
Row = tuple[str, str, date, str]


@dataclass
class Batch:
    """一つの束: 渡した手紙（番号 → 一枚ずつのコード）と、印刷所の一枚ごとの行。"""

    letters: dict[str, list[str]]
    rows: list[Row] = field(default_factory=list)
    void: dict[str, date] = field(default_factory=dict)
    strangers: dict[str, str] = field(default_factory=dict)

    @property
    def codes(self) -> list[str]:
        return [code for sheets in self.letters.values() for code in sheets]

    def siblings(self, *codes: str) -> set[str]:
        """同じ手紙の、全部の紙。"""
        return {sheet for code in codes for sheet in self.letters[code[:15]]}

    def count(self, content: bytes | None = None) -> Counted:
        expected = pl.DataFrame(
            [
                (code, letter, len(sheets), self.void.get(letter))
                for letter, sheets in self.letters.items()
                for code in sheets
            ],
            schema=EXPECTED,
            orient="row",
        )
        rows = print_result.read(content or written(self.rows), file="kekka.csv")
        strangers = pl.DataFrame(list(self.strangers.items()), schema=STRANGERS, orient="row")
        return reconcile(expected, rows, strangers, made_on=MADE, today=TODAY)


def sheet_code(letter: str, sheet: int, sheets: int, *, layout: int = 123) -> str:
    """見本の封入の符号。検は、ここでは数のほかの意味を持たない（台帳の試験が本物で確かめる）。"""
    return f"{letter}{sheet}{sheets}{layout:03d}{(int(letter) + sheet) % 10_000:04d}"


def made(roll: random.Random) -> Batch:
    """まちがいのない束。一割は損じて作り直され、何通かは抜き取られている。"""
    batch = Batch({})
    for _ in range(roll.randrange(6, 24)):
        letter, sheets = f"{roll.randrange(10**10, 10**11)}0102", roll.choice((1, 1, 2, 3))
        batch.letters[letter] = [sheet_code(letter, at + 1, sheets) for at in range(sheets)]
    printed, remade, posted = (MADE + timedelta(days) for days in (1, 2, 3))
    for envelope, (letter, sheets) in enumerate(batch.letters.items(), 1):
        pulled = roll.random() < 0.04
        # 出した後の出し直し（返戻など）は、投函を誤りにしない。
        later = roll.random() < 0.04
        if pulled or later:
            batch.void[letter] = printed if pulled else posted + timedelta(1)
        for code in sheets:
            # 無効の手紙の、損だけが残った行は、抜き取りと同じ姿になる（送られていないのだから、それでよい）。
            spoiled = pulled or (not later and roll.random() < 0.1)
            batch.rows.append((code, SPOILED if spoiled else GOOD, printed, ""))
            if spoiled and not pulled:
                batch.rows.append((code, REMADE, remade, ""))
            if not pulled:
                batch.rows.append((code, POSTED, posted, f"E{envelope:05d}"))
    if roll.random() < 0.5:
        roll.shuffle(batch.rows)
    return batch


def posted_codes(batch: Batch, *, sheets: int = 1) -> list[str]:
    return sorted(code for code, deed, _on, _at in batch.rows if deed == POSTED and int(code[16]) >= sheets)


def lose(batch: Batch, roll: random.Random) -> set[str]:
    """何枚かの行が、まるごとない。"""
    lost = set(roll.sample(posted_codes(batch), roll.choice((1, 1, 2, 3))))
    batch.rows = [row for row in batch.rows if row[0] not in lost]
    left = {row[0] for row in batch.rows if row[1] == POSTED}
    return lost | (batch.siblings(*lost) & left)


def lose_one_row(batch: Batch, roll: random.Random) -> set[str]:
    """投函の一行だけがない。同じ封筒の紙は、半分の封筒になる。"""
    lost = roll.choice(posted_codes(batch))
    batch.rows = [row for row in batch.rows if row[:2] != (lost, POSTED)]
    return batch.siblings(lost)


def repeat(batch: Batch, roll: random.Random) -> set[str]:
    row = roll.choice(batch.rows)
    batch.rows.append(row)
    return {row[0]}


def repeat_in_another_envelope(batch: Batch, roll: random.Random) -> set[str]:
    """同じ一枚が二枚刷られ、自分だけの封筒でもう一通出た。"""
    code = roll.choice(posted_codes(batch))
    batch.rows.append((code, POSTED, TODAY, "E99999"))
    return batch.siblings(code)


def swap(batch: Batch, roll: random.Random) -> set[str]:
    """二通の、同じ順の紙が入れ替わって封入された。"""
    codes = [code for code in posted_codes(batch, sheets=2) if code[15] == "2"]
    if len(codes) < 2:
        return set()
    one, other = roll.sample(codes, 2)
    at = {row[0]: row[3] for row in batch.rows if row[1] == POSTED}
    switch = {one: at[other], other: at[one]}
    batch.rows = [(*row[:3], switch.get(row[0], row[3])) if row[1] == POSTED else row for row in batch.rows]
    return batch.siblings(one, other)


def shift_by_one(batch: Batch, roll: random.Random) -> set[str]:
    """ある通から先、二枚目から後が一つずつ前の封筒に入った（i 番の宛名に i+1 番の中身）。"""
    letters = [code[:15] for code in posted_codes(batch, sheets=2) if code[15] == "1"]
    letters = [letter for letter in batch.letters if letter in letters]
    if len(letters) < 2:
        return set()
    start = roll.randrange(len(letters) - 1)
    at = {row[0][:15]: row[3] for row in batch.rows if row[1] == POSTED}
    before = {later: at[earlier] for earlier, later in zip(letters[start:], letters[start + 1 :], strict=False)}
    batch.rows = [
        (*row[:3], before[row[0][:15]]) if row[1] == POSTED and row[0][15] != "1" and row[0][:15] in before else row
        for row in batch.rows
    ]
    return {sheet for letter in letters[start:] for sheet in batch.letters[letter]}


def stop_half_way(batch: Batch, roll: random.Random) -> set[str]:
    """ファイルが途中で終わる。"""
    cut = roll.randrange(1, len(batch.rows))
    gone = batch.rows[cut:]
    batch.rows = batch.rows[:cut]
    hurt = {row[0] for row in gone}
    # 抜き取りは一通まるごと。一枚の行がなければ、残りの紙の損も、作り直しのない損である。
    pulled = {row[0] for row in gone if batch.void.get(row[0][:15], TODAY) < TODAY - timedelta(7)}
    left = {row[0] for row in batch.rows if row[1] == POSTED or row[0][:15] in {code[:15] for code in pulled}}
    return hurt | (batch.siblings(*(row[0] for row in gone if row[1] == POSTED), *pulled) & left)


def mix_lots(batch: Batch, roll: random.Random) -> set[str]:
    """別のロットの手紙が、自分の封筒で混ざった。"""
    letter = f"{roll.randrange(10**10, 10**11)}0102"
    code = sheet_code(letter, 1, 1)
    batch.strangers[code] = words.OTHER_LOT
    batch.rows += [(code, GOOD, MADE, ""), (code, POSTED, TODAY, "E88888")]
    return {code}


def stranger_in_the_envelope(batch: Batch, roll: random.Random) -> set[str]:
    """台帳にない紙が、ある人の封筒に入った。"""
    code = sheet_code(f"{roll.randrange(10**10, 10**11)}0102", 1, 1)
    batch.strangers[code] = words.UNKNOWN
    beside = roll.choice([row for row in batch.rows if row[1] == POSTED])
    batch.rows.append((code, POSTED, TODAY, beside[3]))
    return {code} | batch.siblings(beside[0])


def half_envelope(batch: Batch, roll: random.Random) -> set[str]:
    """一通のうちの一枚だけが、刷られず、封筒にもない。"""
    codes = posted_codes(batch, sheets=2)
    if not codes:
        return set()
    lost = roll.choice(codes)
    batch.rows = [row for row in batch.rows if row[0] != lost]
    return batch.siblings(lost)


def old_form(batch: Batch, roll: random.Random) -> set[str]:
    """古い版の紙が、正しい紙の代わりに刷られ、投函された。"""
    right = roll.choice(posted_codes(batch))
    wrong = f"{right[:17]}007{right[20:]}"
    batch.strangers[wrong] = words.OTHER_FORM
    batch.rows = [(wrong, *row[1:]) if row[0] == right else row for row in batch.rows]
    return batch.siblings(right) | {wrong}


def remake_without_spoiling(batch: Batch, roll: random.Random) -> set[str]:
    code = roll.choice([code for code, deed, _on, _at in batch.rows if deed == GOOD])
    batch.rows.append((code, REMADE, MADE + timedelta(2), ""))
    return {code}


def post_a_void_letter(batch: Batch, roll: random.Random) -> set[str]:
    """封入の後、投函の日の前に無効になった手紙が、そのまま投函された。"""
    letter = roll.choice(posted_codes(batch))[:15]
    batch.void[letter] = MADE + timedelta(3)
    return set(batch.letters[letter])


def post_before_it_was_made(batch: Batch, roll: random.Random) -> set[str]:
    code = roll.choice(posted_codes(batch))
    batch.rows = [(*row[:2], MADE, row[3]) if row[:2] == (code, POSTED) else row for row in batch.rows]
    return {code}


Break = Callable[[Batch, random.Random], set[str]]
BREAKS: list[Break] = [
    lose, lose_one_row, repeat, repeat_in_another_envelope, swap, shift_by_one, stop_half_way, mix_lots,
    stranger_in_the_envelope, half_envelope, old_form, remake_without_spoiling, post_a_void_letter,
    post_before_it_was_made,
]  # fmt: skip


def named(done: Counted) -> set[str]:
    return set(done.faults["code"])


def test_every_wrong_sheet_of_a_thousand_batches_is_named_and_no_right_one() -> None:
    """束の三つに一つは、まちがいがない。ほかは、一つの壊し方で壊してある。"""
    print(f"PRINT_SEED={SEED}")
    seen = dict.fromkeys((way.__name__ for way in BREAKS), 0)
    for number in range(BATCHES):
        roll = random.Random(f"{SEED}/{number}")
        batch = made(roll)
        if number % 3 == 0:
            done = batch.count()
            assert (done.state, named(done)) == (CLOSED, set()), f"種 {SEED}/{number}: まちがいのない束"
            assert done.sent == len(batch.codes) == done.good + done.spoiled
            assert (done.spoiled, done.posted) == (done.remade + done.pulled, done.good + done.remade)
            continue
        way = BREAKS[number % len(BREAKS)]
        if not posted_codes(batch):
            continue
        wrong = way(batch, roll)
        if not wrong:
            continue
        seen[way.__name__] += 1
        done = batch.count()
        assert named(done) == wrong, f"種 {SEED}/{number}: {way.__name__}"
        assert (done.state, done.wrong) == (STOPPED, len(wrong))
    if BATCHES >= 1000:
        assert min(seen.values()) >= 20, seen


def small() -> Batch:
    """二枚の一通と、一枚の二通。"""
    letters = {f"{number}0000000000{'0102'}": sheets for number, sheets in ((1, 2), (2, 1), (3, 1))}
    batch = Batch({one: [sheet_code(one, at + 1, sheets) for at in range(sheets)] for one, sheets in letters.items()})
    for place, sheets in enumerate(batch.letters.values()):
        batch.rows += [(code, GOOD, MADE, "") for code in sheets]
        batch.rows += [(code, POSTED, TODAY, f"E{place}") for code in sheets]
    return batch


def faults_of(batch: Batch) -> list[tuple[str, str]]:
    return batch.count().faults.select("code", "fault").rows()


@pytest.mark.parametrize("encoding", ["cp932", "utf-8", "utf-8-sig"])
def test_the_file_is_read_in_either_code_and_a_clean_one_closes(encoding: str) -> None:
    batch = small()
    done = batch.count(written(batch.rows, encoding))
    assert (done.sent, done.good, done.spoiled, done.remade, done.posted) == (4, 4, 0, 0, 4)
    assert (done.state, done.posted_from, done.posted_to) == (CLOSED, TODAY, TODAY)


def test_each_reason_is_said() -> None:
    first, second = small().letters["100000000000102"]
    alone, other = (sheets[0] for sheets in list(small().letters.values())[1:])
    batch = small()
    batch.rows = [row for row in batch.rows if row[0] != second]
    assert faults_of(batch) == [(first, words.HALF_ENVELOPE), (second, words.MISSING)]
    batch = small()
    batch.rows[0] = (first, SPOILED, MADE, "")
    assert faults_of(batch) == [(first, words.NOT_REMADE), (first, words.POSTED_FROM_NOTHING)]
    batch = small()
    batch.rows = [(*row[:3], row[3] and "E9") if row[0] in (alone, other) else row for row in batch.rows]
    assert faults_of(batch) == [(alone, words.MIXED_ENVELOPE), (other, words.MIXED_ENVELOPE)]
    batch = small()
    batch.rows.append((alone, SPOILED, MADE, ""))
    assert [fault for _code, fault in faults_of(batch)] == [words.TWICE, words.NOT_REMADE]
    batch = small()
    batch.void["200000000000102"] = TODAY
    assert faults_of(batch) == [(alone, words.VOID_BRANCH)]
    batch.void["200000000000102"] = TODAY + timedelta(1)
    assert faults_of(batch) == []


def test_a_pulled_letter_is_spoiled_only() -> None:
    """刷った後に無効になった手紙は、損とだけ書いて捨てる。生きている手紙では、作り直しが要る。"""
    batch = small()
    alone = batch.letters["200000000000102"][0]
    batch.rows = [row for row in batch.rows if row[0] != alone] + [(alone, SPOILED, TODAY, "")]
    assert faults_of(batch) == [(alone, words.NOT_REMADE)]
    batch.void["200000000000102"] = MADE
    done = batch.count()
    assert (done.state, done.spoiled, done.remade, done.pulled) == (CLOSED, 1, 0, 1)


def test_a_day_before_the_lot_or_after_today_is_named() -> None:
    for wrong in (MADE - timedelta(1), TODAY + timedelta(1)):
        batch = small()
        deed = GOOD if wrong < MADE else POSTED
        place = next(at for at, row in enumerate(batch.rows) if row[1] == deed)
        batch.rows[place] = (*batch.rows[place][:2], wrong, batch.rows[place][3])
        assert faults_of(batch) == [(batch.rows[place][0], words.DATE_ORDER)]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("1,良,20240625", "列の数"),
        ("1,可,20240625,", "区分"),
        ("1,良,20240631,", "日付"),
        ("1,投函,20240625,", "封筒番号"),
        ("1,良,20240625,E1", "封筒番号"),
        (",良,20240625,", "封入の符号"),
    ],
)
def test_a_row_of_another_shape_refuses_the_whole_file(row: str, says: str) -> None:
    good = written(small().rows).decode("cp932")
    with pytest.raises(RefusedInput, match=says):
        print_result.read(f"{good}{row}\r\n".encode("cp932"), file="kekka.csv")


def test_an_empty_file_closes_nothing() -> None:
    with pytest.raises(RefusedInput):
        print_result.read(written([]), file="kekka.csv")
