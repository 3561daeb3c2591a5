"""送った手紙だけを数えるための条件。組から抜いた手紙（letter_pull）は、刷ったが送っていない。

届け方・口座・期限を決めるのは、お知らせと確認書（FIRST_KINDS）だけである。後の手紙（支給決定通知書、督促状など）を
一緒に数えると、使う口座や返送期限が、後の手紙のものに替わってしまう。
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, select

from benefit.domain.letter import FIRST_KINDS
from benefit.store import ward


def sent() -> ColumnElement[bool]:
    """送ったお知らせか確認書か（ward.letter の行の条件）。"""
    return and_(ward.letter.c.kind.in_(FIRST_KINDS), sent_any())


def sent_any() -> ColumnElement[bool]:
    """組に入り、抜かれていない手紙か。種類を問わない。"""
    letter, pull = ward.letter, ward.letter_pull
    pulled = select(pull.c.letter_id).where(pull.c.letter_id == letter.c.id).exists()
    return and_(letter.c.lot_id.is_not(None), ~pulled)
