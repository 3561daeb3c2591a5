"""確認書と同じ頁の HTML（WeasyPrint と比べるため）。言葉も符号も、同じものを使う。"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from html import escape
from typing import Any

from weasyprint import CSS
from weasyprint.text.fonts import FontConfiguration

from letters import geometry
from letters.content import LetterContent
from letters.fonts import FAMILY, font_files
from letters.page import page_data
from letters.words import load_words

_STYLE = """
@font-face { font-family: "%(family)s"; src: url("%(regular)s"); font-weight: 400 }
@font-face { font-family: "%(family)s"; src: url("%(bold)s"); font-weight: 700 }
@page { size: 210mm 297mm; margin: 0 }
body { margin: 0; font: 9.5pt/1.34 "%(family)s" }
section { position: relative; width: 210mm; height: 297mm; break-after: page }
section > * { position: absolute } .body { left: 17mm; top: 58mm; width: 176mm }
h1 { font-size: 20pt; letter-spacing: .12em; margin: 0; text-align: center }
h2 { background: #404040; color: white; font-size: 10.5pt; margin: 2.6mm 0 1.6mm; padding: .9mm 2mm }
table { border-collapse: collapse; width: 100%%; border: .8pt solid } td, th { border: .4pt solid; padding: 1.2mm 2mm }
th { background: #ebebeb; text-align: left } svg { display: block } .small { font-size: 8.5pt }
i { display: inline-block; width: 3.6mm; height: 3.6mm; border: .9pt solid; margin-right: 2mm }
.box { border: .6pt solid; padding: 2mm }
"""


@functools.cache
def shared_fonts() -> tuple[FontConfiguration, CSS]:
    """書体の設定と様式は、一度だけ作る。"""
    fonts = FontConfiguration()
    regular, bold = (file.as_uri() for file in font_files())
    return fonts, CSS(string=_STYLE % {"family": FAMILY, "regular": regular, "bold": bold}, font_config=fonts)


def _placed(x: float, y: float, content: str, more: str = "") -> str:
    return f'<div style="left:{x}mm;top:{y}mm;{more}">{content}</div>'


def _svg(drawing: str, width: float, height: float) -> str:
    return drawing.replace(
        "<svg ", f'<svg width="{width}mm" height="{height}mm" preserveAspectRatio="none" ', 1
    ).replace(' preserveAspectRatio="none">', ">", 1)


def _page(letter: dict[str, Any], words: dict[str, Any]) -> str:
    area, bars = geometry.ALWAYS_SEEN, geometry.BARCODE
    parts = [
        _placed(
            area.x,
            area.y + line["y"],
            escape(line["text"]),
            f"font-size:{line['size']}pt;font-weight:{700 if line['bold'] else 400};white-space:nowrap",
        )
        for line in letter["address"]
    ]
    if letter["customer"]:
        parts.append(_placed(bars.x, bars.y, _svg(letter["customer"], bars.width, bars.height)))
    parts.append(
        _placed(116, 9, f"{letter['issued_on']}<br><b>{' '.join(letter['sender'])}</b>", "width:77mm;text-align:right")
    )
    parts.append(_placed(120, 27, _svg(letter["qr"], 21, 21)))
    parts.append(
        _placed(
            145, 27,
            f"<span class=small>{words['number_label']} {words['branch_label']} <b>{letter['branch']}</b></span><br>"
            f"<b style='font-size:14pt'>{letter['number']}</b>{_svg(letter['code128'], 34, 6.5)}"
            f"<span class=small>{words['number_note']}</span>",
        )
    )  # fmt: skip
    checks = "".join(f"<p style='margin:1mm 0'><i></i>{escape(each)}</p>" for each in letter["conditions"])
    account = (
        f"<table><tr><th>{words['account_title_bank']}</th><td>{words['bank_kinds']}</td><th>{words['account_title_branch']}</th>"
        f"<td>{words['branch_kinds']}</td></tr><tr><th>{words['account_title_type']}</th>"
        f"<td>{''.join('<i></i>' + kind for kind in words['account_types'])}</td><th>{words['account_title_number']}</th><td></td></tr>"
        f"<tr><th>{words['account_title_holder']}</th><td colspan=3>&nbsp;</td></tr></table>"
    )
    agent = (
        f"<table><tr><th>{words['agent_name']}</th><td></td><th>{words['agent_relation']}</th><td></td></tr>"
        f"<tr><th>{words['agent_address']}</th><td colspan=3></td></tr><tr><td colspan=4>{words['agent_entrust']}"
        f"{''.join('<i></i>' + act for act in words['agent_acts'])}<br>{words['agent_sign']}<br>{words['agent_note']}</td></tr></table>"
    )
    parts.append(
        f"<div class=body><div style='text-align:center'>{letter['programme']}</div><h1>{words['title']}</h1><p>{words['lead']}</p>"
        f"<table><tr><th>{words['benefit_label']}</th><td colspan=3>{'、'.join(letter['benefits'])}</td></tr>"
        f"<tr><th>{words['due_label']}</th><td><b>{letter['due']}</b>{letter['due_note']}</td><th>{words['amount_label']}</th>"
        f"<td><b>{letter['amount']}</b></td></tr></table>"
        f"<h2>{words['declarations_title']}</h2><div class=small>{words['declarations_note']}</div>{checks}"
        f"<h2>{words['account_title']}</h2><div class=small>{words['account_note']}</div>{account}"
        f"<h2>{words['signature_title']}</h2><p>{words['signature_lead']}</p><p>{words['signature_date']}　　{words['year']}　　"
        f"{words['month']}　　{words['day']}　　{words['signature_name']}</p><p><i></i>{words['refuse']}</p>"
        f"<b>{words['agent_title']}</b>{agent}<p class=small>{words['return_title']} {words['return_items']}<br>"
        f"{words['enclosures_title']} {words['enclosures']}</p>"
        f"<div class=box><b>{words['fraud_title']}</b><br>{words['fraud']} <b>{letter['phone']}</b></div></div>"
    )
    parts.append(_placed(20, 287.8, _svg(letter["sheet_bars"], 42, 4)))
    parts.append(_placed(120, 288.8, f"{words['sheet_label']} {letter['sheet_text']}", "font-size:8pt"))
    return "<section>" + "".join(parts) + "</section>"


def html(letters: Sequence[LetterContent]) -> str:
    """手紙の並びの HTML。"""
    data = page_data(letters, load_words(letters[0].kind))
    return "".join(_page(letter, data["words"][letter["words"]]) for letter in data["letters"])
