"""返還請求書と納付書（区の中で刷る。一件に二頁、PDF/A-2u）。

送り先は発行日に見直す（`gate.stand`）。亡くなった人、送り先の分からない人、刷れない字のある人の紙は作らず、訳を言う。
納付書に載せるのは納付番号・額・納期限だけで、コンビニや電子納付の符号は収納の仕事である。
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

import polars as pl

from benefit.domain.access import Actor
from benefit.domain.clock import Clock
from benefit.domain.errors import BenefitError, WrongUse
from benefit.domain.programme import Programme
from benefit.domain.wareki import wareki
from benefit.services import repayments
from benefit.services.files import write_atomic
from benefit.services.gate import people, stand
from benefit.services.home import Home
from benefit.services.repayments_list import claims
from letters import geometry
from letters.address import lay_out
from letters.fonts import FAMILY, font_folders
from letters.glyphs import missing
from letters.page import qr_svg
from letters.render import LETTERS_PER_COMPILE, PDF_STANDARD, page_count
from letters.words import load_words

KIND = "repayment"
PAGES = 2


@dataclass(frozen=True)
class Made:
    """作った結果。read = printed + held の数。`files` は PDF の名。"""

    read: int
    printed: int
    held: dict[str, str]
    files: tuple[str, ...]


def words(programme: Programme, folder: Path | None = None) -> dict[str, Any]:
    """紙の言葉（repayment.toml、区の写しがあれば写し）に、差出人の名を入れたもの。"""
    office = programme.office
    values = {
        "ward": office.ward_name,
        "office": office.office_name,
        "phone": office.call_centre_phone,
        "programme": programme.name,
    }
    return load_words(KIND, folder).filled(values)


def make_letters(
    home: Home,
    programme: Programme,
    numbers: Sequence[int],
    *,
    out: Path,
    issued_on: date,
    actor: Actor,
    clock: Clock,
) -> Made:
    """承認された請求 `numbers` の紙を `out` に作り、「請求」したことを一度だけ残す。何度でも同じ紙ができる。"""
    found = claims(home, today=issued_on).filter(
        pl.col("id").is_in(list(numbers)) & pl.col("approved_by").is_not_null()
    )
    if unknown := sorted(set(numbers) - set(found["id"].to_list())):
        raise WrongUse(f"承認された返還の請求 {unknown[0]} はありません", code="no-repayment")
    standing = stand(home, programme, issued_on)
    rows = (
        found.join(
            standing.entitlements.select("payee_number", "payee_dead", "branch", "benefit", entitlement_id="id"),
            on="entitlement_id",
            how="left",
        )
        .join(people(standing.inputs), left_on="payee_number", right_on="person_number", how="left")
        .sort("id")
    )
    if rows["branch"].null_count():
        raise WrongUse("ほかの給付事業の請求です（--programme）", code="programme")
    terms = words(programme, home.words)
    held: dict[str, str] = {}
    ready: list[dict[str, Any]] = []
    for row in rows.iter_rows(named=True):
        letter = _letter(row, programme, terms, issued_on)
        if isinstance(letter, str):
            held[row["case_number"]] = letter
        else:
            ready.append({"id": row["id"], "letter": letter})
    files = []
    for start in range(0, len(ready), LETTERS_PER_COMPILE):
        part = ready[start : start + LETTERS_PER_COMPILE]
        name = f"henkan-{part[0]['id']:06d}.pdf"
        write_atomic(out / name, render([one["letter"] for one in part], terms, issued_on))
        files.append(name)
    if held:
        lines = "".join(f"{number},{why}\n" for number, why in sorted(held.items()))
        write_atomic(out / "henkan-held.csv", f"給付管理番号,理由\n{lines}".encode())
    repayments.requested(home, [one["id"] for one in ready], done_on=issued_on, actor=actor, clock=clock)
    return Made(rows.height, len(ready), held, tuple(files))


def _letter(row: dict[str, Any], programme: Programme, terms: dict[str, Any], issued_on: date) -> dict[str, Any] | str:
    """紙の値。作れないときは、その訳。"""
    if row["payee_dead"]:
        return "受給者が亡くなっている（相続人を確かめる）"
    if not (row["name"] and row["address"]):
        return "送付先が分からない（addresses.csv に登録する）"
    if row["outstanding_yen"] == 0:
        return "もう全額が返っている"
    shown = (row["postal_code"], row["address"], row["address2"] or "", row["addressee"] or row["name"])
    if lacking := missing("".join([*shown, row["name"]])):
        return "字形がない " + " ".join(lacking)
    lines = lay_out(*shown)
    if lines is None:
        return "宛名が枠に入らない"
    return {
        "number": row["case_number"],
        "branch": f"{row['branch']:02d}",
        "address": [asdict(line) for line in lines],
        "qr": qr_svg(row["case_number"]),
        "issued_on": wareki(issued_on),
        "sender": [programme.office.ward_name, programme.office.office_name],
        "phone": programme.office.call_centre_phone,
        "programme": programme.name,
        "benefit": programme.benefit_names[row["benefit"]],
        "payer": row["name"],
        "paid_on": wareki(row["transferred_on"], weekday=True),
        "paid": f"{row['paid_yen']:,}円",
        "cause": terms["causes"][row["cause"]],
        "amount": f"{row['outstanding_yen']:,}円",
        "due": wareki(row["due_on"], weekday=True),
        "slip": row["slip"],
    }


def render(letters: Sequence[dict[str, Any]], terms: dict[str, Any], issued_on: date) -> bytes:
    """一件に二頁の PDF。断り: 組版の失敗（BenefitError、中身は言わない）。"""
    import typst

    data = {
        "title": terms["title"],
        "font": FAMILY,
        "date": [issued_on.year, issued_on.month, issued_on.day],
        "geometry": {
            "page": {"width": geometry.PAGE_WIDTH, "height": geometry.PAGE_HEIGHT},
            "address": asdict(geometry.ALWAYS_SEEN),
            "keep_out": asdict(geometry.EVER_SEEN),
            "folds": list(geometry.FOLDS),
            "qr_side": geometry.QR_SIDE,
        },
        "words": terms,
        "letters": list(letters),
    }
    templates = Path(str(resources.files("letters") / "templates"))
    failed = False
    try:
        pdf: bytes = typst.compile(
            templates / f"{KIND}.typ",
            root=templates,
            font_paths=[*font_folders()],
            ignore_system_fonts=True,
            pdf_standards=PDF_STANDARD,
            sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
        )
    except typst.TypstError:
        # 組版の道具の文には氏名が入りうるので、捨てる。
        failed = True
    if failed:
        raise BenefitError("返還請求書を組めませんでした", code="typesetting")
    if page_count(pdf) != len(letters) * PAGES:
        raise BenefitError("請求書と頁の数が合いません", code="page-count", found=f"{page_count(pdf)} 頁")
    return pdf
