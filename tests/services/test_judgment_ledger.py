"""支給判定が台帳に尋ねること: 前の申し出、戻す途中のお金、終わった権利、ほかのファイルの口座、住所（benefit-rules D）。"""

from __future__ import annotations

from datetime import date
from typing import Any

import sqlalchemy as sa

from benefit.services import extracts, holds, reissue
from benefit.store import ward
from tests.services.conftest import FIRST, MAKER, PROGRAMME, SECOND, Office
from tests.support.small_ward import read, write

Row = dict[str, str]


def slots(office: Office) -> dict[str, dict[str, Any]]:
    """給付管理番号 → 権利。"""
    with office.home.ward.connect() as connection:
        return {row["case_number"]: dict(row) for row in connection.execute(sa.select(ward.entitlement)).mappings()}


def homes(office: Office) -> list[Row]:
    """世帯の給付の行（権利の名の順）。"""
    known = slots(office)
    rows = [row for row in office.rows() if known[row["給付管理番号"]]["slot_kind"] == "HH100K"]
    return sorted(rows, key=lambda row: str(known[row["給付管理番号"]]["slot"]))


def form(row: Row, account: str, *, reviewed: str = "2024-07-21", **changed: str) -> Row:
    """確認書で口座を届け出た行。"""
    told = {
        "金融機関コード": "9999", "支店コード": "001", "預金種目": "1", "口座番号": account,
        "口座名義カナ": row["カナ氏名"], "収受日": "2024-07-20", "審査完了日": reviewed,
    }  # fmt: skip
    return {**row, **told, **changed}


def judge(office: Office, number: str, *rows: Row) -> dict[str, tuple[str, set[str]]]:
    """この行だけのファイルを判定する。給付管理番号 → (判定, 検査)。見本（CHK95）は、どの行にも当たりうるので除く。"""
    listed = [{**row, "行番号": str(place)} for place, row in enumerate(rows, 1)]
    office.judge(office.replan(listed, number=number, name=f"in-{number}"), out=f"out-{number}")
    found = office.verdicts(f"out-{number}")
    return {key: (row["判定"], set(row["検査"].split(";")) - {"", "CHK95"}) for key, row in found.items()}


def add(office: Office, table: sa.Table, **values: Any) -> int:
    with office.home.ward.begin() as connection:
        return int(connection.execute(table.insert().values(**values)).inserted_primary_key[0])  # type: ignore[index]


def asked(office: Office, table: sa.Table, approval: sa.Table, **values: Any) -> int:
    """申し出て、別の人が承認する。"""
    told = {"reason": "試験", "asked_by": MAKER.id, "asked_at": office.clock()}
    number = add(office, table, **told, **values)
    add(office, approval, release_id=number, asked_by=MAKER.id, approved_by=FIRST.id, approved_at=office.clock())
    return number


def paid(office: Office) -> dict[str, dict[str, Any]]:
    """送り出して、全部が振り込まれた支払。給付管理番号 → 支払。"""
    office.send()
    with office.home.ward.begin() as connection:
        connection.execute(sa.update(ward.payment).values(state="F42"))
    known = {one["id"]: number for number, one in slots(office).items()}
    return {known[payment["entitlement_id"]]: payment for payment in office.payments()}


def test_a_form_received_before_the_reissue_holds_the_new_branch(office: Office) -> None:
    """CHK13: 前の枝番の書類をもう収受している。"""
    row, other = homes(office)[:2]
    first = judge(office, "A", form(row, "9000777", 支給予定額="60000"), other)
    assert first[row["給付管理番号"]][0] == "不可"
    branch = reissue.reissue(
        office.home, PROGRAMME, row["給付管理番号"], reason="返戻", actor=MAKER, clock=office.clock
    )
    again = judge(office, "B", form(row, "9000778", reviewed="2024-07-23", 枝番=str(branch)))
    assert again[row["給付管理番号"]] == ("保留", {"CHK13"})


def test_an_account_changed_without_a_new_review_is_blocked(office: Office) -> None:
    """CHK84: 同じ審査完了日のまま、口座だけが変わった。審査をやり直せば通る。"""
    row = homes(office)[0]
    number = row["給付管理番号"]
    judge(office, "A", form(row, "9000777", 支給予定額="60000"))
    assert judge(office, "B", form(row, "9000778"))[number] == ("不可", {"CHK84"})
    assert judge(office, "C", form(row, "9000778", reviewed="2024-07-22"))[number] == ("支給可", set())


def test_the_same_account_in_an_earlier_file_holds_only_the_later_household(office: Office) -> None:
    """CHK82・CHK23 は、前のファイルで判定した行も見る。"""
    first, second, third = homes(office)[:3]
    assert judge(office, "A", form(first, "9000777"))[first["給付管理番号"]] == ("支給可", set())
    # 読みも生年月日も違う、別の世帯の人。
    assert judge(office, "B", form(second, "9000777"))[second["給付管理番号"]] == ("保留", {"CHK82"})
    assert judge(office, "C", form(third, "9000779"))[third["給付管理番号"]] == ("支給可", set())
    # 読みも生年月日も口座も同じで、番号の違う人（前のファイルの人と双子に見える）。
    twin = form(second, "9000777", カナ氏名=first["カナ氏名"], 生年月日=first["生年月日"])
    assert judge(office, "D", twin)[second["給付管理番号"]][1] >= {"CHK23", "CHK82", "CHK11"}


def test_an_earlier_line_whose_account_was_corrected_holds_nobody(office: Office) -> None:
    first, second = homes(office)[:2]
    judge(office, "A", form(first, "9000777"), form(second, "9000777"))
    judge(office, "B", form(first, "9000770", reviewed="2024-07-22"))
    assert judge(office, "C", form(second, "9000777"))[second["給付管理番号"]] == ("支給可", set())


def test_money_being_recalled_blocks_until_the_bank_answers(office: Office) -> None:
    """CHK33: 組戻しを頼み、銀行の答えがない。"""
    made = office.send()
    known = {one["id"]: number for number, one in slots(office).items()}
    payment = office.payments()[0]
    number = known[payment["entitlement_id"]]
    row = next(row for row in office.rows() if row["給付管理番号"] == number)
    assert "CHK33" not in judge(office, "A", row)[number][1]
    told = {"transfer_id": made.id, "payments": str(payment["id"]), "line_count": 1}
    told |= {"total_yen": payment["amount_yen"], "largest_yen": payment["amount_yen"]}
    recall = asked(office, ward.recall, ward.recall_approval, **told)
    add(office, ward.recall_line, recall_id=recall, payment_id=payment["id"])
    assert judge(office, "B", {**row, "収受日": "2024-07-01"})[number][1] >= {"CHK33", "CHK31"}
    report = add(
        office, ward.bank_report, kind="results", sha256="r" * 64, file_name="x", rows_read=1, rows_matched=1,
        rows_unmatched=0, received_at=office.clock(),
    )  # fmt: skip
    line = {"bank_report_id": report, "line_number": 1, "payment_id": payment["id"], "outcome": "recalled"}
    line |= {"reason_code": "0", "reason": "組戻済", "amount_yen": payment["amount_yen"], "candidates": ""}
    add(office, ward.bank_report_line, **line)
    assert "CHK33" not in judge(office, "C", {**row, "収受日": "2024-07-02"})[number][1]


def test_money_coming_back_blocks_and_money_that_came_back_is_held_for_two_people(office: Office) -> None:
    """CHK34: 返還の途中は不可。全額が返ってきたら保留で、二人の解除は一度の支払にだけ効く。"""
    payments = paid(office)
    row = homes(office)[0]
    number = row["給付管理番号"]
    payment = payments[number]
    claim = {"payment_id": payment["id"], "amount_yen": payment["amount_yen"], "cause": "対象外"}
    claim |= {"due_on": date(2024, 8, 30)}
    repayment = asked(office, ward.repayment, ward.repayment_approval, **claim)
    verdict, checks = judge(office, "A", form(row, "9000777"))[number]
    assert (verdict, checks) == ("不可", {"CHK30", "CHK34"})
    receipt = {"repayment_id": repayment, "amount_yen": payment["amount_yen"], "received_on": date(2024, 7, 26)}
    receipt |= {"recorded_by": MAKER.id}
    add(office, ward.repayment_receipt, **receipt, reference="収納-1", recorded_at=office.clock())
    with office.home.ward.begin() as connection:
        table = ward.payment
        connection.execute(sa.update(table).where(table.c.id == payment["id"]).values(state="F48"))
    back = form(row, "9000777", reviewed="2024-07-22")
    assert judge(office, "B", back)[number] == ("保留", {"CHK34"})
    release = holds.ask(
        office.home, PROGRAMME, number, "CHK34", reason="払い直すと決めた", actor=MAKER, clock=office.clock
    )
    holds.approve(office.home, release, actor=SECOND, clock=office.clock)
    assert judge(office, "C", {**back, "収受日": "2024-07-19"})[number] == ("支給可", set())
    # 承認の後にまた返ってきたお金には、前の解除は効かない。
    more = {**receipt, "amount_yen": 1}
    add(office, ward.repayment_receipt, **more, reference="収納-2", recorded_at=office.clock())
    assert "CHK34" in judge(office, "D", {**back, "収受日": "2024-07-18"})[number][1]


def test_what_two_people_have_ended_is_never_paid(office: Office) -> None:
    """CHK51・CHK52: 辞退、不支給、契約不成立。申し出ただけでは終わらない。"""
    rows = homes(office)[:3]
    for row, kind in zip(rows, ("辞退", "不支給", "契約不成立"), strict=True):
        entitlement = slots(office)[row["給付管理番号"]]["id"]
        asked(office, ward.ending, ward.ending_approval, entitlement_id=entitlement, kind=kind)
    other = homes(office)[3]
    told = {"reason": "x", "asked_by": MAKER.id, "asked_at": office.clock()}
    add(office, ward.ending, entitlement_id=slots(office)[other["給付管理番号"]]["id"], kind="辞退", **told)
    found = judge(office, "A", *rows, other)
    said = [found[row["給付管理番号"]] for row in (*rows, other)]
    assert said == [("不可", {"CHK51"}), ("不可", {"CHK52"}), ("不可", {"CHK52"}), ("支給可", set())]


def test_a_form_after_the_deadline_is_held(office: Office) -> None:
    """CHK55: 確認書の返送期限の日まではよく、次の日からは二人で決める。"""
    first, second = homes(office)[:2]
    for row in (first, second):
        letter = {"entitlement_id": slots(office)[row["給付管理番号"]]["id"], "branch": 1, "lot_id": 1}
        letter |= {"kind": "confirmation_letter", "route": "CONFIRM", "account_flag": "0", "address_digest": ""}
        add(office, ward.letter, **letter, issued_on=date(2024, 6, 25), due_on=date(2024, 7, 19))
    found = judge(office, "A", form(first, "9000777"), form(second, "9000778", 収受日="2024-07-19"))
    assert found[first["給付管理番号"]] == ("保留", {"CHK55"})
    assert found[second["給付管理番号"]] == ("支給可", set())


def test_an_address_changed_since_the_letter_is_a_warning(office: Office) -> None:
    """CHK91: 手紙の後に送り先が変わった人だけに、注意が付く。"""
    row, other = homes(office)[:2]
    residents = read(office.root / "in/residents.csv")
    for one in residents:
        if one["住民番号"] == row["住民番号"]:
            one["漢字方書"] = "引越先ハイツ 101"
    write(office.root / "moved.csv", residents, list(residents[0]))
    extracts.import_file(office.home, "residents", office.root / "moved.csv", clock=office.clock, levy_year=2024)
    found = judge(office, "A", row, other)
    assert found[row["給付管理番号"]] == ("支給可", {"CHK91"})
    assert found[other["給付管理番号"]] == ("支給可", set())


def joined(office: Office, head: str, to: str) -> None:
    """この世帯主が、ほかの世帯の人として記録され直した抽出データを取り込む。"""
    residents = read(office.root / "in/residents.csv")
    home = next(one["世帯番号"] for one in residents if one["住民番号"] == to)
    for one in residents:
        if one["住民番号"] == head:
            one.update(世帯番号=home, 続柄="同居人")
    write(office.root / "joined.csv", residents, list(residents[0]))
    extracts.import_file(office.home, "residents", office.root / "joined.csv", clock=office.clock, levy_year=2024)


def test_a_member_of_a_judged_household_stops_the_other(office: Office) -> None:
    """CHK42: 一人が二つの世帯で数えられる。"""
    first, second = homes(office)[:2]
    judge(office, "A", first)
    joined(office, first["住民番号"], second["住民番号"])
    verdict, checks = judge(office, "B", second)[second["給付管理番号"]]
    assert (verdict != "支給可", "CHK42" in checks) == (True, True)


def test_a_member_of_a_paid_household_blocks_the_other(office: Office) -> None:
    first, second = homes(office)[:2]
    judge(office, "A", first)
    made = office.make()
    assert made is not None
    joined(office, first["住民番号"], second["住民番号"])
    verdict, checks = judge(office, "B", second)[second["給付管理番号"]]
    assert (verdict, "CHK42" in checks) == ("不可", True)


def test_a_member_of_a_household_not_yet_judged_leaves_the_other_alone(office: Office) -> None:
    """その世帯が対象でなくなり、申し出もなければ、CHK42 ではない。"""
    first, second = homes(office)[:2]
    joined(office, first["住民番号"], second["住民番号"])
    assert "CHK42" not in judge(office, "A", second)[second["給付管理番号"]][1]
