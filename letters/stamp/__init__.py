"""刷りの速い道: 割付を一度だけ組んで台紙にし、一人ずつ違う所だけを一通ずつ載せる。

Typst 直接（letters.render）と同じ割付から、見た目の同じ紙ができる。毎回、見本の頁を直接の頁と比べる（compare）。
"""

from letters.stamp.compare import Difference, compare, run_samples, sample_compare
from letters.stamp.stamping import can, stamp, worth

__all__ = ["Difference", "can", "compare", "run_samples", "sample_compare", "stamp", "worth"]
