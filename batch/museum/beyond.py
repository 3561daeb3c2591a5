"""前の守りが働かなかった姿を、使い捨ての台帳に直接書いて作り、その先で何が止めるかを見る。

ここに書くのは、本番のどのコマンドにもできないことである（だから SQL で書く）。
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from batch.museum.office import LATER_PAY, MAKER, Office, Stop
from benefit.domain.transfer import LIVE_STATES
from benefit.records import planned_payments, zengin_reader
from benefit.services.files import sha256_of
from benefit.services.transfer_file import expected_in_file, lines_of
from benefit.services.transfer_lines import ACCOUNT
from benefit.services.transfers import Transfer
from benefit.store import ward
from benefit.store.engine import reading

#: データベースの断りの言葉 → 職員の言葉。
_PLAIN = {
    "UNIQUE": "同じものは、もう一つ置けません",
    "FOREIGN KEY": "台帳にあるものと合わない行は、置けません",
    "append-only": "台帳に書いた行は、変えられず、消せません",
}


def forge_verdicts(office: Office, folder: Path) -> int:
    """この申し出の全部の行に、支給可の判定が付いたことにする。判定の番号を返す。"""
    data = (folder / planned_payments.FILE_NAME).read_bytes()
    rows = list(csv.DictReader(io.StringIO(data.decode())))
    with office.home.ward.begin() as connection:
        table = ward.entitlement
        ids = {row.case_number: row.id for row in connection.execute(sa.select(table.c.case_number, table.c.id))}
        file_id = (connection.execute(sa.select(sa.func.max(ward.planned_file.c.id))).scalar() or 0) + 1
        connection.execute(
            ward.planned_file.insert().values(
                id=file_id,
                programme=office.programme.id,
                file_number=f"見逃し-{file_id}",
                sha256=sha256_of(data + b"forged"),
                row_count=len(rows),
                total_yen=sum(int(row["支給予定額"]) for row in rows),
                judged_on=office.today,
                rule_version="見逃した判定",
                judged_at=office.clock(),
            )
        )
        account = ("金融機関コード", "支店コード", "預金種目", "口座番号", "口座名義カナ")
        connection.execute(
            ward.verdict.insert(),
            [
                {
                    "planned_file_id": file_id,
                    "line_number": place,
                    "case_number": row["給付管理番号"],
                    "entitlement_id": ids[row["給付管理番号"]],
                    "verdict": "支給可",
                    "checks": "",
                    "amount_yen": int(row["支給予定額"]),
                    **dict(zip(ACCOUNT, (row[name] for name in account), strict=True)),
                }
                for place, row in enumerate(rows, 1)
            ],
        )
    return file_id


def missed(plan: Callable[[Office], Path]) -> Callable[[Office], Stop | None]:
    """判定が全部の行を見逃したとして、振込を作る。"""

    def show(office: Office) -> Stop | None:
        folder = plan(office)
        forge_verdicts(office, folder)
        office.tell("見逃した判定のまま、振込を作った")
        stops = office.pay(payable=[row["給付管理番号"] for row in office.rows(folder.name)])
        return stops[0] if stops else None

    return show


def written(plan: Callable[[Office], Path], name: str, slot_kind: str = "HH100K") -> Callable[[Office], Stop | None]:
    """判定も、振込を作る時の読み直しも見逃したとして、支払を台帳に直接書く。"""

    def show(office: Office) -> Stop | None:
        file_id = forge_verdicts(office, plan(office))
        found = office.entitlement(name, slot_kind)
        verdict = ward.verdict
        query = sa.select(verdict.c.line_number).where(
            verdict.c.planned_file_id == file_id, verdict.c.entitlement_id == found["id"]
        )
        with reading(office.home.ward) as connection:
            line = connection.execute(query.order_by(verdict.c.line_number)).scalars().all()[-1]
        office.tell("同じ権利の支払を、もう一つ台帳に書こうとした")
        return insert_payment(office, found["id"], planned_file_id=file_id, line_number=line)

    return show


def insert_payment(office: Office, entitlement_id: int, **values: Any) -> Stop | None:
    """いまの支払の写しを、次の回として台帳に書く。台帳が断れば、その言葉。"""
    payment = ward.payment
    live = sa.select(payment).where(payment.c.entitlement_id == entitlement_id, payment.c.state.in_(LIVE_STATES))
    with reading(office.home.ward) as connection:
        now = dict(connection.execute(live).mappings().one())
        last = connection.execute(sa.select(sa.func.max(payment.c.id))).scalar_one()
    again = now | {"id": last + 1, "attempt": now["attempt"] + 1, "state": "F40"} | values
    return write_to_store(office, payment.insert().values(**again), "paid-once")


def write_to_store(office: Office, statement: sa.Executable, sign: str) -> Stop | None:
    """台帳に直接書く。断られたら、データベースの言葉のまま。"""
    try:
        with office.home.ward.begin() as connection:
            connection.execute(statement)
    except sa.exc.DBAPIError as refused:
        words = str(refused.orig)
        plain = next((says for start, says in _PLAIN.items() if start in words), "書けません")
        return Stop("台帳に直接書く", (sign,), f"{plain}（データベースの言葉: {words}）")
    return None


def same_line_again(office: Office) -> Stop | None:
    """一度払った判定の行から、もう一つの支払を台帳に書く。"""
    found = office.entitlement("過去 一郎")
    office.tell("一度払った判定の行から、もう一つの支払を台帳に書こうとした")
    return insert_payment(office, found["id"])


def without_verdict(office: Office) -> Stop | None:
    """まだ払っていない人の支払を、判定のないまま、台帳に書く。"""
    name = "確認 二郎"
    values = dict(zip(ACCOUNT, office.people[name].account, strict=True))
    office.tell("判定を通っていない行の支払を、台帳に書こうとした")
    found = office.entitlement(name)
    return write_to_store(office, _payment(found, 99, 1, found["amount_yen"], values), "paid-once")


def erased(office: Office) -> Stop | None:
    """払った行を、区の台帳から消す。"""
    found = office.entitlement("過去 一郎", "CHILD")
    office.tell("区の台帳から、払った行を消そうとした")
    statement = ward.payment.delete().where(ward.payment.c.entitlement_id == found["id"])
    return write_to_store(office, statement, "refused-by-the-store")


def redated(office: Office) -> Stop | None:
    """一回目と同じ中身の振込を、日付だけ変えて登録する。"""
    table = ward.transfer
    with reading(office.home.ward) as connection:
        first = dict(connection.execute(sa.select(table).where(table.c.id == 1)).mappings().one())
    later: date = first["pay_date"] + timedelta(days=1)
    office.tell("一回目と同じ中身の振込を、日付だけ変えて登録しようとした")
    values = first | {"id": 99, "pay_date": later, "sha256": "0" * 64, "made_by": MAKER.id}
    return write_to_store(office, table.insert().values(**values), "refused-by-the-store")


def pay_by_hand(office: Office, case_number: str, file_id: int, amount_yen: int) -> Stop | None:
    """まだ払っていない権利の支払を、この額で台帳に書く。"""
    table, verdict = ward.entitlement, ward.verdict
    with reading(office.home.ward) as connection:
        found = connection.execute(sa.select(table).where(table.c.case_number == case_number)).mappings().one()
        line = connection.execute(sa.select(verdict).where(verdict.c.planned_file_id == file_id)).mappings().first()
    assert line is not None
    account = {name: line[name] for name in ACCOUNT}
    return write_to_store(office, _payment(found, file_id, line["line_number"], amount_yen, account), "paid-once")


def _payment(found: Any, file_id: int, line_number: int, amount_yen: int, account: dict[str, str]) -> sa.Insert:
    return ward.payment.insert().values(
        entitlement_id=found["id"],
        slot=found["slot"],
        attempt=1,
        planned_file_id=file_id,
        line_number=line_number,
        amount_yen=amount_yen,
        state="F40",
        **account,
    )


def another_entitlement(office: Office, entitlement_id: int, payee_number: int) -> Stop | None:
    """同じ世帯の権利を、別の受給者の名で、もう一つ登録する。"""
    table = ward.entitlement
    with reading(office.home.ward) as connection:
        now = dict(connection.execute(sa.select(table).where(table.c.id == entitlement_id)).mappings().one())
        last = connection.execute(sa.select(sa.func.max(table.c.id))).scalar_one()
    values = now | {"id": last + 1, "case_number": "00000000000", "payee_number": payee_number}
    return write_to_store(office, table.insert().values(**values), "same-slot")


def read_by_the_second(
    office: Office,
    plan: Callable[[Office], Path],
    change: Callable[[Transfer, Office], None],
    pay_date: date = LATER_PAY,
) -> Stop | None:
    """作ったファイルが変わった後、指紋を見ずに、第二の読み手にだけ読ませる。"""
    office.judge(plan(office))
    made = office.make(pay_date)
    assert made is not None
    change(made, office)
    with reading(office.home.ward) as connection:
        lines = lines_of(connection, made.id)
    header, expected = expected_in_file(lines, office.programme, made.pay_date, office.banks)
    office.tell("変わったファイルを、第二の読み手に読ませた")
    found = zengin_reader.findings(made.path.read_bytes(), header, expected)
    return Stop("第二の読み手", ("reread",), f"{found[0]}（ほか {len(found) - 1} 件）") if found else None
