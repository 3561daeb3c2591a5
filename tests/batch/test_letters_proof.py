"""benefit letters lots・proof・proof-set・release・remake: 職員の見る言葉と終了コード。"""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pypdfium2
import pytest

from benefit.services import extracts
from benefit.services.home import Home
from tests.batch.conftest import Run
from tests.conftest import StepClock
from tests.services.conftest import prepared_sqlite
from tests.support.small_ward import read, write

__all__ = ["prepared_sqlite"]
ON = ("--on", "2024-06-25")


@pytest.fixture
def office(prepared_sqlite: Path, tmp_path: Path) -> Path:
    shutil.copytree(prepared_sqlite, tmp_path / "office")
    return tmp_path / "office"


def test_a_lot_goes_from_made_to_released_and_back_when_someone_dies(run: Run, office: Path) -> None:
    home, out = office / "home", office / "letters"

    def go(*arguments: object, typed: str = "x" * 15) -> tuple[int, str, str]:
        return run(*arguments, home=home, typed=typed)

    ended, told, _ = go("letters", "lots")
    assert ended == 0
    rows = {line.split()[0]: line for line in told.splitlines()}
    number = next(key for key, line in rows.items() if "印刷所" in line and "支給のお知らせ" in line)
    assert "まだ出せない" in rows[number]
    assert any("額の頁" in line for line in rows.values())

    ended, told, _ = go("letters", "proof", number, "--out", out)
    assert (ended, "合っています" in told) == (0, True)

    ended, _, refused = go("letters", "release", number, "--out", out, "--by", "tanto", *ON)
    assert ended == 4
    assert "見本帳に、二人の署名がありません" in refused
    assert "proof-set make" in refused

    ended, told, _ = go("letters", "proof-set", "make", "--out", office / "mihon")
    assert ended == 0
    assert "全部の頁を見てから" in told
    _the_set_shows_every_edge(office / "mihon")
    kept = (office / "mihon" / "push_notice.pdf").read_bytes()
    (office / "mihon" / "push_notice.pdf").write_bytes(kept + b"\n")
    sign = ("letters", "proof-set", "sign", "--set", office / "mihon", "--by", "tanto", "--reason", "見た")
    ended, _, refused = go(*sign)
    assert (ended, "変わっています" in refused) == (4, True)
    (office / "mihon" / "push_notice.pdf").write_bytes(kept)
    ended, told, _ = go(*sign)
    assert (ended, "署名しました（1）" in told) == (0, True)
    ended, _, refused = go("letters", "proof-set", "approve", "1", "--set", office / "mihon", "--by", "tanto")
    assert ended == 4
    ended, told, refused = go("letters", "proof-set", "approve", "1", "--set", office / "mihon", "--by", "shonin1")
    assert ended == 0, refused

    _dies(Home.at(home), office, first_payee(out, number, home))
    ended, _, refused = go("letters", "release", number, "--out", out, "--by", "tanto", *ON)
    assert ended == 4
    assert "受給者が亡くなっている" in refused
    assert "benefit letters remake" in refused
    ended, told, _ = go("letters", "remake", number, "--out", out, "--by", "tanto", *ON)
    assert ended == 0
    assert "抜いた: " in told
    new = told.split("通を抜き、ロット ")[1].split("（")[0]
    ended, told, _ = go("letters", "release", new, "--out", out, "--by", "tanto", *ON)
    assert ended == 0, told
    assert "出してよいロット 1 個" in told
    ended, told, _ = go("letters", "lots")
    rows = {line.split()[0]: line for line in told.splitlines()}
    assert f"作り直した（{new} へ）" in rows[number]
    assert "2024-06-25 に出してよい" in rows[new]


def test_a_lot_that_does_not_exist_is_said_in_japanese(run: Run, office: Path) -> None:
    ended, _, refused = run("letters", "proof", "999", "--out", office / "letters", home=office / "home")
    assert (ended, "ロット 999 はありません" in refused) == (2, True)


def _the_set_shows_every_edge(folder: Path) -> None:
    """一番長い氏名、異体字、外国の名、子の多い世帯、額の上と下が、種類ごとに一頁ずつある。"""
    told = json.loads((folder / "mihon.json").read_text(encoding="utf-8"))
    shown = {each["ファイル"]: each["頁"] for each in told["見本"]}
    assert {"push_notice.pdf", "confirmation_letter.pdf", "award_notice.pdf", "amount_page.pdf"} <= set(shown)
    for file in ("push_notice.pdf", "confirmation_letter.pdf"):
        said = "、".join(shown[file])
        for edge in ("一番長い氏名", "異体字", "互換漢字", "英字の長い氏名", "子の多い世帯", "1,000,000 円", "枝番 99"):
            assert edge in said
    assert told["刷れない見本（本番でも止まる）"] == []
    # 見本は架空の人だけである（給付管理番号は 9 で始まり、台帳の番号とは別）。
    assert "見本　花子" in read_text(folder / "push_notice.pdf")


def read_text(path: Path) -> str:
    document = pypdfium2.PdfDocument(path)
    text = "".join(page.get_textpage().get_text_range() for page in document)
    document.close()
    return text


def first_payee(out: Path, number: str, home: Path) -> str:
    import sqlalchemy as sa

    from benefit.store import ward

    place = Home.at(home)
    with place.ward.connect() as connection:
        query = (
            sa.select(ward.entitlement.c.payee_number)
            .join(ward.letter, ward.letter.c.entitlement_id == ward.entitlement.c.id)
            .where(ward.letter.c.lot_id == int(number))
            .order_by(ward.letter.c.id)
        )
        found = connection.execute(query).scalars().first()
    place.ward.dispose()
    return f"{found:010d}"


def _dies(home: Home, office: Path, person: str) -> None:
    rows = read(office / "in" / "residents.csv")
    for row in rows:
        if row["住民番号"] == person:
            row["消除日"], row["消除事由"] = "2024-06-24", "死亡"
    write(office / "in" / "residents.csv", rows, list(rows[0]))
    later = StepClock(datetime(2024, 12, 27, 2, tzinfo=UTC))
    extracts.import_file(home, "residents", office / "in" / "residents.csv", clock=later, levy_year=2024)
    home.ward.dispose()
