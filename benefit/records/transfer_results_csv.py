"""振込不能の CSV（formats §3.4、私たちの取り決め）: 銀行や会計室が手で作ることもある、六列から始まる表。

最初の六列（銀行の知らせにある六項目）だけのファイルも正しい。その時の理由は 99（理由不明）。
CSV に載るのは返った振込だけなので、処理結果はすべて「振込不能」である。
UTF-8（BOM は自由）か CP932、RFC 4180。表計算で落ちた先頭の 0 は補い、必ず知らせる（§3.5 の 2）。
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from benefit.domain.errors import Place, RefusedInput
from benefit.records.transfer_result_row import (
    CREDITED_REASON,
    REASONS,
    UNKNOWN_REASON,
    Account,
    Handling,
    Notice,
    Outcome,
    TransferResult,
    TransferResults,
)
from benefit.records.zengin import ACCOUNT_TYPES, AMOUNT_MAX_YEN, HOLDER_BYTES
from benefit.records.zengin_text import ANY_JISX0201

REQUIRED = ("金融機関コード", "店舗コード", "預金種目", "口座番号", "口座名義人名", "振込金額")
NEW_ACCOUNT = ("新金融機関コード", "新店舗コード", "新預金種目", "新口座番号", "新口座名義人名")
OPTIONAL = (
    "元振込指定日",
    "顧客コード1",
    "顧客コード2",
    "不能理由コード",
    "不能理由",
    "資金返却日",
    "処理区分",
    *NEW_ACCOUNT,
    "支出命令番号",
    "担当課",
    # 担当課へ渡した照会のファイルにあり、書き足して返ってくる列。
    "不能番号",
    "回答期限",
    "見直し日",
    "回答の理由",
)
COLUMNS = REQUIRED + OPTIONAL
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def read(content: bytes, *, file: str = "") -> TransferResults:
    """CSV の結果を読む。足りない列、知らない列、列の数の違う行、許されない値は、行と列を言って断る。"""
    rows = _records(_text(content, file), file)
    _, names = next(rows, (1, []))
    _check_columns(names, file)
    notices: list[Notice] = []
    results = []
    for record, cells in rows:
        if len(cells) != len(names):
            raise RefusedInput(
                "列の数が違います",
                code="columns",
                place=Place(file, record, f"{min(len(cells), len(names)) + 1} 列目"),
                found=f"{len(cells)} 列",
                allowed=f"{len(names)} 列",
            )
        row = _Row(file, record, dict(zip(names, cells, strict=True)), names)
        results.append(row.result())
        notices += row.notices
    if not results:
        raise RefusedInput("行が一つもありません", code="empty-file", place=Place(file))
    return TransferResults("CSV", results, notices=notices)


def _text(content: bytes, file: str) -> str:
    for encoding in ("utf-8-sig", "cp932"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError as error:
            at = error.start
        else:
            if "\0" not in text:
                return text.rstrip("\r\n")
            at = content.index(b"\0")
    record = content.count(b"\n", 0, at) + 1
    place = Place(file, record, f"ファイルの {at + 1} バイト目")
    raise RefusedInput("文字として読めません", code="encoding", place=place, allowed="UTF-8 か CP932")


def _records(text: str, file: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    record = 1
    try:
        for cells in reader:
            yield record, cells
            record = reader.line_num + 1
    except csv.Error as error:
        raise RefusedInput(
            "CSV の書き方が違います（引用符が閉じていない等）", code="csv", place=Place(file, record)
        ) from error


def _check_columns(names: list[str], file: str) -> None:
    missing = [name for name in REQUIRED if name not in names]
    unknown = [name for name in names if name not in COLUMNS]
    repeated = sorted({name for name in names if names.count(name) > 1})
    for says, wrong in (
        ("足りない列があります", missing),
        ("知らない列があります", unknown),
        ("同じ列が二つあります", repeated),
    ):
        if wrong:
            raise RefusedInput(
                says, code="columns", place=Place(file, 1), found="、".join(wrong), allowed="、".join(COLUMNS)
            )


@dataclass
class _Row:
    file: str
    record: int
    cells: Mapping[str, str]
    names: list[str]
    notices: list[Notice] = field(default_factory=list)

    def result(self) -> TransferResult:
        reason_code = self.reason_code()
        handling = self.handling()
        return TransferResult(
            record=self.record,
            bank_code=self.digits("金融機関コード", 4),
            branch_code=self.digits("店舗コード", 3),
            account_type=self.account_type("預金種目"),
            account_number=self.digits("口座番号", 7),
            holder_kana=self.holder("口座名義人名"),
            amount_yen=self.amount_yen(),
            outcome=Outcome.FAILED,
            reason_code=reason_code,
            reason=self.cells.get("不能理由", "") or REASONS[reason_code].says,
            transferred_on=self.day("元振込指定日"),
            customer_code1=self.digits("顧客コード1", 10) if self.cells.get("顧客コード1") else None,
            customer_code2=self.digits("顧客コード2", 10) if self.cells.get("顧客コード2") else None,
            returned_on=self.day("資金返却日"),
            handling=handling,
            new_account=self.new_account(handling),
            order_number=self.cells.get("支出命令番号", ""),
            section=self.cells.get("担当課", ""),
            failure_number=self.failure_number(),
            review_on=self.day("見直し日"),
            answer_reason=self.cells.get("回答の理由", "").strip(),
        )

    def refuse(self, column: str, says: str, found: str, allowed: str) -> RefusedInput:
        place = Place(self.file, self.record, f"{column}（{self.names.index(column) + 1} 列目）")
        return RefusedInput(says, code="value", place=place, found=found, allowed=allowed)

    def digits(self, column: str, length: int) -> str:
        value = self.cells[column]
        if not value or not (value.isascii() and value.isdigit()) or len(value) > length:
            raise self.refuse(column, "番号が違います", f"{len(value)} 文字", f"{length} 桁の数字")
        if len(value) < length:
            # 表計算ソフトは先頭の 0 を落とす。補うが、黙っては補わない。
            says = f"{len(value)} 桁だったので、先頭に 0 を補って {length} 桁にしました"
            self.notices.append(Notice(self.record, column, says))
        return value.zfill(length)

    def account_type(self, column: str) -> str:
        value, allowed = self.cells[column], (*ACCOUNT_TYPES, "9")
        if value not in allowed:
            raise self.refuse(column, "許されない値です", f"{len(value)} 文字", "、".join(allowed))
        return value

    def holder(self, column: str) -> str:
        value = self.cells[column].rstrip(" ")
        if (at := ANY_JISX0201.first_foreign(value)) is not None:
            found = f"U+{ord(value[at]):04X}（{at + 1} 文字目）"
            raise self.refuse(column, "使えない文字があります", found, "半角のカナ・英数字・記号")
        if not 1 <= len(value) <= HOLDER_BYTES:
            raise self.refuse(column, "長さが違います", f"{len(value)} バイト", f"1 から {HOLDER_BYTES} バイト")
        return value

    def amount_yen(self) -> int:
        value = self.cells["振込金額"]
        if value.isascii() and value.isdigit() and len(value) <= 10 and 1 <= int(value) <= AMOUNT_MAX_YEN:
            return int(value)
        raise self.refuse(
            "振込金額", "金額が違います", f"{len(value)} 文字", f"1 から {AMOUNT_MAX_YEN} までの整数（カンマなし）"
        )

    def day(self, column: str) -> date | None:
        value = self.cells.get(column, "")
        if not value:
            return None
        try:
            if _DAY.fullmatch(value):
                return date.fromisoformat(value)
        except ValueError:
            pass
        raise self.refuse(column, "日付が違います", f"{len(value)} 文字", "YYYY-MM-DD の、暦にある日")

    def reason_code(self) -> str:
        if not self.cells.get("不能理由コード"):
            return UNKNOWN_REASON
        code = self.digits("不能理由コード", 2)
        if code not in REASONS or code == CREDITED_REASON:
            allowed = "、".join(known for known in REASONS if known != CREDITED_REASON)
            raise self.refuse("不能理由コード", "許されない値です", code, allowed)
        return code

    def failure_number(self) -> int | None:
        value = self.cells.get("不能番号", "")
        if not value:
            return None
        if value.isascii() and value.isdigit() and len(value) <= 10:
            return int(value)
        raise self.refuse("不能番号", "番号が違います", f"{len(value)} 文字", "数字")

    def handling(self) -> Handling | None:
        value = self.cells.get("処理区分", "")
        if value and value not in tuple(Handling):
            raise self.refuse("処理区分", "許されない値です", f"{len(value)} 文字", "、".join(Handling))
        return Handling(value) if value else None

    def new_account(self, handling: Handling | None) -> Account | None:
        """新口座は五項目揃って、再振込のときだけ。すべて空なら、元の口座のまま。"""
        given = [column for column in NEW_ACCOUNT if self.cells.get(column)]
        if not given:
            return None
        if handling is not Handling.RE_TRANSFER:
            raise self.refuse(given[0], "新しい口座は再振込のときだけ書けます", handling or "処理区分なし", "再振込")
        if missing := [column for column in NEW_ACCOUNT if column not in given]:
            raise self.refuse(given[0], "新しい口座の項目が揃っていません", f"{missing[0]} が空", "五項目すべて")
        return Account(
            self.digits("新金融機関コード", 4),
            self.digits("新店舗コード", 3),
            self.account_type("新預金種目"),
            self.digits("新口座番号", 7),
            self.holder("新口座名義人名"),
        )
