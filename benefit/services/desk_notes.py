"""対応の記録のひな形。鍵で選び、続きを言葉で足す。"""

from __future__ import annotations

from benefit.domain.errors import RefusedInput

TEMPLATES: dict[str, str] = {
    "guided": "進み具合を案内した。",
    "writing": "確認書の書き方を案内した。",
    "missing": "足りない書類と期限を伝えた。",
    "reissued": "手紙の再発行を受けた。登録の住所へ送ることを伝えた。",
    "to_ward": "区へつないだ。",
    "call_back": "区からの折り返しを希望。",
    "not_identified": "本人確認ができず、案内しなかった。",
    "by_family": "家族からの電話。本人からかけ直すよう案内した。",
}


def text_of(template: str, body: str) -> str:
    """ひな形と、打った言葉をつないだもの。知らない鍵は RefusedInput。"""
    if template and template not in TEMPLATES:
        raise RefusedInput("ひな形を選び直してください", code="template")
    return "\n".join(part for part in (TEMPLATES.get(template, ""), body.strip()) if part)
