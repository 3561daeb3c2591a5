"""世帯の暮らしと、窓口の仕事: 数十の世帯に出来事が重なる間に、作り、承認し、判定し、払い、戻し、終わらせる。

一歩ごとに、三つに一つほどの世帯に何かが起こり、一つの仕事をする。どの仕事も本物のサービスで、断られることもある。
断られてよいのは、決まりによる断り（BenefitError）だけである。
"""

from __future__ import annotations

import random
import shutil
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from benefit.domain.business_days import is_bank_business_day
from benefit.domain.claim import EVIDENCE
from benefit.domain.errors import BenefitError, RefusedByRule
from benefit.domain.transfer import ENDING_KINDS
from benefit.services import claims, claims_form, desk_export, endings, judgment, reissue, repayments
from benefit.services.claims_form import Form, Receipt
from benefit.services.home import Home
from benefit.store import ward
from tests.ledger import history
from tests.ledger.books import BUILT, CREDITED, FAILED, FIRST, JUDGED, MAKER, PROGRAMME, SECOND, Books
from tests.ledger.lives import RECORDER, Lives, households
from tests.ledger.world import World, account_of, holder
from tests.support.small_ward import read


@dataclass
class Town:
    """一つの区の一年。`known` は、区が最後に受け取った世帯の姿。"""

    home: Home
    chance: random.Random
    count: int
    books: Books = field(init=False)
    known: World = field(init=False)
    day: date = JUDGED
    turn: int = 0
    #: 支払の番号 → その支払が作られた時に、その世帯にいた人。
    covers: dict[int, frozenset[int]] = field(default_factory=dict)
    #: 刷って知らせた (権利, 枝番) → (受給者、額)。
    told: dict[tuple[str, int], tuple[int, int]] = field(default_factory=dict)
    #: 名簿に一度でも載って、区が受け取った人。
    hidden: set[int] = field(default_factory=set)
    ended: set[str] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)
    lives: Lives = field(init=False)

    def __post_init__(self) -> None:
        self.books = Books(self.home, self.home.path.parent, households(self.count, self.chance))
        self.lives = Lives(self.books.world, self.chance)
        self.books.open()
        self._receive()
        self.books.build_and_approve(BUILT)
        self.books.tell(BUILT)
        self._remember()
        self.books.clock.day = self.day
        self._receive()

    def live(self) -> None:
        """世帯に何かが起こる（区はまだ知らない）。"""
        self.lives.happen(self.day, self.turn)

    # ---- 区が知る

    def _receive(self) -> None:
        self.turn += 1
        self.books.world.person(RECORDER).address = f"東京都新宿区高田馬場{self.turn}番"
        self.books.receive()
        self.known = self.books.world.copy()
        self.hidden |= {one.number for one in self.known if one.dv}

    def a_day(self) -> None:
        """日が進み、抽出データが届く。"""
        self.day += timedelta(days=self.chance.randint(1, 5))
        self.books.clock.day = max(self.books.clock.day, self.day)
        self._receive()

    def rebuild(self) -> None:
        """作り直し、差を承認し、手紙を出す。"""
        self.a_day()
        with suppress(BenefitError):
            self.books.build_and_approve(self.day)
        self.books.tell(self.day - timedelta(days=20))
        self._remember()

    def _remember(self) -> None:
        for right in self.books.entitlements():
            self.told.setdefault((right["slot"], right["branch"]), (right["payee_number"], right["amount_yen"]))

    # ---- 申し出と支払

    def rights(self) -> list[dict[str, Any]]:
        known = {one.number for one in self.books.world}
        return [right for right in self.books.entitlements() if right["payee_number"] in known]

    def claim(self) -> None:
        """委託先から、いくつかの権利の申し出が届く（区が直接扱う人や、払った人が混ざることもある）。"""
        live = {row["slot"] for row in self.payments() if row["state"] in {"F40", "F41", "F42"}}
        rights = self.rights()
        free = [right for right in rights if right["slot"] not in live]
        chosen = self.chance.sample(free, min(len(free), self.chance.randint(5, 40)))
        again = [right for right in rights if right["slot"] in live]
        chosen += self.chance.sample(again, min(len(again), self.chance.randint(0, 4)))
        if not chosen:
            return
        rows = [self.books.planned_row(right, turn=self.chance.choice([0, 0, 1, 2])) for right in chosen]
        folder = self.books.plan(rows, f"P{self.turn}-{self._next()}")
        try:
            judged = self.books.judge(folder, today=self.day)
        except RefusedByRule as refused:
            if refused.code != "CHK04":
                raise
            return
        self._expect(judged.rows == len(rows), "判定した行の数が、届いた行の数と違う")
        self._verdicts(chosen)

    def through(self) -> None:
        """申し出から銀行の結果まで。どこで止まるかは、その時による。"""
        for work in (self.claim, self.pay, self.bank)[: self.chance.randint(1, 3)]:
            work()

    def ward_rows(self) -> None:
        """区が直接扱う人の行を、区が作って判定する。"""
        judgment.judge_ward_rows(
            self.home, PROGRAMME, out=self.books.root / "ward-judged", today=self.day,
            bank_master=self.books.banks, clock=self.books.clock,
        )  # fmt: skip

    def _next(self) -> int:
        self.turn += 1
        return self.turn

    def _verdicts(self, chosen: list[dict[str, Any]]) -> None:
        """支給可の人は、生きていて、終わっておらず、外へ出してはならない人ではない。"""
        payable = {
            r["給付管理番号"] for r in read(self.books.root / "judged" / "verdicts.csv") if r["判定"] == "支給可"
        }
        people = {one.number: one for one in self.known}
        for right in chosen:
            if right["case_number"] in payable:
                payee = people[right["payee_number"]]
                self._expect(payee.living, f"{right['slot']}: 亡くなった受給者が支給可")
                self._expect(payee.number not in self.hidden, f"{right['slot']}: 委託先から届いた区直轄の人が支給可")
                self._expect(right["slot"] not in self.ended, f"{right['slot']}: 終わった権利が支給可")

    def pay(self) -> None:
        """作って、承認して、送る。五つに一つは取り消す。"""
        pay_date = self.day + timedelta(days=3)
        while not is_bank_business_day(pay_date):
            pay_date += timedelta(days=1)
        made = self.books.make(today=self.day, pay_date=pay_date)
        if made is None:
            return
        self._cover()
        if self.chance.random() < 0.2:
            self.books.cancel(made.id)
            return
        for actor in (FIRST, SECOND):
            self.books.approve(made.id, actor)
        try:
            self.books.release(made.id)
        except RefusedByRule:
            self.books.cancel(made.id)

    def _cover(self) -> None:
        """新しい支払が、いま誰の世帯に行くか。"""
        rights = {right["id"]: right for right in self.books.entitlements()}
        for row in self.payments():
            right = rights[row["entitlement_id"]]
            if row["id"] not in self.covers and right["slot_kind"] == "HH100K":
                members = {one.number for one in self.known.members(right["household_number"])}
                self.covers[row["id"]] = frozenset(members | {right["payee_number"]})

    def bank(self) -> None:
        """銀行の結果。入金済の後から、不能が届くこともある。"""
        waiting = sorted({line for line, state in self._lines() if state == "F41"})
        late = sorted({line for line, state in self._lines() if state == "F42"})
        chosen = waiting or (late if self.chance.random() < 0.3 else [])
        if not chosen:
            return
        number = self.chance.choice(chosen)
        lines = len((self.books.root / "bank" / f"sogo-{number:04d}.txt").read_bytes().splitlines()) - 3
        answers = [FAILED if self.chance.random() < 0.15 else CREDITED for _ in range(lines)]
        self.books.take(self.books.answer(number, answers, created_on=date(2025, 1, 1) + timedelta(self._next())))

    def _lines(self) -> list[tuple[int, str]]:
        line, payment = ward.transfer_line, ward.payment
        query = sa.select(line.c.transfer_id, payment.c.state).join(payment, payment.c.id == line.c.payment_id)
        with self.home.ward.connect() as connection:
            return [(row[0], row[1]) for row in connection.execute(query)]

    # ---- 戻す・終わる・出し直す・申請

    def end(self) -> None:
        """辞退・不支給・契約不成立。申し出て、別の人が承認する。"""
        right = self.chance.choice(self.rights())
        with suppress(BenefitError):
            number = endings.ask(
                self.home, right["case_number"], self.chance.choice(ENDING_KINDS), reason="本人の申出", actor=MAKER,
                clock=self.books.clock,
            )  # fmt: skip
            endings.approve(self.home, number, actor=FIRST, clock=self.books.clock)
            self.ended.add(right["slot"])

    def money_back(self) -> None:
        """返還の請求と入金。全額のことも、分けて返ることもある。"""
        paid = [row["slot"] for row in self.payments() if row["state"] == "F42"]
        rights = [right for right in self.rights() if right["slot"] in paid]
        if not rights:
            return
        right = self.chance.choice(rights)
        with suppress(BenefitError):
            number = repayments.ask(
                self.home, right["case_number"], amount_yen=None, cause="対象外", due_on=self.day + timedelta(30),
                today=self.day, reason="対象でなかった", actor=MAKER, clock=self.books.clock,
            )  # fmt: skip
            repayments.approve(self.home, number, actor=FIRST, clock=self.books.clock)
            part = self.chance.choice([right["amount_yen"], right["amount_yen"] // 2])
            for reference in (f"S{self._next()}", f"S{self._next()}"):
                repayments.receive(
                    self.home, number, amount_yen=part, received_on=self.day, reference=reference, actor=MAKER,
                    clock=self.books.clock,
                )  # fmt: skip

    def reissue(self) -> None:
        right = self.chance.choice(self.rights())
        with suppress(BenefitError):
            reissue.reissue(
                self.home, PROGRAMME, right["case_number"], reason="返戻", actor=MAKER, clock=self.books.clock
            )

    def successor(self) -> None:
        """世帯主が亡くなり、残った人が継ぐ。"""
        died = [one for one in self.known if one.relation == "世帯主" and not one.living]
        for one in died:
            rest = [o for o in self.known.members(one.household) if o.living and o.relation == "妻"]
            if rest:
                self._apply(claims_form.successor(f"{one.household:010d}", f"{rest[0].number:010d}"))

    def evacuee(self) -> None:
        """妻が避難する。元の世帯には、何も起こらない。"""
        wives = [one for one in self.known if one.relation == "妻" and one.living and not one.removed_on]
        if wives:
            one = self.chance.choice(wives)
            account = ",".join((*account_of(one.number, 5), holder(one.kana)))
            self._apply(claims_form.evacuee(f"{one.number:010d}", companions=[], account_text=account))
            self.books.world.person(one.number).dv = True

    def _apply(self, form: Form) -> None:
        receipt = Receipt(
            received_on=date(2024, 7, 10), evidence_kind=EVIDENCE[form.kind][0], evidence_id=f"E{self._next()}",
            reason="窓口で受け付けた",
        )  # fmt: skip
        with suppress(BenefitError):
            claim = claims.enter(
                self.home, PROGRAMME, form, receipt, today=self.day, actor=MAKER, clock=self.books.clock
            )
            claims.decide(
                self.home, PROGRAMME, claim.number, "accept", reason="書類を確かめた", today=self.day, actor=FIRST,
                clock=self.books.clock, cleared=(),
            )  # fmt: skip

    def hand_over(self) -> None:
        """委託先への受渡。区が直接扱う人の番号は、どこにもない。"""
        out = self.books.root / f"payees-{self._next()}"
        with suppress(BenefitError):
            desk_export.export(self.home, PROGRAMME, out=out, today=self.day, clock=self.books.clock)
        for path in out.rglob("*"):
            data = path.read_bytes()
            for number in self.hidden:
                self._expect(f"{number:010d}".encode() not in data, f"区直轄の人 {number} が {path.name} にある")

    # ---- いつも正しいこと

    def number_of(self, table: str) -> int:
        """この表の行の数。"""
        with self.home.ward.connect() as connection:
            query = sa.select(sa.func.count()).select_from(ward.metadata.tables[table])
            return int(connection.execute(query).scalar_one())

    def checks(self) -> Counter[str]:
        """判定の答えの内訳。"""
        with self.home.ward.connect() as connection:
            rows = connection.execute(sa.select(ward.verdict.c.verdict, ward.verdict.c.checks)).all()
        return Counter(f"{row[0]} {row[1]}" for row in rows)

    def close(self) -> None:
        """世界をしまう。"""
        self.home.ward.dispose()
        shutil.rmtree(self.home.path.parent, ignore_errors=True)

    def payments(self) -> list[dict[str, Any]]:
        with self.home.ward.connect() as connection:
            return [dict(row) for row in connection.execute(ward.payment.select()).mappings()]

    def _expect(self, holds: bool, otherwise: str) -> None:
        if not holds:
            self.wrong.append(otherwise)

    def check(self) -> list[str]:
        """台帳の歴史、人ごとの一回、知らせたことの不変、終わった権利。"""
        with self.home.ward.connect() as connection:
            wrong = [*self.wrong, *history.read(connection).wrong]
        alive = [row for row in self.payments() if row["state"] in {"F40", "F41", "F42"}]
        holders: dict[int, str] = {}
        for row in alive:
            for person in self.covers.get(row["id"], ()):
                if holders.setdefault(person, row["slot"]) != row["slot"]:
                    wrong.append(f"{person} は、{holders[person]} と {row['slot']} の両方で払われている")
        for right in self.books.entitlements():
            told = self.told.get((right["slot"], right["branch"]))
            if told is not None and told != (right["payee_number"], right["amount_yen"]):
                wrong.append(f"{right['slot']}: 知らせた受給者か額が、出し直さずに変わった")
        return wrong
