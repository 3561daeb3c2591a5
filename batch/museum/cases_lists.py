"""名簿とファイルの取り違え: 宇部市、ある村、垂水市、門真市。"""

from __future__ import annotations

from datetime import date
from pathlib import Path

from batch.museum import beyond, controls, opening
from batch.museum import office as stage
from batch.museum.cases_twice import MISSED, MISSED_TWICE, later
from batch.museum.office import Office, Stop, stop_of
from batch.museum.story import Beyond, Case, Mistake
from benefit.domain.errors import BenefitError
from benefit.services.transfers import Transfer


def nothing_before(_office: Office) -> None:
    """一回目の支払の前の朝。"""


# --- 宇部市: 二つの月の児童の名簿を、重なったまま一つにした ---


def _merged(office: Office) -> Path:
    march = office.rows()
    april = [office.row(name, "CHILD") for name in ("過去 三郎", "過去 四郎")]
    return office.plan([*march, *april])


def _ube(office: Office) -> list[Stop]:
    folder = _merged(office)
    office.tell("三月分と四月分の児童の名簿を一つにした。二人の子が、両方に載っていた")
    return office.carry(folder, stage.PAY)


def _written_first(office: Office) -> Stop | None:
    assert not office.carry(office.root / "planned-1", stage.PAY)
    return beyond.written(_merged, "過去 三郎", "CHILD")(office)


UBE = Case(
    "ube",
    "宇部市",
    "2020年6月",
    "156 世帯、児童 266 人、266万円が二重",
    "三月分と四月分の児童の名簿を合わせたとき、両方に載っていた児童の分が、二度払われた。",
    "二つの名簿の重なりを、取り除かないまま一つにした。",
    "宇部市 報道発表 2020-06-26（city.ube.yamaguchi.jp）",
    "児童一人に、事業で一つの権利しかない（slot）。どの名簿に何度載っても、権利は増えない。",
    (
        Mistake(
            "重なりのある二つの児童の名簿を、一つの支給予定情報にする",
            nothing_before,
            _ube,
            (controls.TWICE_IN_FILE, controls.PENDING, controls.LIVE_SLOT),
            (
                Beyond(controls.PENDING, MISSED, beyond.missed(_merged)),
                Beyond(controls.LIVE_SLOT, MISSED_TWICE, _written_first),
            ),
        ),
    ),
)

# --- ある村: 同じデータを、二日にわたって渡した ---

_VILLAGERS = ("過去 一郎", "過去 二郎", "過去 三郎", "過去 四郎", "過去 五郎")


def _first_day(office: Office) -> None:
    stops = office.carry(office.plan([office.row(name) for name in _VILLAGERS]), stage.PAY)
    assert not stops, stops
    office.tell("一日目。5 世帯のデータを受け取り、判定し、二人の承認で銀行に渡した")
    office.morning(stage.NEXT_DAY)


def _same_data(office: Office) -> Path:
    rows = office.rows("planned-by-contractor-1")
    return office.plan(rows, same_as="planned-by-contractor-1")


def _village(office: Office) -> list[Stop]:
    folder = _same_data(office)
    office.tell("二日目。一日目と一字も違わないデータが、新しいファイル番号で届いた")
    return office.carry(folder)


def _reordered(office: Office) -> Path:
    return office.plan(list(reversed(office.rows("planned-by-contractor-1"))))


def _village_reordered(office: Office) -> Stop | None:
    folder = _reordered(office)
    office.tell("二日目。同じ人のデータが、行の順だけ違う、別のファイルとして届いた")
    stops = office.carry(folder)
    return stops[0] if stops else None


VILLAGE = Case(
    "village",
    "ある村",
    "2020年（5月とみられる）",
    "375 世帯、1,162 人、1億1,620万円が二重に振り込まれる手続き",
    "同じ振込のデータが、二日にわたって金融機関に渡された。",
    "同じデータを、日を変えて二度渡した。",
    "文春オンライン 54706（人口約 5,500 人の村。村の名は、参照した資料にない）",
    "ファイルには指紋があり、同じ中身は二度判定されない。行の順や日付を変えても、一人ずつの権利が二度目を断る。",
    (
        Mistake(
            "前の日と同じデータを、もう一度渡す",
            _first_day,
            _village,
            (controls.SAME_FILE, controls.ALREADY, controls.PENDING, controls.LIVE_SLOT),
            (
                Beyond(controls.ALREADY, "行の順を変えた、指紋の違うファイルだったとする", _village_reordered),
                Beyond(controls.PENDING, MISSED, beyond.missed(_reordered)),
                Beyond(controls.LIVE_SLOT, MISSED_TWICE, beyond.written(_reordered, "過去 一郎")),
                Beyond(
                    controls.SAME_CONTENT, "振込のファイルのほうを、日付だけ変えて渡そうとしたとする", beyond.redated
                ),
            ),
        ),
    ),
)

# --- 垂水市: 前の 8 世帯の行が、今回のファイルに入った ---

_PAID = tuple(f"過去 {name}" for name in ("一郎", "二郎", "三郎", "四郎", "五郎", "六郎", "七郎", "八郎"))
_DUE = tuple(f"確認 {name}" for name in ("二郎", "三郎", "四郎", "五郎", "六郎", "七郎", "八郎", "九郎"))


def _old_rows(office: Office) -> Path:
    return office.plan([office.row(name) for name in _PAID])


def _due_rows(office: Office) -> Path:
    return office.plan([office.row(name) for name in _DUE])


def _tarumizu(office: Office) -> list[Stop]:
    due = office.judge(_due_rows(office))
    office.tell(f"払うはずの 8 世帯の行が届き、判定した（支給可 {due.payable}）")
    folder = _old_rows(office)
    office.tell("差し替えとして、前回払った 8 世帯の行が届いた")
    return office.carry(folder)


def _swapped(made: Transfer, office: Office) -> None:
    """送り出す前のファイルの中身が、前回のファイル（日付だけ今回）に入れ替わる。"""
    old = (office.root / "bank" / "sogo-0001.txt").read_bytes()
    made.path.write_bytes(old.replace(b"0802", f"{made.pay_date:%m%d}".encode(), 1))


def _tarumizu_file(office: Office) -> list[Stop]:
    judged = office.judge(_due_rows(office))
    assert judged.payable == len(_DUE), judged
    office.tell("払うはずの 8 世帯で振込を作った後、ファイルの中身が、前回のもの（日付だけ今回）に入れ替わった")
    return office.pay(before_approval=lambda made: _swapped(made, office))


TARUMIZU = Case(
    "tarumizu",
    "垂水市",
    "2024年2月",
    "8 世帯に二重、払うはずの 8 世帯に未払い",
    "16 日前に払った 8 世帯の行が、新しいファイルでもう一度送られた。払うはずの 8 世帯には払われなかった。",
    "前に送った行が、新しいファイルに入った。",
    "南日本新聞 2024-03",
    "一つの支払指図は、一生に一つのファイルにしか入らない。出す直前に、ファイルを台帳と一行ずつ比べる。",
    (
        Mistake(
            "払うはずの人の代わりに、前に払った人の支給予定情報を出す",
            later,
            _tarumizu,
            (controls.ALREADY, controls.PENDING, controls.LIVE_SLOT),
            (
                Beyond(controls.PENDING, MISSED, beyond.missed(_old_rows)),
                Beyond(controls.LIVE_SLOT, MISSED_TWICE, beyond.written(_old_rows, "過去 一郎")),
            ),
        ),
        Mistake(
            "正しく作った振込のファイルが、渡す前に、前回のファイルの中身と入れ替わる",
            later,
            _tarumizu_file,
            (controls.DIGEST, controls.SECOND_READER),
            (
                Beyond(
                    controls.SECOND_READER,
                    "指紋を見なかったとする",
                    lambda office: beyond.read_by_the_second(office, _due_rows, _swapped),
                ),
            ),
        ),
    ),
)

# --- 門真市: オンラインで払った人に、郵送の申請でもう一度払った ---


def _on_paper(office: Office) -> list[Stop]:
    form = opening.form_of(office, "確認 一郎", date(2024, 8, 19))
    office.tell(
        "オンラインの申請で払った人から、郵送の確認書も届いた。「前の申請は不備で、払われていない」と思い、受け付けた"
    )
    opening.to_desk(office)
    try:
        opening.keyed_twice(office, [form])
    except BenefitError as refused:
        return [stop_of("確認書の収受（給付管理システム）", refused)]
    folder = opening.planned(office, "planned-2")
    assert folder is not None
    return office.carry(folder)


def _paper_row(office: Office) -> Path:
    again = {"収受日": "2024-08-19", "審査完了日": "2024-08-20"}
    return office.plan([office.row("確認 一郎") | again, office.row("確認 二郎")])


def _planned_by_hand(office: Office) -> Stop | None:
    folder = _paper_row(office)
    office.tell("郵送の確認書の人が、支給予定情報に載って届いた")
    stops = office.carry(folder)
    return stops[0] if stops else None


KADOMA = Case(
    "kadoma",
    "門真市",
    "2020年7月",
    "件数と金額は、参照した資料にない",
    "オンラインの申請で払った人に、郵送の申請でもう一度払った。",
    "オンラインの申請は不備で未払いだと思い違えた。",
    "門真市（city.kadoma.osaka.jp 12952）",
    "どの道で届いても、一つの給付管理番号の確認書は一度しか収受できない。払ったかどうかは台帳が決める。",
    (
        Mistake(
            "払った人から届いた二枚目の申請を、もう一度収受して払う",
            later,
            _on_paper,
            (controls.ONE_RECEIPT, controls.ALREADY, controls.PENDING, controls.LIVE_SLOT),
            (
                Beyond(controls.ALREADY, "委託先が、二枚目も収受してしまったとする", _planned_by_hand),
                Beyond(controls.PENDING, MISSED, beyond.missed(_paper_row)),
                Beyond(controls.LIVE_SLOT, MISSED_TWICE, beyond.written(_paper_row, "確認 一郎")),
            ),
        ),
    ),
)

CASES = (UBE, VILLAGE, TARUMIZU, KADOMA)
