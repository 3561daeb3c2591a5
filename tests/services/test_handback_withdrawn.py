"""引き上げた人: 委託先の台帳には番号と時刻だけが残り、消したという証しが区に届くまで、一覧に残る（benefit-rules F.3）。"""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from benefit.services import desk_load, extracts, handback_lists
from benefit.services.handback_given import withdrawals
from benefit.store import desk
from tests.services.conftest import PROGRAMME, Office
from tests.support.handback import Exchange
from tests.support.small_ward import read, write

CANARY = "かなりあ之介"
#: 番号と時刻（と、誰が扱ったか）だけの表。引き上げた後も残る。
KEPT = {"withdrawal", "planned_line", "identity_check", "account_reveal", "look_up", "staff_session"}


def protect(office: Office, person: str) -> None:
    """区直轄の名簿に載る。"""
    path = office.root / "in" / "protected.csv"
    rows = [*read(path), {"住民番号": person, "区分": "DV"}]
    write(path, rows, list(rows[0]))
    extracts.import_file(office.home, "protected", path, clock=office.clock, levy_year=2024)


def victim_of(office: Office, state: str) -> dict[str, str]:
    states = Exchange(office).desk_states()
    rows = read(office.root / "payees" / "payees.csv")
    return next(row for row in rows if states[row["給付管理番号"]] == state and row["漢字氏名"])


def everything(office: Office) -> bytes:
    """委託先の台帳の全部の字。SQLite はファイルのバイト、PostgreSQL は全部の表の行。"""
    if office.home.desk.dialect.name == "sqlite":
        # 接続を閉じない。閉じれば WAL は片付くが、動いているサーバーは閉じない。
        found = [path for path in office.home.path.iterdir() if path.name.startswith("desk")]
        assert found
        return b"".join(path.read_bytes() for path in found)
    with office.home.desk.connect() as connection:
        return "\n".join(
            " ".join(map(str, row))
            for table in desk.metadata.sorted_tables
            for row in connection.execute(sa.select(table))
        ).encode()


def test_nothing_of_a_withdrawn_person_is_left_but_the_number_and_the_time(office: Office) -> None:
    if office.home.desk.dialect.name == "sqlite":
        # 消した字を自分で塗りつぶす作りの SQLite もある。ない作りでも、残ってはならない。
        office.home.desk.dispose()
        sa.event.listen(office.home.desk, "connect", lambda dbapi, _record: dbapi.execute("PRAGMA secure_delete=OFF"))
    days = Exchange(office)
    victim = victim_of(office, "C20")
    number = victim["給付管理番号"]
    days.contact(number, f"{CANARY}さんの妻から、避難先の電話 03-9999-0000")
    days.receive_and_key(number, holder="ｶﾅﾘｱﾉｽｹ", account="9876543")
    days.tell(number, "death_told", reason=f"{CANARY}さんが亡くなったと聞いた")
    words = [victim[name] for name in ("住民番号", "漢字氏名", "カナ氏名") if victim[name]]
    words += [CANARY, "9876543", "ｶﾅﾘｱﾉｽｹ", "03-9999-0000"]
    before = everything(office)
    for word in words:
        assert word.encode() in before, word
    protect(office, victim["住民番号"])
    loaded = days.export_and_load()
    assert loaded.withdrawn >= 1
    after = everything(office)
    assert [word for word in words if word.encode() in after and word not in of_others(office)] == []
    with office.home.desk.connect() as connection:
        for table in desk.metadata.sorted_tables:
            if "case_number" in table.c and table.name not in KEPT:
                query = sa.select(sa.func.count()).where(table.c.case_number == number)
                assert connection.execute(query).scalar_one() == 0, table.name
        proof = connection.execute(sa.select(desk.withdrawal).where(desk.withdrawal.c.case_number == number)).all()
    assert len(proof) == 1


def of_others(office: Office) -> str:
    """残った人の氏名（同姓同名や、同じ世帯の人）。"""
    table = desk.benefit_case
    with office.home.desk.connect() as connection:
        return "\n".join(" ".join(map(str, row)) for row in connection.execute(sa.select(table)))


def test_every_table_about_a_case_says_what_happens_when_it_is_withdrawn() -> None:
    """新しい表は、件と一緒に消える（WITH_THE_CASE）か、番号と時刻だけか（KEPT）を決める。"""
    about = {table.name for table in desk.metadata.sorted_tables if "case_number" in table.c}
    undecided = about - set(desk.WITH_THE_CASE) - KEPT - {"benefit_case"}
    assert undecided - CASCADING == set()
    for name in (set(desk.WITH_THE_CASE) | CASCADING) & about:
        column = desk.metadata.tables[name].c.case_number
        assert {key.ondelete for key in column.foreign_keys} == {"CASCADE"}, name


CASCADING = {
    table.name
    for table in desk.metadata.sorted_tables
    if "case_number" in table.c and any(key.ondelete == "CASCADE" for key in table.c.case_number.foreign_keys)
}


def test_rows_about_a_case_cannot_be_deleted_while_it_stands(office: Office) -> None:
    days = Exchange(office)
    (number,) = days.in_states("C20")
    days.contact(number, "消してはいけない言葉")
    with office.home.desk.connect() as connection:
        for name in ("contact", "case_event"):
            table = desk.metadata.tables[name]
            with pytest.raises(sa.exc.DBAPIError):
                connection.execute(sa.delete(table).where(table.c.case_number == number))
            connection.rollback()


def test_a_withdrawal_waits_until_the_proof_arrives_and_is_shown_when_overdue(office: Office) -> None:
    days = Exchange(office)
    days.day()
    victim = victim_of(office, "C20")
    protect(office, victim["住民番号"])
    folder = days.export()
    today = office.clock().date()

    def waiting(day: int) -> list[tuple[str, bool]]:
        rows = handback_lists.withdrawals_waiting(office.home, PROGRAMME, today=today + timedelta(days=day))
        return [(row["case_number"], row["overdue"]) for row in rows.iter_rows(named=True)]

    gone = {number for number, _late in waiting(0)}
    assert victim["給付管理番号"] in gone
    assert {late for _number, late in waiting(0)} == {False}
    assert {late for _number, late in waiting(4)} == {True}
    days.take(days.make())  # 委託先は、まだ引上げの受渡を入れていない。
    assert {number for number, _late in waiting(1)} == gone
    desk_load.load(office.home, folder, clock=office.clock)
    done = days.day()
    assert done.withdrawn_new == len(gone)
    assert waiting(9) == []
    again = days.day()
    assert (again.withdrawn_read, again.withdrawn_new) == (len(gone), 0)
    with office.home.ward.connect() as connection:
        assert withdrawals(connection, PROGRAMME.id)["deleted_at"].null_count() == 0


def test_the_next_row_does_not_take_the_number_of_a_row_that_was_withdrawn(office: Office) -> None:
    days = Exchange(office)
    victim = victim_of(office, "C20")
    days.contact(victim["給付管理番号"], "引き上げる人の電話")
    days.day()
    protect(office, victim["住民番号"])
    days.export_and_load()
    days.contact(days.in_states("C20")[0], "ほかの人の電話")
    assert days.day().contacts_new == 1


def test_a_lost_withdrawal_folder_is_proved_by_the_next_one(office: Office) -> None:
    days = Exchange(office)
    days.day()
    victim = victim_of(office, "C20")
    protect(office, victim["住民番号"])
    days.export()  # 委託先に届かない
    with office.home.ward.begin() as connection:
        # 次の受渡の中身が変わるように、もう一人を引き上げる。
        assert withdrawals(connection, PROGRAMME.id).height
    protect(office, victim_of_another(office, victim))
    days.export_and_load()
    assert days.day().withdrawn_new >= 2
    assert handback_lists.withdrawals_waiting(office.home, PROGRAMME, today=office.clock().date()).is_empty()


def victim_of_another(office: Office, first: dict[str, str]) -> str:
    rows = read(office.root / "payees" / "payees.csv")
    return next(row["住民番号"] for row in rows if row["世帯番号"] != first["世帯番号"])
