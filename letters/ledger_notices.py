"""台帳の調定から、納付書つきの通知を作る: 納付書を出し、宛名を付け、組にする。"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from benefit.domain.access import Actor
from benefit.domain.clock import Clock
from benefit.services import slip_issuers, slip_payees, slips
from benefit.services.home import Home
from letters import notices, sheet_code
from letters.notice_page import Wording, notice_of, render
from letters.notices import NoticeKind, NoticeReport
from letters.render import engine_digest
from letters.sheet_code import SheetCode


@dataclass(frozen=True)
class LedgerRun:
    """作った結果。asked = 刷った + 組の中で止めた + excluded。

    report: 組の結果（一通もなければ None）。excluded: 調定の番号 → 納付書を出さなかった・紙を作らなかったわけ。
    printed: 刷った調定の番号 → 納付書の番号。
    """

    report: NoticeReport | None
    excluded: Mapping[int, str]
    printed: Mapping[int, int]


def make(
    home: Home,
    kind: NoticeKind,
    receivables: Sequence[int],
    *,
    payable_until: date,
    out: Path,
    issued_on: date,
    actor: Actor,
    clock: Clock,
    issuer: str = slip_issuers.DEFAULT,
    amount_yen: int | None = None,
) -> LedgerRun:
    """調定ごとに一通。同じ日に同じものを作れば、同じ納付書・同じバイト列になる。"""
    issued = slips.issue(
        home,
        receivables,
        payable_until=payable_until,
        actor=actor,
        clock=clock,
        reason=f"{kind.name}の発行",
        issuer=issuer,
        amount_yen=amount_yen,
    )
    addressed = slip_payees.address(home, issued.slips, today=issued_on)
    excluded = {**issued.refused, **addressed.held}
    if addressed.rows.is_empty():
        return LedgerRun(None, excluded, {})
    report = notices.make(
        addressed.rows.drop("receivable_id", "slip_id"),
        kind,
        slip_issuers.load(home, issuer),
        out=out,
        issued_on=issued_on,
        key=home.key(sheet_code.KEY),
        words=home.words,
    )
    good = addressed.rows.filter(~addressed.rows["record"].is_in(list(report.held_records)))
    return LedgerRun(report, excluded, dict(good.select("receivable_id", "slip_id").iter_rows()))


def one_slip(
    home: Home,
    receivable: int,
    *,
    payable_until: date,
    issued_on: date,
    actor: Actor,
    clock: Clock,
    reason: str,
    issuer: str = slip_issuers.DEFAULT,
) -> bytes | str:
    """窓口で渡す納付書の一枚（PDF、住所なし）。出せないときは、そのわけ。"""
    kind = notices.KINDS["納付書"]
    issued = slips.issue(
        home, [receivable], payable_until=payable_until, actor=actor, clock=clock, reason=reason, issuer=issuer
    )
    if not issued.slips:
        return issued.refused[receivable]
    row = slip_payees.handed(home, issued.slips[0], today=issued_on)
    if held := notices.reasons_to_hold(row | {"number": ""}, issued_on, addressed=False):
        return "、".join(f"{one.field}: {one.reason} {one.code_points}".strip() for one in held)
    wording, values = Wording.load(kind.words, home.words), slip_issuers.load(home, issuer)
    number = f"{issued.slips[0]['id']:011d}"
    layout = notices.layout_of(wording, engine_digest(home.words))
    code = SheetCode.of(home.key(sheet_code.KEY), number, 0, kind.number, 1, 1, layout)
    return render([notice_of(row, values, code, issued_on)], wording, values, kind.name, issued_on)
