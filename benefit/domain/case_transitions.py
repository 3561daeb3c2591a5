"""一件の進み方の表（benefit-rules C.3 の、給付管理システムの側）。

`STEPS` にない進み方と、行に名のない役割の人の一歩は、断られる。画面のボタン、断りの言葉、流れ図、違法な進み方の試験は、
みなこの表から作る（architecture.md「三つの考え」3）。
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from benefit.domain.access import BATCH, Actor, DeskRole
from benefit.domain.case_states import CASE_STATES

_BATCH = frozenset({BATCH.role})
#: 書類を受ける人: 特設窓口・収受、審査、管理者。夜の取込も、読み取った番号の一覧を入れる。
_INTAKE = frozenset({DeskRole.COUNTER, DeskRole.REVIEWER, DeskRole.SUPERVISOR, BATCH.role})
#: 電話や窓口で聞いたことを書く人。
_HEARING = _INTAKE | {DeskRole.OPERATOR}
_REVIEW = frozenset({DeskRole.REVIEWER, DeskRole.SUPERVISOR})
#: 夜に日付で進むもの。日付を間違えて進めたときのために、管理者も打てる。
_CALENDAR = frozenset({BATCH.role, DeskRole.SUPERVISOR})
_WARD = frozenset({DeskRole.WARD_CLERK})


@dataclass(frozen=True)
class Step:
    """進み方の一行: どの状態で、どの出来事が起こり、どの状態になるか。誰がしてよいか（役割か `batch`）。"""

    state: str
    event: str
    then: str
    roles: frozenset[str]


def _steps(event: str, roles: Iterable[str], *moves: tuple[str, str]) -> tuple[Step, ...]:
    """一つの出来事の行。`moves` は（今の状態（空白で区切って並べる）, 次の状態）。"""
    allowed = frozenset(str(role) for role in roles)
    return tuple(Step(state, event, then, allowed) for states, then in moves for state in states.split())


#: 進み方の表。
STEPS: tuple[Step, ...] = (
    # 発送と、郵便
    *_steps("notice_mailed", _BATCH, ("S10", "P20")),
    *_steps("letter_mailed", _BATCH, ("S10", "C20")),
    # 期限の後でも、支給予定情報に出す前なら止める（届いていないお知らせでは、受け取る意思が分からない）。
    *_steps("mail_returned", _INTAKE, ("P20 P25", "P21"), ("C20", "C21")),
    # 収受
    *_steps("form_received", _INTAKE, ("C20", "C22")),
    # 期限の後に届いたが、消印は期限の内だった（消印有効）。
    *_steps("form_in_time", _INTAKE, ("C28", "C22")),
    *_steps("objection_received", _INTAKE, ("P20", "C23")),
    *_steps("received_late", _INTAKE, ("C20 C25", "C28")),
    *_steps("refusal_received", _HEARING, ("P20", "P22"), ("C20", "C29")),
    *_steps("refusal_withdrawn", _HEARING, ("P22", "C20")),
    *_steps("correction_received", _INTAKE, ("C24 C25", "C26")),
    *_steps("account_received", _INTAKE, ("P20 F43 F44", "P23")),
    *_steps("account_asked", _HEARING, ("F43", "F44")),
    # 審査
    *_steps("review_started", _REVIEW, ("C22 C26", "C23")),
    *_steps("deficiency_found", _REVIEW, ("C23 P23", "C24")),
    *_steps("deficiency_notified", _HEARING, ("C24", "C25")),
    *_steps("review_finished", _REVIEW, ("C23", "C27")),
    *_steps("account_verified", _REVIEW, ("P23", "P25")),
    # 日付で進むもの
    *_steps("notice_deadline_passed", _CALENDAR, ("P20", "P25")),
    *_steps("deadline_passed", _CALENDAR, ("P21 C20 C21", "C28")),
    *_steps("correction_deadline_passed", _CALENDAR, ("C25", "C28")),
    *_steps("planned", _CALENDAR, ("P25 C27", "J30")),
    # 亡くなったと聞いた。止めて、区が決める。
    *_steps(
        "death_told",
        _HEARING | _WARD,
        ("P20 P21 P22 P23 P25 C20 C21 C22 C23 C24 C25 C26 C27 F43 F44", "X60"),
    ),
    # 期限の後の申し出や新しい事実を、区が認めた。
    *_steps("appeal_accepted", _WARD, ("C28 D34", "C23")),
    # 区の知らせ
    *_steps("verdict_payable", _BATCH, ("J30 J31 J32", "D33")),
    *_steps("verdict_held", _BATCH, ("J30 J32", "J31")),
    *_steps("verdict_blocked", _BATCH, ("J30 J31", "J32")),
    *_steps("filed", _BATCH, ("D33", "F40")),
    *_steps("sent", _BATCH, ("D33 F40", "F41")),
    *_steps("credited", _BATCH, ("F41", "F42")),
    *_steps("transfer_failed", _BATCH, ("F41 F42", "F43")),
    # 銀行に組戻しを頼んだ。返事が来るまで、振込日を言わない。
    *_steps("recall_asked", _BATCH, ("F41", "J31")),
    # 権利の終わりは、どの状態でも区が決めうる（不支給決定）。理由は外へ出ない。
    *_steps("ended", _BATCH, (" ".join(state for state in CASE_STATES if state != "D34"), "D34")),
    # 区が手紙を出し直した（枝番が進んだ）。古い手紙への返送を捨てて、発送からやり直す。
    *_steps("reissued", _BATCH, (" ".join(CASE_STATES), "S10")),
)

_BY_MOVE = {(step.state, step.event): step for step in STEPS}
#: (今の状態, 出来事) → 次の状態。
TRANSITIONS: dict[tuple[str, str], str] = {move: step.then for move, step in _BY_MOVE.items()}

#: 区から届く 進捗状況 が起こせる出来事。委託先の仕事（収受・審査）は、区の知らせでは進まない。
WARD_EVENTS = (
    "notice_mailed",
    "letter_mailed",
    "verdict_payable",
    "verdict_held",
    "verdict_blocked",
    "filed",
    "sent",
    "credited",
    "transfer_failed",
    "recall_asked",
    "ended",
)
#: 戻せない一歩: 区の知らせ、受渡そのもの、区へ出した支給予定情報。
FIXED_EVENTS = frozenset({*WARD_EVENTS, "loaded", "withdrawn", "reissued", "planned"})
#: 後ろへ行く一歩。「先へ進んだか」を調べるときは、たどらない。
_BACKWARD = frozenset({"reissued", "appeal_accepted", "form_in_time"})


def next_state(state: str, event: str) -> str | None:
    """次の状態。許されない進み方は None。"""
    return TRANSITIONS.get((state, event))


def step_of(state: str, event: str) -> Step | None:
    """進み方の行。なければ None。"""
    return _BY_MOVE.get((state, event))


def may(actor: Actor, state: str, event: str) -> bool:
    """この人は、この一歩をしてよいか。"""
    step = _BY_MOVE.get((state, event))
    return step is not None and actor.role in step.roles


def possible(actor: Actor, state: str) -> tuple[str, ...]:
    """この状態で、この人に許される出来事（画面のボタン）。"""
    return tuple(step.event for step in STEPS if step.state == state and actor.role in step.roles)


def ward_path(state: str, target: str) -> list[tuple[str, str]] | None:
    """今の状態から、区の知らせた状態までの (出来事, 次の状態) の並び。最短。届かなければ None。"""
    queue: list[tuple[str, list[tuple[str, str]]]] = [(state, [])]
    seen = {state}
    while queue:
        at, steps = queue.pop(0)
        if at == target:
            return steps
        for event in WARD_EVENTS:
            then = TRANSITIONS.get((at, event))
            if then is not None and then not in seen:
                seen.add(then)
                queue.append((then, [*steps, (event, then)]))
    return None


def is_ahead(state: str, told: str) -> bool:
    """今の状態は、区の知らせた状態から先へ進んだものか。"""
    reached, frontier = {told}, [told]
    while frontier:
        at = frontier.pop()
        for step in STEPS:
            if step.state == at and step.event not in _BACKWARD and step.then not in reached:
                reached.add(step.then)
                frontier.append(step.then)
    return state in reached
