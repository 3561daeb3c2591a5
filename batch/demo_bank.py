"""デモの銀行の役: 振込ファイルに答える。

ほとんどは入金済。少しは振込不能。その三件に一件は「照会中」と答え、後から六項目だけの知らせ（seed 000）で不能になる。
"""

from __future__ import annotations

import csv
import io
from datetime import date

from benefit.records import transfer_results
from benefit.records.transfer_result_row import Outcome

_NAME_MISMATCH = "03"
_LATE_EVERY = 3


def answer(request: bytes, *, created_on: date, every: int, start: int) -> tuple[bytes, bytes]:
    """(120 桁の結果ファイル, 六項目の CSV)。every 件に一件を不能にする（0 ならみな入金）。CSV は、なければ空。"""
    count = len(request.splitlines()) - 3
    answers = [transfer_results.Answer(Outcome.CREDITED) for _ in range(count)]
    late = []
    for position, at in enumerate(range(start, count, every) if every else ()):
        if position % _LATE_EVERY == _LATE_EVERY - 1:
            answers[at] = transfer_results.Answer(Outcome.INQUIRING)
            late.append(at)
        else:
            answers[at] = transfer_results.Answer(Outcome.FAILED, _NAME_MISMATCH)
    results = transfer_results.mirror(request, answers, created_on=created_on)
    return results, _six_items(request, late) if late else b""


def _six_items(request: bytes, lines: list[int]) -> bytes:
    records = request.decode("cp932").split("\r\n")
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(["金融機関コード", "店舗コード", "預金種目", "口座番号", "口座名義人名", "振込金額"])
    for at in lines:
        record = records[at + 1]
        writer.writerow(
            [record[1:5], record[20:23], record[42], record[43:50], record[50:80].rstrip(), int(record[80:90])]
        )
    return buffer.getvalue().encode("cp932")
