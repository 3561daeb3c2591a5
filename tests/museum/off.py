"""守りを一つずつ外す道具。試験の中だけにある（本番に、守りを外すスイッチはない）。

規則は式を偽にし、制約はその台帳から落とし、読み直しは見ない版に替える。どれも、外れたことを `everything off` の試験が
確かめる: 全部を外せば、事故は本当に起きる。
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest
import sqlalchemy as sa

from batch.museum.office import Office
from batch.museum.story import Mistake
from benefit.records import zengin_reader
from benefit.rules import payment_verdicts
from benefit.services import desk_cases, desk_intake, gate, judgment, transfers
from benefit.services.files import sha256_of
from benefit.services.transfer_lines import ACCOUNT
from benefit.store import ward

Off = Callable[[pytest.MonkeyPatch, Office], None]


def in_transfers(monkeypatch: pytest.MonkeyPatch, name: str, instead: Any) -> None:
    """振込の仕事の、この部品を使うファイルの全部で、替える（どのファイルが使うかは、変わってよい）。"""
    users = [
        module
        for known, module in list(sys.modules.items())
        if known.startswith("benefit.services.transfer") and hasattr(module, name)
    ]
    assert users, name
    for module in users:
        monkeypatch.setattr(module, name, instead)


def checks(*ids: str) -> Off:
    """支給判定の検査を、いつも「引っかからない」にする。"""

    def off(monkeypatch: pytest.MonkeyPatch, _office: Office) -> None:
        real = payment_verdicts.payment_checks

        def blind(programme: Any) -> Any:
            silent = pl.lit(value=False)
            return tuple(
                dataclasses.replace(one, hit=silent) if one.id.removesuffix("H") in ids else one
                for one in real(programme)
            )

        monkeypatch.setattr(payment_verdicts, "payment_checks", blind)

    return off


def drop_index(name: str) -> Off:
    """一意索引を、この台帳から落とす。"""

    def off(_monkeypatch: pytest.MonkeyPatch, office: Office) -> None:
        with office.home.ward.begin() as connection:
            connection.exec_driver_sql(f"DROP INDEX {name}")

    return off


def no_foreign_keys(_monkeypatch: pytest.MonkeyPatch, office: Office) -> None:
    """この台帳への接続で、外部キーを確かめない。"""
    sa.event.listen(office.home.ward, "connect", lambda dbapi, _record: dbapi.execute("PRAGMA foreign_keys=OFF"))
    office.home.ward.dispose()


def no_count(monkeypatch: pytest.MonkeyPatch, _office: Office) -> None:
    monkeypatch.setattr(judgment, "_check_count", lambda *_given, **_told: None)


def no_file_memory(monkeypatch: pytest.MonkeyPatch, _office: Office) -> None:
    """前に判定したファイルを思い出さず、指紋も新しいものとして登録する。"""
    real = judgment._judge

    def forgetful(*given: Any, fingerprint: str, **told: Any) -> Any:
        return real(*given, fingerprint=sha256_of(f"{fingerprint}+忘れた".encode()), **told)

    monkeypatch.setattr(judgment, "_already", lambda *_given, **_told: False)
    monkeypatch.setattr(judgment, "_judge", forgetful)


def every_verdict(connection: sa.Connection) -> list[dict[str, Any]]:
    """支給可の判定の行を、払ったかどうかも、権利の額も見ずに、全部（一番新しいファイルの分）。"""
    verdict, entitlement = ward.verdict, ward.entitlement
    newest = sa.select(sa.func.max(verdict.c.planned_file_id)).scalar_subquery()
    query = (
        sa.select(
            verdict.c.planned_file_id,
            verdict.c.line_number,
            *(verdict.c[name] for name in ACCOUNT),
            verdict.c.amount_yen,
            entitlement.c.id.label("entitlement_id"),
            entitlement.c.slot,
            entitlement.c.case_number,
            entitlement.c.branch,
        )
        .join(entitlement, entitlement.c.id == verdict.c.entitlement_id)
        .where(verdict.c.verdict == "支給可", verdict.c.planned_file_id == newest)
        .order_by(verdict.c.line_number)
    )
    rows = [dict(row) for row in connection.execute(query).mappings()]
    return numbered(connection, rows)


def numbered(connection: sa.Connection, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """回を数え、初めての支払の顔をさせる。"""
    payment = ward.payment
    query = sa.select(payment.c.entitlement_id, sa.func.max(payment.c.attempt)).group_by(payment.c.entitlement_id)
    tried = {row[0]: row[1] for row in connection.execute(query)}
    for row in rows:
        row["attempts"], row["last_state"] = tried.get(row["entitlement_id"], 0), None
        tried[row["entitlement_id"]] = row["attempts"] + 1
    return rows


def no_ledger_reading(monkeypatch: pytest.MonkeyPatch, _office: Office) -> None:
    in_transfers(monkeypatch, "pending_verdicts", lambda connection, *_given: every_verdict(connection))


def straight_from_the_contractor(monkeypatch: pytest.MonkeyPatch, office: Office) -> None:
    """判定を見ず、委託先のファイルの行から振込を作る（鎌倉市）。"""

    def rows_sent(connection: sa.Connection, *_given: Any) -> list[dict[str, Any]]:
        rows = office.rows(f"planned-by-contractor-{office.plans}")
        table = ward.entitlement
        known = {
            row["case_number"]: row
            for row in connection.execute(sa.select(table, table.c.id.label("entitlement_id"))).mappings()
        }
        account = ("金融機関コード", "支店コード", "預金種目", "口座番号", "口座名義カナ")
        lines = [
            {
                **{
                    name: known[row["給付管理番号"]][name]
                    for name in ("entitlement_id", "slot", "case_number", "branch")
                },
                **dict(zip(ACCOUNT, (row[name] for name in account), strict=True)),
                "planned_file_id": 99,
                "line_number": place,
                "amount_yen": int(row["支給予定額"]),
            }
            for place, row in enumerate(rows, 1)
        ]
        return numbered(connection, lines)

    in_transfers(monkeypatch, "pending_verdicts", rows_sent)


def no_gate(monkeypatch: pytest.MonkeyPatch, _office: Office) -> None:
    """振込を作る時・送り出す時に、いまの事実を見ない。"""
    real = gate.stand

    def trusting(*given: Any, **told: Any) -> Any:
        standing = real(*given, **told)
        return dataclasses.replace(
            standing, entitlements=standing.entitlements.with_columns(open=pl.lit(value=True), why_closed=pl.lit(None))
        )

    in_transfers(monkeypatch, "stand", trusting)


class Whatever(str):
    """どの指紋とも同じ指紋。"""

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False


def no_digest(monkeypatch: pytest.MonkeyPatch, _office: Office) -> None:
    monkeypatch.setattr(transfers, "sha256_of", lambda data: Whatever(sha256_of(data)))


def no_ceiling(monkeypatch: pytest.MonkeyPatch, _office: Office) -> None:
    in_transfers(monkeypatch, "check_head", lambda *_given, **_told: None)


def no_second_reader(monkeypatch: pytest.MonkeyPatch, _office: Office) -> None:
    monkeypatch.setattr(zengin_reader, "findings", lambda *_given, **_told: ())


def any_step(monkeypatch: pytest.MonkeyPatch, _office: Office) -> None:
    """給付管理システムが、どの状態からでも、もう一度収受し、審査し、支給予定情報を出す。"""
    again = {"form_received": "C22", "review_finished": "C27", "planned": "J30"}
    real = desk_cases.next_state
    for module in (desk_cases, desk_intake):
        monkeypatch.setattr(module, "next_state", lambda state, event: again.get(event) or real(state, event))


#: 守りの名 → 外し方。
OFF: dict[str, Off] = {
    "CHK01": no_file_memory,
    "CHK04": no_count,
    "CHK20": checks("CHK20"),
    "CHK30-31": checks("CHK30", "CHK31"),
    "CHK11-65": checks("CHK11", "CHK60", "CHK65", "CHK81", "CHK90"),
    "CHK70-72": checks("CHK70", "CHK71", "CHK72"),
    "pending": no_ledger_reading,
    "ledger-yen": no_ledger_reading,
    "gate": no_gate,
    "uq_payment_live_slot": drop_index("uq_payment_live_slot"),
    "uq_payment_verdict_line": drop_index("uq_payment_verdict_line"),
    "fk_verdict": no_foreign_keys,
    "fk_amount": no_foreign_keys,
    "ceiling": no_ceiling,
    "digest": no_digest,
    "reread": no_second_reader,
    "transition": any_step,
}
#: この間違いだけの外し方。
OFF_IN: dict[tuple[str, str], Off] = {
    ("区も支給判定をしないで、委託先のファイルを払う", "pending"): straight_from_the_contractor
}


def switch_off(monkeypatch: pytest.MonkeyPatch, office: Office, mistake: Mistake, controls: list[str]) -> None:
    """これらの守りを、この舞台で外す。"""
    for key in controls:
        (OFF_IN.get((mistake.does, key)) or OFF[key])(monkeypatch, office)
