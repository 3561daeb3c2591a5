"""`benefit museum`: 事例を職員の読める物語として演じ、一つでも通れば失敗で終わる。"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from batch.cli import app
from batch.museum import cases, telling
from batch.museum.cases import CASES
from batch.museum.office import Office
from batch.museum.story import Case, replay
from benefit.domain.errors import RefusedByRule
from tests.museum.off import checks

PLACES = ["寝屋川市", "ある村", "宇部市", "門真市", "津山市", "阿武町", "垂水市", "宮崎市", "上峰町", "鎌倉市"]


@pytest.mark.parametrize("case", CASES, ids=[case.key for case in CASES])
def test_every_scene_ends_at_the_control_it_names(case: Case, opened: Path, tmp_path: Path) -> None:
    told = replay(case, opened, tmp_path)
    page = telling.page([told])
    assert f">{case.place}</h2>" in page
    assert "結論: 止まりました。" in page
    assert told.stopped, [(scene.control.key, scene.stop) for played in told.played for scene in played.scenes]
    for played in told.played:
        assert len(played.scenes) >= 2
        assert (played.harm, played.most_times_paid <= 1, played.most_live_payments <= 1) == ([], True, True)
        for scene in played.scenes:
            assert scene.said
            assert scene.stop
            assert scene.stop.says


def test_a_control_that_does_not_hold_is_told(opened: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """言っていた守りが働かなければ、ほかの守りが事故を止めても、「止まった」とは言わない。"""
    case = next(case for case in CASES if case.key == "miyazaki")
    checks("CHK30", "CHK31")(monkeypatch, Office(opened))
    told = replay(case, opened, tmp_path)
    assert [played.harm for played in told.played] == [[]]
    assert not told.stopped


def test_the_people_who_should_have_been_paid_are_named_and_paid(opened: Path, tmp_path: Path) -> None:
    """垂水市では、前の 8 世帯に二度払っただけでなく、払うはずの 8 世帯に払わなかった。"""
    case = next(case for case in CASES if case.key == "tarumizu")
    office = Office(opened).copy_to(tmp_path / "office")
    case.mistakes[0].before(office)
    paid = {account for _, account, _ in office.lines_out()}
    case.mistakes[0].do(office)
    due = {office.people[name].account[3] for name in office.people if name.startswith("確認")} - paid
    assert any("8 行が消えた" in said for said in office.said), office.said
    assert {account for _, account, _ in office.lines_out()} - paid == due
    office.close()


def test_the_bytes_given_to_the_bank_are_what_is_counted(opened: Path, tmp_path: Path) -> None:
    """台帳がどう言っていても、銀行に渡したファイルに同じ権利が二度あれば、事故である。"""
    office = Office(opened).copy_to(tmp_path / "office")
    office.first_payment()
    assert office.harm() == []
    sent = (office.root / "bank" / "sogo-0001.txt").read_bytes()
    (office.root / "bank" / "sogo-0099.txt").write_bytes(sent)
    assert office.harm() == [f"{len(office.lines_out()) // 2} 件の権利に、二度払った"]
    office.close()


def test_the_list_names_the_ten(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["--home", str(tmp_path / "none"), "museum"])
    assert done.exit_code == 0, done.output
    # 端末の幅で折れるので、罫線と空白を除いて見る。
    squeezed = re.sub(r"[│┃\s]", "", done.output)
    assert [place for place in PLACES if place in squeezed] == PLACES
    assert not (tmp_path / "none").exists()


def test_one_replay_is_a_story_with_its_source_and_the_refusal(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["--home", str(tmp_path / "none"), "museum", "宮崎"])
    assert done.exit_code == 0, done.output
    for said in (
        "2024年5月",
        "15万円",
        "報道資料",
        "CHK30 もう振り込んである",
        "UNIQUE constraint failed: payment.slot",
    ):
        assert said in done.output
    assert "間違った支払 0 件" in done.output
    assert "結論: 止まりました。" in done.output
    assert not (tmp_path / "none").exists()


def test_all_of_them_make_one_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """十の一つ一つは、上の試験が演じる。ここでは初めの二つで、--all の道を見る。"""
    monkeypatch.setattr(cases, "CASES", CASES[:2])
    done = CliRunner().invoke(
        app, ["--home", str(tmp_path / "none"), "museum", "--all", "--out", str(tmp_path / "out")]
    )
    assert done.exit_code == 0, done.output
    page = (tmp_path / "out" / "museum.html").read_text(encoding="utf-8")
    assert [place for place in PLACES if f">{place}</h2>" in page] == PLACES[:2]
    assert page.count("結論: 止まりました。") == 2
    # 外のものを一つも読み込まない。
    assert not re.search(r"<script|<link|<img|src=|url\(", page)


def test_if_one_gets_through_the_command_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checks("CHK30", "CHK31")(monkeypatch, Office(tmp_path))
    done = CliRunner().invoke(app, ["museum", "宮崎", "--out", str(tmp_path / "out")])
    assert isinstance(done.exception, RefusedByRule)
    assert done.exception.exit_code == 4
    assert "宮崎市" in str(done.exception)
    assert "守りが働いていません" in (tmp_path / "out" / "museum.html").read_text(encoding="utf-8")


def test_an_unknown_name_is_refused(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["museum", "架空市"])
    assert done.exception is not None
    assert getattr(done.exception, "exit_code", 0) == 2
