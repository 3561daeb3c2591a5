"""benefit beneficiaries explain: 端末の文、登録した判定の写し、開示の紙。"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pypdfium2
import pytest

from batch import cli
from benefit.services import beneficiaries
from benefit.services.explain_text import width
from benefit.services.home import Home
from tests.conftest import StepClock
from tests.rules.make import PROGRAMME, TODAY
from tests.support.small_ward import cut, read

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    monkeypatch.chdir(tmp_path)

    def go(*arguments: object) -> tuple[int, str, str]:
        home = str(tmp_path / "home")
        monkeypatch.setattr(sys, "argv", ["benefit", "--home", home, "beneficiaries", "explain", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.StringIO(""))
        capsys.readouterr()
        code = 0
        try:
            cli.main()
        except SystemExit as end:
            code = int(end.code or 0)
        told = capsys.readouterr()
        assert "Traceback" not in told.out + told.err
        return code, told.out, told.err

    return go


@pytest.fixture
def people(
    sqlite_home: Home, clock: StepClock, import_ward: Callable[[Home, Path], None], tmp_path: Path
) -> dict[str, str]:
    """判定を登録した小さな区の、対象の世帯・その世帯主・対象の納税者の番号。"""
    import_ward(sqlite_home, cut(tmp_path / "in"))
    beneficiaries.build(sqlite_home, PROGRAMME, TODAY, out=tmp_path / "out", clock=clock)
    sqlite_home.ward.dispose()
    rows = [row for row in read(tmp_path / "out" / "outcomes.csv") if row["判定"] == "対象"]
    household = next(row for row in rows if row["対象区分"] == "世帯")
    taxpayer = next(row["対象番号"] for row in rows if row["対象区分"] == "納税者")
    return {"household": household["対象番号"], "head": household["受給者番号"], "taxpayer": taxpayer}


def test_the_words_of_the_run_and_of_today_are_told_in_100_columns(run: Run, people: dict[str, str]) -> None:
    for more, said in (((), "いまの抽出データ"), (("--run", "latest"), "登録した判定 1 の写し")):
        code, out, _err = run("--household", people["household"], *more)
        assert code == 0
        assert said in out
        for heading in ("検査", "結果が変わる最小の事実の違い", "使ったもの", f"事業 {PROGRAMME.id}"):
            assert heading in out
        assert PROGRAMME.digest[:16] in out
        assert max(width(line) for line in out.split("\n")) <= 100


def test_the_run_is_told_even_when_the_extracts_can_no_longer_be_judged(
    run: Run, people: dict[str, str], tmp_path: Path
) -> None:
    before = run("--person", people["taxpayer"], "--run", "1")
    assert before[0] == 0
    # いまの事業のファイルが壊れていれば、いまの判定はできない。写しは、その判定の文面で読む。
    own = tmp_path / "home" / "programmes" / "r6-2024.toml"
    own.parent.mkdir(exist_ok=True)
    text = Path(__file__).parents[2].joinpath("benefit/programmes/r6-2024.toml").read_text(encoding="utf-8")
    own.write_text(text.replace("value = 18050000", "value = 1"), encoding="utf-8")
    assert run("--person", people["taxpayer"], "--run", "1") == before
    assert "adjustment.income_cap_yen = 1（" in re.sub(r"\n\s+", "", run("--person", people["taxpayer"])[1])


def test_the_paper_is_written_for_the_person_it_is_for(run: Run, people: dict[str, str], tmp_path: Path) -> None:
    paper = tmp_path / "paper.pdf"
    code, out, _err = run("--person", people["taxpayer"], "--run", "latest", "--pdf", paper)
    assert (code, "判定証明" in out) == (0, True)
    assert paper.stat().st_mode & 0o077 == 0
    document = pypdfium2.PdfDocument(paper.read_bytes())
    text = "".join(page.get_textpage().get_text_range() for page in document)
    document.close()
    assert "所得税 IT" in text
    assert people["taxpayer"] in text
    assert run("--household", people["household"], "--for", people["head"], "--pdf", paper)[0] == 0


@pytest.mark.parametrize(
    "words",
    [
        ("--household", "1", "--person", "2"),
        ("--household", "123"),
        ("--household", "{household}", "--run", "9"),
        ("--household", "{household}", "--run", "1", "--today", "2024-06-20"),
        ("--household", "{household}", "--for", "{head}"),
        ("--household", "{household}", "--for", "9999999998", "--pdf", "x.pdf"),
    ],
)
def test_wrong_use_is_two_and_writes_nothing(
    run: Run, people: dict[str, str], tmp_path: Path, words: tuple[str, ...]
) -> None:
    code, _out, err = run(*(word.format(**people) for word in words))
    assert (code, bool(err)) == (2, True)
    assert not (tmp_path / "x.pdf").exists()
