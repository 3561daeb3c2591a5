"""収納のコマンド: 調定を登録し、受信フォルダから受け取り、人が決め、毎日突き合わせる（seed 001・003・004）。"""

from __future__ import annotations

from pathlib import Path

import fastexcel
import pytest

from benefit.domain.access import BATCH
from benefit.services import people
from benefit.services.home import Home
from benefit.store import ward
from tests.batch.conftest import Run
from tests.conftest import StepClock
from tests.records.collection_samples import sample

PASSWORD = "x" * 15


@pytest.fixture
def office(ready: Path, clock: StepClock) -> Path:
    home = Home.at(ready)
    with home.ward.begin() as connection:
        for name, role in (("tanto", "clerk"), ("shonin1", "approver")):
            people.add(
                connection, ward.staff, ward.audit_log,
                staff_id=name, name="試験", role=role, password=PASSWORD, actor=BATCH, at=clock(),
            )  # fmt: skip
    home.ward.dispose()
    return ready


def put(folder: Path, layout: str) -> Path:
    path = folder / layout / "todoita.dat"
    path.parent.mkdir(parents=True)
    path.write_bytes(sample(layout))
    return path


def test_from_the_reception_folder_to_the_daily_balance(office: Path, run: Run, tmp_path: Path) -> None:
    del office
    levies = put(tmp_path / "standard", "standard-levies")
    assert "新しく登録 1 + 変更 0 + 変わらない 0" in run("collection", "register", levies)[1]
    assert "新しく登録 0 + 変更 0 + 変わらない 1" in run("collection", "register", levies)[1]
    assert "督促する 1 件（残り 12,300 円）" in run("collection", "overdue", "--today", "2026-07-20")[1]

    # 届いたファイルは一度ずつ受け取られ、端末のフォルダから消え、写しが区に残る。断ったものは残る。
    paid = put(tmp_path / "inbox", "payeasy-paid")
    broken = put(tmp_path / "inbox", "electronic-money")
    broken.write_bytes(broken.read_bytes()[:-50])
    assert "受信フォルダがありません" in run("collection", "inbox", tmp_path / "nowhere")[2]
    told = run("collection", "inbox", tmp_path / "inbox")[1]
    assert "受け取りました payeasy-paid/todoita.dat: 読込 3、消込 2 + 保留 1。端末のファイルを消しました" in told
    assert "断りました electronic-money/todoita.dat" in told
    assert not paid.exists()
    assert broken.exists()
    assert len(list((tmp_path / "home" / "received").rglob("*.dat"))) == 1
    again = put(tmp_path / "again", "payeasy-paid")
    told = run("collection", "receive", "payeasy-paid", again)[1]
    assert "もう取り込んであります" in told
    # 速報と確報は同じお金なので、額は確報だけを言う。
    assert "（確報 12,300 円）" in told

    assert "督促する 0 件" in run("collection", "overdue", "--today", "2026-07-20")[1]
    told = run("collection", "queue", "--out", tmp_path / "out")[1]
    assert "要確認 12,300 円（ペイジー、2026-07-10）" in told
    assert "人が決める入金 1 件" in told
    assert fastexcel.read_excel(tmp_path / "out" / "collection-queue.xlsx").sheet_names == ["人が決める入金"]

    credit = ("collection", "credit", "ペイジー", "--on", "2026-07-13", "--reference", "N-1", "--by", "tanto")
    assert "credit-approve 1" in run(*credit, "--amount", "12300", typed=PASSWORD)[1]
    assert (
        "ペイジー 2026-07-13 12,300 円" in run("collection", "credit-approve", 1, "--by", "shonin1", typed=PASSWORD)[1]
    )
    code, _out, refused = run(*credit, "--amount", "12300", typed=PASSWORD)
    assert code == 4
    assert "もう記録" in refused
    told = run("collection", "balance", "--out", tmp_path / "out")[1]
    assert "2026-07-13 ペイジー: 届いた 12,300 円（1 件） = 消込 12,300 + 保留 0、銀行 12,300 円" in told
    assert "合わない日 0 / 1" in told
    assert "<svg" in (tmp_path / "out" / "balance.svg").read_text()


def test_a_person_decides_and_another_approves(office: Path, run: Run, tmp_path: Path) -> None:
    del office
    slip = put(tmp_path / "inbox", "counter-care")
    assert "消込 0 + 保留 1" in run("collection", "receive", "counter-care", slip)[1]
    event = next(
        line.split("入金の名: ")[1] for line in run("collection", "queue")[1].splitlines() if "入金の名" in line
    )
    run("collection", "register", put(tmp_path / "standard", "standard-levies"))
    asked = run(
        "collection", "ask", event, "消込", "--amount", 12_300, "--receivable", 1,
        "--reason", "科目の打ち間違い", "--by", "tanto", typed=PASSWORD,
    )  # fmt: skip
    assert "benefit collection approve 1" in asked[1]
    assert run("collection", "approve", 1, "--by", "tanto", typed=PASSWORD)[0] == 4
    assert "仕訳 2 行" in run("collection", "approve", 1, "--by", "shonin1", typed=PASSWORD)[1]
    assert "人が決める入金 0 件" in run("collection", "queue")[1]


def test_an_unknown_channel_or_layout_is_told_with_what_is_allowed(office: Path, run: Run, tmp_path: Path) -> None:
    del office
    slip = put(tmp_path / "inbox", "counter-care")
    assert "受け取れません" in run("collection", "receive", "no-such", slip)[2]
    credit = run(
        "collection", "credit", "郵便", "--on", "2026-07-13", "--amount", 1, "--reference", "x", "--by", "tanto"
    )
    assert "経路の名が違います" in credit[2]
