"""サーバーの入口: 設定（BENEFIT_HOME、BENEFIT_WARD_URL）から、区の台帳だけを開く。"""

from __future__ import annotations

from fastapi import FastAPI

from api.ward.app import create_app
from benefit.services.home import Home, Settings


def app() -> FastAPI:
    """uvicorn が呼ぶ。"""
    settings = Settings()
    return create_app(Home.of(settings), proxies=settings.proxy)
