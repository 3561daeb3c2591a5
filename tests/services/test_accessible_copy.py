"""読み上げのための写し: 登録した手紙だけを、札のついた PDF で。区直轄の人のものは、ない番号と同じに見える。"""

from __future__ import annotations

import io

import pikepdf
import pytest
import sqlalchemy as sa

from benefit.domain.errors import WrongUse
from benefit.store import ward
from letters.accessible import copy_of
from tests.services.conftest import JUDGED, MAKER, PROGRAMME, Office


def copied(office: Office, number: str, kind: str | None = None, reason: str = "本人の求め") -> tuple[str, bytes]:
    return copy_of(
        office.home, PROGRAMME, number, kind=kind, today=JUDGED, reason=reason, actor=MAKER, clock=office.clock
    )


def numbers(office: Office) -> tuple[str, str]:
    """外で刷った人の番号と、区直轄の人の番号。"""
    letter, lot, entitlement = ward.letter, ward.lot, ward.entitlement
    query = (
        sa.select(entitlement.c.case_number, entitlement.c.route)
        .join(letter, letter.c.entitlement_id == entitlement.c.id)
        .join(lot, lot.c.id == letter.c.lot_id)
        .where((entitlement.c.route == "WARD") | (lot.c.place == "printer"))
    )
    with office.home.ward.connect() as connection:
        found = {row.route == "WARD": row.case_number for row in connection.execute(query)}
    return found[False], found[True]


@pytest.mark.parametrize("office", ["sqlite"], indirect=True)
def test_a_registered_letter_has_a_tagged_copy_with_title_language_and_alt_texts(office: Office) -> None:
    number, hidden = numbers(office)
    kind, pdf = copied(office, number)
    assert kind in ("push_notice", "confirmation_letter")
    with pikepdf.open(io.BytesIO(pdf)) as document:
        root = document.Root
        assert str(root.Lang) == "ja-JP"
        assert bool(root.MarkInfo.Marked)
        assert root.ViewerPreferences.DisplayDocTitle
        assert "/StructTreeRoot" in root
        assert 'part="1"' in str(document.open_metadata()) or "pdfuaid" in str(document.open_metadata())
        assert document.docinfo["/Title"]
        figures = [
            one
            for one in document.objects
            if isinstance(one, pikepdf.Dictionary) and one.get("/S") == pikepdf.Name.Figure
        ]
    assert figures
    assert all(str(one["/Alt"]) for one in figures)
    with office.home.ward.connect() as connection:
        table = ward.audit_log
        query = sa.select(table.c.subject, table.c.reason).where(table.c.action == "letters.accessible")
        assert connection.execute(query).all() == [(number, "本人の求め")]
    # 区直轄の人の番号、ない番号、まだない種類は、どれも同じ断り。
    said = set()
    for wrong, wanted in ((hidden, None), ("00000000000", None), (number, "award_notice")):
        with pytest.raises(WrongUse) as refusal:
            copied(office, wrong, wanted)
        said.add(str(refusal.value))
    assert len(said) == 1
    with pytest.raises(WrongUse):
        copied(office, number, "年賀状")
