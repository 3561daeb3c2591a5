"""お金は、作った人ではない別々の二人が、同じバイト列を承認したときだけ動く（reliability P8・T27）。"""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benefit.domain.access import Actor
from benefit.domain.errors import RefusedByRule
from benefit.services import transfers
from benefit.services.home import Home
from benefit.store import ward
from tests.conftest import Databases
from tests.services.conftest import FIRST, MAKER, SECOND, Office, refused_by_the_store
from tests.support.owner import as_owner


def made_file(office: Office) -> transfers.Transfer:
    office.judge()
    made = office.make()
    assert made is not None
    return made


def test_two_people_other_than_the_maker(office: Office) -> None:
    made = made_file(office)
    for refused in (MAKER, Actor("tanto", "approver")):
        with pytest.raises(RefusedByRule, match="作った人"):
            office.approve(made.id, refused)
    with pytest.raises(RefusedByRule, match="二人の承認"):
        office.release(made.id)
    office.approve(made.id, FIRST)
    with pytest.raises(RefusedByRule, match="もう承認"):
        office.approve(made.id, FIRST)
    with pytest.raises(RefusedByRule, match="二人の承認"):
        office.release(made.id)
    assert not (office.root / "bank").exists()
    office.approve(made.id, SECOND)
    assert office.release(made.id).released
    with pytest.raises(RefusedByRule, match="送り出されて"):
        office.approve(made.id, Actor("shonin3", "approver"))


def test_a_clerk_may_not_approve(office: Office) -> None:
    made = made_file(office)
    with pytest.raises(RefusedByRule, match="承認の役割"):
        office.approve(made.id, Actor("shonin1", "clerk"))


def test_a_cancelled_file_is_neither_approved_nor_released(office: Office) -> None:
    made = made_file(office)
    office.approve(made.id, FIRST)
    office.approve(made.id, SECOND)
    transfers.cancel(office.home, made.id, reason="試験", actor=MAKER, clock=office.clock)
    with pytest.raises(RefusedByRule, match="取り消されて"):
        office.release(made.id)
    with pytest.raises(RefusedByRule, match="取り消されて"):
        office.approve(made.id, Actor("shonin3", "approver"))
    assert not (office.root / "bank").exists()
    # 前の承認は、作り直したファイルには効かない。
    again = office.make()
    assert again is not None
    with pytest.raises(RefusedByRule, match="二人の承認"):
        office.release(again.id)


def test_the_store_itself_refuses_a_release_without_two_people(office: Office) -> None:
    made = made_file(office)
    office.approve(made.id, FIRST)
    release = ward.transfer_release.insert().values(
        transfer_id=made.id, sha256=made.sha256, released_by="tanto", released_at=office.clock()
    )
    approval = ward.approval.insert().values(
        transfer_id=made.id, staff_id="shonin2", made_by="tanto", sha256=made.sha256, approved_at=office.clock()
    )
    both = release.values(first_approver="shonin1", second_approver="shonin2")
    with office.home.ward.begin() as connection:
        for refused in (
            both,  # 二人目の承認がない
            release.values(first_approver="shonin1", second_approver="shonin1"),
            release.values(first_approver="shonin1", second_approver="tanto"),
            approval.values(staff_id="tanto"),  # 作った人
            approval.values(staff_id="tanto", made_by="shonin1"),  # 作った人を偽る
            approval.values(staff_id="shonin1"),  # 同じ人の二度目
            approval.values(sha256="0" * 64),  # 別のバイト列
            approval.values(staff_id="daremo"),  # いない職員
        ):
            assert refused_by_the_store(connection, refused), refused.compile().params
        # 境目のこちら側: 二人目が承認すれば、同じ行が入る。別のバイト列の送り出しは、それでも入らない。
        assert not refused_by_the_store(connection, approval)
        assert refused_by_the_store(connection, both.values(sha256="0" * 64))
        assert not refused_by_the_store(connection, both)
        assert refused_by_the_store(connection, both)
        connection.rollback()


def test_without_its_checks_the_store_would_let_one_person_through(office: Office) -> None:
    """わざと入れた誤り: 制約を無視すると、一人で送り出せる。上の試験が断りを見ている証拠。"""
    made = made_file(office)
    office.approve(made.id, FIRST)
    alone = ward.transfer_release.insert().values(
        transfer_id=made.id, sha256=made.sha256, released_by="tanto", released_at=office.clock(),
        first_approver="shonin1", second_approver="shonin1",
    )  # fmt: skip
    with office.home.ward.begin() as connection:
        assert refused_by_the_store(connection, alone)
        if connection.dialect.name == "sqlite":
            connection.execute(sa.text("PRAGMA ignore_check_constraints = ON"))
        else:
            as_owner(connection)
            connection.execute(sa.text("ALTER TABLE transfer_release DROP CONSTRAINT ck_transfer_release_two_people"))
        assert not refused_by_the_store(connection, alone)
        connection.rollback()


@pytest.mark.parametrize("at", [0, 58, 130, 200, 240, 300, -3, -130])
@pytest.mark.parametrize("office", ["sqlite"], indirect=True)
def test_one_changed_byte_on_disk_stops_the_approval(office: Office, at: int) -> None:
    made = made_file(office)
    data = bytearray(made.path.read_bytes())
    data[at] ^= 1
    made.path.write_bytes(data)
    with pytest.raises(RefusedByRule, match="指紋"):
        office.approve(made.id, FIRST)


def test_a_file_changed_after_both_approvals_is_not_released(office: Office) -> None:
    made = made_file(office)
    office.approve(made.id, FIRST)
    office.approve(made.id, SECOND)
    made.path.write_bytes(made.path.read_bytes().replace(b"1", b"2", 1))
    with pytest.raises(RefusedByRule, match="指紋"):
        office.release(made.id)
    assert {row["state"] for row in office.payments()} == {"F40"}
    assert not (office.root / "bank").exists()


# --- 乱数の手順 ---

THIRD = Actor("shonin3", "approver")
PEOPLE = (MAKER, Actor("tanto", "approver"), FIRST, SECOND, THIRD, Actor("shonin2", "clerk"))
STEPS = st.one_of(
    st.sampled_from(PEOPLE).map(lambda actor: ("approve", actor)),
    st.sampled_from(["release", "change", "lose", "put back", "cancel"]).map(lambda deed: (deed, MAKER)),
)


@dataclass
class Model:
    """約束を、台帳と関係なく言い直したもの。次の一手が断られるかを言う。"""

    approvers: set[str] = field(default_factory=set)
    released: bool = False
    cancelled: bool = False
    changed: bool = False

    def allows(self, deed: str, actor: Actor) -> bool:
        if deed == "approve":
            fit = actor.role == "approver" and actor.id not in {"tanto", *self.approvers}
            if fit and not (self.released or self.cancelled or self.changed):
                self.approvers.add(actor.id)
                return True
            return False
        if deed == "release":
            # 送り出した後の二度目は、同じファイルをもう一度出すだけ。書き換えられていれば、それも断る。
            if self.changed or not (self.released or (len(self.approvers) >= 2 and not self.cancelled)):
                return False
            self.released = True
            return True
        self.cancelled = True if not self.released else self.cancelled
        return not self.released


@contextmanager
def copied(office: Office, databases: Databases | None, numbers: Iterator[int]) -> Iterator[Office]:
    """振込を作った所の写し。手順ごとに、まっさらから始める。"""
    root = office.root.parent / f"copy-{next(numbers)}"
    shutil.copytree(office.root / "home", root / "home")
    url = None
    if databases is not None:
        office.home.ward.dispose()
        url = databases.new("ward", of=sa.make_url(office.home.ward_url).database)
    home = Home.at(root / "home", ward_url=url)
    yield replace(office, home=home, root=root)
    home.ward.dispose()
    shutil.rmtree(root)


def play(office: Office, data: bytes, steps: list[tuple[str, Actor]]) -> None:
    model, path = Model(), transfers.transfer_path(office.home, 1)
    for deed, actor in steps:
        if deed == "change":
            path.write_bytes(data[:-5] + b"X" + data[-4:])
            model.changed = True
        elif deed in {"lose", "put back"}:
            # なくしたファイルは、台帳から同じバイト列で作り直される。
            path.unlink(missing_ok=True)
            if deed == "put back":
                path.write_bytes(data)
            model.changed = False
        else:
            try:
                if deed == "approve":
                    office.approve(1, actor)
                elif deed == "release":
                    office.release(1)
                else:
                    transfers.cancel(office.home, 1, reason="試験", actor=actor, clock=office.clock)
                done = True
            except RefusedByRule:
                done = False
            assert done == model.allows(deed, actor), (deed, actor)
        sent = office.root / "bank" / "sogo-0001.txt"
        assert sent.exists() == model.released
        assert not model.released or sent.read_bytes() == data
        assert set(transfers.show(office.home, 1).approvers) == model.approvers
    states = {row["state"] for row in office.payments()}
    assert states == {"F41" if model.released else "F49" if model.cancelled else "F40"}
    assert sum(office.balances().values()) == 0


def test_any_order_of_hands_ends_as_the_promise_says(office: Office, request: pytest.FixtureRequest) -> None:
    made = made_file(office)
    data, numbers = made.path.read_bytes(), itertools.count()
    with office.home.ward.begin() as connection:
        connection.execute(
            ward.staff.insert().values(
                id="shonin3", name="試験", role="approver", password_hash="-", created_at=office.clock()
            )
        )
    databases = request.getfixturevalue("pg") if office.home.ward.dialect.name == "postgresql" else None

    @settings(
        max_examples=12 if databases else 30, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    @given(st.lists(STEPS, min_size=2, max_size=9))
    def any_order(steps: list[tuple[str, Actor]]) -> None:
        with copied(office, databases, numbers) as fresh:
            play(fresh, data, steps)

    any_order()


@pytest.mark.parametrize("office", ["sqlite"], indirect=True)
def test_the_model_sees_a_release_with_one_approver(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """わざと入れた誤り: 要る承認を一つにすると、手順の試験が見つける（台帳も断る）。"""
    made = made_file(office)
    monkeypatch.setattr(transfers, "APPROVALS_NEEDED", 1)
    with pytest.raises((AssertionError, ValueError, sa.exc.IntegrityError)):
        play(office, made.path.read_bytes(), [("approve", FIRST), ("release", MAKER)])
