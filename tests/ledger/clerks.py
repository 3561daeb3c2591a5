"""競争する職員: 別々のプロセスで、同じ権利を判定し、振込を作り、承認し、送り、取り消し、結果を取り込む。

したことは、一行ずつ帳面（JSON）に残す: invoke の後に、ok・fail・info のどれか。途中で止められた職員の最後の invoke は、
したのか、しなかったのか分からない（info）。
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from threading import Barrier
from typing import Any

import sqlalchemy as sa

from benefit.domain.access import Actor
from benefit.domain.errors import BenefitError
from benefit.domain.transfer import LIVE_STATES
from benefit.services import judgment, transfers
from benefit.services.home import Home
from benefit.services.transfer_lines import posting_row
from benefit.store import ward
from tests.ledger.books import CREDITED, FAILED, FIRST, JUDGED, MAKER, SECOND, Books, DayClock
from tests.ledger.world import World

#: 銀行の答え: 番号の剰余がこれなら、振込不能。
FAILS_EVERY = 17


@dataclass
class Log:
    """職員一人の帳面。"""

    path: Path
    worker: int
    turn: int = 0

    def write(self, phase: str, op: str, key: str, **told: Any) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            line = {"worker": self.worker, "turn": self.turn, "op": op, "phase": phase, "key": key, **told}
            file.write(json.dumps(line, ensure_ascii=False) + "\n")

    def did(self, op: str, key: str, work: Callable[[], dict[str, Any]]) -> None:
        """一つの仕事。断られたら fail、終われば ok。"""
        self.turn += 1
        self.write("invoke", op, key)
        try:
            told = work()
        except BenefitError as refused:
            self.write("fail", op, key, code=refused.code)
        except sa.exc.IntegrityError as refused:
            self.write("fail", op, key, code=type(refused).__name__)
        else:
            self.write("ok", op, key, **told)


@contextmanager
def _opened(home: Path, ward_url: str, log: Path, worker: int) -> Iterator[tuple[Books, Log]]:
    made = Home.at(home, ward_url=ward_url)
    root = home.parent / f"clerk-{worker}"
    root.mkdir(exist_ok=True)
    yield Books(made, root, World(), DayClock(JUDGED)), Log(log, worker)
    made.ward.dispose()


def work(
    home: Path, ward_url: str, gate: Barrier, worker: int, *, log: Path, folders: list[Path], seed: int, orderly: bool
) -> None:
    """自分の写しのファイルを順に判定しながら、その合間に、乱数で選んだ仕事をする。"""
    if not orderly:
        # わざと外す: 一列に並べる仕掛けなしでも、一意の制約だけで守られるか。
        for module in (judgment, transfers):
            module.in_turn = lambda _connection, _deed: None
    chance = random.Random(seed * 1_000 + worker)
    with _opened(home, ward_url, log, worker) as (books, kept):
        gate.wait(300)
        for folder in folders:
            kept.did("judge", folder.name, lambda folder=folder: _judge(books, folder))  # type: ignore[misc]
            for _ in range(2):
                _something(books, kept, chance)


def _judge(books: Books, folder: Path) -> dict[str, Any]:
    judged = books.judge(folder, out=f"judged-{folder.name}")
    return {"rows": judged.rows, "payable": judged.payable, "repeated": judged.repeated}


def _something(books: Books, kept: Log, chance: random.Random) -> None:
    """作る・承認する・送る・取り消す・結果を取り込む・振込不能をやり直す、のどれか。"""
    waiting, sent = _files(books)
    op = chance.choice(["make", "approve", "approve", "release", "cancel", "results", "results", "retry"])
    if op == "make" or (op in {"approve", "release", "cancel"} and not waiting):
        kept.did("make", "", lambda: _make(books))
    elif op == "approve":
        number, who = chance.choice(waiting), chance.choice([FIRST, SECOND, MAKER])
        kept.did("approve", f"{number}", lambda: _approve(books, number, who))
    elif op == "release":
        number = chance.choice(waiting)
        kept.did("release", f"{number}", lambda: {"released": books.release(number).released})
    elif op == "cancel" and chance.random() < 0.4:
        number = chance.choice(waiting)
        kept.did("cancel", f"{number}", lambda: {"rows": books.cancel(number)})
    elif op == "results" and sent:
        number = chance.choice(sent)
        kept.did("results", f"{number}", lambda: _take(books, number))
    elif op == "retry":
        name = f"R{kept.worker}-{kept.turn}"
        kept.did("retry", name, lambda: _retry(books, name))


def _files(books: Books) -> tuple[list[int], list[int]]:
    """(送り出す前の振込, 送り出した振込)。"""
    with books.home.ward.connect() as connection:
        made = set(connection.execute(sa.select(ward.transfer.c.id)).scalars())
        sent = set(connection.execute(sa.select(ward.transfer_release.c.transfer_id)).scalars())
    return sorted(made - sent)[-3:], sorted(sent)


def _make(books: Books) -> dict[str, Any]:
    made = books.make()
    return {"transfer": made.id if made else None, "rows": made.line_count if made else 0}


def _approve(books: Books, number: int, who: Actor) -> dict[str, Any]:
    return {"approvers": list(books.approve(number, who).approvers), "who": who.id}


def answers_for(transfer: int, lines: int) -> list[Any]:
    """銀行の答え。同じ振込には、誰が取りに行っても同じファイルが届く。"""
    return [FAILED if (transfer + place) % FAILS_EVERY == 0 else CREDITED for place in range(lines)]


def _take(books: Books, number: int) -> dict[str, Any]:
    path = transfers.transfer_path(books.home, number)
    bank = books.root / "bank"
    bank.mkdir(exist_ok=True)
    (bank / path.name).write_bytes(path.read_bytes())
    lines = len(path.read_bytes().splitlines()) - 3
    taken = books.take(books.answer(number, answers_for(number, lines), created_on=date(2024, 8, 5)))
    return {"repeated": taken.repeated, "credited": taken.credited, "failed": taken.failed}


def failed_rights(books: Books) -> list[dict[str, Any]]:
    """最後の支払が振込不能の権利（attempt は、その回）。"""
    payment, right = ward.payment, ward.entitlement
    with books.home.ward.connect() as connection:
        rows = connection.execute(
            sa.select(right, payment.c.attempt, payment.c.state)
            .join(payment, payment.c.entitlement_id == right.c.id)
            .order_by(payment.c.attempt)
        ).mappings()
        last = {row["slot"]: dict(row) for row in rows}
    return [row for row in last.values() if row["state"] == "F43"]


def _retry(books: Books, number: str) -> dict[str, Any]:
    """振込不能の人の、新しい口座の申し出を判定する。"""
    from tests.ledger.world import Person

    failed = failed_rights(books)
    if not failed:
        return {"rows": 0, "payable": 0, "repeated": False}
    books.world = World([Person(row["payee_number"], row["household_number"]) for row in failed])
    folder = books.plan([books.planned_row(row, turn=row["attempt"]) for row in failed], number)
    return _judge(books, folder)


def careless(home: Path, ward_url: str, gate: Barrier, worker: int, *, log: Path) -> None:
    """わざと入れた誤り: 読んで確かめてから、別のトランザクションで入れる（READ COMMITTED の check-then-insert）。"""
    with _opened(home, ward_url, log, worker) as (books, kept):
        verdict, payment, right = ward.verdict, ward.payment, ward.entitlement
        with books.home.ward.connect() as connection:
            live = set(connection.execute(sa.select(payment.c.slot).where(payment.c.state.in_(LIVE_STATES))).scalars())
            rows = connection.execute(
                sa.select(verdict, right.c.slot)
                .join(right, right.c.id == verdict.c.entitlement_id)
                .where(verdict.c.verdict == "支給可")
            ).mappings()
            free = [dict(row) for row in rows if row["slot"] not in live]
        gate.wait(300)
        for place, row in enumerate(free):
            kept.did("insert", row["slot"], lambda row=row, place=place: _insert(books, row, worker, place))  # type: ignore[misc]


def _insert(books: Books, row: dict[str, Any], worker: int, place: int) -> dict[str, Any]:
    number = worker * 100_000 + place + 1
    names = ("slot", "entitlement_id", "planned_file_id", "line_number", "amount_yen")
    account = ("bank_code", "branch_code", "account_type", "account_number", "holder_kana")
    with books.home.ward.begin() as connection:
        connection.execute(
            ward.payment.insert().values(
                id=number, attempt=worker + 1, state="F40", **{name: row[name] for name in (*names, *account)}
            )
        )
        postings = [
            posting_row(kind, row["entitlement_id"], number, row["amount_yen"], books.clock())
            for kind in ("decide", "file")
        ]
        connection.execute(ward.posting.insert(), postings)
    return {"payment": number}
