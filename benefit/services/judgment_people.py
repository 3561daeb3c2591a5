"""支給判定が見る人: 二つの世帯にいる人、よく似た子ども、年齢、送り先（CHK41〜CHK43・CHK47・CHK91・CHK92）。

ここで決まるのは「どの権利とどの権利が重なるか」だけで、その権利を払ったか、判定したかは台帳が言う（`ledger_facts`）。
"""

from __future__ import annotations

from datetime import date

import polars as pl

from benefit.domain.claim import ADDING
from benefit.domain.letter import address_digest
from benefit.rules.name_agreement import key
from benefit.services.gate import Standing, people

#: 重なりの種類: 世帯の人、子ども、避難した人から見た元の世帯。
PERSON, CHILD, ORIGIN = "person", "child", "origin"
PAIRS = {"line_number": pl.Int64, "other_id": pl.Int64, "kind": pl.String}


def overlaps(standing: Standing, rows: pl.DataFrame, counted: pl.DataFrame | None = None) -> pl.DataFrame:
    """行と、人の重なるほかの権利: line_number、other_id、kind。元の世帯から見た避難者の権利は、入らない（K11）。"""
    lines = rows.filter(pl.col("entitlement_id").is_not_null()).select("line_number", "entitlement_id")
    households, children = _same_people(standing, counted), _same_children(standing)
    pairs = pl.concat([households, children])
    return lines.join(pairs, on="entitlement_id").select(*PAIRS).unique().sort("line_number", "other_id")


def _same_people(standing: Standing, counted: pl.DataFrame | None) -> pl.DataFrame:
    """世帯の給付（避難者の世帯を含む）どうしの、同じ人を持つ組: entitlement_id、other_id、kind。"""
    kinds = ("HH100K", "EVACUEE")
    all_ = standing.entitlements.filter(pl.col("slot_kind").is_in(kinds)).select(
        "id", "slot_kind", "household_number", "subject_number", "payee_number"
    )
    members = standing.decisions.persons.select("person_number", "household_number").join(
        all_.filter(pl.col("slot_kind") == "HH100K").select("id", "household_number"), on="household_number"
    )
    # 受給者も、その世帯の人である（後の抽出データで、ほかの世帯に移って見えても）。相続人は、世帯の人ではない。
    changes = standing.inputs.facts.payee_changes
    heirs = changes.filter("heir")["new_payee"].implode()
    payees = all_.filter(~pl.col("payee_number").is_in(heirs)).select("id", person_number="payee_number")
    fled = pl.DataFrame(
        [
            (person, claim.person_number)
            for claim in standing.inputs.claims
            if claim.kind == "evacuee"
            for person in (claim.person_number, *claim.content["companions"])
        ],
        schema={"person_number": pl.Int64, "subject_number": pl.Int64},
        orient="row",
    ).join(all_.filter(pl.col("slot_kind") == "EVACUEE").select("id", "subject_number"), on="subject_number")
    mine = pl.concat([frame.select("person_number", "id") for frame in (members, payees, fled)]).unique()
    # 判定する行の人は、いまの世帯の人。ほかの権利の人は、いまの世帯の人と、前に判定した時に数えた人。
    theirs = mine if counted is None else pl.concat([mine, counted.select("person_number", "id")]).unique()
    side = all_.select("id", "slot_kind")
    return (
        mine.select("person_number", entitlement_id="id")
        .join(theirs.select("person_number", other_id="id"), on="person_number")
        .filter(pl.col("entitlement_id") != pl.col("other_id"))
        .join(side.rename({"id": "entitlement_id"}), on="entitlement_id")
        .join(side.rename({"id": "other_id", "slot_kind": "other_kind"}), on="other_id")
        .with_columns(
            kind=pl.when(pl.col("slot_kind") == pl.col("other_kind"))
            .then(pl.lit(PERSON))
            .when(pl.col("slot_kind") == "EVACUEE")
            .then(pl.lit(ORIGIN))
        )
        .filter(pl.col("kind").is_not_null())
        .select("entitlement_id", "other_id", "kind")
    )


def _same_children(standing: Standing) -> pl.DataFrame:
    """こども加算どうしの、読みと生年月日が同じで番号の違う組。どちらかが申請で加わった子であるものだけ。

    住民登録のある子どうしは、番号が違えば別人である。性別は抽出データにないので、見ない。
    """
    claimed = [claim for claim in standing.inputs.claims if claim.kind in ADDING]
    people_of = {
        number: (claim.kind == "evacuee", claim.content.get("kana_name"), claim.content.get("birth"))
        for claim in claimed
        for number in (claim.content["companions"] if claim.kind == "evacuee" else [claim.person_number])
    }
    empty = pl.DataFrame(schema={"entitlement_id": pl.Int64, "other_id": pl.Int64, "kind": pl.String})
    if not people_of:
        return empty
    told = pl.DataFrame(
        [(number, *rest) for number, rest in people_of.items()],
        schema={
            "subject_number": pl.Int64,
            "with_evacuee": pl.Boolean,
            "claim_kana": pl.String,
            "claim_birth": pl.String,
        },
        orient="row",
    )
    kids = (
        standing.entitlements.filter(pl.col("slot_kind") == "CHILD")
        .select("id", "subject_number")
        .join(told, on="subject_number", how="left")
        .join(
            standing.inputs.facts.residents.select("person_number", "kana_name", "birth"),
            left_on="subject_number",
            right_on="person_number",
            how="left",
        )
        .with_columns(
            kana=key(pl.coalesce("kana_name", "claim_kana")),
            born=pl.coalesce("birth", "claim_birth"),
            claimed=pl.col("with_evacuee").is_not_null(),
        )
        # 不詳のある生年月日どうしは、同じ日とは言えない。
        .filter((pl.col("kana") != "") & pl.col("born").is_not_null() & ~pl.col("born").str.contains("00$|-00-"))
    )
    alike = kids.filter((pl.len().over("kana", "born") > 1) & pl.col("claimed").any().over("kana", "born"))
    mine = alike.select("kana", "born", entitlement_id="id", one="subject_number", fled="with_evacuee", c1="claimed")
    other = alike.select("kana", "born", other_id="id", two="subject_number", other_fled="with_evacuee", c2="claimed")
    # 申請を決めた人が「別人と確かめた」番号は、組にしない。
    cleared = pl.DataFrame(
        [
            pair
            for claim in claimed
            if claim.kind != "evacuee"
            for word in claim.cleared
            if word.isdigit()
            for pair in ((claim.person_number, int(word)), (int(word), claim.person_number))
        ],
        schema={"one": pl.Int64, "two": pl.Int64},
        orient="row",
    )
    fled, other_fled = pl.col("fled").fill_null(value=False), pl.col("other_fled").fill_null(value=False)
    return (
        mine.join(other, on=["kana", "born"])
        .filter((pl.col("entitlement_id") != pl.col("other_id")) & (pl.col("c1") | pl.col("c2")))
        .join(cleared, on=["one", "two"], how="anti")
        .filter(fled | ~other_fled)
        .select(
            "entitlement_id", "other_id", kind=pl.when(fled & ~other_fled).then(pl.lit(ORIGIN)).otherwise(pl.lit(CHILD))
        )
    )


def with_payees(rows: pl.DataFrame, standing: Standing, today: date) -> pl.DataFrame:
    """受給者の列: minor_payee（18 歳未満）、payee_on_record（記録の上の世帯主か納税者）、address_now（宛先の指紋）。"""
    residents = standing.inputs.facts.residents.select("person_number", payee_born="birth_latest")
    heads = standing.decisions.persons.filter("head")["person_number"].implode()
    by_tax = pl.col("slot_kind").is_in(["ADJ", "SHORT"])
    sent = (
        rows.select(payee_number="payee_number")
        .unique()
        .join(people(standing.inputs), left_on="payee_number", right_on="person_number")
    )
    # 鍵つきでない要約は列の計算にできない。判定する行の受給者だけを、一人ずつ。
    digests = pl.DataFrame(
        {
            "payee_number": sent["payee_number"],
            "address_now": [
                address_digest(*row)
                for row in sent.select("postal_code", "address", "address2", "addressee").iter_rows()
            ],
        },
        schema={"payee_number": pl.Int64, "address_now": pl.String},
    )
    return (
        rows.join(residents, left_on="payee_number", right_on="person_number", how="left", maintain_order="left")
        .join(digests, on="payee_number", how="left", maintain_order="left")
        .with_columns(
            # 住民記録のない受給者（住登外の納税者、相続人）の年齢は、申請の審査が見る。
            minor_payee=(pl.col("payee_born").dt.offset_by("18y") > today).fill_null(value=False),
            payee_on_record=pl.when(by_tax)
            .then(pl.col("payee_number") == pl.col("subject_number"))
            .otherwise(pl.col("payee_number").is_in(heads))
            .fill_null(value=False),
        )
        .drop("payee_born")
    )
