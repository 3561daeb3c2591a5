"""電話で受けられること: 画面のボタンは、進み方の表（役割つき）と本人確認から作る。表にないことは、ボタンも道もない。"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from benefit.domain.access import Actor
from benefit.domain.case import EVENT_NAMES, possible
from benefit.domain.errors import RefusedByRule
from benefit.services import desk_cases, desk_letters_due, desk_undo
from benefit.services.desk_calls import Call
from benefit.services.desk_identity import Standing

REISSUE, UNDO = "reissue", "undo"
#: 受け取る人の意思がなくても受けられる申し出。
_ANYONE = frozenset({"death_told"})
_LABELS = {
    "refusal_received": "電話で辞退を受ける",
    "refusal_withdrawn": "辞退の取りやめを受ける",
    "death_told": "亡くなったという申し出を受ける",
    "appeal_accepted": "期限の後の申し出を、区として受け付ける",
    "account_asked": "口座の再届出をお願いする",
    REISSUE: "手紙の再発行を頼む",
}
_MEANS = {
    "refusal_received": "受け取らないことになります。取りやめは、期限の日まで受け付けます。",
    "refusal_withdrawn": "確認書をもう一度お送りします。",
    "death_told": "件を止め、区が引き継ぎます。間違いのときは、10 分以内なら自分で取り消せます。",
    "appeal_accepted": "審査に戻します。",
    "account_asked": "口座再届出のお願いの手紙をお送りします。",
    REISSUE: "登録の住所へ、同じ手紙をもう一度お送りします。送り先は電話では変えられません。",
}
#: 押す前に、もう一枚の確かめの画面を出すもの（画面の指針 29）。
GRAVE = frozenset({"refusal_received", "death_told", "appeal_accepted"})


@dataclass(frozen=True)
class Action:
    """ボタン一つ: 鍵、名前、何が起きるか、確かめの画面を挟むか。"""

    key: str
    label: str
    means: str
    grave: bool


def available(
    connection: Connection, case_number: str, state: str, standing: Standing, *, actor: Actor, at: datetime
) -> tuple[Action, ...]:
    """いま、この人が、この電話で押せるボタン。"""
    if not standing.complete:
        return ()
    keys = [
        event
        for event in possible(actor, state)
        if event in desk_cases.TOLD_EVENTS and (standing.acts or event in _ANYONE)
    ]
    if standing.acts and state in desk_letters_due.REISSUE_FROM:
        keys.append(REISSUE)
    actions = [Action(key, _LABELS[key], _MEANS[key], key in GRAVE) for key in keys]
    # 家族から聞いた死亡の申出も、聞き違えた本人が 10 分以内に戻せる。
    if last := desk_undo.last_step(connection, case_number, actor=actor, at=at):
        mine = last.actor == actor.id and not last.why_not
        if mine and (standing.acts or last.event in _ANYONE):
            name = EVENT_NAMES[last.event]
            actions.append(
                Action(UNDO, f"「{name}」を取り消す", "自分が今した一歩を、取消の行で戻します。", grave=False)
            )
    return tuple(actions)


def perform(
    connection: Connection,
    key: str,
    *,
    state: str,
    reason: str,
    call: Call,
    standing: Standing,
    actor: Actor,
    at: datetime,
) -> str:
    """ボタンを押した。したことの名前を返す。押せないボタンは RefusedByRule。"""
    offered = {
        action.key: action for action in available(connection, call.case_number, state, standing, actor=actor, at=at)
    }
    if key not in offered:
        raise RefusedByRule("このことは、いまこの電話では受けられません", code="not-offered")
    number = call.case_number
    if key == UNDO:
        desk_undo.undo(connection, number, reason=reason, actor=actor, at=at)
    elif key == REISSUE:
        desk_letters_due.ask(connection, number, REISSUE, reason=reason, actor=actor, at=at)
    else:
        evidence = f"call:{call.id}"
        desk_cases.tell(connection, number, key, reason=reason, evidence=evidence, actor=actor, at=at)
    return offered[key].label
