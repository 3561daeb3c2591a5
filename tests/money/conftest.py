"""お金の試験が分け合う、小さな区の作業場所（tests/services と同じもの）と、乱数の種。"""

from __future__ import annotations

import os
import random

import pytest

from tests.services.conftest import office, prepared_pg, prepared_sqlite

__all__ = ["office", "prepared_pg", "prepared_sqlite"]


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> random.Random:
    """種を印字する乱数。BENEFIT_SEED で、失敗した回と同じ種にできる。"""
    seed = int(os.environ.get("BENEFIT_SEED") or random.SystemRandom().randrange(2**32))
    print(f"{request.node.name}: BENEFIT_SEED={seed}")
    return random.Random(seed)
