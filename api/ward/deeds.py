"""区の書込みを一度だけ行う。区の仕事（benefit.services）は自分のトランザクションを開くので、その中に「済んだ」札を置く。

api.once と同じ約束である: 同じ札の二度目は、初めの結果を返し、何も起こさない。札と仕事は一つのトランザクションなので、
途中で電源が落ちても「したのに札がない」「札があるのにしていない」は起きない。ファイルを書くのは、その後である。
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast

from fastapi import HTTPException, Request
from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import IntegrityError

from api.session import Session
from benefit.domain.errors import BenefitError
from benefit.services.home import Home
from benefit.store import audit, ward
from benefit.store.engine import reading

Done = Mapping[str, Any]
#: 札と一緒に残す結果を、仕事の終わりに台帳から読む。
Result = Callable[[Connection], Done]


class _Beside:
    """仕事の初めてのトランザクションの初めに `check`、終わりに `stamp` をする接続先。ほかは元のまま。"""

    def __init__(
        self, engine: Engine, check: Callable[[Connection], object], stamp: Callable[[Connection], None]
    ) -> None:
        self._engine, self._check, self._stamp, self.stamped = engine, check, stamp, False

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """仕事のトランザクション。"""
        with self._engine.begin() as connection:
            first = not self.stamped
            if first:
                self._check(connection)
            yield connection
            if first:
                self._stamp(connection)
        self.stamped = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)


def nothing(_connection: Connection) -> Done:
    """残す結果がない。"""
    return {}


def deed(
    request: Request,
    session: Session,
    key: str,
    params: Mapping[str, Any],
    work: Callable[[Home], object],
    *,
    result: Result = nothing,
    check: Callable[[Connection], object] = nothing,
) -> Done:
    """`work` を一度だけ行い、結果を返す。

    `check` は、書く直前に同じトランザクションで確かめること（見たものと、いまが同じか）。違えば例外で止める。

    Raises:
        HTTPException: 札がない（400）、同じ札で中身・人・道が違う（409）。
    """
    if not key:
        raise HTTPException(400, "画面を開き直してから、もう一度送ってください")
    home: Home = request.app.state.home
    clock = request.app.state.clock
    canonical = json.dumps(params, ensure_ascii=False, sort_keys=True, default=str)
    asked = {
        "staff_id": session.actor.id,
        "route": f"{request.method} {request.scope['route'].path}",
        "params_hash": hashlib.sha256(canonical.encode()).hexdigest(),
    }
    before = _stored(home.ward, key, asked)
    if before is not None:
        return before
    made: dict[str, Any] = {}

    def stamp(connection: Connection) -> None:
        made.update(result(connection))
        told = json.dumps(made, ensure_ascii=False, default=str)
        connection.execute(ward.operation.insert().values(key=key, **asked, result=told, at=clock()))

    beside = _Beside(home.ward, check, stamp)
    within = dataclasses.replace(home)
    # cached_property の置き場に入れる。仕事は、いつもどおり home.ward を使う。
    within.__dict__["ward"] = cast("Engine", beside)
    try:
        work(within)
    except (BenefitError, IntegrityError):
        # 並んで送られた同じ札は、先に済んだ方の結果になる。ほかの断りは、そのまま上へ。
        found = None if beside.stamped else _stored(home.ward, key, asked)
        if found is None:
            raise
        return found
    if not beside.stamped:
        # 仕事が何も書かなかった（書くものがなかった）。札だけを置く。
        with home.ward.begin() as connection:
            stamp(connection)
    return made


def _stored(engine: Engine, key: str, asked: Mapping[str, str]) -> Done | None:
    table = ward.operation
    with reading(engine) as connection:
        row = connection.execute(select(table).where(table.c.key == key)).mappings().first()
    if row is None:
        return None
    if any(row[name] != value for name, value in asked.items()):
        raise HTTPException(409, "同じ送信の札で、違う中身が送られました。画面を開き直してください")
    found: dict[str, Any] = json.loads(row["result"])
    return found


def seen(
    request: Request,
    session: Session,
    action: str,
    subject: str,
    *,
    rows: int,
    reason: str = "",
    cases: Sequence[str] = (),
) -> None:
    """見せる前に、見た記録を残す。記録ができなければ、画面は出ない（log-or-nothing）。`rows` は見せる行の数。

    `cases` は見せる給付管理番号。あれば、「誰が私の記録を見たか」に、この画面も答える。
    """
    state = request.app.state
    with state.home.ward.begin() as connection:
        audit.record(
            connection,
            ward.audit_log,
            at=state.clock(),
            actor=session.actor,
            action=action,
            subject=subject,
            reason=reason,
            detail={"rows": rows, **({"cases": sorted(set(cases))} if cases else {})},
        )
