"""納付書を出す課の値を読む: 作業場所の slip_issuers/ にあればそれを、なければ同梱（架空の番号）のものを。"""

from __future__ import annotations

import re
from importlib import resources

from benefit.domain.errors import RefusedInput, WrongUse
from benefit.records.slip_issuer import SlipIssuer
from benefit.services.home import Home

DEFAULT = "insurance"
_FOLDER = "slip_issuers"
_NAME = re.compile(r"[a-z0-9_-]{1,40}")


def load(home: Home, name: str = DEFAULT) -> SlipIssuer:
    """課の値。知らない名は WrongUse、書き間違いは RefusedInput。"""
    file = f"{name}.toml"
    if not _NAME.fullmatch(name):
        raise WrongUse("課の名が違います", code="slip-issuer", allowed="英小文字・数字・- ・_")
    own = home.path / _FOLDER / file
    shipped = resources.files("benefit") / _FOLDER / file
    if own.is_file():
        try:
            text = own.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise RefusedInput(f"{_FOLDER}/{file}: UTF-8 の文字として読めません", code="slip-issuer") from None
        return SlipIssuer.parse(text, file=f"{_FOLDER}/{file}")
    if not shipped.is_file():
        known = sorted(each.name.removesuffix(".toml") for each in (resources.files("benefit") / _FOLDER).iterdir())
        raise WrongUse("その課の納付書の値がありません", code="slip-issuer", found=name, allowed="、".join(known))
    return SlipIssuer.parse(shipped.read_text(encoding="utf-8"), file=file)
