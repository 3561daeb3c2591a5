"""いまの事実: 決めた後に変わったこと、亡くなったこと、税と世帯（CHK40・41・44・45、CHK60〜CHK68）。"""

from __future__ import annotations

import polars as pl

from benefit.rules.payment_check import PaymentCheck, Severity

KNOWN = pl.col("entitlement_id").is_not_null()


def fact_checks() -> tuple[PaymentCheck, ...]:
    """いまの事実の検査。理由の分かるものは、その番号で言う。どれでもなければ CHK61。"""
    block, hold, warn = Severity.BLOCK, Severity.HOLD, Severity.WARN
    closed = KNOWN & ~pl.col("payee_dead") & ~pl.col("eligible_now")
    reasons = pl.col("reasons_now").fill_null("").str.split(";")
    household, adjustment = pl.col("slot_kind") == "HH100K", pl.col("slot_kind") == "ADJ"
    out, open_ = pl.col("verdict_now") == "対象外", pl.col("verdict_now") == "未確定"

    def unmet(*names: str) -> pl.Expr:
        return closed & out & pl.any_horizontal([reasons.list.contains(name) for name in names])

    def unknown(*names: str) -> pl.Expr:
        return closed & open_ & pl.any_horizontal([reasons.list.contains(name) for name in names])

    prior, split = household & unmet("PRIOR"), household & unknown("PRIOR")
    child = (
        (pl.col("slot_kind") == "CHILD")
        & closed
        & (unmet("FACILITY", "BIRTH") | unknown("CHILD_HEAD", "BIRTH") | pl.col("verdict_now").is_null())
    )
    taxed, undeclared = household & unmet("TAX", "TREATY"), household & unknown("DECLARED")
    asked = household & unknown("INQUIRY")
    elsewhere, rich = adjustment & unmet("LEVIED"), adjustment & unmet("CAP")
    named = (prior, split, child, taxed, undeclared, asked, elsewhere, rich)
    other = closed & ~pl.any_horizontal([one.fill_null(value=False) for one in named])
    return (
        PaymentCheck("CHK40", block, "昨年度の対象世帯である", "対象外", prior),
        PaymentCheck(
            "CHK41",
            hold,
            "昨年度の対象世帯から分かれた人がいる、または世帯員がほかの対象世帯にもいる",
            "区確認",
            split | pl.col("person_in_another"),
        ),
        PaymentCheck("CHK44", block, "子どもが加算の要件に合わない（施設、生年月日、世帯員でない）", "対象外", child),
        PaymentCheck(
            "CHK45",
            block,
            "同じ世帯の世帯給付が、支給可になっていない",
            "区確認",
            KNOWN & (pl.col("slot_kind") == "CHILD") & ~pl.col("parent_decided"),
        ),
        PaymentCheck("CHK60", block, "受給者が亡くなっている", "区確認", KNOWN & pl.col("payee_dead")),
        # 住民記録に出るまでの間に、家族から聞いている。生きていると二人が確かめれば解除できる。
        PaymentCheck(
            "CHK60H",
            hold,
            "受給者が亡くなったとの申し出がある（住民記録にはまだない）",
            "区確認",
            pl.col("death_told") & ~pl.col("payee_dead"),
        ),
        PaymentCheck("CHK61", block, "いまの事実では支給の要件に合わない", "対象外", other),
        PaymentCheck("CHK62", block, "いまの事実では課税（所得割・租税条約）の世帯である", "対象外", taxed),
        PaymentCheck("CHK63", hold, "未申告の人がいる", "区確認", undeclared),
        PaymentCheck("CHK64", block, "課税照会の回答がまだない", "区確認", asked),
        PaymentCheck(
            "CHK65",
            block,
            "受給者が変わっている（承継の記録がない）",
            "区確認",
            KNOWN & pl.col("eligible_now") & pl.col("payee_now").ne_missing(pl.col("payee_number")),
        ),
        PaymentCheck("CHK66", block, "区が住民税を賦課していない", "対象外", elsewhere),
        PaymentCheck("CHK67", block, "合計所得金額が上限を超える", "対象外", rich),
        PaymentCheck("CHK68H", hold, "基準日の後に職権で消除されている", "区確認", KNOWN & pl.col("removed_by_office")),
        PaymentCheck(
            "CHK68",
            warn,
            "基準日の後に転出している",
            "区確認",
            KNOWN & pl.col("moved_out"),
        ),
    )
