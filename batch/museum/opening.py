"""事故再現の共通の用意: 架空の区を開き、一回目の支給予定情報が届いた朝までを、本当の仕事で作る。"""

from __future__ import annotations

import secrets
from datetime import date
from pathlib import Path

from batch.museum import ward as small_ward
from batch.museum.office import BUILT, FIRST, ISSUED, JUDGED, MAKER, SECOND, Office
from benefit.domain.access import BATCH, Actor, DeskRole
from benefit.services import (
    bank_master,
    beneficiaries,
    desk_cases,
    desk_export,
    desk_forms,
    desk_load,
    desk_planned,
    extracts,
    people,
    runs,
    setup,
)
from benefit.services.home import Home
from benefit.store import desk, ward
from letters.mailing import make_letters

#: 委託先で、紙を別々に入力する二人。
REVIEWERS = (Actor("shinsa1", DeskRole.REVIEWER.value), Actor("shinsa2", DeskRole.REVIEWER.value))


def prepare(root: Path) -> None:
    """架空の区を開き、一回目の支給予定情報が届いた朝までを、本当の仕事で作る。一度だけ作り、事例ごとに写す。"""
    small_ward.write(root / "in")
    home = Home.at(root / "home")
    setup.init_ward(home)
    setup.init_desk(home)
    bank_master.use_rehearsal(home, {(small_ward.BANK, small_ward.BRANCH)})
    office = Office(root)
    for actor in (MAKER, FIRST, SECOND):
        with office.home.ward.begin() as connection:
            people.add(
                connection,
                ward.staff,
                ward.audit_log,
                staff_id=actor.id,
                name="架空の職員",
                role=actor.role,
                password=secrets.token_urlsafe(15),
                actor=BATCH,
                at=office.clock(),
            )
    for reviewer in REVIEWERS:
        with office.home.desk.begin() as connection:
            people.add(
                connection,
                desk.staff,
                desk.audit_log,
                staff_id=reviewer.id,
                name="架空の審査",
                role=reviewer.role,
                password=secrets.token_urlsafe(15),
                actor=BATCH,
                at=office.clock(),
            )
    for kind in ("taxes", "accounts", "prior", "protected"):
        path = root / "in" / f"{kind}.csv"
        extracts.import_file(office.home, kind, path, clock=office.clock, levy_year=2024)
    office.morning(BUILT)
    build(office)
    office.morning(ISSUED)
    make_letters(office.home, office.programme, out=root / "letters", issued_on=ISSUED, clock=office.clock)
    to_desk(office)
    office.morning(JUDGED)
    returned(office, "確認 一郎")
    desk_cases.pass_deadlines(office.home, JUDGED, actor=BATCH, clock=office.clock)
    planned(office, "planned-1")
    home.ward.dispose()
    home.desk.dispose()
    office.close()


def build(office: Office) -> beneficiaries.Built:
    """対象者を作り、差を見て承認する。"""
    built = beneficiaries.build(
        office.home, office.programme, office.today, out=office.root / "build", clock=office.clock
    )
    run = runs.find(office.home, office.programme, "latest")
    if not run.approved_by:
        seen = runs.against_approved(office.home, office.programme, run).difference.digest[: runs.SHOWN]
        runs.approve(
            office.home,
            office.programme,
            run,
            seen=seen,
            reason="架空の小さな区なので、当てはまる人がいない検査がある",
            actor=FIRST,
            clock=office.clock,
        )
    return built


def to_desk(office: Office) -> None:
    """区から給付管理システムへの受渡。"""
    folder = office.root / f"payees-{office.today:%m%d}"
    desk_export.export(office.home, office.programme, out=folder, today=office.today, clock=office.clock)
    desk_load.load(office.home, folder, clock=office.clock)


def returned(office: Office, *names: str) -> None:
    """確認書が返り、審査が済む（委託先）。"""
    keyed_twice(office, [form_of(office, name, date(2024, 7, 10)) for name in names])


def form_of(office: Office, name: str, received_on: date) -> desk_forms.ReceivedForm:
    """この人の、口座の書かれた確認書。"""
    number = office.entitlement(name)["case_number"]
    return desk_forms.ReceivedForm(number, received_on, "完了", "", *office.people[name].account)


def keyed_twice(office: Office, forms: list[desk_forms.ReceivedForm]) -> None:
    """二人が別々に入力した紙を、収受し、審査する（委託先）。"""
    first, second = REVIEWERS
    desk_forms.receive_forms(office.home, forms, forms, keyed_by=first, checked_by=second, clock=office.clock)


def planned(office: Office, name: str) -> Path | None:
    """委託先の給付管理システムが、支給予定情報を作る。なければ None。"""
    made = desk_planned.make(
        office.home, office.programme.id, out=office.root / name, today=office.today, actor=BATCH, clock=office.clock
    )
    return office.root / name if made else None
