"""様式の見せ方: レコードに切る、伏せる、仕様書に印刷する、項目ごとに書き下す。どれも宣言だけから作る。

書き下し（`render`）は、銀行の手引を手に持った人が差分を読むためのもの。見本ファイルの試験はこの形で比べる。
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from benefit.domain.errors import Place, RefusedInput
from benefit.records.forms import FORMS
from benefit.records.layout import ENCODING, Field, Kind, Layout, PlacedField, Value

MASK = "＊"
_CRLF = b"\r\n"
_END_OF_FILE = b"\x1a"


def split_records(content: bytes, length: int, *, file: str = "") -> list[bytes]:
    """固定長のファイルを、改行を除いたレコードに切る。

    改行は CRLF か、なし（formats §1.6）。末尾の 0x1A は読み飛ばす。編集ソフトが末尾の空白を削った短い
    レコードや、LF だけ・CR だけの改行は断る（code `record-length`・`newline`）。
    """
    content = content.removesuffix(_END_OF_FILE)
    if _CRLF in content:
        records = content.split(_CRLF)
        # 最後のレコードの後の改行は、あってもなくてもよい。
        records = records[:-1] if not records[-1] else records
    else:
        records = [content[at : at + length] for at in range(0, len(content), length)]
    if not records:
        raise RefusedInput("ファイルが空です", code="empty-file", place=Place(file))
    for record, raw in enumerate(records, start=1):
        for newline, says in ((b"\n", "LF"), (b"\r", "CR")):
            if (at := raw.find(newline)) >= 0:
                place = Place(file, record, f"{at + 1} バイト目")
                raise RefusedInput(
                    "改行の書き方が違います", code="newline", place=place, found=f"{says} だけ", allowed="CRLF か、なし"
                )
        if len(raw) != length:
            raise RefusedInput(
                "レコードの長さが違います",
                code="record-length",
                place=Place(file, record, f"{min(len(raw), length) + 1} バイト目"),
                found=f"{len(raw)} バイト",
                allowed=f"{length} バイト",
            )
    return records


def masked(layout: Layout, values: Mapping[str, Value]) -> dict[str, Value]:
    """画面や記録に出してよい値。`sensitive` な項目は、長さも見せない伏せ字にする。空はそのまま。"""
    secret = {field.name for field in layout.fields if field.sensitive}
    return {name: MASK * 3 if name in secret and value != "" else value for name, value in values.items()}


def masked_record(layout: Layout, content: bytes) -> str:
    """レコードをそのままの幅で、`sensitive` な項目を半角の * で埋めた文字列。"""
    if len(content) != layout.length:
        # 様式に合わないものは、どこに何があるか分からない。何も見せない。
        return "*" * layout.length
    return "".join(
        "*" * placed.field.length
        if placed.field.sensitive
        else content[placed.start - 1 : placed.end].decode(ENCODING, errors="backslashreplace")
        for placed in layout.placed
    )


def render(layout: Layout, content: bytes, *, record: int = 1, show_sensitive: bool = False) -> str:
    """一レコードを「項目 位置 値」の行に書き下す。空白は `·`。伏せる項目は頼まれたときだけ見せる。"""
    values = layout.decode(content, record=record)
    lines = [f"# {record} {layout.name}"]
    for placed in layout.placed:
        raw = content[placed.start - 1 : placed.end].decode(ENCODING)
        hidden = placed.field.sensitive and not show_sensitive and values[placed.field.name] != ""
        lines.append(f"{placed.field.label} {placed.position} {'*' * len(raw) if hidden else raw.replace(' ', '·')}")
    return "\n".join(lines) + "\n"


def render_file(
    content: bytes, layout_of: Callable[[bytes], Layout], *, length: int = 120, show_sensitive: bool = False
) -> str:
    """ファイル全体を書き下す。`layout_of` はレコードからその様式を選ぶ。"""
    return "\n".join(
        render(layout_of(raw), raw, record=record, show_sensitive=show_sensitive)
        for record, raw in enumerate(split_records(content, length), start=1)
    )


def specification(layout: Layout) -> str:
    """様式を Markdown の表にした仕様書。出典・確かめたか・読んだ日を頭に書く。"""
    lines = [
        f"### {layout.name}（{layout.length} バイト）",
        "",
        f"- 出典: {'、'.join(layout.sources)}",
        f"- 独立した二つの出典で確認: {'はい' if layout.verified else 'いいえ'}（{layout.read_on.isoformat()}）",
        *(["- 自分たちの取り決め（OWN CONVENTION）: 公開された様式がない"] if layout.own_convention else []),
        "",
        "| # | 項目名 | 位置 | 長さ | 型 | 値・意味 | 英語名 |",
        "|---|---|---|---|---|---|---|",
    ]
    for row, placed in enumerate(layout.placed, start=1):
        field = placed.field
        name = f"`{field.name}`" if field.holds_value else ""
        cells = (row, field.label, placed.position, field.length, field.kind.value, _meaning(placed), name)
        lines.append("| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _meaning(placed: PlacedField) -> str:
    return meaning_of(placed.field)


def meaning_of(field: Field) -> str:
    """仕様書の「値・意味」。"""
    parts = []
    if field.kind is Kind.CONST:
        parts.append(f"「{field.value}」")
    if field.kind is Kind.FILLER:
        parts.append("空白")
    if field.choices:
        parts.append(" ".join(f"「{choice}」" for choice in field.choices))
    if field.minimum:
        parts.append(f"{field.minimum:,} 以上")
    if field.allowed:
        parts.append(field.allowed.says)
    if field.form:
        parts.append(FORMS[field.form].says)
    if field.blank_ok and field.kind is Kind.DIGITS:
        parts.append("空白でもよい")
    if field.note:
        parts.append(field.note)
    if field.sensitive:
        parts.append("伏せる")
    return "、".join(parts)
