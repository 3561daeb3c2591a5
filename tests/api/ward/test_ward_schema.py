"""区の JSON は、OpenAPI に書いたとおりに答える（いまの様子、承認、振込、保留、受渡）。符号の全部が書いてある。"""

from __future__ import annotations

import itertools
import os

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.api.ward.conftest import Ward

EXAMPLES = int(os.environ.get("SCHEMA_EXAMPLES", "4"))
KEYS = (f"schema-{place:08d}" for place in itertools.count())
PATHS = r"^/api/v1/(dashboard|approvals|transfers|holds|handovers)"


@pytest.mark.parametrize("staff_id", ["tanto", "shonin1"])
def test_the_ward_json_keeps_its_description(ward_desk: Ward, staff_id: str) -> None:
    made = ward_desk
    made.office.judge()
    headers = made.token(staff_id)
    schema = schemathesis.openapi.from_asgi("/openapi.json", made.client.app)
    checked = 0
    for result in schema.include(path_regex=PATHS).get_all_operations():
        operation = result.ok()
        checked += 1

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def one(case: schemathesis.Case) -> None:
            if case.headers and "Idempotency-Key" in case.headers:
                case.headers["Idempotency-Key"] = next(KEYS)
            # 形が合っても、ない番号や役割で断ることはある。どれも OpenAPI に載っている。
            case.call_and_validate(headers=headers, session=made.client, excluded_checks=[positive_data_acceptance])

        one()
    assert checked == 10
