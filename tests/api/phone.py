"""電話を受けて、一件を開くまで（画面と API）。台帳の人の生年月日・番地を知っている、ふつうの電話。"""

from __future__ import annotations

import secrets
from typing import Any

from httpx2 import Response

from benefit.store import desk
from tests.api.conftest import Desk, number_of

PROGRESS = "進み具合の問合せ"
ACCOUNT = "口座のこと"
#: 試験の件の住所（高田馬場一丁目2番3号）を、電話で言うとおりに。
ADDRESS = "1-2-3"


def key() -> str:
    """新しい札。"""
    return secrets.token_urlsafe(12)


def written(headers: dict[str, str]) -> dict[str, str]:
    """書込みの見出し。"""
    return {**headers, "Idempotency-Key": key()}


def of_case(desk_system: Desk, headers: dict[str, str]) -> dict[str, str]:
    """いま開いている件への書込みの見出し（その件の印を読んで付ける。開いていなければ、形だけの印）。"""
    now = desk_system.client.get("/api/v1/case/identity", headers=headers)
    return {**written(headers), "If-Match": now.headers.get("ETag", f'"{"0" * 64}"')}


def birth_of(desk_system: Desk, number: str) -> str:
    table = desk.benefit_case
    with desk_system.home.desk.connect() as connection:
        query = table.select().with_only_columns(table.c.birth).where(table.c.case_number == number)
        return str(connection.execute(query).scalar_one())


def search(
    desk_system: Desk, csrf: str, words: str = "", *, reference: str = "T-1", purpose: str = PROGRESS, **fields: str
) -> Response:
    """画面で探す（一件なら、そのまま本人確認の画面になる）。"""
    form = {"csrf": csrf, "call_reference": reference, "purpose": purpose, "words": words, **fields}
    return desk_system.client.post("/search", data=form)


def identify(
    desk_system: Desk, csrf: str, *, caller: str = "self", ticked: tuple[str, ...] = ("name",), **typed: str
) -> Response:
    """画面で、聞いたことを打つ。"""
    form: dict[str, Any] = {"csrf": csrf, "operation": key(), "caller": caller, "ticked": list(ticked), **typed}
    return desk_system.client.post("/case/identity", data=form)


def answer(desk_system: Desk, csrf: str, number: str, *, purpose: str = PROGRESS) -> Response:
    """番号で探し、本人確認を済ませた一件の画面。"""
    search(desk_system, csrf, number, purpose=purpose)
    return identify(desk_system, csrf, birth=birth_of(desk_system, number), address=ADDRESS)


def begin(desk_system: Desk, headers: dict[str, str], *, reference: str = "T-1", purpose: str = PROGRESS) -> Response:
    """API で電話を始める。"""
    body = {"reference": reference, "purpose": purpose}
    return desk_system.client.post("/api/v1/calls", json=body, headers=written(headers))


def opened(
    desk_system: Desk, headers: dict[str, str], number: str = number_of(200), *, purpose: str = PROGRESS
) -> Response:
    """API で電話を始め、番号で探して開き、本人確認まで済ませる。本人確認の答え。"""
    client = desk_system.client
    assert begin(desk_system, headers, purpose=purpose).status_code == 200
    found = client.post("/api/v1/search", json={"case_number": number}, headers=headers).json()
    hit = {"hit": found["hits"][0]["hit"]}
    assert client.post("/api/v1/case", json=hit, headers=written(headers)).status_code == 200
    heard = {"caller": "self", "ticked": ["name"], "birth": birth_of(desk_system, number), "address": ADDRESS}
    return client.post("/api/v1/case/identity", json=heard, headers=of_case(desk_system, headers))
