"""打たれた言葉の指紋。同じ送り直しかどうかを比べるためだけのもので、鍵つきだから、元の生年月日を当てられない。"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping


def digest(keys: Callable[[str], bytes], typed: Mapping[str, str]) -> str:
    """問い → 言葉 の指紋。"""
    canonical = json.dumps(dict(typed), ensure_ascii=False, sort_keys=True)
    return hmac.new(keys("desk-typed"), canonical.encode(), hashlib.sha256).hexdigest()
