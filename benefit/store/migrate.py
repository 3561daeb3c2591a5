"""台帳の移行。線は二本: `ward`（区）と `desk`（給付管理システム）。

python -m benefit.store.migrate ward upgrade sqlite:///ward.db
"""

from __future__ import annotations

import sys
from importlib import resources

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, MetaData

from benefit.store import desk, ward
from benefit.store.engine import make_engine

METADATA: dict[str, MetaData] = {"ward": ward.metadata, "desk": desk.metadata}


def config(line: str, connection: Connection | Engine | None = None) -> Config:
    """この線の Alembic 設定。"""
    folder = resources.files("migrations")
    made = Config()
    made.set_main_option("script_location", str(folder))
    made.set_main_option("path_separator", "newline")
    made.set_main_option("version_locations", str(folder / line))
    made.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    made.attributes.update(line=line, connection=connection)
    return made


def upgrade(engine: Engine, line: str, to: str = "head") -> None:
    """空からでも、途中からでも、`to` まで進める。"""
    with engine.begin() as connection:
        command.upgrade(config(line, connection), to)


def downgrade(engine: Engine, line: str, to: str = "base") -> None:
    """戻す。試験と、移行のやり直しのためにある。"""
    with engine.begin() as connection:
        command.downgrade(config(line, connection), to)


def main(arguments: list[str]) -> int:
    """`<線> upgrade|revision <URL> [文]`。開発者の入口。"""
    line, deed, url, *rest = arguments
    engine = make_engine(url)
    if deed == "upgrade":
        upgrade(engine, line)
    else:
        with engine.begin() as connection:
            command.revision(config(line, connection), " ".join(rest), autogenerate=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
