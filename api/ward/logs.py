"""区の監査ログの週次の報告書（中身は api.logs）。"""

from __future__ import annotations

from api import logs_json
from api.logs import router_of

router = router_of("ward")
json_router = logs_json.router_of("ward")
