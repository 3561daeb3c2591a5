"""止められる側: 取消の計画を行う途中の、名のある所で、自分を強制終了するプロセス。"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benefit.domain.access import Actor
from benefit.services import files, recalls_list, transfers, undo_carry
from benefit.services.home import Home

AT = datetime(2024, 8, 20, 1, 0, tzinfo=UTC)
#: (部品, 名): その仕事の直前と直後で止める。
POINTS: tuple[tuple[Any, str], ...] = (
    (transfers, "cancel_lines"),
    (undo_carry, "_end"),
    (undo_carry, "_recall"),
    (undo_carry, "_claim"),
    (undo_carry, "_done"),
    (recalls_list, "write"),
    (files, "_sync_folder"),
)


def _die(*_given: Any, **_named: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def carry(home: Path, ward_url: str, number: int, out: Path, point: int, after: bool) -> None:
    """計画を行い、`point` の前か後で死ぬ。"""
    module, name = POINTS[point]
    real: Callable[..., Any] = getattr(module, name)

    def then_die(*given: Any, **named: Any) -> None:
        real(*given, **named)
        _die()

    setattr(module, name, then_die if after else _die)
    undo_carry.carry_out(
        Home.at(home, ward_url=ward_url), number, out=out, actor=Actor("tanto", "clerk"), clock=lambda: AT
    )
