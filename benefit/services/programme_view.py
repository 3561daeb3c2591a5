"""給付事業の値を、項目・値・出典の並びにする。職員と監査が、何がどこから来たかを見るために。"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

from benefit.domain.programme import Programme


def rows(programme: Programme) -> list[tuple[str, str, str]]:
    """(項目, 値, 出典)。ファイルに書いた順。"""
    return [(name, _told(_value(programme, name)), source) for name, source in programme.sources.items()]


def _value(programme: Programme, name: str) -> Any:
    found: Any = programme
    for part in name.split("."):
        found = found[part] if isinstance(found, dict) else getattr(found, part)
    return found


def _told(value: Any) -> str:
    assert not is_dataclass(value) or not fields(value)
    if isinstance(value, tuple):
        return "\n".join(_told(one) if not isinstance(one, tuple) else " ".join(map(_told, one)) for one in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:,}" if isinstance(value, int) and value >= 10_000 else str(value)
