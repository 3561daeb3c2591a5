"""架空の照会の回答と、確認書の返送: どの答えの言葉も現れ、聞かれたことだけに答える。"""

from __future__ import annotations

import csv
import io
from collections import Counter
from datetime import date

import pytest

from batch.world.answers import answer_account, answer_tax
from batch.world.replies import reply_forms
from benefit.records import extracts
from benefit.records.zengin_text import PARTY_NAME, convert


def asked(count: int) -> list[dict[str, str]]:
    return [{"照会番号": f"T{place:08d}", "住民番号": f"{place + 1:010d}", "年度": "2024"} for place in range(count)]


def table(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode())))


def test_every_tax_answer_occurs_and_answers_its_own_question() -> None:
    rows = asked(300)
    data = answer_tax(rows, seed=4)
    reading = extracts.read(extracts.TABLES["tax_answers"], data, file_name="tax_answers.csv")
    assert reading.rows_rejected == 0
    answers = table(data)
    assert [(one["照会番号"], one["住民番号"]) for one in answers] == [(r["照会番号"], r["住民番号"]) for r in rows]
    said = Counter(one["回答"] for one in answers)
    assert set(said) == {"課税", "非課税", "未申告", "該当なし", "提供不可", "エラー"}
    assert said["課税"] + said["非課税"] > 200
    assert {one["租税条約免除"] for one in answers} == {"0", "1"}
    taxed = [one for one in answers if one["回答"] == "課税"]
    # 減税前の額が、ある・0・空の、どれもある（契約 §2: 回答の読み方の分かれ目）。
    assert {"", "0"} < {one["所得割額_減税前"] for one in taxed}
    assert answer_tax(rows, seed=4) == data != answer_tax(rows, seed=5)


def test_every_account_answer_occurs_in_the_holders_own_half_width_kana() -> None:
    rows = asked(300)
    kana_names = {row["住民番号"]: "ヤマダ　ハナコ" for row in rows}
    data = answer_account(rows, seed=4, kana=kana_names)
    reading = extracts.read(extracts.TABLES["account_answers"], data, file_name="account_answers.csv")
    assert reading.rows_rejected == 0
    answers = table(data)
    assert {one["登録"] for one in answers} == {"有", "無", "提供停止"}
    given = [one for one in answers if one["登録"] == "有"]
    assert 60 < len(given) < 140
    assert all(one["金融機関コード"] == "9999" and one["口座番号"].startswith("9") for one in given)
    own = sum(one["口座名義カナ"] == convert("ヤマダ　ハナコ", PARTY_NAME) for one in given)
    assert 0.85 * len(given) < own < len(given)
    assert all(not one["口座番号"] for one in answers if one["登録"] != "有")
    assert answer_account(rows, seed=4, kana=kana_names) == data


@pytest.mark.parametrize("count", [0, 1, 5])
def test_few_questions_get_as_many_answers(count: int) -> None:
    assert len(table(answer_tax(asked(count), seed=1))) == count
    assert len(table(answer_account(asked(count), seed=1, kana={}))) == count


# --- 返送 ------------------------------------------------------------------------------------------------------------


def test_most_people_answer_a_few_badly_and_some_never() -> None:
    cases: list[dict[str, object]] = [
        {"case_number": f"{place:011d}", "kana_name": "スズキ　タロウ", "person_number": place}
        for place in range(2_000)
    ]
    first = date(2024, 7, 10)
    forms = reply_forms(cases, seed=6, first_day=first)
    assert len({form.case_number for form in forms}) == len(forms)
    said = Counter(form.outcome for form in forms)
    assert 0.76 < said["完了"] / len(cases) < 0.84
    assert 0.05 < said["不備"] / len(cases) < 0.11
    assert 0.01 < said["辞退"] / len(cases) < 0.035
    assert 0.07 < 1 - len(forms) / len(cases) < 0.13
    for form in forms:
        assert form.received_on >= first
        if form.outcome == "完了":
            assert form.bank_code == "9999"
            assert form.account_number is not None
            assert form.account_number.startswith("9")
        else:
            assert form.account_number is None
            assert bool(form.deficiency) == (form.outcome == "不備")
    holders = Counter(form.holder_kana for form in forms if form.outcome == "完了")
    assert holders.most_common(1)[0][0] == "ｽｽﾞｷ ﾀﾛｳ"
    assert len(holders) == 2
    assert reply_forms(cases, seed=6, first_day=first) == forms


def test_one_person_writes_one_account_on_all_of_his_forms() -> None:
    cases: list[dict[str, object]] = [
        {"case_number": f"{place:011d}", "kana_name": "スズキ　タロウ", "person_number": place // 3}
        for place in range(300)
    ]
    by_person: dict[int, set[tuple[str | None, str | None]]] = {}
    for form in reply_forms(cases, seed=6, first_day=date(2024, 7, 10)):
        if form.outcome == "完了":
            by_person.setdefault(int(form.case_number) // 3, set()).add((form.branch_code, form.account_number))
    assert {len(accounts) for accounts in by_person.values()} == {1}
