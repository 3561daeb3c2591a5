"""T08: 送り出したファイルの、一バイト・一行のどの壊れ方も、二人目の読み手が断る（reliability P8）。

件数は BENEFIT_T08 で増やせる。
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable

import pytest

from benefit.records import zengin_reader
from tests.money.released import RECORD, Released, released
from tests.services.conftest import Office

CORRUPTIONS = int(os.environ.get("BENEFIT_T08", "20000"))
pytestmark = pytest.mark.parametrize("office", ["sqlite"], indirect=True)


def _one_byte(content: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(content))
    return content[:at] + bytes(((content[at] + rng.randrange(1, 256)) % 256,)) + content[at + 1 :]


def _one_digit(content: bytes, rng: random.Random) -> bytes:
    """数字を、ほかの数字に。様式としては正しいままである。"""
    at = rng.choice([at for at, byte in enumerate(content) if 0x30 <= byte <= 0x39])
    other = rng.choice([digit for digit in b"0123456789" if digit != content[at]])
    return content[:at] + bytes((other,)) + content[at + 1 :]


def _one_letter(content: bytes, rng: random.Random) -> bytes:
    """カナを、ほかのカナに（濁点の出入りを含む）。"""
    at = rng.choice([at for at, byte in enumerate(content) if 0xB1 <= byte <= 0xDF])
    other = rng.choice([kana for kana in range(0xB1, 0xE0) if kana != content[at]])
    return content[:at] + bytes((other,)) + content[at + 1 :]


def _one_bit(content: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(content))
    return content[:at] + bytes((content[at] ^ 1 << rng.randrange(8),)) + content[at + 1 :]


def _byte_lost(content: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(content))
    return content[:at] + content[at + 1 :]


def _byte_added(content: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(content) + 1)
    return content[:at] + bytes((rng.choice((0x00, 0x0A, 0x0D, 0x1A, 0x20, 0x30, 0xB1)),)) + content[at:]


def _two_bytes_swapped(content: bytes, rng: random.Random) -> bytes:
    """同じ行の違う二バイトを入れ替える（番号の打ち違い）。"""
    start = rng.randrange(len(content) // RECORD) * RECORD
    one = start + rng.randrange(RECORD)
    other = rng.choice([at for at in range(start, start + RECORD) if content[at] != content[one]])
    swapped = bytearray(content)
    swapped[one], swapped[other] = swapped[other], swapped[one]
    return bytes(swapped)


def _records(content: bytes) -> list[bytes]:
    return [content[at : at + RECORD] for at in range(0, len(content), RECORD)]


def _lines_swapped(content: bytes, rng: random.Random) -> bytes:
    records = _records(content)
    one, other = rng.sample(range(len(records)), 2)
    records[one], records[other] = records[other], records[one]
    return b"".join(records)


def _line_lost(content: bytes, rng: random.Random) -> bytes:
    records = _records(content)
    del records[rng.randrange(len(records))]
    return b"".join(records)


def _line_doubled(content: bytes, rng: random.Random) -> bytes:
    records = _records(content)
    records.insert(rng.randrange(len(records) + 1), rng.choice(records))
    return b"".join(records)


def _line_replaced(content: bytes, rng: random.Random) -> bytes:
    records = _records(content)
    at = rng.randrange(len(records))
    records[at] = rng.choice([record for record in records if record != records[at]])
    return b"".join(records)


def _line_moved(content: bytes, rng: random.Random) -> bytes:
    records = _records(content)
    at = rng.randrange(len(records))
    moved = records.pop(at)
    records.insert(rng.choice([to for to in range(len(records) + 1) if to != at]), moved)
    return b"".join(records)


def _line_lost_with_its_total(content: bytes, rng: random.Random) -> bytes:
    """一件を抜き、件数と合計を直す。ファイルの中だけを見れば、正しいファイルである。"""
    records = _records(content)
    at = rng.randrange(1, len(records) - 2)
    del records[at]
    return b"".join(_retotalled(records))


def _yen_moved(content: bytes, rng: random.Random) -> bytes:
    """一件から別の件へ金額を移す。件数も合計も合ったままである。"""
    records = _records(content)
    poor, rich = rng.sample(range(1, len(records) - 2), 2)
    moved = rng.randrange(1, int(records[poor][80:90]))
    for at, yen in ((poor, -moved), (rich, moved)):
        records[at] = records[at][:80] + b"%010d" % (int(records[at][80:90]) + yen) + records[at][90:]
    return b"".join(records)


def _amount_times_ten(content: bytes, rng: random.Random) -> bytes:
    records = _records(content)
    at = rng.randrange(1, len(records) - 2)
    records[at] = records[at][:80] + b"%010d" % (int(records[at][80:90]) * 10) + records[at][90:]
    return b"".join(_retotalled(records))


def _account_swapped(content: bytes, rng: random.Random) -> bytes:
    """二人の口座（銀行・店・種目・番号・名義）を取り替える。金額・件数・合計は同じままである。"""
    records = _records(content)
    one = rng.randrange(1, len(records) - 2)
    others = [at for at in range(1, len(records) - 2) if records[at][1:80] != records[one][1:80]]
    other = rng.choice(others)
    first, second = records[one], records[other]
    records[one] = first[:1] + second[1:80] + first[80:]
    records[other] = second[:1] + first[1:80] + second[80:]
    return b"".join(records)


def _redated(content: bytes, rng: random.Random) -> bytes:
    days = [f"{month:02d}{day:02d}".encode() for month in range(1, 13) for day in range(1, 29)]
    return content[:54] + rng.choice([day for day in days if day != content[54:58]]) + content[58:]


def _retotalled(records: list[bytes]) -> list[bytes]:
    paid = [int(record[80:90]) for record in records[1:-2]]
    records[-2] = b"8%06d%012d" % (len(paid), sum(paid)) + records[-2][19:]
    return records


BYTES = (_one_byte, _one_digit, _one_letter, _one_bit, _byte_lost, _byte_added, _two_bytes_swapped)
LINES = (
    _lines_swapped, _line_lost, _line_doubled, _line_replaced, _line_moved, _line_lost_with_its_total, _yen_moved,
    _amount_times_ten, _account_swapped, _redated,
)  # fmt: skip


def corrupt(
    file: Released, ways: tuple[Callable[[bytes, random.Random], bytes], ...], times: int, rng: random.Random
) -> Counter[str]:
    """`times` 回壊し、断られなかった壊れ方を数える。壊して同じバイト列に戻った回は、数に入れない。"""
    missed: Counter[str] = Counter()
    done = 0
    while done < times:
        way = ways[done % len(ways)]
        content = way(file.content, rng)
        if content == file.content:
            continue
        done += 1
        missed[way.__name__] += not file.refused(content)
    return +missed


def test_ten_thousand_corruptions_of_bytes_are_all_refused(office: Office, rng: random.Random) -> None:
    assert corrupt(released(office), BYTES, CORRUPTIONS // 2, rng) == {}


def test_ten_thousand_corruptions_of_lines_are_all_refused(office: Office, rng: random.Random) -> None:
    assert corrupt(released(office), LINES, CORRUPTIONS // 2, rng) == {}


def test_totals_taken_from_the_parsed_lines_would_let_corruptions_through(
    office: Office, rng: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    """わざと入れた誤り: 合計をトレーラでも台帳でもなく、読んだ行から作ると、上の試験が見つける。"""
    file = released(office)

    def believe(reading: zengin_reader._Reading, line_count: int, total_yen: int) -> None:
        """読んだ行の件数と合計を、正しいものとみなす。"""

    monkeypatch.setattr(zengin_reader._Reading, "check_end", believe)
    missed = corrupt(file, BYTES, 2_000, rng)
    assert missed["_one_digit"]
    assert missed["_one_byte"]


def test_an_expectation_taken_from_the_file_would_let_corruptions_through(office: Office, rng: random.Random) -> None:
    """わざと入れた誤り: 期待を台帳からでなくファイルから作ると、中で辻褄の合う壊れ方が全部通る。"""
    file = released(office)
    trusting = Believer(file.content, file.lines, file.expected)
    ways = (_line_lost_with_its_total, _yen_moved, _amount_times_ten, _account_swapped)
    assert corrupt(trusting, ways, 400, rng) == dict.fromkeys((way.__name__ for way in ways), 100)


class Believer(Released):
    """ファイルの言うことを、そのまま期待にする誤った読み手。"""

    def refused(self, content: bytes) -> bool:
        told = []
        for record in _records(content)[1:-2]:
            text = record.decode("cp932")
            told.append((
                text[1:5], text[5:20].rstrip(), text[20:23], text[23:38].rstrip(), text[42], text[43:50],
                text[50:80].rstrip(), int(text[80:90]), text[90], text[91:101], text[101:111],
            ))  # fmt: skip
        return bool(zengin_reader.findings(content, self.expected[0], told))
