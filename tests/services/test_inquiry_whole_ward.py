"""見本の区（ward-3k）の照会の全部に、作った回答が返る。Q の人は誰も残らず解けるか名指され、判定は契約のとおりに変わる。

答え合わせは、契約を一人ずつ書き下した計算（benefit.second）と、回答を一行ずつ読むここの計算による。
"""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from benefit.domain.programme import Programme
from benefit.second.evaluate import evaluate_ward
from benefit.second.tax_class import tax_class
from benefit.second.ward_rows import WardRows
from benefit.services import beneficiaries, extracts, inquiries, inquiry_status, replay, runs
from benefit.services.home import Home
from benefit.services.standing import gather
from tests.conftest import WARD_3K, StepClock
from tests.services.inquiry_ward import ACCOUNT_ANSWER, BLANK, TAX_ANSWER
from tests.support.small_ward import read, write

PROGRAMME = Programme.load("r6-2024")
TODAY = date(2024, 6, 20)
Row = dict[str, Any]

WORDS = ("課税", "非課税", "未申告", "該当なし", "提供不可", "エラー")
AMOUNTS = ("", "0", "1", "4000", "62300")


def tax_said(dice: random.Random, place: int) -> tuple[str, ...]:
    """どの言葉も必ず出る。課税には、額のあらゆる組み合わせが出る。"""
    word = WORDS[place] if place < len(WORDS) else dice.choices(WORDS, [10, 5, 1, 1, 1, 1])[0]
    amounts = [dice.choice(AMOUNTS) for _ in range(3)] if word == "課税" or dice.random() < 0.1 else ["", "", ""]
    return word, *amounts, "1" if dice.random() < 0.05 else "0"


def account_said(dice: random.Random, kana: str | None, place: int) -> tuple[str, ...]:
    word = ("有", "無", "提供停止")[place % 3]
    if word != "有":
        return word, *BLANK
    holder = kana if kana and dice.random() < 0.8 else "ﾍﾞﾂｼﾞﾝ"
    return word, "9999", "001", "1", f"9{dice.randrange(10**6):06d}", holder


class Rounds:
    """照会し、答え、使うべき答えを自分でも数える。"""

    def __init__(self, home: Home, folder: Path, seed: int) -> None:
        self.home, self.folder, self.clock = home, folder, StepClock()
        self.dice = random.Random(seed)
        self.asked: dict[str, set[int]] = {"tax": set(), "account": set()}
        self.heard: dict[str, dict[int, Row]] = {"tax": {}, "account": {}}

    def import_ward(self, marked: int) -> None:
        for kind in extracts.KINDS:
            path = WARD_3K / f"{kind}.csv"
            if kind == "protected" and marked:
                path = self._with_marks(path, marked)
            if path.exists():
                extracts.import_file(self.home, kind, path, clock=self.clock, levy_year=2024)

    def _with_marks(self, path: Path, count: int) -> Path:
        """転入者の何人かに、支援措置の印を付ける（見本の区には、区直轄で課税の分からない人がいない）。"""
        movers = [row["住民番号"] for row in read(WARD_3K / "residents.csv") if row["1月1日住所地"]]
        rows = read(path) + [{"住民番号": number, "区分": "DV"} for number in self.dice.sample(movers, count)]
        write(self.folder / "protected.csv", rows, ["住民番号", "区分"])
        return self.folder / "protected.csv"

    def ask(self, kind: str, today: date, *, retry: bool = False) -> list[dict[str, str]]:
        out = self.folder / f"{kind}-{today}"
        done = inquiries.export(self.home, PROGRAMME, today, kind, out=out, clock=self.clock, retry=retry)
        by_hand = [row for row in read(done.not_asked) if row["照会番号"]]
        rows = [*read(done.path), *by_hand]
        self.asked[kind] |= {int(row["住民番号"]) for row in rows}
        return rows

    def answer(self, kind: str, rows: list[dict[str, str]]) -> None:
        kana = {row["住民番号"]: row["カナ氏名"] for row in read(WARD_3K / "residents.csv")}
        table = []
        for place, row in enumerate(rows):
            who = row["住民番号"]
            said = tax_said(self.dice, place) if kind == "tax" else account_said(self.dice, kana.get(who), place)
            heading = TAX_ANSWER if kind == "tax" else ACCOUNT_ANSWER
            table.append(dict(zip(heading, [row["照会番号"], who, *said], strict=True)))
            self._hear(kind, int(who), table[-1])
        path = self.folder / f"{kind}_answers-{self.dice.random()}.csv"
        self.dice.shuffle(table)
        write(path, table, TAX_ANSWER if kind == "tax" else ACCOUNT_ANSWER)
        done = inquiries.import_answers(
            self.home, PROGRAMME, kind, path, clock=self.clock, encoding=None, allow_rejects=0
        )
        assert done.fresh == done.imported.rows_kept == len(rows)

    def _hear(self, kind: str, person: int, row: dict[str, str]) -> None:
        if kind == "account":
            self.heard[kind][person] = {
                "person_number": person, "registered": row["登録"], "holder_kana": row["口座名義カナ"]
            }  # fmt: skip
            return
        money = {
            name: int(row[heading]) if row[heading] else None
            for name, heading in (
                ("per_capita_levy_yen", "均等割額"),
                ("income_levy_before_cut_yen", "所得割額_減税前"),
                ("income_levy_after_cut_yen", "所得割額_減税後"),
            )
        }
        self.heard[kind][person] = {
            "person_number": person, "answer": row["回答"], "treaty_exempt": row["租税条約免除"] == "1", **money
        }  # fmt: skip

    def build(self, name: str) -> list[dict[str, str]]:
        beneficiaries.build(self.home, PROGRAMME, TODAY, out=self.folder / name, clock=self.clock)
        return list(csv.DictReader(io.StringIO((self.folder / name / "outcomes.csv").read_text(encoding="utf-8"))))

    def plain(self) -> WardRows:
        """写しの行と、ここで作った回答だけから。回答を選ぶ本体の部品は通らない。"""
        facts = gather(self.home, PROGRAMME, TODAY).facts
        kinds = ("residents", "taxes", "prior", "accounts", "addresses", "protected")
        rows: dict[str, list[Row]] = {kind: getattr(facts, kind).to_dicts() for kind in kinds}
        for kind in ("tax", "account"):
            rows[f"{kind}_answers"] = list(self.heard[kind].values())
        return WardRows(rows, PROGRAMME, TODAY)


def shown(ward: WardRows) -> list[tuple[str, ...]]:
    """契約 §4 の outcomes.csv の列で。"""
    rows = []
    for kind, number, benefit, verdict, reasons, yen, payee, route, flag in evaluate_ward(ward):
        number_of = f"{payee:010d}" if payee is not None else ""
        rows.append((kind, f"{number:010d}", benefit, verdict, reasons, str(yen), number_of, route or "", flag or ""))
    return sorted(rows)


def unknown(ward: WardRows) -> set[int]:
    return {person for person in ward.household_of if tax_class(ward, person) == "Q"}


def touched(ward: WardRows, asked: dict[str, set[int]]) -> Callable[[dict[str, str]], bool]:
    """答えが届きうる行か: 尋ねた人の世帯、その人が扶養する世帯、口座を尋ねた受給者の行。"""
    homes = {ward.household_of[person] for person in asked["tax"] if person in ward.household_of}
    for person, tax in ward.taxes.items():
        if tax["supporter_number"] in asked["tax"] and person in ward.household_of:
            homes.add(ward.household_of[person])

    def reaches(row: dict[str, str]) -> bool:
        number = int(row["対象番号"])
        home = number if row["対象区分"] == "世帯" else ward.household_of.get(number)
        by_tax = row["対象区分"] != "納税者" and home in homes
        return by_tax or (row["受給者番号"] != "" and int(row["受給者番号"]) in asked["account"])

    return reaches


def named(rounds: Rounds, today: date) -> tuple[inquiry_status.Status, set[int]]:
    done = inquiry_status.status(rounds.home, PROGRAMME, today, out=rounds.folder / f"status-{today}")
    assert done.arrivals == done.resolved + done.open_people
    assert done.folder is not None
    assert done.ward_only is not None
    rows = [row for place in (done.folder, done.ward_only) for row in read(place / "open_people.csv")]
    assert len(rows) == done.open_people == len({row["住民番号"] for row in rows})
    assert all(row["状態"] in inquiry_status.STATES and row["次にすること"] for row in rows)
    return done, {int(row["住民番号"]) for row in rows}


def same(ours: list[dict[str, str]], ward: WardRows) -> None:
    assert sorted(tuple(row.values()) for row in ours) == shown(ward)


@pytest.mark.parametrize(("seed", "marked"), [(20240624, 0), (7, 12)])
def test_all_inquiries_answered_everyone_is_resolved_or_named(
    home: Home, tmp_path: Path, seed: int, marked: int
) -> None:
    print("種", seed)
    rounds = Rounds(home, tmp_path, seed)
    rounds.import_ward(marked)
    before = rounds.build("before")
    plain = rounds.plain()
    same(before, plain)
    if not marked:
        assert (tmp_path / "before" / "outcomes.csv").read_bytes() == (WARD_3K / "expected/outcomes.csv").read_bytes()
    first_unknown = unknown(plain)
    assert len(first_unknown) > 100

    for kind in ("tax", "account"):
        rounds.answer(kind, rounds.ask(kind, TODAY + timedelta(4)))
    protected = set(plain.protected)
    guarded = {person for members in plain.households.values() if protected & set(members) for person in members}
    for kind in ("tax", "account"):
        machine = {int(row["住民番号"]) for row in read(tmp_path / f"{kind}-2024-06-24" / f"{kind}_inquiry.csv")}
        assert machine
        assert not machine & (guarded | protected)
    assert bool(rounds.asked["tax"] & guarded) == bool(marked)

    after = rounds.build("after")
    plain = rounds.plain()
    same(after, plain)
    reaches = touched(plain, rounds.asked)
    # 子どもの行は、世帯が対象外になれば消える。それも尋ねた世帯だけである。
    assert [row for row in before if not reaches(row)] == [row for row in after if not reaches(row)]
    changed = [row for row in before if row not in after]
    assert len(changed) > 100
    done, listed = named(rounds, TODAY + timedelta(10))
    assert unknown(plain) <= listed
    assert not listed & {p for p in first_unknown if tax_class(plain, p) != "Q"}
    assert done.arrivals >= len(first_unknown)
    for state in ("要再照会", "要申請", "矛盾", "照会できない", "結果に影響しない"):
        assert done.states[state] > 0

    # 二巡目: 役に立たなかった人だけに尋ね直す。新しい照会の答えが使われる。
    failed = {person for person, row in rounds.heard["tax"].items() if row["answer"] in inquiries.FAILED}
    rows = rounds.ask("tax", TODAY + timedelta(11), retry=True)
    again = [row for row in rows if int(row["住民番号"]) in failed & unknown(plain)]
    machine = read(tmp_path / "tax-2024-07-01" / "tax_inquiry.csv")
    assert machine
    assert {int(row["住民番号"]) for row in machine} <= failed & unknown(plain)
    rounds.answer("tax", again)
    plain = rounds.plain()
    same(rounds.build("second"), plain)
    # 回答の入った判定も、残した入力から一字も違わずに再現できる。
    assert replay.replay(home, runs.find(home, PROGRAMME, "latest")).same
    _, listed = named(rounds, TODAY + timedelta(12))
    assert unknown(plain) <= listed
