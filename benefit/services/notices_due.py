"""きょう送るべきお知らせ（L6 支給決定、L7 不支給決定、L9 振込不能、L14 返還の督促）の相手を、区の台帳から決める。

どれも台帳の出来事（支払、権利の終わり、不能、請求）から導く。一つの出来事（`occasion`）には一度だけで、もう一度
頼んでも増えない。送る日の事実で見直し（gate.stand）、亡くなった人、もう当たらない人には作らず、訳を言う。
L5 と L8 は委託先の紙で、給付管理システムの台帳だけから作る（desk_notices）。
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl
from sqlalchemy import Connection, select

from benefit.domain.errors import WrongUse
from benefit.domain.letter import (
    AWARD_NOTICE,
    DUNNING_LETTER,
    FAILED_TRANSFER_NOTICE,
    LETTER_NAMES,
    NOTICE_KINDS,
    REFUSAL_NOTICE,
)
from benefit.domain.programme import Programme
from benefit.services import failures, notices_made
from benefit.services.gate import Standing, chosen_accounts, people, stand
from benefit.services.home import Home
from benefit.services.notices_dunning import overdue
from benefit.services.transfer_lines import ACCOUNT
from benefit.store import ward
from benefit.store.engine import reading
from benefit.store.frames import fetch

#: 口座の届の期限までの日数（決定 0030）。
ACCOUNT_DAYS = 21
#: 権利の終わり方 → 紙に書く大まかな理由。辞退した人には、不支給の通知を送らない。
REFUSAL_REASONS = {
    "不支給": "支給の要件に当てはまらないことが確認されたため",
    "契約不成立": "期限までに、お振込みできる口座の届がなかったため",
}
#: 銀行の不能理由コード → 紙に書く言葉。05（死亡・差押え等）と 08・09 の中身は、紙では言わない。
FAILURE_REASONS = {
    "01": "お届けの番号の口座が見つからなかったため（口座番号の違い）",
    "02": "預金の種目（普通・当座など）が違っていたため",
    "03": "口座の名義が、お届けの名義と違っていたため",
    "04": "口座が解約されていたため",
    "06": "支店の統廃合などで、支店が見つからなかったため",
    "07": "金融機関が見つからなかったため",
}
OTHER_FAILURE = "金融機関で受け付けられなかったため"
UNKNOWN_ADDRESS = "送付先が分からない（addresses.csv に登録する）"
DEAD = "受給者が亡くなっている（相続人を確かめる）"
PAID_LATE = "振込日を過ぎている"


@dataclass(frozen=True)
class NoticesDue:
    """送るべきお知らせ: 一行一通。`closed` は作らない件とその訳（case_number、why）。already は前に作った数。"""

    kind: str
    letters: pl.DataFrame
    closed: pl.DataFrame
    already: int


def who_gets(home: Home, programme: Programme, kind: str, today: date, *, again: bool = False) -> NoticesDue:
    """`kind`（NOTICE_KINDS）の相手。`again` なら、もう作ったものだけ（写しのため。時期を過ぎたものも入る）。

    列: entitlement_id、case_number、branch、benefit、payee_number、occasion、due_on、place、ward_only、braille、
    account_flag、gate.people の列、種類ごとの列（_CHOOSING の関数を見よ）。
    断り: 知らない種類、住民記録が古い（CHK94）。
    """
    if kind not in NOTICE_KINDS:
        raise WrongUse(
            "この種類のお知らせは作れません", code="notice-kind", found=kind, allowed="、".join(NOTICE_KINDS)
        )
    standing = stand(home, programme, today)
    with reading(home.ward) as connection:
        chosen = occasions(home, connection, standing, kind)
        made = notices_made.made(connection, kind)
    chosen = chosen.join(made, on=["entitlement_id", "occasion"], how="left").with_columns(
        pl.col("made").fill_null(value=False), pl.col("pulled").fill_null(0)
    )
    already = int(chosen["made"].sum())
    gate = pl.col("why_closed") if kind in (AWARD_NOTICE, FAILED_TRANSFER_NOTICE) else pl.lit(None, dtype=pl.String)
    ordinary = "printer" if kind in (AWARD_NOTICE, REFUSAL_NOTICE) else "office"
    facts = standing.entitlements.select(
        "case_number",
        "branch",
        "benefit",
        "payee_number",
        "payee_dead",
        "ward_only",
        "why_closed",
        "route",
        entitlement_id="id",
    )
    rows = (
        chosen.filter(pl.col("made") if again else ~pl.col("made"))
        .with_columns(
            why=pl.lit(None, dtype=pl.String) if again else pl.col("why"),
            # 抜いた紙の代わりは、同じ出来事の次の紙である。
            occasion=pl.when((pl.col("pulled") > 0) & ~pl.col("made"))
            .then(pl.format("{}r{}", "occasion", "pulled"))
            .otherwise("occasion"),
        )
        .drop("made", "pulled")
        .join(facts, on="entitlement_id")
        .join(people(standing.inputs), left_on="payee_number", right_on="person_number", how="left")
        .with_columns(braille=pl.col("payee_number").is_in(standing.inputs.facts.braille["person_number"].implode()))
        .with_columns(
            place=pl.when("ward_only")
            .then(pl.lit("ward"))
            .when("braille")
            .then(pl.lit("braille"))
            .otherwise(pl.lit(ordinary)),
            why=pl.coalesce(
                pl.when("payee_dead").then(pl.lit(DEAD)),
                "why",
                gate,
                pl.when(pl.col("name").is_null() | pl.col("address").is_null()).then(pl.lit(UNKNOWN_ADDRESS)),
            ),
        )
        .sort("case_number", "occasion")
    )
    closed = rows.filter(pl.col("why").is_not_null()).select("case_number", "why")
    letters = rows.filter(pl.col("why").is_null()).drop("why", "why_closed", "payee_dead")
    return NoticesDue(kind, letters, closed, already)


def occasions(home: Home, connection: Connection, standing: Standing, kind: str) -> pl.DataFrame:
    """`kind` のいまの出来事のすべて（もう作ったものも）: entitlement_id、occasion、why（送らない訳）など。"""
    return _CHOOSING[kind](home, connection, standing, standing.inputs.today)


_PAID = {
    "entitlement_id": pl.Int64,
    "attempt": pl.Int64,
    "state": pl.String,
    "amount_yen": pl.Int64,
    **dict.fromkeys(ACCOUNT, pl.String),
    "pay_date": pl.Date,
    "decided_on": pl.Date,
}


def _awards(home: Home, connection: Connection, standing: Standing, today: date) -> pl.DataFrame:
    """振込データができて、まだ振込日の来ていない支払: pay_date、decided_on（判定の日）、amount_yen、口座の五列。

    不能の後の再振込と、取り消して作り直した振込は、日や口座が変わるので、もう一度送る（`occasion` は何回目の支払か）。
    """
    payment, line, transfer, file = ward.payment, ward.transfer_line, ward.transfer, ward.planned_file
    query = (
        select(
            payment.c.entitlement_id,
            payment.c.attempt,
            payment.c.state,
            payment.c.amount_yen,
            *(payment.c[name] for name in ACCOUNT),
            transfer.c.pay_date,
            file.c.judged_on,
        )
        .join(line, line.c.payment_id == payment.c.id)
        .join(transfer, transfer.c.id == line.c.transfer_id)
        .join(file, file.c.id == payment.c.planned_file_id)
        .where(payment.c.state.in_(["F40", "F41", "F42"]), payment.c.entitlement_id.is_not(None))
    )
    paid = fetch(connection, query, _PAID)
    own = _own_account(standing)
    return (
        paid.join(own, on=["entitlement_id", *ACCOUNT], how="left")
        .with_columns(
            occasion=pl.col("attempt").cast(pl.String),
            due_on=pl.col("pay_date"),
            account_flag=pl.col("account_flag").fill_null("0"),
            why=pl.when((pl.col("pay_date") < today) | (pl.col("state") == "F42")).then(pl.lit(PAID_LATE)),
        )
        .drop("state", "attempt")
    )


def _own_account(standing: Standing) -> pl.DataFrame:
    """登録の口座のまま払う権利: entitlement_id、account_flag、口座の五列。ほかは、届け出た口座（フラグ 0）である。"""
    accounts = chosen_accounts(standing)
    return (
        standing.entitlements.select("payee_number", entitlement_id="id", account_flag="flag")
        .join(accounts, left_on=["payee_number", "account_flag"], right_on=["person_number", "account_flag"])
        .select("entitlement_id", "account_flag", *ACCOUNT)
        .unique()
    )


def _refusals(home: Home, connection: Connection, standing: Standing, today: date) -> pl.DataFrame:
    """二人の承認で終わった権利（不支給、契約不成立）: decided_on（承認の日）、reason。"""
    ending, approval = ward.ending, ward.ending_approval
    query = (
        select(ending.c.entitlement_id, ending.c.id, ending.c.kind, approval.c.approved_at)
        .join(approval, approval.c.release_id == ending.c.id)
        .where(ending.c.kind.in_(list(REFUSAL_REASONS)))
    )
    schema = {"entitlement_id": pl.Int64, "ending": pl.Int64, "kind": pl.String, "approved_at": pl.Datetime}
    rows = fetch(connection, query, schema)
    return rows.select(
        "entitlement_id",
        occasion=pl.col("ending").cast(pl.String),
        due_on=pl.lit(today),
        account_flag=pl.lit("0"),
        reason=pl.col("kind").replace_strict(REFUSAL_REASONS, return_dtype=pl.String),
        decided_on=pl.col("approved_at").dt.replace_time_zone("UTC").dt.convert_time_zone("Asia/Tokyo").dt.date(),
        why=pl.lit(None, dtype=pl.String),
    )


def _failed(home: Home, connection: Connection, standing: Standing, today: date) -> pl.DataFrame:
    """まだ口座の届のない不能（この給付の分）: transferred_on、reason。"""
    book = failures.register_in(connection, today)
    waiting = book.filter(pl.col("entitlement_id").is_not_null() & pl.col("status").is_in(["受付", "口座再届出待ち"]))
    return waiting.select(
        "entitlement_id",
        "transferred_on",
        occasion=pl.col("id").cast(pl.String),
        due_on=pl.lit(today + timedelta(days=ACCOUNT_DAYS)),
        account_flag=pl.lit("0"),
        reason=pl.col("reason_code").replace_strict(FAILURE_REASONS, default=OTHER_FAILURE, return_dtype=pl.String),
        why=pl.lit(None, dtype=pl.String),
    )


_Choosing = Callable[[Home, Connection, Standing, date], pl.DataFrame]
_CHOOSING: dict[str, _Choosing] = {
    AWARD_NOTICE: _awards,
    REFUSAL_NOTICE: _refusals,
    FAILED_TRANSFER_NOTICE: _failed,
    DUNNING_LETTER: overdue,
}
assert set(_CHOOSING) == set(NOTICE_KINDS) <= set(LETTER_NAMES)
