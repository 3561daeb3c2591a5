"""世帯をまたぐ人（CHK42・43・47）と、申し出の道筋: 終わり、期限、区が直接扱う人、審査（CHK50〜56、CHK90〜93）。"""

from __future__ import annotations

import polars as pl

from benefit.rules.name_agreement import key
from benefit.rules.payment_check import PaymentCheck, Severity

KNOWN = pl.col("entitlement_id").is_not_null()


def crossing_checks() -> tuple[PaymentCheck, ...]:
    """一人が二つの世帯で数えられていないか。

    避難した人の世帯と元の世帯は、住民票の上では必ず重なる。元の世帯の行は何も変わらず黙って通り、避難した人の行だけが
    区の一覧で保留になる（K11）。どちらであるかは `judgment_people` が決めるので、元の世帯の行の列はいつも偽である。
    """
    block, hold = Severity.BLOCK, Severity.HOLD
    return (
        PaymentCheck(
            "CHK42", block, "世帯員が、世帯の給付を払ったほかの世帯にもいる", "区確認", pl.col("person_paid_in_another")
        ),
        PaymentCheck(
            "CHK42H",
            hold,
            "世帯員が、世帯の給付を判定したほかの世帯にもいる",
            "区確認",
            pl.col("person_judged_in_another"),
        ),
        PaymentCheck(
            "CHK43",
            block,
            "読みと生年月日の同じ子どもが、ほかの加算で数えられている",
            "区確認",
            pl.col("child_counted"),
        ),
        PaymentCheck(
            "CHK47",
            hold,
            "避難した人（同伴した子）が、元の世帯の給付でも数えられている",
            "区確認",
            pl.col("counted_at_origin"),
        ),
    )


def review_checks() -> tuple[PaymentCheck, ...]:
    """申し出の道筋の検査。"""
    block, hold, warn = Severity.BLOCK, Severity.HOLD, Severity.WARN
    known_issue = pl.col("letter_issued_on").is_not_null()
    told, known = pl.col("kana_name").fill_null(""), pl.col("payee_kana").fill_null("")
    return (
        PaymentCheck(
            "CHK50",
            block,
            "審査が終わっていない、または辞退期限が過ぎていない",
            "不備",
            KNOWN & ~pl.col("ready"),
        ),
        PaymentCheck(
            "CHK51",
            block,
            "受け取りの辞退が届いているか、承認されている",
            "対象外",
            pl.col("refused") | pl.col("refusal_told"),
        ),
        PaymentCheck("CHK52", block, "不支給か契約の不成立が承認されている", "対象外", pl.col("not_paid_for_good")),
        PaymentCheck("CHK53", block, "不備が直っていない（委託先の進捗）", "不備", pl.col("open_defect")),
        PaymentCheck(
            "CHK54",
            block,
            "手紙が届かずに戻っている（届いていないお知らせでは、受け取る意思が分からない）",
            "不備",
            pl.col("undelivered"),
        ),
        PaymentCheck("CHK55", hold, "返送期限の後に収受している（受けるかを二人で決める）", "不備", pl.col("late")),
        PaymentCheck(
            "CHK56",
            block,
            "区が直接扱う人の行が、委託先から届いた（個人情報の事故として確かめる）",
            "区確認",
            KNOWN & pl.col("ward_only") & ~pl.col("from_ward"),
        ),
        PaymentCheck(
            "CHK90",
            hold,
            "カナ氏名の書き方が支給対象者データベースと違う（読みは同じ）",
            "不備",
            KNOWN & (told != known) & (key(told) == key(known)),
        ),
        PaymentCheck("CHK91", warn, "手紙の後に送り先が変わっている", "区確認", KNOWN & pl.col("address_changed")),
        PaymentCheck(
            "CHK92",
            hold,
            "受給者が 18 歳に満たず、記録の上の世帯主でも納税者でもない",
            "区確認",
            KNOWN & pl.col("minor_payee") & ~pl.col("payee_on_record"),
        ),
        PaymentCheck(
            "CHK93",
            block,
            "日付の順が合わない（審査完了日が収受日より前、収受日が手紙より前、判定の日より後）",
            "不備",
            (pl.col("reviewed_on") < pl.col("received_on")).fill_null(value=False)
            | (known_issue & (pl.col("received_on") < pl.col("letter_issued_on")).fill_null(value=False))
            | (pl.max_horizontal("received_on", "reviewed_on") > pl.col("judged_on")).fill_null(value=False),
        ),
    )
