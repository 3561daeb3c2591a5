"""表の持ち主として、守りを外す（わざと入れる誤りのため）。仕事の接続は、PostgreSQL では守りを外せない（0016）。"""

from __future__ import annotations

from sqlalchemy import Connection


def as_owner(connection: Connection) -> Connection:
    """このトランザクションの間だけ、表の持ち主になる。SQLite に役割はない。"""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL ROLE NONE")
    return connection
