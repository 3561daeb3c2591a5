"""終わった後の姿: 台帳の全部の表と、出たファイル。止めたときと止めなかったときを、これで比べる。"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from benefit.services.home import Home
from benefit.store import ward


def dump(home: Path, url: str | None) -> dict[str, list[tuple[object, ...]]]:
    """台帳の全部の表（時刻と、時刻から作る鎖の指紋を除く）。

    台帳が付ける通し番号（id）は、取り消された登録の分だけ飛ぶことがある（PostgreSQL の順序）。番号そのものは結果では
    ないので、順位に直して比べる。どの行がどの行を指すかは、そのまま比べられる。
    """
    engine = Home.at(home, ward_url=url).ward
    tables: dict[str, list[tuple[object, ...]]] = {}
    with engine.connect() as connection:
        ranks = {
            table.c.id: {
                number: rank
                for rank, number in enumerate(connection.execute(sa.select(table.c.id).order_by(table.c.id)).scalars())
            }
            for table in ward.metadata.sorted_tables
            if "id" in table.c and isinstance(table.c.id.type, sa.Integer)
        }
        for table in ward.metadata.sorted_tables:
            columns = [
                column
                for column in table.columns
                if not isinstance(column.type, sa.DateTime) and column.name not in {"hash", "previous_hash"}
            ]
            meant = [
                next((ranks[key] for key in (column, *(fk.column for fk in column.foreign_keys)) if key in ranks), None)
                for column in columns
            ]
            tables[table.name] = sorted(
                (
                    tuple(rank.get(value, value) if rank else value for rank, value in zip(meant, row, strict=True))
                    for row in connection.execute(sa.select(*columns))
                ),
                key=repr,
            )
    engine.dispose()
    return tables


def files(home: Path, out: Path) -> dict[str, bytes]:
    """出たファイル。秒を含む summary.json と、書きかけの仮の名は除く。"""
    kept = (*out.rglob("*"), *(home / "transfers").glob("*"), *(home / "snapshots").glob("*"))
    return {
        path.name: path.read_bytes()
        for path in kept
        if path.is_file() and path.name != "summary.json" and path.suffix != ".part"
    }
