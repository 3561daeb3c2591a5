"""同じ書込みは一度だけ。札（operation）と、した事の結果を、その仕事と同じトランザクションに置く（reliability §4.1）。

二度押し、電波の切れたあとの送り直し、戻るボタンの送信は、みな初めの結果を受け取り、何も起こさない。
同じ札で中身が違えば、どちらを信じるかを選ばずに断る。
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from fastapi import Header, HTTPException, Request
from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import IntegrityError

from api.session import Session

KEY = r"^[A-Za-z0-9_\-]{8,64}$"
#: JSON の書込みに必ず付ける札。
IdempotencyKey = Annotated[
    str, Header(pattern=KEY, description="この書込みの札。同じ札で送り直すと、前の結果が返り、何も起きない")
]
Done = Mapping[str, Any]


def once(
    request: Request, session: Session, key: str, params: Mapping[str, Any], deed: Callable[[Connection], Done]
) -> Done:
    """`deed` を一度だけ行い、その結果を返す。`params` は書込みの中身（札との対で覚える）。

    Raises:
        HTTPException: 札がない（400）、同じ札で中身・人・道が違う（409）、番号の当て推量で止まっている（429）。
    """
    if not key:
        raise HTTPException(400, "画面を開き直してから、もう一度送ってください")
    state = request.app.state
    if state.before_write is not None:
        state.before_write(request, session, params)
    route = f"{request.method} {request.scope['route'].path}"
    canonical = json.dumps(params, ensure_ascii=False, sort_keys=True, default=str)
    asked = {
        "staff_id": session.actor.id,
        "route": route,
        "params_hash": hashlib.sha256(canonical.encode()).hexdigest(),
    }
    table = state.store.operation
    try:
        with state.engine.begin() as connection:
            row = connection.execute(select(table).where(table.c.key == key)).mappings().first()
            if row is not None:
                return _stored(dict(row), asked)
            done = dict(deed(connection))
            connection.execute(
                table.insert().values(
                    key=key, **asked, result=json.dumps(done, ensure_ascii=False, default=str), at=state.clock()
                )
            )
            return done
    except IntegrityError:
        # 並んで送られた同じ札は、先に済んだ方の結果になる。ほかの衝突は、そのまま上へ。
        found = _again(state.engine, table, key)
        if found is None:
            raise
        return _stored(found, asked)


def _again(engine: Engine, table: Any, key: str) -> dict[str, Any] | None:
    with engine.connect() as connection:
        row = connection.execute(select(table).where(table.c.key == key)).mappings().first()
    return dict(row) if row else None


def _stored(row: dict[str, Any], asked: Mapping[str, str]) -> Done:
    if any(row[name] != value for name, value in asked.items()):
        raise HTTPException(409, "同じ送信の札で、違う中身が送られました。画面を開き直してください")
    found: dict[str, Any] = json.loads(row["result"])
    return found
