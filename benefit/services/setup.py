"""作業場所を作る: フォルダ、鍵、二つの台帳。何度しても同じ。"""

from __future__ import annotations

from benefit.domain.errors import WrongUse
from benefit.services.home import Home
from benefit.store.engine import make_engine, require_safe
from benefit.store.migrate import upgrade


def init_ward(home: Home) -> None:
    """区の台帳を最新の形にする。"""
    _separate(home)
    home.ensure()
    _migrate(home.ward_url, "ward")
    home.key("case-number")


def init_desk(home: Home) -> None:
    """給付管理システムの台帳を最新の形にする。"""
    _separate(home)
    home.ensure()
    _migrate(home.desk_url, "desk")


def _migrate(url: str, line: str) -> None:
    """移行は、表の持ち主として。仕事の役割（Home の接続）は表を作れない。"""
    owner = make_engine(url)
    try:
        upgrade(owner, line)
    finally:
        owner.dispose()
    # 守りの効かない台帳は、使い始める前に断る。
    require_safe(url, line)


def _separate(home: Home) -> None:
    if home.ward_url == home.desk_url:
        raise WrongUse("区の台帳と給付管理システムの台帳は、別のデータベースに置きます", code="one-store")
