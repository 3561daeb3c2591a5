"""二度払った事例のうち、払ったことの記録が間に合わなかったもの: 寝屋川市、宮崎市、津山市、鎌倉市。"""

from __future__ import annotations

from pathlib import Path

from batch.museum import beyond, controls
from batch.museum.office import Office, Stop
from batch.museum.story import Beyond, Case, Mistake

MISSED = "支給判定が、全部の行を見逃したとする"
MISSED_TWICE = "支給判定も、振込を作る時の読み直しも、見逃したとする"


def later(office: Office) -> None:
    """一回目の支払と入金の結果の後、次の支払の日の朝。"""
    from batch.museum import office as stage

    office.first_payment()
    office.morning(stage.LATER)


def sent_only(office: Office) -> None:
    """一回目を銀行に渡した次の日の朝。結果はまだ届かず、誰も「支払済み」の処理をしていない。"""
    from batch.museum import office as stage

    office.first_payment(results=False)
    office.morning(stage.NEXT_DAY)


# --- 寝屋川市: 支払済みの一覧が更新されないまま、次の支払をした ---


def _whole_list_again(office: Office) -> Path:
    return office.plan([*office.rows(), office.row("確認 二郎")])


def _neyagawa(office: Office) -> list[Stop]:
    folder = _whole_list_again(office)
    office.tell("委託先が、一回目の全員に新しい一人を足した 14 行の支給予定情報を出した（支払済みの一覧は古いまま）")
    return office.carry(folder)


def _smaller_list(office: Office) -> Path:
    names = ("一郎", "二郎", "三郎", "四郎", "五郎", "六郎", "七郎")
    return office.plan([office.row(f"過去 {name}") for name in names])


def _neyagawa_split(office: Office) -> Stop | None:
    folder = _smaller_list(office)
    office.tell("委託先が、一回目の人のうち 7 行だけのファイルを出した（件数は、上限より少ない）")
    stops = office.carry(folder)
    return stops[0] if stops else None


NEYAGAWA = Case(
    "neyagawa",
    "寝屋川市",
    "2020年5月",
    "993 世帯、2,196 人、2億1,960万円が二重",
    "二重払いを確かめるための支払済みの台帳が、次の支払の前に更新されていなかった。振込の二時間前に分かったが、"
    "29,083 世帯分の振込を止められなかった。",
    "払ったかどうかを、人が更新する一覧と見比べて確かめていた。最後の確認は一人だった。",
    "日経クロステック 2020（xtech.nikkei.com/atcl/nxt/news/18/08000）、NHK 2020-05-28",
    "払ったかどうかは、区の書き足すだけの台帳から導く。更新する一覧はない。",
    (
        Mistake(
            "支払済みの一覧を更新しないまま、前回の全員を含むファイルで、次の支払をする",
            sent_only,
            _neyagawa,
            (controls.COUNT, controls.ALREADY, controls.PENDING, controls.LIVE_SLOT),
            (
                Beyond(controls.ALREADY, "件数の上限にかからない、小さなファイルだったとする", _neyagawa_split),
                Beyond(controls.PENDING, MISSED, beyond.missed(_whole_list_again)),
                Beyond(controls.LIVE_SLOT, MISSED_TWICE, beyond.written(_whole_list_again, "過去 一郎")),
            ),
        ),
    ),
)

# --- 宮崎市: 委託先が、払った行を消した ---


def _deleted_row(office: Office) -> Path:
    return office.plan([office.row("過去 一郎", "CHILD"), office.row("確認 二郎")])


def _miyazaki(office: Office) -> list[Stop]:
    folder = _deleted_row(office)
    office.tell("委託先の一覧から、払った一行が消えた。次の支給予定情報に、その子の加算がもう一度載った")
    return office.carry(folder)


MIYAZAKI = Case(
    "miyazaki",
    "宮崎市",
    "2024年5月",
    "1 世帯、15万円が二重（こども加算）",
    "委託先が次の振込データを作る間に、支払済みの一行が消された。その人は未払いに見え、もう一度払われた。",
    "委託先が、払った一行を消した。",
    "宮崎市 報道資料（city.miyazaki.miyazaki.jp 380775）",
    "委託先のデータは申し出にすぎない。払ったかどうかは区の台帳が決め、台帳の支払は誰にも消せない。",
    (
        Mistake(
            "委託先が払った行を消し、同じ子の加算をもう一度申し出る",
            later,
            _miyazaki,
            (controls.ALREADY, controls.PENDING, controls.LIVE_SLOT),
            (
                Beyond(controls.PENDING, MISSED, beyond.missed(_deleted_row)),
                Beyond(controls.LIVE_SLOT, MISSED_TWICE, beyond.written(_deleted_row, "過去 一郎", "CHILD")),
                Beyond(controls.NO_ERASING, "委託先の一覧ではなく、区の台帳の行を消そうとしたとする", beyond.erased),
            ),
        ),
    ),
)

# --- 津山市: 支払の後の確定処理を忘れた ---


def _tsuyama(office: Office) -> list[Stop]:
    office.tell("送り出しの後、「確定」の操作は何もしていない。同じ判定のまま、次の振込を作った")
    return office.pay()


TSUYAMA = Case(
    "tsuyama",
    "津山市",
    "2020年8月",
    "35 世帯、59万円が二重",
    "支払の後にする確定処理を、操作した人が忘れた。次の支払で、もう一度払われた。",
    "支払の後の、人がする確定処理の漏れ。",
    "津山朝日新聞 2020-08-19（tsuyamaasahi.co.jp）",
    "送り出しそのものが、状態の変わり目である。同じトランザクションで変わるので、忘れることができない。",
    (
        Mistake(
            "支払の後に何もせず、残っているはずの行で、次の振込を作る",
            sent_only,
            _tsuyama,
            (controls.PENDING, controls.VERDICT_LINE, controls.LIVE_SLOT),
            (
                Beyond(controls.VERDICT_LINE, "振込を作る時の読み直しが、見逃したとする", beyond.same_line_again),
                Beyond(
                    controls.LIVE_SLOT,
                    "新しい判定の行もできていて、見逃したとする",
                    beyond.written(_smaller_list, "過去 一郎"),
                ),
            ),
        ),
    ),
)

# --- 鎌倉市: 二重の確認が、ある期間、行われていなかった ---


def _unchecked(office: Office) -> Path:
    return office.plan([office.row(name) for name in ("過去 一郎", "過去 二郎", "過去 三郎")])


def _kamakura_unchecked(office: Office) -> list[Stop]:
    folder = _unchecked(office)
    office.tell("委託先が、二重の確認をせずに、払った 3 世帯の行を出した")
    return office.carry(folder)


def _kamakura(office: Office) -> list[Stop]:
    _unchecked(office)
    office.tell("委託先が二重の確認をせずに出した 3 世帯のファイルを、区も判定をせずに、振込にしようとした")
    return office.pay()


KAMAKURA = Case(
    "kamakura",
    "鎌倉市",
    "2025年（10月に公表）",
    "15 世帯、90万円が二重",
    "ある期間、委託先の二重確認の処理が使われていなかった。市の確認でも見つからず、三か月後に手作業で分かった。",
    "委託先の二重確認が使われていない期間があり、市の確認でも見落とした。",
    "鎌倉市 記者発表 2025-10-15",
    "振込は、支給判定を通った行からしか作れない。判定には、飛ばす設定も、飛ばす役割もない。",
    (
        Mistake(
            "委託先が、二重の確認をしないまま、払った人のファイルを出す",
            later,
            _kamakura_unchecked,
            (controls.ALREADY, controls.PENDING, controls.LIVE_SLOT),
            (
                Beyond(controls.PENDING, MISSED, beyond.missed(_unchecked)),
                Beyond(controls.LIVE_SLOT, MISSED_TWICE, beyond.written(_unchecked, "過去 一郎")),
            ),
        ),
        Mistake(
            "区も支給判定をしないで、委託先のファイルを払う",
            later,
            _kamakura,
            (controls.PENDING, controls.JUDGED_ONLY, controls.LIVE_SLOT),
            (
                Beyond(controls.JUDGED_ONLY, "判定のない行から、支払を作れたとする", beyond.without_verdict),
                Beyond(
                    controls.LIVE_SLOT,
                    MISSED_TWICE,
                    beyond.written(_unchecked, "過去 一郎"),
                ),
            ),
        ),
    ),
)

CASES = (NEYAGAWA, MIYAZAKI, TSUYAMA, KAMAKURA)
