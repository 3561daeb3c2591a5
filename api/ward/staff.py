"""区の画面の、人・端末・非常用の ID の画面。"""

from __future__ import annotations

from api import sealed, staff, staff_json

routers = (staff.router_for(), sealed.router_for(), staff_json.router_for())
