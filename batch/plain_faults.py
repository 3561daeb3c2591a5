"""不具合ではない止まり方を断りにする: 書けない置き場所と、台帳に入らない大きさの数。

どのコマンドにも起きるので、コマンドごとには書かず、入口（batch/cli.py）が一度だけ見る。
"""

from __future__ import annotations

import errno

from sqlalchemy.exc import DataError

from benefit.domain.errors import BenefitError, Place, WrongUse

_OUT_OF_RANGE = "22003"
_PLACES = {
    errno.EACCES: "このファイルかフォルダを使う許しがありません",
    errno.EPERM: "このファイルかフォルダを使う許しがありません",
    errno.EROFS: "ここには書けません（読むだけの置き場所です）",
    errno.EISDIR: "ファイルの名が要るところに、フォルダがあります",
    errno.ENOTDIR: "フォルダの名が要るところに、ファイルがあります",
    errno.EEXIST: "フォルダの名が要るところに、ファイルがあります",
    errno.ENOSPC: "置き場所がいっぱいで、書けません",
    errno.ENAMETOOLONG: "ファイルの名が長すぎます",
}


def refusal(fault: BaseException) -> BenefitError | None:
    """職員が自分で直せる止まり方なら、その断り。私たちの不具合なら None。"""
    if _too_large(fault):
        return WrongUse("番号か額が大きすぎます。打ち間違いがないか確かめてください", code="too-large")
    if isinstance(fault, OSError) and fault.errno in _PLACES and (fault.filename2 or fault.filename):
        # 置き換えの失敗では filename が書きかけの名、filename2 が職員の言った名である。
        path = fault.filename2 or fault.filename
        return WrongUse(_PLACES[fault.errno], code="cannot-use-path", place=Place(file=str(path)))
    return None


def _too_large(fault: BaseException) -> bool:
    """SQLite は OverflowError、PostgreSQL は SQLSTATE 22003 で、64 ビットに入らない数を断る。"""
    if isinstance(fault, DataError):
        return getattr(fault.orig, "sqlstate", None) == _OUT_OF_RANGE
    return isinstance(fault, OverflowError) and "SQLite INTEGER" in str(fault)
