"""デモの一年。どの段も、職員が打つコマンドと同じ仕事（benefit.services）を、日付を進めながら呼ぶ。"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.progress import Progress
from sqlalchemy import func, select

from batch import demo_people, demo_print
from batch.demo_bank import answer
from batch.world import make_ward
from batch.world.answers import answer_account, answer_tax
from batch.world.replies import reply_forms
from benefit.domain.access import BATCH, Actor, DeskRole, WardRole
from benefit.domain.case import STATE_WORDS
from benefit.services import (
    bank_master,
    bank_reports,
    beneficiaries,
    desk_cases,
    desk_export,
    desk_forms,
    desk_handback,
    desk_load,
    desk_planned,
    extracts,
    handback_take,
    inquiries,
    judgment,
    runs,
    setup,
    transfers,
)
from benefit.services.desk_forms import ReceivedForm
from benefit.services.files import write_atomic
from benefit.services.home import Home
from benefit.store import desk, ward
from benefit.store.engine import reading
from letters.mailing import make_letters

STEPS = 20
#: 一回目の振込で、この件数に一件が振込不能になる（benefit-rules I: 0.3–1 %）。
FAILURE_EVERY = 150
#: 紙を別々に入力する二人。
REVIEWERS = (Actor("reviewer1", DeskRole.REVIEWER.value), Actor("reviewer2", DeskRole.REVIEWER.value))


class DemoClock:
    """一日の中は一秒ずつ進み、日付は物語が進める時計。"""

    def __init__(self) -> None:
        self._now = datetime(2024, 6, 20, 0, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        """いま（UTC）。"""
        self._now += timedelta(milliseconds=10)
        return self._now

    def go_to(self, day: date) -> None:
        """この日の朝 9 時（日本）へ。"""
        self._now = datetime(day.year, day.month, day.day, tzinfo=UTC)


class DemoYear:
    """一年を生きる。rows は最後の表、places は出たもの。"""

    def __init__(self, home: Home, bar: Progress, *, seed: int) -> None:
        self.home, self.bar, self.seed = home, bar, seed
        self.programme = self.home.programme("r6-2024")
        self.clock = DemoClock()
        self.out = home.path / "demo"
        self.rows: list[tuple[str, str, str]] = []
        self.places: list[tuple[str, Path]] = []
        self.password = ""
        self.example = ("", "")
        self._extracts = home.path
        self._whole = bar.add_task("一年", total=STEPS)
        self._now = bar.add_task("", total=None)

    def live(self, *, residents: int, extracts: Path | None) -> None:
        """通す。"""
        folder = self._extracts = extracts or self._make_ward(residents)
        self._open(folder)
        self._import(folder)
        self._build(date(2024, 6, 20), "対象者の判定（一回目）")
        self._inquire()
        self._build(date(2024, 7, 1), "対象者の判定（照会の回答の後）")
        self._letters(date(2024, 7, 5))
        self._to_desk(date(2024, 7, 8))
        self._replies(date(2024, 7, 26))
        self._from_desk(date(2024, 7, 26))
        self._pay(1, judged_on=date(2024, 7, 26), pay_date=date(2024, 8, 2))
        self._bank_answers(1, date(2024, 8, 5))
        self._to_desk(date(2024, 8, 6))
        self._new_accounts(date(2024, 8, 20))
        self._pay(2, judged_on=date(2024, 8, 21), pay_date=date(2024, 8, 28))
        self._bank_answers(2, date(2024, 8, 30))
        self._to_desk(date(2024, 9, 2))
        self._from_desk(date(2024, 9, 2))
        self._settle()

    def _step(self, name: str) -> Callable[[int, int], None]:
        self.bar.update(self._now, description=name, completed=0, total=None)
        self.bar.advance(self._whole)

        def tick(done: int, total: int) -> None:
            self.bar.update(self._now, completed=done, total=total)

        return tick

    def _row(self, what: str, count: int, yen: int | None = None) -> None:
        self.rows.append((what, f"{count:,}", "" if yen is None else f"{yen:,}"))

    def _make_ward(self, residents: int) -> Path:
        tick = self._step("架空の区を作る")
        folder = self.out / "extracts"
        make_ward(folder, residents=residents, seed=self.seed, tick=tick)
        self.places.append(("抽出データ（架空の区）", folder))
        return folder

    def _open(self, folder: Path) -> None:
        self._step("台帳を用意する")
        setup.init_ward(self.home)
        setup.init_desk(self.home)
        data = (folder / "accounts.csv").read_bytes()
        rows = csv.DictReader(io.StringIO(_decode(data), newline=""))
        own = {("9999", f"{branch:03d}") for branch in range(1, 21)}
        bank_master.use_rehearsal(self.home, own | {(row["金融機関コード"], row["支店コード"]) for row in rows})
        self.password = demo_people.add(self.home, self.clock())

    def _import(self, folder: Path) -> None:
        tick = self._step("抽出データを取り込む")
        read = kept = 0
        for number, kind in enumerate(extracts.KINDS, 1):
            path = folder / f"{kind}.csv"
            if path.exists():
                done = extracts.import_file(self.home, kind, path, clock=self.clock, levy_year=self.programme.levy_year)
                read, kept = read + done.rows_read, kept + done.rows_kept
                if kind == "residents":
                    self._row("住民記録", done.rows_kept)
            tick(number, len(extracts.KINDS))
        self._row(f"取込の行（読込 {read:,} = 採用 {kept:,} + 不採用 {read - kept:,}）", kept)

    def _build(self, today: date, name: str) -> None:
        self._step(name)
        self.clock.go_to(today)
        folder = self.out / f"build-{today:%m%d}"
        built = beneficiaries.build(self.home, self.programme, today, out=folder, clock=self.clock)
        self._row(name, built.eligible, built.total_yen)
        run = runs.find(self.home, self.programme, "latest")
        seen = runs.against_approved(self.home, self.programme, run).difference.digest[: runs.SHOWN]
        approver = Actor("shonin1", WardRole.APPROVER.value)
        reason = "架空の区の人数が少なく、当てはまる人がいない" if run.alarms else ""
        runs.approve(self.home, self.programme, run, seen=seen, reason=reason, actor=approver, clock=self.clock)
        self.places.append((name, folder / "outcomes.csv"))

    def _inquire(self) -> None:
        self._step("照会し、回答を取り込む")
        self.clock.go_to(date(2024, 6, 24))
        folder = self.out / "inquiries"
        kana = self._kana()
        for kind in ("tax", "account"):
            asked = inquiries.export(
                self.home, self.programme, date(2024, 6, 24), kind, out=folder / kind, clock=self.clock
            )
            rows = list(csv.DictReader(io.StringIO(asked.path.read_text(encoding="utf-8"), newline="")))
            answers = answer_tax(rows, self.seed) if kind == "tax" else answer_account(rows, self.seed, kana=kana)
            path = folder / f"{kind}_answers.csv"
            write_atomic(path, answers)
            inquiries.import_answers(
                self.home, self.programme, kind, path, clock=self.clock, encoding=None, allow_rejects=0
            )
            self._row(inquiries.NAMES[kind], asked.rows)
        self.places.append(("照会用データと回答", folder))

    def _kana(self) -> dict[str, str]:
        frame = extracts.load(self.home, extracts.current_sources(self.home, self.programme.levy_year)["residents"])
        return {f"{number:010d}": kana or "" for number, kana in frame.select("person_number", "kana_name").iter_rows()}

    def _receive_again(self) -> None:
        """外へ出す日の朝の住民記録。中身が前と同じでも、今日も同じだったことが残る（CHK94）。"""
        path = self._extracts / "residents.csv"
        extracts.import_file(self.home, "residents", path, clock=self.clock, levy_year=self.programme.levy_year)

    def _letters(self, day: date) -> None:
        tick = self._step("手紙を組む")
        self.clock.go_to(day)
        self._receive_again()
        made = make_letters(
            self.home, self.programme, out=self.out / "letters", issued_on=day, clock=self.clock, tick=tick
        )
        self._row(f"手紙（対象 {made.read:,} = 印刷 {made.printed:,} + 止めた {made.held:,}）", made.printed)
        self.places.append(("手紙（委託先で刷る／区で刷る）", self.out / "letters"))
        self._print(day)

    def _print(self, day: date) -> None:
        """見本帳、出す許し、印刷の包み、印刷所の結果、消去報告書。"""
        self._step("手紙を読み返し、印刷所へ渡す")
        letters, clock = self.out / "letters", self.clock
        released = demo_print.release(self.home, self.programme, letters, self.out / "proof-set", day, clock)
        self._row("読み返して、出してよいとした紙（額の頁とも）", released)
        folders = sorted((letters / "printer").iterdir())
        packed = demo_print.hand_over(self.home, self.programme, folders, day, clock)
        self._row(f"印刷の包み（{packed.item.label}）", packed.letters)
        back = self.out / "kekka-insatsu.csv"
        taken = demo_print.count_back(self.home, folders[0], back, day, clock)
        self._row(f"印刷所の結果（{taken.state}、刷り直し {taken.counts['remade']:,}）", taken.counts["posted"])
        demo_print.close(self.home, packed.item.name, day, clock)
        self.places.append(("見本帳（署名したもの）", self.out / "proof-set"))

    def _to_desk(self, day: date) -> None:
        self._step("受渡: 区 → 給付管理システム")
        self.clock.go_to(day)
        self._receive_again()
        folder = self.out / f"payees-{day:%m%d}"
        desk_export.export(self.home, self.programme, out=folder, today=day, clock=self.clock)
        loaded = desk_load.load(self.home, folder, clock=self.clock)
        self._row(f"受渡（{day:%m-%d}）", loaded.rows)
        self.places.append((f"受渡フォルダ（{day:%m-%d}）", folder))

    def _from_desk(self, day: date) -> None:
        self._step("進捗情報: 給付管理システム → 区")
        self.clock.go_to(day)
        folder = self.out / f"handback-{day:%m%d}"
        desk_handback.make(self.home, self.programme.id, out=folder, actor=BATCH, clock=self.clock)
        taken = handback_take.take(self.home, self.programme.id, folder, actor=BATCH, clock=self.clock)
        self._row(f"進捗情報（{day:%m-%d}）（食い違い {taken.cases_listed:,}）", taken.cases_read)
        self.places.append((f"進捗情報（{day:%m-%d}）", folder))

    def _cases(self, *states: str) -> list[dict[str, Any]]:
        table = desk.benefit_case
        with reading(self.home.desk) as connection:
            query = select(table).where(table.c.state.in_(states)).order_by(table.c.case_number)
            return [dict(row) for row in connection.execute(query).mappings()]

    def _replies(self, day: date) -> None:
        self._step("確認書の返送と審査、辞退期限の経過")
        forms = reply_forms(self._cases("C20"), seed=self.seed, first_day=date(2024, 7, 10))
        self.clock.go_to(day)
        done = self._keyed_twice(forms)
        desk_cases.pass_deadlines(self.home, day, actor=BATCH, clock=self.clock)
        self._row("確認書の収受（" + "、".join(f"{name} {count:,}" for name, count in done.items()) + "）", len(forms))

    def _keyed_twice(self, forms: list[ReceivedForm]) -> dict[str, int]:
        """二人が別々に入力した束を、収受し、審査する。"""
        first, second = REVIEWERS
        return desk_forms.receive_forms(self.home, forms, forms, keyed_by=first, checked_by=second, clock=self.clock)

    def _new_accounts(self, day: date) -> None:
        self._step("振込不能の人の、新しい口座の届出")
        self.clock.go_to(day)
        failed = [case | {"state": "C20"} for case in self._cases("F43", "F44")]
        forms = [
            form
            for form in reply_forms(failed, seed=self.seed + 1, first_day=day - timedelta(days=10))
            if form.outcome == "完了"
        ]
        self._keyed_twice(forms)
        self._row("口座の再届出", len(forms))

    def _pay(self, number: int, *, judged_on: date, pay_date: date) -> None:
        self._step(f"支給判定と振込（{number} 回目）")
        self.clock.go_to(judged_on)
        self._receive_again()
        folder = self.out / f"planned-{number}"
        master = bank_master.in_use(self.home)
        planned = desk_planned.make(
            self.home, self.programme.id, out=folder, today=judged_on, actor=BATCH, clock=self.clock
        )
        common: dict[str, Any] = {"today": judged_on, "bank_master": master, "clock": self.clock}
        if planned is not None:
            judged = judgment.judge_folder(
                self.home, self.programme, folder, out=self.out / f"judged-{number}", **common
            )
            self._row(
                f"支給判定 {judged.file_number}"
                f"（支給可 {judged.payable:,}、保留 {judged.held:,}、不可 {judged.blocked:,}）",
                judged.rows,
                judged.payable_yen,
            )
            self.places.append((f"判定結果（{number} 回目）", self.out / f"judged-{number}" / "verdicts.csv"))
        by_ward = judgment.judge_ward_rows(self.home, self.programme, out=self.out / f"judged-ward-{number}", **common)
        if by_ward is not None:
            self._row("支給判定（区が直接扱う人）", by_ward.rows, by_ward.payable_yen)
        maker = Actor("tanto", WardRole.CLERK.value)
        made = transfers.make(self.home, self.programme, pay_date=pay_date, actor=maker, **common)
        if made is None:
            return
        for approver in ("shonin1", "shonin2"):
            transfers.approve(
                self.home,
                self.programme,
                made.id,
                bank_master=master,
                actor=Actor(approver, WardRole.APPROVER.value),
                clock=self.clock,
            )
        transfers.release(
            self.home,
            self.programme,
            made.id,
            out=self.out / "bank",
            bank_master=master,
            actor=maker,
            clock=self.clock,
        )
        self._row(f"振込 {made.id}（二人が承認、指定日 {pay_date:%m-%d}）", made.line_count, made.total_yen)
        self.places.append((f"全銀 総合振込ファイル（{number} 回目）", self.out / "bank" / made.path.name))

    def _bank_answers(self, number: int, day: date) -> None:
        self._step(f"銀行の結果（{number} 回目）")
        self.clock.go_to(day)
        bank = self.out / "bank"
        request = bank / f"sogo-{number:04d}.txt"
        if not request.exists():
            return
        # 二回目は、直した口座なので、みな入る。
        every = FAILURE_EVERY if number == 1 else 0
        results, notice = answer(request.read_bytes(), created_on=day, every=every, start=self.seed % 7)
        path = bank / f"kekka-{number:04d}.txt"
        write_atomic(path, results)
        done = bank_reports.take(self.home, "results", path, clock=self.clock)
        failed = done.failed
        if notice:
            write_atomic(bank / f"funo-{number:04d}.csv", notice)
            failed += bank_reports.take(self.home, "failures", bank / f"funo-{number:04d}.csv", clock=self.clock).failed
        self._row(f"銀行の結果（{number} 回目）: 入金", done.credited)
        self._row(f"銀行の結果（{number} 回目）: 振込不能", failed)
        self.places.append((f"銀行の結果（{number} 回目）", path))

    def _settle(self) -> None:
        self._step("締める")
        payment = ward.payment
        with reading(self.home.ward) as connection:
            count, yen = connection.execute(
                select(func.count(), func.coalesce(func.sum(payment.c.amount_yen), 0)).where(payment.c.state == "F42")
            ).one()
            slots = connection.execute(
                select(func.count(func.distinct(payment.c.slot))).where(payment.c.state == "F42")
            ).scalar_one()
        self._row("支給済", count, yen)
        self._row("二度払った権利", count - slots, 0)
        shown = self._cases("F42", "C24", "J31", "C20")
        if shown:
            self.example = (shown[0]["case_number"], STATE_WORDS[shown[0]["state"]].name)


def _decode(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp932")
