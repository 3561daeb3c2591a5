"""T17: 監査ログのどんな書き換えも、署名した印と突き合わせれば見つかり、最初に悪い行が名ざされる（reliability P17）。"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from benefit.services import audit_verify
from benefit.services.audit_verify import Verified
from benefit.store import audit, audit_anchors
from benefit.store.audit import Row
from benefit.store.audit_anchors import Anchor
from tests.store.audit_log_rows import KEY, anchors, chain, entry

TIMES = int(os.environ.get("TAMPERINGS", "10000"))
SEED = int(os.environ.get("TAMPER_SEED", "17"))
ROWS = 40
#: 印のある行数。最後の行まで印がある（その後の行は、次の印まで守られない）。
COUNTS = [9, 9, 23, ROWS]

#: 書き換えは、書き換えた行・手元に残る印・名ざされるはずの行番号を返す。
Harm = Callable[[list[Row], random.Random], tuple[list[Row], list[Anchor] | None, int]]
HARMS: dict[str, Harm] = {}


def harm(function: Harm) -> Harm:
    HARMS[function.__name__] = function
    return function


def altered(row: Row, luck: random.Random) -> Row:
    """一つの項目だけを変えた行。"""
    column = luck.choice([1, 2, 3, 4, 5, 6, 7, 8])
    value = row[1] + (luck.choice([-1, 1]) * (row[1] - row[1].replace(microsecond=0) or row[1].resolution))
    return (*row[:column], value if column == 1 else f"{row[column]}X", *row[column + 1 :])


def renumbered(rows: list[Row]) -> list[Row]:
    return [(number, *row[1:]) for number, row in enumerate(rows, start=1)]


@harm
def edit(rows: list[Row], luck: random.Random) -> tuple[list[Row], list[Anchor] | None, int]:
    place = luck.randrange(ROWS)
    return [*rows[:place], altered(rows[place], luck), *rows[place + 1 :]], None, place + 1


@harm
def edit_with_its_fingerprint(rows: list[Row], luck: random.Random) -> tuple[list[Row], list[Anchor] | None, int]:
    place = luck.randrange(ROWS)
    new = chain([altered(rows[place], luck)], rows[place][9])
    return [*rows[:place], *new, *rows[place + 1 :]], None, place + 1


@harm
def edit_a_fingerprint_only(rows: list[Row], luck: random.Random) -> tuple[list[Row], list[Anchor] | None, int]:
    place, column = luck.randrange(ROWS), luck.choice([9, 10])
    row = list(rows[place])
    at = luck.randrange(64)
    row[column] = row[column][:at] + ("0" if row[column][at] != "0" else "1") + row[column][at + 1 :]
    return [*rows[:place], tuple(row), *rows[place + 1 :]], None, place + 1


@harm
def delete(rows: list[Row], luck: random.Random) -> tuple[list[Row], list[Anchor] | None, int]:
    place, many = luck.randrange(ROWS), luck.choice([1, 1, 3])
    return [*rows[:place], *rows[place + many :]], None, place + 1


@harm
def delete_and_close_the_gap(rows: list[Row], luck: random.Random) -> tuple[list[Row], list[Anchor] | None, int]:
    place = luck.randrange(ROWS)
    return renumbered([*rows[:place], *rows[place + 1 :]]), None, place + 1


@harm
def insert(rows: list[Row], luck: random.Random) -> tuple[list[Row], list[Anchor] | None, int]:
    place = luck.randrange(ROWS)
    new = chain([entry(place + 1, luck, actor="誰か")], rows[place][9])
    return renumbered([*rows[:place], *new, *rows[place:]]), None, place + 1


@harm
def insert_outside_the_numbers(rows: list[Row], luck: random.Random) -> tuple[list[Row], list[Anchor] | None, int]:
    number = -luck.randrange(5)
    return [*chain([entry(number, luck)]), *rows], None, number


@harm
def swap(rows: list[Row], luck: random.Random) -> tuple[list[Row], list[Anchor] | None, int]:
    one, other = sorted(luck.sample(range(ROWS), 2))
    new = list(rows)
    new[one], new[other] = new[other], new[one]
    return renumbered(new), None, one + 1


@harm
def truncate(rows: list[Row], luck: random.Random) -> tuple[list[Row], list[Anchor] | None, int]:
    left = luck.randrange(ROWS)
    return rows[:left], None, left + 1


@harm
def rebuild_the_whole_chain(rows: list[Row], luck: random.Random) -> tuple[list[Row], list[Anchor] | None, int]:
    place = luck.randrange(ROWS)
    deed = luck.choice(["edit", "delete", "insert"])
    middle = {"edit": [altered(rows[place], luck)], "delete": [], "insert": [entry(place + 1, luck), rows[place]]}[deed]
    return chain(renumbered([*rows[:place], *middle, *rows[place + 1 :]])), None, place + 1


@harm
def rebuild_and_sign_with_another_key(
    rows: list[Row], luck: random.Random
) -> tuple[list[Row], list[Anchor] | None, int]:
    place = luck.randrange(ROWS)
    new = chain([*rows[:place], altered(rows[place], luck), *rows[place + 1 :]])
    return new, anchors(new, COUNTS, key=luck.randbytes(32)), place + 1


@harm
def rebuild_and_sign_with_the_stolen_key(
    rows: list[Row], luck: random.Random
) -> tuple[list[Row], list[Anchor] | None, int]:
    # 台帳も鍵も持つ人。相手に預けた印だけは、作り直せない。
    place = luck.randrange(ROWS)
    new = chain([*rows[:place], altered(rows[place], luck), *rows[place + 1 :]])
    return new, anchors(new, COUNTS), place + 1


@harm
def replay_an_old_store(rows: list[Row], luck: random.Random) -> tuple[list[Row], list[Anchor] | None, int]:
    left = luck.randrange(len(COUNTS))
    count = COUNTS[left - 1] if left else 0
    if count == ROWS:
        count, left = COUNTS[0], 1
    return rows[:count], anchors(rows, COUNTS)[:left], count + 1


@harm
def replay_an_old_store_and_go_on(rows: list[Row], luck: random.Random) -> tuple[list[Row], list[Anchor] | None, int]:
    count = luck.choice(COUNTS[:3])
    new = chain([*rows[:count], *(entry(number, luck) for number in range(count + 1, ROWS + luck.randrange(9)))])
    return new, [one for one in anchors(rows, COUNTS) if one.row_count <= count], count + 1


def tampered(times: int = TIMES) -> Iterator[tuple[str, list[Row], list[Anchor], list[Anchor], int]]:
    """(書き換えの名, 行, 手元の印, 相手に預けた印, 最初に悪い行)。"""
    print(f"T17 の種: {SEED}、{times} 回")
    luck = random.Random(SEED)
    names = sorted(HARMS)
    for turn in range(times):
        if turn % 200 == 0:
            rows = chain([entry(number, luck) for number in range(1, ROWS + 1)])
            signed = anchors(rows, COUNTS)
        name = names[turn % len(names)]
        new, own, bad = HARMS[name](rows, luck)
        yield name, new, signed if own is None else own, signed, bad


def verified(rows: list[Row], own: list[Anchor], held: list[Anchor]) -> Verified:
    key = audit_anchors.public_key(KEY)
    return audit_verify.check(iter(rows), own, held, side=audit_verify.side("desk"), key=key)


def test_every_tampering_is_found_and_the_first_bad_record_is_named() -> None:
    missed, misnamed = [], []
    for name, rows, own, held, bad in tampered():
        result = verified(rows, own, held)
        if result.sound:
            missed.append((name, bad))
        elif result.broken is None or result.broken.sequence != bad:
            misnamed.append((name, bad, result.broken))
    assert (missed, misnamed[:10]) == ([], [])


def test_an_untouched_log_is_sound_with_and_without_the_other_side() -> None:
    luck = random.Random(SEED)
    rows = chain([entry(number, luck) for number in range(1, ROWS + 1)])
    signed = anchors(rows, COUNTS)
    for own, held in ((signed, []), (signed, signed), (signed, signed[:2]), ([], [])):
        result = verified(rows, own, held)
        assert result.sound
        assert result.rows == ROWS


def test_the_chain_alone_sees_neither_truncation_nor_a_rebuilt_chain_nor_an_old_store() -> None:
    # だから印が要る。この試験は、上の試験が印に頼っていることを言う。
    found = {name: verified(rows, [], []).sound for name, rows, *_rest in tampered(200)}
    assert {name for name, sound in found.items() if sound} >= {
        "truncate",
        "rebuild_the_whole_chain",
        "replay_an_old_store",
    }


def test_an_old_store_is_called_old_and_not_merely_cut() -> None:
    luck = random.Random(SEED)
    rows = chain([entry(number, luck) for number in range(1, ROWS + 1)])
    signed = anchors(rows, COUNTS)
    old = verified(rows[:23], signed[:3], signed)
    assert old.broken is not None
    assert old.broken.kind == "old"
    assert "古い台帳に戻っています" in old.broken.why
    assert "40 行" in old.broken.why
    cut = verified(rows[:23], signed, signed)
    assert cut.broken is not None
    assert cut.broken.kind == "truncated"


@pytest.mark.parametrize("harm", ["署名", "行数", "別の台帳", "抜取り", "鍵", "並び"])
def test_a_tampered_anchor_is_never_trusted(harm: str) -> None:
    luck = random.Random(SEED)
    rows = chain([entry(number, luck) for number in range(1, ROWS + 1)])
    signed = anchors(rows, COUNTS)
    bad = {
        "署名": [*signed[:2], replace(signed[2], signature="0" * 128), *signed[3:]],
        "行数": [*signed[:3], replace(signed[3], row_count=23)],
        "別の台帳": anchors(rows, COUNTS, store="ward"),
        "抜取り": [signed[0], *signed[2:]],
        "鍵": anchors(rows, COUNTS, key=bytes(32)),
        "並び": [signed[0], signed[1], anchors(rows, [9, 9, 30])[2], signed[3]],
    }[harm]
    result = verified(rows, bad, [])
    assert result.faults
    assert not result.sound


def test_tampering_after_the_last_anchor_is_found_by_the_chain_until_the_chain_is_rebuilt() -> None:
    luck = random.Random(SEED)
    rows = chain([entry(number, luck) for number in range(1, ROWS + 1)])
    signed = anchors(rows, COUNTS[:3])
    for place in range(23, ROWS):
        assert verified([*rows[:place], altered(rows[place], luck), *rows[place + 1 :]], signed, []).broken == (
            audit.Broken(place + 1, "内容が書き換えられています")
        )
