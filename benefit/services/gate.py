"""関門: 手紙・受渡・支払の前に、最新の写しで判定し直し、いま通してよい権利だけを通す。

作成（build）と外へ出る日とは違う日である。その間に亡くなった人、区直轄になった人、対象から外れた人を、
登録簿の古い判定で外へ出さない（平川市の死亡者 20 通、徳島市の支援措置）。
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl
from sqlalchemy import Connection, select

from benefit.domain.business_days import add_bank_business_days
from benefit.domain.entitlement import SUBJECT_OF_SLOT
from benefit.domain.errors import RefusedByRule
from benefit.domain.programme import Programme
from benefit.rules.outcomes import Decisions
from benefit.rules.route import ward_households
from benefit.services import extracts
from benefit.services.entitlements import all_outcomes, all_slots, stored_entitlements
from benefit.services.holds import released
from benefit.services.home import Home
from benefit.services.mailing_sent import sent
from benefit.services.runs import last_approved
from benefit.services.standing import Inputs, decide_now, gather
from benefit.store import ward
from benefit.store.engine import reading

#: 解除できる保留のうち、判定の「分からない」を職員が確かめたもの: 支給判定の検査 → 判定の検査。
CLEARS = {"CHK41": "PRIOR", "CHK63": "DECLARED"}


@dataclass(frozen=True)
class Standing:
    """登録済みの支給権利と、いまの判定。

    `entitlements`: 登録簿の列に、いまの `route_now`（WARD に変わっていれば WARD）、`amount_now_yen`、
    `payee_now`、`flag`（使う口座の口座フラグ）、`eligible_now`、`payee_dead`、`ward_only`、`open`（通してよいか）、
    `why_closed` を足したもの。
    """

    inputs: Inputs
    decisions: Decisions
    entitlements: pl.DataFrame


def stand(home: Home, programme: Programme, today: date) -> Standing:
    """登録済みの権利を、`today` の事実で見直す。承認された判定がない、住民記録が古いときは RefusedByRule。"""
    if last_approved(home, programme) is None:
        raise RefusedByRule(
            "承認された判定がありません。先に benefit beneficiaries approve で、別の人が差を承認します",
            code="not-approved",
        )
    inputs = gather(home, programme, today)
    require_fresh(home, inputs)
    decisions = decide_now(inputs)
    now = all_slots(decisions, programme).select(
        "slot",
        route_now="route",
        amount_now_yen="amount_yen",
        payee_now="payee_number",
        flag_now="account_flag",
        agrees_now="name_agrees",
    )
    # 名簿から消えた人も、二人が解除するまでは外へ出さない（F.3 exit）。
    near = near_protected(inputs.marked, decisions)
    dead = dead_people(inputs, today)
    letter = ward.letter
    with reading(home.ward) as connection:
        stored = stored_entitlements(connection, programme.id)
        freed = _cleared(connection)
        over = ended(connection)
        written = connection.execute(
            select(letter.c.entitlement_id, letter.c.branch, letter.c.account_flag).where(sent()).order_by(letter.c.id)
        ).all()
    letters = pl.DataFrame(
        [tuple(row) for row in written],
        schema={"id": pl.Int64, "branch": pl.Int64, "flag_written": pl.String},
        orient="row",
    ).unique(["id", "branch"], keep="last", maintain_order=True)
    # 外へ出してよいかは、いまの経路で決める。対象でなくなった権利も、世帯の保護の印だけは直接に見る。
    wards = ward_households(inputs.marked, decisions.persons.lazy()).collect()
    verdicts = all_outcomes(decisions).select(
        "subject_kind", "subject_number", verdict_now="verdict", reasons_now="reasons"
    )
    seen = (
        stored.join(now, on="slot", how="left")
        .join(letters, on=["id", "branch"], how="left")
        .join(letters.select("id", told=pl.lit(value=True)).unique(), on="id", how="left")
        .join(near.rename({"person_number": "payee_number", "near": "payee_near"}), on="payee_number", how="left")
        .join(near.rename({"person_number": "subject_number", "near": "subject_near"}), on="subject_number", how="left")
        .join(wards, on="household_number", how="left")
        .with_columns(subject_kind=pl.col("slot_kind").replace_strict(SUBJECT_OF_SLOT, return_dtype=pl.String))
        .join(verdicts, on=["subject_kind", "subject_number"], how="left")
        .join(freed, on="id", how="left")
        .join(over, on="id", how="left")
        .join(dead.rename({"person_number": "payee_number"}), on="payee_number", how="left")
    )
    # 調整給付は、額を本人に知らせた後は凍結されている。後からの税の更正では、額も対象であることも変わらない（A.6）。
    # 知らせる前なら、作り直して差の承認を受ければ、登録した額が直る（runs.approve）。
    reasons = pl.col("reasons_now").str.split(";")
    tax_only = pl.col("verdict_now").is_not_null() & ~reasons.list.set_intersection(
        pl.lit(["ALIVE", "PAYEE"])
    ).list.len().cast(pl.Boolean)
    # 二人の職員が確かめて解除した「分からない」（世帯分離、未申告）は、対象のままとみる（CHK41・CHK63）。
    cleared = (pl.col("verdict_now") == "未確定") & (
        reasons.list.set_difference(pl.col("cleared").fill_null([])).list.len() == 0
    )
    is_adjustment = pl.col("slot_kind") == "ADJ"
    seen = (
        seen.with_columns(
            computed_yen=pl.col("amount_now_yen"),
            frozen=(
                is_adjustment
                & tax_only
                & pl.col("told").is_not_null()
                & pl.col("amount_now_yen").ne_missing(pl.col("amount_yen"))
            ).fill_null(value=False),
            kept=cleared.fill_null(value=False),
        )
        .with_columns(kept=pl.col("kept") | pl.col("frozen"))
        .with_columns(
            amount_now_yen=pl.when("kept").then("amount_yen").otherwise("amount_now_yen"),
            payee_now=pl.when("kept").then("payee_number").otherwise("payee_now"),
            route_now=pl.when(pl.col("kept") & pl.col("route_now").is_null()).then("route").otherwise("route_now"),
        )
    )
    seen = seen.with_columns(
        eligible_now=pl.col("route_now").is_not_null(),
        # 使う口座: 手紙に書いたもの。手紙の前なら、いまの判定のもの。
        flag=pl.coalesce("flag_written", "flag_now", "account_flag"),
        payee_dead=pl.col("dead_on").is_not_null(),
        # 世帯の番号と人の番号は別の並びなので、世帯の印は世帯の権利だけで見る。
        ward_only=(pl.col("route") == "WARD")
        | (pl.col("route_now") == "WARD").fill_null(value=False)
        | pl.col("payee_near").is_not_null()
        | (pl.col("subject_near").is_not_null() & (pl.col("slot_kind") != "HH100K"))
        | pl.col("ward").is_not_null(),
    ).with_columns(
        why_closed=pl.when(~pl.col("valid"))
        .then(pl.lit("判定がまだ承認されていない"))
        .when(pl.col("ended").is_not_null())
        .then(pl.lit("権利が終わっている"))
        .when(pl.col("payee_dead"))
        .then(pl.lit("受給者が亡くなっている"))
        .when(~pl.col("eligible_now"))
        .then(pl.lit("いまの判定では対象でない"))
        .when(pl.col("payee_now") != pl.col("payee_number"))
        .then(pl.lit("受給者が変わった"))
        .when(pl.col("amount_now_yen") != pl.col("amount_yen"))
        .then(pl.lit("支給額が変わった"))
    )
    return Standing(inputs, decisions, seen.with_columns(open=pl.col("why_closed").is_null()).sort("case_number"))


def _cleared(connection: Connection) -> pl.DataFrame:
    """解除された検査が確かめた、判定の検査: id、cleared（PRIOR・DECLARED の並び）。"""
    freed = released(connection).filter(pl.col("check_id").is_in(list(CLEARS)))
    return freed.group_by(id="entitlement_id").agg(
        cleared=pl.col("check_id").replace_strict(CLEARS, return_dtype=pl.String).unique()
    )


def ended(connection: Connection) -> pl.DataFrame:
    """二人の職員が終わらせた権利: id、ended。手紙も支払も、もう通さない。"""
    ending, approval = ward.ending, ward.ending_approval
    query = select(ending.c.entitlement_id).join(approval, approval.c.release_id == ending.c.id).distinct()
    rows = [tuple(row) for row in connection.execute(query)]
    return pl.DataFrame(rows, schema={"id": pl.Int64}, orient="row").with_columns(ended=pl.lit(value=True))


def near_protected(protected: pl.DataFrame, decisions: Decisions) -> pl.DataFrame:
    """区が直接扱う人（person_number）と、その人の基準日の世帯の人: person_number、near。"""
    homes = decisions.persons.join(protected, on="person_number", how="semi").select("household_number").unique()
    together = decisions.persons.join(homes, on="household_number", how="semi").select("person_number")
    return pl.concat([protected, together]).unique().with_columns(near=pl.lit(value=True))


def require_fresh(home: Home, inputs: Inputs) -> None:
    """CHK94: 住民記録の写しが、事業の決めた営業日より古ければ断る（平川市: 作ってから出すまで誰も見直さなかった）。"""
    received = extracts.received_on(home, inputs.sources["residents"])
    limit = add_bank_business_days(received, inputs.programme.schedule.fresh_business_days)
    if inputs.today > limit:
        raise RefusedByRule(
            f"CHK94 住民記録の写しが古くなっています（受け取った日 {received}）。"
            "今日の住民記録を benefit import residents で取り込んでください（中身が同じでもかまいません）",
            code="CHK94",
            found=str(inputs.today),
            allowed=f"{limit} まで",
        )


def dead_people(inputs: Inputs, today: date) -> pl.DataFrame:
    """`today` までに亡くなった人: person_number、dead_on。住民記録と住民税の両方を見る。"""
    residents = inputs.facts.residents.filter(
        (pl.col("removed_reason") == "死亡") & (pl.col("removed_on") <= today)
    ).select("person_number", dead_on="removed_on")
    taxes = inputs.facts.taxes.filter(pl.col("died_on") <= today).select("person_number", dead_on="died_on")
    return pl.concat([residents, taxes]).group_by("person_number").agg(pl.col("dead_on").min())


def people(inputs: Inputs) -> pl.DataFrame:
    """送り先と名前: 住民記録を先に、なければ送付先（住登外・転出先）。代理人と転出先の住所は、あればそちらを使う。

    列: person_number、household_number、residence_card_number、name、kana_name、former_name、birth、relation、
    postal_code、address、address2、addressee（法定代理人の名。なければ null）。
    """
    residents = inputs.facts.residents.select(
        "person_number",
        "household_number",
        "residence_card_number",
        "name",
        "kana_name",
        "former_name",
        "birth",
        "relation",
        "postal_code",
        "address",
        "address2",
    )
    addresses = inputs.facts.addresses
    outside = addresses.filter(pl.col("kind") != "法定代理人").unique("person_number", keep="last", maintain_order=True)
    strangers = outside.join(residents, on="person_number", how="anti").select(
        "person_number",
        household_number=pl.lit(None, dtype=pl.Int64),
        residence_card_number=pl.lit(None, dtype=pl.String),
        name="name",
        kana_name="kana_name",
        former_name=pl.lit(None, dtype=pl.String),
        birth=pl.lit("0000-00-00"),
        relation=pl.lit(None, dtype=pl.String),
        postal_code="postal_code",
        address="address",
        address2="address2",
    )
    everyone = pl.concat([residents, strangers])
    # 送り先: 法定代理人 → 転出先 → 住民記録の住所
    guardian = addresses.filter(pl.col("kind") == "法定代理人").unique(
        "person_number", keep="last", maintain_order=True
    )
    moved = outside.filter(pl.col("kind") == "転出先")
    sendto = pl.concat(
        [
            guardian.select("person_number", "postal_code", "address", "address2", addressee="name"),
            moved.join(guardian, on="person_number", how="anti").select(
                "person_number", "postal_code", "address", "address2", addressee=pl.lit(None, dtype=pl.String)
            ),
        ]
    )
    return (
        everyone.join(sendto, on="person_number", how="left", suffix="_to")
        .with_columns(has=pl.col("postal_code_to").is_not_null())
        .with_columns(
            [
                pl.when("has").then(pl.col(f"{c}_to")).otherwise(pl.col(c)).alias(c)
                for c in ("postal_code", "address", "address2")
            ]
        )
        .drop("postal_code_to", "address_to", "address2_to", "has")
    )


def chosen_accounts(standing: Standing) -> pl.DataFrame:
    """受給者ごとの、種類ごとの口座: person_number、account_flag、口座の五列。"""
    flag = {"生活保護": "1", "過去給付": "2", "公金受取": "3"}
    accounts = standing.inputs.facts.accounts.with_columns(
        account_flag=pl.col("account_kind").replace_strict(flag, return_dtype=pl.String)
    )
    answers = standing.inputs.facts.account_answers
    # 公金受取口座は、照会の回答があればそれが今の口座である（無・提供停止なら口座はない）。契約 §2。
    replaced = accounts.filter(
        ~((pl.col("account_flag") == "3") & pl.col("person_number").is_in(answers["person_number"].implode()))
    )
    columns = [
        "person_number",
        "account_flag",
        "bank_code",
        "branch_code",
        "account_type",
        "account_number",
        "holder_kana",
    ]
    answered = answers.filter(pl.col("registered") == "有").with_columns(account_flag=pl.lit("3"))
    return pl.concat([replaced.select(columns), answered.select(columns)])
