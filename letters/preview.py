"""手紙の下見: 見本の人か、登録簿の一件の宛名で、一通だけを組む。どの頁にも大きく「見本」と刷る。

下見は登録もせず、印刷の組にもならない。登録簿の人の下見は、誰が見たかを監査ログに残す。
"""

from __future__ import annotations

from datetime import date

import polars as pl

from benefit.domain.access import Actor
from benefit.domain.clock import Clock
from benefit.domain.errors import RefusedInput, WrongUse
from benefit.domain.letter import BENEFITS, LETTER_KINDS
from benefit.domain.programme import Programme
from benefit.services import restricted_queue
from benefit.services.gate import people, stand
from benefit.services.home import Home
from benefit.store import audit, ward
from benefit.store.engine import reading
from letters.content import LetterContent
from letters.holding import reasons_to_hold
from letters.render import render
from letters.sample import BLANK, PERSON, sample
from letters.words import known_words, load_words


def preview(
    home: Home,
    programme: Programme,
    kind: str,
    issued_on: date,
    *,
    case_number: str | None = None,
    actor: Actor | None = None,
    clock: Clock,
    blank: bool = False,
) -> bytes:
    """下見の PDF。`case_number` があれば、その件の宛名・番号・給付で組む（`actor` が要る）。

    `blank` は、番号も宛名もない白紙（申請書だけ）。`kind` は名か番号（L1）。
    断り: 割付のない種類、ない番号、刷れない字（どの項目か）。
    """
    kind = next((one.id for one in LETTER_KINDS.values() if one.number == kind.upper()), kind)
    if kind not in known_words() or kind not in LETTER_KINDS:
        allowed = "、".join(f"{LETTER_KINDS[name].number} {name}" for name in known_words() if name in LETTER_KINDS)
        raise WrongUse("この手紙の割付はありません", code="letter-kind", found=kind, allowed=allowed)
    if blank and LETTER_KINDS[kind].addressed:
        raise WrongUse("白紙で刷れるのは、申請書だけです", code="not-a-form", found=kind)
    words = load_words(kind, home.words)
    if case_number is None:
        content = sample(kind, programme, issued_on, person=BLANK if blank else PERSON)
        return render([content], words=words, sample=not blank)
    if actor is None:
        raise WrongUse("登録簿の人の下見には、見る職員の ID が要ります（--by）", code="no-actor")
    with reading(home.ward) as connection:
        member = restricted_queue.is_member(connection, actor)
    content = _of_case(home, programme, kind, issued_on, case_number, member=member)
    if reasons := reasons_to_hold(content):
        why = "、".join(f"{one.field}: {one.reason} {' '.join(one.code_points)}".strip() for one in reasons)
        raise RefusedInput("この手紙は刷れません", code="held-letter", found=why)
    pdf = render([content], words=words, sample=True)
    with home.ward.begin() as connection:
        audit.record(
            connection,
            ward.audit_log,
            at=clock(),
            actor=actor,
            action="letters.preview",
            subject=case_number,
            detail={"kind": kind},
        )
    return pdf


def _of_case(
    home: Home, programme: Programme, kind: str, issued_on: date, case_number: str, *, member: bool
) -> LetterContent:
    """登録簿の一件の宛名で。種類ごとの値と口座は、見本のまま。

    区直轄の人は、名ざされた職員（`member`）にだけ。ほかの人への答えは、ない番号と同じ文である（決定 0028）。
    """
    standing = stand(home, programme, issued_on)
    # いまの判定にない権利（亡くなった人など）の経路は、登録のもの。
    hidden = pl.col("ward_only") | (pl.coalesce("route_now", "route") == "WARD")
    row = (
        standing.entitlements.filter((pl.col("case_number") == case_number) & (pl.lit(value=member) | ~hidden))
        .join(people(standing.inputs), left_on="payee_number", right_on="person_number", how="left")
        .to_dicts()
    )
    if not row:
        raise WrongUse("この給付管理番号は、支給対象者データベースにありません", found=f"{len(case_number)} 文字")
    one = row[0]
    if not (one["name"] and one["address"]):
        raise WrongUse("送付先が分からない件です（addresses.csv に登録する）", code="no-address")
    person = {name: one[name] for name in ("case_number", "postal_code", "address")}
    person["name"] = one["addressee"] or one["name"]
    if one["addressee"] and LETTER_KINDS[kind].form == "A4":
        person["payee_name"] = one["name"]
    named = BENEFITS in LETTER_KINDS[kind].common
    return sample(
        kind,
        programme,
        issued_on,
        person=person | {"address2": one["address2"] or ""},
        branch=one["branch"],
        benefit_names=(programme.benefit_names[one["benefit"]],) if named else (),
    )
