"""名のついた瞬間: 文・確定・fsync・rename のすぐ前、確定のすぐ後、終わる直前。子プロセスの中で、n 番目の瞬間に自分を SIGKILL する。

ほかの「すぐ後」は、次の「すぐ前」と残るものが同じなので数えない。

本番のコードには何も足さない。SQLAlchemy の出来事と、os の関数の包みだけで数える。
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.engine.default import DefaultDialect

#: 残るものを変える仕事。これの前後で止める（読むだけの文の前後は、隣の瞬間と残るものが同じ）。
WRITING = ("INSERT", "UPDATE", "DELETE", "COPY", "BEGIN IMMEDIATE", "SELECT pg_advisory")
FILE_DEEDS = ("fsync", "replace", "rename")


class Points:
    """通った瞬間を数える。`at` 番目で止まる。止まる前に、どこで止まったかを `told` に書く。"""

    def __init__(self, at: int | None, told: Path) -> None:
        self.at, self.told, self.labels = at, told, list[str]()

    def passed(self, label: str) -> None:
        self.labels.append(label)
        if len(self.labels) == self.at:
            self.told.write_text(label, encoding="utf-8")
            os.kill(os.getpid(), signal.SIGKILL)

    def finished(self) -> None:
        self.passed("終わる直前")
        self.told.write_text(json.dumps(self.labels), encoding="utf-8")

    def around(self, name: str, deed: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*given: Any, **more: Any) -> Any:
            self.passed(f"前 {name}")
            done = deed(*given, **more)
            if name == "commit":
                self.passed(f"後 {name}")
            return done

        return wrapped

    def install(self) -> None:
        def listen(_connection: Any, _cursor: Any, text: str, *_rest: Any) -> None:
            if text.lstrip().startswith(WRITING):
                self.passed(f"前 {' '.join(text.split())[:50]}")

        event.listen(Engine, "before_cursor_execute", listen)
        DefaultDialect.do_commit = self.around("commit", DefaultDialect.do_commit)  # type: ignore[method-assign]
        for deed in FILE_DEEDS:
            setattr(os, deed, self.around(deed, getattr(os, deed)))
