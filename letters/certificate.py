"""判定証明の紙（A4、PDF/A-2u）: 審査請求と開示のための一枚。長い世帯は次の頁へ続き、頁に n／m が付く。

誰に渡す紙か（`reader`）で、載せるものが決まる。税額と口座の種類は、本人に渡す紙にだけ載る。
ほかの世帯員は、課税区分と答えまでである。世帯の外の人は、番号も載らない。
"""

from __future__ import annotations

import json
import tomllib
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

from benefit.domain.check import Answer
from benefit.domain.errors import BenefitError, WrongUse
from benefit.domain.wareki import wareki
from benefit.services.explain import MARKS, change_lines
from benefit.services.explain_certificate import Certificate
from benefit.services.explain_facts import Value
from letters.fonts import FAMILY, font_folders
from letters.glyphs import missing
from letters.render import PDF_STANDARD

KIND = "certificate"


def words() -> dict[str, str]:
    """紙の言葉（letters/words/certificate.toml）。"""
    text = (resources.files("letters") / "words" / f"{KIND}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def render(
    certificates: list[Certificate], *, issued_on: date, reader: int | None, case_numbers: list[str | None]
) -> bytes:
    """証明を、渡された順に一つの PDF にする。対象一つが、新しい頁から始まる。

    reader: この紙を受け取る人。税額はこの人のものだけを載せる。None なら、誰の税額も載せない。
    断り: 証明がない、受け取る人が紙の世帯の人でない（WrongUse）。組版の失敗は BenefitError（中身は言わない）。
    """
    if not certificates:
        raise WrongUse("紙にする判定がありません", code="no-certificate")
    if reader is not None and not any(reader in one.people for one in certificates):
        raise WrongUse("受け取る人（--for）は、この世帯の人か、納税者本人です", code="certificate-reader")
    import typst

    data = {
        "words": words(),
        "font": FAMILY,
        "date": [issued_on.year, issued_on.month, issued_on.day],
        "issued_on": wareki(issued_on),
        "papers": [_paper(one, reader, number) for one, number in zip(certificates, case_numbers, strict=True)],
    }
    text = json.dumps(data, ensure_ascii=False)
    if missing(text):
        raise BenefitError("紙に載せられない字があります", code="glyph")
    templates = Path(str(resources.files("letters") / "templates"))
    failed = False
    try:
        pdf: bytes = typst.compile(
            templates / f"{KIND}.typ",
            root=templates,
            font_paths=[*font_folders()],
            ignore_system_fonts=True,
            pdf_standards=PDF_STANDARD,
            sys_inputs={"data": text},
        )
    except typst.TypstError:
        # 組版の道具の文には番号や税額が入りうるので、捨てる。
        failed = True
    if failed:
        raise BenefitError("判定証明の紙を組めませんでした", code="typesetting")
    return pdf


def _paper(found: Certificate, reader: int | None, case_number: str | None) -> dict[str, Any]:
    record = found.record
    programme = record.programme

    def every(values: tuple[Value, ...]) -> list[str]:
        # 本人でない人には、計算の行がどれも同じ文になる。一度だけ載せる。
        return list(dict.fromkeys(value.told_to(reader) for value in values))

    return {
        "kind": found.kind,
        "number": f"{found.number:010d}",
        "case_number": case_number or "",
        "programme": programme.name,
        "benefit": found.benefit_name,
        "verdict": found.verdict,
        "reasons": found.reasons,
        # 口座の種類は、生活保護を受けていることを言ってしまうので、受給者に渡す紙にだけ載せる。
        "result": found.result + (found.account if reader == found.payee_number else ""),
        "today": wareki(record.today),
        "base_date": wareki(programme.base_date),
        "sender": f"{programme.office.ward_name} {programme.office.office_name}",
        "ward_only": found.protected,
        "members": every(found.members),
        "calculation": every(found.calculation),
        "checks": [
            {
                "mark": MARKS[one.answer],
                "answer": one.answer.value,
                "unmet": one.answer is not Answer.MET,
                "id": one.check.id,
                "says": one.check.says,
                "basis": one.check.basis,
                "values": every(one.values),
                "terms": list(one.terms),
            }
            for one in found.checks
        ],
        "changes": [line.removeprefix("・") for line in change_lines(found, reader=reader, plain=True)],
        "files": [list(one) for one in found.files],
        "versions": "、".join(f"{name} {version}" for name, version in found.versions),
    }
