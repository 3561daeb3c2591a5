"""台帳の仕事場: 小さな世帯の区に、取込・作成・承認・手紙・判定・振込・銀行の結果を、本物のサービスでする。"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benefit.domain.access import Actor
from benefit.domain.letter import CONFIRMATION_LETTER, PUSH_NOTICE
from benefit.domain.programme import Programme
from benefit.records import planned_payments, transfer_results
from benefit.records.bank_master import BankMaster
from benefit.records.transfer_result_row import Outcome
from benefit.services import bank_master, bank_reports, beneficiaries, extracts, judgment, transfers
from benefit.services.files import sha256_of, write_manifest
from benefit.services.home import Home
from benefit.store import ward
from tests.ledger.world import BANK, BRANCH, KINDS, World, account_of, holder
from tests.support.approval import approve_latest

PROGRAMME = Programme.load("r6-2024")
BUILT, JUDGED, PAY = date(2024, 6, 20), date(2024, 7, 26), date(2024, 8, 2)
MAKER, FIRST, SECOND = Actor("tanto", "clerk"), Actor("shonin1", "approver"), Actor("shonin2", "approver")


@dataclass
class DayClock:
    """その日の朝から、一秒ずつ進む。"""

    day: date
    seconds: int = 0

    def __call__(self) -> datetime:
        self.seconds += 1
        return datetime(self.day.year, self.day.month, self.day.day, tzinfo=UTC) + timedelta(seconds=self.seconds)


@dataclass
class Books:
    """作業場所一つ。`people` は、届いた支給予定情報に書く名と生年月日のもと。"""

    home: Home
    root: Path
    world: World
    clock: DayClock = field(default_factory=lambda: DayClock(BUILT))
    #: 手紙を出した日（権利の番号と枝番ごと）。
    issued: dict[tuple[int, int], date] = field(default_factory=dict)

    @property
    def banks(self) -> BankMaster:
        return bank_master.in_use(self.home)

    def open(self) -> None:
        """職員と店舗の表。誰も入らないので、合言葉の要約は作らない（わざと重い計算である）。"""
        bank_master.use_rehearsal(self.home, {(BANK, BRANCH)})
        people = [
            {"id": actor.id, "name": "試験", "role": actor.role, "password_hash": "-", "created_at": self.clock()}
            for actor in (MAKER, FIRST, SECOND)
        ]
        with self.home.ward.begin() as connection:
            connection.execute(ward.staff.insert(), people)

    def receive(self, kinds: Sequence[str] = KINDS) -> None:
        """いまの世帯の姿を、抽出データとして受け取る。"""
        self.world.write(self.root / "in", kinds)
        for kind in kinds:
            extracts.import_file(self.home, kind, self.root / "in" / f"{kind}.csv", clock=self.clock, levy_year=2024)

    def build(self, today: date) -> beneficiaries.Built:
        return beneficiaries.build(self.home, PROGRAMME, today, out=self.root / "build", clock=self.clock)

    def build_and_approve(self, today: date) -> None:
        self.build(today)
        approve_latest(self.home, self.clock, FIRST)

    def tell(self, issued_on: date, *, days: int = 30) -> None:
        """まだ手紙のない権利に、刷った手紙の行を足す（刷る仕事そのものは、ここでは見ない）。"""
        entitlement, valid, letter = ward.entitlement, ward.valid_entitlement, ward.letter
        query = (
            sa.select(entitlement)
            .join(valid, valid.c.entitlement_id == entitlement.c.id)
            .outerjoin(
                letter, (letter.c.entitlement_id == entitlement.c.id) & (letter.c.branch == entitlement.c.branch)
            )
            .where(letter.c.id.is_(None))
        )
        with self.home.ward.begin() as connection:
            rows = connection.execute(query).mappings().all()
            if not rows:
                return
            number = (connection.execute(sa.select(sa.func.max(ward.lot.c.id))).scalar() or 0) + 1
            connection.execute(
                ward.lot.insert().values(
                    id=number,
                    kind=CONFIRMATION_LETTER,
                    place="printer",
                    file_name=f"lot-{number}.pdf",
                    sha256=sha256_of(f"lot {number}".encode()),
                    letter_count=len(rows),
                    made_at=self.clock(),
                )
            )
            told = [
                {
                    "entitlement_id": row["id"],
                    "branch": row["branch"],
                    "kind": PUSH_NOTICE if row["account_flag"] != "0" else CONFIRMATION_LETTER,
                    "lot_id": number,
                    "route": row["route"],
                    "account_flag": row["account_flag"],
                    "issued_on": issued_on,
                    "due_on": issued_on + timedelta(days=days),
                }
                for row in rows
            ]
            connection.execute(letter.insert(), told)
        self.issued |= {(row["id"], row["branch"]): issued_on for row in rows}

    def entitlements(self) -> list[dict[str, Any]]:
        with self.home.ward.connect() as connection:
            query = ward.entitlement.select().order_by(ward.entitlement.c.slot)
            return [dict(row) for row in connection.execute(query).mappings()]

    def planned_row(self, right: dict[str, Any], *, turn: int = 0) -> dict[str, str]:
        """この権利の支給予定の一行。口座フラグ 0 の人は、確認書に書いた口座が付く。

        `turn` は何番目の口座か。口座を替えた申し出は、収受と審査をやり直している。
        """
        person = self.world.person(right["payee_number"])
        asked = right["account_flag"] == "0" or turn > 0
        written = asked or right["account_flag"] == "2"
        account = (*account_of(person.number, turn), holder(person.kana)) if written else ("",) * 5
        received = self.issued.get((right["id"], right["branch"]), BUILT) + timedelta(days=10)
        reviewed = received + timedelta(days=1 + turn)
        return dict(
            zip(
                planned_payments.HEADINGS,
                (
                    "",
                    right["case_number"],
                    str(right["branch"]),
                    f"{person.number:010d}",
                    person.kana,
                    person.birth,
                    str(right["amount_yen"]),
                    right["account_flag"],
                    *account,
                    *((received.isoformat(), reviewed.isoformat()) if asked else ("", "")),
                ),
                strict=True,
            )
        )

    def plan(
        self, rows: Iterable[dict[str, str]], number: str, *, encoding: str = "utf-8", name: str | None = None
    ) -> Path:
        """支給予定情報のフォルダを書く。行番号は並びの順に付ける。"""
        placed = [{**row, "行番号": str(place)} for place, row in enumerate(rows, 1)]
        buffer = io.StringIO()
        writer = csv.DictWriter(buffer, planned_payments.HEADINGS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(placed)
        return self.put(buffer.getvalue().encode(encoding), placed, number, name=name)

    def put(self, data: bytes, rows: Sequence[dict[str, str]], number: str, *, name: str | None = None) -> Path:
        """中身を、manifest とともに置く。"""
        folder = self.root / "planned" / (name or number)
        folder.mkdir(parents=True)
        (folder / planned_payments.FILE_NAME).write_bytes(data)
        told = {
            "事業": PROGRAMME.id,
            "ファイル番号": number,
            "件数": len(rows),
            "合計金額": sum(int(row["支給予定額"]) for row in rows),
            "sha256": sha256_of(data),
        }
        write_manifest(folder, told)
        return folder

    def judge(self, folder: Path, *, today: date = JUDGED, out: str = "judged") -> judgment.Judged:
        return judgment.judge_folder(
            self.home,
            PROGRAMME,
            folder,
            out=self.root / out,
            today=today,
            bank_master=self.banks,
            clock=self.clock,
        )

    def make(self, *, today: date = JUDGED, pay_date: date = PAY) -> transfers.Transfer | None:
        return transfers.make(
            self.home,
            PROGRAMME,
            pay_date=pay_date,
            today=today,
            bank_master=self.banks,
            actor=MAKER,
            clock=self.clock,
        )

    def approve(self, number: int, actor: Actor) -> transfers.Transfer:
        return transfers.approve(self.home, PROGRAMME, number, bank_master=self.banks, actor=actor, clock=self.clock)

    def release(self, number: int) -> transfers.Transfer:
        return transfers.release(
            self.home,
            PROGRAMME,
            number,
            out=self.root / "bank",
            bank_master=self.banks,
            actor=MAKER,
            clock=self.clock,
        )

    def send(self, *, today: date = JUDGED, pay_date: date = PAY) -> transfers.Transfer | None:
        """作って、二人が承認して、送り出す。払うものがなければ None。"""
        made = self.make(today=today, pay_date=pay_date)
        if made is None:
            return None
        self.approve(made.id, FIRST)
        self.approve(made.id, SECOND)
        return self.release(made.id)

    def cancel(self, number: int) -> int:
        return transfers.cancel(self.home, number, reason="試験", actor=MAKER, clock=self.clock)

    def answer(self, number: int, answers: Sequence[transfer_results.Answer], *, created_on: date) -> Path:
        """銀行の結果のファイル。"""
        request = (self.root / "bank" / f"sogo-{number:04d}.txt").read_bytes()
        path = self.root / "results" / f"kekka-{number:04d}-{created_on:%m%d}.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(transfer_results.mirror(request, answers, created_on=created_on))
        return path

    def take(self, path: Path) -> bank_reports.Taken:
        return bank_reports.take(self.home, "results", path, clock=self.clock)


CREDITED = transfer_results.Answer(Outcome.CREDITED)
FAILED = transfer_results.Answer(Outcome.FAILED, "03")
