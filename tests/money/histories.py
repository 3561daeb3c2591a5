"""承認の歴史: 一つの作業場所の何本もの振込ファイルに、職員の手を乱数で混ぜて加え、約束と一手ずつ比べる。"""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from benefit.domain.access import Actor
from benefit.domain.errors import RefusedByRule
from benefit.records.bank_master import BankMaster
from benefit.services import transfers
from benefit.services.home import Home
from benefit.store import ward
from tests.services.conftest import FIRST, JUDGED, MAKER, PAY, PROGRAMME, SECOND, Office

THIRD = Actor("shonin3", "approver")
STAFF = (MAKER, FIRST, SECOND, THIRD)
#: 一本のファイルに加える手の数（平均）。
DEEDS_EACH = 7
#: 手と、その出やすさ。approve と release が混ざり合う。
DEEDS = {
    "approve": 46, "release": 22, "change": 6, "take another": 4, "lose": 4, "put back": 8, "cancel": 4, "role": 6,
}  # fmt: skip


@dataclass
class File:
    """一本のファイルについての約束。台帳も service も見ずに、次の一手が断られるかを言う。"""

    number: int
    data: bytes
    maker: str
    approvers: set[str] = field(default_factory=set)
    released: bool = False
    cancelled: bool = False
    changed: bool = False

    def allows(self, deed: str, actor: Actor) -> bool:
        open_ = not (self.released or self.cancelled or self.changed)
        if deed == "approve":
            return open_ and actor.role == "approver" and actor.id not in {self.maker, *self.approvers}
        if deed == "release":
            # 送り出した後の二度目は、同じバイト列をもう一度出すだけ。お金は動かない。
            return not self.changed and (self.released or (len(self.approvers) >= 2 and not self.cancelled))
        return not self.released

    def done(self, deed: str, actor: Actor) -> None:
        if deed == "approve":
            self.approvers.add(actor.id)
        elif deed == "release":
            self.released = True
        else:
            self.cancelled = True


@dataclass
class Quick(Office):
    """金融機関の表を、一手ごとに読み直さない仕事場。"""

    known: BankMaster

    @property
    def banks(self) -> BankMaster:
        return self.known


def make_files(office: Office, count: int) -> None:
    """支給可の行を一件ずつ判定し、一件ずつの振込ファイルを作る。作る人は順に変わる。

    世帯の給付（10 万円）を先に、こども加算（5 万円）を後に判定する（CHK45）。
    """
    with office.home.ward.begin() as connection:
        connection.execute(
            ward.staff.insert().values(
                id=THIRD.id, name="試験", role=THIRD.role, password_hash="-", created_at=office.clock()
            )
        )
    made = 0
    rows = sorted(office.rows(), key=lambda row: -int(row["支給予定額"]))
    for number, row in enumerate(rows):
        folder = office.replan([row], number=f"r6-2024-1{number:03d}", name=f"one-{number}")
        if not office.judge(folder, out=f"judged-{number}").payable:
            continue
        assert transfers.make(
            office.home, PROGRAMME, pay_date=PAY, today=JUDGED, bank_master=office.banks,
            actor=STAFF[made % len(STAFF)], clock=office.clock,
        )  # fmt: skip
        made += 1
        if made == count:
            return
    raise AssertionError(f"支給可の行が {made} 件しかない")


@contextmanager
def copied(office: Office, root: Path, new_url: Callable[[], str] | None) -> Iterator[Office]:
    """ファイルを作った作業場所の、まっさらな写し。"""
    shutil.copytree(office.root / "home", root / "home")
    home = Home.at(root / "home", ward_url=new_url() if new_url else None)
    try:
        yield Quick(home, office.clock, office.planned, root, office.banks)
    finally:
        home.ward.dispose()
        shutil.rmtree(root)


def files_of(office: Office) -> list[File]:
    with office.home.ward.connect() as connection:
        rows = connection.execute(sa.select(ward.transfer.c.id, ward.transfer.c.made_by)).all()
    return [File(row.id, transfers.transfer_path(office.home, row.id).read_bytes(), row.made_by) for row in rows]


def play(office: Office, rng: random.Random) -> Counter[str]:
    """作業場所の全部のファイルに手を加える。約束と違えば AssertionError。したことと断りの数を返す。"""
    files, roles, told = files_of(office), {one.id: one.role for one in STAFF}, Counter[str]()
    deeds = rng.choices(list(DEEDS), list(DEEDS.values()), k=len(files) * DEEDS_EACH)
    for deed in deeds:
        file = rng.choice(files)
        path = transfers.transfer_path(office.home, file.number)
        who = rng.choice(STAFF).id
        actor = Actor(who, roles[who])
        if deed == "role":
            roles[who] = "clerk" if roles[who] == "approver" else "approver"
        elif deed == "change":
            at = rng.randrange(len(file.data))
            path.write_bytes(file.data[:at] + bytes((file.data[at] ^ 1 << rng.randrange(8),)) + file.data[at + 1 :])
            file.changed = True
        elif deed == "take another":
            # 承認の済んだ番号に、ほかのファイルの中身を入れる。
            path.write_bytes(rng.choice([one for one in files if one is not file]).data)
            file.changed = True
        elif deed == "lose":
            path.unlink(missing_ok=True)  # なくしたファイルは、台帳から同じバイト列で作り直される
            file.changed = False
        elif deed == "put back":
            path.write_bytes(file.data)
            file.changed = False
        else:
            allowed = file.allows(deed, actor)
            done = _tried(office, deed, file.number, actor)
            assert done == allowed, (deed, actor, file.number, file.approvers, file.maker)
            told[f"{deed} {'した' if done else '断られた'}"] += 1
            if done:
                file.done(deed, actor)
    _check(office, files)
    return told


def _tried(office: Office, deed: str, number: int, actor: Actor) -> bool:
    try:
        if deed == "approve":
            office.approve(number, actor)
        elif deed == "release":
            office.release(number)
        else:
            transfers.cancel(office.home, number, reason="試験", actor=actor, clock=office.clock)
    except RefusedByRule:
        return False
    return True


def _check(office: Office, files: list[File]) -> None:
    """終わりの姿: 台帳・銀行に渡すフォルダ・仕訳が、約束と同じ。"""
    approval, release, line = ward.approval, ward.transfer_release, ward.transfer_line
    with office.home.ward.connect() as connection:
        approved = {tuple(row) for row in connection.execute(sa.select(approval.c.transfer_id, approval.c.staff_id))}
        released = dict(connection.execute(sa.select(release.c.transfer_id, release.c.sha256)).all())
        fingerprints = dict(connection.execute(sa.select(ward.transfer.c.id, ward.transfer.c.sha256)).all())
        states = connection.execute(
            sa.select(line.c.transfer_id, ward.payment.c.state).join(line, line.c.payment_id == ward.payment.c.id)
        ).all()
    assert approved == {(file.number, who) for file in files for who in file.approvers}
    assert released == {file.number: fingerprints[file.number] for file in files if file.released}
    out = office.root / "bank"
    sent = {path.name: path.read_bytes() for path in out.iterdir()} if out.exists() else {}
    assert sent == {f"sogo-{file.number:04d}.txt": file.data for file in files if file.released}
    told = {file.number: "F41" if file.released else "F49" if file.cancelled else "F40" for file in files}
    assert {(row.transfer_id, row.state) for row in states} == set(told.items())
    assert sum(office.balances().values()) == 0


def remake(office: Office) -> None:
    """取り消したものを作り直す。前の承認は、新しいファイルには一つも効かない。"""
    made = office.make()
    if made is None:
        return
    assert made.approvers == ()
    assert not _tried(office, "release", made.id, MAKER)
    office.approve(made.id, FIRST)
    assert not _tried(office, "release", made.id, MAKER)
    office.approve(made.id, SECOND)
    assert office.release(made.id).released
