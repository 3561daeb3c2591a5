"""benefit recall / ending / repayment / undo: 打つ言葉、終了コード、断り、書かれるもの。"""

from __future__ import annotations

import functools
import json

import pytest
import sqlalchemy as sa

from benefit.records.transfer_result_row import Outcome
from benefit.services import bank_reports
from benefit.services.repayments import slip_number
from benefit.store import ward
from tests.batch.conftest import Run
from tests.services.conftest import Office, answered, office, prepared_sqlite  # noqa: F401  # 作業場所の部品

#: コマンドは、データベースによらない（サービスの試験が両方で見ている）。
sqlite_only = pytest.mark.parametrize("office", ["sqlite"], indirect=True)
DAY = ("--today", "2024-08-20")


@pytest.fixture(name="go")
def go_in_the_office(run: Run, office: Office) -> Run:  # noqa: F811
    """この作業場所で、合言葉を打って `benefit …` を打つ。"""
    return functools.partial(run, home=office.home.path, typed="x" * 15)


def numbers(place: Office) -> list[str]:
    with place.home.ward.connect() as connection:
        query = (
            sa.select(ward.entitlement.c.case_number)
            .join(ward.payment, ward.payment.c.entitlement_id == ward.entitlement.c.id)
            .order_by(ward.payment.c.id)
        )
        return list(connection.execute(query).scalars())


@sqlite_only
def test_a_recall_is_asked_for_by_one_and_sent_by_another(go: Run, office: Office) -> None:  # noqa: F811
    sent = office.send()
    one = numbers(office)[0]
    code, out, _err = go(
        "recall", "ask", sent.id, "--case", one, "--by", "tanto", "--reason", "名簿の誤り", "--today", "2024-08-02"
    )
    assert code == 0
    assert "1 件" in out
    assert "間に合わない" in out
    code, _out, err = go("recall", "show", 1, "--out", office.root / "kumi")
    assert (code, "承認されていない" in err) == (4, True)
    code, _out, err = go("recall", "approve", 1, "--by", "tanto", "--out", office.root / "kumi")
    assert (code, "承認の役割" in err) == (4, True)
    code, out, _err = go("recall", "approve", 1, "--by", "shonin1", "--out", office.root / "kumi")
    assert code == 0
    assert "kumimodoshi-0001.csv" in out
    assert sorted(path.name for path in (office.root / "kumi").iterdir()) == [
        "kumimodoshi-0001.csv",
        "kumimodoshi-0001.xlsx",
    ]
    code, out, _err = go("recall", "list", "--out", office.root / "list")
    assert (code, "返事待ち: 1 件" in out) == (0, True)
    code, _out, err = go("recall", "ask", 99, "--by", "tanto", "--reason", "誤り")
    assert (code, "送り出していません" in err) == (4, True)


@sqlite_only
def test_endings_and_repayments_are_typed_and_told(go: Run, office: Office) -> None:  # noqa: F811
    sent = office.send()
    bank_reports.take(office.home, "results", answered(office, sent.id, (Outcome.FAILED, "04")), clock=office.clock)
    failed, paid = numbers(office)[:2]
    code, out, _err = go("ending", "ask", failed, "--kind", "契約不成立", "--by", "tanto", "--reason", "口座の届がない")
    assert (code, "ending approve 1" in out) == (0, True)
    assert "承認待ち 1" in go("ending", "list")[1]
    code, out, _err = go("ending", "approve", 1, "--by", "shonin1")
    assert (code, "予算へ戻しました" in out) == (0, True)
    code, _out, err = go("ending", "ask", paid, "--kind", "不支給", "--by", "tanto", "--reason", "誤り")
    assert (code, f"benefit repayment ask {paid}" in err) == (4, True)
    code, _out, err = go("ending", "ask", paid, "--kind", "なし", "--by", "tanto", "--reason", "誤り")
    assert (code, "終わり方" in err) == (2, True)

    code, _out, _err = go(
        "repayment", "ask", paid, "--cause", "対象外", "--due", "2024-09-20", "--by", "tanto", "--reason", "誤り", *DAY
    )
    assert code == 0
    code, out, _err = go("repayment", "approve", 1, "--by", "shonin2")
    assert (code, f"納付番号 {slip_number(1)}" in out) == (0, True)
    code, out, _err = go("repayment", "letters", 1, "--by", "tanto", "--out", office.root / "henkan", *DAY)
    assert (code, "対象 1 = 作った 1 + 止めた 0" in out) == (0, True)
    before = (office.root / "henkan" / "henkan-000001.pdf").read_bytes()
    assert go("repayment", "letters", 1, "--by", "tanto", "--out", office.root / "henkan", *DAY)[0] == 0
    assert (office.root / "henkan" / "henkan-000001.pdf").read_bytes() == before
    paid_in = ("repayment", "receive", 1, "--amount", 1, "--on", "2024-09-01", "--reference", "S-1", "--by", "tanto")
    assert "入金 1 円" in go(*paid_in)[1]
    assert "もう数えてあります" in go(*paid_in)[1]
    code, _out, err = go(
        "repayment", "receive", 1, "--amount", 10**9, "--on", "2024-09-01", "--reference", "S-2", "--by", "tanto"
    )
    assert (code, "請求の残りより多い" in err) == (4, True)
    assert go("repayment", "step", 1, "--kind", "分納", "--on", "2024-09-02", "--by", "tanto")[0] == 0
    code, out, _err = go("repayment", "list", "--today", "2024-09-30", "--out", office.root / "list")
    assert (code, "R53" in out, "納期限を過ぎた請求 1 件" in out) == (0, True, True)


@sqlite_only
def test_an_undo_is_planned_approved_and_carried_out(go: Run, office: Office) -> None:  # noqa: F811
    sent = office.send()
    told = [(Outcome.FAILED, "04"), (Outcome.INQUIRING, "01")]
    bank_reports.take(office.home, "results", answered(office, sent.id, *told), clock=office.clock)
    out_folder = office.root / "undo"
    plan = ("undo", "plan", "--by", "tanto", "--reason", "誤った名簿", "--out", out_folder, "--due", "2024-09-20", *DAY)
    code, _out, err = go(*plan)
    assert (code, "範囲は一つ" in err) == (2, True)
    code, _out, err = go(*plan, "--transfer", sent.id, "--planned", "x")
    assert (code, "範囲は一つ" in err) == (2, True)
    code, out, _err = go(*plan, "--transfer", sent.id)
    assert code == 0
    assert f"返還: {sent.line_count - 2} 件" in out
    assert "組戻し: 1 件" in out
    assert "不能を戻入: 1 件" in out
    told_file = json.loads((out_folder / "torikeshi-0001.json").read_text(encoding="utf-8"))
    assert (told_file["件数"], told_file["取り戻す額"]) == (sent.line_count, sent.total_yen)
    carry = ("undo", "carry-out", 1, "--by", "tanto", "--out", out_folder, *DAY)
    code, _out, err = go(*carry)
    assert (code, "まだ承認されていません" in err) == (4, True)
    code, _out, err = go("undo", "approve", 1, "--by", "tanto")
    assert (code, "承認の役割" in err) == (4, True)
    assert go("undo", "approve", 1, "--by", "shonin1")[0] == 0
    code, out, _err = go(*carry)
    assert code == 0
    assert f"返還の請求 {sent.line_count - 2} 件" in out
    made = {path.name: path.read_bytes() for path in out_folder.iterdir()}
    assert {"kumimodoshi-0001.csv", "henkan-000001.pdf"} <= set(made)
    code, out, _err = go(*carry)
    assert (code, "もう済んでいます" in out) == (0, True)
    assert {path.name: path.read_bytes() for path in out_folder.iterdir()} == made
    assert go("undo", "show", 1)[0] == 0
    names = office.root / "names.csv"
    names.write_text("給付管理番号\n" + "\n".join(numbers(office)) + "\n", encoding="utf-8")
    code, out, _err = go(*plan, "--cases", names)
    assert code == 0
    assert f"なし: {sent.line_count} 件" in out
    names.write_bytes(b"\x8b\x8b")
    code, _out, err = go(*plan, "--cases", names)
    assert (code, "支給権利のない" in err) == (2, True)
