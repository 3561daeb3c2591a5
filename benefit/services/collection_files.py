"""届いたファイルを、様式の表で読み、収納データの行（`NOTICE`）にして、消し込む。

様式が違えば鍵の作り方が違うだけで、その先は一つの道である。様式に合わない行が一つでもあれば、ファイルごと断る
（半分だけ入ることはない）。テストのファイル（利用区分 0）は受け取らない。
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from benefit.domain.clock import Clock
from benefit.domain.collection import Channel, NoticeKind
from benefit.domain.errors import Place, RefusedByRule, WrongUse
from benefit.records import file_reader, mobile_register
from benefit.records.layout_registry import BUILT_IN
from benefit.rules.collection_notices import NOTICE, barcode_key, payment_number_key, receivable_key
from benefit.services import card_remittances, collections, debit_results, special_statements
from benefit.services.collections import Collected
from benefit.services.files import read_input, sha256_of
from benefit.services.home import Home

#: 特別徴収の科目 [OWN CONVENTION]。事業者の指定番号が、通知書番号に当たる（調定は standard-levies で登録する）。
SPECIAL_SUBJECT = "190"
_KINDS = {"01": NoticeKind.PROVISIONAL, "02": NoticeKind.FINAL, "03": NoticeKind.CANCELLED}


@dataclass(frozen=True)
class Received:
    """様式一つの読み方: 経路と、明細の表を `NOTICE` の列にする式。"""

    channel: Channel
    columns: Callable[[], dict[str, pl.Expr]]


def _day(name: str) -> pl.Expr:
    """YYYYMMDD。空白と 0 は null。"""
    return pl.col(name).str.to_date("%Y%m%d", strict=False)


def _said() -> pl.Expr:
    return pl.col("data_kind").replace_strict(
        {code: kind.value for code, kind in _KINDS.items()}, return_dtype=pl.String
    )


def _convenience(channel: Channel) -> Received:
    return Received(
        channel,
        lambda: {
            "channel": pl.lit(channel.value),
            "kind": _said(),
            "pay_key": barcode_key(pl.col("barcode")),
            "paid_on": _day("paid_on"),
            "paid_time": pl.col("paid_at"),
            "place": pl.concat_str([pl.col("chain_code"), pl.col("store_code")], separator="-"),
            "amount_yen": pl.col("amount_yen"),
            "settle_on": _day("settles_on"),
        },
    )


def _mobile() -> dict[str, pl.Expr]:
    credit = pl.col("means") == mobile_register.CREDIT
    # クレジットの「確報」は、カードが通った知らせである。お金は、立替金の明細（card-remittance）で届く。
    authorised = credit & (pl.col("data_kind") == "02")
    return {
        "channel": pl.when(credit).then(pl.lit(Channel.CREDIT.value)).otherwise(pl.lit(Channel.MOBILE_BANKING.value)),
        "kind": pl.when(authorised).then(pl.lit(NoticeKind.PROVISIONAL.value)).otherwise(_said()),
        "pay_key": barcode_key(pl.col("barcode")),
        "paid_on": _day("paid_on"),
        # 立替金の明細に時刻はない。入金の名を揃える。
        "paid_time": pl.when(credit).then(pl.lit("")).otherwise(pl.col("paid_at")),
        "place": pl.when(credit).then(card_remittances.place_of()).otherwise(pl.col("receipt_number")),
        "amount_yen": pl.col("amount_yen"),
        "settle_on": _day("remits_on"),
    }


def _payeasy() -> dict[str, pl.Expr]:
    return {
        "channel": pl.lit(Channel.PAYEASY.value),
        "kind": _said(),
        "pay_key": payment_number_key(pl.col("payment_number")),
        "paid_on": _day("paid_on"),
        "paid_time": pl.col("paid_at"),
        "place": pl.concat_str([pl.col("bank_code"), pl.col("branch_code")], separator="-"),
        "amount_yen": pl.col("amount_yen"),
        "settle_on": _day("settles_on"),
    }


def _counter() -> dict[str, pl.Expr]:
    return {
        "channel": pl.lit(Channel.COUNTER.value),
        "kind": pl.lit(NoticeKind.FINAL.value),
        "pay_key": receivable_key(
            pl.col("account_title"), pl.col("fiscal_year"), pl.col("term"), pl.col("notice_number").str.strip_chars()
        ),
        "paid_on": _day("paid_on"),
        "paid_time": pl.lit(""),
        "place": pl.concat_str([pl.col("bank_code"), pl.col("branch_code")], separator="-"),
        "amount_yen": pl.col("paid_yen") + pl.col("late_fee_yen"),
        "settle_on": pl.lit(None, dtype=pl.Date),
    }


def _special() -> dict[str, pl.Expr]:
    return {
        "channel": pl.lit(Channel.SPECIAL.value),
        "kind": pl.lit(NoticeKind.FINAL.value),
        "pay_key": receivable_key(
            pl.lit(SPECIAL_SUBJECT),
            pl.col("fiscal_year"),
            pl.col("term"),
            pl.col("employer_number").str.strip_chars(),
        ),
        "paid_on": _day("paid_on"),
        "paid_time": pl.lit(""),
        "place": pl.concat_str([pl.col("bank_code"), pl.col("branch_code")], separator="-"),
        "amount_yen": pl.col("paid_yen") + pl.col("late_fee_yen") + pl.col("retirement_yen"),
        "settle_on": pl.lit(None, dtype=pl.Date),
    }


RECEIVED: dict[str, Received] = {
    "convenience-store": _convenience(Channel.CONVENIENCE),
    "electronic-money": _convenience(Channel.E_MONEY),
    "mobile-register": Received(Channel.MOBILE_BANKING, _mobile),
    "payeasy-paid": Received(Channel.PAYEASY, _payeasy),
    "counter-general": Received(Channel.COUNTER, _counter),
    "counter-care": Received(Channel.COUNTER, _counter),
    "counter-cleaning": Received(Channel.COUNTER, _counter),
    "special-collection": Received(Channel.SPECIAL, _special),
}


#: 請求と合わせる結果、与信の知らせに照らす立替金、納入書と比べる納入明細。
DEBIT_RESULT, REMITTANCE, STATEMENT = "direct-debit-result", "card-remittance", "special-collection-statement"
SPECIAL = "special-collection"
#: 受け取れる様式（受信フォルダの下位フォルダの名でもある）。
LAYOUTS = (*RECEIVED, DEBIT_RESULT, REMITTANCE, STATEMENT)


@dataclass(frozen=True)
class Taken:
    """受け取った結果。

    `not_paid` は口座振替の振替不能（コード → 件数）、`cards` は立替金を照らした結果（言葉 → 件数）。
    """

    collected: Collected
    not_paid: dict[str, int]
    cards: dict[str, int] = field(default_factory=dict)


def receive(home: Home, layout_id: str, path: Path, *, clock: Clock) -> Taken:
    """ファイルを一つ受け取る。同じファイルは二度効かない。様式に合わなければ `RefusedInput`、何も入らない。"""
    return receive_bytes(home, layout_id, read_input(path), file_name=path.name, clock=clock)


def receive_bytes(home: Home, layout_id: str, data: bytes, *, file_name: str, clock: Clock) -> Taken:
    """`receive` の、もう読んだ中身を渡す形。"""
    if layout_id == DEBIT_RESULT:
        done = debit_results.take(home, data, file_name=file_name, clock=clock)
        return Taken(done.collected, done.codes)
    if layout_id == REMITTANCE:
        remitted = card_remittances.take(home, data, file_name=file_name, clock=clock)
        return Taken(remitted.collected, {}, remitted.outcomes)
    if layout_id == STATEMENT:
        return Taken(special_statements.take(home, data, file_name=file_name, clock=clock), {})
    layout = BUILT_IN.get(layout_id)
    if layout is None or layout_id not in RECEIVED:
        raise WrongUse("この様式の収納は受け取れません", found=layout_id, allowed="、".join(LAYOUTS))
    reading = file_reader.read(data, layout, file=file_name)
    rows = reading.require()
    if any(header.get("usage") == "0" for header in reading.headers):
        raise RefusedByRule("テストのファイルです（利用区分 0）", code="test-file", place=Place(file=file_name))
    received = RECEIVED[layout_id]
    notices = rows.select(**_numbered(received.columns())).select(list(NOTICE))
    sha256 = sha256_of(data)
    if layout_id == SPECIAL:
        return Taken(special_statements.take_slips(home, rows, notices, file_name, sha256, clock=clock), {})
    return Taken(collections.take(home, received.channel, notices, file_name=file_name, sha256=sha256, clock=clock), {})


def _numbered(columns: dict[str, pl.Expr]) -> dict[str, pl.Expr]:
    return {"line_number": pl.int_range(1, pl.len() + 1, dtype=pl.Int64), **columns}
