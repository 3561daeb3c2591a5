"""収納のファイルに共通の枠: 見出し・合計・終わり（formats §4.6 の取り決め）。様式ごとに、名と幅だけが違う。"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from benefit.records.fields import Field
from benefit.records.file_layout import Total
from benefit.records.layout import Layout, const, digits, filler, number

READ_ON = date(2026, 11, 21)
FORMATS = "調査ノート reference/formats.md"
SEED_1 = "種文書 001（新宿区 モバイルレジ・ペイジー・レイアウト変換システム）"
SEED_3 = "種文書 003（新宿区 延長保育料のコンビニ収納。項目の名と順）"
SEED_4 = "種文書 004（目黒区 公金収納ネットワークサービス。項目の名）"
#: 速報・確報・速報取消（コンビニ）。ペイジーとモバイルレジも同じ三つを使う。
PROVISIONAL, FINAL, CANCELLED = "01", "02", "03"
DATA_KINDS = (PROVISIONAL, FINAL, CANCELLED)
#: 合計レコードの三つの欄（英語名、日本語名）。
KIND_SLOTS = (("provisional", "速報"), ("final", "確報"), ("cancelled", "速報取消"))
DATA_KIND_NOTE = "01 速報、02 確報、03 速報取消"


def own(name: str, length: int, *fields: Field, source: str) -> Layout:
    """自分たちで決めた様式（OWN CONVENTION）。相手の仕様書が来れば、区の TOML で差し替える。"""
    return Layout(name, length, fields, sources=(source, FORMATS), verified=False, read_on=READ_ON, own_convention=True)


def header(name: str, length: int, *, source: str, blank_ok: bool = False, client: str = "代行会社コード") -> Layout:
    """見出し: ファイル作成日、送り主、収納機関コード、利用区分。"""
    return own(
        f"{name}ヘッダ",
        length,
        const("1", "レコード区分"),
        digits("made_on", "ファイル作成日", 8, form="date", blank_ok=blank_ok, note="YYYYMMDD"),
        digits("agent_code", client, 6, blank_ok=blank_ok),
        digits("biller_code", "収納機関コード", 10, blank_ok=blank_ok, note="相手が区に付けた番号"),
        digits("usage", "利用区分", 1, choices=("1", "0"), blank_ok=blank_ok, note="1 本番、0 テスト"),
        filler(length - 26),
        source=source,
    )


def trailer(name: str, length: int, slots: Sequence[tuple[str, str]], *, source: str) -> Layout:
    """合計: （英語名, 日本語名）ごとの件数と金額。"""
    fields: list[Field] = [const("8", "レコード区分")]
    for key, label in slots:
        fields.append(number(f"{key}_count", f"{label}件数合計", 6))
        fields.append(number(f"{key}_yen", f"{label}金額合計", 12, note="円"))
    used = sum(field.length for field in fields)
    return own(f"{name}トレーラ", length, *fields, filler(length - used), source=source)


def end(name: str, length: int, *, source: str, blank_ok: bool = False) -> Layout:
    """終わり: 見出しと合計を含む全レコードの件数。"""
    said = "見出し・合計・終わりを含む"
    count = (
        digits("records", "レコード総件数", 8, blank_ok=True, note=said)
        if blank_ok
        else number("records", "レコード総件数", 8, note=said)
    )
    return own(f"{name}エンド", length, const("9", "レコード区分"), count, filler(length - 9), source=source)


def kind_totals(amount: str = "amount_yen") -> tuple[Total, ...]:
    """速報・確報・速報取消ごとの件数と金額。"""
    return tuple(
        Total(f"{key}_count", f"{key}_yen", amount, "data_kind", (kind,))
        for (key, _), kind in zip(KIND_SLOTS, DATA_KINDS, strict=True)
    )
