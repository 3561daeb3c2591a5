"""画面の形: タグと属性の名だけを、並びの順に。"""

from __future__ import annotations

from html.parser import HTMLParser


class Shape(HTMLParser):
    """開いたタグと属性の名、閉じたタグ、注釈。字は見ない。"""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.told: list[object] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.told.append((tag, *(name for name, _value in attrs)))

    def handle_endtag(self, tag: str) -> None:
        self.told.append(f"/{tag}")

    def handle_comment(self, data: str) -> None:
        self.told.append("!--")

    def handle_decl(self, decl: str) -> None:
        self.told.append("!")

    def unknown_decl(self, data: str) -> None:
        self.told.append("![")

    def handle_pi(self, data: str) -> None:
        self.told.append("?")
