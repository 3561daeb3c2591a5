"""打たれた番号の当て推量を止める。書込みの道は api.once から、読む道は自分で、仕事の前にここを通る。"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import HTTPException, Request

from api.session import Session
from benefit.services import desk_probing, look_up_limits
from benefit.store.engine import reading

#: 番号の入っている項目（一覧は、一行に一つ）。
_FIELDS = ("case_number", "case_numbers", "numbers")


def guard(request: Request, session: Session, params: Mapping[str, Any]) -> None:
    """台帳にない番号を数える。止まっている人には、あるともないとも言わない。

    Raises:
        HTTPException: 調べる数を越えて止まっている（429）。
    """
    typed = [line for name in _FIELDS for line in _lines(params.get(name))]
    if not typed:
        return
    state = request.app.state
    with reading(state.engine) as connection:
        allowed = not look_up_limits.is_stopped(connection, session.actor)
        missing = desk_probing.unknown(connection, typed) if allowed else []
    if missing:
        # 数は、下の仕事が断られて巻き戻っても残る（別のトランザクション）。
        with state.engine.begin() as connection:
            allowed = desk_probing.count(connection, missing, actor=session.actor, at=state.clock())
    if not allowed:
        raise HTTPException(429, look_up_limits.STOPPED)


def _lines(given: Any) -> list[str]:
    if isinstance(given, str):
        return [line for line in given.splitlines() if line.strip()]
    return [str(one) for one in given or ()]
