"""世帯の給付: 基準日の世帯に一回（契約 §2 Household benefits、benefit-rules A・K）。"""

from __future__ import annotations

from typing import NamedTuple

from benefit.domain.programme import Programme
from benefit.second.judged import Answers, judged
from benefit.second.prior import prior_hits
from benefit.second.tax_class import surely_under_16, tax_class
from benefit.second.ward_rows import WardRows


class JudgedHousehold(NamedTuple):
    """世帯の判定と、児童の行が引き継ぐもの。"""

    verdict: str
    reasons: str
    benefit: str
    amount_yen: int
    payee_number: int | None


def judge_household(ward: WardRows, household: int) -> JudgedHousehold:
    """一つの世帯。"""
    terms = ward.programme.household
    assert terms is not None
    classes = {number: tax_class(ward, number) for number in ward.households[household]}
    verdict, reasons = judged(_answers(ward, household, classes))
    payee = _payee(ward, household)
    if verdict != "対象":
        return JudgedHousehold(verdict, reasons, terms.ineligible_id, 0, payee)
    untaxed = ward.programme.benefit_for("untaxed_household")
    light = ward.programme.benefit_for("per_capita_household")
    assert untaxed is not None
    # 国外からの転入者を見ない事業では、その人は税のない人である。
    free = {"0", "N"} if terms.entrants == "IGNORE" else {"0"}
    benefit = untaxed if light is None or set(classes.values()) <= free else light
    assert benefit.amount_yen is not None
    return JudgedHousehold(verdict, reasons, benefit.id, benefit.amount_yen, payee)


def _answers(ward: WardRows, household: int, classes: dict[int, str | None]) -> Answers:
    """検査の答え。並びは契約の表の順。"""
    terms = ward.programme.household
    assert terms is not None
    head = ward.householder(household)
    found = set(classes.values())
    answers: dict[str, bool | None] = {
        "HEAD": True if head is not None else None,
        "PAYEE": _payee_lives(ward, household, head),
        "TAX": not _taxed(ward.programme, found),
        "TREATY": "X" not in found,
        "ENTRANT": _entrant(ward, head, classes),
        "INQUIRY": None if "Q" in found else True,
        "DECLARED": True,
    }
    if "U" in found:
        answers["DECLARED"] = {"HOLD": None, "EXCLUDE": False}[terms.undeclared]
    if terms.prior == "EXCLUDE_TARGETS":
        answers["PRIOR"] = _prior(ward, household)
    answers["DEPENDANTS"] = _dependants(ward, household)
    return answers


def _taxed(programme: Programme, found: set[str | None]) -> bool:
    """所得割を課税されている人がいる。均等割のみの世帯への給付がない事業では、均等割の人も課税である。"""
    if programme.benefit_for("per_capita_household") is None:
        return bool(found & {"1", "2"})
    return "2" in found


def _payee_lives(ward: WardRows, household: int, head: int | None) -> bool | None:
    """世帯主が存命か。亡くなっていても、ほかに生きている人がいれば不明。承継か相続が決まっていれば該当。"""
    if head is None or not ward.is_dead(head, ward.today) or ("世帯", household) in ward.new_payees:
        return True
    living = [number for number in ward.households[household] if not ward.is_dead(number, ward.today)]
    return None if living else False


def _payee(ward: WardRows, household: int) -> int | None:
    """受給者は世帯主。いない世帯では空。亡くなって代わりの受給者が決まっていれば、その人。"""
    head = ward.householder(household)
    if head is not None and ward.is_dead(head, ward.today) and ("世帯", household) in ward.new_payees:
        head, _heir = ward.new_payees["世帯", household]
    return head


def _entrant(ward: WardRows, head: int | None, classes: dict[int, str | None]) -> bool | None:
    """国外からの転入者でないか（K2）。"""
    terms = ward.programme.household
    assert terms is not None
    if terms.entrants == "IGNORE" or "N" not in classes.values():
        return True
    if terms.entrants == "EXCLUDE_IF_ANY":
        return False
    if head is not None and classes[head] == "N":
        return False
    adults = [letter for number, letter in classes.items() if not surely_under_16(ward, number)]
    if adults and all(letter == "N" for letter in adults):
        return False
    return None


def _prior(ward: WardRows, household: int) -> bool | None:
    """昨年度の対象世帯でないか。分かれた人がいるだけの世帯（P5）は、事業の方針（K1）。"""
    terms = ward.programme.household
    assert terms is not None
    hits = prior_hits(ward, household)
    if not hits:
        return True
    if hits == {"P5"}:
        return {"HOLD": None, "EXCLUDE": False, "ALLOW": True}[terms.prior_split]
    return False


def _dependants(ward: WardRows, household: int) -> bool | None:
    """課税者の被扶養者だけの世帯でないか。"""
    terms = ward.programme.household
    assert terms is not None
    taxed = {"1", "2"} if terms.supporter == "PER_CAPITA_LEVY" else {"2"}
    supporters: list[str | None] = []
    for number in ward.households[household]:
        tax = ward.taxes.get(number)
        if tax is None or not (tax["supporter_outside"] or tax["supporter_number"] is not None):
            return True
        supporters.append("区外" if tax["supporter_outside"] else tax_class(ward, tax["supporter_number"]))
    if all(letter in taxed for letter in supporters):
        return False
    # 課税されていないと分かっている人（0・X・N、所得割で見る事業では 1 も）に一人でも扶養されていれば、そうではない。
    untaxed = {"0", "X", "N"} | ({"1", "2"} - taxed)
    if any(letter in untaxed for letter in supporters):
        return True
    return None
