"""給付管理システムから毎日返ってくる進捗情報の言葉: 食い違いの種類と、委託先が自分では起こせない出来事。"""

from __future__ import annotations

from functools import cache

from benefit.domain.case import TRANSITIONS

#: 食い違いの種類。
VANISHED = "消えた行"
UNKNOWN = "知らない番号"
NOT_WITHDRAWN = "引上げ済み"
OLD_BRANCH = "枝番が違う"
IMPOSSIBLE = "ありえない状態"
DIFFERENCES = (VANISHED, UNKNOWN, NOT_WITHDRAWN, OLD_BRANCH, IMPOSSIBLE)

#: お金と判定の出来事。区の台帳だけが起こし、委託先の仕事では起こらない。
WARD_ALONE = frozenset(
    {
        "verdict_payable",
        "verdict_held",
        "verdict_blocked",
        "filed",
        "sent",
        "credited",
        "transfer_failed",
        "recall_asked",
        "ended",
        # 出し直しは区がする。期限の後の申し出を認めた件は、区の台帳で終わっていれば払えないので、食い違いとして見せる。
        "reissued",
        "appeal_accepted",
    }
)

#: 区が直接扱う人の返事（区の職員が入れる）。取消は、前の返事の入れ間違いを打ち消す。
REPLY_KINDS = ("確認書", "辞退", "返戻", "取消")


@cache
def possible_states(told: str) -> frozenset[str]:
    """区が `told` と知らせた後に、委託先の仕事だけで居られる状態（`told` 自身も）。"""
    reached, frontier = {told}, [told]
    while frontier:
        at = frontier.pop()
        for (origin, event), then in TRANSITIONS.items():
            if origin == at and event not in WARD_ALONE and then not in reached:
                reached.add(then)
                frontier.append(then)
    return frozenset(reached)
