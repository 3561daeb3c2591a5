"""読み上げのための写し: 一通を PDF/UA-1（札・題・言語・絵の代わりの文つき）で組む。

刷りの PDF は札を落とすので、画面読み上げには使えない（letters §6）。本人に電子で渡す写しは、ここで直に組む。
登録してある手紙だけを、いまの事実で組み直す。区が直接扱う人の写しは、名ざされた人（restricted_queue）だけが作れる。
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import polars as pl
from sqlalchemy import select

from benefit.domain.access import Actor
from benefit.domain.clock import Clock
from benefit.domain.errors import BenefitError, RefusedByRule, WrongUse
from benefit.domain.letter import FIRST_KINDS, LETTER_KINDS, NOTICE_KINDS
from benefit.domain.programme import Programme
from benefit.services import notices_due, notices_made, restricted_queue, two_people
from benefit.services.gate import stand
from benefit.services.home import Home
from benefit.services.mailing import letter_rows
from benefit.services.mailing_again import with_again
from benefit.services.mailing_sent import sent_any
from benefit.store import audit, ward
from benefit.store.engine import reading
from letters import contents, notice_run
from letters.content import LetterContent
from letters.mailing import making_of
from letters.page import page_data
from letters.render import Standard, compile_pages, page_count, pages_of_kind, refuse_held
from letters.words import Words, load_words

STANDARD: Standard = "ua-1"


def render(letters: Sequence[LetterContent], *, words: Words | None = None) -> bytes:
    """同じ種類の手紙を PDF/UA-1 にする。断りは letters.render.render と同じ。"""
    refuse_held(letters)
    kind = letters[0].kind
    pdf = compile_pages(kind, page_data(letters, words or load_words(kind)), standard=STANDARD)
    if page_count(pdf) != len(letters) * pages_of_kind(kind):
        raise BenefitError("手紙と頁の数が合いません", code="page-count", found=f"{page_count(pdf)} 頁")
    return pdf


def copy_of(
    home: Home,
    programme: Programme,
    case_number: str,
    *,
    kind: str | None = None,
    today: date,
    reason: str,
    actor: Actor,
    clock: Clock,
) -> tuple[str, bytes]:
    """この番号の、いまの枝番の最後の手紙（`kind` を言えば、その種類の最後）の写し。(種類, PDF) を返す。

    誰が、なぜ作ったかを監査ログに残す。断り: 手紙がない、いまの事実では組めない（亡くなった、送付先がないなど）。
    """
    reason = two_people.need_reason(reason)
    found = _registered(home, case_number, kind)
    with reading(home.ward) as connection:
        member = restricted_queue.is_member(connection, actor)
    content = _content(home, programme, found, today, member=member) if found else None
    if found is None or content is None:
        # 区直轄の人の番号と、ない番号を、言い分けない。
        raise WrongUse("この給付管理番号の、写しにできる手紙はありません", code="no-letter")
    pdf = render([content], words=load_words(content.kind, home.words))
    with home.ward.begin() as connection:
        audit.record(
            connection,
            ward.audit_log,
            at=clock(),
            actor=actor,
            action="letters.accessible",
            subject=case_number,
            reason=reason,
            detail={"kind": content.kind, "branch": content.branch},
        )
    return content.kind, pdf


def _registered(home: Home, case_number: str, kind: str | None) -> dict[str, Any] | None:
    letter, entitlement = ward.letter, ward.entitlement
    query = (
        select(letter, entitlement.c.case_number)
        .join(entitlement, (entitlement.c.id == letter.c.entitlement_id) & (entitlement.c.branch == letter.c.branch))
        .where(entitlement.c.case_number == case_number, sent_any())
        .order_by(letter.c.id.desc())
        .limit(1)
    )
    if kind is not None:
        if kind not in LETTER_KINDS:
            raise WrongUse("手紙の種類が違います", found=kind, allowed="、".join(LETTER_KINDS))
        query = query.where(letter.c.kind == kind)
    with reading(home.ward) as connection:
        row = connection.execute(query).mappings().first()
    return dict(row) if row else None


def _content(
    home: Home, programme: Programme, found: dict[str, Any], today: date, *, member: bool
) -> LetterContent | None:
    """登録してある手紙を、いまの事実で組み直す。見てはならない人のものは None。"""
    issued_on = found["issued_on"]
    making = making_of(home, programme, issued_on)
    mine = pl.col("entitlement_id") == found["entitlement_id"]
    if found["kind"] in NOTICE_KINDS:
        due = notices_due.who_gets(home, programme, found["kind"], today, again=True)
        rows = due.letters.filter(mine & (pl.col("occasion") == notices_made.base(found["occasion"]))).to_dicts()
        why = due.closed.filter(pl.col("case_number") == found["case_number"])["why"].to_list()
    elif found["kind"] in FIRST_KINDS:
        standing = stand(home, programme, today)
        chosen = standing.entitlements.filter(pl.col("id") == found["entitlement_id"])
        why = chosen["why_closed"].drop_nulls().to_list()
        letters = letter_rows(standing, programme, chosen.filter("open"), issued_on)
        with reading(home.ward) as connection:
            rows = with_again(connection, letters, programme, issued_on).to_dicts()
    else:
        return None
    if rows and rows[0]["place"] == contents.WARD and not member:
        return None
    if not rows or not (rows[0]["name"] and rows[0]["address"]):
        raise RefusedByRule("いまの事実では、この手紙の写しは作れません", code="gate", found="、".join(why) or None)
    row = rows[0] | {"kind": found["kind"], "due_on": found["due_on"]}
    if found["kind"] in NOTICE_KINDS:
        return notice_run.content(found["kind"], row, making)
    return contents.content(row, making)
