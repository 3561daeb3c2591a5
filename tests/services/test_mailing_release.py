"""組を出す日の関門: 作ってから出すまでに止めるべきことが分かった手紙は、一通も出ない（reliability P14）。"""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pypdfium2
import pytest
import sqlalchemy as sa

from benefit.domain.access import Actor
from benefit.domain.errors import RefusedByRule, WrongUse
from benefit.services import extracts, mailing_release, proofs, reissue
from benefit.services.mailing_lots import LotState, letters_in, lots_of, require_released
from benefit.store import ward
from letters.proof import lot_path, prove
from letters.release import proof_digest, release_lots
from letters.remake import remake
from tests.services.conftest import FIRST, MAKER, PROGRAMME, SECOND, Office
from tests.support.worlds import rewrite

LEAVES = date(2024, 6, 25)
SEEN = "0" * 64


@dataclass
class Post:
    """手紙の済んだ区と、その組。"""

    office: Office
    lots: dict[int, LotState]

    @property
    def out(self) -> Path:
        return self.office.root / "letters"

    def lot(self, place: str, kind: str) -> LotState:
        return next(one for one in self.lots.values() if (one.place, one.kind) == (place, kind))

    def letters(self, lot: LotState) -> list[dict[str, Any]]:
        with self.office.home.ward.connect() as connection:
            rows = letters_in(connection, [lot]).to_dicts()
            table = ward.entitlement
            payees = dict(connection.execute(sa.select(table.c.case_number, table.c.payee_number)).all())
        return [row | {"payee": f"{payees[row['case_number_written']]:010d}"} for row in rows]

    def sign(self) -> None:
        home, clock = self.office.home, self.office.clock
        number = proofs.sign(
            home, digest=proof_digest(home, PROGRAMME), sha256=SEEN, reason="全部の頁を見た", actor=MAKER, clock=clock
        )
        proofs.approve(home, number, sha256=SEEN, actor=FIRST, clock=clock)

    def release(self, *numbers: int, actor: Actor = MAKER) -> None:
        release_lots(
            self.office.home, PROGRAMME, numbers, out=self.out, on=LEAVES, actor=actor, clock=self.office.clock
        )

    def stale(self, *numbers: int) -> dict[str, str]:
        return dict(mailing_release.refuse_stale(self.office.home, PROGRAMME, numbers, LEAVES))

    def tell(self, kind: str, change: Any) -> None:
        """抽出データを書き換えて、もう一度受け取る。"""
        path = self.office.root / "in" / f"{kind}.csv"
        rewrite(path, change)
        extracts.import_file(self.office.home, kind, path, clock=self.office.clock, levy_year=2024)


@pytest.fixture
def post(office: Office) -> Post:
    with office.home.ward.connect() as connection:
        return Post(office, lots_of(connection))


def test_a_lot_needs_a_proof_set_signed_by_one_and_approved_by_another(post: Post) -> None:
    lot = post.lot("printer", "push_notice")
    home, clock = post.office.home, post.office.clock
    with pytest.raises(RefusedByRule, match="見本帳に、二人の署名がありません"):
        post.release(lot.id)
    digest = proof_digest(home, PROGRAMME)
    number = proofs.sign(home, digest=digest, sha256=SEEN, reason="見た", actor=FIRST, clock=clock)
    with pytest.raises(RefusedByRule, match="申し出た人は、承認できません"):
        proofs.approve(home, number, sha256=SEEN, actor=FIRST, clock=clock)
    with pytest.raises(RefusedByRule, match="見ている見本帳が違います"):
        proofs.approve(home, number, sha256="1" * 64, actor=SECOND, clock=clock)
    with pytest.raises(RefusedByRule, match="二人の署名がありません"):
        post.release(lot.id)
    proofs.approve(home, number, sha256=SEEN, actor=SECOND, clock=clock)
    post.release(lot.id)
    with home.ward.connect() as connection:
        require_released(connection, [lot.id], LEAVES)
        with pytest.raises(RefusedByRule, match="出す許しがありません"):
            require_released(connection, [lot.id], date(2024, 6, 26))
    with pytest.raises(RefusedByRule, match="許しがもうあります"):
        post.release(lot.id)
    # 区が言葉を一字直せば、署名し直すまで出せない。
    words = home.words
    words.mkdir(exist_ok=True)
    shipped = Path(__file__).parents[2] / "letters" / "words" / "reminder.toml"
    (words / "reminder.toml").write_text(shipped.read_text(encoding="utf-8") + "# 直した\n", encoding="utf-8")
    with pytest.raises(RefusedByRule, match="二人の署名がありません"):
        post.release(post.lot("printer", "confirmation_letter").id)


def test_what_became_known_since_the_letters_were_made_stops_them_and_they_are_pulled(post: Post) -> None:
    post.sign()
    lot = post.lot("printer", "push_notice")
    letters = post.letters(lot)
    once = [row for row in letters if sum(other["payee"] == row["payee"] for other in letters) == 1]
    dead, moved, hidden, renamed, void = once[:5]
    assert post.stale(*post.lots) == {}

    def change(row: dict[str, str]) -> None:
        if row["住民番号"] == dead["payee"]:
            row["消除日"], row["消除事由"] = "2024-06-24", "死亡"
        if row["住民番号"] == moved["payee"]:
            row["漢字住所"] += "の9"
        if row["住民番号"] == renamed["payee"]:
            row["漢字氏名"] = "改姓　" + row["漢字氏名"]

    post.tell("residents", change)
    protected = post.office.root / "in" / "protected.csv"
    protected.write_text(
        protected.read_text(encoding="utf-8").rstrip("\n") + f"\n{hidden['payee']},DV\n", encoding="utf-8"
    )
    post.tell("protected", lambda row: None)
    reissue.reissue(
        post.office.home,
        PROGRAMME,
        void["case_number_written"],
        reason="届かなかった",
        actor=MAKER,
        clock=post.office.clock,
    )
    stale = post.stale(lot.id)
    named = {key: row["case_number_written"] for key, row in
             {"死亡": dead, "転居": moved, "保護": hidden, "改姓": renamed, "枝番": void}.items()}  # fmt: skip
    assert stale[named["死亡"]] == "受給者が亡くなっている"
    assert stale[named["転居"]] == mailing_release.MOVED
    assert stale[named["保護"]] == mailing_release.PROTECTED
    assert stale[named["改姓"]] == mailing_release.CHANGED
    assert stale[named["枝番"]] == mailing_release.VOID
    with pytest.raises(RefusedByRule, match="出してはならない手紙が") as refused:
        post.release(lot.id)
    assert named["死亡"] in str(refused.value) or len(stale) > 10
    before = lot_path(post.out, lot)
    made = remake(post.office.home, PROGRAMME, lot.id, out=post.out, on=LEAVES, actor=MAKER, clock=post.office.clock)
    assert made.number is not None
    assert (made.left, len(made.pulled)) == (len(letters) - len(stale), len(stale))
    with pytest.raises(RefusedByRule, match="作り直されています"):
        post.release(lot.id)
    post.release(made.number)
    with post.office.home.ward.connect() as connection:
        again = lots_of(connection)[made.number]
        pulled = connection.execute(sa.select(sa.func.count()).select_from(ward.letter_pull)).scalar_one()
    assert pulled == len(stale)
    assert not before.exists()
    document = pypdfium2.PdfDocument(lot_path(post.out, again))
    text = "".join(page.get_textpage().get_text_range() for page in document)
    document.close()
    assert not any(number in text for number in stale)
    # フォルダの manifest は新しい組を指し、抜いた紙の符号は区の中の一覧に残る。
    manifest = json.loads((before.parent / "manifest.json").read_text(encoding="utf-8"))
    assert again.file_name in {each["ファイル"] for each in manifest["組"]}
    assert manifest["抜いた"] == len(stale)
    listed = pl.read_csv(post.out / "ward" / "sheets" / f"printer-{lot.folder}" / "nuki.csv", infer_schema=False)
    assert set(listed["給付管理番号"]) == set(stale)
    # 額の頁からも、同じ手紙が抜けている。
    with (post.out / "ward" / "sheets" / f"ward-amount-{lot.folder}" / "sheets.csv").open(encoding="utf-8") as lines:
        assert not {row["給付管理番号"] for row in csv.DictReader(lines)} & set(stale)
    with post.office.home.ward.connect() as connection:
        amounts = [one for one in lots_of(connection).values() if one.kind == "amount" and one.remade_as is None]
    assert all(prove(post.office.home, PROGRAMME, one, out=post.out).right for one in amounts)


def test_a_pulled_letter_was_never_sent_so_nothing_counts_from_it(post: Post) -> None:
    """辞退の期限も、額の凍結も、送った手紙だけから数える。"""
    from benefit.services.gate import stand

    lot = post.lot("ward", "push_notice")
    row = post.letters(lot)[0]

    def change(person: dict[str, str]) -> None:
        if person["住民番号"] == row["payee"]:
            person["漢字住所"] += "の9"

    post.tell("residents", change)
    assert post.stale(lot.id)[row["case_number_written"]] == mailing_release.MOVED

    def told() -> bool | None:
        seen = stand(post.office.home, PROGRAMME, LEAVES).entitlements
        return seen.filter(pl.col("case_number") == row["case_number_written"])["told"][0]

    assert told() is True
    remake(post.office.home, PROGRAMME, lot.id, out=post.out, on=LEAVES, actor=MAKER, clock=post.office.clock)
    assert told() is None


def test_the_lots_of_another_programme_are_not_waved_through(post: Post) -> None:
    from benefit.domain.programme import Programme

    lot = post.lot("printer", "push_notice")
    with pytest.raises((WrongUse, RefusedByRule)):
        mailing_release.refuse_stale(post.office.home, Programme.load("r7-shortfall"), [lot.id], LEAVES)


def test_a_changed_file_is_not_released(post: Post) -> None:
    post.sign()
    lot = post.lot("printer", "push_notice")
    path = lot_path(post.out, lot)
    path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(RefusedByRule, match="変わっています"):
        post.release(lot.id)
