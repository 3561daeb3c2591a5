"""誰に照会するか。

- 課税照会: 課税区分が Q（令和6年1月2日以降の転入者）で、その答えがまだ判定を変えうる人だけ（benefit-rules E.2）。
  世帯員のほか、その人の区分で被扶養者だけの世帯かどうかが決まる扶養者にも尋ねる（契約 §2 DEPENDANTS）。
- 公金受取口座照会: 対象者のうち、使える口座がない受給者（E.3）。
- 区が直接扱う人は、機械の照会に決して載せない（E.1）。同じ世帯の人も載せない: 避難に同伴した人であり（F.3）、
  照会の記録（情報連携記録）は本人のほか、子どもなら離れた親のような法定代理人にも見える。職員が手で
  照会する（way = hand）。
"""

from __future__ import annotations

import polars as pl

from benefit.records import network_inquiry as layout
from benefit.rules.outcomes import Decisions
from benefit.rules.route import ward_households
from benefit.services.standing import Inputs


def who_to_ask(inputs: Inputs, decisions: Decisions, kind: str) -> pl.DataFrame:
    """答えが判定を変えうる人: person_number、destination、way（machine・hand。尋ねる先がなければ none）。

    もう対象外の世帯には尋ねない。一つでも満たさない検査があれば、答えは判定を変えない（契約 §2 Checks）。
    """
    wanted = _tax_wanted(inputs, decisions) if kind == "tax" else _account_wanted(inputs, decisions)
    protected = inputs.marked.with_columns(itself=pl.lit(value=True))
    ward_homes = ward_households(inputs.marked, decisions.persons.lazy()).collect().select("household_number", "ward")
    own_home = decisions.persons.select("person_number", own_number="household_number")
    seen = (
        wanted.join(protected, on="person_number", how="left")
        .join(own_home, on="person_number", how="left")
        .join(ward_homes, on="household_number", how="left")
        .join(ward_homes.rename({"household_number": "own_number", "ward": "own_ward"}), on="own_number", how="left")
        .with_columns(hand=pl.any_horizontal(pl.col("itself", "ward", "own_ward").fill_null(value=False)))
        .group_by("person_number")
        .agg(pl.col("hand").any(), pl.col("destination").first())
    )
    return seen.select(
        "person_number",
        pl.col("destination").fill_null(""),
        way=pl.when("hand").then(pl.lit("hand"))
        .when(pl.col("destination").is_null())
        .then(pl.lit("none"))
        .otherwise(pl.lit("machine")),
    ).sort("person_number")  # fmt: skip


def _tax_wanted(inputs: Inputs, decisions: Decisions) -> pl.DataFrame:
    schema = {"person_number": pl.Int64, "household_number": pl.Int64, "destination": pl.String}
    if "INQUIRY" not in decisions.households.columns:
        return pl.DataFrame(schema=schema)  # 世帯の給付のない事業では、課税を尋ねる用がない。
    undecided = decisions.households.filter(pl.col("verdict") == "未確定")
    members = decisions.persons.filter(pl.col("tax_class") == "Q").join(
        undecided.filter(pl.col("INQUIRY").is_null()), on="household_number", how="semi"
    )
    supporters = decisions.persons.filter(pl.col("supporter_class") == "Q").join(
        undecided.filter(pl.col("DEPENDANTS").is_null()), on="household_number", how="semi"
    )
    homes = inputs.facts.residents.select("person_number", "levy_date_municipality")
    codes = layout.destinations(homes["levy_date_municipality"].unique().to_list())
    return (
        pl.concat(
            [
                members.select("person_number", "household_number"),
                supporters.select(person_number="supporter_number", household_number="household_number"),
            ]
        )
        .join(homes, on="person_number", how="left")
        .select(
            "person_number",
            "household_number",
            destination=pl.col("levy_date_municipality").replace_strict(codes, default=None, return_dtype=pl.String),
        )
    )


def _account_wanted(inputs: Inputs, decisions: Decisions) -> pl.DataFrame:
    # 相続人の口座は申請書にある。区の住民とも限らず、尋ねる先もない。
    heirs = inputs.facts.payee_changes.filter("heir")["new_payee"].implode()
    unknown = (pl.col("verdict") == "対象") & (pl.col("account_flag") == "0")
    return decisions.outcomes.filter(unknown & ~pl.col("payee_number").is_in(heirs)).select(
        person_number="payee_number",
        household_number="household_number",
        destination=pl.lit(""),
    )
