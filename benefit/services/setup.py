"""作業場所を作る: フォルダ、鍵、二つの台帳。何度しても同じ。"""

from __future__ import annotations

from benefit.domain.errors import WrongUse
from benefit.services.home import Home
from benefit.store.migrate import upgrade


def init_ward(home: Home) -> None:
    """区の台帳を最新の形にする。"""
    _separate(home)
    home.ensure()
    upgrade(home.ward, "ward")
    home.key("case-number")


def init_desk(home: Home) -> None:
    """給付管理システムの台帳を最新の形にする。"""
    _separate(home)
    home.ensure()
    upgrade(home.desk, "desk")


def _separate(home: Home) -> None:
    if home.ward_url == home.desk_url:
        raise WrongUse("区の台帳と給付管理システムの台帳は、別のデータベースに置きます", code="one-store")
