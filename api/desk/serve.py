"""サーバーの入口: 設定（BENEFIT_HOME、BENEFIT_DESK_URL）から、給付管理システムの台帳だけを開く。"""

from __future__ import annotations

from fastapi import FastAPI

from api.desk.app import create_app
from benefit.services.home import Home, Settings


def app() -> FastAPI:
    """uvicorn が呼ぶ。"""
    settings = Settings()
    home = Home.of(settings)
    return create_app(home.desk, keys=home.key, proxies=settings.proxy)
