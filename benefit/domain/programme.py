"""給付事業（プログラム）: 日付・金額・方針を、出典つきのデータとして持つ。

TOML の各項目は `{ value = …, source = "…" }` の形で書き、出典のない値は読み込まない。
自治体ごとに違うものは、すべてここにあり、規則の中には定数を書かない。
"""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass, field, fields
from datetime import date
from importlib import resources
from typing import Any, get_type_hints

from benefit.domain.errors import RefusedInput, WrongUse


@dataclass(frozen=True)
class Programme:
    """一つの給付事業。金額は円、日付は当日を含む。

    `sources` は項目名から出典への対応、`digest` は TOML の内容の SHA-256（版の証拠）。
    """

    id: str
    name: str
    levy_year: int
    base_date: date
    levy_date: date
    entered_from: date
    child_born_from: date
    under_16_born_from: date
    amount_untaxed_yen: int
    amount_per_capita_yen: int
    amount_child_yen: int
    adjustment_rounding_yen: int
    adjustment_income_tax_unit_yen: int
    adjustment_resident_tax_unit_yen: int
    income_cap_yen: int
    apply_deadline: date
    contract_to: date
    push_window_days: int
    line_hold_yen: int
    line_block_yen: int
    number_prefix: str
    consignor_code: str
    consignor_name_kana: str
    sending_bank_code: str
    sending_bank_name_kana: str
    sending_branch_code: str
    sending_branch_name_kana: str
    sending_account_type: str
    sending_account_number: str
    ward_name: str
    office_name: str
    call_centre_phone: str
    sources: dict[str, str] = field(default_factory=dict, compare=False)
    digest: str = ""

    @staticmethod
    def parse(text: str, *, file: str) -> Programme:
        """TOML の文面から。項目が足りない・余る・型が違う・出典がないときは RefusedInput。"""
        try:
            raw = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise RefusedInput(f"{file}: TOML として読めません（{error}）", code="programme-toml") from None
        wanted = {f.name for f in fields(Programme)} - {"sources", "digest"}
        missing, extra = sorted(wanted - raw.keys()), sorted(raw.keys() - wanted)
        if missing or extra:
            raise RefusedInput(
                f"{file}: 事業の項目が合いません"
                f"（足りない: {'、'.join(missing) or 'なし'} / 知らない: {'、'.join(extra) or 'なし'}）",
                code="programme-keys",
            )
        types = get_type_hints(Programme)
        values: dict[str, Any] = {}
        sources: dict[str, str] = {}
        for key, entry in raw.items():
            if not isinstance(entry, dict) or not entry.get("source") or "value" not in entry:
                raise RefusedInput(
                    f'{file}: 項目「{key}」は {{ value = …, source = "出典" }} と書きます', code="programme-source"
                )
            value = entry["value"]
            if not isinstance(value, types[key]) or isinstance(value, bool):
                raise RefusedInput(
                    f"{file}: 項目「{key}」の型が違います",
                    code="programme-type",
                    found=type(value).__name__,
                    allowed=types[key].__name__,
                )
            values[key], sources[key] = value, entry["source"]
        digest = hashlib.sha256(text.encode()).hexdigest()
        return Programme(**values, sources=sources, digest=digest)

    @staticmethod
    def load(programme_id: str) -> Programme:
        """同梱の事業を読む。知らない名前は WrongUse。"""
        folder = resources.files("benefit") / "programmes"
        file = folder / f"{programme_id}.toml"
        if not file.is_file():
            known = "、".join(
                sorted(f.name.removesuffix(".toml") for f in folder.iterdir() if f.name.endswith(".toml"))
            )
            raise WrongUse(f"事業「{programme_id}」はありません", allowed=known)
        programme = Programme.parse(file.read_text(encoding="utf-8"), file=file.name)
        if programme.id != programme_id:
            raise RefusedInput(f"{file.name}: id がファイル名と違います", found=programme.id, allowed=programme_id)
        return programme
