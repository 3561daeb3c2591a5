"""照会は区だけのものである: 番号も答えも、給付管理システムに渡すものと、その台帳に、一バイトもない（benefit-rules E.2・F）。"""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path

from benefit.services import beneficiaries, desk_export, desk_load, extracts, inquiries
from benefit.services.home import Home
from benefit.store import desk, ward
from letters.mailing import make_letters
from tests.services.conftest import ISSUED, PROGRAMME, SECOND, Office
from tests.services.inquiry_ward import ACCOUNT_ANSWER, RESIDENT, TAX_ANSWER
from tests.support.approval import approve_latest
from tests.support.small_ward import read, write

#: ほかのどこにも出てこない値。
LEVY, BEFORE, AFTER, HOLDER = "4321", "87654", "76543", "ﾄｳﾛｸ ｺｳｻﾞ"


def everything_of_the_desk(home: Home) -> bytes:
    """給付管理システムの台帳の全部の行。SQLite なら、ファイルの中身そのものも。"""
    with home.desk.connect() as connection:
        rows = [
            str(dict(row))
            for table in desk.metadata.sorted_tables
            for row in connection.execute(table.select()).mappings()
        ]
    assert rows
    return "\n".join(rows).encode() + b"".join(path.read_bytes() for path in home.path.glob("desk.db*"))


def move_in(office: Office, path: Path) -> list[str]:
    """課税の分からない転入者を、二つの世帯に足す。"""
    rows = read(path)
    movers = [f"{7_777_777_000 + place:010d}" for place in range(2)]
    for number in movers:
        new = {
            "住民番号": number,
            "世帯番号": number,
            "住民となった日": "2024-03-01",
            "1月1日住所地": "14101",
        }
        rows.append(RESIDENT | new)
    changed = office.root / "residents-movers.csv"
    write(changed, rows, list(rows[0]))
    extracts.import_file(office.home, "residents", changed, clock=office.clock, levy_year=2024)
    return movers


def answer(office: Office, kind: str, today: date) -> list[dict[str, str]]:
    """全部に答える: 課税照会は均等割のみ、口座照会は有と提供停止を交互に。"""
    done = inquiries.export(
        office.home, PROGRAMME, today, kind, out=office.root / f"ask-{kind}", clock=office.clock
    )  # fmt: skip
    rows = [*read(done.path), *(row for row in read(done.not_asked) if row["照会番号"])]
    table = []
    for place, row in enumerate(rows):
        said: tuple[str, ...] = ("課税", LEVY, "0", "0", "0") if place else ("課税", LEVY, BEFORE, AFTER, "0")
        if kind == "account":
            account = ("9999", "001", "1", f"97{place:05d}", HOLDER)
            said = ("提供停止", "", "", "", "", "") if place % 2 else ("有", *account)
        heading = TAX_ANSWER if kind == "tax" else ACCOUNT_ANSWER
        table.append(dict(zip(heading, [row["照会番号"], row["住民番号"], *said], strict=True)))
    path = office.root / f"{kind}-answers.csv"
    write(path, table, TAX_ANSWER if kind == "tax" else ACCOUNT_ANSWER)
    taken = inquiries.import_answers(
        office.home, PROGRAMME, kind, path, clock=office.clock, encoding=None, allow_rejects=0
    )
    assert taken.fresh == len(table) > 0
    return table


def test_no_byte_of_an_inquiry_or_its_answer_reaches_the_desk(office: Office) -> None:
    today = ISSUED + timedelta(2)
    movers = move_in(office, office.root / "in" / "residents.csv")
    told = {kind: answer(office, kind, today) for kind in ("tax", "account")}
    assert {row["住民番号"] for row in told["tax"]} >= set(movers)
    beneficiaries.build(office.home, PROGRAMME, today, out=office.root / "after", clock=office.clock)
    approve_latest(office.home, office.clock, SECOND)
    make_letters(office.home, PROGRAMME, out=office.root / "letters2", issued_on=today, clock=office.clock)
    desk_export.export(office.home, PROGRAMME, out=office.root / "payees2", today=today, clock=office.clock)
    desk_load.load(office.home, office.root / "payees2", clock=office.clock)
    seen = b"\n".join(path.read_bytes() for path in sorted((office.root / "payees2").iterdir()))
    seen += everything_of_the_desk(office.home)
    with office.home.ward.connect() as connection:
        numbers = [row.inquiry_number for row in connection.execute(ward.inquiry.select())]
    accounts = [row["口座番号"] for row in told["account"] if row["口座番号"]]
    assert numbers
    assert accounts
    words = [
        "照会",
        "該当なし",
        "提供不可",
        "提供停止",
        "未申告",
        LEVY,
        BEFORE,
        AFTER,
        HOLDER,
        "inquiry",
        "tax_answers",
    ]
    for word in [*numbers, *accounts, *words]:
        # 数は、ほかの数や指紋の途中に偶然あることがある（番号は鍵で決まる）。前後に数と十六進の字のないものを探す。
        whole = re.compile(rb"(?<![0-9a-f])" + word.encode() + rb"(?![0-9a-f])") if word.isdecimal() else None
        assert not (whole.search(seen) if whole else word.encode() in seen), word
    # 答えて対象になった人は受給者として渡り、課税と分かった人は渡らない。
    taxed, light = (
        row["住民番号"] for row in sorted(told["tax"], key=lambda row: row["照会番号"]) if row["住民番号"] in movers
    )
    assert light.encode() in seen
    assert taxed.encode() not in seen


def test_the_desk_tables_have_no_column_for_an_inquiry() -> None:
    names = {f"{table.name}.{column.name}" for table in desk.metadata.sorted_tables for column in table.columns}
    assert not [name for name in names if any(word in name for word in ("inquiry", "tax", "levy", "answer"))]
