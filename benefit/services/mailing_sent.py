"""送った手紙だけを数えるための条件。組から抜いた手紙（letter_pull）は、刷ったが送っていない。"""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, select

from benefit.store import ward


def sent() -> ColumnElement[bool]:
    """組に入り、抜かれていない手紙か（ward.letter の行の条件）。"""
    letter, pull = ward.letter, ward.letter_pull
    pulled = select(pull.c.letter_id).where(pull.c.letter_id == letter.c.id).exists()
    return and_(letter.c.lot_id.is_not(None), ~pulled)
