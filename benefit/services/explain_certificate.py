"""判定証明: 一つの世帯・児童・納税者の、検査ごとの答え、見た値、変わる条件、版と指紋。

答えは判定の写し（`certificates.Record`）から取り、判定し直さない。端末の文（`explain`）も、開示の紙
（`letters.certificate`）も、この値から書く。
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from benefit.domain.check import Answer, Check
from benefit.domain.entitlement import ACCOUNT_FLAG_NAMES
from benefit.domain.errors import RefusedInput
from benefit.domain.programme import Programme
from benefit.records import certificates as layout
from benefit.rules.outcomes import checks_of
from benefit.services import extracts
from benefit.services.certificates import Record
from benefit.services.explain_change import Change, changes
from benefit.services.explain_facts import Places, Seen, Value
from benefit.services.explain_nearby import Nearby
from benefit.services.explain_taxpayer import TaxpayerSeen

ROUTE_NAMES = {"PUSH": "お知らせだけで振込（PUSH）", "CONFIRM": "確認書（CONFIRM）", "WARD": "区が直接（WARD）"}
#: 検査が使う、事業のファイルの項目。事業にない項目は言わない。
_TERMS = {
    "ENTRANT": ("household.entrants", "entered_from"),
    "INQUIRY": ("entered_from",),
    "DECLARED": ("household.undeclared",),
    "PRIOR": ("household.prior", "household.prior_split"),
    "DEPENDANTS": ("household.supporter",),
    "BIRTH": ("child.born_from",),
    "LEVIED": ("levy_year",),
    "ALIVE": ("base_date",),
    "CAP": ("adjustment.income_cap_yen", "shortfall.income_cap_yen"),
    "TAXPAYER": ("adjustment.non_levied",),
    "SHORTFALL": (
        *(f"{table}.{name}" for table in ("adjustment", "shortfall")
          for name in ("income_tax_unit_yen", "resident_tax_unit_yen", "rounding_yen")),
        "adjustment.zero_levy",
    ),
    "OUTSIDE": ("shortfall.dependant_income_yen",),
}  # fmt: skip


@dataclass(frozen=True)
class Checked:
    """一つの検査: 答え、見た値、使った事業の値とその出典。"""

    check: Check
    answer: Answer
    values: tuple[Value, ...]
    terms: tuple[str, ...]


@dataclass(frozen=True)
class Certificate:
    """一つの対象の判定証明。"""

    kind: str
    number: int
    household_number: int | None
    benefit_name: str
    verdict: str
    reasons: str
    #: 支給額、受給者、届け方。
    result: str
    #: 口座の種類と、名義の一致。対象でなければ空。受給者でない人に渡す紙には載せない。
    account: str
    payee_number: int | None
    members: tuple[Value, ...]
    calculation: tuple[Value, ...]
    checks: tuple[Checked, ...]
    changes: tuple[Change, ...]
    #: 世帯の人（この紙に番号を載せてよい人）。
    people: tuple[int, ...]
    protected: bool
    record: Record

    @property
    def files(self) -> list[tuple[str, str, str]]:
        """使った抽出データ: 名、ファイル名、指紋（sha256 の頭の 16 桁）。"""
        return [(extracts.NAMES[kind], name, sha256[:16]) for kind, (name, sha256) in sorted(self.record.files.items())]

    @property
    def versions(self) -> list[tuple[str, str]]:
        """判定したものの版と指紋。"""
        described = self.record.described
        found = [(name, version) for name, version in described["版"].items()]
        if self.kind == layout.TAXPAYER and self.record.programme.adjustment is not None:
            found = [(name, version) for name, version in found if name != "所得税"]
            mine = pl.col("number") == self.number
            engine = self.record.rows(layout.TAXPAYER, mine)[0]["income_tax_engine"]
            found.append(("所得税", engine))
        found.append((f"事業 {described['事業']}", described["事業の指紋"][:16]))
        if self.record.outcomes_sha256:
            found.append(("outcomes.csv", self.record.outcomes_sha256[:16]))
        return found


def of_household(record: Record, number: int) -> list[Certificate]:
    """世帯と、その児童の証明。基準日にいない世帯は RefusedInput。"""
    rows = record.rows(layout.HOUSEHOLD, pl.col("number") == number)
    if not rows:
        raise RefusedInput("この世帯番号の世帯は、基準日にいません", code="unknown-household")
    row = rows[0]
    inside = pl.col("household_number") == number
    members = record.rows(layout.PERSON, inside)
    seen, people = Seen(record, members), tuple(member["number"] for member in members)
    found = [_made(record, layout.HOUSEHOLD, row, seen.household(row), seen.members(), [], people, seen.protected)]
    for child in record.rows(layout.CHILD, inside):
        terms = record.programme.child
        assert terms is not None
        own = Seen(record, [member for member in members if member["number"] == child["number"]])
        values = own.child(child, terms.born_from)
        found.append(_made(record, layout.CHILD, child, values, [], [], people, seen.protected))
    return found


def of_person(record: Record, number: int) -> list[Certificate]:
    """一人の証明: 基準日の世帯、その児童、納税者として。何もなければ空。"""
    found: list[Certificate] = []
    itself = pl.col("number") == number
    homes = record.rows(layout.PERSON, itself)
    household: tuple[int, ...] = ()
    if homes and record.programme.household is not None:
        found += of_household(record, homes[0]["household_number"])
    if homes:
        inside = pl.col("household_number") == homes[0]["household_number"]
        household = tuple(member["number"] for member in record.rows(layout.PERSON, inside))
    for row in record.rows(layout.TAXPAYER, itself):
        seen = TaxpayerSeen(record, row)
        near = {number, *household}
        marked = record.facts.protected.filter(pl.col("person_number").is_in(list(near)))
        found.append(
            _made(
                record,
                layout.TAXPAYER,
                row,
                seen.values(),
                [],
                seen.calculation(),
                (number,),
                bool(marked.height),
            )
        )
    return found


def not_member(record: Record, number: int) -> Value:
    """世帯員でも納税者でもない人について言うこと。どこにもいなければ RefusedInput。"""
    known = record.facts.residents.filter(pl.col("person_number") == number).rows(named=True)
    if not known:
        raise RefusedInput("この番号の人は、住民記録にも住民税にもいません", code="unknown-person")
    row = known[0]
    return Value(
        f"住民となった日 {row['became_resident_on']}、消除日 {row['removed_on'] or 'なし'}"
        f"（{row['removed_reason'] or '－'}）",
        Places(record)("residents", row["line"]),
    )


def _made(
    record: Record,
    kind: str,
    row: dict[str, Any],
    values: dict[str, list[Value]],
    members: list[Value],
    calculation: list[Value],
    people: tuple[int, ...],
    protected: bool,  # 内側だけで使う
) -> Certificate:
    programme = record.programme
    checks = checks_of(programme)[kind]
    answers = layout.answers(row, checks)
    home = row["household_number"]
    near = Nearby(record.facts, programme, record.today, kind, row["number"], home or 0)
    return Certificate(
        kind,
        row["number"],
        home,
        programme.benefit_names[row["benefit"]],
        row["verdict"],
        layout.reasons(row, checks),
        _result(row),
        _account(row),
        row["payee_number"],
        tuple(members),
        tuple(calculation),
        tuple(
            Checked(
                check, Answer.of(answers[check.id]), tuple(values.get(check.id, ())), tuple(_terms(programme, check.id))
            )
            for check in checks
        ),
        tuple(changes(near)),
        people,
        protected,
        record,
    )


def _terms(programme: Programme, check: str) -> list[str]:
    found = []
    for name in _TERMS.get(check, ()):
        if name not in programme.sources:
            continue
        value: Any = programme
        for part in name.split("."):
            value = getattr(value, part)
        said = f"{value:,}" if name.endswith("_yen") else str(value)
        found.append(f"{name} = {said}（出典: {programme.sources[name]}）")
    return found


def _result(row: dict[str, Any]) -> str:
    payee = "なし" if row["payee_number"] is None else f"{row['payee_number']:010d}"
    if row["verdict"] != "対象":
        return f"支給額 0 円、受給者 {payee}"
    return f"支給額 {row['amount_yen']:,} 円、受給者 {payee}、届け方 {ROUTE_NAMES[row['route']]}"


def _account(row: dict[str, Any]) -> str:
    if row["verdict"] != "対象":
        return ""
    agrees = ""
    if row["account_flag"] != "0":
        agrees = "（名義はカナ氏名と一致）" if row["name_agrees"] else "（名義がカナ氏名と一致しない）"
    return f"、口座 {ACCOUNT_FLAG_NAMES[row['account_flag']]}{agrees}"
