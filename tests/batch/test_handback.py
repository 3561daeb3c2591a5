"""benefit desk handback / take / tasks / refusals、benefit ward-reply: 打つ言葉、終了コード、断り、書かれるもの。"""

from __future__ import annotations

import functools

import pytest

from tests.batch.conftest import Run
from tests.services.conftest import ISSUED, Office, office, prepared_sqlite  # noqa: F401  # 作業場所の部品
from tests.services.test_replies_ward import form, unknown_account
from tests.support.handback import Exchange

sqlite_only = pytest.mark.parametrize("office", ["sqlite"], indirect=True)


@pytest.fixture(name="go")
def go_in_the_office(run: Run, office: Office) -> Run:  # noqa: F811
    """この作業場所で、合言葉を打って `benefit …` を打つ。"""
    return functools.partial(run, home=office.home.path, typed="x" * 15)


@sqlite_only
def test_a_day_of_exchange_from_the_command_line(go: Run, office: Office) -> None:  # noqa: F811
    days = Exchange(office)
    back, refused = days.in_states("C20", "C20")
    days.returned(back, "unknown_address")
    days.tell(refused, "refusal_received")
    folder = office.root / "progress"
    code, out, _err = go("desk", "handback", "--out", folder)
    assert (code, "進捗情報 連番 1" in out) == (0, True)
    assert go("desk", "handback", "--out", folder)[0] == 4
    code, out, _err = go("desk", "take", folder)
    count = len(days.desk_states())
    assert code == 0
    assert f"読んだ件 {count} = 一致 {count} + 食い違い 0" in out
    assert f"渡してある件 {count} = 読んだ件 {count} − 渡していない件 0 + 消えた行 0" in out
    code, out, _err = go("desk", "take", folder)
    assert (code, "もう受け取ってあります" in out) == (0, True)
    code, out, _err = go("desk", "tasks", "--out", office.root / "tasks")
    assert code == 0
    assert "返戻: 1 件" in out
    assert f"{back} 1 確認書返戻 2024-07-26 あて所に尋ねあたらない" in out
    assert "辞退: 1 件" in out
    assert (office.root / "tasks" / "progress.xlsx").read_bytes().startswith(b"PK")
    code, out, _err = go("desk", "refusals", "--by", "tanto")
    assert (code, f": {refused}" in out, "申し出 1 件" in out) == (0, True, True)
    (folder / "cases.csv").write_text("こわれた", encoding="utf-8")
    code, _out, err = go("desk", "take", folder)
    assert (code, "指紋" in err) == (3, True)
    code, out, _err = go("handover", "list")
    assert (code, "進捗" in out) == (0, True)


@sqlite_only
def test_two_people_key_the_reply_of_a_ward_person(go: Run, office: Office) -> None:  # noqa: F811
    row = unknown_account(office)
    account = ",".join(value or "" for value in form(office, row).account.columns.values())
    paper = (row["case_number"], "--kind", "確認書", "--received", str(ISSUED), "--account", account)
    code, out, _err = go("ward-reply", "enter", *paper, "--by", "tanto", "--reason", "棚 3")
    assert (code, "返事 1" in out) == (0, True)
    assert go("ward-reply", "check", 1, *paper, "--by", "tanto")[0] == 4
    other = (*paper[:-1], account.replace("9000123", "9000124"))
    code, _out, err = go("ward-reply", "check", 1, *other, "--by", "shonin1")
    assert (code, "口座番号" in err, "9000124" in err) == (4, True, False)
    code, out, _err = go("ward-reply", "check", 1, *paper, "--by", "shonin1")
    assert (code, "効きました" in out) == (0, True)
    code, out, _err = go("ward-reply", "list")
    assert (code, row["case_number"] in out, "9000123" in out) == (0, True, False)
    code, _out, err = go("ward-reply", "enter", *paper[:-1], "1,2", "--by", "tanto", "--reason", "x")
    assert (code, "五項目" in err) == (2, True)
