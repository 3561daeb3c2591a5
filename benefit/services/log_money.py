"""お金と受渡の検知（L09〜L11・L15・L16）: 口座の変更、一つの口座に二世帯、直した人の承認、数の違い、受渡の期限。"""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from benefit.services.log_findings import NOTHING, told
from benefit.services.log_frames import Logs

#: L09
DAYS_BEFORE_RELEASE = 5
#: L10
HOUSEHOLDS = 2
#: L16
RECEIPT_DAYS, ERASURE_DAYS = 2, 14
#: L11: 監査ログの上での「直した」と「承認した」。
EDITS = (".ask", ".enter", ".edit", ".reissue", ".answer", ".change", ".match_ask", ".ask_reissue", ".ask_release")
APPROVES = (".approve", ".approved", ".decide", ".match", ".release")


def changed_before_release(logs: Logs) -> pl.DataFrame:
    """L09: 送り出す前の五日の内に、口座が変わった。"""
    released = logs.paid.with_columns(day=pl.col("released").dt.date())
    gap = (pl.col("day") - pl.col("changed_on")).dt.total_days()
    found = (
        released.join(logs.account_changes, on="case_number")
        .filter(gap.is_between(0, DAYS_BEFORE_RELEASE))
        .sort("changed_on")
        .group_by("day", "case_number", "transfer_id")
        .agg(pl.col("changed_on").last())
    )
    return told(found, "case_number", "振込 {} を送り出す前、{} に口座が変わっています", "transfer_id", "changed_on")


def shared_account(logs: Logs) -> pl.DataFrame:
    """L10: 一つの口座に、二つ以上の世帯へのお金が入った。"""
    home = pl.coalesce(pl.col("household_number"), -pl.col("payee_number"))
    found = (
        logs.paid.filter(home.is_not_null())
        .group_by("account")
        .agg(
            homes=home.n_unique(),
            day=pl.col("released").max().dt.date(),
            cases=pl.col("case_number").unique().sort().str.join("、"),
        )
        .filter(pl.col("homes") >= HOUSEHOLDS)
    )
    return told(found, "cases", "一つの口座に {} 世帯の分が振り込まれました", "homes")


def approved_own_edit(logs: Logs) -> pl.DataFrame:
    """L11: 金額や口座のもとを入れた人が、承認した。"""
    paid = logs.paid.with_columns(day=pl.col("released").dt.date()).join(logs.editors, on="slot")
    in_ledger = (
        paid.filter((pl.col("editor") == pl.col("first_approver")) | (pl.col("editor") == pl.col("second_approver")))
        .group_by("day", "editor", "transfer_id")
        .agg(count=pl.len())
    )
    ledger = told(
        in_ledger, "editor", "振込 {} の承認者が、その {} 件のもとを自分で入れています", "transfer_id", "count"
    )
    deeds = logs.now.filter(pl.col("subject") != "", ~pl.col("role").is_in(["batch", "none"])).with_columns(
        theme=pl.col("action").str.split(".").list.first()
    )

    def ending(words: tuple[str, ...]) -> pl.Expr:
        return pl.any_horizontal(*(pl.col("action").str.ends_with(word) for word in words))

    key = ["actor", "theme", "subject"]
    edits = deeds.filter(ending(EDITS)).select(*key, "at")
    approvals = deeds.filter(ending(APPROVES)).select(*key, "day", approved_at="at")
    own = approvals.join(edits, on=key).filter(pl.col("at") <= pl.col("approved_at")).unique([*key, "day"])
    return pl.concat([ledger, told(own, "actor", "自分の申し出（{} {}）を、自分で承認しています", "theme", "subject")])


def counted_less(logs: Logs) -> pl.DataFrame:
    """L15: 突き合わせた行数が、その回の行数と違う（鎌倉市の事例）。"""
    wrong = logs.runs.filter(pl.col("expected") != pl.col("found")).rename({"on": "day"})
    return told(wrong, "run", "{} 行のうち {} 行しか突き合わせていません", "expected", "found")


def overdue(logs: Logs) -> pl.DataFrame:
    """L16: 受渡の受取が二日、消去の報告が受取から十四日（期限を決めた包みは、使用からその日数）、届いていない。"""
    today = logs.until
    if logs.handovers.is_empty():
        return NOTHING
    given, received = pl.col("given").dt.date(), pl.col("received").dt.date()
    late = (
        logs.handovers.with_columns(given_on=given, received_on=received, erased_on=pl.col("erased").dt.date())
        .with_columns(due=pl.col("given_on") + timedelta(days=RECEIPT_DAYS))
        .with_columns(
            erase_due=pl.when(pl.col("report_days").is_null())
            .then(pl.coalesce("received_on", "due") + timedelta(days=ERASURE_DAYS))
            .otherwise(
                pl.coalesce(pl.col("used").dt.date(), "received_on", "due") + pl.duration(days=pl.col("report_days"))
            )
        )
    )
    unreceived = late.filter(pl.col("received_on").is_null(), pl.col("due") < today)
    unerased = late.filter(pl.col("erasable"), pl.col("erased_on").is_null(), pl.col("erase_due") < today)
    return pl.concat(
        [
            told(_overdue(unreceived, "due", today), "name", "受取の記録が {} 日遅れています", "days"),
            told(_overdue(unerased, "erase_due", today), "name", "消去の報告が {} 日遅れています", "days"),
        ]
    )


def _overdue(late: pl.DataFrame, due: str, today: date) -> pl.DataFrame:
    return late.with_columns(day=pl.lit(today), days=(pl.lit(today) - pl.col(due)).dt.total_days())
