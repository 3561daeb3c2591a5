"""架空の返送: 確認書を受け取った人の、八割ほどが返し、少しが不備、少しが辞退する。"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from batch.world import BANK, BRANCHES, holder_text
from benefit.services.desk_accounts import holders_agree
from benefit.services.desk_forms import ReceivedForm


def reply_forms(cases: Sequence[Mapping[str, Any]], *, seed: int, first_day: date) -> list[ReceivedForm]:
    """給付管理システムの件（case_number、kana_name、あれば person_number）への返送。同じ人は同じ口座を書く。"""
    chance = random.Random(f"返送/{seed}")  # noqa: S311  # 再現できる架空のデータのため
    forms = []
    accounts: dict[str, tuple[str, str]] = {}
    for case in cases:
        received = first_day + timedelta(days=chance.randrange(10))
        outcome = chance.choices(("完了", "不備", "辞退", ""), (80, 8, 2, 10))[0]
        account = chance.choice(BRANCHES), f"9{chance.randrange(10**6):06d}"
        branch, number = accounts.setdefault(str(case.get("person_number", case["case_number"])), account)
        if outcome == "完了":
            own = str(case["kana_name"] or "カクウ　メイギ")
            holder = holder_text(own if chance.random() < 0.98 else "カクウ　カゾク")
            forms.append(
                ReceivedForm(
                    case["case_number"], received, "完了", bank_code=BANK, branch_code=branch, account_type="1",
                    account_number=number, holder_kana=holder,
                )
            )  # fmt: skip
        elif outcome:
            why = "口座書類なし" if outcome == "不備" else ""
            forms.append(ReceivedForm(case["case_number"], received, outcome, deficiency=why))
    names = {str(case["case_number"]): case["kana_name"] for case in cases}
    agreed = holders_agree((form.holder_kana, names[form.case_number]) for form in forms)
    # 名義の違う紙は、わけを付けて受け付ける（区の判定が止めて確かめる）。
    return [
        form if good or form.outcome != "完了" else replace(form, holder_reason="代理の方の口座（委任の欄あり）")
        for form, good in zip(forms, agreed, strict=True)
    ]
