"""変わった十件: めずらしい組合せが先に来て、なぜめずらしいかが言え、同じ並びからはいつも同じ順になる。"""

from __future__ import annotations

import polars as pl

from benefit.services import approvals_view_builds
from benefit.services.approvals_view_odd import strangest

FEATURES = {"bank": "金融機関", "amount": "額"}


def lines(*odd: tuple[str, int], usual: int = 100) -> pl.DataFrame:
    rows = [(f"{place:04d}", "9999", 100_000) for place in range(usual)]
    rows += [(f"x{place}", bank, amount) for place, (bank, amount) in enumerate(odd)]
    return pl.DataFrame(rows, schema=["key", "bank", "amount"], orient="row")


def test_what_is_odd_in_two_ways_comes_before_what_is_odd_in_one() -> None:
    found = strangest(lines(("0001", 100_000), ("0002", 70_000)), FEATURES, key="key")
    assert found["key"].head(2).to_list() == ["x1", "x0"]
    assert found["odd"][0] == "金融機関「0002」は 102 件に 1 件。額「70000」は 102 件に 1 件"
    assert found["odd"][1] == "金融機関「0001」は 102 件に 1 件"


def test_usual_lines_are_not_called_odd_and_the_order_is_always_the_same() -> None:
    frame = lines()
    found = strangest(frame, FEATURES, key="key")
    assert found["odd"].to_list() == [""] * 10
    assert found.equals(strangest(frame.reverse(), FEATURES, key="key"))
    assert found["key"].to_list() == sorted(found["key"].to_list())


def test_nothing_has_nothing_odd() -> None:
    assert strangest(lines(usual=0), FEATURES, key="key").height == 0


def test_the_odd_of_a_build_are_told_in_words_not_in_codes() -> None:
    rows = pl.DataFrame(
        {"reasons_now": ["ALIVE;X9", ""], "route_now": ["CONFIRM", None], "account_flag_now": ["0", None]}
    )
    told = approvals_view_builds._worded(rows, {"ALIVE": "本人が存命である"})
    assert told.rows() == [("本人が存命である、X9", "確認書（CONFIRM）", "登録口座なし"), ("", None, None)]
