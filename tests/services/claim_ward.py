"""申請の試験のための小さな区: 世帯を足し、申請を入れ、別の人が決め、作る。"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benefit.domain.access import Actor
from benefit.domain.claim import EVIDENCE, Claim
from benefit.services import beneficiaries, claims, desk_export
from benefit.services.claims_form import Form, Receipt
from benefit.services.home import Home
from benefit.store import ward
from letters.mailing import make_letters
from tests.conftest import StepClock
from tests.services.inquiry_ward import PROGRAMME, TAX
from tests.services.inquiry_ward import Ward as Town
from tests.support.approval import approve_latest
from tests.support.small_ward import read

TODAY = date(2024, 7, 26)
CLERK, SECOND, BOSS = Actor("tanto", "clerk"), Actor("tanto2", "clerk"), Actor("shonin", "approver")
ACCOUNT = "9999,001,1,9000001,ｶｸｳ ﾊﾅｺ"
FREE: dict[str, str] = {}
LIGHT = {"均等割額": "4000"}
TAXED = {"均等割額": "4000", "減税前所得割額_区": "60000", "減税前所得割額_都": "40000", "減税後所得割額": "90000"}
CHILD = {"生年月日": "2015-05-05", "続柄": "子"}
RECEIPTS = iter(range(1, 10**6))


@dataclass
class Office:
    """区の窓口。"""

    town: Town
    root: Path
    builds: int = 0
    numbers: dict[str, int] = field(default_factory=dict)

    @property
    def home(self) -> Any:
        return self.town.home

    def staff(self) -> None:
        with self.home.ward.begin() as connection:
            connection.execute(
                ward.staff.insert(),
                [
                    {
                        "id": one.id,
                        "name": "試験",
                        "role": one.role,
                        "password_hash": "x",
                        "created_at": self.town.clock(),
                    }
                    for one in (CLERK, SECOND, BOSS)
                ],
            )

    def enter(self, form: Form, *, actor: Actor = CLERK, today: date = TODAY, **given: Any) -> Claim:
        told = {
            "received_on": date(2024, 7, 10),
            "evidence_kind": EVIDENCE[form.kind][0],
            "evidence_id": f"R-{next(RECEIPTS)}",
            "reason": "窓口で受け付けた",
        }
        receipt = Receipt(**(told | given))
        return claims.enter(self.home, PROGRAMME, form, receipt, today=today, actor=actor, clock=self.town.clock)

    def decide(
        self, claim: Claim, decision: str = "accept", *, actor: Actor = SECOND, today: date = TODAY, clear: Any = ()
    ) -> Claim:
        return claims.decide(
            self.home, PROGRAMME, claim.number, decision,
            reason="書類を確かめた", today=today, actor=actor, clock=self.town.clock, cleared=clear,
        )  # fmt: skip

    def accept(self, form: Form, *, actor: Actor = BOSS, clear: Any = (), today: date = TODAY, **given: Any) -> Claim:
        return self.decide(self.enter(form, today=today, **given), actor=actor, clear=clear, today=today)

    def build(self, today: date = TODAY) -> Path:
        self.builds += 1
        out = self.root / f"build-{self.builds}"
        beneficiaries.build(self.home, PROGRAMME, today, out=out, clock=self.town.clock)
        return out

    def approve(self) -> None:
        approve_latest(self.home, self.town.clock, BOSS)

    def send_only(self, name: str, today: date = TODAY) -> Path:
        """承認した判定から、委託先と印刷所へ出る物を全部作る。"""
        out = self.root / name
        make_letters(self.home, PROGRAMME, out=out / "letters", issued_on=today, clock=self.town.clock)
        desk_export.export(self.home, PROGRAMME, out=out / "payees", today=today, clock=self.town.clock)
        return out

    def outcomes(self, today: date = TODAY) -> dict[tuple[str, str], dict[str, str]]:
        """(対象区分, 対象番号) → outcomes.csv の行。"""
        return {(row["対象区分"], row["対象番号"]): row for row in read(self.build(today) / "outcomes.csv")}

    def claimed(self, today: date = TODAY) -> dict[tuple[str, str], dict[str, str]]:
        """(申請番号, 対象番号) → claim_outcomes.csv の行。"""
        path = self.build(today) / "claim_outcomes.csv"
        return {(row["申請番号"], row["対象番号"]): row for row in read(path)} if path.exists() else {}

    def entitlements(self) -> dict[str, dict[str, Any]]:
        """slot → 登録した権利。"""
        with self.home.ward.connect() as connection:
            rows = connection.execute(sa.select(ward.entitlement).order_by(ward.entitlement.c.slot)).mappings()
            return {row["slot"]: dict(row) for row in rows}

    def person(self, name: str) -> str:
        return self.town.people[name]

    def family(self, home: int, *, father: Any = None, mother: Any = None, child: bool = True, name: str = "") -> None:
        """父（世帯主）・母・子の世帯。言わなければ、どちらも非課税。"""
        self.town.add(f"{name}父", home, tax=TAX | (father or FREE), カナ氏名=f"カクウ　{name}チチ")
        self.town.add(f"{name}母", home, tax=TAX | (mother or FREE), 続柄="妻", カナ氏名=f"カクウ　{name}ハハ")
        if child:
            self.town.add(f"{name}子", home, **CHILD | {"カナ氏名": f"カクウ　{name}コ"})

    def baby(self, name: str, home: int, **given: str) -> str:
        born = {"生年月日": "2024-06-20", "続柄": "子", "住民となった日": "2024-06-20", "住民となった事由": "出生"}
        return self.town.add(name, home, **born | {"カナ氏名": f"カクウ　{name}"} | given)

    def change(self, kind: str, name: str, **values: str) -> None:
        """抽出データの一人の行を変えて、取り込み直す。"""
        column = "宛名番号" if kind in ("taxes", "accounts") else "住民番号"
        for row in self.town.rows[kind]:
            if row[column] == self.town.people[name]:
                row.update(values)
        self.town.load(kind)


def files_of(folder: Path) -> dict[str, bytes]:
    """フォルダの全部のファイルの中身。"""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def small_office(home: Home, root: Path) -> Office:
    """世帯 1 は非課税の親子と新生児、世帯 2 は所得割課税の親子、世帯 3 は転入した一人、世帯 4 は非課税の夫婦。"""
    clock = StepClock()
    clock.now = clock.now.replace(month=7, day=26)
    made = Office(Town(home, root, clock), root)
    made.staff()
    made.family(1)
    made.family(2, father=TAXED, name="二")
    made.town.mover("転入", 3)
    made.family(4, child=False, name="四")
    made.baby("新生児", 1)
    made.town.load()
    return made
