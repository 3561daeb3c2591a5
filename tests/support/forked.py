"""forkserver で分かれる子に、試験の入口（pytest）を読み直させない。

multiprocessing は、子ごとに __main__ のファイルを読み直す。pytest を直に走らせる（-n 0）と、それが子の仕事の何倍も重い。
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def entry_hidden() -> Iterator[None]:
    """この間に始めた子は、入口を読み直さない。"""
    entry = vars(sys.modules["__main__"])
    hidden = {name: entry[name] for name in ("__file__", "__spec__") if name in entry}
    entry.update(dict.fromkeys(hidden))
    try:
        yield
    finally:
        entry.update(hidden)
