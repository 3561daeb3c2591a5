"""種文書 004 の一年の件数（平成 28 年度実績）を、経路ごと・月ごとのファイルで一気に: `python -m tests.bench.collection_year`。

毎月: 標準システムの調定を登録し、済通・汎用収納・特別徴収の収納と納入明細を受け取り、口座振替を請求して結果を受け取る。
銀行の役（引けなかった口座、知らない番号、二度届くファイル）もする。どのファイルも本物の書き手で書き、本物の取込に通す。
`閉じ` は一年の終わりの数と額で、届いたお金 = 消込 + 保留 が経路ごとに合わなければ落ちる。最後の行に JSON。
"""

from __future__ import annotations

import calendar
import json
import resource
import shutil
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl

from benefit.domain.access import BATCH, Actor
from benefit.domain.business_days import is_bank_business_day
from benefit.records import direct_debit, file_reader, file_writer
from benefit.records.layout_registry import BUILT_IN
from benefit.services import (
    bank_master,
    collection_balance,
    collection_files,
    debit_accounts,
    debit_results,
    debit_terms_file,
    direct_debits,
    people,
    receivable_files,
)
from benefit.services.home import Home
from benefit.services.setup import init_ward
from benefit.store import ward

CLERK, APPROVER = Actor("tanto", "clerk"), Actor("shonin1", "approver")
#: (様式, 科目, 一年の件数)。301 住民税、302 軽自動車税、101 国保、401 後期高齢、201 介護、501 清掃、190 特別徴収。
VOLUMES = (
    ("payeasy-paid", "301", 5_742),
    ("payeasy-paid", "302", 1_807),
    ("payeasy-paid", "101", 3_692),
    ("counter-general", "301", 1_430),
    ("counter-general", "101", 1_405),
    ("counter-general", "401", 12_559),
    ("counter-care", "201", 15_515),
    ("counter-cleaning", "501", 669),
    ("special-collection", "190", 182_893),
    ("special-collection-statement", "190", 174_402),
    ("direct-debit", "301", 46_872),
    ("direct-debit", "101", 184_222),
    ("direct-debit", "401", 71_902),
    ("direct-debit", "201", 11_105),
)
TERMS = {"301": "30", "101": "10", "401": "40", "201": "20"}
FRAME = {"made_on": "20260401", "agent_code": "000010", "biller_code": "0000099999", "usage": "1"}
#: 百件に何件か: 引けない口座、知らない番号の入金。
FAILS, STRANGERS = 2, 1
YEAR, MONTHS = 2026, 12


@dataclass
class Closing:
    """一年の終わり。どの経路でも、届いた = 消込 + 保留（円）。"""

    records: int = 0
    files: int = 0
    levies: int = 0
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    rows: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    posted: int = 0
    held: int = 0
    rejected: int = 0
    final_yen: dict[str, int] = field(default_factory=lambda: defaultdict(int))


class Clock:
    """月ごとに進める時計。"""

    def __init__(self) -> None:
        self.now = datetime(YEAR, 4, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now


@dataclass
class Office:
    """収納をする区。`scale` は、一年の件数を何分の一にするか。"""

    home: Home
    place: Path
    scale: int
    clock: Clock = field(default_factory=Clock)
    done: Closing = field(default_factory=Closing)

    def open(self) -> None:
        """台帳、職員、銀行、口座振替の約束。"""
        init_ward(self.home)
        with self.home.ward.begin() as connection:
            for actor in (CLERK, APPROVER):
                people.add(
                    connection, ward.staff, ward.audit_log,
                    staff_id=actor.id, name="試験", role=actor.role, password="x" * 15, actor=BATCH, at=self.clock(),
                )  # fmt: skip
        bank_master.use_rehearsal(self.home, [("9999", "101")])
        path = debit_terms_file.put_example(self.home)
        subjects = "".join(f'"{one}" = {{ code = "{code}", name = "科目{one}" }}\n' for one, code in TERMS.items())
        path.write_text(path.read_text(encoding="utf-8").split("[subjects]")[0] + "[subjects]\n" + subjects)
        self._enrol()

    def _count(self, layout: str, subject: str) -> int:
        """一月の件数。"""
        (yearly,) = (count for name, of, count in VOLUMES if (name, of) == (layout, subject))
        return max(3, yearly // MONTHS // self.scale)

    def _write(self, layout_id: str, rows: pl.DataFrame, name: str) -> Path:
        layout = BUILT_IN[layout_id]
        path = self.place / name
        path.write_bytes(file_writer.write(layout, [(FRAME, rows.select(layout.data.names))]))
        return path

    def _enrol(self) -> None:
        """口座振替の依頼。人は科目ごとに、毎月同じ。"""
        parts = [
            people_of("direct-debit", subject, self._count("direct-debit", subject)).select(
                change_kind=pl.lit("1"),
                person_number=pl.col("person"),
                account_title=pl.lit(subject),
                from_on=pl.lit("20260401"),
                bank_code=pl.lit("9999"),
                branch_code=pl.lit("101"),
                account_type=pl.lit("1"),
                account_number=pl.lit("9") + pl.col("place").cast(pl.String).str.zfill(6),
                holder_kana=pl.lit("ｶｸｳ ﾀﾛｳ"),
            )
            for subject in TERMS
        ]
        file = self._write("direct-debit-accounts", pl.concat(parts), "irai.txt")
        terms = debit_terms_file.load(self.home)
        number = debit_accounts.import_file(self.home, terms, file, reason="依頼書", actor=CLERK, clock=self.clock)
        debit_accounts.approve(self.home, number, actor=APPROVER, clock=self.clock)

    def month(self, turn: int) -> None:
        """一月分（turn は 1 が四月）。"""
        year, month = (YEAR, turn + 3) if turn <= 9 else (YEAR + 1, turn - 9)
        self.clock.now = max(self.clock.now, datetime(year, month, 1, tzinfo=UTC))
        due = debit_day(year, month)
        self._levy(turn, due)
        for layout in dict.fromkeys(name for name, _subject, _count in VOLUMES if name != "direct-debit"):
            self._receive(layout, turn, date(year, month, 10))
        self._debit(turn, due)

    def _levy(self, turn: int, due: date) -> None:
        """この月の調定を、標準システムのファイルで。明細（お金でない）の分はない。"""
        parts = [
            people_of(layout, subject, self._count(layout, subject)).select(
                person_number=pl.col("person"),
                notice_number=pl.col("notice"),
                account_title=pl.lit(subject),
                fiscal_year=pl.lit(f"{YEAR}"),
                term=pl.lit(f"{turn:02d}"),
                amount_yen=pl.col("yen"),
                late_fee_yen=pl.lit(0, dtype=pl.Int64),
                due_on=pl.lit(f"{due:%Y%m%d}"),
                payable_until=pl.lit(f"{due:%Y%m%d}"),
                biller_number=pl.lit("99999"),
                payment_number=pl.format("{}{}{}", pl.lit(subject), pl.lit(f"{turn:02d}"), pl.col("notice")),
                confirmation_number=pl.lit("654321"),
                payment_class=pl.lit("001"),
                payer_kana=pl.lit("ｶｸｳ ﾀﾛｳ"),
                shown=pl.lit("納付書"),
            )
            for layout, subject, _count in VOLUMES
            if layout != "special-collection-statement"
        ]
        levies = pl.concat(parts)
        file = self._write("standard-levies", levies, f"chotei-{turn:02d}.txt")
        started = time.perf_counter()
        made = receivable_files.register(self.home, file, reason="更正", clock=self.clock)
        self.done.seconds["調定の登録"] += time.perf_counter() - started
        assert made.added == levies.height
        self.done.levies += levies.height

    def _receive(self, layout: str, turn: int, paid_on: date) -> None:
        subjects = [subject for name, subject, _count in VOLUMES if name == layout]
        rows = pl.concat(
            [paid_rows(layout, subject, self._count(layout, subject), turn, paid_on) for subject in subjects]
        )
        file = self._write(layout, rows, f"{layout}-{turn:02d}.txt")
        started = time.perf_counter()
        taken = collection_files.receive(self.home, layout, file, clock=self.clock).collected
        self._note(layout, time.perf_counter() - started, rows.height, taken)
        # 同じファイルがもう一度届いても、何も変わらない。
        again = collection_files.receive(self.home, layout, file, clock=self.clock).collected
        assert (again.repeated, again.file_id) == (True, taken.file_id)
        file.unlink()

    def _note(self, layout: str, seconds: float, read: int, taken: collection_files.Collected) -> None:
        assert taken.rows_read == read == taken.rows_posted + taken.rows_held + taken.rows_rejected
        self.done.seconds[layout] += seconds
        self.done.rows[layout] += read
        self.done.records += read
        self.done.files += 1
        self.done.posted += taken.rows_posted
        self.done.held += taken.rows_held
        self.done.rejected += taken.rows_rejected
        self.done.final_yen[layout] += taken.final_yen

    def _debit(self, turn: int, debit_on: date) -> None:
        """請求を作り、別の人が承認し、送り出し、結果を受け取る。"""
        started = time.perf_counter()
        made = direct_debits.make(self.home, debit_on=debit_on, reason="引落", actor=CLERK, clock=self.clock).request
        assert made is not None
        direct_debits.approve(self.home, made.id, actor=APPROVER, clock=self.clock)
        sent = direct_debits.release(self.home, made.id, out=self.place, actor=CLERK, clock=self.clock)
        self.done.seconds["direct-debit-request"] += time.perf_counter() - started
        rows = file_reader.read(sent.read_bytes(), direct_debit.REQUEST).require()
        self.done.rows["direct-debit-request"] += rows.height
        self.done.records += rows.height
        failed = pl.int_range(pl.len()) % 100 < FAILS
        told = rows.with_columns(result_code=pl.when(failed).then(pl.lit("1")).otherwise(pl.lit("0")))
        header = debit_terms_file.header(debit_terms_file.load(self.home), f"{debit_on:%m%d}")
        answer = file_writer.write(direct_debit.RESULT, [(header, told.select(direct_debit.RESULT.data.names))])
        self.clock.now = datetime(debit_on.year, debit_on.month, debit_on.day, 12, tzinfo=UTC)
        started = time.perf_counter()
        taken = debit_results.take(self.home, answer, file_name=f"kekka-{turn:02d}.txt", clock=self.clock)
        self.done.seconds["direct-debit-result"] += time.perf_counter() - started
        assert taken.counts["told_count"] == rows.height == made.line_count
        assert taken.counts["failed_count"] == told.filter(pl.col("result_code") == "1").height
        self.done.rows["direct-debit-result"] += rows.height
        self.done.records += rows.height
        self.done.files += 2
        self.done.posted += taken.collected.rows_posted
        self.done.held += taken.collected.rows_held
        self.done.final_yen["direct-debit-result"] += taken.collected.final_yen
        sent.unlink()

    def close(self) -> Closing:
        """一年の終わり: 経路ごとに、届いた額 = 消込 + 保留 で、取込の時に言った額とも同じ。"""
        days = collection_balance.days(self.home)
        whole = days.select(pl.col("arrived_yen", "posted_yen", "held_yen").sum()).row(0)
        assert whole[0] == whole[1] + whole[2]
        assert whole[0] == sum(yen for name, yen in self.done.final_yen.items() if "statement" not in name)
        self.done.final_yen["合計（消込）"], self.done.final_yen["合計（保留）"] = whole[1], whole[2]
        return self.done


def debit_day(year: int, month: int) -> date:
    """月の末の、銀行の営業日。"""
    day = date(year, month, calendar.monthrange(year, month)[1])
    while not is_bank_business_day(day):
        day -= timedelta(1)
    return day


def people_of(layout: str, subject: str, count: int) -> pl.DataFrame:
    """place（0 から）、person（宛名番号）、notice（12 桁）、yen。経路ごとに、別の人。"""
    turn = list(dict.fromkeys(name for name, _subject, _count in VOLUMES)).index(layout)
    place = pl.int_range(count, dtype=pl.Int64, eager=True).alias("place")
    first = (turn + 1) * 1_000_000
    return pl.DataFrame(place).select(
        "place",
        person=(first + pl.col("place")).cast(pl.String).str.zfill(15),
        notice=(first + pl.col("place")).cast(pl.String).str.zfill(12),
        yen=3_000 + pl.col("place") % 90 * 100,
    )


def paid_rows(layout: str, subject: str, count: int, turn: int, paid_on: date) -> pl.DataFrame:
    """この月に届く行。百に一つは、知らない番号。"""
    stranger = pl.col("place") % 100 < STRANGERS
    everyone = people_of(layout, subject, count).with_columns(
        notice=pl.when(stranger).then(pl.lit("999") + pl.col("notice").str.slice(3)).otherwise(pl.col("notice"))
    )
    day, year, zero = f"{paid_on:%Y%m%d}", f"{YEAR}", pl.lit(0, dtype=pl.Int64)
    key = {"fiscal_year": pl.lit(year), "term": pl.lit(f"{turn:02d}")}
    where = {"bank_code": pl.lit("9999"), "branch_code": pl.lit("101"), "paid_on": pl.lit(day)}
    hand = pl.when(pl.col("place") % 9 == 0).then(pl.lit("2")).otherwise(pl.lit("1"))
    if layout == "payeasy-paid":
        number = pl.format("{}{}{}", pl.lit(subject), pl.lit(f"{turn:02d}"), pl.col("notice"))
        return everyone.select(
            data_kind=pl.lit("02"), biller_number=pl.lit("99999"), account_title=pl.lit(subject), **key,
            amount_yen=pl.col("yen"), payment_number=number, confirmation_number=pl.lit("654321"),
            payment_class=pl.lit("001"), **where, paid_at=pl.lit("091530"), channel=pl.lit("2"), settles_on=pl.lit(day),
        )  # fmt: skip
    employer = {"employer_number": pl.col("notice").str.zfill(15), "paid_yen": pl.col("yen"), "late_fee_yen": zero}
    if layout == "special-collection":
        return everyone.select(entry_kind=hand, **key, **employer, retirement_yen=zero, **where)
    if layout == "special-collection-statement":
        return everyone.select(
            agent_bank_code=pl.lit("9999"), agent_bank_name=pl.lit("ｶｸｳｷﾞﾝｺｳ"), hub_branch_code=pl.lit("001"),
            hub_branch_name=pl.lit("ﾎﾝﾃﾝ"), branch_name=pl.lit("ﾐﾅﾐｼﾃﾝ"), **employer,
            employer_name=pl.format("株式会社架空{}", pl.col("place")), employer_postal_code=pl.lit("1000000"),
            employer_address=pl.lit("東京都架空区架空町一丁目２－３"), retirement_yen=zero, **where,
        )  # fmt: skip
    counter = everyone.select(
        entry_kind=hand, account_title=pl.lit(subject), **key, amount_yen=pl.col("yen"), paid_yen=pl.col("yen"),
        late_fee_yen=zero, **where, notice_number=pl.col("notice"),
    )  # fmt: skip
    if layout == "counter-cleaning":
        return counter.with_columns(
            levied_yen=pl.col("paid_yen"), fee_yen=pl.lit(100, dtype=pl.Int64), payer=pl.lit("架空清掃㈱")
        )
    return counter


def run(home: Home, place: Path, *, scale: int = 1, months: Sequence[int] = range(1, MONTHS + 1)) -> Closing:
    """通して、閉じる。"""
    place.mkdir(parents=True, exist_ok=True)
    office = Office(home, place, scale)
    office.open()
    for turn in months:
        office.month(turn)
    return office.close()


def main(scale: int, url: str) -> None:
    place = Path(tempfile.mkdtemp(prefix="collection-year-"))
    try:
        home = Home.at(place / "home", ward_url=url or None)
        started = time.perf_counter()
        done = run(home, place / "files", scale=scale)
        told = {
            "records": done.records, "files": done.files, "levies": done.levies, "posted": done.posted,
            "held": done.held, "rejected": done.rejected, "seconds": dict(done.seconds), "rows": dict(done.rows),
            "final_yen": dict(done.final_yen), "whole": time.perf_counter() - started,
            "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        }  # fmt: skip
        home.ward.dispose()
        sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")
    finally:
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1, sys.argv[2] if len(sys.argv) > 2 else "")
