"""電話と本人確認の決まり。何の用件で、誰が電話してきたら、どの問いに合えば話してよいか（画面の指針 13・15）。

生年月日・番地・番号は、画面に出さない。相手が言ったものを打ち、台帳と合うかどうかだけを答える。
（見てから聞くと、「合っていますか」と読み上げてしまい、知らない人にも教えることになる。）
"""

from __future__ import annotations

from dataclasses import dataclass

from benefit.domain.access import DeskRole

PROGRESS = "進み具合の問合せ"
LOST = "届かない・なくした"
WRITING = "書き方"
MISSING = "不備・補正"
ACCOUNT = "口座のこと"
REFUSAL = "辞退"
DEATH = "受給者が亡くなった"
OTHER = "そのほか"
#: 電話ではない用件（特設窓口と、書類を見ながらの確認）。本人確認は書類でしてある。
PAPERS = "窓口・書類の確認"

#: 電話の用件。画面の選択肢の順。
CALL_PURPOSES = (PROGRESS, LOST, WRITING, MISSING, ACCOUNT, REFUSAL, DEATH, OTHER)
PURPOSES = (*CALL_PURPOSES, PAPERS)
#: 書類を見る役割。コールセンターは、電話の用件だけを選べる。
_PAPER_ROLES = frozenset({DeskRole.COUNTER, DeskRole.REVIEWER, DeskRole.SUPERVISOR, DeskRole.WARD_CLERK})

#: 電話の相手。
CALLERS = {
    "self": "本人",
    "family": "家族",
    "guardian": "後見人（法定代理人）",
    "caseworker": "ケースワーカー・支援者",
    "other": "そのほかの人",
}


@dataclass(frozen=True)
class Question:
    """問い: 画面の名前、言う言葉、打って照らすか（False は、聞いて印を付ける）。"""

    name: str
    ask: str
    typed: bool


QUESTIONS: dict[str, Question] = {
    "name": Question("氏名", "お名前を、姓と名の両方お願いします。", typed=False),
    "birth": Question("生年月日", "生年月日をお願いします。", typed=True),
    "address": Question("住所（町名から先）", "ご住所を、町名から先、番地までお願いします。", typed=True),
    "number": Question("給付管理番号", "手紙の右上の、11 桁の番号をお願いします。", typed=True),
    "relation": Question("電話の人の氏名と続柄", "お電話の方のお名前と、ご本人とのご関係をお願いします。", typed=False),
    "consent": Question("本人の承諾", "ご本人に代わっていただき、話してよいかをうかがいます。", typed=False),
    "registered": Question(
        "後見の届出", "後見の登記の証明書が区に届いていることを、対応履歴で確かめます。", typed=False
    ),
}
#: 打って照らす問い。
TYPED = tuple(code for code, question in QUESTIONS.items() if question.typed)
_STRONG = frozenset({"birth", "address", "number"})


@dataclass(frozen=True)
class Requirement:
    """話してよい条件: `needs` の全部と、`choices` のうち `at_least` 個。

    `tells` が False なら、合っても件の中身は話さない（申し出だけを受ける）。`acts` が False なら、受け取る人の意思に
    かかわること（辞退、口座、再発行）を電話で受けない。受けるときも、`acts_need` の全部が合ってからである。
    """

    needs: frozenset[str]
    choices: frozenset[str] = frozenset()
    at_least: int = 0
    tells: bool = True
    acts: bool = True
    #: 手紙を拾った人が知らないこと（生年月日と番地）の両方。
    acts_need: frozenset[str] = frozenset({"name", "birth", "address"})

    def met(self, matched: frozenset[str]) -> bool:
        """合った問いで足りるか。"""
        return self.needs <= matched and len(self.choices & matched) >= self.at_least

    @property
    def asked(self) -> tuple[str, ...]:
        """聞く問い（画面の順）。"""
        return tuple(code for code in QUESTIONS if code in self.needs | self.choices)


#: 本人、軽い用件: 氏名と、三つのうち二つ。
_SELF = Requirement(frozenset({"name"}), _STRONG, at_least=2)
#: 本人、口座・辞退・再発行: 受けるために要るものを、はじめから聞く。
_SELF_STRICT = Requirement(frozenset({"name", "birth", "address"}))
#: 家族: 本人が電話に出て承諾したときだけ。手続きの意思は本人から受ける。
_FAMILY = Requirement(frozenset({"name", "birth", "address", "relation", "consent"}), acts=False)
#: 後見人: 区に届いた後見の届出と、手紙の番号。
_GUARDIAN = Requirement(frozenset({"name", "birth", "number", "relation", "registered"}), acts=False)
#: 亡くなったという申し出: 受けるだけで、何も話さない。
_DEATH = Requirement(frozenset({"name", "birth", "relation"}), tells=False, acts=False)


def purposes_of(role: str) -> tuple[str, ...]:
    """この役割が選べる用件。"""
    return PURPOSES if role in _PAPER_ROLES else CALL_PURPOSES


def requirement(purpose: str, caller: str) -> Requirement | None:
    """この用件で、この相手に話してよい条件。None は、電話では話さない（区からの折り返し）。"""
    if purpose == PAPERS:
        return Requirement(frozenset(), acts_need=frozenset())
    if purpose == DEATH:
        return None if caller == "self" else _DEATH
    if caller == "self":
        return _SELF_STRICT if purpose in {LOST, ACCOUNT, REFUSAL} else _SELF
    return {"family": _FAMILY, "guardian": _GUARDIAN}.get(caller)
