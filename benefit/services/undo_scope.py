"""取消の計画の範囲: 振込一つ、判定一回、支給予定情報一つ、給付管理番号の名簿。"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select, union_all

from benefit.domain.errors import WrongUse
from benefit.domain.programme import Programme
from benefit.store import ward

#: 範囲の種類 → 見せる言葉。
SCOPES = {"transfer": "振込", "run": "判定", "planned": "支給予定情報", "cases": "名簿"}


@dataclass(frozen=True)
class Scope:
    """何を取り消すか: 振込一つ、判定一回、支給予定情報一つ、給付管理番号の名簿。"""

    kind: str
    value: str

    def __str__(self) -> str:
        """台帳に残す形。"""
        return f"{self.kind}:{self.value}"

    @property
    def says(self) -> str:
        """見せる言葉。"""
        return f"{SCOPES[self.kind]} {self.value[:40]}"

    @staticmethod
    def parse(text: str) -> Scope:
        """台帳に残した形から。"""
        kind, _, value = text.partition(":")
        return Scope(kind, value)


def scope_of_transfer(connection: Connection, programme: Programme, number: int) -> tuple[Scope, list[int]]:
    """この振込に入っていた権利。"""
    payment, line, transfer = ward.payment, ward.transfer_line, ward.transfer
    query = (
        select(payment.c.entitlement_id)
        .join(line, line.c.payment_id == payment.c.id)
        .join(transfer, transfer.c.id == line.c.transfer_id)
        .where(transfer.c.id == number, transfer.c.programme == programme.id, payment.c.entitlement_id.is_not(None))
    )
    return Scope("transfer", str(number)), _some(connection, query, f"振込 {number}")


def scope_of_planned(connection: Connection, programme: Programme, file_number: str) -> tuple[Scope, list[int]]:
    """この支給予定情報で判定した権利。"""
    verdict, file = ward.verdict, ward.planned_file
    query = (
        select(verdict.c.entitlement_id)
        .join(file, file.c.id == verdict.c.planned_file_id)
        .where(
            file.c.file_number == file_number, file.c.programme == programme.id, verdict.c.entitlement_id.is_not(None)
        )
        .distinct()
    )
    return Scope("planned", file_number), _some(connection, query, f"支給予定情報 {file_number}")


def scope_of_run(connection: Connection, programme: Programme, digest: str) -> tuple[Scope, list[int]]:
    """この判定（入力の指紋、頭の 8 桁から）で登録されたか、認められた権利。"""
    run, valid, entitlement = ward.run, ward.valid_entitlement, ward.entitlement
    if len(digest) < 8 or not digest.isalnum():
        raise WrongUse("判定の指紋は、頭の 8 桁より長く言ってください", found=digest)
    found = connection.execute(
        select(run.c.id, run.c.input_digest).where(
            run.c.programme == programme.id, run.c.input_digest.startswith(digest, autoescape=True)
        )
    ).all()
    if len(found) != 1:
        raise WrongUse(f"指紋が {digest} で始まる判定は {len(found)} 件です", code="no-run", allowed="1 件")
    query = union_all(
        select(entitlement.c.id).where(entitlement.c.run_id == found[0].id),
        select(valid.c.entitlement_id).where(valid.c.run_id == found[0].id),
    )
    return Scope("run", found[0].input_digest), _some(connection, query, f"判定 {digest}")


def scope_of_cases(
    connection: Connection, programme: Programme, numbers: list[str], sha256: str
) -> tuple[Scope, list[int]]:
    """名簿の給付管理番号の権利。知らない番号が一つでもあれば断る。"""
    table = ward.entitlement
    known = {
        row.case_number: row.id
        for row in connection.execute(select(table.c.case_number, table.c.id).where(table.c.programme == programme.id))
    }
    if unknown := [number for number in numbers if number not in known]:
        raise WrongUse(
            f"名簿に、支給権利のない給付管理番号が {len(unknown)} 件あります", code="no-case", found=unknown[0]
        )
    if not numbers:
        raise WrongUse("名簿に給付管理番号がありません", code="no-case")
    return Scope("cases", sha256[:16]), sorted({known[number] for number in numbers})


def _some(connection: Connection, query: Any, says: str) -> list[int]:
    found = sorted(set(connection.execute(query).scalars()))
    if not found:
        raise WrongUse(f"{says} に、この事業の権利はありません", code="empty-scope")
    return found
