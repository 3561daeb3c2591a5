"""登録簿の人の手紙の下見: その人の宛名で、見本の印つきで組み、見た人を監査ログに残す。区直轄の人は、ない番号と同じ。"""

from __future__ import annotations

import pypdfium2
import pytest
import sqlalchemy as sa

from benefit.domain.errors import WrongUse
from benefit.store import ward
from letters.preview import preview
from tests.services.conftest import MAKER, PROGRAMME, Office
from tests.services.test_mailing_again import DAY


def test_a_preview_of_a_case_shows_its_own_addressee_and_is_logged(office: Office) -> None:
    entitlement, log = ward.entitlement, ward.audit_log
    with office.home.ward.connect() as connection:
        routes = connection.execute(sa.select(entitlement.c.case_number, entitlement.c.route)).all()
    number = next(row.case_number for row in routes if row.route != "WARD")
    hidden = next(row.case_number for row in routes if row.route == "WARD")
    pdf = preview(
        office.home, PROGRAMME, "confirmation_letter", DAY, case_number=number, actor=MAKER, clock=office.clock
    )
    document = pypdfium2.PdfDocument(pdf)
    text = "".join(document[0].get_textpage().get_text_range().split())
    document.close()
    assert (number in text, "見本" in text, "見本花子" in text) == (True, True, False)
    with office.home.ward.connect() as connection:
        row = connection.execute(sa.select(log).where(log.c.action == "letters.preview")).mappings().one()
    assert (row["actor"], row["subject"]) == (MAKER.id, number)
    told = set()
    for unseen in ("00000000000", hidden):
        with pytest.raises(WrongUse) as refusal:
            preview(office.home, PROGRAMME, "push_notice", DAY, case_number=unseen, actor=MAKER, clock=office.clock)
        told.add(str(refusal.value))
    assert len(told) == 1
