"""取得したログを定期的に分析する: 十六の検知（reliability §4.7）。検知は、この表がすべてである。

報告書は、何も見つからない検知も「なし」と並べる。並ばない検知は、走らなかった検知である。
"""

from __future__ import annotations

from benefit.services import log_look_ups as looks
from benefit.services import log_money as money
from benefit.services import log_people as people
from benefit.services.log_findings import Detector, Finding
from benefit.services.log_frames import Logs

BOTH, DESK, WARD = ("ward", "desk"), ("desk",), ("ward",)

DETECTORS = (
    Detector("L01", "一人が一時間に調べた数", f"{looks.PER_HOUR} 件を越える", BOTH, looks.per_hour),
    Detector("L02", "当たらない検索の割合", f"続けた {looks.LAST_SEARCHES} 回の四割を越える", BOTH, looks.misses),
    Detector("L03", "一日に見た人の数", "同じ役割の平均 + 4σ を越える", BOTH, looks.more_than_usual),
    Detector("L04", "受けている電話（区では用件）のない閲覧", "閲覧の 2 ％ を越える", BOTH, looks.outside_calls),
    Detector(
        "L05",
        "時間の外・閉庁日の仕事",
        f"{looks.OPENS} 時前、{looks.CLOSES} 時から、閉庁日",
        BOTH,
        looks.outside_hours,
    ),
    Detector("L06", "一括処理でないまとめ読み", f"一度に {looks.MANY_ROWS} 行を越える", BOTH, looks.read_in_bulk),
    Detector(
        "L07",
        "同僚・同じ名字の人の閲覧",
        "同僚は一度でも。名字はたまたまの見込みが 1 ％ 未満",
        DESK,
        looks.acquainted,
    ),
    Detector("L08", "一日に何人もが見た人", f"コールセンターの {looks.OPERATORS} 人以上", DESK, looks.asked_by_many),
    Detector("L09", "送り出す前の口座変更", f"{money.DAYS_BEFORE_RELEASE} 日以内", WARD, money.changed_before_release),
    Detector("L10", "一つの口座に入る世帯の数", f"{money.HOUSEHOLDS} 世帯以上", WARD, money.shared_account),
    Detector("L11", "入れた人と承認した人が同じ", "一件でも", BOTH, money.approved_own_edit),
    Detector("L12", "一人が二台の端末を使う", "行って戻る、またはログインなしに移る", BOTH, people.two_terminals),
    Detector(
        "L13",
        "一台の端末から、いくつもの ID の失敗",
        f"一時間に {people.IDS} 人以上",
        BOTH,
        people.failed_from_one_terminal,
    ),
    Detector(
        "L14",
        "電話があるのに、閲覧の跡がない",
        f"一時間に電話 {people.CALLS} 本以上で、跡が 0",
        DESK,
        people.silence,
    ),
    Detector("L15", "突き合わせの行数の違い", "一行でも", WARD, money.counted_less),
    Detector(
        "L16",
        "受渡の期限切れ",
        f"受取 {money.RECEIPT_DAYS} 日、消去報告 {money.ERASURE_DAYS} 日",
        WARD,
        money.overdue,
    ),
)


def run(logs: Logs) -> dict[str, tuple[Finding, ...]]:
    """全部の検知を走らせる。"""
    return {one.id: one.run(logs) for one in DETECTORS}
