"""JSON の形に共通のもの: 言葉の形、知らせ、断り（RFC 9457）。"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import Header
from pydantic import BaseModel, ConfigDict, StringConstraints

from api.staff_json import Problem
from benefit.domain.call import CALLERS, PURPOSES, QUESTIONS
from benefit.domain.deficiency import CONTACT_CATEGORIES
from benefit.services.desk_notes import TEMPLATES

_PRINTABLE = r"^[^\x00-\x1f\x7f]*$"
Short = Annotated[str, StringConstraints(max_length=100, pattern=_PRINTABLE)]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=_PRINTABLE)]
Long = Annotated[str, StringConstraints(max_length=2000, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$")]
if TYPE_CHECKING:
    Purpose = str
    Caller = str
    Question = str
    Category = str
    Template = str
else:
    # 決まった言葉は、OpenAPI にも並べる。表から作るので、型を確かめる道具には str と言う。
    Purpose = Literal[PURPOSES]
    Caller = Literal[tuple(CALLERS)]
    Question = Literal[tuple(QUESTIONS)]
    Category = Literal[tuple(CONTACT_CATEGORIES)]
    Template = Literal["", *TEMPLATES]


#: 開いている一件に書くときに必ず付ける印。別の電話か件に移った後の書込みが、次の人の件に入らない。
Seen = Annotated[
    str,
    Header(
        alias="If-Match",
        pattern=r'^"[0-9a-f]{64}"$',
        description="どの電話の、どの件に書くか。その件を開いた・読んだ答えの ETag を、そのまま付ける。違えば 412",
    ),
]


class Given(BaseModel):
    """受け取るもの。知らない項目があれば断る。"""

    model_config = ConfigDict(extra="forbid")


class Message(BaseModel):
    """知らせの文。"""

    detail: str


_SAID = {
    400: "入力が足りないか、決まりに合わない",
    401: "ログインしていない",
    403: "役割が違うか、本人確認が足りない",
    404: "区で確認する",
    409: "同じ札で、違う中身が送られた",
    412: "その件を開いた後に、ほかの電話か件へ移っている",
    422: "入力の形が違う",
    429: "調べる数を越えて、止まっている",
    503: "ログが書けない",
}


def refusals(*codes: int) -> dict[int | str, dict[str, Any]]:
    """この道の断り（OpenAPI に載せる）。401・403・503 は、どの道にもある。"""
    body = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    listed = sorted({401, 403, 503, *codes})
    return {code: {"model": Problem, "description": _SAID[code], "content": body} for code in listed}
