"""事故再現の舞台: 一つの作業場所（使い捨て、SQLite）と、その日付と、職員の仕事。

どの仕事も、本番と同じサービスを呼ぶ。ここに、守りを外すスイッチはない。払い出された金額は、台帳ではなく、
銀行に渡したファイルのバイト列から数える（台帳が正しいと言うだけでは、事故がなかったことにならない）。
"""

from __future__ import annotations

import csv
import io
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from batch.museum import ward as small_ward
from benefit.domain.access import Actor
from benefit.domain.errors import BenefitError
from benefit.domain.programme import Programme
from benefit.domain.transfer import LIVE_STATES
from benefit.records import planned_payments, transfer_results
from benefit.records.bank_master import BankMaster
from benefit.records.transfer_result_row import Outcome
from benefit.services import (
    bank_master,
    bank_reports,
    extracts,
    judgment,
    transfers,
)
from benefit.services.files import sha256_of, write_atomic, write_manifest
from benefit.services.home import Home
from benefit.services.judgment_report import Judged
from benefit.store import ward
from benefit.store.engine import reading

BUILT, ISSUED, JUDGED, PAY = date(2024, 6, 20), date(2024, 6, 24), date(2024, 7, 26), date(2024, 8, 2)
NEXT_DAY = date(2024, 7, 29)
RESULTS, LATER, LATER_PAY = date(2024, 8, 5), date(2024, 8, 21), date(2024, 8, 28)
MAKER, FIRST, SECOND = Actor("tanto", "clerk"), Actor("shonin1", "approver"), Actor("shonin2", "approver")


class StoryClock:
    """物語の時計。呼ぶたびに少し進み、日付は物語が進める。"""

    def __init__(self, day: date = BUILT) -> None:
        self.go_to(day)

    def __call__(self) -> datetime:
        """いま（UTC）。"""
        self._now += timedelta(milliseconds=10)
        return self._now

    def go_to(self, day: date) -> None:
        """この日の朝 9 時（日本）へ。"""
        self._now = datetime(day.year, day.month, day.day, tzinfo=UTC)


@dataclass(frozen=True)
class Stop:
    """止まった所: どの段で、何が（検査の番号か断りの符号）、何と言ったか。"""

    step: str
    signs: tuple[str, ...]
    says: str


@dataclass
class Office:
    """舞台。`root` の下に home（作業場所）、planned（届いた支給予定情報）、bank（銀行に渡したもの）などがある。"""

    root: Path
    clock: StoryClock = field(default_factory=StoryClock)
    today: date = JUDGED
    residents: bytes = b""
    plans: int = 0
    #: 語り: この舞台でしたことを、順に。
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """作業場所を開く。"""
        self.home = Home.at(self.root / "home")
        self.programme = Programme.load("r6-2024")
        self.people = small_ward.people()
        self.residents = self.residents or small_ward.residents()

    def tell(self, text: str) -> None:
        """したことを語る。"""
        self.said.append(f"{self.today.month}月{self.today.day}日: {text}")

    @property
    def banks(self) -> BankMaster:
        """使う金融機関の表（架空）。"""
        return bank_master.in_use(self.home)

    def copy_to(self, root: Path) -> Office:
        """この舞台の、いまの姿の写し。元の接続は閉じる。"""
        self.close()
        shutil.copytree(self.root, root)
        clock = StoryClock(self.today)
        return Office(root, clock, self.today, self.residents, self.plans, list(self.said))

    def close(self) -> None:
        """台帳への接続を閉じる。"""
        self.home.ward.dispose()
        self.home.desk.dispose()

    def morning(self, day: date) -> None:
        """この日の朝にする: 今日の住民記録を受け取る（受け取らないと、CHK94 が判定も振込も断る）。"""
        self.today = day
        self.clock.go_to(day)
        path = self.root / "in" / "residents.csv"
        write_atomic(path, self.residents)
        extracts.import_file(self.home, "residents", path, clock=self.clock, levy_year=2024)

    # --- 支給予定情報（委託先のファイル） ---

    def rows(self, folder: str = "planned-1") -> list[dict[str, str]]:
        """届いた支給予定情報の行。"""
        return _read(self.root / folder / planned_payments.FILE_NAME)

    def entitlement(self, name: str, slot_kind: str = "HH100K") -> dict[str, Any]:
        """この人が受け取る権利。"""
        table, number = ward.entitlement, int(self.people[name].number)
        query = select(table).where(table.c.payee_number == number, table.c.slot_kind == slot_kind)
        with reading(self.home.ward) as connection:
            return dict(connection.execute(query).mappings().one())

    def row(self, name: str, slot_kind: str = "HH100K") -> dict[str, str]:
        """この人に払う、支給予定情報の一行（委託先が作るもの。確認書の人は、収受と審査が済んでいる）。"""
        person, found = self.people[name], self.entitlement(name, slot_kind)
        pushed = person.name.startswith("過去")
        heading = list(self.rows()[0])
        values = [
            "1", found["case_number"], str(found["branch"]), person.number, person.kana, person.birth,
            str(found["amount_yen"]), "2" if pushed else "0", *person.account,
            *(("", "") if pushed else ("2024-07-10", "2024-07-16")),
        ]  # fmt: skip
        return dict(zip(heading, values, strict=True))

    def plan(self, rows: list[dict[str, str]], *, number: str = "", same_as: str = "") -> Path:
        """委託先が支給予定情報を作る。`same_as` のファイルと一字も違わない中身なら、番号だけが違う。"""
        self.plans += 1
        folder = self.root / f"planned-by-contractor-{self.plans}"
        if same_as:
            data = (self.root / same_as / planned_payments.FILE_NAME).read_bytes()
        else:
            buffer = io.StringIO()
            writer = csv.DictWriter(buffer, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows([row | {"行番号": str(place)} for place, row in enumerate(rows, 1)])
            data = buffer.getvalue().encode()
        write_atomic(folder / planned_payments.FILE_NAME, data)
        write_manifest(
            folder,
            {
                "事業": self.programme.id,
                "ファイル番号": number or f"r6-2024-9{self.plans:03d}",
                "件数": len(rows),
                "合計金額": sum(int(row["支給予定額"]) for row in rows),
                "sha256": sha256_of(data),
            },
        )
        return folder

    # --- 区の仕事 ---

    def judge(self, folder: Path) -> Judged:
        """支給判定。"""
        return judgment.judge_folder(
            self.home,
            self.programme,
            folder,
            out=self.root / "judged" / folder.name,
            today=self.today,
            bank_master=self.banks,
            clock=self.clock,
        )

    def make(self, pay_date: date) -> transfers.Transfer | None:
        """振込ファイルを作る。"""
        return transfers.make(
            self.home,
            self.programme,
            pay_date=pay_date,
            today=self.today,
            bank_master=self.banks,
            actor=MAKER,
            clock=self.clock,
        )

    def approve(self, number: int) -> None:
        """別々の二人が承認する。"""
        for actor in (FIRST, SECOND):
            transfers.approve(self.home, self.programme, number, bank_master=self.banks, actor=actor, clock=self.clock)

    def release(self, number: int) -> transfers.Transfer:
        """送り出す。"""
        return transfers.release(
            self.home,
            self.programme,
            number,
            out=self.root / "bank",
            bank_master=self.banks,
            actor=MAKER,
            clock=self.clock,
        )

    def first_payment(self, *, results: bool = True) -> None:
        """一回目の支払: 判定、振込、二人の承認、送り出し。`results` なら、銀行の入金済の結果まで取り込む。"""
        stops = self.carry(self.root / "planned-1", PAY)
        assert not stops, stops
        lines = self.lines_out()
        self.tell(f"一回目の支払。{len(lines)} 件 {sum(yen for *_, yen in lines):,} 円を、二人の承認で銀行に渡した")
        if results:
            self.morning(RESULTS)
            self.credited(1)
            self.tell("銀行から、全件入金済の結果が届き、取り込んだ")

    def credited(self, number: int) -> None:
        """銀行から、全部入金したという結果が届き、取り込む。"""
        request = (self.root / "bank" / f"sogo-{number:04d}.txt").read_bytes()
        answers = [transfer_results.Answer(Outcome.CREDITED)] * (len(request.splitlines()) - 3)
        path = self.root / "bank-results" / f"kekka-{number:04d}.txt"
        write_atomic(path, transfer_results.mirror(request, answers, created_on=self.today))
        bank_reports.take(self.home, "results", path, clock=self.clock)

    def carry(self, folder: Path, pay_date: date = LATER_PAY) -> list[Stop]:
        """支給判定から送り出しまで、職員がいつもどおりに進める。止まった所を全部返す（空なら、最後まで進んだ）。"""
        try:
            judged = self.judge(folder)
        except BenefitError as refused:
            return [stop_of("支給判定", refused)]
        verdicts = _read(self.root / "judged" / folder.name / "verdicts.csv")
        payable = [row["給付管理番号"] for row in verdicts if row["判定"] == "支給可"]
        blocked = [_blocked(judged)] if judged.payable < judged.rows else []
        if judged.vanished:
            self.tell(f"判定の報告が、前に届いて払われていない {judged.vanished} 行が消えたと言った（vanished.csv）")
        return blocked + self.pay(pay_date, payable=payable, payable_yen=judged.payable_yen)

    def pay(
        self,
        pay_date: date = LATER_PAY,
        *,
        payable: Sequence[str] = (),
        payable_yen: int = 0,
        before_approval: Callable[[transfers.Transfer], None] = lambda _made: None,
    ) -> list[Stop]:
        """振込を作り、承認し、送り出す。`before_approval` は、作ってから承認までの間に起きること。

        `payable` は、支給可の判定の付いた給付管理番号。そのうち振込に入らなかったものがあれば、それも止まった所である。
        """
        stops = []
        try:
            made = self.make(pay_date)
            if made is None:
                return [Stop("振込を作る", (NOTHING,), NOTHING_TO_PAY)]
            left = Counter(payable) - Counter(number for number, *_ in lines_in(made.path))
            if left:
                says = f"支給可の判定 {len(payable)} 行のうち、二度目の {left.total()} 行は、振込に入りませんでした"
                stops.append(Stop("振込を作る", (NOTHING,), says))
            elif payable_yen and made.total_yen != payable_yen:
                says = f"申し出の合計は {payable_yen:,} 円ですが、台帳の権利の額 {made.total_yen:,} 円で作りました"
                stops.append(Stop("振込を作る", (LEDGER_YEN,), says))
            before_approval(made)
            self.approve(made.id)
            self.release(made.id)
        except BenefitError as refused:
            stops.append(stop_of("振込を作る" if refused.code == "paid-once" else "振込の承認", refused))
        return stops

    # --- 事故があったか ---

    def lines_out(self) -> list[tuple[str, str, int]]:
        """銀行に渡した全部のファイルの行（台帳を見ずに、バイト列から読む）。"""
        return [line for path in sorted((self.root / "bank").glob("*.txt")) for line in lines_in(path)]

    def files_out(self) -> int:
        """銀行に渡したファイルの数。"""
        return len(list((self.root / "bank").glob("*.txt")))

    def most_times_paid(self) -> int:
        """一つの権利に、多くて何度払ったか。"""
        known = self.entitlements()
        times = Counter(known.get(number, (number, 0))[0] for number, *_ in self.lines_out())
        return max(times.values(), default=0)

    def most_live_payments(self) -> int:
        """台帳で、一つの権利に、生きている支払が多くていくつあるか。"""
        payment = ward.payment
        query = select(func.count()).where(payment.c.state.in_(LIVE_STATES)).group_by(payment.c.slot)
        with reading(self.home.ward) as connection:
            return max(connection.execute(query).scalars().all(), default=0)

    def entitlements(self) -> dict[str, tuple[str, int]]:
        """給付管理番号 → (slot, 支給額)。"""
        table = ward.entitlement
        with reading(self.home.ward) as connection:
            rows = connection.execute(select(table.c.case_number, table.c.slot, table.c.amount_yen))
            return {row.case_number: (row.slot, row.amount_yen) for row in rows}

    def harm(self) -> list[str]:
        """起きてしまった事故。一つの権利に二度、決まった額と違う額、知らない番号。なければ空。"""
        known, found, times = self.entitlements(), [], Counter[str]()
        for number, _account, yen in self.lines_out():
            slot, due_yen = known.get(number, ("", 0))
            if not slot:
                found.append(f"知らない給付管理番号に {yen:,} 円を払った")
            elif yen != due_yen:
                found.append(f"{due_yen:,} 円の権利に {yen:,} 円を払った")
            times[slot] += 1
        twice = sum(1 for slot, count in times.items() if slot and count > 1)
        if twice:
            found.append(f"{twice} 件の権利に、二度払った")
        return found


#: 止まった所の符号のうち、断りではないもの。
NOTHING, LEDGER_YEN = "nothing-to-pay", "ledger-yen"
NOTHING_TO_PAY = "振り込む行はありません（支給可で、まだ振込になっていない行がない）"


def lines_in(path: Path) -> list[tuple[str, str, int]]:
    """振込のファイルの行: (給付管理番号, 口座番号, 金額)。様式の部品を使わず、桁の位置で読む。"""
    records = path.read_bytes().decode("cp932").split("\r\n")
    return [(one[91:102], one[43:50], int(one[80:90])) for one in records if one[:1] == "2"]


def _read(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))


def stop_of(step: str, refused: BenefitError) -> Stop:
    """断りから。"""
    return Stop(step, (refused.code,), str(refused))


def _blocked(judged: Judged) -> Stop:
    # 重さの二つある検査（CHK72 と CHK72H）は番号が一つなので、重いほう（CHK72）の文を言う。
    checks = sorted(_checks(), key=lambda check: not check.id.endswith("H"))
    names = {check.id.removesuffix("H"): check.says for check in checks}
    said = "、".join(
        f"{check} {names[check]}（{count} 行）" for check, count in judged.checks.items() if check != "CHK95"
    )
    return Stop(
        "支給判定",
        tuple(judged.checks),
        f"{judged.rows} 行のうち 支給可 {judged.payable}、保留 {judged.held}、不可 {judged.blocked}: {said}",
    )


def _checks() -> Any:
    from benefit.rules.payment_verdicts import payment_checks

    return payment_checks(Programme.load("r6-2024"))
