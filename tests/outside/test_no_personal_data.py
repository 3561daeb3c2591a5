"""T23: 目印を千、区の一年と両方の画面に通す。見てよい画面と決まったファイルの外には、一つも出ない（reliability P23）。"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from httpx2 import Response

from benefit.services.home import Home
from benefit.store import desk, ward
from tests.outside.year import Walker, Year, live, texts

SEED = int(os.environ.get("T23_SEED", "5"))
RESIDENTS = int(os.environ.get("T23_RESIDENTS", "180"))
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


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Year]:
    print(f"T23_SEED={SEED}")
    made = live(tmp_path_factory.mktemp("year"), residents=RESIDENTS, seed=SEED)
    yield made
    made.home.ward.dispose()
    made.home.desk.dispose()


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
