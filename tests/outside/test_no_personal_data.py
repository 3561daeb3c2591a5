"""T23: 目印を千、区の一年と両方の画面に通す。見てよい画面と決まったファイルの外には、一つも出ない（reliability P23）。"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from httpx2 import HTTPError, Response, get

from batch import cli
from benefit.services.home import Home
from benefit.store import desk, ward
from tests.outside.canary import Canaries, Finder
from tests.outside.year import Walker, Year, phone, texts, window

#: 目印があってよいファイル。台帳、取込の写し、届いた支給予定情報、受渡、銀行への振込と銀行からの結果、照会への回答。
FILES = re.compile(
    r"(ward|desk)\.db(-wal)?|(snapshots|planned)/[a-z_]*-?[0-9a-f]{32}\.parquet|transfers/sogo-\d{4}\.txt"
    r"|runs/[0-9a-f]{32}/account_answers\.parquet"
    r"|demo/(payees-\d{4}/payees\.csv|planned-\d/planned\.csv|bank/(sogo|kekka)-\d{4}\.txt|inquiries/account_answers\.csv)"
)
_ACCOUNT = ("account_number", "holder_kana")
_PERSON = ("name", "kana_name", "kana_key", "birth", "address", "address2", "residence_card_number")
#: 目印があってよい台帳の列。監査ログ、電話、書込みの札（operation）には、一つもない。
COLUMNS = {
    "ward": {f"{table}.{name}" for table in ("verdict", "payment", "bank_report_line") for name in _ACCOUNT},
    "desk": {f"{table}.{name}" for table in ("form_review", "form_review_approval") for name in _ACCOUNT}
    | {f"benefit_case.{name}" for name in (*_PERSON, *_ACCOUNT, "past_account_number", "past_holder_kana")}
    | {"contact.body"},
}


#: 一年を作るのは一度（作業者を一つに決める）。
pytestmark = pytest.mark.xdist_group("outside")


def copied(year: Year, to: Path) -> Home:
    shutil.copytree(year.home.path, to)
    return Home.at(to)


@pytest.fixture(scope="module")
def walked(year: Year, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Home, list[Walker]]]:
    """どの役割でも、どの道も、氏名と口座番号を打って歩いたあと。"""
    home = copied(year, tmp_path_factory.mktemp("walked") / "home")
    walkers = [Walker(home, line) for line in ("desk", "ward")]
    for walker in walkers:
        walker.walk(year)
    shown = [*phone(walkers[0], f"{year.name}さんから、折り返しの求め"), window(walkers[1])]
    # 見てよい人の画面には、たしかに出ている（出ないから見つからない、のではない）。
    assert [answer.status_code for answer in shown] == [200] * 3, shown[0].text
    assert all(year.finder.scan([("画面", answer.text)]) for answer in shown)
    yield home, walkers
    home.ward.dispose()
    home.desk.dispose()


def test_there_are_a_thousand_canaries_and_they_really_live_in_the_stores(year: Year) -> None:
    assert len(year.canaries) >= 1_000
    inside = year.finder.scan(
        [("ward", (year.home.path / "ward.db").read_bytes()), ("desk", (year.home.path / "desk.db").read_bytes())]
    )
    assert len(inside["desk"]) > 50
    assert year.name in inside["desk"]
    assert year.account


def test_a_year_of_commands_says_no_canary_and_leaves_nothing_behind(year: Year) -> None:
    assert "支給済" in year.said.decode()
    assert year.finder.scan([("出力", year.said)]) == {}
    assert [path for name in ("tmp", "cwd") for path in (year.place / name).rglob("*")] == []


def test_canaries_are_only_in_the_declared_files_and_in_no_file_name(year: Year) -> None:
    files = [path for path in year.home.path.rglob("*") if path.is_file()]
    names = [str(path.relative_to(year.home.path)) for path in files]
    assert year.finder.scan([("名", "\n".join(names))]) == {}
    found = year.finder.scan(zip(names, [path.read_bytes() for path in files], strict=True))
    assert sorted(name for name in found if not FILES.fullmatch(name)) == []


def test_after_every_route_was_walked_only_the_declared_columns_hold_a_canary(
    year: Year, walked: tuple[Home, list[Walker]]
) -> None:
    home, _walkers = walked
    bad: dict[str, int] = {}
    for line, engine, metadata in (("ward", home.ward, ward.metadata), ("desk", home.desk, desk.metadata)):
        found = year.finder.scan(texts(engine, metadata))
        bad.update({column: len(hits) for column, hits in found.items() if column not in COLUMNS[line]})
    assert bad == {}


def addresses(answer: Response) -> str:
    """この答えが、ブラウザに覚えさせる所の全部: 見出し、行き先、つなぎ、送り先。"""
    headers = "\n".join(f"{name}: {value}" for name, value in answer.headers.multi_items())
    return headers + "\n" + "\n".join(re.findall(r'(?:href|action|src|formaction)="([^"]*)"', answer.text))


def test_no_address_and_no_header_carries_a_canary(year: Year, walked: tuple[Home, list[Walker]]) -> None:
    seen = [one for walker in walked[1] for one in walker.seen]
    print(f"歩いた道: {len(seen)}")
    assert len(seen) > 400
    assert year.finder.scan((name, addresses(answer)) for name, answer in seen) == {}


#: 打ち直せるように、打ったものが残る欄。
_TYPED = re.compile(r'value="[^"]*"|<textarea.*?</textarea>', re.DOTALL)


def test_no_refusal_repeats_a_canary(year: Year, walked: tuple[Home, list[Walker]]) -> None:
    refused = [(name, answer) for walker in walked[1] for name, answer in walker.seen if answer.status_code >= 400]
    assert {answer.status_code for _name, answer in refused} >= {400, 404, 422}
    told = [(name, _TYPED.sub("", answer.text)) for name, answer in refused]
    assert year.finder.scan(told) == {}


def test_no_route_breaks_on_them(walked: tuple[Home, list[Walker]]) -> None:
    assert [name for walker in walked[1] for name, answer in walker.seen if answer.status_code >= 500] == []


def test_a_broken_log_store_refuses_and_says_nothing(year: Year, tmp_path: Path) -> None:
    # 監査ログが書けないと、どの画面も 503 になる。何を探していたかは言わない。
    home = copied(year, tmp_path / "home")
    for engine in (home.ward, home.desk):
        with engine.begin() as connection:
            connection.exec_driver_sql(
                "CREATE TRIGGER no_log BEFORE INSERT ON audit_log BEGIN SELECT RAISE(ABORT, 'x'); END"
            )
    for line in ("desk", "ward"):
        walker = Walker(home, line)
        walker.people = walker.people[:2]
        walker.walk(year)
        broken = [(name, answer) for name, answer in walker.seen if answer.status_code >= 500]
        assert {answer.status_code for _name, answer in broken} == {503}
        told = [(name, addresses(answer) + _TYPED.sub("", answer.text)) for name, answer in broken]
        assert year.finder.scan(told) == {}
    home.ward.dispose()
    home.desk.dispose()


def test_an_unforeseen_fault_answers_500_and_the_server_log_names_the_place_and_no_one(
    year: Year, tmp_path: Path
) -> None:
    """本物のサーバーで。時計が、台帳の行を文に入れた誤りを投げる。"""
    home = copied(year, tmp_path / "home")
    (tmp_path / "tmp").mkdir()
    with home.desk.connect() as connection:
        row = repr(dict(connection.execute(desk.benefit_case.select()).mappings().first() or {}))
    assert year.finder.scan([("行", row)])
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environ = {**os.environ, "PYTHONPATH": str(Path.cwd()), "T23_ROW": row, "TMPDIR": str(tmp_path / "tmp")}
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.outside.broken_server", str(home.path), str(port)],
        env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        answer = _first_answer(f"http://127.0.0.1:{port}/login", server)
    finally:
        server.terminate()
        said, _ = server.communicate(timeout=30)
    assert answer.status_code == 500
    assert year.finder.scan([("答え", answer.text), ("記録", said)]) == {}
    assert b"builtins.ValueError" in said, said.decode()
    assert b"broken_server.py" in said
    assert list((tmp_path / "tmp").iterdir()) == []
    home.ward.dispose()
    home.desk.dispose()


def _first_answer(address: str, server: subprocess.Popen[bytes]) -> Response:
    for _ in range(600):
        assert server.poll() is None, server.communicate()[0].decode()
        with suppress(HTTPError):
            return get(address)
        time.sleep(0.1)
    raise AssertionError("サーバーが開きません")


def test_a_fault_in_a_command_leaves_the_place_and_no_value(
    year: Year, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(**_options: object) -> None:
        try:
            int(year.name)
        except ValueError as inner:
            raise RuntimeError(f"行 {year.account}") from inner

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli, "app", broken)
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 1
    (left,) = tmp_path.iterdir()
    said = capfd.readouterr()
    told = left.read_text(encoding="utf-8")
    assert year.finder.scan([("画面", said.out + said.err), ("記録", told)]) == {}
    assert [line for line in told.splitlines() if line.startswith("builtins")] == [
        "builtins.ValueError",
        "builtins.RuntimeError",
    ]
    assert "in broken" in told


#: 抽出データの壊し方。
DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "途中で切れた": lambda data: data[: len(data) * 2 // 3],
    "列が足りない": lambda data: b"\n".join(line.rsplit(b",", 2)[0] for line in data.split(b"\n")),
    "見出しがない": lambda data: data.split(b"\n", 1)[1],
    "符号が混ざった": lambda data: data[: len(data) // 2] + "髙".encode() + b"\xff\xfe" + data[len(data) // 2 :],
    "引用符が閉じない": lambda data: data.replace(b",", b',"', 40),
    "列がずれた": lambda data: b"\n".join(
        b"," + line if place else line for place, line in enumerate(data.split(b"\n"))
    ),
    "同じ行が二度": lambda data: data + b"\n".join(data.split(b"\n")[1:]),
}


def test_refusing_a_bad_file_says_the_line_and_the_field_and_never_the_value(
    year: Year, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    home = copied(year, tmp_path / "home")
    (tmp_path / "cwd").mkdir()
    (tmp_path / "tmp").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    codes = set()
    told = []
    for kind in ("residents", "accounts"):
        data = (year.extracts / f"{kind}.csv").read_bytes()
        for what, damage in DAMAGE.items():
            bad = tmp_path / f"{kind}.csv"
            bad.write_bytes(damage(data))
            monkeypatch.setattr(sys, "argv", ["benefit", "--home", str(home.path), "import", kind, str(bad)])
            try:
                cli.main()
                codes.add(0)
            except SystemExit as stopped:
                codes.add(stopped.code or 0)
            said = capfd.readouterr()
            told.append((f"{kind} {what}", said.out + said.err))
    assert year.finder.scan(told) == {}
    # 断り（3）がほとんどで、私たちの落ち度（1）は一つもない。
    assert 3 in codes
    assert not codes & {1}
    assert [path for name in ("cwd", "tmp") for path in (tmp_path / name).iterdir()] == []
    for line, engine, metadata in (("ward", home.ward, ward.metadata), ("desk", home.desk, desk.metadata)):
        found = year.finder.scan(texts(engine, metadata))
        assert {column for column in found if column not in COLUMNS[line]} == set()
    home.ward.dispose()
    home.desk.dispose()


def test_tokens_passwords_and_seeds_are_nowhere_in_the_clear(year: Year, walked: tuple[Home, list[Walker]]) -> None:
    home, walkers = walked
    said = year.said.decode()
    password = re.search(r"合言葉 (\S+)", said)
    seed = re.search(r"種 ([A-Z2-7]{16,})", said)
    assert password
    assert seed
    secret = {password[1], seed[1], *(token for walker in walkers for token in walker.tokens)}
    finder = Finder(Canaries(words=secret))
    stores = [(path.name, path.read_bytes()) for path in home.path.rglob("*") if path.is_file()]
    assert finder.scan(stores) == {}
    seen = [(name, addresses(answer) + answer.text) for walker in walkers for name, answer in walker.seen]
    assert finder.scan(seen) == {}
