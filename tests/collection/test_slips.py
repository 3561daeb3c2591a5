"""納付書を出す: 残りだけ、同じなら同じ納付書、変われば再発行。出した納付書の入金はその調定に結ばれ、前の納付書と分かる。"""

from __future__ import annotations

import hashlib
import itertools
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pypdfium2
import pytest
import sqlalchemy as sa
import zxingcpp

from benefit.domain.collection import Channel
from benefit.domain.errors import RefusedByRule, WrongUse
from benefit.records import barcodes, file_reader, file_writer, payeasy, payment_slip
from benefit.records.slip_issuer import payment_slip_of
from benefit.rules.collection_notices import NOTICE
from benefit.services import collections, dunning, extracts, receivables, slip_issuers, slip_payees, slip_upload, slips
from benefit.services.home import Home
from benefit.store import slip_queries, ward
from benefit.store.engine import reading
from letters import ledger_notices, notices
from tests.collection.conftest import CLERK, accounts
from tests.conftest import WARD_3K, StepClock

#: 確認番号。引くたびに違う。
DRAWN = (f"{number:06d}" for number in itertools.count(246_810))
DUE, UNTIL = date(2026, 6, 30), date(2026, 8, 31)


def register(home: Home, clock: StepClock, *debts: tuple[str, int, int, str | None]) -> list[int]:
    """(通知書番号, 額, 延滞金, 宛名番号) の調定の番号。"""
    rows = [("011", 2026, 1, number, person, yen, late, DUE) for number, yen, late, person in debts]
    frame = pl.DataFrame(rows, schema=receivables.RECEIVABLE, orient="row")
    receivables.register(home, frame, reason="更正", clock=clock)
    with reading(home.ward) as connection:
        found = connection.execute(sa.select(ward.receivable.c.notice_number, ward.receivable.c.id))
        ids = {row.notice_number: row.id for row in found}
    return [ids[number] for number, *_ in debts]


def issue(home: Home, clock: StepClock, *ids: int, until: date = UNTIL, **more: Any) -> slips.Issued:
    return slips.issue(
        home, ids, payable_until=until, actor=CLERK, clock=clock, reason="窓口の申出", draw=lambda: next(DRAWN), **more
    )


def barcode(home: Home, slip: dict[str, Any]) -> str:
    values = slip_issuers.load(home)
    return payment_slip.codes(payment_slip_of(slip, values), today=date(2026, 7, 10)).barcode


def pay(home: Home, clock: StepClock, code: str, *, kind: str = "確報", on: date = date(2026, 7, 12)) -> None:
    """コンビニの収納データの一行（バーコードから）。"""
    key = f"CVS:{code[2:29]}"
    amount = barcodes.read_barcode(code).amount_yen
    row = (1, Channel.CONVENIENCE.value, kind, key, on, "0915", "0012345", amount, date(2026, 7, 31))
    frame = pl.DataFrame([row], schema=NOTICE, orient="row")
    digest = hashlib.sha256(f"{code}{kind}{on}".encode()).hexdigest()
    collections.take(home, Channel.CONVENIENCE, frame, file_name="cvs", sha256=digest, clock=clock)


def told(home: Home, receivable: int, yen: int, on: date) -> str:
    with reading(home.ward) as connection:
        return slips.slip_told(slip_queries.slips_of(connection, [receivable])[receivable], yen, on)


def test_a_payment_by_the_printed_barcode_settles_its_receivable(home: Home, clock: StepClock) -> None:
    """納付書のバーコードで払われた入金は、その調定に消し込まれる。"""
    (one,) = register(home, clock, ("11", 12_000, 300, None))
    made = issue(home, clock, one)
    assert [(s["amount_yen"], s["late_charge_yen"], s["reissue"]) for s in made.slips] == [(12_000, 300, 0)]
    pay(home, clock, barcode(home, made.slips[0]))
    assert accounts(home)["預金"] == 12_300
    assert set(accounts(home)) == {"預金", "調定", "延滞金"}
    assert issue(home, clock, one).refused == {one: "もう納付されています（速報を含む）"}


def test_the_same_slip_is_printed_again_and_a_changed_one_is_reissued(home: Home, clock: StepClock) -> None:
    """額も期限も同じなら同じ納付書（台帳の行は増えない）。額か期限が変われば、再発行区分が進み、確認番号も替わる。前の行は変えられない。"""
    (one,) = register(home, clock, ("11", 12_000, 300, None))
    first, again = issue(home, clock, one), issue(home, clock, one)
    assert (first.new, again.new) == (1, 0)
    assert first.slips == again.slips
    longer = issue(home, clock, one, until=date(2026, 9, 30))
    assert [(s["reissue"], s["payable_until"]) for s in longer.slips] == [(1, date(2026, 9, 30))]
    assert longer.slips[0]["payment_number"] == first.slips[0]["payment_number"]
    assert longer.slips[0]["confirmation_number"] != first.slips[0]["confirmation_number"]
    register(home, clock, ("11", 9_000, 0, None))
    changed = issue(home, clock, one, until=date(2026, 9, 30))
    assert [(s["amount_yen"], s["reissue"]) for s in changed.slips] == [(9_000, 2)]
    with reading(home.ward) as connection:
        kept = slip_queries.slips_of(connection, [one])[one]
    assert [(row["reissue"], row["principal_yen"]) for row in kept] == [(0, 12_000), (1, 12_000), (2, 9_000)]
    with pytest.raises(sa.exc.DBAPIError), home.ward.begin() as connection:
        connection.execute(sa.update(ward.payment_slip).values(principal_yen=1))


def test_a_payment_by_an_old_slip_is_recognised_as_such(home: Home, clock: StepClock) -> None:
    """更正の前の納付書で払われても、同じ調定に結ばれ、前の納付書と言われる。期限の後も、違う額も言う。"""
    (one,) = register(home, clock, ("11", 12_000, 0, None))
    old = issue(home, clock, one).slips[0]
    register(home, clock, ("11", 9_000, 0, None))
    issue(home, clock, one)
    pay(home, clock, barcode(home, old))
    assert accounts(home)["預金"] == 12_000
    assert accounts(home)["過誤納"] == -3_000
    assert told(home, one, 12_000, date(2026, 7, 12)) == "1 枚目の納付書（前の納付書）"
    assert told(home, one, 9_000, date(2026, 7, 12)) == "2 枚目の納付書"
    assert told(home, one, 9_000, date(2026, 9, 1)) == "2 枚目の納付書（有効期限の後）"
    assert told(home, one, 5_000, date(2026, 7, 12)) == "出した納付書のどれとも額が違います"
    assert told(home, one, 12_000, date(2026, 7, 1)) == ""


def test_what_arrived_as_a_quick_notice_is_not_asked_again(sqlite_home: Home, clock: StepClock) -> None:
    """速報の届いた分は引く。一部だけの納付書（分納）は残りまで。"""
    one, two = register(sqlite_home, clock, ("11", 12_000, 300, None), ("12", 8_000, 0, None))
    slip = issue(sqlite_home, clock, one, amount_yen=5_000).slips[0]
    assert (slip["amount_yen"], slip["late_charge_yen"]) == (5_000, 0)
    pay(sqlite_home, clock, barcode(sqlite_home, slip), kind="速報")
    rest = issue(sqlite_home, clock, one).slips[0]
    assert rest["amount_yen"] + rest["late_charge_yen"] == 7_300
    assert "残り 7,300 円" in issue(sqlite_home, clock, one, amount_yen=7_301).refused[one]
    with pytest.raises(WrongUse, match="一件"):
        issue(sqlite_home, clock, one, two, amount_yen=100)


def test_slips_that_cannot_be_made_are_refused_with_reasons(sqlite_home: Home, clock: StepClock) -> None:
    """期限の過ぎた納付書、ない調定、知らない科目、長い番号。十枚を超える再発行は、わけを言って断る。"""
    one, long = register(sqlite_home, clock, ("11", 12_000, 0, None), ("1234567890123", 1_000, 0, None))
    with pytest.raises(RefusedByRule, match="有効期限"):
        issue(sqlite_home, clock, one, until=date(2026, 7, 9))
    with pytest.raises(WrongUse, match="調定はありません"):
        issue(sqlite_home, clock, one, 999)
    assert "12 桁まで" in issue(sqlite_home, clock, long).refused[long]
    for day in range(1, 11):
        assert not issue(sqlite_home, clock, one, until=date(2026, 9, day)).refused
    assert "再発行が 9 回" in issue(sqlite_home, clock, one, until=date(2026, 9, 11)).refused[one]


@pytest.fixture
def people(home: Home, tmp_path: Path) -> list[str]:
    """住民四人（四人目の世帯は区が直接扱う）。宛名番号。"""
    lines = (WARD_3K / "residents.csv").read_text(encoding="cp932").splitlines()
    chosen = list({line.split(",")[1]: line for line in lines[1:40]}.values())[:4]
    numbers = [line.split(",")[0] for line in chosen]
    head = (WARD_3K / "protected.csv").read_text(encoding="utf-8").splitlines()[:2]
    guarded = ",".join([numbers[3], *head[1].split(",")[1:]])
    for kind, text in (("residents", [lines[0], *chosen]), ("protected", [head[0], guarded])):
        encoding = "cp932" if kind == "residents" else "utf-8"
        (tmp_path / f"{kind}.csv").write_text("\r\n".join([*text, ""]), encoding=encoding)
        extracts.import_file(
            home, kind, tmp_path / f"{kind}.csv", clock=lambda: datetime(2026, 7, 10, tzinfo=UTC), levy_year=2024
        )
    return numbers


def test_dunning_goes_once_and_never_to_one_whose_payment_is_on_its_way(
    home: Home, clock: StepClock, people: list[str], tmp_path: Path
) -> None:
    """督促状: 速報の届いた人・区直轄の人・宛名のない調定には作らず、数を言う。二度目は出ない。催告書は期限の後だけ。"""
    debts = [(str(at), 1_000 * at, 0, person) for at, person in enumerate([*people, None], start=11)]
    ids = register(home, clock, *debts)
    pay(home, clock, barcode(home, issue(home, clock, ids[0]).slips[0]), kind="速報")

    today = date(2026, 7, 20)
    due = dunning.due(home, "督促状", today)
    assert (due.late, due.wanted, due.stopped, due.other) == (5, tuple(ids[1:]), 1, 0)
    made = run(home, clock, due.wanted, tmp_path / "out", today)
    assert made.excluded == {ids[3]: slip_payees.RESTRICTED, ids[4]: slip_payees.NO_NUMBER}
    assert sorted(made.printed) == ids[1:3]
    owners = made.printed
    assert dunning.sent(home, "督促状", owners, issued_on=today, folder="o", actor=CLERK, clock=clock) == 2
    assert dunning.sent(home, "督促状", owners, issued_on=today, folder="o", actor=CLERK, clock=clock) == 0

    later = dunning.due(home, "督促状", date(2026, 7, 21))
    assert (later.late, later.wanted, later.other) == (5, tuple(ids[3:]), 2)
    assert dunning.due(home, "催告書", UNTIL).wanted == ()
    assert dunning.due(home, "催告書", date(2026, 9, 1)).wanted == tuple(ids[1:3])


def run(home: Home, clock: StepClock, ids: Any, out: Path, on: date) -> ledger_notices.LedgerRun:
    return ledger_notices.make(
        home, notices.kind_of("督促状"), ids,
        payable_until=UNTIL, out=out, issued_on=on, actor=CLERK, clock=clock,
    )  # fmt: skip


def test_the_page_from_the_ledger_carries_the_stored_slip(
    home: Home, clock: StepClock, people: list[str], tmp_path: Path
) -> None:
    """紙の氏名・額・バーコードは台帳の納付書と同じ。同じ日にもう一度作れば、同じバイト列になる。窓口の紙に住所はない。"""
    (one,) = register(home, clock, ("11", 12_300, 0, people[0]))
    made = run(home, clock, [one], tmp_path / "a", date(2026, 7, 20))
    run(home, clock, [one], tmp_path / "b", date(2026, 7, 20))
    pdf = (tmp_path / "a" / "dunning-0001.pdf").read_bytes()
    assert pdf == (tmp_path / "b" / "dunning-0001.pdf").read_bytes()
    everyone, _dead = slip_payees._people(home, date(2026, 7, 20))
    person = everyone.filter(pl.col("person_number") == int(people[0])).to_dicts()[0]
    with reading(home.ward) as connection:
        (stored,) = slip_queries.slips_of(connection, [one])[one]
    assert made.printed == {one: stored["id"]}

    text, codes = read(pdf)
    assert person["name"] in text
    assert person["address"] in text.replace("\n", "")
    (digits,) = [found for found in codes if found.startswith("91") and len(found) == 44]
    assert barcodes.read_barcode(digits).amount_yen == 12_300
    assert stored["confirmation_number"] in text

    handed = ledger_notices.one_slip(
        home, one, payable_until=UNTIL, issued_on=date(2026, 7, 20), actor=CLERK, clock=clock, reason="窓口"
    )
    assert isinstance(handed, bytes)
    text, codes = read(handed)
    assert person["name"] in text
    assert person["address"][-6:] not in text
    assert digits in codes


def read(pdf: bytes) -> tuple[str, list[str]]:
    document = pypdfium2.PdfDocument(pdf)
    try:
        page = document[0]
        found = zxingcpp.read_barcodes(page.render(scale=400 / 72).to_pil())
        return page.get_textpage().get_text_range().replace("\r\n", "\n"), [
            "".join(each for each in one.text if each.isdigit()) for one in found
        ]
    finally:
        document.close()


def test_a_number_bound_to_another_receivable_is_refused(sqlite_home: Home, clock: StepClock) -> None:
    """同じ番号が、もう別の調定のものなら、納付書を出さない。"""
    one, two = register(sqlite_home, clock, ("11", 12_000, 0, None), ("12", 1_000, 0, None))
    code = barcode(sqlite_home, issue(sqlite_home, clock, one).slips[0])
    taken = f"CVS:{code[2:29]}".replace("000000000011", "000000000012")
    receivables.add_keys(sqlite_home, pl.DataFrame({"pay_key": [taken], "receivable_id": [one]}), clock=clock)
    with pytest.raises(RefusedByRule, match="別の調定"):
        issue(sqlite_home, clock, two)
    with reading(sqlite_home.ward) as connection:
        assert slip_queries.slips_of(connection, [two]) == {}


def test_the_payeasy_server_is_told_of_every_change(sqlite_home: Home, clock: StepClock) -> None:
    """ペイジーの調定データ: 払える納付書だけが載り、再発行は削除と新規の二行に、納められたものは削除になる。"""
    today = date(2026, 7, 10)
    one, two = register(sqlite_home, clock, ("11", 12_000, 300, None), ("12", 8_000, 0, None))
    first = issue(sqlite_home, clock, one, two).slips
    before = slip_upload.rows(sqlite_home, today=today)
    header = {"made_on": "20260710", "agent_code": "000001", "biller_code": "0000000001", "usage": "1"}
    written = file_writer.write(payeasy.UPLOAD, [(header, before)])
    assert file_reader.read(written, payeasy.UPLOAD, file="a").require().select(before.columns).equals(before)
    assert before["amount_yen"].to_list() == [12_000, 8_000]
    assert set(before["payer_kana"]) == set(before["person_number"]) == {""}

    issue(sqlite_home, clock, one, until=date(2026, 9, 30))
    pay(sqlite_home, clock, barcode(sqlite_home, first[1]), kind="速報")
    after = slip_upload.rows(sqlite_home, today=today)
    told = payeasy.changes(before, after).select("change_kind", "amount_yen", "confirmation_number").rows()
    assert [(kind, yen) for kind, yen, _ in told] == [("1", 12_000), ("3", 12_000), ("3", 8_000)]
    assert told[1][2] == first[0]["confirmation_number"] != told[0][2]
    assert slip_upload.rows(sqlite_home, today=date(2026, 10, 1)).is_empty()
