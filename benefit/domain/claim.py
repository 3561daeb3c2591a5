"""申請の語彙: 申請書で届く八つの種類と、その証拠、申請番号、受付の期限。

申請は、台帳にない事実（新生児、別居児童、避難、証明書）を職員が入れる道である。入れた人と決めた人は必ず別で、
どの申請も同じ slot（一回だけ払うものの名前）に乗る。出典: benefit-rules A.5・A.7・A.8・C.1・C.6、K10・K11。
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

Kind = Literal["newborn", "separate-child", "evacuee", "certificate", "tax-correction", "successor", "heir", "guardian"]
#: 種類 → 職員に見せる名。
KINDS: dict[str, str] = {
    "newborn": "新生児",
    "separate-child": "別居児童",
    "evacuee": "配偶者等からの暴力の避難者",
    "certificate": "転入者の課税証明書",
    "tax-correction": "住民税の更正",
    "successor": "世帯主の死亡による承継",
    "heir": "相続人",
    "guardian": "法定代理人・送付先",
}
#: 種類 → 証拠の書類（コマンドに打つ言葉そのもの）。
EVIDENCE: dict[str, tuple[str, ...]] = {
    "newborn": ("申請書と住民票", "申請書と出生届"),
    "separate-child": ("監護の申立書", "戸籍と住民票"),
    "evacuee": ("保護命令", "相談機関の証明書", "民間支援団体の確認書", "支援措置の決定"),
    "certificate": ("課税証明書", "非課税証明書"),
    "tax-correction": ("更正の通知", "申告書の控え"),
    "successor": ("住民票の除票", "戸籍"),
    "heir": ("確認書の収受", "辞退期限の経過"),
    "guardian": ("登記事項証明書", "委任状", "戸籍"),
}
#: 判定の結果に行を足す申請（claim_outcomes.csv）。ほかの申請は、判定の入力（事実）を変える。
ADDING = ("newborn", "separate-child", "evacuee")
#: いつも区が直接扱い、申請書の口座に払う申請。委託先にも印刷にも、何も出ない。
WARD_ONLY = ("evacuee", "heir")
DECISIONS = {"accept": "受理", "refuse": "不受理"}
#: 決める人が「確かめた」と言って外せる検査。児童のよく似た人は、その人の番号で外す。
CLEARABLE = ("P5",)


def claim_number(sequence: int) -> str:
    """申請番号: C と 6 桁。"""
    return f"C{sequence:06d}"


def evacuee_slot(programme_id: str, person_number: int) -> str:
    """避難者の slot。避難した人の番号で作り、元の世帯の slot には触れない。"""
    return f"{programme_id}/EVACUEE/{person_number:010d}"


def child_slot(programme_id: str, person_number: int) -> str:
    """児童の slot。判定が作るもの（`Programme.slot`）と同じ名前になる。"""
    return f"{programme_id}/CHILD/{person_number:010d}"


def in_time(received_on: date, postmarked_on: date | None, *, deadline: date, kind: str) -> bool:
    """期限内か。POSTMARK は消印（なければ届いた日）、ARRIVAL は届いた日で数える。期限の日を含む（K6）。"""
    counted = postmarked_on if kind == "POSTMARK" and postmarked_on is not None else received_on
    return counted <= deadline


@dataclass(frozen=True)
class Claim:
    """一件の申請。

    household_number・person_number は、申請の主題（世帯、児童・本人・避難者・亡くなった人）。
    content は種類ごとの中身（番号、回答、口座など）。decision は受理・不受理（accept・refuse）、まだなら空。
    cleared は、決めた人が確かめて外した検査（P5）か、別人と確かめた児童の番号。
    """

    number: str
    kind: str
    programme: str
    household_number: int | None
    person_number: int | None
    received_on: date
    postmarked_on: date | None
    reopened_reason: str
    evidence_kind: str
    evidence_id: str
    reason: str
    content: Mapping[str, Any]
    content_sha256: str
    entered_by: str
    decision: str = ""
    decided_by: str = ""
    decision_reason: str = ""
    cleared: tuple[str, ...] = field(default=())
    decided_on: date | None = None

    @property
    def kind_name(self) -> str:
        """種類の名。"""
        return KINDS[self.kind]

    @property
    def state(self) -> str:
        """状態の名。"""
        return DECISIONS[self.decision] if self.decision else "審査待ち"

    @property
    def slots(self) -> tuple[str, ...]:
        """受理すると、この申請だけが使う名前。同じ名前は、二つの申請では受理できない（一意の制約）。"""
        person = self.person_number
        if self.kind in ("newborn", "separate-child"):
            assert person is not None
            return (child_slot(self.programme, person),)
        if self.kind == "evacuee":
            assert person is not None
            # 同伴者も、二つの避難世帯には入れない。
            return tuple(evacuee_slot(self.programme, one) for one in (person, *self.content["companions"]))
        if self.kind in ("successor", "heir"):
            subject = self.content["slot"]
            return (f"{self.kind}:{subject}/{self.content['payee']:010d}",)
        return ()

    @property
    def account(self) -> tuple[str, ...] | None:
        """申請書の口座（五つの列の順）。避難者と相続人だけにある。"""
        found = self.content.get("account")
        return tuple(found) if found else None
