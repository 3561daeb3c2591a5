"""お知らせに刷った事柄の指紋。出す日に、事実がまだ紙のとおりかを見る（reliability P14）。中身は台帳にある。"""

from __future__ import annotations

import hashlib

import polars as pl

from benefit.domain.letter import AWARD_NOTICE, DUNNING_LETTER, FAILED_TRANSFER_NOTICE, REFUSAL_NOTICE

#: 種類ごとの、紙に刷る列（notices_due の列の名）。宛先は letter.address_digest が持つ。一通ずつの手紙には、ない。
FACTS = {
    AWARD_NOTICE: (
        "pay_date",
        "decided_on",
        "amount_yen",
        "account_flag",
        "bank_code",
        "branch_code",
        "account_number",
    ),
    REFUSAL_NOTICE: ("decided_on", "reason"),
    FAILED_TRANSFER_NOTICE: ("transferred_on", "reason"),
    DUNNING_LETTER: ("amount_yen", "slip", "first_due", "demand"),
}


def digests(kind: str, rows: pl.DataFrame) -> list[str]:
    """`rows`（notices_due の行）ごとの指紋。"""
    texts = rows.select(
        text=pl.concat_str(
            [
                pl.col("occasion").str.split("r").list.first(),
                *(pl.col(name).cast(pl.String).fill_null("\u2400") for name in FACTS.get(kind, ())),
            ],
            separator="\u241f",
        )
    )["text"]
    return [hashlib.sha256(text.encode()).hexdigest() for text in texts]
