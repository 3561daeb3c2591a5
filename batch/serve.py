"""画面を開く: benefit serve desk / ward"""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from batch.context import Context, context
from benefit.domain import unforeseen
from benefit.domain.errors import WrongUse

app = typer.Typer(no_args_is_help=True, help="画面を開く")
Host = Annotated[str, typer.Option(help="待ち受ける番地（VPN の内側だけ）")]


@app.command("desk")
def serve_desk(
    ctx: typer.Context, host: Host = "127.0.0.1", port: Annotated[int, typer.Option(help="ポート")] = 8021
) -> None:
    """給付管理システムの画面を開く（委託先とコールセンター、区が VPN で使う）。"""
    given = context(ctx)
    given.need("desk", "benefit_case")
    _verify(given, "desk")
    _serve(given, "給付管理システム", "api.desk.serve:app", host, port)


@app.command("ward")
def serve_ward(
    ctx: typer.Context, host: Host = "127.0.0.1", port: Annotated[int, typer.Option(help="ポート")] = 8022
) -> None:
    """区の画面を開く（区の計算機だけで使う）。"""
    given = context(ctx)
    given.need("ward", "entitlement")
    _verify(given, "ward")
    _serve(given, "区の画面", "api.ward.serve:app", host, port)


def _verify(given: Context, store: str) -> None:
    """最後の印から後の監査ログを確かめて言う。壊れていても電話は止めない（お金の送り出しは、止まる）。"""
    from benefit.services import audit_verify
    from benefit.store.engine import reading

    with reading(audit_verify.engine_of(given.home, store)) as connection:
        found = audit_verify.tail(connection, store, key=audit_verify.known_key(given.home, store))
    for line in found.lines():
        given.say(line if found.sound else f"警告 {line}（区の情報保護責任者に報告してください）")


def _serve(given: Context, what: str, factory: str, host: str, port: int) -> None:
    import uvicorn

    from benefit.services.home import Settings

    # 端末を確かめる入口（逆プロキシ）がなければ、サーバー自身の前でだけ使える。
    if not Settings().proxy and host not in {"127.0.0.1", "::1", "localhost"}:
        raise WrongUse(
            "端末の証明書を確かめる入口（BENEFIT_PROXY）の設定がないので、ほかの計算機からの接続は受けられません",
            code="no-proxy",
            found=f"--host {host}",
            allowed="--host 127.0.0.1、または BENEFIT_PROXY に入口の番地",
        )

    # 一括処理は画面を知らない。サーバーが、作業場所の名だけを受け取って、画面を読み込む。
    os.environ["BENEFIT_HOME"] = str(given.home.path)
    given.say(f"{what}: http://{host}:{port}/  （止めるには Ctrl+C）")
    sys.stdout.flush()
    uvicorn.run(
        factory,
        factory=True,
        host=host,
        port=port,
        # 画面の誤りの文に、人の記録が入りうる。記録には、場所と種類だけを書く。
        log_config=unforeseen.log_settings(),
        access_log=False,
        server_header=False,
        # よその見出し（X-Forwarded-For など）は信じない。
        proxy_headers=False,
    )
