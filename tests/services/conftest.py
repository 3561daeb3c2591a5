"""小さな区で、手紙から支給予定情報まで済ませた作業場所。データベースごとに一度作り、試験ごとに写す。"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from benefit.domain.access import BATCH, Actor
from benefit.domain.programme import Programme
from benefit.records import transfer_results
from benefit.records.bank_master import BankMaster
from benefit.records.transfer_result_row import Outcome
from benefit.records.zengin_text import convert
from benefit.services import (
    bank_master,
    beneficiaries,
    desk_cases,
    desk_export,
    desk_load,
    desk_planned,
    extracts,
    judgment,
    people,
    transfers,
)
from benefit.services.files import sha256_of, write_manifest
from benefit.services.home import Home
from benefit.store import ward
from letters.mailing import make_letters
from tests.conftest import Databases, StepClock
from tests.support.approval import approve_latest, receive_again
from tests.support.desk_world import DeskWorld, opened
from tests.support.reviewers import REVIEWERS, add_people
from tests.support.small_ward import branches, cut, read, write

PROGRAMME = Programme.load("r6-2024")
BUILT, ISSUED, JUDGED, PAY = date(2024, 6, 20), date(2024, 6, 24), date(2024, 7, 26), date(2024, 8, 2)
MAKER, FIRST, SECOND = Actor("tanto", "clerk"), Actor("shonin1", "approver"), Actor("shonin2", "approver")


@dataclass
class Office:
    """一つの作業場所と、その時計と、届いた支給予定情報。"""

    home: Home
    clock: StepClock
    planned: Path
    root: Path

    @property
    def banks(self) -> BankMaster:
        return bank_master.in_use(self.home)

    def judge(self, folder: Path | None = None, *, out: str = "judged", today: date = JUDGED) -> judgment.Judged:
        return judgment.judge_folder(
            self.home,
            PROGRAMME,
            folder or self.planned,
            out=self.root / out,
            today=today,
            bank_master=self.banks,
            clock=self.clock,
        )

    def make(self, *, pay_date: date = PAY, today: date = JUDGED) -> transfers.Transfer | None:
        return transfers.make(
            self.home, PROGRAMME, pay_date=pay_date, today=today, bank_master=self.banks, actor=MAKER, clock=self.clock
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

    def send(self) -> transfers.Transfer:
        """判定から送り出しまで。"""
        self.judge()
        made = self.make()
        assert made is not None
        self.approve(made.id, FIRST)
        self.approve(made.id, SECOND)
        return self.release(made.id)

    def verdicts(self, out: str = "judged") -> dict[str, dict[str, str]]:
        return {row["給付管理番号"]: row for row in read(self.root / out / "verdicts.csv")}

    def rows(self) -> list[dict[str, str]]:
        return read(self.planned / "planned.csv")

    def replan(
        self, rows: list[dict[str, str]], *, number: str = "r6-2024-0099", name: str = "again", **manifest: Any
    ) -> Path:
        """書き換えた支給予定情報のフォルダを作る。"""
        folder = self.root / name
        folder.mkdir()
        write(folder / "planned.csv", rows, list(rows[0]))
        data = (folder / "planned.csv").read_bytes()
        told = {
            "事業": PROGRAMME.id,
            "ファイル番号": number,
            "件数": len(rows),
            "合計金額": sum(int(row["支給予定額"]) for row in rows),
            "sha256": sha256_of(data),
        }
        write_manifest(folder, {**told, **manifest})
        return folder

    def payments(self) -> list[dict[str, Any]]:
        with self.home.ward.connect() as connection:
            query = ward.payment.select().order_by(ward.payment.c.id)
            return [dict(row) for row in connection.execute(query).mappings()]

    def balances(self) -> dict[str, int]:
        """仕訳の、科目ごとの残り（借方 − 貸方）。"""
        totals: dict[str, int] = {}
        with self.home.ward.connect() as connection:
            for row in connection.execute(ward.posting.select()).mappings():
                totals[row["debit"]] = totals.get(row["debit"], 0) + row["amount_yen"]
                totals[row["credit"]] = totals.get(row["credit"], 0) - row["amount_yen"]
        return totals


def prepare(home: Home, root: Path) -> None:
    """取込から支給予定情報まで。"""
    clock = StepClock()
    cut(root / "in")
    bank_master.use_rehearsal(home, branches(root / "in"))
    for kind in extracts.KINDS:
        if (root / "in" / f"{kind}.csv").exists():
            extracts.import_file(home, kind, root / "in" / f"{kind}.csv", clock=clock, levy_year=2024)
    for actor in (MAKER, FIRST, SECOND):
        with home.ward.begin() as connection:
            people.add(
                connection,
                ward.staff,
                ward.audit_log,
                staff_id=actor.id,
                name="試験",
                role=actor.role,
                password="x" * 15,
                actor=BATCH,
                at=clock(),
            )
    add_people(home, clock, *REVIEWERS)
    receive_again(home, root / "in" / "residents.csv")
    beneficiaries.build(home, PROGRAMME, BUILT, out=root / "build", clock=clock)
    approve_latest(home, clock, FIRST)
    make_letters(home, PROGRAMME, out=root / "letters", issued_on=ISSUED, clock=clock)
    desk_export.export(home, PROGRAMME, out=root / "payees", today=ISSUED, clock=clock)
    desk_load.load(home, root / "payees", clock=clock)
    desk_cases.pass_deadlines(home, JUDGED, actor=BATCH, clock=clock)
    assert desk_planned.make(home, PROGRAMME.id, out=root / "planned", today=JUDGED, actor=BATCH, clock=clock)
    home.ward.dispose()
    home.desk.dispose()


@pytest.fixture(scope="session")
def prepared_sqlite(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Path:
    root = tmp_path_factory.mktemp("office")
    shutil.copytree(sqlite_template, root / "home")
    prepare(Home.at(root / "home"), root)
    return root


@pytest.fixture(scope="session")
def prepared_pg(
    tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path, pg_server: Databases
) -> tuple[Path, str, str]:
    root = tmp_path_factory.mktemp("office-pg")
    shutil.copytree(sqlite_template, root / "home")
    # tests/money もこの fixture を借りるので、一つのサーバーに二組できる。
    names = tuple(f"{root.name.replace('-', '_')}_{line}" for line in ("ward", "desk"))
    urls = []
    for name, line in zip(names, ("ward", "desk"), strict=True):
        pg_server.admin.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE template_{line}")
        urls.append(pg_server.url.set(database=name).render_as_string(hide_password=False))
    prepare(Home.at(root / "home", ward_url=urls[0], desk_url=urls[1]), root)
    return root, names[0], names[1]


@pytest.fixture(params=["sqlite", "postgresql"])
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    if request.param == "sqlite":
        source = request.getfixturevalue("prepared_sqlite")
        shutil.copytree(source, tmp_path / "office")
        home = Home.at(tmp_path / "office" / "home")
    else:
        source, ward_name, desk_name = request.getfixturevalue("prepared_pg")
        databases: Databases = request.getfixturevalue("pg")
        shutil.copytree(source, tmp_path / "office")
        home = Home.at(
            tmp_path / "office" / "home",
            ward_url=databases.new("ward", of=ward_name),
            desk_url=databases.new("desk", of=desk_name),
        )
    clock = StepClock()
    clock.now = clock.now.replace(month=7, day=26)
    root = tmp_path / "office"
    yield Office(home, clock, root / "planned", root)
    home.ward.dispose()
    home.desk.dispose()


def refused_by_the_store(connection: sa.Connection, statement: sa.Executable) -> bool:
    """台帳がこの文を断るか。"""
    try:
        with connection.begin_nested():
            connection.execute(statement)
    except sa.exc.DBAPIError:
        return True
    return False


def answered(
    office: Office,
    number: int,
    *answers: tuple[Outcome, str],
    rest: Outcome = Outcome.CREDITED,
    created_on: date = date(2024, 8, 5),
) -> Path:
    """銀行の結果: 初めの行から `answers` のとおり、残りは `rest`。"""
    request = (office.root / "bank" / f"sogo-{number:04d}.txt").read_bytes()
    count = len(request.splitlines()) - 3
    told = [transfer_results.Answer(*answer) for answer in answers]
    told += [transfer_results.Answer(rest)] * (count - len(told))
    path = office.root / f"kekka-{number}-{created_on}.txt"
    path.write_bytes(transfer_results.mirror(request, told, created_on=created_on))
    return path


def noticed(office: Office, *rows: dict[str, Any], name: str = "funo", **extra: str) -> Path:
    """銀行の振込不能の知らせ: 六項目だけの CSV（seed 000）。`extra` は自由な列。"""
    heading = ["金融機関コード", "店舗コード", "預金種目", "口座番号", "口座名義人名", "振込金額", *extra]
    lines = [
        [row[key] for key in ("bank_code", "branch_code", "account_type", "account_number")]
        + [convert(row["holder_kana"])[:30], str(row["amount_yen"]), *extra.values()]
        for row in rows
    ]
    path = office.root / f"{name}.csv"
    path.write_bytes("".join(",".join(line) + "\r\n" for line in [heading, *lines]).encode("cp932"))
    return path


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path
) -> Iterator[DeskWorld]:
    """給付管理システムだけの世界。一つのモジュールの試験が分け合う（件は、試験ごとに新しく作る）。"""
    root = tmp_path_factory.mktemp("desk")
    shutil.copytree(sqlite_template, root / "home")
    if request.param == "sqlite":
        home = Home.at(root / "home")
    else:
        server: Databases = request.getfixturevalue("pg_server")
        name = f"world_{root.name.replace('-', '_')}"
        server.admin.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE template_desk")
        home = Home.at(root / "home", desk_url=server.url.set(database=name).render_as_string(hide_password=False))
    yield opened(home)
    home.ward.dispose()
    home.desk.dispose()
