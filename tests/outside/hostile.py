"""敵意のある名: 式、タグ、雛形、改行、向きの反転、長すぎる字。種から、いくらでも作れる。"""

from __future__ import annotations

import random

_HEADS = [
    "=",
    "+",
    "-",
    "@",
    "\uff1d",
    "\uff0b",
    "\uff0d",
    "\uff20",
    "\t=",
    "\r=",
    "\n=",
    "\r\n=",
    " =",
    "'=",
    '"=',
    "==",
    "=-+@",
]
_FORMULAS = [
    'HYPERLINK("http://example.invalid/"&A1,"開く")',
    "cmd|' /C calc'!A0",
    "1+1",
    "SUM(1,1)",
    'WEBSERVICE("http://example.invalid")',
    'IMPORTXML("http://example.invalid","//a")',
    'DDE("cmd","/C calc","x")',
]
_TAGS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    '" onmouseover="alert(1)',
    "' onfocus='alert(1)' autofocus='",
    "</td></tr></table><form action=//example.invalid>",
    "</textarea><b>",
    "</title><script>",
    "<!--",
    "--><i>",
    "]]><u>",
    "<![CDATA[",
    "&amp;",
    "&lt;b&gt;",
    "&#60;b&#62;",
    "<a href=javascript:alert(1)>x</a>",
    "<style>*{display:none}</style>",
    "<base href=//example.invalid>",
    "＜script＞",
    "`<b>`",
]
_TEMPLATES = [
    "{{7*7}}",
    "{% raw %}",
    "${7*7}",
    "#{7*7}",
    "{{ session.csrf }}",
    "{#",
    "#}",
    "%(name)s",
    "{0.__class__}",
    "%s%n",
]
_LINES = [
    "%0d%0aSet-Cookie: a=b",
    "\r\nSet-Cookie: a=b",
    "山田\n2024-07-01 ERROR 偽の行",
    "山田\r偽",
    "\u2028偽",
    "\u2029偽",
    "\x85偽",
    "\x0b偽",
    "\x0c偽",
]
_SIGHT = [
    "\u202e郎太田山",
    "\u2066山田\u2069",
    "\u200b山\u200b田",
    "\ufeff山田",
    "山\u0301田",
    "\u200d",
    "𠮷田",
    "\ue000田",
    "ａ" * 40,
    "山" * 5000,
]
_QUOTES = [
    "'",
    '"',
    "''; DROP TABLE benefit_case;--",
    "' OR '1'='1",
    '{"role":"admin"}',
    "\\",
    "\\u003cb\\u003e",
    "a,b",
    'a"b,c',
    "a;b",
    "|",
    "%",
    "_",
    "../../etc/passwd",
    "C:\\",
    "NULL",
    "nan",
    "0",
    "-1",
    "1e5",
    "TRUE",
    "",
]
#: もとになる名。
SEEDS = (
    [head + rest for head in _HEADS for rest in _FORMULAS[:4]]
    + _FORMULAS
    + _TAGS
    + _TEMPLATES
    + _LINES
    + _SIGHT
    + _QUOTES
)


def names(count: int, seed: int) -> list[str]:
    """`count` 個の名。初めは種の全部、あとは二つ三つをつなぎ、切り、間に姓をはさむ。"""
    chance = random.Random(seed)
    short = [seed[:60] for seed in SEEDS]
    made = list(SEEDS)
    while len(made) < count:
        parts = chance.choices(short, k=chance.randint(1, 3))
        text = chance.choice(("", "山田　", "\u3000", " ")).join(parts)
        made.append(text[chance.randrange(3) :] if chance.random() < 0.3 else text)
    return made[:count]
