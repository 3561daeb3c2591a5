"""印: 作り、預け合い、本物のデータベースの書き換えを見つける。印の後だけを確かめる道、台帳の行の減り、紙（reliability §4.6）。"""

from __future__ import annotations

import os
import random
import shutil
import stat
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from benefit.domain.access import Actor
from benefit.domain.errors import RefusedByRule, RefusedInput, WrongUse
from benefit.services import audit_anchors, audit_verify
from benefit.services.audit_verify import Verified
from benefit.services.home import Home
from benefit.store import audit, desk, ward
from benefit.store.audit_anchors import Anchor
from letters import evidence_sheet
from tests.conftest import StepClock
from tests.support.owner import as_owner

DAY = date(2024, 6, 20)
CLERK = Actor("op-1", "operator", "窓口3")


def write(home: Home, clock: StepClock, count: int) -> None:
    """業務のログ。"""
    with home.desk.begin() as connection:
        for number in range(count):
            audit.record(
                connection, desk.audit_log, at=clock(), actor=CLERK, action="case.view",
                subject=f"{number:011d}", reason="進み具合「=1+1」", detail={"call": "T-1", "found": True},
            )  # fmt: skip


@pytest.fixture
def anchored(home: Home, clock: StepClock, tmp_path: Path) -> Home:
    """六十行を三日に分けて締め、区に預けた給付管理システム。"""
    for days, count in enumerate((20, 15, 25)):
        write(home, clock, count)
        audit_anchors.make(home, "desk", day=DAY + timedelta(days=days), clock=clock)
    hand_over(home, clock, tmp_path)
    audit_anchors.make(home, "desk", day=DAY + timedelta(days=3), clock=clock)
    return home


def hand_over(home: Home, clock: StepClock, folder: Path) -> Path:
    """給付管理システムの印を、区へ。"""
    given = audit_anchors.give(home, "desk", out=folder, clock=clock)
    audit_anchors.take(home, "ward", given.folder, key=given.public_key, clock=clock)
    return given.folder


def checked(home: Home, connection: sa.Connection, held: list[Anchor] | None = None) -> Verified:
    return audit_verify.verify(connection, "desk", key=audit_verify.known_key(home, "desk"), held=held or [])


def unguarded(connection: sa.Connection) -> None:
    """台帳の仕掛けを外す（表の持ち主・ファイルを持つ人がすること）。"""
    as_owner(connection)
    for table in ("audit_log", "audit_anchor"):
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
        else:
            for deed in ("update", "delete"):
                connection.exec_driver_sql(f"DROP TRIGGER {table}_refuses_{deed}")


def rewritten(connection: sa.Connection, start: int, **change: Any) -> None:
    """`start` の行を変え、そこから鎖ごと作り直す。"""
    log = desk.audit_log
    rows = connection.execute(sa.select(log).where(log.c.sequence >= start).order_by(log.c.sequence)).mappings().all()
    made = [{**row, **(change if row["sequence"] == start else {})} for row in rows]
    connection.execute(log.delete().where(log.c.sequence >= start))
    previous = rows[0]["previous_hash"]
    for row in made:
        values = tuple(row[name] for name in audit.COLUMNS[:9])
        row |= {"previous_hash": previous, "hash": audit.digest(previous, values)}
        previous = row["hash"]
    connection.execute(log.insert(), made)


HARMS = ("書換え", "時刻", "端末", "指紋の欄", "抜取り", "末尾", "差込み", "入替え", "作り直し", "印も抜く", "番号の外")


def harm(connection: sa.Connection, deed: str, place: int) -> int:
    """`place` の行から書き換え、名ざされるはずの行を返す。"""
    log, mark = desk.audit_log, desk.audit_anchor
    here = log.c.sequence == place
    if deed == "書換え":
        connection.execute(log.update().where(here).values(subject="99999999999"))
    elif deed == "時刻":
        at = connection.execute(sa.select(log.c.at).where(here)).scalar_one()
        connection.execute(log.update().where(here).values(at=at + timedelta(microseconds=1)))
    elif deed == "端末":
        connection.execute(log.update().where(here).values(terminal=""))
    elif deed == "指紋の欄":
        connection.execute(log.update().where(here).values(hash="0" * 64))
    elif deed == "抜取り":
        connection.execute(log.delete().where(here))
    elif deed == "末尾":
        connection.execute(log.delete().where(log.c.sequence >= place))
    elif deed == "差込み":
        rows = (
            connection.execute(sa.select(log).where(log.c.sequence >= place).order_by(-log.c.sequence)).mappings().all()
        )
        for row in rows:
            connection.execute(
                log.update().where(log.c.sequence == row["sequence"]).values(sequence=row["sequence"] + 1)
            )
        connection.execute(
            log.insert(), {**rows[-1], "sequence": place, "actor": "誰か", "hash": "1" * 64, "previous_hash": "2" * 64}
        )
    elif deed == "入替え":
        for old, new in ((place, 9_000), (place + 1, place), (9_000, place + 1)):
            connection.execute(log.update().where(log.c.sequence == old).values(sequence=new))
    elif deed == "番号の外":
        first = connection.execute(sa.select(log).where(log.c.sequence == 1)).mappings().one()
        connection.execute(log.insert(), {**first, "sequence": -place, "hash": "1" * 64, "previous_hash": "2" * 64})
        return -place
    else:
        if deed == "印も抜く":
            connection.execute(mark.delete().where(mark.c.row_count >= place))
        rewritten(connection, place, actor="別人")
    return place


def test_every_change_in_the_real_store_is_found_and_named(anchored: Home) -> None:
    held = audit_anchors.held_by_other(anchored, "desk")
    assert [one.row_count for one in held] == [20, 35, 60]
    seed = int(os.environ.get("TAMPER_SEED", "17"))
    print(f"種: {seed}")
    luck = random.Random(seed)
    with anchored.desk.connect() as connection:
        assert checked(anchored, connection, held).sound
    for deed in HARMS:
        for place in (1, *(luck.randrange(2, 59) for _ in range(2)), 59):
            with anchored.desk.connect() as connection:
                unguarded(connection)
                bad = harm(connection, deed, place)
                result = checked(anchored, connection, held)
                # 変えたことは、巻き戻す。次の書き換えは、また無傷の台帳から始まる。
                connection.rollback()
            assert result.broken is not None, (deed, place)
            assert result.broken.sequence == bad, (deed, place, result.broken)
            assert any(f"{bad} 行目" in line for line in result.lines())
    with anchored.desk.connect() as connection:
        assert checked(anchored, connection, held).sound


def test_an_old_backup_put_back_is_called_old(anchored: Home, clock: StepClock) -> None:
    held = [*audit_anchors.held_by_other(anchored, "desk"), audit_anchors.find(anchored, "desk")]
    with anchored.desk.connect() as connection:
        unguarded(connection)
        for table, column in (
            (desk.audit_log, desk.audit_log.c.sequence),
            (desk.audit_anchor, desk.audit_anchor.c.row_count),
        ):
            connection.execute(table.delete().where(column > 35))
        old = checked(anchored, connection, held)
        # その後に、普通に書き足しても。
        audit.record(connection, desk.audit_log, at=clock(), actor=CLERK, action="case.view", subject="1")
        gone_on = checked(anchored, connection, held)
        connection.rollback()
    for result in (old, gone_on):
        assert result.broken is not None
        assert result.broken.sequence == 36
        assert "古い台帳に戻っています" in result.broken.why


def test_ledger_rows_that_vanish_are_counted(home: Home, clock: StepClock) -> None:
    with home.desk.begin() as connection:
        connection.execute(
            desk.planned_file.insert().values(
                file_number="F1", sha256="a" * 64, row_count=1, total_yen=1, made_at=clock()
            )
        )
    audit_anchors.make(home, "desk", day=DAY, clock=clock)
    with home.desk.connect() as connection:
        as_owner(connection)
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("ALTER TABLE planned_file DISABLE TRIGGER ALL")
        else:
            connection.exec_driver_sql("DROP TRIGGER planned_file_refuses_delete")
        connection.execute(desk.planned_file.delete())
        result = checked(home, connection)
        connection.rollback()
    assert not result.sound
    assert "planned_file" in result.lines()[0]


def test_the_short_check_sees_only_after_the_last_anchor_and_names_the_row(anchored: Home, clock: StepClock) -> None:
    write(anchored, clock, 5)
    key = audit_verify.known_key(anchored, "desk")
    with anchored.desk.connect() as connection:
        sound = audit_verify.tail(connection, "desk", key=key)
        assert (sound.sound, sound.rows) == (True, 66)
        unguarded(connection)
        log = desk.audit_log
        for place in (61, 63):  # 最後の印の行と、その後の行
            with connection.begin_nested() as again:
                connection.execute(log.update().where(log.c.sequence == place).values(reason="別の理由"))
                found = audit_verify.tail(connection, "desk", key=key).broken
                assert found is not None
                assert found.sequence == place
                again.rollback()
        connection.execute(log.delete().where(log.c.sequence >= 61))
        found = audit_verify.tail(connection, "desk", key=key).broken
        assert found is not None
        assert found.sequence == 61
        connection.rollback()
    assert audit_verify.require_sound(anchored, "desk").sound


def test_a_broken_chain_is_never_signed(anchored: Home, clock: StepClock) -> None:
    write(anchored, clock, 3)
    with anchored.desk.begin() as connection:
        unguarded(connection)
        connection.execute(desk.audit_log.update().where(desk.audit_log.c.sequence == 63).values(actor="別人"))
    with pytest.raises(RefusedByRule, match="63 行目"):
        audit_anchors.make(anchored, "desk", day=DAY + timedelta(days=4), clock=clock)
    with pytest.raises(RefusedByRule, match="監査ログが壊れています"):
        audit_verify.require_sound(anchored, "desk")


def test_closing_the_same_day_twice_makes_one_anchor_and_an_earlier_day_is_refused(
    home: Home, clock: StepClock
) -> None:
    write(home, clock, 3)
    first = audit_anchors.make(home, "desk", day=DAY, clock=clock)
    again = audit_anchors.make(home, "desk", day=DAY, clock=clock)
    assert (first.new, again.new, first.anchor) == (True, False, again.anchor)
    # 何もない日も、何もなかったと締める。
    quiet = audit_anchors.make(home, "desk", day=DAY + timedelta(days=1), clock=clock)
    assert (quiet.new, quiet.anchor.row_count, quiet.anchor.marks) == (True, 3, "")
    with pytest.raises(WrongUse, match="前の日"):
        audit_anchors.make(home, "desk", day=DAY, clock=clock)


def test_the_key_is_readable_by_its_owner_alone(anchored: Home) -> None:
    path = anchored.path / "keys" / "anchor-desk.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o400
    assert audit_verify.known_key(anchored, "ward") is None  # 確かめるだけでは、鍵は生まれない


def test_taking_twice_changes_nothing_and_the_next_parcel_brings_only_the_new(
    anchored: Home, clock: StepClock, tmp_path: Path
) -> None:
    given = audit_anchors.give(anchored, "desk", out=tmp_path / "again", clock=clock)
    taken = audit_anchors.take(anchored, "ward", given.folder, clock=clock)
    assert (taken.added, taken.repeated) == (1, 3)
    taken = audit_anchors.take(anchored, "ward", given.folder, clock=clock)
    assert (taken.added, taken.repeated) == (0, 4)


def test_our_own_anchors_come_back_from_the_other_side_and_are_compared(
    anchored: Home, clock: StepClock, tmp_path: Path
) -> None:
    audit_anchors.make(anchored, "ward", day=DAY, clock=clock)
    back = audit_anchors.give(anchored, "ward", out=tmp_path, clock=clock)
    assert back.held == 3
    taken = audit_anchors.take(anchored, "desk", back.folder, key=back.public_key, clock=clock)
    assert (taken.verified.sound, taken.verified.held) == (True, 3)
    with anchored.desk.begin() as connection:
        unguarded(connection)
        rewritten(connection, 30, actor="別人")
        connection.execute(desk.audit_anchor.delete())
    broken = audit_anchors.take(anchored, "desk", back.folder, clock=clock).verified.broken
    assert broken is not None
    assert broken.sequence == 30


def test_the_other_side_cannot_take_back_an_anchor_it_gave(anchored: Home, clock: StepClock, tmp_path: Path) -> None:
    # 委託先が、自分の鍵で、ログも印も作り直して、もう一度渡してきた。
    with anchored.desk.begin() as connection:
        unguarded(connection)
        rewritten(connection, 30, actor="別人")
        connection.execute(desk.audit_anchor.delete())
    audit_anchors.make(anchored, "desk", day=DAY + timedelta(days=5), clock=clock)
    given = audit_anchors.give(anchored, "desk", out=tmp_path / "forged", clock=clock)
    with pytest.raises(RefusedByRule, match="前に預かった印と合いません"):
        audit_anchors.take(anchored, "ward", given.folder, clock=clock)
    with anchored.ward.connect() as connection:
        actions = connection.execute(sa.select(ward.audit_log.c.detail).where(ward.audit_log.c.action == "audit.take"))
        assert "違います" in actions.scalars().all()[-1]  # 断ったことも残る


@pytest.mark.parametrize(
    "harm", ["manifest なし", "一字", "行を抜く", "自分の印", "鍵を言わない", "違う鍵", "読めない行"]
)
def test_a_parcel_that_is_not_whole_is_refused(anchored: Home, clock: StepClock, tmp_path: Path, harm: str) -> None:
    given = audit_anchors.give(anchored, "desk", out=tmp_path / "x", clock=clock)
    folder, key, store = given.folder, given.public_key, "ward"
    lines = folder / audit_anchors.OWN
    if harm == "manifest なし":
        (folder / "manifest.json").unlink()
    elif harm == "一字":
        lines.write_bytes(lines.read_bytes().replace(b'"row_count": 35', b'"row_count": 36'))
    elif harm == "行を抜く":
        lines.write_bytes(lines.read_bytes().split(b"\n", 1)[1])
    elif harm == "読めない行":
        text = lines.read_text().replace('"number": 2', '"number": "2"')
        lines.write_text(text)
        manifest = folder / "manifest.json"
        manifest.write_text(
            manifest.read_text()
            .replace(audit_anchors.sha256_of(b""), "")
            .replace(
                next(one for one in manifest.read_text().split('"') if len(one) == 64 and one != key),
                audit_anchors.sha256_of(text.encode()),
            )
        )
    elif harm == "自分の印":
        store = "desk"
    elif harm == "違う鍵":
        key = "0" * 64
    else:
        key = ""
        with anchored.ward.begin() as connection:
            as_owner(connection)
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql("ALTER TABLE foreign_anchor DISABLE TRIGGER ALL")
            else:
                connection.exec_driver_sql("DROP TRIGGER foreign_anchor_refuses_delete")
            connection.execute(ward.foreign_anchor.delete())
    with pytest.raises((RefusedInput, WrongUse, RefusedByRule)):
        audit_anchors.take(anchored, store, folder, key=key or None, clock=clock)
    shutil.rmtree(folder)


def test_the_evidence_sheet_is_one_page_and_always_the_same_bytes(anchored: Home) -> None:
    found = audit_anchors.find(anchored, "desk")
    one, other = evidence_sheet.render(found), evidence_sheet.render(found)
    assert one == other
    assert one.startswith(b"%PDF")
    assert evidence_sheet.qr_text(found).endswith(f" 60 {found.head}".upper()) or found.row_count == 61
