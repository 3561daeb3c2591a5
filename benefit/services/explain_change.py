"""「結果が変わる最小の事実の違い」: 候補を当てて判定し、要らないものを一つずつ除いて求める。推し量らない。

言う違いは、どれも判定してから言う。組になった違いは、どの一つを除いても、もうその答えにはならない。
円で言う違いは、1 円小さければ答えが変わらない。
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain, combinations
from math import comb

from benefit.records import certificates as layout
from benefit.services.explain_moves import Move, breaks, heads, of_child, repairs
from benefit.services.explain_nearby import Answered, Fact, Nearby
from benefit.services.explain_taxpayer_moves import margins, taxpayer_repairs

#: 数の少ない組から全部試すときの、判定の回数の上限。超えれば、除いて小さくした組を言う。
_TRIES = 3_000


@dataclass(frozen=True)
class Change:
    """一つの「変わる条件」: この違いが全部あれば、答えはこうなる。"""

    moves: tuple[Move, ...]
    result: Answered

    @property
    def facts(self) -> tuple[Fact, ...]:
        """違う事実の全部。"""
        return _facts(self.moves)


def _facts(moves: Sequence[Move]) -> tuple[Fact, ...]:
    return tuple(chain.from_iterable(move.facts for move in moves))


def changes(near: Nearby) -> list[Change]:
    """この対象の、変わる条件。近いものから。

    対象: それ一つで終わる（額や給付が変わる）違い。対象外・未確定: 答えが変わる最小の違いと、対象になる最小の違い。
    候補の中に対象になる組がなければ、空。
    """
    now = near.after()
    if now.verdict == "対象":
        found = margins(near) if near.kind == layout.TAXPAYER else _breaking(near, now)
        return [Change((move,), near.after(move.facts)) for move in found]
    ways = _candidates(near)
    pool = tuple({move.says: move for move in chain.from_iterable(ways)}.values())
    eligible = _to_eligible(near, ways, pool)
    if eligible is None:
        return []
    smaller = _smaller(near, eligible, lambda answer: answer.verdict != now.verdict, pool)
    found_sets = [eligible] if smaller is None else [smaller, eligible]
    return [Change(moves, near.after(_facts(moves))) for moves in found_sets]


def _breaking(near: Nearby, now: Answered) -> list[Move]:
    def changed(move: Move) -> bool:
        answer = near.after(move.facts)
        return (answer.verdict, answer.benefit) != (now.verdict, now.benefit)

    firsts = (next((move for move in group if changed(move)), None) for group in breaks(near))
    return [move for move in firsts if move is not None]


def _to_eligible(near: Nearby, ways: list[tuple[Move, ...]], pool: tuple[Move, ...]) -> tuple[Move, ...] | None:
    """対象になる最小の組。この候補の中にないときは None。"""

    def eligible(answer: Answered) -> bool:
        return answer.verdict == "対象"

    found = [_pruned(near, whole, eligible) for whole in ways if eligible(near.after(_facts(whole)))]
    if not found:
        return None
    best = min(found, key=len)
    return _smaller(near, best, eligible, pool) or best


def _candidates(near: Nearby) -> list[tuple[Move, ...]]:
    if near.kind == layout.TAXPAYER:
        return taxpayer_repairs(near)
    own = tuple(of_child(near)) if near.kind == layout.CHILD else ()
    shared = tuple(repairs(near))
    return [(*way, *own, *shared) for way in heads(near)]


def _pruned(near: Nearby, moves: tuple[Move, ...], holds: Callable[[Answered], bool]) -> tuple[Move, ...]:
    """一つずつ除いても成り立つなら除く。残りは、どの一つも要る。"""
    while True:
        before = moves
        for move in before:
            rest = tuple(one for one in moves if one is not move)
            if rest and holds(near.after(_facts(rest))):
                moves = rest
        if moves == before:
            return moves


def _smaller(
    near: Nearby, best: tuple[Move, ...], holds: Callable[[Answered], bool], pool: tuple[Move, ...]
) -> tuple[Move, ...] | None:
    """`best` より数の少ない組で成り立つもの。少ない方から全部試す。なければ（試しきれなければ）None。"""
    tried = 0
    for size in range(1, len(best)):
        tried += comb(len(pool), size)
        if tried > _TRIES:
            return None
        for moves in combinations(pool, size):
            if holds(near.after(_facts(moves))):
                return moves
    return None
