"""思いがけない誤りの書き残し方: どこで、何の種類の誤りか。誤りの文は書かない（行の中身が入りうる）。

Polars や int() の誤りの文には、読めなかった値そのもの（氏名や口座）が入る。直すのに要るのは、場所と種類である。
"""

from __future__ import annotations

import logging
import traceback


def places(error: BaseException) -> str:
    """誤りの通り道と種類。もとになった誤りが先に来る（Python の traceback と同じ順）。文と値は入らない。"""
    return "\n".join(_parts(error, set()))


def _parts(error: BaseException, seen: set[int]) -> list[str]:
    if id(error) in seen:
        return []
    seen.add(id(error))
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    parts = _parts(before, seen) if before is not None else []
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            parts += _parts(inner, seen)
    kind = type(error)
    code = getattr(error, "code", "")
    said = f"（{code}）" if isinstance(code, str) and code.isascii() and code.replace("-", "").isalnum() else ""
    return [*parts, "".join(traceback.format_tb(error.__traceback__)) + f"{kind.__module__}.{kind.__qualname__}{said}"]


class Lines(logging.Formatter):
    """サーバーの記録の形。誤りは場所と種類だけ、文は一行だけ（改行で偽の行を作れない）。"""

    def format(self, record: logging.LogRecord) -> str:
        """一つの出来事。"""
        # asyncio の文は、二行目から後に誤りの文を写す。
        said = next(iter(record.getMessage().splitlines()), "")
        told = f"{self.formatTime(record)} {record.levelname} {record.name} {said}"
        if record.exc_info and record.exc_info[1] is not None:
            told += "\n" + places(record.exc_info[1])
        return told


def log_settings() -> dict[str, object]:
    """logging.config.dictConfig の設定: 全部を標準エラーへ、この形で。"""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": {"()": Lines}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "lines"}},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
    }
