"""変わった事実を見つける: 登録した権利と、いまの事実を比べ、何が変わり、何をするかを一覧にする。

見つけたことは、済ませるまで一覧に残る。止めること（手紙・支払・受渡）は、ここを待たずに関門がもう止めている。
ここは、人がする残りの仕事の帳簿である。
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date

import polars as pl
from sqlalchemy import Connection, select

from benefit.domain.access import BATCH, Actor
from benefit.domain.change import CHANGE_OF, STAGE_NAMES
from benefit.domain.clock import Clock
from benefit.domain.errors import RefusedByRule, WrongUse
from benefit.domain.programme import Programme
from benefit.rules.outcomes import checks_of
from benefit.services import extracts
from benefit.services.desk_export import progress
from benefit.services.entitlements import all_slots
from benefit.services.gate import Standing, stand
from benefit.services.home import Home
from benefit.services.runs import Run, last_approved
from benefit.store import audit, ward
from benefit.store.bulk import insert_rows
from benefit.store.engine import in_turn, reading
from benefit.store.frames import fetch

_ADDRESS = ("name", "kana_name", "postal_code", "address", "address2")
#: 見つけた変わり方の列。
COLUMNS = {
    "id": pl.Int64,
    "slot": pl.String,
    "case_number": pl.String,
    "payee_number": pl.Int64,
    "code": pl.String,
    "stage": pl.String,
    "why": pl.String,
    "found_on": pl.Date,
}


@dataclass(frozen=True)
class Found:
    """一回の見直し。`open` は、済んでいない変わり方の全部（COLUMNS）。`fresh` は、今回初めて見つけた数。"""

    open: pl.DataFrame
    fresh: int
    looked: int


def find(home: Home, programme: Programme, today: date, *, clock: Clock) -> Found:
    """いまの事実で見直し、新しく見つけたことを登録する。もう一度実行しても増えない。"""
    standing = stand(home, programme, today)
    rows = changed(home, programme, standing, today)
    table = ward.change_found
    now = clock()
    with home.ward.begin() as connection:
        in_turn(connection, "changes")
        known = {tuple(row) for row in connection.execute(select(table.c.slot, table.c.code, table.c.why_sha256)).all()}
        names = ("programme", "slot", "case_number", "payee_number", "code", "stage", "why", "why_sha256")
        fresh = [
            (programme.id, *row, digest, today, now)
            for row in rows.select(*names[1:-1]).iter_rows()
            if (row[0], row[3], digest := hashlib.sha256(row[5].encode()).hexdigest()) not in known
        ]
        insert_rows(connection, table, (*names, "found_on", "found_at"), fresh)
        if fresh:
            audit.record(
                connection,
                ward.audit_log,
                at=now,
                actor=BATCH,
                action="changes.find",
                subject=programme.id,
                detail={"fresh": len(fresh)},
            )
    with reading(home.ward) as connection:
        return Found(still_open(connection, programme.id), len(fresh), standing.entitlements.height)


def still_open(connection: Connection, programme_id: str) -> pl.DataFrame:
    """済んでいない変わり方を、見つけた順に。"""
    table, closed = ward.change_found, ward.change_closed
    query = (
        select(*(table.c[name] for name in COLUMNS))
        .outerjoin(closed, closed.c.change_id == table.c.id)
        .where(table.c.programme == programme_id, closed.c.change_id.is_(None))
        .order_by(table.c.id)
    )
    return fetch(connection, query, COLUMNS)


def close(home: Home, number: int, *, did: str, actor: Actor, clock: Clock) -> None:
    """済ませた。何をしたかを残す。"""
    if not did.strip():
        raise WrongUse("何をしたかを書いてください（--did）")
    table, closed = ward.change_found, ward.change_closed
    with home.ward.begin() as connection:
        found = connection.execute(select(table.c.case_number, table.c.code).where(table.c.id == number)).first()
        if found is None:
            raise WrongUse(f"変わったこと {number} は、一覧にありません")
        if connection.execute(select(closed.c.change_id).where(closed.c.change_id == number)).first():
            raise RefusedByRule(f"変わったこと {number} は、もう済んでいます", code="closed")
        connection.execute(
            closed.insert().values(change_id=number, did=did.strip(), closed_by=actor.id, closed_at=clock())
        )
        audit.record(
            connection,
            ward.audit_log,
            at=clock(),
            actor=actor,
            action="changes.close",
            subject=found.case_number,
            reason=did.strip(),
            detail={"change": number, "code": found.code},
        )


def changed(home: Home, programme: Programme, standing: Standing, today: date) -> pl.DataFrame:
    """権利ごとに、変わったこと一つまで: slot、case_number、payee_number、code、stage、why。"""
    seen = standing.entitlements.filter("valid")
    with reading(home.ward) as connection:
        advanced = progress(connection).select(id="entitlement_id", state="state", due_on="due_on")
    approved = last_approved(home, programme)
    assert approved is not None
    rows = (
        seen.join(advanced, on="id", how="left")
        .join(_moves(home, programme, standing, approved, today), on="payee_number", how="left")
        .join(_living(standing), on="household_number", how="left")
        .with_columns(stage=_stage(today))
    )
    household = pl.col("slot_kind").is_in(["HH100K", "CHILD"])
    reasons = pl.col("reasons_now").fill_null("")
    others_living = household & (pl.col("living") > 0).fill_null(value=False)
    code = (
        pl.when(pl.col("ward_only") & (pl.col("route") != "WARD"))
        .then(pl.lit("PROTECTED"))
        .when(pl.col("payee_dead") & others_living)
        .then(pl.lit("DIED_OTHERS_LIVING"))
        .when("payee_dead")
        .then(pl.lit("DIED"))
        .when(pl.col("verdict_now").is_null())
        .then(pl.lit("VANISHED"))
        .when("frozen")
        .then(pl.lit("FROZEN"))
        .when(household & reasons.str.split(";").list.contains("TAX"))
        .then(pl.lit("TAX_UP"))
        .when(pl.col("verdict_now") == "対象外")
        .then(pl.lit("EXCLUDED"))
        .when((pl.col("verdict_now") == "未確定") & ~pl.col("kept"))
        .then(pl.lit("UNDETERMINED"))
        .when(pl.col("payee_now") != pl.col("payee_number"))
        .then(pl.lit("PAYEE_CHANGED"))
        .when(pl.col("amount_now_yen") != pl.col("amount_yen"))
        .then(pl.lit("AMOUNT"))
        .when("removed_by_office")
        .then(pl.lit("REMOVED_BY_OFFICE"))
        .when(pl.col("moved").is_not_null())
        .then(pl.lit("MOVED"))
    )
    told = rows.with_columns(code=code).filter(pl.col("code").is_not_null()).with_columns(why=_why(programme))
    columns = ("slot", "case_number", "payee_number", "code", "stage", "why")
    return pl.concat([told.select(columns), _entering(standing, programme).select(columns)]).sort("slot")


def _stage(today: date) -> pl.Expr:
    state = pl.col("state").fill_null("S10")
    # お知らせは、期限までに断られなければ受け入れたことになる（P25）。確認書は、判定に来て初めて受諾が分かる。
    return (
        pl.when(state == "F42")
        .then(pl.lit("paid"))
        .when(state.is_in(["F43", "F44"]))
        .then(pl.lit("failed"))
        .when(state.is_in(["F40", "F41"]))
        .then(pl.lit("in_transfer"))
        .when(state.is_in(["J30", "J31", "J32", "D33"]) | ((state == "P20") & (pl.col("due_on") < today)))
        .then(pl.lit("accepted"))
        .when(state.is_in(["P20", "C20"]))
        .then(pl.lit("sent"))
        .otherwise(pl.lit("before_letter"))
    )


def _why(programme: Programme) -> pl.Expr:
    """どの事実か。検査の名は、職員の読む文にする。"""
    says = {check.id: check.says for checks in checks_of(programme).values() for check in checks}
    checks = (
        pl.col("reasons_now")
        .str.split(";")
        .list.eval(pl.element().replace_strict(says, default=pl.element()))
        .list.join("、")
    )
    code = pl.col("code")
    return (
        pl.when(code == "PROTECTED")
        .then(pl.lit("区が直接扱う人の名簿に、世帯の人が載った"))
        .when(code.is_in(["DIED", "DIED_OTHERS_LIVING"]))
        .then(pl.format("死亡 {}", pl.col("dead_on").dt.to_string("%Y-%m-%d")))
        .when(code == "VANISHED")
        .then(pl.lit("登録した世帯・人の行がない"))
        .when(code == "FROZEN")
        .then(
            pl.format(
                "登録 {} 円、いまの計算 {} 円 {}",
                "amount_yen",
                pl.col("computed_yen").fill_null(0),
                pl.col("reasons_now").fill_null(""),
            )
        )
        .when(code.is_in(["TAX_UP", "EXCLUDED", "UNDETERMINED"]))
        .then(pl.format("合わなくなった要件: {}", checks.fill_null("")))
        .when(code == "PAYEE_CHANGED")
        .then(pl.format("受給者 {} → {}", "payee_number", "payee_now"))
        .when(code == "AMOUNT")
        .then(pl.format("{} 円 → {} 円", "amount_yen", "amount_now_yen"))
        .otherwise(pl.col("moved"))
        .str.strip_chars(" ")
    )


def _living(standing: Standing) -> pl.DataFrame:
    """基準日の世帯ごとの、いま生きている人の数。"""
    return standing.decisions.persons.group_by("household_number").agg(living=(~pl.col("dead")).sum())


def _moves(home: Home, programme: Programme, standing: Standing, approved: Run, today: date) -> pl.DataFrame:
    """受給者ごとの、承認した時から変わった住所・氏名と、転出・職権消除。"""
    residents = standing.inputs.facts.residents
    then = extracts.residents_of_run(home, approved.inputs)
    both = residents.select("person_number", "removed_on", "removed_reason", *_ADDRESS).join(
        then.select("person_number", *_ADDRESS), on="person_number", how="left", suffix="_then"
    )
    labels = {"name": "氏名", "kana_name": "カナ氏名", "postal_code": "郵便番号", "address": "住所", "address2": "方書"}
    known = pl.col("name_then").is_not_null()
    parts = [
        pl.when(known & pl.col(name).ne_missing(pl.col(f"{name}_then"))).then(pl.lit(f"{label}が変わった"))
        for name, label in labels.items()
    ]
    gone = pl.col("removed_on") <= today
    # 送付先（転出先・代理人）が登録されていれば、手紙はそこへ行く。
    addresses = standing.inputs.facts.addresses["person_number"].implode()
    unreachable = (
        gone & pl.col("removed_reason").is_in(["転出", "国外転出"]) & ~pl.col("person_number").is_in(addresses)
    )
    left = pl.when(unreachable).then(
        pl.format("{} {}", "removed_reason", pl.col("removed_on").dt.to_string("%Y-%m-%d"))
    )
    office = (gone & (pl.col("removed_reason") == "職権")).fill_null(value=False)
    removed = pl.when(office).then(pl.format("職権消除 {}", pl.col("removed_on").dt.to_string("%Y-%m-%d")))
    told = pl.concat_str([left, removed, *parts], separator="、", ignore_nulls=True)
    return (
        both.with_columns(moved=told, removed_by_office=office)
        .filter(pl.col("moved") != "")
        .select("moved", "removed_by_office", payee_number="person_number")
    )


def _entering(standing: Standing, programme: Programme) -> pl.DataFrame:
    """いま対象なのに、承認された権利がない人。"""
    registered = standing.entitlements.filter("valid").select("slot")
    return (
        all_slots(standing.decisions, programme)
        .join(registered, on="slot", how="anti")
        .select(
            "slot",
            "payee_number",
            case_number=pl.lit(""),
            code=pl.lit("ENTERS"),
            stage=pl.lit("before_letter"),
            why=pl.format("{} {} 円", "benefit", "amount_yen"),
        )
    )


def told(rows: pl.DataFrame, today: date) -> pl.DataFrame:
    """職員が見る一覧: 変わったこと、理由、すること、何日たったか。"""
    todo = ["／".join(CHANGE_OF[code].todo[stage]) for code, stage in rows.select("code", "stage").iter_rows()]
    names = {code: change.name for code, change in CHANGE_OF.items()}
    return rows.select(
        pl.col("id").alias("番号"),
        pl.col("case_number").alias("給付管理番号"),
        pl.col("slot").alias("権利"),
        pl.col("payee_number").cast(pl.String).str.zfill(10).alias("受給者番号"),
        pl.col("code").replace_strict(names, return_dtype=pl.String).alias("変わったこと"),
        pl.col("stage").replace_strict(STAGE_NAMES, return_dtype=pl.String).alias("段階"),
        pl.col("why").alias("なぜ"),
        pl.Series("すること", todo, dtype=pl.String),
        pl.col("found_on").dt.to_string("%Y-%m-%d").alias("見つけた日"),
        (pl.lit(today) - pl.col("found_on")).dt.total_days().alias("経過日数"),
    )
