"""保存するファイルとして渡す答え。名前に、番号も氏名も入れない。"""

from __future__ import annotations

from urllib.parse import quote

from fastapi.responses import Response

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PDF = "application/pdf"


def attached(data: bytes, kind: str, name: str) -> Response:
    """`kind` は中身の種類（XLSX、PDF）、`name` は保存する名。"""
    told = f'filename="{name}"' if name.isascii() else f"filename*=UTF-8''{quote(name)}"
    return Response(data, media_type=kind, headers={"Content-Disposition": f"attachment; {told}"})
