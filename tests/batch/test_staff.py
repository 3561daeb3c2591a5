"""benefit init / staff / terminal / break-glass / demo-code / serve: 打つ言葉、終了コード、断り。"""

from __future__ import annotations

import io
import stat
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import fastexcel
import pytest

from batch import cli, demo_people
from benefit.domain.access import BATCH
from benefit.domain.clock import system_clock
from benefit.domain.errors import RefusedByRule
from benefit.services import people, people_login, people_password
from benefit.services.home import Home
from benefit.services.people_totp import code_at, step_of
from benefit.store import desk, ward
from tests.batch.conftest import Run
from tests.support import people as persons
from tests.support.certificates import certificate

WORDS = "さくら 石段 きつね 水筒 四月"


@pytest.fixture(autouse=True)
def _light(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people_password, "PASSWORDS", persons.cheap())


@pytest.fixture
def place(ready: Path) -> Home:
    return Home.at(ready)


def first(said: str) -> str:
    return said.split("最初の合言葉")[1].removeprefix(":").split("\n")[0].strip()


@pytest.fixture
def typing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], ready: Path
) -> Callable[..., tuple[int, str]]:
    """標準入力に、決まった行を打つ。行が関数なら、それまでの出力を見て決める。"""

    def go(*arguments: str, lines: tuple[str | Callable[[str], str], ...]) -> tuple[int, str]:
        said: list[str] = []
        left = iter(lines)

        class Keys(io.StringIO):
            def readline(self, *_more: object) -> str:  # type: ignore[override]
                said.append(capsys.readouterr().out)
                line = next(left, "")
                return (line if isinstance(line, str) else line("".join(said))) + "\n"

        monkeypatch.setattr(sys, "argv", ["benefit", "--home", str(ready), *arguments])
        monkeypatch.setattr(sys, "stdin", Keys())
        code = 0
        try:
            cli.main()
        except SystemExit as end:
            code = int(end.code or 0)
        told = capsys.readouterr()
        return code, "".join(said) + told.out + told.err

    return go


def test_init_makes_the_first_administrators_once_and_says_their_passwords_once(run: Run, tmp_path: Path) -> None:
    code, out, err = run("init", home=tmp_path / "new")
    assert code == 0, err
    assert out.count("最初の管理者") == 2
    again = run("init", home=tmp_path / "new")
    assert (again[0], "最初の" in again[1]) == (0, False)
    home = Home.at(tmp_path / "new")
    for engine, tables, password in zip(
        (home.ward, home.desk), (ward.access, desk.access), out.split("最初の合言葉 ")[1:], strict=True
    ):
        entered = people_login.authenticate(
            engine, tables, home.key, "kanri", password.split("\n")[0], "", clock=system_clock
        )
        assert entered.stage == "password"
        with engine.connect() as connection:
            kinds = connection.execute(tables.staff.select().order_by(tables.staff.c.id)).mappings().all()
            assert [(row["id"], row["kind"]) for row in kinds] == [("hijo", "sealed"), ("kanri", "person")]
        engine.dispose()
    for name in ("totp-ward", "totp-desk"):
        assert stat.S_IMODE((home.path / "keys" / f"{name}.key").stat().st_mode) == 0o400


def test_from_the_first_password_to_the_first_deed(
    run: Run, typing: Callable[..., tuple[int, str]], place: Home
) -> None:
    password = first(run("staff", "add", "shonin", "--name", "承認 一", "--role", "approver")[1])
    code, said = typing("break-glass", "ask", "--by", "shonin", "--reason", "試し", lines=(password, ""))
    assert (code, "最初の手続き" in said) == (4, True), "手続きの済まない人は、何もできない"

    def shown(said: str) -> str:
        return code_at(
            said.split("認証アプリに入れる種: ")[1].split("\n", maxsplit=1)[0].strip(), step_of(system_clock())
        )

    code, said = typing("staff", "enrol", "shonin", lines=(password, "", WORDS, shown, "いいえ"))
    assert (code, "遵守事項" in said) == (4, True)
    with place.ward.connect() as connection:
        row = connection.execute(ward.staff.select().where(ward.staff.c.id == "shonin")).mappings().one()
    assert row["totp_enrolled_at"] is not None
    assert row["terms_accepted_at"] is None
    place.ward.dispose()


def test_after_the_first_administrator_only_administrators_keep_people(run: Run, place: Home) -> None:
    password = first(run("staff", "add", "kanri", "--name", "管理", "--role", "admin")[1])
    assert run("staff", "add", "a", "--name", "甲", "--role", "clerk")[0] == 2, "管理者ができたら --by が要る"
    by = ("--by", "kanri")
    code, said, err = run(
        "staff", "add", "a", "--name", "甲", "--role", "clerk", "--contract-ends-on", "2027-03-31", *by, typed=password
    )
    assert code == 0, err
    clerk = first(said)
    assert run("staff", "add", "b", "--name", "乙", "--role", "clerk", "--by", "a", typed=clerk)[0] == 4, "役割が違う"
    assert run("staff", "add", "b", "--name", "乙", "--role", "operator", *by, typed=password)[0] == 2
    assert run("staff", "role", "a", "--role", "approver", "--reason", "配置換え", *by, typed=password)[0] == 0
    assert "最初の合言葉" in run("staff", "reset", "a", "--reason", "紛失", *by, typed=password)[1]
    assert run("staff", "unlock", "a", "--reason", "確かめた", *by, typed=password)[0] == 0
    assert run("staff", "end", "a", "--reason", "退職", *by, typed=password)[0] == 0
    assert run("staff", "end", "kanri", "--reason", "自分", *by, typed=password)[0] == 4
    assert run("staff", "end", "nobody", "--reason", "x", *by, typed=password)[0] == 2
    out = run("staff", "list")[1]
    assert "終了" in out
    assert run("staff", "list", "--out", "list.xlsx")[0] == run("staff", "list", "--out", "list.csv")[0] == 0
    assert run("staff", "list", "--out", "list.pdf")[0] == 2
    assert fastexcel.read_excel("list.xlsx").load_sheet(0, header_row=4).to_polars()["ID"].to_list() == ["a", "kanri"]
    assert run("staff", "list", "--store", "nowhere")[0] == 2
    place.ward.dispose()


def test_a_ledger_whose_only_administrator_is_shut_out_can_be_opened_by_the_host(run: Run, place: Home) -> None:
    run("staff", "add", "kanri", "--name", "管理", "--role", "admin")
    unlock = ("staff", "unlock", "kanri", "--reason", "二週間使わなかった")
    assert run(*unlock)[0] == 2, "入れる管理者がいる間は、--by が要る"
    long_ago = system_clock() - timedelta(days=15)
    with place.ward.begin() as connection:
        connection.execute(ward.staff.update().values(created_at=long_ago))
    assert run(*unlock)[0] == 0
    with place.ward.connect() as connection:
        actors = connection.execute(ward.audit_log.select().order_by(ward.audit_log.c.sequence)).mappings().all()
    assert (actors[-1]["action"], actors[-1]["actor"]) == ("staff.unlock", "batch")
    assert run(*unlock)[0] == 2
    place.ward.dispose()


def test_terminals_are_kept_from_the_command_line(run: Run, ready: Path, tmp_path: Path) -> None:
    del ready
    (tmp_path / "a.pem").write_text(certificate("端末1"), encoding="ascii")
    (tmp_path / "b.pem").write_bytes(b"\xff\xfe")
    add = ("terminal", "add", "端末1", "--place", "二階", "--certificate")
    assert run(*add, "b.pem")[0] == 3
    assert run(*add, "a.pem")[0] == 0
    assert run(*add, "a.pem")[0] == 4
    assert "端末1" in run("terminal", "list")[1]
    assert run("terminal", "end", "端末1", "--reason", "紛失")[0] == 0


def test_the_sealed_id_is_opened_by_two_and_reported_next_morning(run: Run, tmp_path: Path) -> None:
    run("init")
    place = Home.at(tmp_path / "home")
    with place.ward.begin() as connection:
        for staff_id, role in (("tanto", "clerk"), ("shonin", "approver")):
            people.add(
                connection, ward.staff, ward.audit_log, staff_id=staff_id, name="試験", role=role, password=WORDS,
                actor=BATCH, at=system_clock(),
            )  # fmt: skip
    place.ward.dispose()
    assert "申し出 1" in run("break-glass", "ask", "--reason", "停電", "--by", "tanto", typed=WORDS)[1]
    assert run("break-glass", "approve", "1", "--by", "tanto", typed=WORDS)[0] == 4
    assert "一度きりの合言葉" in run("break-glass", "approve", "1", "--by", "shonin", typed=WORDS)[1]
    assert run("break-glass", "close", "1", "--by", "tanto", typed=WORDS)[0] == 0
    code, out, err = run("break-glass", "report", "--out", "report")
    assert (code, "停電" in out) == (0, True), err
    assert (tmp_path / "report" / "break-glass-ward-0001.xlsx").exists()
    assert run("break-glass", "report", "--number", "9", "--out", "report")[0] == 2


def test_the_demo_code_is_only_for_a_home_the_demo_made(place: Home) -> None:
    now = datetime(2024, 9, 2, tzinfo=UTC)
    demo_people.add(place, now)
    secret = demo_people.ready(place, now)
    with pytest.raises(RefusedByRule, match="デモのものではありません"):
        demo_people.next_code(place, "operator1", now)
    (place.path / demo_people.MARK).touch()
    later = now + timedelta(days=60)
    code, wait = demo_people.next_code(place, "operator1", later)
    assert (code, wait) == (code_at(secret, step_of(later)), 0)
    with place.desk.begin() as connection:
        connection.execute(desk.staff.update().values(totp_step=step_of(later) + 1))
    code, wait = demo_people.next_code(place, "operator1", later)
    assert code == code_at(secret, step_of(later) + 2)
    assert wait == 30
    for engine in (place.ward, place.desk):
        engine.dispose()


@pytest.mark.parametrize("which", ["desk", "ward"])
def test_a_server_listens_to_others_only_behind_the_gate(
    run: Run, ready: Path, monkeypatch: pytest.MonkeyPatch, which: str
) -> None:
    del ready
    monkeypatch.delenv("BENEFIT_PROXY", raising=False)
    code, _out, err = run("serve", which, "--host", "0.0.0.0")
    assert (code, "BENEFIT_PROXY" in err) == (2, True)
