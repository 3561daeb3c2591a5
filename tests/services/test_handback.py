"""進捗情報の受渡: 委託先の台帳のとおりに届き、二度数えず、古いものを入れず、断ったものは何も残さない。"""

from __future__ import annotations

import json
import shutil
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa

from benefit.domain.access import BATCH
from benefit.domain.errors import BenefitError, RefusedByRule, RefusedInput
from benefit.domain.handback import possible_states
from benefit.records import desk_progress
from benefit.services import desk_handback
from benefit.services.files import MANIFEST
from benefit.store import desk, ward
from tests.services.conftest import PROGRAMME, Office
from tests.support.handback import Exchange
from tests.support.small_ward import read, write

#: データベースによらない試験。
SQLITE = pytest.mark.parametrize("office", ["sqlite"], indirect=True)


def test_what_the_desk_knows_arrives_column_by_column(office: Office) -> None:
    days = Exchange(office)
    back, letter, refused, dead = days.in_states("C20", "C20", "C20", "C20")
    days.returned(back, "unknown_address")
    days.tell(refused, "refusal_received")
    days.tell(dead, "death_told")
    days.contact(letter, "本人から、封筒が見当たらないと電話")
    days.contact(letter, "再発行を案内")
    taken = days.day()
    seen = days.seen()
    assert taken.cases_read == taken.cases_agreed == len(seen)
    assert {number: row["state"] for number, row in seen.items()} == days.desk_states()
    today = date(2024, 7, 26)
    assert (seen[back]["returned_on"], seen[back]["returned_reason"], seen[back]["letters_due"]) == (
        today, "unknown_address", "reissue",
    )  # fmt: skip
    assert (seen[refused]["refused_on"], seen[dead]["deceased_told_on"]) == (today, today)
    assert seen[letter]["contact_count"] == 2
    with office.home.ward.connect() as connection:
        told = (
            connection.execute(sa.select(ward.desk_contact).order_by(ward.desk_contact.c.contact_id)).mappings().all()
        )
        steps = connection.execute(sa.select(ward.desk_event)).mappings().all()
    assert [row["body"] for row in told] == ["本人から、封筒が見当たらないと電話", "再発行を案内"]
    assert {(row["case_number"], row["event"], row["to_state"]) for row in steps} >= {
        (back, "mail_returned", "C21"), (refused, "refusal_received", "C29"), (dead, "death_told", "X60"),
    }  # fmt: skip
    assert "reason" not in ward.desk_event.c


def test_only_what_is_new_travels_the_next_day(office: Office) -> None:
    days = Exchange(office)
    first = days.day()
    assert first.events_read == first.events_new > 0
    days.export_and_load()
    (number,) = days.in_states("C20")
    days.contact(number, "問い合わせ")
    second = days.day()
    assert (second.events_read, second.contacts_read, second.contacts_new) == (0, 1, 1)
    assert second.cases_read == first.cases_read


def test_a_lost_folder_loses_nothing(office: Office) -> None:
    days = Exchange(office)
    days.day()
    days.export_and_load()
    number, other = days.in_states("C20", "C20")
    days.contact(number, "なくなる日の電話")
    days.tell(other, "refusal_received")
    days.make()  # 区に届かない
    days.contact(number, "次の日の電話")
    taken = days.day()
    assert (taken.contacts_new, taken.events_new) == (2, 1)
    assert days.seen()[other]["state"] == "C29"


def test_the_same_folder_again_under_another_name_changes_nothing(office: Office) -> None:
    days = Exchange(office)
    folder = days.make()
    first = days.take(folder)
    before = days.ward_rows()
    other = folder.with_name("コピー 2")
    shutil.copytree(folder, other)
    again = days.take(other)
    assert again.repeated
    assert again == first.__class__(**{**first.__dict__, "repeated": True})
    assert days.ward_rows() == before


@SQLITE
def test_an_older_folder_is_refused(office: Office) -> None:
    days = Exchange(office)
    old, new = days.make(), days.make()
    days.take(new)
    before = days.ward_rows()
    with pytest.raises(RefusedByRule, match="もっと新しい"):
        days.take(old)
    assert days.ward_rows() == before


def test_events_that_do_not_continue_from_what_the_ward_has_are_refused(office: Office) -> None:
    days = Exchange(office)
    days.day()
    days.export_and_load()
    folder = days.make()
    with office.home.ward.begin() as connection:
        # 区の台帳を古い控えから戻した。
        from tests.support.owner import as_owner

        as_owner(connection)
        for table in (
            "desk_withdrawal",
            "desk_difference",
            "desk_contact",
            "desk_event",
            "desk_progress",
            "desk_handback",
        ):
            days.without_triggers(connection, table)
            connection.exec_driver_sql(f"DELETE FROM {table}")
    with pytest.raises(RefusedByRule, match="続き"):
        days.take(folder)


WRONG: list[dict[str, Any]] = [
    {"種類": "支給対象者"},
    {"事業": "r7-shortfall"},
    {"件数": dict.fromkeys(desk_progress.FILES, 1)},
    {"sha256": dict.fromkeys(desk_progress.FILES, "0" * 64)},
    {"連番": 0},
    {"連番": "1"},
    {"起点": 99},
    {"受渡連番": 999},
    {"作成日時": "きのう"},
    {"備考": "よろしく"},
]


@SQLITE
def test_a_folder_that_does_not_add_up_leaves_nothing(office: Office) -> None:
    days = Exchange(office)
    folder = days.make()
    before = days.ward_rows()
    path = folder / MANIFEST
    good = json.loads(path.read_text(encoding="utf-8"))
    for wrong in WRONG:
        manifest = {**good, **wrong}
        for stamp in (good["指紋"], desk_progress.fingerprint(manifest)):
            # 頭書きだけを書き換えたものと、指紋まで合わせたもの。
            path.write_text(json.dumps({**manifest, "指紋": stamp}), encoding="utf-8")
            with pytest.raises(BenefitError) as refused:
                days.take(folder)
            assert refused.value.exit_code in {3, 4}, wrong
    assert days.ward_rows() == before


UNREADABLE = [
    ("cases.csv", "枝番", "氏名"),
    ("cases.csv", ",J30,", ",P99,"),
    ("cases.csv", "\n", "\n\n"),
    ("events.csv", "2024-06-", "2024-13-"),
    ("events.csv", ",planned,", ',"pla\nnned",'),
]


@SQLITE
def test_a_value_that_cannot_be_read_refuses_the_folder(office: Office) -> None:
    days = Exchange(office)
    folder = days.make()
    before = days.ward_rows()
    for name, old, new in UNREADABLE:
        path = folder / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        days.seal(folder)
        with pytest.raises(RefusedInput) as refused:
            days.take(folder)
        assert refused.value.place.file.endswith(name)
        path.write_text(text, encoding="utf-8")
    assert days.ward_rows() == before


def test_a_history_that_was_rewritten_or_cut_is_refused(office: Office) -> None:
    days = Exchange(office)
    (number,) = days.in_states("C20")
    days.contact(number, "はじめの言葉")
    days.take(days.make())
    folder = days.make()  # 区の受取がまだ知らされていないので、初めから載る。
    path = folder / "contacts.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("はじめの", "書き換えた"), encoding="utf-8")
    days.seal(folder)
    with pytest.raises(RefusedByRule, match="中身が変わって"):
        days.take(folder)
    days.contact(number, "二つめの言葉")
    folder = days.make()
    days.edit(folder, "contacts.csv", number)
    with pytest.raises(RefusedByRule, match="少ない件"):
        days.take(folder)


@SQLITE
def test_the_folder_holds_no_name_no_address_and_no_account(office: Office) -> None:
    days = Exchange(office)
    folder = days.make()
    data = b"".join(path.read_bytes() for path in folder.iterdir())
    for row in read(office.root / "payees" / "payees.csv"):
        for column in ("漢字氏名", "カナ氏名", "漢字住所", "住民番号", "過去口座_口座番号", "郵便番号"):
            assert not row[column] or row[column].encode() not in data


@SQLITE
def test_a_folder_in_use_is_not_written_over(office: Office) -> None:
    days = Exchange(office)
    folder = days.make()
    with pytest.raises(RefusedByRule, match="空"):
        desk_handback.make(office.home, PROGRAMME.id, out=folder, actor=BATCH, clock=office.clock)


def test_no_case_number_of_a_ward_only_person_is_ever_in_a_folder(office: Office) -> None:
    days = Exchange(office)
    days.day()
    days.export_and_load()
    days.day()
    with office.home.ward.connect() as connection:
        query = sa.select(ward.entitlement.c.case_number).where(ward.entitlement.c.route == "WARD")
        hidden = list(connection.execute(query).scalars())
    assert hidden
    for folder in days.folders:
        for path in folder.iterdir():
            data = path.read_bytes()
            assert all(number.encode() not in data for number in hidden)


def listed(office: Office, sequence: int) -> set[tuple[str, str]]:
    table = ward.desk_difference
    with office.home.ward.connect() as connection:
        query = sa.select(table.c.case_number, table.c.kind).where(table.c.sequence == sequence)
        return {tuple(row) for row in connection.execute(query)}


@pytest.mark.parametrize("office", ["postgresql"], indirect=True)
def test_an_event_that_was_committed_late_is_not_lost(office: Office) -> None:
    """小さい番号を取った仕事が、大きい番号の仕事より後に確定する（PostgreSQL）。"""
    days = Exchange(office)
    slow, quick = days.in_states("C20", "C20")
    with office.home.desk.connect() as late:
        step = {
            "case_number": slow, "at": office.clock(), "actor": "x", "role": "counter", "event": "letter_seen",
            "from_state": "C20", "to_state": "C20", "reason": "", "evidence": "",
        }  # fmt: skip
        late.execute(desk.case_event.insert().values(**step))
        days.tell(quick, "refusal_received")
        days.day()
        days.export_and_load()
        late.commit()
    taken = days.day()
    assert taken.events_new == 1
    with office.home.ward.connect() as connection:
        table = ward.desk_event
        assert connection.execute(sa.select(table.c.case_number).where(table.c.event == "letter_seen")).all() == [
            (slow,)
        ]


@SQLITE
def test_every_difference_is_listed_and_the_counts_close(office: Office) -> None:
    days = Exchange(office)
    gone, older, paid, *_ = sorted(days.desk_states())
    folder = days.make()
    days.edit(folder, "cases.csv", gone)
    days.edit(folder, "cases.csv", older, 枝番="7")
    days.edit(folder, "cases.csv", paid, 進捗状況="F42")
    rows = read(folder / "cases.csv")
    write(folder / "cases.csv", [*rows, rows[0] | {"給付管理番号": "99999999999"}], list(rows[0]))
    days.seal(folder)
    before = days.ward_rows()["desk_progress"]
    done = days.take(folder)
    assert listed(office, done.sequence) == {
        (gone, "消えた行"), (older, "枝番が違う"), (paid, "ありえない状態"), ("99999999999", "知らない番号"),
    }  # fmt: skip
    assert (done.cases_vanished, done.cases_strange, done.cases_listed) == (1, 1, 3)
    assert done.cases_read == done.cases_agreed + done.cases_listed
    assert done.cases_given == done.cases_read - done.cases_strange + done.cases_vanished == len(days.desk_states())
    # 知らない番号の進みは、受け取らない。
    assert days.ward_rows()["desk_progress"] == before + done.cases_read - 1
    # 消えた行は、次の受渡で戻るまで、毎回並ぶ。
    folder = days.make()
    days.edit(folder, "cases.csv", gone)
    assert listed(office, days.take(folder).sequence) == {(gone, "消えた行")}
    assert gone not in days.seen()
    assert listed(office, days.day().sequence) == set()
    assert gone in days.seen()


@pytest.mark.parametrize(
    ("told", "said", "fine"),
    [
        ("P20", "P25", True), ("P20", "J30", True), ("P20", "X60", True), ("P20", "D33", False), ("P20", "F42", False),
        ("C20", "C27", True), ("C20", "C29", True), ("C20", "P25", False),
        ("D33", "J30", False), ("F41", "C27", False), ("F42", "C27", False), ("F42", "J30", False),
        ("F43", "P23", True), ("F43", "J30", True), ("F43", "F42", False), ("D34", "C23", False), ("J32", "J30", False),
    ],
)  # fmt: skip
def test_a_state_the_contractor_cannot_reach_by_its_own_work_is_impossible(told: str, said: str, fine: bool) -> None:
    assert (said in possible_states(told)) is fine
