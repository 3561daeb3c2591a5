"""届いたものが、もう一度、形を変えて届く: 名を変え、並べ替え、書き方を変え、分け、合わせ、番号や日を変える。

台本一つは、新しい権利の申し出と、前に届いたものの繰り返しを混ぜた並びである。同じものの繰り返しは何も変えず、
形を変えた繰り返しは、誰にも二度払わない。
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from benefit.domain.errors import RefusedByRule
from benefit.records.planned_payments import FILE_NAME
from benefit.services import extracts
from benefit.store import ward
from tests.ledger.books import CREDITED, FAILED, FIRST, JUDGED, SECOND, Books
from tests.services.conftest import refused_by_the_store
from tests.support.small_ward import read

Row = dict[str, str]
#: 変わってはならない表（行の数と、支払の状態）。
WATCHED = (
    "planned_file",
    "verdict",
    "transfer",
    "transfer_line",
    "posting",
    "bank_report",
    "bank_report_line",
    "entitlement",
)


@dataclass
class Sent:
    """届いたファイル一つ。"""

    number: str
    folder: Path
    rows: list[Row]


@dataclass
class Play:
    """台本の並び。台帳は続いていき、`fresh` の権利だけが、まだ誰にも申し出られていない。"""

    books: Books
    chance: random.Random
    fresh: list[dict[str, Any]]
    sent: list[Sent] = field(default_factory=list)
    released: list[int] = field(default_factory=list)
    reports: list[Path] = field(default_factory=list)
    told: set[str] = field(default_factory=set)
    turn: int = 0
    day: date = JUDGED
    done: list[str] = field(default_factory=list)
    #: 判定の答えも確かめるか。False なら、後で台帳の歴史だけを見る。
    strict: bool = True

    # ---- 台本

    def script(self) -> None:
        """台本一つ: 申し出（ときに古い行を混ぜて）、ときに送り出しと結果、そして繰り返し。"""
        self.done = []
        self._does(self.claim)
        if self.chance.random() < 0.3:
            self._does(self.pay)
        if self.chance.random() < 0.4:
            self._does(self.next_day)
        if self.chance.random() < 0.35:
            self._does(self.changed_copy)
        for one in self.chance.sample(self.same_again, 4):
            self._does(one)

    def _does(self, deed: Callable[[], None]) -> None:
        self.done.append(deed.__name__)
        deed()

    @property
    def same_again(self) -> list[Callable[[], None]]:
        return [
            self.same_folder,
            self.renamed_folder,
            self.other_number,
            self.other_content,
            self.release_again,
            self.re_dated_file,
            self.report_again,
            self.report_retold,
            self.extracts_again,
        ]

    def name(self, kind: str) -> str:
        self.turn += 1
        return f"{kind}{self.turn}"

    # ---- 本当の仕事

    def claim(self) -> None:
        """新しい権利を申し出る。三度に一度は、前に出した行も混ざっている。"""
        rights = [self.fresh.pop() for _ in range(min(len(self.fresh), self.chance.randint(1, 3)))]
        rows = [self.books.planned_row(right) for right in rights]
        if self.sent and self.chance.random() < 0.35:
            rows += [row for row in self.chance.choice(self.sent).rows if self._unpaid_room(len(rows) + 1)][:2]
        self.chance.shuffle(rows)
        if rows:
            self._send(rows, self.name("F"))

    def _unpaid_room(self, rows: int) -> bool:
        return len(self.fresh) > rows

    def _send(self, rows: list[Row], number: str, *, encoding: str = "utf-8") -> None:
        """申し出を出す。支給可は、まだ払われていない権利だけ。"""
        already = {row["給付管理番号"] for row in rows} & self.told - self._failed_numbers()
        folder = self.books.plan(rows, number, encoding=encoding)
        self.books.judge(folder, today=self.day)
        said = read(self.books.root / "judged" / "verdicts.csv")
        assert len(said) == len(rows)
        payable = {row["給付管理番号"] for row in said if row["判定"] == "支給可"}
        assert not (self.strict and payable & already), (
            f"払ったか、払う途中の権利が、もう一度支給可になった（{self.done}）"
        )
        self.told |= payable
        self.sent.append(Sent(number, folder, rows))

    def pay(self) -> None:
        """作って送り、結果を受け取る。十に一つは振込不能で、次の日に口座を替えて申し出られる。"""
        pay_date = _business_day(self.day + timedelta(days=7))
        made = self.books.make(today=self.day, pay_date=pay_date)
        if made is None:
            return
        self.books.approve(made.id, FIRST)
        self.books.approve(made.id, SECOND)
        self.books.release(made.id)
        self.released.append(made.id)
        answers = [FAILED if self.chance.random() < 0.1 else CREDITED for _ in range(made.line_count)]
        path = self.books.answer(made.id, answers, created_on=pay_date)
        self.books.take(path)
        self.reports.append(path)
        failed = self._failed()
        if failed:
            self._send([self.books.planned_row(right, turn=right["attempt"]) for right in failed], self.name("R"))

    def next_day(self) -> None:
        """次の日。住民記録は、毎日届く。"""
        self.day += timedelta(days=1)
        self.books.clock.day = self.day
        self.books.receive(("residents",))

    # ---- 形を変えた繰り返し（判定はされるが、払われない）

    def changed_copy(self) -> None:
        """並べ替え・書き方・分割・合併・番号・日を変えた、前のファイル。"""
        if not self.sent:
            return
        one, other = self.chance.choice(self.sent), self.chance.choice(self.sent)
        how = self.chance.choice(["reorder", "bom", "cp932", "split", "merge", "late"])
        self.done.append(how)
        rows, encoding = list(one.rows), "utf-8"
        if how == "reorder":
            self.chance.shuffle(rows)
        elif how in {"bom", "cp932"}:
            encoding = "utf-8-sig" if how == "bom" else "cp932"
        elif how == "split":
            rows = rows[: max(1, len(rows) // 2)]
        elif how == "merge":
            rows += [row for row in other.rows if row not in rows]
        else:
            self.next_day()
        try:
            self._send(rows, self.name("C"), encoding=encoding)
        except RefusedByRule as refused:
            # まったく同じ中身になったもの（CHK01）、払っていない権利より多い行（CHK04）は、ファイルごと断られる。
            if refused.code not in {"CHK01", "CHK04"}:
                raise

    # ---- 同じものの繰り返し（何も変わらない）

    def _unchanged(self, deed: Callable[[], object]) -> object:
        before = self.picture()
        told = deed()
        assert self.picture() == before, f"同じものの繰り返しで、台帳が変わった（{self.done}）"
        return told

    def same_folder(self) -> None:
        one = self.chance.choice(self.sent)
        assert self._unchanged(lambda: self.books.judge(one.folder, today=self.day)).repeated  # type: ignore[attr-defined]

    def renamed_folder(self) -> None:
        one = self.chance.choice(self.sent)
        data, name = (one.folder / FILE_NAME).read_bytes(), self.name("renamed")
        folder = self.books.put(data, one.rows, one.number, name=name)
        assert self._unchanged(lambda: self.books.judge(folder, today=self.day)).repeated  # type: ignore[attr-defined]

    def other_number(self) -> None:
        """同じ中身が、別のファイル番号で。"""
        one = self.chance.choice(self.sent)
        folder = self.books.put((one.folder / FILE_NAME).read_bytes(), one.rows, self.name("N"))
        self._refused(folder)

    def other_content(self) -> None:
        """同じファイル番号で、別の中身。"""
        one = self.chance.choice(self.sent)
        folder = self.books.plan([*one.rows, *one.rows], one.number, name=self.name("O"))
        self._refused(folder)

    def _refused(self, folder: Path) -> None:
        def judged() -> None:
            with pytest.raises(RefusedByRule, match="CHK01"):
                self.books.judge(folder, today=self.day)

        self._unchanged(judged)

    def release_again(self) -> None:
        if self.released:
            number = self.chance.choice(self.released)
            path = self.books.root / "bank" / f"sogo-{number:04d}.txt"
            before = path.read_bytes()
            self._unchanged(lambda: self.books.release(number))
            assert path.read_bytes() == before

    def re_dated_file(self) -> None:
        """送ったファイルと同じ行を、日付だけ変えて作る。作れないか、台帳が中身の鍵で断る。"""
        if not self.released:
            return
        number = self.chance.choice(self.released)
        with self.books.home.ward.connect() as connection:
            row = dict(connection.execute(ward.transfer.select().where(ward.transfer.c.id == number)).mappings().one())

        def inserted() -> None:
            copy = {**row, "id": 900_000, "pay_date": row["pay_date"] + timedelta(days=1), "sha256": "0" * 64}
            with self.books.home.ward.connect() as connection:
                assert refused_by_the_store(connection, ward.transfer.insert().values(**copy))
                connection.rollback()

        self._unchanged(inserted)

    def report_again(self) -> None:
        if self.reports:
            path = self.chance.choice(self.reports)
            copy = path.with_name(f"{self.name('銀行から')}.txt")
            copy.write_bytes(path.read_bytes())
            assert self._unchanged(lambda: self.books.take(copy)).repeated  # type: ignore[attr-defined]

    def report_retold(self) -> None:
        """同じ結果が、作成日だけ変わって届く。もう入っているので、お金は動かない。"""
        if not self.released:
            return
        number = self.chance.choice(self.released)
        lines = len((self.books.root / "bank" / f"sogo-{number:04d}.txt").read_bytes().splitlines()) - 3
        before = self.money()
        path = self.books.answer(number, [CREDITED] * lines, created_on=self.day + timedelta(days=20 + self.turn))
        self.turn += 1
        self.books.take(path)
        assert self.money() == before, f"もう入った結果で、お金が動いた（{self.done}）"

    def extracts_again(self) -> None:
        """抽出データが、名や並びや書き方を変えて届く。権利は増えず、減らない。"""
        how = self.chance.choice(["renamed", "reordered", "cp932"])
        if how != "renamed":
            # 次の日に届く住民記録も、この並びである（前と一字も違わない古いファイルには、戻らない）。
            self.chance.shuffle(self.books.world.people)
            self.books.world.write(self.books.root / "in", ("residents",))
        text = (self.books.root / "in" / "residents.csv").read_text(encoding="utf-8")
        path = self.books.root / "in" / f"{self.name('住民')}.csv"
        path.write_bytes(text.encode("cp932" if how == "cp932" else "utf-8"))
        count = len(self.books.entitlements())
        extracts.import_file(self.books.home, "residents", path, clock=self.books.clock, levy_year=2024)
        if self.chance.random() < 0.2:
            built = self.books.build(self.day)
            assert (built.added, built.differing) == (0, 0)
        assert len(self.books.entitlements()) == count

    # ---- 台帳の姿

    def picture(self) -> tuple[object, ...]:
        with self.books.home.ward.connect() as connection:
            counts = tuple(
                connection.execute(sa.select(sa.func.count()).select_from(ward.metadata.tables[name])).scalar_one()
                for name in WATCHED
            )
        return counts, self.money()

    def money(self) -> list[tuple[object, ...]]:
        payment = ward.payment
        with self.books.home.ward.connect() as connection:
            query = sa.select(payment.c.id, payment.c.slot, payment.c.state, payment.c.attempt).order_by(payment.c.id)
            return [tuple(row) for row in connection.execute(query)]

    def _failed(self) -> list[dict[str, Any]]:
        from tests.ledger.clerks import failed_rights

        return failed_rights(self.books)

    def _failed_numbers(self) -> set[str]:
        return {row["case_number"] for row in self._failed()}


def _business_day(day: date) -> date:
    from benefit.domain.business_days import is_bank_business_day

    while not is_bank_business_day(day):
        day += timedelta(days=1)
    return day
