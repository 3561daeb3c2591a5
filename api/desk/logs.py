"""給付管理システムの監査ログ: 週次の報告書（api.logs）と、引く画面（api.log_search）。見るのは区の人だけである。"""

from __future__ import annotations

from api import log_search, logs_json
from api.logs import router_of

search = log_search.router_of("desk")
reports = router_of("desk")
json_reports = logs_json.router_of("desk")
