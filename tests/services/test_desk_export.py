"""委託先へ渡すフォルダに、渡してはならないものは、一バイトもない（benefit-rules F）。"""

from __future__ import annotations

import pytest

from benefit.domain.errors import RefusedByRule, RefusedInput
from benefit.records import desk_progress
from benefit.services import desk_export, desk_load, extracts
from benefit.services.files import read_manifest, write_manifest
from benefit.store import desk, ward
from tests.services.conftest import ISSUED, PROGRAMME, Office
from tests.support.small_ward import read, write


def folder_bytes(office: Office, name: str = "payees") -> bytes:
    return b"\n".join(path.read_bytes() for path in sorted((office.root / name).iterdir()))


def hits(data: bytes, word: str) -> bool:
    return any(form in data for form in (word.encode(), word.encode("cp932", "ignore") or b"\0\0"))


def test_no_ward_only_row_is_in_it(office: Office) -> None:
    data = folder_bytes(office)
    with office.home.ward.connect() as connection:
        rows = connection.execute(ward.entitlement.select().where(ward.entitlement.c.route == "WARD")).mappings().all()
    assert rows
    residents = {row["住民番号"]: row for row in read(office.root / "in" / "residents.csv")}
    payees = read(office.root / "payees" / "payees.csv")
    outside = {row["住民番号"] for row in payees}
    # 同姓同名の人が外にいるときは、名前では見分けられない（番号と住所で見る）。
    names = {row["漢字氏名"] for row in payees}
    addresses = {residents[number]["漢字住所"] for number in outside if number in residents}
    for row in rows:
        payee = residents[f"{row['payee_number']:010d}"]
        assert not hits(data, row["case_number"])
        assert not hits(data, f"{row['payee_number']:010d}")
        assert payee["漢字氏名"] in names or not hits(data, payee["漢字氏名"])
        assert payee["漢字住所"] in addresses or not hits(data, payee["漢字住所"])
    for row in read(office.root / "in" / "protected.csv"):
        assert not hits(data, row["住民番号"])
    for word in ("DV", "児童施設", "WARD", "支援措置"):
        assert not hits(data, word)


def test_no_tax_figure_and_no_prior_receipt_is_in_it(office: Office) -> None:
    heading = (office.root / "payees" / "payees.csv").read_text(encoding="utf-8").splitlines()[0]
    for word in ("所得", "均等割", "扶養", "課税", "賦課", "減免", "控除", "昨年", "個人番号"):
        assert word not in heading
    values = {cell for row in read(office.root / "payees" / "payees.csv") for cell in row.values()}
    planned = {row["支給予定額"] for row in read(office.root / "payees" / "payees.csv")}
    money = ("均等割額", "減税前所得割額_区", "合計所得金額", "課税総所得金額", "人的控除差額")
    for row in read(office.root / "in" / "taxes.csv"):
        for name in money:
            # 4 桁以上の額は、郵便番号や日付と紛れない。
            assert len(row[name]) < 4 or row[name] not in values - planned


def test_no_account_of_the_ward_is_in_it_and_past_accounts_only_where_they_are_used(office: Office) -> None:
    rows = read(office.root / "payees" / "payees.csv")
    values = {cell for row in rows for cell in row.values()}
    accounts = read(office.root / "in" / "accounts.csv")
    past = {row["口座番号"] for row in accounts if row["口座種別"] == "過去給付"}
    for row in accounts:
        if row["口座種別"] != "過去給付" and row["口座番号"] not in past:
            assert row["口座番号"] not in values
    assert {row["口座フラグ"] for row in rows if row["過去口座_口座番号"]} <= {"2"}
    assert any(row["過去口座_口座番号"] for row in rows if row["口座フラグ"] == "2")


def test_the_desk_store_cannot_hold_the_wards_accounts(office: Office) -> None:
    from tests.services.conftest import refused_by_the_store

    table = desk.benefit_case
    with office.home.desk.begin() as connection:
        assert refused_by_the_store(connection, table.update().values(account_flag="3", past_account_number="9123456"))
        connection.rollback()


def test_a_late_mark_takes_the_person_out_without_a_trace(office: Office) -> None:
    before = read(office.root / "payees" / "payees.csv")
    victim = before[0]["住民番号"]
    path = office.root / "in" / "protected.csv"
    rows = [*read(path), {"住民番号": victim, "区分": "DV"}]
    write(path, rows, list(rows[0]))
    extracts.import_file(office.home, "protected", path, clock=office.clock, levy_year=2024)
    done = desk_export.export(office.home, PROGRAMME, out=office.root / "p2", today=ISSUED, clock=office.clock)
    assert done.rows < len(before)
    assert not hits(folder_bytes(office, "p2"), victim)
    loaded = desk_load.load(office.home, office.root / "p2", clock=office.clock)
    assert loaded.withdrawn == len(before) - done.rows
    with office.home.desk.connect() as connection:
        left = connection.execute(desk.benefit_case.select()).mappings().all()
        events = connection.execute(desk.case_event.select()).mappings().all()
    assert victim not in {row["person_number"] for row in left}
    assert all(victim not in str(dict(event)) for event in events)


def test_a_folder_that_does_not_add_up_changes_nothing(office: Office) -> None:
    folder = office.root / "payees"
    manifest = read_manifest(folder)
    for wrong in ({"件数": 1}, {"sha256": "0" * 64}, {"種類": "べつ"}, {"連番": None}):
        told = {**manifest, "連番": 99, **wrong}
        write_manifest(folder, {**told, "指紋": desk_progress.fingerprint(told)})
        with pytest.raises(RefusedInput):
            desk_load.load(office.home, folder, clock=office.clock)
    # 連番だけを書き換えた受渡（古い受渡を新しく見せるもの）も、中身に届く前に分かる。
    write_manifest(folder, {**manifest, "連番": 99})
    with pytest.raises(RefusedInput, match="指紋"):
        desk_load.load(office.home, folder, clock=office.clock)
    (folder / "manifest.json").unlink()
    with pytest.raises(RefusedInput, match="manifest"):
        desk_load.load(office.home, folder, clock=office.clock)


def test_an_older_handover_does_not_undo_a_newer_one(office: Office) -> None:
    office.judge()
    desk_export.export(office.home, PROGRAMME, out=office.root / "p2", today=ISSUED, clock=office.clock)
    desk_load.load(office.home, office.root / "p2", clock=office.clock)
    with pytest.raises(RefusedByRule, match="もっと新しい"):
        desk_load.load(office.home, office.root / "payees", clock=office.clock)
