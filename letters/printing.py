"""一組の手紙を紙にする道を選ぶ: 台紙に刷れる種類は letters.stamp、ほかは Typst で直に組む。"""

from __future__ import annotations

from collections.abc import Sequence

from benefit.domain.errors import BenefitError
from letters import stamp
from letters.content import LetterContent
from letters.render import LETTERS_PER_COMPILE, render
from letters.words import Words

#: 台紙に刷る種類の一組の通数（既定と上限）と、直に組む種類の上限。
STAMPED_SIZE, SIZE_MAX, DIRECT_MAX = 1_000, 2_000, 500


def stamped(kind: str) -> bool:
    """台紙に刷る種類か。"""
    return stamp.can(kind)


def lot_size_of(kind: str) -> int:
    """一組の通数の既定。"""
    return STAMPED_SIZE if stamped(kind) else LETTERS_PER_COMPILE


def size_max_of(kind: str) -> int:
    """一組の通数の上限。"""
    return SIZE_MAX if stamped(kind) else DIRECT_MAX


def print_pages(contents: Sequence[LetterContent], words: Words, sample: Sequence[int] = ()) -> bytes:
    """一組の PDF。同じ手紙からは、いつも同じバイト列ができる。

    sample: 直接組んだ紙と比べる手紙（0 から）。台紙に刷った紙が一点でも違えば、BenefitError で一通も渡さない。
    """
    if not stamped(contents[0].kind) or (len(contents) <= DIRECT_MAX and not stamp.worth(contents)):
        return render(contents, words=words)
    pdf = stamp.stamp(contents, words=words)
    if found := stamp.compare(contents, pdf, sample, words=words):
        what = "、".join(sorted({f"{each.page} 頁の{each.what}" for each in found})[:5])
        raise BenefitError("台紙に刷った紙が、直接組んだ紙と違います", code="stamp-differs", found=what)
    return pdf
