"""一つの権利の今を、台帳の行から一文にする: 後に起きたことを先に見る。"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from benefit.domain.programme import Programme
from benefit.services.ward_case import Trail, failed_checks

AT = datetime(2024, 6, 20, 1, tzinfo=UTC)
CASE = {"branch": 1, "built_at": AT, "built_by": "batch", "approved_at": AT, "approved_by": "shonin1"}
LETTER = {
    "branch": 1, "kind": "confirmation_letter", "lot_id": 1, "held_reason": None,
    "issued_on": date(2024, 6, 24), "due_on": date(2024, 10, 31),
}  # fmt: skip
DESK = {"present": True, "state": "C24", "received_on": date(2024, 7, 1)}


def verdict(word: str, *, file: int = 1, checks: str = "") -> dict[str, Any]:
    return {"verdict": word, "judged_on": date(2024, 7, 26), "planned_file_id": file, "checks": checks}


def payment(state: str, attempt: int = 1) -> dict[str, Any]:
    return {
        "state": state, "attempt": attempt, "pay_date": date(2024, 8, 2), "amount_yen": 100_000,
        "planned_file_id": 1, "reason": "口座番号相違", "made_at": AT, "made_by": "tanto", "released_at": None,
    }  # fmt: skip


def told(**rows: Any) -> tuple[str, str]:
    found = Trail({**CASE, **rows.pop("case", {})}, **rows).told
    return found.state, found.says


@pytest.mark.parametrize(
    ("rows", "state", "says"),
    [
        ({"case": {"approved_at": None}}, "承認待ち", "承認はまだ"),
        ({}, "対象", "手紙はまだ"),
        ({"letters": [LETTER]}, "発送済", "令和6年6月24日付の支給要件確認書を出しました。期限は令和6年10月31日です"),
        ({"letters": [{**LETTER, "branch": 2}]}, "対象", "手紙はまだ"),
        ({"letters": [{**LETTER, "lot_id": None, "held_reason": "字形がない"}]}, "手紙を止めている", "字形がない"),
        ({"letters": [LETTER], "desk": [DESK]}, "不備", "給付管理システムで「"),
        ({"letters": [LETTER], "desk": [{**DESK, "state": "C20"}]}, "発送済", "出しました"),
        ({"letters": [LETTER], "desk": [DESK, {**DESK, "present": False}]}, "発送済", "出しました"),
        ({"desk": [DESK], "verdicts": [verdict("保留")]}, "判定の保留", "令和6年7月26日の判定で"),
        ({"verdicts": [verdict("不可"), verdict("支給可")]}, "支給決定", "支給してよい"),
        ({"verdicts": [verdict("支給可")], "payments": [payment("F40")]}, "振込データ作成済", "データを作りました"),
        ({"verdicts": [verdict("支給可")], "payments": [payment("F41")]}, "銀行送付済", "100,000円を振り込むよう"),
        ({"verdicts": [verdict("支給可")], "payments": [payment("F42")]}, "振込済", "100,000円を振り込みました"),
        ({"verdicts": [verdict("支給可")], "payments": [payment("F43")]}, "振込不能", "口座番号相違"),
        (
            {"verdicts": [verdict("支給可"), verdict("支給可", file=2)], "payments": [payment("F43")]},
            "支給決定",
            "支給してよい",
        ),
        ({"verdicts": [verdict("支給可")], "payments": [payment("F49")]}, "支給決定", "支給してよい"),
        ({"payments": [payment("F43"), payment("F42", 2)]}, "振込済", "振り込みました"),
        (
            {"payments": [payment("F43")], "endings": [{"kind": "辞退", "approved_at": AT, "approved_by": "shonin1"}]},
            "辞退",
            "辞退で終わりました",
        ),
    ],
)
def test_the_latest_thing_that_happened_is_what_is_told(rows: dict[str, Any], state: str, says: str) -> None:
    found = told(**rows)
    assert state in found[0]
    assert says in found[1]


def test_the_checks_of_the_last_verdict_are_told_in_words() -> None:
    trail = Trail(dict(CASE), verdicts=[verdict("保留", checks="CHK10"), verdict("保留", checks="CHK81;CHK99")])
    found = failed_checks(trail, Programme.load("r6-2024"))
    assert [number for number, _, _ in found] == ["CHK81", "CHK99"]
    assert found[0][1] in ("保留", "注意", "不可")
    assert len(found[0][2]) > 5
    assert found[1][2] == "この版にない検査"
    assert failed_checks(Trail(dict(CASE)), Programme.load("r6-2024")) == []


def test_the_history_is_newest_first() -> None:
    trail = Trail(dict(CASE), letters=[LETTER], verdicts=[verdict("支給可")], payments=[payment("F42")])
    days = [step.on for step in trail.steps]
    assert days == sorted(days, reverse=True)
    assert "振込 1 回目: 振込済" in [step.what for step in trail.steps]
