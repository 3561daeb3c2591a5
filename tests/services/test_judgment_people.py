"""二つの世帯で数えられる人: 避難した人と元の世帯（CHK47）、よく似た子（CHK43）、18 歳に満たない受給者（CHK92）。"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
import sqlalchemy as sa

from benefit.domain.access import Actor
from benefit.records import planned_payments
from benefit.records.bank_master import BankMaster
from benefit.rules.facts import SCHEMAS, empty
from benefit.services import bank_master, holds, judgment, judgment_people
from benefit.services.files import sha256_of, write_manifest
from benefit.services.home import Home
from benefit.store import ward
from tests.services.claim_ward import BOSS, CLERK, TODAY, Office
from tests.services.inquiry_ward import PROGRAMME
from tests.services.test_claims_evacuees import ORIGIN, fled, furnished
from tests.services.test_claims_evacuees import twins as twins  # noqa: PLC0414  # 試験の部品として使う
from tests.support.small_ward import read


def settled(home: Home, root: Path, *, evacuee: bool) -> Office:
    """元の世帯（父・母・子）の給付が登録された区。`evacuee` なら、母が避難している。"""
    office = furnished(home, root)
    office.town.rows["residents"][1]["カナ氏名"] = "カクウ　ハナコ"
    office.town.load("residents")
    if evacuee:
        office.accept(fled(office))
    office.build()
    office.approve()
    bank_master.use_rehearsal(home, {("9999", "001")})
    return office


def how(office: Office) -> dict[str, Any]:
    master: BankMaster = bank_master.in_use(office.home)
    return {"today": TODAY, "bank_master": master, "clock": office.town.clock}


def origin_line(office: Office, out: Path) -> judgment.Judged:
    """元の世帯の行だけの、委託先のファイルを判定する。"""
    mine = office.entitlements()[f"r6-2024/HH100K/{ORIGIN}"]
    row = {
        "行番号": "1", "給付管理番号": mine["case_number"], "枝番": "1", "住民番号": office.person("父"),
        "カナ氏名": "カクウ　チチ", "生年月日": birth_of(office, "父"), "支給予定額": "100000", "口座フラグ": "2",
        "金融機関コード": "9999", "支店コード": "001", "預金種目": "1", "口座番号": "9000007", "口座名義カナ": "ｶｸｳ ﾁﾁ",
        "収受日": "2024-07-20", "審査完了日": "2024-07-21",
    }  # fmt: skip
    folder = office.root / f"planned-{out.name}"
    folder.mkdir()
    data = planned_payments.render([tuple(row[name] for name in planned_payments.HEADINGS)])
    (folder / "planned.csv").write_bytes(data)
    told = {"事業": PROGRAMME.id, "ファイル番号": "A", "件数": 1, "合計金額": 100_000, "sha256": sha256_of(data)}
    write_manifest(folder, told)
    return judgment.judge_folder(office.home, PROGRAMME, folder, out=out, **how(office))


def birth_of(office: Office, name: str) -> str:
    number = office.person(name)
    return next(row["生年月日"] for row in office.town.rows["residents"] if row["住民番号"] == number)


def checks_of(out: Path) -> list[set[str]]:
    return [set(row["検査"].split(";")) - {"", "CHK95"} for row in read(out / "verdicts.csv")]


def ward_lines(office: Office, out: Path, again: str | None = None) -> judgment.Judged:
    found = (
        judgment.judge_again(office.home, PROGRAMME, again, out=out, **how(office))
        if again
        else judgment.judge_ward_rows(office.home, PROGRAMME, out=out, **how(office))
    )
    assert found is not None
    return found


def test_the_evacuee_is_held_in_the_ward_and_two_people_may_clear_it(home: Home, tmp_path: Path) -> None:
    office = settled(home, tmp_path, evacuee=True)
    done = ward_lines(office, tmp_path / "ward")
    assert (done.rows, done.held) == (1, 1)
    assert checks_of(tmp_path / "ward") == [{"CHK47"}]
    assert not (tmp_path / "ward/reply").exists()
    number = read(tmp_path / "ward/verdicts.csv")[0]["給付管理番号"]
    asked = holds.ask(
        home, PROGRAMME, number, "CHK47", reason="保護命令を確かめた", actor=CLERK, clock=office.town.clock
    )
    holds.approve(home, asked, actor=Actor("shonin", "approver"), clock=office.town.clock)
    again = ward_lines(office, tmp_path / "again", done.file_number)
    assert (again.payable, again.payable_yen) == (1, 100_000)
    assert BOSS.id == "shonin"


@pytest.mark.parametrize("cleared", [False, True])
def test_the_origins_line_is_the_same_to_the_byte_with_and_without_the_evacuee(
    twins: list[Home], tmp_path: Path, cleared: bool
) -> None:
    """CHK47: 元の世帯の行は、何も変わらず黙って通る。避難した人の行が先に判定され、払えると決まっていても。"""
    said = []
    for home, evacuee in zip(twins, (False, True), strict=True):
        office = settled(home, home.path.parent / "work", evacuee=evacuee)
        if evacuee:
            done = ward_lines(office, office.root / "ward")
            if cleared:
                number = read(office.root / "ward/verdicts.csv")[0]["給付管理番号"]
                told = {"reason": "確かめた", "clock": office.town.clock}
                asked = holds.ask(home, PROGRAMME, number, "CHK47", actor=CLERK, **told)
                holds.approve(home, asked, actor=BOSS, clock=office.town.clock)
                assert ward_lines(office, office.root / "again", done.file_number).payable == 1
        judged = origin_line(office, office.root / "judged")
        assert judged.payable == 1
        names = ("verdicts.csv", "checks.csv", "vanished.csv", "reply/reply.csv")
        said.append([(office.root / "judged" / name).read_bytes() for name in names])
    assert said[0] == said[1]


def test_an_evacuee_whose_origin_gets_nothing_is_paid_at_once(home: Home, tmp_path: Path) -> None:
    """元の世帯が対象でなければ、二重に数えられてはいない。"""
    office = settled(home, tmp_path, evacuee=True)
    with home.ward.connect() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(ward.entitlement)).scalar_one() > 1
    office.change("taxes", "父", 減税前所得割額_区="60000", 減税前所得割額_都="40000", 均等割額="4000")
    done = ward_lines(office, tmp_path / "ward")
    assert checks_of(tmp_path / "ward") == [set()]
    assert done.payable == 1


def children(*kids: tuple[int, str, str], claims: list[SimpleNamespace]) -> SimpleNamespace:
    """こども加算の権利だけの、小さな見直し。kids: (住民番号、読み、生年月日)。権利の番号は、1 から。"""
    numbers = [number for number, _kana, _birth in kids]
    return SimpleNamespace(
        entitlements=pl.DataFrame(
            {"id": range(1, len(kids) + 1), "slot_kind": ["CHILD"] * len(kids), "subject_number": numbers}
        ),
        inputs=SimpleNamespace(
            claims=tuple(claims),
            facts=SimpleNamespace(
                residents=pl.DataFrame(
                    {
                        "person_number": numbers,
                        "kana_name": [kana for _number, kana, _birth in kids],
                        "birth": [birth for _number, _kana, birth in kids],
                    }
                )
            ),
        ),
    )


def claim(kind: str, person: int, *, companions: tuple[int, ...] = (), cleared: tuple[str, ...] = ()) -> Any:
    return SimpleNamespace(kind=kind, person_number=person, content={"companions": list(companions)}, cleared=cleared)


def pairs(standing: SimpleNamespace) -> set[tuple[int, int, str]]:
    return set(judgment_people._same_children(standing).iter_rows())  # type: ignore[arg-type]


SAME = ("カクウ　コ", "2015-05-05")
MET: list[tuple[list[Any], tuple[str, str], set[tuple[int, int, str]]]] = [
    # 住民登録のある子どうしは、読みと生年月日が同じでも別人である。
    ([], SAME, set()),
    ([claim("separate-child", 2)], SAME, {(1, 2, "child"), (2, 1, "child")}),
    ([claim("newborn", 1)], SAME, {(1, 2, "child"), (2, 1, "child")}),
    # 読みの書き方（幅、空白）が違っても、同じ読みである。
    ([claim("separate-child", 2)], ("ｶｸｳ ｺ", "2015-05-05"), {(1, 2, "child"), (2, 1, "child")}),
    ([claim("separate-child", 2)], ("カクウ　コ", "2015-05-06"), set()),
    ([claim("separate-child", 2)], ("カクウ　コオ", "2015-05-05"), set()),
    # 申請を決めた人が、別人だと確かめた。
    ([claim("separate-child", 2, cleared=("1",))], SAME, set()),
    # 避難した人に同伴した子: 元の世帯の子の行は黙って通り、避難した側だけが区の一覧に残る。
    ([claim("evacuee", 9, companions=(2,))], SAME, {(2, 1, "origin")}),
]


@pytest.mark.parametrize(("claims", "second", "expected"), MET)
def test_a_child_counted_twice_is_found_by_kana_and_birth(
    claims: list[Any], second: tuple[str, str], expected: set[tuple[int, int, str]]
) -> None:
    """CHK43: 申請で加わった子と、読みと生年月日が同じで番号の違う子。"""
    assert pairs(children((1, *SAME), (2, *second), claims=claims)) == expected


def test_a_birth_that_is_not_known_is_not_the_same_day() -> None:
    unknown = ("カクウ　コ", "2015-05-00")
    assert pairs(children((1, *unknown), (2, *unknown), claims=[claim("separate-child", 2)])) == set()


@pytest.mark.parametrize(
    ("birth", "minor"),
    [(date(2006, 7, 26), False), (date(2006, 7, 27), True), (date(2015, 5, 5), True), (date(1950, 1, 1), False)],
)
@pytest.mark.parametrize(("kind", "head", "on_record"), [("HH100K", True, True), ("HH100K", False, False)])
def test_a_payee_under_eighteen_is_seen(birth: date, minor: bool, kind: str, head: bool, on_record: bool) -> None:
    """CHK92: 判定の日に 18 歳になっていない。記録の上の世帯主なら、それだけでは止めない。"""
    resident = {"person_number": 1, "birth_latest": birth, "kana_name": "カクウ　コ"}
    residents = pl.DataFrame([resident], schema=SCHEMAS["residents"])
    standing = SimpleNamespace(
        inputs=SimpleNamespace(facts=SimpleNamespace(residents=residents, addresses=empty("addresses"))),
        decisions=SimpleNamespace(persons=pl.DataFrame({"person_number": [1], "head": [head]})),
    )
    rows = pl.DataFrame({"payee_number": [1], "subject_number": [5_000_000_001], "slot_kind": [kind]})
    row = judgment_people.with_payees(rows, standing, date(2024, 7, 26)).row(0, named=True)  # type: ignore[arg-type]
    assert (row["minor_payee"], row["payee_on_record"]) == (minor, on_record)
    taxed = rows.with_columns(slot_kind=pl.lit("ADJ"), subject_number=pl.lit(1, dtype=pl.Int64))
    row = judgment_people.with_payees(taxed, standing, date(2024, 7, 26)).row(0, named=True)  # type: ignore[arg-type]
    assert row["payee_on_record"] is True
