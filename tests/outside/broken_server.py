"""本物の入口（batch.serve）で開く、時計の壊れた給付管理システム。誤りの文には台帳の行が入っている。"""

from __future__ import annotations

import os
import sys
from datetime import datetime
from pathlib import Path

from fastapi import FastAPI

from api.desk.app import create_app
from batch import serve
from batch.context import Context
from benefit.services.home import Home


def app() -> FastAPI:
    """uvicorn が呼ぶ。"""
    home = Home.at(Path(os.environ["BENEFIT_HOME"]))

    def clock() -> datetime:
        raise ValueError(f"行 {os.environ['T23_ROW']}")

    return create_app(home.desk, keys=home.key, clock=clock)


if __name__ == "__main__":
    serve._serve(
        Context(Home.at(Path(sys.argv[1]))),
        "壊れた画面",
        "tests.outside.broken_server:app",
        "127.0.0.1",
        int(sys.argv[2]),
    )
