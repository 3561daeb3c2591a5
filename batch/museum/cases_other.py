"""額と人の取り違え: 阿武町、上峰町。"""

from __future__ import annotations

from datetime import date
from pathlib import Path

from batch.museum import beyond, controls, opening, ward
from batch.museum import office as stage
from batch.museum.cases_lists import nothing_before
from batch.museum.cases_twice import MISSED_TWICE
from batch.museum.office import Office, Stop, stop_of
from batch.museum.story import Beyond, Case, Mistake
from benefit.domain.errors import BenefitError
from benefit.services import claims, claims_form
from benefit.services.claims_form import Receipt
from benefit.services.transfers import Transfer

# --- 阿武町: 先頭の一人の名に、全員分の合計額が付いた ---


def _total_yen(office: Office) -> int:
    return sum(int(row["支給予定額"]) for row in office.rows())


def _first_gets_all(office: Office) -> Path:
    return office.plan([office.row("過去 一郎") | {"支給予定額": str(_total_yen(office))}])


def _abu_row(office: Office) -> list[Stop]:
    folder = _first_gets_all(office)
    office.tell(f"先頭の一人の行に、全員分の合計 {_total_yen(office):,} 円が書かれた支給予定情報が届いた")
    return office.carry(folder, stage.PAY)


def _one_line_total(made: Transfer, _office: Office) -> None:
    """全銀の形のまま、先頭の一人に合計額を払うファイルに書き換える（件数も合計も、つじつまが合っている）。"""
    records = made.path.read_bytes().decode("cp932").split("\r\n")
    first = records[1][:80] + f"{made.total_yen:010d}" + records[1][90:]
    trailer = f"8{1:06d}{made.total_yen:012d}" + records[-3][19:]
    made.path.write_bytes("\r\n".join([records[0], first, trailer, *records[-2:]]).encode("cp932"))


def _abu_file(office: Office) -> list[Stop]:
    judged = office.judge(office.root / "planned-1")
    office.tell(f"正しい振込（{judged.payable} 件）を作った後、ファイルが、先頭の一人に合計額を払うものに替わった")
    return office.pay(stage.PAY, before_approval=lambda made: _one_line_total(made, office))


def _only_the_ledger_amount(office: Office) -> Stop | None:
    beyond.forge_verdicts(office, _first_gets_all(office))
    office.tell("合計額の行が、支給可のまま振込を作る所まで来た")
    stops = office.pay(stage.PAY, payable_yen=_total_yen(office))
    return stops[0] if stops else None


def _written_amount(office: Office) -> Stop | None:
    folder = _first_gets_all(office)
    file_id = beyond.forge_verdicts(office, folder)
    case_number = office.rows(folder.name)[0]["給付管理番号"]
    office.tell("合計額の支払を、台帳に直接書こうとした")
    return beyond.pay_by_hand(office, case_number, file_id, _total_yen(office))


ABU = Case(
    "abu",
    "阿武町",
    "2022年4月",
    "4,630万円を 1 世帯に（対象は 463 世帯）",
    "463 世帯分の正しい振込データのほかに、要らない振込依頼書が作られた。依頼書には、先頭の一人の名と、全員分の合計額が"
    "印字されていた。上司の確認を経ずに銀行へ渡された。",
    "要らない二つ目の依頼が作られ、二人目の目を通らずに渡された。",
    "テレビ朝日、NHK、町長メッセージ 2022-04-26、デイリー新潮 2022-05-03",
    "お金を動かすのは、承認した一つのファイルだけである。紙の振込依頼書を作る機能はない。画面も帳票も、件数・合計・最大の一件・指紋をいつも一緒に言う。",
    (
        Mistake(
            "先頭の一人に合計額を払うファイルを、正しいファイルの代わりに渡す",
            nothing_before,
            _abu_file,
            (controls.DIGEST, controls.SECOND_READER),
            (
                Beyond(
                    controls.SECOND_READER,
                    "指紋を見なかったとする",
                    lambda office: beyond.read_by_the_second(
                        office, lambda one: one.root / "planned-1", _one_line_total, stage.PAY
                    ),
                ),
            ),
        ),
        Mistake(
            "先頭の一人の行に合計額を書いた、支給予定情報を出す",
            nothing_before,
            _abu_row,
            (controls.AMOUNT, controls.LEDGER_AMOUNT, controls.AMOUNT_KEY, controls.CEILING),
            (
                Beyond(controls.LEDGER_AMOUNT, "支給判定が、額を見逃したとする", _only_the_ledger_amount),
                Beyond(controls.AMOUNT_KEY, "振込を作る時も、申し出の額を使ったとする", _written_amount),
            ),
        ),
    ),
)

# --- 上峰町: 世帯主が亡くなり、新しい世帯主が新しい世帯に見えた ---

_DEAD, _HEIR = "過去 一郎", "過去 一郎妻"


def _succession(office: Office) -> None:
    """払った後に世帯主が亡くなり、妻が世帯主になった住民記録を受け取り、対象者を作り直す。"""
    office.first_payment()
    office.residents = ward.residents(
        {
            office.people[_DEAD].number: {"消除日": "2024-08-10", "消除事由": "死亡"},
            office.people[_HEIR].number: {"続柄": "世帯主"},
        }
    )
    office.morning(stage.LATER)
    office.tell("払った世帯の世帯主が亡くなり、妻が世帯主になった住民記録を受け取った")
    before = len(office.entitlements())
    opening.build(office)
    added = len(office.entitlements()) - before
    office.tell(
        f"対象者を作り直し、差を承認した。増えた権利 {added} 件（権利は、世帯主ではなく基準日の世帯に付いている）"
    )


def _new_head(office: Office) -> Path:
    heir = office.people[_HEIR]
    account = dict(
        zip(("金融機関コード", "支店コード", "預金種目", "口座番号", "口座名義カナ"), heir.account, strict=True)
    )
    row = office.row(_DEAD) | account | {"住民番号": heir.number, "カナ氏名": heir.kana, "生年月日": heir.birth}
    return office.plan([row | {"口座フラグ": "0", "収受日": "2024-08-15", "審査完了日": "2024-08-16"}])


def _kamimine(office: Office) -> list[Stop]:
    folder = _new_head(office)
    office.tell("委託先が、新しい世帯主を新しい対象者として、支給予定情報に載せた")
    return office.carry(folder)


def _the_person(office: Office) -> Stop | None:
    stops = _kamimine(office)
    return stops[0] if stops else None


def _heir_claim(office: Office) -> Stop | None:
    heir, day, clock = office.people[_HEIR], office.today, office.clock
    receipt = Receipt(
        received_on=date(2024, 8, 20), evidence_kind="辞退期限の経過", evidence_id="R-1", reason="窓口で受け付けた"
    )
    office.tell("妻が、亡くなった世帯主の相続人として申請し、別の職員が受理しようとした")
    try:
        form = claims_form.heir(
            office.entitlement(_DEAD)["case_number"],
            heir.number,
            accepted_on=date(2024, 7, 8),
            account_text=",".join(heir.account),
        )
        claim = claims.enter(office.home, office.programme, form, receipt, today=day, actor=stage.MAKER, clock=clock)
        claims.decide(
            office.home,
            office.programme,
            claim.number,
            "accept",
            reason="辞退期限の経過を確かめた",
            today=day,
            actor=stage.FIRST,
            clock=clock,
        )
    except BenefitError as refused:
        return stop_of("申請", refused)
    return None


def _second_right(office: Office) -> Stop | None:
    found = office.entitlement(_DEAD)
    office.tell("新しい世帯主の名で、同じ世帯の権利をもう一つ登録しようとした")
    return beyond.another_entitlement(office, found["id"], int(office.people[_HEIR].number))


KAMIMINE = Case(
    "kamimine",
    "上峰町",
    "2024年10月",
    "世帯数は、参照した資料にない",
    "前に給付を受けた世帯の世帯主が亡くなり、新しく世帯主になった人が、まだ受けていない世帯として抽出され、払われた。",
    "重なりを世帯主で見ていたので、替わった世帯主は新しく見えた。",
    "上峰町（town.kamimine.lg.jp kiji0031362）",
    "一度だけ払うものの名前（slot）は、基準日の世帯であり、受け取る人の番号は入らない。受給者が替わるには、承継の申請と二人の判断が要る。",
    (
        Mistake(
            "世帯主が替わった世帯を、新しい世帯主の名で、もう一度申し出る",
            _succession,
            _kamimine,
            (controls.ALREADY, controls.PERSON, controls.PENDING, controls.GATE, controls.LIVE_SLOT),
            (
                Beyond(controls.PERSON, "台帳の支払（CHK30）は見なかったとする", _the_person),
                Beyond(controls.PENDING, "支給判定が、全部の行を見逃したとする", beyond.missed(_new_head)),
                Beyond(controls.LIVE_SLOT, MISSED_TWICE, beyond.written(_new_head, _DEAD)),
                Beyond(controls.CLAIM_OF_PAID, "妻が、相続人として申請したとする", _heir_claim),
                Beyond(controls.ONE_SLOT, "申し出ではなく、権利のほうをもう一つ登録しようとしたとする", _second_right),
            ),
        ),
    ),
)

CASES = (ABU, KAMIMINE)
