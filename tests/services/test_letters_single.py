"""一通ずつ作る手紙: 宛先は台帳のもの、亡くなった人には送らず、相続人届出書は亡くなった人にだけ。誰が作ったかが残る。"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
import sqlalchemy as sa

from benefit.domain.errors import BenefitError, RefusedByRule, WrongUse
from benefit.services.mailing_release import Stale, stale_letters
from benefit.services.single_letters import SINGLE_KINDS, Recipient
from benefit.store import ward
from letters.single import MadeSingle, make_single
from tests.services.conftest import MAKER, PROGRAMME, Office
from tests.services.test_changes import DAY, bring, change, standing

SLIP: dict[str, Any] = {
    "letter_name": "支給のお知らせ",
    "sent_on": "令和6年7月16日",
    "item": "支店名",
    "wrong": "新宿支店",
    "right": "本店",
    "to_do": "お手続きは要りません。",
}
HEIR = Recipient("乙川　次郎", "1000001", "東京都千代田区千代田1番1号")


def text_of(made: MadeSingle) -> str:
    found = ""
    for file in made.folder.glob("*.pdf"):
        document = pypdfium2.PdfDocument(file)
        found += "".join("".join(page.get_textpage().get_text_range().split()) for page in document)
        document.close()
    return found


def registered(office: Office, kind: str) -> list[str]:
    table = ward.letter
    with office.home.ward.connect() as connection:
        query = sa.select(table.c.occasion).where(table.c.kind == kind).order_by(table.c.id)
        return list(connection.execute(query).scalars())


def stale(office: Office) -> list[Stale]:
    """一通ずつの手紙のうち、きょう出してはならないもの。"""
    with office.home.ward.connect() as connection:
        lots = connection.execute(sa.select(ward.lot.c.id).where(ward.lot.c.kind.in_(SINGLE_KINDS))).scalars().all()
    return stale_letters(office.home, PROGRAMME, lots, DAY)


def test_one_letter_is_made_for_the_right_person_and_registered(office: Office, tmp_path: Path) -> None:
    rows = standing(office).filter(~standing(office)["payee_dead"]).to_dicts()
    number = next(row["case_number"] for row in rows if row["route"] != "WARD" and not row["ward_only"])
    hidden = next(row["case_number"] for row in rows if row["route"] == "WARD")
    payee = next(row["payee_number"] for row in rows if row["case_number"] == number)
    make = partial(
        make_single, office.home, PROGRAMME, reason="職員の申し出", out=tmp_path, issued_on=DAY, actor=MAKER,
        clock=office.clock,
    )  # fmt: skip

    text = text_of(make("correction_letter", number, SLIP))
    assert all(word in text for word in (number, "お詫びと訂正", "新宿支店", "本店"))
    # 同じ紙は二度作れない。違う訂正なら、二通目になる。
    with pytest.raises(RefusedByRule):
        make("correction_letter", number, SLIP)
    make("correction_letter", number, SLIP | {"right": "本店営業部"})
    assert registered(office, "correction_letter") == ["1", "2"]
    assert stale(office) == []
    # 権利のない申請の紙は、台帳に載せない。
    assert "申請" in text_of(make("claim_form", number, {}))
    assert registered(office, "claim_form") == []

    def refused(kind: str, which: str, values: dict[str, Any], to: Recipient | None = None) -> BenefitError:
        with pytest.raises(BenefitError) as refusal:
            make(kind, which, values, to=to)
        return refusal.value

    before = sorted(tmp_path.rglob("*"))
    # 区直轄の人の番号への答えは、ない番号と同じ。
    assert str(refused("correction_letter", hidden, SLIP)) == str(refused("correction_letter", "00000000000", SLIP))
    # 人の手紙を、打ち込んだ宛先へは送れない。
    assert refused("correction_letter", number, SLIP, HEIR).code == "recipient"
    assert refused("correction_letter", number, {"item": "支店名"}).code == "letter-fields"
    assert refused("address_change_notice", number, {"relation": "成年後見人", "changed_on": "きょう"}).code == (
        "no-guardian"
    )
    assert refused("heir_form", number, {}, HEIR).code == "alive"
    assert sorted(tmp_path.rglob("*")) == before

    bring(office, "residents", change(payee, 消除日="2024-07-20", 消除事由="死亡"))
    assert isinstance(refused("correction_letter", number, SLIP), RefusedByRule)
    assert isinstance(refused("heir_form", number, {"deceased_name": "別人"}, HEIR), WrongUse)
    made = make("heir_form", number, {}, to=HEIR)
    text = text_of(made)
    assert text.count("乙川次郎様") == 1
    assert "千代田1番1号" in text
    assert text.count(number) >= 2
    log = ward.audit_log
    with office.home.ward.connect() as connection:
        actors = connection.execute(sa.select(log.c.actor).where(log.c.action == "letters.single")).scalars().all()
    assert list(actors) == [MAKER.id] * 4
    # 亡くなった人あての訂正は、もう出せない。相続人届出書は、亡くなったから出せる。
    assert {one.kind for one in stale(office)} == {"correction_letter"}
