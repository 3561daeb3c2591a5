"""承認する人が見る一枚: 何が、いくつ、いくら動くか。全員の一覧ではなく、違いと、大きいもの、変わったものを見る。

承認は、見た中身の指紋（digest）に対してする。見ている間に中身が変われば、その承認は受け付けられない（P27）。
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import polars as pl
from sqlalchemy import Connection, func, select

from benefit.domain.access import Actor
from benefit.services import approvals_view_kinds as kinds
from benefit.store import ward

#: 二人の承認が要るもの。ほかは、申し出た人とは別の一人。
TWO = {"transfer"}
KIND_NAMES = {
    "build": "対象者の判定",
    "transfer": "振込ファイル",
    "handover": "委託先への受渡",
    **{name: kind.name for name, kind in kinds.KINDS.items()},
}
_CASE_NUMBER = "給付管理番号"


def case_numbers(frames: Iterable[pl.DataFrame]) -> list[str]:
    """表に並ぶ給付管理番号（ログに残す）。番号のない行と、伏せた行は除く。"""
    shown = [frame[_CASE_NUMBER].cast(pl.String).drop_nulls() for frame in frames if _CASE_NUMBER in frame.columns]
    return [one for column in shown for one in column if one.isdigit()]


@dataclass(frozen=True)
class Table:
    """一枚の中の表。数は右に寄せる。`note` は、空のときや読み方を言う文。"""

    title: str
    frame: pl.DataFrame
    note: str = ""

    @property
    def columns(self) -> list[tuple[str, bool]]:
        """(見出し, 数か)。"""
        return [(name, kind.is_numeric()) for name, kind in self.frame.schema.items()]

    @property
    def subject(self) -> str:
        """一行が誰のものかを言う列。なければ空。"""
        return next((name for name in (_CASE_NUMBER, "対象番号") if name in self.frame.columns), "")

    def key_of(self, row: Mapping[str, Any]) -> str:
        """その行の人を照会するときの、番号の種類。照会できない行（ほかの課、区直轄）なら空。"""
        if self.subject == _CASE_NUMBER:
            return "case_number" if row[_CASE_NUMBER].isdigit() else ""
        if not row["対象番号"].isdigit():
            return ""
        return "household_number" if row["対象区分"] == "世帯" else "person_number"


@dataclass(frozen=True)
class Sheet:
    """承認の一枚。

    effect: 承認すると起きること。until: いつまで取り消せるか。warnings: 間違いかもしれないこと（一度立ち止まる）。
    people: この一枚に見える人の行の数（見た記録に残す）。approvers: もう承認した人。closed: もう承認できない訳。
    """

    kind: str
    number: int
    what: str
    asked_by: str
    asked_at: datetime
    reason: str
    count: int
    total_yen: int | None
    facts: Sequence[tuple[str, str]]
    tables: Sequence[Table]
    effect: str
    until: str
    digest: str
    warnings: Sequence[str] = ()
    approvers: Sequence[str] = ()
    closed: str = ""
    needs_reason: bool = False
    programme: str = ""
    released: bool = False

    @property
    def name(self) -> str:
        """種類の名。"""
        return KIND_NAMES[self.kind]

    @property
    def needed(self) -> int:
        """要る承認の数。"""
        return 2 if self.kind in TWO else 1

    @property
    def people(self) -> int:
        """この一枚に見える、人の行の数。"""
        return sum(table.frame.height for table in self.tables if table.subject)

    @property
    def case_numbers(self) -> list[str]:
        """この一枚に見える給付管理番号（口座の終わりや名義と並ぶ）。"""
        told = [one for key, one in self.facts if key == _CASE_NUMBER]
        return told + case_numbers(table.frame for table in self.tables)

    @property
    def how_many(self) -> str:
        """いくつ。"""
        return f"違う行 {self.count:,}件" if self.kind == "build" else f"{self.count:,}件"

    @property
    def how_much(self) -> str:
        """いくら。"""
        if self.kind == "build":
            return dict(self.facts)["支給額の合計"]
        return "お金は動きません" if self.total_yen is None else f"{self.total_yen:,}円"

    def refusal(self, actor: Actor) -> str:
        """この人が承認できない訳。できるなら空。"""
        if self.closed:
            return self.closed
        if actor.id == self.asked_by:
            return "あなたが作った（申し出た）ものなので、あなたは承認できません。別の承認の役割の人に頼んでください"
        if actor.role != "approver":
            return "承認は、承認の役割を持つ職員が行います"
        if actor.id in self.approvers:
            return "あなたは、もう承認しています。別の人の承認が要ります"
        if len(self.approvers) >= self.needed:
            return "要る承認は、そろっています"
        return ""


@dataclass(frozen=True)
class Waiting:
    """承認か送り出しを待っているもの一つ。"""

    kind: str
    number: int
    what: str
    count: int
    total_yen: int | None
    asked_by: str
    asked_at: datetime
    step: str

    @property
    def name(self) -> str:
        """種類の名。"""
        return KIND_NAMES[self.kind]


def digest_of(content: object) -> str:
    """見せる中身の指紋。"""
    return hashlib.sha256(json.dumps(content, ensure_ascii=False, sort_keys=True, default=str).encode()).hexdigest()


def waiting(connection: Connection) -> list[Waiting]:
    """待っているものの全部、古い順。"""
    found = [*_builds(connection), *_transfers(connection), *_handovers(connection)]
    for name in kinds.KINDS:
        found += [
            Waiting(
                name,
                row["id"],
                kinds.says(connection, name, row),
                row.get("line_count", 1),
                kinds.yen(connection, name, row),
                row["asked_by"],
                row["asked_at"],
                "承認待ち",
            )
            for row in kinds.open_rows(connection, name)
        ]
    return sorted(found, key=lambda one: (_aware(one.asked_at), one.kind, one.number))


def _builds(connection: Connection) -> list[Waiting]:
    """まだ承認されていない、最後に承認した判定より新しい判定。"""
    run, approval = ward.run, ward.run_approval
    newest = (
        select(run.c.programme, func.max(run.c.id).label("id"))
        .join(approval, approval.c.run_id == run.c.id)
        .group_by(run.c.programme)
        .subquery()
    )
    query = (
        select(run)
        .outerjoin(approval, approval.c.run_id == run.c.id)
        .outerjoin(newest, newest.c.programme == run.c.programme)
        .where(approval.c.run_id.is_(None), func.coalesce(newest.c.id, 0) < run.c.id)
        .order_by(run.c.id)
    )
    return [
        Waiting(
            "build",
            row["id"],
            f"{row['programme']} の判定 {row['id']}（{row['today']}）",
            row["rows_added"] + row["rows_differing"],
            json.loads(row["counts"]).get("支給額合計"),
            row["built_by"],
            row["built_at"],
            "承認待ち",
        )
        for row in connection.execute(query).mappings()
    ]


def _transfers(connection: Connection) -> list[Waiting]:
    """送り出していない、取り消してもいない振込ファイル。"""
    transfer, release, line, payment, approval = (
        ward.transfer,
        ward.transfer_release,
        ward.transfer_line,
        ward.payment,
        ward.approval,
    )
    alive = (
        select(line.c.transfer_id)
        .join(payment, payment.c.id == line.c.payment_id)
        .where(line.c.transfer_id == transfer.c.id, payment.c.state == "F40")
        .exists()
    )
    given = (
        select(func.count())
        .select_from(approval)
        .where(approval.c.transfer_id == transfer.c.id, approval.c.sha256 == transfer.c.sha256)
        .scalar_subquery()
    )
    query = (
        select(transfer, given.label("given"))
        .outerjoin(release, release.c.transfer_id == transfer.c.id)
        .where(release.c.transfer_id.is_(None), alive)
        .order_by(transfer.c.id)
    )
    return [
        Waiting(
            "transfer",
            row["id"],
            f"振込 {row['id']}（指定日 {row['pay_date']}）",
            row["line_count"],
            row["total_yen"],
            row["made_by"],
            row["made_at"],
            ("承認待ち（あと 2 人）", "承認待ち（あと 1 人）", "送り出し待ち")[min(2, row["given"])],
        )
        for row in connection.execute(query).mappings()
    ]


def _handovers(connection: Connection) -> list[Waiting]:
    """事業ごとに一番新しい受渡の申し出で、まだ渡していないもの。"""
    asked, approval, handover = ward.handover_request, ward.handover_request_approval, ward.handover
    newest = select(func.max(asked.c.id)).group_by(asked.c.programme)
    handed = select(handover.c.id).where(handover.c.crossing == "payees_out", handover.c.sha256 == asked.c.sha256)
    query = (
        select(asked, approval.c.approved_by)
        .outerjoin(approval, approval.c.release_id == asked.c.id)
        .where(asked.c.id.in_(newest), ~handed.exists())
        .order_by(asked.c.id)
    )
    return [
        Waiting(
            "handover",
            row["id"],
            f"{row['programme']} の受渡（{row['given_on']}）",
            row["row_count"],
            row["total_yen"],
            row["asked_by"],
            row["asked_at"],
            "渡すのを待つ" if row["approved_by"] else "承認待ち",
        )
        for row in connection.execute(query).mappings()
    ]


def told(sheet: Sheet) -> dict[str, Any]:
    """JSON にする形。"""
    return {
        "kind": sheet.kind,
        "number": sheet.number,
        "what": sheet.what,
        "asked_by": sheet.asked_by,
        "asked_at": _aware(sheet.asked_at).isoformat(),
        "reason": sheet.reason,
        "count": sheet.count,
        "total_yen": sheet.total_yen,
        "facts": dict(sheet.facts),
        "tables": [{"title": one.title, "rows": [_plain(row) for row in one.frame.to_dicts()]} for one in sheet.tables],
        "effect": sheet.effect,
        "until": sheet.until,
        "warnings": list(sheet.warnings),
        "approvers": list(sheet.approvers),
        "needed": sheet.needed,
        "closed": sheet.closed,
        "digest": sheet.digest,
    }


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value if isinstance(value, int | str | None) else str(value) for name, value in row.items()}


def _aware(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)
