"""事故再現の十の事例。並びは、起きた順。"""

from __future__ import annotations

from batch.museum import cases_lists, cases_other, cases_twice
from batch.museum.story import Case

_ORDER = ("neyagawa", "village", "ube", "kadoma", "tsuyama", "abu", "tarumizu", "miyazaki", "kamimine", "kamakura")
_KNOWN = {case.key: case for case in (*cases_twice.CASES, *cases_lists.CASES, *cases_other.CASES)}
CASES: tuple[Case, ...] = tuple(_KNOWN[key] for key in _ORDER)
