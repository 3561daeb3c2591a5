"""benefit handover: 包みを作ってから消去報告書まで、コマンドだけで行う。合言葉は、渡す時の一行にだけ出る。"""

from __future__ import annotations

import functools
from pathlib import Path

import pytest

from benefit.domain.clock import system_clock
from benefit.services import extracts
from letters.package import open_package
from tests.batch.conftest import Run
from tests.services.conftest import Office, office, prepared_sqlite  # noqa: F401  # 作業場所の部品
from tests.services.test_handover_package import allow, runs

sqlite_only = pytest.mark.parametrize("office", ["sqlite"], indirect=True)


@pytest.fixture(name="go")
def go_in_the_office(run: Run, office: Office) -> Run:  # noqa: F811  # 部品の名を引数に取る
    """この作業場所で、合言葉を打って `benefit …` を打つ。"""
    return functools.partial(run, home=office.home.path, typed="x" * 15)


@sqlite_only
def test_a_package_from_make_to_its_erasure_report(go: Run, office: Office, tmp_path: Path) -> None:  # noqa: F811  # 部品の名を引数に取る
    folders = runs(office)
    make = ("handover", "make", *folders, "--to", "株式会社架空印刷", "--by", "tanto")
    code, _out, err = go(*make)
    assert code == 4
    # コマンドの時計は本物なので、今日の日付で許しを書き、今日の住民記録にする。
    office.clock.now = system_clock()
    allow(office)
    residents = office.root / "in" / "residents.csv"
    extracts.import_file(office.home, "residents", residents, clock=system_clock, levy_year=2024)
    code, told, err = go(*make)
    assert code == 0, err
    assert "受渡 print_out/1" in told
    folder = office.home.outbox / "print" / "print-0001"
    hand = ("--handler", "甲野")
    issue = ("handover", "issue", 1, *hand, "--medium", "DVD-R", "--companion", "乙山", "--locked-bag")
    assert go(*issue, "--by", "tanto")[0] == 4
    assert go("handover", "passphrase", 1, "--to", "印刷 太郎", "--by", "shonin2")[0] == 4
    code, out, err = go(*issue, "--by", "shonin1")
    assert code == 0, err
    said = told + out
    assert go("handover", "receive", 1, *hand, "--quantity", 2, "--by", "tanto")[0] == 4
    code, out, _err = go("handover", "receive", 1, *hand, "--quantity", 1, "--by", "tanto")
    said += out
    assert (code, "消去報告書を待っています" in out) == (0, True)
    assert go("handover", "passphrase", 1, "--to", "印刷 太郎", "--by", "shonin1")[0] == 4
    code, out, _err = go("handover", "passphrase", 1, "--to", "印刷 太郎", "--by", "shonin2")
    assert code == 0
    secret = out.splitlines()[0].removeprefix("合言葉").strip()
    assert open_package(folder / "print-0001.zip", secret)["mokuroku.json"]
    assert secret not in said
    code, out, _err = go("handover", "overdue")
    assert (code, "ありません" in out) == (0, True)
    for step in (
        ("use",),
        ("return", "--quantity", 1),
        ("erase", "--reason", "上書き"),
        ("report", "--reason", "第 7 号"),
    ):
        code, out, err = go("handover", step[0], 1, *hand, *step[1:], "--by", "tanto")
        assert code == 0, err
    assert "終わりました" in out
    assert go("handover", "cancel", 1, *hand, "--reason", "x", "--by", "tanto")[0] == 4
    code, out, _err = go("handover", "show", "print_out/1")
    assert (code, "第 7 号" in out, "合言葉　印刷 太郎" in out, secret in out) == (0, True, True, False)
    assert go("handover", "show", "print_out/９")[0] == 2
    code, out, _err = go("handover", "book", "--out", tmp_path / "book", "--by", "tanto", "--reason", "審議会")
    assert code == 0
    assert sorted(path.name for path in (tmp_path / "book").iterdir()) == [
        "ukewatashi-kanribo.pdf", "ukewatashi-kanribo.xlsx",
    ]  # fmt: skip


@sqlite_only
def test_an_overdue_handover_ends_the_command_with_four(go: Run, office: Office) -> None:  # noqa: F811  # 部品の名を引数に取る
    from tests.services.test_handover_book import ISSUED, RECEIVED, made, walk

    made(office.home, office.clock)
    walk(office.home, "1", office.clock, ISSUED, RECEIVED)
    code, out, err = go("handover", "overdue")
    assert code == 4
    assert "消去報告書が" in out
    assert "期限を過ぎた受渡があります" in err
