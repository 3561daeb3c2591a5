"""一つの権利の、区の台帳での今: 登録、手紙、判定、支払、終わり。状態は書かず、台帳の行から毎回導く。"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from benefit.domain.case import EVENT_NAMES, STATE_WORDS
from benefit.domain.clock import tokyo_date
from benefit.domain.letter import LETTER_NAMES
from benefit.domain.programme import Programme
from benefit.domain.transfer import PAYMENT_STATE_NAMES
from benefit.domain.wareki import wareki
from benefit.rules.payment_check import SEVERITY_NAMES
from benefit.rules.payment_verdicts import payment_checks

#: 手紙を出してから、まだ何も届いていない状態。区の手紙の文のほうが、期限まで言える。
_STILL = ("S10", "P20", "C20")


@dataclass(frozen=True)
class Told:
    """いまの状態の名、一文、次の手順。"""

    state: str
    says: str
    next_step: str


@dataclass(frozen=True)
class Step:
    """進んだ跡の一行。`who` は職員の ID（機械なら batch、委託先なら委託先）。"""

    on: date
    what: str
    who: str = ""


@dataclass
class Trail:
    """一つの権利の、台帳にある行。"""

    case: dict[str, Any]
    letters: list[dict[str, Any]] = field(default_factory=list)
    verdicts: list[dict[str, Any]] = field(default_factory=list)
    payments: list[dict[str, Any]] = field(default_factory=list)
    endings: list[dict[str, Any]] = field(default_factory=list)
    reissues: list[dict[str, Any]] = field(default_factory=list)
    #: 委託先から届いた進み（最後の一つが今）、出来事、対応履歴。
    desk: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    contacts: list[dict[str, Any]] = field(default_factory=list)

    @property
    def told(self) -> Told:
        """いまの状態。後に起きたことから順に見る。"""
        return _ended(self) or _paid(self) or _judged(self) or _written(self)

    @property
    def steps(self) -> list[Step]:
        """これまで。新しい順。"""
        return sorted(_steps(self), key=lambda step: step.on, reverse=True)


def day(at: datetime | date) -> date:
    """日本の日付。SQLite は時差を忘れるので、UTC として読む。"""
    if isinstance(at, datetime):
        return tokyo_date(at if at.tzinfo else at.replace(tzinfo=UTC))
    return at


def _ended(trail: Trail) -> Told | None:
    if not trail.endings:
        return None
    last = trail.endings[-1]
    return Told(
        last["kind"], f"{wareki(day(last['approved_at']))}に、{last['kind']}で終わりました。", "手続きはありません。"
    )


def _paid(trail: Trail) -> Told | None:
    alive = [row for row in trail.payments if row["state"] != "F49"]
    if not alive:
        return None
    last = alive[-1]
    on, yen = wareki(last["pay_date"]) if last["pay_date"] else "（日は未定）", f"{last['amount_yen']:,}円"
    name = PAYMENT_STATE_NAMES[last["state"]]
    if last["state"] == "F43" and any(row["planned_file_id"] > last["planned_file_id"] for row in trail.verdicts):
        # 不能の後に、新しい口座で判定し直されている。
        return None
    says, then = {
        "F40": (f"{on}に{yen}を振り込むデータを作りました。", "二人の承認と、銀行への送り出しを待ちます。"),
        "F41": (f"{on}に{yen}を振り込むよう、銀行へ送りました。", "振込日の後、銀行の結果を取り込みます。"),
        "F42": (f"{on}に{yen}を振り込みました。", "手続きはありません。"),
        "F43": (
            f"{on}の{yen}の振込が不能でした（{last['reason'] or '理由は銀行の知らせを見ます'}）。",
            "新しい口座の届出を受けて、判定し直します。",
        ),
        "F48": (f"{on}に振り込んだ{yen}が、全部返りました。", "払い直すには、二人の判断と新しい判定が要ります。"),
    }[last["state"]]
    return Told(name, says, then)


def _judged(trail: Trail) -> Told | None:
    if not trail.verdicts:
        return None
    last = trail.verdicts[-1]
    on = wareki(last["judged_on"])
    return {
        "支給可": Told("支給決定", f"{on}に、支給してよいと判定しました。", "次の振込に載ります。"),
        "保留": Told(
            "判定の保留", f"{on}の判定で、保留になりました。", "検査を確かめ、二人で解除するか、直した行を待ちます。"
        ),
        "不可": Told("支払不可", f"{on}の判定で、払えないと分かりました。", "下の検査の元を直し、判定し直します。"),
    }[last["verdict"]]


def _written(trail: Trail) -> Told:
    if trail.desk and trail.desk[-1]["present"] and trail.desk[-1]["state"] not in _STILL:
        words = STATE_WORDS[trail.desk[-1]["state"]]
        return Told(words.name, f"給付管理システムで「{words.name}」です。", "給付管理システムで進みます。")
    now = [row for row in trail.letters if row["branch"] == trail.case["branch"]]
    if now and now[-1]["lot_id"] is None:
        return Told(
            "手紙を止めている",
            f"手紙を止めています（{now[-1]['held_reason']}）。",
            "止めた訳を直して、手紙を作り直します。",
        )
    if now:
        sent = now[-1]
        return Told(
            "発送済",
            f"{wareki(sent['issued_on'])}付の{LETTER_NAMES[sent['kind']]}を出しました。期限は{wareki(sent['due_on'])}です。",
            "返送か、期限を待ちます。",
        )
    if trail.case["approved_at"]:
        return Told("対象", "対象と承認しました。手紙はまだ出していません。", "次の手紙のロットで出します。")
    return Told("承認待ち", "対象として登録しました。承認はまだです。", "別の人が、判定の差を承認します。")


def failed_checks(trail: Trail, programme: Programme) -> list[tuple[str, str, str]]:
    """最後の支給判定で引っかかった検査: (番号、重さ、文)。"""
    if not trail.verdicts:
        return []
    hit = [one for one in trail.verdicts[-1]["checks"].split(";") if one]
    known: dict[str, tuple[str, str]] = {}
    for check in payment_checks(programme):
        known.setdefault(check.number, (SEVERITY_NAMES[check.severity], check.says))
    return [(number, *known.get(number, ("", "この版にない検査"))) for number in hit]


def _steps(trail: Trail) -> list[Step]:
    case = trail.case
    found = [Step(day(case["built_at"]), "支給権利を登録", case["built_by"])]
    if case["approved_at"]:
        found.append(Step(day(case["approved_at"]), "判定を承認", case["approved_by"]))
    for one in trail.letters:
        what = "を止めた" if one["lot_id"] is None else "を作成"
        found.append(Step(one["issued_on"], f"{LETTER_NAMES[one['kind']]}（枝番 {one['branch']}）{what}", "batch"))
    found += [Step(day(one["made_at"]), f"出し直し（枝番 {one['branch']}）", one["made_by"]) for one in trail.reissues]
    for one in trail.verdicts:
        hit = f"（{one['checks'].replace(';', '、')}）" if one["checks"] else ""
        found.append(Step(one["judged_on"], f"支給判定 {one['verdict']}{hit}", "batch"))
    for one in trail.payments:
        turn = f"振込 {one['attempt']} 回目"
        if one["made_at"]:
            found.append(Step(day(one["made_at"]), f"{turn}のデータを作成", one["made_by"]))
        if one["released_at"]:
            found.append(Step(day(one["released_at"]), f"{turn}を銀行へ送付", one["released_by"]))
        if one["state"] in ("F42", "F43", "F48") and one["pay_date"]:
            found.append(Step(one["pay_date"], f"{turn}: {PAYMENT_STATE_NAMES[one['state']]}", "銀行"))
    for one in trail.events:
        found.append(Step(day(one["at"]), f"給付管理: {EVENT_NAMES.get(one['event'], one['event'])}", one["actor"]))
    found += [Step(day(one["at"]), f"対応: {one['channel']}", one["actor"]) for one in trail.contacts]
    found += [Step(day(one["approved_at"]), f"終わり: {one['kind']}", one["approved_by"]) for one in trail.endings]
    return found
