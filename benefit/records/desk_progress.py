"""進捗情報の様式: 給付管理システムから区へ、毎日返ってくる四つのファイル。

列は seed 002「給付管理システムの記録項目」のうち、委託先の仕事から生まれるものだけである
（進捗状況、確認書収受日、審査完了日、不備状況、返戻情報、対応履歴情報）。氏名・住所・口座は載らない（区が持っている。口座は支給予定情報で届く）。
自由に書いた文は、対応履歴の「内容」だけである。
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

import polars as pl

from benefit.domain.case import CASE_STATES
from benefit.domain.errors import Place, RefusedInput
from benefit.records import csv_reader

KIND = "進捗情報"
NUMBER, INTEGER, DATE, MOMENT, WORD, STATE, TEXT = "number", "integer", "date", "moment", "word", "state", "text"

#: ファイル → 見出し → (内の名前, 種類, 空白を許すか)。順序は様式の順。
FILES: Mapping[str, Mapping[str, tuple[str, str, bool]]] = {
    "cases.csv": {
        "給付管理番号": ("case_number", NUMBER, False),
        "枝番": ("branch", INTEGER, False),
        "進捗状況": ("state", STATE, False),
        "確認書収受日": ("received_on", DATE, True),
        "審査完了日": ("reviewed_on", DATE, True),
        "不備": ("deficiencies", WORD, True),
        "返戻日": ("returned_on", DATE, True),
        "返戻理由": ("returned_reason", WORD, True),
        "辞退受付日": ("refused_on", DATE, True),
        "口座変更受付日": ("account_changed_on", DATE, True),
        "死亡申出日": ("deceased_told_on", DATE, True),
        "送る手紙": ("letters_due", WORD, True),
        "対応回数": ("contact_count", INTEGER, False),
        "出来事の数": ("event_count", INTEGER, False),
    },
    "events.csv": {
        "通番": ("event_id", INTEGER, False),
        "給付管理番号": ("case_number", NUMBER, False),
        "日時": ("at", MOMENT, False),
        "出来事": ("event", WORD, False),
        "前の状態": ("from_state", STATE, True),
        "後の状態": ("to_state", STATE, True),
        "担当": ("actor", WORD, False),
        "役割": ("role", WORD, False),
        "根拠": ("evidence", WORD, True),
        "取り消す通番": ("reverses", INTEGER, True),
    },
    "contacts.csv": {
        "通番": ("contact_id", INTEGER, False),
        "給付管理番号": ("case_number", NUMBER, False),
        "日時": ("at", MOMENT, False),
        "担当": ("actor", WORD, False),
        "分け": ("category", WORD, False),
        "内容": ("body", TEXT, False),
        "訂正する通番": ("corrects", INTEGER, True),
    },
    "withdrawn.csv": {
        "受渡連番": ("load_sequence", INTEGER, False),
        "給付管理番号": ("case_number", NUMBER, False),
        "消去日時": ("deleted_at", MOMENT, False),
    },
}
#: 同じ番号の行は、一つのファイルに一つ。
KEYS = {
    "cases.csv": ("case_number",),
    "events.csv": ("event_id",),
    "contacts.csv": ("contact_id",),
    "withdrawn.csv": ("load_sequence", "case_number"),
}
MOMENT_FORMAT = "%Y-%m-%dT%H:%M:%S%.6fZ"
_TYPES: dict[str, pl.DataType] = {INTEGER: pl.Int64(), DATE: pl.Date(), MOMENT: pl.Datetime("us", "UTC")}


def schema(name: str) -> dict[str, pl.DataType]:
    """このファイルの、内の名前と型。"""
    return {inner: _TYPES.get(kind, pl.String()) for inner, kind, _blank in FILES[name].values()}


def render(name: str, rows: pl.DataFrame) -> bytes:
    """UTF-8、LF、番号の順。余分な列があっても、様式の列だけが出る。"""
    shown = [
        (pl.col(inner).dt.strftime(MOMENT_FORMAT) if kind == MOMENT else pl.col(inner).cast(pl.String)).alias(heading)
        for heading, (inner, kind, _blank) in FILES[name].items()
    ]
    return rows.sort(KEYS[name]).select(shown).write_csv(quote_style="necessary").encode()


def read(name: str, data: bytes, *, file_name: str) -> pl.DataFrame:
    """受け取った側で読む。列・値・番号の重なりが一つでも違えば、ファイルごと断る。"""
    place = Place(file=file_name)
    raw = csv_reader.read(data, file_name=file_name, encoding="utf-8")
    layout = FILES[name]
    if list(raw.header) != list(layout):
        raise RefusedInput(
            "進捗情報の列が決まりと違います", code="progress-columns", place=place, allowed="、".join(layout)
        )
    if raw.misfits:
        raise RefusedInput(
            "列の数が合わない行があります", code="field-count", place=Place(file=file_name, record=raw.misfits[0][0])
        )
    frame = raw.frame.rename({str(number): inner for number, (inner, _k, _b) in enumerate(layout.values())})
    typed = frame.with_columns([_typed(inner, kind) for inner, kind, _blank in layout.values()])
    for heading, (inner, kind, blank) in layout.items():
        wrong = _wrong(inner, kind, blank=blank)
        bad = frame.select("line", given=pl.col(inner)).with_columns(typed[inner]).filter(wrong)
        if bad.height:
            raise RefusedInput(
                f"「{heading}」が読めません",
                code="progress-value",
                place=Place(file=file_name, record=bad["line"][0], field=heading),
                found="空白" if bad["given"][0] is None else f"{len(bad['given'][0])} 文字",
                allowed=_ALLOWED[kind],
            )
    if typed.select(pl.struct(KEYS[name]).is_duplicated().any()).item():
        raise RefusedInput("同じ番号の行が二つあります", code="progress-twice", place=place)
    return typed.drop("line")


_ALLOWED = {
    NUMBER: "11 桁の給付管理番号",
    INTEGER: "0 以上の整数",
    DATE: "YYYY-MM-DD",
    MOMENT: "協定世界時の YYYY-MM-DDThh:mm:ss.ffffffZ",
    WORD: "200 字までの、改行のない言葉",
    STATE: "、".join(CASE_STATES),
    TEXT: "20,000 字までの文",
}


def _typed(inner: str, kind: str) -> pl.Expr:
    value = pl.col(inner)
    if kind == INTEGER:
        return value.str.to_integer(strict=False, base=10)
    if kind == DATE:
        return value.str.to_date("%Y-%m-%d", strict=False)
    if kind == MOMENT:
        # %.6f は 6 桁ちょうど。時差のない書き方は読まない。
        return value.str.to_datetime(MOMENT_FORMAT, strict=False, time_unit="us").dt.replace_time_zone("UTC")
    return value


def _wrong(inner: str, kind: str, *, blank: bool) -> pl.Expr:
    """許されない値か。`given` は書かれたまま、`inner` は型を付けた後。"""
    given, value = pl.col("given"), pl.col(inner)
    if kind == NUMBER:
        bad = ~given.str.contains(r"^[0-9]{11}$")
    elif kind == INTEGER:
        bad = value.is_null() | ~given.str.contains(r"^(0|[1-9][0-9]{0,8})$")
    elif kind == DATE:
        bad = value.is_null() | ~given.str.contains(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")
    elif kind == MOMENT:
        bad = value.is_null()
    elif kind == STATE:
        bad = ~given.is_in(list(CASE_STATES))
    elif kind == TEXT:
        bad = (given.str.len_chars() > 20_000) | given.str.contains("\x00", literal=True)
    else:
        bad = (given.str.len_chars() > 200) | given.str.contains(r"[\x00-\x1f\x7f]")
    return (given.is_not_null() & bad.fill_null(value=True)) | (given.is_null() & pl.lit(value=not blank))


def fingerprint(manifest: Mapping[str, object]) -> str:
    """頭書き（「指紋」を除く）の指紋。連番や件数だけを書き換えた受渡も、これで分かる。"""
    content = {key: value for key, value in manifest.items() if key != "指紋"}
    return hashlib.sha256(json.dumps(content, ensure_ascii=False, sort_keys=True).encode()).hexdigest()
